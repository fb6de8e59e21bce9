# SPDX-License-Identifier: MIT
"""Hostile input, as a table: what is sent, what comes back, what another member sees of it.

Each row is sent whole and once more byte by byte, by a newcomer into a room where a witness sits.
After each row the witness talks and is heard: the server still serves.
"""
import contextlib
import dataclasses
import pathlib
import re
import resource
import socket
import struct
import time

import pytest

import harness
from harness import PATIENCE_S, LineClient
from loader import NO_LIMITS, parse_said

IAC, DONT, DO, WONT, WILL, SB, SE = 255, 254, 253, 252, 251, 250, 240
NOT_UTF8 = "*** That line is not UTF-8 and was not sent."
TOO_LONG = "*** That line is longer than 1024 bytes and was not sent."
NO_NAME = "*** That is no name: "
NO_ROOM_NAME = "*** That is no name for a room: "
HTTP = "HTTP/1.1 404 Not Found"
SERVER = "partyline"
IRC_END = "ERROR :Closing link: "
PROXY = "*** A PROXY header is not accepted here."
# What must never reach another terminal: C0 but newline, DEL, C1, line separators, bidi controls.
FORBIDDEN = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufffe]")
CONNECTIONS_UNDER_SANITIZER = 400


@dataclasses.dataclass
class Row:
    """sent: the bytes. seen: what others see of them, line by line. told: how lines of the answer begin,
    in their order, among other lines. raw: bytes that must be in the answer. ends: whether the server
    ends the connection by itself. first: the row is the connection's first bytes, not a later line."""

    name: str
    sent: bytes
    seen: tuple = ()
    told: tuple = ()
    raw: bytes = b""
    ends: bool = False
    first: bool = False


def text(name, sent, *seen):
    return Row(name, sent if isinstance(sent, bytes) else sent.encode(), seen)


def told(name, sent, *lines):
    return Row(name, sent if isinstance(sent, bytes) else sent.encode(), (), lines)


def first(name, sent, **rest):
    return Row(name, sent, first=True, ends=True, **rest)


def telnet_rows():
    """All options with all verbs: a wish to switch one on is refused, and nothing else is answered."""
    options = range(256)
    for name, verb, refusal in (("WILL", WILL, DONT), ("DO", DO, WONT), ("WONT", WONT, None), ("DONT", DONT, None)):
        sent = b"".join(bytes([IAC, verb, option]) for option in options) + f"after {name}\n".encode()
        answer = b"" if refusal is None else b"".join(bytes([IAC, refusal, option]) for option in options)
        yield Row(f"telnet {name} of every option", sent, (f"after {name}",), raw=answer)


UTF8_FAULTS = {
    "lone continuation": b"\x80", "two continuations": b"\x80\xbf", "lead alone": b"\xc3", "lead of 3 alone": b"\xe4",
    "cut after 2 of 3": b"\xe4\xb8", "lead of 4 alone": b"\xf0", "cut after 3 of 4": b"\xf0\x9f\x98",
    "lead of 5": b"\xf8\x88\x80\x80\x80", "lead of 6": b"\xfc\x84\x80\x80\x80\x80", "FE": b"\xfe", "FF FF": b"\xff\xff",
    "overlong slash of 2": b"\xc0\xaf", "overlong slash of 3": b"\xe0\x80\xaf", "overlong slash of 4": b"\xf0\x80\x80\xaf",
    "overlong NUL": b"\xc0\x80", "largest overlong of 2": b"\xc1\xbf", "largest overlong of 3": b"\xe0\x9f\xbf",
    "high surrogate": b"\xed\xa0\x80", "low surrogate": b"\xed\xbf\xbf", "surrogate pair": b"\xed\xa0\x81\xed\xb0\x80",
    "beyond U+10FFFF": b"\xf4\x90\x80\x80", "lead F5": b"\xf5\x80\x80\x80", "Latin-1": "Grüße".encode("latin-1"),
    "UTF-16": "hello".encode("utf-16-be")[:4] + b"\xfe\xff", "GBK": "你好".encode("gbk"),
}

