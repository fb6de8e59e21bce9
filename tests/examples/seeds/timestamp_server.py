# SPDX-License-Identifier: MIT
from socket import AF_INET, SOCK_STREAM, socket
from time import ctime
from listening import bind

server = socket(AF_INET, SOCK_STREAM)
bind(server)
while True:
    client, addr = server.accept()
    print("...connected from:", addr, flush=True)
    while True:
        data = client.recv(1024)
        if not data:
            break
        client.send(b"%s:%s\n" % (ctime().encode(), data))
    client.close()
