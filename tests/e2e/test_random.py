# SPDX-License-Identifier: MIT
"""Members who do anything at any time: the server lives through it, and nobody is left behind.

PARTYLINE_RANDOM_ACTS sets how many things are done, PARTYLINE_SEED what they are.
"""
import contextlib
import json
import os
import random
import signal
import socket
import struct
import time

from harness import LineClient
from loader import NO_LIMITS

ACTS = int(os.environ.get("PARTYLINE_RANDOM_ACTS", "4000"))
MEMBERS = 30
# All connections are closed: the server learns that at once, but has to take what they sent before. It
# is less than limits.write_timeout, which would cover for one that is not noticed.
GONE_S = 8
ROOMS = ("lobby", "a", "b", "Ä", "c" * 50, "#d")
NAMES = ("x", "y", "Z", "ζ", "guest1", "GUEST2", "n" * 32)


class Player:
    """A connection that does not wait for anything."""

    def __init__(self, server, chance):
        self.chance = chance
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        if chance.random() < 0.2:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 1400)
        self.socket.connect(server.address)
        self.socket.setblocking(False)
        self.reads = chance.random() < 0.9

    def make_line(self):
        chance = self.chance
        word = chance.choice(NAMES)
        return chance.choice((
            "hello", "/nick " + word, "/join " + chance.choice(ROOMS), "/leave", "/msg " + word + " psst", "/me waves",
            "/topic " + "t" * chance.randrange(400), "/topic -", "/topic", "/history", "/history after 3", "/search hello",
            "/who", "/rooms", "/time", "/help", "/nonsense", "x" * chance.randrange(1200), "", "/who " + chance.choice(ROOMS),
            "/history since 2020-01-01", "//", "\x1b[2J", "茶" * chance.randrange(300)))

    def act(self):
        """Does one thing. Returns False when the connection is over."""
        chance = self.chance
        dice = chance.random()
        try:
            if dice < 0.55:
                self.socket.send(b"".join(self.make_line().encode() + b"\n" for _ in range(chance.randrange(1, 8))))
            elif dice < 0.65:
                self.socket.send(chance.randbytes(chance.randrange(1, 40)))
            elif dice < 0.70:
                self.socket.send(bytes([255, chance.randrange(236, 256), chance.randrange(256)]))
            elif dice < 0.72:
                self.socket.send(b"quit\nmore\n")
            elif dice < 0.74:
                self.socket.shutdown(socket.SHUT_WR)
            elif dice < 0.76:
                self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.close()
                return False
            elif dice < 0.77:
                self.close()
                return False
            if self.reads:
                while piece := self.socket.recv(65536):
                    del piece
                self.close()
                return False
        except BlockingIOError:
            pass
        except OSError:
            self.close()
            return False
        return True

    def close(self):
        self.socket.close()


def test_anything_at_any_time_leaves_the_server_well(server, join):
    chance = random.Random(os.environ.get("PARTYLINE_SEED", "anything"))
    config = {**NO_LIMITS, "listen": ["any://127.0.0.1:0"]}
    # Without TZ, mktime(3) sets the time zone anew each time: under a lock, but ThreadSanitizer does not know of it.
    chat = server(config=config, env={"TZ": os.environ.get("TZ", ":/etc/localtime")})
    operator = LineClient(str(chat.data / "ctl.sock"))
    witness = join(chat, "witness")
    players = [Player(chat, chance) for _ in range(MEMBERS)]
    try:
        for number in range(ACTS):
            place = chance.randrange(MEMBERS)
            if not players[place].act():
                players[place] = Player(chat, chance)
            if number % 50 == 0:
                operator.send(chance.choice(("clients", "rooms", "kick " + chance.choice(NAMES), "say to all", "threads")))
            if number % 200 == 0:
                limits = {**NO_LIMITS["limits"], "line": chance.choice((64, 1024, 8192)), "rooms": chance.choice((2, 100))}
                # In one step: the server may still be at the reload before.
                (chat.directory / "new.yaml").write_text(json.dumps({**config, "limits": limits}))
                os.replace(chat.directory / "new.yaml", chat.directory / "partyline.yaml")
                chat.signal(signal.SIGHUP)
            if number % 500 == 0:
                witness.send(f"still here {number}")
                witness.expect(rf"witness: still here {number}$")
    finally:
        for player in players:
            player.close()
    # When the last of them has left, the witness is alone; each question comes after some have.
    deadline = time.monotonic() + GONE_S
    lines = []
    while sum("127.0.0.1" in line for line in lines) != 1:
        assert time.monotonic() < deadline, f"somebody was left behind: {lines}"
        operator.send("clients\n# the end")
        lines, _ = operator.read_until(r"^error there is no such command")
    witness.send("/who")
    witness.expect(r"^\*\*\* In lobby \(1\): witness$")
    with contextlib.suppress(OSError):
        operator.close()
