# SPDX-License-Identifier: MIT
"""CHATHISTORY: IRCv3 draft/chathistory, draft/event-playback; after a restart too."""
import datetime

import pytest

from irc_client import ANY, Like

CAPS = ("draft/chathistory", "batch", "message-tags", "server-time", "echo-message", "labeled-response")
EVENTS = (*CAPS, "draft/event-playback")
TIME = Like(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
SINCE_EVER, FOR_EVER = "1970-01-01T00:00:01.000Z", "2099-01-01T00:00:00.000Z"


def history(user, line, target=None):
    """CHATHISTORY: what is in the batch."""
    opening, *inside, closing = user.ask(f"CHATHISTORY {line}")
    assert opening.command == closing.command == "BATCH"
    assert opening.params[1] == "chathistory"
    if target is not None:
        assert opening.params[2] == target
    name = opening.params[0].removeprefix("+")
    assert closing.params == ["-" + name]
    assert all(message.tags["batch"] == name for message in inside)
    return inside


def texts(messages):
    return [message.text for message in messages]


def talk(irc, count=10, caps=CAPS):
    """A room with a user who has said 0 .. count-1. Returns room, user, echoes."""
    room, alice = irc.together("alice", caps=caps)
    echoes = []
    for i in range(count):
        echoes.append(alice.ask(f"PRIVMSG {room} :{i}").one("PRIVMSG"))
        tick(echoes[-1])
    return room, alice, echoes


def tick(message):
    """Waits until the clock shows another millisecond than the message has, so that times differ."""
    while stamp() <= message.tags["time"]:
        pass


def stamp():
    moment = datetime.datetime.now(datetime.timezone.utc)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03}Z"


def references(message):
    return {"msgid": f"msgid={message.tags['msgid']}", "timestamp": f"timestamp={message.tags['time']}"}


def numbers(*these):
    return [str(i) for i in these]


def failed(user, line, code):
    """CHATHISTORY gives FAIL CHATHISTORY <code> and nothing else. Returns it."""
    (fail,) = user.ask(f"CHATHISTORY {line}")
    assert fail.command == "FAIL" and fail.params[:2] == ["CHATHISTORY", code]
    return fail


BOTH = pytest.mark.parametrize("kind", ["msgid", "timestamp"])


def test_the_limit_is_in_isupport(irc):
    """chathistory, ISUPPORT CHATHISTORY: the most messages of one answer."""
    assert int(irc.user("u", *CAPS).isupport["CHATHISTORY"]) > 0


def test_latest(irc):
    """CHATHISTORY LATEST <target> * <limit>: the last ones, oldest first."""
    room, alice, _ = talk(irc)
    assert texts(history(alice, f"LATEST {room} * 3", room)) == numbers(7, 8, 9)


def test_latest_with_room_for_all(irc):
    """CHATHISTORY LATEST: no more than there is."""
    room, alice, _ = talk(irc)
    assert texts(history(alice, f"LATEST {room} * 50")) == numbers(*range(10))


@BOTH
def test_latest_since(irc, kind):
    """CHATHISTORY LATEST with a reference: the last ones after it."""
    room, alice, said = talk(irc)
    assert texts(history(alice, f"LATEST {room} {references(said[5])[kind]} 10")) == numbers(6, 7, 8, 9)
    assert texts(history(alice, f"LATEST {room} {references(said[5])[kind]} 2")) == numbers(8, 9)


@BOTH
def test_before(irc, kind):
    """CHATHISTORY BEFORE: the ones before the reference, without it."""
    room, alice, said = talk(irc)
    assert texts(history(alice, f"BEFORE {room} {references(said[5])[kind]} 3")) == numbers(2, 3, 4)


@BOTH
def test_after(irc, kind):
    """CHATHISTORY AFTER: the ones after the reference, without it."""
    room, alice, said = talk(irc)
    assert texts(history(alice, f"AFTER {room} {references(said[5])[kind]} 3")) == numbers(6, 7, 8)


