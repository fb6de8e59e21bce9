# SPDX-License-Identifier: MIT
"""IRCv3 drafts: read-marker, multiline, message-redaction, channel-rename."""
import pytest

from irc_client import ANY, Like

MARKS = ("draft/read-marker", "server-time", "message-tags", "echo-message")
LINES = ("draft/multiline", "batch", "message-tags", "echo-message", "standard-replies", "server-time")
REDACT = ("draft/message-redaction", "message-tags", "echo-message", "batch", "draft/chathistory",
          "server-time")
RENAME = ("draft/channel-rename", "standard-replies")
EARLY, LATE = "timestamp=2020-01-01T00:00:00.000Z", "timestamp=2020-01-02T00:00:00.000Z"


# read-marker

def test_join_tells_the_read_marker(irc):
    """read-marker: MARKREAD after JOIN and before the end of NAMES; '*' when there is none."""
    user, room = irc.user("u", *MARKS), irc.room()
    answers = user.ask(f"JOIN {room}")
    assert answers.one("MARKREAD").params == [room, "*"]
    commands = answers.commands
    assert commands.index("JOIN") < commands.index("MARKREAD") < commands.index("366")


def test_without_the_capability_no_marker(irc):
    """read-marker: only for those who asked."""
    irc.user("u").ask(f"JOIN {irc.room()}").no("MARKREAD")


def test_a_marker_is_set_and_told(irc):
    """MARKREAD <target> timestamp=...: the answer is the same."""
    room, alice = irc.together("alice", caps=MARKS)
    assert alice.ask(f"MARKREAD {room} {EARLY}").one("MARKREAD").params == [room, EARLY]


def test_a_marker_is_asked_for(irc):
    """MARKREAD <target>: what is stored."""
    room, alice = irc.together("alice", caps=MARKS)
    alice.ask(f"MARKREAD {room} {EARLY}")
    assert alice.ask(f"MARKREAD {room}").one("MARKREAD").params == [room, EARLY]


def test_a_marker_that_was_never_set(irc):
    """MARKREAD <target>: '*'."""
    alice, bob = irc.user("alice", *MARKS), irc.user("bob")
    assert alice.ask(f"MARKREAD {bob.nick}").one("MARKREAD").params == [bob.nick, "*"]


def test_a_marker_of_a_conversation(irc):
    """read-marker: nicks are targets."""
    alice, bob = irc.user("alice", *MARKS), irc.user("bob")
    alice.ask(f"MARKREAD {bob.nick} {EARLY}")
    assert alice.ask(f"MARKREAD {bob.nick}").one("MARKREAD").params == [bob.nick, EARLY]


def test_a_marker_only_goes_forward(irc):
    """read-marker: an older time is answered with the stored one."""
    room, alice = irc.together("alice", caps=MARKS)
    alice.ask(f"MARKREAD {room} {LATE}")
    assert alice.ask(f"MARKREAD {room} {EARLY}").one("MARKREAD").params == [room, LATE]


def test_a_marker_is_nobody_elses(irc):
    """read-marker, security: MUST NOT be disclosed to others."""
    room, alice, bob = irc.together("alice", "bob", caps=MARKS)
    alice.ask(f"MARKREAD {room} {EARLY}")
    assert bob.sync() == []
    assert bob.ask(f"MARKREAD {room}").one("MARKREAD").params == [room, "*"]


def test_markread_without_a_target(irc):
    """FAIL MARKREAD NEED_MORE_PARAMS."""
    (fail,) = irc.user("u", *MARKS).ask("MARKREAD")
    assert fail.command == "FAIL" and fail.params[:2] == ["MARKREAD", "NEED_MORE_PARAMS"]


@pytest.mark.parametrize("stamp", ["yesterday", "timestamp=yesterday", "*", "timestamp=",
                                   "timestamp=2020-13-01T00:00:00.000Z"])
