# SPDX-License-Identifier: MIT
"""Fixtures of the end-to-end tests. PARTYLINE_BIN names the program under test."""
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from harness import WELCOME, LineClient, Server
from terminal import Screen, Terminal


def pytest_generate_tests(metafunc):
    """Enters the tests marked `backends` once per backend of the loops."""
    if metafunc.definition.get_closest_marker("backends") and "server" in metafunc.fixturenames:
        metafunc.parametrize("server", ["epoll", "io_uring"], indirect=True)


@pytest.fixture
def server(request, tmp_path):
    """Makes running servers: server(*args, config=None, listen=[...]).

    At the end of the test each one must end in good order on SIGTERM, with no sanitizer's report.
    """
    made = []
    backend = getattr(request, "param", None)

    def make(*args, **settings):
        if backend is not None:
            args = ("--backend", backend, *args)
        directory = tmp_path / f"server{len(made)}"
        directory.mkdir()
        one = Server(directory, *args, **settings)
        made.append(one)
        one.start()
        missing = [line for line in one.log_lines if "no io_uring (" in line]
        if backend == "io_uring" and missing:
            pytest.skip(missing[0])
        return one

    yield make
    errors = []
    for one in made:
        try:
            one.finish()
        except Exception as error:  # the others must be ended all the same
            errors.append(error)
    if errors:
        raise errors[0]


@pytest.fixture
def connect():
    """Makes bare connections: connect(server), connect(address)."""
    made = []

    def make(where, **settings):
        client = LineClient(where.address if isinstance(where, Server) else where, **settings)
        made.append(client)
        return client

    yield make
    for client in made:
        client.close()


@pytest.fixture
def join(connect):
    """Makes users who are in the lobby and have a name: join(server, "alice")."""

    def make(where, name=None, **settings):
        client = connect(where, **settings)
        if name is not None:
            client.send(f"/nick {name}")
        client.name = client.expect("^" + WELCOME)[1]
        if name is not None:
            client.expect(rf"^\*\*\* You are now called {name}\.$")
            client.name = name
        return client

    return make


def made_closed(kind):
    """A fixture's body: makes things of a kind and closes them after the test."""
    made = []

    def make(*args, **settings):
        one = kind(*args, **settings)
        made.append(one)
        return one

    yield make
    for one in made:
        one.close()


@pytest.fixture
def terminal():
    """Makes programs on a terminal: terminal("nc", host, port)."""
    yield from made_closed(Terminal)


@pytest.fixture
def screen():
    """Makes programs on a screen: screen("partyline", "chat")."""
    yield from made_closed(Screen)
