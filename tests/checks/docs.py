#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""docs.py ROOT PARTYLINE: what the documents say of the tree and of the program.

Refuses a relative link in a *.md whose file or heading is not there, and an option or a command in
"partyline COMMAND --option" that `partyline COMMAND --help` does not know. PARTYLINE is the program.
"""
import pathlib
import re
import subprocess
import sys

from texts import walk

LINK = re.compile(r"\]\(([^()\s]+)\)")
OUTSIDE = re.compile(r"[a-z][a-z0-9+.-]*:")
CODE = re.compile(r"^```.*?^```|`[^`\n]+`", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"(?<![\w.-])(?:partyline|(?P<run>\./run))(?= )(?P<rest>[^`|;&\n#]*)")
COMMAND_WORD = re.compile(r"[a-z]+")
OPTION = re.compile(r"(?<!\S)--[a-z][a-z-]*")


def documents(root):
    """The *.md files of the tree."""
    yield from (file for file in walk(root) if file.suffix == ".md")


def anchors(text):
    """The names under which a page can jump to its headings."""
    headings = re.findall(r"^#+ (.+?)\s*$", re.sub(r"^```.*?^```", "", text, flags=re.M | re.S), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def check_links(root, file):
    """What is wrong with the relative links of a document, a line each."""
    name, text = file.relative_to(root), file.read_text(encoding="utf-8")
    for target in LINK.findall(CODE.sub("", text)):
        if OUTSIDE.match(target):
            continue
        path, _, anchor = target.partition("#")
        there = (file.parent / path) if path else file
        if not there.exists():
            yield f"{name}: there is no {target}"
        elif anchor and anchor not in anchors(there.read_text(encoding="utf-8")):
            yield f"{name}: {path or name} has no heading {anchor!r}"


def commands(text):
    """(command, options) of each "partyline COMMAND ..." in the code of a document."""
    for code in CODE.findall(text):
        for found in COMMAND.finditer(code):
            words = found["rest"].split()
            command = "serve" if found["run"] else words[0] if words else ""
            if COMMAND_WORD.fullmatch(command):
                yield command, OPTION.findall(found["rest"])


def check_commands(name, text, help_of):
    """What the program does not know, a line each. help_of(command) is its help, or None."""
    for command, options in commands(text):
        known = help_of(command)
        if known is None:
            yield f"{name}: there is no partyline {command}"
            continue
        for option in options:
            if option not in OPTION.findall(re.sub(r"[\[\]|]", " ", known)) and option != "--help":
                yield f"{name}: partyline {command} does not know {option}"


def asker(program):
    """help_of for check_commands, which asks the program once for each command."""
    answers = {}

    def help_of(command):
        if command not in answers:
            done = subprocess.run([program, "help", command], capture_output=True, text=True, check=False)
            answers[command] = done.stdout if done.returncode == 0 else None
        return answers[command]

    return help_of


def check(root, help_of):
    """What is wrong with all documents, a list of lines; how many documents and commands there were."""
    wrong, files, count = [], list(documents(root)), 0
    for file in files:
        text = file.read_text(encoding="utf-8")
        wrong.extend(check_links(root, file))
        wrong.extend(check_commands(file.relative_to(root), text, help_of))
        count += len(list(commands(text)))
    return wrong, len(files), count


def main(arguments):
    wrong, files, count = check(pathlib.Path(arguments[0]), asker(arguments[1]))
    for line in wrong:
        print(line)
    print(f"{files} documents with {count} commands looked at, {len(wrong)} faults")
    return 1 if wrong or count == 0 else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
