#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""man_codes.py MAN_DIR INCLUDE_DIR

Holds the pages of section 3 to the contracts of the public headers: each code of an error (-E... or
PARTY_E...) that the comment of a public function names stands in the page that has the function in its
SYNOPSIS. Of a family, as "a PARTY_EGAI_ code", the page names one at least. Examples do not count.
"""
import pathlib
import re
import sys

import man_functions

# A comment, and the functions right below it, which share it.
CONTRACT = re.compile(r"/\*\*((?:(?!\*/).)*)\*/((?:\s*(?:PARTY_API|static inline)\b[^;{]*[;{])+)", re.DOTALL)
# What ends in _ is a family.
CODE = re.compile(r"(?<!\w)-(E[A-Z0-9]+)\b|\b(PARTY_E[A-Z0-9_]+)")


def contracts(include_dir):
    """(header, function, the codes that its contract names) of each public function with a contract."""
    for header in sorted(include_dir.rglob("*.h")):
        for comment, functions in CONTRACT.findall(header.read_text(encoding="utf-8")):
            codes = sorted({number or name for number, name in CODE.findall(comment)})
            for _, function, _ in man_functions.FUNCTION.findall(functions):
                yield header.name, function, codes


def told(text):
    """What a page tells: its text without remarks and examples."""
    text = re.sub(r"^\.\\\".*$", "", text, flags=re.MULTILINE)
    return re.sub(r"^\.Sh EXAMPLES?\n.*?(?=^\.Sh |\Z)", "", text, flags=re.MULTILINE | re.DOTALL)


def is_named(code, text):
    end = "" if code.endswith("_") else r"(?!\w)"
    return re.search(rf"(?<!\w){code}{end}", text) is not None


def check(man_dir, include_dir):
    """What is wrong, a list of lines, and how many codes of functions were looked for."""
    wrong, count, pages = [], 0, {}
    for page in sorted(man_dir.glob("*.3")):
        text = page.read_text(encoding="utf-8")
        for name, _ in man_functions.prototypes(man_functions.section(text, "SYNOPSIS")):
            pages[name] = page.name, told(text)
    for header, function, codes in contracts(include_dir):
        page, text = pages.get(function, ("no page", ""))
        count += len(codes)
        missing = [code for code in codes if not is_named(code, text)]
        if missing:
            wrong.append(f"{page}: {function} lacks {', '.join(missing)}, which {header} names")
    return wrong, count


def main(arguments):
    wrong, count = check(pathlib.Path(arguments[0]), pathlib.Path(arguments[1]))
    for line in wrong:
        print(line)
    print(f"{count} codes in contracts, {len(wrong)} faults")
    return 1 if wrong or count == 0 else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
