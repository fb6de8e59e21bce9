# SPDX-License-Identifier: MIT
"""Server queries and operators: Modern IRC, "Server Queries and Commands", "Operator Messages"."""
import re

import pytest

from irc_client import ANY, Like


def test_pong_has_server_and_token(irc):
    """PONG message: [<server>] <token>."""
    user = irc.user()
    user.send("PING :two words")
    pong = user.expect("PONG")
    assert pong.source == "irc.example" and pong.params == ["irc.example", "two words"]


def test_ping_without_a_token(irc):
    """PING message: ERR_NEEDMOREPARAMS, or the older ERR_NOORIGIN."""
    assert irc.user().ask("PING").commands in (["461"], ["409"])


def test_pong_from_a_client_is_silent(irc):
    """PONG message: clients' PONGs have no answer."""
    assert irc.user().ask("PONG irc.example") == []


def test_error_from_a_client_is_ignored(irc):
    """ERROR message: only servers send it."""
    irc.user().ask("ERROR :I am a server").no("ERROR")


def test_lusers_counts_users(serve):
    """LUSERS message: RPL_LUSERCLIENT, RPL_LOCALUSERS, RPL_GLOBALUSERS."""
    irc = serve()
    alice = irc.user("alice")
    irc.user("bob")
    answers = alice.ask("LUSERS")
    numbers = [int(n) for n in re.findall(r"-?\d+", answers.one("251").text)]
    assert numbers[0] + numbers[1] == 2 and numbers[2] == 1
    assert answers.one("265").params == [alice.nick, "2", "2", ANY]
    assert answers.one("266").params == [alice.nick, "2", "2", ANY]


def test_lusers_remembers_the_most(serve):
    """RPL_LOCALUSERS: current and maximum."""
    irc = serve()
    alice, bob = irc.user("alice"), irc.user("bob")
    bob.send("QUIT")
    bob.expect_end()
    assert alice.ask("LUSERS").one("265").params[1:3] == ["1", "2"]


def test_lusers_counts_channels_with_members(serve):
    """RPL_LUSERCHANNELS: channels that exist, not those whose history is kept."""
    irc = serve()
    room, alice = irc.together("alice")
    alice.ask(f"PRIVMSG {room} :kept", "JOIN #other")
    assert alice.ask("LUSERS").one("254").params[1] == "2"
    alice.ask(f"PART {room}")
    assert alice.ask("LUSERS").one("254").params[1] == "1"
    irc.server.restart()
    assert irc.user("bob").ask("LUSERS").one("254").params[1] == "0"


def test_lusers_counts_the_invisible(serve):
    """RPL_LUSERCLIENT: users and invisible are two numbers."""
    irc = serve()
    alice, bob = irc.user("alice"), irc.user("bob")
    for user in (alice, bob):
        user.ask(f"MODE {user.nick} -i")
    bob.ask(f"MODE {bob.nick} +i")
    assert re.findall(r"\d+", alice.ask("LUSERS").one("251").text)[:2] == ["1", "1"]


def test_lusers_counts_operators(serve):
    """RPL_LUSEROP: <client> <ops>."""
    irc = serve()
    alice = irc.user("alice")
    assert alice.ask("LUSERS").all("252") == [] or alice.ask("LUSERS").one("252").params[1] == "0"
    irc.oper()
    assert alice.ask("LUSERS").one("252").params == [alice.nick, "1", ANY]


def test_lusers_counts_channels(serve):
    """RPL_LUSERCHANNELS: <client> <channels>; the lobby of line users may be one."""
    irc = serve()
    alice = irc.user("alice")
    before = alice.ask("LUSERS").all("254")
    alice.ask(f"JOIN {irc.room()},{irc.room()}")
    after = int(alice.ask("LUSERS").one("254").params[1])
    assert after == (int(before[0].params[1]) if before else 0) + 2


