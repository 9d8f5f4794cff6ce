// Draws two charts: when events arrived in the last hour, and how long the
// local service took to answer.

import { ask } from "./ask.js";
import { $, count, drawn, element, milliseconds } from "./dom.js";
import { filterBy } from "./list.js";

const WIDTH = 600;
const HEIGHT = 56;
const PODIO_WAITS = 15_000; // milliseconds

export async function readFigures() {
  const figures = await ask("figures").catch(() => null);
  if (figures === null) return;
  showHour(figures);
  showTimes(figures.answers);
}

function showHour({ per_minute: minutes, hour }) {
  const total = minutes.reduce((sum, events) => sum + events, 0);
  const most = Math.max(0, ...minutes);
  const bars = minutes.map((events, at) => {
    const label = `${minutes.length - at - 1} min ago: ${count(events, "event")}`;
    return { events, kind: "bar", label, from: hour[at]?.at, to: hour[at + 1]?.at };
  });
  const rows = [
    ["events", picture(bars, "Events in each minute of the last hour")],
    ["link", strip(hour, (minute) => minute.link)],
    ["service", strip(hour, (minute) => minute.service)],
    ["", axis(`−${minutes.length} min`, "now")],
  ];
  const known = rows.filter(([, shown]) => shown !== null);
  $("hour").replaceChildren(...known.flatMap(([name, shown]) => [element("span", { class: "dim", "aria-hidden": "true" }, name), shown]));
  const lost = hour.reduce((sum, minute) => sum + minute.lost, 0);
  const away = hour.some((minute) => minute.service === "away" || minute.service === "partly");
  const words = [`${count(total, "event")} in the last hour`, `at most ${most} in one minute`];
  if (away) words.push("the local service was away for a part of it");
  if (lost > 0) words.push(`${count(lost, "webhook")} refused or removed by the relay`);
  $("hour-words").textContent = words.join(", ");
}

// Returns the states of the hour, one cell per minute; null if none is known.
function strip(hour, of) {
  if (hour.every((minute) => of(minute) === "unknown")) return null;
  const cells = hour.map((minute) => element("span", { class: of(minute), title: of(minute) }));
  return element("div", { class: "cells", "aria-hidden": "true" }, cells);
}

function showTimes({ buckets, answered, unanswered, over_limit: over, p50_ms: p50, p95_ms: p95, max_ms: max }) {
  // Empty buckets at both ends are left out.
  const first = buckets.findIndex(([, answers]) => answers > 0);
  const last = buckets.findLastIndex(([, answers]) => answers > 0);
  const used = buckets.slice(Math.max(0, first - 1), last + 2);
  const bars = used.map(([edge, answers]) => {
    const upTo = edge === null ? "longer" : `up to ${milliseconds(edge)}`;
    return { events: answers, kind: edge === null || edge > PODIO_WAITS ? "bar late" : "bar", label: `${upTo}: ${count(answers, "answer")}` };
  });
  const edge = (at) => (at === null || at === undefined ? "longer" : milliseconds(at));
  const ends = used.length > 0 ? axis(`≤ ${edge(used[0][0])}`, `≤ ${edge(used.at(-1)[0])}`) : axis("", "");
  $("times").replaceChildren(picture(bars, "Answer times of the local service, short ones left"), ends);
  $("times-words").textContent =
    answered === 0
      ? `no answers yet${unanswered ? `, ${unanswered} without an answer` : ""}`
      : [
          `answers: half within ${milliseconds(p50)}, 95 % within ${milliseconds(p95)}, slowest ${milliseconds(max)}`,
          over > 0 ? `${over} took longer than the 15 s that Podio waits` : null,
          unanswered > 0 ? `${unanswered} without an answer` : null,
        ]
          .filter(Boolean)
          .join("; ");
}

function axis(left, right) {
  return element("p", { class: "axis dim", "aria-hidden": "true" }, element("span", {}, left), element("span", {}, right));
}

function picture(bars, label) {
  const most = Math.max(1, ...bars.map((bar) => bar.events));
  const step = WIDTH / Math.max(1, bars.length);
  const made = bars.map((bar, at) => {
    const tall = bar.events === 0 ? 1 : Math.max(4, (bar.events / most) * HEIGHT);
    const shape = { x: at * step + step * 0.1, width: step * 0.8, y: HEIGHT - tall, height: tall, class: bar.events === 0 ? "none" : bar.kind };
    const rect = drawn("rect", shape, drawn("title", {}, bar.label));
    if (bar.from && bar.events > 0) {
      rect.classList.add("opens");
      rect.addEventListener("click", () => filterBy([`after:${bar.from}`, bar.to ? `before:${bar.to}` : null].filter(Boolean).join(" ")));
    }
    return rect;
  });
  return drawn("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img", "aria-label": label }, ...made);
}
