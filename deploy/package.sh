#!/usr/bin/env bash
# Makes a Debian package of this tree in target/debian: the binary, its manual pages and completions, and
# the relay's units. It needs cargo-deb (`cargo install cargo-deb`). PROFILE=dev packs a debug build.
set -euo pipefail
cd "$(dirname "$0")/.."

profile=${PROFILE:-dist}
cargo build --profile "$profile" --locked --package podtap
built=target/$([ "$profile" = dev ] && echo debug || echo "$profile")/podtap

parts=target/package
rm -rf "$parts"
mkdir -p "$parts"/{completions,units}
"$built" man --out "$parts/man"
gzip -9 --no-name "$parts"/man/*
for shell in bash zsh fish; do
  "$built" completions "$shell" >"$parts/completions/$shell"
done
# The package has the binary elsewhere, and the relay's settings in a file.
sed 's|^ExecStart=.*|ExecStart=/usr/bin/podtap relay --config /etc/podtap/relay.toml|; /^# /d' \
  deploy/podtap-relay.service >"$parts/units/podtap.podtap-relay.service"
cp deploy/podtap-relay.socket "$parts/units/podtap.podtap-relay.socket"
strip --strip-unneeded -o "$parts/podtap" "$built"
gzip -9 --no-name --stdout CHANGELOG.md >"$parts/changelog.gz"

cargo deb --no-build --profile "$profile" "$@"
