# SPDX-License-Identifier: MIT
"""A disk that is full, or fails: what cannot be stored is refused, and nobody sees it."""
import contextlib
import os
import re
import resource
import shutil
import subprocess

import pytest

from checker import check
from harness import NO_FLOOD_CONTROL, PATIENCE_S, SANITIZER_ENV
from loader import NO_LIMITS, Crowd, Member, read_history

CYCLES = 20
# With what was reserved in the files before, so many lines may still find room on a full disk.
LINES_THAT_MAY_FIT = 4000
NOT_STORED = "*** Not sent: the server cannot store it"
# LeakSanitizer and strace are both tracers, and a process has one.
TRACED_ENV = {"ASAN_OPTIONS": SANITIZER_ENV["ASAN_OPTIONS"].replace("detect_leaks=1", "detect_leaks=0")}


class Talk:
    """Alice says lines one after the other, bob listens, and each line is answered."""

    def __init__(self, server):
        self.server = server
        self.crowd = Crowd()
        self.alice = self.crowd.add(Member(server.address, "alice"))
        self.bob = self.crowd.add(Member(server.address, "bob"))
        self.crowd.wait_ready()
        self.refused = 0

    def say(self, text):
        """Says a line. Returns whether it was stored; else alice was told, and nobody saw it."""
        alice = self.alice
        echoes, refusals = len(alice.journal.echoed), len(alice.notes)
        alice.say(text)

        def told():
            return next((note for note in alice.notes[refusals:] if note.startswith(NOT_STORED)), None)

        self.crowd.run_until(lambda: len(alice.journal.echoed) > echoes or told(), f"an answer to {text!r}")
        if told():
            # For the checker it was never said: whoever sees it, or finds it stored, is wrong.
            alice.journal.sent.pop()
            self.refused += 1
            return False
        return True

    def say_until_refused(self, text):
        for number in range(LINES_THAT_MAY_FIT):
            if not self.say(f"{text}, {number}"):
                return
        pytest.fail("everything is stored, although there is no room")

    def say_until_stored(self, text):
        for number in range(LINES_THAT_MAY_FIT):
            if self.say(f"{text}, {number}"):
                return
        pytest.fail("nothing is stored, although there is room again")

    def check_what_needs_no_disk(self, connect, number):
        """People come, go, change their names and read the history."""
        carol = connect(self.server)
        carol.send(f"/nick carol{number}")
        carol.expect(rf"^\*\*\* You are now called carol{number}\.$")
        carol.send("/join attic")
        carol.expect(r"^\*\*\* You are in attic\b")
        carol.send("/join lobby")
        carol.expect(r"^\*\*\* You are in lobby\b")
        carol.send("/history 1")
        carol.expect(r"^\*\*\* 1 line, number")
        carol.send("/msg bob psst")
        carol.expect("^" + re.escape(NOT_STORED))
        carol.send("/topic The disk is full")
        carol.expect("^" + re.escape(NOT_STORED))
        carol.send("quit")
        carol.expect_end()
        carol.close()

    def check_all(self):
        self.alice.say("the last line")
        self.crowd.run_until(lambda: len(self.bob.journal.seen) == len(self.alice.journal.seen)
                             and self.alice.journal.seen[-1][3] == "the last line", "the last line")
        assert check(read_history(self.server, ["lobby"]), self.crowd.journals) == []
        assert not any("psst" in note for note in self.bob.notes)
        assert not any("topic" in note for note in self.bob.notes)


def repeat(chat, connect, fill, free):
    """Fills the disk and frees it again, many times, while they talk."""
    talk = Talk(chat)
    try:
        for number in range(CYCLES):
            assert talk.say(f"room for {number}")
            fill()
            talk.say_until_refused(f"no room for {number}")
            talk.check_what_needs_no_disk(connect, number)
            free()
            talk.say_until_stored(f"room again for {number}")
        talk.check_all()
        assert talk.refused >= CYCLES
        assert "messages cannot be stored and are refused" in chat.log
        assert "messages are stored again" in chat.log
    finally:
        talk.crowd.close()


