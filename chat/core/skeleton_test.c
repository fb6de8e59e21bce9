/* SPDX-License-Identifier: MIT */
#include "core/skeleton.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <unicode/uspoof.h>
#include <utf8proc.h>

#include "core/hub.h"
#include "core/limit.h"
#include "core/name.h"

/* The table that the build made, against the library it was made from; and what comes of it: the
 * second one who claims a name is refused. */

#define TEXT_CAP 512

/* ---- against ICU ---- */

/* What skeleton.h says of RFC 1459's pairs. */
static size_t fold_pairs(char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        text[i] = text[i] == '{' ? '[' : text[i] == '}' ? ']' : text[i] == '\\' ? 'l' : text[i];
    }
    return len;
}

static void assert_skeleton_is_icus(const USpoofChecker *checker, const char *folded, size_t len)
{
    char expected[TEXT_CAP];
    UErrorCode status = U_ZERO_ERROR;
    int32_t icu_len = uspoof_getSkeletonUTF8(checker, 0, folded, (int32_t)len, expected,
                                             sizeof(expected), &status);
    assert_true(U_SUCCESS(status));
    size_t expected_len = fold_pairs(expected, (size_t)icu_len);
    size_t made_len;
    char *made = skeleton_make(folded, len, &made_len);
    const char *skeleton = made != NULL ? made : folded;
    if (made_len != expected_len || memcmp(skeleton, expected, made_len) != 0) {
        fail_msg("the skeleton of %.*s is %.*s, not %.*s", (int)len, folded, (int)expected_len,
                 expected, (int)made_len, skeleton);
    }
    free(made);
}

/* The characters that may stand in a name, as name.h says. */
static bool may_stand(utf8proc_int32_t c, char utf8[5], size_t *ret_len)
{
    char clean[TEXT_CAP];
    char name[8] = "a";
    size_t clean_len;
    *ret_len = (size_t)utf8proc_encode_char(c, (utf8proc_uint8_t *)utf8);
    memcpy(name + 1, utf8, *ret_len);
    return name_user(name, *ret_len + 1, sizeof(clean) - 1, clean, &clean_len) == NAME_OK;
}

static void test_each_character_of_a_name_has_the_skeleton_that_icu_gives_it(void **state)
{
    (void)state;
    UErrorCode status = U_ZERO_ERROR;
    USpoofChecker *checker = uspoof_open(&status);
    assert_true(U_SUCCESS(status));
    unsigned others = 0;
    for (utf8proc_int32_t c = 1; c < 0x110000; c++) {
        char utf8[5];
        size_t len;
        if (!utf8proc_codepoint_valid(c) || !may_stand(c, utf8, &len)) {
            continue;
        }
        size_t folded_len;
        char *folded = name_fold(utf8, len, &folded_len);
        assert_non_null(folded);
        assert_skeleton_is_icus(checker, folded, folded_len);
        size_t made_len;
        char *made = skeleton_make(folded, folded_len, &made_len);
        others += made != NULL;
        free(made);
        free(folded);
    }
    assert_in_range(others, 2000, 200000);
    uspoof_close(checker);
}

static void test_mixed_names_have_the_skeletons_that_icu_gives_them(void **state)
{
    (void)state;
    UErrorCode status = U_ZERO_ERROR;
    USpoofChecker *checker = uspoof_open(&status);
    assert_true(U_SUCCESS(status));
    uint64_t random = 4;
    for (unsigned round = 0; round < 20000; round++) {
        char name[TEXT_CAP];
        size_t len = 0;
        while (len < 24) {
            char utf8[5];
            size_t used;
            random = random * UINT64_C(6364136223846793005) + 1442695040888963407u;
            utf8proc_int32_t c = (utf8proc_int32_t)((random >> 33) % (round % 2 ? 0x80 : 0x3000));
            if (c != 0 && may_stand(c, utf8, &used)) {
                memcpy(name + len, utf8, used);
                len += used;
            }
        }
        size_t folded_len;
        char *folded = name_fold(name, len, &folded_len);
        assert_non_null(folded);
        assert_skeleton_is_icus(checker, folded, folded_len);
        free(folded);
    }
    uspoof_close(checker);
}

static void test_what_is_not_utf8_has_no_skeleton(void **state)
{
    (void)state;
    size_t len;
    assert_null(skeleton_make("a\xff", 2, &len));
    assert_null(skeleton_make("", 0, &len));
    assert_int_equal(len, 0);
    assert_null(skeleton_make("alice", 5, &len));
    assert_int_equal(len, 5);
}

