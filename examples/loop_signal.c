/* SPDX-License-Identifier: MIT */
/*
 * loop_signal: says which signals come, until SIGTERM or SIGINT.
 *
 * A signal handler may call next to nothing. A loop takes signals as it takes bytes: the callback
 * comes in its turn, in the loop's thread, and may do anything.
 */
#define _DEFAULT_SOURCE /* with -std=c17 too: strsignal */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <partyline/partyline.h>

static void on_signal(struct party_loop *loop, int signo, void *user)
{
    int *count = user;
    printf("signal %d: %s\n", ++*count, strsignal(signo));
    if (signo == SIGTERM || signo == SIGINT) {
        party_loop_stop(loop);
    }
}

int main(int argc, char *argv[])
{
    (void)argv;
    if (argc > 1) {
        fprintf(stderr, "usage: loop_signal\n");
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);

    static const int signals[] = {SIGHUP, SIGUSR1, SIGTERM, SIGINT};
    int count = 0;
    struct party_loop *loop = NULL;
    int r = party_loop_create(NULL, &loop);
    for (size_t i = 0; r == 0 && i < sizeof(signals) / sizeof(signals[0]); i++) {
        r = party_loop_add_signal(loop, signals[i], on_signal, &count);
    }
    if (r == 0) {
        printf("process %d waits for signals\n", (int)getpid());
        r = party_loop_run(loop);
    }
    if (r < 0) {
        fprintf(stderr, "loop_signal: %s\n", party_strerror(r));
    }
    party_loop_destroy(loop);
    return r < 0;
}
