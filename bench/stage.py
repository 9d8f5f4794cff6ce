"""The processes that the benchmarks measure: started on loopback, in folders of their own, and ended again.

bench/run.py and bench/peers.json's runner use this; it measures nothing. Process handling is that of peers.py.
"""
import glob
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import time
import urllib.request

import peers

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
# Another profile's builds do for what does not depend on speed.
RELEASE = os.path.join(os.environ.get("CARGO_TARGET_DIR", os.path.join(ROOT, "target")), os.environ.get("BENCH_PROFILE", "release"))
SINK, NGINX, RELAY = "127.0.0.1:9100", "127.0.0.1:9110", "127.0.0.1:9300"
BORE, RATHOLE = "127.0.0.1:9150", "127.0.0.1:9161"
# The benchmark fills a queue that nobody reads, and connects ten thousand agents, all from one address and of one owner; the
# defaults would refuse it. Both together stay below the 20,000 descriptors that some machines allow at most.
LIMITS = ["--max-queue-events", "100000000", "--max-queue-bytes", "64GiB", "--max-rate", "off", "--max-rate-per-address", "off",
          "--max-owner-queue-events", "100000000", "--max-owner-queue-bytes", "64GiB", "--max-owner-tunnels", "100000",
          "--max-owner-sessions", "100000", "--max-sessions", "12288", "--max-connections", "4096", "--max-connections-per-address", "16384",
          "--max-total-queue-bytes", "off"]


BINARY = None  # another podtap than this tree's release build


def program(name):
    return BINARY if BINARY and name == "podtap" else os.path.join(RELEASE, name)


def folder():
    """A fresh folder on the disk that holds the build, so that an fsync reaches a disk and not a tmpfs."""
    os.makedirs(RELEASE, exist_ok=True)
    return tempfile.mkdtemp(prefix="bench-", dir=RELEASE)


class Stage:
    """Processes that end together; use it in a `with`."""

    def __init__(self, log=None):
        self.procs = peers.Procs(log)
        self.dir = folder()
        # What a relay and its command line are told of where everything is kept.
        self.store = ["--data-dir", os.path.join(self.dir, "relay")]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.procs.stop()
        shutil.rmtree(self.dir, ignore_errors=True)

    def start(self, name, cmd, ready, cwd=None):
        spec = {"cmd": cmd, "ready": f"tcp:{ready}" if ready else [], "cwd": cwd or self.dir, "role": name}
        peers.port_free(spec)
        proc = self.procs.start(spec, "run")
        peers.wait_ready(spec, proc, {}, {})
        return proc

    def sink(self):
        self.sink_proc = self.start("sink", [program("sink"), SINK], SINK)

    def nginx(self):
        os.makedirs(os.path.join(self.dir, "tmp"), exist_ok=True)
        return self.start("nginx", ["nginx", "-p", self.dir, "-c", os.path.join(HERE, "nginx.conf")], NGINX)

    def relay(self, at=RELAY):
        return self.start("relay", [program("podtap"), "relay", "--listen", at, *self.store, *LIMITS], at)

    def token(self):
        """The file that holds a token of the relay's; made beside the running relay."""
        path = os.path.join(self.dir, "token")
        if not os.path.exists(path):
            cmd = [program("podtap"), "relay", "token", "create", "bench", *self.store]
            token = subprocess.run(cmd, check=True, stdout=subprocess.PIPE, timeout=20).stdout
            with open(path, "wb") as f:
                f.write(token)
        return path

    def listen_cmd(self, *display, at=RELAY, name="bench"):
        return [program("podtap"), "listen", SINK, "--relay", f"http://{at}", "--token-file", self.token(), "--name", name,
                "--data-dir", os.path.join(self.dir, "agent"), *display]

    def tunnel(self, at=RELAY, name="bench"):
        """The public URL of a tunnel, as the agent is told at its first connection."""
        log = os.path.join(self.dir, "tunnel.log")
        with open(log, "wb") as err:
            proc = subprocess.Popen(self.listen_cmd("--json", at=at, name=name), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=err, start_new_session=True)
        try:
            for line in proc.stdout:
                said = json.loads(line)
                if said.get("type") == "ready" and said.get("url"):
                    return said["url"]
        finally:
            if proc.poll() is None:
                os.killpg(proc.pid, signal.SIGTERM)
            proc.wait(15)
        raise RuntimeError("the agent ended before it had a URL: " + peers.read(log)[-300:])

    def agent(self, *options):
        return self.start("agent", self.listen_cmd("--ui", "quiet", *options), None)

    def bore(self):
        host, port = BORE.split(":")
        server = self.start("bore server", ["bore", "server", "--bind-addr", host, "--bind-tunnels", host], f"{host}:7835")
        client = ["bore", "local", SINK.split(":")[1], "--local-host", host, "--to", host, "--port", port]
        return {"server": server, "client": self.start("bore client", client, BORE)}

    def rathole(self):
        config = os.path.join(HERE, "rathole.toml")
        server = self.start("rathole server", ["rathole", "--server", config], "127.0.0.1:9160")
        return {"server": server, "client": self.start("rathole client", ["rathole", "--client", config], RATHOLE)}

    def agents(self, count):
        """A process of many idle agents, once the relay has welcomed them all."""
        cmd = [program("agents"), RELAY, "--token-file", self.token(), "--count", str(count)]
        proc = subprocess.Popen(cmd, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, start_new_session=True)
        proc.role = "agents"
        self.procs.list.append(proc)
        if not proc.stdout.readline():
            raise RuntimeError("the agents were not all welcome")
        return proc

    def kill(self, proc):
        """Ends a process as a power cut would, as far as a process can tell."""
        os.killpg(proc.pid, signal.SIGKILL)
        proc.wait()
        self.procs.list.remove(proc)

    def kept(self):
        """The number of events in the agent's history; 0 before there is one."""
        found = glob.glob(os.path.join(self.dir, "agent", "**", "*.db"), recursive=True)
        return sum(count(path) for path in found)

    def stored(self):
        """The number of events in the relay's database."""
        return count(os.path.join(self.dir, "relay", "relay.db"))


def count(path):
    """The number of events in a database of either side."""
    db = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        return db.execute("SELECT count(*) FROM events").fetchone()[0]
    except sqlite3.OperationalError:
        return 0  # it is being made
    finally:
        db.close()


def ask(path):
    """What the sink says at a path of its own."""
    with urllib.request.urlopen(f"http://{SINK}{path}", timeout=20) as answer:
        return answer.read().decode()


def send(url, **options):
    """Runs the sender to its end; what it reports."""
    cmd = [program("post"), url]
    for name, value in options.items():
        cmd += ["--" + name.replace("_", "-"), str(value)]
    return json.loads(subprocess.run(cmd, check=True, stdout=subprocess.PIPE, timeout=180).stdout)


def until(condition, limit, what):
    end = time.time() + limit
    while not condition():
        if time.time() > end:
            raise RuntimeError(f"waited {limit} s for {what}")
        time.sleep(0.02)
