/* SPDX-License-Identifier: MIT */
/*
 * locked_dictionary [COUNT]: one thread adds COUNT entries to a dictionary while another walks it
 * and changes what it finds.
 *
 * Python ends the walk of a dictionary that grows with an exception. C says nothing: adding may
 * move the entries in memory, and the walk would read what is gone. So both take the lock, the walk
 * for all of its way.
 */
#define _DEFAULT_SOURCE /* with -std=c17 too: random */
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

struct entry {
    long key, value;
};

static struct {
    pthread_mutex_t lock; /* for all below */
    struct entry *entries;
    size_t count, cap;
    bool is_full;
} dictionary = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* The caller has the lock. */
static bool put(long key, long value)
{
    if (dictionary.count == dictionary.cap) {
        size_t cap = dictionary.cap == 0 ? 8 : 2 * dictionary.cap;
        struct entry *entries = realloc(dictionary.entries, cap * sizeof(*entries));
        if (entries == NULL) {
            return false;
        }
        dictionary.entries = entries;
        dictionary.cap = cap;
    }
    dictionary.entries[dictionary.count++] = (struct entry){key, value};
    return true;
}

static void *add(void *user)
{
    const long *count = user;
    bool is_good = true;
    for (long key = 1; is_good && key <= *count; key++) {
        pthread_mutex_lock(&dictionary.lock);
        is_good = put(key, 10 + random() % 10);
        dictionary.is_full = !is_good || key == *count;
        pthread_mutex_unlock(&dictionary.lock);
    }
    return NULL;
}

static void *walk(void *user)
{
    long *walks = user;
    for (bool is_full = false; !is_full; (*walks)++) {
        pthread_mutex_lock(&dictionary.lock);
        for (size_t i = 0; i < dictionary.count; i++) {
            dictionary.entries[i].value = 1 + random() % 9;
        }
        is_full = dictionary.is_full;
        pthread_mutex_unlock(&dictionary.lock);
    }
    return NULL;
}

int main(int argc, char *argv[])
{
    long walks = 0, count = argc > 1 ? strtol(argv[1], NULL, 10) : 1000;
    if (argc > 2 || count <= 0) {
        fprintf(stderr, "usage: locked_dictionary [COUNT]\n");
        return 2;
    }
    pthread_t adding, walking;
    if (pthread_create(&adding, NULL, add, &count) != 0 ||
        pthread_create(&walking, NULL, walk, &walks) != 0) {
        fprintf(stderr, "locked_dictionary: no thread\n");
        return 1; /* which ends the other thread, too */
    }
    pthread_join(adding, NULL);
    pthread_join(walking, NULL);
    printf("%zu entries, walked %s\n", dictionary.count, walks > 0 ? "without harm" : "never");
    free(dictionary.entries);
    return 0;
}
