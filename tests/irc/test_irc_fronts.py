# SPDX-License-Identifier: MIT
"""People on the line front and in IRC in the same rooms, and several listeners."""
import re

import pytest

from harness import LineClient
from irc_client import ANY, IrcClient, Like

ANY_FRONT = ("any://127.0.0.1:0",)


@pytest.fixture
def mixed(serve):
    """A server that speaks both, a line user and an IRC user in one room."""
    irc = serve(_listen=ANY_FRONT)
    room = irc.room()
    alice = irc.user("alice")
    alice.ask(f"JOIN {room}")
    line = irc.line_user()
    line.send(f"/join {room}")
    alice.expect("JOIN")
    return irc, room, alice, line


def test_irc_is_known_by_its_first_line(serve):
    """Front door: NICK, CAP and so on in capitals begin IRC on the shared port."""
    irc = serve(_listen=ANY_FRONT)
    for first in ("CAP LS 302", "PASS x", "NICK early", "USER a 0 * :b"):
        client = irc.connect()
        client.send(first)
        client.send("PING done")
        client.expect("PONG", ANY, "done")


def test_irc_is_known_byte_by_byte(serve):
    """Front door: the first line may come in any pieces."""
    irc = serve(_listen=ANY_FRONT)
    client, nick = irc.connect(), irc.name()
    client.send_byte_by_byte(f"NICK {nick}\r\nUSER tester 0 * :x\r\n".encode())
    assert client.expect("001").params[0] == nick


@pytest.mark.parametrize("lines", [
    ["nick {nick}", "user tester 0 * :x"], ["Nick {nick}", "User tester x x :x"],
    ["cap end", "nick {nick}", "user tester 0 * :x"], ["pass secret", "nick {nick}", "user tester 0 * :x"],
    ["pass :my secret", "nick {nick}", "user tester 0 * x"], ["user tester 0 * x", "nick {nick}"],
    [":me NICK {nick}", "USER tester 0 * :x"], ["  nick {nick}", "user tester 0 * :x"],
    ["WEBIRC secret gw host 10.0.0.1", "NICK {nick}", "USER tester 0 * :x"],
    ["PING :1", "PASS secret", "NICK {nick}", "USER tester 0 * :x"],
    ["", "", "NICK {nick}", "USER tester 0 * :x"], ["@a=b :c nick {nick}", "user tester 0 * :x"]])
def test_irc_is_known_in_lower_case(serve, lines):
    """Front door: commands are in any case, may have a source, and empty lines before them."""
    irc = serve(_listen=ANY_FRONT)
    line, client = irc.line_user(), irc.connect()
    client.send(*[text.format(nick=irc.name()) for text in lines])
    client.expect("001")
    line.send("done")
    before, _ = line.read_until("done$")
    assert not any("secret" in text or "tester" in text for text in before)


@pytest.mark.parametrize("text", ["pass me the salt", "nick is here", "user error", "cap it",
                                  ":) nick", "  spaces", "user error in line :("])
def test_chat_that_begins_like_irc_is_chat(serve, text):
    """Front door: what a person may type first is not taken for IRC."""
    irc = serve(_listen=ANY_FRONT)
    line = irc.line_user()
    person = LineClient(irc.server.address)
    irc.clients.append(person)
    person.send(text)
    line.expect(r"guest\d+: " + re.escape(text) + "$")


def test_irc_that_comes_late_behind_an_empty_line_is_not_published(serve):
    """Front door: Enter, and then a handshake: the password stays out of the room."""
    irc = serve(_listen=ANY_FRONT)
    line = irc.line_user()
    late = LineClient(irc.server.address)
    irc.clients.append(late)
    late.expect(r"^\*\*\* Welcome")
    for text in ("", " ", "PASS secret"):
        late.send(text)
    late.expect(r"^\*\*\* That is IRC and was not said")
    late.send("hello")
    before, _ = line.read_until(r"guest\d+: hello$")
    assert not any("secret" in text for text in before)


@pytest.mark.parametrize("handshake", [
    ["PASS secret", "pass secret", "USER a 0 * :b"],
    ["cap ls 302", "nick low", "pass secret", "user low 0 * :low", "cap end"],
    ["nick hello", "pass secret", "user x secret secret :x"],
    ["WEBIRC secret gw host 10.0.0.1", "CAP LS 302", "PASS secret"],
])
def test_no_line_of_a_late_handshake_is_published(serve, handshake):
    """Front door: of a handshake that comes late each line is held back, not the first alone."""
    irc = serve(_listen=ANY_FRONT)
    line = irc.line_user()
    late = LineClient(irc.server.address)
    irc.clients.append(late)
    late.expect(r"^\*\*\* Welcome")
    for text in handshake:
        late.send(text)
        late.expect(r"^\*\*\* That is IRC and was not said")
    late.send("hello")
    before, _ = line.read_until(r"guest\d+: hello$")
    assert not any(re.search(r"guest\d+: ", text) for text in before)


