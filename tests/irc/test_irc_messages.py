# SPDX-License-Identifier: MIT
"""PRIVMSG, NOTICE, TAGMSG: Modern IRC, "Sending Messages"; IRCv3 message-tags, echo-message."""
import pytest

from irc_client import ANY

TAGGED = ("message-tags", "server-time", "echo-message")


@pytest.mark.parametrize("command", ["PRIVMSG", "NOTICE"])
def test_a_message_to_a_user(irc, command):
    """PRIVMSG and NOTICE: <target> :<text>."""
    alice, bob = irc.user("alice"), irc.user("bob")
    assert alice.ask(f"{command} {bob.nick} :hello there") == []
    got = bob.sync().one(command)
    assert got.nick == alice.nick and got.params == [bob.nick, "hello there"]


@pytest.mark.parametrize("command", ["PRIVMSG", "NOTICE"])
def test_a_message_to_a_channel(irc, command):
    """PRIVMSG and NOTICE: to all members but the sender."""
    room, alice, bob, carol = irc.together("alice", "bob", "carol")
    assert alice.ask(f"{command} {room} :hello there") == []
    for user in (bob, carol):
        assert user.sync().one(command).params == [room, "hello there"]


def test_a_message_to_oneself(irc):
    """PRIVMSG: the target may be the sender."""
    alice = irc.user("alice")
    assert alice.ask(f"PRIVMSG {alice.nick} :note").one("PRIVMSG").text == "note"


def test_a_message_to_nobody_gives_401(irc):
    """ERR_NOSUCHNICK: <client> <nickname>."""
    alice = irc.user("alice")
    assert alice.ask("PRIVMSG nobody-here :x").one("401").params == [alice.nick, "nobody-here", ANY]


def test_a_message_to_no_channel_is_an_error(irc):
    """ERR_NOSUCHCHANNEL, ERR_NOSUCHNICK or ERR_CANNOTSENDTOCHAN."""
    alice, room = irc.user("alice"), irc.room()
    answers = alice.ask(f"PRIVMSG {room} :x")
    assert answers.commands in (["401"], ["403"], ["404"]) and answers[0].params[:2] == [alice.nick, room]


def test_a_message_to_nobody_at_all_gives_411(irc):
    """ERR_NORECIPIENT."""
    alice = irc.user("alice")
    answers = alice.ask("PRIVMSG")
    assert answers.commands in (["411"], ["461"]) and answers[0].params[0] == alice.nick


def test_a_message_without_text_gives_412(irc):
    """ERR_NOTEXTTOSEND."""
    alice, bob = irc.user("alice"), irc.user("bob")
    assert alice.ask(f"PRIVMSG {bob.nick}").commands in (["412"], ["461"])


def test_a_message_with_an_empty_text_gives_412(irc):
    """ERR_NOTEXTTOSEND."""
    alice, bob = irc.user("alice"), irc.user("bob")
    assert alice.ask(f"PRIVMSG {bob.nick} :").one("412").params == [alice.nick, ANY]
    assert bob.sync() == []


def test_a_message_of_spaces_arrives(irc):
    """PRIVMSG message: any text that is not empty; ERR_NOTEXTTOSEND is for none."""
    room, alice, bob = irc.together("alice", "bob")
    assert alice.ask(f"PRIVMSG {room} : ", f"PRIVMSG {bob.nick} :  ") == []
    assert [m.text for m in bob.sync().all("PRIVMSG")] == [" ", "  "]


@pytest.mark.parametrize("line", ["NOTICE", "NOTICE nobody-here", "NOTICE nobody-here :x",
                                  "NOTICE #no-such-room-here :x", "NOTICE nobody-here :"])
def test_a_notice_never_gets_an_error(irc, line):
    """NOTICE message: automatic replies must never be sent in response."""
    assert irc.user("alice").ask(line) == []


