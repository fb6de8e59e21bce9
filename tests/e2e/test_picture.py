# SPDX-License-Identifier: MIT
"""README.md's picture is made by a script from a real session: the script still works."""
import subprocess
import sys
import xml.etree.ElementTree as tree

from harness import BINARY, PATIENCE_S, ROOT, server_env
from terminal import find_program

PICTURE = ROOT / "docs/terminal.svg"


def texts(svg):
    """What a picture says, a row of text each."""
    return ["".join(text.itertext()) for text in tree.parse(svg).iter("{http://www.w3.org/2000/svg}text")]


def test_picture_is_made_from_a_session(tmp_path):
    for program in ("tmux", "nc", "telnet"):
        find_program(program)
    made = tmp_path / "terminal.svg"
    done = subprocess.run(
        [sys.executable, ROOT / "docs/make_terminal.py", "--port", "0", BINARY, made],
        capture_output=True, text=True, timeout=10 * PATIENCE_S, env=server_env(), check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    rows = texts(made)
    for name in ("alice: hello from nc", "bob: hello from telnet", "carol: and I have colours"):
        assert sum(name in row for row in rows) == 3, rows


def test_picture_in_the_tree_shows_what_the_script_shows():
    """No row of the tree's picture is one that the session does not bring any more."""
    rows = texts(PICTURE)
    for said in ("alice: hello from nc", "bob: hello from telnet", "* alice waves"):
        assert sum(said in row for row in rows) == 3, rows
