/* SPDX-License-Identifier: MIT */
#include "front/front_test_util.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

/*
 * Passwords are wiped from memory that is given back. Every block that is freed or moved is
 * searched for the password: the allocator is wrapped at link time, so what shared libraries free
 * is not seen. New memory is zeroed, so that nothing is found twice. The loop's buffer, which the
 * next read of any connection overwrites, is freed with the house and not looked at.
 */

#define SECRET "open-sesame-1001"

void __real_free(void *block);
void *__wrap_malloc(size_t size);
void *__wrap_realloc(void *block, size_t size);
void *__wrap_reallocarray(void *block, size_t count, size_t size);
void __wrap_free(void *block);

static volatile unsigned found; /* a compiler knows that free changes nothing of ours */

static void search(void *block)
{
    /* Half of it is enough to be a secret. */
    if (block && memmem(block, malloc_usable_size(block), SECRET, sizeof(SECRET) / 2)) {
        found++;
    }
}

void __wrap_free(void *block)
{
    search(block);
    __real_free(block);
}

void *__wrap_malloc(size_t size)
{
    return calloc(1, size);
}

void *__wrap_realloc(void *block, size_t size)
{
    void *moved = calloc(1, size);
    size_t len = block ? malloc_usable_size(block) : 0;
    if (moved && block) {
        memcpy(moved, block, len < size ? len : size);
        __wrap_free(block);
    }
    return moved;
}

void *__wrap_reallocarray(void *block, size_t count, size_t size)
{
    return __wrap_realloc(block, count * size);
}

static void test_search_finds_what_is_not_wiped(void **state)
{
    (void)state;
    char *block = xmemdup0(SECRET, sizeof(SECRET));
    found = 0;
    free(block);
    assert_int_equal(found, 1);
}

/* Sends a text in pieces, as a network may cut it. */
static void send_in_pieces(struct user *user, const char *text, size_t piece)
{
    for (size_t at = 0, len = strlen(text); at < len; at += piece) {
        user_send_bytes(user, text + at, len - at < piece ? len - at : piece);
    }
}

static void check_wiped(bool asks_password, enum shard_entry entry, const char *lines)
{
    static const size_t pieces[] = {1, 7, 30, 4096};
    struct front_settings settings = house_default_settings();
    settings.asks_password = asks_password;
    for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
        struct house *house = house_open(&settings, NULL);
        struct user *user = user_connect(house, entry);
        found = 0;
        send_in_pieces(user, lines, pieces[i]);
        user_read(user);
        user_hang_up(user);
        assert_int_equal(shard_connections(house->shard), 0);
        assert_int_equal(found, 0);
        user_free(user);
        house_close(house);
    }
}

static void test_password_of_the_server_is_wiped(void **state)
{
    (void)state;
    check_wiped(true, ENTRY_IRC, "PASS " SECRET "\r\nNICK al\r\nUSER al 0 * :x\r\nPING x\r\n");
    check_wiped(true, ENTRY_ANY, "pass :" SECRET "\r\nNICK al\r\nUSER al 0 * :x\r\nPING x\r\n");
    check_wiped(false, ENTRY_IRC, "PASS " SECRET "\r\nPASS x\r\nNICK al\r\nUSER al 0 * :x\r\n");
    check_wiped(true, ENTRY_LINE, SECRET "\n");
}

static void test_password_that_comes_too_late_is_wiped(void **state)
{
    (void)state;
    check_wiped(false, ENTRY_IRC,
                "NICK al\r\nUSER al 0 * :x\r\nPASS " SECRET "\r\n@label=x PASS " SECRET "\r\n");
    check_wiped(false, ENTRY_LINE, "PASS " SECRET "\n");
    check_wiped(false, ENTRY_IRC, "NICK al\r\nPASS " SECRET);
}

static void test_password_of_an_operator_is_wiped(void **state)
{
    (void)state;
    check_wiped(false, ENTRY_IRC,
                "NICK al\r\nUSER al 0 * :x\r\nOPER boss " SECRET "\r\nPING x\r\n");
    check_wiped(false, ENTRY_ANY, "NICK al\r\nUSER al 0 * :x\r\nOPER boss :" SECRET);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_search_finds_what_is_not_wiped),
        cmocka_unit_test(test_password_of_the_server_is_wiped),
        cmocka_unit_test(test_password_that_comes_too_late_is_wiped),
        cmocka_unit_test(test_password_of_an_operator_is_wiped),
    };
    return cmocka_run_group_tests_name("wiped", tests, NULL, NULL);
}
