# SPDX-License-Identifier: MIT
"""How long a start takes, empty and with a million messages: bounds far above what is measured, so
that they hold on any machine and only a start that reads all messages breaks them."""
import importlib.util
import pathlib

import pytest

import harness
from harness import Server
from loader import read_pages

spec = importlib.util.spec_from_file_location(
    "cold_start", pathlib.Path(__file__).resolve().parents[2] / "bench/cold_start.py")
cold_start = importlib.util.module_from_spec(spec)
spec.loader.exec_module(cold_start)

ROUNDS = 3
MILLION = 1_000_000
ROOMS = 100
# About ten times what a small machine takes; ten times that again for a sanitizer's build.
LISTENS_MS = 500
SANITIZER_FACTOR = 10


def bound():
    sanitized = b"__asan_init" in pathlib.Path(harness.BINARY).read_bytes()
    return LISTENS_MS * (SANITIZER_FACTOR if sanitized else 1)


@pytest.fixture(scope="module")
def million(tmp_path_factory):
    data = str(tmp_path_factory.mktemp("million") / "data")
    cold_start.fill(harness.BINARY, data, MILLION, ROOMS)
    return data


@pytest.mark.parametrize("after_kill", [False, True], ids=["after a good end", "after kill -9"])
def test_start_with_nothing(tmp_path, after_kill):
    data = str(tmp_path / "data")
    listens, answers = cold_start.measure(harness.BINARY, data, ROUNDS, after_kill)
    print(f"empty: listens after {listens:.1f} ms, answers after {answers:.1f} ms")
    assert answers < bound()


@pytest.mark.parametrize("after_kill", [False, True], ids=["after a good end", "after kill -9"])
def test_start_with_a_million_messages(million, after_kill):
    listens, answers = cold_start.measure(harness.BINARY, million, ROUNDS, after_kill)
    print(f"a million messages: listens after {listens:.1f} ms, answers after {answers:.1f} ms")
    assert answers < bound()


def test_million_messages_are_all_there(million, tmp_path):
    """What was measured is a history that the server can give, and go on with."""
    chat = Server(tmp_path)
    chat.data = million
    chat.start()
    try:
        last = MILLION // ROOMS
        page = read_pages(chat, "room50", after=last - 3, at_most=1)[0]
        assert (page.first, page.last) == (last - 2, last)
        assert page.lines[-1][2] == f"a message of usual length, number {last}"
    finally:
        chat.finish()
