/* SPDX-License-Identifier: MIT */
#include <partyline/loop.h>

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/require.h"
#include "loop/loop_internal.h"

/* Signals taken from the kernel with one read; the others keep the descriptor ready. */
#define SIGNAL_BATCH_MAX 16

struct signal_handler {
    party_signal_fn fn; /* NULL: not of this loop */
    void *user;
};

struct party__signals {
    struct party_watch watch; /* of the signalfd; stopped until the first signal is added */
    sigset_t set;
    struct signal_handler handlers[_NSIG]; /* by signal number */
};

static void on_signals(struct party_watch *watch, unsigned events, void *user)
{
    (void)events;
    struct party_loop *loop = user;
    struct signalfd_siginfo infos[SIGNAL_BATCH_MAX];
    ssize_t len = read(watch->fd, infos, sizeof infos);
    if (len == -1) {
        /* Another loop of the process that has the same signal may have been faster. */
        if (errno != EAGAIN && errno != EINTR) {
            party__loop_log(loop, PARTY_LOG_ERROR, "signals cannot be read", -errno);
        }
        return;
    }
    size_t count = (size_t)len / sizeof infos[0];
    for (size_t i = 0; i < count; i++) {
        int signo = (int)infos[i].ssi_signo;
        struct signal_handler handler = loop->signals->handlers[signo];
        if (handler.fn != NULL) {
            handler.fn(loop, signo, handler.user);
        }
    }
}

static bool is_signal(int signo)
{
    sigset_t set;
    sigemptyset(&set);
    return signo > 0 && signo < _NSIG && signo != SIGKILL && signo != SIGSTOP &&
           sigaddset(&set, signo) == 0;
}

static int make_table(struct party_loop *loop)
{
    if (loop->signals != NULL) {
        return 0;
    }
    struct party__signals *signals = calloc(1, sizeof *signals);
    if (signals == NULL) {
        return -ENOMEM;
    }
    sigemptyset(&signals->set);
    signals->watch.fd = -1;
    loop->signals = signals;
    return 0;
}

/* Makes the signalfd report set, creating and watching it when it is the first time. */
static int watch_set(struct party_loop *loop, const sigset_t *set)
{
    struct party_watch *watch = &loop->signals->watch;
    bool is_first = watch->loop == NULL;
    int fd = signalfd(is_first ? -1 : watch->fd, set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (fd == -1) {
        return -errno;
    }
    if (!is_first) {
        return 0;
    }
    int r = party_watch_start(loop, watch, fd, PARTY_READ, on_signals, loop);
    if (r < 0) {
        (void)close(fd); /* Nothing can be done about a failing close. */
    }
    return r;
}

int party_loop_add_signal(struct party_loop *loop, int signo, party_signal_fn fn, void *user)
{
    PARTY__REQUIRE(-EINVAL, loop, fn);
    if (!is_signal(signo) || fn == NULL) {
        return -EINVAL;
    }
    int r = make_table(loop);
    if (r < 0) {
        return r;
    }
    struct party__signals *signals = loop->signals;
    if (signals->handlers[signo].fn != NULL) {
        return -EEXIST;
    }
    sigset_t set = signals->set;
    sigaddset(&set, signo);
    r = watch_set(loop, &set);
    if (r < 0) {
        return r;
    }
    signals->set = set;
    signals->handlers[signo] = (struct signal_handler){.fn = fn, .user = user};
    sigset_t one;
    sigemptyset(&one);
    sigaddset(&one, signo);
    return -pthread_sigmask(SIG_BLOCK, &one, NULL);
}

void party__signal_finish(struct party_loop *loop)
{
    if (loop->signals == NULL) {
        return;
    }
    if (loop->signals->watch.loop != NULL) {
        int fd = loop->signals->watch.fd;
        party_watch_stop(&loop->signals->watch);
        (void)close(fd); /* Nothing can be done about a failing close. */
    }
    free(loop->signals);
    loop->signals = NULL;
}
