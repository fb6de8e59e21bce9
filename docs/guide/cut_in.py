#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""cut_in.py [--check]: puts the code of examples/guide/ into the pages of docs/guide/ and README.md.

A page says with <!-- FILE --> that the block of code below is the whole file, but for its licence line,
or with <!-- FILE NAME... --> that it is the definitions of these names. With --check nothing is written;
the exit status is 1 when a page differs from the files.
"""
import pathlib
import re
import sys

PAGES = pathlib.Path(__file__).resolve().parent
README = PAGES.parent.parent / "README.md"
SOURCES = PAGES.parent.parent / "examples" / "guide"
BLOCK = re.compile(r"^<!-- (\w+\.c)((?: \w+)*) -->\n```c\n.*?^```$", re.MULTILINE | re.DOTALL)


def definition(text, name):
    """The definition of a function or variable at the top level of a file, with the comment above it."""
    found = re.search(rf"^(?:/\*[^\n]*\n(?:   [^\n]*\n)*)?(?:static )?[a-z][^\n;{{=]*\b{name}\b"
                      r"(?:[^;{]*;|[^;{]*\{[^\n]*\};$|[^;{]*\{.*?^\};?$)", text, re.MULTILINE | re.DOTALL)
    if found is None:
        raise LookupError(f"nothing defines {name}")
    return found[0]


def code(file, names):
    """What the page shows of a file."""
    text = (SOURCES / file).read_text(encoding="utf-8")
    if not names:
        return text.split("\n", 1)[1].strip()
    return "\n\n".join(definition(text, name) for name in names)


def cut_in(page):
    """The page's text with the code as the files have it."""
    return BLOCK.sub(lambda block: f"<!-- {block[1]}{block[2]} -->\n```c\n{code(block[1], block[2].split())}\n```",
                     page)


def main(arguments):
    is_check = arguments == ["--check"]
    stale = []
    for file in [*sorted(PAGES.glob("*.md")), README]:
        before = file.read_text(encoding="utf-8")
        after = cut_in(before)
        if before != after:
            stale.append(file.name)
            if not is_check:
                file.write_text(after, encoding="utf-8")
    for name in stale:
        print(f"{name}: {'differs from the files: run docs/guide/cut_in.py' if is_check else 'written'}")
    return 1 if is_check and stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
