# SPDX-License-Identifier: MIT
"""A member of the group chat: a thread receives, what is typed is sent, "quit" ends it."""
import socket
import sys
import threading
from peer import ADDRESS


class ChatClient:
    def __init__(self):
        self.sock = socket.socket()
        self.event = threading.Event()

    def start(self):
        self.sock.connect(ADDRESS)
        self.send("I'm ready")
        threading.Thread(target=self.recv, daemon=True).start()

    def recv(self):
        while not self.event.is_set():
            try:
                data = self.sock.recv(1024)
            except OSError:
                break
            if not data:
                break
            print(data.decode().strip(), flush=True)

    def send(self, msg):
        self.sock.send(f"{msg.strip()}\n".encode())

    def stop(self):
        self.event.set()
        self.sock.close()


cc = ChatClient()
cc.start()
for line in sys.stdin:
    if line.strip() == "quit":
        break
    cc.send(line)
cc.stop()
