/* SPDX-License-Identifier: MIT */
#include "chat_irc_play.h"

/* ---- history and outages ---- */

static void test_history_stands_before_what_is_said_meanwhile(void **state)
{
    struct play play = {.is_slow = *(bool *)*state};
    play_start(&play, false, garden, 1);
    feed(&play,
         ":s CAP * LS :" ALL "\r\n:s CAP * ACK :" ALL "\r\n" WELCOME ":bob!b@h JOIN #garden\r\n");
    forget(&play);
    feed(&play, "@msgid=m3 :al!a@h PRIVMSG #garden :three\r\n@msgid=m4 :al!a@h PRIVMSG #garden "
                ":four\r\n");
    assert_shown(&play, "");
    feed(&play, ":s BATCH +x chathistory #garden\r\n@batch=x;msgid=m1 :al!a@h PRIVMSG #garden "
                ":one\r\n@batch=x;msgid=m3 :al!a@h PRIVMSG #garden :three\r\n:s BATCH -x\r\n");
    assert_shown(&play, "al: one\nal: three\nal: four\n");
    assert_int_equal(play.ready, 1);
    play_end(&play);
}

static void test_after_an_outage_what_was_missed_is_shown_once(void **state)
{
    struct play play = {.is_slow = *(bool *)*state};
    play_in_garden(&play, false, ALL);
    feed(&play, ":s BATCH +x chathistory #garden\r\n:s BATCH -x\r\n"
                "@msgid=m1;time=2026-01-01T10:00:00.000Z :al!a@h PRIVMSG #garden :one\r\n");
    chat_irc_submit(play.irc, "mine");
    chat_irc_submit(play.irc, "next");
    forget(&play);
    chat_irc_lost(play.irc);
    chat_irc_submit(play.irc, "offline");
    chat_irc_submit(play.irc, "/who");
    assert_shown(&play, "*** Not connected: this is sent as soon as that is.\n"
                        "*** Not connected: /who was not sent.\n");
    chat_irc_connected(play.irc, false);
    feed(&play, ":s CAP * LS :" ALL "\r\n:s CAP * ACK :" ALL "\r\n" WELCOME);
    forget(&play);
    feed(&play, ":bob!b@h JOIN #garden\r\n:s 353 bob = #garden :bob\r\n:s 366 bob #garden :E\r\n");
    assert_sent(&play, "CHATHISTORY AFTER #garden msgid=m1 100 | ");
    feed(&play, "@msgid=m3 :al!a@h PRIVMSG #garden :three\r\n:s BATCH +y chathistory #garden\r\n"
                "@batch=y;msgid=m2 :bob!b@h PRIVMSG #garden :mine\r\n"
                "@batch=y;msgid=m3 :al!a@h PRIVMSG #garden :three\r\n:s BATCH -y\r\n");
    assert_shown(&play, "bob: mine\nal: three\n*** Sending 2 lines that were not said yet.\n");
    assert_sent(&play, "@label=pl1 PRIVMSG #garden :next | ");
    play_end(&play);
}

static void test_forgotten_message_is_looked_for_by_its_time(void **state)
{
    struct play play = {.is_slow = *(bool *)*state};
    play_in_garden(&play, false, ALL);
    feed(&play, ":s BATCH +x chathistory #garden\r\n:s BATCH -x\r\n"
                "@msgid=m1;time=2026-01-01T10:00:00.250Z :al!a@h PRIVMSG #garden :one\r\n");
    chat_irc_lost(play.irc);
    chat_irc_connected(play.irc, false);
    feed(&play,
         ":s CAP * LS :" ALL "\r\n:s CAP * ACK :" ALL "\r\n" WELCOME ":bob!b@h JOIN #garden\r\n");
    forget(&play);
    feed(&play, ":s FAIL CHATHISTORY INVALID_MSGREFTYPE AFTER #garden msgid=m1 :Unknown\r\n");
    assert_sent(&play, "CHATHISTORY AFTER #garden timestamp=2026-01-01T10:00:00.250Z 100 | ");
    feed(&play, ":s FAIL CHATHISTORY MESSAGE_ERROR AFTER #garden :No\r\n");
    assert_int_equal(play.ready, 2);
    play_end(&play);
}

