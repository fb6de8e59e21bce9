# SPDX-License-Identifier: MIT
from socket import AF_INET, SOCK_STREAM, socket
from peer import ADDRESS, typed

client = socket(AF_INET, SOCK_STREAM)
client.connect(ADDRESS)
for line in typed():
    client.send(line.encode())
    print(f"发送信息到{ADDRESS[0]}：{line}", flush=True)
    if line.upper() == "QUIT":
        break
    data = client.recv(1024)
    if not data:
        break
    print(f"从{ADDRESS[0]}收到信息：{data.decode()}", flush=True)
