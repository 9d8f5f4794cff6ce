// Acts as a developer with the official client, in the order of tests/e2e/judges.rs.
// Prints one JSON line per step; a failed check ends the script.
'use strict';

const assert = require('node:assert');
const { once } = require('node:events');
const fs = require('node:fs');
const net = require('node:net');
const os = require('node:os');
const path = require('node:path');
const { api: Podio } = require('podio-js');

const { API_URL, CLIENT_ID, CLIENT_SECRET, APP_TOKEN } = process.env;
const APP = Number(process.env.APP_ID);
const REDIRECT = 'http://localhost:9/done';
const ADA = ['ada@example.com', 'sandbox'];

const say = (step, told) => process.stdout.write(`${JSON.stringify({ step, ...told })}\n`);

/** A client that has logged in by one of its own operations. */
function login(authType, operation, ...credentials) {
  const podio = new Podio(
    { authType, clientId: CLIENT_ID, clientSecret: CLIENT_SECRET },
    { apiURL: API_URL },
  );
  return new Promise((resolve, reject) => {
    podio[operation](...credentials, (error) => (error ? reject(error) : resolve(podio)));
  });
}

/** What a call is refused with. */
const refusal = (call) => call.then(() => assert.fail('it was not refused'), (error) => error);

/** The code that Podio's page sends back with the redirect. */
async function code() {
  const query = new URLSearchParams({ response_type: 'code', client_id: CLIENT_ID, redirect_uri: REDIRECT });
  const page = await fetch(`${API_URL}/oauth/authorize?${query}`, { redirect: 'manual' });
  return new URL(page.headers.get('location')).searchParams.get('code');
}

