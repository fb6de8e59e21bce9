# SPDX-License-Identifier: MIT
"""INVITE and KICK: Modern IRC, "Channel Operations"."""
import time

from irc_client import ANY


def test_the_invited_sees_the_invitation(irc):
    """INVITE message: INVITE <nick> <channel> with the inviter as source."""
    room, alice = irc.together("alice")
    bob = irc.user("bob")
    alice.ask(f"INVITE {bob.nick} {room}")
    invite = bob.sync().one("INVITE")
    assert invite.nick == alice.nick and invite.params == [bob.nick, room]


def test_the_inviter_gets_341(irc):
    """RPL_INVITING: <client> <nick> <channel>."""
    room, alice = irc.together("alice")
    bob = irc.user("bob")
    answers = alice.ask(f"INVITE {bob.nick} {room}")
    assert answers.one("341").params == [alice.nick, bob.nick, room]


def test_to_invite_nobody_gives_401(irc):
    """INVITE message: ERR_NOSUCHNICK."""
    room, alice = irc.together("alice")
    assert alice.ask(f"INVITE nobody-here {room}").one("401").params == [alice.nick, "nobody-here", ANY]


def test_to_invite_without_being_there_gives_442(irc):
    """INVITE message: ERR_NOTONCHANNEL."""
    room, _ = irc.together("alice")
    bob, carol = irc.user("bob"), irc.user("carol")
    assert bob.ask(f"INVITE {carol.nick} {room}").one("442").params == [bob.nick, room, ANY]
    assert carol.sync() == []


def test_to_invite_a_member_gives_443(irc):
    """INVITE message: ERR_USERONCHANNEL <client> <nick> <channel>."""
    room, alice, bob = irc.together("alice", "bob")
    assert alice.ask(f"INVITE {bob.nick} {room}").one("443").params == [alice.nick, bob.nick, room, ANY]


def test_to_invite_into_an_invite_only_channel_needs_an_operator(irc):
    """INVITE message: ERR_CHANOPRIVSNEEDED."""
    room, alice, bob = irc.together("alice", "bob")
    carol = irc.user("carol")
    alice.ask(f"MODE {room} +i")
    bob.sync()
    assert bob.ask(f"INVITE {carol.nick} {room}").one("482").params == [bob.nick, room, ANY]
    assert carol.sync() == []


def test_members_invite_into_an_open_channel(irc):
    """INVITE message: only invite-only channels need an operator."""
    room, _, bob = irc.together("alice", "bob")
    carol = irc.user("carol")
    bob.ask(f"INVITE {carol.nick} {room}").one("341")


def test_invite_with_too_few_parameters_gives_461(irc):
    """INVITE message: ERR_NEEDMOREPARAMS."""
    user, other = irc.user(), irc.user()
    assert user.ask(f"INVITE {other.nick}").one("461").params == [user.nick, "INVITE", ANY]


def test_invite_into_no_channel(irc):
    """INVITE message: ERR_NOSUCHCHANNEL; or a channel one is not on."""
    user, other = irc.user(), irc.user()
    assert user.ask(f"INVITE {other.nick} {irc.room()}").commands in (["403"], ["442"])
    assert other.sync() == []


def test_to_invite_one_who_is_away(irc):
    """AWAY message: RPL_AWAY to who invites."""
    room, alice = irc.together("alice")
    bob = irc.user("bob")
    bob.ask("AWAY :asleep")
    assert alice.ask(f"INVITE {bob.nick} {room}").one("301").params == [alice.nick, bob.nick, "asleep"]


def test_the_list_of_invitations(irc):
    """INVITE message without parameters: RPL_INVITELIST (336) and its end (337)."""
    room, alice = irc.together("alice")
    bob = irc.user("bob")
    alice.ask(f"INVITE {bob.nick} {room}")
    bob.sync()
    answers = bob.ask("INVITE")
    assert answers.one("336").params == [bob.nick, room]
    assert answers.one("337").params == [bob.nick, ANY]


