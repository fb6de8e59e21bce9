# SPDX-License-Identifier: MIT
"""Sends each line typed without a line end, then waits for one answer, which it names the sender of.

`quit`, in any case of letters, is sent too, and then it ends without waiting.
"""
import sys
from socket import AF_INET, SOCK_STREAM, socket

BUFFER_BYTES = 1024
HOST, PORT = sys.argv[1], int(sys.argv[2])

sock = socket(AF_INET, SOCK_STREAM)
sock.connect((HOST, PORT))
while True:
    text = input("")
    if not text:
        break
    sock.send(text.encode("utf8"))
    print("to {}: {}".format(HOST, text), flush=True)
    if text.upper() == "QUIT":
        break
    answer = sock.recv(BUFFER_BYTES)
    if not answer:
        break
    print("from {}: {}".format(HOST, answer.decode("utf8", "replace")), flush=True)
