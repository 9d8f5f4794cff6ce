#!/bin/sh
# Sets a Debian machine up for bench/run.py: the load tools, nginx, and release builds of Podtap and
# of the benchmark's counterparts. Run it again at will; what is there is left alone.
#
#   bench/setup.sh          what bench/run.py needs
#   bench/setup.sh peers    also the tunnels that bench/peers.json compares with
set -eu
cd "$(dirname "$0")/.."

missing=""
for tool in wrk nginx; do
    command -v "$tool" >/dev/null || missing="$missing $tool"
done
if [ -n "$missing" ]; then
    apt-get update -qq
    # Only the program is wanted: the benchmark starts nginx itself, with its own configuration.
    policy=/usr/sbin/policy-rc.d
    if [ ! -e "$policy" ]; then
        trap 'rm -f "$policy"' EXIT
        printf '#!/bin/sh\nexit 101\n' >"$policy"
        chmod +x "$policy"
    fi
    # shellcheck disable=SC2086
    apt-get install -y --no-install-recommends $missing
fi

install() {
    command -v "$1" >/dev/null || cargo install --locked "$2"
}
install oha oha
if [ "${1:-}" = peers ]; then
    install bore bore-cli
    install rathole rathole
    install wstunnel wstunnel
fi

cargo build --release --locked --package podtap --package podtap-bench
