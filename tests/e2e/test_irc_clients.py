# SPDX-License-Identifier: MIT
"""IRC clients that people use, and a library of bots: each connects, joins, talks both ways, asks for history,
changes its nick and quits. What the other side saw of it is the transcript of each test."""
import importlib
import os
import re
import shutil
import time

import pytest

from harness import PATIENCE_S, time_left
from terminal import find_program

ROOM = "#parlour"


def needed(program):
    """The program's path. Where everything is tested (.ci/run) it has to be there."""
    if os.environ.get("PARTYLINE_CI"):
        assert shutil.which(program), f"{program} is not installed"
    return find_program(program)


class Other:
    """The other side: bare IRC, and an account of what it saw a user do."""

    def __init__(self, connection):
        self.connection = connection
        self.seen = []
        self.send("NICK bob\r\nUSER bob 0 * :Bob")
        self.expect(r" 422 bob ")
        self.send(f"JOIN {ROOM}")
        self.expect(r" 366 bob ")
        self.send(f"PRIVMSG {ROOM} :nobody hears this")
        self.send("PING said")
        self.expect("PONG")
        self.seen.clear()

    def send(self, line):
        self.connection.send(line + "\r")

    def expect(self, pattern):
        before, match = self.connection.read_until(pattern)
        self.seen += [*before, match.string]
        return match

    def transcript(self):
        """What the others did, without what differs from client to client: user and host names."""
        return [re.sub(r"^:(\w+)!\S+ ", r"\1 ", line) for line in self.seen if not line.startswith(":irc.example ")]


@pytest.fixture
def chat(server):
    return server(config={"name": "irc.example", "limits": {"flood": False}}, listen=("irc://127.0.0.1:0",))


@pytest.fixture
def bob(chat, connect):
    return Other(connect(chat))


# Both hold back what a person types quickly, lest a server should mind: told not to, they take no seconds.
def irssi(chat, home):
    home.mkdir()
    (home / "config").write_text('settings = { "irc/core" = { cmds_max_at_once = "50"; }; };\n', encoding="utf-8")
    return [needed("irssi"), f"--home={home}", "-c", chat.host, "-p", str(chat.port), "-n", "ann"]


def weechat(chat, home):
    home.mkdir()
    server = f"{chat.host}/{chat.port}"
    return [needed("weechat"), "-d", str(home), "-r", f"/server add partyline {server} -notls -nicks=ann "
            "-anti_flood_prio_high=0 -anti_flood_prio_low=0", "-r",
            "/connect partyline"]


TRANSCRIPT = [
    f"ann JOIN {ROOM}",
    f"ann PRIVMSG {ROOM} :hello, 朋友",
    f"ann PRIVMSG {ROOM} :\x01ACTION waves\x01",
    "ann PRIVMSG bob :for you alone",
    f"bob TOPIC {ROOM} :of clients",
    "ann NICK anna",
    f"anna PRIVMSG {ROOM} :still here",
    "anna QUIT :Quit: and away",
]


@pytest.mark.parametrize("client", [irssi, weechat], ids=["irssi", "weechat"])
def test_person_with_a_client(chat, bob, screen, tmp_path, client):
    person = screen(*client(chat, tmp_path / "home"), columns=120, rows=40)

    def enter(line):
        person.type(line)
        person.press("Enter")

    person.expect(r"ISUPPORT|MOTD File is missing|are supported by this server")
    enter(f"/join {ROOM}")
    bob.expect(rf"^:ann!\S+ JOIN {ROOM}")
    person.expect(r"bob")
    enter("hello, 朋友")
    bob.expect("PRIVMSG .*hello")
    bob.send(f"PRIVMSG {ROOM} :welcome, ann 你好")
    person.expect("welcome, ann 你好")
    enter("/me waves")
    bob.expect("ACTION")
    enter("/msg bob for you alone")
    bob.expect("alone")
    bob.send(f"TOPIC {ROOM} :of clients")
    person.expect("of clients")
    # Neither asks by itself: it shows what it is sent.
    enter(f"/quote CHATHISTORY LATEST {ROOM} * 10")
    person.expect("nobody hears this")
    enter("/nick anna")
    bob.expect("NICK")
    enter("still here")
    bob.expect("still here")
    enter("/quit and away")
    bob.expect("QUIT")
    assert bob.transcript() == TRANSCRIPT


