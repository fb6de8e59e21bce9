# SPDX-License-Identifier: MIT
"""Signals under load, and what the server says when it cannot start."""
import contextlib
import json
import random
import re
import signal
import socket
import sqlite3
import subprocess
import time

import pytest

from checker import check
from harness import BINARY, DRAIN_S, server_env
from loader import NO_LIMITS, Crowd, Member, read_history, read_pages

ROUNDS = 20
ROOMS = ("lobby", "garden")
RELOADS = 100
# The load between two reloads: the log has 100 lines a second of each level, two for each reload.
BETWEEN_RELOADS_S = 0.02
DAMAGED_STATUS = 78


def serve(*args, timeout=30):
    """Runs a server that is expected not to start."""
    return subprocess.run(
        [BINARY, "serve", "--listen", "any://127.0.0.1:0", *args], capture_output=True, text=True,
        timeout=timeout, stdin=subprocess.DEVNULL, env=server_env(), check=False)


def enter(crowd, server, tag, window=24, count=6):
    for number in range(count):
        crowd.add(Member(server.address, f"{tag}c{number}", ROOMS[number % 2], window,
                         random.Random(f"{tag} {number}")))
    crowd.wait_ready()


# SIGTERM


def test_sigterm_at_any_moment_under_load_loses_nothing(server):
    chance = random.Random("SIGTERM")
    chat = server(config=NO_LIMITS)
    history = {room: [] for room in ROOMS}
    journals = []
    for number in range(ROUNDS):
        crowd = Crowd()
        try:
            enter(crowd, chat, f"r{number}")
            crowd.run_for(chance.uniform(0, 0.25))
            began = time.monotonic()
            chat.signal(signal.SIGTERM)
            # They talk on until they are told and their streams end.
            crowd.run_until(lambda: all(member.ended for member in crowd.members), "the end", DRAIN_S)
            assert chat.wait(DRAIN_S) == 0
            assert time.monotonic() - began < DRAIN_S
            for member in crowd.members:
                assert any("*** The server is going down" in note for note in member.notes), member.notes
            journals += crowd.journals
        finally:
            crowd.close()
        chat.start()
        for room, pages in history.items():
            pages += read_pages(chat, room, after=pages[-1].last if pages else 0)
        assert check(history, journals) == [], f"round {number}"


def flood(sockets, seconds, ended=lambda: False):
    """Sends as much as the sockets take and reads as much as they give, for so long or to the end."""
    blob = b"/msg nobody x\n" * 5_000
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and not ended():
        for one in sockets:
            with contextlib.suppress(OSError):
                one.send(blob)
            with contextlib.suppress(OSError):
                if one.recv(1 << 20) == b"":
                    one.close()


def test_sigterm_ends_a_server_whose_users_never_stop_talking(server, connect):
    """The server always has more to do; that must not keep it from its end."""
    limits = {**NO_LIMITS["limits"], "sendq": 1 << 26}
    chat = server(config={**NO_LIMITS, "limits": limits})
    sockets = [connect(chat).socket for _ in range(4)]
    for one in sockets:
        one.setblocking(False)
    flood(sockets, 0.5)
    assert all(one.fileno() != -1 for one in sockets), "they were cut: there is no load any more"
    chat.signal(signal.SIGTERM)
    flood(sockets, DRAIN_S, ended=lambda: not chat.running)
    assert chat.wait(1) == 0


def test_second_sigterm_does_not_wait_for_those_who_do_not_read(server, join):
    chat = server(config=NO_LIMITS)
    sleeper = join(chat, "sleeper", receive_buffer=4096)
    alice = join(chat, "alice")
    # So much waits for the sleeper that its stream cannot end in good order.
    for number in range(600):
        alice.send("x" * 900 + f" {number}")
        alice.expect(f"alice: x+ {number}$")
    chat.signal(signal.SIGTERM)
    alice.expect(r"^\*\*\* The server is going down")
    began = time.monotonic()
    chat.signal(signal.SIGTERM)
    assert chat.wait(DRAIN_S) == 0
    assert time.monotonic() - began < 2.5, "the second signal changed nothing"
    assert sleeper.name == "sleeper"
    late = join(chat.start())
    late.send("/history 1")
    late.expect("alice: x+ 599$")


# SIGHUP


