/* SPDX-License-Identifier: MIT */
#include "front/front_test_util.h"

#include <string.h>

/* labeled-response, the order of answers, several lines as one message, and who may wait. */

#define CAPS  "batch labeled-response message-tags echo-message draft/multiline"
#define ALICE ":alice!~alice@unix "

static struct house *house;
static struct user *alice, *bob;

static int open_house(void **state)
{
    (void)state;
    house = house_open(NULL, NULL);
    alice = user_enter_irc(house, "alice", CAPS);
    bob = user_enter_irc(house, "bob", NULL);
    user_send(alice, "JOIN #room\r\n");
    user_send(bob, "JOIN #room\r\n");
    user_read(alice);
    user_forget(alice);
    user_read(bob);
    user_forget(bob);
    return 0;
}

static int close_house(void **state)
{
    (void)state;
    user_free(alice);
    user_free(bob);
    house_close(house);
    return 0;
}

static void test_no_answer_is_acknowledged(void **state)
{
    (void)state;
    user_send(alice, "@label=a PONG x\r\n@label=b JOIN #room\r\n");
    assert_reads(alice, "@label=a :server ACK\r\n@label=b :server ACK\r\n");
}

static void test_one_answer_carries_the_label(void **state)
{
    (void)state;
    user_send(alice, "@label=x\\sy NOSUCH\r\n@label=p PING t\r\n");
    assert_reads(alice, "@label=x\\sy :server 421 alice NOSUCH :Unknown command\r\n"
                        "@label=p :server PONG server :t\r\n");
    user_send(alice, "@label=e PRIVMSG #room :hi\r\n");
    assert_reads(alice, "@label=e;msgid=m1 " ALICE "PRIVMSG #room :hi\r\n");
    assert_reads(bob, ALICE "PRIVMSG #room :hi\r\n");
}

static void test_several_answers_are_a_batch(void **state)
{
    (void)state;
    user_send(alice, "@label=w WHO #room\r\n");
    assert_reads(alice, "@label=w :server BATCH +L0 labeled-response\r\n"
                        "@batch=L0 :server 352 alice #room ~alice unix server alice H@ :0 alice "
                        "the user\r\n"
                        "@batch=L0 :server 352 alice #room ~bob unix server bob H :0 bob the "
                        "user\r\n"
                        "@batch=L0 :server 315 alice #room :End of WHO list\r\n"
                        ":server BATCH -L0\r\n");
}

static void test_answers_of_two_targets_are_one_answer(void **state)
{
    (void)state;
    user_send(alice, "@label=t PRIVMSG #none,#room :hi\r\n");
    assert_reads(alice, "@label=t :server BATCH +L0 labeled-response\r\n"
                        "@batch=L0 :server 403 alice #none :No such channel\r\n"
                        "@batch=L0;msgid=m1 " ALICE "PRIVMSG #room :hi\r\n"
                        ":server BATCH -L0\r\n");
}

/* What others say meanwhile is theirs. */
static void test_only_own_events_are_labelled(void **state)
{
    (void)state;
    house->hold = true;
    user_send(bob, "PRIVMSG #room :from bob\r\nPRIVMSG alice :to alice\r\n");
    user_send(alice, "@label=1 PRIVMSG #room :mine\r\n");
    user_send(bob, "PRIVMSG #room :later\r\n");
    house_apply_held(house);
    assert_reads(alice, "@msgid=m1 :bob!~bob@unix PRIVMSG #room :from bob\r\n"
                        "@msgid=m2 :bob!~bob@unix PRIVMSG alice :to alice\r\n"
                        "@label=1;msgid=m3 " ALICE "PRIVMSG #room :mine\r\n"
                        "@msgid=m4 :bob!~bob@unix PRIVMSG #room :later\r\n");
}

static void test_message_to_oneself_has_its_label_on_the_echo(void **state)
{
    (void)state;
    user_send(alice, "@label=s PRIVMSG alice :note\r\n");
    assert_reads(alice, "@msgid=m1 " ALICE "PRIVMSG alice :note\r\n"
                        "@label=s;msgid=m1 " ALICE "PRIVMSG alice :note\r\n");
}

static void test_answers_keep_the_order_of_questions(void **state)
{
    (void)state;
    house->hold = true;
    user_send(alice, "PRIVMSG #room :one\r\nPING first\r\nNOSUCH\r\nPRIVMSG #room :two\r\nPING "
                     "second\r\n");
    assert_reads(alice, "");
    house_apply_held(house);
    house_settle(house);
    assert_reads(alice, "@msgid=m1 " ALICE "PRIVMSG #room :one\r\n"
                        ":server PONG server :first\r\n"
                        ":server 421 alice NOSUCH :Unknown command\r\n"
                        "@msgid=m2 " ALICE "PRIVMSG #room :two\r\n"
                        ":server PONG server :second\r\n");
}

