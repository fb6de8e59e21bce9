/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "front/front_test_util.h"
#include "front/shard_internal.h"

/*
 * The fan-out under chance: members join, leave, rename, talk, quit, hang up and read or do not,
 * and each must have read exactly what a model says: everything in its room between its coming and
 * its going, in order, once. The model is told nothing by the shard; it follows the commands.
 */

#define MEMBERS    12
#define ROOMS      3
#define OPERATIONS 6000

struct member {
    struct user *user; /* NULL: not connected */
    char name[16];
    int room;
    bool sleeps; /* does not read for the time being */
    char *wanted;
    size_t wanted_len, wanted_cap;
};

struct crowd {
    struct house *house;
    struct member members[MEMBERS];
    uint64_t random;
    unsigned serial, said, joined, renamed, quit;
};

static const char *const room_names[ROOMS] = {"lobby", "kitchen", "attic"};

static uint32_t roll(struct crowd *crowd, uint32_t below)
{
    crowd->random = crowd->random * 6364136223846793005ull + 1442695040888963407ull;
    return (uint32_t)(crowd->random >> 33) % below;
}

static void want(struct member *member, const char *text)
{
    size_t len = strlen(text);
    if (member->wanted_len + len >= member->wanted_cap) {
        member->wanted_cap = (member->wanted_len + len) * 2 + 1024;
        member->wanted = realloc(member->wanted, member->wanted_cap);
    }
    memcpy(member->wanted + member->wanted_len, text, len + 1);
    member->wanted_len += len;
}

/* What everyone in the room reads but one, who may be NULL. */
static void want_in_room(struct crowd *crowd, int room, const struct member *except,
                         const char *text)
{
    for (int i = 0; i < MEMBERS; i++) {
        struct member *member = &crowd->members[i];
        if (member->user && member->room == room && member != except) {
            want(member, text);
        }
    }
}

static unsigned count_in(const struct crowd *crowd, int room)
{
    unsigned count = 0;
    for (int i = 0; i < MEMBERS; i++) {
        count += crowd->members[i].user && crowd->members[i].room == room;
    }
    return count;
}

static void check(struct member *member)
{
    const char *wanted = member->wanted ? member->wanted : "";
    user_read(member->user);
    if (strcmp(member->user->text, wanted) != 0) {
        size_t same = 0;
        while (member->user->text[same] == wanted[same]) {
            same++;
        }
        print_error("%s read \"%.60s\" and not \"%.60s\" after %zu bytes\n", member->name,
                    member->user->text + same, wanted + same, same);
        fail();
    }
    user_forget(member->user);
    member->wanted_len = 0;
    if (member->wanted) {
        member->wanted[0] = '\0';
    }
}

static void put(struct member *member, const char *line)
{
    user_put(member->user, line, strlen(line));
}

/* ---- what members do ---- */

static void want_entered(struct crowd *crowd, struct member *member)
{
    char text[128];
    unsigned others = count_in(crowd, member->room) - 1;
    if (others == 0) {
        (void)snprintf(text, sizeof(text), "*** You are in %s, alone so far.\n",
                       room_names[member->room]);
    } else {
        (void)snprintf(text, sizeof(text), "*** You are in %s, with %u other%s.\n",
                       room_names[member->room], others, others == 1 ? "" : "s");
    }
    want(member, text);
    (void)snprintf(text, sizeof(text), "*** %s joined\n", member->name);
    want_in_room(crowd, member->room, member, text);
}

static void come(struct crowd *crowd, struct member *member)
{
    char text[256];
    member->user = user_connect(crowd->house, ENTRY_LINE);
    member->room = 0;
    user_read(member->user);
    assert_int_equal(
        sscanf(member->user->text, "*** Welcome to Testnet. You are %15[^;]", member->name), 1);
    (void)snprintf(text, sizeof(text),
                   "*** Welcome to Testnet. You are %s; /nick NAME changes that.\n", member->name);
    want(member, text);
    want_entered(crowd, member);
    want(member, "*** What you type is said to the room. /help lists what else you can do.\n");
}

static void talk(struct crowd *crowd, struct member *member)
{
    unsigned count = roll(crowd, 20) == 0 ? 40 : roll(crowd, 3) + 1;
    for (unsigned i = 0; i < count; i++) {
        char line[600], text[700], filler[400];
        uint32_t len = roll(crowd, sizeof(filler) - 1);
        memset(filler, '.', len);
        filler[len] = '\0';
        (void)snprintf(line, sizeof(line), "%u%s\n", crowd->serial++, filler);
        (void)snprintf(text, sizeof(text), TEST_TIME " %s: %s", member->name, line);
        put(member, line);
        want_in_room(crowd, member->room, NULL, text);
        crowd->said++;
    }
}

