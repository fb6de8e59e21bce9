/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "front/front_test_util.h"

/* The operator's front: its answers in the order of the commands, and the end after the last. */

static void test_each_command_is_answered(void **state)
{
    (void)state;
    struct house *house = house_open(NULL, NULL);
    struct user *alice = user_enter(house, "alice");
    struct user *ctl = user_connect(house, ENTRY_CTL);
    user_send(ctl, "clients\n");
    assert_reads(ctl, "| 1\talice\tunix\tlobby\nok\n");
    user_send(ctl, "rooms\n");
    assert_reads(ctl, "| lobby\t1\t\nok\n");
    user_send(ctl, "say tea is ready\n");
    assert_reads(ctl, "ok\n");
    assert_reads(alice, TEST_TIME " *** server: tea is ready\n");
    user_send(ctl, "threads\n");
    assert_reads(ctl, "| threads one\n| threads two\nok\n");
    user_send(ctl, "reload\n");
    assert_reads(ctl, "error there is no file\n");
    user_send(ctl, "help\n");
    assert_reads_some(ctl, "| kick NAME [REASON]");
    user_send(ctl, "\n");
    assert_reads(ctl, "ok\n");
    user_send(ctl, "nonsense\n");
    assert_reads(ctl, "error there is no such command; try help\n");
    user_send(ctl, "say\n");
    assert_reads(ctl, "error usage: say TEXT\n");
    user_send(ctl, "clients extra\n");
    assert_reads(ctl, "error usage: clients\n");
    user_send(ctl, "kick nobody\n");
    assert_reads(ctl, "error nobody has that name\n");
    user_send(ctl, "kick alice too loud\n");
    assert_reads(ctl, "ok\n");
    assert_reads(alice, "*** Goodbye: kicked: too loud\n");
    assert_true(alice->ended);
    user_send(ctl, "clients\n");
    assert_reads(ctl, "ok\n");
    user_free(ctl);
    user_free(alice);
    house_close(house);
}

static void test_answers_come_in_the_order_of_the_commands(void **state)
{
    (void)state;
    struct house *house = house_open(NULL, NULL);
    struct user *alice = user_enter(house, "alice");
    struct user *ctl = user_connect(house, ENTRY_CTL);
    house->hold = true;
    user_send(ctl, "rooms\nthreads\nclients\n\nbad\nrooms\n\xff\nsay\nquit\n");
    house_apply_held(house);
    assert_reads(ctl, "| lobby\t1\t\nok\n"
                      "| threads one\n| threads two\nok\n"
                      "| 1\talice\tunix\tlobby\nok\n"
                      "ok\n"
                      "error there is no such command; try help\n"
                      "| lobby\t1\t\nok\n"
                      "error the line is not UTF-8\n"
                      "error usage: say TEXT\n"
                      "| quit one\n| quit two\nok\n");
    user_free(ctl);
    user_free(alice);
    house_close(house);
}

/* As `echo rooms | partyline ctl` does. */
static void test_all_is_answered_before_the_end_when_the_peer_ends_its_side(void **state)
{
    (void)state;
    static const char *const scripts[] = {"rooms\n", "rooms\nrooms", "rooms\nthreads\nrooms\n",
                                          "rooms\nthreads"};
    static const char *const answers[] = {
        "| lobby\t1\t\nok\n",
        "| lobby\t1\t\nok\n| lobby\t1\t\nok\n",
        "| lobby\t1\t\nok\n| threads one\n| threads two\nok\n| lobby\t1\t\nok\n",
        "| lobby\t1\t\nok\n| threads one\n| threads two\nok\n",
    };
    struct house *house = house_open(NULL, NULL);
    struct user *alice = user_enter(house, "alice");
    for (size_t i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++) {
        struct user *ctl = user_connect(house, ENTRY_CTL);
        house->hold = true;
        user_put(ctl, scripts[i], strlen(scripts[i]));
        user_end_output(ctl);
        house_apply_held(house);
        assert_reads(ctl, answers[i]);
        assert_true(ctl->ended);
        user_free(ctl);
    }
    assert_int_equal(shard_connections(house->shard), 1);
    user_free(alice);
    house_close(house);
}

static void test_console_without_a_word_ends_when_its_peer_does(void **state)
{
    (void)state;
    struct house *house = house_open(NULL, NULL);
    struct user *ctl = user_connect(house, ENTRY_CTL);
    user_end_output(ctl);
    assert_reads(ctl, "");
    assert_true(ctl->ended);
    user_free(ctl);
    ctl = user_connect(house, ENTRY_CTL);
    user_send(ctl, "clients\n");
    user_hang_up(ctl);
    assert_int_equal(shard_connections(house->shard), 0);
    user_free(ctl);
    house_close(house);
}

static void test_line_too_long_is_refused_and_the_next_one_taken(void **state)
{
    (void)state;
    struct house *house = house_open(NULL, NULL);
    struct user *ctl = user_connect(house, ENTRY_CTL);
    char *line = malloc(5001);
    memset(line, 'x', 5000);
    line[4999] = '\n';
    line[5000] = '\0';
    user_send(ctl, line);
    user_send(ctl, "threads\n");
    assert_reads(ctl, "error the line is too long\n| threads one\n| threads two\nok\n");
    free(line);
    user_free(ctl);
    house_close(house);
}

/* More than any user's output limit. */
static void test_long_list_is_told_whole(void **state)
{
    (void)state;
    struct front_settings settings = house_default_settings();
    settings.stream.output_max_bytes = 4096;
    struct house *house = house_open(&settings, NULL);
    struct user *users[400];
    for (int i = 0; i < 400; i++) {
        users[i] = user_connect(house, ENTRY_LINE);
        user_put(users[i], "/join a_room_with_a_long_name_of_its_own\n", 41);
        user_read(users[i]);
        user_forget(users[i]);
    }
    struct user *ctl = user_connect(house, ENTRY_CTL);
    user_send(ctl, "clients\n");
    user_read(ctl);
    assert_true(ctl->len > 4096 * 4);
    assert_string_equal(ctl->text + ctl->len - 3, "ok\n");
    assert_non_null(strstr(ctl->text, "| 1\tguest1\t"));
    assert_non_null(strstr(ctl->text, "| 400\tguest400\t"));
    for (int i = 0; i < 400; i++) {
        user_free(users[i]);
    }
    user_free(ctl);
    house_close(house);
}

static void test_console_is_closed_when_the_server_drains(void **state)
{
    (void)state;
    struct house *house = house_open(NULL, NULL);
    struct user *ctl = user_connect(house, ENTRY_CTL);
    user_send(ctl, "threads\n");
    user_forget(ctl);
    shard_drain(house->shard, "test");
    user_read(ctl);
    assert_true(ctl->ended);
    user_hang_up(ctl);
    assert_int_equal(shard_connections(house->shard), 0);
    user_free(ctl);
    house_close(house);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_command_is_answered),
        cmocka_unit_test(test_answers_come_in_the_order_of_the_commands),
        cmocka_unit_test(test_all_is_answered_before_the_end_when_the_peer_ends_its_side),
        cmocka_unit_test(test_console_without_a_word_ends_when_its_peer_does),
        cmocka_unit_test(test_line_too_long_is_refused_and_the_next_one_taken),
        cmocka_unit_test(test_long_list_is_told_whole),
        cmocka_unit_test(test_console_is_closed_when_the_server_drains),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
