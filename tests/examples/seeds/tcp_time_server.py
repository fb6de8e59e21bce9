# SPDX-License-Identifier: MIT
from socket import AF_INET, SOCK_STREAM, socket
from time import ctime
from listening import bind

sock = socket(AF_INET, SOCK_STREAM)
bind(sock)
while True:
    client, addr = sock.accept()
    print("connect from", addr, flush=True)
    while True:
        data = client.recv(1024)
        if not data:
            break
        client.send(f"Hi,you send me :[{ctime()}] {data.decode()}".encode())
        print([ctime()], ":", data.decode(), flush=True)
    client.close()
