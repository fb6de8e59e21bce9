# SPDX-License-Identifier: MIT
"""`partyline chat` with IRC: on Partyline's own server, and on those of others."""
import contextlib
import re
import select
import socket
import ssl
import subprocess
import threading

import pytest

from harness import BINARY, NO_FLOOD_CONTROL, PATIENCE_S, server_env
from irc_servers import KINDS
from test_chat_plain import Follower
from test_line import TIME, said


@pytest.fixture
def irc_server(tmp_path, request):
    """Makes a server of others: irc_server("ngircd", password=None)."""
    made = []

    def make(kind, **settings):
        directory = tmp_path / f"{kind}{len(made)}"
        directory.mkdir()
        made.append(KINDS[kind](directory, **settings))
        return made[-1]

    yield make
    for one in made:
        one.close()


class Own:
    """Partyline's own server with the same handles."""

    def __init__(self, chat):
        self.chat = chat
        self.target = f"{chat.host}:{chat.port}"


@pytest.fixture(params=["ngircd", "inspircd", "partyline"])
def peer(request, irc_server, server):
    """A server of each kind."""
    if request.param == "partyline":
        return Own(server(config=NO_FLOOD_CONTROL))
    return irc_server(request.param)


@pytest.fixture
def follow():
    """partyline chat --plain with an open standard input: follow(target, "--nick", "bob")."""
    made = []

    def make(*args):
        made.append(Follower(*args, command=("chat",)))
        return made[-1]

    yield make
    for one in made:
        one.close()


def chat_plain(target, text, *args, timeout=PATIENCE_S * 2):
    return subprocess.run([BINARY, "chat", target, *args], input=text.encode(), capture_output=True,
                          timeout=timeout, env=server_env(), check=False)


def shows(done, pattern):
    return re.search(pattern, done.stdout.decode(), re.MULTILINE)


# in a pipe


def test_each_line_is_said_and_heard(peer, follow):
    bob = follow(peer.target, "--nick", "bob", "--room", "garden")
    bob.expect("You are in #garden")
    done = chat_plain(peer.target, "deploy done\n/me rests\n//slash\n中文\nno line end", "--nick", "bot", "--room",
                      "#garden")
    assert done.returncode == 0, (done.stdout, done.stderr)
    assert done.stderr == b""
    bob.expect(r"^\*\*\* bot joined")
    for pattern in (said("bot", "deploy done"), rf"^{TIME} \* bot rests$", said("bot", "/slash"), said("bot", "中文"),
                    said("bot", "no line end")):
        assert shows(done, pattern), done.stdout
        bob.expect(pattern)
    bob.expect(r"^\*\*\* bot quit")


def test_refused_line_is_told_and_the_next_is_said(peer, follow):
    bob = follow(peer.target, "--nick", "bob", "--room", "garden")
    bob.expect("You are in #garden")
    done = chat_plain(peer.target, "/msg nobody hi\nafter\n", "--nick", "bot", "--room", "garden")
    assert done.returncode == 1
    assert done.stderr.startswith(b"partyline chat: nobody: ")
    bob.expect(said("bot", "after"))


def test_room_that_does_not_let_in_ends_a_script(peer, follow):
    bob = follow(peer.target, "--nick", "bob", "--room", "garden")
    bob.expect("You are in #garden")
    bob.say("/raw MODE #garden +i")
    bob.expect(r"bob set the mode \+i")
    done = chat_plain(peer.target, "secret\n", "--nick", "bot", "--room", "garden")
    assert done.returncode == 1
    assert b"#garden: " in done.stderr
    bob.say("after")
    for line in bob.process.stdout:
        assert b"secret" not in line
        if b"after" in line:
            break


def test_name_that_is_taken_ends_a_script(peer, follow):
    bob = follow(peer.target, "--nick", "bob", "--room", "garden")
    bob.expect("You are in #garden")
    done = chat_plain(peer.target, "secret\n", "--nick", "bob", "--room", "garden")
    assert done.returncode == 1
    assert b"the name bob is refused: " in done.stderr


