# SPDX-License-Identifier: MIT
"""`partyline ctl`: what an operator asks of a running server."""
import os
import re
import subprocess

import pytest

from harness import BINARY, PATIENCE_S, server_env


def ctl(*args, text="", env=None):
    return subprocess.run([BINARY, "ctl", *args], input=text, capture_output=True, text=True,
                          timeout=PATIENCE_S, env={**server_env(), **(env or {})}, check=False)


def at(chat):
    return ("--data", str(chat.data))


def test_clients_are_listed_in_columns(server, join):
    chat = server()
    alice, bob = join(chat, "alice"), join(chat, "bartholomew")
    bob.send("/join garden")
    bob.expect(r"You are in garden")
    done = ctl(*at(chat), "clients")
    assert done.returncode == 0
    assert done.stderr == ""
    heading, *lines = done.stdout.splitlines()
    assert re.fullmatch(r"NUMBER +NAME +FROM +ROOMS", heading)
    assert len(lines) == 2
    for name, room in ((alice.name, "lobby"), (bob.name, "garden")):
        line = next(line for line in lines if name in line)
        assert re.fullmatch(rf"\d+ +{name} +127\.0\.0\.1:\d+ +{room}", line)
        assert line.index("127.0.0.1") == heading.index("FROM")


def test_columns_are_right_beside_wide_names(server, join):
    chat = server()
    for name in ("爱丽丝", "bob"):
        join(chat, name)
    heading, *lines = ctl(*at(chat), "clients").stdout.splitlines()
    where = {"bob" in line: line.index("127.0.0.1") for line in lines}
    # Three characters, six columns.
    assert where[False] + 3 == where[True] == heading.index("FROM")


def test_rooms_threads_and_help(server, join):
    chat = server()
    alice = join(chat, "alice")
    alice.send("/topic of  two  spaces")
    alice.expect(r"set the topic")
    assert re.search(r"^lobby +1 +of  two  spaces$", ctl(*at(chat), "rooms").stdout, re.MULTILINE)
    assert re.search(r"^\d+ +hub ", ctl(*at(chat), "threads").stdout, re.MULTILINE)
    assert re.search(r"^kick NAME", ctl(*at(chat), "help").stdout, re.MULTILINE)


def test_say_and_kick_reach_the_users(server, join):
    chat = server()
    alice = join(chat, "alice")
    assert ctl(*at(chat), "say", "back", "in five minutes").returncode == 0
    alice.expect(r"\*\*\* .*: back in five minutes$")
    assert ctl(*at(chat), "kick", "alice", "too", "loud").returncode == 0
    alice.expect(r"Goodbye: kicked: too loud")
    alice.expect_end()


def test_what_the_server_refuses_is_a_failure(server):
    chat = server()
    for command, cause in ((("kick", "nobody"), "nobody has that name"), (("frob",), "no such command"),
                           (("say",), "usage: say TEXT"), (("reload",), "without a configuration file"),
                           (("say", "a\nquit"), "a command is one line")):
        done = ctl(*at(chat), *command)
        assert done.returncode == 1, command
        assert done.stderr.startswith("partyline ctl: ")
        assert cause in done.stderr
        assert done.stdout == ""


def test_commands_from_a_pipe_are_carried_out_in_order(server, join):
    chat = server()
    alice = join(chat, "alice")
    done = ctl(*at(chat), text="rooms\n\nsay one\nfrob\nsay two")
    assert done.returncode == 1
    assert done.stderr == "partyline ctl: there is no such command; try help\n"
    assert done.stdout.count("lobby") == 1
    alice.expect(r": one$")
    alice.expect(r": two$")


def test_quit_stops_the_server_in_good_order(server):
    chat = server()
    assert ctl(*at(chat), "quit").returncode == 0
    assert chat.wait() == 0


def test_no_server_is_told_with_the_path(tmp_path):
    done = ctl("--data", str(tmp_path), "rooms")
    assert done.returncode == 1
    assert f"no server runs here ({tmp_path}/ctl.sock): No such file or directory" in done.stderr


@pytest.mark.parametrize("args", [("--frob",), ("--data",), ("--data", "a", "--socket", "b", "rooms")])
def test_wrong_usage(args):
    done = ctl(*args)
    assert done.returncode == 2
    assert "partyline ctl --help" in done.stderr


def test_server_is_found_as_it_finds_its_data(server, tmp_path):
    chat = server()
    config = tmp_path / "other.yaml"
    config.write_text(f"data: {chat.data}\n", encoding="utf-8")
    assert "hub" in ctl("--config", str(config), "threads").stdout
    assert "hub" in ctl("--socket", str(chat.data / "ctl.sock"), "threads").stdout
    assert "hub" in ctl("threads", env={"STATE_DIRECTORY": str(chat.data)}).stdout
    state = tmp_path / "state"
    state.mkdir()
    os.symlink(chat.data, state / "partyline")
    assert "hub" in ctl("threads", env={"STATE_DIRECTORY": "", "XDG_STATE_HOME": str(state)}).stdout
    config.write_text("data: 5: 6\n", encoding="utf-8")
    assert ctl("--config", str(config), "threads").returncode == 1


def test_path_too_long_for_a_socket_address(server, tmp_path):
    deep = tmp_path.joinpath(*["d" * 50] * 4)
    deep.mkdir(parents=True)
    chat = server("--data", str(deep))
    chat.data = deep
    assert len(str(deep)) > 108
    assert "hub" in ctl(*at(chat), "threads").stdout
    assert "hub" in ctl("--socket", str(deep / "ctl.sock"), "threads").stdout


def test_prompt_takes_commands_and_shows_answers(server, join, screen):
    chat = server()
    alice = join(chat, "alice")
    operator = screen(BINARY, "ctl", *at(chat))
    operator.expect("^>>")
    operator.type("rooms")
    operator.press("Enter")
    operator.expect(r"^>> rooms\nROOM +PEOPLE +TOPIC\nlobby +1\n>>")
    operator.type("say hello")
    operator.press("Enter")
    alice.expect(r": hello$")
    operator.expect(r"^>> say hello\nok\n>>")
    operator.type("frob")
    operator.press("Enter")
    operator.expect(r"^error: there is no such command; try help$")


@pytest.mark.parametrize("key", ["C-c", "C-d"])
def test_prompt_is_left_with_the_terminal_as_it_was(server, screen, key):
    chat = server()
    operator = screen("sh", "-c", f"trap : INT; before=$(stty -g); {BINARY} ctl --data {chat.data};"
                                  ' echo left with $?; test "$(stty -g)" = "$before" && echo as it was; cat')
    operator.expect("^>>")
    if key == "C-c":
        operator.type("half a command")
        operator.expect("^>> half a command$")
        operator.press("C-c")
        operator.expect(r"^>>\s*$")
    operator.press(key)
    operator.expect("^left with 0$")
    operator.expect("^as it was$")


def test_prompt_ends_with_the_server(server, screen):
    chat = server()
    operator = screen("sh", "-c", f"{BINARY} ctl --data {chat.data}; echo left; cat")
    operator.expect("^>>")
    chat.kill9()
    operator.expect("^the server has ended$")
    operator.expect("^left$")
