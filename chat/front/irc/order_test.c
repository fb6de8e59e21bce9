/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "front/front_test_util.h"
#include "wire/text.h"

/*
 * The order in which a session's lines take effect, and its end: what the stateful fuzzer
 * (irc/fuzz) found, one test each.
 */

static void test_connection_lost_while_registering_leaves_nobody(void **state)
{
    (void)state;
    struct house *house = house_open(NULL, NULL);
    struct user *ann = user_connect(house, ENTRY_IRC);
    house->hold = true;
    user_send(ann, "NICK ann\r\nUSER ann 0 * :Ann\r\n");
    user_hang_up(ann);
    house_apply_held(house);
    assert_int_equal(hub_member_count(house->hub), 0);
    user_free(ann);
    house_close(house);
}

static void test_line_behind_cap_req_is_taken_with_the_new_capabilities(void **state)
{
    (void)state;
    struct house *house = house_open(NULL, NULL);
    struct user *ann = user_enter_irc(house, "ann", "labeled-response");
    user_send(ann, "CAP REQ :-labeled-response\r\n@label=1 MODE ann\r\n"
                   "CAP REQ :labeled-response\r\n@label=2 MODE ann\r\n");
    assert_reads(ann, ":server CAP ann ACK :-labeled-response\r\n"
                      ":server 221 ann +\r\n"
                      ":server CAP ann ACK :labeled-response\r\n"
                      "@label=2 :server 221 ann +\r\n");
    user_free(ann);
    house_close(house);
}

/* MOTD, which waits for nothing, comes back while CAP, which does, is still under way. */
static void test_line_that_is_back_does_not_end_the_waiting_of_another(void **state)
{
    (void)state;
    struct house *house = house_open(NULL, NULL);
    struct user *ann = user_enter_irc(house, "ann", "labeled-response");
    house->hold = true;
    user_send(ann, "MOTD\r\n");
    struct command *motd = house->held_first;
    house->held_first = house->held_last = NULL;
    user_send(ann, "CAP REQ :-labeled-response\r\n@label=1 MODE ann\r\n");
    struct command *cap = house->held_first;
    house->held_first = house->held_last = motd;
    house_apply_held(house);
    house->hold = true;
    house_settle(house);
    assert_null(house->held_first); /* MODE is not heard yet */
    house->held_first = house->held_last = cap;
    house_apply_held(house);
    assert_reads(ann, ":server 422 ann :MOTD File is missing\r\n"
                      ":server CAP ann ACK :-labeled-response\r\n"
                      ":server 221 ann +\r\n");
    user_free(ann);
    house_close(house);
}

static void test_nothing_of_the_new_name_overtakes_the_news_of_it(void **state)
{
    (void)state;
    struct house *house = house_open(NULL, NULL);
    struct user *ann = user_enter_irc(house, "ann", "labeled-response batch");
    user_send(ann, "MONITOR + ann\r\n");
    user_read(ann);
    user_forget(ann);
    user_send(ann, "@label=1 NICK zoe\r\n");
    assert_reads(ann, "@label=1 :server BATCH +L0 labeled-response\r\n"
                      "@batch=L0 :ann!~ann@unix NICK zoe\r\n"
                      "@batch=L0 :server 731 zoe :ann\r\n"
                      ":server BATCH -L0\r\n");
    user_free(ann);
    house_close(house);
}

static void test_line_of_a_batch_is_utf8(void **state)
{
    (void)state;
    struct house *house = house_open(NULL, NULL);
    struct user *ann = user_enter_irc(house, "ann", "batch draft/multiline echo-message");
    user_send(ann,
              "BATCH +r draft/multiline ann\r\n@batch=r PRIVMSG ann :\xf0\x9f\r\nBATCH -r\r\n");
    assert_reads(ann,
                 ":server FAIL BATCH INVALID_UTF8 :The message is not UTF-8 and was dropped\r\n");
    user_free(ann);
    house_close(house);
}

