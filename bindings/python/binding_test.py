# SPDX-License-Identifier: MIT
"""What CPython's tests do not look at: threads that close what others wait in, memory that runs out.

Run with PYTHONPATH=site and PARTYLINE_SOCKET_MODULE, in an interpreter of its own.
"""
import contextlib
import gc
import os
import signal
import socket
import subprocess
import sys
import threading
import warnings

import _socket
import _testcapi
import pytest

WAITING_S = 60  # far beyond what any test takes; each ends by an event


def test_this_is_our_module():
    assert os.path.realpath(_socket.__file__) == os.path.realpath(os.environ["PARTYLINE_SOCKET_MODULE"])


def test_child_interpreters_have_it_too():
    output = subprocess.run([sys.executable, "-c", "import _socket; print(_socket.__file__)"], check=True,
                            capture_output=True, text=True, timeout=WAITING_S).stdout
    assert os.path.realpath(output.strip()) == os.path.realpath(os.environ["PARTYLINE_SOCKET_MODULE"])


def open_descriptors():
    return len(os.listdir("/proc/self/fd"))


def is_open(fd):
    return os.path.exists(f"/proc/self/fd/{fd}")


# Of poll(2), recvfrom(2) and recvmsg(2), in which the calls below wait.
SYSTEM_CALLS = {"x86_64": {7, 45, 47}, "aarch64": {73, 207, 212}}


def wait_for_system_call(native_id):
    """Until a thread of this process is in a system call of SYSTEM_CALLS. A thread that sleeps may also
    wait for the interpreter's lock, so the kernel is asked what it does."""
    numbers = SYSTEM_CALLS.get(os.uname().machine)
    if numbers is None:
        pytest.skip("the numbers of this machine's system calls are not known here")
    while True:
        with open(f"/proc/self/task/{native_id}/syscall", encoding="utf-8") as file:
            number = file.read().split()[0]
        if number.isdecimal() and int(number) in numbers:
            return


class Waiting:
    """A thread in a call that waits, and what came of it."""

    def __init__(self, call):
        self.result = None
        self.call = call
        self.thread = threading.Thread(target=self.run)
        self.thread.start()
        wait_for_system_call(self.thread.native_id)

    def run(self):
        try:
            self.result = self.call()
        except OSError as error:
            self.result = error

    def end(self):
        self.thread.join(WAITING_S)
        assert not self.thread.is_alive()
        return self.result


@contextlib.contextmanager
def signalled(handler):
    """Has handler run while this thread waits in a call."""
    def send():
        wait_for_system_call(main.native_id)
        signal.pthread_kill(main.ident, signal.SIGUSR1)

    main = threading.current_thread()
    before = signal.signal(signal.SIGUSR1, handler)
    sender = threading.Thread(target=send)
    sender.start()
    try:
        yield
    finally:
        sender.join(WAITING_S)
        signal.signal(signal.SIGUSR1, before)


@pytest.mark.parametrize("timeout", [None, WAITING_S])
def test_a_close_beside_a_waiting_call_closes_when_that_returns(timeout):
    a, b = socket.socketpair()
    fd = a.fileno()
    a.settimeout(timeout)
    waiting = Waiting(lambda: a.recv(10))
    a.close()
    assert a.fileno() == -1
    with pytest.raises(OSError, match="Bad file descriptor"):
        a.send(b"x")
    # The number is not given to another socket while a call still uses it.
    assert is_open(fd)
    b.send(b"hello")
    assert waiting.end() == b"hello"
    assert not is_open(fd)
    b.close()


def test_a_detach_beside_a_waiting_call_leaves_the_descriptor_open():
    a, b = socket.socketpair()
    waiting = Waiting(lambda: a.recv(10))
    fd = a.detach()
    b.send(b"hello")
    assert waiting.end() == b"hello"
    assert is_open(fd)
    os.close(fd)
    b.close()


def test_calls_of_two_threads_on_one_socket_do_not_mix():
    a, b = socket.socketpair()
    a.settimeout(WAITING_S)
    waiting = Waiting(lambda: a.recv(10))
    a.sendall(b"from a")
    assert b.recv(10) == b"from a"
    b.sendall(b"from b")
    assert waiting.end() == b"from b"
    a.close()
    b.close()


def test_a_handler_may_use_and_close_the_socket_that_was_interrupted():
    a, b = socket.socketpair()
    fd = a.fileno()
    seen = []

    def handler(number, frame):
        b.send(b"for the handler")
        seen.append(a.recv(100))
        a.close()
        b.send(b"for the call")

    with signalled(handler):
        assert a.recv(100) == b"for the call"
    assert seen == [b"for the handler"]
    assert not is_open(fd)
    b.close()


