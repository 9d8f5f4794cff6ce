// Acts as a developer with the official client: logs in, creates hooks, creates
// and updates an item, once with `hook=false`. Prints one JSON line per step.
'use strict';

const { api: Podio } = require('podio-js');

const { API_URL, CLIENT_ID, CLIENT_SECRET, APP_ID, APP_TOKEN, HOOK_URL } = process.env;

const podio = new Podio(
  { authType: 'app', clientId: CLIENT_ID, clientSecret: CLIENT_SECRET },
  { apiURL: API_URL },
);

const say = (object) => process.stdout.write(`${JSON.stringify(object)}\n`);

async function until(what, condition) {
  const deadline = Date.now() + 30000;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`${what} never came about`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function play() {
  const hooks = [];
  for (const type of ['item.create', 'item.update']) {
    const { hook_id: id } = await podio.request('POST', `/hook/app/${APP_ID}/`, {
      url: HOOK_URL,
      type,
    });
    hooks.push(id);
  }
  await until('the verification', async () => {
    const listed = await podio.request('GET', `/hook/app/${APP_ID}/`);
    const ours = listed.filter((hook) => hooks.includes(hook.hook_id));
    return ours.length === 2 && ours.every((hook) => hook.status === 'active');
  });
  say({ active: hooks });

  const { item_id: item } = await podio.request('POST', `/item/app/${APP_ID}/`, {
    fields: { title: 'Login fails on Safari' },
  });
  const update = (title, query) => podio.request('PUT', `/item/${item}${query}`, { fields: { title } });
  const loud = await update('Login fails on Safari 19', '');
  const quiet = await update('Login fails on Safari 19.1', '?hook=false');
  const last = await update('Fixed', '');
  say({ item, revisions: [loud.revision, quiet.revision, last.revision] });
}

podio.authenticateWithApp(APP_ID, APP_TOKEN, (error) => {
  if (error) {
    say({ failed: String(error.message) });
    process.exit(1);
  }
  play().catch((failure) => {
    say({ failed: String(failure && (failure.message || failure)) });
    process.exit(1);
  });
});