def test_markread_with_a_time_that_is_none(irc, stamp):
    """FAIL MARKREAD INVALID_PARAMS."""
    room, alice = irc.together("alice", caps=MARKS)
    (fail,) = alice.ask(f"MARKREAD {room} {stamp}")
    assert fail.command == "FAIL" and fail.params[:2] == ["MARKREAD", "INVALID_PARAMS"]


# multiline

def batch(user, target, *lines, name="m", tags=""):
    """Sends a multiline batch: each line with '+' before it is a continuation."""
    out = [f"{tags}BATCH +{name} draft/multiline {target}"]
    for line in lines:
        concat = ";draft/multiline-concat" if line.startswith("+") else ""
        out.append(f"@batch={name}{concat} PRIVMSG {target} :{line.removeprefix('+')}")
    return user.ask(*out, f"BATCH -{name}")


def multiline_limits(user):
    user.send("CAP LS 302")
    while True:
        answer = user.expect("CAP")
        for item in answer.text.split():
            if item.startswith("draft/multiline="):
                pairs = item.split("=", 1)[1].split(",")
                return {key: int(value) for key, value in (pair.split("=") for pair in pairs)}


def test_a_multiline_message(irc):
    """draft/multiline: receivers with the capability get a batch of its lines."""
    room, alice, bob = irc.together("alice", "bob", caps=LINES)
    batch(alice, room, "hello", "how is ", "+everyone?")
    opening, *inside, closing = bob.sync()
    assert opening.command == "BATCH" and opening.params[1:] == ["draft/multiline", room]
    assert opening.nick == alice.nick and opening.tags["msgid"]
    assert [m.params for m in inside] == [[room, "hello"], [room, "how is "], [room, "everyone?"]]
    assert ["draft/multiline-concat" in m.tags for m in inside] == [False, False, True]
    assert {m.tags["batch"] for m in inside} == {opening.params[0][1:]} == {closing.params[0][1:]}


def test_a_multiline_message_to_a_user(irc):
    """draft/multiline: the target may be a user."""
    alice, bob = irc.user("alice", *LINES), irc.user("bob", *LINES)
    batch(alice, bob.nick, "one", "two")
    assert [m.text for m in bob.sync().all("PRIVMSG")] == ["one", "two"]


def test_a_multiline_message_is_echoed(irc):
    """draft/multiline with echo-message."""
    room, alice = irc.together("alice", caps=LINES)
    assert batch(alice, room, "one", "two").commands == ["BATCH", "PRIVMSG", "PRIVMSG", "BATCH"]


def test_a_multiline_message_without_the_capability(irc):
    """draft/multiline, fallback: plain messages, the id on the first."""
    room, alice = irc.together("alice", caps=LINES)
    bob = irc.user("bob", "message-tags")
    bob.ask(f"JOIN {room}")
    alice.sync()
    batch(alice, room, "one", "two")
    seen = bob.sync()
    assert seen.commands == ["PRIVMSG", "PRIVMSG"] and [m.text for m in seen] == ["one", "two"]
    assert "msgid" in seen[0].tags and "msgid" not in seen[1].tags
    assert all("batch" not in message.tags for message in seen)


def test_blank_lines_pass(irc):
    """draft/multiline: servers MUST NOT reject blank lines."""
    room, alice, bob = irc.together("alice", "bob", caps=LINES)
    batch(alice, room, "one", "", "two")
    assert [m.text for m in bob.sync().all("PRIVMSG")] == ["one", "", "two"]


def test_blank_lines_are_not_sent_without_the_capability(irc):
    """draft/multiline, fallback: no blank lines."""
    room, alice = irc.together("alice", caps=LINES)
    bob = irc.user("bob")
    bob.ask(f"JOIN {room}")
    alice.sync()
    batch(alice, room, "one", "", "two")
    assert [m.text for m in bob.sync()] == ["one", "two"]


