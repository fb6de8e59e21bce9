# SPDX-License-Identifier: MIT
"""LIST: Modern IRC, "LIST message" and "ELIST Parameter"."""
import time

import pytest

from harness import PATIENCE_S, time_left
from irc_client import ANY


def listed(user, parameters=""):
    """The channels that LIST names."""
    answers = user.ask(f"LIST {parameters}".rstrip())
    assert answers.commands[-1] == "323"
    assert set(answers.commands[:-1]) <= {"321", "322"}
    return [message.params[1] for message in answers.all("322")]


def test_list_names_a_channel_its_members_and_topic(irc):
    """RPL_LIST: <client> <channel> <client count> :<topic>."""
    room, alice, _ = irc.together("alice", "bob")
    alice.ask(f"TOPIC {room} :What we do")
    answers = irc.user().ask(f"LIST {room}")
    assert answers.one("322").params[1:] == [room, "2", "What we do"]


def test_list_without_parameters_names_all(irc):
    """LIST message: all channels, then RPL_LISTEND."""
    one, two = irc.together("alice")[0], irc.together("bob")[0]
    assert {one, two} <= set(listed(irc.user()))


def test_listend_has_client_and_text(irc):
    """RPL_LISTEND: <client> :End of /LIST."""
    user = irc.user()
    assert user.ask("LIST").one("323").params == [user.nick, ANY]


def test_list_of_no_channel_is_no_error(irc):
    """LIST message: only the end."""
    assert listed(irc.user(), irc.room()) == []


def test_list_of_several_channels(irc):
    """LIST message: a comma-separated list."""
    one, two, three = (irc.together("alice")[0] for _ in range(3))
    assert sorted(listed(irc.user(), f"{one},{three}")) == sorted([one, three])
    assert two


def test_a_secret_channel_is_not_listed(irc):
    """Secret channel mode: not in LIST for those who are not in it."""
    room, alice = irc.together("alice")
    alice.ask(f"MODE {room} +s")
    assert room not in listed(irc.user())


def test_a_secret_channel_is_not_listed_by_name(irc):
    """Secret channel mode: as if it did not exist."""
    room, alice = irc.together("alice")
    alice.ask(f"MODE {room} +s")
    assert listed(irc.user(), room) == []


def test_members_see_their_secret_channel(irc):
    """Secret channel mode: members see it."""
    room, alice = irc.together("alice")
    alice.ask(f"MODE {room} +s")
    assert listed(alice, room) == [room]


def test_list_in_other_case(irc):
    """Modern IRC, Casemapping."""
    room, _ = irc.together("alice")
    assert listed(irc.user(), room.upper()) == [room]


def test_elist_says_what_there_is(irc):
    """ISUPPORT ELIST: the extensions C M N T U."""
    assert set(irc.user().isupport["ELIST"].upper()) == set("CMNTU")


def test_list_by_mask(irc):
    """ELIST M: a mask of channel names."""
    user, base = irc.user(), irc.room("mask")
    user.ask(f"JOIN {base}aa,{base}ab,{base}bb")
    assert sorted(listed(user, f"{base}a*")) == [f"{base}aa", f"{base}ab"]
    assert sorted(listed(user, f"*{base[1:]}?b")) == [f"{base}ab", f"{base}bb"]


def test_list_by_not_mask(irc):
    """ELIST N: a mask with '!' before it, the channels that do not match."""
    user, base = irc.user(), irc.room("not")
    user.ask(f"JOIN {base}aa,{base}bb")
    found = listed(user, f"!{base}a*")
    assert f"{base}bb" in found and f"{base}aa" not in found


def test_list_by_more_users(irc):
    """ELIST U: '>n', more than n."""
    two, one = irc.together("alice", "bob")[0], irc.together("carol")[0]
    found = listed(irc.user(), ">1")
    assert two in found and one not in found


def test_list_by_fewer_users(irc):
    """ELIST U: '<n', fewer than n."""
    two, one = irc.together("alice", "bob")[0], irc.together("carol")[0]
    found = listed(irc.user(), "<2")
    assert one in found and two not in found


def test_conditions_are_combined(irc):
    """LIST message: all conditions must hold."""
    two, one = irc.together("alice", "bob")[0], irc.together("carol")[0]
    found = listed(irc.user(), ">0,<2")
    assert one in found and two not in found


def test_list_by_age_young(irc):
    """ELIST C: 'C<n', created less than n minutes ago."""
    room, _ = irc.together("alice")
    assert room in listed(irc.user(), "C<10")


def test_list_by_age_old(irc):
    """ELIST C: 'C>n', created more than n minutes ago."""
    room, _ = irc.together("alice")
    assert room not in listed(irc.user(), "C>10")


def test_list_by_age_of_topic(irc):
    """ELIST T: 'T<n', the topic set less than n minutes ago."""
    room, alice = irc.together("alice")
    alice.ask(f"TOPIC {room} :Young")
    assert room in listed(irc.user(), "T<10")
    assert room not in listed(irc.user(), "T>10")


def test_a_channel_without_topic_has_no_topic_time(irc):
    """ELIST T: no topic was set less than n minutes ago."""
    room, _ = irc.together("alice")
    assert room not in listed(irc.user(), "T<10")


def test_ages_with_the_clock_moved_on(serve):
    """ELIST C and T, when time goes by: a clock that runs 3,600 times as fast."""
    irc = serve(_clock="+0 x3600", limits={"ping": 0})
    room, alice = irc.together("alice")
    alice.ask(f"TOPIC {room} :Grows old")
    # Each LIST takes a while; the server's minute is a sixtieth of a second.
    deadline = time.monotonic() + PATIENCE_S
    while room not in listed(alice, "C>2") or room not in listed(alice, "T>2"):
        time_left(deadline, "three minutes of the server")
    assert room not in listed(alice, "C<2") and room not in listed(alice, "T<2")
