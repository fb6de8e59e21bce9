# SPDX-License-Identifier: MIT
"""`partyline chat` on a terminal, as a person sees it, with the line protocol."""
import re
import socket
import subprocess
import time

import pytest

from harness import BINARY, NO_FLOOD_CONTROL, PATIENCE_S, server_env, time_left
from test_chat_plain import LINE, NOW, fake_server, where  # noqa: F401
from test_line import TIME, said

def rows(screen):
    """The screen's rows without the empty ones at its end."""
    return screen.text().rstrip("\n").split("\n")


def open_chat(screen, chat, name, *args, **size):
    client = screen(BINARY, *LINE, where(chat), "--nick", name, *args, **size)
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
    alice = screen("sh", "-c", f"trap : INT; {BINARY} chat --protocol line {where(chat)} --nick alice; echo left with $?; cat")
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
    alice = screen("sh", "-c", f"before=$(stty -g); {BINARY} chat --protocol line {where(chat)} --nick alice;"
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


def test_answers_to_questions_nobody_typed_are_not_shown(fake_server, screen):
    """Both rooms are entered before the first answer comes: two questions of the client are on their way."""
    fake = fake_server({"/join two": "*** You are in one, alone so far.\n*** You are in two, alone so far.\n",
                        "/who": "*** In two (1): guest1\n"})
    alice = screen(BINARY, *LINE, fake.target)
    alice.expect("^guest1>")
    for line in ("/join one", "/join two"):
        alice.type(line)
        alice.press("Enter")
    alice.expect(r"You are in two")
    for line in ("/time", "/who"):
        alice.type(line)
        alice.press("Enter")
    # Whatever was answered before this stands above it.
    alice.expect(r"In two \(1\): guest1$")
    assert alice.text().count(NOW) == 1
    alice.press("C-d")


def test_answer_to_a_typed_question_is_shown_beside_the_clients_own(fake_server, screen):
    fake = fake_server({"/time": "", "/join one": "*** You are in one, alone so far.\n",
                        "/who": f"{NOW}{NOW.replace(':05', ':06')}{NOW.replace(':05', ':07')}"})
    alice = screen(BINARY, *LINE, fake.target)
    alice.expect("^guest1>")
    # Asked by the client, by the user, by the client.
    for line in ("/time", "/join one", "/who"):
        alice.type(line)
        alice.press("Enter")
    alice.expect(r"10:00:06")
    alice.type("on")
    alice.expect("^guest1> on$")
    assert "10:00:05" not in alice.text()
    assert "10:00:07" not in alice.text()
    alice.press("C-c", "C-d")


def test_line_too_long_is_told(server, screen):
    chat = server()
    alice = open_chat(screen, chat, "alice", columns=200, rows=50)
    alice.type("x" * 1500)
    alice.press("Enter")
    alice.expect(r"That line is longer than 1024 bytes and was not sent\.")
    expect_last_row(alice, "alice>")


def test_kicked_user_is_told_and_does_not_come_back(server, screen):
    chat = server()
    alice = screen("sh", "-c", f"{BINARY} chat --protocol line {where(chat)} --nick alice; echo left with $?; cat")
    alice.expect("^alice>")
    subprocess.run([BINARY, "ctl", "--data", str(chat.data), "kick", "alice", "rude"], check=True,
                   env=server_env(), timeout=PATIENCE_S)
    alice.expect(r"Goodbye: kicked: rude")
    alice.expect("^left with 1$")


def test_first_connection_that_fails_ends_it(screen):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    alice = screen("sh", "-c", f"{BINARY} chat --protocol line 127.0.0.1:{port}; echo left with $?; cat")
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
    alice = terminal(BINARY, *LINE, where(chat), "--nick", "alice", env={"TERM": "xterm", "NO_COLOR": "1"})
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
    alice = screen("sh", "-c", f"{BINARY} chat --protocol line {where(chat)} --nick alice --no-reconnect; echo left with $?; cat")
    alice.expect("^alice>")
    chat.kill9()
    alice.expect(r"^--- connection lost \(")
    alice.expect("^left with 1$")


# colours and other terminals


def test_colours_are_for_terminals_that_want_them(server, terminal):
    chat = server()
    coloured = terminal(BINARY, *LINE, where(chat), env={"TERM": "xterm-256color", "NO_COLOR": ""})
    coloured.expect(r"\x1b\[2m\*\*\* Welcome[^\n]*\x1b\[0m")
    plain_one = terminal(BINARY, *LINE, where(chat), env={"TERM": "xterm-256color", "NO_COLOR": "1"})
    plain_one.expect(r"\*\*\* You are in lobby")
    plain_one.type("hello\r")
    plain_one.expect(r"guest2: hello")
    assert not re.search(r"\x1b\[[\d;]*m", plain_one.output)


def test_terminal_without_a_cursor_gets_plain_text(server, terminal):
    chat = server()
    dumb = terminal(BINARY, *LINE, where(chat))
    dumb.expect(r"\*\*\* You are in lobby")
    dumb.type("hello\r")
    dumb.expect(r"guest1: hello")
    assert "\x1b" not in dumb.output
    dumb.type("quit\r")
    assert dumb.wait() == 0
