# SPDX-License-Identifier: MIT
"""The server as its operator sees it: start, end, crash, listeners, configuration."""
import re
import signal
import socket
import subprocess
import time

import pytest

from harness import BINARY, DRAIN_S, NO_FLOOD_CONTROL, server_env
from test_line import said


def partyline(*args, timeout=30):
    return subprocess.run(
        [BINARY, *args], capture_output=True, text=True, timeout=timeout, stdin=subprocess.DEVNULL,
        env=server_env(), check=False)


def test_port_0_is_a_real_port_in_the_line_that_says_so(server, join):
    chat = server()
    assert re.fullmatch(r"any://127\.0\.0\.1:[1-9]\d*", chat.urls[0])
    join(chat, "alice")


def test_each_listener_is_told_and_accepts(server, join, tmp_path):
    path = str(tmp_path / "chat.sock")
    chat = server(listen=["any://127.0.0.1:0", "line://127.0.0.1:0", f"unix:{path}"])
    assert len(chat.urls) == 3
    alice = join(("127.0.0.1", int(chat.urls[1].rsplit(":", 1)[1])), "alice")
    bob = join(path, "bob")
    carol = join(chat, "carol")
    carol.send("hello from three doors")
    for member in (alice, bob, carol):
        member.expect(said("carol", "hello from three doors"))


def test_ipv6_listener(server, join):
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        pytest.skip("no IPv6 here")
    join(server(listen=["any://[::1]:0"]), "alice")


@pytest.mark.threads
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_drains_and_ends_with_0(server, join, number):
    chat = server()
    alice, silent = join(chat, "alice"), join(chat)
    alice.send("last words")
    alice.expect(said("alice", "last words"))
    began = time.monotonic()
    chat.signal(number)
    assert chat.wait(DRAIN_S) == 0
    assert time.monotonic() - began < DRAIN_S
    assert "***" in alice.expect_end()
    silent.expect_end()


def test_undecided_connections_do_not_delay_the_end(server, connect):
    chat = server()
    for _ in range(5):
        connect(chat)
    connect(chat).send_bytes(b"PRO")
    chat.signal(signal.SIGTERM)
    assert chat.wait(DRAIN_S) == 0


def test_what_anyone_saw_survives_kill_9(server, join, connect):
    chat = server(config=NO_FLOOD_CONTROL)
    alice = join(chat, "alice")
    for number in range(50):
        alice.send(f"line {number}")
    alice.expect(said("alice", "line 49"))
    chat.kill9()
    late = connect(chat.restart())
    late.expect(r"Welcome")
    late.send("/history 50")
    for number in range(50):
        late.expect(said("alice", f"line {number}"))


def test_restart_keeps_history_and_topic(server, join, connect):
    chat = server()
    alice = join(chat, "alice")
    alice.send("/topic Roses and thorns")
    alice.send("to be kept")
    alice.expect(said("alice", "to be kept"))
    late = connect(chat.restart())
    late.expect(r"Roses and thorns")
    late.expect(said("alice", "to be kept"))


def test_second_server_on_the_same_data_refuses(server):
    chat = server()
    done = partyline("serve", "--listen", "any://127.0.0.1:0", "--data", str(chat.data))
    assert done.returncode == 1
    assert "listening" not in done.stdout
    assert done.stderr


def test_port_in_use_is_an_error_with_the_address(server, tmp_path):
    chat = server()
    done = partyline("serve", "--listen", f"any://127.0.0.1:{chat.port}", "--data", str(tmp_path / "other"))
    assert done.returncode == 1
    assert str(chat.port) in done.stderr
    assert "in use" in done.stderr


@pytest.mark.parametrize(
    "args",
    [["--nonsense"], ["--listen"], ["--listen", "gopher://127.0.0.1:70"], ["--listen", "any://127.0.0.1:99999"],
     ["--loops", "none"], ["--backend", "kqueue"], ["--config", "/nonexistent.yaml"]],
    ids=" ".join,
)
def test_bad_arguments_are_told_and_nothing_starts(tmp_path, args):
    done = partyline("serve", "--data", str(tmp_path / "data"), *args)
    assert done.returncode in (1, 2)
    assert done.stdout == ""
    assert done.stderr.startswith("partyline serve: ")


def test_configuration_is_used(server, join):
    chat = server(config={"network": "Tea House", "listen": ["any://127.0.0.1:0"], "motd": "Mind the cups"})
    alice = join(chat, "alice")
    text = alice.received.decode()
    assert "Tea House" in text
    assert "Mind the cups" in text


def test_check_takes_a_good_configuration(tmp_path):
    path = tmp_path / "good.yaml"
    path.write_text("network: Tea House\nloops: 2\n")
    done = partyline("check", str(path))
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    "text, line, word",
    [
        ("network: Tea House\ncolour: blue\n", 2, "colour"),
        ("network: Tea House\nloops: many\n", 2, "loops"),
        ("limits:\n  nick: 30\n  nicks: 4\n", 3, "nicks"),
        ("listen:\n  - any://127.0.0.1:0\n  - gopher://x\n", 3, "gopher"),
    ],
)
def test_check_names_line_and_key(tmp_path, text, line, word):
    path = tmp_path / "bad.yaml"
    path.write_text(text)
    done = partyline("check", str(path))
    assert done.returncode == 1
    assert re.search(rf"bad\.yaml:{line}\b", done.stderr), done.stderr
    assert word in done.stderr


def test_program_lists_its_subcommands_and_tells_its_version():
    listed = partyline("help")
    assert listed.returncode == 0
    assert {"serve", "check", "version", "help"} <= set(re.findall(r"\w+", listed.stdout))
    told = partyline("version")
    assert told.returncode == 0
    assert re.search(r"\d+\.\d+\.\d+", told.stdout)
    assert partyline("nonsense").returncode == 2
