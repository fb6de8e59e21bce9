# SPDX-License-Identifier: MIT
"""Channel modes and prefixes: Modern IRC, "MODE message", "Channel Modes", "Channel Membership
Prefixes"."""
import time

import pytest

from irc_client import ANY

# letter of a list: its numeric, that of its end
LISTS = {"b": ("367", "368"), "e": ("348", "349"), "I": ("346", "347")}


def change(user, room, *changes):
    """MODE by user. Returns the parameters of the MODE it causes, behind the channel."""
    return user.ask(f"MODE {room} {' '.join(changes)}").one("MODE").params[1:]


def modes(user, room):
    """The letters of RPL_CHANNELMODEIS."""
    return set(user.ask(f"MODE {room}").one("324").params[2]) - {"+"}


def test_mode_of_a_channel_gives_324_and_329(irc):
    """MODE message: RPL_CHANNELMODEIS, RPL_CREATIONTIME."""
    room, alice = irc.together("alice")
    answers = alice.ask(f"MODE {room}")
    assert answers.commands == ["324", "329"]
    assert answers[0].params[:2] == [alice.nick, room]
    assert answers[0].params[2].startswith("+")


def test_mode_of_no_channel_gives_403(irc):
    """MODE message: ERR_NOSUCHCHANNEL."""
    user, room = irc.user(), irc.room()
    assert user.ask(f"MODE {room}").one("403").params == [user.nick, room, ANY]


def test_mode_without_parameters_gives_461(irc):
    """MODE message: ERR_NEEDMOREPARAMS."""
    user = irc.user()
    assert user.ask("MODE").one("461").params == [user.nick, "MODE", ANY]


@pytest.mark.parametrize("letter", "imnstC")
def test_a_flag_is_set_and_taken_off(irc, letter):
    """Channel modes of type D: set, shown by 324, taken off."""
    room, alice = irc.together("alice")
    if letter in modes(alice, room):
        assert change(alice, room, f"-{letter}") == [f"-{letter}"]
    assert change(alice, room, f"+{letter}") == [f"+{letter}"]
    assert letter in modes(alice, room)
    assert change(alice, room, f"-{letter}") == [f"-{letter}"]
    assert letter not in modes(alice, room)


def test_members_see_the_change(irc):
    """MODE message: the server tells the members, with who did it."""
    room, alice, bob = irc.together("alice", "bob")
    alice.ask(f"MODE {room} +m")
    seen = bob.sync().one("MODE")
    assert seen.nick == alice.nick and seen.params == [room, "+m"]


def test_several_changes_in_one_line(irc):
    """MODE message: a string of signs and letters."""
    room, alice = irc.together("alice")
    before = modes(alice, room)
    change(alice, room, "+im")
    assert modes(alice, room) == before | {"i", "m"}
    change(alice, room, "-i+s")
    assert modes(alice, room) == before | {"m", "s"}


def test_what_is_set_already_is_not_told(irc):
    """MODE message: only what changed is told."""
    room, alice, bob = irc.together("alice", "bob")
    alice.ask(f"MODE {room} +i", f"MODE {room} +i")
    assert len(bob.sync().all("MODE")) == 1


def test_a_change_needs_an_operator(irc):
    """MODE message: ERR_CHANOPRIVSNEEDED."""
    room, alice, bob = irc.together("alice", "bob")
    assert bob.ask(f"MODE {room} +i").one("482").params == [bob.nick, room, ANY]
    alice.sync().no("MODE")


def test_a_change_from_outside_is_refused(irc):
    """MODE message: ERR_CHANOPRIVSNEEDED or ERR_NOTONCHANNEL."""
    room, alice = irc.together("alice")
    assert irc.user("bob").ask(f"MODE {room} +i").commands in (["482"], ["442"])
    alice.sync().no("MODE")


def test_anyone_may_ask_for_the_modes(irc):
    """MODE message: without changes it is a question."""
    room, _ = irc.together("alice")
    irc.user("bob").ask(f"MODE {room}").one("324")


def test_an_unknown_letter_gives_472(irc):
    """ERR_UNKNOWNMODE: <client> <modechar>."""
    room, alice = irc.together("alice")
    assert alice.ask(f"MODE {room} +y").one("472").params[:2] == [alice.nick, "y"]


