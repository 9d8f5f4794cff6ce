// Gaps: rows between the events that tell of webhooks that never came. They cannot be opened; all that is
// known of one stands in its row.

import { element, moment } from "./dom.js";

// Known ones and those of another window, each once, newest first.
export function merged(known, more) {
  const all = new Map([...known, ...more].map((gap) => [gap.position, gap]));
  return [...all.values()].sort((one, other) => other.position - one.position);
}

// The elements of rows with the gaps where they are: one beyond the rows only where the window ends there.
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
