# SPDX-License-Identifier: MIT
"""The line front: what whoever types lines into a socket sees of the chat."""
import re

import pytest

from harness import NO_FLOOD_CONTROL, WELCOME

pytestmark = pytest.mark.backends

TIME = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"
NOTE = r"^\*\*\* "


def said(who, text):
    """The line that shows a message."""
    return rf"^{TIME} {re.escape(who)}: {re.escape(text)}$"


def did(who, text):
    """The line that shows an action."""
    return rf"^{TIME} \* {re.escape(who)} {re.escape(text)}$"


# coming and going


def test_silent_newcomer_is_greeted_with_a_name_and_a_hint(server, connect):
    newcomer = connect(server())
    welcome = newcomer.expect("^" + WELCOME)
    newcomer.send("/help")
    newcomer.expect(r"/nick")
    assert welcome[1].startswith("guest")
    assert b"/help" in newcomer.received


def test_first_line_typed_before_the_greeting_is_said(server, connect):
    newcomer = connect(server())
    newcomer.send("early bird")
    name = newcomer.expect("^" + WELCOME)[1]
    newcomer.expect(said(name, "early bird"))


def test_each_guest_has_another_name(server, join):
    chat = server()
    names = {join(chat).name for _ in range(10)}
    assert len(names) == 10


@pytest.mark.threads
def test_message_reaches_everyone_in_the_room_and_its_sender_alike(server, join):
    chat = server()
    alice, bob, carol = (join(chat, name) for name in ("alice", "bob", "carol"))
    alice.send("hello, all")
    lines = {member.expect(said("alice", "hello, all"))[0] for member in (alice, bob, carol)}
    assert len(lines) == 1


@pytest.mark.parametrize("word", ["quit", "/quit"])
def test_quit_ends_the_connection_and_the_others_are_told(server, join, word):
    chat = server()
    alice, bob = join(chat, "alice"), join(chat, "bob")
    bob.send(word)
    bob.expect_end()
    alice.expect(NOTE + r"bob quit")


def test_end_of_file_leaves_and_what_was_typed_before_it_is_said(server, join):
    chat = server()
    alice, bob = join(chat, "alice"), join(chat, "bob")
    bob.send_bytes(b"one line\nno line end")
    bob.end_output()
    bob.expect_end()
    alice.expect(said("bob", "one line"))
    alice.expect(said("bob", "no line end"))
    alice.expect(NOTE + r"bob quit")


def test_reset_connection_leaves(server, join):
    chat = server()
    alice, bob = join(chat, "alice"), join(chat, "bob")
    bob.reset()
    alice.expect(NOTE + r"bob quit")
    alice.send("/who")
    before, _ = alice.read_until(r"\balice\b")
    assert not any("bob" in line for line in before)


def test_newcomer_is_shown_the_last_lines_of_the_lobby(server, join, connect):
    chat = server()
    alice = join(chat, "alice")
    for number in range(3):
        alice.send(f"line {number}")
    alice.expect(said("alice", "line 2"))
    late = connect(chat)
    for number in range(3):
        late.expect(said("alice", f"line {number}"))


# names


def test_nick_renames_and_everyone_is_told(server, join):
    chat = server()
    alice, bob = join(chat, "alice"), join(chat, "bob")
    bob.send("/nick robert")
    bob.expect(NOTE + r"You are now called robert\.")
    alice.expect(NOTE + r"bob is now called robert$")
    bob.send("now?")
    alice.expect(said("robert", "now?"))


@pytest.mark.parametrize("name", ["alice", "ALICE", "", "two words here", "7seven", "x" * 200])
def test_nick_that_is_taken_or_no_name_is_refused(server, join, name):
    chat = server()
    join(chat, "alice")
    bob = join(chat, "bob")
    bob.send(f"/nick {name}")
    bob.expect(NOTE)
    bob.send("still me")
    bob.expect(said("bob", "still me"))


def test_name_is_free_again_when_its_owner_left(server, join):
    chat = server()
    alice, bob = join(chat, "alice"), join(chat, "bob")
    bob.send("quit")
    bob.expect_end()
    alice.expect(NOTE + r"bob quit")
    carol = join(chat, "carol")
    carol.send("/nick bob")
    carol.send("mine now")
    carol.expect(said("bob", "mine now"))


# rooms


@pytest.mark.threads
def test_rooms_do_not_hear_each_other(server, join):
    chat = server()
    alice, bob, carol = (join(chat, name) for name in ("alice", "bob", "carol"))
    for member in (alice, bob):
        member.send("/join garden")
        member.expect(NOTE + r"You are in garden")
    carol.expect(NOTE + r"alice left")
    alice.send("among the roses")
    bob.expect(said("alice", "among the roses"))
    carol.send("lobby only")
    before, _ = carol.read_until(said("carol", "lobby only"))
    assert not any("roses" in line for line in before)
    bob.send("last")
    before, _ = bob.read_until(said("bob", "last"))
    assert not any("lobby only" in line for line in before)


