# SPDX-License-Identifier: MIT
"""Sends each line typed without a line end, even an empty one, and reads one answer with recvfrom.

It knows no way to end: the end of its input breaks it off, with its socket open.
"""
import sys
from socket import AF_INET, SOCK_STREAM, socket

sock = socket(AF_INET, SOCK_STREAM)
sock.connect((sys.argv[1], int(sys.argv[2])))
while True:
    text = input("")
    sock.send(text.encode("utf-8"))
    answer = sock.recvfrom(1024)
    print(answer[0].decode("utf-8", "replace"), flush=True)
