// The page: a window of the list that follows the history, one event beside it, and two figures.
// What was captured is a stranger's: it is set as text, never as markup.
"use strict";

const ROWS = 100; // read at once
const MOST = 300; // kept in the page
const FIGURES_APART = 2000; // milliseconds
const NEAR = 400; // pixels from an edge at which more is read

const $ = (id) => document.getElementById(id);

const state = {
  filter: "",
  rows: [], // newest first
  gaps: [], // rows between them that are no events, newest first
  follows: true, // whether the window is the newest
  older: true, // whether there may be older rows
  chosen: null, // id of the row that keys act on
  open: null, // id of the event beside the list
  asked: 0, // counts questions: late answers to old ones are dropped
};

// ---- elements, from text alone

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === undefined || value === null) continue;
    made.setAttribute(key, value);
  }
  made.append(...children.map((child) => (child instanceof Node ? child : String(child))));
  return made;
}

function drawn(name, attributes, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

// ---- questions

async function ask(path, method = "GET") {
  const answer = await fetch(path, { method, headers: { accept: "application/json" } });
  const object = await answer.json().catch(() => ({ error: `the answer is not JSON (${answer.status})` }));
  if (!answer.ok) throw Object.assign(new Error(object.error ?? `status ${answer.status}`), { column: object.column });
  return object;
}

function windowOf(place, limit = ROWS) {
  const query = new URLSearchParams({ filter: state.filter, limit, ...place });
  return ask(`/api/events?${query}`);
}

// ---- the list

async function readNewest() {
  const asked = ++state.asked;
  const limit = Math.min(200, Math.max(ROWS, state.follows ? state.rows.length : 0));
  let page;
  try {
    page = await windowOf({}, limit);
  } catch (error) {
    if (asked === state.asked) showFilterError(error);
    return;
  }
  if (asked !== state.asked) return;
  showFilterError(null, page.hint);
  const known = new Set(state.rows.map((row) => row.id));
  const fresh = state.follows ? page.rows.filter((row) => !known.has(row.id)).length : 0;
  if (state.rows.length > 0 && fresh > 0) tell("news", fresh === 1 ? "1 new event" : `${fresh} new events`);
  state.follows = true;
  state.rows = page.rows;
  state.gaps = [];
  addGaps(page);
  state.older = page.rows.length >= limit || page.older !== null;
  showRows();
}

// Reads the rows that are shown once more: something of them may have changed.
async function readShown() {
  if (state.follows || state.rows.length === 0) return readNewest();
  const asked = ++state.asked;
  const first = state.rows[0].position;
  const page = await windowOf({ before: first + 1 }, Math.min(200, state.rows.length)).catch(() => null);
  if (page === null || asked !== state.asked) return;
  const again = new Map(page.rows.map((row) => [row.id, row]));
  state.rows = state.rows.map((row) => again.get(row.id) ?? row);
  addGaps(page);
  if (page.newest > first) $("newest").hidden = false;
  showRows();
}

async function readOlder() {
  const last = state.rows.at(-1);
  if (!state.older || last === undefined || state.reading) return;
  state.reading = true;
  const asked = ++state.asked;
  try {
    const page = await windowOf({ before: last.position });
    if (asked !== state.asked) return;
    state.older = page.rows.length >= ROWS || page.older !== null;
    state.rows = state.rows.concat(page.rows);
    addGaps(page);
    const over = state.rows.length - MOST;
    if (over > 0) {
      state.rows = state.rows.slice(over);
      state.follows = false;
    }
    showRows(Math.max(0, over));
  } finally {
    state.reading = false;
  }
}

async function readNewer() {
  if (state.follows || state.rows.length === 0 || state.reading) return;
  state.reading = true;
  const asked = ++state.asked;
  try {
    const page = await windowOf({ after: state.rows[0].position });
    if (asked !== state.asked) return;
    if (page.rows.length < ROWS && page.newer === null) state.follows = true;
    state.rows = page.rows.concat(state.rows);
    addGaps(page);
    if (state.rows.length > MOST) {
      state.rows = state.rows.slice(0, MOST);
      state.older = true;
    }
    showRows(-page.rows.length);
  } finally {
    state.reading = false;
  }
}

// Takes in the gaps of a window, each once.
function addGaps(page) {
  const known = new Map([...state.gaps, ...page.gaps].map((gap) => [gap.position, gap]));
  state.gaps = [...known.values()].sort((one, other) => other.position - one.position);
}

// The rows with the gaps where they are: those beyond the rows only where the window ends there.
function rowsAndGaps() {
  const made = [];
  const gaps = state.gaps.filter((gap) => state.follows || gap.position < (state.rows[0]?.position ?? 0));
  for (const row of state.rows) {
    while (gaps.length > 0 && gaps[0].position > row.position) made.push(gapOf(gaps.shift()));
    made.push(rowOf(row));
  }
  if (!state.older) made.push(...gaps.map(gapOf));
  return made;
}

function gapOf(gap) {
  return element(
    "tr",
    { class: "gap", "data-gap": gap.position },
    element("td", {}, element("time", { datetime: gap.found_at, title: gap.found_at }, clock(new Date(gap.found_at)))),
    element("td", {}, "gap"),
    element("td", {}, gap.count === null ? "how many unknown" : gap.count === 1 ? "1 webhook" : `${gap.count} webhooks`),
    element("td", { class: "warn" }, `⚠ ${gap.kind}`),
    element("td", {}),
    element("td", { title: `${gap.what}; ${gap.cure} looks for them` }, `${gap.what}; `, element("code", {}, gap.cure), " looks for them"),
  );
}

// Shows the rows; `gone` of them left at the top (or came there, where it is negative), so that what
// a person looks at stays where it is.
function showRows(gone = 0) {
  const scroll = $("scroll");
  const shown = JSON.stringify([state.rows, state.gaps, state.open]);
  if (shown === state.shown && gone === 0) return choose();
  state.shown = shown;
  const hadFocus = $("rows").contains(document.activeElement);
  const height = $("rows").firstElementChild?.getBoundingClientRect().height ?? 0;
  const top = scroll.scrollTop;
  if (!state.rows.some((row) => row.id === state.chosen)) state.chosen = state.rows[0]?.id ?? null;
  $("rows").replaceChildren(...rowsAndGaps());
  if (gone !== 0) scroll.scrollTop = top - gone * height;
  $("newest").hidden = state.follows && scroll.scrollTop < NEAR;
  $("empty").hidden = $("rows").childElementCount > 0;
  $("empty").textContent = state.filter === "" ? "No events yet. Waiting for the first webhook." : "No event matches the filter.";
  if (hadFocus) chosenLink()?.focus({ preventScroll: true });
}

// Marks the row that keys act on, where nothing else has changed.
function choose() {
  for (const row of $("rows").children) {
    if (row.dataset.id === undefined) continue;
    const isChosen = row.dataset.id === state.chosen;
    row.classList.toggle("chosen", isChosen);
    row.querySelector("a").tabIndex = isChosen ? 0 : -1;
  }
}

function rowOf(row) {
  const [word, kind] = outcomeOf(row);
  const at = new Date(row.received_at);
  const notes = [row.title, row.changed.length ? `changed: ${row.changed.join(", ")}` : null, ...row.marks, row.note];
  const isChosen = row.id === state.chosen;
  const link = element("a", { href: `#${row.id}`, tabindex: isChosen ? "0" : "-1" }, row.what);
  return element(
    "tr",
    { "data-id": row.id, class: isChosen ? "chosen" : undefined, "aria-current": row.id === state.open ? "true" : undefined },
    element("td", {}, element("time", { datetime: row.received_at, title: row.received_at }, clock(at))),
    element("td", { title: row.what }, link),
    element("td", {}, row.object ?? ""),
    element("td", { class: kind, title: row.error ?? undefined }, word),
    element("td", { class: "number" }, row.duration_ms === null ? "" : row.duration_ms.toFixed(row.duration_ms < 10 ? 1 : 0)),
    element("td", { title: notes.filter(Boolean).join(" · ") }, notes.filter(Boolean).join(" · ")),
  );
}

function outcomeOf(row) {
  if (row.error !== null && row.error !== undefined) return ["✗ failed", "bad"];
  if (row.status === null || row.status === undefined) return [row.state, "dim"];
  if (row.status < 300) return [`✓ ${row.status}`, "good"];
  return [`${row.status < 400 ? "→" : "✗"} ${row.status}`, row.status < 400 ? "warn" : "bad"];
}

function clock(at) {
  const today = new Date().toDateString() === at.toDateString();
  const time = at.toLocaleTimeString(undefined, { hour12: false });
  return today ? time : `${at.toLocaleDateString(undefined, { month: "short", day: "numeric" })} ${time}`;
}

function chosenLink() {
  return state.chosen === null ? null : $("rows").querySelector(`tr[data-id="${CSS.escape(state.chosen)}"] a`);
}

async function move(step) {
  let at = state.rows.findIndex((row) => row.id === state.chosen) + step;
  if (at >= state.rows.length) {
    await readOlder();
    at = state.rows.findIndex((row) => row.id === state.chosen) + step;
  } else if (at < 0) {
    await readNewer();
    at = state.rows.findIndex((row) => row.id === state.chosen) + step;
  }
  const row = state.rows[Math.min(Math.max(at, 0), state.rows.length - 1)];
  if (row === undefined) return;
  state.chosen = row.id;
  showRows();
  const link = chosenLink();
  link?.focus({ preventScroll: true });
  link?.scrollIntoView({ block: "nearest" });
}

// ---- one event

async function open(id) {
  const isNew = id !== state.open;
  state.open = id;
  if (id === null) {
    $("detail-pane").hidden = true;
    document.querySelector("main").classList.remove("two");
    chosenLink()?.focus();
    return;
  }
  let event;
  try {
    event = await ask(`/api/events/${encodeURIComponent(id)}`);
  } catch (error) {
    if (id === state.open) tell("news", error.message);
    return;
  }
  if (id !== state.open) return;
  if (state.rows.some((row) => row.id === id)) state.chosen = id;
  $("detail-pane").hidden = false;
  document.querySelector("main").classList.add("two");
  const shown = JSON.stringify(event);
  if (!isNew && shown === state.detail) return;
  state.detail = shown;
  $("detail-title").textContent = event.event ?? `${event.method} ${event.path}`;
  const kept = $("detail").scrollTop;
  $("detail").replaceChildren(...sections(event));
  $("detail").scrollTop = isNew ? 0 : kept;
  if (isNew) {
    tell("told", "");
    $("detail-title").focus();
    showRows();
  }
}

function sections(event) {
  const made = [
    table("Summary", [
      ["received", new Date(event.received_at).toLocaleString()],
      ["request", `${event.method} ${event.path}`],
      ["from", event.peer],
      ["id", event.id],
      ["note", event.note],
    ]),
  ];
  if (event.explanation !== null) made.push(changed(event.explanation));
  made.push(attempts(event));
  if (event.params.length > 0) made.push(table("Parameters", event.params));
  made.push(table("Headers", event.headers));
  made.push(section("Body", body(event.body, "Body of the webhook")));
  return made;
}

function section(title, ...children) {
  return element("div", {}, element("h3", {}, title), ...children);
}

function table(title, pairs) {
  const rows = pairs.filter(([, value]) => value !== null && value !== undefined);
  const lines = rows.map(([name, value]) => element("tr", {}, element("th", { scope: "row" }, name), element("td", {}, value)));
  return section(title, element("table", {}, element("tbody", {}, ...lines)));
}

function changed(explanation) {
  const lines = explanation.changes.map(([field, from, to]) =>
    element("tr", {}, element("th", { scope: "row" }, field), element("td", {}, element("del", {}, from), from && to ? " → " : "", element("ins", {}, to))),
  );
  const facts = explanation.facts.map(([name, value]) => element("tr", {}, element("th", { scope: "row" }, name), element("td", {}, value)));
  const notes = explanation.notes.map((note) => element("p", { class: "dim" }, note));
  return section("What changed", element("table", {}, element("tbody", {}, ...facts, ...lines)), ...notes);
}

function attempts(event) {
  const slowest = Math.max(1, ...event.attempts.map((attempt) => attempt.duration_ms));
  const lines = event.attempts.map((attempt) => {
    const [word, kind] = outcomeOf({ ...attempt, state: "" });
    const bar = element("span", { class: "time" });
    bar.style.width = `${Math.max(2, (attempt.duration_ms / slowest) * 80)}px`;
    const answer = [];
    if (attempt.error) answer.push(element("p", { class: "bad" }, attempt.error));
    if (attempt.answer && attempt.answer.bytes > 0) {
      answer.push(
        element("details", {}, element("summary", {}, `answer, ${attempt.answer.bytes} bytes`), body(attempt.answer, `Answer of attempt ${attempt.attempt}`)),
      );
    }
    return element(
      "tr",
      {},
      element("th", { scope: "row" }, `${attempt.attempt}${attempt.replay ? " replay" : ""}`),
      element("td", { class: kind }, word),
      element("td", { class: "number" }, `${attempt.duration_ms.toFixed(1)} ms `, bar),
      element("td", {}, element("span", { class: "dim" }, `${new Date(attempt.started_at).toLocaleTimeString()} ${attempt.url}`), ...answer),
    );
  });
  if (lines.length === 0) return section("Attempts", element("p", { class: "dim" }, "None yet."));
  const more = event.left_out > 0 ? [element("p", { class: "dim" }, `${event.left_out} earlier attempts are not shown.`)] : [];
  return section("Attempts", ...more, element("table", {}, element("tbody", {}, ...lines)));
}

function body(shown, label) {
  if (shown.bytes === 0) return element("p", { class: "dim" }, "empty");
  const words = [`${shown.bytes} bytes`, shown.packing, shown.binary ? "not text" : null, shown.cut ? "only the beginning is shown" : null];
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

async function act(name, words) {
  const id = state.open ?? state.chosen;
  if (id === null) return;
  if (state.open !== id) await open(id);
  tell("told", words);
  try {
    const came = await ask(`/api/events/${encodeURIComponent(id)}/${name}`, "POST");
    tell("told", name === "replay" ? `replayed: ${outcomeOf({ ...came, state: "" })[0]}${came.error ? `, ${came.error}` : ""}` : "");
  } catch (error) {
    tell("told", error.message);
  }
  if (state.open === id) open(id);
}

// ---- figures

async function readFigures() {
  const figures = await ask("/api/figures").catch(() => null);
  if (figures === null) return;
  const total = figures.per_minute.reduce((sum, count) => sum + count, 0);
  const most = Math.max(0, ...figures.per_minute);
  $("hour").replaceChildren(bars(figures.per_minute.map((count) => [count, "bar-good"]), "Events in each minute of the last hour"));
  $("hour-words").textContent = `${total} events in the last hour, at most ${most} in one minute`;
  const { buckets, answered, unanswered, over_limit: over, p50_ms: p50, p95_ms: p95, max_ms: max } = figures.answers;
  const limit = 15000;
  $("times").replaceChildren(bars(buckets.map(([edge, count]) => [count, edge === null || edge > limit ? "bar-bad" : "bar-good"]), "Answer times of the local service, short ones left"));
  $("times-words").textContent =
    answered === 0
      ? `no answers yet${unanswered ? `, ${unanswered} without an answer` : ""}`
      : `answers: half within ${p50.toFixed(1)} ms, 95 % within ${p95.toFixed(1)} ms, slowest ${max.toFixed(0)} ms; ${over} took longer than the 15 s that Podio waits; ${unanswered} without an answer`;
}

function bars(counts, label) {
  const [width, height] = [600, 64];
  const most = Math.max(1, ...counts.map(([count]) => count));
  const step = width / Math.max(1, counts.length);
  const made = counts.map(([count, kind], at) => {
    const tall = count === 0 ? 0 : Math.max(2, (count / most) * (height - 4));
    return drawn("rect", { x: at * step + 1, y: height - tall, width: Math.max(1, step - 2), height: tall, class: kind });
  });
  made.push(drawn("line", { x1: 0, y1: height, x2: width, y2: height, class: "base" }));
  return drawn("svg", { viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: "none", role: "img", "aria-label": label }, ...made);
}

// ---- status and changes

function showStatus(status) {
  $("tunnel").textContent = status.tunnel ?? "";
  const link = status.link === "up" ? "link up" : `link ${status.link}${status.link_reason ? `: ${status.link_reason}` : ""}`;
  const service = status.target === null ? "no local service" : `${status.target} ${status.service}${status.service_reason ? `: ${status.service_reason}` : ""}`;
  const words = [status.public_url, link, service, status.waiting > 0 ? `${status.waiting} waiting` : null].filter(Boolean).join(" · ");
  tell("status", words);
}

function tell(id, words) {
  if ($(id).textContent !== words) $(id).textContent = words;
}

function showFilterError(error, hint = null) {
  tell("filter-error", error?.message ?? hint ?? "");
  $("filter").setAttribute("aria-invalid", error === null ? "false" : "true");
}

function follow() {
  const changes = new EventSource("/api/changes");
  let [busy, again, figures] = [false, false, null];
  const read = async () => {
    if (busy) {
      again = true;
      return;
    }
    busy = true;
    do {
      again = false;
      await readShown();
      if (state.open !== null) await open(state.open);
    } while (again);
    busy = false;
    // Figures change with every event, and cost more than the list.
    figures ??= setTimeout(() => {
      figures = null;
      readFigures();
    }, FIGURES_APART);
  };
  changes.addEventListener("change", (event) => {
    showStatus(JSON.parse(event.data));
    read();
  });
  changes.addEventListener("error", () => tell("status", "podtap has ended, or this page's run is over"));
}

// ---- what a person does

let typed;
$("filter").addEventListener("input", () => {
  clearTimeout(typed);
  typed = setTimeout(search, 150);
});
$("search").addEventListener("submit", (event) => {
  event.preventDefault();
  search();
});

function search() {
  state.filter = $("filter").value.trim();
  state.rows = [];
  state.follows = true;
  tell("news", "");
  readNewest();
}

$("scroll").addEventListener("scroll", () => {
  const { scrollTop, scrollHeight, clientHeight } = $("scroll");
  if (scrollTop + clientHeight > scrollHeight - NEAR) readOlder();
  else if (scrollTop < NEAR) readNewer();
  $("newest").hidden = state.follows && scrollTop < NEAR;
});

$("rows").addEventListener("click", (event) => {
  const row = event.target.closest("tr");
  // A gap has nothing to open: all that is known stands in its row.
  if (row?.dataset.id === undefined) return;
  event.preventDefault();
  state.chosen = row.dataset.id;
  open(row.dataset.id);
});

$("newest").addEventListener("click", newest);
$("close").addEventListener("click", () => open(null));
$("replay").addEventListener("click", () => act("replay", "replaying"));
$("explain").addEventListener("click", () => act("explain", "asking Podio"));

async function newest() {
  state.rows = [];
  state.follows = true;
  state.chosen = null;
  await readNewest();
  $("scroll").scrollTop = 0;
  chosenLink()?.focus({ preventScroll: true });
}

document.addEventListener("keydown", (event) => {
  const isTyping = event.target instanceof HTMLInputElement;
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Escape") {
    if (isTyping && $("filter").value !== "") {
      $("filter").value = "";
      search();
    } else if (state.open !== null) open(null);
    else chosenLink()?.focus();
    return;
  }
  if (isTyping) {
    if (event.key === "ArrowDown") {
      event.preventDefault();
      chosenLink()?.focus();
    }
    return;
  }
  const inDetail = $("detail-pane").contains(event.target);
  const keys = {
    j: () => move(1),
    k: () => move(-1),
    g: newest,
    r: () => act("replay", "replaying"),
    e: () => act("explain", "asking Podio"),
    "/": () => $("filter").focus(),
    ...(inDetail ? {} : { ArrowDown: () => move(1), ArrowUp: () => move(-1), PageDown: () => move(10), PageUp: () => move(-10), Home: newest }),
    ...($("rows").contains(event.target) ? { Enter: () => open(state.chosen) } : {}),
  };
  if (Object.hasOwn(keys, event.key)) {
    event.preventDefault();
    keys[event.key]();
  }
});

readNewest();
readFigures();
follow();
