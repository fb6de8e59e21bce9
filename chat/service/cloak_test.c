/* SPDX-License-Identifier: MIT */
#include "service/cloak.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/* The key of the vectors: the bytes 0 to 31. */
static const uint8_t vector_key[CLOAK_KEY_BYTES] = {0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10,
                                                    11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21,
                                                    22, 23, 24, 25, 26, 27, 28, 29, 30, 31};

static struct party_address address_of(const char *text)
{
    struct party_address address = {.len = sizeof(struct sockaddr_in)};

    if (inet_pton(AF_INET, text, &address.u.in.sin_addr) == 1) {
        address.u.in.sin_family = AF_INET;
        address.u.in.sin_port = htons(4711);
        return address;
    }
    address = (struct party_address){.len = sizeof(struct sockaddr_in6)};
    address.u.in6.sin6_family = AF_INET6;
    assert_int_equal(inet_pton(AF_INET6, text, &address.u.in6.sin6_addr), 1);
    return address;
}

static void assert_cloak(const char *text, const char *want)
{
    const struct party_address address = address_of(text);
    char cloak[CLOAK_MAX];

    cloak_format(vector_key, &address, cloak, sizeof cloak);
    assert_string_equal(cloak, want);
}

/* Computed with Python's hmac, hashlib and base64. */
static void test_cloaks_are_the_known_ones(void **state)
{
    (void)state;
    assert_cloak("127.0.0.1", "qy7otkdv.nl7qf7ap.fpuiwqfu.ip");
    assert_cloak("192.0.2.7", "tvse4gjq.gzu52dp3.vygyo7sa.ip");
    assert_cloak("192.0.2.8", "hz2fcn34.gzu52dp3.vygyo7sa.ip");
    assert_cloak("192.0.3.7", "6ckoln4y.k6nqspb3.vygyo7sa.ip");
    assert_cloak("255.255.255.255", "j7nsvcsj.epgxnsig.vzp7hvco.ip");
    assert_cloak("::1", "o62dla5b.wpao4bcv.ic6nm6bc.ip6");
    assert_cloak("2001:db8:1:2::3", "mncf3pqs.dacwhjrt.eomkak4i.ip6");
    assert_cloak("2001:db8:1:2::4", "kz2jtw4c.dacwhjrt.eomkak4i.ip6");
    assert_cloak("2001:db8:1:3::3", "4l62hyie.b2fjym3c.eomkak4i.ip6");
}

static void test_mapped_v4_is_v4_and_a_unix_socket_is_unix(void **state)
{
    const struct party_address local = {.len = sizeof(sa_family_t), .u.sa.sa_family = AF_UNIX};
    char cloak[CLOAK_MAX];

    (void)state;
    assert_cloak("::ffff:192.0.2.7", "tvse4gjq.gzu52dp3.vygyo7sa.ip");
    cloak_format(vector_key, &local, cloak, sizeof cloak);
    assert_string_equal(cloak, "unix");
    cloak_format_bare(&local, cloak, sizeof cloak);
    assert_string_equal(cloak, "unix");
}

static void test_another_key_gives_another_cloak(void **state)
{
    static const uint8_t other[CLOAK_KEY_BYTES] = {1};
    const struct party_address address = address_of("192.0.2.7");
    char cloak[CLOAK_MAX];

    (void)state;
    cloak_format(other, &address, cloak, sizeof cloak);
    assert_int_equal(strlen(cloak), strlen("tvse4gjq.gzu52dp3.vygyo7sa.ip"));
    assert_null(strstr(cloak, "tvse4gjq"));
    assert_null(strstr(cloak, "gzu52dp3"));
    assert_null(strstr(cloak, "vygyo7sa"));
}

static void assert_bare(const char *text, const char *want)
{
    const struct party_address address = address_of(text);
    char host[CLOAK_MAX];

    cloak_format_bare(&address, host, sizeof host);
    assert_string_equal(host, want);
}

static void test_bare_addresses_do_not_begin_with_a_colon(void **state)
{
    (void)state;
    assert_bare("192.0.2.7", "192.0.2.7");
    assert_bare("::ffff:192.0.2.7", "192.0.2.7");
    assert_bare("::1", "0::1");
    assert_bare("2001:db8::1", "2001:db8::1");
    assert_bare("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
                "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
}

/* ---- the key's file ---- */

struct place {
    char dir[PATH_MAX], path[PATH_MAX + 32], message[1024];
    uint8_t key[CLOAK_KEY_BYTES];
};

static void place_init(struct place *place)
{
    memset(place, 0, sizeof *place);
    (void)snprintf(place->dir, sizeof place->dir, "%s/cloak_test.XXXXXX",
                   getenv("TMPDIR") != NULL ? getenv("TMPDIR") : "/tmp");
    assert_non_null(mkdtemp(place->dir));
    (void)snprintf(place->path, sizeof place->path, "%s/partyline.cloak", place->dir);
}

static int load(struct place *place)
{
    return cloak_load_key(place->dir, place->key, place->message, sizeof place->message);
}

static void place_finish(struct place *place)
{
    (void)unlink(place->path);
    assert_int_equal(rmdir(place->dir), 0); /* nothing else was left in it */
}

static void write_bytes(const char *path, size_t count)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(fputc('k', file), 'k');
    }
    assert_int_equal(fclose(file), 0);
}

