# SPDX-License-Identifier: MIT
from socket import AF_INET, SOCK_STREAM, socket
from listening import bind

server = socket(AF_INET, SOCK_STREAM)
bind(server)
while True:
    client, addr = server.accept()
    while data := client.recv(2048):
        client.send(data)
    client.close()
