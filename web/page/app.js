// Starts the page: a list that follows the history, a pane beside it, and two charts.

import { readFigures } from "./figures.js";
import { startKeys } from "./keys.js";
import * as list from "./list.js";
import * as pane from "./pane.js";
import { follow, startStatus } from "./status.js";

const FIGURES_APART = 2000; // milliseconds

// The charts change with every event and cost more to read than the list,
// so they are read less often.
let figures = null;
function figuresSoon() {
  figures ??= setTimeout(() => {
    figures = null;
    readFigures();
  }, FIGURES_APART);
}

startKeys();
addEventListener("hashchange", pane.route);
startStatus();
readFigures();
await list.startList();
if (location.hash !== "") await pane.route();
follow(async () => {
  await list.refresh();
  await pane.refresh();
  figuresSoon();
});
