# SPDX-License-Identifier: MIT
"""What each capability changes, for one who has it and for one who has not: the IRCv3 extensions."""
import datetime
import re

import pytest

from irc_client import ANY, Like

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


def now():
    return datetime.datetime.now(datetime.timezone.utc)


def pair(irc, *caps):
    """alice without, bob with these capabilities, in one room. Returns room, alice, bob."""
    room, alice = irc.together("alice")
    bob = irc.user("bob", *caps)
    bob.ask(f"JOIN {room}")
    alice.sync()
    return room, alice, bob


def test_without_capabilities_nothing_has_tags(irc):
    """message-tags: a client that asked for nothing gets no tag on anything."""
    room, alice, bob = irc.together("alice", "bob")
    bob.ask(f"PRIVMSG {room} :x", f"TOPIC {room} :y", f"PART {room}")
    everything = [*alice.burst, *alice.sync()]
    assert len(everything) > 10 and all(message.tags == {} for message in everything)


def test_server_time_tags_messages(irc):
    """server-time: time=YYYY-MM-DDThh:mm:ss.sssZ, in UTC."""
    room, alice, bob = pair(irc, "server-time")
    alice.ask(f"PRIVMSG {room} :x")
    tag = bob.sync().one("PRIVMSG").tags["time"]
    assert TIME.fullmatch(tag)
    said = datetime.datetime.fromisoformat(tag.replace("Z", "+00:00"))
    assert abs((now() - said).total_seconds()) < 60


@pytest.mark.parametrize("line, command", [
    ("TOPIC {room} :x", "TOPIC"), ("MODE {room} +i", "MODE"), ("PART {room}", "PART"),
    ("NICK {new}", "NICK"), ("KICK {room} {bob}", "KICK"), ("QUIT", "QUIT"), ("NOTICE {room} :x", "NOTICE"),
    ("INVITE {bob2} {room}", "INVITE")])
def test_server_time_tags_everything_that_happens(irc, line, command):
    """server-time: every message from the server may have it; what happens at a time has it."""
    room, alice, bob = pair(irc, "server-time", "invite-notify")
    third = irc.user("third", "server-time")
    alice.send(line.format(room=room, new=irc.name("new"), bob=bob.nick, bob2=third.nick))
    seen = (third if command == "INVITE" else bob).expect(command)
    assert TIME.fullmatch(seen.tags["time"])


def test_server_time_alone_gives_no_other_tags(irc):
    """message-tags: each tag needs its own capability."""
    room, alice, bob = pair(irc, "server-time")
    alice.request("message-tags")
    alice.ask(f"@+foo=bar PRIVMSG {room} :x")
    assert set(bob.sync().one("PRIVMSG").tags) == {"time"}


def test_message_tags_alone_gives_no_time(irc):
    """server-time: the tag time needs its capability."""
    room, alice, bob = pair(irc, "message-tags")
    alice.ask(f"PRIVMSG {room} :x")
    assert set(bob.sync().one("PRIVMSG").tags) == {"msgid"}


def test_message_tags_gives_msgids(irc):
    """message-tags, message ids: on PRIVMSG and NOTICE."""
    room, alice, bob = pair(irc, "message-tags")
    alice.ask(f"PRIVMSG {room} :x", f"NOTICE {room} :y")
    ids = [message.tags["msgid"] for message in bob.sync()]
    assert len(set(ids)) == 2 and all(re.fullmatch(r"[^ ]+", one) for one in ids)


def test_extended_join(irc):
    """extended-join: JOIN <channel> <account> :<realname>; '*' without an account."""
    room, bob = irc.together("bob", caps=["extended-join"])
    alice = irc.user("alice", real="Alice The Tester")
    alice.ask(f"JOIN {room}")
    assert bob.sync().one("JOIN").params == [room, "*", "Alice The Tester"]


def test_extended_join_of_oneself(irc):
    """extended-join: one's own JOIN too."""
    alice, room = irc.user("alice", "extended-join", real="Alice"), irc.room()
    assert alice.ask(f"JOIN {room}").one("JOIN").params == [room, "*", "Alice"]


def test_without_extended_join(irc):
    """extended-join: others get the plain JOIN."""
    room, alice = irc.together("alice")
    irc.user("bob", "extended-join").ask(f"JOIN {room}")
    assert alice.sync().one("JOIN").params == [room]


def test_account_tag_without_an_account(irc):
    """account-tag: no tag when the sender has no account."""
    room, alice, bob = pair(irc, "account-tag", "message-tags")
    alice.ask(f"PRIVMSG {room} :x")
    assert "account" not in bob.sync().one("PRIVMSG").tags


