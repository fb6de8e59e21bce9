# SPDX-License-Identifier: MIT
"""Passwords, flood control, limits of connections, time-outs, UTF-8, lengths: each with its own
server where the configuration matters."""
import json
import pathlib
import signal
import subprocess
import time

import pytest

from harness import BINARY, PATIENCE_S, time_left
from irc_client import ANY, Like


# passwords

def test_the_right_password_lets_in(serve):
    """PASS message: the password of the configuration."""
    serve(password="open sesame").user(password=":open sesame")


def test_a_wrong_password_gives_464_and_error(serve):
    """PASS message: ERR_PASSWDMISMATCH, then ERROR and the end."""
    irc = serve(password="sesame")
    client = irc.connect()
    client.send("PASS wrong", f"NICK {irc.name()}", "USER tester 0 * :x")
    end = client.expect_end()
    assert end.commands == ["464", "ERROR"] and end[0].params == [ANY, ANY]


def test_no_password_is_refused(serve):
    """PASS message: one is needed."""
    irc = serve(password="sesame")
    client = irc.connect()
    client.send(f"NICK {irc.name()}", "USER tester 0 * :x")
    client.expect_end().no("001").one("464")


def test_the_last_password_counts(serve):
    """PASS message: if sent more than once, the last one."""
    irc = serve(password="sesame")
    client = irc.connect()
    client.send("PASS wrong", "PASS sesame", f"NICK {irc.name()}", "USER tester 0 * :x")
    client.expect("001")


def test_a_password_after_nick_and_user_is_too_late(serve):
    """PASS message: it must be sent before."""
    irc = serve(password="sesame")
    client = irc.connect()
    client.send(f"NICK {irc.name()}", "USER tester 0 * :x", "PASS sesame")
    client.expect_end().no("001")


def hashed(password):
    """What `partyline hash` makes of a password."""
    done = subprocess.run([BINARY, "hash"], input=password + "\n", capture_output=True, text=True,
                          timeout=60, check=True)
    return done.stdout.strip()


def test_an_operator_with_a_hash(serve):
    """Configuration operators.password_hash, made by partyline hash (argon2id)."""
    text = hashed("secret")
    assert text.startswith("$argon2id$")
    irc = serve(operators=[{"name": "boss", "password_hash": text}])
    user = irc.user()
    user.send("OPER boss wrong")
    user.expect("464")
    user.send("OPER boss secret")
    user.expect("381")


def test_a_plain_password_is_warned_of(serve):
    """Configuration: plain passwords are allowed with a warning."""
    serve().server.wait_for_log("password")


# flood control

def test_flood_control_slows_down_and_loses_nothing(serve):
    """Flood control: a burst, then a rate; what was sent arrives, in order."""
    irc = serve(limits={"flood": {"burst": 5, "rate": 50}})
    room, alice, bob = irc.together("alice", "bob")
    alice.send(*(f"PRIVMSG {room} :{i}" for i in range(40)))
    alice.sync()
    assert [int(m.text) for m in bob.sync().all("PRIVMSG")] == list(range(40))


def test_a_line_with_many_targets_is_several(serve):
    """Flood control: who names 80 channels in a line has used up its burst."""
    irc = serve(limits={"flood": {"burst": 5, "rate": 50}})
    alice = irc.user("alice")
    channels = ",".join(f"#c{i}" for i in range(80))
    start = time.monotonic()
    assert len(alice.ask(f"JOIN {channels}").all("JOIN")) == 80
    assert time.monotonic() - start > 0.2


def test_operators_are_not_slowed_down(serve):
    """Flood control: never for operators."""
    irc = serve(limits={"flood": {"burst": 10, "rate": 0.1}})
    boss = irc.oper()
    boss.send(*(f"PRIVMSG {boss.nick} :{i}" for i in range(100)))
    assert len(boss.sync().all("PRIVMSG")) == 100


