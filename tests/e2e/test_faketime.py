# SPDX-License-Identifier: MIT
"""The server with a clock that is a year ahead and runs 30 times as fast, as libfaketime makes it.

libfaketime has its own idea of every clock but not of epoll_pwait2(2), so a loop that sleeps may wake
late by the false clock. That must cost nobody a connection, and the server no time.
"""
import datetime
import os
import pathlib
import subprocess
import time

import pytest

import harness
from terminal import find_program

SPEED = 30
SILENCE_S = 2.5  # real ones; 75 of the server's
BIT = 0.4        # of one CPU, far above what is needed and far below what a loop that spins takes
CLOCK = f"+1y x{SPEED}"


@pytest.fixture(params=[[], ["-m"]], ids=["faketime", "faketime -m"])
def false_clock(request):
    """The environment in which a program lives with the false clock."""
    program = find_program("faketime")
    if b"__asan_init" in (binary := pathlib.Path(harness.BINARY).read_bytes()) or b"__tsan_init" in binary:
        pytest.skip("a sanitizer wants to be the first library")
    done = subprocess.run([program, *request.param, "-f", CLOCK, "printenv", "LD_PRELOAD"], capture_output=True,
                          text=True, check=True, timeout=30)
    return {"LD_PRELOAD": done.stdout.strip(), "FAKETIME": CLOCK}


def cpu_seconds(server):
    fields = pathlib.Path(f"/proc/{server.process.pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def say(client, text):
    """Says a line. Returns the server's time of it."""
    client.send(text)
    match = client.expect(rf"^(\S+ \S+) {client.name}: {text}$")
    return datetime.datetime.strptime(match[1], "%Y-%m-%d %H:%M:%S")


def expect_silence(client):
    """The server neither says anything nor ends the connection."""
    client.socket.settimeout(SILENCE_S)
    with pytest.raises(TimeoutError):
        piece = client.socket.recv(4096)
        pytest.fail(f"the server sent {piece!r}")


def test_silent_client_stays_and_the_server_rests(server, join, false_clock):
    chat = server(env=false_clock)
    alice = join(chat, "alice")
    first = say(alice, "one")
    assert first > datetime.datetime.now() + datetime.timedelta(days=300)
    before_s, began = cpu_seconds(chat), time.monotonic()
    expect_silence(alice)
    took_s = time.monotonic() - began
    assert cpu_seconds(chat) - before_s < BIT * took_s
    assert (say(alice, "two") - first).total_seconds() > 60


def test_people_come_talk_and_go(server, join, false_clock):
    chat = server(env=false_clock)
    alice, bob = join(chat, "alice"), join(chat, "bob")
    times = [say(alice, f"line {number}") for number in range(20)]
    assert times == sorted(times)
    bob.expect("^.* alice: line 19$")
    bob.close()
    alice.expect("bob quit")


def test_history_is_kept_over_a_restart_with_the_true_clock(server, join, false_clock):
    """Time never runs back in a room, whatever the clock does."""
    chat = server(env=false_clock)
    ahead = say(join(chat, "alice"), "from the future")
    assert chat.sigterm() == 0
    for name in false_clock:
        del chat.env[name]
    chat.start()
    bob = join(chat, "bob")
    assert say(bob, "from the present") >= ahead