def test_lusers_counts_the_unregistered(serve):
    """RPL_LUSERUNKNOWN: <client> <connections>."""
    irc = serve()
    alice, other = irc.user("alice"), irc.connect()
    other.ask("NICK waiting")
    assert alice.ask("LUSERS").one("253").params == [alice.nick, "1", ANY]
    other.send("QUIT")
    other.expect_end()
    unknown = alice.ask("LUSERS").all("253")
    assert unknown == [] or unknown[0].params[1] == "0"


def test_luserme(irc):
    """RPL_LUSERME: "I have <c> clients and <s> servers"."""
    user = irc.user()
    assert user.ask("LUSERS").one("255").params == [user.nick, Like(r".*\d+.*\d+.*")]


def test_motd(serve):
    """MOTD message: RPL_MOTDSTART, a RPL_MOTD a line, RPL_ENDOFMOTD."""
    irc = serve(motd="First line\nSecond line")
    user = irc.user()
    answers = user.ask("MOTD")
    assert answers.commands == ["375", "372", "372", "376"]
    assert [m.text.removeprefix("- ") for m in answers.all("372")] == ["First line", "Second line"]
    assert answers[0].params[0] == user.nick


def test_motd_is_in_the_burst(serve):
    """Connection Registration: the MOTD as if it was asked for."""
    burst = serve(motd="First line").user().burst
    assert burst.commands[-3:] == ["375", "372", "376"]


def test_no_motd_gives_422(irc):
    """MOTD message: ERR_NOMOTD."""
    user = irc.user()
    assert user.ask("MOTD").one("422").params == [user.nick, ANY]


@pytest.mark.parametrize("command", ["MOTD", "VERSION", "ADMIN", "TIME", "INFO"])
def test_a_query_of_this_server_by_name(irc, command):
    """Server queries: <target> may be the server."""
    irc.user().ask(f"{command} irc.example").no("402")


@pytest.mark.parametrize("command", ["MOTD", "VERSION", "ADMIN", "TIME", "INFO"])
def test_a_query_of_another_server_gives_402(irc, command):
    """ERR_NOSUCHSERVER: <client> <server>."""
    user = irc.user()
    assert user.ask(f"{command} no.such.server").one("402").params == [user.nick, "no.such.server", ANY]


def test_version(irc):
    """RPL_VERSION: <client> <version> <server> :<comments>."""
    user = irc.user()
    answer = user.ask("VERSION").one("351")
    assert answer.params[0] == user.nick and answer.params[2] == "irc.example"
    assert "artyline" in answer.params[1] + answer.text


def test_admin(irc):
    """ADMIN message: RPL_ADMINME 256-259, or ERR_NOADMININFO."""
    user = irc.user()
    answers = user.ask("ADMIN")
    if answers.commands == ["423"]:
        assert answers[0].params[:2] == [user.nick, "irc.example"]
    else:
        assert answers.commands[0] == "256" and set(answers.commands) <= {"256", "257", "258", "259"}
        assert answers[0].params[0] == user.nick


def test_time(irc):
    """RPL_TIME: <client> <server> [<timestamp> [<offset>]] :<human-readable time>."""
    user = irc.user()
    answer = user.ask("TIME").one("391")
    assert answer.params[:2] == [user.nick, "irc.example"] and answer.text != ""


def test_info(irc):
    """INFO message: RPL_INFO lines, RPL_ENDOFINFO."""
    user = irc.user()
    answers = user.ask("INFO")
    assert answers.commands[-1] == "374" and set(answers.commands[:-1]) == {"371"}
    assert {message.params[0] for message in answers} == {user.nick}


def test_links(irc):
    """LINKS message: RPL_LINKS of this server, RPL_ENDOFLINKS."""
    user = irc.user()
    answers = user.ask("LINKS")
    link = answers.one("364")
    assert link.params[:3] == [user.nick, "irc.example", "irc.example"]
    assert link.text.startswith("0 ")
    assert answers.one("365").params == [user.nick, ANY, ANY]


