# SPDX-License-Identifier: MIT
"""JOIN and PART: Modern IRC, "Channel Operations"; extended-join is in test_irc_capabilities.py."""
import pytest

from irc_client import ANY


def refused(user, room, numeric, key=""):
    """JOIN gives this numeric: <client> <channel> :text, and nothing else."""
    answers = user.ask(f"JOIN {room} {key}")
    assert answers.commands == [numeric]
    assert answers[0].params == [user.nick, room, ANY]


def test_join_is_echoed_with_source(irc):
    """JOIN message: the server tells the client with a JOIN of its own source."""
    user, room = irc.user(), irc.room()
    join = user.ask(f"JOIN {room}").one("JOIN")
    assert join.nick == user.nick and join.params == [room]


def test_join_gives_names_and_their_end(irc):
    """JOIN message: RPL_NAMREPLY with the joiner, then RPL_ENDOFNAMES."""
    user, room = irc.user(), irc.room()
    answers = user.ask(f"JOIN {room}")
    assert answers.commands[0] == "JOIN"
    assert answers.one("353").params == [user.nick, "=", room, "@" + user.nick]
    assert answers.one("366").params == [user.nick, room, ANY]
    assert answers.commands[-1] == "366"


def test_join_of_a_room_without_topic_sends_none(irc):
    """JOIN message: no RPL_TOPIC when there is no topic."""
    irc.user().ask(f"JOIN {irc.room()}").no("331", "332", "333")


def test_join_sends_the_topic_and_who_set_it(irc):
    """JOIN message: RPL_TOPIC, and RPL_TOPICWHOTIME."""
    room, alice = irc.together("alice")
    alice.ask(f"TOPIC {room} :What we talk about")
    bob = irc.user("bob")
    answers = bob.ask(f"JOIN {room}")
    assert answers.one("332").params == [bob.nick, room, "What we talk about"]
    assert answers.one("333").params[:2] == [bob.nick, room]


def test_others_see_the_join(irc):
    """JOIN message: all users in the channel are told."""
    room, alice = irc.together("alice")
    bob = irc.user("bob")
    bob.ask(f"JOIN {room}")
    join = alice.sync().one("JOIN")
    assert join.nick == bob.nick and join.params == [room]


def test_the_first_becomes_operator_and_the_second_does_not(irc):
    """Modern IRC, Channel Operators: who creates a channel gets operator status."""
    room, alice, bob = irc.together("alice", "bob")
    names = set(bob.ask(f"NAMES {room}").one("353").text.split())
    assert names == {"@" + alice.nick, bob.nick}


def test_join_of_several_channels(irc):
    """JOIN message: a comma-separated list."""
    user, one, two = irc.user(), irc.room(), irc.room()
    answers = user.ask(f"JOIN {one},{two}")
    assert [message.params for message in answers.all("JOIN")] == [[one], [two]]


def test_keys_belong_to_channels_in_their_order(irc):
    """JOIN message: the keys in the order of the channels."""
    one, alice = irc.together("alice")
    two = irc.together("carol")[0]
    alice.ask(f"MODE {one} +k sesame")
    bob = irc.user("bob")
    answers = bob.ask(f"JOIN {one},{two} sesame")
    assert len(answers.nothing_wrong().all("JOIN")) == 2


def test_joining_twice_does_nothing(irc):
    """JOIN message: no second JOIN for one who is there."""
    room, alice = irc.together("alice")
    assert alice.ask(f"JOIN {room}") == []


def test_join_without_a_channel_gives_461(irc):
    """JOIN message: ERR_NEEDMOREPARAMS."""
    user = irc.user()
    assert user.ask("JOIN").one("461").params == [user.nick, "JOIN", ANY]


@pytest.mark.parametrize("name", ["room", "#a b", "#bell\x07", "+room", "!room", "0room"])
def test_no_name_of_a_channel(irc, name):
    """JOIN message: ERR_NOSUCHCHANNEL or ERR_BADCHANMASK; Channels: no space, comma, bell."""
    answers = irc.user().ask(f"JOIN :{name}")
    assert answers.no("JOIN").commands in (["403"], ["476"], ["479"])


@pytest.mark.parametrize("name", ["#", "##", "#a#b", "#a?", "#a!b", "#\u200b"])
def test_a_channel_name_with_what_none_may_have(irc, name):
    """ERR_BADCHANMASK: <client> <channel>; the name is not valid, other than one that is not there."""
    user = irc.user()
    (answer,) = user.ask(f"JOIN {name}")
    assert answer.command == "476" and answer.params == [user.nick, name, ANY]
    assert user.ask(f"PART {name}").one("403").params == [user.nick, name, ANY]