@BOTH
def test_between(irc, kind):
    """CHATHISTORY BETWEEN: both ends are left out; counted from the first."""
    room, alice, said = talk(irc)
    first, last = references(said[1])[kind], references(said[7])[kind]
    assert texts(history(alice, f"BETWEEN {room} {first} {last} 50")) == numbers(2, 3, 4, 5, 6)
    assert texts(history(alice, f"BETWEEN {room} {first} {last} 2")) == numbers(2, 3)


@BOTH
def test_between_backwards(irc, kind):
    """CHATHISTORY BETWEEN: from the later end the last ones, still oldest first."""
    room, alice, said = talk(irc)
    first, last = references(said[1])[kind], references(said[7])[kind]
    assert texts(history(alice, f"BETWEEN {room} {last} {first} 2")) == numbers(5, 6)


@BOTH
def test_around(irc, kind):
    """CHATHISTORY AROUND: the reference and those on both sides."""
    room, alice, said = talk(irc)
    got = texts(history(alice, f"AROUND {room} {references(said[5])[kind]} 3"))
    assert got == numbers(4, 5, 6)


def test_around_of_one(irc):
    """CHATHISTORY AROUND with limit 1: the message itself."""
    room, alice, said = talk(irc)
    assert texts(history(alice, f"AROUND {room} {references(said[5])['msgid']} 1")) == ["5"]


def test_before_the_first_is_an_empty_batch(irc):
    """chathistory: an empty batch when there is nothing."""
    room, alice, said = talk(irc, 2)
    assert history(alice, f"BEFORE {room} {references(said[0])['msgid']} 5") == []


def test_after_the_last_is_an_empty_batch(irc):
    """chathistory: an empty batch when there is nothing."""
    room, alice, said = talk(irc, 2)
    assert history(alice, f"AFTER {room} {references(said[1])['msgid']} 5") == []


def test_an_empty_room_has_an_empty_batch(irc):
    """chathistory: an empty batch when there is nothing."""
    room, alice = irc.together("alice", caps=CAPS)
    assert history(alice, f"LATEST {room} * 5") == []


def test_messages_are_as_they_were(irc):
    """chathistory: source, target, text, msgid and time as when they were said."""
    room, alice, said = talk(irc, 3)
    for was, shown in zip(said, history(alice, f"LATEST {room} * 3"), strict=True):
        assert (shown.source, shown.command, shown.params) == (was.source, was.command, was.params)
        assert (shown.tags["msgid"], shown.tags["time"]) == (was.tags["msgid"], was.tags["time"])


def test_notices_are_kept(irc):
    """chathistory: PRIVMSG and NOTICE."""
    room, alice = irc.together("alice", caps=CAPS)
    alice.ask(f"NOTICE {room} :note")
    (shown,) = history(alice, f"LATEST {room} * 5")
    assert shown.command == "NOTICE" and shown.text == "note"


def test_actions_are_kept(irc):
    """chathistory: CTCP ACTION as it was."""
    room, alice = irc.together("alice", caps=CAPS)
    alice.ask(f"PRIVMSG {room} :\x01ACTION waves\x01")
    assert texts(history(alice, f"LATEST {room} * 5")) == ["\x01ACTION waves\x01"]


def test_no_events_without_event_playback(irc):
    """draft/event-playback: without it only messages."""
    room, alice, _ = talk(irc, 2)
    alice.ask(f"TOPIC {room} :x", f"MODE {room} +m")
    assert {message.command for message in history(alice, f"LATEST {room} * 50")} == {"PRIVMSG"}


def test_events_with_event_playback(irc):
    """draft/event-playback: TOPIC, JOIN and so on where they happened."""
    room, alice, _ = talk(irc, 2, caps=EVENTS)
    alice.ask(f"TOPIC {room} :A new one")
    alice.ask(f"PRIVMSG {room} :last")
    shown = history(alice, f"LATEST {room} * 50")
    topic = [message for message in shown if message.command == "TOPIC"]
    assert len(topic) == 1 and topic[0].params == [room, "A new one"] and topic[0].nick == alice.nick
    assert shown[-1].text == "last" and shown[-2] is topic[0]


