// Shows one event completely: the request as received, the changes, and the answers.

import { ask, named } from "./ask.js";
import { chip, element, milliseconds, outcomeOf, size, tell } from "./dom.js";

// Returns the view of an event for the pane.
export async function eventView(id) {
  const event = await ask(`events/${named(id)}`);
  const object = event.object === null ? null : event.object.replace(" ", ":");
  const about = object ?? (event.hook_id === null ? event.event ?? "" : `hook:${event.hook_id}`);
  return {
    title: event.event ?? `${event.method} ${event.path}`,
    subtitle: [event.object, event.revision === null ? null : `r${event.revision}`].filter(Boolean).join(" "),
    key: JSON.stringify(event),
    isLive: true,
    actions: [
      { key: "r", words: "Replay", run: () => replay(id) },
      { key: "e", words: "Edit & replay", href: `#edit/${id}` },
      { key: "w", words: "What changed", run: () => explain(id) },
      { key: "T", words: "Object timeline", href: object === null ? null : `#object/${named(object)}` },
      { key: "Y", words: "Why", href: `#why/${named(about)}` },
    ],
    content: sections(event),
  };
}

async function replay(id) {
  const sent = await ask(`events/${named(id)}/replay`, { post: "" });
  return saidOfReplay(sent);
}

// Returns the outcome of a replay in a few words.
export function saidOfReplay(sent) {
  return `replayed: ${outcomeOf(sent)[0]}${sent.error ? `, ${sent.error}` : ""}`;
}

async function explain(id) {
  tell("told", "asking Podio");
  await ask(`events/${named(id)}/explain`, { post: "" });
  return "";
}

function sections(event) {
  const last = event.attempts.at(-1);
  const summary = [
    ["delivery", [event.state ?? "", last === undefined ? "" : [chip(last), ` ${milliseconds(last.duration_ms)}`]].flat()],
    ["hook", event.hook_id],
    ["hook is on", event.place],
    ["validation", validation(event.verification)],
    ...event.remarks.map(([label, words]) => [label, element("span", { class: "warn" }, words)]),
    ["note", event.note === null ? null : element("strong", {}, event.note)],
    ["received", new Date(event.received_at).toLocaleString(undefined, { timeZoneName: "short" })],
    ["request", `${event.method} ${event.path}`],
    ["from", event.peer],
    ["id", element("code", {}, event.id)],
  ];
  const meaning = event.meaning === null ? null : element("p", { class: "meaning" }, sentence(event.meaning));
  const made = [element("div", {}, meaning, pairs(summary))];
  if (event.explanation !== null) made.push(changed(event.explanation));
  made.push(attempts(event));
  if (event.params.length > 0) {
    const params = event.params.map(([name, value], at) => [name, [value, quiet(event.param_meanings[at])]]);
    made.push(section("Parameters", pairs(params)));
  }
  made.push(section("Request headers", pairs(event.headers)));
  made.push(section("Request body", body(event.body, "Body of the webhook")));
  return made;
}

function sentence(words) {
  return words.charAt(0).toUpperCase() + words.slice(1);
}

function quiet(words) {
  return words ? element("span", { class: "dim" }, `  ${words}`) : null;
}

function validation(verification) {
  if (verification === null) return null;
  if (verification.ok) return element("span", { class: "good" }, "✓ validated");
  return element("span", { class: "bad" }, `✗ not valid: ${verification.error ?? ""}`);
}

export function section(title, ...children) {
  return element("section", {}, element("h3", {}, title), ...children);
}

// Returns a table of names and values. A pair without a value is left out.
export function pairs(list) {
  const rows = list.filter(([, value]) => value !== null && value !== undefined && value !== "");
  const line = ([name, value]) => element("tr", {}, element("th", { scope: "row" }, name), element("td", {}, value));
  return element("table", { class: "pairs" }, element("tbody", {}, rows.map(line)));
}

// Returns the fields, each with its value before and after.
export function changes(list) {
  return list.map(([field, from, to]) => [
    field,
    [element("del", {}, from), from && to ? element("span", { class: "dim" }, " → ") : null, element("ins", {}, to)],
  ]);
}

function changed(explanation) {
  const fact = ([name, value]) => [name, name === "link" && value.startsWith("https://") ? podioLink(value) : value];
  const notes = explanation.notes.map((note) => element("p", { class: "dim" }, note));
  const rows = [...explanation.facts.map(fact), ...changes(explanation.changes)];
  return section("What changed", pairs(rows), ...notes);
}

function podioLink(link) {
  return element("a", { href: link, target: "_blank", rel: "noopener noreferrer" }, link);
}

function attempts(event) {
  if (event.attempts.length === 0) return section("Attempts", element("p", { class: "dim" }, "No attempt has ended yet."));
  const slowest = Math.max(1, ...event.attempts.map((attempt) => attempt.duration_ms));
  const more = event.left_out > 0 ? element("p", { class: "dim" }, `${event.left_out} earlier attempts are not shown.`) : null;
  const lines = event.attempts.toReversed().map((attempt) => attemptOf(attempt, slowest));
  return section("Attempts", element("ol", { class: "attempts" }, lines), more);
}

function attemptOf(attempt, slowest) {
  const bar = element("span", { class: `time ${outcomeOf(attempt)[1]}` });
  bar.style.width = `${Math.max(1, (attempt.duration_ms / slowest) * 100)}%`;
  const kind = attempt.edited ? " edited and replayed" : attempt.replay ? " replay" : "";
  const command = attempt.exit_status === undefined ? null : `exit status ${attempt.exit_status}${attempt.first_line ? `: ${attempt.first_line}` : ""}`;
  return element(
    "li",
    {},
    element("p", { class: "attempt" }, element("strong", {}, `${attempt.attempt}${kind}`), chip(attempt), element("span", { class: "number" }, milliseconds(attempt.duration_ms)), element("span", { class: "track" }, bar)),
    element("p", { class: "dim" }, `${new Date(attempt.started_at).toLocaleTimeString(undefined, { hour12: false })} to ${attempt.url}`),
    attempt.error ? element("p", { class: "bad" }, attempt.error) : null,
    command === null ? null : element("p", {}, command),
    attempt.change ? element("p", { class: "accent" }, attempt.change) : null,
    attempt.edited ? details(`sent-${attempt.attempt}`, "What was sent", editedRequest(attempt)) : null,
    attempt.answer ? details(`answer-${attempt.attempt}`, `Answer, ${size(attempt.answer.bytes)}`, [pairs(attempt.answer_headers), body(attempt.answer, `Answer to attempt ${attempt.attempt}`)]) : null,
  );
}

function editedRequest({ attempt, edited }) {
  const text = edited.body ?? edited.body_base64 ?? "";
  return [
    element("p", {}, element("strong", {}, edited.method), ` ${edited.path}`),
    element("pre", { tabindex: "0", role: "region", "aria-label": `Request of attempt ${attempt}` }, text),
  ];
}

function details(key, summary, content) {
  return element("details", { "data-key": key }, element("summary", {}, summary), content);
}

function body(shown, label) {
  if (shown.bytes === 0) return element("p", { class: "dim" }, "empty");
  const words = [size(shown.bytes), shown.packing, shown.binary ? "not text" : null, shown.cut ? "only the beginning is shown" : null];
  return element(
    "div",
    {},
    element("p", { class: "dim" }, words.filter(Boolean).join(", ")),
    element("pre", { tabindex: "0", role: "region", "aria-label": label }, pretty(shown.text)),
  );
}

function pretty(text) {
  if (!/^\s*[[{]/.test(text)) return text;
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
