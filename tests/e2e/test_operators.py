# SPDX-License-Identifier: MIT
"""What the configuration says of operators, passwords and cloaks, seen from outside the server."""
import json
import signal
import stat

import pytest

from test_server import partyline

SECRET = "correct horse é"
HASHED = "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"
WARNING = r"the password of the operator 'root' can be read in the configuration; partyline hash"


def operator(name="root", **password):
    return {"operators": [{"name": name, **password}]}


def test_password_as_text_is_warned_of_and_not_logged(server):
    chat = server("--log-level", "debug", config={**operator(password=SECRET), "password": SECRET})
    chat.wait_for_log(f"warning .*{WARNING}")
    assert "horse" not in chat.log


def test_hash_is_not_warned_of(server):
    chat = server(config=operator(password_hash=HASHED))
    assert chat.sigterm() == 0
    assert "can be read" not in chat.log


def test_reload_warns_of_what_is_new(server):
    chat = server(config={})
    path = chat.directory / "partyline.yaml"
    path.write_text(json.dumps(operator(password=SECRET)), encoding="utf-8")
    chat.signal(signal.SIGHUP)
    chat.wait_for_log(WARNING)
    chat.wait_for_log("operators has changed")
    assert "horse" not in chat.log


@pytest.mark.parametrize("indent", [None, 1, "\t"])
def test_check_warns_of_a_password_as_text_and_takes_json(tmp_path, indent):
    path = tmp_path / "partyline.json"
    config = {**operator(password=SECRET), "motd": "\U0001f600 é\n", "data": None, "limits": {"flood": False}}
    path.write_text(json.dumps(config, indent=indent), encoding="utf-8")
    done = partyline("check", str(path))
    assert done.returncode == 0
    assert done.stdout == f"{path}: right\n"
    assert "'root'" in done.stderr and "horse" not in done.stderr


def test_broken_password_is_not_repeated(tmp_path):
    path = tmp_path / "partyline.yaml"
    for config in (operator(password=SECRET + "\n"), operator(password_hash=SECRET), operator(password=SECRET, x=1),
                   {"password": "$argon2i$horse"}, {"operators": [{"password": SECRET}]}):
        path.write_text(json.dumps(config), encoding="utf-8")
        done = partyline("check", str(path))
        assert done.returncode == 1
        assert done.stderr.startswith(f"partyline check: {path}:1: ")
        assert "horse" not in done.stderr + done.stdout


def test_irc_listener_is_printed_as_one(server):
    chat = server(listen=["irc://127.0.0.1:0", "any://127.0.0.1:0"])
    assert chat.urls[0].startswith("irc://127.0.0.1:")


def test_key_of_cloaks_stays_over_a_restart(server):
    chat = server()
    key = chat.data / "partyline.cloak"
    before = key.read_bytes()
    assert len(before) == 32
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    chat.restart()
    assert key.read_bytes() == before


def test_start_without_its_key_whole_is_refused(server):
    chat = server()
    assert chat.sigterm() == 0
    (chat.data / "partyline.cloak").write_bytes(b"short")
    done = partyline("serve", "--data", str(chat.data), "--listen", "any://127.0.0.1:0", "--no-console")
    assert done.returncode == 1
    assert "partyline.cloak is not the 32 bytes it should be" in done.stderr