def test_a_kick_is_in_history(irc):
    """draft/event-playback: KICK #channel nick :reason from the kicker, where it happened, with the id it had."""
    room, alice = irc.together("alice", caps=EVENTS)
    bob = irc.user("bob", *EVENTS)
    bob.ask(f"JOIN {room}")
    alice.ask(f"PRIVMSG {room} :before")
    kick = alice.ask(f"KICK {room} {bob.nick} :no shouting").one("KICK")
    seen = bob.sync().one("KICK")
    assert seen.tags["msgid"] == kick.tags["msgid"] and seen.tags["time"] == kick.tags["time"]
    alice.ask(f"PRIVMSG {room} :after")
    shown = history(alice, f"LATEST {room} * 50")
    assert [message.command for message in shown] == ["PRIVMSG", "KICK", "PRIVMSG"]
    assert shown[1].params == [room, bob.nick, "no shouting"] and shown[1].source == kick.source
    assert shown[1].tags["msgid"] == kick.tags["msgid"] and shown[1].tags["time"] == kick.tags["time"]
    around = history(alice, f"AFTER {room} {references(kick)['msgid']} 5")
    assert texts(around) == ["after"]


def test_kicks_outlive_the_server(serve):
    """draft/event-playback: a KICK is stored like a message."""
    irc = serve()
    room, alice = irc.together("alice", caps=EVENTS)
    bob = irc.user("bob", *EVENTS)
    bob.ask(f"JOIN {room}")
    alice.ask(f"PRIVMSG {room} :said")
    kick = alice.ask(f"KICK {room} {bob.nick}").one("KICK")
    irc.server.restart()
    carol, dan = irc.user("carol", *EVENTS), irc.user("dan", *CAPS)
    carol.ask(f"JOIN {room}")
    (shown,) = [m for m in history(carol, f"LATEST {room} * 50") if m.command == "KICK"]
    assert (shown.source, shown.params, shown.tags["msgid"]) == (kick.source, kick.params, kick.tags["msgid"])
    dan.ask(f"JOIN {room}")
    assert [m.command for m in history(dan, f"LATEST {room} * 50")] == ["PRIVMSG"]


def test_tagmsg_needs_event_playback(irc):
    """draft/event-playback: TAGMSG is no message for others."""
    room, alice = irc.together("alice", caps=CAPS)
    alice.ask(f"@+draft/react=x TAGMSG {room}", f"PRIVMSG {room} :text")
    assert [m.command for m in history(alice, f"LATEST {room} * 5")] == ["PRIVMSG"]


def test_the_limit_of_the_server_holds(irc):
    """chathistory: a larger limit is taken as the server's, or refused."""
    room, alice, _ = talk(irc, 2)
    limit = int(alice.isupport["CHATHISTORY"])
    answers = alice.ask(f"CHATHISTORY LATEST {room} * {limit + 1}")
    if answers.commands == ["FAIL"]:
        assert answers[0].params[1] == "INVALID_PARAMS"
    else:
        assert texts(answers.all("PRIVMSG")) == numbers(0, 1)


@pytest.mark.parametrize("line, code", [
    ("", "NEED_MORE_PARAMS"), ("LATEST", "NEED_MORE_PARAMS"), ("LATEST {room}", "NEED_MORE_PARAMS"),
    ("LATEST {room} *", "NEED_MORE_PARAMS"), ("BETWEEN {room} * 5", "NEED_MORE_PARAMS"),
    ("TARGETS", "NEED_MORE_PARAMS"), ("FROBNICATE {room} * 5", "INVALID_PARAMS"),
    ("LATEST {room} nonsense 5", "INVALID_PARAMS"), ("LATEST {room} * many", "INVALID_PARAMS"),
    ("LATEST {room} * -1", "INVALID_PARAMS"), ("BEFORE {room} timestamp=yesterday 5", "INVALID_PARAMS"),
    ("BEFORE {room} * 5", "INVALID_PARAMS"), ("AROUND {room} * 5", "INVALID_PARAMS"),
    ("TARGETS x y 5", "INVALID_PARAMS")])
def test_wrong_parameters(irc, line, code):
    """chathistory, errors: FAIL CHATHISTORY NEED_MORE_PARAMS, INVALID_PARAMS, UNKNOWN_COMMAND."""
    room, alice = irc.together("alice", caps=CAPS)
    (fail,) = alice.ask(f"CHATHISTORY {line.format(room=room)}".strip())
    allowed = {code, "UNKNOWN_COMMAND"} if line.startswith("FROB") else {code, "INVALID_MSGREFTYPE"}
    assert fail.command == "FAIL" and fail.params[0] == "CHATHISTORY" and fail.params[1] in allowed