def test_standard_replies_give_fail(irc):
    """standard-replies: FAIL <command> <code> [<context>...] <description>."""
    alice = irc.user("alice", "standard-replies", "setname")
    fail = alice.ask("SETNAME :" + "n" * 400).one("FAIL")
    assert fail.params[:2] == ["SETNAME", "INVALID_REALNAME"] and fail.text != ""


def test_batch_alone_changes_nothing(irc):
    """batch: the capability by itself makes no batches of ordinary messages."""
    room, alice, bob = pair(irc, "batch")
    alice.ask(f"PRIVMSG {room} :x")
    assert bob.sync().commands == ["PRIVMSG"]


def test_a_capability_can_be_taken_up_later(irc):
    """Capability negotiation: it holds from CAP ACK on."""
    room, alice, bob = irc.together("alice", "bob")
    bob.request("server-time")
    alice.ask(f"PRIVMSG {room} :x")
    assert "time" in bob.sync().one("PRIVMSG").tags


def test_a_capability_can_be_given_up_later(irc):
    """Capability negotiation: it ends with CAP ACK of '-'."""
    room, alice, bob = pair(irc, "server-time")
    bob.send("CAP REQ :-server-time")
    bob.expect("CAP")
    alice.ask(f"PRIVMSG {room} :x")
    assert bob.sync().one("PRIVMSG").tags == {}


def test_receivers_with_different_capabilities(irc):
    """message-tags: each receiver gets the tags of its own capabilities, of one message."""
    room, plain = irc.together("plain")
    alice = irc.user("alice", "message-tags")
    alice.ask(f"JOIN {room}")
    timed, tagged = irc.user("t", "server-time"), irc.user("g", "message-tags")
    both = irc.user("b", "message-tags", "server-time")
    for user in (timed, tagged, both):
        user.ask(f"JOIN {room}")
    for user in (plain, timed, tagged, both):
        user.sync()
    alice.ask(f"@+foo=bar PRIVMSG {room} :x")
    assert plain.sync().one("PRIVMSG").tags == {}
    time, ids = timed.sync().one("PRIVMSG").tags, tagged.sync().one("PRIVMSG").tags
    assert set(time) == {"time"} and set(ids) == {"msgid", "+foo"}
    assert both.sync().one("PRIVMSG").tags == {**time, **ids}


# labeled-response

LABELED = ("labeled-response", "batch", "echo-message", "message-tags")


def answer(user, line, label="l1"):
    """Sends a line with a label. Returns what came."""
    return user.ask(f"@label={label} {line}")


def test_a_single_answer_has_the_label(irc):
    """labeled-response: one message, the label on it."""
    user = irc.user("u", *LABELED)
    user.send("@label=abc PING token")
    pong = user.expect("PONG")
    assert pong.tags["label"] == "abc"


def test_an_error_has_the_label(irc):
    """labeled-response: errors are answers."""
    user = irc.user("u", *LABELED)
    (error,) = answer(user, f"PART {irc.room()}")
    assert error.command == "403" and error.tags["label"] == "l1"


def test_a_line_that_is_too_long_has_the_label(irc):
    """labeled-response: 417 too, as the tags of such a line can be read."""
    user = irc.user("u", *LABELED)
    error, = answer(user, "PRIVMSG #x :" + "x" * 600)
    assert error.command == "417" and error.tags["label"] == "l1"


def test_a_second_batch_has_the_label(irc):
    """labeled-response: the FAIL of a batch within a batch is an answer to its own beginning."""
    user = irc.user("u", *LABELED, "draft/multiline")
    user.ask(f"@label=first BATCH +a draft/multiline {user.nick}")
    fail, = answer(user, f"BATCH +b draft/multiline {user.nick}")
    assert fail.params[:2] == ["BATCH", "MULTILINE_INVALID"] and fail.tags["label"] == "l1"


def test_an_unknown_command_has_the_label(irc):
    """labeled-response: 421 too."""
    user = irc.user("u", *LABELED)
    (error,) = answer(user, "FROBNICATE")
    assert error.command == "421" and error.tags["label"] == "l1"


def test_several_answers_come_in_a_batch(irc):
    """labeled-response: a batch of that type, the label on its opening, its tag on the rest."""
    user = irc.user("u", *LABELED)
    opening, *inside, closing = answer(user, f"JOIN {irc.room()}")
    assert opening.command == "BATCH" and opening.params == [Like(r"\+\S+"), "labeled-response"]
    assert opening.tags["label"] == "l1"
    name = opening.params[0][1:]
    assert inside and all(m.tags["batch"] == name and "label" not in m.tags for m in inside)
    assert closing.command == "BATCH" and closing.params == ["-" + name]


def test_no_answer_is_an_ack(irc):
    """labeled-response: ACK when there is nothing to say."""
    user = irc.user("u", *LABELED)
    (ack,) = answer(user, "PONG irc.example")
    assert ack.command == "ACK" and ack.params == [] and ack.tags["label"] == "l1"
    assert ack.source == "irc.example"


