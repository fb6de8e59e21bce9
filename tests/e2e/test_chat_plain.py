# SPDX-License-Identifier: MIT
"""`partyline chat` in a pipe, as a script uses it, with the line protocol."""
import contextlib
import re
import signal
import socket
import subprocess
import threading

import pytest

from harness import BINARY, NO_FLOOD_CONTROL, PATIENCE_S, server_env
from test_line import TIME, said

# How the line protocol is asked for; without it the client finds out what a server speaks.
LINE = ("chat", "--protocol", "line")
GREETING = "*** Welcome to Net. You are guest1; /nick NAME changes that.\n*** You are in lobby, alone so far.\n"


def where(chat):
    return f"{chat.host}:{chat.port}"


def plain(target, text, *args, timeout=PATIENCE_S * 2):
    """What a script does: printf text | partyline chat."""
    data = text if isinstance(text, bytes) else text.encode()
    return subprocess.run([BINARY, *LINE, target, *args], input=data, capture_output=True,
                          timeout=timeout, env=server_env(), check=False)


class Follower:
    """partyline chat --plain with an open standard input."""

    def __init__(self, target, *args, command=LINE):
        self.process = subprocess.Popen(
            [BINARY, *command, target, "--plain", *args], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=server_env())

    def expect(self, pattern):
        for line in self.process.stdout:
            if re.search(pattern, line.decode()):
                return
        raise AssertionError(f"the output ended before {pattern!r}: {self.process.stderr.read()}")

    def say(self, line):
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()

    def wait(self):
        # Not communicate(), which would close its input.
        status = self.process.wait(PATIENCE_S)
        return status, self.process.stderr.read().decode()

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(PATIENCE_S)
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            with contextlib.suppress(OSError):
                pipe.close()


@pytest.fixture
def follow():
    made = []

    def make(*args):
        made.append(Follower(*args))
        return made[-1]

    yield make
    for one in made:
        one.close()


class FakeServer:
    """Greets one client and answers its lines as told: {pattern: answer}; answer None closes."""

    def __init__(self, answers, greeting=GREETING):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.target = "127.0.0.1:%d" % self.listener.getsockname()[1]
        self.answers = answers
        self.greeting = greeting
        self.lines = []
        self.thread = threading.Thread(target=self.serve)
        self.thread.start()

    def serve(self):
        self.listener.settimeout(PATIENCE_S)
        peer, _ = self.listener.accept()
        with peer, peer.makefile("rwb") as file:
            file.write(self.greeting.encode() if isinstance(self.greeting, str) else self.greeting)
            file.flush()
            for line in file:
                text = line.decode().rstrip("\n")
                self.lines.append(text)
                for pattern, answer in self.answers.items():
                    if re.fullmatch(pattern, text):
                        if answer is None:
                            return
                        file.write(answer.encode())
                        file.flush()
                if text.startswith("/quit"):
                    return

    def close(self):
        self.listener.close()
        self.thread.join(PATIENCE_S)


NOW = "*** It is 2026-11-21 10:00:05 (+0000).\n"


@pytest.fixture
def fake_server():
    made = []

    def make(answers, **settings):
        made.append(FakeServer({"/time": NOW, **answers}, **settings))
        return made[-1]

    yield make
    for one in made:
        one.close()


def test_plain_says_each_line_and_ends_when_all_were_shown(server, join):
    chat = server(config=NO_FLOOD_CONTROL)
    alice = join(chat, "alice")
    done = plain(where(chat), "deploy done\n/me rests\n//slash\n 中文\nno line end", "--nick", "bot")
    assert done.returncode == 0, done.stderr
    assert done.stderr == b""
    for pattern in (said("bot", "deploy done"), rf"^{TIME} \* bot rests$", said("bot", "/slash"),
                    said("bot", " 中文"), said("bot", "no line end")):
        alice.expect(pattern)
        assert re.search(pattern, done.stdout.decode(), re.MULTILINE)


def test_plain_says_many_lines_in_order_despite_flood_control(server, join):
    chat = server(config={"limits": {"flood": {"burst": 5, "rate": 100}}})
    alice = join(chat, "alice")
    done = plain(where(chat), "".join(f"line {number}\n" for number in range(60)), "--nick", "bot")
    assert done.returncode == 0, done.stderr
    for number in range(60):
        alice.expect(said("bot", f"line {number}"))