def test_a_refused_notice_gets_no_error(irc):
    """NOTICE message: not even where a PRIVMSG gets 404."""
    room, alice, bob = irc.together("alice", "bob")
    alice.ask(f"MODE {room} +m")
    bob.sync()
    assert bob.ask(f"NOTICE {room} :x") == []
    alice.sync().no("NOTICE")


def test_several_targets(irc):
    """PRIVMSG: a comma-separated list, as far as TARGMAX allows."""
    alice, bob, carol = irc.user("alice"), irc.user("bob"), irc.user("carol")
    alice.ask(f"PRIVMSG {bob.nick},{carol.nick} :hello")
    assert bob.sync().one("PRIVMSG").params == [bob.nick, "hello"]
    assert carol.sync().one("PRIVMSG").params == [carol.nick, "hello"]


def test_too_many_targets_give_407(irc):
    """ERR_TOOMANYTARGETS, TARGMAX: no more targets than it says."""
    alice, bob = irc.user("alice"), irc.user("bob")
    limits = dict(word.split(":") for word in alice.isupport["TARGMAX"].split(","))
    if limits["PRIVMSG"] == "":
        pytest.skip("any number of targets is allowed")
    count = int(limits["PRIVMSG"])
    room, users = irc.room(), [irc.user("u") for _ in range(count)]
    alice.ask(f"PRIVMSG {','.join(user.nick for user in users)} :x").nothing_wrong()
    answers = alice.ask(f"PRIVMSG {','.join(u.nick for u in users)},{bob.nick} :x")
    answers.one("407")
    assert room and bob.sync() == []


def test_a_failing_target_does_not_stop_the_others(irc):
    """PRIVMSG: each target has an answer of its own."""
    alice, bob = irc.user("alice"), irc.user("bob")
    alice.ask(f"PRIVMSG nobody-here,{bob.nick} :hello").one("401")
    bob.sync().one("PRIVMSG")


def test_targets_in_other_case(irc):
    """Modern IRC, Casemapping."""
    alice, bob = irc.user("alice"), irc.user("bob")
    alice.ask(f"PRIVMSG {bob.nick.upper()} :hello")
    bob.sync().one("PRIVMSG")


def test_statusmsg_reaches_operators_only(irc):
    """ISUPPORT STATUSMSG: @#channel."""
    room, alice, bob, carol = irc.together("alice", "bob", "carol")
    alice.ask(f"MODE {room} +o {bob.nick}")
    carol.sync()
    alice.ask(f"PRIVMSG @{room} :among us")
    assert bob.sync().one("PRIVMSG").params == ["@" + room, "among us"]
    assert carol.sync() == []


def test_statusmsg_reaches_voices_and_operators(irc):
    """ISUPPORT STATUSMSG: +#channel, that status and above."""
    room, alice, bob, carol, dave = irc.together("alice", "bob", "carol", "dave")
    alice.ask(f"MODE {room} +o {bob.nick}", f"MODE {room} +v {carol.nick}")
    dave.sync()
    alice.ask(f"PRIVMSG +{room} :among us")
    for user in (bob, carol):
        assert user.sync().one("PRIVMSG").params == ["+" + room, "among us"]
    assert dave.sync() == []


def test_statusmsg_is_in_isupport(irc):
    """ISUPPORT STATUSMSG: the prefixes a target may have."""
    assert set("@+") <= set(irc.user().isupport["STATUSMSG"])


def test_away_is_told_to_the_sender(irc):
    """AWAY message: RPL_AWAY to who sends a PRIVMSG."""
    alice, bob = irc.user("alice"), irc.user("bob")
    bob.ask("AWAY :asleep")
    assert alice.ask(f"PRIVMSG {bob.nick} :x").one("301").params == [alice.nick, bob.nick, "asleep"]


def test_away_is_not_told_for_a_notice(irc):
    """NOTICE message: no automatic replies."""
    alice, bob = irc.user("alice"), irc.user("bob")
    bob.ask("AWAY :asleep")
    assert alice.ask(f"NOTICE {bob.nick} :x") == []


