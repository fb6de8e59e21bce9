# SPDX-License-Identifier: MIT
"""Each program of the seeds against its counterpart: ours in C, theirs in Python, both ways. Python with
Python shows that the counterpart itself is right."""
import re

import pytest

CTIME = r"\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4}"
BOTH_WAYS = [("c", "python"), ("python", "c"), ("c", "c"), ("python", "python")]

# server, client, what is typed and what the client then prints, what the server prints
CONVERSATIONS = [
    ("tcp_time_server", "tcp_time_client",
     [("hello", rf"Hi,you send me :\[{CTIME}\] hello$"), ("再见", rf"\[{CTIME}\] 再见$"), ("", None)],
     rf"connect from .*\s+\[.*{CTIME}.*\] : hello$"),
    ("udp_time_server", "udp_time_client",
     [("hello", rf"\[(b')?{CTIME}'?\] hello$"), ("again", r"again$"), ("", None)], r"returned to: .*127\.0\.0\.1"),
    ("echo_server", "echo_client", [("hello", r"answer: hello$"), ("好", r"answer: 好$")], None),
    ("timestamp_server", "timestamp_client", [("hello", rf"{CTIME}:hello$"), ("", None)], r"connected from: .*127"),
    ("hello_tcp_server", "hello_tcp_client", [(None, r"^hello from server$")], r"^hello from client$"),
    ("hello_udp_server", "hello_udp_client", [(None, r"^hello from server$")], r"^hello from client$"),
    ("quit_server", "quit_client",
     [("hello", r"从127\.0\.0\.1收到信息：127\.0\.0\.1发送给我的信息是:hello$"), ("", None)], r" : hello$"),
    ("udp_receiver", "udp_sender", [], r"^Received: .*hello,this is a test info !.* from .*127\.0\.0\.1"),
]


@pytest.mark.parametrize("server_is, client_is", BOTH_WAYS)
@pytest.mark.parametrize("server, client, lines, said", CONVERSATIONS, ids=[row[1] for row in CONVERSATIONS])
def test_conversation(run, server, client, lines, said, server_is, client_is):
    serving = run(server_is, server, "127.0.0.1", "0")
    asking = run(client_is, client, *serving.listening())
    for typed, answer in lines:
        if typed is not None:
            asking.type(typed)
        if answer is not None:
            asking.expect(answer)
    assert asking.wait() == 0, asking.err
    if said is not None:
        serving.expect(said)


@pytest.mark.parametrize("server", ["tcp_time_server", "echo_server", "timestamp_server", "hello_tcp_server",
                                    "quit_server"])
def test_one_client_after_the_other_is_served(run, server):
    serving = run("c", server, "127.0.0.1", "0")
    where = serving.listening()
    client = server.replace("server", "client")
    for language in ("python", "c", "python"):
        asking = run(language, client, *where)
        if client != "hello_tcp_client":
            asking.type("好好学习")
            asking.expect("好好学习")
        assert asking.wait() == 0, asking.err


@pytest.mark.parametrize("server_is, client_is", BOTH_WAYS)
@pytest.mark.parametrize("word", ["quit", "QUIT", "Quit"])
def test_quit_ends_client_and_server(run, server_is, client_is, word):
    serving = run(server_is, "quit_server", "127.0.0.1", "0")
    asking = run(client_is, "quit_client", *serving.listening())
    asking.type(word)
    assert asking.wait() == 0
    assert serving.wait() == 0
    assert serving.out.rstrip().endswith(f" : {word}")


@pytest.mark.parametrize("server_is, client_is", BOTH_WAYS)
def test_two_clients_are_welcomed_in_turn(run, server_is, client_is):
    serving = run(server_is, "welcome_server", "127.0.0.1", "0")
    where = serving.listening()
    first = run(client_is, "hello_tcp_client", *where)
    assert first.wait() == 0
    second = run(client_is, "hello_tcp_client", *where)
    assert second.wait() == 0
    assert (first.out, second.out) == ("welcome to network! \n", "hello python\n")
    assert serving.wait() == 0
    assert serving.out.count("hello from client") == 2


def chat_with(run, server_is, server, client_is):
    """A server with alice, bob and carol, of whom all have heard bob."""
    serving = run(server_is, server, "127.0.0.1", "0")
    where = serving.listening()
    members = []
    for name in ("alice", "bob", "carol"):
        member = run(client_is, "chat_client", *where)
        member.expect(r"^I'm ready$")  # one's own words come back: the server has the member
        members.append(member)
    members[1].type("good evening")
    for member in members:
        member.expect(r"good evening$")
    return serving, members


@pytest.mark.threads
@pytest.mark.parametrize("server_is, client_is", BOTH_WAYS)
@pytest.mark.parametrize("server", ["chat_server", "chat_makefile_server"])
def test_chat(run, server, server_is, client_is):
    serving, (alice, bob, carol) = chat_with(run, server_is, server, client_is)
    assert re.search(r"^\d{4}\d\d/\d\d \d\d:\d\d:\d\d 127\.0\.0\.1:\d+\ngood evening$", alice.out, re.MULTILINE)
    bob.type("quit")  # the client leaves without a word to the server
    assert bob.wait() == 0
    carol.type("is bob gone?")
    alice.expect(r"is bob gone\?$")
    assert "is bob gone?" not in bob.out
    serving.type("quit")
    assert serving.wait() == 0


@pytest.mark.threads
@pytest.mark.parametrize("client_is", ["c", "python"])
def test_chat_on_a_loop(run, client_is):
    _, (alice, bob, carol) = chat_with(run, "c", "loop_chat", client_is)
    bob.type("quit")
    assert bob.wait() == 0
    carol.type("is bob gone?")
    alice.expect(r"is bob gone\?$")


@pytest.mark.threads
@pytest.mark.parametrize("server", ["chat_server", "chat_makefile_server"])
def test_chat_ends_with_members_who_are_silent(run, server):
    serving, members = chat_with(run, "c", server, "c")
    serving.type("quit")
    assert serving.wait() == 0
    for member in members:
        member.expect("the chat is over")


@pytest.mark.threads
@pytest.mark.parametrize("language", ["c", "python"])
def test_locked_dictionary(run, language):
    program = run(language, "locked_dictionary", "2000")
    assert program.wait() == 0
    assert program.out == "2000 entries, walked without harm\n"
