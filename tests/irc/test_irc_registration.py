# SPDX-License-Identifier: MIT
"""Connection registration: Modern IRC, "Connection Registration" and "Connection Messages"."""
import re

import pytest

from irc_client import ANY, Like


def begin(irc, nick=None):
    """A connection that has sent NICK and USER. Returns it and the nick."""
    nick = nick or irc.name()
    client = irc.connect()
    client.send(f"NICK {nick}", "USER tester 0 * :A Tester")
    return client, nick


def test_the_burst_starts_with_001_to_004_in_order(irc):
    """Modern IRC, Connection Registration: 001 002 003 004, then at least one 005."""
    assert irc.user().burst.commands[:5] == ["001", "002", "003", "004", "005"]


def test_every_numeric_of_the_burst_names_the_client(irc):
    """Modern IRC, Numerics: the first parameter is the client's nick."""
    user = irc.user()
    numerics = [message for message in user.burst if message.command.isdigit()]
    assert {message.params[0] for message in numerics} == {user.nick}


def test_every_numeric_of_the_burst_comes_from_the_server(irc):
    """Modern IRC, Numerics: the source is the server's name."""
    numerics = [message for message in irc.user().burst if message.command.isdigit()]
    assert {message.source for message in numerics} == {"irc.example"}


def test_welcome_names_the_network_and_the_client(irc):
    """Modern IRC, RPL_WELCOME: "Welcome to the <networkname> Network, <nick>"."""
    user = irc.user()
    welcome = user.burst.one("001")
    assert len(welcome.params) == 2
    assert "ExampleNet" in welcome.text and user.nick in welcome.text


def test_yourhost_names_server_and_version(irc):
    """Modern IRC, RPL_YOURHOST: one text with the server's name."""
    yourhost = irc.user().burst.one("002")
    assert len(yourhost.params) == 2 and "irc.example" in yourhost.text


def test_myinfo_has_name_version_and_modes(irc):
    """Modern IRC, RPL_MYINFO: <servername> <version> <user modes> <channel modes> [<with parameter>]."""
    user = irc.user()
    myinfo = user.burst.one("004")
    assert myinfo.params[:2] == [user.nick, "irc.example"]
    assert len(myinfo.params) in (5, 6)
    assert set("iow") <= set(myinfo.params[3])
    assert set("beIklimnstov") <= set(myinfo.params[4])


def test_myinfo_lists_modes_with_a_parameter(irc):
    """Modern IRC, RPL_MYINFO: the last field is the channel modes that take a parameter."""
    assert set("beIklov") <= set(irc.user().burst.one("004").params[-1])


def test_lusers_is_in_the_burst(irc):
    """Modern IRC, Connection Registration: the server replies as if LUSERS was asked."""
    assert {"251", "255", "265", "266"} <= set(irc.user().burst.commands)


def test_lusers_comes_after_isupport(irc):
    """Modern IRC, Connection Registration: 005 before LUSERS before the MOTD."""
    commands = irc.user().burst.commands
    assert commands.index("005") < commands.index("251") < commands.index("422")


def test_without_a_motd_the_burst_says_422(irc):
    """Modern IRC, ERR_NOMOTD: sent when there is no message of the day."""
    user = irc.user()
    assert user.burst.one("422").params == [user.nick, ANY]


def test_user_before_nick_registers(irc):
    """Modern IRC, Connection Registration: NICK and USER come in any order."""
    client, nick = irc.connect(), irc.name()
    client.send("USER tester 0 * :A Tester", f"NICK {nick}")
    assert client.expect("001").params[0] == nick


def test_a_nick_alone_does_not_register(irc):
    """Modern IRC, Connection Registration: both NICK and USER are needed."""
    client = irc.connect()
    assert client.ask(f"NICK {irc.name()}").commands == []


def test_user_alone_does_not_register(irc):
    """Modern IRC, Connection Registration: both NICK and USER are needed."""
    assert irc.connect().ask("USER tester 0 * :A Tester").commands == []


def test_ping_is_answered_before_registration(irc):
    """Modern IRC, PING message; cookies of clients come before the end of registration."""
    client = irc.connect()
    client.send("PING early")
    assert client.expect("PONG").params == ["irc.example", "early"]


def test_the_last_nick_before_registration_counts(irc):
    """Modern IRC, NICK message: a client may change its mind."""
    client, nick = irc.connect(), irc.name()
    client.send(f"NICK {irc.name()}", f"NICK {nick}", "USER tester 0 * :A Tester")
    assert client.expect("001").params[0] == nick


def test_a_nick_in_use_is_refused_with_433(irc):
    """Modern IRC, ERR_NICKNAMEINUSE: <client> <nick>; before registration the client is "*"."""
    taken = irc.user()
    client = irc.connect()
    client.send("USER tester 0 * :A Tester", f"NICK {taken.nick}")
    assert client.expect("433").params == ["*", taken.nick, ANY]


