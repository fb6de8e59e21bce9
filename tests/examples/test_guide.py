# SPDX-License-Identifier: MIT
"""The guide: its page shows the programs as they are, and each of its steps does what the page says."""
import importlib.util
import itertools
import os
import re
import resource
import signal
import socket
import ssl
import threading

import pytest

from program import HERE
from program import PATIENCE_S

ROOT = HERE.parent.parent
STEPS = sorted(file.stem for file in (ROOT / "examples" / "guide").glob("*.c"))
CLIENTS, SERVERS = STEPS[:3], STEPS[4:9]


@pytest.fixture(scope="module")
def cut_in():
    spec = importlib.util.spec_from_file_location("cut_in", ROOT / "docs" / "guide" / "cut_in.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def page():
    return (ROOT / "docs" / "guide" / "README.md").read_text(encoding="utf-8")


def test_the_page_shows_the_files_as_they_are(cut_in, page):
    assert cut_in.main(["--check"]) == 0
    assert page.count("```c\n") == len(cut_in.BLOCK.findall(page)), "a block of C that no file is cut into"


def test_a_page_that_differs_is_refused(cut_in, page, tmp_path, monkeypatch):
    monkeypatch.setattr(cut_in, "PAGES", tmp_path)
    (tmp_path / "README.md").write_text(page.replace("10 * 1000", "11 * 1000"), encoding="utf-8")
    assert cut_in.main(["--check"]) == 1
    assert cut_in.main([]) == 0
    assert (tmp_path / "README.md").read_text(encoding="utf-8") == page


def test_a_name_is_its_definition_and_no_more(cut_in):
    assert re.fullmatch(r"static const struct party_stream_limits limits = \{.*\};", cut_in.code("step09_loops.c", ["limits"]))
    say = cut_in.code("step09_loops.c", ["say"])
    assert say.startswith("static void say(") and say.endswith("\n}") and say.count("\n}") == 1
    end = cut_in.code("step08_end.c", ["end"])
    assert end.startswith("/* Waits for a signal") and end.count("\n}") == 1


def test_a_name_that_nothing_defines_is_refused(cut_in):
    with pytest.raises(LookupError):
        cut_in.code(f"{STEPS[0]}.c", ["no_such_function"])


def test_ten_steps(page):
    headings = re.findall(r"^## (\d+)\. ", page, re.MULTILINE)
    assert headings == [str(number) for number in range(1, 11)]
    parts = re.split(r"^## \d+\. ", page, flags=re.MULTILINE)[1:]
    assert len(STEPS) == 10
    for step, part in zip(STEPS, parts):
        assert f"<!-- {step}.c" in part


@pytest.mark.parametrize("step", STEPS)
def test_wrong_use(run, step):
    program = run("c", f"guide/{step}")
    assert program.wait() in (1, 2)
    assert program.err != ""


@pytest.mark.parametrize("step", CLIENTS)
@pytest.mark.parametrize("pieces", [[b"HELLO\n"], [b"HEL", b"LO\n"]])
def test_clients(run, step, pieces):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(PATIENCE_S)
        client = run("c", f"guide/{step}", *listener.getsockname())
        conn, _ = listener.accept()
        with conn:
            assert conn.recv(100) == b"hello\n"
            conn.sendall(pieces[0])
            if len(pieces) > 1 and step != "step03_lines":
                client.expect("^HEL")  # one recv gets what there is: what step 3 is about
                return
            for piece in pieces[1:]:
                conn.sendall(piece)
            client.expect("^HELLO$")
    assert client.wait() == 0


@pytest.mark.parametrize("step", CLIENTS[1:])
def test_clients_say_who_refused(run, step):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    client = run("c", f"guide/{step}", "127.0.0.1", port)
    assert client.wait() == 1
    assert client.err == f"127.0.0.1:{port}: Connection refused\n"


@pytest.mark.parametrize("step", CLIENTS[1:])
def test_clients_say_that_no_answer_came(run, step):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(PATIENCE_S)
        where = listener.getsockname()
        client = run("c", f"guide/{step}", *where)
        conn, _ = listener.accept()
        with conn:
            assert conn.recv(100) == b"hello\n"
    assert client.wait() == 1
    assert client.err == f"127.0.0.1:{where[1]}: end of stream\n"


@pytest.mark.parametrize("client", CLIENTS)
def test_one_client_is_greeted(run, client):
    server = run("c", "guide/step04_listen", "127.0.0.1:0")
    asking = run("c", f"guide/{client}", *server.listening())
    assert asking.wait() == 0, asking.err
    assert asking.out == "HELLO\n"
    assert server.wait() == 0
    assert "127.0.0.1:" in server.out.splitlines()[1]


def test_the_same_server_at_a_unix_path(run, tmp_path):
    for number, step in enumerate(STEPS[3:9]):
        path = tmp_path / str(number)
        run("c", f"guide/{step}", f"unix:{path}").expect(f"^listening on unix:{path}$")
        asking = run("c", "unix_client", path, "hello\n")
        assert asking.wait() == 0, asking.err
        assert asking.out == "HELLO\n"


@pytest.mark.parametrize("step", SERVERS)
def test_servers(run, step):
    server = run("c", f"guide/{step}", "127.0.0.1:0")
    where = server.listening()
    for client in CLIENTS:
        asking = run("c", f"guide/{client}", *where)
        assert asking.wait() == 0, asking.err
        assert asking.out == "HELLO\n"
    said = "many lines\n" * 10000
    with socket.create_connection(where, PATIENCE_S) as sock:
        sending = threading.Thread(target=sock.sendall, args=(said.encode(),), daemon=True)
        sending.start()
        with sock.makefile("r") as file:
            assert file.read(len(said)) == said.upper()
        sending.join(PATIENCE_S)


@pytest.mark.parametrize("step", SERVERS)
def test_a_taken_address_is_told(run, step):
    host, port = run("c", f"guide/{step}", "127.0.0.1:0").listening()
    second = run("c", f"guide/{step}", f"{host}:{port}")
    assert second.wait() == 1
    assert second.err == f"{host}:{port}: Address already in use\n"


@pytest.mark.threads
@pytest.mark.parametrize("step", SERVERS[2:])
def test_several_at_once(run, step):
    where = run("c", f"guide/{step}", "127.0.0.1:0").listening()
    socks = [socket.create_connection(where, PATIENCE_S) for _ in range(10)]
    for sock in reversed(socks):
        with sock:
            sock.sendall(b"me too\n")
            assert sock.recv(100) == b"ME TOO\n"


@pytest.mark.threads
@pytest.mark.parametrize("signo", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("step", ["step08_end", "step09_loops"])
def test_the_end_in_good_order(run, step, signo):
    server = run("c", f"guide/{step}", "127.0.0.1:0")
    with socket.create_connection(server.listening(), PATIENCE_S) as sock:
        sock.sendall(b"last words\n")
        assert sock.recv(100) == b"LAST WORDS\n"
        server.process.send_signal(signo)
        sock.shutdown(socket.SHUT_WR)
        assert sock.recv(100) == b""
    server.expect("^the end: [01] ended by themselves, 0 were cut$")
    assert server.wait() == 0


def test_a_server_of_threads_that_fails_ends(run):
    # A sanitizer that looks for leaks in the end needs a descriptor, too.
    options = f"{os.environ.get('ASAN_OPTIONS', '')}:detect_leaks=0"
    server = run("c", "guide/step08_end", "127.0.0.1:0", env={**os.environ, "ASAN_OPTIONS": options})
    where = server.listening()
    resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (0, 0))  # poll(2) fails with it, once accept(2) has
    with socket.create_connection(where, PATIENCE_S):
        assert server.wait() == 1
    assert "127.0.0.1:0: Invalid argument\n" in server.err  # what a sanitizer complains of comes after it


@pytest.mark.parametrize("step", ["step09_loops", "step10_tls"])
def test_a_server_of_loops_that_fails_ends(run, step, certificate):
    arguments = ["127.0.0.1:0", *(certificate if step == "step10_tls" else ())]
    for limit in itertools.count(4):  # the first that lets it listen leaves nothing for the loops
        server = run("c", f"guide/{step}", *arguments, preexec_fn=lambda: resource.setrlimit(
            resource.RLIMIT_NOFILE, (limit, limit)))
        assert server.wait() in (1, 127)
        if "listening on " in server.out:
            break
    assert server.process.returncode == 1
    assert "127.0.0.1:0: Too many open files\n" in server.err


def test_tls(run, certificate):
    server = run("c", "guide/step10_tls", "127.0.0.1:0", *certificate)
    where = server.listening()
    context = ssl.create_default_context(cafile=certificate[0])
    said = b"x" * 60000  # several records, and less than the server queues for who does not read yet
    with context.wrap_socket(socket.create_connection(where, PATIENCE_S), server_hostname="localhost") as sock:
        sock.sendall(said)
        with sock.makefile("rb") as file:
            assert file.read(len(said)) == said.upper()
    client = run("c", "tls_client", "localhost", where[1], certificate[0])
    client.type("hello")
    client.expect("^HELLO$")
    assert client.wait() == 0
    server.process.send_signal(signal.SIGTERM)
    server.expect("^the end: ")
    assert server.wait() == 0


def test_tls_without_a_certificate(run, tmp_path):
    program = run("c", "guide/step10_tls", "127.0.0.1:0", tmp_path / "none", tmp_path / "none")
    assert program.wait() == 1
    assert "No such file or directory" in program.err
    assert str(tmp_path / "none") in program.err
