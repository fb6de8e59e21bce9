# SPDX-License-Identifier: MIT
"""NICK, QUIT, AWAY, SETNAME, MONITOR, user modes, bot mode, casemapping, confusable nicks."""
import pytest

from irc_client import ANY, Like


def test_a_nick_change_is_told_to_all_who_share_a_channel(irc):
    """NICK message: the server tells them, from the old nick."""
    _, alice, bob = irc.together("alice", "bob")
    new = irc.name("alicia")
    echo = alice.ask(f"NICK {new}").one("NICK")
    assert echo.nick == alice.nick and echo.params == [new]
    seen = bob.sync().one("NICK")
    assert seen.nick == alice.nick and seen.params == [new]


def test_a_nick_change_is_told_once(irc):
    """NICK message: once, however many channels are shared."""
    one, alice, bob = irc.together("alice", "bob")
    two = irc.room()
    alice.ask(f"JOIN {two}")
    bob.ask(f"JOIN {two}")
    alice.ask(f"NICK {irc.name('alicia')}")
    assert len(bob.sync().all("NICK")) == 1 and one


def test_strangers_do_not_see_a_nick_change(irc):
    """NICK message: only those who share a channel."""
    alice, bob = irc.user("alice"), irc.user("bob")
    alice.ask(f"NICK {irc.name('alicia')}")
    assert bob.sync() == []


def test_a_nick_in_use_is_refused(irc):
    """ERR_NICKNAMEINUSE: <client> <nick>."""
    alice, bob = irc.user("alice"), irc.user("bob")
    assert alice.ask(f"NICK {bob.nick}").one("433").params == [alice.nick, bob.nick, ANY]


def test_an_erroneous_nick_is_refused(irc):
    """ERR_ERRONEUSNICKNAME: <client> <nick>."""
    alice = irc.user("alice")
    for nick in ("a!b", "services.example"):
        assert alice.ask(f"NICK {nick}").one("432").params == [alice.nick, nick, ANY]


def test_a_refused_change_leaves_the_nick(irc):
    """NICK message: who is refused another nick keeps the old one."""
    alice, bob = irc.user("alice"), irc.user("bob")
    alice.ask(f"NICK {bob.nick}").one("433")
    bob.ask(f"PRIVMSG {alice.nick} :still you").nothing_wrong()
    assert alice.sync().one("PRIVMSG").params == [alice.nick, "still you"]


def test_a_nick_that_was_only_asked_for_is_free(irc):
    """Connection Registration: who left before registration holds no nick."""
    nick, early = irc.name(), irc.connect()
    early.send(f"NICK {nick}", "QUIT")
    early.expect_end()
    irc.named(nick)


def test_nick_without_a_name(irc):
    """ERR_NONICKNAMEGIVEN."""
    assert irc.user().ask("NICK").commands in (["431"], ["461"])


def test_a_nick_may_change_its_case(irc):
    """NICK message: one's own nick in other case is a change."""
    _, alice, bob = irc.together("alice", "bob")
    upper = alice.nick.upper()
    assert alice.ask(f"NICK {upper}").one("NICK").params == [upper]
    assert bob.sync().one("NICK").params == [upper]


def test_the_same_nick_again_does_nothing(irc):
    """NICK message: no change, no message; labeled-response: ACK."""
    _, alice, bob = irc.together("alice", "bob", caps=("batch", "labeled-response"))
    assert alice.ask(f"NICK {alice.nick}", f"NICK :{alice.nick}") == []
    assert alice.ask(f"@label=x NICK {alice.nick}").commands == ["ACK"]
    assert bob.sync() == []


def test_a_nick_given_up_is_free(irc):
    """NICK message."""
    alice = irc.user("alice")
    alice.ask(f"NICK {irc.name('alicia')}")
    irc.named(alice.nick)


def test_a_nick_is_free_after_quit(irc):
    """QUIT message."""
    alice = irc.user("alice")
    alice.send("QUIT")
    alice.expect_end()
    irc.named(alice.nick)


def test_the_longest_nick(irc):
    """ISUPPORT NICKLEN: nicks of that length are accepted whole."""
    alice = irc.user("alice")
    nick = irc.name("l").ljust(int(alice.isupport["NICKLEN"]), "o")
    assert alice.ask(f"NICK {nick}").one("NICK").params == [nick]


