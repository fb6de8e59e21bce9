# SPDX-License-Identifier: MIT
import time
from socket import AF_INET, SOCK_STREAM, socket
from listening import bind

sock = socket(AF_INET, SOCK_STREAM)
bind(sock)
stop = False
while not stop:
    client, addr = sock.accept()
    while not stop:
        data = client.recv(1024).decode()
        if not data:
            break
        client.send(f"{addr[0]}发送给我的信息是:{data}".encode())
        print([time.strftime("%Y-%m-%d %X")], ":", data, flush=True)
        stop = data.upper() == "QUIT"
    client.close()
sock.close()
