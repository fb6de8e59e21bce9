# SPDX-License-Identifier: MIT
"""Descriptors run out: who is there talks on, the server does not spin, and others come when one is free."""
import os
import pathlib
import resource
import subprocess

import pytest

from harness import BINARY, LineClient, server_env
from loader import NO_LIMITS

LIMIT = 160
# What the server may use while it has nothing to do but to wait for a descriptor.
SPIN_MAX = 0.2


def cpu_s(server):
    fields = pathlib.Path(f"/proc/{server.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def talk(members, text):
    members[0].send(text)
    for member in members:
        member.expect(rf": {text}$")


def used(server):
    return len(os.listdir(f"/proc/{server.process.pid}/fd"))


def limit(server, soft):
    hard = resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE)[1]
    resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, (soft, hard))


def test_server_with_few_descriptors_is_full_and_says_so(server, connect, join):
    """It knows its limit when it starts, and keeps some descriptors for itself."""
    chat = server(config=NO_LIMITS,
                  preexec=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (LIMIT, LIMIT)))
    members = [join(chat, "alice"), join(chat, "bob")]
    idle, refused = [], 0
    while refused < 20:
        client = connect(chat)
        client.send("/time")
        if client.expect(r"^\*\*\* (Not now: the server is full|It is )")[1] != "It is ":
            client.expect_end()
            client.close()
            refused += 1
        else:
            idle.append(client)
        assert len(idle) < LIMIT
    assert len(idle) > 20
    talk(members, "the house is full")
    for client in idle[:10]:
        client.send("quit")
        client.expect_end()
        client.close()
    for number in range(5):
        members.append(join(chat, f"late{number}"))
    talk(members, "there is room again")


def test_without_descriptors_who_is_there_talks_on_and_the_rest_wait(server, join):
    """The limit falls while the server runs: accept fails, and what came stays in the queue."""
    chat = server(config=NO_LIMITS)
    members = [join(chat, "alice"), join(chat, "bob"), join(chat, "carol")]
    limit(chat, used(chat))
    waiting = [LineClient(chat.address) for _ in range(200)]
    try:
        for client in waiting:
            client.send("let me in")
        chat.wait_for_log("accepting pauses")
        began = cpu_s(chat)
        # Measured by what the members do: about half a second of talk, with the queue full all the time.
        rounds = 500
        for number in range(rounds):
            talk(members, f"still here {number}")
        spent = cpu_s(chat) - began
        assert spent < SPIN_MAX + rounds * 0.001, f"{spent} s of CPU time"
        members[0].send("/history 5")
        members[0].expect(r"^\*\*\* 5 lines, number")
        # One leaves, one comes in.
        members.pop().close()
        members[0].expect(r"let me in$", timeout=30)
        limit(chat, resource.prlimit(chat.process.pid, resource.RLIMIT_NOFILE)[1])
        for client in waiting:
            client.expect(r"Welcome", timeout=30)
        newcomer = join(chat, "newcomer")
        newcomer.send("all in")
        newcomer.expect("newcomer: all in$")
    finally:
        for client in waiting:
            client.close()


def test_server_out_of_descriptors_does_not_spin_while_nobody_talks(server, join):
    chat = server(config=NO_LIMITS)
    alice = join(chat, "alice")
    limit(chat, used(chat))
    waiting = [LineClient(chat.address) for _ in range(50)]
    try:
        chat.wait_for_log("accepting pauses")
        began = cpu_s(chat)
        # Two seconds in which only time passes: nothing arrives at who sends nothing.
        with pytest.raises(AssertionError, match="waited too long"):
            alice.expect("nothing comes", timeout=2)
        spent = cpu_s(chat) - began
        assert spent < SPIN_MAX, f"{spent} s of CPU time in 2 s"
        assert chat.log.count("accepting pauses") <= 2 * os.cpu_count()
    finally:
        for client in waiting:
            client.close()
        limit(chat, resource.prlimit(chat.process.pid, resource.RLIMIT_NOFILE)[1])


def test_server_that_may_have_hardly_any_descriptors_says_why_it_does_not_start(tmp_path):
    """However few there are, it ends with a message or serves."""
    for few in (3, 4, 6, 8, 12, 16):
        done = subprocess.Popen(
            [BINARY, "serve", "--listen", "any://127.0.0.1:0", "--data", str(tmp_path / str(few))],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL, env=server_env(),
            preexec_fn=lambda few=few: resource.setrlimit(resource.RLIMIT_NOFILE, (few, few)))
        line = done.stdout.readline()
        if line:
            assert line.startswith("listening on ")
            done.terminate()
            assert done.wait(20) == 0
        else:
            assert done.wait(20) in (1, 127), done.stderr.read()
            assert done.stderr.read() != ""
        done.stdout.close()
        done.stderr.close()