static void move(struct crowd *crowd, struct member *member)
{
    int room = (member->room + 1 + (int)roll(crowd, ROOMS - 1)) % ROOMS;
    char text[128];
    (void)snprintf(text, sizeof(text), "/join %s\n", room_names[room]);
    put(member, text);
    (void)snprintf(text, sizeof(text), "*** %s left\n", member->name);
    want_in_room(crowd, member->room, member, text);
    member->room = room;
    want_entered(crowd, member);
    crowd->joined++;
}

static void rename_member(struct crowd *crowd, struct member *member)
{
    char text[128], old[16];
    memcpy(old, member->name, sizeof(old));
    (void)snprintf(member->name, sizeof(member->name), "n%u", crowd->serial++);
    (void)snprintf(text, sizeof(text), "/nick %s\n", member->name);
    put(member, text);
    (void)snprintf(text, sizeof(text), "*** You are now called %s.\n", member->name);
    want(member, text);
    (void)snprintf(text, sizeof(text), "*** %s is now called %s\n", old, member->name);
    want_in_room(crowd, member->room, member, text);
    crowd->renamed++;
}

static void whisper(struct crowd *crowd, struct member *member)
{
    struct member *other = &crowd->members[roll(crowd, MEMBERS)];
    char text[128];
    if (!other->user || other == member) {
        return;
    }
    (void)snprintf(text, sizeof(text), "/msg %s psst %u\n", other->name, ++crowd->serial);
    put(member, text);
    (void)snprintf(text, sizeof(text), TEST_TIME " [%s -> you] psst %u\n", member->name,
                   crowd->serial);
    want(other, text);
    (void)snprintf(text, sizeof(text), TEST_TIME " [you -> %s] psst %u\n", other->name,
                   crowd->serial);
    want(member, text);
}

static void go(struct crowd *crowd, struct member *member)
{
    char text[128];
    const char *why = "quit";
    member->sleeps = false;
    check(member);
    if (roll(crowd, 2) == 0) {
        put(member, "quit\n");
        want(member, "*** Goodbye: quit\n");
        house_settle(crowd->house);
        check(member);
        assert_true(member->user->ended);
        user_hang_up(member->user);
    } else {
        why = "end of file";
        user_hang_up(member->user);
    }
    user_free(member->user);
    member->user = NULL;
    (void)snprintf(text, sizeof(text), "*** %s quit: %s\n", member->name, why);
    want_in_room(crowd, member->room, NULL, text);
    crowd->quit++;
}

static void act(struct crowd *crowd)
{
    struct member *member = &crowd->members[roll(crowd, MEMBERS)];
    if (!member->user) {
        come(crowd, member);
        return;
    }
    switch (roll(crowd, 40)) {
    case 0:
        go(crowd, member);
        break;
    case 1:
    case 2:
    case 3:
        move(crowd, member);
        break;
    case 4:
    case 5:
        rename_member(crowd, member);
        break;
    case 6:
        whisper(crowd, member);
        break;
    case 7:
        member->sleeps = !member->sleeps;
        break;
    default:
        talk(crowd, member);
        break;
    }
}

/*
 * The order of two members' commands is that in which their bytes are read, so only one member acts
 * at a time; what one does may still be split and merged as the turns of the loop have it.
 */
static void test_each_member_reads_exactly_what_was_told_in_its_rooms(void **state)
{
    (void)state;
    struct front_settings settings = house_default_settings();
    settings.line_max_bytes = 1024;
    settings.stream.output_max_bytes = 8u << 20;
    const struct hub_settings hub = {.limits = {.recent = UINT32_MAX}};
    struct crowd *crowd = calloc(1, sizeof(*crowd));
    const char *seed = getenv("PARTY_TEST_SEED");
    crowd->random = seed ? strtoull(seed, NULL, 10) : 7;
    crowd->house = house_open(&settings, &hub);
    for (int i = 0; i < OPERATIONS; i++) {
        act(crowd);
        house_settle(crowd->house);
        struct member *member = &crowd->members[roll(crowd, MEMBERS)];
        if (member->user && (!member->sleeps || member->wanted_len > USER_TEXT_MAX / 2)) {
            check(member);
        }
    }
    for (int i = 0; i < MEMBERS; i++) {
        struct member *member = &crowd->members[i];
        if (member->user) {
            check(member);
        }
    }
    for (int i = 0; i < MEMBERS; i++) {
        if (crowd->members[i].user) {
            user_free(crowd->members[i].user);
        }
        free(crowd->members[i].wanted);
    }
    assert_true(crowd->said > 5000 && crowd->joined > 100 && crowd->renamed > 50);
    assert_true(crowd->quit > 20);
    house_close(crowd->house);
    free(crowd);
}

/* ---- batches of many events ---- */