/* ---- in the hub ---- */

struct claims {
    struct hub *hub;
    unsigned count; /* pairs tried */
};

/* Gives the command and returns the code of the error it yields; 0 when it yields none. */
static unsigned ask(struct hub *hub, enum command_type type, uint64_t session, const char *target)
{
    struct event_list events = {0};
    struct command *command = command_create(type, session, target, strlen(target), "", 0);
    unsigned code = 0;
    hub_begin(hub);
    hub_apply(hub, command, 0, 1, &events);
    hub_commit(hub);
    for (size_t i = 0; i < events.count; i++) {
        code = events.items[i]->type == EVENT_ERROR ? events.items[i]->code : code;
    }
    assert_null(hub_check(hub));
    command_destroy(command);
    event_list_finish(&events);
    return code;
}

/* Whichever comes first, the second is refused: as a new user's name, and as another name. */
static void assert_collide(struct claims *claims, const char *first, const char *second,
                           unsigned code)
{
    const char *const orders[][2] = {{first, second}, {second, first}};
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(ask(claims->hub, COMMAND_REGISTER, 1, orders[i][0]), 0);
        unsigned got = ask(claims->hub, COMMAND_REGISTER, 2, orders[i][1]);
        if (got != code) {
            fail_msg("%s after %s: error %u, not %u", orders[i][1], orders[i][0], got, code);
        }
        assert_int_equal(ask(claims->hub, COMMAND_REGISTER, 2, "bystander"), 0);
        assert_int_equal(ask(claims->hub, COMMAND_NICK, 2, orders[i][1]), code);
        /* What looks like oneself is one's own. */
        assert_int_equal(ask(claims->hub, COMMAND_NICK, 1, orders[i][1]), 0);
        assert_int_equal(ask(claims->hub, COMMAND_QUIT, 1, ""), 0);
        assert_int_equal(ask(claims->hub, COMMAND_QUIT, 2, ""), 0);
        assert_int_equal(hub_member_count(claims->hub), 0);
    }
    claims->count++;
}

static const char *const people[] = {"alice",  "josephine", "quincy",   "wade",
                                     "xavier", "zachary",   "vincenzo", "gaius",
                                     "hugo",   "yannis",    "percival"};

/* Letters of other scripts that look like those of the first column. */
static const struct {
    char letter;
    const char *const others[6];
} alike[] = {
    {'a', {"а", "ɑ", "α"}},      {'c', {"с", "ᴄ"}},      {'d', {"ԁ"}},
    {'e', {"е", "ҽ"}},           {'g', {"ɡ", "ց", "ƍ"}}, {'h', {"һ", "հ"}},
    {'i', {"і", "ı", "ɩ", "ι"}}, {'j', {"ј", "ϳ"}},      {'n', {"ո", "ռ"}},
    {'o', {"о", "ο", "օ", "ᴏ"}}, {'p', {"р", "ρ"}},      {'q', {"ԛ", "գ"}},
    {'r', {"г", "ᴦ"}},           {'s', {"ѕ", "ꜱ"}},      {'u', {"ս", "υ", "ʋ", "ᴜ"}},
    {'v', {"ν", "ѵ", "ᴠ"}},      {'w', {"ԝ", "ɯ", "ᴡ"}}, {'x', {"х"}},
    {'y', {"у", "γ", "ү", "ყ"}}, {'z', {"ᴢ"}},
};

/* The name with the character at this place given as another one. */
static void swap_letter(const char *name, size_t at, const char *other, char ret_name[64])
{
    (void)snprintf(ret_name, 64, "%.*s%s%s", (int)at, name, other, name + at + 1);
}

static void claim_alike(struct claims *claims, const char *name)
{
    for (size_t at = 0; name[at] != '\0'; at++) {
        for (size_t i = 0; i < sizeof(alike) / sizeof(alike[0]); i++) {
            for (size_t k = 0; alike[i].letter == name[at] && alike[i].others[k] != NULL; k++) {
                char other[64];
                swap_letter(name, at, alike[i].others[k], other);
                assert_collide(claims, name, other, ERROR_NAME_ALIKE);
            }
        }
    }
}

