# SPDX-License-Identifier: MIT
from socket import socket
from listening import bind

ss = socket()
bind(ss)
while True:
    cs, addr = ss.accept()
    print(cs.recv(1024).decode(), flush=True)
    cs.send(b"hello from server")
    cs.close()
