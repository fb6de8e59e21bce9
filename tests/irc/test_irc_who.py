# SPDX-License-Identifier: MIT
"""WHO, WHOX, WHOIS, WHOWAS, USERHOST, ISON: Modern IRC, "User-Based Queries"."""
import time

import pytest

from irc_client import ANY, Like

HOST = Like(r"[^ *!@]+")


def who(user, parameters):
    """WHO: the RPL_WHOREPLYs; the end must be RPL_ENDOFWHO."""
    answers = user.ask(f"WHO {parameters}")
    assert answers.commands[-1] == "315"
    assert set(answers.commands[:-1]) <= {"352"}
    return answers[:-1]


def whox(user, parameters):
    """WHO with fields: the parameters of each 354, behind the client's nick."""
    answers = user.ask(f"WHO {parameters}")
    assert answers.commands[-1] == "315" and set(answers.commands[:-1]) <= {"354"}
    return [message.params[1:] for message in answers[:-1]]


def test_who_of_a_nick(irc):
    """RPL_WHOREPLY: <client> <channel> <username> <host> <server> <nick> <flags> :<hopcount> <realname>."""
    alice, bob = irc.user("alice"), irc.user("bob", user="guido", real="Guido The Tester")
    (reply,) = who(alice, bob.nick)
    assert reply.params == [alice.nick, "*", Like("~?guido"), HOST, "irc.example", bob.nick,
                            Like("H.*"), "0 Guido The Tester"]


def test_who_of_a_channel(irc):
    """WHO message: one reply per member, with the channel."""
    room, alice, bob = irc.together("alice", "bob")
    replies = who(alice, room)
    assert {reply.params[5]: reply.params[6] for reply in replies} == {alice.nick: "H@", bob.nick: "H"}
    assert {reply.params[1] for reply in replies} == {room}


def test_who_ends_with_the_mask(irc):
    """RPL_ENDOFWHO: <client> <mask>."""
    room, alice = irc.together("alice")
    assert alice.ask(f"WHO {room}").one("315").params == [alice.nick, room, ANY]


def test_who_of_nobody_is_empty(irc):
    """WHO message: RPL_ENDOFWHO alone."""
    assert who(irc.user(), "nobody-here") == []


def test_who_in_other_case(irc):
    """Modern IRC, Casemapping."""
    alice, bob = irc.user("alice"), irc.user("bob")
    assert who(alice, bob.nick.upper())[0].params[5] == bob.nick


def test_who_shows_away(irc):
    """RPL_WHOREPLY flags: G for gone."""
    alice, bob = irc.user("alice"), irc.user("bob")
    bob.ask("AWAY :asleep")
    assert who(alice, bob.nick)[0].params[6].startswith("G")


def test_who_shows_operators(irc):
    """RPL_WHOREPLY flags: '*' for server operators."""
    alice, boss = irc.user("alice"), irc.oper()
    assert "*" in who(alice, boss.nick)[0].params[6]


def test_who_shows_voice(irc):
    """RPL_WHOREPLY flags: the highest prefix in the channel."""
    room, alice, bob = irc.together("alice", "bob")
    alice.ask(f"MODE {room} +v {bob.nick}")
    flags = {reply.params[5]: reply.params[6] for reply in who(alice, room)}
    assert flags == {alice.nick: "H@", bob.nick: "H+"}


def test_who_with_multi_prefix(irc):
    """multi-prefix, WHO: all prefixes."""
    room, alice = irc.together("alice", caps=["multi-prefix"])
    alice.ask(f"MODE {room} +v {alice.nick}")
    assert who(alice, room)[0].params[6] == "H@+"


def test_who_of_a_mask(irc):
    """WHO message: a mask of nicks; all who are visible and match."""
    alice = irc.user("alice")
    bobs = {irc.user(f"wildbob{i}").nick for i in range(3)}
    mine = f"wildbob?{alice.nick[5:].split('x')[0]}x*"
    assert {reply.params[5] for reply in who(alice, mine)} == bobs


def test_who_hides_the_invisible(irc):
    """Invisible user mode: not found by masks from outside their channels."""
    alice, bob = irc.user("alice"), irc.user("hidden")
    bob.ask(f"MODE {bob.nick} +i")
    assert who(alice, bob.nick[:-1] + "*") == []


def test_who_of_an_exact_nick_finds_the_invisible(irc):
    """Invisible user mode: who knows the nick finds the user."""
    alice, bob = irc.user("alice"), irc.user("hidden")
    bob.ask(f"MODE {bob.nick} +i")
    assert [reply.params[5] for reply in who(alice, bob.nick)] == [bob.nick]