def test_plain_goes_to_the_room_it_is_told(server, join):
    chat = server()
    alice = join(chat, "alice")
    alice.send("/join garden")
    alice.expect(r"You are in garden")
    assert plain(where(chat), "among roses\n", "--nick", "bot", "--room", "#garden").returncode == 0
    alice.expect(said("bot", "among roses"))


def test_plain_goes_where_its_commands_go(server, join):
    chat = server()
    alice = join(chat, "alice")
    alice.send("/join garden")
    alice.expect(r"You are in garden")
    done = plain(where(chat), "/nick bot\n/join garden\nhello\n/who\n/history 5\nhello\n/msg alice psst\n")
    assert done.returncode == 0, done.stderr
    alice.expect(said("bot", "hello"))
    alice.expect(said("bot", "hello"))
    alice.expect(r"\[bot -> you\] psst$")


def test_plain_over_a_unix_socket_and_a_url(server, tmp_path):
    path = str(tmp_path / "chat.sock")
    chat = server(listen=[f"unix:{path}", "any://127.0.0.1:0"])
    assert plain(f"unix:{path}", "hello\n").returncode == 0
    assert plain(chat.urls[1], "hello\n").returncode == 0


def test_plain_line_refused_by_the_server_is_told_and_the_next_is_said(server, join):
    chat = server()
    alice = join(chat, "alice")
    done = plain(where(chat), "x" * 3000 + "\nafter\n", "--nick", "bot")
    assert done.returncode == 1
    assert b"longer than 1024 bytes" in done.stderr
    alice.expect(said("bot", "after"))


@pytest.mark.parametrize("bad, cause", [(b"x" * 9000, b"line 2 is longer than 8192 bytes"),
                                        (b"bad \xff", b"line 2 is not UTF-8")])
def test_plain_line_that_cannot_be_sent_is_told_by_its_number(server, join, bad, cause):
    chat = server()
    alice = join(chat, "alice")
    done = plain(where(chat), b"before\n" + bad + b"\nafter\n", "--nick", "bot")
    assert done.returncode == 1
    assert cause in done.stderr
    alice.expect(said("bot", "before"))
    before, _ = alice.read_until(said("bot", "after"))
    assert not any("bot:" in line for line in before)


@pytest.mark.parametrize("args", [("--nick", "alice"), ("--nick", "7up"), ("--room", "no/room")])
def test_plain_says_nothing_under_another_name_or_elsewhere(server, join, args):
    chat = server()
    alice = join(chat, "alice")
    done = plain(where(chat), "secret\n", *args)
    assert done.returncode == 1
    assert b"***" in done.stderr
    alice.send("after")
    before, _ = alice.read_until(said("alice", "after"))
    assert not any("secret" in line for line in before)


def test_plain_takes_no_older_line_for_the_echo(fake_server):
    same = "2026-11-21 10:00:00 guest1: deploy done\n"
    fake = fake_server({"/time": same + NOW, "deploy done": "*** Not sent: the server cannot store it.\n"})
    done = plain(fake.target, "deploy done\n")
    assert done.returncode == 1
    assert b"Not sent: the server cannot store it." in done.stderr


def test_plain_takes_no_other_users_line_for_the_echo(fake_server):
    fake = fake_server({"hello": "2026-11-21 10:00:06 guest10: hello\n"
                                 "2026-11-21 10:00:06 bob: guest1: hello\n*** Goodbye: x\n", "x": None})
    done = plain(fake.target, "hello\nx\n", timeout=PATIENCE_S * 3)
    assert done.returncode == 1
    assert b"did not confirm a line within 10 s" in done.stderr
    assert fake.lines[-1] == "hello"


def test_plain_connection_that_ends_before_the_echo_is_a_failure(fake_server):
    fake = fake_server({"hello": None})
    done = plain(fake.target, "hello\n")
    assert done.returncode == 1
    assert b"connection lost: the server closed it" in done.stderr


def test_plain_never_prints_what_acts_on_a_terminal(fake_server):
    evil = "\x1b[2J\x1b]0;t\x07\x08\x9b31m\u202e\u009b"
    fake = fake_server({}, greeting=f"{GREETING}*** {evil}end\n".encode() + b"*** \xff\xfe\n")
    done = plain(fake.target, "")
    assert done.returncode == 0
    text = done.stdout.decode()
    assert "end\n" in text
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]", text)


def test_plain_without_a_server_fails():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    done = plain(f"127.0.0.1:{port}", "hello\n")
    assert done.returncode == 1
    assert b"Connection refused" in done.stderr


