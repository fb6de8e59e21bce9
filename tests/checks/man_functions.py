#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""man_functions.py MAN_DIR INCLUDE_DIR

Holds the pages of section 3 to the public headers: every public function, inline ones too, is in the
NAME and in the SYNOPSIS of one page, the same and no other, with the types its header gives it; and
no page names a function that no header declares.
"""
import pathlib
import re
import shlex
import sys

# A declaration or an inline definition, after comments and directives are gone.
FUNCTION = re.compile(r"\b(?:PARTY_API|static inline)\b([^;{}()]*?)\b(party_[a-z0-9_]+)\(([^()]*)\)\s*[;{]")
# A type of functions: the pages show these like functions.
CALLBACK = re.compile(r"\btypedef\b[^;]*?\(\*(party_[a-z0-9_]+)\)\(")
# A page may name several on a line: .It Fn party_x , Fn party_y
NAMED = re.compile(r"(?<=[. ])(?:Fn|Fo|Nm|Xr) \"?(party_[a-z0-9_]+)")


def tidy(text):
    """A piece of C with one way to space it."""
    return re.sub(r"\s*\*\s*", " *", " ".join(text.split())).replace("* *", "**").strip()


def shown(result, name, arguments):
    """How a function looks: as a header has it and as a page should."""
    return f"{tidy(result)} {name}({', '.join(tidy(a) for a in arguments)})".replace("* ", "*")


def declared(include_dir):
    """The public functions {name: how it looks} and the names of the types of functions."""
    functions, callbacks = {}, set()
    for header in sorted(include_dir.rglob("*.h")):
        text = re.sub(r"/\*.*?\*/", " ", header.read_text(encoding="utf-8"), flags=re.DOTALL)
        text = re.sub(r"^\s*#(?:[^\n]*\\\n)*[^\n]*$", "", text, flags=re.MULTILINE)
        for result, name, arguments in FUNCTION.findall(text):
            result = re.sub(r"\bPARTY_(?:MUST_USE|PRINTF\([^)]*\))", "", result)
            functions[name] = shown(result, name, arguments.split(","))
        callbacks.update(CALLBACK.findall(text))
    return functions, callbacks


def section(text, name):
    """The lines of one section of a page."""
    found = re.search(rf"^\.Sh {name}\n(.*?)(?=^\.Sh |\Z)", text, re.MULTILINE | re.DOTALL)
    return found[1].splitlines() if found else []


def prototypes(lines):
    """(name, how it looks) of each function in a SYNOPSIS."""
    result, words = "", []
    for line in lines:
        macro, *rest = shlex.split(line, posix=True)
        if macro == ".Ft":
            result = " ".join(rest)
        elif macro in (".Fn", ".Fo"):
            words = rest
        elif macro == ".Fa":
            words += rest
        if macro in (".Fn", ".Fc"):
            yield words[0], shown(result, words[0], words[1:])


def check(man_dir, include_dir):
    """What is wrong, a list of lines, and how many functions the headers have."""
    functions, callbacks = declared(include_dir)
    wrong, in_name, in_synopsis = [], {}, {}
    pages = {page.name: page.read_text(encoding="utf-8") for page in sorted(man_dir.glob("*.3"))}
    titles = {name.removesuffix(".3") for name in pages}
    for page, text in pages.items():
        for name in sorted(set(NAMED.findall(text)) - functions.keys() - callbacks - titles):
            wrong.append(f"{page}: names {name}, which no header declares")
        for name in re.findall(r"^\.Nm (\w+)", "\n".join(section(text, "NAME")), re.MULTILINE):
            in_name.setdefault(name, []).append(page)
        for name, look in prototypes(section(text, "SYNOPSIS")):
            in_synopsis.setdefault(name, []).append(page)
            if name in functions and look != functions[name]:
                wrong.append(f"{page}: has {look}, the header {functions[name]}")
    for name in functions:
        here, there = in_name.get(name, []), in_synopsis.get(name, [])
        if len(here) != 1 or here != there:
            wrong.append(f"{name}: is in the NAME of {here or 'no page'}, the SYNOPSIS of {there or 'no page'}")
    return wrong, len(functions)


def main(arguments):
    wrong, count = check(pathlib.Path(arguments[0]), pathlib.Path(arguments[1]))
    for line in wrong:
        print(line)
    print(f"{count} public functions, {len(wrong)} faults")
    return 1 if wrong or count == 0 else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