def test_a_message_without_echo_is_an_ack(irc):
    """labeled-response: PRIVMSG without echo-message has no answer."""
    user, bob = irc.user("u", "labeled-response", "batch"), irc.user("bob")
    (ack,) = answer(user, f"PRIVMSG {bob.nick} :x")
    assert ack.command == "ACK" and ack.tags["label"] == "l1"


@pytest.mark.parametrize("command", ["PRIVMSG", "NOTICE"])
def test_the_echo_has_the_label(irc, command):
    """labeled-response with echo-message: the echo is the answer; receivers see no label."""
    user, bob = irc.user("u", *LABELED), irc.user("bob", *LABELED)
    (echo,) = answer(user, f"{command} {bob.nick} :x")
    assert echo.command == command and echo.tags["label"] == "l1"
    assert "label" not in bob.sync().one(command).tags


def test_the_echo_of_a_tagmsg_has_the_label(irc):
    """labeled-response with echo-message: TAGMSG."""
    room, alice, bob = irc.together("alice", "bob", caps=LABELED)
    (echo,) = alice.ask(f"@label=l1;+react=x TAGMSG {room}")
    assert echo.command == "TAGMSG" and echo.tags["label"] == "l1" and echo.tags["+react"] == "x"
    assert "label" not in bob.sync().one("TAGMSG").tags


def test_one_of_two_copies_to_oneself_has_the_label(irc):
    """labeled-response: the echo has it, the message has not."""
    user = irc.user("u", *LABELED)
    answers = answer(user, f"PRIVMSG {user.nick} :x").all("PRIVMSG")
    assert sorted("label" in message.tags for message in answers) == [False, True]


def test_several_targets_are_a_batch(irc):
    """labeled-response: an echo per target, in one batch."""
    user, bob, carol = irc.user("u", *LABELED), irc.user("bob"), irc.user("carol")
    answers = answer(user, f"PRIVMSG {bob.nick},{carol.nick} :x")
    assert answers.commands == ["BATCH", "PRIVMSG", "PRIVMSG", "BATCH"]


def test_an_empty_whois_answer_is_one_batch(irc):
    """labeled-response: errors with an end numeric are a batch."""
    user = irc.user("u", *LABELED)
    assert answer(user, "WHOIS nobody-here").commands == ["BATCH", "401", "318", "BATCH"]


def test_a_label_without_the_capability_is_ignored(irc):
    """labeled-response: only for those who asked."""
    user = irc.user("u", "message-tags")
    user.send("@label=abc PING token")
    assert "label" not in user.expect("PONG", ANY, "token").tags


def test_what_others_do_has_no_label(irc):
    """labeled-response: only answers to the line."""
    room, alice, bob = irc.together("alice", "bob", caps=LABELED)
    alice.send(f"@label=l1 TOPIC {room} :x")
    alice.sync()
    assert bob.sync().one("TOPIC").tags.get("label") is None


def test_labels_are_kept_apart(irc):
    """labeled-response: each line has its own."""
    user = irc.user("u", *LABELED)
    user.send("@label=a PING 1", "@label=b PING 2", "@label=c PING 3")
    assert [user.expect("PONG").tags["label"] for _ in range(3)] == ["a", "b", "c"]


def test_a_label_of_64_bytes(irc):
    """labeled-response: labels of up to 64 bytes."""
    user = irc.user("u", *LABELED)
    user.send(f"@label={'x' * 64} PING token")
    assert user.expect("PONG").tags["label"] == "x" * 64


def test_a_label_is_unescaped_and_escaped_again(irc):
    """message-tags, escaping values: a label with a semicolon."""
    user = irc.user("u", *LABELED)
    user.send(r"@label=a\:b PING token")
    assert user.expect("PONG").tags["label"] == "a;b"


def test_batch_names_are_words(irc):
    """batch: reference tags are letters, digits and '-'."""
    user = irc.user("u", *LABELED)
    opening = answer(user, f"JOIN {irc.room()}")[0]
    assert re.fullmatch(r"\+[A-Za-z0-9-]+", opening.params[0])


def test_a_long_answer_is_one_batch(irc):
    """labeled-response: LIST, MOTD and their like."""
    user = irc.user("u", *LABELED)
    for line in ("LUSERS", "INFO", "LIST", f"WHO {user.nick}", "VERSION", "HELP"):
        answers = answer(user, line)
        assert answers[0].command == "BATCH" and answers[-1].command == "BATCH", line
        assert len(answers.all("BATCH")) == 2


def test_no_label_before_registration(irc):
    """labeled-response: works as soon as the capability is there."""
    client = irc.connect()
    client.request("labeled-response", "batch")
    client.send("@label=early PING token")
    assert client.expect("PONG").tags.get("label") in ("early", None)