class Bot:
    """A user of python3-irc."""

    def __init__(self, chat):
        module = "irc.client"
        if not os.environ.get("PARTYLINE_CI"):
            pytest.importorskip(module)
        library = importlib.import_module(module)
        self.events = []
        self.reactor = library.IRC()
        self.reactor.add_global_handler("all_events", lambda connection, event: self.events.append(event))
        self.connection = self.reactor.server().connect(chat.host, chat.port, "ann", ircname="Ann")

    def expect(self, kind, text=""):
        """Waits for an event, and takes all up to it."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            while self.events:
                event = self.events.pop(0)
                if event.type == kind and text in " ".join(event.arguments):
                    return event
            self.reactor.process_once(timeout=time_left(deadline, kind))


def test_bot_of_python3_irc(chat, bob):
    bot = Bot(chat)
    bot.expect("welcome")
    assert bot.expect("featurelist", "CASEMAPPING")
    bot.connection.join(ROOM)
    assert "bob" in bot.expect("namreply").arguments[-1]
    bob.expect("JOIN")
    bot.connection.privmsg(ROOM, "hello, 朋友")
    bob.expect("hello")
    bob.send(f"PRIVMSG {ROOM} :welcome, ann 你好")
    heard = bot.expect("pubmsg")
    assert (heard.source.nick, heard.target, heard.arguments) == ("bob", ROOM, ["welcome, ann 你好"])
    bot.connection.action(ROOM, "waves")
    bob.expect("ACTION")
    bot.connection.privmsg("bob", "for you alone")
    bob.expect("alone")
    bob.send(f"TOPIC {ROOM} :of clients")
    bot.expect("topic", "of clients")
    bot.connection.send_raw(f"CHATHISTORY LATEST {ROOM} * 10")
    bot.expect("pubmsg", "nobody hears this")
    bot.connection.nick("anna")
    bob.expect("NICK")
    bot.expect("nick")
    assert bot.connection.get_nickname() == "anna"
    bot.connection.privmsg(ROOM, "still here")
    bob.expect("still here")
    bot.connection.quit("and away")
    bob.expect("QUIT")
    bot.expect("disconnect")
    assert bob.transcript() == TRANSCRIPT


@pytest.mark.parametrize("program", ["ncat", "telnet"])
def test_person_types_irc_by_hand(chat, bob, terminal, program):
    """Lines end as the terminal has it: ncat sends LF alone."""
    person = terminal(needed(program), chat.host, str(chat.port))
    person.type("NICK ann\r")
    person.type("USER ann 0 * :Ann\r")
    person.expect(r" 422 ann ")
    person.type(f"JOIN {ROOM}\r")
    person.expect(r" 353 ann = \S+ :\S* ?\S*bob")
    person.type(f"PRIVMSG {ROOM} :hello, all\r")
    bob.expect("hello")
    bob.send(f"PRIVMSG {ROOM} :welcome")
    person.expect(rf"^:bob!\S+ PRIVMSG {ROOM} :?welcome")
    person.type(f"CHATHISTORY LATEST {ROOM} * 10\r")
    person.expect(r"nobody hears this")
    person.type("NICK anna\r")
    person.expect(r"^:ann!\S+ NICK :?anna")
    person.type("QUIT :and away\r")
    person.expect(r"^ERROR :Closing link")
    bob.expect("QUIT")
    assert bob.transcript() == [
        f"ann JOIN {ROOM}", f"ann PRIVMSG {ROOM} :hello, all", "ann NICK anna", "anna QUIT :Quit: and away"]
