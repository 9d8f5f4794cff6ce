"""Parts of bench/run.py that set Podtap beside others, each contestant alone on the machine.

  local  answers passed through (`--respond local`): distinct items over 1, 16 and 64 connections, 10 kB, a connection per request
  calm   200 webhooks/s: CPU µs and context switches an event, both sides, and the time from POST to sink
  idle   relay and agent with nothing to do: CPU and wake-ups a second (no others)

nginx is a plain reverse proxy to the sink; bore and rathole take part where they are installed (bench/setup.sh peers).
"""
import json
import shutil
import tempfile
import time

import peers
import stage
from meter import Meter, cleanest
from stage import ask, send, until

LOADS = [{"name": name, "tool": tool, "conns": conns, "body": body, "close": tool == "oha", "distinct": tool == "wrk"} for name, tool, conns, body in (
    ("d1", "wrk", 1, 300), ("d16", "wrk", 16, 300), ("d64", "wrk", 64, 300), ("d64-10k", "wrk", 64, 10_000), ("close16", "oha", 16, 300))]
RATE, QUIET_FOR = 200, 15


def nginx(on):
    return {"nginx": on.nginx()}, f"http://{stage.NGINX}/hook"


def bore(on):
    return on.bore(), f"http://{stage.BORE}/hook"


def rathole(on):
    return on.rathole(), f"http://{stage.RATHOLE}/hook"


def podtap(on, *options):
    relay, url = on.relay(), on.tunnel() + "hook"
    return {"relay": relay, "agent": on.agent(*options)}, url


def local(on):
    return podtap(on, "--respond", "local")


CONTESTANTS = {"nginx": nginx, "bore": bore, "rathole": rathole, "podtap": podtap, "podtap local": local}


def takes_part(name):
    return name not in ("bore", "rathole") or shutil.which(name)


def rotated(names, rnd):
    names = [name for name in names if takes_part(name)]
    return names[rnd % len(names):] + names[:rnd % len(names)]


def warm(url):
    ask("/reset")
    send(url, events=100, connections=4)
    until(lambda: json.loads(ask("/report"))["distinct"] >= 100, 30, "the first events at the sink")


def pass_through(a, loads=LOADS, names=("nginx", "bore", "rathole", "podtap local")):
    rows = []
    loads = [load for load in loads if shutil.which(load["tool"])]
    for rnd in range(a.rounds):
        for name in rotated(names, rnd):
            with stage.Stage(a.log) as on, tempfile.TemporaryDirectory() as tmp:
                on.sink()
                procs, url = CONTESTANTS[name](on)
                warm(url)
                for load in loads:
                    def once():
                        with Meter([on.sink_proc], **procs) as m:
                            got = peers.run_load({}, {"url": url}, load, tmp, a.secs)
                        return {**got, **m.each(got.get("ok", 0)), "foreign": m.foreign}
                    rows.append({"round": rnd, "who": name, "load": load["name"], **cleanest(once, a)})
                    peers.say(rows[-1])
    return rows


def calm(a, names=("nginx", "bore", "podtap", "podtap local")):
    rows, events = [], RATE * a.secs * 2
    for rnd in range(a.rounds):
        for name in rotated(names, rnd):
            with stage.Stage(a.log) as on:
                on.sink()
                procs, url = CONTESTANTS[name](on)
                warm(url)

                def once():
                    time.sleep(1.5)  # what is done later is done
                    ask("/reset")
                    with Meter([on.sink_proc], **procs) as m:
                        send(url, events=events, connections=16, rate=RATE)
                        until(lambda: json.loads(ask("/report"))["distinct"] >= events, 30, "the calm events at the sink")
                    seen = json.loads(ask("/report"))["latency"]
                    return {**m.each(events), "p50": seen["p50_ms"], "p99": seen["p99_ms"], "foreign": m.foreign}
                rows.append({"round": rnd, "who": name, **cleanest(once, a)})
                peers.say(rows[-1])
    return rows


def idle(a):
    rows = []
    for rnd in range(a.rounds):
        with stage.Stage(a.log) as on:
            on.sink()
            procs, url = podtap(on)
            warm(url)
            time.sleep(5)
            with Meter([on.sink_proc], **procs) as m:
                time.sleep(QUIET_FOR)
            row = {"round": rnd, "foreign": m.foreign}
            for name in procs:
                row |= {f"wakes_{name}": m.csw[name] / m.seconds, f"busy_{name}": m.cpu[name] / m.seconds, f"rss_{name}": m.rss[name]}
            rows.append(row)
            peers.say(row)
    return rows


# ---------------------------------------------------------------- tables
def middle(rows, key, **where):
    return peers.med([r.get(key) for r in rows if all(r[k] == v for k, v in where.items())])


def ratio(rows, who, key, base="nginx", **where):
    """Within each round; the median of them."""
    def of(name):
        return {r["round"]: r.get(key) for r in rows if r["who"] == name and all(r[k] == v for k, v in where.items())}
    mine, other = of(who), of(base)
    return peers.med([mine[rnd] / other[rnd] for rnd in mine if mine[rnd] and other.get(rnd)])


def whos(rows):
    return list(dict.fromkeys(r["who"] for r in rows))


def tables(results):
    f = peers.f
    if rows := results.get("local"):
        print("### Passed through: the sender gets the local service's answer\n")
        body = []
        for load in dict.fromkeys(r["load"] for r in rows):
            for who in whos(rows):
                at = {"who": who, "load": load}
                errors = sum(r.get("err") or 0 for r in rows if r["who"] == who and r["load"] == load)
                body.append([load, who, f(middle(rows, "rps", **at), 0), f(ratio(rows, who, "rps", load=load), 2), f(middle(rows, "p50", **at), 2),
                             f(middle(rows, "p99", **at), 2), errors, f(middle(rows, "cpu", **at), 0), f(middle(rows, "csw", **at), 1),
                             f(100 * middle(rows, "foreign", **at), 0) + " %"])
        peers.table(["load", "", "/s", "vs nginx", "p50 ms", "p99 ms", "errors", "CPU µs", "switches", "foreign"], body)
    if rows := results.get("calm"):
        print(f"### Calm: {RATE}/s\n")
        body = []
        for who in whos(rows):
            sides = " + ".join(f"{f(middle(rows, 'cpu_' + side, who=who), 0)} {side}" for side in ("relay", "agent")) if "podtap" in who else ""
            body.append([who, f(middle(rows, "cpu", who=who), 0), sides, f(middle(rows, "csw", who=who), 1), f(middle(rows, "p50", who=who), 2),
                         f(middle(rows, "p99", who=who), 2), f(ratio(rows, who, "cpu"), 1), f(ratio(rows, who, "csw"), 1),
                         f(100 * middle(rows, "foreign", who=who), 0) + " %"])
        peers.table(["", "CPU µs an event", "of it", "switches an event", "POST→sink p50 ms", "p99", "CPU vs nginx", "switches vs nginx", "foreign"], body)
    if rows := results.get("idle"):
        print("### Idle, one agent connected\n")
        body = [[side, f(middle(rows, "wakes_" + side), 1), f(100 * middle(rows, "busy_" + side), 2) + " %", f(middle(rows, "rss_" + side), 1)]
                for side in ("relay", "agent")]
        peers.table(["", "switches a second", "of a core", "RSS MiB"], body)
