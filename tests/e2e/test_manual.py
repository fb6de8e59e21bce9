# SPDX-License-Identifier: MIT
"""The manual, the help and the completion name what the program has, no more and no less."""
import re
import subprocess

import pytest

from harness import ROOT
from test_server import partyline

COMMANDS_WITH_A_PAGE = ("serve", "chat", "ctl", "check", "bench")


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