def test_the_text_is_carried_byte_by_byte(irc):
    """Modern IRC: formatting, colours, CTCP and UTF-8 pass."""
    alice, bob = irc.user("alice"), irc.user("bob")
    text = "\x02bold\x02 \x0304,05red\x0f \x1ditalic \u00fcber \u65e5\u672c \U0001f600 \x01"
    alice.ask(f"PRIVMSG {bob.nick} :{text}")
    assert bob.sync().one("PRIVMSG").text == text


def test_a_ctcp_request_passes(irc):
    """CTCP: messages in \\x01."""
    alice, bob = irc.user("alice"), irc.user("bob")
    alice.ask(f"PRIVMSG {bob.nick} :\x01PING 123\x01")
    assert bob.sync().one("PRIVMSG").text == "\x01PING 123\x01"


def test_an_action_passes(irc):
    """CTCP ACTION."""
    room, alice, bob = irc.together("alice", "bob")
    alice.ask(f"PRIVMSG {room} :\x01ACTION waves\x01")
    assert bob.sync().one("PRIVMSG").text == "\x01ACTION waves\x01"


def test_echo_message_to_a_channel(irc):
    """echo-message: the sender sees the message as the others do."""
    room, alice, bob = irc.together("alice", "bob", caps=["echo-message"])
    echo, seen = alice.ask(f"PRIVMSG {room} :hello").one("PRIVMSG"), bob.sync().one("PRIVMSG")
    assert (echo.source, echo.params) == (seen.source, seen.params)


@pytest.mark.parametrize("command", ["PRIVMSG", "NOTICE"])
def test_echo_message_to_a_user(irc, command):
    """echo-message: private messages too; target and source as delivered."""
    alice, bob = irc.user("alice", "echo-message"), irc.user("bob")
    echo = alice.ask(f"{command} {bob.nick} :hello").one(command)
    assert echo.nick == alice.nick and echo.params == [bob.nick, "hello"]


def test_echo_message_of_a_message_to_oneself(irc):
    """echo-message: the echo and the message."""
    alice = irc.user("alice", "echo-message")
    assert len(alice.ask(f"PRIVMSG {alice.nick} :note").all("PRIVMSG")) == 2


def test_a_refused_message_is_not_echoed(irc):
    """echo-message: only what was delivered."""
    room, alice, bob = irc.together("alice", "bob", caps=["echo-message"])
    alice.ask(f"MODE {room} +m")
    bob.sync()
    bob.ask(f"PRIVMSG {room} :x").no("PRIVMSG").one("404")


def test_tagmsg_to_a_channel(irc):
    """message-tags, TAGMSG: tags without a text."""
    room, alice, bob = irc.together("alice", "bob", caps=["message-tags"])
    alice.ask(f"@+draft/react=x TAGMSG {room}")
    got = bob.sync().one("TAGMSG")
    assert got.params == [room] and got.tags["+draft/react"] == "x"


def test_tagmsg_to_a_user(irc):
    """message-tags, TAGMSG."""
    alice, bob = irc.user("alice", "message-tags"), irc.user("bob", "message-tags")
    alice.ask(f"@+typing=active TAGMSG {bob.nick}")
    assert bob.sync().one("TAGMSG").tags["+typing"] == "active"


def test_tagmsg_is_not_sent_without_message_tags(irc):
    """message-tags, TAGMSG: MUST NOT be delivered to clients without the capability."""
    room, _ = irc.together("alice")
    bob = irc.user("bob", "message-tags")
    bob.ask(f"JOIN {room}")
    alice = irc.user("carol", "message-tags")
    alice.ask(f"JOIN {room}")
    plain = irc.clients[0]
    plain.sync()
    alice.ask(f"@+typing=active TAGMSG {room}")
    bob.sync().one("TAGMSG")
    assert plain.sync() == []


