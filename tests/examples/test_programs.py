# SPDX-License-Identifier: MIT
"""The examples that no seed has: each with Python's own socket at the other end."""
import logging
import logging.handlers
import os
import re
import select
import shlex
import signal
import socket
import socketserver
import ssl
import subprocess
import sys
import threading

import pytest

from program import examples_directory
from program import HERE
from program import PATIENCE_S

MODELS = ["model_serial", "model_threads", "model_processes", "model_loops"]


@pytest.fixture
def listener():
    """A listening TCP socket of Python's at any port."""
    with socket.create_server(("127.0.0.1", 0)) as made:
        made.settimeout(PATIENCE_S)
        yield made


@pytest.mark.parametrize("dialect", [["-std=c17"], ["-std=gnu17"], []], ids=["c17", "gnu17", "default"])
def test_a_strict_compiler_takes_them(dialect):
    """As the README says to build them, with the warnings that careful people want."""
    root = HERE.parent.parent
    sources = [*sorted((root / "examples").rglob("*.c"))]
    assert len(sources) > 50
    compiler = shlex.split(os.environ.get("CC", "cc"))
    done = subprocess.run([*compiler, *dialect, "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fsyntax-only",
                           "-I", root / "include", *sources], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[:4000]


def connect(where):
    return socket.create_connection(where, PATIENCE_S)


def read_all(sock):
    """What comes up to the end."""
    return b"".join(iter(lambda: sock.recv(65536), b""))


def in_thread(function, *args):
    thread = threading.Thread(target=function, args=args, daemon=True)
    thread.start()
    return thread


# ---- server models ----


def echo_to_a_late_reader(where, total):
    """Sends much and reads nothing until the server has stopped reading, too; then all comes back."""
    said = b"late\n" * (total // 5)
    with connect(where) as sock:
        sock.setblocking(False)
        sent = 0
        while select.select([], [sock], [], 0.3)[1] and sent < len(said):
            sent += sock.send(said[sent:])
        assert sent < len(said), "nobody slowed it down"
        sock.settimeout(PATIENCE_S)

        def send_the_rest():
            sock.sendall(said[sent:])
            sock.shutdown(socket.SHUT_WR)

        sender = in_thread(send_the_rest)
        answer = read_all(sock)
        sender.join(PATIENCE_S)
        assert answer == said.upper()


@pytest.mark.parametrize("program", ["model_loops", "guide/step09_loops"])
def test_who_reads_late_gets_all(run, program):
    args = ["127.0.0.1:0"] if program.startswith("guide/") else ["127.0.0.1", "0"]
    echo_to_a_late_reader(run("c", program, *args).listening(), 30_000_000)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("client_is", ["python", "c"])
def test_models_answer_in_capitals(run, model, client_is):
    where = run("c", model, "127.0.0.1", "0").listening()
    if client_is == "c":
        client = run("c", "makefile_client", *where)
        for line in "hello", "and again":
            client.type(line)
            client.expect(f"^{line.upper()}$")
        assert client.wait() == 0
        return
    with connect(where) as sock, sock.makefile("rw") as file:
        for line in "hello\n", "and again\n":
            file.write(line)
            file.flush()
            assert file.readline() == line.upper()


@pytest.mark.threads
@pytest.mark.parametrize("model", MODELS[1:])
def test_models_but_the_serial_one_serve_several_at_once(run, model):
    where = run("c", model, "127.0.0.1", "0").listening()
    socks = [connect(where) for _ in range(5)]
    for sock in reversed(socks):
        sock.sendall(b"me too\n")
        assert sock.recv(100) == b"ME TOO\n"
    for sock in socks:
        sock.close()


class Capitals(socketserver.StreamRequestHandler):
    def handle(self):
        for line in self.rfile:
            self.wfile.write(line.upper())


@pytest.mark.parametrize("kind", [socketserver.TCPServer, socketserver.ThreadingTCPServer])
def test_our_client_with_pythons_servers(run, kind):
    with kind(("127.0.0.1", 0), Capitals) as server:
        serving = in_thread(server.serve_forever, 0.01)
        client = run("c", "makefile_client", *server.server_address)
        client.type("hello")
        client.expect("^HELLO$")
        assert client.wait() == 0
        server.shutdown()
        serving.join(PATIENCE_S)


def test_inherited_server(run, listener):
    # What a service manager does between fork and exec; the process keeps its number.
    fd = listener.fileno()
    script = ("import os, sys; os.dup2(int(sys.argv[1]), 3); os.environ.update(LISTEN_FDS='1',"
              " LISTEN_PID=str(os.getpid())); os.execv(sys.argv[2], sys.argv[2:])")
    program = run(sys.executable, "-c", script, str(fd), examples_directory() / "inherited_server", pass_fds=[fd])
    assert program.listening() == listener.getsockname()
    with connect(listener.getsockname()) as sock:
        sock.sendall(b"hello")
        assert sock.recv(100) == b"hello"


def test_inherited_server_without_a_socket(run):
    program = run("c", "inherited_server")
    assert program.wait() == 1
    assert program.err == "inherited_server: nothing: no socket was inherited\n"


# ---- this machine ----


def test_unix(run, tmp_path):
    path = str(tmp_path / "s")
    run("c", "unix_server", path).expect(r"^listening on unix:(.*)$")
    assert os.stat(path).st_mode & 0o777 == 0o600
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(PATIENCE_S)
        sock.connect(path)
        sock.sendall(b"hello")
        assert sock.recv(100) == b"hello"
    client = run("c", "unix_client", path, "good evening\n")
    assert client.wait() == 0
    assert client.out == "good evening\n"


def test_unix_client_with_python(run, tmp_path):
    path = str(tmp_path / "s")
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(path)
        sock.listen()
        sock.settimeout(PATIENCE_S)
        client = run("c", "unix_client", path)
        conn, _ = sock.accept()
        with conn:
            assert read_all(conn) == b"hello\n"
            conn.sendall(b"answer\n")
    assert client.wait() == 0
    assert client.out == "answer\n"


def test_seqpacket(run, tmp_path):
    path = str(tmp_path / "s")
    run("c", "seqpacket_server", path).expect("^listening on unix:")
    client = run("c", "seqpacket_client", path, "one", "three")
    assert client.wait() == 0
    assert client.out == "3 bytes\n5 bytes\n"
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as sock:
        sock.settimeout(PATIENCE_S)
        sock.connect(path)
        sock.send(b"ab")
        sock.send(b"abcd")
        assert [sock.recv(100), sock.recv(100)] == [b"2 bytes", b"4 bytes"]


def test_seqpacket_client_with_python(run, tmp_path):
    path = str(tmp_path / "s")
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as sock:
        sock.bind(path)
        sock.listen()
        sock.settimeout(PATIENCE_S)
        client = run("c", "seqpacket_client", path, "one", "two")
        conn, _ = sock.accept()
        with conn:
            assert [conn.recv(100), conn.recv(100)] == [b"one", b"two"]
            conn.send(b"first")
            conn.send(b"second")
            assert client.wait() == 0
    assert client.out == "first\nsecond\n"


def test_descriptors_are_passed(run, tmp_path):
    path, file = str(tmp_path / "s"), tmp_path / "file"
    file.write_text("what is in the file\n")
    receiver = run("c", "fds_receiver", path)
    receiver.expect("^listening on unix:")
    assert run("c", "fds_sender", path, file).wait() == 0
    assert receiver.wait() == 0
    assert receiver.out.splitlines()[1:] == [f"{file}:", "what is in the file"]


def test_descriptors_from_and_to_python(run, tmp_path):
    path, file = str(tmp_path / "s"), tmp_path / "file"
    file.write_text("open\n")
    receiver = run("c", "fds_receiver", path)
    receiver.expect("^listening on unix:")
    with socket.socket(socket.AF_UNIX) as sock, open(file, "rb") as opened:
        sock.connect(path)
        socket.send_fds(sock, [b"it"], [opened.fileno()])
    assert receiver.wait() == 0
    assert receiver.out.endswith("it:\nopen\n")

    os.unlink(path)
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(path)
        sock.listen()
        sock.settimeout(PATIENCE_S)
        sender = run("c", "fds_sender", path, file)
        conn, _ = sock.accept()
        with conn:
            data, fds, _, _ = socket.recv_fds(conn, 1000, 2)
        assert sender.wait() == 0
        assert data == str(file).encode()
        with os.fdopen(fds[0]) as came:
            assert came.read() == "open\n"


# ---- files ----


def test_sendfile(run, tmp_path):
    file = tmp_path / "file"
    file.write_bytes(os.urandom(1 << 20).hex().encode())
    where = run("c", "sendfile_server", file, "127.0.0.1", "0").listening()
    with connect(where) as sock:
        assert read_all(sock) == file.read_bytes()
    client = run("c", "sendfile_client", *where)
    assert client.wait() == 0
    assert client.out == file.read_text()


def test_sendfile_client_with_python(run, tmp_path, listener):
    file = tmp_path / "file"
    file.write_text("lines\n" * 100000)
    client = run("c", "sendfile_client", *listener.getsockname())
    conn, _ = listener.accept()

    def send():
        with conn, open(file, "rb") as opened:
            conn.sendfile(opened)

    sending = in_thread(send)
    assert client.wait() == 0
    sending.join(PATIENCE_S)
    assert client.out == file.read_text()


# ---- errors and waiting ----


def class_of(call, *args):
    """Python's name of the class of what the call raises."""
    try:
        call(*args)
    except TimeoutError:  # a name for it, since 3.10
        return "socket.timeout"
    except (socket.gaierror, socket.herror) as error:
        return f"socket.{type(error).__name__}"
    except OSError:
        return "OSError"
    return "no error"


def test_errors_are_of_pythons_classes(run):
    program = run("c", "errors", "127.0.0.1")
    assert program.wait() == 0
    told = dict(re.findall(r"^(\w+): ([\w. ']+): .+ \(\w+\)$", program.out, re.MULTILINE))
    with socket.socket() as deaf, socket.socket() as sock:
        deaf.bind(("127.0.0.1", 0))
        assert told["connect"] == class_of(sock.connect, deaf.getsockname()) == "OSError"
    assert told["getaddrinfo"] == class_of(socket.getaddrinfo, "no such host", 80) == "socket.gaierror"
    assert told["gethostbyaddr"] == class_of(socket.gethostbyaddr, "127.0.0.1")
    a, b = socket.socketpair()
    with a, b:
        a.settimeout(0.001)
        assert told["recv"] == class_of(a.recv, 1) == "socket.timeout"
    assert told["parse"] == "Partyline's own"


def test_timeout_runs_out(run, listener):
    client = run("c", "timeout_client", *listener.getsockname(), "0.05")
    assert client.wait() == 1
    assert "every call may take 0.050 s" in client.out
    assert re.fullmatch(r"timeout_client: 127\.0\.0\.1:\d+: waited 0\.05 s in vain\n", client.err)


def test_within_the_timeout(run, listener):
    client = run("c", "timeout_client", *listener.getsockname(), "3600")
    conn, _ = listener.accept()
    with conn:
        conn.sendall(b"here I am")
        client.expect("^the server said: here I am$")
    assert client.wait() == 0


def test_refused_is_told_apart_from_a_timeout(run, listener):
    where = listener.getsockname()
    listener.close()
    client = run("c", "timeout_client", *where)
    assert client.wait() == 1
    assert client.err == f"timeout_client: 127.0.0.1:{where[1]}: Connection refused\n"


@pytest.mark.parametrize("server_is", ["c", "python"])
def test_nonblocking(run, server_is):
    server = run(server_is, "echo_server", "127.0.0.1", "0")
    client = run("c", "nonblocking_client", *server.listening(), "hello")
    assert client.wait() == 0
    assert client.out.endswith("answer: hello\n")


def test_nonblocking_waits_for_an_answer(run, listener):
    client = run("c", "nonblocking_client", *listener.getsockname(), "hello")
    conn, _ = listener.accept()
    with conn:
        assert conn.recv(100) == b"hello"
        client.expect("^recv: not yet$")
        conn.sendall(b"now")
        client.expect("^answer: now$")
    assert client.wait() == 0


# ---- the kernel, names, logs ----


def test_ping(run):
    try:
        socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP).close()
    except PermissionError:
        program = run("c", "ping")
        assert program.wait() == 1
        assert program.err == "ping: 127.0.0.1: Operation not permitted\n"
        pytest.skip("raw sockets need root")
    program = run("c", "ping", "127.0.0.1", "2")
    assert program.wait() == 0, program.err
    assert program.out == "127.0.0.1: 1 of 2: is there\n127.0.0.1: 2 of 2: is there\n"


def test_netlink_lists_the_interfaces(run):
    program = run("c", "netlink_links")
    assert program.wait() == 0, program.err
    found = re.findall(r"^(\d+): (\S+): (?:up|down), mtu \d+$", program.out, re.MULTILINE)
    assert sorted((int(index), name) for index, name in found) == sorted(socket.if_nameindex())


def test_names(run):
    program = run("c", "names", "127.0.0.1", "80")
    assert program.wait() == 0, program.err
    name, service = socket.getnameinfo(("127.0.0.1", 80), 0)
    assert program.out.splitlines()[:2] == [
        f"this host: {socket.gethostname()}", f"127.0.0.1:80 is {name}, {service}"]
    for index, interface in socket.if_nameindex():
        assert f"interface {index}: {interface}\n" in program.out


def test_syslog_by_udp(run):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        sock.settimeout(PATIENCE_S)
        where = "{}:{}".format(*sock.getsockname())
        host = re.escape(socket.gethostname())
        assert run("c", "syslog_send", where, "3164", "old").wait() == 0
        # facility 1 (user), level 5 (notice)
        assert re.fullmatch(rf"<13>\w{{3}} [ \d]\d \d\d:\d\d:\d\d {host} syslog_send\[\d+\]: old",
                            sock.recv(2000).decode())
        assert run("c", "syslog_send", where, "5424", "new").wait() == 0
        assert re.fullmatch(rf"<13>1 \d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\dZ {host} syslog_send \d+ - - new",
                            sock.recv(2000).decode())


def test_syslog_to_a_unix_socket(run, tmp_path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(str(tmp_path / "log"))
        sock.settimeout(PATIENCE_S)
        assert run("c", "syslog_send", f"unix:{tmp_path}/log").wait() == 0
        assert re.fullmatch(r"<13>\w{3} [ \d]\d \d\d:\d\d:\d\d syslog_send\[\d+\]: hello from syslog_send",
                            sock.recv(2000).decode())


def test_pythons_log_handler_reaches_our_receiver(run):
    receiver = run("c", "udp_receiver", "127.0.0.1", "0")
    handler = logging.handlers.SysLogHandler(receiver.listening())
    handler.emit(logging.LogRecord("examples", logging.WARNING, __file__, 1, "watch out", None, None))
    handler.close()
    receiver.expect(r"^Received: <12>watch out")


# ---- the loop ----


def test_timer_counts(run):
    program = run("c", "loop_timer", "3", "0")
    assert program.wait() == 0
    assert program.out == "1\n2\n3\n"


def test_timer_is_ended_by_the_keyboard(run):
    program = run("c", "loop_timer", "1000000", "1000000")
    program.type("")
    assert program.process.wait(PATIENCE_S) == 0
    assert program.wait() == 0
    assert program.out == ""


def test_signals_come_in_the_loop(run):
    program = run("c", "loop_signal")
    program.expect(rf"^process {program.pid} waits")
    for number, signo in enumerate((signal.SIGHUP, signal.SIGUSR1, signal.SIGTERM), 1):
        program.process.send_signal(signo)
        program.expect(rf"^signal {number}: {re.escape(signal.strsignal(signo))}$")
    assert program.wait() == 0


def test_who_does_not_read_does_not_stop_a_chat_on_a_loop(run):
    server = run("c", "loop_chat", "127.0.0.1", "0")
    where = server.listening()
    lazy, alice, bob = (connect(where) for _ in range(3))
    for _ in range(3):
        server.expect("is here$")
    said = b"x" * 16384
    with lazy, alice, bob:
        lazy.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        while "a client is gone: output limit reached" not in server.out:
            alice.sendall(said)
            for reader in alice, bob:
                left = len(said)
                while left > 0:
                    left -= len(reader.recv(left))
            if server.process.stdout in select.select([server.process.stdout], [], [], 0)[0]:
                server.expect("is gone: output limit reached")


# ---- TLS ----


def test_tls(run, certificate):
    where = run("c", "tls_server", *certificate, "127.0.0.1", "0").listening()
    context = ssl.create_default_context(cafile=certificate[0])
    with context.wrap_socket(connect(where), server_hostname="localhost") as sock:
        sock.sendall(b"hello")
        assert sock.recv(100) == b"hello"
    client = run("c", "tls_client", "localhost", where[1], certificate[0])
    client.expect("^connected with TLSv1.3, ")
    client.type("good evening")
    client.expect("^good evening$")
    assert client.wait() == 0


def test_tls_client_with_python(run, certificate, listener):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)

    def serve():
        conn, _ = listener.accept()
        with context.wrap_socket(conn, server_side=True) as sock:
            sock.sendall(sock.recv(100).upper())
            sock.recv(100)

    in_thread(serve)
    client = run("c", "tls_client", "localhost", listener.getsockname()[1], certificate[0])
    client.type("hello")
    client.expect("^HELLO$")
    assert client.wait() == 0


def test_tls_client_refuses_whom_it_does_not_know(run, certificate):
    server = run("c", "tls_server", *certificate, "127.0.0.1", "0")
    port = server.listening()[1]
    client = run("c", "tls_client", "localhost", port)
    assert client.wait() == 1
    assert f"tls_client: localhost:{port}: the peer's certificate is not trusted" in client.err
    client = run("c", "tls_client", "127.0.0.1", port, certificate[0])
    assert client.wait() == 1
    assert f"tls_client: 127.0.0.1:{port}: the peer's certificate is for another name" in client.err
