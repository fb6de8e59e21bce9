# SPDX-License-Identifier: MIT
from socket import AF_INET, SOCK_DGRAM, socket
from peer import ADDRESS, typed

sock = socket(AF_INET, SOCK_DGRAM)
for line in typed():
    sock.sendto(line.encode(), ADDRESS)
    data, _ = sock.recvfrom(1024)
    print(data.decode(), flush=True)
sock.close()
