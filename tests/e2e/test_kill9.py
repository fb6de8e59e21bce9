# SPDX-License-Identifier: MIT
"""The promise of the server: what anyone saw survives kill -9, at any moment, under load.

PARTYLINE_KILL_ROUNDS sets how many times the server is killed. The rounds go on over one data
directory, so each of them also starts with what the kill before it left.
"""
import os
import pathlib
import random

import pytest

import harness
from checker import check
from loader import NO_LIMITS, Crowd, Member, read_history, read_pages

ROUNDS = int(os.environ.get("PARTYLINE_KILL_ROUNDS", "50"))
ROOMS = ("lobby", "garden")
SENDERS = 4
WINDOW = 24
# A kill comes at a moment from the first word on, mostly soon: the more kills, the more moments.
LONGEST_LOAD_S = 0.25
# With rounds that must fail: how many there may be until one does.
CONTROL_ROUNDS = 60


def load(server, round_number, chance):
    """Runs clients until the moment of the kill, kills, and returns the clients' journals."""
    crowd = Crowd()
    try:
        for number in range(SENDERS + len(ROOMS)):
            window = WINDOW if number < SENDERS else 0
            crowd.add(Member(server.address, f"r{round_number}c{number}", ROOMS[number % 2], window,
                             random.Random(chance.random())))
        if round_number % 5 != 0:  # each fifth kill may also come while they enter
            crowd.wait_ready()
        crowd.run_for(chance.uniform(0, LONGEST_LOAD_S))
        server.kill9()
        crowd.drain()
        return crowd.journals
    finally:
        crowd.close()


def ends(history):
    return {room: pages[-1].last if pages else 0 for room, pages in history.items()}


def extend(server, history):
    """Adds what has come since."""
    for room, last in ends(history).items():
        history[room] += read_pages(server, room, after=last)


def test_what_anyone_saw_survives_each_of_many_kills(server):
    chance = random.Random(os.environ.get("PARTYLINE_SEED", "kill -9"))
    chat = server(config=NO_LIMITS)
    history = {room: [] for room in ROOMS}
    journals = []
    for number in range(ROUNDS):
        new = load(chat, number, chance)
        journals += new
        chat.start()
        extend(chat, history)
        problems = check(history, journals) if number % 10 == 9 or number + 1 == ROUNDS else []
        assert problems == [], f"after kill {number + 1}: {problems[:20]}"
    # The pages that were read piece by piece are still what a reader from the start gets.
    assert check(read_history(chat, ROOMS), journals) == []
    assert sum(len(journal.seen) for journal in journals) > 20 * ROUNDS, "there was no load to speak of"


def control_binary():
    """The program that shows messages before it stores them, of the same build as the server."""
    default = pathlib.Path(harness.BINARY).parents[1] / "tests/e2e/partyline-deliver-first"
    path = os.environ.get("PARTYLINE_DELIVER_FIRST_BIN", str(default))
    if not os.access(path, os.X_OK):
        pytest.skip(f"{path} is not built")
    return path


def test_server_that_shows_before_it_stores_is_found_out(server):
    chance = random.Random("control")
    chat = server(config=NO_LIMITS, binary=control_binary())
    history = {room: [] for room in ROOMS}
    journals = []
    for number in range(CONTROL_ROUNDS):
        journals += load(chat, number, chance)
        chat.start()
        extend(chat, history)
        problems = check(history, journals)
        if any("which is missing" in problem for problem in problems):
            return
        assert problems == []
    pytest.fail(f"the loss was not seen in {CONTROL_ROUNDS} rounds")