ROWS = [
    # text that other terminals must not suffer from
    text("NULs", b"a\0b\0\0c\n", "abc"),
    text("escape sequence", "\x1b[31mred\x1b[0m\n", "[31mred[0m"),
    text("window title", "\x1b]0;owned\x07title\n", "]0;ownedtitle"),
    text("device control", "\x1bP+q544e\x1b\\dcs\n", "P+q544e\\dcs"),
    text("terminal's answer-back", "\x05\x1b[c\x1b[6n who are you\n", "[c[6n who are you"),
    text("clear screen and home", "\x1b[2J\x1b[H*** Welcome\n", "[2J[H*** Welcome"),
    text("C1 as UTF-8", "a\u0080\u0085\u008d\u009b2J\u009d0;x\u009cb\n", "a2J0;xb"),
    text("backspaces over the name", "\b\b\b\b\b\b\b\bmallory: hi\n", "mallory: hi"),
    text("bells", "\a\a\a ding\n", " ding"),
    text("tab", "a\tb\n", "a b"),
    text("vertical tab and form feed", "a\vb\fc\n", "abc"),
    text("DEL", "a\x7fb\n", "ab"),
    text("bidi overrides", "\u202egnp.exe\u202c \u2066x\u2069 \u202ax\u202c\n", "gnp.exe x x"),
    text("line and paragraph separators", "a\u2028b\u2029c\n", "a b c"),
    text("mIRC colours", "\x0304,12red\x03 \x02bold\x0f\n", "red bold"),
    text("shift out", "\x0e\x0fshift\n", "shift"),
    text("carriage return inside", "alice: yes\rmallory: no\n", "alice: yes", "mallory: no"),
    text("carriage return and NUL", b"one\r\0two\r\n", "one", "two"),
    text("byte order mark", "\ufeffbom\n", "\ufeffbom"),
    text("noncharacters", "\ufdd0x\U0010fffe\n", "\ufdd0x\U0010fffe"),
    text("zero width and joiners", "a\u200bb\u200d\n", "a\u200bb\u200d"),
    text("largest character", "\U0010ffff!\n", "\U0010ffff!"),
    text("many combining marks", "e" + "\u0301" * 200 + "\n", "e" + "\u0301" * 200),
    text("what looks like a server line", "*** Welcome to Evil. You are root;\n", "*** Welcome to Evil. You are root;"),
    text("what looks like a message", "2026-11-20 12:31:07 alice: I resign\n", "2026-11-20 12:31:07 alice: I resign"),
    text("double slash", "//etc/passwd\n", "/etc/passwd"),
    text("format directives", "%s%n%x%99999d {0} ${x} `id` $(id)\n", "%s%n%x%99999d {0} ${x} `id` $(id)"),
    text("SQL", "'); DROP TABLE messages;--\n", "'); DROP TABLE messages;--"),
    text("HTML", "<script>alert(1)</script>\n", "<script>alert(1)</script>"),
    text("spaces before and after", "   x   \n", "   x"),
    text("longest line", b"x" * 1024 + b"\n", "x" * 1024),
    text("empty lines", b"\n\r\n\r\0\n\n", ),
    text("10,000 empty lines", b"\n" * 10_000),
    text("lines of controls alone", b"\x01\n\x1b\n\x7f\n\xc2\x80\n"),
    # lines that are refused
    told("line of one byte too many", b"x" * 1025 + b"\n", TOO_LONG),
    told("line of 100 KiB", b"x" * 102_400 + b"\n", TOO_LONG),
    told("two long lines", (b"x" * 2000 + b"\n") * 2, TOO_LONG, TOO_LONG),
    told("long line that is cut in a character", b"x" * 1023 + "茶\n".encode(), TOO_LONG),
    *(told(f"invalid UTF-8: {name}", b"bad " + bad + b"\n", NOT_UTF8) for name, bad in UTF8_FAULTS.items()
      if 255 not in bad),
    told("invalid UTF-8: FF as telnet data", b"bad " + bytes([IAC, IAC]) + b"\n", NOT_UTF8),
    told("invalid UTF-8 in a command", b"/nick \xc3(\n", NOT_UTF8),
    # telnet
    *telnet_rows(),
    Row("telnet: subnegotiation", bytes([IAC, SB, 31, 0, 80, 0, 24, IAC, SE]) + b"sized\n", ("sized",)),
    Row("telnet: subnegotiation with newlines and quotes", bytes([IAC, SB, 39, 10, 13, IAC, IAC, 10, IAC, SE]) + b"env\n",
        ("env",)),
    Row("telnet: long subnegotiation", bytes([IAC, SB, 24]) + b"x" * 5000 + bytes([IAC, SE]) + b"long sub\n", ("long sub",)),
    Row("telnet: command inside a word", b"wo" + bytes([IAC, 241]) + b"rd\n", ("word",)),
    Row("telnet: command between CR and LF", b"crlf\r" + bytes([IAC, 249]) + b"\nnext\n", ("crlf", "next")),
    Row("telnet: erase character and line", bytes([IAC, 247, IAC, 248]) + b"ab" + bytes([IAC, 247]) + b"c\n", ("ac",)),
    Row("telnet: interrupt drops the line", b"secret" + bytes([IAC, 244]) + b"open\n", ("open",)),
    Row("telnet: are you there", bytes([IAC, 246]) + b"there\n", ("there",), ("*** Yes, I am here.",)),
    Row("telnet: end of subnegotiation alone", bytes([IAC, SE]) + b"stray\n", ("stray",)),
    Row("telnet: 1,000 wishes", bytes([IAC, DO, 1]) * 1000 + b"wished\n", ("wished",), raw=bytes([IAC, WONT, 1]) * 1000),
    # names, rooms, topics
    told("name: none", "/nick\n", "*** /nick NAME"),
    told("name: spaces", "/nick    \n", "*** /nick NAME"),
    told("name: 1,000 bytes", "/nick " + "x" * 1000 + "\n", "*** That name is longer than 32 bytes."),
    told("name: 33 bytes", "/nick " + "x" * 33 + "\n", "*** That name is longer than 32 bytes."),
    told("name: stars", "/nick ***\n", NO_NAME),
    told("name: colon", "/nick alice:\n", NO_NAME),
    told("name: digits first", "/nick 2026-11-20\n", NO_NAME),
    told("name: slash", "/nick /quit\n", NO_NAME),
    told("name: two words", "/nick alice cooper\n", NO_NAME),
    told("name: no-break space", "/nick alice\u00a0b\n", NO_NAME),
    told("name: zero width", "/nick ali\u200bce\n", NO_NAME),
    told("name: bidi override", "/nick \u202eecila\n", "*** You are now called ecila."),
    told("name: Hangul filler", "/nick \u3164\n", NO_NAME),
    told("name: combining mark first", "/nick \u0301x\n", NO_NAME),
    told("name: escape", "/nick a\x1b[31m\n", "*** You are now called a[31m."),
    told("name: of the server", "/nick partyline\n", "*** The name partyline is taken."),
    told("name: of another", "/nick WITNESS\n", "*** The name WITNESS is taken."),
    told("name: of another, fullwidth", "/nick ｗｉｔｎｅｓｓ\n", "*** The name ｗｉｔｎｅｓｓ is taken."),
    told("room: 1,000 bytes", "/join " + "r" * 1000 + "\n", "*** That room's name is longer than 50 bytes."),
    told("room: the second word is a key", "/join a b\n", "*** You are in a, "),
    told("room: comma", "/join a,b\n", NO_ROOM_NAME),
    told("room: path", "/join ../../etc\n", NO_ROOM_NAME),
    told("room: only a hash", "/join #\n", "*** "),
    told("topic: 1,000 bytes", "/topic " + "t" * 1000 + "\n", "*** That topic is longer than 390 bytes."),
    # commands with wrong arguments
    told("unknown command", "/dance wildly\n", "*** There is no command /dance."),
    told("long unknown command", "/" + "d" * 900 + "\n", "*** There is no command /" + "d" * 32 + "."),
    told("slash alone", "/\n", "*** There is no command /."),
    told("slash and space", "/ quit\n", "*** There is no command /."),
    told("msg: nobody", "/msg nobody psst\n", "*** Nobody here is called nobody."),
    told("msg: nothing", "/msg witness\n", "*** There is nothing to say in that."),
    told("msg: no name", "/msg\n", "*** /msg NAME TEXT"),
    told("me: nothing", "/me\n", "*** /me TEXT"),
    told("search: nothing", "/search\n", "*** /search TEXT"),
    told("who: no such room", "/who nowhere\n", "*** There is no room nowhere."),
    told("help: no such command", "/help nonsense\n", "*** What you type is said to the room."),
    told("leave: the lobby", "/leave\n", "*** You are in lobby already; /quit leaves for good."),
    *(told(f"history: {args!r}", f"/history {args}\n", "*** /history [N] |") for args in (
        "0", "-1", "x", "5 5", "1e3", "99999999999999999999", "before", "before x", "after -1", "since", "since noon",
        "since 2026-13-45", "until 25:99", "since 2026-11-20 12:31:07 UTC", "after 1; DROP")),
    told("history: far more than there is", "/history 4000000000\n", "*** "),
    told("history: beyond the end", "/history after 18446744073709551615\n", "*** Nothing there."),
    told("history: before the beginning", "/history before 0\n", "*** Nothing there."),
    told("history: in the year 9999", "/history since 9999-12-31\n", "*** Nothing there."),
    told("history: before the epoch", "/history until 1901-01-01\n", "*** Nothing there."),
    # other protocols, later than first: text
    text("HTTP later", "GET / HTTP/1.1\r\nHost: x\r\n\r\n", "GET / HTTP/1.1", "Host: x"),
    text("IRC later", "NICK mallory\r\nUSER m 0 * :m\r\nPRIVMSG #lobby :hi\r\n", "NICK mallory", "USER m 0 * :m",
         "PRIVMSG #lobby :hi"),
    text("PROXY later", "PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n", "PROXY TCP4 1.2.3.4 5.6.7.8 1 2"),
    # leaving
    *(Row(f"leave by {word!r}", word.encode() + b"\n", (), ("*** Goodbye",), ends=True) for word in (
        "quit", "QUIT", "Quit", "qUiT", "quit  ", "/quit", "/QUIT", "/quit for good", "/quit " + "r" * 900, "/quit \x1b[31m")),
    text("no leave by a word more", "quit now\n", "quit now"),
    text("no leave by a space before", " quit\n", " quit"),
    text("no leave by a word in it", "quitter\n", "quitter"),
    Row("what comes after quit is not heard", b"quit\nnever heard\n/nick late\n", (), ("*** Goodbye",), ends=True),
    # what else a connection can begin with
    *(first(f"HTTP first: {verb}", f"{verb} / HTTP/1.1\r\nHost: x\r\n\r\n".encode(), told=(HTTP,))
      for verb in ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH")),
    first("HTTP first: absolute", b"GET http://x/ HTTP/1.1\r\n\r\n", told=(HTTP,)),
    first("HTTP first: CONNECT", b"CONNECT x:443 HTTP/1.1\r\n\r\n", told=(HTTP,)),
    first("HTTP first: HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", told=(HTTP,)),
    first("HTTP first: 0.9", b"GET /\r\n", told=(HTTP,)),
    first("HTTP first: a form with chat in it", b"POST / HTTP/1.1\r\nContent-Length: 30\r\n\r\n/nick mallory\r\nI am alice\r\n",
          told=(HTTP,)),
    # who begins with IRC is answered in IRC, and is not in a room before it is registered
    *(first(f"IRC first: {line!r}", line.encode() + b"\r\nUSER x 0 * :x\r\nJOIN #lobby\r\nQUIT\r\n",
            told=(f":{SERVER} {answer}", *more, IRC_END))
      for line, answer, *more in (
          ("NICK x", "001 x :", ":x!~x@", f":{SERVER} 366 x #lobby :"),
          ("@a=b NICK x", "001 x :", ":x!~x@", f":{SERVER} 366 x #lobby :"),
          ("USER x 0 * :x", "451 * :"),
          ("CAP LS 302", "CAP * LS :", f":{SERVER} 451 * :"),
          ("PASS x", "451 * :"),
          ("SERVER x 1 :x", "451 * :"),
          ("AUTHENTICATE PLAIN", "451 * :"))),
    first("PROXY first: version 1", b"PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\nhello\n", told=(PROXY,)),
    first("PROXY first: version 2", b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c" + bytes(12), told=(PROXY,)),
    first("TLS first: hello", b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00", raw=b"\x15\x03\x01\x00\x02\x02\x28"),
    first("TLS first: of 16 KiB", b"\x16\x03\x03\x40\x00" + b"\x01" * 16384, raw=b"\x15\x03\x01\x00\x02\x02\x28"),
    Row("first: what only begins like HTTP", b"GET OUT\n", ("GET OUT",), first=True),
    Row("first: what only begins like IRC", b"NICKEL\n", ("NICKEL",), first=True),
    Row("first: what only begins like PROXY", b"PROXYMAN\n", ("PROXYMAN",), first=True),
    Row("first: SSH", b"SSH-2.0-x\r\n", ("SSH-2.0-x",), first=True),
    Row("first: SMTP", b"EHLO x\r\n", ("EHLO x",), first=True),
    Row("first: TLS of an older kind", b"\x80\x2e\x01\x03\x01\n", (), (NOT_UTF8,), first=True),
    Row("first: an at sign without end", b"@" + b"a" * 5000 + b"\n", (), (TOO_LONG,), first=True),
]
assert len(ROWS) >= 80 and len({row.name for row in ROWS}) == len(ROWS)


class Witness:
    """A member who sees what others do to the room."""

    def __init__(self, server):
        self.server = server
        self.client = LineClient(server.address)
        self.client.send("/nick witness")
        self.client.expect(r"^\*\*\* You are now called witness\.$")
        self.serial = 0

    def lines(self):
        """What was said by others since the last time. The witness speaks, and is heard: it still serves."""
        self.serial += 1
        self.client.send(f"still here {self.serial}")
        before, _ = self.client.read_until(rf"witness: still here {self.serial}$")
        for line in before:
            assert not FORBIDDEN.search(line), line
        return [said[2] for said in map(parse_said, before) if said and said[1] != "witness"]

    def close(self):
        self.client.close()


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """One server and a witness for all rows of this process: what a row leaves behind, the next would meet."""
    server = harness.Server(tmp_path_factory.mktemp("hostile"), config=NO_LIMITS).start()
    witness = Witness(server)
    yield witness
    witness.close()
    server.finish()


def send_row(client, row, piecemeal):
    if not piecemeal:
        with contextlib.suppress(ConnectionError):
            client.send_bytes(row.sent)
        return
    client.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with contextlib.suppress(ConnectionError):  # it may have been answered and ended by a part
        for at in range(len(row.sent)):
            client.send_bytes(row.sent[at:at + 1])


def play(witness, row, piecemeal):
    """Sends the row and returns all that came back, up to the answer of a last question or the end."""
    client = LineClient(witness.server.address)
    try:
        if not row.first:
            client.send("/time")
            client.expect(r"^\*\*\* It is ")
        begin = len(client.received)
        send_row(client, row, piecemeal)
        if row.ends:
            with contextlib.suppress(UnicodeDecodeError):
                client.expect_end()
        else:
            client.send("/time")
            client.expect_bytes(b"*** It is ")
        return client.received[begin:]
    finally:
        client.close()


@pytest.mark.parametrize("piecemeal", [False, True], ids=["whole", "byte by byte"])
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_row(house, row, piecemeal):
    if piecemeal and len(row.sent) > 20_000:
        piecemeal = False  # byte by byte it would measure the kernel; the parser's own tests split it everywhere
    house.lines()
    answer = play(house, row, piecemeal)
    assert house.lines() == list(row.seen)
    assert row.raw in answer
    if not row.raw and IAC not in row.sent:
        assert bytes([IAC]) not in answer
    lines = iter(answer.decode("utf-8", "replace").split("\n"))
    for wanted in row.told:
        assert any(line.startswith(wanted) for line in lines), (wanted, answer[:2000])


# what is not one connection's bytes


def rss_kib(server):
    status = pathlib.Path(f"/proc/{server.process.pid}/status").read_text()
    return int(re.search(r"^VmRSS:\s+(\d+) kB", status, re.MULTILINE)[1])


def test_line_without_end_takes_no_memory(house):
    client = LineClient(house.server.address)
    client.send("/time")
    client.expect(r"^\*\*\* It is ")
    before = rss_kib(house.server)
    blob = b"x" * (1 << 20)
    for _ in range(200):
        client.send_bytes(blob)
    client.send_bytes(b"\n/time\n")
    lines, _ = client.read_until(r"^\*\*\* It is ")
    assert [line for line in lines if line.startswith(TOO_LONG)] == [TOO_LONG]
    assert rss_kib(house.server) - before < 4096
    client.close()
    assert house.lines() == []


def test_subnegotiation_without_end_takes_no_memory_and_says_nothing(house):
    client = LineClient(house.server.address)
    client.send("/time")
    client.expect(r"^\*\*\* It is ")
    before = rss_kib(house.server)
    client.send_bytes(bytes([IAC, SB, 24]))
    for _ in range(50):
        client.send_bytes(b"/me x\n\0" * 100_000)
    client.send_bytes(bytes([IAC, SE]) + b"/time\n")
    client.expect(r"^\*\*\* It is ")
    assert rss_kib(house.server) - before < 4096
    client.close()
    assert house.lines() == []


def reset(client):
    client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.socket.close()


@pytest.mark.parametrize("sent", [
    b"", b"P", b"/ni", b"mid-line", b"\xe4\xb8", bytes([IAC]), bytes([IAC, DO]), bytes([IAC, SB, 1]), b"GET / HT",
    b"\x16", b"/history 100\n", b"/history 100\n" * 50, b"/who\n/rooms\n/help\n" * 50, b"/join elsewhere\n/leave\n", b"quit\n",
], ids=repr)
@pytest.mark.parametrize("greeted", [False, True], ids=["newcomer", "greeted"])
def test_reset_at_any_point_leaves_the_server_well(house, sent, greeted):
    for _ in range(5):
        client = LineClient(house.server.address, receive_buffer=4096)
        if greeted:
            client.send("/time")
            client.expect(r"^\*\*\* It is ")
        client.send_bytes(sent)
        reset(client)
    assert house.lines() == []
    # None of them is left behind.
    client = LineClient(house.server.address)
    client.send("/who")
    names = client.expect(r"^\*\*\* In lobby \((\d+)\):(.*)")
    client.close()
    assert int(names[1]) <= 12, names[0]


def test_reset_right_after_a_line_does_not_take_the_line_back(house):
    client = LineClient(house.server.address)
    client.send("/time")
    client.expect(r"^\*\*\* It is ")
    client.send("said and gone")
    client.expect("said and gone$")
    reset(client)
    assert house.lines() == ["said and gone"]


@pytest.mark.parametrize("sent, seen", [
    (b"", []), (b"whole\n", ["whole"]), (b"half", ["half"]), (b"one\ntwo\nhalf", ["one", "two", "half"]),
    (b"cut \xe4\xb8", []), (b"/me x\n/history 5", ["x"]), (b"quit", []), (b"a\r", ["a"]), (bytes([IAC, DO]), []),
    (b"x\n" * 500, ["x"] * 500),
], ids=lambda value: repr(value)[:30])
def test_half_close_answers_all_and_ends(house, sent, seen):
    client = LineClient(house.server.address)
    client.send_bytes(sent)
    client.end_output()
    answer = client.expect_end()
    client.close()
    assert house.lines() == [line for line in seen if line != "x" or b"/me" not in sent]
    if sent:
        assert "*** Goodbye" in answer
    if b"/history" in sent:
        assert "*** 5 lines, number" in answer


def test_flood_is_told_once_slowed_and_loses_nothing(server, join):
    chat = server(config={"limits": {"flood": {"burst": 10, "rate": 100}}})
    alice, bob = join(chat, "alice"), join(chat, "bob")
    began = time.monotonic()
    alice.send_bytes(b"".join(b"line %d\n" % number for number in range(150)))
    for number in range(150):
        bob.expect(rf"alice: line {number}$")
    took = time.monotonic() - began
    assert took > 1.2, "140 lines beyond the burst at 100 a second"
    alice.expect("alice: line 149$")
    # Once a flood, not once a line: a machine that stands still for a tenth of a second ends one and begins another.
    assert 1 <= alice.received.count(b"*** Not so fast") <= 5


def test_flood_control_can_be_lifted(server, join):
    chat = server(config={"limits": {"flood": False}})
    alice, bob = join(chat, "alice"), join(chat, "bob")
    alice.send_bytes(b"".join(b"line %d\n" % number for number in range(2000)))
    bob.expect(r"alice: line 1999$")
    assert b"Not so fast" not in alice.received


def answer_of(server):
    """What a new connection is told first, and the connection, which is closed when it was refused."""
    client = LineClient(server.address)
    with contextlib.suppress(ConnectionError):
        client.send("/time")
    match = client.expect(r"^\*\*\* (Not now: .*|Welcome .*)$")
    if match[1].startswith("Not now"):
        client.expect_end()
        client.close()
        return match[0], None
    return "welcome", client


def test_fourth_connection_of_an_address_is_refused_until_one_ends(server):
    chat = server(config={"limits": {"connections_per_address": 3, "connection_rate": 0}})
    clients = [answer_of(chat)[1] for _ in range(3)]
    assert answer_of(chat) == ("*** Not now: too many connections from your address.", None)
    clients[0].send("quit")
    clients[0].expect_end()
    clients[0].close()
    # The server takes note of the end on its own time.
    deadline = time.monotonic() + PATIENCE_S
    client = None
    while client is None:
        assert time.monotonic() < deadline, "the place of who left is not given to another"
        client = answer_of(chat)[1]
    for one in [*clients, client]:
        one.close()


def test_sixth_connection_of_a_minute_is_refused(server):
    chat = server(config={"limits": {"connections_per_address": 0, "connection_rate": 5}})
    answers = []
    for _ in range(8):
        said, client = answer_of(chat)
        answers.append(said)
        if client:
            client.close()
    refusal = "*** Not now: your address connects too often, try again in a minute."
    assert answers == ["welcome"] * 5 + [refusal] * 3


def test_connections_beyond_all_are_refused(server):
    chat = server(config={"limits": {"connections": 2, "connections_per_address": 0, "connection_rate": 0}})
    clients = [answer_of(chat)[1] for _ in range(2)]
    assert answer_of(chat) == ("*** Not now: the server is full.", None)
    for one in clients:
        one.close()


@pytest.mark.parametrize("lifted", [False, True], ids=["with limits", "limits lifted"])
@pytest.mark.parametrize("how", ["close", "reset"])
def test_storm_of_connections_leaves_the_server_well(server, lifted, how):
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    assert hard > 500
    chat = server(config=NO_LIMITS if lifted else None)
    talker = LineClient(chat.address)
    talker.send("/time")
    talker.expect(r"^\*\*\* It is ")
    before = rss_kib(chat)
    for number in range(2000):
        client = socket.create_connection(chat.address, PATIENCE_S)
        if number % 3 == 0:
            with contextlib.suppress(ConnectionError):
                client.sendall(b"x\n" if number % 2 else b"GET")
        if how == "reset":
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.close()
        if number % 200 == 0:
            talker.send(f"weathering {number}")
            talker.expect(rf": weathering {number}$")
    talker.send("over")
    talker.expect(": over$")
    assert rss_kib(chat) - before < 16 * 1024 or b"__asan_init" in pathlib.Path(harness.BINARY).read_bytes()
    talker.close()
