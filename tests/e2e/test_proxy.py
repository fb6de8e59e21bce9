# SPDX-License-Identifier: MIT
"""The client's side of SOCKS5, SOCKS4 and HTTP CONNECT against proxies of others: SOCKS servers written
here from the specifications (RFC 1928, RFC 1929; SOCKS4 and 4A have none), and ncat's HTTP proxy."""
import os
import pathlib
import shutil
import socket
import socketserver
import struct
import subprocess
import threading
import time

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = pathlib.Path(os.environ.get("PARTYLINE_BIN", ROOT / "build/test/bin/partyline"))
PROXY_GET = BINARY.parent.parent / "tests/e2e/proxy_get"
PATIENCE_S = 30


def read_exactly(conn, count):
    data = b""
    while len(data) < count:
        piece = conn.recv(count - len(data))
        if not piece:
            raise ConnectionError("the client has gone")
        data += piece
    return data


def pump(source, target):
    """Carries bytes one way until the end, and the end, too."""
    while piece := source.recv(65536):
        target.sendall(piece)
    target.shutdown(socket.SHUT_WR)


def tunnel(client, upstream, answer):
    """Answers that the tunnel is there, and is it."""
    with upstream:
        # The answer and the host's first bytes arrive together.
        client.sendall(answer + upstream.recv(65536))
        back = threading.Thread(target=pump, args=(upstream, client))
        back.start()
        pump(client, upstream)
        back.join()


class Threads(socketserver.ThreadingMixIn, socketserver.TCPServer):
    allow_reuse_address = True
    daemon_threads = True


class Echo(socketserver.BaseRequestHandler):
    """The host: speaks first, at once, then says everything back."""

    def handle(self):
        self.request.sendall(b"welcome\n")
        while piece := self.request.recv(65536):
            self.request.sendall(piece)


class Socks5(socketserver.BaseRequestHandler):
    """server.names: what names mean; server.users: who may come, None: everybody; server.asked: what
    was asked for, in order."""

    def identify(self):
        _, count = read_exactly(self.request, 2)
        methods = read_exactly(self.request, count)
        if self.server.users is None:
            self.request.sendall(b"\5\0")
            return True
        if 2 not in methods:
            self.request.sendall(b"\5\xff")
            return False
        self.request.sendall(b"\5\2")
        version = read_exactly(self.request, 1)
        user = read_exactly(self.request, read_exactly(self.request, 1)[0]).decode()
        password = read_exactly(self.request, read_exactly(self.request, 1)[0]).decode()
        is_known = version == b"\1" and self.server.users.get(user) == password
        self.request.sendall(b"\1\0" if is_known else b"\1\1")
        return is_known

    def read_target(self):
        version, command, _, kind = read_exactly(self.request, 4)
        assert (version, command) == (5, 1)
        if kind == 1:
            host = socket.inet_ntop(socket.AF_INET, read_exactly(self.request, 4))
        elif kind == 4:
            host = socket.inet_ntop(socket.AF_INET6, read_exactly(self.request, 16))
        else:
            assert kind == 3
            host = read_exactly(self.request, read_exactly(self.request, 1)[0]).decode()
        port, = struct.unpack("!H", read_exactly(self.request, 2))
        self.server.asked.append((kind, host))
        return host if kind != 3 else self.server.names.get(host), port

    def handle(self):
        if not self.identify():
            return
        host, port = self.read_target()
        if host is None:
            self.request.sendall(b"\5\4\0\1" + bytes(6))
            return
        try:
            upstream = socket.create_connection((host, port), PATIENCE_S)
        except ConnectionRefusedError:
            self.request.sendall(b"\5\5\0\1" + bytes(6))
            return
        tunnel(self.request, upstream, b"\5\0\0\3\4host" + struct.pack("!H", port))


class Socks4(socketserver.BaseRequestHandler):
    """server.names and server.asked as above; server.users: the user ids that may come, None: all."""

    def read_text(self):
        return b"".join(iter(lambda: read_exactly(self.request, 1), b"\0")).decode()

    def answer(self, status):
        return bytes([0, status]) + bytes(6)

    def handle(self):
        version, command, port, address = struct.unpack("!BBH4s", read_exactly(self.request, 8))
        assert (version, command) == (4, 1)
        user = self.read_text()
        is_name = address[:3] == bytes(3) and address[3] != 0
        host = self.read_text() if is_name else socket.inet_ntoa(address)
        self.server.asked.append((is_name, host, user))
        if self.server.users is not None and user not in self.server.users:
            self.request.sendall(self.answer(93))
            return
        try:
            upstream = socket.create_connection((self.server.names.get(host, host), port), PATIENCE_S)
        except OSError:
            self.request.sendall(self.answer(91))
            return
        tunnel(self.request, upstream, self.answer(90))


@pytest.fixture
def serve():
    """serve(handler, host, attributes...): a server in a thread, until the test is over."""
    servers = []

    def start(handler, host="127.0.0.1", **attributes):
        kind = type("Server", (Threads,),
                    {"address_family": socket.AF_INET6 if ":" in host else socket.AF_INET})
        server = kind((host, 0), handler)
        for name, value in attributes.items():
            setattr(server, name, value)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        servers.append((server, thread))
        return server

    yield start
    for server, thread in servers:
        server.shutdown()
        thread.join()
        server.server_close()


def get(*arguments):
    return subprocess.run([PROXY_GET, *map(str, arguments)], capture_output=True, text=True,
                          timeout=PATIENCE_S, check=False)


def assert_talked(done):
    assert (done.returncode, done.stdout, done.stderr) == (0, "welcome\nhello\n", "")


def port_of(server):
    return server.server_address[1]