def test_a_channel_that_is_not_there(irc):
    """chathistory: FAIL CHATHISTORY INVALID_TARGET <subcommand> <target>."""
    alice, room = irc.user("alice", *CAPS), irc.room()
    assert failed(alice, f"LATEST {room} * 5", "INVALID_TARGET").params[2:4] == ["LATEST", room]


def test_a_channel_one_is_not_in(irc):
    """chathistory: as if it did not exist."""
    room, _, _ = talk(irc, 2)
    failed(irc.user("bob", *CAPS), f"LATEST {room} * 5", "INVALID_TARGET")


def test_a_secret_channel_and_no_channel_look_the_same(irc):
    """chathistory: MUST NOT tell whether a target exists."""
    room, alice, _ = talk(irc, 2)
    alice.ask(f"MODE {room} +s")
    bob, other = irc.user("bob", *CAPS), irc.room()
    one = failed(bob, f"LATEST {room} * 5", "INVALID_TARGET").line.replace(room, "#x")
    assert one == failed(bob, f"LATEST {other} * 5", "INVALID_TARGET").line.replace(other, "#x")


def test_who_has_left_may_not_read_on(irc):
    """chathistory: access is checked at each request."""
    room, alice, _ = talk(irc, 2)
    bob = irc.user("bob", *CAPS)
    bob.ask(f"JOIN {room}")
    history(bob, f"LATEST {room} * 5")
    alice.ask(f"KICK {room} {bob.nick}")
    bob.sync()
    failed(bob, f"LATEST {room} * 5", "INVALID_TARGET")


def test_a_newcomer_reads_what_was_said_before(irc):
    """chathistory: the history of a channel is its members'."""
    room, _, _ = talk(irc, 3)
    bob = irc.user("bob", *CAPS)
    bob.ask(f"JOIN {room}")
    assert texts(history(bob, f"LATEST {room} * 5")) == numbers(0, 1, 2)


def test_a_channel_in_other_case(irc):
    """Modern IRC, Casemapping."""
    room, alice, _ = talk(irc, 2)
    assert texts(history(alice, f"LATEST {room.upper()} * 5")) == numbers(0, 1)


def conversation(irc):
    """Two users and what they said to each other, in turn."""
    alice, bob = irc.user("alice", *CAPS), irc.user("bob", *CAPS)
    said = []
    for i in range(6):
        sender, other = (alice, bob) if i % 2 == 0 else (bob, alice)
        sender.sync()
        said.append(sender.ask(f"PRIVMSG {other.nick} :{i}").one("PRIVMSG"))
        tick(said[-1])
    alice.sync()
    bob.sync()
    return alice, bob, said


def test_private_messages_of_both(irc):
    """chathistory: a nick as target, both directions, for both."""
    alice, bob, _ = conversation(irc)
    assert texts(history(alice, f"LATEST {bob.nick} * 10", bob.nick)) == numbers(*range(6))
    assert texts(history(bob, f"LATEST {alice.nick} * 10", alice.nick)) == numbers(*range(6))


@BOTH
def test_private_messages_by_reference(irc, kind):
    """chathistory: BEFORE, AFTER, AROUND, BETWEEN of a conversation."""
    alice, bob, said = conversation(irc)
    at = references(said[3])[kind]
    assert texts(history(alice, f"BEFORE {bob.nick} {at} 2")) == numbers(1, 2)
    assert texts(history(alice, f"AFTER {bob.nick} {at} 2")) == numbers(4, 5)
    assert texts(history(bob, f"AROUND {alice.nick} {at} 3")) == numbers(2, 3, 4)
    assert texts(history(bob, f"BETWEEN {alice.nick} {references(said[0])[kind]} {at} 5")) == numbers(1, 2)


