# SPDX-License-Identifier: MIT
from socket import socket
from peer import ADDRESS

with socket() as cs:
    cs.connect(ADDRESS)
    cs.sendall(b"hello from client")
    print(cs.recv(1024).decode())