def test_a_multiline_message_has_client_tags(irc):
    """draft/multiline: client-only tags of the opening go with the message."""
    room, alice, bob = irc.together("alice", "bob", caps=LINES)
    batch(alice, room, "one", "two", tags="@+foo=bar ")
    assert bob.sync()[0].tags["+foo"] == "bar"


def test_each_line_has_the_client_tags_without_the_capability(irc):
    """draft/multiline, fallback: tags of the batch may be on all lines, the id is on the first."""
    room, alice = irc.together("alice", caps=LINES)
    bob = irc.user("bob", "message-tags")
    bob.ask(f"JOIN {room}")
    alice.sync()
    batch(alice, room, "one", "two", tags="@+foo=bar ")
    first, second = bob.sync().all("PRIVMSG")
    assert [first.tags["+foo"], second.tags["+foo"]] == ["bar", "bar"]
    assert "msgid" in first.tags and "msgid" not in second.tags


def test_nothing_is_delivered_before_the_end(irc):
    """draft/multiline: servers wait for the whole batch."""
    room, alice, bob = irc.together("alice", "bob", caps=LINES)
    alice.ask(f"BATCH +m draft/multiline {room}", f"@batch=m PRIVMSG {room} :one")
    assert bob.sync() == []
    alice.ask("BATCH -m")
    assert bob.sync().one("PRIVMSG").text == "one"


def test_a_label_is_on_the_opening_of_the_echo(irc):
    """draft/multiline with labeled-response: only on the opening BATCH."""
    room, alice = irc.together("alice", caps=(*LINES, "labeled-response"))
    answers = batch(alice, room, "one", "two", tags="@label=ml ")
    assert [m.tags.get("label") for m in answers] == ["ml", None, None, None]


def test_lines_of_a_batch_have_no_tags_of_the_message(irc):
    """draft/multiline: id and time are on the opening, not on the lines."""
    room, alice, bob = irc.together("alice", "bob", caps=LINES)
    batch(alice, room, "one", "two")
    opening, *inside, _ = bob.sync()
    assert {"msgid", "time"} <= set(opening.tags)
    assert all(set(message.tags) <= {"batch", "draft/multiline-concat"} for message in inside)


def test_lines_without_a_batch_have_tags(irc):
    """draft/multiline, fallback: time and client-only tags on each line, never the concat tag."""
    room, alice = irc.together("alice", caps=LINES)
    bob = irc.user("bob", "message-tags", "server-time")
    bob.ask(f"JOIN {room}")
    alice.sync()
    batch(alice, room, "how is ", "+everyone?", tags="@+foo=bar ")
    first, second = bob.sync()
    assert first.tags["time"] == second.tags["time"] != ""
    assert first.tags["+foo"] == second.tags["+foo"] == "bar"
    assert "draft/multiline-concat" not in second.tags


def test_receivers_of_a_multiline_message_see_one_id(irc):
    """message ids: the same for the echo, for a batch and for the first of the lines."""
    room, alice, bob = irc.together("alice", "bob", caps=LINES)
    carol = irc.user("carol", "message-tags")
    carol.ask(f"JOIN {room}")
    alice.sync()
    bob.sync()
    echo = batch(alice, room, "one", "two")[0].tags["msgid"]
    assert bob.sync()[0].tags["msgid"] == echo == carol.sync()[0].tags["msgid"]


def test_another_batch_tag_within_a_batch(irc):
    """FAIL BATCH MULTILINE_INVALID: as soon as the wrong line comes."""
    room, alice = irc.together("alice", caps=LINES)
    answers = alice.ask(f"BATCH +m draft/multiline {room}", f"@batch=other PRIVMSG {room} :x")
    assert answers[0].command == "FAIL" and answers[0].params[:2] == ["BATCH", "MULTILINE_INVALID"]


