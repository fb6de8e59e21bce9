# SPDX-License-Identifier: MIT
"""makefile against Python's sockets: every byte goes through, in both modes.

PARTYLINE_FULL=1 sends a whole GiB each way; without it a part, so that the tests stay short.
"""
import hashlib
import os
import pathlib
import random
import socket
import subprocess
import threading

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = pathlib.Path(os.environ.get("PARTYLINE_BIN", ROOT / "build/test/bin/partyline"))
FILE_ECHO = BINARY.parent.parent / "tests/e2e/file_echo"
MIB = 1 << 20
TOTAL = 1024 * MIB if os.environ.get("PARTYLINE_FULL") else 32 * MIB
PATIENCE_S = 60


def send_all(conn, total, digest):
    """Sends total bytes that no two MiB share, and takes them into digest."""
    noise = random.Random(3).randbytes(MIB)
    for number in range(total // MIB):
        piece = number.to_bytes(8, "big") + noise[number % 4093:] + noise[:number % 4093]
        digest.update(piece)
        conn.sendall(piece)
    conn.shutdown(socket.SHUT_WR)


@pytest.mark.parametrize("mode", ["rw", "r+w"])
def test_every_byte_goes_through_makefile_and_back(mode):
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(PATIENCE_S)
        address = "127.0.0.1:%d" % server.getsockname()[1]
        with subprocess.Popen([FILE_ECHO, address, mode], stdout=subprocess.PIPE, text=True) as echo:
            conn = server.accept()[0]
            with conn:
                conn.settimeout(PATIENCE_S)
                sent, came, count = hashlib.sha256(), hashlib.sha256(), 0
                sender = threading.Thread(target=send_all, args=(conn, TOTAL, sent))
                sender.start()
                while piece := conn.recv(256 * 1024):
                    came.update(piece)
                    count += len(piece)
                sender.join()
            assert echo.wait(PATIENCE_S) == 0
            assert int(echo.stdout.read()) == count
    assert count == TOTAL + TOTAL // MIB * 8
    assert came.hexdigest() == sent.hexdigest()
