#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""man.py MAN_DIR PAGE...

Refuses a page of MAN_DIR that the build does not install (PAGE... are those it installs), one whose
title is not its file's name, one without a required section, and what mandoc warns of.
"""
import pathlib
import re
import shutil
import subprocess
import sys

REQUIRED = ("NAME", "DESCRIPTION")


def check_page(path):
    """What is wrong with one page, a line each."""
    text = path.read_text(encoding="utf-8")
    title = re.search(r"^\.Dt (\S+) (\d)$", text, re.MULTILINE)
    if title is None or f"{title[1].lower()}.{title[2]}" != path.name.lower():
        yield f"{path.name}: its title (.Dt) is not its file's name"
    sections = re.findall(r'^\.Sh "?([^"\n]+)', text, re.MULTILINE)
    for section in REQUIRED:
        if section not in sections:
            yield f"{path.name}: has no section {section}"
    mandoc = shutil.which("mandoc")
    if mandoc is not None:
        done = subprocess.run(
            [mandoc, "-T", "lint", "-W", "warning", path], capture_output=True, text=True, check=False)
        yield from done.stdout.splitlines()


def check(directory, installed):
    """What is wrong with all pages, a list of lines."""
    pages = sorted(p for p in directory.iterdir() if re.fullmatch(r".*\.[1-9]", p.name))
    wrong = [f"{p.name}: is not in man/meson.build" for p in pages if p.name not in installed]
    for page in pages:
        wrong.extend(check_page(page))
    return wrong, len(pages)


def main(arguments):
    wrong, count = check(pathlib.Path(arguments[0]), {pathlib.Path(p).name for p in arguments[1:]})
    for line in wrong:
        print(line)
    print(f"{count} pages looked at, {len(wrong)} faults")
    return 1 if wrong or count == 0 else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
