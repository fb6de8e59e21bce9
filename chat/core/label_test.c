/* SPDX-License-Identifier: MIT */
#include "core/label.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct label *make(const char *name, uint64_t seed)
{
    struct label_key key;
    assert_true(label_key_init(&key, seed, name, strlen(name)));
    struct label *label = label_create(name, strlen(name), &key);
    assert_true(label_is(label, &key));
    label_key_finish(&key);
    return label;
}

static uint32_t guest_of(const char *name)
{
    struct label *label = make(name, 0);
    uint32_t guest = label->guest;
    free(label);
    return guest;
}

static void test_a_label_keeps_the_folded_form_only_when_it_is_another(void **state)
{
    (void)state;
    struct label *same = make("alice", 0);
    struct label *other = make("Zoë", 0);
    assert_int_equal(same->folded_at, 0);
    assert_string_equal(label_folded(same), "alice");
    assert_string_equal(other->text, "Zoë");
    assert_string_equal(label_folded(other), "zoë");
    assert_int_equal(other->folded_len, 4);
    free(same);
    free(other);
}

static void test_a_key_finds_what_folds_alike_whatever_the_seed(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 3; seed++) {
        struct label *label = make("STRASSE", seed);
        struct label_key key;
        assert_true(label_key_init(&key, seed, "straße", strlen("straße")));
        assert_true(label_is(label, &key));
        label_key_finish(&key);
        assert_true(label_key_init(&key, seed, "strasse_", strlen("strasse_")));
        assert_false(label_is(label, &key));
        label_key_finish(&key);
        free(label);
    }
}

static void test_a_seed_changes_the_hashes(void **state)
{
    (void)state;
    struct label *first = make("alice", 1);
    struct label *second = make("alice", 2);
    assert_int_not_equal(first->hash, second->hash);
    free(first);
    free(second);
}

static void test_what_has_no_folded_form_has_no_key(void **state)
{
    (void)state;
    struct label_key key;
    assert_false(label_key_init(&key, 0, "\xff", 1));
    assert_false(label_key_init(&key, 0, "\xe3\x85\xa4", 3)); /* folds to nothing */
}

static void test_only_names_as_the_server_writes_them_are_guests(void **state)
{
    (void)state;
    assert_int_equal(guest_of("guest1"), 1);
    assert_int_equal(guest_of("GUEST42"), 42);
    assert_int_equal(guest_of("ｇｕｅｓｔ７"), 7);
    assert_int_equal(guest_of("guest999999999"), 999999999);
    assert_int_equal(guest_of("guest"), 0);
    assert_int_equal(guest_of("guest0"), 0);
    assert_int_equal(guest_of("guest01"), 0);
    assert_int_equal(guest_of("guest1a"), 0);
    assert_int_equal(guest_of("guest9999999999"), 0);
    assert_int_equal(guest_of("ghost1"), 0);
    char name[24];
    assert_int_equal(label_guest_name(42, name, sizeof(name)), 7);
    assert_string_equal(name, "guest42");
}

static void test_labels_are_ordered_by_their_folded_forms(void **state)
{
    (void)state;
    struct label *bob = make("BOB", 0);
    struct label *alice = make("alice", 0);
    struct label *al = make("al", 0);
    assert_true(label_compare(alice, bob) < 0);
    assert_true(label_compare(bob, alice) > 0);
    assert_true(label_compare(al, alice) < 0);
    assert_true(label_compare(alice, alice) == 0);
    free(bob);
    free(alice);
    free(al);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_label_keeps_the_folded_form_only_when_it_is_another),
        cmocka_unit_test(test_a_key_finds_what_folds_alike_whatever_the_seed),
        cmocka_unit_test(test_a_seed_changes_the_hashes),
        cmocka_unit_test(test_what_has_no_folded_form_has_no_key),
        cmocka_unit_test(test_only_names_as_the_server_writes_them_are_guests),
        cmocka_unit_test(test_labels_are_ordered_by_their_folded_forms),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