def test_a_multiline_notice(irc):
    """draft/multiline: NOTICE, where it is taken, stays one, and is never answered."""
    room, alice, bob = irc.together("alice", "bob", caps=LINES)
    answers = alice.ask(f"BATCH +m draft/multiline {room}", f"@batch=m NOTICE {room} :one",
                        f"@batch=m NOTICE {room} :two", "BATCH -m")
    seen = bob.sync().no("PRIVMSG").all("NOTICE")
    if answers.all("FAIL"):
        assert seen == []
    else:
        assert [message.text for message in seen] == ["one", "two"]


def wrong(answers, code):
    """FAIL BATCH <code>; and nothing was said."""
    assert answers.one("FAIL").params[:2] == ["BATCH", code]
    answers.no("PRIVMSG")


def test_another_target_within_a_batch(irc):
    """FAIL BATCH MULTILINE_INVALID_TARGET <batch target> <target>."""
    room, alice, bob = irc.together("alice", "bob", caps=LINES)
    answers = alice.ask(f"BATCH +m draft/multiline {room}", "@batch=m PRIVMSG #other :x", "BATCH -m")
    fail = answers.all("FAIL")[0]
    assert fail.params[:4] == ["BATCH", "MULTILINE_INVALID_TARGET", room, "#other"]
    assert bob.sync() == []


def test_too_many_lines(irc):
    """FAIL BATCH MULTILINE_MAX_LINES <limit>."""
    room, alice, bob = irc.together("alice", "bob", caps=LINES)
    limit = multiline_limits(alice)["max-lines"]
    answers = batch(alice, room, *["x"] * (limit + 1))
    assert answers.all("FAIL")[0].params[:3] == ["BATCH", "MULTILINE_MAX_LINES", str(limit)]
    assert bob.sync() == []


def test_too_many_lines_are_told_before_the_end(irc):
    """FAIL BATCH: at the line too many, once, with the label of the batch; what follows is dropped."""
    room, alice, bob = irc.together("alice", "bob", caps=(*LINES, "labeled-response"))
    limit = multiline_limits(alice)["max-lines"]
    answers = alice.ask(f"@label=ml BATCH +m draft/multiline {room}",
                        *[f"@batch=m PRIVMSG {room} :x"] * (limit + 3))
    assert answers.one("FAIL").tags["label"] == "ml"
    assert alice.ask("BATCH -m") == [] and bob.sync() == []
    batch(alice, room, "one", "two")
    assert len(bob.sync().all("PRIVMSG")) == 2


def test_another_batch_within_a_batch(irc):
    """FAIL BATCH MULTILINE_INVALID: a line of a batch that is not the open one."""
    room, alice, bob = irc.together("alice", "bob", caps=LINES)
    answers = alice.ask(f"BATCH +m draft/multiline {room}", f"@batch=other PRIVMSG {room} :x")
    wrong(answers, "MULTILINE_INVALID")
    assert bob.sync() == []
    batch(alice, room, "one", "two")
    assert len(bob.sync().all("PRIVMSG")) == 2


def test_lines_of_a_refused_batch_are_not_said(irc):
    """draft/multiline: one FAIL for a batch that cannot begin; nobody hears its lines."""
    room, alice, bob = irc.together("alice", "bob", caps=LINES)
    answers = alice.ask("BATCH +m draft/multiline", *[f"@batch=m PRIVMSG {room} :x"] * 3, "BATCH -m")
    assert [m.params[:2] for m in answers] == [["BATCH", "MULTILINE_INVALID"]]
    assert bob.sync() == []


def test_a_line_too_long_spoils_its_batch(irc):
    """draft/multiline: a message is not said without one of its lines."""
    room, alice, bob = irc.together("alice", "bob", caps=LINES)
    answers = batch(alice, room, "one", "x" * 600, "two")
    assert answers.commands == ["417", "FAIL"]
    assert bob.sync() == []


def test_as_many_lines_as_are_allowed(irc):
    """CAP draft/multiline, max-lines."""
    room, alice, bob = irc.together("alice", "bob", caps=LINES)
    limit = multiline_limits(alice)["max-lines"]
    batch(alice, room, *["x"] * limit).no("FAIL")
    assert len(bob.sync().all("PRIVMSG")) == limit