def test_leave_goes_back_to_the_lobby(server, join):
    chat = server()
    alice, bob = join(chat, "alice"), join(chat, "bob")
    for member in (alice, bob):
        member.send("/join garden")
        member.expect(NOTE + r"You are in garden")
    alice.send("/leave")
    bob.expect(NOTE + r"alice left")
    bob.send("alone now")
    bob.expect(said("bob", "alone now"))
    alice.send("/time")
    before, _ = alice.read_until(NOTE + r".*\d\d:\d\d")
    assert not any("alone now" in line for line in before)
    alice.send("back in the lobby")
    alice.expect(said("alice", "back in the lobby"))


def test_rooms_and_who_list_what_is_there(server, join):
    chat = server()
    alice, bob = join(chat, "alice"), join(chat, "bob")
    alice.send("/join garden")
    alice.expect(NOTE + r"You are in garden")
    bob.send("/rooms")
    bob.expect(r"garden")
    bob.send("/who garden")
    bob.expect(r"\balice\b")


def test_topic_is_set_told_and_shown_to_newcomers(server, join, connect):
    chat = server()
    alice, bob = join(chat, "alice"), join(chat, "bob")
    alice.send("/topic Roses and thorns")
    bob.expect(r"alice set the topic: Roses and thorns$")
    bob.send("/topic")
    bob.expect(NOTE + r".*Roses and thorns")
    connect(chat).expect(NOTE + r".*Roses and thorns")


# commands


def test_private_message_reaches_one_alone(server, join):
    chat = server()
    alice, bob, carol = (join(chat, name) for name in ("alice", "bob", "carol"))
    alice.send("/msg bob between us")
    bob.expect(r"alice.*between us")
    alice.expect(r"bob.*between us")
    alice.send("for all")
    before, _ = carol.read_until(said("alice", "for all"))
    assert not any("between us" in line for line in before)


def test_private_message_to_nobody_is_refused(server, join):
    alice = join(server(), "alice")
    alice.send("/msg nobody hello")
    alice.expect(NOTE + r".*\bnobody\b")


def test_me_is_an_action(server, join):
    chat = server()
    alice, bob = join(chat, "alice"), join(chat, "bob")
    alice.send("/me waves")
    bob.expect(did("alice", "waves"))
    alice.expect(did("alice", "waves"))


def test_history_shows_older_lines(server, join):
    chat = server(config=NO_FLOOD_CONTROL)
    alice = join(chat, "alice")
    for number in range(30):
        alice.send(f"line {number}")
    alice.expect(said("alice", "line 29"))
    alice.send("/history 30")
    for number in range(30):
        alice.expect(said("alice", f"line {number}"))


@pytest.mark.parametrize("word", ["thorn", "茶馆"])
def test_search_finds_a_word(server, join, word):
    chat = server()
    alice = join(chat, "alice")
    alice.send(f"where the {word} is")
    alice.send("nothing to see")
    alice.expect(said("alice", "nothing to see"))
    alice.send(f"/search {word}")
    alice.expect(rf"alice: where the {word} is")


def test_time_tells_the_time(server, join):
    alice = join(server(), "alice")
    alice.send("/time")
    alice.expect(NOTE + r".*\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")


def test_help_names_each_command(server, join):
    alice = join(server(), "alice")
    alice.send("/help")
    wanted = {"nick", "join", "leave", "rooms", "who", "msg", "me", "topic", "history", "search", "time",
              "help", "quit"}
    alice.send("/time")
    lines, _ = alice.read_until(NOTE + r".*\d\d:\d\d:\d\d")
    assert wanted <= set(re.findall(r"/(\w+)", "\n".join(lines)))


def test_unknown_command_is_answered_and_not_said(server, join):
    chat = server()
    alice, bob = join(chat, "alice"), join(chat, "bob")
    alice.send("/dance wildly")
    alice.expect(NOTE + r".*dance")
    alice.send("done")
    before, _ = bob.read_until(said("alice", "done"))
    assert not any("wildly" in line for line in before)


# bytes


@pytest.mark.threads
def test_text_in_any_script_passes_whole(server, join):
    chat = server()
    alice, bob = join(chat, "alice"), join(chat, "bob")
    for text in ("你好，世界", "Grüße, naïve café", "👩‍👩‍👧 ok", "שלום", "a\ttab"):
        alice.send(text)
        bob.expect(rf"alice: {re.escape(text)}$" if "\t" not in text else r"alice: a\s+tab$")


def test_every_line_end_ends_a_line(server, join):
    chat = server()
    alice, bob = join(chat, "alice"), join(chat, "bob")
    alice.send_bytes(b"lf\ncrlf\r\ncrnul\r\0last\n")
    for text in ("lf", "crlf", "crnul", "last"):
        bob.expect(said("alice", text))


