"""bench/run.py bytes: what one webhook makes relay and agent write to the disk.

    bench/run.py bytes [--rounds 3] [--secs 8] [--rate 100] [--events 8000] [--where]
    bench/run.py bytes --binary before=/tmp/before/podtap --binary after=target/release/podtap    two builds, in turn

`calm` sends at --rate, `burst` sends --events as fast as they are accepted over 64 connections, both with 300 B
bodies of distinct items. KB an event are what the kernel counts for the process (`write_bytes` of /proc/PID/io): every
block that is made dirty, so the log, the file and what is synced again. With --where both are killed after the load, and
the frames in their write-ahead logs are counted by table and index: what a commit makes dirty.
"""
import argparse
import collections
import glob
import json
import os
import sqlite3
import statistics
import struct
import time

import peers
import stage
from stage import ask, send, until

FILES = {"relay": "relay/relay.db", "agent": "agent/**/*.db"}


def written(proc):
    """Bytes that a process and its children made dirty."""
    total = 0
    for pid in peers.tree(proc.pid):
        for line in peers.read(f"/proc/{pid}/io").splitlines():
            if line.startswith("write_bytes:"):
                total += int(line.split()[1])
    return total


def frames(path):
    """Frames of the write-ahead log's newest run, by what their pages belong to, and the size of a page."""
    with open(path + "-wal", "rb") as log:
        head = log.read(32)
        size, salts = struct.unpack(">I", head[8:12])[0], head[16:24]
        pages = []
        while len(frame := log.read(24)) == 24 and frame[8:16] == salts:
            pages.append(struct.unpack(">I", frame[:4])[0])
            log.seek(size, os.SEEK_CUR)
    db = sqlite3.connect(path)
    try:
        owners = dict(db.execute("SELECT pageno, name FROM dbstat"))
    except sqlite3.Error:
        owners = {}  # without dbstat, or a page that it cannot read
    finally:
        db.close()
    return collections.Counter(owners.get(page, "free, or a map of pages") for page in pages), size


def once(load, a):
    with stage.Stage(a.log) as on:
        on.sink()
        procs = {"relay": on.relay()}
        url = on.tunnel() + "hook"
        procs["agent"] = on.agent()
        send(url, events=200, connections=4)
        until(lambda: json.loads(ask("/report"))["distinct"] >= 200, 60, "the first events at the sink")
        time.sleep(1)
        ask("/reset")
        before = {name: (written(proc), peers.usage([proc.pid])) for name, proc in procs.items()}
        if load == "calm":
            events = a.rate * a.secs
            send(url, events=events, connections=16, rate=a.rate, limit_s=170)
        else:
            events = a.events
            send(url, events=events, connections=64, limit_s=170)
        until(lambda: json.loads(ask("/report"))["distinct"] >= events, 120, "every event at the sink")
        time.sleep(1)  # attempts, acknowledgements and the index of words follow
        row = {"load": load, "events": events}
        for name, proc in procs.items():
            bytes0, used0 = before[name]
            used = peers.usage([proc.pid])
            row[name] = (written(proc) - bytes0) / events / 1024
            row["csw_" + name] = (used["csw"] - used0["csw"]) / events
            row["cpu_" + name] = (used["cpu"] - used0["cpu"]) * 1e6 / events
        if a.where:
            for proc in list(procs.values())[::-1]:
                on.kill(proc)
            for name, file in FILES.items():
                row["where_" + name] = frames(glob.glob(os.path.join(on.dir, file), recursive=True)[0])
        return row


def main(arguments):
    ap = argparse.ArgumentParser(prog="bench/run.py bytes")
    ap.add_argument("--rounds", type=int, default=3)
    ap.add_argument("--secs", type=int, default=8)
    ap.add_argument("--rate", type=int, default=100)
    ap.add_argument("--events", type=int, default=8000)
    ap.add_argument("--loads", default="calm,burst")
    ap.add_argument("--binary", action="append", metavar="NAME=PATH")
    ap.add_argument("--where", action="store_true")
    ap.add_argument("--log")
    a = ap.parse_args(arguments)
    builds = dict(b.split("=", 1) for b in a.binary or [f"podtap={stage.program('podtap')}"])
    builds = {name: os.path.abspath(path) for name, path in builds.items()}  # each is started in a folder of its own
    rows, names = [], list(builds)
    for rnd in range(a.rounds):
        for load in a.loads.split(","):
            for name in names[rnd % len(names):] + names[:rnd % len(names)]:
                stage.BINARY = builds[name]
                rows.append({"build": name, "round": rnd, **once(load, a)})
                peers.say({k: v for k, v in rows[-1].items() if not k.startswith("where")})
    tables(rows, names, a)


def tables(rows, names, a):
    print(f"### Written to the disk (300 B bodies, {a.rounds} rounds, medians)\n")
    body = []
    for load in a.loads.split(","):
        for name in names:
            these = [r for r in rows if r["build"] == name and r["load"] == load]
            middle = lambda key: peers.f(statistics.median(r[key] for r in these))
            body.append([load, name, *(middle(k) for k in ("relay", "agent", "csw_relay", "csw_agent")),
                         *(peers.f(statistics.median(r[k] for r in these), 0) for k in ("cpu_relay", "cpu_agent"))])
    peers.table(["load", "build", "relay KB an event", "agent KB", "switches relay", "agent", "CPU µs relay", "agent"], body)
    if a.where:
        for row in rows[-len(names) * len(a.loads.split(",")):]:
            for name in FILES:
                counted, size = row["where_" + name]
                print(f"{row['load']}, {row['build']}, {name}: frames of {size} bytes in its log")
                for what, count in counted.most_common():
                    print(f"  {count:7}  {what}")
