# SPDX-License-Identifier: MIT
"""The examples as files and as programs: each is listed, short and licensed; each says what is wrong."""
import os
import re
import subprocess

import pytest

from program import HERE, examples_directory

EXAMPLES = HERE.parent.parent / "examples"
FILES = sorted(EXAMPLES.glob("*.c"))
NAMES = [file.stem for file in FILES]
LINES_MAX = 90
# The group chats are the longest programs of the seeds, too.
LONGER = {"chat_server": 110, "chat_makefile_server": 110, "loop_chat": 110}

# name: arguments that name an address nobody can have, or that cannot be reached
BAD_ADDRESS = {
    **{name: ["192.0.2.1", "9"] for name in NAMES if re.search(r"server$|receiver$|^model_|^loop_chat$", name)},
    **{name: ["127.0.0.1", "no-such-service"] for name in NAMES if re.search(r"client$|udp_sender", name)},
    "sendfile_server": ["/dev/null", "192.0.2.1", "9"],
    "tls_server": ["/dev/null", "/dev/null", "192.0.2.1", "9"],
    "unix_server": ["/nonexistent/s"], "unix_client": ["/nonexistent/s"], "seqpacket_server": ["/nonexistent/s"],
    "seqpacket_client": ["/nonexistent/s", "x"], "fds_receiver": ["/nonexistent/s"],
    "fds_sender": ["/nonexistent/s", "/dev/null"], "ping": ["no host"], "names": ["no host", "80"],
    "syslog_send": ["no address"], "inherited_server": [],
}
NO_ADDRESS = {"errors", "locked_dictionary", "loop_signal", "loop_timer", "netlink_links"}

# The ports of the seeds, where a program has one.
PORTS = {
    "udp_receiver": 8081, "udp_sender": 8081, "tcp_time_server": 12345, "tcp_time_client": 12345, "quit_server": 1122,
    "quit_client": 1122, "udp_time_server": 8888, "udp_time_client": 8888, "echo_server": 9000, "echo_client": 9000,
    "timestamp_server": 21567, "timestamp_client": 21567, "welcome_server": 60000, "chat_server": 60000,
    "chat_makefile_server": 60000, "chat_client": 60000, "hello_tcp_server": 12345, "hello_tcp_client": 12345,
    "hello_udp_server": 12348, "hello_udp_client": 12348,
}


def invoke(name, *args):
    return subprocess.run([examples_directory() / name, *args], stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=60, check=False)


def test_there_are_examples():
    assert len(FILES) >= 40


@pytest.mark.parametrize("file", FILES, ids=NAMES)
def test_file(file):
    text = file.read_text(encoding="utf-8")
    lines = text.splitlines()
    assert lines[0] == "/* SPDX-License-" "Identifier: MIT */"
    assert len(lines) < LONGER.get(file.stem, LINES_MAX)
    # It opens with what it is and how to call it.
    assert re.match(rf" \* {file.stem}\b.*:", " ".join(lines[2:4]))
    # Public headers only.
    own = re.findall(r'#include ("[^"]+"|<partyline/[^>]+>)', text)
    assert own == ([] if file.stem == "locked_dictionary" else ["<partyline/partyline.h>"])
    table = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    assert len(re.findall(rf"^\| \[{file.name}\]\({file.name}\) \| .+ \| .+ \|$", table, re.MULTILINE)) == 1


@pytest.mark.parametrize("name", PORTS)
def test_the_port_is_the_seeds_unless_one_is_given(name):
    text = (EXAMPLES / f"{name}.c").read_text(encoding="utf-8")
    assert f'const char *port = argc > 2 ? argv[2] : "{PORTS[name]}";' in text


def test_the_table_lists_no_other():
    table = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    assert sorted(re.findall(r"^\| \[(\w+)\.c\]", table, re.MULTILINE)) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_wrong_use(name):
    done = invoke(name, *["x"] * 6) if name != "seqpacket_client" else invoke(name)
    assert done.returncode == 2
    assert done.stderr.startswith(f"usage: {name}")
    assert done.stdout == ""


def test_each_program_with_an_address_has_a_bad_one():
    assert set(NAMES) - set(BAD_ADDRESS) == NO_ADDRESS


@pytest.mark.parametrize("name", sorted(BAD_ADDRESS))
def test_error_names_address_and_cause(name):
    if os.environ.get("LISTEN_FDS"):
        pytest.skip("this process has inherited sockets")
    done = invoke(name, *BAD_ADDRESS[name])
    assert done.returncode == 1
    where = ":".join(BAD_ADDRESS[name][-2:]) if name not in ("seqpacket_client", "fds_sender") else "/nonexistent/s"
    assert done.stderr.startswith(f"{name}: {where}: " if where else f"{name}: nothing: ")
    assert len(done.stderr.splitlines()) == 1
    assert len(done.stderr.split(": ")[2].strip()) > 3, "no cause"
    assert "listening" not in done.stdout