def test_several_rooms_are_told_apart(peer, follow):
    bob = follow(peer.target, "--nick", "bob", "--room", "garden", "--room", "kitchen")
    bob.expect("You are in #(garden|kitchen)")
    bob.expect("You are in #(garden|kitchen)")
    done = chat_plain(peer.target, "one\n/join kitchen\ntwo\n/switch garden\nthree\n/leave\nfour\n", "--nick", "bot",
                      "--room", "garden")
    assert done.returncode == 0, (done.stdout, done.stderr)
    for room, text in (("garden", "one"), ("kitchen", "two"), ("garden", "three")):
        bob.expect(rf"^{TIME} #{room} bot: {text}$")
    bob.expect(r"^\*\*\* #garden: bot left")
    bob.expect(rf"^{TIME} #kitchen bot: four$")


def test_what_the_server_answers_reads_well(peer, follow):
    bob = follow(peer.target, "--nick", "bob", "--room", "garden")
    bob.expect("You are in #garden, alone so far")
    bob.say("/time")
    bob.expect(r"^\*\*\* It is (Mon|Tue|Wed|Thu|Fri|Sat|Sun)")
    bob.say("/raw VERSION")
    bob.expect(r"^\*\*\* The server runs \S+ \(\S+\)( \S.*)?$")
    bob.say("/raw LUSERS")
    bob.expect(r"^\*\*\* There (is|are) 1 user")
    bob.say("/raw STATS u")
    bob.expect(r"(?i)^\*\*\* Server up \d")
    bob.expect(r"^\*\*\* End of /?STATS report")
    bob.say("/whois bob")
    bob.expect(r"^\*\*\* bob is \S+@\S+ \(")
    bob.say("/list")
    bob.expect(r"^\*\*\* #garden \(1\)($|: \[)")


def test_people_and_rooms_are_told_of(peer, follow):
    bob = follow(peer.target, "--nick", "bob", "--room", "garden")
    bob.expect("You are in #garden, alone so far")
    amy = follow(peer.target, "--nick", "amy", "--room", "garden")
    amy.expect(r"You are in #garden, with 1 other: @?bob$")
    bob.expect("amy joined")
    for typed, pattern in (("/topic fish and chips", rf"^{TIME} \*\*\* bob set the topic: fish and chips$"),
                           ("/msg amy psst", rf"^{TIME} \[bob -> you\] psst$"),
                           ("/notice amy psst", rf"^{TIME} -\[bob -> you\]- psst$"),
                           ("/nick robert", r"^\*\*\* bob is now called robert$"),
                           ("/kick amy rude", r"^\*\*\* You were kicked from #garden by robert: rude$")):
        bob.say(typed)
        amy.expect(pattern)
    amy.say("/whois robert")
    amy.expect(r"^\*\*\* robert is \S+@\S+ \(.*\)$")
    amy.say("/join garden")
    amy.expect("Topic of #garden: fish and chips")
    amy.say("/who")
    amy.expect(r"^\*\*\* In #garden \(2\): ")
    amy.say("/list")
    amy.expect(r"^\*\*\* #garden \(2\): .*fish and chips$")
    amy.say("/away lunch")
    amy.expect(r"^\*\*\* You .*away")
    amy.say("/frob")
    amy.expect(r"^\*\*\* There is no command /frob")
    amy.say("/raw PRIVMSG #garden :raw words")
    bob.expect(said("amy", "raw words"))
    amy.say("quit")
    assert amy.wait()[0] == 1  # /frob was no command
    bob.expect(r"^\*\*\* amy quit")


def test_long_line_arrives_whole(peer, follow):
    bob = follow(peer.target, "--nick", "bob", "--room", "garden")
    bob.expect("You are in #garden")
    text = "中文é" * 200
    done = chat_plain(peer.target, f"{text}\nend\n", "--nick", "bot", "--room", "garden")
    assert done.returncode == 0, done.stderr
    heard = ""
    for line in bob.process.stdout:
        match = re.search(r"bot: (.*)$", line.decode())
        if match and match[1] == "end":
            break
        heard += match[1] if match else ""
    assert heard == text


