# SPDX-License-Identifier: MIT
"""Clients as tutorials teach them, with all their habits, against the server."""
import pathlib
import subprocess
import sys
import time

import pytest

from harness import PATIENCE_S
from test_line import TIME, said

CLIENTS = pathlib.Path(__file__).parent / "seed_clients"


@pytest.fixture
def start():
    """Starts a client of seed_clients/: start("hello_once", server). Its streams are pipes."""
    started = []

    def make(name, chat):
        process = subprocess.Popen(
            [sys.executable, "-u", str(CLIENTS / f"{name}.py"), chat.host, str(chat.port)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        started.append(process)
        return process

    yield make
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


def type_line(process, text):
    process.stdin.write(text.encode() + b"\n")
    process.stdin.flush()


def end_by_talk(alice, client):
    """The output of a client that typed "quit": it ends with what it is sent after it has closed its
    socket, see its note. When that is nobody can see from outside, so something is said again and again."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        alice.send("good night")
        try:
            return client.communicate(timeout=0.2)[0].decode()
        except subprocess.TimeoutExpired:
            assert time.monotonic() < deadline, "it did not end"


def still_serves(chat, join):
    """Two who come now can talk."""
    first, second = join(chat), join(chat)
    first.send("still here?")
    second.expect(said(first.name, "still here?"))


def test_chat_client_with_a_thread(server, join, start):
    chat = server()
    alice = join(chat, "alice")
    client = start("chat_thread", chat)
    name = alice.expect(rf"^{TIME} (\S+): I'm ready$")[1]
    type_line(client, "good evening")
    alice.expect(said(name, "good evening"))
    alice.send("and to you")
    alice.expect(said("alice", "and to you"))
    type_line(client, "quit")
    output = end_by_talk(alice, client)
    assert client.returncode == 0
    assert "and to you" in output
    alice.expect(rf"^\*\*\* {name} quit")
    still_serves(chat, join)


def test_two_chat_clients_hear_each_other(server, join, start):
    chat = server()
    alice = join(chat, "alice")
    first, second = start("chat_thread", chat), start("chat_thread", chat)
    for _ in range(2):
        alice.expect(rf"^{TIME} \S+: I'm ready$")
    type_line(first, "one of two")
    alice.expect(r": one of two$")
    type_line(second, "two of two")
    alice.expect(r": two of two$")
    for client in (first, second):
        type_line(client, "quit")
    for client in (first, second):
        output = end_by_talk(alice, client)
        assert "one of two" in output
        assert "two of two" in output
    still_serves(chat, join)


def test_client_that_asks_and_is_answered(server, join, start):
    chat = server()
    alice = join(chat, "alice")
    client = start("ask_and_answer", chat)
    output, errors = client.communicate("how are you\n\n".encode(), timeout=PATIENCE_S)
    assert (client.returncode, errors) == (0, b"")
    assert b"***" in output
    alice.expect(rf"^{TIME} \S+: how are you$")
    still_serves(chat, join)


def test_client_that_sends_quit_without_a_line_end(server, join, start):
    chat = server()
    alice = join(chat, "alice")
    client = start("ask_until_quit", chat)
    output, errors = client.communicate("QUIT\n".encode(), timeout=PATIENCE_S)
    assert (client.returncode, errors) == (0, b"")
    assert b"to 127.0.0.1: QUIT" in output
    still_serves(chat, join)
    alice.send("done")
    before, _ = alice.read_until(said("alice", "done"))
    assert not any("QUIT" in line.split(": ", 1)[-1] for line in before if ": " in line)


def test_client_that_is_broken_off(server, join, start):
    chat = server()
    alice = join(chat, "alice")
    client = start("ask_for_ever", chat)
    _, errors = client.communicate("anyone?\n".encode(), timeout=PATIENCE_S)
    assert client.returncode == 1
    assert b"EOFError" in errors
    alice.expect(rf"^{TIME} \S+: anyone\?$")
    still_serves(chat, join)


def test_client_that_says_hello_once(server, join, start):
    chat = server()
    alice = join(chat, "alice")
    client = start("hello_once", chat)
    output, errors = client.communicate(timeout=PATIENCE_S)
    assert (client.returncode, errors) == (0, b"")
    assert b"***" in output
    alice.expect(rf"^{TIME} \S+: hello from client$")
    still_serves(chat, join)
