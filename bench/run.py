#!/usr/bin/env python3
"""Podtap's own benchmark: release builds of relay and agent on loopback, driven by wrk, oha and a sender.

    bench/setup.sh                 installs and builds what is needed, once
    bench/run.py                          everything, 3 rounds, tables in Markdown on stdout
    bench/run.py --rounds 1 --secs 2      the same in about 6 minutes
    bench/run.py accept,memory            some parts
    bench/run.py quick                    2 minutes: ratios beside those that are stored; fails where one is worse by a margin
    bench/run.py aims                     all aims in one table, 13 minutes; fails where one is not reached
    bench/run.py sustained                5,000/s for 10 minutes; fails where anything does not keep up
    options: --rounds N (3)  --secs S (3, each load's time)  --out FILE (all figures as JSON)
             --log DIR  --max-foreign F (0.12)  --max-wait S (15)  --retries N (1)
    bench/run.py postgres [ARGUMENTS OF postgres.py]    relays that share a PostgreSQL database, beside SQLite: 4 minutes
    bench/run.py bytes [ARGUMENTS OF written.py]    what one webhook makes relay and agent write to the disk
    bench/run.py peers [ARGUMENTS OF peers.py]    the tunnels that people use instead, by bench/peers.json

Parts
  accept   webhooks answered 200 a second, that is on stable storage (fsync), by a relay to which no agent is
           connected, with a fresh data folder for each load; beside it nginx as a plain reverse proxy to the sink.
           After each load the relay is killed (SIGKILL) and the events in its file are counted: `kept` must be true.
  through  relay, agent and sink: webhooks of distinct items, as fast as they are accepted, until the sink has seen
           every one of them by its number; then a steady rate, for the time from POST to sink. nginx beside it.
  local    answers passed through (`--respond local`), distinct items; calm: CPU and switches an event at 200/s; idle: wake-ups.
           See the head of contest.py.
  memory   what the relay holds before, after a load, and with 1,000 idle agents; what the agent holds.

Rounds are interleaved (A B, then B A). Ratios are taken within a round; medians over the rounds are shown. The waiting
for a quiet machine, the repetition of disturbed loads and the CPU accounting are those of peers.py: see its head.
Everything ends by itself: every load has a time, every wait a limit.
"""
import argparse
import json
import os
import shutil
import signal
import string
import sys
import tempfile
import time

import aims
import contest
import peers
import postgres
import quick
import stage
import sustained
import written
from meter import Meter, cleanest
from stage import NGINX, RELAY, ask, program, send, until


def load(name, tool, conns, body, close=False):
    return {"name": name, "tool": tool, "conns": conns, "body": body, "close": close}


LOADS = [load(f"keep{c}", "wrk", c, 300) for c in (1, 16, 64, 256)] + [
    load("keep64-10k", "wrk", 64, 10_000),
    load("close16", "oha", 16, 300, close=True),
    load("close64", "oha", 64, 300, close=True),
    load("close64-10k", "oha", 64, 10_000, close=True)]
BURST, STEADY, AGENTS = 20_000, 500, 1000


# ---------------------------------------------------------------- accept
def accept_load(url, spec, on, server, tmp, secs):
    with Meter([on.sink_proc], server=server) as m:
        got = peers.run_load({}, {"url": url}, spec, tmp, secs)
    return {**got, **m.each(got.get("ok", 0)), "rss": m.rss["server"], "foreign": m.foreign}


def accept_nginx(spec, tmp, a):
    with stage.Stage(a.log) as on:
        on.sink()
        return accept_load(f"http://{NGINX}/t/hook", spec, on, on.nginx(), tmp, a.secs)


def accept_podtap(spec, tmp, a):
    with stage.Stage(a.log) as on:
        on.sink()
        relay = on.relay()
        got = accept_load(on.tunnel() + "hook", spec, on, relay, tmp, a.secs)
        on.kill(relay)
        got["stored"] = on.stored()
        return got


def accept(a, loads=LOADS):
    rows, loads = [], [spec for spec in loads if shutil.which(spec["tool"])]
    contestants = [("nginx", accept_nginx), ("podtap", accept_podtap)]
    with tempfile.TemporaryDirectory() as tmp:
        for rnd in range(a.rounds):
            for spec in loads:
                for name, run in contestants[rnd % 2:] + contestants[:rnd % 2]:
                    got = cleanest(lambda: run(spec, tmp, a), a)
                    rows.append({"round": rnd, "who": name, "load": spec["name"], **got})
                    peers.say(rows[-1])
                    if got.get("stored", got["ok"]) < got["ok"]:
                        sys.exit(f"LOST: {got['ok']} accepted, {got['stored']} stored")
    return rows


