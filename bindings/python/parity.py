#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""parity.py MODULE.so: what both modules export, and what they say to the same call.

Compares names, types and values of constants, and evaluates each line of parity_cases.py with
CPython's `_socket` and with the one of MODULE.so, in a process each.
"""
import json
import os
import pathlib
import subprocess
import sys

import parity_cases

HERE = pathlib.Path(__file__).resolve().parent

# CPython's is part of the interpreter, ours is a file; each says itself what it is.
OF_THE_MODULE = {"__doc__", "__file__", "__loader__", "__spec__"}


def describe(error):
    """An exception as something to compare. Texts of gaierror and herror are the library's own."""
    name = type(error).__name__
    arguments = list(error.args)
    if name in ("gaierror", "herror") and len(arguments) == 2:
        arguments[1] = "..."
    return f"{name}{arguments!r} errno={getattr(error, 'errno', None)}"


def evaluate():
    """What this process's `_socket` says, as JSON on standard output."""
    import _socket

    names = {}
    exec(parity_cases.PREPARE, names)
    results = {}
    for case in parity_cases.CASES:
        try:
            results[case] = repr(eval(case, names))
        except Exception as error:
            results[case] = describe(error)
    exported = {name: repr(value) if isinstance(value, (bool, int, str)) else type(value).__name__
                for name, value in vars(_socket).items() if name not in OF_THE_MODULE}
    print(json.dumps({"file": getattr(_socket, "__file__", ""), "exported": exported, "results": results}))


def run(module):
    """evaluate() in a process of its own. module: the file, or "" for CPython's."""
    variables = {name: os.environ[name] for name in ("PATH", "LD_PRELOAD", "ASAN_OPTIONS", "PYTHONMALLOC")
                 if name in os.environ}
    variables["LC_ALL"] = "C.UTF-8"
    if module:
        variables.update(PYTHONPATH=str(HERE / "site"), PARTYLINE_SOCKET_MODULE=module)
    output = subprocess.run([sys.executable, "-W", "ignore", __file__, "--evaluate"], env=variables, check=True,
                            stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, timeout=60).stdout
    return json.loads(output)


def differences(theirs, ours, allowed=()):
    """Lines on what is not the same in two dictionaries."""
    return [f"{name}\n  CPython:      {theirs.get(name, 'missing')}\n  libpartyline: {ours.get(name, 'missing')}"
            for name in sorted(theirs.keys() | ours.keys())
            if theirs.get(name) != ours.get(name) and name not in allowed]


def main():
    if sys.argv[1] == "--evaluate":
        evaluate()
        return 0
    module = os.path.realpath(sys.argv[1])
    if sys.version_info[:2] != (3, 11):
        print(f"skipped: the binding is for CPython 3.11, this is {sys.version.split()[0]}")
        return 77
    theirs, ours = run(""), run(module)
    if os.path.realpath(ours["file"]) != module or theirs["file"] == ours["file"]:
        print(f"compared {ours['file']!r} with {theirs['file']!r}")
        return 1
    wrong = (differences(theirs["exported"], ours["exported"])
             + differences(theirs["results"], ours["results"], parity_cases.DIFFERENT))
    for line in wrong:
        print(line)
    print(f"{len(theirs['exported'])} names, {len(theirs['results'])} calls, {len(wrong)} different, "
          f"{len(parity_cases.DIFFERENT)} known to be")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
