# SPDX-License-Identifier: MIT
"""A program under test with pipes: what it prints is waited for, never longer than PATIENCE_S."""
import os
import pathlib
import re
import select
import signal
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).parent

PATIENCE_S = float(os.environ.get("PARTYLINE_TEST_PATIENCE", "20"))
SANITIZER = re.compile(r"ERROR: \w+Sanitizer|WARNING: ThreadSanitizer|runtime error:")



def examples_directory():
    """Where the built examples are."""
    if "PARTYLINE_EXAMPLES" in os.environ:
        return pathlib.Path(os.environ["PARTYLINE_EXAMPLES"])
    return pathlib.Path(os.environ["PARTYLINE_BIN"]).resolve().parent.parent / "examples"


class Program:
    """A running program."""

    def __init__(self, *command, **settings):
        self.command = [str(word) for word in command]
        self.process = subprocess.Popen(
            self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **settings)
        self.streams = {self.process.stdout.fileno(): "out", self.process.stderr.fileno(): "err"}
        self.out = self.err = ""
        self.seen = 0  # of out, what expect has matched already

    @property
    def pid(self):
        return self.process.pid

    def read_some(self, deadline):
        """Takes what was printed; False at the end of both streams."""
        if not self.streams:
            return False
        left = deadline - time.monotonic()
        ready = select.select(list(self.streams), [], [], left)[0] if left > 0 else []
        if not ready:
            raise AssertionError(f"{self.command}: nothing came; stdout {self.out!r}, stderr {self.err!r}")
        for fd in ready:
            data = os.read(fd, 65536)
            if not data:
                del self.streams[fd]
            elif self.streams[fd] == "out":
                self.out += data.decode()
            else:
                self.err += data.decode()
        return True

    def expect(self, pattern):
        """Waits until what is printed matches behind what was matched before. Returns the match."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            found = re.compile(pattern, re.MULTILINE).search(self.out, self.seen)
            if found:
                self.seen = found.end()
                return found
            if not self.read_some(deadline):
                raise AssertionError(f"{self.command}: no {pattern!r} in {self.out!r}; stderr {self.err!r}")

    def listening(self):
        """(host, port) of a server; the wildcard is reached by loopback."""
        found = self.expect(r"^(?:>> )?listening on (\S+):(\d+)$")
        return found[1].replace("0.0.0.0", "127.0.0.1"), int(found[2])

    def type(self, text):
        """Types a line."""
        self.process.stdin.write(text.encode() + b"\n")
        self.process.stdin.flush()

    def end_input(self):
        self.process.stdin.close()

    def wait(self):
        """Waits for the end, without more input. Returns the exit status."""
        if not self.process.stdin.closed:
            self.end_input()
        deadline = time.monotonic() + PATIENCE_S
        while self.read_some(deadline):
            pass
        return self.process.wait(max(deadline - time.monotonic(), 1))

    def finish(self):
        """After a test: ends what still runs; nothing may have been said by a sanitizer."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            self.wait()
        except (AssertionError, subprocess.TimeoutExpired):
            self.process.kill()
            self.process.wait()
            raise
        finally:
            self.process.stdout.close()
            self.process.stderr.close()
        assert not SANITIZER.search(self.err), self.err


def python(script, *args):
    """The command that runs a Python program of the seeds."""
    return [sys.executable, "-u", str(script), *args]
