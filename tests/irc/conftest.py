# SPDX-License-Identifier: MIT
"""Fixtures of the tests of the IRC front. PARTYLINE_BIN names the program under test.

Most tests of a module share one server: each has nicks and channels of its own. A test that needs
other settings makes its own server with `serve`.
"""
import itertools
import pathlib
import re
import shutil
import subprocess
import sys

import pytest

HERE = pathlib.Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "e2e")]
pytest.register_assert_rewrite("irc_client")

from harness import BINARY, LineClient, Server
from irc_client import IrcClient

PASSWORD = "open sesame"
# No limits but those of the protocol: tests are faster than people and come from one address.
LIMITS = {"flood": False, "connections_per_address": 0, "connection_rate": 0}
CONFIG = {
    "name": "irc.example",
    "network": "ExampleNet",
    "description": "A server for tests",
    "operators": [{"name": "boss", "password": "secret"}],
}
LISTEN = ("irc://127.0.0.1:0",)


class Irc:
    """A server and those who are on it during one test."""

    def __init__(self, server, mark):
        self.server = server
        self.mark = mark  # makes names those of this test alone
        self.counter = itertools.count(1)
        self.clients = []

    def name(self, base="user"):
        """A nick nobody else has."""
        return f"{base}{self.mark}x{next(self.counter)}"

    def room(self, base="room"):
        """A channel nobody has been in."""
        return f"#{base}-{self.mark}-{next(self.counter)}"

    def connect(self, **settings):
        """A connection that is not registered."""
        client = IrcClient(self.server.address, **settings)
        self.clients.append(client)
        return client

    def user(self, base="user", *caps, **settings):
        """A registered user, whose nick starts with base."""
        return self.connect().register(self.name(base), caps, **settings)

    def named(self, nick, *caps, **settings):
        """A registered user of this very nick."""
        return self.connect().register(nick, caps, **settings)

    def oper(self, base="oper", *caps):
        """A registered user who is an operator."""
        client = self.user(base, *caps)
        client.ask("OPER boss secret").one("381")
        return client

    def line_user(self, base="line"):
        """Somebody on the line front. Needs a server that listens for them."""
        client = LineClient(self.server.address)
        self.clients.append(client)
        client.send(f"/nick {self.name(base)}")
        client.name = client.expect(r"^\*\*\* You are now called (\S+)\.$")[1]
        return client

    def together(self, *bases, caps=(), room=None):
        """Registered users in one room, the first its operator. Returns the room and them."""
        room = room or self.room()
        users = [self.user(base, *caps) for base in bases]
        for user in users:
            user.ask(f"JOIN {room}").nothing_wrong()
        for user in users:
            user.sync()
        return room, *users

    def close(self):
        for client in self.clients:
            client.close()


def faketime(spec):
    """The environment of a program whose clock goes as spec says; skips where there is none.

    Not the command faketime: it stays as the parent, and signals would reach it and not the server.
    """
    if shutil.which("faketime") is None:
        pytest.skip("faketime is not installed")
    if b"__asan_init" in pathlib.Path(BINARY).read_bytes():
        pytest.skip("the address sanitizer and faketime both want to be loaded first")
    shown = subprocess.run(["faketime", "-f", spec, "env"], capture_output=True, text=True, timeout=20,
                           check=True).stdout
    preload = re.search(r"^LD_PRELOAD=(.*)$", shown, re.MULTILINE)[1]
    return {"LD_PRELOAD": preload, "FAKETIME": spec, "FAKETIME_DONT_RESET": "1"}


_marks = itertools.count(1)


def settings(**config):
    """CONFIG with more; limits are added to LIMITS."""
    limits = {**LIMITS, **config.pop("limits", {})}
    return {**CONFIG, "limits": limits, **config}


@pytest.fixture(scope="module")
def shared_server(tmp_path_factory):
    one = Server(tmp_path_factory.mktemp("irc"), config=settings(), listen=LISTEN)
    one.start()
    yield one
    one.finish()


@pytest.fixture
def irc(shared_server):
    """The module's server."""
    here = Irc(shared_server, next(_marks))
    yield here
    here.close()
    assert shared_server.running, shared_server.log


@pytest.fixture
def serve(tmp_path):
    """Makes servers of the test's own: serve(password="x", limits={...}, _listen=[...],
    _clock="+0 x30")."""
    made = []

    def make(_listen=LISTEN, _clock=None, **config):
        directory = tmp_path / f"server{len(made)}"
        directory.mkdir()
        server = Server(directory, config=settings(**config), listen=_listen,
                        env=faketime(_clock) if _clock else None)
        here = Irc(server, next(_marks))
        made.append(here)
        server.start()
        return here

    yield make
    errors = []
    for here in made:
        here.close()
        try:
            here.server.finish()
        except Exception as error:  # the others must be ended all the same
            errors.append(error)
    if errors:
        raise errors[0]
