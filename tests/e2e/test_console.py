# SPDX-License-Identifier: MIT
"""The console: `partyline serve` on a terminal."""
import contextlib
import fcntl
import os
import re
import signal
import struct
import subprocess
import termios
import time

import pytest

from harness import BINARY, PATIENCE_S, server_env, time_left

CHECKED = 'before=$(stty -g); {}; echo left with $?; test "$(stty -g)" = "$before" && echo as it was; cat'

# Of a pseudo-terminal, at its reader's side, in any kernel; it has 4095.
READER_BYTES = 4000


class Console:
    """A server on a screen."""

    def __init__(self, screen, data, *args, shell=None):
        self.data = data
        self.screen = screen
        command = [BINARY, "serve", "--listen", "any://127.0.0.1:0", "--data", str(data), *args]
        if shell is not None:
            command = ["sh", "-c", "trap : INT; " + shell.format(" ".join(command))]
        self.view = screen(*command, columns=110, rows=40)
        self.address = ("127.0.0.1", int(self.view.expect(r"listening on any://127\.0\.0\.1:(\d+)$")[1]))

    def command(self, text):
        self.view.type(text)
        self.view.press("Enter")

    def pid(self):
        """Of the server: the thread that has its number."""
        done = subprocess.run([BINARY, "ctl", "--data", str(self.data), "threads"], check=True, timeout=PATIENCE_S,
                              capture_output=True, text=True, env=server_env())
        return int(re.search(r"^(\d+) ", done.stdout)[1])


@pytest.fixture
def console(screen, tmp_path):
    return lambda *args, **settings: Console(screen, tmp_path / "data", *args, **settings)


def test_commands_are_answered_at_the_prompt(console, join):
    serve = console()
    alice = join(serve.address, "alice")
    serve.view.expect("^>>")
    serve.command("clients")
    serve.view.expect(r"^>> clients\nNUMBER +NAME +FROM +ROOMS\n\d+ +alice +127\.0\.0\.1:\d+ +lobby\n>>")
    serve.command("threads")
    serve.view.expect(r"^\d+ +console ")
    serve.command("say hello, all")
    alice.expect(r": hello, all$")
    serve.command("help")
    serve.view.expect(r"^kick NAME \[REASON\]")
    serve.command("kick alice enough")
    alice.expect(r"Goodbye: kicked: enough")
    serve.command("frob")
    serve.view.expect(r"^error: there is no such command")


def test_log_appears_above_the_line_being_typed(console, connect):
    serve = console("--log-level", "debug")
    serve.view.expect("^>>")
    serve.view.type("say half a thou")
    serve.view.expect("^>> say half a thou$")
    listening = connect(serve.address)
    for _ in range(10):
        connect(serve.address).send("/nick")
    listening.expect(r"Welcome")
    subprocess.run([BINARY, "ctl", "--data", str(serve.data), "say", "logged?"], check=True, timeout=PATIENCE_S,
                   env=server_env())
    serve.view.type("ght")
    deadline = time.monotonic() + PATIENCE_S
    while serve.view.text().rstrip("\n").split("\n")[-1] != ">> say half a thought":
        time_left(deadline, f"the typed line on the last row of\n{serve.view.text()}")
    serve.view.press("Enter")
    listening.expect(r": half a thought$")


@pytest.mark.parametrize("how", ["quit", "C-d", "C-c"])
def test_end_is_in_good_order_and_the_terminal_as_it_was(console, join, how):
    serve = console(shell=CHECKED)
    serve.view.expect("^>>")
    alice = join(serve.address, "alice")
    if how == "quit":
        serve.command("quit")
    else:
        serve.view.press(how)
    alice.expect(r"The server is going down")
    alice.expect_end()
    serve.view.expect("stopping")
    serve.view.expect("^left with 0$")
    serve.view.expect("^as it was$")


