# SPDX-License-Identifier: MIT
"""Capability negotiation: IRCv3, "Client Capability Negotiation", version 302."""
import pytest

from irc_client import ANY

# What the server offers to everybody.
OFFERED = [
    "cap-notify", "message-tags", "server-time", "echo-message", "batch", "labeled-response",
    "multi-prefix", "userhost-in-names", "extended-join", "extended-monitor", "account-notify",
    "account-tag", "away-notify", "chghost", "invite-notify", "setname", "standard-replies",
    "draft/chathistory", "draft/event-playback", "draft/read-marker", "draft/multiline",
    "draft/message-redaction", "draft/channel-rename",
]


def listed(client, line="CAP LS 302", subcommand="LS"):
    """What CAP LS or LIST says: name to value, None without one."""
    client.send(line)
    caps = {}
    while True:
        answer = client.expect("CAP", ANY, subcommand)
        for item in answer.text.split():
            name, equals, value = item.partition("=")
            caps[name] = value if equals else None
        if answer.params[2] != "*":
            return caps


@pytest.mark.parametrize("cap", OFFERED)
def test_the_capability_is_offered_and_granted(irc, cap):
    """Capability negotiation, CAP LS and CAP REQ: what is listed can be had."""
    client = irc.connect()
    assert cap in listed(client)
    client.send(f"CAP REQ :{cap}")
    assert client.expect("CAP").params == ["*", "ACK", cap]


def test_ls_suspends_registration(irc):
    """Capability negotiation, CAP LS: registration waits for CAP END."""
    client = irc.connect()
    listed(client)
    assert client.ask(f"NICK {irc.name()}", "USER tester 0 * :x") == []
    client.send("CAP END")
    client.expect("001")


def test_req_suspends_registration(irc):
    """Capability negotiation, CAP REQ: so does a request."""
    client = irc.connect()
    client.send("CAP REQ :multi-prefix")
    client.expect("CAP")
    client.ask(f"NICK {irc.name()}", "USER tester 0 * :x").no("001")
    client.send("CAP END")
    client.expect("001")


def test_cap_end_without_nick_and_user_is_no_registration(irc):
    """Capability negotiation, CAP END: ends the negotiation only."""
    client, nick = irc.connect(), irc.name()
    listed(client)
    assert client.ask("CAP END") == []
    client.send(f"NICK {nick}", "USER tester 0 * :x")
    client.expect("001", nick)


def test_ls_301_has_no_values(irc):
    """Capability negotiation, capability values: only for version 302 and later."""
    assert set(listed(irc.connect(), "CAP LS").values()) == {None}


def test_ls_301_is_never_continued(irc):
    """Capability negotiation, multiline replies: only for version 302 and later."""
    client = irc.connect()
    client.send("CAP LS")
    assert len(client.expect("CAP").params) == 3


def test_ls_302_has_values(irc):
    """Multiline, Capabilities: max-bytes is required; max-lines recommended."""
    value = listed(irc.connect())["draft/multiline"]
    tokens = dict(token.split("=") for token in value.split(","))
    assert int(tokens["max-bytes"]) > 0 and int(tokens["max-lines"]) > 0


def test_ls_302_lists_the_same_names_as_301(irc):
    """Capability negotiation, CAP LS: the version changes the form only, but for cap-notify."""
    assert set(listed(irc.connect())) == set(listed(irc.connect(), "CAP LS"))


@pytest.mark.parametrize("version", ["303", "307", "65535"])
def test_a_later_version_is_treated_as_302(irc, version):
    """Capability negotiation, version: numbers above 302 mean at least 302."""
    assert listed(irc.connect(), f"CAP LS {version}")["draft/multiline"] is not None


def test_list_is_empty_at_first(irc):
    """Capability negotiation, CAP LIST: an empty parameter when none is active."""
    client = irc.connect()
    client.send("CAP LIST")
    assert client.expect("CAP").params == ["*", "LIST", ""]


def test_list_names_what_is_active(irc):
    """Capability negotiation, CAP LIST."""
    user = irc.user("user", "multi-prefix", "server-time")
    assert {"multi-prefix", "server-time"} <= set(listed(user, "CAP LIST", "LIST"))


def test_list_does_not_end_the_connection_for_registration(irc):
    """Capability negotiation, CAP LIST: only LS and REQ suspend registration."""
    client, nick = irc.connect(), irc.name()
    client.send("CAP LIST", f"NICK {nick}", "USER tester 0 * :x")
    client.expect("001", nick)