/* What happened is told as history only where a batch says so. */
static void test_events_are_played_back_only_in_a_batch(void **state)
{
    (void)state;
    struct house *house = house_open(NULL, NULL);
    struct user *ann = user_enter_irc(house, "ann", "draft/chathistory draft/event-playback");
    user_send(ann, "JOIN #a\r\nCHATHISTORY LATEST #a * 5\r\n");
    house->hold_answers = true;
    user_send(ann, "CHATHISTORY LATEST #a * 5\r\n");
    assert_int_equal(house->held_query->history.what, HISTORY_MESSAGES);
    house->hold_answers = false;
    house_answer_held(house);
    user_send(ann, "CAP REQ :batch\r\n");
    house->hold_answers = true;
    user_send(ann, "CHATHISTORY LATEST #a * 5\r\n");
    assert_int_equal(house->held_query->history.what, HISTORY_EVENTS);
    house_answer_held(house);
    user_free(ann);
    house_close(house);
}

/* The names that a renamed room's members are told answer no line: not the one that is waiting. */
static void test_names_of_a_renamed_room_are_not_held_back_for_a_label(void **state)
{
    (void)state;
    struct house *house = house_open(NULL, NULL);
    struct user *bob = user_enter_irc(house, "bob", NULL);
    user_send(bob, "JOIN #a\r\n");
    struct user *ann = user_enter_irc(house, "ann", "labeled-response batch draft/chathistory");
    user_send(ann, "JOIN #a\r\n");
    user_read(ann);
    user_forget(ann);
    house->hold_answers = true;
    user_send(ann, "@label=1 CHATHISTORY LATEST #a * 5\r\n");
    user_send(bob, "RENAME #a #b\r\n");
    assert_reads(ann, ":ann!~ann@unix PART #a\r\n"
                      ":ann!~ann@unix JOIN #b\r\n"
                      ":server 353 ann = #b :ann @bob\r\n"
                      ":server 366 ann #b :End of /NAMES list\r\n");
    house_answer_held(house);
    assert_reads(ann, "@label=1 :server BATCH +H0 chathistory #a\r\n"
                      ":server BATCH -H0\r\n");
    user_free(ann);
    user_free(bob);
    house_close(house);
}

static void test_action_is_cut_between_characters(void **state)
{
    (void)state;
    struct house *house = house_open(NULL, NULL);
    struct user *ann = user_enter_irc(house, "ann", NULL);
    struct user *bob = user_enter_irc(house, "bob", NULL);
    for (int shift = 0; shift < 4; shift++) {
        char line[600];
        int len = snprintf(line, sizeof(line), "PRIVMSG ann :\001ACTION %.*s", shift, "xxx");
        for (int i = 0; i < 119; i++) {
            len += snprintf(line + len, sizeof(line) - (size_t)len, "😀");
        }
        (void)snprintf(line + len, sizeof(line) - (size_t)len, "\001\r\n");
        user_send(bob, line);
        user_read(ann);
        assert_true(text_is_utf8(ann->text, ann->len));
        assert_in_range(ann->len, 507, 512);
        assert_string_equal(ann->text + ann->len - 3, "\001\r\n");
        user_forget(ann);
    }
    user_free(ann);
    user_free(bob);
    house_close(house);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_connection_lost_while_registering_leaves_nobody),
        cmocka_unit_test(test_line_behind_cap_req_is_taken_with_the_new_capabilities),
        cmocka_unit_test(test_line_that_is_back_does_not_end_the_waiting_of_another),
        cmocka_unit_test(test_nothing_of_the_new_name_overtakes_the_news_of_it),
        cmocka_unit_test(test_line_of_a_batch_is_utf8),
        cmocka_unit_test(test_names_of_a_renamed_room_are_not_held_back_for_a_label),
        cmocka_unit_test(test_action_is_cut_between_characters),
        cmocka_unit_test(test_events_are_played_back_only_in_a_batch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