def test_a_nick_that_is_too_long(irc):
    """ISUPPORT NICKLEN: longer ones are refused or cut to it."""
    alice = irc.user("alice")
    longest = int(alice.isupport["NICKLEN"])
    answers = alice.ask(f"NICK {irc.name('l').ljust(longest + 1, 'o')}")
    if "432" not in answers.commands:
        assert len(answers.one("NICK").params[0]) == longest


def test_quit_is_acknowledged_with_error(irc):
    """QUIT message: the server sends ERROR and closes."""
    alice = irc.user("alice")
    alice.send("QUIT :bye")
    assert alice.expect_end().one("ERROR")


def test_quit_is_told_with_its_reason(irc):
    """QUIT message: others see "Quit: " before the reason, so that it cannot be forged."""
    _, alice, bob = irc.together("alice", "bob")
    alice.send("QUIT :off to lunch")
    alice.expect_end()
    seen = bob.sync().one("QUIT")
    assert seen.nick == alice.nick and seen.text == Like("(Quit: )?off to lunch")


def test_quit_without_a_reason(irc):
    """QUIT message: the reason is optional."""
    _, alice, bob = irc.together("alice", "bob")
    alice.send("QUIT")
    alice.expect_end()
    assert bob.sync().one("QUIT").nick == alice.nick


def test_a_lost_connection_is_a_quit(irc):
    """QUIT message: the server makes the reason when a client closes."""
    _, alice, bob = irc.together("alice", "bob")
    alice.close()
    assert bob.expect("QUIT").nick == alice.nick


def test_quit_is_told_once(irc):
    """QUIT message: once, however many channels are shared."""
    _, alice, bob = irc.together("alice", "bob")
    two = irc.room()
    alice.ask(f"JOIN {two}")
    bob.ask(f"JOIN {two}")
    alice.send("QUIT")
    alice.expect_end()
    assert len(bob.sync().all("QUIT")) == 1


def test_away_and_back(irc):
    """AWAY message: RPL_NOWAWAY, RPL_UNAWAY."""
    alice = irc.user("alice")
    assert alice.ask("AWAY :asleep").one("306").params == [alice.nick, ANY]
    assert alice.ask("AWAY").one("305").params == [alice.nick, ANY]


def test_an_empty_away_is_back(irc):
    """AWAY message: an empty text is none."""
    alice = irc.user("alice")
    alice.ask("AWAY :asleep")
    alice.ask("AWAY :").one("305")


def test_away_texts_are_cut_at_awaylen(irc):
    """ISUPPORT AWAYLEN: the longest text."""
    alice, bob = irc.user("alice"), irc.user("bob")
    longest = int(alice.isupport["AWAYLEN"])
    bob.ask("AWAY :" + "z" * (longest + 5))
    assert alice.ask(f"PRIVMSG {bob.nick} :x").one("301").text == "z" * longest


def test_away_notify(irc):
    """away-notify: AWAY :text from who is away, AWAY alone when back."""
    room, _ = irc.together("alice")
    alice = irc.clients[0]
    bob = irc.user("bob", "away-notify")
    bob.ask(f"JOIN {room}")
    alice.ask("AWAY :asleep")
    gone = bob.sync().one("AWAY")
    assert gone.nick == alice.nick and gone.params == ["asleep"]
    alice.ask("AWAY")
    assert bob.sync().one("AWAY").params == []


def test_away_notify_on_join(irc):
    """away-notify: AWAY follows the JOIN of one who is away."""
    room, bob = irc.together("bob", caps=["away-notify"])
    alice = irc.user("alice")
    alice.ask("AWAY :asleep", f"JOIN {room}")
    assert bob.sync().commands[:2] == ["JOIN", "AWAY"]


def test_away_is_not_told_without_away_notify(irc):
    """away-notify: only to those with the capability."""
    _, alice, bob = irc.together("alice", "bob")
    alice.ask("AWAY :asleep")
    assert bob.sync() == []


def test_setname_is_told(irc):
    """setname: SETNAME :<realname> to the user and those with the capability in shared channels."""
    _, alice, bob = irc.together("alice", "bob", caps=["setname"])
    echo = alice.ask("SETNAME :Alice The Great").one("SETNAME")
    assert echo.nick == alice.nick and echo.params == ["Alice The Great"]
    seen = bob.sync().one("SETNAME")
    assert seen.nick == alice.nick and seen.params == ["Alice The Great"]


def test_setname_shows_in_whois(irc):
    """setname: the real name is changed."""
    alice, bob = irc.user("alice", "setname"), irc.user("bob")
    alice.ask("SETNAME :Alice The Great")
    assert bob.ask(f"WHOIS {alice.nick}").one("311").text == "Alice The Great"


