#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What a library takes from outside and what it gives.

symbols.py pure ARCHIVE [ARCHIVE_BELOW]...
    Refuses an archive that needs a function which could make a system call: chat/wire and chat/core
    have no I/O, no clock and no chance in them. Needed may be what is in PURE, in the archive itself
    or in the archives below (chat/base, whose allocator ends the process without memory).
symbols.py exports LIBRARY.so INCLUDE_DIR
    Refuses a shared library that exports a name not starting with party_, or one without a version,
    or anything but just what the public headers declare.
"""
import pathlib
import re
import subprocess
import sys

# Functions of libc and utf8proc that never enter the kernel, but for malloc's asking for
# memory. snprintf and vsnprintf write to memory only. No stdio, no clock, no locale, no files.
PURE = re.compile(
    r"^(?:"
    r"mem(?:chr|rchr|cmp|cpy|move|set|mem|pcpy)|bcmp|explicit_bzero"
    r"|str(?:len|nlen|cmp|ncmp|casecmp|ncasecmp|chr|rchr|chrnul|str|casestr|spn|cspn|pbrk|ncpy|cpy|cat|ncat|sep|tok_r"
    r"|dup|ndup|tol|toul|toll|toull|toimax|toumax)|stpcpy|stpncpy"
    r"|__isoc23_strto(?:l|ul|ll|ull)"
    r"|malloc|calloc|realloc|reallocarray|free|abort|__assert_fail"
    r"|qsort|bsearch|snprintf|vsnprintf|__ctype_(?:b|tolower|toupper)_loc"
    r"|utf8proc_\w+"
    # What the compiler puts in by itself: fortified calls, the stack protector, the linker's table.
    r"|__(?:mem|st[rp]|sn|vsn)\w+_chk|__stack_chk_fail|_GLOBAL_OFFSET_TABLE_"
    r"|__(?:atomic|sync)_\w+|__popcountdi2"
    # What sanitizers and coverage put in.
    r"|__(?:a|t|ub|l|m)san_\w+|__sanitizer_\w+|__odr_asan\w*|__gcov_\w+|__llvm_\w+|__start___\w+|__stop___\w+"
    r")$"
)

# party__x is internal: known to several files of the library, hidden outside.
EXPORTED = re.compile(r"^party_[a-z0-9][a-z0-9_]*$")

# A public function as a header declares it.
DECLARED = re.compile(r"\bPARTY_API\b[^;{]*?\b(party_[a-z0-9_]+)\(", re.DOTALL)

# The name of a version is in the table, too.
VERSION = re.compile(r"^PARTYLINE_\d+$")

# A linker may mark the ends of sections in the dynamic table; no one can call these.
LINKER_MADE = {"_init", "_fini", "_edata", "_end", "__bss_start"}


def nm(arguments, file):
    """Lines of nm, each "NAME TYPE ...": the names with their types."""
    output = subprocess.run(
        ["nm", "-P", *arguments, file], check=True, capture_output=True, text=True
    ).stdout
    for line in output.splitlines():
        words = line.split()
        if len(words) >= 2 and len(words[1]) == 1:
            yield words[0], words[1]


def bare(name):
    """The name without its version."""
    return name.split("@")[0]


def impure(needed, defined):
    """The needed names that nothing allows."""
    return sorted({name for name in needed if name not in defined and not PURE.match(name)})


def foreign_exports(names):
    """The exported names that are not the library's own."""
    return sorted({name for name in names if name not in LINKER_MADE and not EXPORTED.match(name)})


def check_pure(archives):
    needed = {bare(name) for name, _ in nm(["-u"], archives[0])}
    defined = {bare(name) for archive in archives for name, _ in nm(["--defined-only"], archive)}
    if not any(name for name, kind in nm(["--defined-only"], archives[0]) if kind == "T"):
        return [f"{archives[0]}: has no function"]
    return [f"{archives[0]}: needs {name}" for name in impure(needed, defined)]


def declared(include_dir):
    """The public functions of all headers."""
    names = set()
    for header in sorted(pathlib.Path(include_dir).glob("partyline/*.h")):
        names.update(DECLARED.findall(header.read_text(encoding="utf-8")))
    return names


def check_exports(library, include_dir):
    full = {name for name, _ in nm(["-D", "--defined-only"], library) if not VERSION.match(bare(name))}
    names = {bare(name) for name in full}
    wrong = [f"{library}: exports {name}" for name in foreign_exports(names)]
    ours = {name for name in full if EXPORTED.match(bare(name))}
    wrong += [f"{library}: {name} has no version" for name in sorted(ours) if "@" not in name]
    public = declared(include_dir)
    exported = {bare(name) for name in ours}
    wrong += [f"{library}: {name} is in no public header" for name in sorted(exported - public)]
    wrong += [f"{library}: lacks {name}, which a public header declares" for name in sorted(public - exported)]
    if not public:
        wrong.append(f"{include_dir}: declares no party_ function")
    return wrong


def main(arguments):
    if len(arguments) >= 2 and arguments[0] == "pure":
        wrong = check_pure(arguments[1:])
    elif len(arguments) == 3 and arguments[0] == "exports":
        wrong = check_exports(arguments[1], arguments[2])
    else:
        print(__doc__)
        return 2
    for line in wrong:
        print(line)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
