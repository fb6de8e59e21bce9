# SPDX-License-Identifier: MIT
"""TOPIC and NAMES: Modern IRC, "Channel Operations"."""
import re
import time

from irc_client import ANY, Like


def names(user, room):
    """The words of all RPL_NAMREPLY of a room."""
    return [word for line in user.ask(f"NAMES {room}").all("353") for word in line.text.split()]


def test_topic_is_told_to_all_members(irc):
    """TOPIC message: a TOPIC from who changed it, to everyone in the channel."""
    room, alice, bob = irc.together("alice", "bob")
    echo = alice.ask(f"TOPIC {room} :New topic").one("TOPIC")
    seen = bob.sync().one("TOPIC")
    assert echo.params == seen.params == [room, "New topic"]
    assert echo.source == seen.source and seen.nick == alice.nick


def test_topic_is_asked_for(irc):
    """TOPIC message: RPL_TOPIC <client> <channel> :<topic>."""
    room, alice, bob = irc.together("alice", "bob")
    alice.ask(f"TOPIC {room} :New topic")
    bob.sync()
    assert bob.ask(f"TOPIC {room}").one("332").params == [bob.nick, room, "New topic"]


def test_who_set_the_topic_and_when(irc):
    """RPL_TOPICWHOTIME: <client> <channel> <nick> <setat>, a Unix time."""
    room, alice = irc.together("alice")
    before = int(time.time())
    alice.ask(f"TOPIC {room} :New topic")
    answer = alice.ask(f"TOPIC {room}").one("333")
    assert answer.params[:2] == [alice.nick, room]
    assert answer.params[2].split("!")[0] == alice.nick
    assert before - 1 <= int(answer.params[3]) <= time.time() + 1


def test_no_topic_gives_331(irc):
    """TOPIC message: RPL_NOTOPIC."""
    room, alice = irc.together("alice")
    assert alice.ask(f"TOPIC {room}").one("331").params == [alice.nick, room, ANY]


def test_an_empty_topic_clears(irc):
    """TOPIC message: an empty topic removes it."""
    room, alice, bob = irc.together("alice", "bob")
    alice.ask(f"TOPIC {room} :Old", f"TOPIC {room} :")
    assert bob.sync().all("TOPIC")[-1].params == [room, ""]
    assert alice.ask(f"TOPIC {room}").no("332").one("331")


def test_after_clearing_join_sends_no_topic(irc):
    """JOIN message: RPL_TOPIC only when there is one."""
    room, alice = irc.together("alice")
    alice.ask(f"TOPIC {room} :Old", f"TOPIC {room} :")
    irc.user("bob").ask(f"JOIN {room}").no("331", "332", "333")


def test_topic_of_no_channel_gives_403(irc):
    """TOPIC message: ERR_NOSUCHCHANNEL."""
    user, room = irc.user(), irc.room()
    assert user.ask(f"TOPIC {room}").one("403").params == [user.nick, room, ANY]


def test_topic_without_a_channel_gives_461(irc):
    """TOPIC message: ERR_NEEDMOREPARAMS."""
    user = irc.user()
    assert user.ask("TOPIC").one("461").params == [user.nick, "TOPIC", ANY]


def test_to_set_the_topic_from_outside_gives_442(irc):
    """TOPIC message: ERR_NOTONCHANNEL."""
    room, _ = irc.together("alice")
    bob = irc.user("bob")
    assert bob.ask(f"TOPIC {room} :Mine").one("442").params == [bob.nick, room, ANY]


def test_a_protected_topic_needs_an_operator(irc):
    """Protected topic mode: ERR_CHANOPRIVSNEEDED for others."""
    room, alice, bob = irc.together("alice", "bob")
    alice.ask(f"MODE {room} +t")
    bob.sync()
    assert bob.ask(f"TOPIC {room} :Mine").one("482").params == [bob.nick, room, ANY]
    alice.sync().no("TOPIC")


