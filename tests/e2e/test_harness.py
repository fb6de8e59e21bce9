# SPDX-License-Identifier: MIT
"""The harness itself, against programs that only pretend: it must see what goes wrong."""
import os
import sys

import pytest

import harness
from harness import LineClient, Server

# Each connection is told its number and then hears its own lines. argv: serve --data D --listen U ...
PRETENDER = """\
import os, signal, socket, sys, threading
MODE = {mode!r}
if MODE == "dead":
    sys.exit("no way to start")
listener = socket.create_server(("127.0.0.1", 0))
def serve(peer):
    peer.sendall(b"*** Welcome to nowhere, guest1.\\n")
    for line in peer.makefile("rb"):
        peer.sendall(b"heard " + line)
    peer.close()
def end(*_):
    if MODE == "report":
        print("==1==ERROR: AddressSanitizer: heap-use-after-free", file=sys.stderr, flush=True)
    os._exit(3 if MODE == "fails" else 0)
signal.signal(signal.SIGTERM, end)
def accept():
    while True:
        threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
threading.Thread(target=accept, daemon=True).start()
print("started", file=sys.stderr, flush=True)
print("listening on any://127.0.0.1:%d" % listener.getsockname()[1], flush=True)
while True:
    signal.pause()
"""


@pytest.fixture
def pretend(tmp_path, monkeypatch):
    """pretend(mode): a Server whose program is the pretender; it is left to the test to end it."""
    made = []

    def make(mode):
        program = tmp_path / "pretender"
        program.write_text(f"#!{sys.executable}\n" + PRETENDER.format(mode=mode))
        os.chmod(program, 0o755)
        monkeypatch.setattr(harness, "BINARY", str(program))
        made.append(Server(tmp_path))
        return made[-1]

    yield make
    for one in made:
        if one.running:
            one.kill9()


def test_server_that_ends_well_passes(pretend):
    one = pretend("good").start()
    one.wait_for_log("started")
    client = LineClient(one.address)
    client.send("hello")
    before, match = client.read_until("heard (.*)")
    assert before == ["*** Welcome to nowhere, guest1."]
    assert match[1] == "hello"
    one.finish()
    assert not one.running
    client.expect_end()


@pytest.mark.parametrize("mode, word", [("fails", "ended with 3"), ("report", "AddressSanitizer")])
def test_server_that_ends_badly_is_seen(pretend, mode, word):
    one = pretend(mode).start()
    with pytest.raises(AssertionError, match=word):
        one.finish()


def test_server_that_does_not_start_is_seen(pretend):
    with pytest.raises(AssertionError, match="no way to start"):
        pretend("dead").start()


def test_crash_nobody_asked_for_is_seen(pretend):
    one = pretend("good").start()
    one.process.kill()
    one.process.wait()
    with pytest.raises(AssertionError, match="ended with -9"):
        one.finish()


def test_killed_server_starts_again_and_may_have_been_killed(pretend):
    one = pretend("good").start()
    assert one.kill9() == -9
    one.finish()
    one.start()
    LineClient(one.address).expect("Welcome")
    one.finish()


def test_line_that_never_comes_is_a_failure_in_time(pretend):
    client = LineClient(pretend("good").start().address)
    with pytest.raises(AssertionError, match="waited too long for 'never'"):
        client.expect("never", timeout=0.05)


def test_line_after_the_end_of_the_stream_is_a_failure(pretend):
    client = LineClient(pretend("good").start().address)
    client.end_output()
    with pytest.raises(AssertionError, match="the stream ended before 'never'"):
        client.expect("never")


def test_terminal_sees_what_a_program_writes_and_that_it_ended(terminal):
    shell = terminal("sh", "-c", "read line; echo got $line; read line; exit 7")
    shell.type("one\r")
    shell.expect(r"^got one")
    shell.type("two\r")
    with pytest.raises(AssertionError, match="ended before"):
        shell.expect("never")
    assert shell.wait() == 7


def test_terminal_passes_control_characters_as_signals(terminal):
    shell = terminal("sh", "-c", "trap 'echo stopped; exit 4' INT; echo ready; read line")
    shell.expect("ready")
    shell.type("\x03")
    shell.expect("stopped")
    assert shell.wait() == 4


def test_screen_shows_what_is_left_after_cursor_movements(screen):
    shell = screen("sh", "-c", "printf 'wrong\\rright\\n'; read line; echo typed $line; read line")
    shell.expect("^right$")
    shell.type("a word")
    shell.press("Enter")
    shell.expect("^typed a word$")
