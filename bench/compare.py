#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs one scenario of `partyline bench` against several servers and compares the medians.

    bench/compare.py room --members 1000 --window 64
    bench/compare.py room --members 100 --window 1 --servers floor,partyline,inspircd
    bench/compare.py idle --members 10000
    bench/compare.py echo --connections 100 --depth 16

Rounds are interleaved (A B C A B C ...), each with a fresh server, so that a machine that grows
slower or faster meets all alike; ratios are to the floor of the same runs. Options that this script
does not know go to `partyline bench` as they are. A server that is not installed is left out.
"""
import argparse
import contextlib
import json
import os
import pathlib
import platform
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
START_S = 30
LISTENING = re.compile(r"listening on (\S+)")

# What is shown of each scenario: key in the JSON, head of the column, decimals.
COLUMNS = {
    "room": [
        ("server_cpu_us", "CPU us/delivery", 3),
        ("server_user_us", "user", 3),
        ("server_sys_us", "system", 3),
        ("deliveries_per_s", "deliveries/s", 0),
        ("p50_us", "p50 us", 0),
        ("p99_us", "p99 us", 0),
        ("server_pss_kib", "PSS KiB", 0),
    ],
    "idle": [
        ("pss_per_connection", "bytes/connection", 0),
        ("server_cpu_us", "CPU us/connect", 1),
        ("connects_per_s", "connects/s", 0),
        ("p99_us", "p99 us", 0),
        ("hold_cpu_ms", "idle CPU ms", 0),
    ],
    "echo": [
        ("server_cpu_us", "CPU us/request", 3),
        ("server_user_us", "user", 3),
        ("server_sys_us", "system", 3),
        ("requests_per_s", "requests/s", 0),
        ("p50_us", "p50 us", 0),
        ("p99_us", "p99 us", 0),
    ],
}


class Missing(Exception):
    """A server that is not there to be measured."""


def find_program(name):
    """The path of an installed server; daemons are often outside of a user's PATH."""
    path = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")
    if path is None:
        raise Missing(f"{name} is not installed")
    return path


def free_port():
    """A port nobody listens on now, for servers that cannot pick one themselves."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def wait_for_port(port, process):
    """Waits until somebody accepts on the port."""
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        time.sleep(0.05)
    raise RuntimeError(f"server does not listen: exit code {process.poll()}")


PINNED = {"server": [], "load": []}


def pin(cpus):
    """Has servers run on one processor and the load on another: nothing then depends on where the
    kernel happens to put them, which on two processors changes the price of a send by half."""
    for who, cpu in zip(("server", "load"), cpus.split(","), strict=True):
        PINNED[who] = [find_program("taskset"), "--cpu-list", cpu]


def spawn(command, directory, stdout=subprocess.DEVNULL):
    """A server as a process; what it writes to standard error goes to a file in its directory."""
    with open(directory / "stderr", "wb") as log:
        return subprocess.Popen(PINNED["server"] + command, stdin=subprocess.DEVNULL, stdout=stdout, stderr=log,
                                cwd=directory)


def read_url(process, directory):
    """The first address a server of ours prints."""
    for line in process.stdout:
        found = LISTENING.match(line.decode())
        if found:
            return found[1]
    raise RuntimeError("server ended: " + (directory / "stderr").read_text(errors="replace"))


def start_floor(args, directory):
    program = "floor_echo" if args.scenario == "echo" else "floor_room"
    process = spawn([args.build / "bench" / program], directory, subprocess.PIPE)
    return process, read_url(process, directory)


def start_echo(program, *arguments):
    """Starts one of the echo servers of this folder; some are built only where their library is."""
    def start(args, directory):
        path = args.build / "bench" / program
        if not path.exists():
            raise Missing(f"{path} was not built")
        process = spawn([path, *arguments], directory, subprocess.PIPE)
        return process, read_url(process, directory)
    return start


def start_python_echo(_args, directory):
    process = spawn([sys.executable, ROOT / "bench" / "server_echo.py", "0"], directory, subprocess.PIPE)
    return process, read_url(process, directory)


def start_storing_floor(args, directory):
    process = spawn([args.build / "bench" / "floor_room", "--store", str(directory / "lines")],
                    directory, subprocess.PIPE)
    return process, read_url(process, directory)


def start_partyline(args, directory, front="line", limits=None):
    config = {
        "listen": [f"{front}://127.0.0.1:0"],
        "data": str(directory / "data"),
        "log_level": "warning",
        "history": {"on_join": 0},
        "limits": {
            "flood": False,
            "connections": 0,
            "connections_per_address": 0,
            "connection_rate": 0,
            "sendq": 64 * 1024 * 1024,
            "line": 1024,
            "announce": 1,
            "idle_timeout": 0,
            **(limits or {}),
        },
    }
    if args.loops is not None:
        config["loops"] = args.loops
    path = directory / "partyline.yaml"
    path.write_text(json.dumps(config, indent=1) + "\n", encoding="utf-8")  # JSON is YAML
    command = [args.partyline or args.build / "bin/partyline", "serve", "--config", path]
    process = spawn(command, directory, subprocess.PIPE)
    return process, read_url(process, directory)


def start_partyline_irc(args, directory):
    return start_partyline(args, directory, "irc")


INSPIRCD = """
<path configdir="{dir}" datadir="{dir}" logdir="{dir}" runtimedir="{dir}">
<server name="irc.bench.example" description="bench" network="Bench">
<admin name="bench" nick="bench" email="bench@example.org">
<bind address="127.0.0.1" port="{port}" type="clients">
<connect name="main" allow="*" timeout="300" pingfreq="1h" hardsendq="64M" softsendq="64M" recvq="1M"
  threshold="100000000" commandrate="100000000" fakelag="no" localmax="1000000" globalmax="1000000"
  maxconnwarn="no" resolvehostnames="no" useident="no" limit="1000000" maxchans="20">
