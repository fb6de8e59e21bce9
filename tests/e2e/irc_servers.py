# SPDX-License-Identifier: MIT
"""IRC servers of others, as Debian has them, for `partyline chat` to talk to. None takes a fixed port."""
import contextlib
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time

import pytest

from harness import PATIENCE_S, time_left

SBIN = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])

NGIRCD = """\
[Global]
Name = irc.example.net
Info = a test
MotdPhrase = have fun
{password}
[Limits]
MaxPenaltyTime = 0
[Options]
DNS = no
Ident = no
PAM = no
"""

# Fake lag is what slows a client down that sends too much at once.
INSPIRCD = """\
<server name="irc.example.net" description="a test" network="TestNet">
<admin name="a" nick="a" email="a@example.net">
<bind path="{path}" type="clients">
<connect name="main" allow="*" timeout="60" pingfreq="120" localmax="100" globalmax="100" threshold="50"
 commandrate="100000" fakelag="on" {password}>
<pid file="{directory}/pid">
<path configdir="{directory}" datadir="{directory}" logdir="{directory}" runtimedir="{directory}">
""" + "".join(f'<module name="{name}">\n' for name in (
    "cap", "ircv3", "ircv3_servertime", "ircv3_echomessage", "ircv3_batch", "ircv3_labeledresponse", "ircv3_msgid",
    "ircv3_ctctags", "ircv3_accounttag", "namesx", "setname"))

# Gives its socket, bound already, to a program as systemd does: so no port has to be guessed.
ACTIVATE = ("import os, sys\nos.dup2(int(sys.argv[1]), 3)\n"
            "os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS='1')\nos.execv(sys.argv[2], sys.argv[2:])\n")


def find_server(name):
    path = shutil.which(name, path=SBIN)
    if path is None:
        pytest.skip(f"{name} is not installed")
    return path


class IrcServer:
    """A running server; target is what partyline chat is told."""

    def __init__(self, directory, password=None):
        self.directory = directory
        self.password = password
        self.process = None
        self.log = directory / "log"
        self.prepare()
        try:
            self.start()
        except BaseException:
            self.close()
            raise

    def run(self, *argv, **settings):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, **settings)

    def stop(self):
        """Ends it as a crash would."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait(PATIENCE_S)

    close = stop


class Ngircd(IrcServer):
    def prepare(self):
        self.program = find_server("ngircd")
        password = f"Password = {self.password}" if self.password else ""
        (self.directory / "conf").write_text(NGIRCD.format(password=password), encoding="utf-8")
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.target = "127.0.0.1:%d" % self.listener.getsockname()[1]

    def start(self):
        # Who connects before it accepts waits in the socket's queue.
        self.run(sys.executable, "-c", ACTIVATE, str(self.listener.fileno()), self.program, "-n", "-f",
                 str(self.directory / "conf"), pass_fds=[self.listener.fileno()])

    def close(self):
        self.stop()
        self.listener.close()


class Inspircd(IrcServer):
    def prepare(self):
        self.program = find_server("inspircd")
        password = f'password="{self.password}"' if self.password else ""
        # The path of a Unix socket is short, and a test's directory need not be.
        self.short = tempfile.TemporaryDirectory(prefix="irc")
        self.path = pathlib.Path(self.short.name) / "sock"
        conf = INSPIRCD.format(directory=self.directory, path=self.path, password=password)
        (self.directory / "conf").write_text(conf, encoding="utf-8")
        self.target = f"unix:{self.path}"

    def start(self):
        self.path.unlink(missing_ok=True)
        root = ["--runasroot"] if os.geteuid() == 0 else []
        self.run(self.program, *root, "--nofork", "--config", str(self.directory / "conf"))
        deadline = time.monotonic() + PATIENCE_S
        while True:
            assert self.process.poll() is None, self.log.read_text(encoding="utf-8")
            with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as probe:
                probe.connect(str(self.path))
                return
            time_left(deadline, "InspIRCd")

    def close(self):
        self.stop()
        self.short.cleanup()


KINDS = {"ngircd": Ngircd, "inspircd": Inspircd}