static void test_more_pages_are_asked_for(void **state)
{
    struct play play = {.is_slow = *(bool *)*state};
    play_start(&play, false, garden, 1);
    feed(&play, ":s CAP * LS :batch draft/chathistory=2\r\n:s CAP * ACK :batch "
                "draft/chathistory\r\n" WELCOME
                ":bob!b@h JOIN #garden\r\n:s BATCH +x chathistory #garden\r\n"
                "@batch=x;msgid=m1 :al!a@h PRIVMSG #garden :one\r\n:s BATCH -x\r\n");
    chat_irc_lost(play.irc);
    chat_irc_connected(play.irc, false);
    feed(&play, ":s CAP * LS :batch draft/chathistory=2\r\n:s CAP * ACK :batch "
                "draft/chathistory\r\n" WELCOME ":bob!b@h JOIN #garden\r\n");
    forget(&play);
    feed(&play,
         ":s BATCH +x chathistory #garden\r\n@batch=x;msgid=m2 :al!a@h PRIVMSG #garden :2\r\n"
         "@batch=x;msgid=m3 :al!a@h PRIVMSG #garden :3\r\n:s BATCH -x\r\n");
    assert_sent(&play, "CHATHISTORY AFTER #garden msgid=m3 2 | ");
    feed(&play, ":s BATCH +x chathistory #garden\r\n:s BATCH -x\r\n");
    assert_int_equal(play.ready, 2);
    play_end(&play);
}

static void test_without_history_nobody_knows_what_was_on_its_way(void **state)
{
    struct play play = {.is_slow = *(bool *)*state};
    play_in_garden(&play, false, "");
    chat_irc_submit(play.irc, "mine");
    chat_irc_lost(play.irc);
    chat_irc_connected(play.irc, false);
    feed(&play, WELCOME);
    forget(&play);
    feed(&play, ":bob!b@h JOIN #garden\r\n");
    assert_shown(&play, "*** The connection ended while this was on its way; it is not known "
                        "whether it was heard: mine\n");
    assert_int_equal(chat_irc_waiting(play.irc), 0);
    play_end(&play);
}

static void test_lost_name_is_asked_for_again(void **state)
{
    struct play play = {.is_slow = *(bool *)*state};
    play_in_garden(&play, false, "");
    chat_irc_lost(play.irc);
    chat_irc_connected(play.irc, false);
    feed(&play, ":s 433 * bob :in use\r\n:s 001 bob_ :Welcome\r\n:s 422 bob_ :No\r\n"
                ":bob_!b@h JOIN #garden\r\n");
    forget(&play);
    chat_irc_set_time(play.irc, 20000, 0);
    chat_irc_tick(play.irc);
    assert_sent(&play, "NICK bob | ");
    feed(&play, ":s 433 bob_ bob :in use\r\n");
    assert_shown(&play, "");
    chat_irc_set_time(play.irc, 40000, 0);
    chat_irc_tick(play.irc);
    assert_sent(&play, "NICK bob | ");
    feed(&play, ":bob_!b@h NICK bob\r\n");
    assert_shown(&play, "*** You are now called bob.\n");
    play_end(&play);
}

static void test_typed_history_is_shown_again(void **state)
{
    struct play play = {.is_slow = *(bool *)*state};
    play_in_garden(&play, false, ALL);
    feed(&play, ":s BATCH +x chathistory #garden\r\n@batch=x;msgid=m1 :al!a@h PRIVMSG #garden "
                ":one\r\n:s BATCH -x\r\n");
    forget(&play);
    chat_irc_submit(play.irc, "/history 5");
    assert_sent(&play, "CHATHISTORY LATEST #garden * 5 | ");
    feed(&play, "@label=q :s BATCH +l labeled-response\r\n@batch=l :s BATCH +x chathistory "
                "#garden\r\n@batch=x;msgid=m1 :al!a@h PRIVMSG #garden :one\r\n:s BATCH -x\r\n"
                ":s BATCH -l\r\n");
    assert_shown(&play, "al: one\n*** 1 line of the history.\n");
    play_end(&play);
}

static void test_history_of_a_person_is_counted_too(void **state)
{
    struct play play = {.is_slow = *(bool *)*state};
    play_in_garden(&play, false, ALL);
    chat_irc_submit(play.irc, "/query al");
    chat_irc_submit(play.irc, "/history 5");
    forget(&play);
    feed(&play, ":s BATCH +x chathistory al\r\n@batch=x;msgid=m1 :al!a@h PRIVMSG bob :one\r\n"
                "@batch=x;msgid=m2 :bob!b@h PRIVMSG al :two\r\n:s BATCH -x\r\n");
    assert_shown(&play, "[al -> you] one\n[you -> al] two\n*** al: 2 lines of the history.\n");
    play_end(&play);
}

