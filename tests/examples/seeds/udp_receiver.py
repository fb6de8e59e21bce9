# SPDX-License-Identifier: MIT
import socket
from listening import bind

s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
bind(s)
while True:
    data, addr = s.recvfrom(1024)
    print("Received:", data, "from", addr, flush=True)