def test_setname_is_not_told_without_the_capability(irc):
    """setname: only to those with it."""
    room, bob = irc.together("bob")
    alice = irc.user("alice", "setname")
    alice.ask(f"JOIN {room}")
    bob.sync()
    alice.ask("SETNAME :Alice The Great")
    assert bob.sync() == []


def test_setname_that_is_too_long(irc):
    """setname: FAIL SETNAME INVALID_REALNAME beyond ISUPPORT NAMELEN."""
    alice = irc.user("alice", "setname", "standard-replies")
    longest = int(alice.isupport["NAMELEN"])
    answer = alice.ask("SETNAME :" + "n" * (longest + 1)).no("SETNAME").one("FAIL")
    assert answer.params[:2] == ["SETNAME", "INVALID_REALNAME"]


def test_setname_of_the_longest_name(irc):
    """setname, ISUPPORT NAMELEN."""
    alice = irc.user("alice", "setname")
    name = "n" * int(alice.isupport["NAMELEN"])
    assert alice.ask(f"SETNAME :{name}").one("SETNAME").params == [name]


def test_setname_without_a_name(irc):
    """setname; ERR_NEEDMOREPARAMS."""
    assert irc.user("alice", "setname").ask("SETNAME").commands in (["461"], ["FAIL"])


def test_a_user_asks_for_its_modes(irc):
    """MODE message: RPL_UMODEIS."""
    alice = irc.user("alice")
    assert alice.ask(f"MODE {alice.nick}").one("221").params == [alice.nick, Like(r"\+[A-Za-z]*")]


@pytest.mark.parametrize("letter", "iw")
def test_a_user_mode_is_set_and_taken_off(irc, letter):
    """User modes: MODE <nick> <changes>, told to the user."""
    alice = irc.user("alice")
    if letter in alice.ask(f"MODE {alice.nick}").one("221").params[1]:
        alice.ask(f"MODE {alice.nick} -{letter}").one("MODE")
    assert alice.ask(f"MODE {alice.nick} +{letter}").one("MODE").params == [alice.nick, "+" + letter]
    assert letter in alice.ask(f"MODE {alice.nick}").one("221").params[1]
    assert alice.ask(f"MODE {alice.nick} -{letter}").one("MODE").params == [alice.nick, "-" + letter]


def test_modes_of_others_are_theirs(irc):
    """ERR_USERSDONTMATCH."""
    alice, bob = irc.user("alice"), irc.user("bob")
    assert alice.ask(f"MODE {bob.nick} +i").one("502").params == [alice.nick, ANY]
    assert bob.sync() == []


def test_modes_of_nobody(irc):
    """MODE message: ERR_NOSUCHNICK, or ERR_USERSDONTMATCH."""
    assert irc.user().ask("MODE nobody-here +i").commands in (["401"], ["502"])


def test_an_unknown_user_mode_gives_501(irc):
    """ERR_UMODEUNKNOWNFLAG."""
    alice = irc.user("alice")
    assert alice.ask(f"MODE {alice.nick} +y").one("501").params[0] == alice.nick


def test_nobody_makes_himself_an_operator(irc):
    """Operator user mode: +o is ignored; it comes from OPER only."""
    alice = irc.user("alice")
    alice.ask(f"MODE {alice.nick} +o").no("MODE", "381")
    assert "o" not in alice.ask(f"MODE {alice.nick}").one("221").params[1]


def test_an_operator_may_give_it_back(irc):
    """Operator user mode: -o."""
    boss = irc.oper()
    assert boss.ask(f"MODE {boss.nick} -o").one("MODE").params == [boss.nick, "-o"]
    boss.ask("WALLOPS :x").one("481")


def test_monitor_tells_who_is_on_and_who_is_not(irc):
    """MONITOR +: RPL_MONONLINE with masks, RPL_MONOFFLINE with nicks."""
    alice, bob = irc.user("alice"), irc.user("bob")
    answers = alice.ask(f"MONITOR + {bob.nick},nobody-here")
    assert answers.one("730").params == [alice.nick, Like(rf"{bob.nick}(!\S+@\S+)?")]
    assert answers.one("731").params == [alice.nick, "nobody-here"]


def test_monitor_tells_when_somebody_comes(irc):
    """MONITOR: RPL_MONONLINE when a target connects."""
    alice, nick = irc.user("alice"), irc.name("bob")
    alice.ask(f"MONITOR + {nick}").one("731")
    irc.named(nick)
    assert alice.sync().one("730").params[1].split("!")[0] == nick


