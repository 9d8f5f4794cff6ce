// Questions to the process that serves this page.

// The tunnel that this page shows, where it is named.
export const TUNNEL = new URLSearchParams(location.search).get("tunnel");

// The path of a question about this tunnel.
export function about(path, query = {}) {
  const named = new URLSearchParams(TUNNEL === null ? query : { ...query, tunnel: TUNNEL });
  return `/api/${path}${named.size > 0 ? `?${named}` : ""}`;
}

// Asks; an answer that is no success is an error in words.
export async function ask(path, { query, post } = {}) {
  const options = { headers: { accept: "application/json" } };
  if (post !== undefined) Object.assign(options, { method: "POST", body: post });
  const answer = await fetch(about(path, query), options);
  const nothing = { error: `the answer is not JSON (${answer.status})` };
  const object = await answer.json().catch(() => nothing);
  if (!answer.ok) throw Object.assign(new Error(object.error ?? `status ${answer.status}`), { column: object.column });
  return object;
}

// The part of a path that names something.
export const named = encodeURIComponent;