def refused_port():
    """A port where nobody listens while the socket that is returned is open."""
    holder = socket.socket()
    holder.bind(("127.0.0.1", 0))
    return holder, holder.getsockname()[1]


def test_socks5_names_go_to_the_proxy_unresolved(serve):
    host = serve(Echo)
    proxy = serve(Socks5, users=None, asked=[], names={"host.invalid": "127.0.0.1"})
    assert_talked(get("socks5", "localhost", port_of(proxy), "host.invalid", port_of(host)))
    assert proxy.asked == [(3, "host.invalid")]
    done = get("socks5", "127.0.0.1", port_of(proxy), "other.invalid", 80)
    assert (done.returncode, done.stderr) == (1, "PARTY_EPROXY_HOSTUNREACH\n")


@pytest.mark.parametrize("address, kind", [("127.0.0.1", 1), ("::1", 4)])
def test_socks5_numbers_go_as_numbers(serve, address, kind):
    host = serve(Echo, address)
    proxy = serve(Socks5, users=None, asked=[], names={})
    assert_talked(get("socks5", "127.0.0.1", port_of(proxy), address, port_of(host)))
    assert proxy.asked == [(kind, address)]


def test_socks5_user_and_password(serve):
    host = serve(Echo)
    proxy = serve(Socks5, users={"alice": "s3cret:\u00e9"}, asked=[], names={})
    target = ("127.0.0.1", port_of(host))
    assert_talked(get("socks5", "127.0.0.1", port_of(proxy), *target, "alice", "s3cret:\u00e9"))
    done = get("socks5", "127.0.0.1", port_of(proxy), *target, "alice", "wrong")
    assert (done.returncode, done.stderr) == (1, "PARTY_EPROXY_AUTH\n")
    done = get("socks5", "127.0.0.1", port_of(proxy), *target)
    assert (done.returncode, done.stderr) == (1, "PARTY_EPROXY_METHODS\n")


def test_socks5_refusals_of_the_host(serve):
    proxy = serve(Socks5, users=None, asked=[], names={})
    holder, port = refused_port()
    with holder:
        done = get("socks5", "127.0.0.1", port_of(proxy), "127.0.0.1", port)
    assert (done.returncode, done.stderr) == (1, "PARTY_EPROXY_CONNREFUSED\n")


def test_socks4_numbers_and_names(serve):
    host = serve(Echo)
    proxy = serve(Socks4, users=None, asked=[], names={"host.invalid": "127.0.0.1"})
    assert_talked(get("socks4", "localhost", port_of(proxy), "127.0.0.1", port_of(host)))
    assert_talked(get("socks4", "localhost", port_of(proxy), "host.invalid", port_of(host), "alice"))
    assert proxy.asked == [(False, "127.0.0.1", ""), (True, "host.invalid", "alice")]


def test_socks4_refusals(serve):
    proxy = serve(Socks4, users={"alice"}, asked=[], names={})
    holder, port = refused_port()
    with holder:
        done = get("socks4", "127.0.0.1", port_of(proxy), "127.0.0.1", port, "alice")
    assert (done.returncode, done.stderr) == (1, "PARTY_EPROXY_FAILURE\n")
    done = get("socks4", "127.0.0.1", port_of(proxy), "127.0.0.1", port, "bob")
    assert (done.returncode, done.stderr) == (1, "PARTY_EPROXY_AUTH\n")
    done = get("socks4", "127.0.0.1", port_of(proxy), "::1", port)
    assert (done.returncode, done.stderr) == (1, "PARTY_EADDRESS\n")


def test_a_proxy_that_is_not_there():
    holder, port = refused_port()
    with holder:
        done = get("http", "127.0.0.1", port, "127.0.0.1", 80)
    assert (done.returncode, done.stderr) == (1, "ECONNREFUSED\n")


@pytest.fixture
def ncat():
    """ncat(arguments...): ncat as an HTTP proxy; its port. ncat picks none itself, so a port that
    was free a moment ago is tried, and another when somebody else was faster."""
    if shutil.which("ncat") is None:
        pytest.skip("ncat is not installed")
    started = []

    def start(*arguments):
        for _ in range(20):
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                port = probe.getsockname()[1]
            process = subprocess.Popen(
                ["ncat", "-l", "-k", "--proxy-type", "http", *arguments, "127.0.0.1", str(port)],
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            started.append(process)
            deadline = time.monotonic() + PATIENCE_S
            while process.poll() is None and time.monotonic() < deadline:
                with socket.socket() as probe:
                    if probe.connect_ex(("127.0.0.1", port)) == 0:
                        return port
                    os.sched_yield()
        pytest.fail("ncat found no port")

    yield start
    for process in started:
        process.kill()
        process.wait()


def test_http_connect_through_ncat(serve, ncat):
    host = serve(Echo)
    assert_talked(get("http", "127.0.0.1", ncat(), "localhost", port_of(host)))


def test_http_connect_with_a_password(serve, ncat):
    host = serve(Echo)
    port = ncat("--proxy-auth", "alice:s3cret")
    assert_talked(get("http", "127.0.0.1", port, "127.0.0.1", port_of(host), "alice", "s3cret"))
    for credentials in [("alice", "wrong"), ()]:
        done = get("http", "127.0.0.1", port, "127.0.0.1", port_of(host), *credentials)
        assert (done.returncode, done.stderr) == (1, "PARTY_EPROXY_AUTH\n")


def test_http_connect_that_ncat_cannot_make(ncat):
    holder, port = refused_port()
    with holder:
        done = get("http", "127.0.0.1", ncat(), "127.0.0.1", port)
    assert (done.returncode, done.stderr) == (1, "PARTY_EPROXY_STATUS\n")
