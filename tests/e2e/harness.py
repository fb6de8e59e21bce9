# SPDX-License-Identifier: MIT
"""The server under test as a process, and a client that speaks lines to it.

Nothing here sleeps: each wait is for bytes on a socket or a pipe, for the end of a process or for a
condition, and ends with a failure when the time is up.
"""
import contextlib
import json
import os
import pathlib
import re
import select
import signal
import socket
import struct
import subprocess
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = os.environ.get("PARTYLINE_BIN", str(ROOT / "build/test/bin/partyline"))

# Long enough for a sanitizer build on a busy machine; a test that passes never waits for it.
PATIENCE_S = float(os.environ.get("PARTYLINE_TEST_PATIENCE", "20"))
# The server's own promise for SIGTERM.
DRAIN_S = 10.0

# How a newcomer is greeted; the name is the first group.
WELCOME = r"\*\*\* Welcome to .+\. You are (\S+);"
# For tests that say more in a moment than a person would.
NO_FLOOD_CONTROL = {"limits": {"flood": False}}

SANITIZER_REPORT = re.compile(
    r"ERROR: \w*Sanitizer|WARNING: ThreadSanitizer|runtime error:|SUMMARY: \w*Sanitizer"
)
SANITIZER_ENV = {
    "ASAN_OPTIONS": "detect_leaks=1:abort_on_error=0:exitcode=99",
    "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1:exitcode=99",
    "TSAN_OPTIONS": "halt_on_error=0:second_deadlock_stack=1:exitcode=99",
}


def server_env():
    """The environment for programs under test; what the caller set for a sanitizer stands."""
    return {**SANITIZER_ENV, **os.environ}


def time_left(deadline, what):
    """Seconds until the deadline; fails when there are none."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise AssertionError(f"waited too long for {what}")
    return left


def make_narrow(one, receive_buffer):
    """Makes a socket, not connected yet, one that soon fills when it is not read.

    The peer's send buffer grows with the largest segment, which is 64 KiB on the loopback device:
    megabytes would wait there. With segments of an Ethernet it stays small.
    """
    one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    if one.family != socket.AF_UNIX:
        one.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 1400)


class Server:
    """`partyline serve` on a port the kernel picks, with a data directory of its own."""

    def __init__(self, directory, *args, config=None, listen=("any://127.0.0.1:0",), env=None,
                 binary=None, wrapper=(), preexec=None):
        """binary: another program than BINARY; wrapper: a command that becomes the server."""
        self.directory = pathlib.Path(directory)
        self.binary = binary
        self.wrapper = list(wrapper)
        self.preexec = preexec
        self.data = self.directory / "data"
        self.args = list(args)
        if config is not None:
            # JSON is YAML.
            path = self.directory / "partyline.yaml"
            path.write_text(json.dumps(config, indent=1) + "\n", encoding="utf-8")
            self.args += ["--config", str(path)]
        self.listen = [] if config is not None and "listen" in config else list(listen)
        self.listeners = len(self.listen) or len(config["listen"])
        self.env = {**server_env(), **(env or {})}
        self.process = None
        self.killed = False
        self.urls = []
        self.log_path = self.directory / "stderr"
        self.log_lines = []
        self.log_grew = threading.Condition()
        self.reader = None

    # life

    def start(self):
        """Starts the process and waits until it says where it listens."""
        command = [*self.wrapper, self.binary or BINARY, "serve", "--data", str(self.data)]
        for url in self.listen:
            command += ["--listen", url]
        self.killed = False
        self.process = subprocess.Popen(
            command + self.args, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, env=self.env, cwd=self.directory, preexec_fn=self.preexec,
        )
        self.reader = threading.Thread(target=self._read_log, args=(self.process.stderr,))
        self.reader.start()
        self.urls = self._read_listening_lines()
        return self

    def _read_log(self, pipe):
        with open(self.log_path, "ab") as file:
            for line in pipe:
                file.write(line)
                file.flush()
                with self.log_grew:
                    self.log_lines.append(line.decode("utf-8", "replace").rstrip("\n"))
                    self.log_grew.notify_all()

    def _read_listening_lines(self):
        deadline = time.monotonic() + PATIENCE_S
        text = b""
        descriptor = self.process.stdout.fileno()
        while True:
            urls = re.findall(rb"^listening on (\S+)\n", text, re.MULTILINE)
            if len(urls) >= self.listeners:
                return [url.decode() for url in urls]
            ready, _, _ = select.select([descriptor], [], [], time_left(deadline, "listening on"))
            piece = os.read(descriptor, 4096) if ready else b""
            if ready and not piece:
                status = self.process.wait(PATIENCE_S)
                self.reader.join(PATIENCE_S)
                raise AssertionError(f"the server ended with {status}: {self.log}")
            text += piece

    @property
    def running(self):
        return self.process is not None and self.process.poll() is None

    def signal(self, number):
        self.process.send_signal(number)

    def wait(self, timeout=PATIENCE_S):
        """Waits for the end of the process. Returns its exit status."""
        status = self.process.wait(timeout)
        self.reader.join(timeout)
        self.process.stdout.close()
        self.process.stderr.close()
        return status

    def sigterm(self):
        """Asks the server to end. Returns its exit status; fails when it takes too long."""
        self.signal(signal.SIGTERM)
        return self.wait(max(DRAIN_S, PATIENCE_S))

    def kill9(self):
        """Ends the server as a crash would."""
        self.killed = True
        self.process.kill()
        return self.wait()

    def restart(self):
        """Ends the server in good order, if it runs, and starts it on the same data."""
        if self.running:
            status = self.sigterm()
            assert status == 0, f"the server ended with {status}: {self.log}"
        return self.start()

    def finish(self):
        """The end of a test: the server must go in good order and leave no sanitizer's report."""
        if self.process is None:
            return
        try:
            if self.running:
                status = self.sigterm()
            else:
                status = self.process.returncode
        finally:
            if self.running:
                self.process.kill()
                self.wait()
        report = SANITIZER_REPORT.search(self.log)
        assert report is None, self.log
        assert self.killed or status == 0, f"the server ended with {status}: {self.log}"

    # what it says

    @property
    def log(self):
        """All that it wrote to standard error, over all its lives."""
        with self.log_grew:
            return "\n".join(self.log_lines)

    def wait_for_log(self, pattern, timeout=PATIENCE_S):
        """Waits for a line of the log. Returns the match."""

        def found():
            return next(filter(None, (re.search(pattern, line) for line in self.log_lines)), None)

        with self.log_grew:
            assert self.log_grew.wait_for(found, timeout), f"no {pattern!r} in:\n{self.log_lines}"
            return found()

    # where it is

    @property
    def address(self):
        """(host, port) of the first TCP listener."""
        for url in self.urls:
            match = re.match(r"^\w+://(?:\[([^\]]+)\]|([^:/\[\]]+)):(\d+)/?$", url)
            if match is not None:
                return match[1] or match[2], int(match[3])
        raise AssertionError(f"no TCP listener in {self.urls}")

    @property
    def host(self):
        return self.address[0]

    @property
    def port(self):
        return self.address[1]


