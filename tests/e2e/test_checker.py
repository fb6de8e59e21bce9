# SPDX-License-Identifier: MIT
"""The checker itself: it passes a sound history, and refuses each way of losing one."""
import copy

import pytest

from checker import Journal, Page, check

T = "2026-11-20 12:31:07"


def sound():
    """A history of two pages in one room and one in another, and what two clients know of it."""
    lines = [(T, "alice" if number % 2 else "bob", f"line {number}") for number in range(1, 9)]
    history = {
        "lobby": [Page(1, 5, lines[:5]), Page(6, 8, lines[5:])],
        "garden": [Page(1, 1, [(T, "alice", "rose")])],
    }
    journals = []
    for name in ("alice", "bob"):
        seen = [("lobby", *line) for line in lines]
        own = [line for line in seen if line[2] == name]
        journals.append(Journal(name, [("lobby", line[3]) for line in own], own, seen))
    journals[0].sent.append(("garden", "rose"))
    return history, journals


def test_sound_history_passes():
    assert check(*sound()) == []


def test_line_sent_last_and_seen_by_nobody_may_be_kept_or_not():
    history, journals = sound()
    journals[1].sent.append(("lobby", "last"))
    assert check(history, journals) == []
    history["lobby"].append(Page(9, 9, [(T, "bob", "last")]))
    assert check(history, journals) == []


def lose(lines):
    del lines[3]


def double(lines):
    lines.insert(4, lines[3])


def swap(lines):
    lines[2], lines[3] = lines[3], lines[2]


def swap_own(lines):
    lines[1], lines[3] = lines[3], lines[1]


def alter(lines):
    stamp, who, text = lines[3]
    lines[3] = (stamp, who, text + "x")


def restamp(lines):
    lines[3] = ("2026-11-20 12:31:08", *lines[3][1:])


def give_to_another(lines):
    stamp, _, text = lines[3]
    lines[3] = (stamp, "alice", text)


def add(lines):
    lines.append((T, "alice", "never said"))


def cut_the_end(lines):
    del lines[-2:]


DAMAGES = [lose, double, swap, swap_own, alter, restamp, give_to_another, add, cut_the_end]


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_history_is_refused(damage):
    history, journals = sound()
    lines = history["lobby"][0].lines + history["lobby"][1].lines
    damage(lines)
    history["lobby"] = [Page(1, len(lines), lines)]
    assert check(history, journals)


@pytest.mark.parametrize("damage", [lose, double, swap, alter])
def test_damage_is_seen_by_the_sender_alone(damage):
    """The lines that came back to it are evidence enough, without what anyone saw."""
    history, journals = sound()
    for journal in journals:
        journal.seen = []
    lines = history["lobby"][0].lines + history["lobby"][1].lines
    own = [line for line in lines if line[1] == "alice"]
    damage(own)
    history["lobby"] = [Page(1, len(own), own)]
    assert check(history, [journals[0]])


def test_gap_in_the_numbers_is_refused():
    history, journals = sound()
    history["lobby"][1].first, history["lobby"][1].last = 7, 9
    assert check(history, journals)


def test_number_that_comes_twice_is_refused():
    history, journals = sound()
    history["lobby"][1].first, history["lobby"][1].last = 5, 7
    assert check(history, journals)


def test_page_that_says_another_count_is_refused():
    history, journals = sound()
    history["lobby"][1].last = 9
    assert check(history, journals)


def test_line_that_a_member_was_not_shown_is_refused():
    history, journals = sound()
    del journals[0].seen[4]
    assert check(history, journals)


def test_line_that_was_shown_twice_is_refused():
    history, journals = sound()
    journals[0].seen.insert(4, journals[0].seen[4])
    assert check(history, journals)


def test_room_that_is_gone_is_refused():
    history, journals = sound()
    seen = copy.copy(history)
    del seen["lobby"]
    assert check(seen, journals)