def test_a_line_user_hears_irc(mixed):
    """What is said in IRC is shown as a line."""
    _, room, alice, line = mixed
    alice.ask(f"PRIVMSG {room} :hello from irc")
    line.expect(rf"{alice.nick}: hello from irc$")


def test_a_line_user_sees_a_message_of_spaces(mixed):
    """It is shown as said: a name and nothing to see. It stays one line, and the next is whole."""
    _, room, alice, line = mixed
    alice.ask(f"PRIVMSG {room} :  ", f"PRIVMSG {room} :\x01ACTION  \x01", f"PRIVMSG {room} :x")
    line.expect(rf"{alice.nick}:   $")
    line.expect(rf"\* {alice.nick}  $")
    line.expect(rf"{alice.nick}: x$")


def test_irc_hears_a_line_user(mixed):
    """What a line user says is a PRIVMSG."""
    _, room, alice, line = mixed
    line.send("hello from nc")
    message = alice.expect("PRIVMSG")
    assert message.nick == line.name and message.params == [room, "hello from nc"]
    assert re.fullmatch(r"[^!@ ]+![^!@ ]+@[^!@ ]+", message.source)


def test_an_action_of_irc_is_an_action(mixed):
    """CTCP ACTION is /me."""
    _, room, alice, line = mixed
    alice.ask(f"PRIVMSG {room} :\x01ACTION waves\x01")
    line.expect(rf"\* {alice.nick} waves$")


def test_an_action_of_a_line_user_is_ctcp(mixed):
    """/me is CTCP ACTION."""
    _, room, alice, line = mixed
    line.send("/me waves")
    assert alice.expect("PRIVMSG").params == [room, "\x01ACTION waves\x01"]


def test_private_messages_cross(mixed):
    """/msg and PRIVMSG."""
    _, _, alice, line = mixed
    line.send(f"/msg {alice.nick} psst")
    assert alice.expect("PRIVMSG").params == [alice.nick, "psst"]
    alice.ask(f"PRIVMSG {line.name} :what?")
    line.expect("what\\?$")


def test_formatting_is_stripped_for_line_users(mixed):
    """mIRC formatting: bold, colours, italics, reset never reach a terminal."""
    _, room, alice, line = mixed
    alice.ask(f"PRIVMSG {room} :\x02bold\x02 \x0304,05red\x03 \x1dit\x1d \x1fun\x1f \x16rev\x0f "
              "\x1est\x1e \x11mono\x11 \x04ff0000hex end")
    line.expect(r": bold red it un rev st mono hex end$")
    assert not re.search(rb"[\x00-\x08\x0b-\x1f]", line.received.replace(b"\r\n", b"\n"))


def test_both_are_in_names(mixed):
    """NAMES lists members of every front."""
    _, room, alice, line = mixed
    names = {word.lstrip("@+") for word in alice.ask(f"NAMES {room}").one("353").text.split()}
    assert names == {alice.nick, line.name}


def test_whois_of_a_line_user(mixed):
    """WHOIS works for members of every front."""
    _, _, alice, line = mixed
    assert alice.ask(f"WHOIS {line.name}").nothing_wrong().one("311").params[1] == line.name


def test_a_line_user_leaves(mixed):
    """/quit is QUIT in IRC."""
    _, _, alice, line = mixed
    line.send("/quit")
    assert alice.expect("QUIT").nick == line.name


def test_a_line_user_moves_on(mixed):
    """/join of another room is PART and JOIN."""
    irc, room, alice, line = mixed
    line.send(f"/join {irc.room()}")
    part = alice.expect("PART")
    assert part.nick == line.name and part.params[0] == room


def test_the_topic_crosses(mixed):
    """TOPIC and /topic are the same topic."""
    _, room, alice, line = mixed
    alice.ask(f"MODE {room} -t")
    line.send("/topic set by a line user")
    assert alice.expect("TOPIC").params == [room, "set by a line user"]
    alice.ask(f"TOPIC {room} :set in irc")
    line.expect("set in irc")


def test_a_kicked_line_user_is_told(mixed):
    """KICK works on members of every front."""
    _, room, alice, line = mixed
    alice.ask(f"KICK {room} {line.name} :enough of nc").one("KICK")
    line.expect("enough of nc")


def test_a_nick_change_crosses(mixed):
    """NICK and /nick."""
    irc, _, alice, line = mixed
    new = irc.name("renamed")
    line.send(f"/nick {new}")
    change = alice.expect("NICK")
    assert (change.nick, change.params) == (line.name, [new])
    other = irc.name("alicia")
    alice.ask(f"NICK {other}")
    line.expect(other)