def test_a_handler_that_raises_ends_the_call_and_the_socket_lives_on():
    a, b = socket.socketpair()

    def handler(number, frame):
        raise KeyError("enough")

    for timeout in (None, WAITING_S):
        a.settimeout(timeout)
        with pytest.raises(KeyError), signalled(handler):
            a.recvmsg(100)
    b.send(b"still here")
    assert a.recv(100) == b"still here"
    a.close()
    b.close()


def test_a_socket_that_nobody_closed_is_closed_with_a_warning():
    sock = socket.socket()
    fd = sock.fileno()
    with pytest.warns(ResourceWarning, match="unclosed"):
        del sock
        gc.collect()
    assert not is_open(fd)


def test_a_second_init_leaves_the_first_descriptor_open_as_cpython_does():
    sock = _socket.socket()
    first = sock.fileno()
    sock.__init__()
    assert sock.fileno() != first and is_open(first)
    os.close(first)
    sock.close()


def test_descriptors_of_a_message_nobody_can_take_are_closed():
    a, b = socket.socketpair()
    before = open_descriptors()
    with open(os.devnull, "rb") as file:
        socket.send_fds(a, [b"x"], [file.fileno(), a.fileno()])
    with warnings.catch_warnings():
        # Without memory for the result, at each place in turn.
        for start in range(200):
            try:
                _testcapi.set_nomemory(start, start + 1)
                result = b.recvmsg(10, 100, socket.MSG_PEEK)
            except MemoryError:
                continue
            finally:
                _testcapi.remove_mem_hooks()
            fds = [int.from_bytes(data[i:i + 4], sys.byteorder) for _, _, data in result[1] for i in (0, 4)]
            for fd in fds:
                os.close(fd)
            break
    assert start > 0 and open_descriptors() == before
    a.close()
    b.close()


def calls():
    """Calls that make objects of every kind, each to be made again and again without memory."""
    a, b = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind(("127.0.0.1", 0))
    udp6 = _socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    listener = socket.create_server(("127.0.0.1", 0))

    def exchange(receive):
        a.send(b"hello")
        try:
            return receive()
        finally:
            b.setblocking(False)
            try:
                while True:
                    b.recv(10)
            except BlockingIOError:
                b.setblocking(True)

    def accept():
        with socket.create_connection(listener.getsockname()):
            os.close(listener._accept()[0])

    yield "socket", lambda: _socket.socket().close()
    yield "socketpair", lambda: [s.close() for s in _socket.socketpair()]
    yield "getsockname", udp.getsockname
    yield "getsockname6", udp6.getsockname
    yield "sendto", lambda: udp.sendto(b"x", ("127.0.0.1", udp.getsockname()[1]))
    yield "recv", lambda: exchange(lambda: b.recv(10))
    yield "recvfrom", lambda: exchange(lambda: b.recvfrom(10))
    yield "recvmsg", lambda: exchange(lambda: b.recvmsg(10, 100))
    yield "recvmsg_into", lambda: exchange(lambda: b.recvmsg_into([bytearray(3), bytearray(3)]))
    yield "sendmsg", lambda: exchange(lambda: a.sendmsg([b"x", b"y"], [(1, 1, b"")]))
    yield "accept", accept
    yield "getaddrinfo", lambda: _socket.getaddrinfo("127.0.0.1", 80)
    yield "getnameinfo", lambda: _socket.getnameinfo(("127.0.0.1", 80), 3)
    yield "gethostbyname_ex", lambda: _socket.gethostbyname_ex("127.0.0.1")
    yield "if_nameindex", _socket.if_nameindex
    yield "inet_ntop", lambda: _socket.inet_ntop(socket.AF_INET, b"1234")
    yield "error", lambda: udp.connect(("", 1, 2))
    for sock in (a, b, udp, udp6, listener):
        sock.close()


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_without_memory_calls_fail_and_lose_no_descriptor():
    for name, call in calls():
        before = open_descriptors()
        for start in range(1000):
            try:
                _testcapi.set_nomemory(start, start + 1)
                call()
            except MemoryError:
                continue
            except TypeError:
                assert name == "error"
            finally:
                _testcapi.remove_mem_hooks()
            break
        else:
            pytest.fail(f"{name} never had enough memory")
        gc.collect()
        assert open_descriptors() == before, name
