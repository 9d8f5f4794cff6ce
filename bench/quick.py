"""bench/run.py quick: a few ratios in two minutes, beside those that are stored in bench/quick.json.

    bench/run.py quick              fails where a ratio is worse than the stored one by more than --margin (0.25)
    bench/run.py quick --store      stores them: on a quiet machine, after a change that was meant

Ratios to nginx in the same round do for different machines; none of this belongs into CI, whose machines are noisy.
"""
import argparse
import json
import os
import statistics
import sys

import contest
import peers
import stage
import written

FILE = os.path.join(stage.HERE, "quick.json")
# What is better: more, or less.
MORE, LESS = 1, -1


def measured(a):
    import run  # it imports this file
    keep64 = [load for load in run.LOADS if load["name"] == "keep64"]
    accepted = run.accept(a, keep64)
    through = run.through(a)
    local = contest.pass_through(a, [load for load in contest.LOADS if load["name"] == "d16"], ("nginx", "podtap local"))
    calm = contest.calm(a, ("nginx", "podtap"))
    burst = [written.once("burst", argparse.Namespace(log=a.log, events=4000, where=False)) for _ in range(a.rounds)]
    middle = lambda key: statistics.median(row[key] for row in burst)
    return {
        "accepted, 64 connections": (run.ratio(accepted, "rps", load="keep64"), MORE),
        "delivered, distinct items": (run.ratio(through, "delivered_s"), MORE),
        "passed through, 16 connections": (contest.ratio(local, "podtap local", "rps"), MORE),
        "calm, CPU an event": (contest.ratio(calm, "podtap", "cpu"), LESS),
        "calm, switches an event": (contest.ratio(calm, "podtap", "csw"), LESS),
        "relay, KB written an event": (middle("relay"), LESS),
        "agent, KB written an event": (middle("agent"), LESS),
    }, max(row.get("foreign", 0) for row in accepted + through + local + calm)


def main(arguments):
    ap = argparse.ArgumentParser(prog="bench/run.py quick")
    ap.add_argument("--store", action="store_true")
    ap.add_argument("--margin", type=float, default=0.25)
    ap.add_argument("--rounds", type=int, default=2)
    ap.add_argument("--secs", type=int, default=2)
    ap.add_argument("--log")
    ap.add_argument("--max-foreign", type=float, default=0.12)
    ap.add_argument("--max-wait", type=float, default=3)
    ap.add_argument("--retries", type=int, default=0)
    a = ap.parse_args(arguments)
    stored = {}
    if os.path.exists(FILE):
        with open(FILE) as f:
            stored = json.load(f)
    found, foreign = measured(a)
    body, worse = [], []
    for name, (value, better) in found.items():
        known = stored.get(name)
        change = value / known - 1 if known else None
        is_worse = change is not None and -better * change > a.margin
        worse += [name] * is_worse
        body.append([name, peers.f(value, 2), peers.f(known, 2), f"{change:+.0%}" if change is not None else "–", "WORSE" if is_worse else ""])
    peers.table(["", "now", "stored", "change", ""], body)
    print(f"Others used up to {foreign:.0%} of the machine.")
    if a.store:
        with open(FILE, "w") as f:
            json.dump({name: round(value, 3) for name, (value, _) in found.items()}, f, indent=1)
            f.write("\n")
    elif not stored:
        print("Nothing is stored yet: run it with --store on a quiet machine.")
    if worse and not a.store:
        sys.exit("worse than stored: " + ", ".join(worse))
