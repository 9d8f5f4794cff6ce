// Sends requests to the process that serves this page.

// The tunnel in the URL of this page, if there is one.
export const TUNNEL = new URLSearchParams(location.search).get("tunnel");

// Returns the path of a request about this tunnel.
export function about(path, query = {}) {
  const named = new URLSearchParams(TUNNEL === null ? query : { ...query, tunnel: TUNNEL });
  return `/api/${path}${named.size > 0 ? `?${named}` : ""}`;
}

// Sends a request. Throws an error with the server's words if the answer is not a success.
export async function ask(path, { query, post } = {}) {
  const options = { headers: { accept: "application/json" } };
  if (post !== undefined) Object.assign(options, { method: "POST", body: post });
  const answer = await fetch(about(path, query), options);
  const nothing = { error: `the answer is not JSON (${answer.status})` };
  const object = await answer.json().catch(() => nothing);
  if (!answer.ok) throw Object.assign(new Error(object.error ?? `status ${answer.status}`), { column: object.column });
  return object;
}

// Encodes a name for use in a path.
export const named = encodeURIComponent;
