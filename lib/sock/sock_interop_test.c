/* SPDX-License-Identifier: MIT */
#include <partyline/sock.h>

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include <partyline/address_family.h>

#include "sock/sock_test_util.h"

/* Python's own socket at the other end: what the one sends the other must understand. Each test
   starts a Python with its end of a socket pair as descriptor 3 and the script as its program. */

#define PYTHON  "/usr/bin/python3"

#define PEER_FD 3

static const char prelude[] = "import array, os, socket, sys\n"
                              "peer = socket.socket(fileno=3)\n"
                              "peer.settimeout(30)\n";

struct python {
    pid_t pid;
    struct party_sock *sock;
};

static struct python start_python(int type, const char *script)
{
    struct python python;
    struct party_sock *theirs;
    char program[4096];
    (void)snprintf(program, sizeof(program), "%s%s", prelude, script);
    test_pair(type, &python.sock, &theirs);
    assert_result(party_sock_settimeout(python.sock, TEST_LONG_MS), 0);
    int fd = party_sock_fileno(theirs);
    python.pid = fork();
    assert_int_not_equal(python.pid, -1);
    if (python.pid == 0) {
        /* Over itself, dup2 would leave it close-on-exec. */
        if (fd == PEER_FD ? fcntl(fd, F_SETFD, 0) == -1 : dup2(fd, PEER_FD) == -1) {
            _exit(126);
        }
        execl(PYTHON, "python3", "-I", "-c", program, (char *)NULL);
        _exit(127);
    }
    party_sock_close(theirs);
    return python;
}