def test_a_nick_in_use_is_refused_in_other_case(irc):
    """Modern IRC, Casemapping: nicks that differ in case only are the same."""
    taken = irc.user()
    client, _ = begin(irc, taken.nick.upper())
    assert client.expect("433").params[1] == taken.nick.upper()


def test_after_433_another_nick_registers(irc):
    """Modern IRC, NICK message: the client tries another one."""
    taken, nick = irc.user(), irc.name()
    client, _ = begin(irc, taken.nick)
    client.expect("433")
    client.send(f"NICK {nick}")
    assert client.expect("001").params[0] == nick


def test_two_who_register_at_once_do_not_share_a_nick(irc):
    """Modern IRC, NICK message: one of them gets it, the other 433."""
    first, nick = begin(irc)
    second, _ = begin(irc, nick)
    got = {client.expect_one_of("001", "433").command for client in (first, second)}
    assert got == {"001", "433"}


@pytest.mark.parametrize("nick", ["#room", "1digit", "a!b", "a@b", "a*b", "a?b", "a,b",
                                  "$a", "+a", "@a", "~a", "%a", "&a", "a.b", "irc.a"])
def test_an_erroneous_nick_is_refused_with_432(irc, nick):
    """Modern IRC, ERR_ERRONEUSNICKNAME, and Clients: characters nicks must not hold."""
    client = irc.connect()
    answers = client.ask(f"NICK {nick}", "USER tester 0 * :A Tester")
    assert answers.no("001").commands in (["432"], ["431"])


def test_nick_without_a_name_gives_431(irc):
    """Modern IRC, ERR_NONICKNAMEGIVEN."""
    assert irc.connect().ask("NICK").one("431").params == ["*", ANY]


def test_nick_with_an_empty_name_gives_431_or_432(irc):
    """Modern IRC, NICK message: an empty parameter is no nickname."""
    assert set(irc.connect().ask("NICK :").commands) <= {"431", "432"} != set()


@pytest.mark.parametrize("line", ["USER", "USER tester", "USER tester 0", "USER tester 0 *"])
def test_user_with_too_few_parameters_gives_461(irc, line):
    """Modern IRC, USER message: ERR_NEEDMOREPARAMS <client> <command>."""
    client = irc.connect()
    assert client.ask(line).one("461").params == ["*", "USER", ANY]


def test_user_with_an_empty_real_name_gives_461(irc):
    """Modern IRC, USER message: neither username nor realname may be empty."""
    answer = irc.connect().ask(f"NICK {irc.name()}", "USER tester 0 * :").one("461")
    assert answer.params[1] == "USER"


def test_user_with_an_empty_user_name_gives_461(irc):
    """Modern IRC, USER message: the user name MUST NOT be empty."""
    assert irc.connect().ask("USER : 0 * :x", f"NICK {irc.name()}").no("001")


def test_user_again_gives_462(irc):
    """Modern IRC, ERR_ALREADYREGISTERED."""
    user = irc.user()
    assert user.ask("USER tester 0 * :Again").one("462").params == [user.nick, ANY]


def test_pass_after_registration_gives_462(irc):
    """Modern IRC, PASS message: ERR_ALREADYREGISTERED."""
    user = irc.user()
    assert user.ask("PASS x").one("462").params == [user.nick, ANY]


def test_pass_without_a_password_gives_461(irc):
    """Modern IRC, PASS message: ERR_NEEDMOREPARAMS."""
    assert irc.connect().ask("PASS").one("461").params == ["*", "PASS", ANY]


def test_pass_is_accepted_where_none_is_needed(irc):
    """Modern IRC, PASS message: optional."""
    irc.user(password="whatever").sync().nothing_wrong()


@pytest.mark.parametrize("line", ["JOIN #a", "PRIVMSG x :y", "LIST", "NAMES #a", "WHO x", "MODE x",
                                  "TOPIC #a", "LUSERS", "MOTD", "WHOIS x", "OPER boss secret"])
def test_commands_before_registration_give_451(irc, line):
    """Modern IRC, ERR_NOTREGISTERED: <client>, which is "*" before there is a nick."""
    answer = irc.connect().ask(line).one("451")
    assert answer.params[0] == "*"


def test_an_unknown_command_gives_421(irc):
    """Modern IRC, ERR_UNKNOWNCOMMAND: <client> <command>."""
    user = irc.user()
    assert user.ask("FROBNICATE now").one("421").params == [user.nick, "FROBNICATE", ANY]