def test_tagmsg_is_echoed(irc):
    """echo-message: TAGMSG too."""
    room, alice = irc.together("alice", caps=TAGGED)
    assert alice.ask(f"@+typing=active TAGMSG {room}").one("TAGMSG").tags["+typing"] == "active"


def test_tagmsg_to_nobody_is_an_error(irc):
    """message-tags, TAGMSG: the same numerics as PRIVMSG."""
    alice = irc.user("alice", "message-tags")
    alice.ask("@+typing=active TAGMSG nobody-here").one("401")


def test_tagmsg_without_a_target(irc):
    """message-tags, TAGMSG: ERR_NORECIPIENT or ERR_NEEDMOREPARAMS."""
    alice = irc.user("alice", "message-tags")
    assert alice.ask("@+typing=active TAGMSG").commands in (["461"], ["411"])


def test_client_only_tags_are_relayed(irc):
    """message-tags: client-only tags, with '+', are relayed with the message."""
    room, alice, bob = irc.together("alice", "bob", caps=["message-tags"])
    alice.ask(f"@+example.com/foo=bar;+empty PRIVMSG {room} :hello")
    tags = bob.sync().one("PRIVMSG").tags
    assert tags["+example.com/foo"] == "bar" and tags["+empty"] == ""


def test_other_tags_of_clients_are_dropped(irc):
    """message-tags: tags without '+' are never relayed."""
    room, alice, bob = irc.together("alice", "bob", caps=["message-tags"])
    alice.ask(f"@time=2001-01-01T00:00:00.000Z;msgid=forged;account=root;foo=bar PRIVMSG {room} :x")
    tags = bob.sync().one("PRIVMSG").tags
    assert "foo" not in tags and "account" not in tags
    assert tags.get("msgid") != "forged" and not tags.get("time", "").startswith("2001")


def test_tags_need_the_capability_to_be_received(irc):
    """message-tags: a client without it gets no tags."""
    room, alice, bob = irc.together("alice", "bob")
    carol = irc.user("carol", "message-tags")
    carol.ask(f"JOIN {room}", f"@+foo=bar PRIVMSG {room} :hello")
    assert bob.sync().one("PRIVMSG").tags == {} and alice.sync().one("PRIVMSG").tags == {}


def test_tag_values_are_escaped(irc):
    """message-tags, escaping values: semicolon, space, backslash, CR, LF."""
    room, alice, bob = irc.together("alice", "bob", caps=["message-tags"])
    alice.ask(rf"@+v=a\:b\sc\\d\re\nf PRIVMSG {room} :hello")
    assert bob.sync().one("PRIVMSG").tags["+v"] == "a;b c\\d\re\nf"


def test_an_invalid_escape_loses_its_backslash(irc):
    """message-tags, escaping values: '\\b' is 'b', a backslash at the end is dropped."""
    room, alice, bob = irc.together("alice", "bob", caps=["message-tags"])
    alice.ask(f"@+v=a\\bc\\ PRIVMSG {room} :hello")
    assert bob.sync().one("PRIVMSG").tags["+v"] == "abc"


def test_of_a_tag_given_twice_the_last_counts(irc):
    """message-tags: keys are unique; implementations use the last one."""
    room, alice, bob = irc.together("alice", "bob", caps=["message-tags"])
    alice.ask(f"@+v=one;+v=two PRIVMSG {room} :hello")
    assert bob.sync().one("PRIVMSG").tags["+v"] == "two"


def test_msgid_and_time_are_the_same_for_all(irc):
    """message-tags, message ids; server-time: every receiver sees the same."""
    room, alice, bob, carol = irc.together("alice", "bob", "carol", caps=TAGGED)
    echo = alice.ask(f"PRIVMSG {room} :hello").one("PRIVMSG")
    assert echo.tags["msgid"] != "" and echo.tags["time"] != ""
    for user in (bob, carol):
        tags = user.sync().one("PRIVMSG").tags
        assert (tags["msgid"], tags["time"]) == (echo.tags["msgid"], echo.tags["time"])