<performance netbuffersize="65534" somaxconn="4096" softlimit="1000000" clonesonconnect="no" quietbursts="yes">
<options allowhalfop="no" defaultmodes="nt">
<security maxtargets="20">
<limits maxnick="30" maxident="12">
<whowas groupsize="0" maxgroups="0" maxkeep="1s">
<log method="file" type="*" level="default" target="{dir}/inspircd.log">
"""


def start_inspircd(args, directory):
    port = free_port()
    config = directory / "inspircd.conf"
    config.write_text(INSPIRCD.format(dir=directory, port=port), encoding="utf-8")
    command = [find_program("inspircd"), "--nofork", "--nopid", "--config", config]
    if os.geteuid() == 0:
        command.append("--runasroot")
    process = spawn(command, directory)
    wait_for_port(port, process)
    return process, f"irc://127.0.0.1:{port}"


NGIRCD = """
[Global]
Name = irc.bench.example
Info = bench
Listen = 127.0.0.1
Ports = {port}
ServerUID = {user}
ServerGID = {group}
MotdPhrase = bench
[Limits]
MaxConnections = 0
MaxConnectionsIP = 0
MaxJoins = 0
MaxNickLength = 30
MaxPenaltyTime = 0
PingTimeout = 3600
PongTimeout = 3600
[Options]
DNS = no
Ident = no
PAM = no
SyslogFacility = local1
"""


def start_ngircd(args, directory):
    port = free_port()
    config = directory / "ngircd.conf"
    root = os.geteuid() == 0
    user = "65534" if root else str(os.getuid())
    group = "65534" if root else str(os.getgid())
    config.write_text(NGIRCD.format(port=port, user=user, group=group), encoding="utf-8")
    process = spawn([find_program("ngircd"), "--nodaemon", "--config", config], directory)
    wait_for_port(port, process)
    return process, f"irc://127.0.0.1:{port}"


# name: how to start it, what it speaks, in which scenarios it takes part.
SERVERS = {
    "floor": (start_floor, "raw", {"room", "idle", "echo"}),
    "floor-stored": (start_storing_floor, "raw", {"room"}),
    "partyline": (start_partyline, "line", {"room", "idle"}),
    "partyline-irc": (start_partyline_irc, "irc", {"room", "idle"}),
    "inspircd": (start_inspircd, "irc", {"room", "idle"}),
    "ngircd": (start_ngircd, "irc", {"room", "idle"}),
    "loop": (start_echo("echo_partyline"), "raw", {"echo"}),
    "loop-uring": (start_echo("echo_partyline", "io_uring"), "raw", {"echo"}),
    "threads": (start_echo("server_echo", "0"), "raw", {"echo"}),
    "python-threads": (start_python_echo, "raw", {"echo"}),
    "libuv": (start_echo("echo_libuv"), "raw", {"echo"}),
    "libevent": (start_echo("echo_libevent"), "raw", {"echo"}),
}


def stop(process):
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout is not None:
        process.stdout.close()


def measure(args, name, directory):
    """One run against a fresh server: what `partyline bench` found."""
    start, protocol, _ = SERVERS[name]
    process = None
    try:
        process, url = start(args, directory)
        command = [args.generator or args.build / "bin/partyline", "bench", args.scenario,
                   "--connect", url, "--pid", str(process.pid), "--json", "-"]
        if args.scenario != "echo":
            command += ["--protocol", protocol]
        done = subprocess.run(PINNED["load"] + command + args.rest, stdout=subprocess.PIPE, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"bench failed with {done.returncode}: {done.stdout.decode()}")
        return json.loads(done.stdout)
    finally:
        if process is not None:
            stop(process)


def run_rounds(args):
    """All results, a list for each server; servers that cannot run are told and left out."""
    results = {name: [] for name in args.servers}
    for number in range(args.rounds):
        for name in list(results):
            with tempfile.TemporaryDirectory(prefix=f"{name}-", dir=args.data) as directory:
                try:
                    result = measure(args, name, pathlib.Path(directory))
                except Missing as missing:
                    print(f"{name}: {missing}; left out", file=sys.stderr)
                    del results[name]
                    continue
                except RuntimeError as error:
                    print(f"{name}: round {number + 1}: {error}; left out", file=sys.stderr)
                    del results[name]
                    args.failed = True
                    continue
            key, head, decimals = COLUMNS[args.scenario][0]
            print(f"round {number + 1} {name}: {result[key]:.{decimals}f} {head}", file=sys.stderr)
            results[name].append(result)
    return results


def median_text(runs, key, decimals):
    """The median of a value; "-" when a run was too short to yield it."""
    values = [run[key] for run in runs if key in run]
    return f"{statistics.median(values):.{decimals}f}" if len(values) == len(runs) else "-"


def table(scenario, results):
    """The medians as a Markdown table; the first column's ratio to the floor, and its spread."""
    columns = COLUMNS[scenario]
    main_key, _, main_decimals = columns[0]
    heads = ["server", columns[0][1], "least to most", "x floor"] + [head for _, head, _ in columns[1:]]
    rows = [heads, ["---"] * len(heads)]
    floor = None
    if results.get("floor"):
        floor = statistics.median(run[main_key] for run in results["floor"])
    for name, runs in results.items():
        if not runs:
            continue
        values = [run[main_key] for run in runs]
        middle = statistics.median(values)
        row = [name, f"{middle:.{main_decimals}f}",
               f"{min(values):.{main_decimals}f} to {max(values):.{main_decimals}f}",
               f"{middle / floor:.2f}" if floor else "-"]
        row += [median_text(runs, key, decimals) for key, _, decimals in columns[1:]]
        rows.append(row)
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def filesystem(path):
    """The type of the file system a path lies on: tmpfs makes a commit free, and is no disk."""
    return subprocess.run(["stat", "-f", "-c", "%T", path], stdout=subprocess.PIPE, check=True,
                          text=True).stdout.strip()


