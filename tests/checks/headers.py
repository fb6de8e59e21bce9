#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""headers.py INCLUDE_DIR COMPILER_AND_FLAGS...

Compiles each header under INCLUDE_DIR alone, twice over (the guard must hold), with the compiler
given. Refuses warnings too.
"""
import concurrent.futures
import pathlib
import subprocess
import sys

WARNINGS = ["-Wall", "-Wextra", "-Werror", "-pedantic-errors"]


def compile_alone(include_dir, header, command):
    """What the compiler says of a file that has only this header in it; "" when all is well."""
    # A file must declare something; a header of macros alone does not.
    source = f"#include <{header}>\n#include <{header}>\nextern int declared;\n"
    language = "c++" if any("++" in word for word in command) else "c"
    done = subprocess.run(
        [*command, *WARNINGS, "-fsyntax-only", f"-I{include_dir}", "-x", language, "-"],
        input=source, capture_output=True, text=True, check=False,
    )
    return "" if done.returncode == 0 else f"{header}:\n{done.stderr or done.returncode}"


def check(include_dir, command):
    """The complaints about all headers, and how many headers there are."""
    headers = sorted(p.relative_to(include_dir).as_posix() for p in include_dir.rglob("*.h"))
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        said = pool.map(lambda header: compile_alone(include_dir, header, command), headers)
        return [text for text in said if text], len(headers)


def main(arguments):
    wrong, count = check(pathlib.Path(arguments[0]), arguments[1:])
    for text in wrong:
        print(text)
    print(f"{count} headers compiled alone, {len(wrong)} refused")
    return 1 if wrong or count == 0 else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
