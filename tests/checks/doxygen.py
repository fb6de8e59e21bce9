#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Has Doxygen read the public headers; a warning is a failure.

doxygen.py ROOT
"""
import pathlib
import shutil
import subprocess
import sys
import tempfile


def run(root):
    """Doxygen's complaints, a line each."""
    config = (root / "docs" / "Doxyfile").read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as directory:
        config += f'\nOUTPUT_DIRECTORY = "{directory}"\n'
        done = subprocess.run(["doxygen", "-"], input=config, cwd=root, capture_output=True, text=True, check=False)
        if done.returncode == 0 and not (pathlib.Path(directory) / "html" / "index.html").exists():
            return ["doxygen has made nothing of the headers"]
    return done.stderr.splitlines() if done.returncode != 0 else []


def main(arguments):
    if len(arguments) != 1:
        print(__doc__)
        return 2
    if shutil.which("doxygen") is None:
        print("doxygen is not installed: skipped")
        return 77
    wrong = run(pathlib.Path(arguments[0]))
    for line in wrong:
        print(line)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