static void test_who_waits_is_answered_before_what_comes_after(void **state)
{
    (void)state;
    house->hold_answers = true;
    user_send(alice, "@label=h CHATHISTORY LATEST #room * 5\r\n@label=p PING t\r\n");
    assert_reads(alice, "");
    house_answer_held(house);
    assert_reads(alice, "@label=h :server BATCH +H0 chathistory #room\r\n"
                        ":server BATCH -H0\r\n"
                        "@label=p :server PONG server :t\r\n");
    house->hold_answers = false;
    user_send(alice, "@label=o OPER boss right\r\n");
    assert_reads(alice, "@label=o :server BATCH +L1 labeled-response\r\n"
                        "@batch=L1 :server 381 alice :You are now an IRC operator\r\n"
                        "@batch=L1 " ALICE "MODE alice +o\r\n"
                        ":server BATCH -L1\r\n");
}

/* What an operator tells everybody while one waits is no part of the answer. */
static void test_wallops_of_another_is_not_labelled(void **state)
{
    (void)state;
    user_send(bob, "OPER boss right\r\n");
    user_send(alice, "MODE alice +w\r\n");
    user_read(alice);
    user_forget(alice);
    house->hold_answers = true;
    user_send(alice, "@label=h CHATHISTORY LATEST #room * 5\r\n");
    user_send(bob, "WALLOPS :all hands\r\n");
    assert_reads(alice, ":bob!~bob@unix WALLOPS :all hands\r\n");
    house_answer_held(house);
    assert_reads(alice, "@label=h :server BATCH +H0 chathistory #room\r\n"
                        ":server BATCH -H0\r\n");
}

static void test_too_many_wait(void **state)
{
    (void)state;
    house->refuse_asks = true;
    user_send(alice, "CHATHISTORY LATEST #room * 5\r\nOPER boss right\r\nPING t\r\n");
    assert_reads(alice, ":server FAIL CHATHISTORY MESSAGE_ERROR LATEST #room :Messages could not "
                        "be read\r\n"
                        ":server 263 alice OPER :Please wait a while and try again.\r\n"
                        ":server PONG server :t\r\n");
}

/* Without the capability a label is a tag like others, and nothing is held back. */
static void test_label_without_the_capability(void **state)
{
    (void)state;
    user_send(bob, "@label=x PING t\r\n");
    assert_reads(bob, ":server PONG server :t\r\n");
}

/* ---- draft/multiline ---- */

static void test_several_lines_are_one_message(void **state)
{
    (void)state;
    user_send(alice, "@label=m;+x=y BATCH +1 draft/multiline #room\r\n"
                     "@batch=1 PRIVMSG #room :one\r\n"
                     "@batch=1 PRIVMSG #room :\r\n"
                     "@batch=1 PRIVMSG #room :two \r\n"
                     "@batch=1;draft/multiline-concat PRIVMSG #room :three\r\n"
                     "BATCH -1\r\n");
    assert_reads(alice, "@label=m;msgid=m1;+x=y " ALICE "BATCH +m1 draft/multiline #room\r\n"
                        "@batch=m1 " ALICE "PRIVMSG #room :one\r\n"
                        "@batch=m1 " ALICE "PRIVMSG #room :\r\n"
                        "@batch=m1 " ALICE "PRIVMSG #room :two \r\n"
                        "@batch=m1;draft/multiline-concat " ALICE "PRIVMSG #room :three\r\n"
                        ":server BATCH -m1\r\n");
    assert_reads(bob, ALICE "PRIVMSG #room :one\r\n" ALICE "PRIVMSG #room :two \r\n" ALICE
                            "PRIVMSG #room :three\r\n");
}

