#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""make_calls.py INCLUDE_DIR ACCEPTS_NULL OUTPUT HEADER...

Writes the table of null_test.c: every public function once for each of its pointers, with NULL for
that one and something else for the others; for bytes that come with their length, with NULL and a length
of 1. Refuses a declaration that it does not understand, a header
with such functions that is not among HEADER..., and a line of ACCEPTS_NULL that fits no function.
"""
import pathlib
import re
import sys

DECLARATION = re.compile(r"\bPARTY_API\b([^;{}]*?)\b(party_[a-z0-9_]+)\(([^;{}]*?)\)\s*;")

# Bytes that come with their length, which may be NULL when there are none of them.
BYTES = re.compile(r"(const )?(void|uint8_t|struct sockaddr|struct party_datagram|struct iovec) \*\w+$")
LENGTH = re.compile(r"(size_t|socklen_t) \w+$")

# Where these bytes go to the kernel as they are, and it is the kernel that refuses NULL.
LEFT_TO_THE_KERNEL = {
    "party_sock_recv", "party_sock_recv_into", "party_sock_recvfrom", "party_sock_recvfrom_into", "party_sock_send",
    "party_sock_sendto", "party_sock_sendall", "party_sock_send_fds", "party_sock_recv_fds",
    "party_sock_sendmsg_afalg", "party_sock_setsockopt_bytes", "party_sock_getsockopt_bytes"}

# What is returned without assertions, where the type alone does not say it.
RESULTS = {"party_tls_error_text": 'strcmp(CALL, "") == 0'}


def result(returned, name):
    """A condition on CALL; None where nothing is returned."""
    if name in RESULTS:
        return RESULTS[name]
    if returned == "void":
        return None
    if returned.endswith("*"):
        return "CALL == NULL"
    if returned == "bool":
        return "!CALL"
    return "CALL == -EINVAL" if returned in ("int", "ssize_t", "int64_t") else "CALL == 0"


def parameters(text):
    """(name, declaration, kind) of each; the kinds are pointer, bytes, user, function and value."""
    declared = [" ".join(part.split()) for part in text.split(",")]
    if declared == ["void"]:
        return
    for part, following in zip(declared, declared[1:] + [""]):
        name = re.search(r"(\w+)(\[\w*\])?$", part)[1]
        if re.match(r"party_\w+_fn \w+$", part):
            kind = "function"
        elif "*" not in part and "[" not in part:
            kind = "value"
        elif name == "user":
            kind = "user"
        elif BYTES.match(part) and LENGTH.match(following):
            kind = "bytes"
        else:
            kind = "pointer"
        yield name, part, kind


def argument(name, part, kind, null):
    """What stands in the call."""
    if name == null:
        return "NULL"
    type_name = part[: part.rindex(name)].strip()
    if kind == "value":
        return f"({type_name}){{0}}" if type_name.startswith("struct ") else "0"
    return f"({type_name})nothing" if kind == "function" else "something"


def rows(header, accepted):
    """(function, its result, arguments with the NULL, the parameter that is, whether it may be)."""
    text = re.sub(r"/\*.*?\*/|//[^\n]*", " ", header.read_text(encoding="utf-8"), flags=re.DOTALL)
    text = re.sub(r"^\s*#(?:[^\n]*\\\n)*[^\n]*$", "", text, flags=re.MULTILINE)
    found = DECLARATION.findall(text)
    if len(found) != len(re.findall(r"\bPARTY_API\b", text)):
        sys.exit(f"{header}: a declaration that is not understood")
    for returned, name, inside in found:
        returned = " ".join(returned.replace("PARTY_MUST_USE", "").split())
        may_be = accepted.pop(name, [])
        taken = list(parameters(inside))
        for null in may_be:
            if null not in [p[0] for p in taken]:
                sys.exit(f"{name} has no {null}")
        asked = ("pointer", "function") if name in LEFT_TO_THE_KERNEL else ("pointer", "function", "bytes")
        for at, (null, _, kind) in enumerate(taken):
            if kind not in asked:
                continue
            arguments = [argument(*p, null) for p in taken]
            if kind == "bytes":
                arguments[at + 1] = "1"
            call = f"{name}({', '.join(arguments)})"
            if null not in may_be:
                yield name, null, call, result(returned, name), False
            elif len(taken) == 1 and returned in ("void", "int") and name.rsplit("_", 1)[1] in ENDS:
                yield name, null, call, None if returned == "void" else "CALL == 0", True


# How a function is called that only ends something, and so can be called with NULL for a test.
ENDS = ("close", "destroy", "finish", "unref")


def main():
    """Writes the table."""
    include_dir, accepts_null, output = map(pathlib.Path, sys.argv[1:4])
    accepted = {}
    for line in accepts_null.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            name, names = line.split(": ")
            accepted[name] = names.split()
    calls, table = [], []
    for header in sorted((include_dir / "partyline").glob("*.h")):
        for name, null, call, condition, may_be in rows(header, accepted):
            if header.stem not in sys.argv[4:]:
                sys.exit(f"{header.stem} is not tested")
            body = f"{call};\n    return true" if condition is None else f"return {condition.replace('CALL', call)}"
            calls.append(f"static bool call_{len(calls)}(void)\n{{\n    {body};\n}}\n")
            table.append(f'    {{"{header.stem}", "{name}", "{null}", {str(may_be).lower()}, call_{len(table)}}},')
    if accepted:
        sys.exit(f"no such functions: {', '.join(accepted)}")
    output.write_text("\n".join(calls) + "\nstatic const struct null_call null_calls[] = {\n" +
                      "\n".join(table) + "\n};\n", encoding="utf-8")


if __name__ == "__main__":
    main()