static void test_key_is_made_once_and_kept(void **state)
{
    static const uint8_t zeros[CLOAK_KEY_BYTES];
    uint8_t first[CLOAK_KEY_BYTES];
    struct place place;
    struct stat st;

    (void)state;
    place_init(&place);
    assert_int_equal(load(&place), 0);
    memcpy(first, place.key, sizeof first);
    assert_memory_not_equal(first, zeros, sizeof zeros);
    assert_int_equal(stat(place.path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(st.st_size, CLOAK_KEY_BYTES);
    memset(place.key, 0, sizeof place.key);
    assert_int_equal(load(&place), 0);
    assert_memory_equal(place.key, first, sizeof first);
    place_finish(&place);
}

static void test_empty_file_and_what_a_crash_left_are_made_whole(void **state)
{
    struct place place;
    char left[PATH_MAX + 64];

    (void)state;
    place_init(&place);
    write_bytes(place.path, 0);
    (void)snprintf(left, sizeof left, "%s.new", place.path);
    write_bytes(left, 100);
    assert_int_equal(load(&place), 0);
    assert_int_equal(load(&place), 0);
    place_finish(&place);
}

static void test_readable_key_is_closed_to_others(void **state)
{
    struct place place;
    struct stat st;

    (void)state;
    place_init(&place);
    write_bytes(place.path, CLOAK_KEY_BYTES);
    assert_int_equal(chmod(place.path, 0644), 0);
    assert_int_equal(load(&place), 0);
    assert_int_equal(place.key[0], 'k');
    assert_int_equal(stat(place.path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    place_finish(&place);
}

static void test_key_of_another_length_is_refused(void **state)
{
    static const size_t lengths[] = {1, CLOAK_KEY_BYTES - 1, CLOAK_KEY_BYTES + 1, 4096};
    struct place place;
    struct stat st;

    (void)state;
    place_init(&place);
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        write_bytes(place.path, lengths[i]);
        assert_int_equal(load(&place), -1);
        assert_non_null(strstr(place.message, "is not the 32 bytes it should be"));
        assert_int_equal(stat(place.path, &st), 0);
        assert_int_equal(st.st_size, lengths[i]);
    }
    place_finish(&place);
}

static void test_key_that_is_no_file_of_ours_is_refused(void **state)
{
    struct place place;
    char other[PATH_MAX + 64];

    (void)state;
    place_init(&place);
    (void)snprintf(other, sizeof other, "%s.other", place.path);
    write_bytes(other, CLOAK_KEY_BYTES);
    assert_int_equal(symlink(other, place.path), 0);
    assert_int_equal(load(&place), -1);
    assert_non_null(strstr(place.message, "symbolic link"));
    assert_int_equal(unlink(place.path), 0);
    assert_int_equal(link(other, place.path), 0);
    assert_int_equal(load(&place), -1);
    assert_non_null(strstr(place.message, "more than one name"));
    assert_int_equal(unlink(place.path), 0);
    assert_int_equal(unlink(other), 0);
    assert_int_equal(mkfifo(place.path, 0600), 0);
    assert_int_equal(load(&place), -1);
    assert_non_null(strstr(place.message, "not a regular file"));
    place_finish(&place);
}

static void test_missing_directory_is_named(void **state)
{
    struct place place = {.dir = "/no/such/place"};

    (void)state;
    assert_int_equal(load(&place), -1);
    assert_string_equal(place.message, "cannot reach /no/such/place/partyline.cloak: "
                                       "No such file or directory");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cloaks_are_the_known_ones),
        cmocka_unit_test(test_mapped_v4_is_v4_and_a_unix_socket_is_unix),
        cmocka_unit_test(test_another_key_gives_another_cloak),
        cmocka_unit_test(test_bare_addresses_do_not_begin_with_a_colon),
        cmocka_unit_test(test_key_is_made_once_and_kept),
        cmocka_unit_test(test_empty_file_and_what_a_crash_left_are_made_whole),
        cmocka_unit_test(test_readable_key_is_closed_to_others),
        cmocka_unit_test(test_key_of_another_length_is_refused),
        cmocka_unit_test(test_key_that_is_no_file_of_ours_is_refused),
        cmocka_unit_test(test_missing_directory_is_named),
    };
    return cmocka_run_group_tests_name("cloak", tests, NULL, NULL);
}