class LineClient:
    """A connection that sends and reads lines: what nc and a person do."""

    def __init__(self, address, receive_buffer=None):
        family = socket.AF_UNIX if isinstance(address, str) else (
            socket.AF_INET6 if ":" in address[0] else socket.AF_INET)
        self.socket = socket.socket(family, socket.SOCK_STREAM)
        self.socket.settimeout(PATIENCE_S)
        if receive_buffer is not None:
            make_narrow(self.socket, receive_buffer)
        self.socket.connect(address)
        self.name = None
        self.received = b""  # all bytes so far
        self.unread = b""    # those that no expect has taken

    def send(self, line):
        self.send_bytes(line.encode() + b"\n")

    def send_bytes(self, data):
        self.socket.sendall(data)

    def _receive(self, deadline, what):
        """Takes more bytes in. Returns False at the end of the stream."""
        left = deadline - time.monotonic()
        if left <= 0:
            raise AssertionError(f"waited too long for {what!r}; unread, its end: {self.unread[-2000:]!r}")
        self.socket.settimeout(left)
        try:
            piece = self.socket.recv(65536)
        except TimeoutError:
            raise AssertionError(f"waited too long for {what!r}; unread, its end: {self.unread[-2000:]!r}") from None
        except ConnectionResetError:
            piece = b""
        self.received += piece
        self.unread += piece
        return piece != b""

    def expect_bytes(self, data, timeout=PATIENCE_S):
        """Waits for these very bytes and takes all up to their end."""
        deadline = time.monotonic() + timeout
        while data not in self.unread:
            if not self._receive(deadline, data):
                raise AssertionError(f"the stream ended before {data!r}: {self.received!r}")
        self.unread = self.unread.split(data, 1)[1]

    def read_until(self, pattern, timeout=PATIENCE_S):
        """Reads whole lines up to one that the pattern is found in.

        Returns: the lines before it, and the match.
        """
        deadline = time.monotonic() + timeout
        before = []
        while True:
            while b"\n" in self.unread:
                line, self.unread = self.unread.split(b"\n", 1)
                text = line.rstrip(b"\r").decode("utf-8")
                match = re.search(pattern, text)
                if match is not None:
                    return before, match
                before.append(text)
            if not self._receive(deadline, pattern):
                raise AssertionError(f"the stream ended before {pattern!r}; read: {before}")

    def expect(self, pattern, timeout=PATIENCE_S):
        """Waits for a line that the pattern is found in. Returns the match."""
        return self.read_until(pattern, timeout)[1]

    def expect_end(self, timeout=PATIENCE_S):
        """Waits for the end of the stream. Returns what came before it as text."""
        deadline = time.monotonic() + timeout
        while self._receive(deadline, "the end of the stream"):
            pass
        text, self.unread = self.unread, b""
        return text.decode("utf-8")

    def end_output(self):
        """Sends the end of file; what the server still says can be read."""
        self.socket.shutdown(socket.SHUT_WR)

    def reset(self):
        """Breaks the connection off: the server gets a reset instead of an end."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def close(self):
        with contextlib.suppress(OSError):
            self.socket.close()
