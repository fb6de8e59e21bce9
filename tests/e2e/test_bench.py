# SPDX-License-Identifier: MIT
"""The load generator against the floor servers, and against servers that lose, double and swap."""
import contextlib
import json
import os
import pathlib
import socket
import subprocess
import threading

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = pathlib.Path(os.environ.get("PARTYLINE_BIN", ROOT / "build/test/bin/partyline"))
FLOORS = BINARY.parent.parent / "bench"
PATIENCE_S = 60


@contextlib.contextmanager
def floor(name):
    """A floor server: its process and URL."""
    process = subprocess.Popen([FLOORS / name], stdout=subprocess.PIPE, text=True)
    try:
        line = process.stdout.readline()
        assert line.startswith("listening on raw://127.0.0.1:"), line
        yield process, line.split()[-1]
        assert process.poll() is None, "the server died"
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def bench(*args):
    return subprocess.run([BINARY, "bench", *map(str, args)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True, timeout=PATIENCE_S, check=False)


def test_room_delivers_each_message_to_each_member_once():
    with floor("floor_room") as (process, url):
        done = bench("room", "--connect", url, "--protocol", "raw", "--members", 20, "--senders", 3, "--window", 7,
                     "--messages", 500, "--warmup", 0, "--pid", process.pid, "--json", "-")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["messages"] == 500
    assert result["deliveries"] == 500 * 20
    assert [result[key] for key in ("lost", "doubled", "misordered", "strange")] == [0, 0, 0, 0]
    assert 0 < result["p50_us"] <= result["p90_us"] <= result["p99_us"] <= result["max_us"]
    assert result["server_pss_kib"] > 0
    assert result["server_cpu_us"] > 0


@pytest.mark.parametrize("size", [16, 17, 400, 5000])
def test_room_takes_messages_of_any_size(size):
    with floor("floor_room") as (_, url):
        done = bench("room", "--connect", url, "--protocol", "raw", "--members", 5, "--size", size, "--messages", 300,
                     "--warmup", 0, "--json", "-")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["deliveries"] == 300 * 5


def test_idle_measures_what_a_connection_costs(tmp_path):
    report = tmp_path / "idle.json"
    with floor("floor_room") as (process, url):
        done = bench("idle", "--connect", url, "--protocol", "raw", "--members", 200, "--hold", 0.1,
                     "--pid", process.pid, "--json", report)
    assert done.returncode == 0, done.stderr
    result = json.loads(report.read_text())
    assert result["members"] == 200
    assert result["rss_after_kib"] >= result["rss_before_kib"] > 0
    assert "connections/s" in done.stdout


@pytest.mark.parametrize("depth", [1, 16])
@pytest.mark.parametrize("size", [1, 64, 100000])
def test_echo_gets_every_byte_back(size, depth):
    with floor("floor_echo") as (process, url):
        done = bench("echo", "--connect", url, "--connections", 5, "--size", size, "--depth", depth,
                     "--seconds", 0.2, "--warmup", 0, "--pid", process.pid, "--json", "-")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["requests"] > 0


class Faulty:
    """A room for one member whose server changes, with `spoil`, what the member gets.

    spoil takes the messages in the order they came, probes left out, and the number of the last one,
    and gives those to pass on.
    """

    def __init__(self, spoil):
        self.spoil = spoil
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = "raw://127.0.0.1:%d" % self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self.serve)
        self.thread.start()

    def serve(self):
        connection, _ = self.listener.accept()
        with connection, connection.makefile("rwb") as stream, contextlib.suppress(OSError):
            count = 0
            for line in stream:
                if b"oo" in line[-9:-6]:  # the sender that does not exist: a probe
                    stream.write(line)
                else:
                    count += 1
                    stream.write(b"".join(self.spoil(line, count)))
                stream.flush()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.thread.join(PATIENCE_S)
        self.listener.close()


def swap():
    """Holds the third message back until the fourth has gone."""
    kept = []

    def spoil(line, count):
        if count == 3:
            kept.append(line)
            return []
        return [line] + [kept.pop() for _ in kept[:]]

    return spoil


def spoiled(spoil):
    with Faulty(spoil) as server:
        return bench("room", "--connect", server.url, "--protocol", "raw", "--members", 1, "--window", 2,
                     "--messages", 10, "--warmup", 0, "--patience", 1, "--json", "-")


def test_a_doubled_message_fails_the_run():
    done = spoiled(lambda line, count: [line, line] if count == 4 else [line])
    assert done.returncode == 1
    assert json.loads(done.stdout)["doubled"] == 1


def test_a_swapped_message_fails_the_run():
    done = spoiled(swap())
    assert done.returncode == 1
    result = json.loads(done.stdout)
    assert (result["misordered"], result["lost"], result["doubled"]) == (1, 0, 0)


def test_a_lost_message_fails_the_run():
    done = spoiled(lambda line, count: [] if count == 4 else [line])
    assert done.returncode == 1
    assert "1 messages have not reached everybody" in done.stderr
    assert "1 deliveries lost, 0 doubled" in done.stderr


def test_a_message_nobody_sent_fails_the_run():
    done = spoiled(lambda line, count: [line, line[:-2] + b"n\n"] if count == 10 else [line])
    assert done.returncode == 1
    assert json.loads(done.stdout)["strange"] == 1


def test_a_server_that_hangs_up_fails_the_run():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        hang_up = threading.Thread(target=lambda: listener.accept()[0].close())
        hang_up.start()
        done = bench("room", "--connect", "127.0.0.1:%d" % listener.getsockname()[1], "--members", 1)
        hang_up.join(PATIENCE_S)
    assert done.returncode == 1
    assert done.stderr.startswith("partyline bench: member 0: ")


def test_nobody_there_is_a_failure():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = "127.0.0.1:%d" % listener.getsockname()[1]
    done = bench("echo", "--connect", address)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"partyline bench: {address}: Connection refused\n"


@pytest.mark.parametrize("args", [
    [], ["sing"], ["room"], ["room", "--connect", "nowhere"], ["room", "--connect", "127.0.0.1:1", "--members", "0"],
    ["room", "--connect", "127.0.0.1:1", "--members", "1.5"], ["room", "--connect", "127.0.0.1:1", "--size", "15"],
    ["room", "--connect", "127.0.0.1:1", "--protocol", "smtp"], ["room", "--connect", "127.0.0.1:1", "--depth", "2"],
    ["room", "--connect", "127.0.0.1:1", "extra"], ["idle", "--connect", "127.0.0.1:1"],
])
def test_bad_usage_is_told_and_exits_with_2(args):
    done = bench(*args)
    assert done.returncode == 2
    assert done.stderr.startswith("partyline bench")
    assert done.stdout == ""


@pytest.mark.parametrize("args", [["--help"], ["room", "--help"], ["idle", "--help"], ["echo", "--help"]])
def test_help_goes_to_standard_output(args):
    done = bench(*args)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("usage: partyline bench")