@pytest.mark.parametrize("command, done", [("JOIN {}", "366"), ("PART {}", "PART"), ("KICK {} {nick},{nick},{nick},{nick}", "KICK")])
def test_answers_come_in_the_order_of_the_channels(irc, command, done):
    """JOIN, PART and KICK messages with lists: each is answered in its turn."""
    first, second = irc.room(), irc.room()
    user = irc.user("u", "labeled-response", "batch")
    if done != "366":
        user.ask(f"JOIN {first},{second}")
    line = command.format(f"{first},nochannel,##,{second}", nick=user.nick)
    answers = user.ask(f"@label=all {line}")
    assert answers[0].tags["label"] == "all" and answers[0].command == answers[-1].command == "BATCH"
    bad = "476" if done == "366" else "403"
    assert [m.command for m in answers if m.command in (done, "403", "476")] == [done, "403", bad, done]
    assert answers.all("403")[0].params == [user.nick, "nochannel", ANY]


def test_join_0_leaves_everything(irc):
    """JOIN message: "0" parts all channels, unless the server does without it."""
    room, alice, bob = irc.together("alice", "bob")
    bob.ask("JOIN 0")
    assert alice.sync().one("PART").nick == bob.nick


def test_a_channel_is_joined_in_other_case(irc):
    """Modern IRC, Casemapping: channel names are compared folded."""
    room, alice = irc.together("alice")
    bob = irc.user("bob")
    assert bob.ask(f"JOIN {room.upper()}").one("JOIN").params == [room]
    assert alice.sync().one("JOIN").nick == bob.nick


def test_a_wrong_key_gives_475(irc):
    """Key channel mode: ERR_BADCHANNELKEY."""
    room, alice = irc.together("alice")
    alice.ask(f"MODE {room} +k sesame")
    refused(irc.user("bob"), room, "475", "wrong")


def test_no_key_gives_475(irc):
    """Key channel mode: ERR_BADCHANNELKEY."""
    room, alice = irc.together("alice")
    alice.ask(f"MODE {room} +k sesame")
    refused(irc.user("bob"), room, "475")


def test_the_right_key_lets_in(irc):
    """Key channel mode."""
    room, alice = irc.together("alice")
    alice.ask(f"MODE {room} +k sesame")
    irc.user("bob").ask(f"JOIN {room} sesame").one("JOIN")


def test_a_key_is_not_needed_where_none_is_set(irc):
    """JOIN message: a key for a channel without one is ignored."""
    room, _ = irc.together("alice")
    irc.user("bob").ask(f"JOIN {room} sesame").one("JOIN")


def test_a_full_channel_gives_471(irc):
    """Client limit channel mode: ERR_CHANNELISFULL."""
    room, alice = irc.together("alice")
    alice.ask(f"MODE {room} +l 1")
    refused(irc.user("bob"), room, "471")


def test_a_higher_limit_lets_in(irc):
    """Client limit channel mode: the limit counts members."""
    room, alice = irc.together("alice")
    alice.ask(f"MODE {room} +l 2")
    irc.user("bob").ask(f"JOIN {room}").one("JOIN")
    refused(irc.user("carol"), room, "471")


def test_an_invite_only_channel_gives_473(irc):
    """Invite-only channel mode: ERR_INVITEONLYCHAN."""
    room, alice = irc.together("alice")
    alice.ask(f"MODE {room} +i")
    refused(irc.user("bob"), room, "473")


def test_an_invitation_lets_into_an_invite_only_channel(irc):
    """INVITE message."""
    room, alice = irc.together("alice")
    bob = irc.user("bob")
    alice.ask(f"MODE {room} +i", f"INVITE {bob.nick} {room}")
    assert bob.ask(f"JOIN {room}").one("JOIN").nick == bob.nick


def test_an_invitation_is_used_up(irc):
    """INVITE message: it is for one JOIN."""
    room, alice = irc.together("alice")
    bob = irc.user("bob")
    alice.ask(f"MODE {room} +i", f"INVITE {bob.nick} {room}")
    bob.ask(f"JOIN {room}", f"PART {room}")
    refused(bob, room, "473")


def test_a_ban_gives_474(irc):
    """Ban channel mode: ERR_BANNEDFROMCHAN."""
    room, alice = irc.together("alice")
    bob = irc.user("bob")
    alice.ask(f"MODE {room} +b {bob.nick}!*@*")
    refused(bob, room, "474")


def test_a_ban_is_compared_in_any_case(irc):
    """Modern IRC, Casemapping, and Ban channel mode: masks are folded."""
    room, alice = irc.together("alice")
    bob = irc.user("bob")
    alice.ask(f"MODE {room} +b {bob.nick.upper()}!*@*")
    refused(bob, room, "474")


def test_a_ban_by_user_name(irc):
    """Ban channel mode: nick!user@host."""
    room, alice = irc.together("alice")
    alice.ask(f"MODE {room} +b *!*guido@*")
    refused(irc.user("bob", user="guido"), room, "474")
    irc.user("carol").ask(f"JOIN {room}").one("JOIN")


def test_a_ban_by_the_host_that_is_shown(irc):
    """Ban channel mode: hosts are compared as they are seen."""
    room, alice = irc.together("alice")
    bob = irc.user("bob")
    host = bob.ask(f"JOIN {irc.room()}").one("JOIN").host
    alice.ask(f"MODE {room} +b {bob.nick}!*@{host}")
    refused(bob, room, "474")