static void end_python(struct python *python)
{
    int status;
    party_sock_close(python->sock);
    assert_int_equal(waitpid(python->pid, &status, 0), python->pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void test_descriptors_go_to_python(void **state)
{
    (void)state;
    struct python python =
        start_python(SOCK_STREAM, "data, fds, flags, addr = socket.recv_fds(peer, 10, 4)\n"
                                  "assert data == b'two' and len(fds) == 2 and flags == 0\n"
                                  "os.write(fds[0], b'first')\n"
                                  "os.write(fds[1], b'second')\n");
    int first[2];
    int second[2];
    char buf[16];
    assert_int_equal(pipe2(first, O_CLOEXEC), 0);
    assert_int_equal(pipe2(second, O_CLOEXEC), 0);
    int sent[2] = {first[1], second[1]};
    struct party_sock_fds fds = {.fds = sent, .count = 2};
    assert_int_equal(party_sock_send_fds(python.sock, "two", 3, 0, &fds), 3);
    assert_int_equal(read(first[0], buf, sizeof(buf)), 5);
    assert_memory_equal(buf, "first", 5);
    assert_int_equal(read(second[0], buf, sizeof(buf)), 6);
    assert_memory_equal(buf, "second", 6);
    for (int i = 0; i < 2; i++) {
        close(first[i]);
        close(second[i]);
    }
    end_python(&python);
}

static void test_descriptors_come_from_python(void **state)
{
    (void)state;
    struct python python =
        start_python(SOCK_SEQPACKET, "r, w = os.pipe()\n"
                                     "socket.send_fds(peer, [b'he', b're'], [r, w, r])\n"
                                     "assert peer.recv(1) == b''\n");
    int got[3];
    char buf[16];
    struct party_sock_fds fds = {.fds = got, .cap = 3};
    assert_int_equal(party_sock_recv_fds(python.sock, buf, sizeof(buf), 0, &fds), 4);
    assert_memory_equal(buf, "here", 4);
    assert_int_equal(fds.count, 3);
    assert_int_equal(write(got[1], "x", 1), 1);
    assert_int_equal(read(got[2], buf, 1), 1);
    for (size_t i = 0; i < 3; i++) {
        assert_true(test_is_cloexec(got[i]));
        close(got[i]);
    }
    end_python(&python);
}

static void test_files_go_both_ways(void **state)
{
    (void)state;
    struct python python = start_python(SOCK_STREAM, "got = b''\n"
                                                     "while len(got) < 1000000:\n"
                                                     "    got += peer.recv(65536)\n"
                                                     "assert got == bytes(range(250)) * 4000\n"
                                                     "file = open(os.memfd_create('x'), 'w+b')\n"
                                                     "file.write(got)\n"
                                                     "assert peer.sendfile(file, 250) == 999750\n");
    int fd = memfd_create("file", MFD_CLOEXEC);
    static unsigned char bytes[1000000];
    static char got[999750];
    int64_t sent = 0;
    for (size_t i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (unsigned char)(i % 250);
    }
    assert_int_equal(write(fd, bytes, sizeof(bytes)), sizeof(bytes));
    assert_result(party_sock_sendfile(python.sock, fd, 0, -1, &sent), 0);
    assert_int_equal(sent, sizeof(bytes));
    test_recv_exactly(python.sock, got, sizeof(got));
    assert_memory_equal(got, bytes + 250, sizeof(got));
    close(fd);
    end_python(&python);
}

static void test_datagrams_and_their_sender_are_understood(void **state)
{
    (void)state;
    struct python python =
        start_python(SOCK_STREAM, "udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
                                  "udp.bind(('127.0.0.1', 0))\n"
                                  "udp.settimeout(30)\n"
                                  "peer.sendall(b'%05d' % udp.getsockname()[1])\n"
                                  "data, anc, flags, addr = udp.recvmsg(100)\n"
                                  "assert flags == 0\n"
                                  "udp.sendmsg([data, b' from ', b'%d' % addr[1]], [], 0, addr)\n");
    struct party_address address = test_address("127.0.0.1:0");
    struct party_address peer;
    struct party_sock *udp;
    char port[6] = "";
    char buf[64];
    char wanted[64];
    test_recv_exactly(python.sock, port, 5);
    assert_result(party_sock_socket(AF_INET, SOCK_DGRAM, 0, &udp), 0);
    assert_result(party_sock_bind(udp, &address), 0);
    assert_result(party_sock_getsockname(udp, &address), 0);
    int wanted_len =
        snprintf(wanted, sizeof(wanted), "hello from %u", (unsigned)party_address_port(&address));
    party_address_set_port(&address, (uint16_t)atoi(port));
    struct iovec out[2] = {{(char[]){"hel"}, 3}, {(char[]){"lo"}, 2}};
    struct party_sock_message message = {.iov = out, .iov_count = 2, .address = address};
    assert_int_equal(party_sock_sendmsg(udp, &message, 0), 5);
    assert_int_equal(party_sock_recvfrom(udp, buf, sizeof(buf), 0, &peer), wanted_len);
    assert_memory_equal(buf, wanted, (size_t)wanted_len);
    assert_true(party_address_equal(&peer, &address));
    party_sock_close(udp);
    end_python(&python);
}

static void test_control_lengths_are_pythons(void **state)
{
    (void)state;
    struct python python =
        start_python(SOCK_STREAM, "for n in (0, 1, 4, 7, 8, 9, 1000):\n"
                                  "    peer.sendall(b'%08d%08d' %\n"
                                  "        (socket.CMSG_LEN(n), socket.CMSG_SPACE(n)))\n");
    static const size_t lens[] = {0, 1, 4, 7, 8, 9, 1000};
    for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
        char theirs[17] = "";
        char ours[64];
        test_recv_exactly(python.sock, theirs, 16);
        (void)snprintf(ours, sizeof(ours), "%08zd%08zd", party_sock_cmsg_len(lens[i]),
                       party_sock_cmsg_space(lens[i]));
        assert_string_equal(ours, theirs);
    }
    end_python(&python);
}

static void test_abstract_names_meet(void **state)
{
    (void)state;
    struct python python = start_python(SOCK_STREAM, "server = socket.socket(socket.AF_UNIX)\n"
                                                     "server.bind('')\n"
                                                     "server.listen()\n"
                                                     "peer.sendall(server.getsockname())\n"
                                                     "conn, addr = server.accept()\n"
                                                     "assert conn.recv(10) == b'hello'\n");
    char name[16];
    struct party_address address;
    ssize_t len = party_sock_recv(python.sock, name, sizeof(name), 0);
    assert_int_equal(len, 6);
    assert_result(party_address_unix(name, (size_t)len, &address), 0);
    struct party_sock *client = test_client(&address);
    assert_result(party_sock_sendall(client, "hello", 5, 0), 0);
    party_sock_close(client);
    end_python(&python);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_descriptors_go_to_python),
        cmocka_unit_test(test_descriptors_come_from_python),
        cmocka_unit_test(test_files_go_both_ways),
        cmocka_unit_test(test_datagrams_and_their_sender_are_understood),
        cmocka_unit_test(test_control_lengths_are_pythons),
        cmocka_unit_test(test_abstract_names_meet),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
