# SPDX-License-Identifier: MIT
"""Gives this interpreter the `_socket` of PARTYLINE_SOCKET_MODULE in place of its own.

First in PYTHONPATH, so that each child of a test gets it, too. That a process uses another module
than it was told to would make every result worthless: it ends at once instead.
"""

import importlib.machinery
import importlib.util
import os
import sys


def install(path):
    """Loads the module before anybody imports socket, and sees to it that it stays."""
    if "_socket" in sys.modules or "socket" in sys.modules:
        raise ImportError("another _socket has been imported already")
    loader = importlib.machinery.ExtensionFileLoader("_socket", path)
    spec = importlib.util.spec_from_file_location("_socket", path, loader=loader)
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    sys.modules["_socket"] = module
    import _socket

    if os.path.realpath(_socket.__file__) != os.path.realpath(path):
        raise ImportError(f"_socket is {_socket.__file__}")


if os.environ.get("PARTYLINE_SOCKET_MODULE"):
    try:
        install(os.environ["PARTYLINE_SOCKET_MODULE"])
    except BaseException as error:  # an exception would be printed and forgotten
        os.write(2, f"sitecustomize: no _socket of libpartyline: {error!r}\n".encode())
        os._exit(70)
