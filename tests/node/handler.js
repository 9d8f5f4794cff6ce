// The handler that Podio's own documentation suggests: a switch on `type`, which validates
// hook.verify itself with the official client. Prints its port, then one JSON line per webhook.
'use strict';

const http = require('http');
const querystring = require('querystring');
const { api: Podio } = require('podio-js');

const { API_URL, CLIENT_ID, CLIENT_SECRET, APP_ID, APP_TOKEN } = process.env;

const podio = new Podio(
  { authType: 'app', clientId: CLIENT_ID, clientSecret: CLIENT_SECRET },
  { apiURL: API_URL },
);

const say = (object) => process.stdout.write(`${JSON.stringify(object)}\n`);

async function handle(webhook) {
  switch (webhook.type) {
    case 'hook.verify':
      await podio.request('POST', `/hook/${webhook.hook_id}/verify/validate`, {
        code: webhook.code,
      });
      say({ validated: webhook.hook_id });
      break;
    case 'item.create':
    case 'item.update': {
      const item = await podio.request('GET', `/item/${webhook.item_id}`);
      say({ ...webhook, title: item.title });
      break;
    }
    default:
      say(webhook);
  }
}

const server = http.createServer((request, response) => {
  let body = '';
  request.on('data', (chunk) => { body += chunk; });
  request.on('end', () => {
    handle({ ...querystring.parse(body) })
      .then(() => response.end('ok'))
      .catch((error) => {
        say({ failed: String(error && error.message) });
        response.statusCode = 500;
        response.end('failed');
      });
  });
});

podio.authenticateWithApp(APP_ID, APP_TOKEN, (error) => {
  if (error) {
    say({ failed: String(error.message) });
    process.exit(1);
  }
  server.listen(0, '127.0.0.1', () => say({ port: server.address().port }));
});
