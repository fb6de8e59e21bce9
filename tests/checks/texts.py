#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""texts.py ROOT: what each source file must and must not say.

Each has one line with the licence, at its top. None has a mark of unfinished work.
"""
import os
import pathlib
import re
import sys

LICENCE = "SPDX-License-" + "Identifier: MIT"
MARKS = re.compile(r"\b(?:TO" r"DO|FIX" r"ME|HA" r"CK|XX" r"X)\b")
# TAP has a directive of that name: the reader of TAP must know it.
MARKS_ALLOWED = {"tests/summary.py"}

SUFFIXES = {".c", ".h", ".py", ".sh", ".js", ".mjs", ".css", ".html", ".build", ".ini", ".yaml",
            ".yml", ".toml", ".service", ".1", ".3", ".5", ".7", ".8"}
NAMES = {"run", "test", ".ci/run", "meson_options.txt", ".clang-format", ".clang-tidy",
         "packaging/debian-packages.txt"}
# Folders that are not the project's source.
SKIPPED_PARTS = {".git", "build", "__pycache__", ".pytest_cache", ".venv", "node_modules"}
# Samples for tests, fuzzers and the configuration's checks: any bytes may be meant.
DATA = ("tests/config/", "tests/corpus/")
TOP_LINES = 3  # a "#!" line, "<!doctype html>" or an opening comment may come first


def walk(root):
    """Every file but those of folders that are not source, which may change while a build runs."""
    for folder, folders, names in os.walk(root):
        top = pathlib.Path(folder) == root
        folders[:] = sorted(name for name in folders if name not in SKIPPED_PARTS
                            and not (top and name.startswith("build")))
        yield from (pathlib.Path(folder) / name for name in sorted(names))


def source_files(root):
    """Paths of the files that must keep these rules, relative to the root."""
    for file in walk(root):
        path = file.relative_to(root)
        if path.as_posix().startswith(DATA):
            continue
        if file.is_file() and (file.suffix in SUFFIXES or path.as_posix() in NAMES):
            yield path


def check_text(path, text):
    """What is wrong with one file, a line each."""
    lines = text.splitlines()
    count = sum(LICENCE in line for line in lines)
    if count != 1:
        yield f"{path}: {count} licence lines, not one"
    elif not any(LICENCE in line for line in lines[:TOP_LINES]):
        yield f"{path}: the licence line is not at the top"
    if path in MARKS_ALLOWED:
        return
    for number, line in enumerate(lines, 1):
        if MARKS.search(line):
            yield f"{path}:{number}: a mark of unfinished work: {line.strip()}"


def check_bytes(path, data):
    """What is wrong with a file of these bytes, a list of lines."""
    try:
        return list(check_text(path, data.decode("utf-8")))
    except UnicodeDecodeError as error:
        return [f"{path}: not UTF-8: {error}"]


def main(arguments):
    root = pathlib.Path(arguments[0])
    wrong, count = [], 0
    for path in source_files(root):
        count += 1
        wrong.extend(check_bytes(path.as_posix(), (root / path).read_bytes()))
    for line in wrong:
        print(line)
    print(f"{count} files looked at, {len(wrong)} faults")
    return 1 if wrong or count == 0 else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
