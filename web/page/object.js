// Shows everything that happened to one object: a row of marks, and each
// event with the author of the change.

import { ask, named } from "./ask.js";
import { chip, count, element, moment, since } from "./dom.js";

// The shapes differ, so that a loop is visible without colour.
const MARKS = {
  own: ["◆", "your client", "warn"],
  other: ["○", "others", "good"],
  someone: ["•", "someone", ""],
  unknown: ["?", "not asked", "dim"],
  missing: ["┄", "never came", "bad"],
};

export async function objectView(object) {
  const timeline = await ask("object", { query: { about: object } });
  return {
    title: `Timeline of ${timeline.object}`,
    subtitle: [timeline.title, timeline.app].filter(Boolean).join(" · "),
    key: JSON.stringify(timeline),
    isLive: true,
    actions: [
      { key: "Y", words: "Why", href: `#why/${named(object)}` },
    ],
    content: timeline.entries.length === 0 ? [element("p", {}, "No event is about it.")] : shown(timeline),
  };
}

function shown(timeline) {
  const loops = timeline.loops.map((it) =>
    element("p", { class: it.is_suspected ? "warn" : "dim" }, `${it.is_suspected ? "⚠ loop? " : ""}${it.event_type} ${it.times}× in ${it.seconds} s${it.is_suspected ? "; write with hook=false" : ""}`),
  );
  const more = timeline.left_out > 0 ? element("p", { class: "dim" }, `${count(timeline.left_out, "older event")} not shown.`) : null;
  return [...loops, strip(timeline.entries), table(timeline.entries), more];
}

function markOf(entry) {
  if (entry.kind === "missing") return "missing";
  if (entry.own === true) return "own";
  if (entry.own === false) return "other";
  return entry.who !== null || entry.via !== null ? "someone" : "unknown";
}

function sign(mark) {
  const [text, , kind] = MARKS[mark];
  return element("span", { class: kind, "aria-hidden": "true" }, text);
}

// Returns the row of marks, the oldest at the left.
function strip(entries) {
  const marks = entries.toReversed().map(markOf);
  const used = Object.keys(MARKS).filter((mark) => marks.includes(mark));
  const legend = used.map((mark) => element("span", {}, sign(mark), ` ${MARKS[mark][1]}`));
  return element("div", { class: "strip" }, element("p", { class: "marks", "aria-hidden": "true" }, marks.map(sign)), element("p", { class: "legend dim" }, legend));
}

function table(entries) {
  const head = ["Time", "After", "Rev", "Who", "Event", "Answer"].map((name) => element("th", { scope: "col" }, name));
  const lines = entries.map((entry, at) => {
    if (entry.kind === "missing") {
      const which = entry.from === entry.to ? `r${entry.from}` : `r${entry.from}–r${entry.to}`;
      return element("tr", { class: "missing" }, element("td"), element("td"), element("td", {}, which), element("td", { colspan: "3" }, sign("missing"), " never arrived: lost, or made with hook=false"));
    }
    const before = entries.slice(at + 1).find((older) => older.kind === "event");
    const changes = entry.changes.map(([field, from, to]) => `${field}: ${[from, to].filter(Boolean).join(" → ")}`).join("; ");
    const step = element(
      "tr",
      {},
      element("td", {}, moment(entry.received_at)),
      element("td", { class: "dim" }, before === undefined ? "" : `+${since(before.received_at, entry.received_at)}`),
      element("td", {}, entry.revision === null ? "" : `r${entry.revision}`),
      element("td", {}, sign(markOf(entry)), ` ${who(entry)}`),
      element("td", {}, element("a", { href: `#event/${entry.id}` }, entry.what)),
      element("td", {}, chip(entry)),
    );
    if (changes === "") return step;
    return [step, element("tr", { class: "changed" }, element("td"), element("td", { colspan: "5" }, changes))];
  });
  const body = element("tbody", {}, lines.flat());
  return element("div", { class: "wide", tabindex: "0", role: "region", "aria-label": "Table of what happened" }, element("table", { class: "steps" }, element("thead", {}, element("tr", {}, head)), body));
}

function who(entry) {
  const names = [...new Set([entry.who, entry.via].filter((name) => name !== null))];
  return names.length > 0 ? names.join(" · ") : "not asked yet";
}