def test_line_that_comes_byte_by_byte_is_one_line(server, join):
    chat = server()
    alice, bob = join(chat, "alice"), join(chat, "bob")
    for byte in "drop by drop: 茶\n".encode():
        alice.send_bytes(bytes([byte]))
    bob.expect(said("alice", "drop by drop: 茶"))


def test_control_bytes_never_reach_another_terminal(server, join):
    chat = server()
    alice, bob = join(chat, "alice"), join(chat, "bob")
    alice.send_bytes(b"\x1b[31mred\x1b]0;title\x07 \x00\x08\x0b\x7f \xc2\x9b2J end\n")
    alice.send("after")
    bob.expect(said("alice", "after"))
    text = bob.received.decode()
    assert not re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]", text)


@pytest.mark.parametrize(
    "bad", [b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"cut \xe4\xb8"],
    ids=["byte", "overlong", "surrogate", "beyond", "cut"],
)
def test_line_that_is_not_utf8_is_refused(server, join, bad):
    chat = server()
    alice, bob = join(chat, "alice"), join(chat, "bob")
    alice.send_bytes(b"bad: " + bad + b"\n")
    alice.expect(NOTE + r".*UTF-8")
    alice.send("good")
    before, _ = bob.read_until(said("alice", "good"))
    assert not any("bad:" in line for line in before)


def test_line_too_long_is_refused_and_the_next_one_is_said(server, join):
    chat = server()
    alice, bob = join(chat, "alice"), join(chat, "bob")
    alice.send("x" * 100_000)
    alice.expect(NOTE + r".*long")
    alice.send("short")
    before, _ = bob.read_until(said("alice", "short"))
    assert not any("xxx" in line for line in before)


def test_empty_lines_are_not_said(server, join):
    chat = server()
    alice, bob = join(chat, "alice"), join(chat, "bob")
    alice.send_bytes(b"\n\r\n   \n")
    alice.send("text")
    before, _ = bob.read_until(said("alice", "text"))
    assert not any("alice:" in line for line in before)


def test_telnet_options_are_refused_once_and_leave_no_trace_in_the_text(server, join):
    iac, will, wont, do, dont, echo, naws = 255, 251, 252, 253, 254, 1, 31
    chat = server()
    alice, bob = join(chat, "alice"), join(chat, "bob")
    alice.send_bytes(bytes([iac, do, echo, iac, will, naws]) + b"te" + bytes([iac, 241]) + b"xt\n")
    alice.expect_bytes(bytes([iac, wont, echo]))
    alice.expect_bytes(bytes([iac, dont, naws]))
    bob.expect(said("alice", "text"))


def test_telnet_client_that_speaks_first_is_a_line_user(server, connect):
    client = connect(server())
    client.send_bytes(bytes([255, 251, 31, 255, 253, 3]))
    client.expect_bytes(b"*** Welcome")


# many


@pytest.mark.threads
def test_all_of_many_hear_all_in_one_order(server, join):
    chat = server(config=NO_FLOOD_CONTROL)
    members = [join(chat, f"user{number}") for number in range(20)]
    members[0].expect(NOTE + r".*\buser19\b")
    for number, member in enumerate(members):
        member.send_bytes(b"".join(b"%d-%d\n" % (number, turn) for turn in range(10)))
    heard = []
    for member in members:
        lines = []
        while len(lines) < 200:
            match = member.expect(rf"^{TIME} user\d+: (\d+-\d+)$")
            lines.append(match[1])
        heard.append(lines)
    assert len(set(heard[0])) == 200
    assert all(lines == heard[0] for lines in heard)
    for number in range(20):
        own = [line for line in heard[0] if line.startswith(f"{number}-")]
        assert own == [f"{number}-{turn}" for turn in range(10)]


def test_who_says_too_much_at_once_is_slowed_and_loses_nothing(server, join):
    chat = server(config={"limits": {"flood": {"burst": 5, "rate": 50}}})
    alice, bob = join(chat, "alice"), join(chat, "bob")
    alice.send_bytes(b"".join(b"line %d\n" % number for number in range(25)))
    alice.expect(NOTE + r"Not so fast")
    for number in range(25):
        bob.expect(said("alice", f"line {number}"))


def test_member_who_does_not_read_holds_nobody_up(server, join):
    chat = server(config=NO_FLOOD_CONTROL)
    sleeper = join(chat, "sleeper", receive_buffer=4096)
    alice, bob = join(chat, "alice"), join(chat, "bob")
    assert sleeper.name == "sleeper"
    for number in range(2000):
        alice.send(f"{number} " + "x" * 900)
        if number % 100 == 99:
            bob.expect(rf"alice: {number} ")
            alice.expect(rf"alice: {number} ")
