# SPDX-License-Identifier: MIT
"""Members who stop reading: the others lose nothing, and they lose nothing themselves.

What the others' delays and the server's work are then, bench/slow_readers.py measures.
"""
import datetime
import json
import pathlib
import re
import resource
import subprocess

import pytest

import harness
from harness import LineClient
from loader import NO_LIMITS, PAGE_END, Crowd, Member, parse_said, read_pages

MEMBERS = 1000
SLOW = 200
MESSAGES = 3000
RSS_GROWTH_MAX_KIB = 25 * 1024
SAMPLE = 20  # so many of the slow ones read all they missed; the others only where it begins
CUT = re.compile(r"^\*\*\* You were cut off: .*/history since (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)$")


@pytest.fixture(autouse=True)
def descriptors():
    """Each connection takes one here and one in the server, which raises its own limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MEMBERS + 200
    if hard != resource.RLIM_INFINITY and hard < wanted:
        pytest.skip(f"only {hard} descriptors are allowed")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def run_bench(server, members):
    """A room that reads gets each message once and in order."""
    done = subprocess.run(
        [harness.BINARY, "bench", "room", "--connect", server.urls[0], "--members", str(members), "--window", "16",
         "--size", "200", "--messages", str(MESSAGES), "--warmup", "0", "--pid", str(server.process.pid),
         "--json", "-"],
        capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert [result[key] for key in ("lost", "doubled", "misordered", "strange")] == [0, 0, 0, 0]


def peak_rss_kib(server):
    """The most memory the server had since the last call, which starts anew."""
    proc = pathlib.Path(f"/proc/{server.process.pid}")
    peak = int(re.search(r"^VmHWM:\s+(\d+) kB", (proc / "status").read_text(), re.MULTILINE)[1])
    (proc / "clear_refs").write_text("5")
    return peak


def is_sanitized():
    """A sanitizer's own memory is not the server's."""
    return b"__asan_init" in pathlib.Path(harness.BINARY).read_bytes()


def stop_reading(server):
    """Members who enter and then read nothing more."""
    crowd = Crowd()
    for number in range(SLOW):
        crowd.add(Member(server.address, f"slow{number}", receive_buffer=4096))
    crowd.wait_ready()
    return crowd


def read_since(server, since, whole):
    """What /history since gives a newcomer, page by page or the first page: numbers and lines."""
    client = LineClient(server.address)
    try:
        client.send("/time")
        client.expect(r"^\*\*\* It is ")
        ask, first, lines = f"/history since {since}", None, []
        while ask:
            client.send(ask)
            page, end = client.read_until(r"^\*\*\* \d+ lines?, number")
            low, high = map(int, PAGE_END.match(end.string).groups()[1:])
            first = low if first is None else first
            lines += [parse_said(line) for line in page if line[:4] != "*** "]
            more = re.search(r"More: (/history after \d+)$", end.string)
            ask = more[1] if more and whole else None
        return first, high, lines
    finally:
        client.close()


def check_slow(server, crowd):
    """Each was told, cut, and can get what it missed by what it was told."""
    crowd.drain()
    lines = {}
    for page in read_pages(server, "lobby"):
        lines.update(enumerate(page.lines, page.first))
    places = {line: number for number, line in lines.items()}
    assert len(places) == len(lines)
    firsts = {}
    for index, member in enumerate(crowd.members):
        told = [match for match in map(CUT.match, member.notes) if match]
        assert len(told) == 1, member.notes[-3:]
        seen = [places[entry[1:]] for entry in member.journal.seen]
        assert seen == list(range(seen[0], seen[0] + len(seen))), "a line was left out or torn"
        assert seen[-1] < len(lines), "it was cut and has missed nothing"
        since = told[0][1]
        if index < SAMPLE:
            first, last, missed = read_since(server, since, whole=True)
            assert missed == [lines[number] for number in range(first, len(lines) + 1)]
            assert last == len(lines)
            firsts[since] = first
        elif since not in firsts:
            firsts[since] = read_since(server, since, whole=False)[0]
        assert firsts[since] <= seen[-1] + 1, "there is a gap between what it saw and what it was told to ask for"


@pytest.mark.backends
def test_a_fifth_of_a_room_stops_reading(server):
    chat = server(config=NO_LIMITS)
    run_bench(chat, MEMBERS - SLOW)  # what the server's memory is without them
    before = peak_rss_kib(chat)
    crowd = stop_reading(chat)
    try:
        run_bench(chat, MEMBERS - SLOW)
        growth = peak_rss_kib(chat) - before
        check_slow(chat, crowd)
    finally:
        crowd.close()
    assert is_sanitized() or growth <= RSS_GROWTH_MAX_KIB, f"{growth} KiB more"


def test_time_told_to_who_is_cut_is_not_taken_from_what_somebody_said(server, join):
    """A line may be torn where its text has a time, which would be far from the right one."""
    chat = server(config=NO_LIMITS)
    crowd = Crowd()
    try:
        for number in range(100):
            # Names and buffers of different lengths, so that the lines are torn in different places.
            name = f"s{number}" + "x" * (number % 20)
            crowd.add(Member(chat.address, name, receive_buffer=4096 + 100 * number))
        crowd.wait_ready()
        began = datetime.datetime.now().replace(microsecond=0)
        alice = join(chat, "alice")
        text = "2999-01-01 00:00:00 " * 45
        for number in range(900):
            alice.send(text + str(number))
            alice.expect(rf" {number}$")
        crowd.drain()
        for member in crowd.members:
            since = next(match for match in map(CUT.match, member.notes) if match)[1]
            assert began <= datetime.datetime.fromisoformat(since) <= datetime.datetime.now(), since
    finally:
        crowd.close()


def test_many_who_paste_at_once_cut_nobody_who_reads(server, join):
    """More comes in one round than may wait for a member; but nothing waits yet, and its socket takes it."""
    chat = server()
    reader = join(chat, "reader")
    pasters = [join(chat, f"p{number}") for number in range(10)]
    pasted = b"".join(b"%02d " % number + b"y" * 1000 + b"\n" for number in range(20))
    for paster in pasters:
        paster.send_bytes(pasted)
    for _ in range(20 * len(pasters)):
        reader.expect(r": \d\d y+$")


def overflow(server, join):
    """A member who does not read until more waits for it than may; and alice, who has filled its queue."""
    sleeper = join(server, "sleeper", receive_buffer=4096)
    alice = join(server, "alice")
    for number in range(600):
        alice.send(f"{number} " + "x" * 900)
        alice.expect(rf"(alice: {number} |sleeper quit)")
    return sleeper, alice


def test_who_was_cut_has_left_at_once_and_can_come_back_under_its_name(server, join):
    """It need not have read, or noticed, that it was cut: a computer that slept connects anew."""
    chat = server(config=NO_LIMITS)
    _, alice = overflow(chat, join)
    again = join(chat, "sleeper")
    again.send("back")
    alice.expect("sleeper: back$")
    assert b"*** sleeper quit: output limit reached: the peer does not read\n" in alice.received


def test_who_reads_again_some_seconds_after_it_was_cut_is_still_told(server, join):
    chat = server(config=NO_LIMITS)
    sleeper, alice = overflow(chat, join)
    # Five seconds in which only time passes: nobody says anything.
    with pytest.raises(AssertionError, match="waited too long"):
        alice.expect("nothing comes", timeout=5)
    text = sleeper.expect_end()
    assert CUT.match(text.split("\n")[-2]), text[-300:]
    assert text.count("*** You were cut off") == 1