def test_the_list_of_no_invitations(irc):
    """RPL_ENDOFINVITELIST alone."""
    assert irc.user().ask("INVITE").commands == ["337"]


def test_an_invitation_followed_is_off_the_list(irc):
    """INVITE message: joined is no longer invited."""
    room, alice = irc.together("alice")
    bob = irc.user("bob")
    alice.ask(f"INVITE {bob.nick} {room}")
    bob.ask(f"JOIN {room}")
    assert bob.ask("INVITE").commands == ["337"]


def test_an_operators_invitation_beats_ban_and_limit(irc):
    """Client Limit Channel Mode: an INVITE lets a user join despite the limit; here a ban too, once."""
    room, alice = irc.together("alice")
    bob = irc.user("bob")
    alice.ask(f"MODE {room} +lb 1 {bob.nick}!*@*")
    bob.ask(f"JOIN {room}").one("474")
    alice.ask(f"INVITE {bob.nick} {room}")
    bob.ask(f"JOIN {room}").one("JOIN")
    bob.ask(f"PART {room}")
    bob.ask(f"JOIN {room}").one("474")


def test_a_members_invitation_beats_no_ban_and_no_limit(irc):
    """INVITE message: who may not change modes lets nobody past them."""
    room, alice, carol = irc.together("alice", "carol")
    bob = irc.user("bob")
    carol.ask(f"INVITE {bob.nick} {room}").one("341")
    alice.ask(f"MODE {room} +l 1")
    bob.ask(f"JOIN {room}").one("471")


def test_no_invitation_beats_the_key(irc):
    """Key Channel Mode: the key is needed."""
    room, alice = irc.together("alice")
    bob = irc.user("bob")
    alice.ask(f"MODE {room} +k fish", f"INVITE {bob.nick} {room}")
    bob.ask(f"JOIN {room}").one("475")
    bob.ask(f"JOIN {room} fish").one("JOIN")


def test_invite_notify_tells_members(irc):
    """invite-notify: members with the capability see INVITE of others."""
    room, alice, bob = irc.together("alice", "bob", caps=["invite-notify"])
    carol = irc.user("carol")
    alice.ask(f"INVITE {carol.nick} {room}")
    invite = bob.sync().one("INVITE")
    assert invite.nick == alice.nick and invite.params == [carol.nick, room]


def test_without_invite_notify_members_hear_nothing(irc):
    """invite-notify: only for those who asked."""
    room, alice, bob = irc.together("alice", "bob")
    alice.ask(f"INVITE {irc.user('carol').nick} {room}")
    bob.sync().no("INVITE")


def test_kick_is_told_to_all(irc):
    """KICK message: KICK <channel> <user> :<comment> to everyone, the kicked too."""
    room, alice, bob, carol = irc.together("alice", "bob", "carol")
    alice.ask(f"KICK {room} {bob.nick} :no shouting").one("KICK")
    for user in (bob, carol):
        kick = user.sync().one("KICK")
        assert kick.nick == alice.nick
        assert kick.params == [room, bob.nick, "no shouting"]


def test_the_kicked_is_out(irc):
    """KICK message: removed from the channel."""
    room, alice, bob = irc.together("alice", "bob")
    alice.ask(f"KICK {room} {bob.nick}")
    bob.sync()
    alice.ask(f"PRIVMSG {room} :just me")
    assert bob.sync() == []


def test_the_kicked_may_come_back(irc):
    """KICK message: a kick is no ban."""
    room, alice, bob = irc.together("alice", "bob")
    alice.ask(f"KICK {room} {bob.nick}")
    bob.ask(f"JOIN {room}").one("JOIN")


def test_kick_without_a_comment_has_one(irc):
    """KICK message: the server uses a default comment."""
    room, alice, bob = irc.together("alice", "bob")
    alice.ask(f"KICK {room} {bob.nick}")
    kick = bob.sync().one("KICK")
    assert len(kick.params) == 3 and kick.text != ""