def test_who_shows_the_invisible_to_those_they_share_a_channel_with(irc):
    """Invisible user mode."""
    room, alice, bob = irc.together("alice", "hidden")
    bob.ask(f"MODE {bob.nick} +i")
    assert bob.nick in {reply.params[5] for reply in who(alice, room)}


def test_who_of_a_secret_channel_is_empty_for_others(irc):
    """Secret channel mode."""
    room, alice = irc.together("alice")
    alice.ask(f"MODE {room} +s")
    assert who(irc.user(), room) == []


def test_who_o_shows_operators_only(irc):
    """WHO message: the flag "o"."""
    alice, boss = irc.user("alice"), irc.oper()
    assert [reply.params[5] for reply in who(alice, f"{boss.nick} o")] == [boss.nick]
    assert who(alice, f"{alice.nick} o") == []


def test_whox_is_in_isupport(irc):
    """ISUPPORT WHOX."""
    assert "WHOX" in irc.user().isupport


def test_whox_all_fields_in_their_order(irc):
    """WHOX: token channel user ip host server nick flags hops idle account oplevel realname."""
    room, alice = irc.together("alice")
    (fields,) = whox(alice, f"{room} %tcuihsnfdlaor,42")
    token, channel, user, ip, host, server, nick, flags, hops, idle, account, level, real = fields
    assert (token, channel, user) == ("42", room, Like("~?tester"))
    assert ip == HOST and host == HOST and (server, nick) == ("irc.example", alice.nick)
    assert flags == "H@" and hops == "0" and idle.isdigit() and account == "0"
    assert level == ANY and real == "A Tester"


@pytest.mark.parametrize("field, value", [
    ("t", "7"), ("c", "*"), ("u", Like("~?guido")), ("i", HOST), ("h", HOST), ("s", "irc.example"),
    ("f", Like("H.*")), ("d", "0"), ("l", Like(r"\d+")), ("a", "0"), ("r", "Guido")])
def test_whox_each_field(irc, field, value):
    """WHOX: each field alone with the nick."""
    alice, bob = irc.user("alice"), irc.user("bob", user="guido", real="Guido")
    (fields,) = whox(alice, f"{bob.nick} %{field}n,7")
    assert fields == ([value, bob.nick] if field not in "fdlar" else [bob.nick, value])


def test_whox_without_a_token_field(irc):
    """WHOX: the token is shown where it is asked for."""
    alice = irc.user("alice")
    assert whox(alice, f"{alice.nick} %n") == [[alice.nick]]


def test_whox_fields_may_come_in_any_order(irc):
    """WHOX: the order of the answer is fixed."""
    alice = irc.user("alice")
    assert whox(alice, f"{alice.nick} %ntc,9") == [["9", "*", alice.nick]]


def test_whox_does_not_show_the_address_of_others(irc):
    """WHOX, field i: 255.255.255.255 or the like for those who may not see it."""
    alice, bob = irc.user("alice"), irc.user("bob")
    assert whox(alice, f"{bob.nick} %i") != [["127.0.0.1"]]


def test_whois_of_a_user(irc):
    """RPL_WHOISUSER: <client> <nick> <username> <host> * :<realname>; then the end."""
    alice, bob = irc.user("alice"), irc.user("bob", user="guido", real="Guido The Tester")
    answers = alice.ask(f"WHOIS {bob.nick}").nothing_wrong()
    assert answers.one("311").params == [alice.nick, bob.nick, Like("~?guido"), HOST, "*",
                                         "Guido The Tester"]
    assert answers.one("318").params == [alice.nick, bob.nick, ANY]
    assert answers.commands[-1] == "318"


def test_whois_names_the_server(irc):
    """RPL_WHOISSERVER: <client> <nick> <server> :<server info>."""
    alice, bob = irc.user("alice"), irc.user("bob")
    answer = alice.ask(f"WHOIS {bob.nick}").one("312")
    assert answer.params == [alice.nick, bob.nick, "irc.example", ANY]


def test_whois_names_the_channels(irc):
    """RPL_WHOISCHANNELS: <client> <nick> :[prefix]<channel>..."""
    room, alice, bob = irc.together("alice", "bob")
    bob.ask(f"WHOIS {alice.nick}").one("319")
    assert bob.ask(f"WHOIS {alice.nick}").one("319").text.split() == ["@" + room]


def test_whois_names_public_channels_to_strangers(irc):
    """WHOIS message: channels that are neither secret nor private."""
    room, alice = irc.together("alice")
    assert irc.user().ask(f"WHOIS {alice.nick}").one("319").text.split() == ["@" + room]


def test_whois_does_not_name_secret_channels(irc):
    """Secret channel mode."""
    room, alice = irc.together("alice")
    alice.ask(f"MODE {room} +s")
    irc.user().ask(f"WHOIS {alice.nick}").no("319")