def cpu_model():
    with contextlib.suppress(OSError):
        for line in pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.machine()


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scenario", choices=sorted(COLUMNS))
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build", help="build directory")
    parser.add_argument("--partyline", type=pathlib.Path, help="the server, if not BUILD/bin/partyline")
    parser.add_argument("--generator", type=pathlib.Path, help="puts the load, if not BUILD/bin/partyline")
    parser.add_argument("--servers", help="of " + ",".join(SERVERS) + " (all for the scenario)")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--loops", type=int, help="loops of partyline, if not its default")
    parser.add_argument("--cpus", metavar="SERVER,LOAD", help="pin them to these processors: 0,1")
    parser.add_argument("--data", type=pathlib.Path, help="where servers keep data; a disk (BUILD/compare)")
    parser.add_argument("--json", type=pathlib.Path, help="write every single result to this file")
    args, args.rest = parser.parse_known_args()
    chosen = args.servers.split(",") if args.servers else list(SERVERS)
    unknown = [name for name in chosen if name not in SERVERS]
    if unknown or args.rounds < 1:
        parser.error(f"no such servers: {unknown}" if unknown else "at least one round")
    args.servers = [name for name in chosen if args.scenario in SERVERS[name][2]]
    args.build = args.build.resolve()
    args.data = (args.data or args.build / "compare").resolve()
    args.failed = False
    if args.cpus:
        pin(args.cpus)
    return args


def main():
    args = parse_arguments()
    args.data.mkdir(parents=True, exist_ok=True)
    kind = filesystem(args.data)
    if kind in ("tmpfs", "ramfs"):
        print(f"{args.data} is {kind}, where a commit costs nothing: choose a disk with --data", file=sys.stderr)
        return 2
    results = run_rounds(args)
    print(f"{args.scenario} {' '.join(args.rest)}: medians of {args.rounds} interleaved rounds; "
          f"{os.cpu_count()} x {cpu_model()}, Linux {platform.release()}, data on {kind}\n")
    print(table(args.scenario, results))
    if args.json:
        args.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    return 1 if args.failed else 0


if __name__ == "__main__":
    sys.exit(main())
