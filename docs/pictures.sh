#!/usr/bin/env bash
# Draws the pictures of the README again, from the real UI on a live demo.
set -euo pipefail
cd "$(dirname "$0")/.."
draw() { cargo run --quiet --release -- demo --events 40 --rate 15 --keys 'j w' --picture "$@"; }
draw docs/ui-dark.svg
draw docs/ui-light.svg --light