def test_whois_names_secret_channels_that_are_shared(irc):
    """Secret channel mode: members see it."""
    room, alice, bob = irc.together("alice", "bob")
    alice.ask(f"MODE {room} +s")
    bob.sync()
    assert bob.ask(f"WHOIS {alice.nick}").one("319").text.split() == ["@" + room]


def test_whois_hides_channels_of_the_invisible(irc):
    """Invisible user mode: channels are for those who share one."""
    room, alice, bob = irc.together("alice", "bob")
    alice.ask(f"MODE {alice.nick} +i")
    irc.user().ask(f"WHOIS {alice.nick}").no("319")
    bob.sync()
    assert bob.ask(f"WHOIS {alice.nick}").one("319").text.split() == ["@" + room]


def test_whois_tells_away(irc):
    """WHOIS message: RPL_AWAY."""
    alice, bob = irc.user("alice"), irc.user("bob")
    bob.ask("AWAY :asleep")
    assert alice.ask(f"WHOIS {bob.nick}").one("301").params == [alice.nick, bob.nick, "asleep"]


def test_whois_tells_operators(irc):
    """RPL_WHOISOPERATOR: <client> <nick> :is an IRC operator."""
    alice, boss = irc.user("alice"), irc.oper()
    assert alice.ask(f"WHOIS {boss.nick}").one("313").params == [alice.nick, boss.nick, ANY]


def test_whois_tells_idle_and_signon(irc):
    """RPL_WHOISIDLE: <client> <nick> <secs> <signon> :seconds idle, signon time."""
    before = int(time.time())
    alice = irc.user("alice")
    answer = alice.ask(f"WHOIS {alice.nick}").one("317")
    assert answer.params[:2] == [alice.nick, alice.nick]
    assert 0 <= int(answer.params[2]) <= 60
    assert before - 1 <= int(answer.params[3]) <= time.time() + 1


def test_whois_does_not_tell_the_address_of_others(irc):
    """RPL_WHOISACTUALLY, RPL_WHOISHOST: for the user and operators only."""
    alice, bob = irc.user("alice"), irc.user("bob")
    assert "127.0.0.1" not in repr(alice.ask(f"WHOIS {bob.nick}"))


def test_whois_tells_operators_the_address(irc):
    """RPL_WHOISACTUALLY or RPL_WHOISHOST."""
    boss, bob = irc.oper(), irc.user("bob")
    assert "127.0.0.1" in repr(boss.ask(f"WHOIS {bob.nick}").all("338", "378"))


def test_whois_of_nobody_gives_401_and_the_end(irc):
    """WHOIS message: ERR_NOSUCHNICK, then RPL_ENDOFWHOIS."""
    alice = irc.user("alice")
    answers = alice.ask("WHOIS nobody-here")
    assert answers.commands == ["401", "318"]
    assert answers[0].params == [alice.nick, "nobody-here", ANY]


def test_whois_without_a_nick_gives_431_or_461(irc):
    """WHOIS message: ERR_NONICKNAMEGIVEN, ERR_NEEDMOREPARAMS."""
    assert irc.user().ask("WHOIS").commands in (["431"], ["461"])


@pytest.mark.parametrize("target", ["irc.example", "{nick}"])
def test_whois_with_a_target(irc, target):
    """WHOIS message: WHOIS <target> <nick>, a server or the user's own nick."""
    alice, bob = irc.user("alice"), irc.user("bob")
    answers = alice.ask(f"WHOIS {target.format(nick=bob.nick)} {bob.nick}")
    assert answers.one("311").params[1] == bob.nick


def test_whois_of_another_server_gives_402(irc):
    """WHOIS message: ERR_NOSUCHSERVER."""
    alice = irc.user("alice")
    assert alice.ask(f"WHOIS no.such.server {alice.nick}").one("402").params == [
        alice.nick, "no.such.server", ANY]


def test_whowas_of_one_who_left(irc):
    """RPL_WHOWASUSER: <client> <nick> <username> <host> * :<realname>; RPL_ENDOFWHOWAS."""
    alice, bob = irc.user("alice"), irc.user("bob", user="guido", real="Guido")
    bob.send("QUIT")
    bob.expect_end()
    answers = alice.ask(f"WHOWAS {bob.nick}")
    assert answers.one("314").params == [alice.nick, bob.nick, Like("~?guido"), HOST, "*", "Guido"]
    assert answers.one("369").params == [alice.nick, bob.nick, ANY]
    assert answers.commands[-1] == "369"


def test_whowas_of_a_former_nick(irc):
    """WHOWAS message: nicks that were given up."""
    alice, bob = irc.user("alice"), irc.user("bob")
    bob.ask(f"NICK {irc.name('robert')}")
    assert alice.ask(f"WHOWAS {bob.nick}").one("314").params[1] == bob.nick


