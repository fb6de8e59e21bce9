# SPDX-License-Identifier: MIT
"""An IRC client for tests: a socket, a parser of its own, and a way to know that all has come.

Nothing here sleeps. `sync` sends a PING with a token nobody has used and reads up to its PONG: what
the server had to say before it, about this client's lines and about what others had done and
synced, is then here. A test never waits for a message that must not come.
"""
import itertools
import re
import socket
import time

from harness import PATIENCE_S, make_narrow, time_left

TAG_ESCAPES = {":": ";", "s": " ", "\\": "\\", "r": "\r", "n": "\n"}
# What a server may send in one line: tags, then the message.
MOST_TAG_BYTES, MOST_LINE_BYTES = 8191, 512

_tokens = itertools.count(1)


class Any:
    """Equals everything: a parameter whose value the specification leaves open."""

    def __eq__(self, other):
        return True

    def __repr__(self):
        return "ANY"


ANY = Any()


class Like:
    """Equals a text that the pattern matches whole."""

    def __init__(self, pattern):
        self.pattern = re.compile(pattern)

    def __eq__(self, other):
        return isinstance(other, str) and self.pattern.fullmatch(other) is not None

    def __repr__(self):
        return f"Like({self.pattern.pattern!r})"


def unescape(value):
    """A tag's value as it was meant (message-tags, escaping values)."""
    text = re.sub(r"\\(.)", lambda found: TAG_ESCAPES.get(found[1], found[1]), value, flags=re.DOTALL)
    # An escape without a letter, at the end, is dropped.
    return text[:-1] if re.search(r"(?<!\\)(\\\\)*\\$", value) else text


class Message:
    """One line: tags (unescaped; a tag without a value has ""), source, command, params."""

    def __init__(self, line):
        self.line = line
        self.tags, self.source = {}, ""
        rest = line
        if rest.startswith("@"):
            tags, rest = rest[1:].split(" ", 1)
            for tag in filter(None, tags.split(";")):
                key, _, value = tag.partition("=")
                self.tags[key] = unescape(value)
            rest = rest.lstrip(" ")
        if rest.startswith(":"):
            self.source, rest = rest[1:].split(" ", 1)
            rest = rest.lstrip(" ")
        rest, colon, last = rest.partition(" :")
        self.command, *self.params = rest.split()
        if colon:
            self.params.append(last)

    @property
    def nick(self):
        return self.source.split("!", 1)[0]

    @property
    def user(self):
        return self.source.split("!", 1)[1].split("@", 1)[0]

    @property
    def host(self):
        return self.source.split("@", 1)[1]

    @property
    def text(self):
        return self.params[-1]

    @property
    def is_error(self):
        return re.fullmatch(r"[45]\d\d|FAIL|ERROR", self.command) is not None

    def __repr__(self):
        return self.line


class Messages(list):
    """What came, in its order."""

    def all(self, *commands):
        return Messages(message for message in self if message.command in commands)

    def one(self, command):
        """The only message of a command; fails when there is none or another."""
        found = self.all(command)
        assert len(found) == 1, f"{len(found)} of {command} in {self}"
        return found[0]

    def no(self, *commands):
        """Fails when one of these came. Returns the messages."""
        assert not self.all(*commands), f"{commands} in {self}"
        return self

    def nothing_wrong(self):
        """Fails when an error came. Returns the messages."""
        wrong = [message for message in self if message.is_error]
        assert not wrong, wrong
        return self

    def nothing_wrong_but(self, *commands):
        """The same, with errors that are all right."""
        Messages(m for m in self if m.command not in commands).nothing_wrong()
        return self

    @property
    def commands(self):
        return [message.command for message in self]


