#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""server_echo.py PORT: an echo server with a thread per connection, what server_echo.c is in C."""
import socketserver
import sys


class Echo(socketserver.StreamRequestHandler):
    """Sends back what comes. Without rfile and wfile, which would only make it slower."""

    disable_nagle_algorithm = True

    def handle(self):
        connection = self.request
        while data := connection.recv(65536):
            connection.sendall(data)


class Server(socketserver.ThreadingTCPServer):
    """One thread per connection."""

    request_queue_size = 4096
    daemon_threads = True


with Server(("127.0.0.1", int(sys.argv[1]) if len(sys.argv) > 1 else 0), Echo) as server:
    print("listening on raw://%s:%d" % server.server_address, flush=True)
    server.serve_forever()