def test_an_operator_sets_a_protected_topic(irc):
    """Protected topic mode."""
    room, alice = irc.together("alice")
    alice.ask(f"MODE {room} +t")
    alice.ask(f"TOPIC {room} :Mine").one("TOPIC")


def test_everybody_sets_a_topic_that_is_not_protected(irc):
    """Protected topic mode: without it any member may."""
    room, alice, bob = irc.together("alice", "bob")
    alice.ask(f"MODE {room} -t")
    bob.sync()
    bob.ask(f"TOPIC {room} :Ours").one("TOPIC")
    assert alice.sync().one("TOPIC").nick == bob.nick


def test_anyone_may_read_a_protected_topic(irc):
    """Protected topic mode: it protects against changes only."""
    room, alice, bob = irc.together("alice", "bob")
    alice.ask(f"MODE {room} +t", f"TOPIC {room} :Read me")
    bob.sync()
    assert bob.ask(f"TOPIC {room}").one("332").text == "Read me"


def test_the_topic_of_a_secret_channel_is_not_told(irc):
    """Secret channel mode: to others the channel does not exist."""
    room, alice = irc.together("alice")
    alice.ask(f"MODE {room} +s", f"TOPIC {room} :Hidden")
    assert set(irc.user("bob").ask(f"TOPIC {room}").no("332").commands) <= {"403", "442"}


def test_a_topic_that_is_too_long_is_cut(irc):
    """Modern IRC, TOPICLEN: the longest topic; longer ones are cut."""
    room, alice = irc.together("alice")
    longest = int(alice.isupport["TOPICLEN"])
    topic = alice.ask(f"TOPIC {room} :" + "t" * (longest + 10)).one("TOPIC").text
    assert topic == "t" * longest


def test_the_longest_topic_is_kept(irc):
    """Modern IRC, TOPICLEN."""
    room, alice = irc.together("alice")
    longest = int(alice.isupport["TOPICLEN"])
    alice.ask(f"TOPIC {room} :" + "t" * longest)
    assert alice.ask(f"TOPIC {room}").one("332").text == "t" * longest


def test_names_lists_the_members(irc):
    """NAMES message: RPL_NAMREPLY <client> <symbol> <channel> :[prefix]<nick>..."""
    room, alice, bob = irc.together("alice", "bob")
    answers = bob.ask(f"NAMES {room}")
    assert answers.one("353").params[:3] == [bob.nick, "=", room]
    assert set(answers.one("353").text.split()) == {"@" + alice.nick, bob.nick}
    assert answers.one("366").params == [bob.nick, room, ANY]


def test_names_shows_voice(irc):
    """NAMES message and Voice prefix: '+'."""
    room, alice, bob = irc.together("alice", "bob")
    alice.ask(f"MODE {room} +v {bob.nick}")
    assert "+" + bob.nick in names(alice, room)


def test_names_shows_the_highest_prefix_only(irc):
    """RPL_NAMREPLY: the highest prefix, without multi-prefix."""
    room, alice = irc.together("alice")
    alice.ask(f"MODE {room} +v {alice.nick}")
    assert names(alice, room) == ["@" + alice.nick]


def test_multi_prefix_shows_all_prefixes(irc):
    """multi-prefix, NAMES: all prefixes, the highest first."""
    room, alice = irc.together("alice", caps=["multi-prefix"])
    alice.ask(f"MODE {room} +v {alice.nick}")
    assert names(alice, room) == ["@+" + alice.nick]


def test_userhost_in_names_shows_masks(irc):
    """userhost-in-names: nick!user@host instead of the nick."""
    room, _ = irc.together("alice")
    bob = irc.user("bob", "userhost-in-names")
    bob.ask(f"JOIN {room}")
    assert all(word == Like(r"@?[^!@]+!\S+@\S+") for word in names(bob, room))


def test_multi_prefix_and_userhost_together(irc):
    """userhost-in-names: prefixes stand before the mask."""
    room, alice = irc.together("alice", caps=["multi-prefix", "userhost-in-names"])
    alice.ask(f"MODE {room} +v {alice.nick}")
    assert names(alice, room)[0].startswith(f"@+{alice.nick}!")