/** The codes of the `hook.verify` that come to a server, in their order. */
async function verifications() {
  const codes = [];
  const waiting = [];
  const server = net.createServer((socket) => {
    let text = '';
    socket.on('data', (data) => {
      text += data;
      const form = new URLSearchParams(text.split('\r\n\r\n')[1]);
      const length = Number(/content-length: (\d+)/i.exec(text)?.[1]);
      if (text.split('\r\n\r\n')[1]?.length !== length) return;
      socket.end('HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n');
      codes.push(form.get('code'));
      waiting.shift()?.();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const next = async () => {
    if (codes.length === 0) await new Promise((resolve) => waiting.push(resolve));
    return codes.shift();
  };
  return { url: `http://127.0.0.1:${server.address().port}/hook`, next, close: () => server.close() };
}

async function play() {
  const app = await login('app', 'authenticateWithApp', APP, APP_TOKEN);
  const server = await login('server', 'getAccessToken', await code(), REDIRECT);
  const podio = await login('password', 'authenticateWithCredentials', ...ADA);
  const wrong = await refusal(login('password', 'authenticateWithCredentials', ADA[0], 'wrong'));
  const get = (url, query) => podio.request('GET', url, query);
  const post = (url, body) => podio.request('POST', url, body);
  const put = (url, body) => podio.request('PUT', url, body);
  const drop = (url) => podio.request('DELETE', url);
  const kind = (client) => client.authObject.ref.type;
  say('login', { app: kind(app), code: kind(server), password: kind(podio) });
  say('wrong password', { status: wrong.status });
  podio.authObject.accessToken = 'expired';
  const mail = (await get('/user/status')).user.mail;
  say('expired token', { mail, refreshed: podio.authObject.accessToken !== 'expired' });

  const hooks = await verifications();
  const hook = (await post(`/hook/app/${APP}/`, { url: hooks.url, type: 'item.update' })).hook_id;
  const status = async () => (await get(`/hook/app/${APP}/`)).map((listed) => listed.status);
  const created = await status();
  await hooks.next();
  await post(`/hook/${hook}/verify/request`);
  const verification = await hooks.next();
  const refused = await refusal(post(`/hook/${hook}/verify/validate`, { code: '00000000' }));
  await post(`/hook/${hook}/verify/validate`, { code: verification });
  const validated = await status();
  await drop(`/hook/${hook}`);
  const again = await refusal(drop(`/hook/${hook}`));
  hooks.close();
  say('hook', { created, wrong: refused.status, validated, left: await status(), again: again.status });

  const fields = { title: 'Desk', status: 1, due: { start: '2026-11-23 14:30:00' } };
  const item = await post(`/item/app/${APP}/`, { fields, external_id: 'desk 1' });
  const id = item.item_id;
  const basic = (await get(`/item/${id}/basic`)).title;
  const quiet = (await put(`/item/${id}?hook=false&silent=true`, { fields: { status: 5 } })).revision;
  const stale = await refusal(put(`/item/${id}`, { fields: { title: 'x' }, revision: 0 }));
  await put(`/item/${id}/value/title`, { value: 'Oak desk' });
  const { title } = await get(`/item/${id}`);
  const copy = (await post(`/item/${id}/clone`)).item_id;
  await drop(`/item/${copy}`);
  const gone = await refusal(get(`/item/${copy}`));
  const reverted = (await drop(`/item/${id}/revision/2`)).revision;
  say('item', { basic, quiet, stale: stale.status, title, gone: gone.status, reverted });
  const numbers = (await get(`/item/${id}/revision/`)).map((revision) => revision.revision);
  const changed = (await get(`/item/${id}/revision/0/1`)).map((change) => change.external_id);
  say('revisions', { numbers, changed });
  const due = (await get(`/item/${id}/value/due`))[0];
  say('date', { start: due.start, day: due.start_date_utc, time: due.start_time_utc, end: due.end });
  const found = await post(`/item/app/${APP}/filter/`, { filters: { status: [5] }, limit: 10 });
  say('filter', { found: found.filtered, title: found.items[0].title });

  const comment = (await post(`/comment/item/${id}/`, { value: 'Grüße & Küsse' })).comment_id;
  await put(`/comment/${comment}`, { value: 'Done' });
  const values = (await get(`/comment/item/${id}/`, { limit: 10 })).map((listed) => listed.value);
  const one = (await get(`/comment/${comment}`)).ref.id === id;
  await drop(`/comment/${comment}`);
  say('comment', { values, one, left: await get(`/comment/item/${id}/`) });

  const task = (await post(`/task/item/${id}/?hook=false`, { text: 'Call', labels: ['phone'] })).task_id;
  const updated = (await put(`/task/${task}`, { text: 'Ring' })).text;
  await post(`/task/${task}/assign`, { responsible: 8123457 });
  await put(`/task/${task}/label/`, ['phone', 'today']);
  await post(`/task/${task}/complete`);
  const shown = await get(`/task/${task}`);
  const listed = (await get('/task/', { completed: true, limit: 5 })).length;
  const labels = (await get('/task/label/')).map((label) => label.text);
  const total = (await get('/task/total')).own.total;
  say('task', { updated, for: shown.responsible.name, status: shown.status, listed, labels, total });

  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'podtap-'));
  const bytes = Buffer.from('%PDF\x00\xff\r\n', 'latin1');
  fs.writeFileSync(path.join(folder, 'a b.pdf'), bytes);
  const file = await podio.uploadFile(path.join(folder, 'a b.pdf'), 'a b.pdf');
  fs.rmSync(folder, { recursive: true });
  await post(`/file/${file.file_id}/attach`, { ref_type: 'item', ref_id: id });
  // The client has no operation to download a file: it
  // returns a link for the browser, which needs the token.
  const raw = async (url) => {
    const answer = await fetch(`${url}?oauth_token=${podio.authObject.accessToken}`);
    return bytes.equals(Buffer.from(await answer.arrayBuffer()));
  };
  const byId = await raw(`${API_URL}/file/${file.file_id}/raw`);
  say('file', { name: file.name, size: file.size, raw: byId, linked: await raw(file.link) });

  const org = (await get('/org/'))[0].org_id;
  const space = (await get(`/space/org/${org}/`))[0].space_id;
  const members = await get(`/space/${space}/member/`, { limit: 2, offset: 1 });
  say('places', {
    user: (await get('/user/')).mail,
    profile: (await get('/user/profile/')).name,
    spaces: (await get(`/org/${org}/space/`)).length,
    apps: (await get('/app/', { limit: 2 })).length,
    members: members.map((member) => member.profile.name),
    contacts: (await get('/contact/')).length,
  });

  const field = (await post(`/app/${APP}/field/`, { type: 'text', config: { label: 'Colour' } })).field_id;
  await put(`/app/${APP}/field/${field}`, { label: 'Oil' });
  const { label } = await get(`/app/${APP}/field/${field}`);
  await drop(`/app/${APP}/field/${field}`);
  const left = (await refusal(get(`/app/${APP}/field/${field}`))).status;
  const form = (await post(`/form/app/${APP}/`, { settings: {} })).form_id;
  await post(`/form/${form}/deactivate`);
  const off = (await get(`/form/app/${APP}/`))[0].status;
  await post(`/form/${form}/activate`);
  say('app', { label, left, forms: [off, (await get(`/form/app/${APP}/`))[0].status] });

  await post(`/tag/item/${id}/`, ['a', 'b']);
  await put(`/tag/item/${id}/`, ['b', 'c']);
  const counted = await get(`/tag/app/${APP}/`, { limit: 1, text: 'c' });
  say('tags', { tags: await get(`/tag/item/${id}/`), counted });

  const customer = (await get(`/app/${APP}`)).fields.find((listed) => listed.type === 'app').field_id;
  const target = (await get('/item/app/30682990/')).items[0].item_id;
  await put(`/item/${id}/value/${customer}`, [{ value: target }]);
  const number = (await get(`/app/${APP}/item/${item.app_item_id}`)).item_id === id;
  const external = (await get(`/item/app/${APP}/external_id/desk%201`)).item_id === id;
  const { count } = await get(`/item/app/${APP}/count/`);
  const items = (await get(`/item/${target}/reference/`))[0].items;
  const references = items.map((named) => named.item_id === id);
  const deleted = (await post(`/item/app/${APP}/delete`, { item_ids: [id] })).deleted.length;
  say('found', { number, external, count, references, deleted, batches: await get('/batch/') });
}

play().catch((error) => {
  process.stderr.write(`${error.stack ?? ''} ${JSON.stringify(error)}\n`);
  process.exit(1);
});
