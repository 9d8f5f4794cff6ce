"""What named processes and the rest of the machine use, and loads that are run again where something disturbed them."""
import os
import time

import peers


class Meter:
    """What named processes and the rest of the machine used while it was open."""

    def __init__(self, known, **measured):
        self.measured, self.known = measured, known

    def __enter__(self):
        self.before = {name: peers.usage([p.pid]) for name, p in self.measured.items()}
        self.known0, self.own0 = peers.usage([p.pid for p in self.known])["cpu"], time_used()
        self.machine0, self.start = sum(peers.machine()), time.time()
        return self

    def __exit__(self, *_):
        self.seconds = time.time() - self.start
        busy = sum(peers.machine()) - self.machine0
        after = {name: peers.usage([p.pid]) for name, p in self.measured.items()}
        self.cpu = {name: after[name]["cpu"] - self.before[name]["cpu"] for name in after}
        self.csw = {name: after[name]["csw"] - self.before[name]["csw"] for name in after}
        self.rss = {name: after[name]["rss"] / 1024 for name in after}
        known = peers.usage([p.pid for p in self.known])["cpu"] - self.known0 + time_used() - self.own0
        self.foreign = max(0.0, (busy - known - sum(self.cpu.values())) / (self.seconds * peers.CORES))

    def each(self, events):
        """CPU µs and context switches an event, of each process and of all together."""
        events = max(1, events)
        row = {f"cpu_{name}": cpu * 1e6 / events for name, cpu in self.cpu.items()}
        row |= {f"csw_{name}": csw / events for name, csw in self.csw.items()}
        return {**row, "cpu": sum(self.cpu.values()) * 1e6 / events, "csw": sum(self.csw.values()) / events}


def time_used():
    """CPU seconds of this script and of the load tools that it has waited for."""
    return sum(os.times()[:4])


def cleanest(once, a):
    """Runs it when the machine is quiet, again if something else disturbed it; the cleanest run."""
    best = None
    for _ in range(1 + a.retries):
        peers.quiet(a)
        got = once()
        if best is None or got.get("foreign", 1) < best.get("foreign", 1):
            best = got
        if best.get("foreign", 1) < a.max_foreign:
            break
    return best