def test_flood_control_can_be_switched_off(serve):
    """Configuration limits.flood: false."""
    irc = serve(limits={"flood": False})
    alice = irc.user("alice")
    alice.send(*(f"PRIVMSG {alice.nick} :{i}" for i in range(1000)))
    assert len(alice.sync().all("PRIVMSG")) == 1000


# connections

def test_connections_of_an_address_are_limited(serve):
    """Configuration limits.connections_per_address: the next one gets ERROR."""
    irc = serve(limits={"connections_per_address": 2})
    one, two = irc.user(), irc.user()
    refused = irc.connect()
    assert refused.expect_end().commands in (["ERROR"], [])
    one.sync()
    two.sync()


def test_a_place_is_free_again(serve):
    """Configuration limits.connections_per_address: counts those who are there."""
    irc = serve(limits={"connections_per_address": 1})
    one = irc.user()
    one.send("QUIT")
    one.expect_end()
    one.close()
    deadline = time.monotonic() + PATIENCE_S
    answer = None
    while answer != "PONG":  # the end is seen a moment before it is counted
        time_left(deadline, "a place")
        another = irc.connect()
        another.send("PING here")
        answer = another.take().command
        another.close()


def test_another_address_has_its_own_count(serve):
    """Configuration limits.connections_per_address: by address."""
    irc = serve(limits={"connections_per_address": 1})
    irc.user()
    irc.connect(source="127.0.0.2").register(irc.name())


def test_connections_a_minute_are_limited(serve):
    """Configuration limits.connection_rate: new ones of an address."""
    irc = serve(limits={"connection_rate": 2})
    for _ in range(2):
        one = irc.user()
        one.send("QUIT")
        one.expect_end()
    assert irc.connect().expect_end().commands in (["ERROR"], [])


# time-outs

def test_the_server_sends_ping_to_the_silent(serve):
    """PING message: the server tests whether the client is there; limits.ping seconds."""
    irc = serve(limits={"ping": 1, "pong": 60})
    user = irc.user()
    ping = user.expect("PING")
    user.send(f"PONG :{ping.text}")
    user.expect("PING")


def test_who_does_not_answer_is_cut(serve):
    """PING message: a client that does not answer times out; others see the QUIT."""
    irc = serve(limits={"ping": 1, "pong": 1})
    room, alice, bob = irc.together("alice", "bob")
    end = alice.expect_end
    while (message := bob.take()).command != "QUIT":
        if message.command == "PING":
            bob.send(f"PONG :{message.text}")
    assert message.nick == alice.nick and message.text == Like(".*(?i:ping|time).*")
    assert end().commands == ["PING", "ERROR"] and room


def test_who_does_not_register_is_cut(serve):
    """Configuration limits.registration: seconds to register in."""
    irc = serve(limits={"registration": 1})
    client = irc.connect()
    client.send("NICK slow")
    assert client.expect_end().commands == ["ERROR"]


def minutes(stamp):
    return int(stamp[11:13]) * 60 + int(stamp[14:16])


def test_a_fast_clock_times_nobody_out(serve):
    """A server whose clock runs 30 times as fast keeps a client that is silent for a minute of it."""
    irc = serve(_clock="+1y x30")
    alice, bob = irc.user("alice"), irc.user("bob", "server-time")
    start = bob.ask(f"PRIVMSG {bob.nick} :now").one("PRIVMSG").tags["time"]
    deadline = time.monotonic() + PATIENCE_S
    now = start
    while (minutes(now) - minutes(start)) % 1440 < 2:
        time_left(deadline, "two minutes of the server")
        now = bob.ask(f"PRIVMSG {bob.nick} :now").one("PRIVMSG").tags["time"]
    alice.sync().no("ERROR")


# send queue