def test_wildcards_in_bans(irc):
    """Modern IRC, Wildcard Expressions: '*' any string, '?' any one character."""
    room, alice = irc.together("alice")
    bob = irc.user("bob")
    alice.ask(f"MODE {room} +b {bob.nick[:-1]}?!*@*")
    refused(bob, room, "474")
    alice.ask(f"MODE {room} -b {bob.nick[:-1]}?!*@*", f"MODE {room} +b {bob.nick}?!*@*")
    bob.ask(f"JOIN {room}").one("JOIN")


def test_an_exception_lets_a_banned_one_in(irc):
    """Exception channel mode: beats the ban."""
    room, alice = irc.together("alice")
    bob = irc.user("bob")
    alice.ask(f"MODE {room} +b *!*@*", f"MODE {room} +e {bob.nick}!*@*")
    bob.ask(f"JOIN {room}").one("JOIN")
    refused(irc.user("carol"), room, "474")


def test_an_invite_exception_lets_in(irc):
    """Invite-exception channel mode: no invitation needed."""
    room, alice = irc.together("alice")
    bob = irc.user("bob")
    alice.ask(f"MODE {room} +i", f"MODE {room} +I {bob.nick}!*@*")
    bob.ask(f"JOIN {room}").one("JOIN")
    refused(irc.user("carol"), room, "473")


def test_an_exception_is_no_invitation(irc):
    """Exception channel mode: only against bans."""
    room, alice = irc.together("alice")
    bob = irc.user("bob")
    alice.ask(f"MODE {room} +i", f"MODE {room} +e {bob.nick}!*@*")
    refused(bob, room, "473")


def test_a_ban_lifted_lets_in(irc):
    """Ban channel mode: -b."""
    room, alice = irc.together("alice")
    bob = irc.user("bob")
    alice.ask(f"MODE {room} +b {bob.nick}!*@*", f"MODE {room} -b {bob.nick}!*@*")
    bob.ask(f"JOIN {room}").one("JOIN")


def test_part_is_echoed(irc):
    """PART message: the client is told with a PART of its own."""
    room, alice = irc.together("alice")
    part = alice.ask(f"PART {room}").one("PART")
    assert part.nick == alice.nick and part.params[0] == room


def test_others_see_the_part_with_its_reason(irc):
    """PART message: <channel> [<reason>]."""
    room, alice, bob = irc.together("alice", "bob")
    bob.ask(f"PART {room} :off to lunch")
    part = alice.sync().one("PART")
    assert part.nick == bob.nick and part.params == [room, "off to lunch"]


def test_part_of_several_channels(irc):
    """PART message: a comma-separated list, one reason for all."""
    user, one, two = irc.user(), irc.room(), irc.room()
    user.ask(f"JOIN {one},{two}")
    answers = user.ask(f"PART {one},{two} :bye")
    assert [message.params for message in answers.all("PART")] == [[one, "bye"], [two, "bye"]]


def test_part_of_no_channel_gives_403(irc):
    """PART message: ERR_NOSUCHCHANNEL."""
    user, room = irc.user(), irc.room()
    assert user.ask(f"PART {room}").one("403").params == [user.nick, room, ANY]


def test_part_of_a_channel_one_is_not_in_gives_442(irc):
    """PART message: ERR_NOTONCHANNEL."""
    room, _ = irc.together("alice")
    bob = irc.user("bob")
    assert bob.ask(f"PART {room}").one("442").params == [bob.nick, room, ANY]


def test_part_without_a_channel_gives_461(irc):
    """PART message: ERR_NEEDMOREPARAMS."""
    user = irc.user()
    assert user.ask("PART").one("461").params == [user.nick, "PART", ANY]


def test_who_has_left_hears_nothing_more(irc):
    """PART message: the client is removed from the channel."""
    room, alice, bob = irc.together("alice", "bob")
    bob.ask(f"PART {room}")
    alice.ask(f"PRIVMSG {room} :just us")
    assert bob.sync() == []


def test_an_empty_channel_is_forgotten(irc):
    """Modern IRC, Channels: a channel ceases to exist when the last one leaves."""
    room, alice = irc.together("alice")
    alice.ask(f"MODE {room} +k sesame", f"PART {room}")
    bob = irc.user("bob")
    assert bob.ask(f"JOIN {room}").one("353").text == "@" + bob.nick


def test_a_channel_name_that_is_too_long_is_refused(irc):
    """Modern IRC, CHANNELLEN: the longest name a client may join."""
    user = irc.user()
    longest = int(user.isupport["CHANNELLEN"])
    name = "#" + "a" * longest
    (answer,) = user.ask(f"JOIN {name}")
    assert answer.command == "403" and answer.params == [user.nick, name, ANY]


def test_the_longest_channel_name_is_accepted(irc):
    """Modern IRC, CHANNELLEN."""
    user = irc.user()
    name = ("#" + irc.name("x")).ljust(int(user.isupport["CHANNELLEN"]), "a")
    assert user.ask(f"JOIN {name}").one("JOIN").params == [name]