def test_private_messages_are_private(irc):
    """chathistory: nobody else reads them."""
    alice, bob, _ = conversation(irc)
    carol = irc.user("carol", *CAPS)
    for other in (alice, bob):
        answers = carol.ask(f"CHATHISTORY LATEST {other.nick} * 10")
        assert answers.all("PRIVMSG") == []


def test_conversations_are_kept_apart(irc):
    """chathistory: one target, one conversation."""
    alice, bob, _ = conversation(irc)
    carol = irc.user("carol", *CAPS)
    alice.ask(f"PRIVMSG {carol.nick} :another")
    assert texts(history(alice, f"LATEST {bob.nick} * 10")) == numbers(*range(6))
    assert texts(history(alice, f"LATEST {carol.nick} * 10")) == ["another"]


def test_a_new_user_of_an_old_nick_reads_nothing(irc):
    """chathistory, security: the nick is not the person."""
    alice, bob, _ = conversation(irc)
    bob.send("QUIT")
    bob.expect_end()
    thief = irc.named(bob.nick, *CAPS)
    assert thief.ask(f"CHATHISTORY LATEST {alice.nick} * 10").all("PRIVMSG") == []


def test_messages_to_oneself(irc):
    """chathistory: each once."""
    alice = irc.user("alice", *CAPS)
    alice.ask(f"PRIVMSG {alice.nick} :one", f"PRIVMSG {alice.nick} :two")
    assert texts(history(alice, f"LATEST {alice.nick} * 10")) == ["one", "two"]


def targets(user, first=SINCE_EVER, last=FOR_EVER, limit=50):
    """CHATHISTORY TARGETS: name to time."""
    opening, *inside, closing = user.ask(
        f"CHATHISTORY TARGETS timestamp={first} timestamp={last} {limit}")
    assert opening.command == closing.command == "BATCH"
    assert opening.params[1] == "draft/chathistory-targets"
    assert all(m.command == "CHATHISTORY" and m.params[0] == "TARGETS" for m in inside)
    return {message.params[1]: message.params[2] for message in inside}


def test_targets_lists_conversations(irc):
    """CHATHISTORY TARGETS: <target> <time of the last message>."""
    alice, bob, said = conversation(irc)
    assert targets(alice)[bob.nick] == said[-1].tags["time"]


def test_targets_lists_channels(irc):
    """CHATHISTORY TARGETS: channels one is in."""
    room, alice, said = talk(irc, 2)
    assert targets(alice) == {room: said[-1].tags["time"]}


def test_targets_of_a_time(irc):
    """CHATHISTORY TARGETS: only those whose last message is between the times."""
    room, alice, said = talk(irc, 2)
    assert targets(alice, last=said[0].tags["time"]) == {}
    assert room in targets(alice, first=said[0].tags["time"])


def test_targets_does_not_list_what_one_may_not_read(irc):
    """CHATHISTORY TARGETS: nothing of others."""
    talk(irc, 2)
    conversation(irc)
    assert targets(irc.user("carol", *CAPS)) == {}


def test_targets_with_a_limit(irc):
    """CHATHISTORY TARGETS: at most so many."""
    _, alice, _ = talk(irc, 1)
    two = irc.room()
    alice.ask(f"JOIN {two}", f"PRIVMSG {two} :x")
    assert len(targets(alice)) == 2 and len(targets(alice, limit=1)) == 1


def test_the_label_is_on_the_batch(irc):
    """labeled-response: on the batch of the history."""
    room, alice, _ = talk(irc, 2)
    answers = alice.ask(f"@label=h1 CHATHISTORY LATEST {room} * 5")
    assert answers[0].command == "BATCH" and answers[0].tags["label"] == "h1"
    assert texts(answers.all("PRIVMSG")) == numbers(0, 1)


def test_history_after_a_restart(serve):
    """The history is on disk: what was seen is there when the server comes back."""
    irc = serve()
    room, _, said = talk(irc, 5)
    irc.close()
    irc.server.restart()
    bob = irc.user("bob", *CAPS)
    bob.ask(f"JOIN {room}")
    shown = history(bob, f"LATEST {room} * 10")
    assert texts(shown) == numbers(*range(5))
    assert [m.tags["msgid"] for m in shown] == [m.tags["msgid"] for m in said]
    assert [m.tags["time"] for m in shown] == [m.tags["time"] for m in said]


