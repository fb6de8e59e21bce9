#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What members who stop reading cost the others: delays and CPU time, without them and beside them.

    bench/slow_readers.py --build build --members 800 --slow 200 --pairs 5

Each pair is two runs of `partyline bench room` on the same server, one after the other: the members
alone, and the members beside as many more who enter the lobby and then read nothing. The load generator
keeps a fixed number of messages on their way, so whatever the server does more shows in each delay.
Figures are medians of the pairs' ratios. Any message that is lost ends it with exit code 1.
"""
import argparse
import json
import pathlib
import socket
import statistics
import subprocess
import sys
import tempfile

import compare

KEYS = ("p50_us", "p90_us", "p99_us", "server_cpu_us")


def stop_reading(url, count):
    """Connections whose users have read their welcome and read no more."""
    host, port = url.rsplit("/", 1)[1].rsplit(":", 1)
    members = []
    for _ in range(count):
        member = socket.socket()
        # Little room for what is not read: after a few messages it waits in the server.
        member.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        member.connect((host, int(port)))
        member.recv(1, socket.MSG_PEEK)
        members.append(member)
    return members


def run_bench(args, url, process):
    done = subprocess.run(
        [args.build / "bin/partyline", "bench", "room", "--connect", url, "--members", str(args.members),
         "--window", "16", "--size", "200", "--messages", str(args.messages), "--warmup", "0",
         "--pid", str(process.pid), "--json", "-"], stdout=subprocess.PIPE, check=False)
    if done.returncode != 0:
        sys.exit(f"bench failed with {done.returncode}")
    return json.loads(done.stdout)


def measure_pair(args, url, process):
    """The ratio of each figure, beside slow members to alone."""
    alone = run_bench(args, url, process)
    slow = stop_reading(url, args.slow)
    try:
        beside = run_bench(args, url, process)
    finally:
        for member in slow:
            member.close()
    return {key: beside[key] / alone[key] for key in KEYS}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=compare.ROOT / "build", help="build directory")
    parser.add_argument("--members", type=int, default=800)
    parser.add_argument("--slow", type=int, default=200)
    parser.add_argument("--messages", type=int, default=3000)
    parser.add_argument("--pairs", type=int, default=5)
    args = parser.parse_args()
    args.build = args.build.resolve()
    args.partyline, args.loops = None, None
    data = args.build / "compare"
    data.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=data) as directory:
        process, url = compare.start_partyline(args, pathlib.Path(directory), limits={"sendq": 98304})
        try:
            ratios = [measure_pair(args, url, process) for _ in range(args.pairs)]
        finally:
            compare.stop(process)
    print(f"{args.members} members beside {args.slow} who do not read, against alone; {args.pairs} pairs")
    for key in KEYS:
        values = [ratio[key] for ratio in ratios]
        print(f"{key:14} x {statistics.median(values):.2f} ({min(values):.2f} to {max(values):.2f})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
