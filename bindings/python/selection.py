# SPDX-License-Identifier: MIT
"""Which of CPython's tests are run, and which are not and why."""

# What ./test runs: the two the binding is made for, and those that use the object in ways of their
# own: TLS reads its fields, asyncio its non-blocking side, select its descriptor.
SHORT = [
    "test_ssl",
    "test_socket",
    "test_socketserver",
    "test_timeout",
    "test_select",
    "test_selectors",
    "test_poll",
    "test_epoll",
    "test_ftplib",
    "test_telnetlib",
    "test_urllib2_localnet",
    "test_asyncio.test_sock_lowlevel",
    "test_asyncio.test_sendfile",
    "test_asyncio.test_streams",
    "test_asyncio.test_unix_events",
]

# Whose counts ./test repeats.
NOTED = ["test_socket", "test_socketserver"]

# All of Debian's libpython3.11-testsuite that opens sockets or runs on what does.
ALL = SHORT + [
    "test_asynchat",
    "test_asyncore",
    "test_asyncgen",
    "test_audit",
    "test_contextlib_async",
    "test_coroutines",
    "test_docxmlrpc",
    "test_eintr",
    "test_exception_hierarchy",
    "test_fcntl",
    "test_httplib",
    "test_httpservers",
    "test_imaplib",
    "test_inspect",
    "test_logging",
    "test_mailbox",
    "test_mmap",
    "test_nntplib",
    "test_os",
    "test_pathlib",
    "test_pdb",
    "test_pickle",
    "test_poplib",
    "test_posix",
    "test_pty",
    "test_pyclbr",
    "test_robotparser",
    "test_signal",
    "test_smtpd",
    "test_smtplib",
    "test_stat",
    "test_support",
    "test_sys_settrace",
    "test_urllib",
    "test_urllib2",
    "test_urllib_response",
    "test_wsgiref",
    "test_xmlrpc",
    "test_concurrent_futures",
    "test_multiprocessing_fork",
    "test_multiprocessing_forkserver",
    "test_multiprocessing_main_handling",
    "test_multiprocessing_spawn",
    "test_asyncio.test_base_events",
    "test_asyncio.test_buffered_proto",
    "test_asyncio.test_context",
    "test_asyncio.test_events",
    "test_asyncio.test_futures",
    "test_asyncio.test_futures2",
    "test_asyncio.test_locks",
    "test_asyncio.test_pep492",
    "test_asyncio.test_proactor_events",
    "test_asyncio.test_protocols",
    "test_asyncio.test_queues",
    "test_asyncio.test_runners",
    "test_asyncio.test_selector_events",
    "test_asyncio.test_server",
    "test_asyncio.test_ssl",
    "test_asyncio.test_sslproto",
    "test_asyncio.test_subprocess",
    "test_asyncio.test_taskgroups",
    "test_asyncio.test_tasks",
    "test_asyncio.test_threads",
    "test_asyncio.test_timeouts",
    "test_asyncio.test_transports",
    "test_asyncio.test_waitfor",
]

# Long modules are cut into parts that run side by side.
PARTS = {
    "test_socket": 4,
    "test_ssl": 4,
    "test_asyncio.test_ssl": 2,
    "test_concurrent_futures": 4,
    "test_logging": 2,
    "test_multiprocessing_fork": 3,
    "test_multiprocessing_forkserver": 3,
    "test_multiprocessing_spawn": 4,
}

# Test or class: why it is run with neither module.
EXCLUDED = {
    "test_socket.ThreadedVSOCKSocketStreamTest":
        "connects a virtual machine to itself, and waits for ever, with CPython's own module too, "
        "where the hypervisor does not carry that",
    "test_timeout.TCPTimeoutTestCase": "connects to hosts of the Internet",
}

# Test: why it may pass with CPython's module and not with ours.
DIFFERENT = {}

# What tests may use: nothing that takes gigabytes, and no host of the Internet.
RESOURCES = ["cpu", "decimal", "subprocess", "walltime"]

# Modules that ask for the network as a whole, though most of their tests keep to this machine.
LOCAL_NETWORK = ["test_socketserver", "test_timeout"]
