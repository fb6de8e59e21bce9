# SPDX-License-Identifier: MIT
"""The manual, the help and the completion name what the program has, no more and no less."""
import re
import subprocess

import pytest

from harness import ROOT
from test_server import partyline

COMMANDS_WITH_A_PAGE = ("serve", "chat", "ctl", "check", "hash", "bench")


def page_of(name):
    return (ROOT / "man" / f"{name}.1").read_text(encoding="utf-8")


def options_in(text):
    """The long options in a help, but --help, which each command has, and those of other commands in `...`."""
    return set(re.findall(r"(?<![\w-])--([a-z][a-z-]+)", re.sub(r"`[^`]*`|partyline \w+ --\w+", "", text))) - {"help"}


def test_manual_has_each_subcommand_and_no_other():
    listed = re.findall(r"^  (\w+) ", partyline("help").stdout, re.MULTILINE)
    described = re.findall(r"^\.It Cm (\w+)$", page_of("partyline"), re.MULTILINE)
    assert sorted(listed) == sorted(described)


@pytest.mark.parametrize("command", COMMANDS_WITH_A_PAGE)
def test_page_and_help_have_the_same_options(command):
    help_text = partyline(command, "--help").stdout
    page = page_of(f"partyline-{command}")
    # What stands in a list, and not only in the synopsis.
    described = set(re.findall(r"^\.It Fl Fl ([a-z-]+)", page, re.MULTILINE))
    assert described == options_in(help_text)
    synopsis = page.split(".Sh DESCRIPTION")[0]
    if command != "bench":
        assert set(re.findall(r"Fl Fl ([a-z-]+)", synopsis)) == described


CALLABLE_MACROS = set("""Ac Ad An Ao Ap Aq Ar At Bc Bo Bq Brc Bro Brq Bsx Bx Cd Cm Dc Do Dq Dv Dx Ec Em En Eo Er Es Ev
    Fa Fc Fl Fn Fo Ft Fx Ic In Li Lk Ms Mt Nm No Ns Nx Oc Oo Op Ot Ox Pa Pc Pf Po Pq Qc Ql Qo Qq Sc So Sq St Sx Sy Ta
    Tn Ux Va Vt Xc Xo Xr""".split())


def test_headings_have_no_word_that_is_a_macro():
    """mdoc takes "In" in a heading for an include file and sets the word behind it in angle brackets."""
    for page in sorted((ROOT / "man").glob("*.[1-9]")):
        for heading in re.findall(r"^\.S[hs] (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE):
            assert not set(heading.split()) & CALLABLE_MACROS, page.name


LIMITS_LIFTED = "limits: {flood: false, connections_per_address: 0, connection_rate: 0}"


def load(chat):
    return partyline("bench", "room", "--connect", f"{chat.host}:{chat.port}", "--members", "100", "--messages", "500",
                     "--warmup", "0")


def test_bench_runs_against_a_server_with_the_limits_its_page_and_help_lift(server):
    assert LIMITS_LIFTED in page_of("partyline-bench")
    assert LIMITS_LIFTED in partyline("bench", "--help").stdout
    chat = server(config={"limits": {"flood": False, "connections_per_address": 0, "connection_rate": 0}})
    done = load(chat)
    assert done.returncode == 0, done.stderr


def test_bench_tells_why_a_server_lets_nobody_in(server):
    done = load(server())
    assert done.returncode == 1
    assert re.search(r"was not let in; the server said: \*\*\* Not now: too many connections", done.stderr)


def test_page_of_ctl_has_the_servers_commands(server):
    chat = server()
    listed = partyline("ctl", "--data", str(chat.data), "help").stdout
    words = set(re.findall(r"^(\w+)", listed, re.MULTILINE))
    assert set(re.findall(r"^\.It Cm (\w+)", page_of("partyline-ctl"), re.MULTILINE)) == words
    in_help = partyline("ctl", "--help").stdout
    assert set(re.findall(r"^  ([a-z]+) ", in_help, re.MULTILINE)) == words


def complete(*words):
    """What bash offers behind these words; the last one is being typed."""
    script = (f'source "{ROOT}/packaging/partyline.bash"; COMP_WORDS=(partyline "$@"); COMP_CWORD=$#; _partyline;'
              ' printf "%s\\n" "${COMPREPLY[@]}"')
    done = subprocess.run(["bash", "--norc", "-c", script, "bash", *words], capture_output=True, text=True,
                          check=True, timeout=30, cwd=ROOT)
    return set(done.stdout.split())


def test_completion_has_each_subcommand():
    assert complete("") == set(re.findall(r"^  (\w+) ", partyline("help").stdout, re.MULTILINE))
    assert complete("c") == {"chat", "ctl", "check"}


@pytest.mark.parametrize("command", ["serve", "chat", "ctl", "check"])
def test_completion_has_each_option(command):
    offered = {word[2:] for word in complete(command, "--")} - {"help"}
    assert offered == options_in(partyline(command, "--help").stdout)


@pytest.mark.parametrize("scenario", ["room", "idle", "echo"])
def test_completion_has_each_option_of_bench(scenario):
    offered = {word[2:] for word in complete("bench", scenario, "--")} - {"help"}
    assert offered == options_in(partyline("bench", scenario, "--help").stdout)


def test_completion_has_values():
    assert complete("serve", "--log-level", "") == {"error", "warning", "info", "debug"}
    assert complete("ctl", "k") == {"kick"}
    assert "packaging" in complete("serve", "--data", "pack")
    assert complete("bench", "") == {"room", "idle", "echo"}
    assert "LICENSE" in complete("check", "LIC")


@pytest.mark.parametrize("words, cause", [
    (("help", "serve", "chat"), "unexpected argument: chat"), (("check", "--bogus"), "unknown option: --bogus"),
    (("serve", "--config", ""), "--config takes a file")])
def test_wrong_usage_is_told(words, cause):
    done = partyline(*words)
    assert done.returncode == 2
    assert done.stdout == ""
    assert cause in done.stderr