def test_names_are_one_space(mixed):
    """A name taken on one front is taken on the other."""
    irc, _, alice, line = mixed
    client = irc.connect()
    client.send(f"NICK {line.name}", "USER tester 0 * :x")
    client.expect("433")
    line.send(f"/nick {alice.nick}")
    line.expect(r"\*\*\* .*(taken|use)")


@pytest.mark.parametrize("line_text", ["a\rQUIT :forged", "a\x00b", "a\x01b\x0bc"])
def test_control_characters_of_line_users_never_make_lines(mixed, line_text):
    """CR, LF and NUL never get into another protocol's line: the client checks each it gets."""
    _, room, alice, line = mixed
    line.send(line_text)
    line.send("marker")
    while True:
        message = alice.take()
        assert message.command == "PRIVMSG" and message.params[0] == room
        if message.text == "marker":
            break


def test_moderation_holds_for_line_users(mixed):
    """Mode m: a line user without voice is told and not heard."""
    _, room, alice, line = mixed
    alice.ask(f"MODE {room} +m")
    line.send("can you hear me")
    line.expect(r"^\*\*\* ")
    alice.sync().no("PRIVMSG")
    alice.ask(f"MODE {room} +v {line.name}")
    line.send("now you can")
    assert alice.expect("PRIVMSG").text == "now you can"


def test_a_ban_holds_for_line_users(mixed):
    """Mode b: a banned line user does not get in."""
    irc, _, alice, line = mixed
    other = irc.room()
    alice.ask(f"JOIN {other}", f"MODE {other} +b {line.name}!*@*")
    line.send(f"/join {other}")
    line.expect(r"^\*\*\* ")
    alice.sync().no("JOIN")


def test_multiline_is_lines_for_line_users(mixed):
    """draft/multiline: a line user gets each line."""
    irc, room, _, line = mixed
    bob = irc.user("bob", "draft/multiline", "batch", "message-tags")
    bob.ask(f"JOIN {room}")
    bob.ask(f"BATCH +m draft/multiline {room}", f"@batch=m PRIVMSG {room} :first line",
            f"@batch=m PRIVMSG {room} :second line", "BATCH -m")
    line.expect(rf"{bob.nick}: first line$")
    line.expect("second line$")


def test_several_listeners(serve):
    """Configuration listen: each listener speaks what it says; all meet in the same rooms."""
    irc = serve(_listen=("irc://127.0.0.1:0", "line://127.0.0.1:0", "any://127.0.0.1:0"))
    ports = {url.split(":")[0]: int(url.rsplit(":", 1)[1].rstrip("/")) for url in irc.server.urls}
    room = irc.room()
    first = IrcClient(("127.0.0.1", ports["irc"]))
    second = IrcClient(("127.0.0.1", ports["any"]))
    third = LineClient(("127.0.0.1", ports["line"]))
    irc.clients += [first, second, third]
    first.register(irc.name()).ask(f"JOIN {room}")
    second.register(irc.name()).ask(f"JOIN {room}")
    third.send(f"/join {room}")
    first.expect("JOIN", room)
    third.send("to all")
    assert first.expect("PRIVMSG").params == [room, "to all"]
    assert second.expect("PRIVMSG").params == [room, "to all"]


def test_two_irc_listeners(serve):
    """Configuration listen: several of a kind."""
    irc = serve(_listen=("irc://127.0.0.1:0", "irc://127.0.0.1:0"))
    ports = [int(url.rsplit(":", 1)[1].rstrip("/")) for url in irc.server.urls]
    users = []
    for port in ports:
        client = IrcClient(("127.0.0.1", port))
        irc.clients.append(client)
        users.append(client.register(irc.name()))
    users[0].ask(f"PRIVMSG {users[1].nick} :hello")
    assert users[1].sync().one("PRIVMSG").nick == users[0].nick


def test_irc_over_ipv6(serve):
    """Configuration listen: IPv6; no address is shown."""
    irc = serve(_listen=("irc://[::1]:0",))
    user = irc.user()
    join = user.ask(f"JOIN {irc.room()}").one("JOIN")
    assert "::1" not in join.source and join.host == Like(r"[^:].*")


def test_http_gets_no_chat(serve):
    """A browser that is made to talk to the IRC port is refused at its first line."""
    irc = serve()
    alice = irc.user("alice")
    attacker = irc.connect()
    attacker.send("POST / HTTP/1.1", f"NICK {irc.name()}", "USER a 0 * :b",
                  f"PRIVMSG {alice.nick} :from a web page")
    attacker.expect_end().no("001")
    assert alice.sync() == []


def test_several_loops_are_one_server(serve):
    """Users on different loops meet."""
    irc = serve(loops=3)
    room, *users = irc.together(*["u"] * 9)
    users[0].ask(f"PRIVMSG {room} :hello")
    for user in users[1:]:
        assert user.sync().one("PRIVMSG").text == "hello"
