#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""worker.py MODULE PART PARTS RESULTS [TEST...]

Runs one part of a test module of CPython in this process, or only the tests named, and appends what
happens to the file RESULTS, a JSON list a line, so that nothing is lost when the process is:
["module", FILE], ["start", TEST], ["ok" | "skipped" | "failed", TEST, WHY], ["end"].

With PARTYLINE_SOCKET_MODULE in the environment `_socket` must be that file, without it CPython's.
"""
import faulthandler
import json
import os
import sys
import unittest

import selection


def check_module():
    """The file of the `_socket` that socket uses; ends the process when it is not the one asked for."""
    import _socket
    import socket

    expected = os.environ.get("PARTYLINE_SOCKET_MODULE", "")
    found = getattr(_socket, "__file__", "built-in")
    right = os.path.realpath(found) == os.path.realpath(expected) if expected else not found.endswith("/_socket.so")
    if not right or socket.socket.__base__ is not _socket.socket or sys.modules["_socket"] is not _socket:
        sys.exit(f"worker: _socket is {found}, not {expected or 'built-in'}")
    return found


def flatten(suite):
    """The tests in a suite, in order."""
    for test in suite:
        if isinstance(test, unittest.TestSuite):
            yield from flatten(test)
        else:
            yield test


def short_name(test):
    """test_socket.BasicTCPTest.testRecv"""
    return test.id().removeprefix("test.")


def class_name(test):
    return short_name(test).rpartition(".")[0]


def is_excluded(test):
    return short_name(test) in selection.EXCLUDED or class_name(test) in selection.EXCLUDED


def select(module, part, parts, names):
    """The tests of this part: every parts-th class, whole, as classes may have set-ups of their own."""
    tests = [test for test in flatten(unittest.defaultTestLoader.loadTestsFromName(f"test.{module}"))
             if not is_excluded(test)]
    if names:
        return [test for test in tests if short_name(test) in names]
    classes = list(dict.fromkeys(class_name(test) for test in tests))
    mine = set(classes[part::parts])
    return [test for test in tests if class_name(test) in mine]


class Recorder(unittest.TestResult):
    """Writes down each test as it starts and ends."""

    def __init__(self, path):
        super().__init__()
        self.path = path
        self.outcome = None

    def write(self, *event):
        # Opened each time: some tests close all descriptors, some fork.
        with open(self.path, "a", encoding="utf-8") as file:
            file.write(json.dumps(event) + "\n")

    def startTest(self, test):
        super().startTest(test)
        self.outcome = ("ok", "")
        self.write("start", short_name(test))

    def stopTest(self, test):
        super().stopTest(test)
        self.write(self.outcome[0], short_name(test), self.outcome[1])

    def fail(self, test, text):
        if isinstance(test, unittest.suite._ErrorHolder):  # of a class or of the module
            self.write("failed", short_name(test), text)
        self.outcome = ("failed", text)

    def addError(self, test, err):
        self.fail(test, self._exc_info_to_string(err, test))

    def addFailure(self, test, err):
        self.fail(test, self._exc_info_to_string(err, test))

    def addSubTest(self, test, subtest, err):
        if err is not None:
            self.fail(test, self._exc_info_to_string(err, test))

    def addSkip(self, test, reason):
        if isinstance(test, unittest.suite._ErrorHolder):
            self.write("skipped", short_name(test), reason)
        elif self.outcome[0] == "ok":
            self.outcome = ("skipped", reason)

    def addUnexpectedSuccess(self, test):
        self.fail(test, "unexpected success")


def main():
    module, part, parts, results, *names = sys.argv[1:]
    faulthandler.enable()  # the parent sends SIGABRT to what hangs
    from test import support

    network = ["network"] if module in selection.LOCAL_NETWORK else []
    support.use_resources = selection.RESOURCES + network
    recorder = Recorder(results)
    recorder.write("module", check_module())
    sys.argv[1:] = []  # some modules look there
    try:
        unittest.TestSuite(select(module, int(part), int(parts), set(names))).run(recorder)
    except unittest.SkipTest as reason:  # the whole module, as it is imported
        recorder.write("skipped", module, str(reason))
    check_module()
    recorder.write("end")


if __name__ == "__main__":
    main()