static void test_bad_batches_are_told_at_their_end(void **state)
{
    static const struct {
        const char *lines, *answer;
    } rows[] = {
        {"BATCH -1\r\n", ":server FAIL BATCH MULTILINE_INVALID :The batch is not a well-formed "
                         "message\r\n"},
        {"@batch=1 PRIVMSG #room :\r\nBATCH -1\r\n",
         ":server FAIL BATCH MULTILINE_INVALID :The batch is not a well-formed message\r\n"},
        {"@batch=1 PRIVMSG #room :a\r\n@batch=1 NOTICE #room :b\r\nBATCH -1\r\n",
         ":server FAIL BATCH MULTILINE_INVALID :The batch is not a well-formed message\r\n"},
        {"@batch=1 PRIVMSG #room :a\r\n@batch=1 JOIN #b\r\nBATCH -1\r\n",
         ":server FAIL BATCH MULTILINE_INVALID :The batch is not a well-formed message\r\n"},
        {"@batch=1 PRIVMSG #room :a\r\n@batch=1 PRIVMSG #b :b\r\nBATCH -1\r\n",
         ":server FAIL BATCH MULTILINE_INVALID_TARGET #room #b :The lines of one message have "
         "different targets\r\n"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        user_send(alice, "BATCH +1 draft/multiline #room\r\n");
        user_send(alice, rows[i].lines);
        assert_reads(alice, rows[i].answer);
    }
    assert_reads(bob, "");
    user_send(alice, "BATCH -1\r\nBATCH +2 other #room\r\nBATCH\r\n");
    assert_reads_some(alice, "FAIL BATCH");
}

static void test_too_many_lines(void **state)
{
    (void)state;
    user_send(alice, "BATCH +1 draft/multiline #room\r\n");
    for (int i = 0; i < 25; i++) {
        user_send(alice, "@batch=1 PRIVMSG #room :x\r\n");
    }
    user_send(alice, "BATCH -1\r\n");
    assert_reads(alice, ":server FAIL BATCH MULTILINE_MAX_LINES 24 :The message has too many "
                        "lines\r\n");
    assert_reads(bob, "");
}

static void test_second_batch_is_refused_with_its_own_label(void **state)
{
    (void)state;
    user_send(alice, "@label=a BATCH +1 draft/multiline #room\r\n"
                     "@batch=1 PRIVMSG #room :one\r\n"
                     "@label=b BATCH +2 draft/multiline #room\r\n"
                     "BATCH -1\r\n");
    assert_reads(alice, "@label=b :server FAIL BATCH MULTILINE_INVALID +2 :The batch is not a "
                        "well-formed message\r\n"
                        "@label=a;msgid=m1 " ALICE "PRIVMSG #room :one\r\n");
    assert_reads(bob, ALICE "PRIVMSG #room :one\r\n");
}

/* One answer tells of a batch: not one for each of its lines. */
static void test_lines_of_a_batch_that_is_not_open_are_refused(void **state)
{
    (void)state;
    user_send(alice, "@batch=9 PRIVMSG #room :a\r\n@batch=9 PRIVMSG #room :b\r\n"
                     "@batch=8;label=l NOTICE #room :c\r\n@batch=8;label=k JOIN #d\r\n");
    assert_reads(alice, ":server FAIL BATCH MULTILINE_INVALID 9 :The batch is not a well-formed "
                        "message\r\n"
                        "@label=l :server FAIL BATCH MULTILINE_INVALID 8 :The batch is not a "
                        "well-formed message\r\n"
                        "@label=k :server ACK\r\n");
    user_send(alice, "BATCH +q draft/multiline\r\n@batch=q PRIVMSG #room :a\r\nBATCH -q\r\n");
    assert_reads(alice, ":server FAIL BATCH MULTILINE_INVALID +q :The batch is not a well-formed "
                        "message\r\n");
    assert_reads(bob, "");
    user_send(alice, "BATCH +q draft/multiline #room\r\n@batch=q PRIVMSG #room :a\r\nBATCH "
                     "-q\r\nPRIVMSG #room :b\r\n");
    assert_reads(bob, ALICE "PRIVMSG #room :a\r\n" ALICE "PRIVMSG #room :b\r\n");
}

static void test_too_long_line_is_told_with_its_label(void **state)
{
    static char long_line[700];
    (void)state;
    user_send(alice, "@label=a PING x\r\n");
    memset(long_line, 'x', sizeof(long_line) - 3);
    memcpy(long_line, "@label=b PRIVMSG #room :", 24);
    memcpy(long_line + sizeof(long_line) - 3, "\r\n", 3);
    user_send(alice, long_line);
    assert_reads(alice, "@label=a :server PONG server :x\r\n"
                        "@label=b :server 417 alice :Input line was too long\r\n");
    assert_reads(bob, "");
}

/* Such a line is missing in the message, which is not said without it. */
static void test_batch_with_a_line_that_is_too_long_is_spoilt(void **state)
{
    static char long_line[700];
    (void)state;
    memset(long_line, 'x', sizeof(long_line) - 3);
    memcpy(long_line, "@batch=1 PRIVMSG #room :", 24);
    memcpy(long_line + sizeof(long_line) - 3, "\r\n", 3);
    user_send(alice, "@label=m BATCH +1 draft/multiline #room\r\n@batch=1 PRIVMSG #room :a\r\n");
    user_send(alice, long_line);
    user_send(alice, "BATCH -1\r\n");
    assert_reads(alice, ":server 417 alice :Input line was too long\r\n"
                        "@label=m :server FAIL BATCH MULTILINE_INVALID :The batch is not a "
                        "well-formed message\r\n");
    assert_reads(bob, "");
}

/* Whether it was the batch's cannot be known, and a message with a hole is worse than none. */
static void test_batch_with_a_line_whose_tags_are_too_long_is_spoilt(void **state)
{
    static char long_line[4200];
    (void)state;
    memset(long_line, 'x', sizeof(long_line) - 1);
    memcpy(long_line, "@batch=1;+x=", 12);
    memcpy(long_line + 4100, " PRIVMSG #room :b\r\n", 20);
    user_send(alice, "@label=m BATCH +1 draft/multiline #room\r\n@batch=1 PRIVMSG #room :a\r\n");
    user_send(alice, long_line);
    user_send(alice, "BATCH -1\r\n");
    assert_reads(alice, ":server 417 alice :Input line was too long\r\n"
                        "@label=m :server FAIL BATCH MULTILINE_INVALID :The batch is not a "
                        "well-formed message\r\n");
    assert_reads(bob, "");
    memset(long_line, 'x', 700);
    memcpy(long_line, "PRIVMSG #room :", 15);
    memcpy(long_line + 700, "\r\n", 3);
    user_send(alice, "BATCH +2 draft/multiline #room\r\n@batch=2 PRIVMSG #room :a\r\n");
    user_send(alice, long_line);
    user_send(alice, "BATCH -2\r\n");
    assert_reads(bob, ALICE "PRIVMSG #room :a\r\n");
}

static void test_line_with_nul_is_refused(void **state)
{
    static const char lines[] = "@label=n PRIVMSG #room :a\0b\r\n\0\r\nNO\0SUCH\r\n"
                                "BATCH +1 draft/multiline #room\r\n"
                                "@batch=1 PRIVMSG #room :\0\r\nBATCH -1\r\n";
    (void)state;
    user_send_bytes(alice, lines, sizeof(lines) - 1);
    assert_reads(alice, "@label=n :server FAIL PRIVMSG INVALID_MESSAGE :The message holds a byte "
                        "that none can and was dropped\r\n"
                        ":server FAIL * INVALID_MESSAGE :The message holds a byte that none can "
                        "and was dropped\r\n"
                        ":server FAIL * INVALID_MESSAGE :The message holds a byte that none can "
                        "and was dropped\r\n"
                        ":server FAIL BATCH MULTILINE_INVALID :The batch is not a well-formed "
                        "message\r\n");
    assert_reads(bob, "");
}

static void test_bytes_one_by_one_say_the_same(void **state)
{
    static const char lines[] = "@label=w PRIVMSG #room :hi\r\nPING t\nNOSUCH\r\n";
    (void)state;
    for (size_t i = 0; i + 1 < sizeof(lines); i++) {
        user_send_bytes(alice, lines + i, 1);
    }
    assert_reads(alice, "@label=w;msgid=m1 " ALICE "PRIVMSG #room :hi\r\n"
                        ":server PONG server :t\r\n"
                        ":server 421 alice NOSUCH :Unknown command\r\n");
}

int main(void)
{
#define IN_HOUSE(test) cmocka_unit_test_setup_teardown(test, open_house, close_house)
    const struct CMUnitTest tests[] = {
        IN_HOUSE(test_no_answer_is_acknowledged),
        IN_HOUSE(test_one_answer_carries_the_label),
        IN_HOUSE(test_several_answers_are_a_batch),
        IN_HOUSE(test_answers_of_two_targets_are_one_answer),
        IN_HOUSE(test_only_own_events_are_labelled),
        IN_HOUSE(test_message_to_oneself_has_its_label_on_the_echo),
        IN_HOUSE(test_answers_keep_the_order_of_questions),
        IN_HOUSE(test_who_waits_is_answered_before_what_comes_after),
        IN_HOUSE(test_wallops_of_another_is_not_labelled),
        IN_HOUSE(test_too_many_wait),
        IN_HOUSE(test_label_without_the_capability),
        IN_HOUSE(test_several_lines_are_one_message),
        IN_HOUSE(test_bad_batches_are_told_at_their_end),
        IN_HOUSE(test_too_many_lines),
        IN_HOUSE(test_second_batch_is_refused_with_its_own_label),
        IN_HOUSE(test_lines_of_a_batch_that_is_not_open_are_refused),
        IN_HOUSE(test_too_long_line_is_told_with_its_label),
        IN_HOUSE(test_batch_with_a_line_that_is_too_long_is_spoilt),
        IN_HOUSE(test_batch_with_a_line_whose_tags_are_too_long_is_spoilt),
        IN_HOUSE(test_line_with_nul_is_refused),
        IN_HOUSE(test_bytes_one_by_one_say_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