def test_whowas_shows_the_last_first(irc):
    """WHOWAS message: the most recent entries first."""
    alice, nick = irc.user("alice"), irc.name("bob")
    for real in ("First", "Second", "Third"):
        one = irc.named(nick, real=real)
        one.send("QUIT")
        one.expect_end()
    assert [m.text for m in alice.ask(f"WHOWAS {nick}").all("314")] == ["Third", "Second", "First"]


@pytest.mark.parametrize("count, shown", [("1", 1), ("2", 2), ("0", 3), ("-1", 3), ("9", 3)])
def test_whowas_with_a_count(irc, count, shown):
    """WHOWAS message: so many entries; without a positive number all."""
    alice, nick = irc.user("alice"), irc.name("bob")
    for _ in range(3):
        one = irc.named(nick)
        one.send("QUIT")
        one.expect_end()
    assert len(alice.ask(f"WHOWAS {nick} {count}").all("314")) == shown


def test_whowas_of_nobody_gives_406_and_the_end(irc):
    """WHOWAS message: ERR_WASNOSUCHNICK, RPL_ENDOFWHOWAS."""
    alice = irc.user("alice")
    answers = alice.ask("WHOWAS nobody-here")
    assert answers.commands == ["406", "369"]
    assert answers[0].params == [alice.nick, "nobody-here", ANY]


def test_whowas_without_a_nick_gives_431_or_461(irc):
    """WHOWAS message: ERR_NONICKNAMEGIVEN, ERR_NEEDMOREPARAMS."""
    assert irc.user().ask("WHOWAS").commands in (["431"], ["461"])


def test_whowas_in_other_case(irc):
    """Modern IRC, Casemapping."""
    alice, bob = irc.user("alice"), irc.user("bob")
    bob.send("QUIT")
    bob.expect_end()
    assert alice.ask(f"WHOWAS {bob.nick.upper()}").one("314").params[1] == bob.nick


def test_userhost(irc):
    """RPL_USERHOST: <nick>['*']=<'+'|'-'>user@host."""
    alice, bob = irc.user("alice"), irc.user("bob")
    answer = alice.ask(f"USERHOST {bob.nick}").one("302")
    assert answer.params == [alice.nick, Like(rf"{bob.nick}=\+~?tester@\S+ ?")]


def test_userhost_shows_away(irc):
    """RPL_USERHOST: '-' for those who are away."""
    alice, bob = irc.user("alice"), irc.user("bob")
    bob.ask("AWAY :asleep")
    assert f"{bob.nick}=-" in alice.ask(f"USERHOST {bob.nick}").one("302").text


def test_userhost_shows_operators(irc):
    """RPL_USERHOST: '*' for operators."""
    alice, boss = irc.user("alice"), irc.oper()
    assert f"{boss.nick}*=+" in alice.ask(f"USERHOST {boss.nick}").one("302").text


def test_userhost_of_several(irc):
    """USERHOST message: up to five nicks."""
    alice, others = irc.user("alice"), [irc.user("u").nick for _ in range(5)]
    text = alice.ask(f"USERHOST {' '.join(others)}").one("302").text
    assert [word.split("=")[0] for word in text.split()] == others


def test_userhost_leaves_out_those_who_are_not_there(irc):
    """USERHOST message: no error, no entry."""
    alice = irc.user("alice")
    assert alice.ask("USERHOST nobody-here").one("302").params == [alice.nick, ""]


def test_userhost_without_a_nick_gives_461(irc):
    """USERHOST message: ERR_NEEDMOREPARAMS."""
    assert irc.user().ask("USERHOST").one("461").params[1] == "USERHOST"


def test_ison(irc):
    """RPL_ISON: those of the nicks who are on."""
    alice, bob = irc.user("alice"), irc.user("bob")
    answer = alice.ask(f"ISON nobody-here {bob.nick} {alice.nick}").one("303")
    assert answer.text.split() == [bob.nick, alice.nick]


def test_ison_of_nobody(irc):
    """RPL_ISON: an empty list."""
    alice = irc.user("alice")
    assert alice.ask("ISON nobody-here").one("303").params == [alice.nick, ""]


def test_ison_in_one_parameter(irc):
    """ISON message: nicks separated by spaces in the last parameter."""
    alice, bob = irc.user("alice"), irc.user("bob")
    assert alice.ask(f"ISON :{bob.nick} {alice.nick}").one("303").text.split() == [bob.nick, alice.nick]


def test_ison_without_a_nick_gives_461(irc):
    """ISON message: ERR_NEEDMOREPARAMS."""
    assert irc.user().ask("ISON").one("461").params[1] == "ISON"