def test_without_a_host_the_usual_server_of_this_machine_is_meant():
    """Whatever is on that port here, if anything, hears no word of this."""
    done = subprocess.run([BINARY, *LINE, "--plain"], capture_output=True, timeout=PATIENCE_S * 2,
                          stdin=subprocess.DEVNULL, env=server_env(), check=False)
    assert done.returncode == 0 or b"127.0.0.1:60000" in done.stderr


@pytest.mark.parametrize("args", [("--nick",), ("--frob",), ("a", "b"), ("::1",), ("--nick", "a b"), ("unix:",)])
def test_wrong_usage(args):
    done = subprocess.run([BINARY, *LINE, *args], capture_output=True, timeout=PATIENCE_S,
                          stdin=subprocess.DEVNULL, env=server_env(), check=False)
    assert done.returncode == 2
    assert done.stderr.startswith(b"partyline chat: ")


def test_plain_prints_what_comes_as_it_comes(server, join, follow):
    chat = server()
    follower = follow(where(chat), "--nick", "bot")
    follower.expect("You are now called bot")
    join(chat, "alice").send("hello, bot")
    follower.expect(said("alice", "hello, bot"))
    follower.say("hello, alice")
    follower.expect(said("bot", "hello, alice"))


def test_plain_interrupted_leaves_in_good_order(server, join, follow):
    chat = server()
    alice = join(chat, "alice")
    follower = follow(where(chat), "--nick", "bot")
    follower.expect("You are now called bot")
    follower.say("bye")
    follower.expect(said("bot", "bye"))
    follower.process.send_signal(signal.SIGINT)
    assert follower.wait() == (0, "")
    alice.expect(r"^\*\*\* bot quit: quit$")


def test_plain_loses_its_server(server, follow):
    chat = server()
    follower = follow(where(chat))
    follower.expect("You are in lobby")
    chat.kill9()
    status, errors = follower.wait()
    assert status == 1
    assert "connection lost" in errors


def test_plain_fails_when_nobody_reads_its_output(server):
    chat = server()
    with subprocess.Popen([BINARY, *LINE, where(chat)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, env=server_env()) as process:
        process.stdout.close()
        process.stdin.write(b"hello\n" * 3)
        process.stdin.close()
        assert process.wait(PATIENCE_S) == 1
        assert b"cannot write" in process.stderr.read()


@pytest.mark.parametrize("closed", ["<&-", "<&- 2>&-"])
def test_closed_standard_input_is_an_empty_one(server, closed):
    chat = server()
    done = subprocess.run(["sh", "-c", f'exec "$0" chat --protocol line "$1" --plain {closed}', BINARY, where(chat)],
                          capture_output=True, timeout=PATIENCE_S, env=server_env(), check=False)
    assert done.returncode == 0
    assert "You are in lobby" in done.stdout.decode()
    assert done.stderr == b""


def test_closed_standard_output_is_a_failure(server):
    chat = server()
    done = subprocess.run(["sh", "-c", 'exec "$0" chat --protocol line "$1" --plain >&-', BINARY, where(chat)], input=b"",
                          capture_output=True, timeout=PATIENCE_S, env=server_env(), check=False)
    assert done.returncode == 1
    assert b"cannot write to standard output" in done.stderr


@pytest.mark.parametrize("size", [100, 3_000_000, 3 * 65536])
def test_line_without_an_end_is_cut(fake_server, size):
    fake = fake_server({"hello": "x" * size, "h.*": None})
    done = plain(fake.target, "hello\n")
    assert done.returncode == 1
    last = done.stdout.decode().splitlines()[-1]
    assert last == "x" * min(size, 512)
    assert len(done.stdout) < 2000


def test_line_too_long_is_cut_and_the_next_one_is_whole(fake_server):
    fake = fake_server({"/who": "*** " + "é" * 100_000 + "\n*** In lobby (1): guest1\n"})
    done = plain(fake.target, "/who\n")
    assert done.returncode == 0, done.stderr
    assert done.stdout.decode().splitlines()[2:4] == ["*** " + "é" * 254, "*** In lobby (1): guest1"]


@pytest.mark.parametrize("address, cause", [
    ("127.0.0.1:70000", "70000 is no port"), ("any://127.0.0.1:0", "0 is no port"),
    ("::1", "an IPv6 address stands in brackets"), ("line://::1:60000", "an IPv6 address stands in brackets")])
def test_wrong_address_is_wrong_usage(address, cause):
    done = plain(address, "")
    assert done.returncode == 2
    assert done.stderr.decode() == f"partyline chat: {address}: {cause}\n"
