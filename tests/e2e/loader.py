# SPDX-License-Identifier: MIT
"""Many clients in one thread: they talk as fast as a window lets them and keep a journal.

Nothing here sleeps; each wait is for sockets and has a deadline.
"""
import contextlib
import random
import re
import selectors
import socket
import time

from checker import Journal, Page
from harness import PATIENCE_S, LineClient, make_narrow

# For tests whose clients all come from one address, more often and with more to say than people.
NO_LIMITS = {"limits": {"flood": False, "connections_per_address": 0, "connection_rate": 0},
             "history": {"max": 1000}}
STAMP_BYTES = len("2026-11-20 12:31:07")
PAGE_END = re.compile(r"^\*\*\* (\d+) lines?, number (\d+) to (\d+)\.")
PAGE_EMPTY = "*** Nothing there."
WORDS = ("茶馆", "Grüße", "hello", "a  b", "//", "*** not the server", "2026-11-20 12:31:07 eve: no", "…")


def parse_said(line):
    """(stamp, who, text) of a line that somebody said; None for any other line."""
    if len(line) <= STAMP_BYTES + 1 or line[4] != "-" or line[STAMP_BYTES] != " ":
        return None
    who, colon, text = line[STAMP_BYTES + 1:].partition(": ")
    return (line[:STAMP_BYTES], who, text) if colon and " " not in who else None


class Member:
    """One client. It enters, takes its name, goes to its room, and says lines while it may.

    window: how many of its lines may be on their way; 0 makes it a watcher.
    """

    def __init__(self, address, name, room="lobby", window=0, chance=None, receive_buffer=None):
        self.journal = Journal(name)
        self.name = name
        self.room = None     # where it is
        self.goal = room
        self.window = window
        self.chance = chance or random.Random(name)
        self.ready = False   # it has its name and is in its room
        self.ended = False   # the stream is at its end
        self.silent = False  # says nothing more
        self.notes = []      # what the server told it
        self.outgoing = b""
        self.incoming = b""
        family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
        self.socket = socket.socket(family, socket.SOCK_STREAM)
        if receive_buffer is not None:
            make_narrow(self.socket, receive_buffer)
        self.socket.settimeout(PATIENCE_S)
        self.socket.connect(address)
        self.socket.setblocking(False)
        self.say_raw(f"/nick {name}")
        if room != "lobby":
            self.say_raw(f"/join {room}")

    def say_raw(self, line):
        self.outgoing += line.encode() + b"\n"

    def say(self, text):
        """Says a line that its journal knows of."""
        self.journal.sent.append((self.goal, text))
        # What begins with a slash would be a command.
        self.say_raw("/" + text if text.startswith("/") else text)

    def make_text(self):
        number = len(self.journal.sent)
        words = " ".join(self.chance.choices(WORDS, k=self.chance.randrange(6)))
        return f"{number:06d} {words}".rstrip()

    def fill_window(self):
        if self.ready and not self.silent and not self.ended:
            while len(self.journal.sent) - len(self.journal.echoed) < self.window:
                self.say(self.make_text())

    def flush(self):
        if self.outgoing and not self.ended:
            try:
                sent = self.socket.send(self.outgoing)
                self.outgoing = self.outgoing[sent:]
            except BlockingIOError:
                pass
            except OSError:
                self.outgoing = b""  # the end is told by the reading side

    def receive(self):
        """Takes in what is there. Returns False when nothing is for now."""
        try:
            piece = self.socket.recv(262144)
        except BlockingIOError:
            return False
        except OSError:
            piece = b""
        if not piece:
            self.ended = True
            return False
        *lines, self.incoming = (self.incoming + piece).split(b"\n")
        for line in lines:
            self.on_line(line.decode("utf-8"))
        return True

    def on_line(self, line):
        said = parse_said(line)
        if said is not None:
            entry = (self.room, *said)
            self.journal.seen.append(entry)
            if said[1] == self.name:
                self.journal.echoed.append(entry)
            return
        self.notes.append(line)
        if line.startswith("*** You are in "):
            self.room = re.match(r"\*\*\* You are in ([^ ,]+)", line)[1]
        elif line.startswith("*** You are now called "):
            assert line == f"*** You are now called {self.name}.", line
        elif "is taken" in line:
            raise AssertionError(line)
        self.ready = self.ready or (self.room == self.goal and any(
            note.startswith("*** You are now called") for note in self.notes))

    def close(self):
        self.socket.close()


