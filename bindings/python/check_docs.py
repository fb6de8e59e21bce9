#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""check_docs.py PYTHON.md INCLUDE_DIR: that the map of Python's names is whole and true.

Refuses a public name of this Python's socket, socket.socket, what makefile returns, socketserver or
one of its classes that the page does not have, and a name of the library in the page that no public
header has. On the page names stand in backquotes; one that ends with * stands for all that begin so.
"""
import io
import pathlib
import re
import socket
import socketserver
import sys

CODE = re.compile(r"`([^`\n]+)`")
WORD = re.compile(r"\*?[A-Za-z_]\w*\*?")
OURS = re.compile(r"\b(?:party|PARTY)_\w+")


def public(thing):
    return {name for name in dir(thing) if not name.startswith("_")}


def python_names():
    """{name: where it is from}, of all that the page must have."""
    things = {"socket": socket, "socket.socket": socket.socket, "socketserver": socketserver,
              "makefile's file": io.BufferedRWPair}
    for name in public(socketserver) - {"BufferedIOBase"}:
        if isinstance(getattr(socketserver, name), type):
            things[f"socketserver.{name}"] = getattr(socketserver, name)
    return {name: where for where, thing in things.items() for name in public(thing)}


def header_names(include):
    """Every identifier of the library that a public header has."""
    return {name for file in pathlib.Path(include).rglob("*.h")
            for name in OURS.findall(file.read_text(encoding="utf-8"))}


def wrong(text, names, ours):
    """What is wrong with the page, a line each."""
    code = CODE.findall(text)
    words = {word for piece in code for word in WORD.findall(piece)}
    groups = tuple(word[:-1] for word in words if word.endswith("*"))
    missing = [f"{name} of {where} is missing" for name, where in sorted(names.items())
               if name not in words and not name.startswith(groups)]
    # A name cut at its end stands for all that begin so.
    unknown = [f"{name} is in no public header" for name in sorted({name for piece in code for name in OURS.findall(piece)})
               if name not in ours and not (name.endswith("_") and any(known.startswith(name) for known in ours))]
    return missing + unknown


def main():
    page, include = sys.argv[1:]
    lines = wrong(pathlib.Path(page).read_text(encoding="utf-8"), python_names(), header_names(include))
    for line in lines:
        print(f"{page}: {line}")
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