/* Each letter in upper case, as a wide and as a mathematical one: the same name for all. */
static void claim_folded(struct claims *claims, const char *name)
{
    for (size_t at = 0; name[at] != '\0'; at++) {
        static const utf8proc_int32_t firsts[] = {'A', 0xff21, 0xff41, 0x1d400, 0x1d4ea};
        for (size_t i = 0; i < sizeof(firsts) / sizeof(firsts[0]); i++) {
            char letter[5] = "";
            char other[64];
            utf8proc_encode_char(firsts[i] + name[at] - 'a', (utf8proc_uint8_t *)letter);
            swap_letter(name, at, letter, other);
            assert_collide(claims, name, other, ERROR_NAME_TAKEN);
        }
    }
}

static void test_500_pairs_that_look_alike_are_each_for_one_user(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {
        {"zo\xc3\xab", "zoe\xcc\x88"},
        {"ångström", "A\xcc\x8angstro\xcc\x88m"},
        {"straße", "STRASSE"},
        {"ﬁona", "fiona"},
    };
    /* Capitals look alike where their small letters do not. */
    static const char *const capitals[][2] = {{"BOB", "ВОВ"},   {"bob", "ВОВ"}, {"TOM", "ТОМ"},
                                              {"Pete", "РЕТЕ"}, {"MAX", "МАХ"}, {"bob", "bоЬ"},
                                              {"Hak", "НАК"},   {"ian", "Iаn"}};
    static const char *const rfc1459[][2] = {
        {"alice[m]", "alice{m}"}, {"bob|away", "bob\\away"}, {"[]", "{}"},
        {"x[y", "x{y"},           {"zoë|", "zoë\\"},
    };
    struct hub_settings settings = {0};
    struct claims claims = {.hub = hub_create(&settings)};
    for (size_t i = 0; i < sizeof(people) / sizeof(people[0]); i++) {
        claim_alike(&claims, people[i]);
        claim_folded(&claims, people[i]);
    }
    for (size_t i = 0; i < sizeof(capitals) / sizeof(capitals[0]); i++) {
        assert_collide(&claims, capitals[i][0], capitals[i][1], ERROR_NAME_ALIKE);
    }
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        assert_collide(&claims, pairs[i][0], pairs[i][1], ERROR_NAME_TAKEN);
    }
    for (size_t i = 0; i < sizeof(rfc1459) / sizeof(rfc1459[0]); i++) {
        assert_collide(&claims, rfc1459[i][0], rfc1459[i][1], ERROR_NAME_ALIKE);
    }
    hub_destroy(claims.hub);
    assert_in_range(claims.count, 500, 100000);
}

static void test_names_with_characters_that_do_not_show_are_refused(void **state)
{
    (void)state;
    static const char *const hidden[] = {"\xe2\x80\x8b", "\xe2\x80\x8c", "\xe2\x80\x8d",
                                         "\xe2\x81\xa0", "\xef\xbb\xbf", "\xc2\xad",
                                         "\xe2\x80\xae", "\xef\xb8\x8f", "\xe3\x85\xa4"};
    struct hub_settings settings = {0};
    struct hub *hub = hub_create(&settings);
    assert_int_equal(ask(hub, COMMAND_REGISTER, 1, "alice"), 0);
    for (size_t i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++) {
        for (size_t at = 0; at <= 5; at++) {
            char name[64];
            (void)snprintf(name, sizeof(name), "%.*s%s%s", (int)at, "alice", hidden[i],
                           &"alice"[at]);
            assert_int_equal(ask(hub, COMMAND_REGISTER, 2, name), ERROR_NAME_BAD);
        }
    }
    hub_destroy(hub);
}

static void test_names_of_ascii_are_alike_only_by_rfc_1459(void **state)
{
    (void)state;
    static const char *const names[] = {"mike", "rnike", "guest1", "guestl", "b0b", "bob",
                                        "a|",   "al",    "a1",     "cl_",    "c1_"};
    struct hub_settings settings = {0};
    struct hub *hub = hub_create(&settings);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        assert_int_equal(ask(hub, COMMAND_REGISTER, i + 1, names[i]), 0);
    }
    assert_int_equal(ask(hub, COMMAND_REGISTER, 100, "a\\"), ERROR_NAME_ALIKE);
    assert_int_equal(ask(hub, COMMAND_REGISTER, 100, "rnіke"), ERROR_NAME_ALIKE);
    hub_destroy(hub);
}

/* One of many names that look the same; none of them is the skeleton itself. */
static void write_alike(unsigned number, char ret[16])
{
    (void)snprintf(ret, 16, "L|");
    for (unsigned bit = 0; bit < 8; bit++) {
        strcat(ret, (number >> bit & 1) != 0 ? "1" : "l");
    }
}

