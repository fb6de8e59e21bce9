#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""layers.py ROOT: refuses an #include that goes up, sideways or around a public border.

LAYERS is the table of the layers. A source file may include headers of its own layer and of those
its row names. Whatever lies outside lib/ sees of it only the public headers, <partyline/...>.
A public header belongs to the layer whose folder holds the .c file of its name.
"""
import os
import pathlib
import re
import sys

LIB = ["lib/base", "lib/sock", "lib/loop", "lib/server"]
CHAT_TO_LOG = LIB + ["chat/base", "chat/wire", "chat/core", "chat/log"]

# layer: what it may include beside itself
LAYERS = {
    "lib/base": [],
    "lib/sock": LIB[:1],
    "lib/loop": LIB[:2],
    "lib/server": LIB[:3],
    "chat/base": LIB,
    "chat/wire": LIB + ["chat/base"],
    "chat/core": LIB + ["chat/base"],
    "chat/log": LIB + ["chat/base", "chat/wire", "chat/core"],
    "chat/front": CHAT_TO_LOG,
    "chat/service": CHAT_TO_LOG + ["chat/front"],
    "bin": CHAT_TO_LOG + ["chat/front", "chat/service"],
    "bench": CHAT_TO_LOG + ["chat/front", "chat/service"],
    "bindings/python": LIB,
    "examples": LIB,
}

# Public headers without a .c file of their own.
HEADERS_ALONE = {"api.h": "lib/base", "log.h": "lib/base", "partyline.h": "lib/server"}

# libpartyline is to need libc, libidn2, OpenSSL and liburing only; only the log talks to the database.
THIRD_PARTY = {
    "openssl/": ["lib/sock", "chat/service"],
    "idn2.h": ["lib/sock"],
    "liburing.h": ["lib/loop"],
    "Python.h": ["bindings/python"],
    "sqlite3.h": ["chat/log"],
    "cyaml/": ["chat/service"],
    "argon2.h": ["chat/service"],
    "utf8proc.h": ["chat/wire", "chat/core", "chat/log", "chat/front", "bin"],
    "unicode/": ["chat/core"],
    "systemd/": ["chat/service", "bin"],
    "histedit.h": ["chat/service", "bin"],
    "editline/": ["chat/service", "bin"],
}

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.MULTILINE)


def layer_of(path):
    """The layer of a file, path relative to the root; None when it lies in none."""
    for layer in LAYERS:
        if path.startswith(layer + "/"):
            return layer
    return None


def public_layer(root, name):
    """The layer of <partyline/NAME>; None when no folder has its .c file."""
    if name in HEADERS_ALONE:
        return HEADERS_ALONE[name]
    for layer in LIB:
        if (root / layer / name).with_suffix(".c").exists():
            return layer
        if any(root.glob(f"{layer}/*/{pathlib.Path(name).stem}.c")):
            return layer
    return None


def resolve_quoted(root, path, name):
    """The file that #include "NAME" in path means, relative to the root; None when there is none."""
    top = path.split("/", 1)[0]
    bases = [pathlib.Path(path).parent, pathlib.Path("lib" if top == "lib" else "chat")]
    if path.endswith(("_test.c", "_test_util.h", "_test_util.c", "_fuzz.c")):
        bases += [pathlib.Path("tests"), pathlib.Path("tests/unit")]
    for base in bases:
        # "../x.h" must not hide where it leads.
        target = pathlib.PurePath(os.path.normpath(base / name))
        if (root / target).exists():
            return target.as_posix()
    return None


def check_include(root, path, layer, quote, name):
    """Says what is wrong with one #include, or None."""
    may = LAYERS[layer] + [layer]
    if quote == "<" and name.startswith("partyline/"):
        header = name[len("partyline/"):]
        if not (root / "include" / name).exists():
            return f"<{name}> does not exist"
        below = public_layer(root, header)
        if below is None:
            return f"<{name}> belongs to no layer: no lib/*/{pathlib.Path(header).stem}.c"
        return None if below in may else f"<{name}> is of {below}, which is not below {layer}"
    if quote == "<":
        for prefix, layers in THIRD_PARTY.items():
            if name.startswith(prefix) and layer not in layers:
                return f"<{name}> is for {', '.join(layers)} only"
        return None
    target = resolve_quoted(root, path, name)
    if target is None:
        return f'"{name}" is no file of lib/ or chat/'
    if target.startswith("tests/"):
        return None
    below = layer_of(target)
    if below is None:
        return f'"{name}" lies in no layer'
    if not layer.startswith("lib/") and below.startswith("lib/"):
        return f'"{name}" is inside {below}: only <partyline/...> may be used here'
    return None if below in may else f'"{name}" is of {below}, which is not below {layer}'


def source_files(root):
    """The C files of all layers and the public headers, relative to the root, with their layer."""
    for layer in LAYERS:
        for file in sorted((root / layer).rglob("*.[ch]")):
            yield file.relative_to(root).as_posix(), layer
    for file in sorted((root / "include/partyline").glob("*.h")):
        layer = public_layer(root, file.name)
        yield file.relative_to(root).as_posix(), layer


def check(root):
    """All that is wrong under root, a line each."""
    wrong = []
    for path, layer in source_files(root):
        if layer is None:
            wrong.append(f"{path}: belongs to no layer: no lib/*/{pathlib.Path(path).stem}.c")
            continue
        text = (root / path).read_text(encoding="utf-8", errors="replace")
        for match in INCLUDE.finditer(text):
            fault = check_include(root, path, layer, match[1], match[2])
            if fault is not None:
                line = text.count("\n", 0, match.start(2)) + 1
                wrong.append(f"{path}:{line}: {fault}")
    return wrong


def main(arguments):
    root = pathlib.Path(arguments[0])
    wrong = check(root)
    for line in wrong:
        print(line)
    files = sum(1 for _ in source_files(root))
    print(f"{files} files looked at, {len(wrong)} includes refused")
    return 1 if wrong or files == 0 else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
