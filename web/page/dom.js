// Creates elements, and formats values for people. Captured data is
// untrusted: it becomes text, never markup.

export const $ = (id) => document.getElementById(id);

const DRAWING = "http://www.w3.org/2000/svg";

// Creates an element with attributes. A child that is not a node becomes text.
export function element(name, attributes = {}, ...children) {
  return made(document.createElement(name), attributes, children);
}

// Creates an element of an SVG drawing in the same way.
export function drawn(name, attributes = {}, ...children) {
  return made(document.createElementNS(DRAWING, name), attributes, children);
}

function made(node, attributes, children) {
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== null && value !== false) node.setAttribute(key, value);
  }
  const isThere = (child) => child !== null && child !== undefined;
  node.append(...children.flat().filter(isThere).map((child) => (child instanceof Node ? child : String(child))));
  return node;
}

// Sets the text of a live region, but only if it differs, so that it is not announced again.
export function tell(id, words) {
  if ($(id).textContent !== words) $(id).textContent = words;
}

export function clock(text) {
  const at = new Date(text);
  const today = new Date().toDateString() === at.toDateString();
  const time = at.toLocaleTimeString(undefined, { hour12: false });
  return today ? time : `${at.toLocaleDateString(undefined, { month: "short", day: "numeric" })} ${time}`;
}

// Creates an element with a time, shown in the browser's time zone.
export function moment(text) {
  return element("time", { datetime: text, title: text }, clock(text));
}

export function milliseconds(ms) {
  if (ms === null || ms === undefined) return "";
  if (ms >= 10_000) return `${(ms / 1000).toFixed(1)} s`;
  return `${ms.toFixed(ms < 10 ? 1 : 0)} ms`;
}

// Returns the time between two times, in the largest unit that fits.
export function since(before, after) {
  const seconds = Math.max(0, (new Date(after) - new Date(before)) / 1000);
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 60) return `${Math.round(seconds)} s`;
  if (seconds < 3600) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86_400)} d`;
}

export function size(bytes) {
  if (bytes < 1024) return `${bytes} bytes`;
  if (bytes < 1024 * 1024) return `${(bytes / 1024).toFixed(1)} KiB`;
  return `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
}

export function count(number, noun) {
  return `${number.toLocaleString()} ${noun}${number === 1 ? "" : "s"}`;
}

// Returns the sign and word of an outcome, and its kind: good, warn, bad or dim.
export function outcomeOf(row) {
  if (row.error !== null && row.error !== undefined) return ["✗ failed", "bad"];
  if (row.status === null || row.status === undefined) return [row.state ?? "", "dim"];
  if (row.status < 300) return [`✓ ${row.status}`, "good"];
  if (row.status < 400) return [`→ ${row.status}`, "warn"];
  return [`✗ ${row.status}`, "bad"];
}

export function chip(row) {
  const [word, kind] = outcomeOf(row);
  return element("span", { class: `chip ${kind}`, title: row.error }, word);
}
