#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""check_symbols.py MODULE.so: what the module takes from outside.

Refuses a module that needs anything but the library (party_), the interpreter (Py, _Py) and a few
functions of libc that know nothing of sockets; and one that exports more than its start.
"""
import re
import subprocess
import sys

NEEDED = re.compile(
    r"^(?:party_[a-z0-9]\w*|_?Py\w+"
    r"|mem(?:cpy|set|cmp|move)|str(?:len|nlen|chr|cmp)"
    r"|__errno_location|__tls_get_addr"
    # What the compiler and the linker put in by themselves.
    r"|__(?:mem\w+_chk|stack_chk_fail|assert_fail|cxa_finalize|gmon_start__)|_ITM_\w+)$"
)
EXPORTED = {"PyInit__socket"}
LINKER_MADE = {"_init", "_fini", "_edata", "_end", "__bss_start"}


def names(file, which):
    """The dynamic symbols of one kind: --undefined-only or --defined-only."""
    output = subprocess.run(["nm", "-D", "-P", which, file], check=True, capture_output=True, text=True).stdout
    return {line.split()[0].split("@")[0] for line in output.splitlines() if line.strip()}


def wrong(needed, exported):
    """What is wrong with these symbols, a line each."""
    lines = [f"needs {name}" for name in sorted(needed) if not NEEDED.match(name)]
    if not any(name.startswith("party_") for name in needed):
        lines.append("needs nothing of libpartyline")
    return lines + [f"exports {name}" for name in sorted(exported - EXPORTED - LINKER_MADE)]


def main():
    file = sys.argv[1]
    lines = wrong(names(file, "--undefined-only"), names(file, "--defined-only"))
    for line in lines:
        print(f"{file} {line}")
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
