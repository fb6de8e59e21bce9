/* SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

/*
 * Runs a fuzz target on every file of the folders it is given: what once went wrong is tried again
 * by every run of the tests, without libFuzzer.
 */

/* The whole file in fresh memory, its length in ret_len; NULL when it cannot be read. */
static uint8_t *read_whole(const char *path, size_t *ret_len)
{
    FILE *file = fopen(path, "rb");
    if (!file) {
        return NULL;
    }
    uint8_t *bytes = NULL;
    long len = -1;
    if (fseek(file, 0, SEEK_END) == 0) {
        len = ftell(file);
    }
    if (len >= 0 && fseek(file, 0, SEEK_SET) == 0) {
        bytes = malloc(len > 0 ? (size_t)len : 1);
    }
    if (bytes && fread(bytes, 1, (size_t)len, file) != (size_t)len) {
        free(bytes);
        bytes = NULL;
    }
    (void)fclose(file); /* it was only read */
    *ret_len = (size_t)len;
    return bytes;
}

/* Returns how many files ran, -1 when one could not be read. */
static int replay_folder(const char *folder)
{
    struct dirent **entries;
    int found = scandir(folder, &entries, NULL, alphasort);
    int ran = 0;
    for (int i = 0; i < found; i++) {
        char path[4096];
        int len = snprintf(path, sizeof(path), "%s/%s", folder, entries[i]->d_name);
        bool hidden = entries[i]->d_name[0] == '.';
        free(entries[i]);
        if (hidden || ran < 0) {
            continue;
        }
        size_t size = 0;
        uint8_t *bytes = len > 0 && (size_t)len < sizeof(path) ? read_whole(path, &size) : NULL;
        if (!bytes) {
            (void)fprintf(stderr, "%s: cannot be read\n", path);
            ran = -1;
            continue;
        }
        (void)fprintf(stderr, "%s\n", path); /* the last one named is the one that failed */
        (void)LLVMFuzzerTestOneInput(bytes, size);
        free(bytes);
        ran++;
    }
    if (found >= 0) {
        free(entries);
    }
    return ran;
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        (void)fprintf(stderr, "usage: %s FOLDER...\n", argv[0]);
        return 2;
    }
    for (int i = 1; i < argc; i++) {
        if (replay_folder(argv[i]) <= 0) {
            (void)fprintf(stderr, "%s: no inputs\n", argv[i]);
            return 1;
        }
    }
    return 0;
}