def test_history_after_a_crash(serve):
    """What was echoed survives kill -9."""
    irc = serve()
    room, _, _ = talk(irc, 5)
    irc.server.kill9()
    irc.close()
    irc.server.start()
    bob = irc.user("bob", *CAPS)
    bob.ask(f"JOIN {room}")
    assert texts(history(bob, f"LATEST {room} * 10")) == numbers(*range(5))


def test_msgids_go_on_after_a_restart(serve):
    """message ids: never used again, after a restart either."""
    irc = serve()
    room, _, said = talk(irc, 3)
    irc.close()
    irc.server.restart()
    bob = irc.user("bob", *CAPS)
    bob.ask(f"JOIN {room}")
    new = bob.ask(f"PRIVMSG {room} :new").one("PRIVMSG").tags["msgid"]
    assert new not in {message.tags["msgid"] for message in said}


def test_history_can_be_switched_off(serve):
    """Configuration history.enabled: nothing to be had, and the capability says so or it is empty."""
    irc = serve(history={"enabled": False})
    alice = irc.user("alice", "message-tags", "batch")
    room = irc.room()
    alice.ask(f"JOIN {room}", f"PRIVMSG {room} :x")
    assert alice.ask(f"CHATHISTORY LATEST {room} * 5").all("PRIVMSG") == []


def test_private_tagmsg_is_in_the_history(irc):
    """TAGMSG to a user is played back to who has event-playback."""
    alice, bob = irc.user("alice", *EVENTS), irc.user("bob", *CAPS)
    ident = alice.ask(f"@+draft/react=x TAGMSG {bob.nick}").one("TAGMSG").tags["msgid"]
    bob.sync().one("TAGMSG")
    kept = alice.ask(f"CHATHISTORY LATEST {bob.nick} * 5").one("TAGMSG")
    assert kept.tags["msgid"] == ident and kept.tags["+draft/react"] == "x"
    bob.ask(f"CHATHISTORY LATEST {alice.nick} * 5").no("TAGMSG")


def test_client_tags_are_kept_where_configured(serve):
    """Configuration history.persist_tags: client-only tags come back."""
    irc = serve(history={"persist_tags": True})
    room, alice = irc.together("alice", caps=CAPS)
    alice.ask(f"@+draft/reply=x PRIVMSG {room} :text")
    (shown,) = history(alice, f"LATEST {room} * 5")
    assert shown.tags["+draft/reply"] == "x"


def test_kept_tagmsgs_need_event_playback(serve):
    """draft/event-playback: a TAGMSG that is kept is shown to those with the capability only."""
    irc = serve(history={"persist_tags": True})
    room, alice = irc.together("alice", caps=EVENTS)
    bob = irc.user("bob", *CAPS)
    bob.ask(f"JOIN {room}")
    alice.ask(f"@+draft/react=x TAGMSG {room}")
    (kept,) = [m for m in history(alice, f"LATEST {room} * 5") if m.command == "TAGMSG"]
    assert kept.params == [room] and kept.tags["+draft/react"] == "x"
    bob.sync()
    assert history(bob, f"LATEST {room} * 5") == []


def test_typing_is_never_kept(serve):
    """typing: a client tag that is of the moment only."""
    irc = serve(history={"persist_tags": True})
    room, alice = irc.together("alice", caps=EVENTS)
    alice.ask(f"@+typing=active TAGMSG {room}")
    assert [m.command for m in history(alice, f"LATEST {room} * 5") if m.command == "TAGMSG"] == []


def test_a_client_without_server_time_and_tags_gets_plain_lines(irc):
    """chathistory: tags only as the capabilities allow; the batch tag comes with batch."""
    room, _, _ = talk(irc, 2)
    bob = irc.user("bob", "draft/chathistory", "batch")
    bob.ask(f"JOIN {room}")
    for message in history(bob, f"LATEST {room} * 5"):
        assert set(message.tags) == {"batch"}


