# SPDX-License-Identifier: MIT
from socket import AF_INET, SOCK_DGRAM, socket
from peer import ADDRESS

with socket(AF_INET, SOCK_DGRAM) as cs:
    cs.sendto(b"hello from client", ADDRESS)
    data, addr = cs.recvfrom(1024)
    print(data.decode())