def test_msgids_are_never_used_again(irc):
    """message ids: unique."""
    room, alice = irc.together("alice", caps=TAGGED)
    alice.send(*(f"PRIVMSG {room} :{i}" for i in range(50)))
    ids = [message.tags["msgid"] for message in alice.sync().all("PRIVMSG")]
    assert len(set(ids)) == 50


def test_private_messages_have_the_same_msgid_for_both(irc):
    """message ids, echo-message."""
    alice, bob = irc.user("alice", *TAGGED), irc.user("bob", *TAGGED)
    echo = alice.ask(f"PRIVMSG {bob.nick} :hello").one("PRIVMSG")
    assert bob.sync().one("PRIVMSG").tags["msgid"] == echo.tags["msgid"]


def test_4094_bytes_of_client_tags_pass(irc):
    """message-tags, size limit: 4,094 bytes of tag data from clients."""
    room, alice, bob = irc.together("alice", "bob", caps=["message-tags"])
    value = "v" * (4094 - len("+v="))
    alice.ask(f"@+v={value} PRIVMSG {room} :hello")
    assert bob.sync().one("PRIVMSG").tags["+v"] == value


def test_4095_bytes_of_client_tags_give_417(irc):
    """message-tags, size limit: ERR_INPUTTOOLONG; never cut."""
    room, alice, bob = irc.together("alice", "bob", caps=["message-tags"])
    value = "v" * (4095 - len("+v="))
    assert alice.ask(f"@+v={value} PRIVMSG {room} :hello").one("417").params == [alice.nick, ANY]
    assert bob.sync() == []


def test_a_line_that_is_too_long_gives_417_or_is_cut(irc):
    """Modern IRC, Message Format: 512 bytes; ERR_INPUTTOOLONG."""
    alice, bob = irc.user("alice"), irc.user("bob")
    answers = alice.ask(f"PRIVMSG {bob.nick} :" + "x" * 600)
    if "417" not in answers.commands:
        assert set(bob.sync().one("PRIVMSG").text) == {"x"}


def test_a_long_message_is_cut_at_512_bytes_and_not_within_a_character(irc):
    """Modern IRC, Message Format, and UTF8ONLY: receivers' lines stay within 512 bytes, in UTF-8."""
    alice, bob = irc.user("alice"), irc.user("bob")
    head = f"PRIVMSG {bob.nick} :"
    alice.ask(head + "\u00fc" * ((510 - len(head)) // 2))
    assert set(bob.sync().one("PRIVMSG").text) == {"\u00fc"}


@pytest.mark.parametrize("spare", range(-3, 4))
def test_a_message_at_the_limit_is_whole_or_a_prefix(irc, spare):
    """Modern IRC, Message Format: around the receiver's 512 bytes; whole where it fits."""
    alice, bob = irc.user("alice"), irc.user("bob")
    alice.ask(f"PRIVMSG {bob.nick} :a")
    room_left = 512 - len(bob.sync().one("PRIVMSG").line.encode()) - len("\r\n") + len("a")
    text = "a" * (room_left + spare - 4) + "\U0001f600"
    answers = alice.ask(f"PRIVMSG {bob.nick} :{text}")
    if spare <= 0:
        assert answers == [] and bob.sync().one("PRIVMSG").text == text
    elif "417" not in answers.commands:
        assert text.startswith(bob.sync().one("PRIVMSG").text)


def test_messages_keep_their_order(irc):
    """Modern IRC: what one client sends arrives in its order."""
    room, alice, bob = irc.together("alice", "bob")
    alice.send(*(f"PRIVMSG {room} :{i}" for i in range(200)))
    alice.sync()
    assert [int(message.text) for message in bob.sync().all("PRIVMSG")] == list(range(200))


def test_server_masks_need_an_operator(irc):
    """PRIVMSG: $mask targets are for operators; others get an error."""
    answers = irc.user("alice").ask("PRIVMSG $* :to all")
    assert answers and answers[0].is_error
