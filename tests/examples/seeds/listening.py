# SPDX-License-Identifier: MIT
"""What all the servers here share: where to bind, and the line that says so once a client can come."""
import socket
import sys


def bind(sock):
    """Binds to the arguments HOST PORT, listens where there are connections, says the real address."""
    sock.bind((sys.argv[1], int(sys.argv[2])))
    if sock.type == socket.SOCK_STREAM:
        sock.listen(5)
    print("listening on {}:{}".format(*sock.getsockname()), flush=True)
