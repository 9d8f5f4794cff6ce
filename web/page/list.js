// The list: a window of rows that follows the history.

import { ask } from "./ask.js";
import { $, chip, element, milliseconds, moment, tell } from "./dom.js";
import { between, merged } from "./gaps.js";

const ROWS = 100; // rows per request
const MOST = 300; // rows kept in the page
const KINDS = { verified: "good", "not verified": "bad", replayed: "dim" }; // of marks; all others are warnings
const NEAR = 400; // distance from an edge, in pixels, at which more rows are read

const list = {
  filter: "",
  rows: [], // newest first
  gaps: [], // gaps between the rows, newest first
  follows: true, // whether the window shows the newest rows
  older: true, // whether there may be older rows
  chosen: null, // id of the row that keys act on
  holds: false, // whether a person has chosen that row; if not, it is the newest
  open: null, // id of the event beside the list
  asked: 0, // number of the last request; answers to older ones are dropped
  reading: false,
  shown: "", // the rows on the screen, as JSON
};

export const chosen = () => list.chosen;
export const chosenRow = () => list.rows.find((row) => row.id === list.chosen) ?? null;

function read(place, limit = ROWS) {
  return ask("events", { query: { filter: list.filter, limit, ...place } });
}

async function readNewest() {
  const asked = ++list.asked;
  const limit = Math.min(200, Math.max(ROWS, list.follows ? list.rows.length : 0));
  let page;
  try {
    page = await read({}, limit);
  } catch (error) {
    if (asked === list.asked) showFilterError(error);
    return;
  }
  if (asked !== list.asked) return;
  showFilterError(null, page.hint);
  const known = new Set(list.rows.map((row) => row.id));
  const fresh = list.follows ? page.rows.filter((row) => !known.has(row.id)).length : 0;
  if (list.rows.length > 0 && fresh > 0) tell("news", fresh === 1 ? "1 new event" : `${fresh} new events`);
  list.follows = true;
  // If the page reaches the known rows, the rows below it stay, because a
  // person may have scrolled to them.
  const last = page.rows.at(-1);
  const kept = known.has(last?.id) ? list.rows.filter((row) => row.position < last.position) : [];
  const rows = page.rows.concat(kept);
  list.older = kept.length > 0 ? list.older || rows.length > MOST : page.rows.length >= limit || page.older !== null;
  list.rows = rows.slice(0, MOST);
  list.gaps = kept.length > 0 ? merged(list.gaps, page.gaps) : page.gaps;
  showRows();
}

// Reads the shown rows again, because they may have changed.
export async function refresh() {
  if (list.follows || list.rows.length === 0) return readNewest();
  const asked = ++list.asked;
  const first = list.rows[0].position;
  const page = await read({ before: first + 1 }, Math.min(200, list.rows.length)).catch(() => null);
  if (page === null || asked !== list.asked) return;
  const again = new Map(page.rows.map((row) => [row.id, row]));
  list.rows = list.rows.map((row) => again.get(row.id) ?? row);
  list.gaps = merged(list.gaps, page.gaps);
  if (page.newest > first) $("newest").hidden = false;
  showRows();
}

// Reads one page at a time. The answer is dropped if a newer request has been sent.
async function readMore(place, take) {
  list.reading = true;
  const asked = ++list.asked;
  try {
    const page = await read(place);
    if (asked === list.asked) take(page);
    // Reads again if the answer was dropped, or if the scroll position is still near an edge.
    setTimeout(readAtEdge);
  } catch (error) {
    tell("news", error.message);
  } finally {
    list.reading = false;
  }
}

// Reads more rows if a person has scrolled near an end of the window.
function readAtEdge() {
  const { scrollTop, scrollHeight, clientHeight } = $("scroll");
  if (scrollTop + clientHeight > scrollHeight - NEAR) readOlder();
  else if (scrollTop < NEAR) readNewer();
}

async function readOlder() {
  const last = list.rows.at(-1);
  if (!list.older || last === undefined || list.reading) return;
  await readMore({ before: last.position }, (page) => {
    list.older = page.rows.length >= ROWS || page.older !== null;
    list.rows = list.rows.concat(page.rows);
    list.gaps = merged(list.gaps, page.gaps);
    const over = list.rows.length - MOST;
    if (over > 0) {
      list.rows = list.rows.slice(over);
      list.follows = false;
    }
    showRows(Math.max(0, over));
  });
}

async function readNewer() {
  if (list.follows || list.rows.length === 0 || list.reading) return;
  await readMore({ after: list.rows[0].position }, (page) => {
    if (page.rows.length < ROWS && page.newer === null) list.follows = true;
    list.rows = page.rows.concat(list.rows);
    list.gaps = merged(list.gaps, page.gaps);
    if (list.rows.length > MOST) {
      list.rows = list.rows.slice(0, MOST);
      list.older = true;
    }
    showRows(-page.rows.length);
  });
}

