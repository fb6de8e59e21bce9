# SPDX-License-Identifier: MIT
"""That the checks of the binding can fail: each is shown a sample that is wrong."""
import collections
import pathlib
import subprocess
import sys

import check_docs
import check_symbols
import parity
import run_tests
import selection

HERE = pathlib.Path(__file__).resolve().parent


def outcomes(theirs, ours):
    """What run_all returns for a module "m", from {test: status} of both sides."""
    found = collections.defaultdict(run_tests.Outcome)
    for side, tests in zip(run_tests.SIDES, (theirs, ours)):
        found["m", side].tests = {test: (status, "") for test, status in tests.items()}
    return found


def test_a_test_that_fails_only_with_ours_counts(capsys):
    found = outcomes({"m.a": "ok", "m.b": "ok"}, {"m.a": "ok", "m.b": "failed"})
    assert run_tests.worse(found, "m") == ["m.b"]
    assert run_tests.report(found, ["m"], []) == 1
    assert "worse: m.b: failed" in capsys.readouterr().out


def test_a_test_that_is_skipped_or_missing_only_with_ours_counts():
    found = outcomes({"m.a": "ok", "m.b": "ok"}, {"m.a": "skipped"})
    assert run_tests.worse(found, "m") == ["m.a", "m.b"]


def test_what_fails_with_both_does_not_count():
    found = outcomes({"m.a": "failed", "m.b": "skipped", "m.c": "ok"}, {"m.a": "failed", "m.b": "failed", "m.c": "ok"})
    assert run_tests.worse(found, "m") == []
    assert run_tests.report(found, ["m"], []) == 0


def test_a_module_of_which_nothing_ran_is_a_failure():
    assert run_tests.report(outcomes({}, {}), ["m"], []) == 1
    assert run_tests.report(outcomes({"m.a": "failed"}, {}), ["m"], []) == 1
    assert run_tests.report(outcomes({"m": "skipped"}, {"m": "skipped"}), ["m"], []) == 0


def test_a_test_that_began_and_did_not_end_has_failed():
    outcome = run_tests.Outcome()
    run_tests.add_events(outcome, [["start", "m.a"], ["ok", "m.a", ""], ["start", "m.b"]])
    assert outcome.tests == {"m.a": ("ok", ""), "m.b": ("failed", "did not end")}
    assert outcome.text() == "1 passed, 0 skipped, 1 failed"


def test_known_differences_do_not_count(monkeypatch):
    monkeypatch.setattr(selection, "DIFFERENT", {"m.a": "a reason"})
    assert run_tests.worse(outcomes({"m.a": "ok"}, {"m.a": "failed"}), "m") == []


def test_every_exclusion_has_a_reason():
    for reason in [*selection.EXCLUDED.values(), *selection.DIFFERENT.values()]:
        assert len(reason.split()) > 3


def run_worker(tmp_path, **variables):
    results = tmp_path / "results"
    return subprocess.run([sys.executable, HERE / "worker.py", "test_select", "0", "1", results],
                          env={"PYTHONPATH": str(HERE / "site"), **variables}, cwd=tmp_path, capture_output=True,
                          text=True, timeout=60)


def test_a_worker_without_the_module_it_was_told_to_use_ends_at_once(tmp_path):
    ended = run_worker(tmp_path, PARTYLINE_SOCKET_MODULE=str(tmp_path / "_socket.so"))
    assert ended.returncode == 70
    assert "no _socket of libpartyline" in ended.stderr
    assert not (tmp_path / "results").exists()


def test_a_worker_that_finds_another_module_than_it_was_told_to_use_ends_at_once(tmp_path):
    ended = run_worker(tmp_path, PYTHONPATH="", PARTYLINE_SOCKET_MODULE=str(tmp_path / "_socket.so"))
    assert ended.returncode == 1
    assert "not " + str(tmp_path / "_socket.so") in ended.stderr


def test_symbols_refuse_a_socket_call_of_libc():
    good = {"party_sock_socket", "PyList_New", "_PyTime_AsSecondsDouble", "memcpy", "__errno_location"}
    assert check_symbols.wrong(good, {"PyInit__socket"}) == []
    for name in ("socket", "bind", "recv", "getaddrinfo", "poll", "inet_ntop", "if_nametoindex", "gethostbyname_r",
                 "getsockopt", "fcntl", "ioctl", "close", "strerror", "party__sock_call"):
        assert check_symbols.wrong(good | {name}, {"PyInit__socket"}) == [f"needs {name}"]
    assert check_symbols.wrong({"PyList_New"}, set()) == ["needs nothing of libpartyline"]
    assert check_symbols.wrong(good, {"PyInit__socket", "binding_error"}) == ["exports binding_error"]


def test_parity_tells_what_is_missing_more_or_other():
    lines = parity.differences({"a": "1", "b": "2", "c": "3"}, {"b": "2", "c": "4", "d": "5"})
    assert [line.split("\n")[0] for line in lines] == ["a", "c", "d"]
    assert parity.differences({"a": "1"}, {"a": "2"}, {"a": "a reason"}) == []


def test_parity_compares_class_arguments_and_errno():
    assert parity.describe(OSError(2, "x")) != parity.describe(OSError("x"))
    assert parity.describe(OSError(2, "x")) != parity.describe(OSError(2, "y"))
    assert parity.describe(ValueError("x")) != parity.describe(TypeError("x"))


def test_a_name_that_the_page_does_not_have_is_refused():
    names = {"bind": "socket.socket", "AF_INET": "socket", "SOCK_STREAM": "socket"}
    ours = {"party_sock_bind", "PARTY_EGAI_NONAME"}
    page = "| `bind` | `party_sock_bind` | `AF_*` | `SOCK_STREAM` | `PARTY_EGAI_` codes |"
    assert check_docs.wrong(page, names, ours) == []
    for cut in ("`bind`", "`AF_*`", "`SOCK_STREAM`"):
        assert len(check_docs.wrong(page.replace(cut, cut.strip("`")), names, ours)) == 1


def test_a_name_that_no_header_has_is_refused():
    assert check_docs.wrong("`party_sock_bnid`", {}, {"party_sock_bind"}) == ["party_sock_bnid is in no public header"]
    assert check_docs.wrong("`PARTY_EGIA_` codes", {}, {"PARTY_EGAI_NONAME"}) == ["PARTY_EGIA_ is in no public header"]


def test_names_of_python_are_found():
    names = check_docs.python_names()
    assert {"AF_INET", "getaddrinfo", "recvmsg_into", "readline", "ThreadingTCPServer", "max_children"} <= names.keys()
    assert "party_sock_recv" in check_docs.header_names(HERE.parents[1] / "include")