static void test_names_of_ascii_with_one_skeleton_are_limited(void **state)
{
    (void)state;
    char name[16];
    struct hub_settings settings = {0};
    struct hub *hub = hub_create(&settings);
    for (unsigned i = 0; i < ALIKE_MAX; i++) {
        write_alike(i, name);
        assert_int_equal(ask(hub, COMMAND_REGISTER, i + 1, name), 0);
        assert_int_equal(ask(hub, COMMAND_JOIN, 1, name), 0);
    }
    write_alike(ALIKE_MAX, name);
    assert_int_equal(ask(hub, COMMAND_REGISTER, 100, name), ERROR_NAME_ALIKE);
    assert_int_equal(ask(hub, COMMAND_JOIN, 1, name), ERROR_NAME_ALIKE);
    assert_int_equal(ask(hub, COMMAND_NICK, 1, name), 0); /* it makes room for itself */
    write_alike(0, name);
    assert_int_equal(ask(hub, COMMAND_REGISTER, 100, name), ERROR_NAME_ALIKE);
    assert_int_equal(ask(hub, COMMAND_LEAVE, 1, name), 0);
    assert_int_equal(ask(hub, COMMAND_JOIN, 1, name), 0);
    hub_destroy(hub);
}

static void test_the_server_its_services_and_you_have_no_doubles(void **state)
{
    (void)state;
    static const char *const taken[] = {"Server", "you", "NickServ", "chanserv", "SASLSERV"};
    static const char *const doubles[] = {"sеrver", "yоu", "NісkServ", "ChаnServ", "ОperServ"};
    struct hub_settings settings = {0};
    struct hub *hub = hub_create(&settings);
    for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++) {
        assert_int_equal(ask(hub, COMMAND_REGISTER, 1, taken[i]), ERROR_NAME_TAKEN);
        assert_int_equal(ask(hub, COMMAND_REGISTER, 1, doubles[i]), ERROR_NAME_ALIKE);
    }
    hub_destroy(hub);
}

static void test_a_guest_gets_no_name_that_looks_like_another(void **state)
{
    (void)state;
    struct hub_settings settings = {0};
    struct hub *hub = hub_create(&settings);
    assert_int_equal(ask(hub, COMMAND_REGISTER, 1, "guеst1"), 0);
    assert_int_equal(ask(hub, COMMAND_ENTER, 2, ""), 0);
    assert_int_equal(ask(hub, COMMAND_NICK, 2, "guest2"), 0);
    assert_int_equal(ask(hub, COMMAND_NICK, 2, "guest1"), ERROR_NAME_ALIKE);
    hub_destroy(hub);
}

static void test_rooms_that_look_alike_are_not_made(void **state)
{
    (void)state;
    struct hub_settings settings = {0};
    struct hub *hub = hub_create(&settings);
    assert_int_equal(ask(hub, COMMAND_REGISTER, 1, "alice"), 0);
    assert_int_equal(ask(hub, COMMAND_JOIN, 1, "#lоbby"), ERROR_NAME_ALIKE);
    assert_int_equal(ask(hub, COMMAND_JOIN, 1, "#games"), 0);
    assert_int_equal(ask(hub, COMMAND_JOIN, 1, "#gаmes"), ERROR_NAME_ALIKE);
    assert_int_equal(ask(hub, COMMAND_JOIN, 1, "#garnes"), 0);
    assert_int_equal(ask(hub, COMMAND_LEAVE, 1, "#games"), 0);
    assert_int_equal(ask(hub, COMMAND_LEAVE, 1, "#garnes"), 0);
    assert_int_equal(ask(hub, COMMAND_JOIN, 1, "#gаmes"), 0);
    hub_destroy(hub);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_character_of_a_name_has_the_skeleton_that_icu_gives_it),
        cmocka_unit_test(test_mixed_names_have_the_skeletons_that_icu_gives_them),
        cmocka_unit_test(test_what_is_not_utf8_has_no_skeleton),
        cmocka_unit_test(test_500_pairs_that_look_alike_are_each_for_one_user),
        cmocka_unit_test(test_names_with_characters_that_do_not_show_are_refused),
        cmocka_unit_test(test_names_of_ascii_are_alike_only_by_rfc_1459),
        cmocka_unit_test(test_names_of_ascii_with_one_skeleton_are_limited),
        cmocka_unit_test(test_the_server_its_services_and_you_have_no_doubles),
        cmocka_unit_test(test_a_guest_gets_no_name_that_looks_like_another),
        cmocka_unit_test(test_rooms_that_look_alike_are_not_made),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