def test_many_lines_wait_for_the_server(irc_server, follow):
    """InspIRCd's fake lag slows who is fast, and in the end it closes the connection of who does not wait."""
    peer = irc_server("inspircd")
    bob = follow(peer.target, "--nick", "bob", "--room", "garden")
    bob.expect("You are in #garden")
    done = chat_plain(peer.target, "".join(f"line {n}\n" for n in range(12)), "--nick", "bot", "--room", "garden")
    assert done.returncode == 0, done.stderr
    for number in range(12):
        bob.expect(said("bot", f"line {number}"))


@pytest.mark.parametrize("kind", ["ngircd", "inspircd"])
def test_password_opens_the_door(irc_server, tmp_path, kind):
    peer = irc_server(kind, password="open sesame" if kind == "inspircd" else "sesame")
    wrong = chat_plain(peer.target, "", "--nick", "bob", "--protocol", "irc")
    assert wrong.returncode == 1
    assert b"cannot connect to" in wrong.stderr or b"the server said: " in wrong.stderr
    file = tmp_path / "password"
    file.write_text(f"{peer.password}\nnot this\n", encoding="utf-8")
    done = chat_plain(peer.target, "hello\n", "--nick", "bob", "--room", "x", "--password-file", str(file))
    assert done.returncode == 0, (done.stdout, done.stderr)


def test_interrupted_script_leaves_in_good_order(peer, follow):
    bob = follow(peer.target, "--nick", "bob", "--room", "garden")
    bob.expect("You are in #garden")
    bot = follow(peer.target, "--nick", "bot", "--room", "garden")
    bot.expect("You are in #garden")
    bot.say("bye")
    bot.expect(said("bot", "bye"))
    bot.process.send_signal(2)
    assert bot.wait() == (0, "")
    bob.expect(r"^\*\*\* bot quit")


# what is spoken


def test_own_server_is_joined_in_its_lobby(server, join):
    chat = server()
    alice = join(chat, "alice")
    done = chat_plain(f"{chat.host}:{chat.port}", "hello\n", "--nick", "bob")
    assert done.returncode == 0, (done.stdout, done.stderr)
    assert shows(done, r"You are in #lobby")
    alice.expect(said("bob", "hello"))


def test_line_listener_is_spoken_to_in_lines(server, join):
    chat = server(listen=["line://127.0.0.1:0"])
    alice = join(chat, "alice")
    done = chat_plain(f"{chat.host}:{chat.port}", "hello\n", "--nick", "bob")
    assert done.returncode == 0, done.stderr
    assert shows(done, r"You are now called bob\.")
    before, _ = alice.read_until(said("bob", "hello"))
    assert not any("CAP" in line for line in before)


class OldServer:
    """Speaks lines only. What it does with those who begin otherwise is the test's to say."""

    GREETING = b"*** Welcome to Net. You are guest1; /nick NAME changes that.\n*** You are in lobby, alone so far.\n"

    def __init__(self, on_irc):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.target = "127.0.0.1:%d" % self.listener.getsockname()[1]
        self.on_irc = on_irc
        self.firsts = []
        self.thread = threading.Thread(target=self.serve)
        self.thread.start()

    def serve(self):
        self.listener.settimeout(PATIENCE_S)
        waiting = []
        with contextlib.suppress(TimeoutError, OSError):
            while len(self.firsts) < 2:
                peer, _ = self.listener.accept()
                first = peer.recv(1000)
                self.firsts.append(first)
                if first == b"\n":
                    self.talk(peer)
                elif self.on_irc is not None:
                    peer.sendall(self.on_irc)
                    peer.close()
                else:
                    waiting.append(peer)
        for peer in waiting:
            peer.close()

    def talk(self, peer):
        with peer, peer.makefile("rwb") as file:
            file.write(self.GREETING)
            file.flush()
            for line in file:
                if line == b"/time\n":
                    file.write(b"*** It is 2026-11-21 10:00:05 (+0000).\n")
                elif line.startswith(b"/quit"):
                    return
                elif line.strip():
                    file.write(b"2026-11-21 10:00:05 guest1: " + line)
                file.flush()

    def close(self):
        self.listener.close()
        self.thread.join(PATIENCE_S)


