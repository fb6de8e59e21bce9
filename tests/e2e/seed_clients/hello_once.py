# SPDX-License-Identifier: MIT
"""Sends one greeting without a line end, reads one answer and closes."""
import sys
from socket import socket

with socket() as sock:
    sock.connect((sys.argv[1], int(sys.argv[2])))
    sock.sendall("hello from client".encode())
    print(sock.recv(1024).decode(errors="replace"), flush=True)
