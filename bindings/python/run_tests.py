#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""run_tests.py MODULE.so [--all | NAME...] [--jobs N] [--timeout SECONDS]

Runs CPython's own tests twice, with CPython's `_socket` and with the one of MODULE.so, and compares
test by test. NAME is a test module (test_ssl, test_asyncio.test_streams); without any, and without
--all, those that selection.py calls SHORT.

Fails on every test that passes with CPython's module and not with ours, unless selection.py gives a
reason. A test that failed is run again, alone, before it counts: some of CPython's depend on the
load of the machine. Exits with 77 where Debian's CPython 3.11 or its test-suite is missing.
"""
import argparse
import collections
import concurrent.futures
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile

import selection

HERE = pathlib.Path(__file__).resolve().parent
SIDES = ("CPython", "libpartyline")
SKIPPED_STATUS = 77
AGAIN_TIMEOUT_S = 60  # of a single test

Unit = collections.namedtuple("Unit", "module part parts names", defaults=((),))


class Outcome:
    """What became of the tests of a module with one `_socket`."""

    def __init__(self):
        self.tests = {}  # name: (status, why)
        self.broken = []  # workers that did not come to their end, a line each

    def count(self, status):
        return sum(found == status for found, why in self.tests.values())

    def text(self):
        return f"{self.count('ok')} passed, {self.count('skipped')} skipped, {self.count('failed')} failed"


def environment(side, module, home):
    """The worker's environment: ours tells it, and all its children, which module to use."""
    variables = {name: value for name, value in os.environ.items()
                 if not name.startswith(("PYTHON", "PARTYLINE_"))}
    variables.update(HOME=home, TMPDIR=home, LANG="C.UTF-8", LC_ALL="C.UTF-8")
    if side == "libpartyline":
        variables.update(PYTHONPATH=str(HERE / "site"), PARTYLINE_SOCKET_MODULE=str(module))
    return variables


def end_group(process):
    """Ends a worker that hangs, and what it has started: first so that it says where."""
    for number in (signal.SIGABRT, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
            process.wait(timeout=5)
        except (ProcessLookupError, subprocess.TimeoutExpired):
            pass


def read_events(path):
    try:
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    except FileNotFoundError:
        return []


def run_unit(unit, side, module, timeout):
    """Runs a worker to its end. Returns its events and, when it has none, what is known of that."""
    with tempfile.TemporaryDirectory(prefix="pl-", ignore_cleanup_errors=True) as home:
        events_file, log = pathlib.Path(home, "events"), pathlib.Path(home, "log")
        with open(log, "wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-W", "ignore", HERE / "worker.py", unit.module, str(unit.part),
                 str(unit.parts), events_file, *unit.names],
                cwd=home, env=environment(side, module, home), start_new_session=True,
                stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT)
            try:
                process.wait(timeout=timeout)
            except subprocess.TimeoutExpired:
                pass
            finally:
                # Also what a worker has left behind when it ended.
                end_group(process)
        events = read_events(events_file)
        if events and events[-1][0] == "end":
            return events, ""
        tail = log.read_text(encoding="utf-8", errors="replace")[-3000:]
        return events, f"{unit.module} did not come to its end (status {process.returncode}):\n{tail}"


def add_events(outcome, events):
    """Adds what a worker has told. A test that has begun and not ended has failed."""
    for kind, *rest in events:
        if kind == "start":
            outcome.tests[rest[0]] = ("failed", "did not end")
        elif kind in ("ok", "skipped", "failed"):
            outcome.tests[rest[0]] = (kind, rest[1])


def run_all(units, options):
    """Runs all units with both modules. Returns {(module, side): Outcome}."""
    outcomes = collections.defaultdict(Outcome)
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        futures = {pool.submit(run_unit, unit, side, options.module, options.timeout): (unit, side)
                   for unit in units for side in SIDES}
        for future in concurrent.futures.as_completed(futures):
            unit, side = futures[future]
            events, broken = future.result()
            outcome = outcomes[unit.module, side]
            add_events(outcome, events)
            if broken:
                outcome.broken.append(broken)
    return outcomes


