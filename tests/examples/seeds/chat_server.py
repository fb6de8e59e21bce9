# SPDX-License-Identifier: MIT
"""A group chat: a thread per client, a lock for the dictionary of them, "quit" at the prompt."""
import contextlib
import datetime
import socket
import sys
import threading
from listening import bind


class ChatServer:
    def __init__(self):
        self.sock = socket.socket()
        self.clients = {}
        self.event = threading.Event()
        self.lock = threading.Lock()

    def start(self):
        bind(self.sock)
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while not self.event.is_set():
            sock, client = self.sock.accept()
            with self.lock:
                self.clients[client] = sock
            threading.Thread(target=self.recv, args=(sock, client), daemon=True).start()

    def recv(self, sock, client):
        while not self.event.is_set():
            data = sock.recv(1024).decode()
            if data.strip() in ("quit", ""):
                with self.lock:
                    self.clients.pop(client)
                    sock.close()
                print(f"{client} quits", flush=True)
                break
            msg = "{:%Y%m/%d %H:%M:%S} {}:{}\n{}\n".format(datetime.datetime.now(), *client, data)
            with self.lock:
                for each in self.clients.values():
                    each.send(msg.encode())

    def stop(self):
        self.event.set()
        with self.lock:
            for each in self.clients.values():
                with contextlib.suppress(OSError):  # who has left just now
                    each.shutdown(socket.SHUT_RDWR)  # close alone wakes no thread that receives
        self.sock.close()


cs = ChatServer()
cs.start()
for line in sys.stdin:
    if line.strip() == "quit":
        break
cs.stop()