def test_monitor_tells_when_somebody_goes(irc):
    """MONITOR: RPL_MONOFFLINE when a target quits."""
    alice, bob = irc.user("alice"), irc.user("bob")
    alice.ask(f"MONITOR + {bob.nick}")
    bob.send("QUIT")
    bob.expect_end()
    assert alice.sync().one("731").params == [alice.nick, bob.nick]


def test_monitor_follows_nick_changes(irc):
    """MONITOR: a target that changes its nick goes; one that takes it comes."""
    alice, bob = irc.user("alice"), irc.user("bob")
    new = irc.name("robert")
    alice.ask(f"MONITOR + {bob.nick},{new}")
    bob.ask(f"NICK {new}")
    answers = alice.sync()
    assert answers.one("731").params[1] == bob.nick
    assert answers.one("730").params[1].split("!")[0] == new


def test_monitor_says_nothing_of_a_change_of_case(irc):
    """MONITOR: the same nick in other case is still there."""
    alice, bob = irc.user("alice"), irc.user("bob")
    alice.ask(f"MONITOR + {bob.nick}")
    bob.ask(f"NICK {bob.nick.upper()}")
    assert alice.sync() == []


def test_monitor_minus(irc):
    """MONITOR -: no answer, and no more news."""
    alice, bob = irc.user("alice"), irc.user("bob")
    alice.ask(f"MONITOR + {bob.nick}")
    assert alice.ask(f"MONITOR - {bob.nick}") == []
    bob.send("QUIT")
    bob.expect_end()
    assert alice.sync() == []


def test_monitor_clear(irc):
    """MONITOR C: no answer, an empty list."""
    alice = irc.user("alice")
    alice.ask("MONITOR + nobody-here")
    assert alice.ask("MONITOR C") == []
    assert alice.ask("MONITOR L").commands == ["733"]


def test_monitor_list(irc):
    """MONITOR L: RPL_MONLIST, RPL_ENDOFMONLIST."""
    alice = irc.user("alice")
    alice.ask("MONITOR + nobody-here,no-one")
    answers = alice.ask("MONITOR L")
    assert set(answers.one("732").params[1].split(",")) == {"nobody-here", "no-one"}
    assert answers.one("733").params[0] == alice.nick


def test_monitor_status(irc):
    """MONITOR S: the state of all targets."""
    alice, bob = irc.user("alice"), irc.user("bob")
    alice.ask(f"MONITOR + {bob.nick},nobody-here")
    answers = alice.ask("MONITOR S")
    assert answers.one("730").params[1].split("!")[0] == bob.nick
    assert answers.one("731").params[1] == "nobody-here"


def test_monitor_is_full(irc):
    """ERR_MONLISTFULL: <client> <limit> <targets>."""
    alice = irc.user("alice")
    limit = int(alice.isupport["MONITOR"])
    names = [f"no-{i}" for i in range(limit + 1)]
    answers = alice.ask(*(f"MONITOR + {name}" for name in names))
    assert answers.one("734").params[:3] == [alice.nick, str(limit), names[-1]]
    assert len(answers.all("731")) == limit


def test_monitor_takes_no_masks(irc):
    """MONITOR: targets are nicks, never masks."""
    alice = irc.user("alice")
    alice.ask("MONITOR + *!*@*").no("730")
    irc.user("bob")
    assert alice.sync() == []


def test_a_target_is_monitored_once(irc):
    """MONITOR +: again is no second entry."""
    alice = irc.user("alice")
    alice.ask("MONITOR + nobody-here", "MONITOR + NOBODY-HERE")
    assert len(alice.ask("MONITOR L").one("732").params[1].split(",")) == 1


@pytest.mark.parametrize("cap, line, command", [("away-notify", "AWAY :asleep", "AWAY"),
                                                ("setname", "SETNAME :New Name", "SETNAME")])
def test_extended_monitor(irc, cap, line, command):
    """extended-monitor: news of monitored users without a shared channel."""
    alice, bob = irc.user("alice", "extended-monitor", cap), irc.user("bob", "setname")
    alice.ask(f"MONITOR + {bob.nick}")
    bob.ask(line)
    seen = alice.sync()
    assert seen.commands == [command] and seen[0].nick == bob.nick


def test_extended_monitor_needs_the_other_capability(irc):
    """extended-monitor: only what the client has asked for."""
    alice, bob = irc.user("alice", "extended-monitor"), irc.user("bob")
    alice.ask(f"MONITOR + {bob.nick}")
    bob.ask("AWAY :asleep")
    assert alice.sync() == []