# ---------------------------------------------------------------- through
def burst(url, on, a, **measured):
    """All events of a burst, until the last has reached the sink."""
    ask("/reset")
    with Meter([on.sink_proc], **measured) as m:
        sent = send(url, events=BURST, connections=64)
        until(lambda: json.loads(ask("/report"))["distinct"] >= BURST, 120, f"all of {BURST} events at the sink")
    seen = json.loads(ask("/report"))
    return {"accepted_s": BURST / sent["seconds"], "delivered_s": BURST / m.seconds, "missing": BURST - seen["distinct"],
            "repeated": seen["posts"] - seen["distinct"], "refused": sent["refused"], "foreign": m.foreign, **m.each(BURST),
            **{f"rss_{name}": rss for name, rss in m.rss.items()}}


def steady(url, on, a):
    """The time from POST to sink at a rate that leaves everything mostly idle."""
    ask("/reset")
    events = STEADY * a.secs
    sent = send(url, events=events, connections=16, rate=STEADY)
    until(lambda: json.loads(ask("/report"))["distinct"] >= events, 30, "the steady events at the sink")
    seen = json.loads(ask("/report"))["latency"]
    return {"answer_p50": sent["answer"]["p50_ms"], "answer_p99": sent["answer"]["p99_ms"], **{k: seen[k] for k in ("p50_ms", "p99_ms", "max_ms")}}


def through_nginx(a):
    with stage.Stage(a.log) as on:
        on.sink()
        nginx, url = on.nginx(), f"http://{NGINX}/hook"
        return {**burst(url, on, a, nginx=nginx), **steady(url, on, a)}


def through_podtap(a):
    with stage.Stage(a.log) as on:
        on.sink()
        relay, url = on.relay(), on.tunnel() + "hook"
        agent = on.agent()
        send(url, events=100, connections=4)
        until(lambda: json.loads(ask("/report"))["distinct"] >= 100, 30, "the first events at the sink")
        return {**burst(url, on, a, relay=relay, agent=agent), **steady(url, on, a)}


def through(a):
    rows = []
    contestants = [("nginx", through_nginx), ("podtap", through_podtap)]
    for rnd in range(a.rounds):
        for name, run in contestants[rnd % 2:] + contestants[:rnd % 2]:
            got = cleanest(lambda: run(a), a)
            rows.append({"round": rnd, "who": name, **got})
            peers.say(rows[-1])
    return rows


# ---------------------------------------------------------------- memory
def rss(proc):
    return peers.usage([proc.pid])["rss"] / 1024


def memory(a):
    rows = []
    for rnd in range(a.rounds):
        with stage.Stage(a.log) as on, tempfile.TemporaryDirectory() as tmp:
            on.sink()
            relay, url = on.relay(), on.tunnel() + "hook"
            row = {"round": rnd, "relay_idle": rss(relay)}
            idle_agents = on.agents(AGENTS)
            time.sleep(1)
            row["relay_agents"] = rss(relay)
            cpu = peers.usage([relay.pid])["cpu"]
            time.sleep(12)  # more than one ping period
            row["agents_cpu_ms_s"] = (peers.usage([relay.pid])["cpu"] - cpu) / 12 * 1e3
            on.kill(idle_agents)
            agent = on.agent()
            time.sleep(1)
            row["agent_idle"] = rss(agent)
            peers.run_load({}, {"url": url}, LOADS[2], tmp, a.secs)
            row["relay_after"], row["agent_after"] = rss(relay), rss(agent)
            rows.append(row)
            peers.say(row)
    return rows


# ---------------------------------------------------------------- tables
def values(rows, key, **where):
    return [r.get(key) for r in rows if all(r[k] == v for k, v in where.items())]


def median(rows, key, **where):
    return peers.med(values(rows, key, **where))


def ratio(rows, key, **where):
    pairs = zip(sorted_by_round(rows, key, who="podtap", **where), sorted_by_round(rows, key, who="nginx", **where))
    return peers.med([x / y for x, y in pairs if x and y])


def sorted_by_round(rows, key, **where):
    return values(sorted(rows, key=lambda r: r["round"]), key, **where)


