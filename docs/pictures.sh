#!/usr/bin/env bash
# Draws the pictures of the README and of docs/UI.md again, from the real UI on a live demo: each
# with the keys that lead to it, for dark and for light pages.
set -euo pipefail
cd "$(dirname "$0")/.."
cargo build --quiet --release --package podtap
draw() {
  local name=$1 keys=$2 then=$3
  cargo run --quiet --release --package podtap-bench --bin picture -- --output "docs/$name" \
    --events 40 --keys "$keys" --then "$then" -- target/release/podtap demo --rate 15
}
# Filtered, so that the newest is one that changed something.
draw ui '/ t y p e : i t e m . u p d a t e enter w' ' → '
draw ui-trigger 't' 'Trigger an event'
draw ui-hooks 'h' 'this tunnel'
