# SPDX-License-Identifier: MIT
from socket import AF_INET, SOCK_DGRAM, socket
from listening import bind

ss = socket(AF_INET, SOCK_DGRAM)
bind(ss)
while True:
    data, addr = ss.recvfrom(1024)
    print(data.decode(), flush=True)
    ss.sendto(b"hello from server", addr)