static void test_who_was_put_out_is_dismissed(void **state)
{
    struct play play = {.is_slow = *(bool *)*state};
    play_in_garden(&play, false, "");
    feed(&play, "ERROR :Closing link: (b@h) [Ping timeout]\r\n");
    assert_false(chat_irc_is_dismissed(play.irc));
    feed(&play, "ERROR :Closing link: (b@h) [Killed (al (rude))]\r\n");
    assert_true(chat_irc_is_dismissed(play.irc));
    chat_irc_lost(play.irc);
    chat_irc_connected(play.irc, false);
    assert_false(chat_irc_is_dismissed(play.irc));
    feed(&play, WELCOME ":al!a@h KILL bob :rude\r\n");
    assert_true(chat_irc_is_dismissed(play.irc));
    play_end(&play);
}

static void test_server_that_does_not_know_join_is_not_waited_for(void **state)
{
    struct play play = {.is_slow = *(bool *)*state};
    play_start(&play, true, garden, 1);
    feed(&play, WELCOME ":s 421 bob JOIN :Unknown command\r\n");
    assert_string_equal(play.refused, "JOIN: Unknown command");
    assert_int_equal(play.ready, 1);
    play_end(&play);
}

static void test_silent_history_does_not_stop_the_chat(void **state)
{
    struct play play = {.is_slow = *(bool *)*state};
    play_in_garden(&play, false, ALL);
    feed(&play, "@msgid=m3 :al!a@h PRIVMSG #garden :three\r\n");
    chat_irc_set_time(play.irc, 1000 + CHAT_IRC_ANSWER_MS, 0);
    chat_irc_tick(play.irc);
    assert_shown(&play, "*** The server did not say what it has kept.\nal: three\n");
    assert_int_equal(play.ready, 1);
    play_end(&play);
}

static void test_room_that_cannot_be_entered_is_refused(void **state)
{
    struct play play = {.is_slow = *(bool *)*state};
    play_start(&play, true, garden, 1);
    feed(&play, WELCOME ":s 475 bob #garden :Cannot join (+k)\r\n");
    assert_string_equal(play.refused, "#garden: Cannot join (+k)");
    assert_int_equal(play.ready, 1);
    play_end(&play);
}

/* ---- hostile servers ---- */