@pytest.mark.parametrize("answer", [b"ERROR :IRC is not spoken here; connect with nc\r\n", b"", None],
                         ids=["refuses", "closes", "is silent"])
def test_server_without_irc_is_spoken_to_in_lines(answer, tmp_path):
    """No password, and nothing else but the question, goes to a server that has not answered."""
    file = tmp_path / "password"
    file.write_text("sesame\n", encoding="utf-8")
    old = OldServer(answer)
    done = chat_plain(old.target, "hello\n", "--password-file", str(file))
    old.close()
    assert done.returncode == 0, done.stderr
    assert shows(done, said("guest1", "hello"))
    assert old.firsts == [b"CAP LS 302\r\n", b"\n"]


def test_two_rooms_are_too_many_for_lines(server):
    chat = server(listen=["line://127.0.0.1:0"])
    done = chat_plain(f"{chat.host}:{chat.port}", "hello\n", "--room", "a", "--room", "b")
    assert done.returncode == 1
    assert b"one room at a time" in done.stderr


@pytest.mark.parametrize("args, cause", [
    (("--protocol", "carrier-pigeon"), b"--protocol takes irc, line or auto"), (("--room", "a b"), b"one word"),
    (("--room",) + ("x", "--room") * 20 + ("x",), b"too many rooms")])
def test_wrong_usage(args, cause):
    done = chat_plain("127.0.0.1", "", *args)
    assert done.returncode == 2
    assert cause in done.stderr


def test_password_file_that_cannot_be_read_is_told(tmp_path):
    empty = tmp_path / "empty"
    empty.write_bytes(b"")
    for path, cause in ((tmp_path / "none", b"No such file"), (empty, b"there is no password in it")):
        done = chat_plain("127.0.0.1", "", "--password-file", str(path))
        assert done.returncode == 1
        assert cause in done.stderr


# TLS


def make_certificate(directory):
    """Returns: the file of a certificate for localhost, and a server's context with it."""
    certificate = directory / "cert.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-keyout", directory / "key.pem", "-out", certificate, "-days", "2", "-subj",
                    "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, directory / "key.pem")
    return certificate, context


class TlsDoor:
    """Takes TLS off and hands on to a Unix socket, as a server with TLS of its own would."""

    def __init__(self, directory, path):
        self.certificate, self.context = make_certificate(directory)
        self.path = path
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self.serve)
        self.thread.start()

    def serve(self):
        self.listener.settimeout(PATIENCE_S)
        with contextlib.suppress(OSError):
            bare, _ = self.listener.accept()
            with self.context.wrap_socket(bare, server_side=True) as peer, socket.socket(socket.AF_UNIX) as server:
                server.connect(self.path)
                self.relay(peer, server)

    @staticmethod
    def relay(peer, server):
        while True:
            ready = [peer] if peer.pending() else select.select([peer, server], [], [], PATIENCE_S)[0]
            for one in ready:
                data = one.recv(65536)
                if not data:
                    return
                (server if one is peer else peer).sendall(data)

    def close(self):
        self.listener.close()
        self.thread.join(PATIENCE_S)


@pytest.fixture
def tls_door(irc_server, tmp_path):
    peer = irc_server("inspircd")
    made = TlsDoor(tmp_path, str(peer.path))
    yield made
    made.close()


