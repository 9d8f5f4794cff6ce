#!/usr/bin/env bash
# Draws the pictures of the README and of docs/UI.md again, from the real UI on a live demo: each
# with the keys that lead to it, for dark and for light pages.
set -euo pipefail
cd "$(dirname "$0")/.."
cargo build --quiet --workspace --bin podtap --bin picture
built=${CARGO_TARGET_DIR:-target}/debug
draw() {
  local name=$1 events=$2 keys=$3
  shift 3
  "$built/picture" --output "docs/$name" --events "$events" --keys "$keys" "$@" -- "$built/podtap" demo
}
# Filtered, so that the newest is soon one that changed something.
draw ui 90 '/ t y p e : i t e m . * enter' --then '╭ item.update' --then '│ changed ' --columns 150
draw ui-trigger 40 't' --then 'Trigger an event'
draw ui-hooks 40 'h' --then 'this tunnel'
