# SPDX-License-Identifier: MIT
"""Judges whether a server kept what it showed: journals of clients against the history.

A journal is what one client can swear to: what it sent, and what it saw, room by room. The history
is what the server gives back afterwards, as a person would ask for it. check() names each breach of
these promises:

- What anyone saw is in the history, as it was seen, in the order in which it was seen. What a member
  saw is one piece of the room's order, with nothing left out.
- Of what a client sent, the history has a beginning: not a line after one that is lost. Each line of
  it once, unchanged, in the order in which it was sent. (A line nobody saw yet may be in it or not.)
- A room's numbers run from 1 without a gap.
- The history holds nothing that nobody said.
"""
import dataclasses


@dataclasses.dataclass
class Journal:
    """One client: its name, what it sent (room, text), its own lines as they came back, all it saw.

    A line is (room, stamp, who, text); stamp is the date and time at its beginning.
    """

    name: str
    sent: list = dataclasses.field(default_factory=list)
    echoed: list = dataclasses.field(default_factory=list)
    seen: list = dataclasses.field(default_factory=list)


@dataclasses.dataclass
class Page:
    """One answer to /history: its first and last number as told, and its lines (stamp, who, text)."""

    first: int
    last: int
    lines: list


def number_lines(room, pages, problems):
    """The room's lines by number; says what is wrong with the pages' numbers."""
    numbered = {}
    expected = 1
    for page in pages:
        if page.first != expected:
            problems.append(f"{room}: a page begins at {page.first}, not at {expected}")
        if page.last - page.first + 1 != len(page.lines):
            problems.append(f"{room}: {len(page.lines)} lines are numbered {page.first} to {page.last}")
        for number, line in enumerate(page.lines, page.first):
            numbered.setdefault(number, line)
        expected = page.last + 1
    return numbered


def index_lines(room, numbered, problems):
    """The number of each (who, text), which must be there once."""
    places = {}
    for number, (_, who, text) in numbered.items():
        first = places.setdefault((who, text), number)
        if first != number:
            problems.append(f"{room}: {who}: {text!r} is doubled, at {first} and {number}")
    return places


def check_seen(journal, kept, places, problems):
    """What the client saw is in the history, as it was, as one piece."""
    last = {}
    for room, stamp, who, text in journal.seen:
        number = places.get(room, {}).get((who, text))
        if number is None:
            problems.append(f"{room}: {journal.name} saw {who}: {text!r}, which is missing")
            continue
        if kept[room][number][0] != stamp:
            problems.append(f"{room}: {who}: {text!r} was seen at {stamp}, is kept as {kept[room][number][0]}")
        if room in last and number != last[room] + 1:
            problems.append(f"{room}: {journal.name} saw {number} right after {last[room]}: {who}: {text!r}")
        last[room] = number


def check_sent(journal, places, problems):
    """Of what the client sent, the beginning is kept in its order, and all that came back to it."""
    for room, _, who, text in journal.echoed:
        if (who, text) not in places.get(room, {}):
            problems.append(f"{room}: {journal.name} was shown its own {text!r}, which is missing")
    lost = None
    last = {}
    for room, text in journal.sent:
        number = places.get(room, {}).get((journal.name, text))
        if number is None:
            lost = lost or text
            continue
        if lost is not None:
            problems.append(f"{room}: {journal.name}: {text!r} is kept, {lost!r} before it is not")
            lost = None
        if number <= last.get(room, 0):
            problems.append(f"{room}: {journal.name}: {text!r} is out of order at {number}")
        last[room] = number


def check_origin(kept, journals, problems):
    """Each line kept was sent by the one it is from."""
    said = {(room, journal.name, text) for journal in journals for room, text in journal.sent}
    for room, numbered in kept.items():
        for number, (_, who, text) in numbered.items():
            if (room, who, text) not in said:
                problems.append(f"{room}: {number}, {who}: {text!r} was never sent like that")


def check(history, journals):
    """history: the pages of each room. Returns what is wrong, [] when nothing is."""
    problems = []
    kept = {room: number_lines(room, pages, problems) for room, pages in history.items()}
    places = {room: index_lines(room, numbered, problems) for room, numbered in kept.items()}
    for journal in journals:
        check_seen(journal, kept, places, problems)
        check_sent(journal, places, problems)
    check_origin(kept, journals, problems)
    return problems
