// The pane beside the list. It shows one view at a time, which the fragment of the URL names, so
// that the browser's back button works.

import { $, element, tell } from "./dom.js";
import { editView } from "./edit.js";
import { eventView } from "./event.js";
import { focusChosen, showOpen } from "./list.js";
import { objectView } from "./object.js";
import { whyView } from "./why.js";

const VIEWS = { event: eventView, edit: editView, object: objectView, why: whyView };

// The view on the screen, and what it was created for.
let shown = null;
let asked = 0;

// Returns the view that the fragment names, such as `event/ID`.
function wanted() {
  const [name, ...rest] = location.hash.slice(1).split("/");
  if (!Object.hasOwn(VIEWS, name)) return null;
  try {
    return { name, about: decodeURIComponent(rest.join("/")) };
  } catch {
    return null;
  }
}

export const isOpen = () => shown !== null;

export function close() {
  if (shown !== null) go("");
}

// Shows the view of this fragment. The browser's back button returns to the former view.
export function go(fragment) {
  const here = location.pathname + location.search;
  history.pushState(null, "", fragment === "" ? here : `${here}#${fragment}`);
  return route();
}

// Shows the view that the fragment names.
export async function route() {
  const now = wanted();
  const mine = ++asked;
  if (now === null) {
    shown = null;
    $("detail-pane").hidden = true;
    document.body.classList.remove("two");
    showOpen(null);
    focusChosen();
    return;
  }
  let view;
  try {
    view = await VIEWS[now.name](now.about);
  } catch (error) {
    view = { title: "Nothing to show", subtitle: "", key: error.message, actions: [], content: [element("p", { class: "bad", role: "alert" }, error.message)] };
  }
  if (mine !== asked) return;
  const isSame = shown !== null && shown.name === now.name && shown.about === now.about;
  const wasEdit = shown?.name === "edit";
  shown = { ...now, view };
  document.body.classList.add("two");
  $("detail-pane").hidden = false;
  // After an edited replay, its outcome stays on the screen beside the event.
  if (!isSame && !wasEdit) tell("told", "");
  fill(view, isSame);
  showOpen(now.name === "event" || now.name === "edit" ? now.about : null);
  if (!isSame) {
    $("detail").scrollTop = 0;
    (view.focus ?? $("detail-title")).focus();
  }
}

// Reads the view again, if it may have changed.
export async function refresh() {
  if (shown === null || !shown.view.isLive) return;
  const { name, about } = shown;
  const mine = asked;
  const view = await VIEWS[name](about).catch(() => null);
  if (view === null || mine !== asked || view.key === shown.view.key) return;
  shown = { name, about, view };
  fill(view, true);
}

// Fills the pane. If it is the same view, opened details stay open and the focus stays.
function fill(view, isSame) {
  const pane = $("detail");
  const opened = isSame ? [...pane.querySelectorAll("details[open]")].map((it) => it.dataset.key) : [];
  const focused = [...pane.querySelectorAll("a, pre, summary, .wide")].indexOf(document.activeElement);
  const top = pane.scrollTop;
  $("detail-title").textContent = view.title;
  $("detail-subtitle").textContent = view.subtitle;
  if (!isSame) $("actions").replaceChildren(...view.actions.map(actionOf).filter(Boolean));
  pane.replaceChildren(...view.content.filter(Boolean));
  for (const it of pane.querySelectorAll("details")) it.open = opened.includes(it.dataset.key);
  if (isSame) {
    pane.scrollTop = top;
    if (focused >= 0) [...pane.querySelectorAll("a, pre, summary, .wide")][focused]?.focus({ preventScroll: true });
  }
}

function actionOf(action) {
  if (action.href === null) return null;
  const keys = action.key ? element("kbd", {}, action.key) : null;
  const attributes = { id: action.id, "aria-keyshortcuts": action.key?.replace("Ctrl", "Control") };
  if (action.href) return element("a", { ...attributes, href: action.href, class: "button" }, action.words, keys);
  const button = element("button", { ...attributes, type: "button" }, action.words, keys);
  button.addEventListener("click", () => run(action));
  return button;
}

// Runs an action and shows its outcome.
async function run(action) {
  tell("told", "…");
  try {
    tell("told", (await action.run()) ?? "");
  } catch (error) {
    tell("told", error.message);
  }
  await refresh();
}

// Runs the action of a key in the view. If no event is open, opens the chosen one first.
export async function act(key, chosen) {
  if (shown === null || (shown.name !== "event" && !has(key))) {
    if (chosen === null) return;
    await go(`event/${chosen}`);
  }
  const action = shown?.view.actions.find((it) => it.key === key);
  if (action === undefined) return;
  if (action.href) await go(action.href.slice(1));
  else if (action.href !== null) await run(action);
}

export const has = (key) => shown?.view.actions.some((action) => action.key === key) ?? false;
