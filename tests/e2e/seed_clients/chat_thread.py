# SPDX-License-Identifier: MIT
"""Says "I'm ready", then each line typed, with a line end, while a thread prints all that comes.

`quit` is not sent: it closes the socket under the thread that reads from it. While that thread waits
in recv the kernel keeps the connection open, so the server learns of the end only after it has sent
something more.
"""
import socket
import sys
import threading


class Chat:
    def __init__(self, host, port):
        self.address = (host, port)
        self.sock = socket.socket()
        self.done = threading.Event()

    def start(self):
        self.sock.connect(self.address)
        self.say("I'm ready")
        threading.Thread(target=self.listen).start()

    def listen(self):
        while not self.done.is_set():
            try:
                data = self.sock.recv(1024)
            except OSError:
                break
            if not data:
                break
            print(data.strip().decode(errors="replace"), flush=True)

    def say(self, text):
        self.sock.send("{}\n".format(text.strip()).encode())

    def stop(self):
        self.sock.close()
        self.done.set()


def main():
    chat = Chat(sys.argv[1], int(sys.argv[2]))
    chat.start()
    for line in sys.stdin:
        if line.strip() == "quit":
            break
        chat.say(line.strip())
    chat.stop()


main()
