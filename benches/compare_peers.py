#!/usr/bin/env python3
"""Runs our benchmark and a peer's in alternation, and compares the medians.

    python3 benches/compare_peers.py --rounds 5 \\
        --ours 'target/release/elbo bench --batch 128 --json' \\
        --peer 'python torch_vae.py --device cpu --threads 2 --batch 128'

Each command is given to the shell as it is, and prints one JSON value on its standard output: the whole output, or its last line that
is a JSON object or array (anything before it is ignored). What it writes to standard error is shown only if it fails.

The two run one after the other, never at once, as ours, peer, ours, peer, ... so that a machine that warms up, throttles or is shared
treats both alike; --swap lets the peer begin every second round. A figure is a number, larger being better, found by its key: field names
and list positions joined by dots. `steps.0.samples_per_second` is document["steps"][0]["samples_per_second"].

Printed at the end: for each side the median, the smallest and the largest figure, and the ratio ours / peer of the medians with the range
of the ratios of single rounds. Exit status: 0 when every run gave its figure; 1 when a command failed, printed no JSON, or lacks the key;
2 for wrong options.
"""
import argparse
import json
import math
import os
import signal
import statistics
import subprocess
import sys


class RunFailed(Exception):
    """A command gave no figure; the text says which, and why."""


def tail(text, lines=15):
    """The last lines of a program's output, indented, for an error message."""
    kept = [line for line in text.splitlines() if line.strip()][-lines:]
    return "".join(f"\n    {line}" for line in kept) if kept else " nothing"


def document_of(output):
    """The JSON value that a program printed: its whole output, or the last line that is an object or a list; None if there is none."""
    for candidate in [output, *reversed(output.splitlines())]:
        try:
            value = json.loads(candidate)
        except ValueError:
            continue
        if isinstance(value, (dict, list)):
            return value
    return None


def look_up(document, key):
    """The number at a dotted key. Where the way ends, says what is there instead."""
    value, way = document, []
    for part in key.split("."):
        here = f"at {'.'.join(way)!r}" if way else "at the top"
        if isinstance(value, dict):
            if part not in value:
                raise RunFailed(f"no field {part!r} {here}; the fields there are: {', '.join(map(str, value)) or 'none'}")
            value = value[part]
        elif isinstance(value, list):
            if not part.isdecimal() or int(part) >= len(value):
                raise RunFailed(f"no position {part!r} {here}, which is a list of {len(value)}")
            value = value[int(part)]
        else:
            raise RunFailed(f"no {part!r} {here}, which is {json.dumps(value)} and has no fields")
        way.append(part)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value) or value <= 0:
        raise RunFailed(f"{json.dumps(value)[:80]} at {key!r}, where a positive number was expected")
    return float(value)


def measure(side, command, key, timeout):
    """Runs one command once and gives its figure."""
    pipe = subprocess.PIPE
    # In a session of its own, so that a run that does not end can be ended with everything it started.
    process = subprocess.Popen(command, shell=True, stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe, text=True, errors="replace",
                               start_new_session=True)
    try:
        output, errors = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        raise RunFailed(f"{side}: no end after {timeout:g} s (see --timeout)\n  command: {command}") from None
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    shown = f"\n  command: {command}\n  standard error:{tail(errors)}"
    if process.returncode != 0:
        raise RunFailed(f"{side}: exit status {process.returncode}{shown}")
    document = document_of(output)
    if document is None:
        raise RunFailed(f"{side}: no JSON object or list on standard output, which ends:{tail(output, 5)}{shown}")
    try:
        return look_up(document, key)
    except RunFailed as problem:
        raise RunFailed(f"{side}: {problem} (see --{side}-key)\n  command: {command}") from None


def positive(kind):
    def parse(text):
        value = kind(text)
        if not value > 0:
            raise argparse.ArgumentTypeError(f"{text} is not above zero")
        return value
    return parse


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ours", required=True, metavar="CMD", help="the shell command that measures us")
    parser.add_argument("--peer", required=True, metavar="CMD", help="the shell command that measures the peer")
    parser.add_argument("--rounds", type=positive(int), default=5, metavar="N", help="runs of each (default 5)")
    parser.add_argument("--ours-key", default="steps.0.samples_per_second", metavar="PATH", help="where our figure is (default %(default)s)")
    parser.add_argument("--peer-key", default="samples_per_s", metavar="PATH", help="where the peer's figure is (default %(default)s)")
    parser.add_argument("--swap", action="store_true", help="let the peer begin every second round")
    parser.add_argument("--timeout", type=positive(float), default=600, metavar="SECONDS", help="for one run (default 600)")
    parser.add_argument("--json", action="store_true", help="print the result as one JSON line instead of words")
    return parser.parse_args()


def report(figures, as_json):
    ours, peer = figures["ours"], figures["peer"]
    medians = {side: statistics.median(values) for side, values in figures.items()}
    ratios = [a / b for a, b in zip(ours, peer)]
    ratio = medians["ours"] / medians["peer"]
    if as_json:
        print(json.dumps({"ours": ours, "peer": peer, "ours_median": medians["ours"], "peer_median": medians["peer"], "ratio": ratio,
                          "ratio_min": min(ratios), "ratio_max": max(ratios)}))
        return
    for side, values in figures.items():
        print(f"{side}: median {medians[side]:,.0f}  ({min(values):,.0f} to {max(values):,.0f}, {len(values)} runs)")
    print(f"ours / peer: {ratio:.2f}  ({min(ratios):.2f} to {max(ratios):.2f} over single rounds)")


def main():
    options = arguments()
    sides = {"ours": (options.ours, options.ours_key), "peer": (options.peer, options.peer_key)}
    figures = {"ours": [], "peer": []}
    try:
        for turn in range(options.rounds):
            order = reversed(sides) if options.swap and turn % 2 else sides
            for side in order:
                figure = measure(side, *sides[side], options.timeout)
                figures[side].append(figure)
                print(f"round {turn + 1} of {options.rounds}, {side}: {figure:,.0f}", file=sys.stderr, flush=True)
    except RunFailed as problem:
        sys.exit(f"compare_peers: {problem}")
    except KeyboardInterrupt:
        sys.exit("compare_peers: interrupted")
    report(figures, options.json)


if __name__ == "__main__":
    main()
