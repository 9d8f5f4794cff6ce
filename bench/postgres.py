"""bench/run.py postgres: webhooks accepted by relays that share a PostgreSQL database, beside SQLite.

    bench/run.py postgres                   1, 16, 64 and 256 connections: SQLite, one relay, two relays; about 4 minutes
    bench/run.py postgres --rounds 1 --loads keep64
    options: --rounds N (2)  --secs S (3)  --loads NAMES  --log DIR  --max-foreign F (0.12)  --max-wait S (4)  --retries N (0)

Debian's PostgreSQL, in a folder on the same disk, as an ordinary user and with its own settings: fsync and synchronous_commit are
on. Each load has a fresh database. Of two relays each gets half of the connections (of one connection: one each), on a tunnel of its
own; `one tunnel` is the same with all on one. No agent is connected. After each load the relays are killed (SIGKILL), and the events
in the database are counted. `ratio` is to SQLite in the same round. The aim: at least 0.7 with one relay at 64 connections.
"""
import argparse
import concurrent.futures
import glob
import os
import pwd
import shutil
import subprocess
import sys
import tempfile

import peers
import stage
from meter import Meter, cleanest

SECOND, PORT = "127.0.0.1:9301", "9320"
CONNECTIONS = (1, 16, 64, 256)
WHO = ("sqlite", "one relay", "two relays", "one tunnel")


def as_user():
    """PostgreSQL refuses to run as root."""
    if os.getuid():
        return []
    name = "postgres" if any(u.pw_name == "postgres" for u in pwd.getpwall()) else "nobody"
    user = pwd.getpwnam(name)
    return ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]


class Cluster:
    """A server in a folder of its own; use it in a `with`."""

    def __init__(self, log):
        found = sorted(glob.glob("/usr/lib/postgresql/*/bin/initdb")) or [shutil.which("initdb")]
        if not found[-1]:
            sys.exit("install PostgreSQL's server: apt-get install postgresql")
        self.bin, self.databases = os.path.dirname(found[-1]), 0
        self.procs, self.dir = peers.Procs(log), stage.folder()

    def __enter__(self):
        user = as_user()
        if user:
            os.chown(self.dir, *(int(word.split("=")[1]) for word in user[1:3]))
        data = os.path.join(self.dir, "data")
        run = lambda *cmd: subprocess.run([*user, *cmd], check=True, stdout=subprocess.DEVNULL, cwd=self.dir)
        run(os.path.join(self.bin, "initdb"), "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale")
        cmd = [*user, os.path.join(self.bin, "postgres"), "-D", data, "-k", self.dir, "-p", PORT, "-h", "127.0.0.1"]
        spec = {"cmd": cmd, "ready": f"tcp:127.0.0.1:{PORT}", "cwd": self.dir, "role": "postgres"}
        peers.port_free(spec)
        self.server = self.procs.start(spec, "run")
        peers.wait_ready(spec, self.server, {}, {})
        # It listens before it answers.
        ready = [os.path.join(self.bin, "pg_isready"), "-q", "-h", "127.0.0.1", "-p", PORT]
        stage.until(lambda: subprocess.run(ready).returncode == 0, 30, "PostgreSQL")
        return self

    def __exit__(self, *_):
        self.procs.stop()
        shutil.rmtree(self.dir, ignore_errors=True)

    def sql(self, sql, database="postgres"):
        cmd = [os.path.join(self.bin, "psql"), "-XqAt", "-h", "127.0.0.1", "-p", PORT, "-U", "postgres", "-d", database, "-c", sql]
        return subprocess.run(cmd, check=True, stdout=subprocess.PIPE, timeout=60, text=True).stdout.strip()

    def database(self):
        """A new one, and nothing of the one before is still to be written."""
        self.databases += 1
        name = f"bench_{self.databases}"
        self.sql(f"CREATE DATABASE {name}")
        self.sql("CHECKPOINT")
        return name


def load(name, conns):
    return {"name": name, "tool": "wrk", "conns": conns, "body": 300}


