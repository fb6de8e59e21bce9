#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""summary.py --status STATUS TESTLOG.json PYTEST.xml

Adds up what meson test and pytest reported. Prints the lines that a meson test began with "note: ",
the skipped tests by name, the failed ones too, and as the last line "N passed, N failed". Exits 0 only when STATUS is 0, at least one test passed
and none failed.

A unit test program speaks TAP: each of its tests counts. Any other meson test counts one. A program
that broke off counts as one failed test more, so that what it never got to is not lost.
"""
import argparse
import json
import pathlib
import re
import sys
import xml.etree.ElementTree

TAP_LINE = re.compile(r"^(not ok|ok)\b\s*\d*\s*-?\s*([^#\n]*?)\s*(?:#\s*(SKIP|TODO)\b\s*(.*))?$", re.IGNORECASE)
NOTE = re.compile(r"^note: (.+)$", re.MULTILINE)
TAP_SKIP_ALL = re.compile(r"^1\.\.0\b.*#\s*skip", re.IGNORECASE | re.MULTILINE)


class Tally:
    """Names of tests by what became of them, and what tests wanted to be said."""

    def __init__(self):
        self.passed, self.failed, self.skipped, self.notes = [], [], [], []


def add_tap(tally, program, output, result):
    """The tests of one TAP program. result is meson's word for the whole program."""
    if TAP_SKIP_ALL.search(output):
        tally.skipped.append(program)
        return
    failed_before = len(tally.failed)
    for line in output.splitlines():
        match = TAP_LINE.match(line)
        if match is None:
            continue
        # cmocka names a skipped test behind the directive, where TAP has the reason.
        name = f"{program}: {match[2] or match[4]}"
        if match[3] and match[3].upper() == "SKIP":
            tally.skipped.append(name)
        elif match[1] == "ok":
            tally.passed.append(name)
        else:
            tally.failed.append(name)
    if result not in ("OK", "SKIP") and len(tally.failed) == failed_before:
        tally.failed.append(f"{program}: {result}")


def add_meson(tally, text):
    """text: meson's testlog.json, a JSON object a line."""
    for line in text.splitlines():
        test = json.loads(line)
        name, result, output = test["name"], test["result"], test.get("stdout", "")
        tally.notes += NOTE.findall(output)
        if re.search(r"^(1\.\.\d+|ok|not ok)\b", output, re.MULTILINE):
            add_tap(tally, name, output, result)
        elif result in ("OK", "EXPECTEDFAIL"):
            tally.passed.append(name)
        elif result == "SKIP":
            tally.skipped.append(name)
        else:
            tally.failed.append(f"{name}: {result}")


def add_pytest(tally, text):
    """text: pytest's JUnit file. A failed test whose clean-up failed too is there twice."""
    outcome = {}
    for case in xml.etree.ElementTree.fromstring(text).iter("testcase"):
        name = f"{case.get('classname')}.{case.get('name')}"
        if case.find("failure") is not None or case.find("error") is not None:
            outcome[name] = tally.failed
        elif case.find("skipped") is not None:
            outcome.setdefault(name, tally.skipped)
        else:
            outcome.setdefault(name, tally.passed)
    for name, names in outcome.items():
        names.append(name)


def main(arguments):
    parser = argparse.ArgumentParser()
    parser.add_argument("--status", type=int, required=True)
    parser.add_argument("testlog", type=pathlib.Path)
    parser.add_argument("pytest", type=pathlib.Path)
    options = parser.parse_args(arguments)
    tally = Tally()
    for path, add in ((options.testlog, add_meson), (options.pytest, add_pytest)):
        if path.exists():
            add(tally, path.read_text(encoding="utf-8"))
        else:
            tally.failed.append(f"{path.name}: was not written")
    if options.status != 0 and not tally.failed:
        tally.failed.append(f"a test runner ended with {options.status}")
    for note in tally.notes:
        print(note)
    for name in tally.skipped:
        print(f"skipped: {name}")
    for name in tally.failed:
        print(f"failed: {name}")
    print(f"{len(tally.passed)} passed, {len(tally.failed)} failed")
    return 1 if tally.failed or not tally.passed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
