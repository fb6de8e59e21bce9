#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""man_examples.py MAN_DIR INCLUDE_DIR COMPILER_AND_FLAGS...

Compiles each example of the library's pages (section 3), with the headers its synopsis names and a
few of libc's. One that defines no function is taken for statements that have a sock at hand.
"""
import pathlib
import re
import subprocess
import sys

LIBC = ("errno.h", "stdint.h", "stdio.h", "stdlib.h", "string.h", "sys/socket.h", "unistd.h")
FLAGS = ["-D_GNU_SOURCE", "-Wall", "-Wextra", "-Wno-unused-parameter", "-Wno-unused", "-Werror", "-fsyntax-only"]

# What mdoc writes for a character that would mean something to it.
ESCAPES = {"\\e": "\\", "\\&": "", "\\-": "-", "\\(aq": "'", "\\(dq": '"'}


def examples(text):
    """The program text of each display in EXAMPLES."""
    section = re.search(r"^\.Sh EXAMPLES\n(.*?)(?=^\.Sh |\Z)", text, re.MULTILINE | re.DOTALL)
    for block in re.findall(r"^\.Bd -literal.*?\n(.*?)^\.Ed", section[1] if section else "", re.MULTILINE | re.DOTALL):
        yield re.sub(r"\\(?:e|&|-|\(aq|\(dq)", lambda found: ESCAPES[found[0]], block)


def program(text, example):
    """A file for the compiler, with the example in it."""
    headers = [*LIBC, *re.findall(r"^\.In (\S+)$", text, re.MULTILINE), "partyline/error.h", "partyline/sock.h"]
    includes = "".join(f"#include <{name}>\n" for name in headers)
    if re.search(r"^(?:static \w.*|int main)\(", example, re.MULTILINE):
        return includes + example
    return f"{includes}int example(struct party_sock *sock);\nint example(struct party_sock *sock)\n{{\n{example}return 0;\n}}\n"


def check(man_dir, include_dir, command):
    """The complaints about all examples, and how many examples there are."""
    wrong, count = [], 0
    for page in sorted(man_dir.glob("*.3")):
        text = page.read_text(encoding="utf-8")
        for example in examples(text):
            count += 1
            done = subprocess.run([*command, *FLAGS, f"-I{include_dir}", "-x", "c", "-"],
                                  input=program(text, example), capture_output=True, text=True, check=False)
            if done.returncode != 0:
                wrong.append(f"{page.name}: an example does not compile:\n{done.stderr}")
    return wrong, count


def main(arguments):
    wrong, count = check(pathlib.Path(arguments[0]), pathlib.Path(arguments[1]), arguments[2:])
    for text in wrong:
        print(text)
    print(f"{count} examples compiled, {len(wrong)} refused")
    return 1 if wrong or count == 0 else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
