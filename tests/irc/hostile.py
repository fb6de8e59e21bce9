# SPDX-License-Identifier: MIT
"""Rows of hostile input, and how one is tried: test_irc_hostile_commands.py and
test_irc_hostile_text.py.

A row is what a member of a room sends, and what the server must answer. Each is sent whole and once
more byte by byte. A witness in the same room must go on as if nothing had been.
"""
import dataclasses
import re

import pytest

# What the hostile one has asked for: all that gives more ways in.
CAPS = ("message-tags", "batch", "standard-replies", "setname", "labeled-response", "draft/chathistory",
        "draft/multiline", "draft/read-marker", "draft/message-redaction", "draft/channel-rename")


@dataclasses.dataclass
class Row:
    """sent: the bytes; {room}, {nick} and {witness} in them are replaced. answer: the commands that
    come back, in their order, as a pattern over words: "353* 366", "(401|403)". ends: whether the
    server ends the connection. seen: the commands the witness gets. fresh: whether the connection
    has not registered."""

    name: str
    sent: bytes
    answer: str = ""
    ends: bool = False
    seen: str = ""
    fresh: bool = False


def row(name, sent, answer="", **rest):
    return Row(name, sent if isinstance(sent, bytes) else sent.encode(), answer, **rest)


def matches(messages, pattern):
    """Whether the commands are what the pattern says: words with '*', '+', '?', '|' and '()'."""
    tokens = re.findall(r"[\w\\]+|[()|*+?]", pattern)
    expression = "".join(f"(?:{token} )" if token not in "()|*+?" else token for token in tokens)
    return re.fullmatch(expression, "".join(command + " " for command in messages.commands)) is not None


def filled(sent, **names):
    for key, value in names.items():
        sent = sent.replace(b"{" + key.encode() + b"}", value.encode())
    return sent


def attempt(irc, one, byte_by_byte):
    """Tries a row."""
    room, witness = irc.together("witness")
    if one.fresh:
        hostile = irc.connect()
    else:
        hostile = irc.user("hostile", *CAPS)
        hostile.ask(f"JOIN {room}")
        witness.ask(f"MODE {room} +o {hostile.nick}")
        hostile.sync()
        witness.sync()
    sent = filled(one.sent, room=room, nick=hostile.nick or "*", witness=witness.nick)
    (hostile.send_byte_by_byte if byte_by_byte else hostile.send_bytes)(sent)
    answer = hostile.expect_end() if one.ends else hostile.sync()
    assert matches(answer, one.answer), f"{one.answer!r} expected, got {answer}"
    seen = witness.sync()
    assert matches(seen, one.seen), f"the witness should get {one.seen!r}, got {seen}"
    witness.ask(f"NAMES {room}").one("366")


def table(rows):
    """Enters a test once per row and way to send it."""
    names = [one.name for one in rows]
    assert len(set(names)) == len(names), [name for name in names if names.count(name) > 1]
    return [pytest.param(one, byte_by_byte, id=f"{one.name}-{'bytes' if byte_by_byte else 'whole'}")
            for one in rows for byte_by_byte in (False, True)]
