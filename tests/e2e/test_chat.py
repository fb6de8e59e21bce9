# SPDX-License-Identifier: MIT
"""`partyline chat`: on a terminal as a person sees it, and in a pipe as a script does."""
import contextlib
import re
import signal
import socket
import subprocess
import threading
import time

import pytest

from harness import BINARY, NO_FLOOD_CONTROL, PATIENCE_S, server_env, time_left
from test_line import TIME, said

GREETING = "*** Welcome to Net. You are guest1; /nick NAME changes that.\n*** You are in lobby, alone so far.\n"


# in a pipe


def where(chat):
    return f"{chat.host}:{chat.port}"


def plain(target, text, *args, timeout=PATIENCE_S * 2):
    """What a script does: printf text | partyline chat."""
    data = text if isinstance(text, bytes) else text.encode()
    return subprocess.run([BINARY, "chat", target, *args], input=data, capture_output=True,
                          timeout=timeout, env=server_env(), check=False)


class Follower:
    """partyline chat --plain with an open standard input."""

    def __init__(self, target, *args):
        self.process = subprocess.Popen(
            [BINARY, "chat", target, "--plain", *args], stdin=subprocess.PIPE,
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
    done = subprocess.run([BINARY, "chat", "--plain"], capture_output=True, timeout=PATIENCE_S * 2,
                          stdin=subprocess.DEVNULL, env=server_env(), check=False)
    assert done.returncode == 0 or b"127.0.0.1:60000" in done.stderr


@pytest.mark.parametrize("args", [("--nick",), ("--frob",), ("a", "b"), ("::1",), ("--nick", "a b"), ("unix:",)])
def test_wrong_usage(args):
    done = subprocess.run([BINARY, "chat", *args], capture_output=True, timeout=PATIENCE_S,
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
    with subprocess.Popen([BINARY, "chat", where(chat)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, env=server_env()) as process:
        process.stdout.close()
        process.stdin.write(b"hello\n" * 3)
        process.stdin.close()
        assert process.wait(PATIENCE_S) == 1
        assert b"cannot write" in process.stderr.read()


# on a terminal


def rows(screen):
    """The screen's rows without the empty ones at its end."""
    return screen.text().rstrip("\n").split("\n")


def open_chat(screen, chat, name, *args, **size):
    client = screen(BINARY, "chat", where(chat), "--nick", name, *args, **size)
    client.expect(rf"^{name}>")
    return client


def expect_last_row(screen, text):
    """Waits until the last row that is not empty is this one."""
    deadline = time.monotonic() + PATIENCE_S
    while rows(screen)[-1] != text:
        time_left(deadline, f"{text!r} as the last row of\n{screen.text()}")


def test_prompt_has_the_own_name_and_what_is_typed_is_said(server, join, screen):
    chat = server()
    bob = join(chat, "bob")
    alice = open_chat(screen, chat, "alice")
    alice.type("hello from a terminal")
    alice.press("Enter")
    bob.expect(said("alice", "hello from a terminal"))
    alice.expect(rf"^{TIME} alice: hello from a terminal$")
    expect_last_row(alice, "alice>")
    assert "alice> hello" not in alice.text()


def test_history_is_shown_first(server, join, screen):
    chat = server()
    bob = join(chat, "bob")
    bob.send("said before")
    bob.expect(said("bob", "said before"))
    alice = open_chat(screen, chat, "alice")
    alice.expect(rf"^{TIME} bob: said before$")


def test_incoming_lines_do_not_tear_the_line_being_typed(server, join, screen):
    chat = server(config=NO_FLOOD_CONTROL)
    bob = join(chat, "bob")
    alice = open_chat(screen, chat, "alice")
    alice.type("half a thou")
    alice.expect("^alice> half a thou$")
    for number in range(50):
        bob.send(f"noise {number}")
    alice.expect(rf"^{TIME} bob: noise 49\nalice> half a thou$")
    alice.type("ght")
    expect_last_row(alice, "alice> half a thought")
    alice.press("Enter")
    bob.expect(said("alice", "half a thought"))
    shown = re.findall(r"noise (\d+)$", alice.text(), re.MULTILINE)
    assert shown == [str(number) for number in range(50)][-len(shown):]


def test_typing_and_incoming_at_once_lose_no_key(server, join, screen):
    chat = server(config=NO_FLOOD_CONTROL)
    bob = join(chat, "bob")
    alice = open_chat(screen, chat, "alice")
    words = [f"word{number}" for number in range(30)]
    for word in words:
        bob.send_bytes(b"noise\n" * 5)
        alice.type(word + " ")
    alice.press("Enter")
    bob.expect(said("alice", " ".join(words)))


@pytest.mark.parametrize("text", ["中文" * 40, "a" + "中" * 60, "x" * 39, "x" * 33, "x" * 73, "ab 中 " * 30])
def test_long_and_wide_lines_stay_whole_in_a_narrow_terminal(server, join, screen, text):
    chat = server(config=NO_FLOOD_CONTROL)
    bob = join(chat, "bob")
    alice = open_chat(screen, chat, "alice", columns=40, rows=20)
    alice.type(text)
    alice.type("|")
    alice.expect(r"\|")
    bob.send_bytes("一二三\n".encode() * 3)
    alice.expect(rf"(^{TIME} bob: 一二三\n){{3}}alice>")

    def typed():
        # What stands behind the prompt, put together again; a row ends early before a wide character.
        return "".join(alice.text().rstrip("\n").split("alice> ", 1)[1].split("\n")).replace(" ", "")

    deadline = time.monotonic() + PATIENCE_S
    while typed() != text.replace(" ", "") + "|":
        time_left(deadline, f"the typed line on the screen:\n{alice.text()}")
    assert alice.text().count("alice> ") == 1
    alice.press("Enter")
    bob.expect(said("alice", text + "|"))


def test_cursor_inside_a_long_line_stays_there(server, join, screen):
    chat = server(config=NO_FLOOD_CONTROL)
    bob = join(chat, "bob")
    alice = open_chat(screen, chat, "alice", columns=40, rows=20)
    alice.type("b" * 60)
    alice.press("C-a")
    alice.type("1")
    bob.send("noise")
    alice.expect(rf"^{TIME} bob: noise\nalice> 1b")
    alice.type("2")
    alice.press("Right", "Right")
    bob.send("more")
    alice.expect(rf"^{TIME} bob: more\nalice> 12b")
    alice.type("3")
    alice.press("Enter")
    bob.expect(said("alice", "12bb3" + "b" * 58))


def test_resized_terminal_keeps_the_line(server, join, screen):
    chat = server(config=NO_FLOOD_CONTROL)
    bob = join(chat, "bob")
    alice = open_chat(screen, chat, "alice", columns=80, rows=20)
    alice.type("word " * 14 + "end")
    alice.expect("end$")
    alice.resize(50, 15)
    bob.send("noise")
    alice.expect(rf"^{TIME} bob: noise\nalice> word word")
    alice.resize(100, 20)
    bob.send("more")
    alice.expect(rf"^{TIME} bob: more\nalice> (word ){{14}}end$")
    assert alice.text().count("alice> ") == 1
    alice.press("Enter")
    bob.expect(said("alice", "word " * 14 + "end"))


def test_keys_edit_and_go_back(server, join, screen):
    chat = server()
    bob = join(chat, "bob")
    alice = open_chat(screen, chat, "alice")
    for text in ("first", "second"):
        alice.type(text)
        alice.press("Enter")
        bob.expect(said("alice", text))
    alice.press("Up", "Up")
    alice.expect("^alice> first$")
    alice.type(" again")
    alice.press("Home")
    alice.type("the ")
    alice.press("End", "BSpace", "Enter")
    bob.expect(said("alice", "the first agai"))
    alice.press("C-r")
    alice.type("sec")
    alice.expect("second")
    alice.press("Enter")
    bob.expect(said("alice", "second"))


def test_pasted_lines_wait_for_the_return_key(server, join, screen):
    chat = server()
    bob = join(chat, "bob")
    alice = open_chat(screen, chat, "alice")
    alice.paste("line one\nline 二\n")
    alice.expect("^alice> line one\nline 二$")
    bob.send("noise")
    alice.expect(rf"^{TIME} bob: noise\nalice> line one\nline 二$")
    alice.press("Enter")
    before, _ = bob.read_until(said("alice", "line one"))
    assert not any("line" in line for line in before)
    bob.expect(said("alice", "line 二"))


def test_ctrl_c_drops_the_line_and_then_leaves(server, join, screen):
    chat = server()
    bob = join(chat, "bob")
    alice = screen("sh", "-c", f"trap : INT; {BINARY} chat {where(chat)} --nick alice; echo left with $?; cat")
    alice.expect("^alice>")
    alice.type("never mind")
    alice.expect("^alice> never mind$")
    alice.press("C-c")
    expect_last_row(alice, "alice>")
    alice.press("C-c")
    alice.expect("^left with 0$")
    before, _ = bob.read_until(r"^\*\*\* alice quit")
    assert not any("never mind" in line for line in before)


@pytest.mark.parametrize("keys", [("C-d",), ("/quit", "Enter"), ("quit", "Enter")])
def test_leaving_gives_the_terminal_back(server, screen, keys):
    chat = server()
    alice = screen("sh", "-c", f"before=$(stty -g); {BINARY} chat {where(chat)} --nick alice;"
                               ' echo left with $?; test "$(stty -g)" = "$before" && echo as it was; cat')
    alice.expect("^alice>")
    alice.press(*keys)
    alice.expect("^left with 0$")
    alice.expect("^as it was$")


def test_command_typed_stays_to_be_seen(server, join, screen):
    chat = server()
    join(chat, "bob")
    alice = open_chat(screen, chat, "alice")
    alice.type("/who")
    alice.press("Enter")
    alice.expect(r"^alice> /who\n\*\*\* In lobby \(2\): alice bob$")


def test_prompt_follows_the_name(server, screen):
    chat = server()
    alice = open_chat(screen, chat, "alice")
    alice.type("/nick 爱丽丝")
    alice.press("Enter")
    alice.expect("^爱丽丝>")


def test_line_too_long_is_told(server, screen):
    chat = server()
    alice = open_chat(screen, chat, "alice", columns=200, rows=50)
    alice.type("x" * 1500)
    alice.press("Enter")
    alice.expect(r"That line is longer than 1024 bytes and was not sent\.")
    expect_last_row(alice, "alice>")


def test_kicked_user_is_told_and_does_not_come_back(server, screen):
    chat = server()
    alice = screen("sh", "-c", f"{BINARY} chat {where(chat)} --nick alice; echo left with $?; cat")
    alice.expect("^alice>")
    subprocess.run([BINARY, "ctl", "--data", str(chat.data), "kick", "alice", "rude"], check=True,
                   env=server_env(), timeout=PATIENCE_S)
    alice.expect(r"Goodbye: kicked: rude")
    alice.expect("^left with 1$")


def test_first_connection_that_fails_ends_it(screen):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    alice = screen("sh", "-c", f"{BINARY} chat 127.0.0.1:{port}; echo left with $?; cat")
    alice.expect(rf"^partyline chat: cannot connect to 127\.0\.0\.1:{port}: Connection refused$")
    alice.expect("^left with 1$")


# outages


def crash_and_return(chat, meanwhile=lambda: None, end=None):
    """Ends the server, as a crash does if not told otherwise, and starts it again where it was."""
    port = chat.port
    (end or chat.kill9)()
    meanwhile()
    chat.listen = [f"any://127.0.0.1:{port}"]
    chat.start()


def test_reconnect_shows_what_was_missed_and_nothing_twice(server, join, screen):
    chat = server(config=NO_FLOOD_CONTROL)
    bob = join(chat, "bob")
    alice = open_chat(screen, chat, "alice", rows=100)
    for number in range(30):
        bob.send(f"before {number}")
    alice.expect(r"before 29$")

    def type_on():
        alice.expect(r"^--- connection lost \(.*\), trying again$")
        alice.type("half a ")

    crash_and_return(chat, type_on)
    # As many as the server's greeting does not show by itself.
    carol = join(chat, "carol")
    for number in range(40):
        carol.send(f"after {number}")
    carol.expect(said("carol", "after 39"))
    alice.expect(r"^--- connected again$")
    alice.expect(r"after 39$")
    alice.type("line")
    expect_last_row(alice, "alice> half a line")
    alice.press("Enter")
    carol.expect(said("alice", "half a line"))
    alice.expect(r"alice: half a line$")
    text = alice.text()
    assert re.findall(r"before (\d+)$", text, re.MULTILINE) == [str(n) for n in range(30)]
    assert re.findall(r"after (\d+)$", text, re.MULTILINE) == [str(n) for n in range(40)]
    assert text.count("half a line") == 1
    assert text.count("--- connection lost") == 1
    assert text.count("--- connected again") == 1
    assert text.count("Welcome to") == 1


def test_reconnect_returns_to_the_room_and_its_history(server, join, screen):
    chat = server(config=NO_FLOOD_CONTROL)
    alice = open_chat(screen, chat, "alice", "--room", "garden", rows=60)
    alice.expect(r"You are in garden")
    alice.type("here I am")
    alice.press("Enter")
    alice.expect(r"alice: here I am$")
    crash_and_return(chat)
    carol = join(chat, "carol")
    carol.send("in the lobby")
    carol.send("/join garden")
    carol.send("in the garden")
    alice.expect(r"^--- connected again$")
    alice.expect(r"carol: in the garden$")
    alice.type("still here")
    alice.press("Enter")
    carol.expect(said("alice", "still here"))
    text = alice.text()
    assert text.count("here I am") == 1
    assert "in the lobby" not in text


def test_what_is_said_during_an_outage_is_sent_after_it(server, join, screen):
    chat = server(config=NO_FLOOD_CONTROL)
    alice = open_chat(screen, chat, "alice", rows=60)

    def talk():
        alice.expect(r"^--- connection lost")
        for text in ("one", "two", "two", "/who"):
            alice.type(text)
            alice.press("Enter")
        alice.expect(r"^--- not connected: /who was not sent$")

    crash_and_return(chat, talk)
    alice.expect(r"^--- connected again$")
    alice.expect(r"^--- sending 3 lines that were not said yet$")
    alice.expect(rf"^{TIME} alice: two\n{TIME} alice: two$")
    carol = join(chat, "carol")
    text = carol.received.decode()
    assert [line for line in re.findall(r"alice: (\w+)$", text, re.MULTILINE)] == ["one", "two", "two"]


def test_several_outages_in_a_row(server, join, screen):
    chat = server(config=NO_FLOOD_CONTROL)
    alice = open_chat(screen, chat, "alice", rows=100)
    for turn in range(3):
        crash_and_return(chat, end=chat.sigterm if turn == 1 else chat.kill9)
        carol = join(chat, f"carol{turn}")
        for number in range(5):
            carol.send(f"turn {turn} line {number}")
        alice.expect(rf"turn {turn} line 4$")
    expected = [f"turn {turn} line {number}" for turn in range(3) for number in range(5)]
    assert re.findall(r"turn \d line \d$", alice.text(), re.MULTILINE) == expected
    assert alice.text().count("--- connected again") == 3


def test_much_that_was_missed_is_shown_once_and_in_order(server, join, terminal):
    """More than one answer of the history holds, with more being said while it is asked for."""
    chat = server(config={**NO_FLOOD_CONTROL, "history": {"max": 100}})
    alice = terminal(BINARY, "chat", where(chat), "--nick", "alice", env={"TERM": "xterm", "NO_COLOR": "1"})
    alice.expect(r"alice> ")
    bob = join(chat, "bob")
    bob.send("before")
    alice.expect(r"bob: before\r\n")
    crash_and_return(chat)
    carol = join(chat, "carol")
    # The last 200 are said while alice asks for the others.
    spoken, most = 0, 1200
    while spoken < most:
        carol.send_bytes(b"".join(b"line %d\n" % number for number in range(spoken, spoken + 10)))
        carol.expect(said("carol", f"line {spoken + 9}"))
        spoken += 10
        if spoken == 1000:
            alice.expect(r"connected again")
    alice.expect(rf"carol: line {spoken - 1}\r\n")
    shown = re.findall(r"carol: line (\d+)\r\n", alice.output)
    assert shown == [str(number) for number in range(spoken)]
    assert alice.output.count("bob: before") == 1


def test_no_reconnect_leaves(server, screen):
    chat = server()
    alice = screen("sh", "-c", f"{BINARY} chat {where(chat)} --nick alice --no-reconnect; echo left with $?; cat")
    alice.expect("^alice>")
    chat.kill9()
    alice.expect(r"^--- connection lost \(")
    alice.expect("^left with 1$")


# colours and other terminals


def test_colours_are_for_terminals_that_want_them(server, terminal):
    chat = server()
    coloured = terminal(BINARY, "chat", where(chat), env={"TERM": "xterm-256color", "NO_COLOR": ""})
    coloured.expect(r"\x1b\[2m\*\*\* Welcome[^\n]*\x1b\[0m")
    plain_one = terminal(BINARY, "chat", where(chat), env={"TERM": "xterm-256color", "NO_COLOR": "1"})
    plain_one.expect(r"\*\*\* You are in lobby")
    plain_one.type("hello\r")
    plain_one.expect(r"guest2: hello")
    assert not re.search(r"\x1b\[[\d;]*m", plain_one.output)


def test_terminal_without_a_cursor_gets_plain_text(server, terminal):
    chat = server()
    dumb = terminal(BINARY, "chat", where(chat))
    dumb.expect(r"\*\*\* You are in lobby")
    dumb.type("hello\r")
    dumb.expect(r"guest1: hello")
    assert "\x1b" not in dumb.output
    dumb.type("quit\r")
    assert dumb.wait() == 0