@pytest.mark.parametrize("command", ["HELP", "HELPOP"])
def test_help(irc, command):
    """HELP message: RPL_HELPSTART, RPL_HELPTXT, RPL_ENDOFHELP, all with one subject."""
    user = irc.user()
    answers = user.ask(command)
    assert answers.commands[0] == "704" and answers.commands[-1] == "706"
    assert set(answers.commands[1:-1]) <= {"705"}
    assert len({message.params[1] for message in answers}) == 1


def test_help_on_a_subject(irc):
    """HELP message: <subject> comes back in each numeric."""
    user = irc.user()
    answers = user.ask("HELP PRIVMSG")
    assert answers.commands[0] in ("704", "524")
    assert {message.params[1].upper() for message in answers} == {"PRIVMSG"}


def test_help_on_an_unknown_subject_gives_524(irc):
    """ERR_HELPNOTFOUND: <client> <subject>."""
    user = irc.user()
    assert user.ask("HELP THIS_IS_NOTHING").one("524").params == [user.nick, "THIS_IS_NOTHING", ANY]


def test_stats_ends(irc):
    """STATS message: RPL_ENDOFSTATS <client> <stats letter>, whatever came before."""
    user = irc.user()
    answers = user.ask("STATS u")
    assert answers.commands[-1] in ("219", "481")
    if answers.commands[-1] == "219":
        assert answers[-1].params == [user.nick, "u", ANY]


def test_stats_u_for_operators(irc):
    """RPL_STATSUPTIME: "Server Up <days> days <hours>:<minutes>:<seconds>"."""
    boss = irc.oper()
    answers = boss.ask("STATS u")
    assert re.search(r"\d+ days \d+:\d\d:\d\d", answers.one("242").text)
    answers.one("219")


def test_oper(irc):
    """OPER message: RPL_YOUREOPER, and the mode."""
    user = irc.user()
    answers = user.ask("OPER boss secret")
    assert answers.one("381").params == [user.nick, ANY]
    assert "o" in user.ask(f"MODE {user.nick}").one("221").params[1]


def test_oper_tells_the_mode(irc):
    """OPER message: the server sends MODE +o."""
    user = irc.user()
    mode = user.ask("OPER boss secret").one("MODE")
    assert mode.params[0] == user.nick and "o" in mode.params[1]


@pytest.mark.parametrize("line", ["OPER boss wrong", "OPER nobody secret", "OPER boss :"])
def test_a_wrong_oper_gives_464(irc, line):
    """ERR_PASSWDMISMATCH; nothing tells a wrong name from a wrong password."""
    user = irc.user()
    assert user.ask(line).no("381").commands in (["464"], ["491"])
    assert "o" not in user.ask(f"MODE {user.nick}").one("221").params[1]


def test_a_wrong_name_and_a_wrong_password_look_the_same(irc):
    """OPER message: the answer does not tell which names there are."""
    user = irc.user()
    one, other = user.ask("OPER boss wrong"), user.ask("OPER nobody wrong")
    assert [m.line for m in one] == [m.line for m in other]


def test_oper_without_a_password_gives_461(irc):
    """ERR_NEEDMOREPARAMS."""
    user = irc.user()
    assert user.ask("OPER boss").one("461").params == [user.nick, "OPER", ANY]


def test_kill(irc):
    """KILL message: the user is told, gets ERROR and is cut; others see QUIT."""
    _, alice, bob = irc.together("alice", "bob")
    boss = irc.oper()
    boss.send(f"KILL {alice.nick} :enough")
    end = alice.expect_end()
    assert "ERROR" in end.commands and "enough" in end.one("ERROR").text
    assert bob.expect("QUIT").nick == alice.nick


def test_kill_is_for_operators(irc):
    """ERR_NOPRIVILEGES."""
    alice, bob = irc.user("alice"), irc.user("bob")
    assert alice.ask(f"KILL {bob.nick} :x").one("481").params == [alice.nick, ANY]
    assert bob.sync() == []