def test_who_does_not_read_is_cut(serve):
    """Send-queue limit: a peer that takes nothing is cut, the others go on."""
    irc = serve(limits={"sendq": 65536})
    room, alice = irc.together("alice")
    slow = irc.connect(receive_buffer=4096).register(irc.name("slow"))
    slow.ask(f"JOIN {room}")
    alice.sync()
    text = "x" * 400
    for _ in range(400):
        alice.send(*(f"PRIVMSG {room} :{text}" for _ in range(50)))
        if "QUIT" in alice.sync().commands:
            break
    else:
        raise AssertionError("the one who does not read was never cut")


# UTF-8

NOT_UTF8 = b"hi\xff\xfe"


@pytest.mark.parametrize("line, command", [
    (b"PRIVMSG {room} :" + NOT_UTF8, "PRIVMSG"), (b"TOPIC {room} :" + NOT_UTF8, "TOPIC"),
    (b"PART {room} :" + NOT_UTF8, "PART"), (b"AWAY :" + NOT_UTF8, "AWAY")])
def test_what_is_not_utf8_is_refused(irc, line, command):
    """UTF8ONLY: FAIL <command> INVALID_UTF8, and nothing is delivered."""
    room, alice, bob = irc.together("alice", "bob", caps=["standard-replies"])
    fail = alice.ask(line.replace(b"{room}", room.encode())).one("FAIL")
    assert fail.params[:2] == [command, "INVALID_UTF8"]
    assert bob.sync() == []


def test_a_notice_that_is_not_utf8_is_not_delivered(irc):
    """UTF8ONLY: relayed text is always UTF-8."""
    alice, bob = irc.user("alice"), irc.user("bob")
    alice.ask(f"NOTICE {bob.nick} :".encode() + NOT_UTF8)
    assert bob.sync() == []


def test_a_nick_that_is_not_utf8(irc):
    """UTF8ONLY: no such nick."""
    client = irc.connect()
    client.send(b"NICK al\xff", "USER tester 0 * :x")
    client.sync().no("001")


def test_the_label_of_a_line_that_is_not_utf8(irc):
    """UTF8ONLY with labeled-response: the FAIL has the label."""
    alice = irc.user("alice", "labeled-response", "batch", "standard-replies")
    (fail,) = alice.ask(f"@label=x PRIVMSG {alice.nick} :".encode() + NOT_UTF8)
    assert fail.command == "FAIL" and fail.tags["label"] == "x"


# configured lengths

@pytest.mark.parametrize("key, token", [("nick", "NICKLEN"), ("topic", "TOPICLEN"), ("kick", "KICKLEN"),
                                        ("away", "AWAYLEN"), ("monitor", "MONITOR"),
                                        ("history", "CHATHISTORY")])
def test_isupport_says_what_is_configured(serve, key, token):
    """ISUPPORT: limits of the configuration, told as they are."""
    assert serve(limits={key: 25}).user("u").isupport[token] == "25"


UNLIMITED = ("connections_per_address", "connection_rate", "nick", "channel", "topic", "kick", "away", "monitor",
             "whowas", "history", "multiline_bytes", "multiline_lines")


@pytest.fixture
def unlimited(serve):
    """A server whose limits are all 0."""
    return serve(limits={"flood": 0, **{key: 0 for key in UNLIMITED}})


def test_zero_is_no_limit_of_names_and_texts(unlimited):
    """Configuration limits: 0 is no limit; ISUPPORT has what a name or a text can have at most."""
    user = unlimited.user("u")
    lengths = {token: int(user.isupport[token])
               for token in ("NICKLEN", "CHANNELLEN", "TOPICLEN", "KICKLEN", "AWAYLEN", "CHATHISTORY")}
    assert lengths == {"NICKLEN": 128, "CHANNELLEN": 201, "TOPICLEN": 4096, "KICKLEN": 4096,
                       "AWAYLEN": 4096, "CHATHISTORY": 10000}
    room, nick = "#" + "r" * 200, "n" * 128
    user.ask(f"NICK {nick}").one("NICK")
    user.ask(f"JOIN {room}").one("JOIN")
    user.ask("JOIN #room").one("JOIN")
    assert user.ask("TOPIC #room :" + "t" * 480).nothing_wrong()
    assert user.ask("TOPIC #room").one("332").text.startswith("t" * 300)


