# SPDX-License-Identifier: MIT
"""Sends each line typed without a line end, then waits for one answer. An empty line ends it."""
import sys
from socket import AF_INET, SOCK_STREAM, socket

BUFFER_BYTES = 1024

sock = socket(AF_INET, SOCK_STREAM)
sock.connect((sys.argv[1], int(sys.argv[2])))
while True:
    text = input("")
    if not text:
        break
    sock.send(text.encode("utf8"))
    answer = sock.recv(BUFFER_BYTES)
    if not answer:
        break
    print(answer.decode("utf8", "replace"), flush=True)
