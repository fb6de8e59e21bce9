# SPDX-License-Identifier: MIT
from socket import AF_INET, SOCK_STREAM, socket
from peer import ADDRESS, typed

client = socket(AF_INET, SOCK_STREAM)
client.connect(ADDRESS)
for line in typed():
    client.send(line.encode())
    data = client.recv(1024)
    if not data:
        break
    print(data.decode(), flush=True)
client.close()