def own_mounts():
    """The beginning of a command that has mounts of its own; skips the test when there can be none."""
    command = ["unshare", "--mount"] + ([] if os.geteuid() == 0 else ["--map-root-user"])
    if shutil.which("unshare") is None:
        pytest.skip("unshare is not installed")
    probe = subprocess.run([*command, "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True, text=True,
                           timeout=30, check=False)
    if probe.returncode != 0:
        pytest.skip(f"no file system can be mounted here: {probe.stderr.strip()}")
    return command


def test_full_disk_refuses_messages_and_takes_them_again_when_there_is_room(server, connect, tmp_path):
    """The data lies on a file system of 2 MiB that only the server's process has mounted."""
    data = tmp_path / "server0" / "data"
    script = 'mkdir -p "$0" && mount -t tmpfs -o size=2m,mode=700 none "$0" && exec "$@"'
    chat = server(config=NO_LIMITS, wrapper=[*own_mounts(), "sh", "-c", script, str(data)])
    filler = f"/proc/{chat.process.pid}/root{data}/filler"

    def fill():
        with contextlib.suppress(OSError), open(filler, "wb", buffering=0) as file:
            while True:
                file.write(bytes(4096))

    repeat(chat, connect, fill, lambda: os.unlink(filler))


def test_file_size_limit_refuses_messages_and_takes_them_again_when_it_is_lifted(server, connect):
    chat = server(config=NO_LIMITS)
    soft, hard = resource.prlimit(chat.process.pid, resource.RLIMIT_FSIZE)

    def fill():
        resource.prlimit(chat.process.pid, resource.RLIMIT_FSIZE, (0, hard))

    def free():
        resource.prlimit(chat.process.pid, resource.RLIMIT_FSIZE, (soft, hard))

    repeat(chat, connect, fill, free)


# a disk that fails


def find_strace():
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed")
    probe = subprocess.run(["strace", "-o", "/dev/null", "true"], capture_output=True, text=True, timeout=30,
                           check=False)
    if probe.returncode != 0:
        pytest.skip(f"strace cannot trace here: {probe.stderr.strip()}")
    return "strace"


@contextlib.contextmanager
def failing_call(chat, inject):
    """Within it, system calls of the running server fail as told."""
    call = inject.partition(":")[0]
    tracer = subprocess.Popen(
        [find_strace(), "-f", "-p", str(chat.process.pid), "-o", "/dev/null", "-e", f"trace={call}", "-e",
         f"inject={inject}"], stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)
    try:
        line = tracer.stderr.readline().decode()
        if "attached" not in line:
            pytest.skip(f"strace cannot trace here: {line.strip()}")
        yield
    finally:
        tracer.terminate()
        tracer.wait(PATIENCE_S)
        tracer.stderr.close()


@pytest.mark.parametrize("when", [1, 2, 5, 20])
def test_after_one_failed_sync_nothing_is_acknowledged_until_the_restart(server, connect, when):
    """The kernel says of the next sync that all is well; what failed may be nowhere all the same."""
    chat = server(config=NO_LIMITS, env=TRACED_ENV)
    talk = Talk(chat)
    try:
        assert talk.say("before the disk fails")
        with failing_call(chat, f"fdatasync:error=EIO:when={when}"):
            # strace counts the calls of each thread by itself, and two loops and the hub's thread sync.
            for number in range(3 * when):
                if not talk.say(f"before, {number}"):
                    break
            else:
                pytest.fail("no sync failed")
            for number in range(20):
                assert not talk.say(f"after, {number}")
            talk.check_what_needs_no_disk(connect, 0)
        assert not talk.say("after the disk works again")
        assert "nothing is stored until the server has been started again" in chat.log
        talk.crowd.close()
        assert chat.sigterm() == 0
        chat.start()
        history = read_history(chat, ["lobby"])
        # The line whose sync failed was refused, and may be there all the same; no other may.
        extra = [line for page in history["lobby"] for line in page.lines
                 if ("lobby", line[2]) not in talk.alice.journal.sent]
        assert len(extra) <= 1, extra
        talk.alice.journal.sent += [("lobby", line[2]) for line in extra]
        assert check(history, talk.crowd.journals) == []
        again = Talk(chat)
        assert again.say("stored again")
        again.crowd.close()
    finally:
        talk.crowd.close()


@pytest.mark.parametrize("when", range(1, 9))
def test_failed_sync_at_the_start_is_said_and_the_next_start_works(server, join, when):
    """Either the server does not start and says why, or it starts and refuses to store."""
    chat = server(config=NO_FLOOD_CONTROL)
    chat.restart()
    alice = join(chat, "alice")
    alice.send("kept")
    alice.expect("alice: kept$")
    alice.close()
    chat.kill9()
    chat.env.update(TRACED_ENV)
    # -D: the server is our child, and strace its grandchild.
    chat.wrapper = [find_strace(), "-D", "-f", "-qq", "-o", "/dev/null", "-e", "trace=fdatasync", "-e",
                    f"inject=fdatasync:error=EIO:when={when}"]
    try:
        chat.start()
    except AssertionError as error:
        assert "the server ended with 1:" in str(error)
        assert re.search(r"partyline serve: .*(sync|I/O)", str(error)), error
    else:
        bob = join(chat, "bob")
        bob.send("not kept")
        bob.expect(r"(bob: not kept|^\*\*\* Not sent)")
        bob.close()
        chat.kill9()
    chat.wrapper = []
    chat.start()
    late = join(chat, "late")
    late.send("/history")
    late.expect("alice: kept$")
    late.send("works again")
    late.expect("late: works again$")


@pytest.mark.parametrize("inject", [
    "pwrite64:error=EIO:when=2+3", "pwrite64:error=ENOSPC:when=1+2", "pwrite64:error=EDQUOT:when=5+7",
    "pwrite64:error=EIO:when=1+1",
])
def test_writes_that_fail_now_and_then_refuse_what_they_were_for(server, inject):
    chat = server(config=NO_LIMITS, env=TRACED_ENV)
    talk = Talk(chat)
    try:
        assert talk.say("before")
        with failing_call(chat, inject):
            answers = [talk.say(f"line {number}") for number in range(60)]
        assert not all(answers)
        assert talk.say("after"), "the server must be as before: no sync has failed"
        talk.check_all()
        talk.crowd.close()
        chat.kill9()
        chat.start()
        assert check(read_history(chat, ["lobby"]), talk.crowd.journals) == []
    finally:
        talk.crowd.close()


def test_reads_that_fail_are_told_and_nothing_else_is_lost(server, join):
    chat = server(config=NO_LIMITS, env=TRACED_ENV)
    alice = join(chat, "alice")
    for number in range(500):
        alice.send(f"line {number}")
    alice.expect("alice: line 499$")
    with failing_call(chat, "pread64:error=EIO"):
        answers = set()
        for question in ("/history 5", "/history after 3", "/history before 400", "/search line"):
            alice.send(question)
            answers.add(alice.expect(r"^\*\*\* (\d+ lines?, number|The history cannot be read now)")[1])
            alice.send("heard?")
            alice.expect(r"(alice: heard\?$|^\*\*\* Not sent)")
    assert "The history cannot be read now" in answers
    alice.send("/history 500")
    alice.expect(r"^\*\*\* \d+ lines, number")
    alice.send("works again")
    alice.expect("alice: works again$")
