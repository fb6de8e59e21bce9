# SPDX-License-Identifier: MIT
"""Loops on io_uring, and what the server does where there is none. test_line.py runs on it too."""
import ctypes
import errno
import struct

import pytest

IO_URING_SETUP = 425  # the same on all architectures
PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS, SECCOMP_MODE_FILTER = 22, 38, 2


def without_io_uring(error):
    """What the process is to do before it becomes the server: io_uring_setup(2) fails from then on."""
    allow, refuse = 0x7FFF0000, 0x00050000 | error
    program = b"".join(
        struct.pack("=HBBI", *line)
        for line in [(0x20, 0, 0, 0),  # the number of the system call
                     (0x15, 0, 1, IO_URING_SETUP),
                     (0x06, 0, 0, refuse),
                     (0x06, 0, 0, allow)]
    )
    text = ctypes.create_string_buffer(program, len(program))
    head = ctypes.create_string_buffer(struct.pack("@HP", 4, ctypes.addressof(text)))
    libc = ctypes.CDLL(None, use_errno=True)

    def apply():
        zero = ctypes.c_ulong(0)
        for call in [(PR_SET_NO_NEW_PRIVS, ctypes.c_ulong(1), zero, zero, zero),
                     (PR_SET_SECCOMP, ctypes.c_ulong(SECCOMP_MODE_FILTER), ctypes.byref(head), zero, zero)]:
            if libc.prctl(*call) != 0:
                raise OSError(ctypes.get_errno(), "prctl")
        assert text is not None  # the filter refers to it

    return apply


@pytest.mark.parametrize(
    "error, why",
    [(errno.EPERM, "not permitted: sysctl kernel.io_uring_disabled or a seccomp filter"),
     (errno.ENOSYS, "the kernel has no io_uring")],
    ids=["forbidden", "absent"],
)
def test_server_without_io_uring_says_why_once_and_serves_by_epoll(server, join, error, why):
    chat = server("--backend", "io_uring", "--loops", "3", preexec=without_io_uring(error))
    alice, bob = join(chat, "alice"), join(chat, "bob")
    alice.send("by epoll then")
    bob.expect("alice: by epoll then$")
    told = [line for line in chat.log_lines if "io_uring" in line]
    assert len(told) == 1
    reasons = [why, "this library was built without it"]
    assert any(f"no io_uring ({reason}), the loop uses epoll instead" in told[0] for reason in reasons)


def test_backend_of_the_configuration_is_used(server, join):
    config = {"listen": ["any://127.0.0.1:0"], "backend": "io_uring", "loops": 2}
    chat = server(config=config, preexec=without_io_uring(errno.EPERM))
    join(chat, "alice")
    assert any("no io_uring" in line for line in chat.log_lines)


def test_command_line_goes_before_the_configuration(server, join):
    config = {"listen": ["any://127.0.0.1:0"], "backend": "io_uring"}
    chat = server("--backend", "epoll", config=config, preexec=without_io_uring(errno.EPERM))
    join(chat, "alice")
    assert not any("io_uring" in line for line in chat.log_lines)