def test_names_of_no_channel_is_empty(irc):
    """NAMES message: only RPL_ENDOFNAMES."""
    user, room = irc.user(), irc.room()
    answers = user.ask(f"NAMES {room}")
    assert answers.commands == ["366"] and answers[0].params == [user.nick, room, ANY]


def test_names_of_a_channel_one_is_not_in(irc):
    """NAMES message: the members of a public channel are shown."""
    room, alice = irc.together("alice")
    assert "@" + alice.nick in names(irc.user("bob"), room)


def test_names_of_a_secret_channel_is_empty_for_others(irc):
    """NAMES message, and Secret channel mode: only RPL_ENDOFNAMES."""
    room, alice = irc.together("alice")
    alice.ask(f"MODE {room} +s")
    assert irc.user("bob").ask(f"NAMES {room}").commands == ["366"]


def test_names_of_a_secret_channel_for_members(irc):
    """RPL_NAMREPLY: symbol '@' for secret channels."""
    room, alice = irc.together("alice")
    alice.ask(f"MODE {room} +s")
    assert alice.ask(f"NAMES {room}").one("353").params[1:3] == ["@", room]


def test_names_hides_invisible_users_from_others(irc):
    """Invisible user mode, and NAMES: not shown to those who share no channel."""
    room, alice, bob = irc.together("alice", "bob")
    bob.ask(f"MODE {bob.nick} +i")
    assert bob.nick not in names(irc.user("carol"), room)
    assert bob.nick in names(alice, room)


def test_names_of_several_channels(irc):
    """NAMES message: a comma-separated list, as TARGMAX says, and replies for each."""
    user, one, two = irc.user(), irc.room(), irc.room()
    user.ask(f"JOIN {one},{two}")
    answers = user.ask(f"NAMES {one},{two}")
    assert [message.params[2] for message in answers.all("353")] == [one, two]
    assert answers.commands == ["353", "366", "353", "366"]
    assert [message.params[1] for message in answers.all("366")] == [one, two]


def test_names_of_more_channels_than_there_may_be(irc):
    """NAMES message: so many have an end as TARGMAX says."""
    user = irc.user()
    most = int(re.search(r"NAMES:(\d+)", user.isupport["TARGMAX"])[1])
    answers = user.ask("NAMES " + ",".join(f"#n{i}" for i in range(most + 5)))
    assert [message.params[1] for message in answers] == [f"#n{i}" for i in range(most)]


def test_names_without_a_channel_ends(irc):
    """NAMES message: RPL_ENDOFNAMES in any case."""
    user = irc.user()
    assert user.ask("NAMES").commands[-1] == "366"


def test_names_in_other_case(irc):
    """Modern IRC, Casemapping."""
    room, alice = irc.together("alice")
    assert "@" + alice.nick in names(alice, room.upper())


def test_many_members_take_several_lines(irc):
    """NAMES message: one or more RPL_NAMREPLY, each within 512 bytes."""
    room, *users = irc.together(*["somebody-with-a-name"] * 25)
    assert len(users[0].ask(f"NAMES {room}").all("353")) > 1
    assert sorted(word.lstrip("@") for word in names(users[0], room)) == sorted(
        user.nick for user in users)


def test_who_set_the_topic_is_known_after_a_restart(serve):
    """RPL_TOPICWHOTIME: the setter with user and host, also when the server was started anew."""
    irc = serve()
    room = irc.room()
    alice = irc.user("alice")
    alice.ask(f"JOIN {room}", f"TOPIC {room} :kept", f"PRIVMSG {room} :said")
    before = alice.ask(f"TOPIC {room}").one("333").params[1:]
    irc.close()
    irc.server.restart()
    bob = irc.user("bob")
    assert bob.ask(f"JOIN {room}").one("333").params[1:] == before