def test_multiline_messages_in_the_history(irc):
    """chathistory and draft/multiline: a batch within the batch, or lines."""
    room, alice = irc.together("alice", caps=(*CAPS, "draft/multiline"))
    alice.ask(f"BATCH +m draft/multiline {room}", f"@batch=m PRIVMSG {room} :one",
              f"@batch=m PRIVMSG {room} :two", "BATCH -m")
    shown = alice.ask(f"CHATHISTORY LATEST {room} * 5")
    assert texts(shown.all("PRIVMSG")) == ["one", "two"]


def test_history_as_a_line_user_made_it(serve):
    """What people on the line front say is in the same history."""
    irc = serve(_listen=("any://127.0.0.1:0",))
    line = irc.line_user()
    room = irc.room()
    line.send(f"/join {room}")
    alice = irc.user("alice", *CAPS)
    alice.ask(f"JOIN {room}")
    line.send("from the line")
    alice.expect("PRIVMSG", ANY, "from the line")
    assert texts(history(alice, f"LATEST {room} * 5"))[-1] == "from the line"
    assert TIME == history(alice, f"LATEST {room} * 1")[0].tags["time"]


@pytest.mark.parametrize("restarted", [False, True])
def test_what_was_set_behind_closed_doors_stays_there(serve, restarted):
    """Keys, bans, kicks and names of a closed channel are in no history of who comes later."""
    irc = serve()
    room = irc.room()
    alice = irc.user("alice", *CAPS, "draft/event-playback")
    victim = irc.user("victim")
    alice.ask(f"JOIN {room}", f"MODE {room} +s", f"PRIVMSG {room} :said")
    victim.ask(f"JOIN {room}")
    alice.ask(f"MODE {room} +k hidden", f"MODE {room} +b victim!*@*", f"KICK {room} {victim.nick} :out")
    shown = alice.ask(f"CHATHISTORY LATEST {room} * 9")
    assert len(shown.all("MODE")) == 3 and len(shown.all("KICK")) == 1
    if restarted:
        irc.server.restart()
    else:
        alice.ask(f"PART {room}")
    bob = irc.user("bob", *CAPS, "draft/event-playback")
    bob.ask(f"JOIN {room}")
    shown = bob.ask(f"CHATHISTORY LATEST {room} * 9")
    assert shown.all("MODE") == shown.all("KICK") == shown.all("PRIVMSG") == []
    bob.ask(f"MODE {room} +m")
    assert len(bob.ask(f"CHATHISTORY LATEST {room} * 9").all("MODE")) == 1


def test_what_was_set_in_a_closed_lobby_stays_there(serve):
    """The lobby outlives its members also when nothing was ever said in it."""
    irc = serve()
    boss = irc.oper("boss", *CAPS, "draft/event-playback")
    boss.ask("JOIN #lobby", "MODE #lobby +k hidden", "MODE #lobby -k hidden", "PART #lobby")
    bob = irc.user("bob", *CAPS, "draft/event-playback")
    bob.ask("JOIN #lobby").one("JOIN")
    assert bob.ask("CHATHISTORY LATEST #lobby * 9").all("MODE") == []
    bob.ask("PRIVMSG #lobby :hi")
    irc.server.restart()
    carol = irc.user("carol", *CAPS, "draft/event-playback")
    carol.ask("JOIN #lobby").one("JOIN")
    assert carol.ask("CHATHISTORY LATEST #lobby * 9").all("MODE") == []


def test_who_enters_an_empty_channel_takes_back_nothing_of_others(irc):
    """message-redaction: an operator of today is none of what was said in the channel before."""
    room = irc.room()
    caps = (*CAPS, "draft/message-redaction")
    alice, bob = irc.user("alice", *caps), irc.user("bob", *caps)
    msgid = alice.ask(f"JOIN {room}", f"PRIVMSG {room} :mine").one("PRIVMSG").tags["msgid"]
    alice.ask(f"PART {room}")
    answers = bob.ask(f"JOIN {room}", f"REDACT {room} {msgid} :not yours")
    assert answers.one("FAIL").params[:4] == ["REDACT", "REDACT_FORBIDDEN", room, msgid]
    assert texts(history(bob, f"LATEST {room} * 5")) == ["mine"]
    alice.ask(f"JOIN {room}")
    assert alice.ask(f"REDACT {room} {msgid}").one("REDACT").params[:2] == [room, msgid]
