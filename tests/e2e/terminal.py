# SPDX-License-Identifier: MIT
"""Programs that people start, on a terminal: a bare one (Terminal) or a whole screen (Screen)."""
import contextlib
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import time
import uuid

import pytest

from harness import PATIENCE_S, server_env, time_left


def find_program(*names):
    """The path of the first program that is here; skips the test when none is."""
    for name in names:
        path = shutil.which(name)
        if path is not None:
            return path
    pytest.skip(f"{names[0]} is not installed")


class Terminal:
    """A program with a pseudo-terminal as its standard streams and controlling terminal."""

    def __init__(self, *argv, env=None):
        self.master, slave = pty.openpty()
        # setsid --ctty makes the terminal the controlling one, so that control characters are signals.
        self.process = subprocess.Popen(
            ["setsid", "--ctty", *argv], stdin=slave, stdout=slave, stderr=slave,
            env={**server_env(), "TERM": "dumb", **(env or {})},
        )
        os.close(slave)
        self.output = ""  # all that it wrote, with the terminal's echo of what was typed
        self.taken = 0    # how much of it expect has passed

    def type(self, text):
        """Types; a line ends with \\r, as the return key sends it."""
        os.write(self.master, text.encode())

    def expect(self, pattern, timeout=PATIENCE_S):
        """Waits until the pattern is found in the output not yet passed. Returns the match."""
        deadline = time.monotonic() + timeout
        while True:
            match = re.compile(pattern, re.MULTILINE).search(self.output, self.taken)
            if match is not None:
                self.taken = match.end()
                return match
            what = f"{pattern!r} in {self.output[self.taken:]!r}"
            ready, _, _ = select.select([self.master], [], [], time_left(deadline, what))
            piece = b""
            # The other side of a pseudo-terminal that nobody holds open is an error, not an end.
            with contextlib.suppress(OSError):
                piece = os.read(self.master, 65536) if ready else b""
            if ready and not piece:
                raise AssertionError(f"the program ended before {what}")
            self.output += piece.decode("utf-8", "replace")

    def wait(self, timeout=PATIENCE_S):
        """Waits for the end of the program. Returns its exit status."""
        return self.process.wait(timeout)

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(PATIENCE_S)
        os.close(self.master)


class Screen:
    """A program in tmux: what a person sees, after cursor movements and colours."""

    def __init__(self, *argv, columns=80, rows=24):
        self.tmux = [find_program("tmux"), "-L", f"partyline-test-{uuid.uuid4().hex}", "-f", "/dev/null"]
        subprocess.run(
            [*self.tmux, "-u", "new-session", "-d", "-x", str(columns), "-y", str(rows), *argv],
            check=True, env={**server_env(), "TERM": "xterm-256color", "LC_ALL": "C.UTF-8"},
        )

    def type(self, text):
        """Types text as it stands."""
        subprocess.run([*self.tmux, "send-keys", "-l", text], check=True)

    def press(self, *keys):
        """Presses keys by tmux's names: Enter, C-c, Up."""
        subprocess.run([*self.tmux, "send-keys", *keys], check=True)

    def paste(self, text):
        """Pastes, bracketed if the program asked for it."""
        subprocess.run([*self.tmux, "load-buffer", "-"], check=True, input=text.encode())
        subprocess.run([*self.tmux, "paste-buffer", "-p"], check=True)

    def resize(self, columns, rows):
        subprocess.run(
            [*self.tmux, "resize-window", "-x", str(columns), "-y", str(rows)], check=True)

    def text(self):
        """The screen as it is now."""
        done = subprocess.run(
            [*self.tmux, "capture-pane", "-p"], check=True, capture_output=True, text=True)
        return done.stdout

    def expect(self, pattern, timeout=PATIENCE_S):
        """Looks at the screen until the pattern is found in it. Returns the match."""
        deadline = time.monotonic() + timeout
        while True:
            screen = self.text()
            match = re.search(pattern, screen, re.MULTILINE)
            if match is not None:
                return match
            time_left(deadline, f"{pattern!r} on the screen:\n{screen}")

    def close(self):
        # The leak sanitizer of a program that a hang-up ends may wait for itself for ever.
        panes = subprocess.run([*self.tmux, "list-panes", "-a", "-F", "#{pane_pid}"], check=False,
                               capture_output=True, text=True)
        for pid in panes.stdout.split():
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)
        subprocess.run([*self.tmux, "kill-server"], check=False, capture_output=True)