def test_an_unknown_letter_does_not_stop_the_others(irc):
    """MODE message: each letter stands for itself."""
    room, alice = irc.together("alice")
    answers = alice.ask(f"MODE {room} +iy")
    answers.one("472")
    assert "i" in modes(alice, room)


def test_the_key_is_shown_to_members(irc):
    """Key channel mode, RPL_CHANNELMODEIS: with its parameter."""
    room, alice = irc.together("alice")
    assert change(alice, room, "+k", "sesame") == ["+k", "sesame"]
    answer = alice.ask(f"MODE {room}").one("324")
    assert "k" in answer.params[2] and answer.params[3] == "sesame"


def test_the_key_is_not_shown_to_others(irc):
    """RPL_CHANNELMODEIS: servers may hide sensitive information such as keys."""
    room, alice = irc.together("alice")
    alice.ask(f"MODE {room} +k sesame")
    assert "sesame" not in irc.user("bob").ask(f"MODE {room}").one("324").params


def test_the_key_is_taken_off(irc):
    """Key channel mode: type B, a parameter for - too."""
    room, alice = irc.together("alice")
    alice.ask(f"MODE {room} +k sesame")
    assert change(alice, room, "-k", "sesame")[0] == "-k"
    assert "k" not in modes(alice, room)


def test_a_key_without_a_parameter_is_ignored_or_refused(irc):
    """MODE message: a missing parameter: ERR_INVALIDMODEPARAM, 461, or ignored."""
    room, alice = irc.together("alice")
    assert set(alice.ask(f"MODE {room} +k").commands) <= {"461", "696"}
    assert "k" not in modes(alice, room)


@pytest.mark.parametrize("key", [":a b", ":", ":a,b"])
def test_no_key(irc, key):
    """ERR_INVALIDKEY, ERR_INVALIDMODEPARAM: a key must be such that JOIN can give it."""
    room, alice = irc.together("alice")
    answers = alice.ask(f"MODE {room} +k {key}")
    # What cannot be a key is refused, or made one that can.
    for told in answers.all("MODE"):
        assert " " not in told.text and "," not in told.text and told.text != ""
    assert answers.all("MODE", "525", "696", "461", "475")


def test_the_limit_is_shown(irc):
    """Client limit channel mode."""
    room, alice = irc.together("alice")
    assert change(alice, room, "+l", "42") == ["+l", "42"]
    assert alice.ask(f"MODE {room}").one("324").params[3] == "42"


def test_the_limit_is_changed(irc):
    """Client limit channel mode: another value is a change."""
    room, alice = irc.together("alice")
    change(alice, room, "+l", "42")
    assert change(alice, room, "+l", "43") == ["+l", "43"]


def test_the_limit_is_taken_off_without_a_parameter(irc):
    """Client limit channel mode: type C, no parameter for -."""
    room, alice = irc.together("alice")
    change(alice, room, "+l", "42")
    assert change(alice, room, "-l") == ["-l"]
    assert "l" not in modes(alice, room)


@pytest.mark.parametrize("limit", ["many", "0", "-1", "1x"])
def test_no_limit(irc, limit):
    """ERR_INVALIDMODEPARAM: a limit is a positive number."""
    room, alice = irc.together("alice")
    answers = alice.ask(f"MODE {room} +l {limit}")
    for told in answers.all("MODE"):
        assert told.text.isdigit() and int(told.text) > 0
    if "MODE" not in answers.commands:
        assert "l" not in modes(alice, room)


def test_696_names_channel_letter_and_parameter(irc):
    """ERR_INVALIDMODEPARAM: <client> <target> <mode char> <parameter> :text."""
    room, alice = irc.together("alice")
    answer = alice.ask(f"MODE {room} +l many").one("696")
    assert answer.params == [alice.nick, room, "l", "many", ANY]


@pytest.mark.parametrize("letter", LISTS)
def test_a_mask_is_put_on_a_list_and_taken_off(irc, letter):
    """Channel modes of type A: masks are added and removed."""
    room, alice = irc.together("alice")
    assert change(alice, room, f"+{letter}", "bad!*@*") == [f"+{letter}", "bad!*@*"]
    assert change(alice, room, f"-{letter}", "bad!*@*") == [f"-{letter}", "bad!*@*"]


