#!/usr/bin/env bash
# Draws the pictures of the README and of docs/UI.md again, from the real UI on a live demo: each
# with the keys that lead to it, for dark and for light pages.
set -euo pipefail
cd "$(dirname "$0")/.."
draw() {
  local name=$1 keys=$2
  cargo run --quiet --release -- demo --events 40 --rate 15 --keys "$keys" --picture "docs/$name-dark.svg"
  cargo run --quiet --release -- demo --events 40 --rate 15 --keys "$keys" --picture "docs/$name-light.svg" --light
}
# Filtered, so that the newest is one that changed something.
draw ui '/ t y p e : i t e m . u p d a t e enter w'
draw ui-trigger 't'
draw ui-hooks 'h'