def test_sighup_under_load_drops_nothing_and_the_log_says_what_changed(server):
    chat = server(config={**NO_LIMITS, "listen": ["any://127.0.0.1:0"], "network": "Net 0"})
    path = chat.directory / "partyline.yaml"
    broken = ['{"netwrok": "x"}', "limits: [", '{"limits": {"line": 1}}', '{"listen": ["gopher://x"]}', "\x00"]
    crowd = Crowd()
    try:
        enter(crowd, chat, "hup")
        done = 0
        for number in range(1, RELOADS + 1):
            if number % 2:
                text = json.dumps({**NO_LIMITS, "listen": ["any://127.0.0.1:0"], "network": f"Net {number}"})
            else:
                text = broken[number // 2 % len(broken)]
            path.write_text(text, encoding="utf-8")
            chat.signal(signal.SIGHUP)

            def answered():
                lines = [line for line in chat.log_lines if "was read again" in line or "nothing is changed" in line]
                return len(lines) > done

            crowd.run_until(answered, f"an answer to reload {number}")
            done += 1
            crowd.run_for(BETWEEN_RELOADS_S)
        answers = [line for line in chat.log_lines if "was read again" in line or "nothing is changed" in line]
        assert len(answers) == RELOADS
        for number, line in enumerate(answers, 1):
            assert ("was read again" if number % 2 else "nothing is changed") in line, (number, line)
        assert any(re.search(r"partyline\.yaml:1: netwrok", line) for line in answers)
        assert any("network has changed" in line for line in chat.log_lines)
        assert not any(member.ended for member in crowd.members)
        crowd.settle()
        assert check(read_history(chat, ROOMS), crowd.journals) == []
    finally:
        crowd.close()


def test_sighup_puts_new_limits_in_force_for_who_is_there(server, join):
    chat = server(config={"limits": {"topic": 40, "flood": False}})
    alice = join(chat, "alice")
    alice.send("/topic " + "t" * 41)
    alice.expect(r"^\*\*\* That topic is longer than 40 bytes")
    (chat.directory / "partyline.yaml").write_text(json.dumps({"limits": {"topic": 50, "flood": False}}))
    chat.signal(signal.SIGHUP)
    chat.wait_for_log("was read again: 1 key changed")
    alice.send("/topic " + "t" * 41)
    alice.expect("alice set the topic: t{41}$")


def test_sighup_puts_new_times_in_force_for_who_is_silent(server, connect):
    """An IRC client of which nothing was wanted for an hour is asked at once whether it is there."""
    chat = server(config={"limits": {"ping": 3600}})
    alice = connect(chat)
    alice.send("NICK alice\r\nUSER a 0 * :A\r")
    alice.expect(" 422 ")
    (chat.directory / "partyline.yaml").write_text(json.dumps({"limits": {"ping": 1}}))
    chat.signal(signal.SIGHUP)
    chat.wait_for_log("was read again: 1 key changed")
    alice.expect("^PING ")


def test_sighup_without_a_configuration_is_logged_and_ends_nothing(server, join):
    chat = server()
    alice = join(chat, "alice")
    chat.signal(signal.SIGHUP)
    chat.wait_for_log("no configuration file")
    alice.send("still here")
    alice.expect("alice: still here$")


# starting


def test_each_listener_has_its_line_in_order(server, join, tmp_path):
    path = str(tmp_path / "chat.sock")
    chat = server(listen=["line://127.0.0.1:0", "any://127.0.0.1:0", f"unix:{path}", "unix:@partyline-" + tmp_path.name])
    kinds = [re.sub(r":\d+$", "", url) for url in chat.urls]
    assert kinds == ["line://127.0.0.1", "any://127.0.0.1", f"unix:{path}", "unix:@partyline-" + tmp_path.name]
    join(chat, "alice")
    join(path, "bob")
    join("\0partyline-" + tmp_path.name, "carol")


@pytest.mark.parametrize("how", ["SIGTERM", "ctl"])
def test_unix_path_is_removed_at_the_end(server, join, tmp_path, how):
    path = tmp_path / "chat.sock"
    chat = server(listen=[f"unix:{path}", "unix:@partyline-" + tmp_path.name])
    join(str(path), "alice")
    if how == "ctl":
        done = subprocess.run([BINARY, "ctl", "--data", str(chat.data), "quit"], capture_output=True, timeout=30,
                              check=False)
        assert done.returncode == 0, done.stderr
    else:
        chat.signal(signal.SIGTERM)
    chat.process.wait(timeout=30)
    assert not path.exists()


def test_unix_path_that_somebody_else_has_bound_is_left(server, tmp_path):
    path = tmp_path / "chat.sock"
    chat = server(listen=[f"unix:{path}"])
    path.unlink()
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(path))
        chat.signal(signal.SIGTERM)
        chat.process.wait(timeout=30)
        assert path.exists()