class IrcClient:
    """A connection to a server. Not registered until `register`."""

    def __init__(self, address, receive_buffer=None, source=None):
        family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self.socket = socket.socket(family, socket.SOCK_STREAM)
        self.socket.settimeout(PATIENCE_S)
        if source is not None:
            self.socket.bind((source, 0))
        if receive_buffer is not None:
            make_narrow(self.socket, receive_buffer)
        self.socket.connect(address)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.nick = None
        self.burst = Messages()
        self.waiting = b""  # bytes of no whole line yet
        self.lines = []     # whole lines that nobody has taken

    # bytes

    def send(self, *lines):
        """Sends lines, each ended with CR LF."""
        data = b"".join(
            (line if isinstance(line, bytes) else line.encode()) + b"\r\n" for line in lines)
        self.send_bytes(data)

    def send_bytes(self, data):
        self.socket.sendall(data)

    def send_byte_by_byte(self, data):
        """Each byte in a segment of its own, as far as the kernel lets it."""
        for at in range(len(data)):
            self.socket.sendall(data[at:at + 1])

    def _receive(self, deadline, what):
        """Takes more in. Returns False at the end of the stream."""
        self.socket.settimeout(time_left(deadline, what))
        try:
            piece = self.socket.recv(65536)
        except TimeoutError:
            raise AssertionError(f"waited too long for {what}; unread: {self.lines[-20:]}") from None
        except ConnectionError:
            piece = b""
        *whole, self.waiting = (self.waiting + piece).split(b"\n")
        for line in whole:
            assert line.endswith(b"\r"), f"a line without CR: {line!r}"
            line = line[:-1]
            assert not re.search(rb"[\r\0]", line), f"CR or NUL in a line: {line!r}"
            self._check_length(line)
            self.lines.append(line.decode("utf-8"))
        return piece != b""

    @staticmethod
    def _check_length(line):
        tags, rest = b"", line
        if line.startswith(b"@"):
            tags, rest = line.split(b" ", 1)
        assert len(tags) + 1 <= MOST_TAG_BYTES, f"{len(tags)} bytes of tags: {line!r}"
        assert len(rest) + 2 <= MOST_LINE_BYTES, f"{len(rest)} bytes in a line: {line!r}"

    def take(self, what="a message"):
        """The next message."""
        deadline = time.monotonic() + PATIENCE_S
        while not self.lines:
            assert self._receive(deadline, what), f"the stream ended before {what}"
        return Message(self.lines.pop(0))

    # messages

    def expect(self, command, *params):
        """Reads up to a message with this command and, as far as given, these parameters."""
        passed = Messages()
        while True:
            message = self.take(f"{command} {params} after {passed}")
            if message.command == command and message.params[:len(params)] == list(params):
                return message
            passed.append(message)

    def expect_one_of(self, *commands):
        """Reads up to a message with one of these commands."""
        while True:
            message = self.take(f"one of {commands}")
            if message.command in commands:
                return message

    def expect_end(self):
        """Waits until the server ends the connection. Returns what came before that."""
        deadline = time.monotonic() + PATIENCE_S
        while self._receive(deadline, "the end of the stream"):
            pass
        rest, self.lines = Messages(map(Message, self.lines)), []
        return rest

    def sync(self):
        """All that the server had to say up to now."""
        token = f"sync-{next(_tokens)}"
        self.send(f"PING {token}")
        before = Messages()
        while True:
            message = self.take(f"PONG {token} after {before}")
            if message.command == "PONG" and message.params[-1] == token:
                return before
            before.append(message)

    def ask(self, *lines):
        """Sends lines and returns all that comes of them."""
        self.send(*lines)
        return self.sync()

    # getting in

    def request(self, *caps):
        """Asks for capabilities, which must be granted."""
        if caps:
            self.send("CAP REQ :" + " ".join(caps))
            answer = self.expect("CAP")
            assert answer.params[1] == "ACK", answer

    def register(self, nick, caps=(), user="tester", real="A Tester", password=None):
        """Registers. Returns the client; `burst` is what the server said first."""
        if password is not None:
            self.send(f"PASS {password}")
        if caps:
            self.send("CAP LS 302")
            while self.expect("CAP", ANY, "LS").params[2] == "*":
                pass
            self.request(*caps)
        self.send(f"NICK {nick}", f"USER {user} 0 * :{real}")
        if caps:
            self.send("CAP END")
        first = self.expect("001")
        self.nick = nick
        self.burst = Messages([first, *self.sync()])
        return self

    @property
    def isupport(self):
        """The tokens of 005 in the burst: name to value, "" without one."""
        tokens = {}
        for message in self.burst.all("005"):
            for token in message.params[1:-1]:
                name, _, value = token.partition("=")
                tokens[name] = value
        return tokens

    def close(self):
        self.socket.close()
