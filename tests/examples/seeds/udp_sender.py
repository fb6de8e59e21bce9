# SPDX-License-Identifier: MIT
import socket
from peer import ADDRESS

s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.sendto(b"hello,this is a test info !", ADDRESS)