def test_zero_is_no_limit_of_what_is_watched(unlimited):
    """ISUPPORT MONITOR: without a value there is no limit."""
    user = unlimited.user("u")
    assert user.isupport["MONITOR"] == ""
    lines = [f"MONITOR + {','.join(f'name{i}-{k}' for k in range(30))}" for i in range(20)]
    user.ask(*lines).no("734")
    assert len([name for m in user.ask("MONITOR L").all("732") for name in m.text.split(",")]) == 600


def test_zero_is_no_limit_of_flood_and_connections(unlimited):
    """Configuration limits: flood, connections_per_address, connection_rate."""
    users = [unlimited.user("u") for _ in range(100)]
    answers = users[0].ask(*["PING x"] * 2000)
    assert len(answers.all("PONG")) == 2000


def test_zero_is_no_limit_of_several_lines(unlimited):
    """Configuration limits: multiline_bytes and multiline_lines."""
    room, alice, bob = unlimited.together("alice", "bob", caps=("draft/multiline", "batch", "message-tags"))
    alice.ask(f"BATCH +m draft/multiline {room}", *[f"@batch=m PRIVMSG {room} :{'x' * 100}"] * 200,
              "BATCH -m").nothing_wrong()
    assert len(bob.sync().all("PRIVMSG")) == 200


def test_zero_is_no_limit_of_who_is_remembered(unlimited):
    """Configuration limits: whowas."""
    gone = unlimited.user("gone")
    gone.send("QUIT")
    gone.expect_end()
    assert unlimited.user("u").ask(f"WHOWAS {gone.nick}").one("314").params[1] == gone.nick


def test_channellen_says_what_is_configured(serve):
    """ISUPPORT CHANNELLEN: with the '#' or without, a name of that length is accepted."""
    irc = serve(limits={"channel": 25})
    user = irc.user("u")
    longest = int(user.isupport["CHANNELLEN"])
    assert longest in (25, 26)
    user.ask("JOIN #" + "a" * (longest - 1)).one("JOIN")


def test_the_description_is_shown(irc):
    """Configuration description: RPL_WHOISSERVER and LINKS."""
    user = irc.user()
    assert user.ask(f"WHOIS {user.nick}").one("312").text == "A server for tests"


def test_json_is_a_configuration(irc):
    """Configuration: JSON is YAML."""
    path = pathlib.Path(irc.server.directory) / "partyline.yaml"
    assert json.loads(path.read_text(encoding="utf-8"))["network"] == "ExampleNet"
    assert irc.user().isupport["NETWORK"] == "ExampleNet"


def test_rehash_keeps_everybody(irc):
    """REHASH message: nobody is dropped."""
    room, alice = irc.together("alice")
    irc.oper().ask("REHASH").one("382")
    assert alice.ask(f"NAMES {room}").one("353")


def test_the_end_of_the_server_is_told(serve):
    """ERROR message: before the server closes the connection."""
    irc = serve()
    user = irc.user()
    irc.server.signal(signal.SIGTERM)
    assert user.expect_end().one("ERROR")
    user.close()
    assert irc.server.wait() == 0


def test_a_full_send_buffer_is_no_loss(serve):
    """Send queue: within its limit a slow reader loses nothing."""
    irc = serve()
    slow = irc.connect(receive_buffer=4096).register(irc.name("slow"))
    alice = irc.user("alice")
    for i in range(40):
        alice.send(f"PRIVMSG {slow.nick} :{i} {'x' * 400}")
    alice.sync()
    assert [int(m.text.split()[0]) for m in slow.sync().all("PRIVMSG")] == list(range(40))
