// Gaps: rows between the events that stand for webhooks that never arrived. A gap cannot be opened,
// because its row has everything that is known about it.

import { element, moment } from "./dom.js";

// Merges the known gaps and those of another page. Each gap appears once, newest first.
export function merged(known, more) {
  const all = new Map([...known, ...more].map((gap) => [gap.position, gap]));
  return [...all.values()].sort((one, other) => other.position - one.position);
}

// Returns the elements of the rows, with the gaps between them. A gap beyond the first or last row
// is included only if the history has no events there.
export function between(rows, gaps, { isNewest, isOldest }, rowOf) {
  const made = [];
  const left = gaps.filter((gap) => isNewest || gap.position < (rows[0]?.position ?? 0));
  for (const row of rows) {
    while (left.length > 0 && left[0].position > row.position) made.push(gapOf(left.shift()));
    made.push(rowOf(row));
  }
  if (isOldest) made.push(...left.map(gapOf));
  return made;
}

function gapOf(gap) {
  const lost = gap.count === null ? "how many unknown" : gap.count === 1 ? "1 webhook" : `${gap.count} webhooks`;
  return element(
    "tr",
    { class: "gap", "data-gap": gap.position },
    element("td", {}, moment(gap.found_at)),
    element("td", {}, "gap"),
    element("td", {}, lost),
    element("td", {}, element("span", { class: "chip warn" }, `⚠ ${gap.kind}`)),
    element("td"),
    element("td", { title: `${gap.what}; ${gap.cure} looks for them` }, `${gap.what}; `, element("code", {}, gap.cure), " looks for them"),
  );
}