/* What several members do before the hub looks reaches everyone as one run, in the hub's order. */
static void test_events_of_one_batch_keep_their_order_around_comings_and_goings(void **state)
{
    (void)state;
    struct house *house = house_open(NULL, NULL);
    struct user *alice = user_enter(house, "alice");
    struct user *bob = user_enter(house, "bob");
    user_read(alice);
    user_forget(alice);
    house->hold = true;
    user_send(alice, "1\n2\n");
    user_send(bob, "3\n/join kitchen\n4\n/join lobby\n5\n");
    user_send(alice, "6\n/nick eve\n7\nquit\n");
    user_send(bob, "8\n");
    house_apply_held(house);
    assert_reads(alice, TEST_TIME " alice: 1\n" TEST_TIME " alice: 2\n" TEST_TIME
                                  " bob: 3\n*** bob left\n*** bob joined\n" TEST_TIME
                                  " bob: 5\n" TEST_TIME " alice: 6\n"
                                  "*** You are now called eve.\n" TEST_TIME
                                  " eve: 7\n*** Goodbye: quit\n");
    assert_reads(bob,
                 TEST_TIME " alice: 1\n" TEST_TIME " alice: 2\n" TEST_TIME " bob: 3\n"
                           "*** You are in kitchen, alone so far.\n" TEST_TIME " bob: 4\n"
                           "*** You are in lobby, with 1 other.\n" TEST_TIME " alice: 1\n" TEST_TIME
                           " alice: 2\n" TEST_TIME " bob: 3\n" TEST_TIME " bob: 5\n" TEST_TIME
                           " alice: 6\n*** alice is now called eve\n" TEST_TIME
                           " eve: 7\n*** eve quit: quit\n" TEST_TIME " bob: 8\n");
    user_free(alice);
    user_free(bob);
    house_close(house);
}

/* A batch longer than a room's tail goes over several. */
static void test_batch_longer_than_a_tail_arrives_whole(void **state)
{
    (void)state;
    struct front_settings settings = house_default_settings();
    settings.line_max_bytes = 1024;
    settings.stream.output_max_bytes = 1u << 20;
    struct house *house = house_open(&settings, NULL);
    struct user *alice = user_enter(house, "alice");
    struct user *bob = user_enter(house, "bob");
    char line[1001];
    user_read(alice);
    user_forget(alice);
    house->hold = true;
    for (int i = 0; i < 100; i++) {
        memset(line, 'a' + i % 26, sizeof(line));
        line[999] = '\n';
        line[1000] = '\0';
        user_send(alice, line);
    }
    house_apply_held(house);
    user_read(alice);
    user_read(bob);
    assert_int_equal(alice->len, 100 * (1000 + 19 + 8));
    assert_string_equal(alice->text, bob->text);
    for (int i = 0; i < 100; i++) {
        assert_int_equal(bob->text[i * 1027 + 27], 'a' + i % 26);
    }
    user_free(alice);
    user_free(bob);
    house_close(house);
}

static void test_joins_are_told_in_small_rooms_only(void **state)
{
    (void)state;
    struct front_settings settings = house_default_settings();
    settings.announce_max = 3;
    struct house *house = house_open(&settings, NULL);
    struct user *users[5];
    users[0] = user_connect(house, ENTRY_LINE);
    user_read(users[0]);
    user_forget(users[0]);
    for (int i = 1; i < 5; i++) {
        users[i] = user_connect(house, ENTRY_LINE);
        house_settle(house);
    }
    assert_reads(users[0], "*** guest2 joined\n*** guest3 joined\n");
    for (int i = 1; i < 5; i++) {
        user_read(users[i]); /* unread bytes would make a reset of the hang-up */
    }
    user_hang_up(users[4]);
    assert_reads(users[0], "");
    user_hang_up(users[3]);
    user_read(users[2]);
    user_hang_up(users[2]);
    assert_reads(users[0], "*** guest3 quit: end of file\n");
    for (int i = 0; i < 5; i++) {
        user_free(users[i]);
    }
    house_close(house);
}

static void test_rooms_nobody_here_is_in_are_forgotten(void **state)
{
    (void)state;
    struct house *house = house_open(NULL, NULL);
    struct user *alice = user_enter(house, "alice");
    for (int i = 0; i < 300; i++) {
        char line[64];
        (void)snprintf(line, sizeof(line), "/join room%d\nhello\n", i);
        user_send(alice, line);
        user_read(alice);
        user_forget(alice);
        assert_int_equal(house->shard->room_count, 1);
    }
    user_free(alice);
    house_close(house);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_member_reads_exactly_what_was_told_in_its_rooms),
        cmocka_unit_test(test_events_of_one_batch_keep_their_order_around_comings_and_goings),
        cmocka_unit_test(test_batch_longer_than_a_tail_arrives_whole),
        cmocka_unit_test(test_joins_are_told_in_small_rooms_only),
        cmocka_unit_test(test_rooms_nobody_here_is_in_are_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
