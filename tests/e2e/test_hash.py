# SPDX-License-Identifier: MIT
"""partyline hash: a password goes in, a line for the configuration comes out, and nothing else does."""
import re
import signal
import subprocess

import pytest

import harness
from harness import server_env

HASH = r"\$argon2id\$v=19\$m=65536,t=3,p=4\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}"
PASSWORD = "correct horse é"


def partyline_hash(*args, text=PASSWORD + "\n"):
    data = text.encode() if isinstance(text, str) else text
    return subprocess.run([harness.BINARY, "hash", *args], input=data, capture_output=True, timeout=60,
                          env=server_env(), check=False)


@pytest.mark.parametrize("text", [PASSWORD + "\n", PASSWORD, PASSWORD + "\r\n", PASSWORD + "\nanother line\n"])
def test_first_line_of_standard_input_is_hashed(text):
    done = partyline_hash(text=text)
    assert (done.returncode, done.stderr) == (0, b"")
    assert re.fullmatch(HASH + "\n", done.stdout.decode())


def test_each_hash_has_a_salt_of_its_own():
    salts = {partyline_hash().stdout.split(b"$")[4] for _ in range(3)}
    assert len(salts) == 3


def test_hash_is_taken_by_the_configuration(tmp_path):
    config = tmp_path / "partyline.yaml"
    line = partyline_hash().stdout.decode()
    config.write_text(f"password: {line}operators:\n  - name: root\n    password_hash: {line}", encoding="utf-8")
    done = subprocess.run([harness.BINARY, "check", config], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("text, cause", [
    ("", "there is no password"), ("\n", "there is no password"), ("a" * 257, "at most 256 bytes"),
    ("a" * 100000, "at most 256 bytes"), ("a\tb", "control characters"), ("a\x00b", "control characters"),
    (b"\xff\n", "not UTF-8"), (b"caf\xe9", "not UTF-8"), (b"\xed\xa0\x80\n", "not UTF-8")])
def test_what_cannot_be_a_password_is_refused(text, cause):
    done = partyline_hash(text=text)
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.startswith(b"partyline hash: ")
    assert cause in done.stderr.decode()


def test_longest_password_is_taken():
    assert partyline_hash(text="a" * 256).returncode == 0


def test_password_as_an_argument_is_refused_and_not_repeated():
    done = partyline_hash("hunter2")
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"hunter2" not in done.stderr


def test_full_disk_is_told():
    with open("/dev/full", "wb") as full:
        done = subprocess.run([harness.BINARY, "hash"], input=b"a\n", stdout=full, stderr=subprocess.PIPE, timeout=60,
                              env=server_env(), check=False)
    assert done.returncode == 1
    assert b"cannot write" in done.stderr


def test_terminal_is_asked_twice_and_shows_nothing(terminal):
    program = terminal(harness.BINARY, "hash")
    program.expect("Password: ")
    program.type("hunter2\r")
    program.expect("Once more: ")
    program.type("hunter2\r")
    program.expect(HASH)
    assert program.wait() == 0
    assert "hunter2" not in program.output


def test_two_that_differ_are_refused(terminal):
    program = terminal(harness.BINARY, "hash")
    program.expect("Password: ")
    program.type("hunter2\r")
    program.expect("Once more: ")
    program.type("hunter3\r")
    program.expect("the two are not the same")
    assert program.wait() == 1
    assert "$argon2" not in program.output


def test_interrupt_ends_it_at_once(terminal):
    program = terminal(harness.BINARY, "hash")
    program.expect("Password: ")
    program.type("hun")
    program.type("\x03")
    assert program.wait() in (-signal.SIGINT, 128 + signal.SIGINT)
    assert "hun" not in program.output
