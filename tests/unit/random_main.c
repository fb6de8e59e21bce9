/* SPDX-License-Identifier: MIT */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fuzz.h"

/*
 * Runs a fuzz target on inputs made up by chance, without libFuzzer: COUNT [WORKERS [FIRST]]. The
 * input of a number is always the same; the one that fails is left in the file failed-NUMBER, to be
 * put into the corpus.
 */

#define INPUT_MAX   400
#define WORKERS_MAX 64

static uint64_t next_random(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static size_t make_input(uint64_t number, uint8_t bytes[INPUT_MAX])
{
    uint64_t state = number * 0x100000001b3u + 1;
    size_t len = 20 + next_random(&state) % (INPUT_MAX - 20);
    for (size_t i = 0; i < len; i++) {
        bytes[i] = (uint8_t)next_random(&state);
    }
    return len;
}

static void keep_input(uint64_t number)
{
    uint8_t bytes[INPUT_MAX];
    char path[64];
    size_t len = make_input(number, bytes);
    (void)snprintf(path, sizeof(path), "failed-%llu", (unsigned long long)number);
    FILE *file = fopen(path, "wb");
    bool is_kept = file && fwrite(bytes, 1, len, file) == len;
    is_kept = file && fclose(file) == 0 && is_kept;
    (void)fprintf(stderr, "input %llu failed%s%s\n", (unsigned long long)number,
                  is_kept ? ": it is in " : "", is_kept ? path : "");
}

/* Every step-th input from the first on, up to the end; *at is the one that runs. */
static void work(uint64_t first, uint64_t end, uint64_t step, volatile uint64_t *at)
{
    uint8_t bytes[INPUT_MAX];
    for (uint64_t number = first; number < end; number += step) {
        *at = number;
        (void)LLVMFuzzerTestOneInput(bytes, make_input(number, bytes));
    }
}

int main(int argc, char **argv)
{
    uint64_t count = argc > 1 ? strtoull(argv[1], NULL, 10) : 0;
    uint64_t workers = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
    uint64_t first = argc > 3 ? strtoull(argv[3], NULL, 10) : 0;
    pid_t pids[WORKERS_MAX];
    int failed = 0;
    if (count == 0 || workers == 0 || workers > WORKERS_MAX) {
        (void)fprintf(stderr, "usage: %s COUNT [WORKERS [FIRST]]\n", argv[0]);
        return 2;
    }
    uint64_t *at = mmap(NULL, sizeof(*at) * workers, PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    fuzz_check(at != MAP_FAILED);
    for (uint64_t i = 0; i < workers; i++) {
        pids[i] = fork();
        fuzz_check(pids[i] != -1);
        if (pids[i] == 0) {
            work(first + i, first + count, workers, &at[i]);
            exit(0); /* not _exit: who looks for leaks does so at the end */
        }
    }
    for (uint64_t i = 0; i < workers; i++) {
        int status;
        fuzz_check(waitpid(pids[i], &status, 0) == pids[i]);
        if (status != 0) {
            keep_input(at[i]);
            failed++;
        }
    }
    if (failed == 0) {
        (void)printf("%llu inputs\n", (unsigned long long)count);
    }
    return failed > 0;
}
