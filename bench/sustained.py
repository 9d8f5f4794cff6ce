"""bench/run.py sustained: webhooks at a rate for minutes, and whether everything keeps up.

    bench/run.py sustained                       5,000/s for 10 minutes
    bench/run.py sustained --rate 1000 --secs 60 --keep-events 20000

The agent keeps --keep-events (100,000), so that retention has to remove as fast as events come. Every 10 s a line on
stderr. It fails where a webhook was refused, where the sink has not seen all of them 15 s after the last one, where the
history holds more than retention lets it, or where a log has grown beyond --max-log MiB.
"""
import argparse
import glob
import json
import os
import subprocess
import sys
import time

import peers
import stage
from stage import ask, count, until

# Retention runs once a minute.
BETWEEN = 65
MIB = 1024 * 1024


def size(path):
    return os.path.getsize(path) / MIB if os.path.exists(path) else 0


def main(arguments):
    ap = argparse.ArgumentParser(prog="bench/run.py sustained")
    ap.add_argument("--rate", type=int, default=5000)
    ap.add_argument("--secs", type=int, default=600)
    ap.add_argument("--keep-events", type=int, default=100_000)
    ap.add_argument("--max-log", type=float, default=96)
    ap.add_argument("--log")
    a = ap.parse_args(arguments)
    events, faults = a.rate * a.secs, []
    with stage.Stage(a.log) as on:
        on.sink()
        relay, url = on.relay(), on.tunnel() + "hook"
        os.environ["PODTAP_KEEP_EVENTS"] = str(a.keep_events)
        agent = on.agent()
        history = glob.glob(os.path.join(on.dir, "agent", "**", "*.db"), recursive=True)[0]
        files = {"relay": os.path.join(on.dir, "relay", "relay.db"), "agent": history}
        ask("/reset")
        cmd = [stage.program("post"), url, "--events", str(events), "--connections", "64", "--rate", str(a.rate), "--limit-s", str(a.secs + 120)]
        began, largest = time.time(), {name: 0 for name in files}
        sender = subprocess.Popen(cmd, stdout=subprocess.PIPE, start_new_session=True)
        sender.role = "sender"
        on.procs.list.append(sender)
        said = 0
        while sender.poll() is None:
            time.sleep(1)
            logs = {name: size(path + "-wal") for name, path in files.items()}
            largest = {name: max(largest[name], logs[name]) for name in logs}
            if time.time() - said >= 10:
                said = time.time()
                seen = json.loads(ask("/report"))["distinct"]
                rss = {name: round(peers.usage([p.pid])["rss"] / 1024) for name, p in (("relay", relay), ("agent", agent))}
                peers.say({"s": round(said - began), "at the sink": seen, "behind": round(a.rate * (said - began)) - seen, "rss MiB": rss,
                           "log MiB": {k: round(v) for k, v in logs.items()}, "file MiB": {k: round(size(v)) for k, v in files.items()}})
        sent = json.loads(sender.stdout.read() or b"{}")
        took = time.time() - began
        faults += [f"the {p.role} ended" for p in (relay, agent) if p.poll() is not None]
        try:
            until(lambda: json.loads(ask("/report"))["distinct"] >= events, 15, "all events at the sink")
        except RuntimeError as error:
            faults.append(str(error))
        seen = json.loads(ask("/report"))
        most, kept = a.keep_events + BETWEEN * a.rate, count(history)
        if sent.get("refused", 1):
            faults.append(f"{sent.get('refused', 'some')} refused")
        if took > a.secs * 1.05 + 2:
            faults.append(f"the last webhook was accepted after {took:.0f} s")
        if kept > most:
            faults.append(f"{kept} events are kept, {most} at most were to be")
        faults += [f"the log of the {name} had {mib:.0f} MiB" for name, mib in largest.items() if mib > a.max_log]
        f = peers.f
        print(f"### Sustained: {a.rate}/s for {a.secs} s\n")
        peers.table(["sent", "refused", "at the sink", "repeated", "answer p99 ms", "POST→sink p50 ms", "p99", "kept", "largest log MiB, relay", "agent", "peak RSS MiB, relay", "agent"],
                    [[events, sent.get("refused"), seen["distinct"], seen["posts"] - seen["distinct"], f(sent.get("answer", {}).get("p99_ms"), 1),
                      f(seen["latency"]["p50_ms"], 1), f(seen["latency"]["p99_ms"], 1), kept, f(largest["relay"], 0), f(largest["agent"], 0),
                      *(f(peers.usage([p.pid])["peak"] / 1024, 0) for p in (relay, agent))]])
    if faults:
        sys.exit("; ".join(faults))

