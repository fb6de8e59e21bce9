# SPDX-License-Identifier: MIT
from socket import AF_INET, SOCK_DGRAM, socket
from time import ctime
from listening import bind

sock = socket(AF_INET, SOCK_DGRAM)
bind(sock)
while True:
    data, addr = sock.recvfrom(1024)
    # The bytes object is written as Python writes it: [b'Sat Nov ...'].
    content = "[%s] %s" % (bytes(ctime(), "utf-8"), data.decode())
    sock.sendto(content.encode(), addr)
    print("received from and returned to:", addr, flush=True)