def both(urls, spec, secs):
    """The load on all URLs at once."""
    def one(url):
        with tempfile.TemporaryDirectory() as tmp:
            return peers.run_load({}, {"url": url}, {**spec, "conns": max(1, spec["conns"] // len(urls))}, tmp, secs)
    with concurrent.futures.ThreadPoolExecutor() as pool:
        got = list(pool.map(one, urls))
    whole = {key: sum(it.get(key, 0) for it in got) for key in ("ok", "err", "rps")}
    return {**whole, **{key: max(it.get(key) or 0 for it in got) for key in ("p50", "p99")}}


def once(who, spec, cluster, a):
    with stage.Stage(a.log) as on:
        places = [stage.RELAY] if who in ("sqlite", "one relay") else [stage.RELAY, SECOND]
        if who != "sqlite":
            database = cluster.database()
            on.store = ["--database", f"postgres://postgres@127.0.0.1:{PORT}/{database}?sslmode=disable"]
        on.sink()
        relays = [on.relay(at) for at in places]
        names = ["bench"] * len(places) if who == "one tunnel" else [f"bench-{at[-4:]}" for at in places]
        urls = [on.tunnel(at, name) + "hook" for at, name in zip(places, names)]
        measured = {f"relay{i}": relay for i, relay in enumerate(relays)}
        if who != "sqlite":
            measured["postgres"] = cluster.server
        with Meter([on.sink_proc], **measured) as m:
            got = both(urls, spec, a.secs)
        events = max(1, got["ok"])
        for relay in relays:
            on.kill(relay)
        stored = on.stored() if who == "sqlite" else int(cluster.sql("SELECT sum(last_seq) FROM podtap_queues", database))
        if stored < got["ok"]:
            sys.exit(f"LOST: {got['ok']} accepted, {stored} stored")
        server = m.cpu.get("postgres", 0) * 1e6 / events
        return {**got, "stored": stored, "foreign": m.foreign, "cpu_postgres": server, "cpu_relays": sum(m.cpu.values()) * 1e6 / events - server}


def main(arguments):
    ap = argparse.ArgumentParser(prog="bench/run.py postgres")
    ap.add_argument("--rounds", type=int, default=2)
    ap.add_argument("--secs", type=int, default=3)
    ap.add_argument("--loads", default=",".join(f"keep{c}" for c in CONNECTIONS))
    ap.add_argument("--log")
    ap.add_argument("--max-foreign", type=float, default=0.12)
    ap.add_argument("--max-wait", type=float, default=4)
    ap.add_argument("--retries", type=int, default=0)
    a = ap.parse_args(arguments)
    rows, loads = [], [load(name, int(name.removeprefix("keep"))) for name in a.loads.split(",")]
    with Cluster(a.log) as cluster:
        for rnd in range(a.rounds):
            for spec in loads:
                contestants = [who for who in WHO if who != "one tunnel" or spec["conns"] == 64]
                for who in contestants[:: 1 if rnd % 2 == 0 else -1]:
                    got = cleanest(lambda: once(who, spec, cluster, a), a)
                    rows.append({"round": rnd, "who": who, "load": spec["name"], **got})
                    peers.say(rows[-1])
    tables(rows, loads)


def tables(rows, loads):
    f, body = peers.f, []
    for spec in loads:
        for who in WHO:
            these = [r for r in rows if r["load"] == spec["name"] and r["who"] == who]
            if not these:
                continue
            middle = lambda key: peers.med([r[key] for r in these])
            beside = {r["round"]: r["rps"] for r in rows if r["load"] == spec["name"] and r["who"] == "sqlite"}
            ratio = peers.med([r["rps"] / beside[r["round"]] for r in these if beside.get(r["round"])])
            body.append([spec["name"], who, f(middle("rps"), 0), f(ratio, 2), f(middle("p50"), 2), f(middle("p99"), 2), sum(r["err"] for r in these),
                         f(middle("cpu_relays"), 0), f(middle("cpu_postgres"), 0), f(100 * middle("foreign"), 0) + " %"])
    print("### Accepted: answered 200 after the commit, no agent connected\n")
    peers.table(["load", "", "/s", "ratio", "p50 ms", "p99 ms", "errors", "relay CPU µs", "postgres CPU µs", "foreign"], body)
