/* SPDX-License-Identifier: MIT */
#include <partyline/sock_io.h>

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <partyline/error.h>

#include "base/require.h"
#include "sock/sock_call.h"

/*
 * sendfile(2) while the kernel takes the file, reading and sending where it does not. It has no
 * MSG_NOSIGNAL, so SIGPIPE is held back in this thread meanwhile, and the one that a gone peer has
 * raised is taken out again.
 */

/* What one sendfile(2) can do at most on Linux. */
#define CHUNK_MAX_BYTES 0x7ffff000
#define COPY_BYTES      ((size_t)16 * 1024)

struct transfer {
    struct party_sock *sock;
    int fd;
    bool is_seekable;
    off_t start; /* where it began, when is_seekable */
    int64_t left;
    int64_t sent;
    int64_t deadline_ns;
    bool is_refused; /* by sendfile(2) */
};

static size_t chunk_of(const struct transfer *transfer, size_t max)
{
    return transfer->left < (int64_t)max ? (size_t)transfer->left : max;
}

static void count_sent(struct transfer *transfer, int64_t n)
{
    transfer->sent += n;
    transfer->left -= n;
}

/* Whether the kernel says that it cannot send this file, not that sending failed. */
static bool is_refusal(int error)
{
    return error == EINVAL || error == ENOSYS || error == EOPNOTSUPP || error == ESPIPE;
}

static ssize_t try_sendfile(const struct party_sock *sock, void *args)
{
    struct transfer *transfer = args;
    off_t offset = transfer->start + transfer->sent;
    ssize_t n = sendfile(sock->fd, transfer->fd, transfer->is_seekable ? &offset : NULL,
                         chunk_of(transfer, CHUNK_MAX_BYTES));
    /* Told here, where it cannot be taken for the code of an interrupt function. */
    transfer->is_refused = n == -1 && is_refusal(errno);
    return n == -1 ? -errno : n;
}

/* Returns: 0: go on; the interrupt function's code. */
static int ask_between_parts(const struct transfer *transfer)
{
    return transfer->left > 0 ? party__sock_interrupted(transfer->sock) : 0;
}

/* Returns: 0 when all went out or the file ended; a negative code. */
static int send_by_kernel(struct transfer *transfer)
{
    while (transfer->left > 0) {
        ssize_t n = party__sock_call(transfer->sock, POLLOUT, transfer->deadline_ns, try_sendfile,
                                     transfer);
        if (n <= 0) {
            return (int)n;
        }
        count_sent(transfer, n);
        int r = ask_between_parts(transfer);
        if (r < 0) {
            return r;
        }
    }
    return 0;
}

/* Waits for a pipe or the like as the socket's timeout says, whatever its descriptor is. */
static int wait_for_input(const struct transfer *transfer)
{
    if (transfer->sock->timeout_ms != 0) {
        return party__sock_wait_fd(transfer->sock, transfer->fd, POLLIN, transfer->deadline_ns);
    }
    int r = party__sock_is_ready(transfer->fd, POLLIN);
    return r == 0 ? -EAGAIN : r < 0 ? r : 0;
}

/* Returns: bytes read; 0 at the end of the file; a negative code. */
static ssize_t read_chunk(const struct transfer *transfer, char *buf, size_t cap)
{
    for (;;) {
        if (!transfer->is_seekable) {
            int r = wait_for_input(transfer);
            if (r < 0) {
                return r;
            }
        }
        ssize_t n = transfer->is_seekable
                        ? pread(transfer->fd, buf, cap, transfer->start + transfer->sent)
                        : read(transfer->fd, buf, cap);
        if (n >= 0) {
            return n;
        }
        int error = errno;
        int r = error == EINTR ? party__sock_interrupted(transfer->sock) : -error;
        /* Another reader of the same pipe was faster. */
        bool is_robbed =
            error == EAGAIN && !transfer->is_seekable && transfer->sock->timeout_ms != 0;
        if (r < 0 && !is_robbed) {
            return r;
        }
    }
}

static int send_by_copying(struct transfer *transfer)
{
    char buf[COPY_BYTES];
    while (transfer->left > 0) {
        ssize_t n = read_chunk(transfer, buf, chunk_of(transfer, sizeof(buf)));
        if (n <= 0) {
            return (int)n;
        }
        size_t sent;
        int r =
            party__sock_send_until(transfer->sock, buf, (size_t)n, 0, transfer->deadline_ns, &sent);
        count_sent(transfer, (int64_t)sent);
        r = r < 0 ? r : ask_between_parts(transfer);
        if (r < 0) {
            return r;
        }
    }
    return 0;
}

static int send_without_sigpipe(struct transfer *transfer)
{
    sigset_t sigpipe;
    sigset_t mask_before;
    sigset_t pending;
    (void)sigemptyset(&sigpipe);
    (void)sigaddset(&sigpipe, SIGPIPE);
    (void)sigemptyset(&pending);
    (void)sigpending(&pending);
    /* With a valid set and a valid action it cannot fail. */
    (void)pthread_sigmask(SIG_BLOCK, &sigpipe, &mask_before);
    int r = send_by_kernel(transfer);
    if (r == -EPIPE && sigismember(&pending, SIGPIPE) == 0) {
        const struct timespec at_once = {0};
        while (sigtimedwait(&sigpipe, NULL, &at_once) == -1 && errno == EINTR) {
        }
    }
    (void)pthread_sigmask(SIG_SETMASK, &mask_before, NULL);
    return r;
}

/* Finds out where the file is to be read. */
static int start_transfer(struct transfer *transfer, int64_t offset)
{
    off_t position = lseek(transfer->fd, 0, SEEK_CUR);
    if (position == -1 && (errno != ESPIPE || offset > 0)) {
        return -errno;
    }
    transfer->is_seekable = position != -1;
    if (transfer->is_seekable) {
        transfer->start = offset == -1 ? position : offset;
    }
    return 0;
}

int party_sock_sendfile(struct party_sock *sock, int fd, int64_t offset, int64_t count,
                        int64_t *ret_sent)
{
    PARTY__REQUIRE(-EINVAL, sock, ret_sent);
    struct transfer transfer = {.sock = sock, .fd = fd, .left = count == -1 ? INT64_MAX : count};
    *ret_sent = 0;
    if (sock->type != SOCK_STREAM || offset < -1 || count < -1) {
        return -EINVAL;
    }
    int r = start_transfer(&transfer, offset);
    if (r < 0) {
        return r;
    }
    transfer.deadline_ns = party__sock_deadline(sock, PARTY__DEADLINE_OF_TIMEOUT);
    r = send_without_sigpipe(&transfer);
    if (transfer.is_refused && transfer.sent == 0) {
        r = send_by_copying(&transfer);
    }
    *ret_sent = transfer.sent;
    if (transfer.is_seekable && lseek(fd, transfer.start + transfer.sent, SEEK_SET) == -1 &&
        r == 0) {
        r = -errno;
    }
    return r;
}
