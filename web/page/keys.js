// The action of each key: one table, which is also the help.

import { $, element } from "./dom.js";
import { chosen, focusChosen, move, newest, search } from "./list.js";
import * as pane from "./pane.js";

// The keys of each action, its description, and its function.
const KEYS = [
  [["j", "ArrowDown"], "next event", () => move(1)],
  [["k", "ArrowUp"], "previous event", () => move(-1)],
  [["PageDown"], "ten events down", () => move(10)],
  [["PageUp"], "ten events up", () => move(-10)],
  [["g", "F", "Home"], "newest event, and follow", newest],
  [["Enter"], "open the event", () => pane.go(`event/${chosen()}`)],
  [["Escape"], "close what is open", back],
  [["/", "f"], "filter", () => $("filter").focus()],
  [["r"], "replay the event", () => pane.act("r", chosen())],
  [["e"], "edit the event and replay that", () => pane.act("e", chosen())],
  [["w"], "ask Podio what changed", () => pane.act("w", chosen())],
  [["T"], "all that happened to the object", () => pane.act("T", chosen())],
  [["Y"], "why it arrived, or did not", why],
  [["?"], "this help", () => $("help").showModal()],
];

const NAMES = { ArrowDown: "↓", ArrowUp: "↑", PageDown: "PgDn", PageUp: "PgUp", Escape: "Esc" };

// Keys that scroll the pane if the focus is in the pane, and that then have no other action.
const SCROLLS = new Set(["ArrowDown", "ArrowUp", "PageDown", "PageUp", "Home"]);

function why() {
  if (pane.has("Y") || chosen() !== null) return pane.act("Y", chosen());
  return pane.go("why/");
}

function back() {
  if (pane.isOpen()) pane.close();
  else focusChosen();
}

function escapeFrom(field) {
  if (field === $("filter") && field.value !== "") {
    field.value = "";
    search();
  } else if (field === $("filter")) focusChosen();
  else back();
}

function onKey(event) {
  const field = event.target instanceof HTMLInputElement || event.target instanceof HTMLTextAreaElement ? event.target : null;
  if (event.ctrlKey && event.key === "Enter" && pane.has("Ctrl+Enter")) {
    event.preventDefault();
    if (!$("send").disabled) $("send").click();
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || $("help").open) return;
  if (field !== null) {
    if (event.key === "Escape") escapeFrom(field);
    else if (event.key === "ArrowDown" && field === $("filter")) focusChosen();
    else return;
    event.preventDefault();
    return;
  }
  if (SCROLLS.has(event.key) && $("detail-pane").contains(event.target)) return;
  if (event.key === "Enter" && !$("rows").contains(event.target)) return;
  const known = KEYS.find(([keys]) => keys.includes(event.key));
  if (known === undefined) return;
  event.preventDefault();
  known[2]();
}

export function startKeys() {
  document.addEventListener("keydown", onKey);
  const line = ([keys, words]) => [
    element("dt", {}, keys.map((key) => element("kbd", {}, NAMES[key] ?? key))),
    element("dd", {}, words),
  ];
  $("keys").replaceChildren(...KEYS.flatMap(line));
  $("close").addEventListener("click", pane.close);
  $("show-help").addEventListener("click", () => $("help").showModal());
  $("ask-why").addEventListener("click", why);
}
