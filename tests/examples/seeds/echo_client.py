# SPDX-License-Identifier: MIT
from socket import AF_INET, SOCK_STREAM, socket
from peer import ADDRESS, typed

client = socket(AF_INET, SOCK_STREAM)
client.connect(ADDRESS)
for line in typed():
    client.send(line.encode())
    answer = client.recvfrom(1024)
    print("answer:", answer[0].decode(), flush=True)