def test_kill_of_nobody_gives_401(irc):
    """ERR_NOSUCHNICK."""
    boss = irc.oper()
    assert boss.ask("KILL nobody-here :x").one("401").params[:2] == [boss.nick, "nobody-here"]


def test_kill_without_a_nick_gives_461(irc):
    """ERR_NEEDMOREPARAMS."""
    boss = irc.oper()
    assert boss.ask("KILL").one("461").params[1] == "KILL"


def test_wallops(irc):
    """WALLOPS message: to all with user mode w, from the operator."""
    alice, bob, boss = irc.user("alice"), irc.user("bob"), irc.oper()
    alice.ask(f"MODE {alice.nick} +w")
    bob.ask(f"MODE {bob.nick} -w")
    boss.ask("WALLOPS :all hands")
    assert alice.sync().one("WALLOPS").text.endswith("all hands")
    assert bob.sync().all("WALLOPS") == []


def test_wallops_is_for_operators(irc):
    """ERR_NOPRIVILEGES."""
    alice = irc.user("alice")
    assert alice.ask("WALLOPS :x").one("481").params == [alice.nick, ANY]


def test_wallops_without_a_text_gives_461(irc):
    """ERR_NEEDMOREPARAMS."""
    assert irc.oper().ask("WALLOPS").one("461").params[1] == "WALLOPS"


def test_rehash(irc):
    """REHASH message: RPL_REHASHING <client> <config file>."""
    boss = irc.oper()
    answer = boss.ask("REHASH").one("382")
    assert answer.params[0] == boss.nick and len(answer.params) == 3


def test_rehash_is_for_operators(irc):
    """ERR_NOPRIVILEGES."""
    alice = irc.user("alice")
    assert alice.ask("REHASH").one("481").params == [alice.nick, ANY]


def test_targmax_is_a_list_of_commands(irc):
    """ISUPPORT TARGMAX: <command>:[limit],..."""
    for word in irc.user().isupport["TARGMAX"].split(","):
        assert re.fullmatch(r"[A-Z]+:\d*", word), word


@pytest.mark.parametrize("token", ["AWAYLEN", "CHANNELLEN", "HOSTLEN", "KICKLEN", "NAMELEN", "NICKLEN",
                                   "TOPICLEN", "USERLEN", "MONITOR", "MODES", "CHATHISTORY"])
def test_limits_are_numbers(irc, token):
    """ISUPPORT: lengths and limits are positive numbers; MODES may be empty."""
    value = irc.user().isupport[token]
    assert (value == "" and token == "MODES") or int(value) > 0


@pytest.mark.parametrize("token, value", [("NETWORK", "ExampleNet"), ("CHANTYPES", "#"), ("UTF8ONLY", ""),
                                          ("WHOX", ""), ("BOT", Like("[A-Za-z]"))])
def test_tokens_with_a_known_value(irc, token, value):
    """ISUPPORT: what the server is."""
    assert irc.user().isupport[token] == value


def test_msgreftypes(irc):
    """chathistory, ISUPPORT MSGREFTYPES: msgid and timestamp, in order of preference."""
    assert set(irc.user().isupport["MSGREFTYPES"].split(",")) == {"msgid", "timestamp"}


def test_chanlimit_is_true(irc):
    """ISUPPORT CHANLIMIT, ERR_TOOMANYCHANNELS: <client> <channel>."""
    user = irc.user()
    limit = user.isupport["CHANLIMIT"].split(":")[1]
    if limit == "":
        pytest.skip("any number of channels is allowed")
    rooms = [irc.room() for _ in range(int(limit) + 1)]
    answers = user.ask(*(f"JOIN {room}" for room in rooms))
    assert answers.one("405").params == [user.nick, rooms[-1], ANY]
    assert len(answers.all("JOIN")) == int(limit)