def test_unix_path_of_a_server_that_cannot_start_is_removed(server, tmp_path):
    path = tmp_path / "chat.sock"
    chat = server()
    done = subprocess.run(
        [BINARY, "serve", "--listen", f"unix:{path}", "--listen", f"any://127.0.0.1:{chat.port}", "--data",
         str(tmp_path / "other")], capture_output=True, timeout=30, stdin=subprocess.DEVNULL, env=server_env(),
        check=False)
    assert done.returncode == 1 and not path.exists()


def test_unix_path_of_a_killed_server_is_taken_over(server, join, tmp_path):
    path = str(tmp_path / "chat.sock")
    chat = server(listen=[f"unix:{path}"])
    join(path, "alice")
    chat.kill9()
    chat.start()
    join(path, "alice")


def test_second_server_on_the_same_data_says_so(server):
    chat = server()
    done = serve("--data", str(chat.data))
    assert (done.returncode, done.stdout) == (1, "")
    assert f"another server uses {chat.data}" in done.stderr


def test_port_or_path_in_use_is_named(server, tmp_path, join):
    path = str(tmp_path / "chat.sock")
    chat = server(listen=["any://127.0.0.1:0", f"unix:{path}"])
    for url in (f"any://127.0.0.1:{chat.port}", f"unix:{path}"):
        done = subprocess.run(
            [BINARY, "serve", "--listen", url, "--data", str(tmp_path / "other")], capture_output=True,
            text=True, timeout=30, stdin=subprocess.DEVNULL, env=server_env(), check=False)
        assert (done.returncode, done.stdout) == (1, "")
        assert url in done.stderr
        assert "in use" in done.stderr
    # The one that was refused has taken nothing away from the one that runs.
    join(path, "alice")
    join(chat, "bob")


@pytest.fixture
def old_data(server, join):
    """A data directory with messages in it, whose server has ended in good order."""
    chat = server()
    alice = join(chat, "alice")
    for number in range(10):
        alice.send(f"line {number}")
    alice.expect("alice: line 9$")
    alice.close()
    assert chat.sigterm() == 0
    return chat.data


def spoil_the_header(database):
    with open(database, "r+b") as file:
        file.write(b"not a database at all")


def spoil_the_schema(database):
    with open(database, "r+b") as file:
        file.seek(100)
        file.write(b"\xff" * 200)


def cut_short(database):
    with open(database, "r+b") as file:
        file.truncate(4096)


def bring_another(database):
    database.unlink()
    with sqlite3.connect(database) as other:
        other.execute("CREATE TABLE theirs(x)")
    other.close()


def lose_the_end(database):
    with sqlite3.connect(database) as log:
        log.execute("DELETE FROM messages WHERE seq > 5")
    log.close()


@pytest.mark.parametrize("damage", [spoil_the_header, spoil_the_schema, cut_short, bring_another, lose_the_end])
def test_damaged_database_is_left_alone_and_ends_with_78(old_data, damage):
    database = old_data / "partyline.db"
    damage(database)
    before = database.read_bytes()
    done = serve("--data", str(old_data))
    assert (done.returncode, done.stdout) == (DAMAGED_STATUS, ""), done.stderr
    assert "partyline.db" in done.stderr
    assert database.read_bytes() == before


def test_newer_database_is_left_alone_and_the_message_says_what_to_do(old_data):
    database = old_data / "partyline.db"
    with sqlite3.connect(database) as log:
        log.execute("PRAGMA user_version = 99")
    log.close()
    before = database.read_bytes()
    done = serve("--data", str(old_data))
    assert (done.returncode, done.stdout) == (DAMAGED_STATUS, "")
    assert "later version of Partyline (schema 99" in done.stderr
    assert "use that version" in done.stderr
    assert database.read_bytes() == before