@pytest.mark.parametrize("letter", LISTS)
def test_a_list_is_shown(irc, letter):
    """RPL_BANLIST, RPL_EXCEPTLIST, RPL_INVEXLIST: <client> <channel> <mask> [<who> <set-ts>]."""
    entry, end = LISTS[letter]
    room, alice = irc.together("alice")
    before = int(time.time())
    alice.ask(f"MODE {room} +{letter} bad!*@*")
    answers = alice.ask(f"MODE {room} +{letter}")
    shown = answers.one(entry)
    assert shown.params[:3] == [alice.nick, room, "bad!*@*"]
    assert shown.params[3].split("!")[0] == alice.nick
    assert before - 1 <= int(shown.params[4]) <= time.time() + 1
    assert answers.one(end).params == [alice.nick, room, ANY]


@pytest.mark.parametrize("letter", LISTS)
def test_an_empty_list_is_its_end(irc, letter):
    """RPL_ENDOFBANLIST, RPL_ENDOFEXCEPTLIST, RPL_ENDOFINVEXLIST."""
    room, alice = irc.together("alice")
    assert alice.ask(f"MODE {room} {letter}").commands == [LISTS[letter][1]]


def test_everyone_may_see_the_bans(irc):
    """MODE message: the ban list is shown to who asks."""
    room, alice, bob = irc.together("alice", "bob")
    alice.ask(f"MODE {room} +b bad!*@*")
    bob.sync()
    assert bob.ask(f"MODE {room} b").one("367").params[2] == "bad!*@*"


@pytest.mark.parametrize("given, kept", [("bad", "bad!*@*"), ("*!user", "*!user@*"),
                                         ("user@host", "*!user@host"), ("bad!*@*", "bad!*@*")])
def test_masks_are_completed(irc, given, kept):
    """Ban channel mode: nick!user@host, what is missing is '*'."""
    room, alice = irc.together("alice")
    assert change(alice, room, "+b", given) == ["+b", kept]


def test_a_mask_is_on_the_list_once(irc):
    """Channel modes of type A: a mask that is there is not added again."""
    room, alice = irc.together("alice")
    alice.ask(f"MODE {room} +b bad!*@*")
    alice.ask(f"MODE {room} +b BAD!*@*").no("MODE")
    assert len(alice.ask(f"MODE {room} b").all("367")) == 1


def test_a_ban_silences_a_member(irc):
    """Ban channel mode: who is banned cannot speak, if the server says so."""
    room, alice, bob = irc.together("alice", "bob")
    alice.ask(f"MODE {room} +b {bob.nick}!*@*")
    bob.sync()
    assert bob.ask(f"PRIVMSG {room} :hello").one("404").params == [bob.nick, room, ANY]


def test_a_banned_voice_speaks(irc):
    """Voice prefix, and Ban channel mode: voice overrides the silence."""
    room, alice, bob = irc.together("alice", "bob")
    alice.ask(f"MODE {room} +b {bob.nick}!*@*", f"MODE {room} +v {bob.nick}")
    bob.ask(f"PRIVMSG {room} :hello")
    assert alice.sync().one("PRIVMSG").text == "hello"


def test_an_exception_lets_a_banned_member_speak(irc):
    """Exception channel mode."""
    room, alice, bob = irc.together("alice", "bob")
    alice.ask(f"MODE {room} +b *!*@*", f"MODE {room} +e {bob.nick}!*@*")
    bob.ask(f"PRIVMSG {room} :hello")
    assert alice.sync().one("PRIVMSG").text == "hello"


def test_operator_status_is_given_and_taken(irc):
    """Channel operators: MODE +o and -o."""
    room, alice, bob = irc.together("alice", "bob")
    assert change(alice, room, "+o", bob.nick) == ["+o", bob.nick]
    bob.sync()
    assert change(bob, room, "-o", alice.nick) == ["-o", alice.nick]
    alice.sync()
    alice.ask(f"MODE {room} +i").one("482")


def test_voice_is_given_and_taken(irc):
    """Voice prefix: MODE +v and -v."""
    room, alice, bob = irc.together("alice", "bob")
    assert change(alice, room, "+v", bob.nick) == ["+v", bob.nick]
    assert change(alice, room, "-v", bob.nick) == ["-v", bob.nick]