static uint32_t next_random(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

/* Words of the protocol in any order, with parameters missing and too many, and bytes of any kind:
 * on_show and on_send look at all that comes of it. */
static void test_any_input_is_survived(void **state)
{
    (void)state;
    static const char *const words[] = {
        "PRIVMSG", "NOTICE", "JOIN", "PART", "QUIT",   "NICK",  "KICK", "TOPIC", "MODE",
        "BATCH",   "CAP",    "001",  "005",  "353",    "366",   "376",  "433",   "404",
        "475",     "FAIL",   "PING", "PONG", "INVITE", "ERROR", "317",  "263",   "ACK"};
    static const char *const params[] = {"#garden",
                                         "bob",
                                         "*",
                                         "+x",
                                         "-x",
                                         "chathistory",
                                         "LS",
                                         "ACK",
                                         "pl1",
                                         ":\001ACTION x",
                                         ":\001PING \033]0;t\007\001",
                                         ":a b",
                                         "PREFIX=",
                                         "CHANTYPES=",
                                         ":draft/chathistory batch",
                                         "CHATHISTORY",
                                         "\xff\xfe",
                                         "STATUSMSG=",
                                         "CASEMAPPING=rfc1459",
                                         "NEW",
                                         ":",
                                         "DEL"};
    static const char *const tags[] = {"",
                                       "",
                                       "@batch=x ",
                                       "@time=;msgid=m1 ",
                                       "@time=2026-99-99T99:99:99.999999999999Z ",
                                       "@;;=;==; ",
                                       "@label=pl1;batch=x;msgid=\\ "};
    static const char *const sources[] = {"", ":bob!b@h ", ":al!a@h ", ":s ", ":!@ ", ":bob "};
    uint32_t seed = 7;
    for (int turn = 0; turn < 60; turn++) {
        struct play play = {.is_slow = turn % 2 == 1};
        play_in_garden(&play, turn % 3 == 0, turn % 2 ? ALL : "");
        for (int i = 0; i < 120; i++) {
            char line[1200];
            size_t len =
                (size_t)sprintf(line, "%s%s%s", tags[next_random(&seed) % 7],
                                sources[next_random(&seed) % 6], words[next_random(&seed) % 27]);
            for (uint32_t count = next_random(&seed) % 6; count > 0; count--) {
                len += (size_t)sprintf(line + len, " %s", params[next_random(&seed) % 22]);
            }
            (void)sprintf(line + len, "\r\n");
            feed(&play, line);
            if (next_random(&seed) % 8 == 0) {
                chat_irc_submit(play.irc, i % 2 ? "text" : "/join #garden,#b");
            }
            forget(&play);
        }
        chat_irc_set_time(play.irc, 100000, 5);
        chat_irc_tick(play.irc);
        play_end(&play);
    }
}

static void test_huge_lines_are_left_out(void **state)
{
    struct play play = {.is_slow = *(bool *)*state};
    play_in_garden(&play, false, "");
    char *huge = malloc(20000);
    memset(huge, 'x', 19999);
    huge[19999] = '\0';
    feed(&play, huge);
    feed(&play, "\r\n:al!a@h PRIVMSG #garden :after\r\n");
    assert_shown(&play,
                 "*** The server sent a line that is too long; it is left out.\nal: after\n");
    free(huge);
    play_end(&play);
}

static void test_batches_without_end_are_bounded(void **state)
{
    struct play play = {.is_slow = *(bool *)*state};
    play_in_garden(&play, false, ALL);
    char line[100];
    for (int i = 0; i < 500; i++) {
        (void)snprintf(line, sizeof line, "@batch=b%d :s BATCH +b%d x\r\n", i - 1, i);
        feed(&play, line);
    }
    feed(&play, "@batch=b0 :s BATCH +b0 x\r\n@batch=b3 :al!a@h PRIVMSG bob :deep\r\n");
    assert_shown(&play, "[al -> you] deep\n");
    play_end(&play);
}

/* The same bytes, split anywhere, show the same. */
static void test_any_split_shows_the_same(void **state)
{
    (void)state;
    static const char text[] =
        WELCOME ":bob!b@h JOIN #garden\r\n:s 353 bob = #garden :bob al\r\n:s 366 bob #garden :E\r\n"
                "@time=2026-01-01T10:00:00.000Z :al!a@h PRIVMSG #garden :h\xc3\xa9llo\r\n"
                ":al!a@h QUIT\r\n:s 401 bob x :No\n:s 402 bob y :No\r:s 999 bob\r\n";
    static char expected[4000];
    struct play play = {0};
    play_start(&play, false, garden, 1);
    feed(&play, text);
    (void)snprintf(expected, sizeof expected, "%s", play.shown);
    assert_non_null(strstr(expected, "al: h\xc3\xa9llo\n"));
    play_end(&play);
    uint32_t seed = 3;
    for (int turn = 0; turn < 200; turn++) {
        play_start(&play, false, garden, 1);
        for (size_t at = 0; at < sizeof text - 1;) {
            size_t len = 1 + next_random(&seed) % 40;
            len = at + len > sizeof text - 1 ? sizeof text - 1 - at : len;
            chat_irc_feed(play.irc, text + at, len);
            at += len;
        }
        assert_shown(&play, expected);
        play_end(&play);
    }
}

int main(void)
{
    static bool whole = false, bytewise = true;
#define BOTH(test)                                                                                 \
    cmocka_unit_test_prestate(test, &whole), cmocka_unit_test_prestate(test, &bytewise)
    const struct CMUnitTest tests[] = {
        BOTH(test_history_stands_before_what_is_said_meanwhile),
        BOTH(test_after_an_outage_what_was_missed_is_shown_once),
        BOTH(test_forgotten_message_is_looked_for_by_its_time),
        BOTH(test_more_pages_are_asked_for),
        BOTH(test_without_history_nobody_knows_what_was_on_its_way),
        BOTH(test_lost_name_is_asked_for_again),
        BOTH(test_typed_history_is_shown_again),
        BOTH(test_history_of_a_person_is_counted_too),
        BOTH(test_who_was_put_out_is_dismissed),
        BOTH(test_server_that_does_not_know_join_is_not_waited_for),
        BOTH(test_silent_history_does_not_stop_the_chat),
        BOTH(test_room_that_cannot_be_entered_is_refused),
        cmocka_unit_test(test_any_input_is_survived),
        BOTH(test_huge_lines_are_left_out),
        BOTH(test_batches_without_end_are_bounded),
        cmocka_unit_test(test_any_split_shows_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