def test_sigterm_gives_the_terminal_back_amid_a_line(console):
    serve = console(shell=CHECKED)
    serve.view.expect("^>>")
    serve.view.type("say unfinis")
    serve.view.expect("unfinis$")
    subprocess.run(["kill", "-TERM", str(serve.pid())], check=True)
    serve.view.expect("^left with 0$")
    serve.view.expect("^as it was$")


def test_server_that_cannot_start_leaves_the_terminal_alone(screen, server, tmp_path):
    taken = server().port
    view = screen("sh", "-c", CHECKED.format(
        f"{BINARY} serve --listen any://127.0.0.1:{taken} --data {tmp_path / 'other'}"))
    view.expect("Address already in use")
    view.expect("^left with 1$")
    view.expect("^as it was$")


def test_no_console_means_none(console):
    serve = console("--no-console", shell="{}; echo left with $?; cat")
    # The terminal itself shows what is typed; a console would carry it out.
    serve.command("quit")
    threads = subprocess.run([BINARY, "ctl", "--data", str(serve.data), "threads"], check=True, timeout=PATIENCE_S,
                             capture_output=True, text=True, env=server_env()).stdout
    assert "console" not in threads
    assert ">>" not in serve.view.text()
    # The end of its terminal does not end it: to a server SIGHUP means something else.
    serve.view.press("C-c")
    serve.view.expect("left with 0")


def test_log_to_a_file_stays_there(console, connect, tmp_path):
    log = tmp_path / "log"
    serve = console("--log-level", "debug", shell="{} 2>" + str(log) + "; echo left with $?; cat")
    serve.view.expect("^>>")
    serve.command("quit")
    serve.view.expect("^left with 0$")
    assert "stopping" in log.read_text(encoding="utf-8")
    assert "stopping" not in serve.view.text()


def test_terminal_without_a_cursor_has_a_console_too(terminal, tmp_path):
    serve = terminal(BINARY, "serve", "--listen", "any://127.0.0.1:0", "--data", str(tmp_path / "data"))
    serve.expect(r"listening on")
    serve.expect(r">> ")
    serve.type("threads\r")
    serve.expect(r"\d+ +hub ")
    serve.type("quit\r")
    assert serve.wait() == 0
    assert "\x1b" not in serve.output


def fill(view):
    """Writes to a terminal that is not read until it takes no more."""
    slave = os.open(f"/proc/{view.process.pid}/fd/1", os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY)
    deadline = time.monotonic() + PATIENCE_S
    # The kernel hands over what was written later, which makes room again until its reader's side is full, too.
    waiting, = struct.unpack("i", fcntl.ioctl(view.master, termios.FIONREAD, bytes(4)))
    full = False
    while not full:
        time_left(deadline, "a full terminal")
        with contextlib.suppress(BlockingIOError):
            while True:
                os.write(slave, b"x" * 100)
        before, waiting = waiting, struct.unpack("i", fcntl.ioctl(view.master, termios.FIONREAD, bytes(4)))[0]
        full = before == waiting >= READER_BYTES
    os.close(slave)


def stop_output(view):
    """Ctrl-S."""
    view.type("\x13")


@pytest.mark.parametrize("silence", [fill, stop_output])
@pytest.mark.parametrize("args, term", [(["--no-console"], "dumb"), ([], "dumb"), ([], "xterm")])
def test_terminal_that_takes_nothing_stops_neither_the_chat_nor_its_end(terminal, join, tmp_path, silence, args, term):
    view = terminal(BINARY, "serve", "--listen", "any://127.0.0.1:0", "--log-level", "debug", "--data",
                    str(tmp_path / "data"), *args, env={"TERM": term})
    address = ("127.0.0.1", int(view.expect(r"listening on any://127\.0\.0\.1:(\d+)")[1]))
    if not args:
        view.expect(">> ")
    silence(view)
    alice = join(address, "alice")
    bob = join(address, "bob")
    alice.send("anyone?")
    bob.expect(r"alice: anyone\?$")
    view.process.send_signal(signal.SIGTERM)
    assert view.wait(10) == 0