// Shows the rows. `gone` is the number of rows that were removed at the top, or added if it is
// negative. The scroll position is adjusted, so that the rows on the screen stay in place.
function showRows(gone = 0) {
  const scroll = $("scroll");
  const shown = JSON.stringify([list.rows, list.gaps, list.open]);
  if (!list.holds || !list.rows.some((row) => row.id === list.chosen)) list.chosen = list.rows[0]?.id ?? null;
  if (shown === list.shown && gone === 0) return choose();
  list.shown = shown;
  const hadFocus = $("rows").contains(document.activeElement);
  const height = $("rows").firstElementChild?.getBoundingClientRect().height ?? 0;
  const top = scroll.scrollTop;
  const ends = { isNewest: list.follows, isOldest: !list.older };
  $("rows").replaceChildren(...between(list.rows, list.gaps, ends, rowOf));
  if (gone !== 0) scroll.scrollTop = top - gone * height;
  $("newest").hidden = list.follows && scroll.scrollTop < NEAR;
  $("empty").hidden = $("rows").childElementCount > 0;
  $("first-steps").hidden = list.filter !== "";
  tell("empty-words", list.filter === "" ? "No events yet. Waiting for the first webhook." : "No event matches the filter.");
  if (hadFocus) chosenLink()?.focus({ preventScroll: true });
}

// Marks the row that keys act on, without drawing the other rows again.
function choose() {
  for (const row of $("rows").children) {
    if (row.dataset.id === undefined) continue;
    const isChosen = row.dataset.id === list.chosen;
    row.classList.toggle("chosen", isChosen);
    row.querySelector("a").tabIndex = isChosen ? 0 : -1;
  }
}

function rowOf(row) {
  const changed = row.changed.length > 0 ? `changed: ${row.changed.join(", ")}` : null;
  const marks = row.marks.flatMap((mark) => [element("span", { class: `mark ${KINDS[mark] ?? "warn"}` }, mark), " "]);
  const words = [row.title, changed, row.note === null ? null : `✎ ${row.note}`].filter(Boolean).join(" · ");
  const isChosen = row.id === list.chosen;
  return element(
    "tr",
    { "data-id": row.id, class: isChosen ? "chosen" : null, "aria-current": row.id === list.open ? "true" : null },
    element("td", { class: "dim" }, moment(row.received_at)),
    element("td", { title: row.what }, element("a", { href: `#event/${row.id}`, tabindex: isChosen ? "0" : "-1" }, row.what)),
    element("td", { "data-revision": row.revision === null ? null : `r${row.revision}` }, row.object ?? ""),
    element("td", {}, chip(row)),
    element("td", { class: "number dim" }, milliseconds(row.duration_ms)),
    element("td", { title: [...row.marks, words].filter(Boolean).join(" · ") }, marks, words),
  );
}

function chosenLink() {
  return list.chosen === null ? null : $("rows").querySelector(`tr[data-id="${CSS.escape(list.chosen)}"] a`);
}

export const focusChosen = () => chosenLink()?.focus();

export async function move(step) {
  let at = list.rows.findIndex((row) => row.id === list.chosen) + step;
  if (at >= list.rows.length) {
    await readOlder();
    at = list.rows.findIndex((row) => row.id === list.chosen) + step;
  } else if (at < 0) {
    await readNewer();
    at = list.rows.findIndex((row) => row.id === list.chosen) + step;
  }
  const row = list.rows[Math.min(Math.max(at, 0), list.rows.length - 1)];
  if (row === undefined) return;
  list.chosen = row.id;
  list.holds = true;
  showRows();
  const link = chosenLink();
  link?.focus({ preventScroll: true });
  link?.scrollIntoView({ block: "nearest" });
}

// Marks the event that is open beside the list; null for none.
export function showOpen(id) {
  list.open = id;
  if (id !== null && list.rows.some((row) => row.id === id)) {
    list.chosen = id;
    list.holds = true;
  }
  showRows();
}

export async function newest() {
  list.rows = [];
  list.follows = true;
  list.holds = false;
  await readNewest();
  $("scroll").scrollTop = 0;
  chosenLink()?.focus({ preventScroll: true });
}

function showFilterError(error, hint = null) {
  tell("filter-error", error?.message ?? hint ?? "");
  $("filter").setAttribute("aria-invalid", error === null ? "false" : "true");
}

// Shows only the events that match the typed filter.
export function search() {
  list.filter = $("filter").value.trim();
  list.rows = [];
  list.follows = true;
  tell("news", "");
  return readNewest();
}

export function filterBy(text) {
  $("filter").value = text;
  search();
}

export function startList() {
  let typed;
  $("filter").addEventListener("input", () => {
    clearTimeout(typed);
    typed = setTimeout(search, 150);
  });
  $("search").addEventListener("submit", (event) => {
    event.preventDefault();
    search();
  });
  $("scroll").addEventListener("scroll", () => {
    readAtEdge();
    $("newest").hidden = list.follows && $("scroll").scrollTop < NEAR;
  });
  $("rows").addEventListener("click", (event) => {
    const row = event.target.closest("tr");
    if (row?.dataset.id === undefined || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    list.chosen = row.dataset.id;
    list.holds = true;
    location.hash = `event/${row.dataset.id}`;
  });
  $("newest").addEventListener("click", newest);
  return readNewest();
}