def test_several_prefixes_in_one_line(irc):
    """MODE message: parameters in the order of the letters."""
    room, alice, bob, carol = irc.together("alice", "bob", "carol")
    told = alice.ask(f"MODE {room} +ov {bob.nick} {carol.nick}").all("MODE")
    assert [word for message in told for word in message.params[1:]] == ["+ov", bob.nick, carol.nick]


def test_status_for_one_who_is_not_there_gives_441(irc):
    """ERR_USERNOTINCHANNEL: <client> <nick> <channel>."""
    room, alice = irc.together("alice")
    bob = irc.user("bob")
    assert alice.ask(f"MODE {room} +o {bob.nick}").one("441").params == [alice.nick, bob.nick, room, ANY]


def test_status_for_nobody_gives_401(irc):
    """ERR_NOSUCHNICK, or ERR_USERNOTINCHANNEL."""
    room, alice = irc.together("alice")
    assert alice.ask(f"MODE {room} +o nobody-here").commands in (["401"], ["441"], ["401", "441"])


def test_only_operators_give_voice(irc):
    """Channel operators: ERR_CHANOPRIVSNEEDED."""
    room, _, bob = irc.together("alice", "bob")
    bob.ask(f"MODE {room} +v {bob.nick}").one("482")


def test_moderated_silences_those_without_voice(irc):
    """Moderated channel mode: ERR_CANNOTSENDTOCHAN."""
    room, alice, bob = irc.together("alice", "bob")
    alice.ask(f"MODE {room} +m")
    bob.sync()
    assert bob.ask(f"PRIVMSG {room} :hello").one("404").params == [bob.nick, room, ANY]
    alice.sync().no("PRIVMSG")


@pytest.mark.parametrize("prefix", "ov")
def test_moderated_lets_prefixes_speak(irc, prefix):
    """Moderated channel mode: voice and above."""
    room, alice, bob = irc.together("alice", "bob")
    alice.ask(f"MODE {room} +m", f"MODE {room} +{prefix} {bob.nick}")
    bob.ask(f"PRIVMSG {room} :hello")
    assert alice.sync().one("PRIVMSG").text == "hello"


def test_no_messages_from_outside(irc):
    """No external messages mode: ERR_CANNOTSENDTOCHAN for those who are not there."""
    room, alice = irc.together("alice")
    alice.ask(f"MODE {room} +n")
    bob = irc.user("bob")
    assert bob.ask(f"PRIVMSG {room} :hello").one("404").params == [bob.nick, room, ANY]
    alice.sync().no("PRIVMSG")


def test_messages_from_outside_where_allowed(irc):
    """No external messages mode: without it anyone may speak."""
    room, alice = irc.together("alice")
    alice.ask(f"MODE {room} -n")
    irc.user("bob").ask(f"PRIVMSG {room} :hello")
    assert alice.sync().one("PRIVMSG").text == "hello"


def test_no_ctcp(irc):
    """Mode C: CTCP other than ACTION is refused."""
    room, alice, bob = irc.together("alice", "bob")
    alice.ask(f"MODE {room} +C")
    bob.sync()
    bob.ask(f"PRIVMSG {room} :\x01VERSION\x01").one("404")
    bob.ask(f"PRIVMSG {room} :\x01ACTION waves\x01").no("404")
    assert [message.text for message in alice.sync().all("PRIVMSG")] == ["\x01ACTION waves\x01"]


def test_isupport_prefix(irc):
    """ISUPPORT PREFIX: (modes)prefixes, o and v at least."""
    letters, prefixes = irc.user().isupport["PREFIX"].lstrip("(").split(")")
    table = dict(zip(letters, prefixes, strict=True))
    assert table["o"] == "@" and table["v"] == "+"


def test_isupport_chanmodes(irc):
    """ISUPPORT CHANMODES: A,B,C,D; no prefix among them."""
    lists, always, on_set, never = irc.user().isupport["CHANMODES"].split(",")[:4]
    assert set("beI") <= set(lists) and "k" in always and "l" in on_set
    assert set("imnstC") <= set(never)
    assert not set("ov") & set(lists + always + on_set + never)