def test_ack_repeats_the_request(irc):
    """Capability negotiation, CAP ACK: lists the capabilities that were asked for."""
    client = irc.connect()
    client.send("CAP REQ :multi-prefix server-time")
    assert client.expect("CAP").text.split() == ["multi-prefix", "server-time"]


def test_an_unknown_capability_is_refused(irc):
    """Capability negotiation, CAP NAK: the list as it was requested."""
    client = irc.connect()
    client.send("CAP REQ :no-such-thing")
    assert client.expect("CAP").params == ["*", "NAK", "no-such-thing"]


def test_a_request_is_granted_whole_or_not_at_all(irc):
    """Capability negotiation, CAP REQ: accepted or rejected as a whole."""
    client = irc.connect()
    client.send("CAP REQ :multi-prefix no-such-thing")
    assert client.expect("CAP").params == ["*", "NAK", "multi-prefix no-such-thing"]
    assert listed(client, "CAP LIST", "LIST") == {}


def test_a_capability_can_be_given_back(irc):
    """Capability negotiation, CAP REQ: a name with '-' is disabled."""
    client = irc.connect()
    client.request("multi-prefix", "server-time")
    client.send("CAP REQ :-multi-prefix")
    assert client.expect("CAP").params[1:] == ["ACK", "-multi-prefix"]
    assert set(listed(client, "CAP LIST", "LIST")) == {"server-time"}


def test_a_capability_can_be_given_back_that_was_not_held(irc):
    """Capability negotiation, CAP REQ: disabling what is off changes nothing."""
    client = irc.connect()
    client.send("CAP REQ :-multi-prefix")
    assert client.expect("CAP").params[1] == "ACK"


def test_a_capability_can_be_asked_for_twice(irc):
    """Capability negotiation, CAP REQ: enabling what is on changes nothing."""
    client = irc.connect()
    client.request("multi-prefix")
    client.request("multi-prefix")
    assert set(listed(client, "CAP LIST", "LIST")) == {"multi-prefix"}


def test_cap_works_after_registration(irc):
    """Capability negotiation: clients may ask at any time."""
    user = irc.user()
    user.send("CAP REQ :multi-prefix")
    assert user.expect("CAP").params == [user.nick, "ACK", "multi-prefix"]


def test_cap_end_after_registration_is_ignored(irc):
    """Capability negotiation, CAP END: ignored once registered."""
    assert irc.user().ask("CAP END") == []


def test_an_unknown_subcommand_gives_410(irc):
    """Capability negotiation, Errors: ERR_INVALIDCAPCMD <client> <command>."""
    client = irc.connect()
    client.send("CAP FROBNICATE")
    assert client.expect("410").params == ["*", "FROBNICATE", ANY]


def test_cap_without_a_subcommand_is_an_error(irc):
    """Capability negotiation, Errors; Modern IRC, ERR_NEEDMOREPARAMS."""
    client = irc.connect()
    client.send("CAP")
    assert client.expect_one_of("461", "410").params[0] == "*"


def test_subcommands_are_understood_in_any_case(irc):
    """Capability negotiation: subcommands are case-insensitive."""
    client = irc.connect()
    client.send("cap ls 302")
    client.expect("CAP", "*", "LS")


def test_capability_names_are_case_sensitive(irc):
    """Capability negotiation, capability names: case-sensitive."""
    client = irc.connect()
    client.send("CAP REQ :Multi-Prefix")
    assert client.expect("CAP").params[1] == "NAK"


def test_302_enables_cap_notify(irc):
    """Capability negotiation, cap-notify: implicitly enabled by version 302."""
    client = irc.connect()
    listed(client)
    assert "cap-notify" in listed(client, "CAP LIST", "LIST")


def test_cap_notify_stays_with_302(irc):
    """Capability negotiation, cap-notify: a 302 client must not lose it; it may be refused."""
    client = irc.connect()
    listed(client)
    client.send("CAP REQ :-cap-notify")
    assert client.expect("CAP").params[1] in ("NAK", "ACK")
    assert "cap-notify" in listed(client, "CAP LIST", "LIST")


def test_an_empty_request_is_answered(irc):
    """Capability negotiation, CAP REQ: nothing asked, nothing refused."""
    client = irc.connect()
    client.send("CAP REQ :")
    assert client.expect("CAP").params[1] in ("ACK", "NAK")


def test_lines_of_ls_fit(irc):
    """Capability negotiation, CAP LS: 512 bytes a line, checked by the client on each line."""
    assert len(listed(irc.connect())) >= len(OFFERED)
