#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Measures how long `partyline serve` takes from its start until it listens, and until it answers.

    bench/cold_start.py
    bench/cold_start.py --messages 0,1000000 --rooms 100 --rounds 11 --after-kill

For each size a database is made by the server itself and filled with SQL; then the server is started
on it again and again. What is printed are medians: until "listening on" is read, and until a newcomer
who connects then has the answer to a first line. With --after-kill each start follows a kill -9, so
that there is a WAL to go through; without it, an end in good order.
"""
import argparse
import contextlib
import pathlib
import re
import signal
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
LISTENING = re.compile(rb"listening on any://127\.0\.0\.1:(\d+)\n")
PATIENCE_S = 60


def spawn(partyline, data):
    return subprocess.Popen(
        [partyline, "serve", "--data", data, "--listen", "any://127.0.0.1:0", "--log-level", "error"],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)


def read_port(process):
    line = process.stdout.readline()
    found = LISTENING.match(line)
    if not found:
        raise RuntimeError(f"the server ended with {process.wait()}")
    return int(found[1])


def end(process, number):
    process.send_signal(number)
    status = process.wait(PATIENCE_S)
    process.stdout.close()
    if status not in (0, -signal.SIGKILL):
        raise RuntimeError(f"the server ended with {status}")


def ask(port, line, answer):
    """Connects, sends a line, reads until the answer is there."""
    with socket.create_connection(("127.0.0.1", port), PATIENCE_S) as client:
        client.sendall(line + b"\n")
        received = b""
        while answer not in received:
            piece = client.recv(65536)
            if not piece:
                raise RuntimeError(f"no answer: {received!r}")
            received += piece


def fill(partyline, data, messages, rooms):
    """Makes a database with so many messages in so many rooms; the lobby has the first ones."""
    process = spawn(partyline, data)
    ask(read_port(process), b"the first line", b": the first line\n")
    end(process, signal.SIGTERM)
    if messages <= 1:
        return
    with contextlib.closing(sqlite3.connect(pathlib.Path(data) / "partyline.db")) as db, db:
        # In the order of the table's key, as the fastest way to fill it; numbers rise with time.
        db.execute("PRAGMA synchronous = OFF")
        start = db.execute("SELECT time FROM messages").fetchone()[0]
        db.execute("INSERT OR IGNORE INTO rooms(id, name) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1"
                   " FROM n WHERE i < ?1) SELECT i, 'room' || i FROM n", (rooms,))
        db.execute("DELETE FROM messages")
        db.execute(
            "INSERT INTO messages(room, seq, number, time, kind, actor, text)"
            " WITH RECURSIVE r(room) AS (SELECT 1 UNION ALL SELECT room + 1 FROM r WHERE room < ?1),"
            " s(seq) AS (SELECT 1 UNION ALL SELECT seq + 1 FROM s WHERE seq < ?2)"
            " SELECT room, seq, (seq - 1) * ?1 + room, ?3 + seq, 1, 'user' || (seq % 100),"
            " 'a message of usual length, number ' || seq FROM r, s",
            (rooms, messages // rooms, start))
        if db.execute("SELECT count(*) FROM sqlite_master WHERE name = 'state'").fetchone()[0]:
            db.execute("UPDATE state SET last_number = (SELECT max(number) FROM messages)")


def start_once(partyline, data, number):
    """Starts the server and ends it with the signal. Returns the milliseconds until it listens and answers."""
    began = time.perf_counter()
    process = spawn(partyline, data)
    try:
        port = read_port(process)
        listens = time.perf_counter()
        ask(port, b"/time", b"*** It is ")
        answers = time.perf_counter()
        # Something for the WAL, so that the next start has work after a kill.
        ask(port, b"once more\n/time", b": once more\n")
        end(process, number)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
    return (listens - began) * 1000, (answers - began) * 1000


def measure(partyline, data, rounds, after_kill=False):
    """Medians over the rounds: milliseconds until it listens, until it answers."""
    number = signal.SIGKILL if after_kill else signal.SIGTERM
    times = [start_once(partyline, data, number) for _ in range(rounds)]
    return tuple(statistics.median(column) for column in zip(*times))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--partyline", default=str(ROOT / "build/release/bin/partyline"))
    parser.add_argument("--messages", default="0,1000000", help="sizes, by comma (0,1000000)")
    parser.add_argument("--rooms", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--after-kill", action="store_true")
    args = parser.parse_args()
    print(f"{'messages':>10} {'listens ms':>11} {'answers ms':>11}")
    for messages in map(int, args.messages.split(",")):
        with tempfile.TemporaryDirectory(prefix="partyline-start-") as directory:
            data = directory + "/data"
            fill(args.partyline, data, messages, args.rooms)
            listens, answers = measure(args.partyline, data, args.rounds, args.after_kill)
        print(f"{messages:>10} {listens:>11.1f} {answers:>11.1f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