def test_kick_of_several_users(irc):
    """KICK message: a comma-separated list; one KICK each."""
    room, alice, bob, carol = irc.together("alice", "bob", "carol")
    answers = alice.ask(f"KICK {room} {bob.nick},{carol.nick} :both")
    assert [message.params[1] for message in answers.all("KICK")] == [bob.nick, carol.nick]


def test_kick_needs_an_operator(irc):
    """KICK message: ERR_CHANOPRIVSNEEDED."""
    room, alice, bob = irc.together("alice", "bob")
    assert bob.ask(f"KICK {room} {alice.nick}").one("482").params == [bob.nick, room, ANY]
    alice.sync().no("KICK")


def test_voice_does_not_suffice_to_kick(irc):
    """KICK message: a channel operator."""
    room, alice, bob = irc.together("alice", "bob")
    alice.ask(f"MODE {room} +v {bob.nick}")
    bob.sync()
    bob.ask(f"KICK {room} {alice.nick}").one("482")


def test_kick_from_outside_gives_442(irc):
    """KICK message: ERR_NOTONCHANNEL."""
    room, alice = irc.together("alice")
    bob = irc.user("bob")
    assert bob.ask(f"KICK {room} {alice.nick}").one("442").params == [bob.nick, room, ANY]


def test_kick_of_one_who_is_not_there_gives_441(irc):
    """KICK message: ERR_USERNOTINCHANNEL <client> <nick> <channel>."""
    room, alice = irc.together("alice")
    bob = irc.user("bob")
    assert alice.ask(f"KICK {room} {bob.nick}").one("441").params == [alice.nick, bob.nick, room, ANY]


def test_kick_of_nobody(irc):
    """KICK message: ERR_NOSUCHNICK or ERR_USERNOTINCHANNEL."""
    room, alice = irc.together("alice")
    assert alice.ask(f"KICK {room} nobody-here").commands in (["401"], ["441"])


def test_kick_from_no_channel_gives_403(irc):
    """KICK message: ERR_NOSUCHCHANNEL."""
    user, room = irc.user(), irc.room()
    assert user.ask(f"KICK {room} {user.nick}").one("403").params == [user.nick, room, ANY]


def test_kick_with_too_few_parameters_gives_461(irc):
    """KICK message: ERR_NEEDMOREPARAMS."""
    room, alice = irc.together("alice")
    assert alice.ask(f"KICK {room}").one("461").params == [alice.nick, "KICK", ANY]


def test_an_operator_may_kick_himself(irc):
    """KICK message: who is on the channel may be kicked."""
    room, alice = irc.together("alice")
    assert alice.ask(f"KICK {room} {alice.nick} :me").one("KICK").params == [room, alice.nick, "me"]


def test_kick_reasons_are_cut_at_kicklen(irc):
    """Modern IRC, KICKLEN: the longest comment."""
    room, alice, bob = irc.together("alice", "bob")
    longest = int(alice.isupport["KICKLEN"])
    kick = alice.ask(f"KICK {room} {bob.nick} :" + "k" * (longest + 5)).one("KICK")
    assert len(kick.text) <= longest and kick.text.startswith("kkkk")


def test_kick_in_other_case(irc):
    """Modern IRC, Casemapping."""
    room, alice, bob = irc.together("alice", "bob")
    kick = alice.ask(f"KICK {room.upper()} {bob.nick.upper()}").one("KICK")
    assert kick.params[:2] == [room, bob.nick]


def test_times_of_a_channel(irc):
    """RPL_CREATIONTIME: <client> <channel> <creationtime>."""
    before = int(time.time())
    room, alice = irc.together("alice")
    answer = alice.ask(f"MODE {room}").one("329")
    assert answer.params[:2] == [alice.nick, room]
    assert before - 1 <= int(answer.params[2]) <= time.time() + 1