def tables(results):
    f = peers.f
    if rows := results.get("accept"):
        print("### Accepted: answered 200 after fsync, no agent connected\n")
        head = ["load", "podtap /s", "nginx /s", "ratio", "p50 ms", "p99 ms", "errors", "relay CPU µs", "nginx CPU µs", "kept", "foreign"]
        body = []
        for spec in LOADS:
            at = {"load": spec["name"]}
            if not values(rows, "rps", **at):
                continue
            kept = all(r["stored"] >= r["ok"] for r in rows if r["who"] == "podtap" and r["load"] == spec["name"])
            body.append([spec["name"], f(median(rows, "rps", who="podtap", **at), 0), f(median(rows, "rps", who="nginx", **at), 0), f(ratio(rows, "rps", **at), 2),
                         f(median(rows, "p50", who="podtap", **at), 2), f(median(rows, "p99", who="podtap", **at), 2),
                         f(sum(values(rows, "err", who="podtap", **at)), 0), f(median(rows, "cpu_server", who="podtap", **at), 0),
                         f(median(rows, "cpu_server", who="nginx", **at), 0), "yes" if kept else "NO", f(100 * median(rows, "foreign", **at), 0) + " %"])
        peers.table(head, body)
    if rows := results.get("through"):
        print(f"### Through: relay, agent, sink ({BURST:,} distinct items over 64 connections, then {STEADY}/s)\n")
        head = ["", "accepted /s", "delivered /s", "missing", "repeated", "POST→sink p50 ms", "p99", "max", "answer p50 ms", "p99", "CPU µs a webhook", "foreign"]
        body = []
        for who, parts in (("podtap", ("relay", "agent")), ("nginx", ("nginx",))):
            at = {"who": who}
            cpu = " + ".join(f"{f(median(rows, 'cpu_' + p, **at), 0)} {p}" for p in parts)
            body.append([who, *(f(median(rows, k, **at), 0) for k in ("accepted_s", "delivered_s")), *(sum(values(rows, k, **at)) for k in ("missing", "repeated")),
                         *(f(median(rows, k, **at), 2) for k in ("p50_ms", "p99_ms", "max_ms", "answer_p50", "answer_p99")), cpu, f(100 * median(rows, "foreign", **at), 0) + " %"])
        body.append(["ratio", *(f(ratio(rows, k), 2) for k in ("accepted_s", "delivered_s")), "", "", *(f(ratio(rows, k), 1) for k in ("p50_ms", "p99_ms", "max_ms", "answer_p50", "answer_p99")), "", ""])
        peers.table(head, body)
    if rows := results.get("memory"):
        print("### Memory (RSS, MiB)\n")
        idle, full = median(rows, "relay_idle"), median(rows, "relay_agents")
        peers.table(["relay, idle", f"with {AGENTS:,} agents", "KiB an agent", "CPU for their pings", "relay after a load", "agent, idle", "agent after a load"],
                    [[f(idle), f(full), f((full - idle) * 1024 / AGENTS), f(median(rows, "agents_cpu_ms_s"), 1) + " ms/s", f(median(rows, "relay_after")),
                      f(median(rows, "agent_idle")), f(median(rows, "agent_after"))]])


# ---------------------------------------------------------------- peers
def against_peers(arguments):
    """Runs peers.py on bench/peers.json, with the tunnel's URL and the folders of this run filled in."""
    if set(arguments) & {"-h", "--help"}:
        sys.argv = ["peers.py", *arguments]
        return peers.main()
    with stage.Stage() as on:
        os.makedirs(os.path.join(on.dir, "tmp"))
        relay = on.relay()
        names = {"bench": stage.HERE, "run": on.dir, "bin": stage.RELEASE, "url": on.tunnel(), "token": on.token()}
        relay.send_signal(signal.SIGTERM)
        relay.wait(15)
        on.procs.list.remove(relay)
        with open(os.path.join(stage.HERE, "peers.json")) as f:
            config = string.Template(f.read()).substitute(names)
        path = os.path.join(on.dir, "peers.json")
        with open(path, "w") as f:
            f.write(config)
        sys.argv = ["peers.py", path, *arguments]
        peers.main()


OWN = {"aims": aims.main, "bytes": written.main, "postgres": postgres.main, "sustained": sustained.main, "quick": quick.main, "peers": against_peers}


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))  # so that the processes started are ended
    if sys.argv[1:2] and sys.argv[1] in OWN:
        return OWN[sys.argv[1]](sys.argv[2:])
    parts = {"accept": accept, "through": through, "local": contest.pass_through, "calm": contest.calm, "idle": contest.idle, "memory": memory}
    ap = argparse.ArgumentParser(description="Podtap's benchmark; see the head of this file.")
    ap.add_argument("parts", nargs="?", default=",".join(parts))
    ap.add_argument("--rounds", type=int, default=3)
    ap.add_argument("--secs", type=int, default=3)
    ap.add_argument("--out")
    ap.add_argument("--log")
    ap.add_argument("--max-foreign", type=float, default=0.12)
    ap.add_argument("--max-wait", type=float, default=15)
    ap.add_argument("--retries", type=int, default=1)
    a = ap.parse_args()
    results = {}
    for part in a.parts.split(","):
        results[part] = parts[part](a)
        if a.out:
            with open(a.out, "w") as f:
                json.dump(results, f, indent=1)
    tables(results)
    contest.tables(results)


if __name__ == "__main__":
    main()