def test_isupport_excepts_and_invex(irc):
    """ISUPPORT EXCEPTS and INVEX: the letters e and I, which may be left out."""
    isupport = irc.user().isupport
    assert isupport["EXCEPTS"] in ("", "e") and isupport["INVEX"] in ("", "I")


def test_isupport_modes_is_true(irc):
    """ISUPPORT MODES: that many changes with parameters in a line."""
    room, alice = irc.together("alice")
    count = int(alice.isupport["MODES"] or "20")
    masks = [f"u{i}!*@*" for i in range(count)]
    alice.ask(f"MODE {room} +{'b' * count} {' '.join(masks)}")
    shown = {message.params[2] for message in alice.ask(f"MODE {room} b").all("367")}
    assert shown == set(masks)


def test_a_list_has_an_end(irc):
    """ISUPPORT MAXLIST and ERR_BANLISTFULL: <client> <channel> <mode char> :text."""
    room, alice = irc.together("alice")
    limits = {}
    for part in alice.isupport["MAXLIST"].split(","):
        letters, _, number = part.partition(":")
        limits.update(dict.fromkeys(letters, int(number)))
    alice.send(*(f"MODE {room} +b u{i}!*@*" for i in range(limits["b"] + 1)))
    answers = alice.sync()
    assert answers.one("478").params[:2] == [alice.nick, room]
    assert len(alice.ask(f"MODE {room} b").all("367")) <= limits["b"]
    if "beI" in alice.isupport["MAXLIST"]:  # one number for all of them is their sum
        assert alice.ask(f"MODE {room} +e u1!*@*").one("478").params[:3] == [alice.nick, room, "e"]


def muted(user):
    """The mute extended ban of a mask, as ISUPPORT EXTBAN says."""
    prefix, letters = user.isupport["EXTBAN"].split(",")
    assert "m" in letters
    return lambda mask: f"{prefix}m:{mask}"


def test_a_mute_lets_in_but_not_speak(irc):
    """Extended ban m: ISUPPORT EXTBAN."""
    room, alice = irc.together("alice")
    mute, bob = muted(alice), irc.user("bob")
    alice.ask(f"MODE {room} +b {mute(bob.nick + '!*@*')}")
    bob.ask(f"JOIN {room}").one("JOIN")
    alice.sync()
    bob.ask(f"PRIVMSG {room} :hello").one("404")
    assert alice.sync() == []


def test_a_mute_is_shown_as_it_was_set(irc):
    """Extended ban m: RPL_BANLIST."""
    room, alice = irc.together("alice")
    mask = muted(alice)("bad!*@*")
    alice.ask(f"MODE {room} +b {mask}")
    assert alice.ask(f"MODE {room} b").one("367").params[2] == mask


def test_voice_overrides_a_mute(irc):
    """Extended ban m."""
    room, alice, bob = irc.together("alice", "bob")
    alice.ask(f"MODE {room} +b {muted(alice)(bob.nick + '!*@*')}", f"MODE {room} +v {bob.nick}")
    bob.ask(f"PRIVMSG {room} :hello")
    assert alice.sync().one("PRIVMSG").text == "hello"


def test_an_exception_overrides_a_mute(irc):
    """Extended ban m with mode e."""
    room, alice, bob = irc.together("alice", "bob")
    mute = muted(alice)
    alice.ask(f"MODE {room} +b {mute('*!*@*')}", f"MODE {room} +e {mute(bob.nick + '!*@*')}")
    bob.ask(f"PRIVMSG {room} :hello")
    assert alice.sync().one("PRIVMSG").text == "hello"


def test_a_mute_lifted(irc):
    """Extended ban m, taken off in other case."""
    room, alice, bob = irc.together("alice", "bob")
    mute = muted(alice)
    alice.ask(f"MODE {room} +b {mute(bob.nick.upper() + '!*@*')}")
    alice.ask(f"MODE {room} -b {mute(bob.nick + '!*@*')}").one("MODE")
    bob.ask(f"PRIVMSG {room} :hello")
    assert alice.sync().one("PRIVMSG").text == "hello"


def test_isupport_names_the_account_ban(irc):
    """account-extban: ISUPPORT ACCOUNTEXTBAN names a letter of EXTBAN."""
    isupport = irc.user().isupport
    names = isupport["ACCOUNTEXTBAN"].split(",")
    assert names[0][0] in isupport["EXTBAN"].split(",")[1]
