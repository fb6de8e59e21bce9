# SPDX-License-Identifier: MIT
"""The group chat with makefile: what a client sends is read as lines."""
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
            f = sock.makefile("rw")
            with self.lock:
                self.clients[client] = f, sock
            threading.Thread(target=self.recv, args=(f, client), daemon=True).start()

    def recv(self, f, client):
        while not self.event.is_set():
            try:
                data = f.readline()
            except OSError as error:
                print(error, flush=True)
                data = "quit"
            if data.strip() in ("quit", ""):
                with self.lock:
                    _, sock = self.clients.pop(client)
                    f.close()
                    sock.close()
                break
            msg = "{:%Y%m/%d %H:%M:%S} {}:{}\n{}\n".format(datetime.datetime.now(), *client, data)
            with self.lock:
                for each, _ in self.clients.values():
                    each.write(msg)
                    each.flush()

    def stop(self):
        self.event.set()
        with self.lock:
            for _, sock in self.clients.values():
                with contextlib.suppress(OSError):  # who has left just now
                    sock.shutdown(socket.SHUT_RDWR)  # close alone wakes no thread that receives
        self.sock.close()


cs = ChatServer()
cs.start()
for line in sys.stdin:
    if line.strip() == "quit":
        break
cs.stop()