def test_tls_with_a_good_certificate(tls_door):
    done = chat_plain(f"ircs://localhost:{tls_door.port}", "hello\n", "--nick", "bob", "--room", "x", "--ca",
                      str(tls_door.certificate))
    assert done.returncode == 0, done.stderr
    assert shows(done, said("bob", "hello"))


def test_tls_finds_out_what_is_spoken(tls_door):
    done = chat_plain(f"127.0.0.1:{tls_door.port}", "hello\n", "--nick", "bob", "--room", "x", "--insecure")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("host, args", [("localhost", ()), ("127.0.0.1", ("--ca",))], ids=["authority", "name"])
def test_tls_believes_no_other_certificate(tls_door, host, args):
    args = (*args, str(tls_door.certificate)) if args else ()
    done = chat_plain(f"ircs://{host}:{tls_door.port}", "secret\n", "--nick", "bob", *args)
    assert done.returncode == 1
    assert b"cannot connect to" in done.stderr


def test_much_at_once_comes_through_tls(tmp_path, follow):
    """Records that have been read from the socket wait in memory, where poll does not see them."""
    certificate, context = make_certificate(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(PATIENCE_S)

        def serve():
            bare, _ = listener.accept()
            with contextlib.suppress(OSError), context.wrap_socket(bare, server_side=True) as peer:
                peer.sendall(b":s 001 bob :Welcome\r\n:s 376 bob :End\r\n" + b"".join(
                    b":al!a@h PRIVMSG bob :line %d %s\r\n" % (number, b"x" * 400) for number in range(5000)))
                while peer.recv(65536):
                    pass

        thread = threading.Thread(target=serve)
        thread.start()
        bob = follow(f"ircs://localhost:{listener.getsockname()[1]}", "--nick", "bob", "--ca", str(certificate))
        for number in range(5000):
            bob.expect(rf"line {number} x+$")
        bob.close()
        thread.join(PATIENCE_S)


def test_tls_needs_its_authorities(tmp_path):
    done = chat_plain("127.0.0.1:1", "", "--ca", str(tmp_path / "none"))
    assert done.returncode == 1
    assert b"partyline chat: TLS: " in done.stderr


# on a terminal


def open_irc(screen, target, name, *args, **size):
    client = screen(BINARY, "chat", target, "--nick", name, *args, **size)
    client.expect(rf"^{name}.*>")
    return client


def press(client, text):
    client.type(text)
    client.press("Enter")


def test_prompt_shows_name_and_room(peer, screen, follow):
    bob = follow(peer.target, "--nick", "bob", "--room", "garden", "--room", "kitchen")
    bob.expect("You are in #(garden|kitchen)")
    bob.expect("You are in #(garden|kitchen)")
    alice = open_irc(screen, peer.target, "alice", "--room", "garden", columns=100, rows=50)
    alice.expect(r"You are in #garden, with 1 other")
    press(alice, "hello from a terminal")
    bob.expect(rf"^{TIME} #garden alice: hello from a terminal$")
    alice.expect(rf"^{TIME} alice: hello from a terminal\nalice #garden>")
    assert "> hello" not in alice.text()
    press(alice, "/join kitchen")
    alice.expect(r"^alice #kitchen>")
    press(alice, "/nick eve")
    alice.expect(r"^eve #kitchen>")
    press(alice, "/query bob")
    alice.expect(r"^eve bob>")
    press(alice, "psst")
    bob.expect(rf"^{TIME} \[eve -> you\] psst$")
    alice.expect(rf"^{TIME} \[you -> bob\] psst$")
    press(alice, "/s garden")
    alice.expect(r"^eve #garden>")
    alice.press("C-d")
    bob.expect(r"^\*\*\* eve quit")


def test_taken_name_gets_another(peer, screen, follow):
    bob = follow(peer.target, "--nick", "bob")
    bob.expect(r"Welcome")
    other = screen(BINARY, "chat", peer.target, "--nick", "bob", "--room", "garden")
    other.expect(r"^\*\*\* The name bob is taken; trying bob_\.$")
    other.expect(r"^bob_ #garden>")


def test_outage_of_a_server_without_history(irc_server, screen, follow):
    peer = irc_server("inspircd")
    alice = open_irc(screen, peer.target, "alice", "--room", "garden", rows=50)
    alice.expect(r"You are in #garden")
    press(alice, "before")
    alice.expect(said("alice", "before"))
    peer.stop()
    alice.expect(r"^--- connection lost \(.*\), trying again$")
    press(alice, "meanwhile")
    alice.expect(r"Not connected: this is sent as soon as that is")
    peer.start()
    bob = follow(peer.target, "--nick", "bob", "--room", "garden")
    alice.expect(r"^--- connected again$")
    alice.expect(said("alice", "meanwhile"))
    bob.expect("You are in #garden|alice joined")
    press(alice, "after")
    bob.expect(said("alice", "after"))
    assert alice.text().count("Welcome to") == 1


def test_outage_of_the_own_server_shows_what_was_missed_once(server, join, screen):
    chat = server(config=NO_FLOOD_CONTROL)
    port = chat.port
    bob = join(chat, "bob")
    for number in range(10):
        bob.send(f"earlier {number}")
    alice = open_irc(screen, f"{chat.host}:{port}", "alice", columns=100, rows=120)
    alice.expect(r"bob: earlier 9$")
    for number in range(10):
        bob.send(f"before {number}")
    alice.expect(r"bob: before 9$")
    chat.kill9()
    alice.expect(r"^--- connection lost")
    press(alice, "said meanwhile")
    chat.listen = [f"any://127.0.0.1:{port}"]
    chat.start()
    carol = join(chat, "carol")
    for number in range(40):
        carol.send(f"after {number}")
    alice.expect(r"^--- connected again$")
    carol.expect(said("alice", "said meanwhile"))
    alice.expect(said("alice", "said meanwhile"))
    alice.expect(r"carol: after 39$")
    text = alice.text()
    for word, count in (("earlier", 10), ("before", 10), ("after", 40)):
        assert re.findall(rf"\w+: {word} (\d+)$", text, re.MULTILINE) == [str(n) for n in range(count)]
    assert text.count("said meanwhile") == 2  # when it was typed, and when it was said


def test_history_is_shown_when_asked_for(server, join, screen):
    chat = server(config=NO_FLOOD_CONTROL)
    bob = join(chat, "bob")
    for number in range(30):
        bob.send(f"said {number}")
    bob.expect(r"said 29$")
    alice = open_irc(screen, f"{chat.host}:{chat.port}", "alice", columns=100, rows=80)
    alice.expect(r"bob: said 29$")
    assert re.findall(r"bob: said (\d+)$", alice.text(), re.MULTILINE) == [str(n) for n in range(10, 30)]
    press(alice, "/history 3")
    alice.expect(r"^\*\*\* 3 lines of the history\.$")


def test_hostile_server_cannot_act_on_the_terminal(screen):
    evil = b"\x1b[2J\x1b]0;t\x07\x08\xc2\x9b31m\xe2\x80\xae"
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(PATIENCE_S)
    alice = screen("sh", "-c", f"{BINARY} chat --protocol irc 127.0.0.1:{listener.getsockname()[1]} --nick alice; cat")
    peer, _ = listener.accept()
    with listener, peer:
        peer.sendall(b":s 001 alice :Welcome\r\n:s 376 alice :End\r\n")
        for command in (b"PRIVMSG alice :", b"NOTICE alice :", b"999 alice ", b"QUIT :", b"NICK :", b"ERROR :",
                        b"TOPIC #x :", b"FAIL X ", b"KICK #x y :", b"MODE alice "):
            peer.sendall(b":a" + evil + b"!b@c " + command + evil + b"\r\n")
        peer.sendall(b":a!b@c PRIVMSG alice :the end\r\n")
        alice.expect(r"\[a -> you\] the end$")
        alice.expect(r"Welcome")
        assert "\x1b" not in alice.text()