def test_too_many_bytes(irc):
    """FAIL BATCH MULTILINE_MAX_BYTES <limit>."""
    room, alice, bob = irc.together("alice", "bob", caps=LINES)
    limit = multiline_limits(alice)["max-bytes"]
    answers = batch(alice, room, *["x" * 400] * (limit // 400 + 1))
    fail = answers.all("FAIL")[0]
    assert fail.params[1] in ("MULTILINE_MAX_BYTES", "MULTILINE_MAX_LINES")
    if fail.params[1] == "MULTILINE_MAX_BYTES":
        assert fail.params[2] == str(limit)
    assert bob.sync() == []


@pytest.mark.parametrize("inside", ["@batch=m TOPIC {room} :x", "@batch=m PRIVMSG",
                                    "@batch=m;draft/multiline-concat PRIVMSG {room} :"])
def test_what_must_not_be_in_a_batch(irc, inside):
    """FAIL BATCH MULTILINE_INVALID: only messages, no blank continuation."""
    room, alice, bob = irc.together("alice", "bob", caps=LINES)
    answers = alice.ask(f"BATCH +m draft/multiline {room}", inside.format(room=room), "BATCH -m")
    assert answers.all("FAIL")[0].params[:2] == ["BATCH", "MULTILINE_INVALID"]
    bob.sync().no("PRIVMSG", "TOPIC")


def test_an_empty_batch(irc):
    """FAIL BATCH MULTILINE_INVALID: one or more lines."""
    room, alice, bob = irc.together("alice", "bob", caps=LINES)
    wrong(alice.ask(f"BATCH +m draft/multiline {room}", "BATCH -m"), "MULTILINE_INVALID")
    assert bob.sync() == []


def test_a_batch_of_blank_lines(irc):
    """draft/multiline: messages must not be blank altogether."""
    room, alice, bob = irc.together("alice", "bob", caps=LINES)
    assert batch(alice, room, "", "").all("FAIL", "412")
    assert bob.sync().all("PRIVMSG") == []


def test_a_refused_multiline_message(irc):
    """draft/multiline: rules of the channel hold: ERR_CANNOTSENDTOCHAN."""
    room, alice, bob = irc.together("alice", "bob", caps=LINES)
    alice.ask(f"MODE {room} +m")
    bob.sync()
    batch(bob, room, "one", "two").one("404")
    assert alice.sync().all("PRIVMSG") == []


def test_an_unknown_type_of_batch(irc):
    """batch: client batches of types the server does not know are refused."""
    alice = irc.user("alice", *LINES)
    assert alice.ask("BATCH +m no-such-type x").one("FAIL").params[0] == "BATCH"


def test_the_end_of_a_batch_that_was_not_opened(irc):
    """batch: there is nothing to end."""
    alice = irc.user("alice", *LINES)
    assert alice.ask("BATCH -m").one("FAIL").params[0] == "BATCH"


# message-redaction

def said(user, target, text="oops"):
    return user.ask(f"PRIVMSG {target} :{text}").one("PRIVMSG").tags["msgid"]


def test_ones_own_message_is_taken_back(irc):
    """REDACT <target> <msgid> [<reason>]: forwarded to those with the capability."""
    room, _, bob = irc.together("alice", "bob", caps=REDACT)
    alice = irc.clients[0]
    ident = said(bob, room)
    alice.sync()
    echo = bob.ask(f"REDACT {room} {ident} :wrong room").one("REDACT")
    seen = alice.sync().one("REDACT")
    assert echo.params == seen.params == [room, ident, "wrong room"] and seen.nick == bob.nick


def test_without_a_reason(irc):
    """REDACT: the reason is optional, and stays away."""
    room, alice = irc.together("alice", caps=REDACT)
    ident = said(alice, room)
    assert alice.ask(f"REDACT {room} {ident}").one("REDACT").params == [room, ident]


def test_a_channel_operator_takes_back_what_others_said(irc):
    """REDACT: authorised are the author and channel operators."""
    room, alice, bob = irc.together("alice", "bob", caps=REDACT)
    ident = said(bob, room)
    alice.sync()
    alice.ask(f"REDACT {room} {ident} :spam").one("REDACT")
    assert bob.sync().one("REDACT").nick == alice.nick


def test_others_may_not(irc):
    """FAIL REDACT REDACT_FORBIDDEN <target> <msgid>."""
    room, alice, bob = irc.together("alice", "bob", caps=REDACT)
    ident = said(alice, room)
    bob.sync()
    (fail,) = bob.ask(f"REDACT {room} {ident}")
    assert fail.command == "FAIL" and fail.params[:4] == ["REDACT", "REDACT_FORBIDDEN", room, ident]
    assert alice.sync() == []


def test_a_message_that_does_not_exist(irc):
    """FAIL REDACT UNKNOWN_MSGID <target> <msgid>."""
    room, alice = irc.together("alice", caps=REDACT)
    for ident in ("nonsense", "m999999999", "m18446744073709551616"):
        (fail,) = alice.ask(f"REDACT {room} {ident}")
        assert fail.params[:4] == ["REDACT", "UNKNOWN_MSGID", room, ident]


def test_a_message_of_another_room(irc):
    """FAIL REDACT UNKNOWN_MSGID: the id is none of this target."""
    one, alice = irc.together("alice", caps=REDACT)
    ident, two = said(alice, one), irc.room()
    alice.ask(f"JOIN {two}")
    (fail,) = alice.ask(f"REDACT {two} {ident}")
    assert fail.params[:2] == ["REDACT", "UNKNOWN_MSGID"]


def test_a_room_one_is_not_in(irc):
    """FAIL REDACT INVALID_TARGET, or a numeric: nothing is told of it."""
    room, alice = irc.together("alice", caps=REDACT)
    ident = said(alice, room)
    answers = irc.user("bob", *REDACT).ask(f"REDACT {room} {ident}")
    assert answers.all("FAIL", "442", "403") and answers.no("REDACT")
    assert alice.sync() == []


def test_redact_is_not_sent_without_the_capability(irc):
    """message-redaction: MUST not be forwarded to those without it."""
    room, alice = irc.together("alice", caps=REDACT)
    bob = irc.user("bob")
    bob.ask(f"JOIN {room}")
    alice.sync()
    ident = said(alice, room)
    bob.sync()
    alice.ask(f"REDACT {room} {ident}").one("REDACT")
    bob.sync().no("REDACT")


def test_redact_where_one_is_not(irc):
    """FAIL REDACT INVALID_TARGET <target>: the message is no part of it."""
    alice, room = irc.user("alice", *REDACT), irc.room()
    fail = alice.ask(f"REDACT {room} m1").one("FAIL")
    assert fail.params == ["REDACT", "INVALID_TARGET", room, ANY]


def test_a_redacted_message_is_out_of_the_history(irc):
    """message-redaction, chat history: left out, or a placeholder with its REDACT."""
    room, alice = irc.together("alice", caps=REDACT)
    ident = said(alice, room, "the secret")
    alice.ask(f"REDACT {room} {ident}")
    assert "the secret" not in repr(alice.ask(f"CHATHISTORY LATEST {room} * 10"))


def test_a_private_message_is_taken_back(irc):
    """REDACT of a conversation."""
    alice, bob = irc.user("alice", *REDACT), irc.user("bob", *REDACT)
    ident = said(alice, bob.nick)
    bob.sync()
    alice.ask(f"REDACT {bob.nick} {ident}").one("REDACT")
    seen = bob.sync().one("REDACT")
    assert seen.params == [bob.nick, ident] and seen.nick == alice.nick


def test_what_another_said_in_private_stays(irc):
    """FAIL REDACT REDACT_FORBIDDEN, in conversations too."""
    alice, bob = irc.user("alice", *REDACT), irc.user("bob", *REDACT)
    ident = said(alice, bob.nick)
    bob.sync()
    (fail,) = bob.ask(f"REDACT {alice.nick} {ident}")
    assert fail.command == "FAIL" and fail.params[1] in ("REDACT_FORBIDDEN", "UNKNOWN_MSGID")


@pytest.mark.parametrize("line", ["REDACT", "REDACT #room"])
def test_redact_with_too_few_parameters(irc, line):
    """ERR_NEEDMOREPARAMS, or FAIL REDACT NEED_MORE_PARAMS."""
    (answer,) = irc.user("u", *REDACT).ask(line)
    assert "REDACT" in answer.params and answer.command in ("461", "FAIL")


# channel-rename

def test_rename_is_told_to_those_with_the_capability(irc):
    """RENAME <old> <new> :<reason>."""
    room, alice, bob = irc.together("alice", "bob", caps=RENAME)
    new = irc.room("new")
    echo = alice.ask(f"RENAME {room} {new} :a better name").one("RENAME")
    seen = bob.sync()
    assert seen.commands == ["RENAME"] and seen[0].nick == alice.nick
    assert echo.params == seen[0].params == [room, new, "a better name"]


def test_rename_without_a_reason(irc):
    """RENAME: the third parameter is always there, maybe empty."""
    room, alice = irc.together("alice", caps=RENAME)
    new = irc.room("new")
    assert alice.ask(f"RENAME {room} {new}").one("RENAME").params == [room, new, ""]


def test_rename_for_those_without_the_capability(irc):
    """channel-rename, fallback: PART of the old, JOIN of the new with topic and names."""
    room, alice = irc.together("alice", caps=RENAME)
    alice.ask(f"TOPIC {room} :Kept")
    bob = irc.user("bob")
    bob.ask(f"JOIN {room}")
    alice.sync()
    new = irc.room("new")
    alice.ask(f"RENAME {room} {new} :a better name")
    part, join = bob.take(), bob.take()
    assert (part.command, part.params) == ("PART", [room, "a better name"]) and part.nick == bob.nick
    assert (join.command, join.params) == ("JOIN", [new])
    assert bob.expect("332").params == [bob.nick, new, "Kept"]
    assert bob.expect("366").params[1] == new
    bob.sync().no("RENAME")


def test_rename_keeps_the_state(irc):
    """channel-rename: membership, modes, topic."""
    room, alice, bob = irc.together("alice", "bob", caps=RENAME)
    new = irc.room("new")
    alice.ask(f"MODE {room} +m", f"TOPIC {room} :Kept", f"RENAME {room} {new}")
    assert "m" in alice.ask(f"MODE {new}").one("324").params[2]
    assert alice.ask(f"TOPIC {new}").one("332").text == "Kept"
    assert set(alice.ask(f"NAMES {new}").one("353").text.split()) == {"@" + alice.nick, bob.nick}


def test_messages_go_to_the_new_name(irc):
    """channel-rename: the channel is the same under the new name."""
    room, alice, bob = irc.together("alice", "bob", caps=RENAME)
    new = irc.room("new")
    alice.ask(f"RENAME {room} {new}", f"PRIVMSG {new} :hello")
    assert bob.sync().one("PRIVMSG").params == [new, "hello"]


def test_rename_to_a_name_in_use(irc):
    """FAIL RENAME CHANNEL_NAME_IN_USE <old> <new>."""
    one, alice = irc.together("alice", caps=RENAME)
    two = irc.together("carol")[0]
    fail = alice.ask(f"RENAME {one} {two}").one("FAIL")
    assert fail.params[:4] == ["RENAME", "CHANNEL_NAME_IN_USE", one, two]


def test_rename_to_no_name(irc):
    """FAIL RENAME CANNOT_RENAME, or ERR_NOSUCHCHANNEL, ERR_BADCHANMASK."""
    room, alice = irc.together("alice", caps=RENAME)
    assert alice.ask(f"RENAME {room} nochannel").commands[0] in ("FAIL", "403", "476", "479")


def test_rename_needs_an_operator(irc):
    """RENAME: ERR_CHANOPRIVSNEEDED."""
    room, _, bob = irc.together("alice", "bob", caps=RENAME)
    assert bob.ask(f"RENAME {room} {irc.room()}").one("482").params == [bob.nick, room, ANY]


def test_rename_from_outside(irc):
    """RENAME: ERR_NOTONCHANNEL."""
    room, _ = irc.together("alice")
    assert irc.user("bob", *RENAME).ask(f"RENAME {room} {irc.room()}").commands[0] in ("442", "482", "403")


def test_rename_of_no_channel(irc):
    """RENAME: ERR_NOSUCHCHANNEL."""
    irc.user("u", *RENAME).ask(f"RENAME {irc.room()} {irc.room()}").one("403")


def test_rename_with_too_few_parameters(irc):
    """RENAME: ERR_NEEDMOREPARAMS."""
    room, alice = irc.together("alice", caps=RENAME)
    assert alice.ask(f"RENAME {room}").one("461").params[1] == "RENAME"


def test_rename_that_changes_the_case_only(irc):
    """RENAME: implementations MUST allow it; nobody is parted."""
    room, alice = irc.together("alice", caps=RENAME)
    bob = irc.user("bob")
    bob.ask(f"JOIN {room}")
    alice.sync()
    assert alice.ask(f"RENAME {room} {room.upper()}").one("RENAME").params[:2] == [room, room.upper()]
    bob.sync().no("PART")


def test_the_old_name_after_a_rename(irc):
    """channel-rename, redirection: FAIL JOIN CHANNEL_RENAMED, or a new channel."""
    room, alice = irc.together("alice", caps=RENAME)
    new = irc.room("new")
    alice.ask(f"RENAME {room} {new}")
    answers = irc.user("bob", *RENAME).ask(f"JOIN {room}")
    if "JOIN" not in answers.commands:
        assert answers.one("FAIL").params[:4] == ["JOIN", "CHANNEL_RENAMED", room, new]


def test_the_old_name_can_be_founded_anew(irc):
    """channel-rename without redirection: the old name is a new channel, with its own operator."""
    room, alice = irc.together("alice", caps=RENAME)
    alice.ask(f"RENAME {room} {irc.room('new')}")
    bob = irc.user("bob")
    if bob.ask(f"JOIN {room}").all("JOIN"):
        assert bob.ask(f"MODE {room} +k beer").one("MODE").params == [room, "+k", "beer"]
        alice.sync().no("JOIN", "MODE")


def test_history_follows_the_rename(irc):
    """channel-rename: the history is the channel's, whatever its name."""
    room, alice = irc.together("alice", caps=(*RENAME, "draft/chathistory", "batch", "message-tags"))
    new = irc.room("new")
    alice.ask(f"PRIVMSG {room} :before", f"RENAME {room} {new}", f"PRIVMSG {new} :after")
    shown = alice.ask(f"CHATHISTORY LATEST {new} * 10").all("PRIVMSG")
    assert [m.text for m in shown] == ["before", "after"]
    assert {m.params[0] for m in shown} <= {room, new}


def test_multiline_limits_come_from_the_configuration(serve):
    """Configuration limits.multiline_bytes and limits.multiline_lines."""
    irc = serve(limits={"multiline_bytes": 1000, "multiline_lines": 3})
    assert multiline_limits(irc.user("u", *LINES)) == {"max-bytes": 1000, "max-lines": 3}


def test_the_label_of_a_refused_batch(irc):
    """labeled-response: a FAIL has the label of the line that caused it or of the opening."""
    alice = irc.user("alice", *LINES, "labeled-response")
    (fail,) = alice.ask("@label=x BATCH +m no-such-type")
    assert fail.command == "FAIL" and fail.tags["label"] == "x" and fail.text == Like(".+")