class Crowd:
    """Members who are served together."""

    def __init__(self):
        self.members = []
        self.selector = selectors.DefaultSelector()

    def add(self, member):
        self.members.append(member)
        self.selector.register(member.socket, selectors.EVENT_READ, member)
        member.flush()
        return member

    def leave_out(self, member):
        """Its socket is not read any more, until it is taken in again."""
        self.selector.unregister(member.socket)

    def take_in(self, member):
        self.selector.register(member.socket, selectors.EVENT_READ, member)

    def turn(self, timeout):
        """Sends what waits to be sent, and takes in what comes within the time."""
        for member in self.members:
            member.fill_window()
            wanted = selectors.EVENT_READ
            if member.outgoing:
                member.flush()
                if member.outgoing:
                    wanted |= selectors.EVENT_WRITE
            with contextlib.suppress(KeyError, ValueError):  # left out, or closed
                if self.selector.get_key(member.socket).events != wanted:
                    self.selector.modify(member.socket, wanted, member)
        for key, events in self.selector.select(timeout):
            member = key.data
            if events & selectors.EVENT_WRITE:
                member.flush()
            if events & selectors.EVENT_READ:
                member.receive()
                if member.ended:
                    self.selector.unregister(member.socket)
                    member.close()  # the server waits for the other side's end, too

    def run_until(self, condition, what, timeout=PATIENCE_S):
        """Serves them until the condition holds; fails when it takes too long."""
        deadline = time.monotonic() + timeout
        while not condition():
            left = deadline - time.monotonic()
            assert left > 0, f"waited too long for {what}"
            self.turn(min(left, 0.05))

    def run_for(self, seconds):
        """Serves them for so long: the time is what is chosen by chance here."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            self.turn(left)

    def wait_ready(self):
        self.run_until(lambda: all(member.ready for member in self.members), "everyone in place")

    def drain(self):
        """Takes in all that is still in the sockets, up to the end of each stream."""
        self.run_until(lambda: all(member.ended for member in self.members), "the end of all streams")

    def settle(self):
        """Nobody starts anything new; waits until each has its own lines back."""
        for member in self.members:
            member.silent = True
        self.run_until(
            lambda: all(len(member.journal.echoed) == len(member.journal.sent) for member in self.members),
            "the last lines to come back")

    @property
    def journals(self):
        return [member.journal for member in self.members]

    def close(self):
        for member in self.members:
            member.close()
        self.selector.close()


def read_pages(server, room, after=0, at_most=None):
    """The room's history from a number on, as a user reads it: page by page over the socket."""
    client = LineClient(server.address)
    pages = []
    try:
        # Who speaks first need not wait for the greeting; /time comes after what entering shows.
        client.send(f"/join {room}\n/time")
        client.expect(r"^\*\*\* It is ")
        while at_most is None or len(pages) < at_most:
            client.send(f"/history after {after}")
            lines, end = client.read_until(r"^\*\*\* (\d+ lines?, number|Nothing there\.)")
            if end.string == PAGE_EMPTY:
                break
            _, first, after = map(int, PAGE_END.match(end.string).groups())
            pages.append(Page(first, after, [parse_said(line) for line in lines if line[:4] != "*** "]))
            if "More:" not in end.string:
                break
    finally:
        client.close()
    return pages


def read_history(server, rooms):
    return {room: read_pages(server, room) for room in rooms}