def test_without_extended_monitor_no_news_of_strangers(irc):
    """extended-monitor: needed."""
    alice, bob = irc.user("alice", "away-notify"), irc.user("bob")
    alice.ask(f"MONITOR + {bob.nick}")
    bob.ask("AWAY :asleep")
    assert alice.sync() == []


def test_extended_monitor_tells_once(irc):
    """extended-monitor: no doubles where a channel is shared too."""
    room, alice = irc.together("alice", caps=["extended-monitor", "away-notify"])
    bob = irc.user("bob")
    bob.ask(f"JOIN {room}")
    alice.ask(f"MONITOR + {bob.nick}")
    bob.ask("AWAY :asleep")
    assert alice.sync().commands == ["AWAY"]


def bot(irc):
    """A user in bot mode, and its letter."""
    robot = irc.user("robot", "message-tags")
    letter = robot.isupport["BOT"]
    robot.ask(f"MODE {robot.nick} +{letter}").one("MODE")
    return robot, letter


def test_bot_mode_in_whois(irc):
    """bot-mode: RPL_WHOISBOT (335)."""
    robot, _ = bot(irc)
    alice = irc.user("alice")
    assert alice.ask(f"WHOIS {robot.nick}").one("335").params == [alice.nick, robot.nick, ANY]


def test_bot_mode_in_who(irc):
    """bot-mode: the letter among the flags of RPL_WHOREPLY."""
    robot, letter = bot(irc)
    assert letter in irc.user().ask(f"WHO {robot.nick}").one("352").params[6]


def test_bot_mode_tags_messages(irc):
    """bot-mode: the tag "bot", without a value."""
    robot, _ = bot(irc)
    alice = irc.user("alice", "message-tags")
    robot.ask(f"PRIVMSG {alice.nick} :beep")
    assert alice.sync().one("PRIVMSG").tags["bot"] == ""


def test_no_bot_tag_for_people(irc):
    """bot-mode: only for those who have the mode."""
    alice, bob = irc.user("alice", "message-tags"), irc.user("bob")
    bob.ask(f"PRIVMSG {alice.nick} :hello")
    assert "bot" not in alice.sync().one("PRIVMSG").tags


def test_casemapping_is_announced(irc):
    """ISUPPORT CASEMAPPING."""
    assert irc.user().isupport["CASEMAPPING"] in ("ascii", "rfc1459", "rfc1459-strict", "rfc7613", "utf8",
                                                  "precis")


def test_casemapping_of_ascii_letters(irc):
    """Casemapping: every mapping folds A-Z."""
    nick = irc.name("CamelCase")
    irc.named(nick)
    client = irc.connect()
    client.send(f"NICK {nick.lower()}", "USER tester 0 * :x")
    client.expect("433")


@pytest.mark.parametrize("one, other", [("\u0430lice", "alice"), ("\u0440\u0430\u0443l", "payl")])
def test_confusable_nicks_cannot_both_be_taken(irc, one, other):
    """UTS 39, confusable detection: the skeletons of two nicks must differ."""
    mark = irc.name("")
    irc.named(one + mark)
    client = irc.connect()
    client.send(f"NICK {other}{mark}", "USER tester 0 * :x")
    assert client.expect_one_of("001", "433", "432").command != "001"


def test_a_nick_may_be_confusable_with_ones_own(irc):
    """UTS 39: it is the same person."""
    mark = irc.name("")
    alice = irc.named("alice" + mark)
    alice.ask(f"NICK \u0430lice{mark}").one("NICK")


def test_names_of_ascii_are_told_apart_by_people(irc):
    """A choice of this server: guest1 and guestl, of ASCII alone, may both be taken."""
    mark = irc.name("")
    irc.named("guest1" + mark)
    irc.named("guestl" + mark)


def test_whowas_of_several_nicks(irc):
    """RFC 2812 3.6.3: a list of nicks; the newest entry first whatever their order; one end."""
    alice, bob, carol = irc.user("alice"), irc.user("bob"), irc.user("carol")
    for left in (bob, carol):
        left.send("QUIT")
        left.expect_end()
    for names in (f"{bob.nick},{carol.nick}", f"{carol.nick},{bob.nick}"):
        answers = alice.ask(f"WHOWAS {names}")
        assert [m.params[1] for m in answers.all("314")] == [carol.nick, bob.nick]
        assert answers.one("369").params[:2] == [alice.nick, names]
    alice.ask(f"WHOWAS {names} 1").one("314")