def test_commands_are_understood_in_any_case(irc):
    """Modern IRC, Message Format: commands are not case-sensitive in practice."""
    user = irc.user()
    user.ask(f"join {irc.room()}", "mOtD").nothing_wrong_but("422").one("JOIN")


def test_the_source_of_a_client_is_ignored(irc):
    """Modern IRC, Source: servers ignore the source a client sends."""
    alice, bob = irc.user("alice"), irc.user("bob")
    alice.ask(f":{bob.nick} PRIVMSG {bob.nick} :hello")
    assert bob.sync().one("PRIVMSG").nick == alice.nick


def test_empty_lines_are_ignored(irc):
    """Modern IRC, Message Format: empty messages are silently ignored."""
    user = irc.user()
    user.send_bytes(b"\r\n\r\n\n\n")
    assert user.sync() == []


def test_a_line_feed_alone_ends_a_line(irc):
    """Modern IRC, Message Format: servers should accept LF alone."""
    user = irc.user()
    user.send_bytes(b"PING :bare\n")
    assert user.expect("PONG").text == "bare"


def test_many_spaces_between_parameters(irc):
    """Modern IRC, Message Format: one or more spaces between the parts."""
    user = irc.user()
    user.send("PING    spaced")
    assert user.expect("PONG").text == "spaced"


def test_a_trailing_parameter_keeps_its_spaces(irc):
    """Modern IRC, Parameters: the last one may hold spaces and colons."""
    alice, bob = irc.user("alice"), irc.user("bob")
    alice.ask(f"PRIVMSG {bob.nick} : two  :words ")
    assert bob.sync().one("PRIVMSG").text == " two  :words "


def test_quit_before_registration_ends_the_connection(irc):
    """Modern IRC, QUIT message: the server answers with ERROR and closes."""
    client = irc.connect()
    client.send("QUIT")
    assert client.expect_end().commands == ["ERROR"]


def test_a_user_name_is_shown_to_others(irc):
    """Modern IRC, USER message: the user name is part of the source, perhaps with a tilde."""
    room = irc.room()
    user = irc.user(user="guido")
    assert user.ask(f"JOIN {room}").one("JOIN").user in ("guido", "~guido")


def test_the_host_is_cloaked(irc):
    """Hosts of users are cloaked by default: nobody sees the address."""
    user = irc.user()
    assert "127.0.0.1" not in user.ask(f"JOIN {irc.room()}").one("JOIN").host


def test_isupport_lines_have_at_most_13_tokens(irc):
    """Modern IRC, RPL_ISUPPORT: at most 13 tokens; 15 parameters with nick and text."""
    for message in irc.user().burst.all("005"):
        assert 1 <= len(message.params) - 2 <= 13


def test_isupport_lines_end_with_the_same_text(irc):
    """Modern IRC, RPL_ISUPPORT: "are supported by this server"."""
    assert {message.text for message in irc.user().burst.all("005")} == {"are supported by this server"}


def test_isupport_tokens_have_the_form_of_tokens(irc):
    """Modern IRC, RPL_ISUPPORT: letters, digits, perhaps '=' and a value."""
    for message in irc.user().burst.all("005"):
        for token in message.params[1:-1]:
            assert re.fullmatch(r"-?(draft/)?[A-Z0-9]{1,20}(=[!-~]*)?", token), token


def test_no_isupport_token_comes_twice(irc):
    """Modern IRC, RPL_ISUPPORT: a token again would replace the first."""
    user = irc.user()
    names = [token.split("=")[0] for message in user.burst.all("005") for token in message.params[1:-1]]
    assert len(names) == len(set(names))


def test_pass_and_cap_and_nick_and_user_together(irc):
    """Modern IRC, Connection Registration: the recommended order in one packet."""
    client, nick = irc.connect(), irc.name()
    client.send("CAP LS 302", "PASS x", f"NICK {nick}", "USER tester 0 * :A Tester", "CAP END")
    client.expect("CAP", "*", "LS")
    assert client.expect("001").params == [nick, Like("Welcome to the .*")]


def test_version_gives_isupport_again(irc):
    """Modern IRC, VERSION message: RPL_VERSION, and RPL_ISUPPORT should be sent again."""
    user = irc.user()
    answers = user.ask("VERSION")
    assert answers.one("351").params[:1] == [user.nick]
    assert [m.params for m in answers.all("005")] == [m.params for m in user.burst.all("005")]


def test_nick_to_the_own_nick_is_no_change(irc):
    """Modern IRC, NICK message: nothing changes, so nobody is told."""
    room, alice, bob = irc.together("alice", "bob")
    assert alice.ask(f"NICK {alice.nick}") == [] and bob.sync() == []
    assert alice.ask(f"NICK {alice.nick.upper()}").one("NICK").params == [alice.nick.upper()]
