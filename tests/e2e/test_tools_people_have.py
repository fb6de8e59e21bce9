# SPDX-License-Identifier: MIT
"""nc, ncat and telnet, as a person uses them: typed on a terminal, or fed by a pipe."""
import subprocess

import pytest

from harness import PATIENCE_S, WELCOME
from terminal import find_program
from test_line import TIME, said

NC = ("nc.openbsd", "nc")


# What ends the program after the server has closed the connection: nc and ncat wait for their input.
@pytest.mark.parametrize(
    "names, last", [(NC, "\x04"), (("ncat",), "\x04"), (("telnet",), "")], ids=["nc", "ncat", "telnet"])
def test_person_chats_from_a_terminal(server, join, terminal, names, last):
    chat = server()
    alice = join(chat, "alice")
    person = terminal(find_program(*names), chat.host, str(chat.port))
    name = person.expect(WELCOME)[1]
    person.type("hello from a terminal\r")
    alice.expect(said(name, "hello from a terminal"))
    person.expect(rf"{TIME} {name}: hello from a terminal")
    alice.send("welcome, 朋友")
    person.expect(r"alice: welcome, 朋友")
    person.type("quit\r")
    person.expect(r"^\*\*\* Goodbye")
    alice.expect(rf"^\*\*\* {name} quit")
    if last:
        person.type(last)
    person.wait()


def test_person_leaves_telnet_by_its_escape(server, join, terminal):
    chat = server()
    alice = join(chat, "alice")
    person = terminal(find_program("telnet"), chat.host, str(chat.port))
    name = person.expect(WELCOME)[1]
    person.type("\x1d")
    person.expect(r"telnet>")
    person.type("quit\r")
    person.wait()
    alice.expect(rf"^\*\*\* {name} quit")


def test_screen_shows_the_chat(server, join, screen):
    chat = server()
    alice = join(chat, "alice")
    person = screen(find_program(*NC), chat.host, str(chat.port))
    name = person.expect(WELCOME)[1]
    alice.send("你好")
    person.expect(rf"^{TIME} alice: 你好$")
    person.type("seen")
    person.press("Enter")
    alice.expect(said(name, "seen"))


def test_line_piped_into_nc_is_said(server, join):
    chat = server()
    alice = join(chat, "alice")
    done = subprocess.run(
        [find_program("nc.openbsd"), "-N", chat.host, str(chat.port)], input="from a pipe\n",
        capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    alice.expect(rf"^{TIME} guest\d+: from a pipe$")
    assert done.returncode == 0
    assert "from a pipe" in done.stdout


def test_nc_over_a_unix_socket(server, join, terminal, tmp_path):
    path = str(tmp_path / "chat.sock")
    server(listen=[f"unix:{path}"])
    alice = join(path, "alice")
    person = terminal(find_program("nc.openbsd"), "-U", path)
    name = person.expect(WELCOME)[1]
    person.type("through a file\r")
    alice.expect(said(name, "through a file"))