def worse(outcomes, module):
    """Tests that pass with CPython's `_socket` and not with ours, and nobody has said why."""
    theirs, ours = (outcomes[module, side].tests for side in SIDES)
    return [test for test, (status, why) in theirs.items()
            if status == "ok" and ours.get(test, ("missing", ""))[0] != "ok" and test not in selection.DIFFERENT]


def run_again(outcomes, modules, options):
    """Gives what failed a second chance, each test alone. Returns the tests that took it."""
    units = [Unit(module, 0, 1, (test,)) for module in modules for test in worse(outcomes, module)]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        timeout = min(options.timeout, AGAIN_TIMEOUT_S)
        runs = list(pool.map(lambda unit: run_unit(unit, "libpartyline", options.module, timeout), units))
    for unit, (events, broken) in zip(units, runs):
        add_events(outcomes[unit.module, "libpartyline"], events)
    return [unit.names[0] for unit in units
            if outcomes[unit.module, "libpartyline"].tests.get(unit.names[0], ("",))[0] == "ok"]


def report(outcomes, modules, recovered):
    """Prints the counts and what is wrong. Returns the number of tests that are worse with ours."""
    bad = 0
    for module in modules:
        theirs, ours = (outcomes[module, side] for side in SIDES)
        note = "note: " if module in selection.NOTED else ""
        print(f"{note}{module}: CPython's _socket {theirs.text()}; libpartyline's {ours.text()}")
        for test in worse(outcomes, module):
            status, why = ours.tests.get(test, ("missing", ""))
            print(f"  worse: {test}: {status}\n{why[-2000:]}")
            bad += 1
        if theirs.count("ok") + theirs.count("skipped") == 0:
            print(f"  worse: {module}: nothing could be run with CPython's own _socket")
            bad += 1
        for line in theirs.broken + ours.broken:
            print("  " + line)
    for test in recovered:
        print(f"  passed when it was run again, alone: {test}")
    for test, reason in selection.EXCLUDED.items():
        print(f"  not run: {test}: {reason}")
    for test, reason in selection.DIFFERENT.items():
        print(f"  different: {test}: {reason}")
    for side in SIDES:
        sides = [outcomes[module, side] for module in modules]
        print(f"note: CPython's tests in all with {side}'s _socket: {sum(one.count('ok') for one in sides)} passed, "
              f"{sum(one.count('skipped') for one in sides)} skipped, "
              f"{sum(one.count('failed') for one in sides)} failed")
    return bad


def missing():
    """Why the tests cannot run here; empty when they can."""
    if sys.version_info[:2] != (3, 11) or sys.implementation.name != "cpython":
        return f"the binding is for CPython 3.11, this is {sys.version.split()[0]}"
    if not pathlib.Path(os.__file__).with_name("test").joinpath("test_socket.py").exists():
        return "CPython's tests are not installed (libpython3.11-testsuite)"
    return ""


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("module", type=pathlib.Path)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--jobs", type=int, default=max(8, 2 * (os.cpu_count() or 1)))
    parser.add_argument("--timeout", type=float, default=240)
    return parser.parse_args()


def main():
    options = parse_arguments()
    reason = missing()
    if reason:
        print(f"skipped: {reason}")
        return SKIPPED_STATUS
    options.module = options.module.resolve(strict=True)
    modules = options.names or (selection.ALL if options.all else selection.SHORT)
    units = [Unit(module, part, selection.PARTS.get(module, 1))
             for module in modules for part in range(selection.PARTS.get(module, 1))]
    units.sort(key=lambda unit: unit.module not in selection.PARTS)  # what takes long begins first
    outcomes = run_all(units, options)
    recovered = run_again(outcomes, modules, options)
    return 1 if report(outcomes, modules, recovered) > 0 else 0


if __name__ == "__main__":
    sys.exit(main())
