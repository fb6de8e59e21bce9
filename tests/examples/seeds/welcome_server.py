# SPDX-License-Identifier: MIT
import socket
from listening import bind

s = socket.socket()
bind(s)
for words in b"welcome to network! ", b"hello python":
    client, info = s.accept()
    print(info, client.recv(1024), flush=True)
    client.send(words)
    client.close()
s.close()
