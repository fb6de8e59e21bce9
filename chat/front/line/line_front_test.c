/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "front/front_test_util.h"

/* The line front: what a user types, and what is read then. */

#define AT   TEST_TIME " "

#define HINT "*** What you type is said to the room. /help lists what else you can do.\n"

static struct front_settings with_flood(uint32_t burst, double rate)
{
    struct front_settings settings = house_default_settings();
    settings.flood_burst = burst;
    settings.flood_rate = rate;
    return settings;
}

/* ---- commands ---- */

static void test_newcomer_is_greeted_with_name_motd_room_and_hint(void **state)
{
    (void)state;
    struct front_settings settings = house_default_settings();
    settings.motd = "be kind\n\nand short";
    struct house *house = house_open(&settings, NULL);
    struct user *user = user_connect(house, ENTRY_LINE);
    assert_reads(user, "*** Welcome to Testnet. You are guest1; /nick NAME changes that.\n"
                       "*** be kind\n*** \n*** and short\n"
                       "*** You are in lobby, alone so far.\n" HINT);
    struct user *other = user_connect(house, ENTRY_LINE);
    assert_reads(other, "*** Welcome to Testnet. You are guest2; /nick NAME changes that.\n"
                        "*** be kind\n*** \n*** and short\n"
                        "*** You are in lobby, with 1 other.\n" HINT);
    assert_reads(user, "*** guest2 joined\n");
    user_free(user);
    user_free(other);
    house_close(house);
}

struct step {
    const char *line, *answer;
};

static const struct step steps[] = {
    {"hello", AT "alice: hello\n"},
    {"//me is a text", AT "alice: /me is a text\n"},
    {"  spaces stay in front  ", AT "alice:   spaces stay in front\n"},
    {"", ""},
    {"   ", ""},
    {"/me waves", AT "* alice waves\n"},
    {"/me", "*** /me TEXT: say what you do: \"* alice waves\".\n"},
    {"/who", "*** In lobby (2): alice bob\n"},
    {"/who kitchen", "*** There is no room kitchen.\n"},
    {"/topic", "*** No topic is set.\n"},
    {"/topic fish", AT "*** alice set the topic: fish\n"},
    {"/topic", "*** Topic: fish (alice, " TEST_TIME ")\n"},
    {"/rooms", "*** 1 room, with people and topic:\n***   lobby                        2  fish\n"},
    {"/topic -", AT "*** alice cleared the topic\n"},
    {"/msg bob psst", AT "[you -> bob] psst\n"},
    {"/msg bob", "*** There is nothing to say in that.\n"},
    {"/msg nobody hi", "*** Nobody here is called nobody.\n"},
    {"/msg", "*** /msg NAME TEXT: tell one person only.\n"},
    {"/nick bob", "*** The name bob is taken.\n"},
    {"/nick 1st",
     "*** That is no name: letters, digits and - _ [ ] \\ ` ^ { | } only, and no digit "
     "or - first.\n"},
    {"/nick irc.example", "*** That is no name: letters, digits and - _ [ ] \\ ` ^ { | } only, and "
                          "no digit or - first.\n"},
    {"/NICK alicia", "*** You are now called alicia.\n"},
    {"/nick alice", "*** You are now called alice.\n"},
    {"/leave", "*** You are in lobby already; /quit leaves for good.\n"},
    {"/join kitchen", "*** You are in kitchen, alone so far.\n"},
    {"/join kitchen", "*** You are in kitchen already.\n"},
    {"/history", "*** Nothing there.\n"},
    {"/join a,b", "*** That is no name for a room: letters, digits and - _ . [ ] \\ ` ^ { | } "
                  "only.\n"},
    {"/leave", "*** You are in lobby, with 1 other.\n" AT "alice: hello\n" AT
               "alice: /me is a text\n" AT "alice:   spaces stay in front\n" AT "* alice waves\n" AT
               "*** alice set the topic: fish\n" AT "*** alice cleared the topic\n"},
    {"/help who", "***   /who [ROOM]              list who is in the room\n"},
    {"/help /me", "***   /me TEXT                 say what you do: \"* alice waves\"\n"},
    {"/nope x", "*** There is no command /nope. /help lists them; //nope says it.\n"},
    {"/", "*** There is no command /. /help lists them; // says it.\n"},
    {"/history 2", AT "*** alice set the topic: fish\n" AT "*** alice cleared the topic\n"
                      "*** 2 lines, number 5 to 6. More: /history before 5\n"},
    {"/history before 5",
     AT "alice: hello\n" AT "alice: /me is a text\n" AT "alice:   spaces stay in front\n" AT
        "* alice waves\n*** 4 lines, number 1 to 4.\n"},
    {"/history after 5", AT "*** alice cleared the topic\n*** 1 line, number 6 to 6.\n"},
    {"/search wave", AT "* alice waves\n*** 1 line, number 4 to 4.\n"},
    {"/search nothing", "*** Nothing found.\n"},
};

#define STEPS (sizeof(steps) / sizeof(steps[0]))

static void test_each_line_has_its_answer(void **state)
{
    (void)state;
    struct house *house = house_open(NULL, NULL);
    struct user *alice = user_enter(house, "alice");
    struct user *bob = user_enter(house, "bob");
    user_read(alice);
    user_forget(alice);
    for (size_t i = 0; i < STEPS; i++) {
        user_send(alice, steps[i].line);
        user_send(alice, "\n");
        assert_reads(alice, steps[i].answer);
    }
    assert_reads_some(bob, AT "[alice -> you] psst\n");
    user_free(alice);
    user_free(bob);
    house_close(house);
}

/* All at once, in pieces of every size up to 50: the answers are the same, in the same order. */
static void test_lines_sent_at_once_are_answered_in_their_order(void **state)
{
    (void)state;
    char script[4096] = "", wanted[8192] = "";
    for (size_t i = 0; i < STEPS; i++) {
        strcat(strcat(script, steps[i].line), "\r\n");
        strcat(wanted, steps[i].answer);
    }
    for (size_t piece = 1; piece <= 51; piece++) {
        size_t step = piece > 50 ? sizeof(script) : piece;
        struct house *house = house_open(NULL, NULL);
        struct user *alice = user_enter(house, "alice");
        struct user *bob = user_enter(house, "bob");
        user_read(alice);
        user_forget(alice);
        house->hold = piece > 50; /* and once with a hub that is slow */
        for (size_t at = 0; at < strlen(script); at += step) {
            size_t len = strlen(script) - at < step ? strlen(script) - at : step;
            user_send_bytes(alice, script + at, len);
        }
        for (int i = 0; i < 100 && house->hold; i++) {
            house_apply_held(house);
            house->hold = i < 99;
        }
        assert_reads(alice, wanted);
        user_free(alice);
        user_free(bob);
        house_close(house);
    }
}

static void test_faults_of_lines_are_told_in_turn(void **state)
{
    (void)state;
    struct house *house = house_open(NULL, NULL);
    struct user *alice = user_enter(house, "alice");
    char script[600];
    memset(script, 'x', sizeof(script));
    memcpy(script, "/who\n", 5);
    memcpy(script + 300, "\n/who\nb\xfft\n/who\n", 16);
    script[316] = '\0';
    house->hold = true;
    user_send(alice, script);
    house_apply_held(house);
    assert_reads(alice, "*** In lobby (1): alice\n"
                        "*** That line is longer than 200 bytes and was not sent.\n"
                        "*** In lobby (1): alice\n"
                        "*** That line is not UTF-8 and was not sent.\n"
                        "*** In lobby (1): alice\n");
    user_free(alice);
    house_close(house);
}

static void test_time_is_told(void **state)
{
    (void)state;
    struct house *house = house_open(NULL, NULL);
    struct user *alice = user_enter(house, "alice");
    user_send(alice, "/time\n");
    user_read(alice);
    assert_memory_equal(alice->text, "*** It is 20", 12);
    assert_string_equal(alice->text + alice->len - 10, " (+0000).\n");
    user_free(alice);
    house_close(house);
}

/* ---- hostile bytes ---- */

static void test_control_bytes_reach_no_other_terminal(void **state)
{
    (void)state;
    struct house *house = house_open(NULL, NULL);
    struct user *alice = user_enter(house, "alice");
    user_send(alice, "a\x1b[31mred\x07\x08z\xc2\x9b!\tx\n/topic \x1b]0;owned\x07\n/me \x1b[2J\n");
    user_send_bytes(alice, "nul\0byte\n", 9);
    user_send(alice, "/join \x1b[x\n/nope\x1b[1m\n");
    user_read(alice);
    for (size_t i = 0; i < alice->len; i++) {
        assert_true((unsigned char)alice->text[i] >= ' ' || alice->text[i] == '\n');
    }
    assert_non_null(strstr(alice->text, "alice: a[31mredz! x\n"));
    user_free(alice);
    house_close(house);
}

static void test_telnet_options_are_refused_and_are_you_there_is_answered(void **state)
{
    (void)state;
    struct house *house = house_open(NULL, NULL);
    struct user *alice = user_enter(house, "alice");
    user_send(alice, "\xff\xfd\x01\xff\xfb\x1fhi\xff\xf6 there\r\n");
    assert_reads(alice, "\xff\xfc\x01\xff\xfe\x1f*** Yes, I am here.\n" AT "alice: hi there\n");
    user_free(alice);
    house_close(house);
}

static void test_request_of_a_browser_is_no_chat(void **state)
{
    (void)state;
    struct house *house = house_open(NULL, NULL);
    struct user *user = user_connect(house, ENTRY_LINE);
    user_read(user);
    user_forget(user);
    user_send(user, "POST / HTTP/1.1\r\nHost: x\r\n\r\nhello\r\n/nick evil\r\n");
    assert_reads(user, "*** This is no web server.\n*** Goodbye: spoke HTTP\n");
    assert_true(user->ended);
    assert_int_equal(house->log.count, 0);
    user_free(user);
    house_close(house);
}

/* ---- the end ---- */

static void check_end(const char *script, bool half_close, const char *wanted)
{
    struct house *house = house_open(NULL, NULL);
    struct user *alice = user_enter(house, "alice");
    struct user *bob = user_enter(house, "bob");
    user_read(alice);
    user_forget(alice);
    house->hold = true;
    user_put(bob, script, strlen(script));
    if (half_close) {
        user_end_output(bob);
    }
    house_apply_held(house);
    assert_reads(alice, wanted);
    user_read(bob);
    assert_true(bob->ended);
    assert_int_equal(hub_member_count(house->hub), 1);
    user_hang_up(bob);
    assert_int_equal(shard_connections(house->shard), 1);
    user_free(alice);
    user_free(bob);
    house_close(house);
}

static void test_everything_before_the_end_is_said(void **state)
{
    (void)state;
    check_end("one\ntwo\n", true, AT "bob: one\n" AT "bob: two\n*** bob quit: end of file\n");
    check_end("one\ntwo", true, AT "bob: one\n" AT "bob: two\n*** bob quit: end of file\n");
    check_end("one\n/help", true, AT "bob: one\n*** bob quit: end of file\n");
    check_end("/help\none\n/who\ntwo", true,
              AT "bob: one\n" AT "bob: two\n*** bob quit: end of file\n");
    check_end("", true, "*** bob quit: end of file\n");
    check_end("one\nquit\ntwo\n", false, AT "bob: one\n*** bob quit: quit\n");
    check_end("one\nQUIT\n", true, AT "bob: one\n*** bob quit: quit\n");
    check_end("one\n/quit good night\n/nick x\n", false, AT "bob: one\n*** bob quit: good night\n");
}

static void test_hang_up_is_a_quit_and_releases_once(void **state)
{
    (void)state;
    struct house *house = house_open(NULL, NULL);
    struct user *alice = user_enter(house, "alice");
    struct user *bob = user_enter(house, "bob");
    user_read(alice);
    user_forget(alice);
    house->hold = true;
    user_put(bob, "last\n/history", 13);
    user_hang_up(bob);
    house_apply_held(house);
    assert_reads_some(alice, AT "bob: last\n*** bob quit");
    assert_int_equal(house->released, 1);
    user_free(alice);
    user_free(bob);
    house_close(house);
}

static void test_answer_for_one_who_is_gone_is_dropped(void **state)
{
    (void)state;
    struct house *house = house_open(NULL, NULL);
    struct user *bob = user_enter(house, "bob");
    house->hold_answers = true;
    user_send(bob, "/history\n");
    assert_int_equal(house->asked, 1);
    shard_close_all(house->shard);
    house_settle(house);
    struct user *next = user_enter(house, "next"); /* in the same slot */
    house_answer_held(house);
    assert_reads(next, "");
    user_free(bob);
    user_free(next);
    house_close(house);
}

static void test_drain_says_so_and_ends_everyone(void **state)
{
    (void)state;
    struct house *house = house_open(NULL, NULL);
    struct user *alice = user_enter(house, "alice");
    struct user *bob = user_enter(house, "bob");
    user_read(alice);
    user_forget(alice);
    shard_drain(house->shard, "repairs");
    assert_reads(alice, "*** The server is going down: repairs. What was shown is kept.\n");
    assert_true(alice->ended);
    user_hang_up(alice);
    user_hang_up(bob);
    assert_int_equal(shard_connections(house->shard), 0);
    assert_int_equal(hub_member_count(house->hub), 0);
    user_free(alice);
    user_free(bob);
    house_close(house);
}

/* ---- history ---- */

static void test_history_asks_by_time_and_refuses_what_is_none(void **state)
{
    (void)state;
    struct house *house = house_open(NULL, NULL);
    struct user *alice = user_enter(house, "alice");
    static const char *const bad[] = {"x",
                                      "0",
                                      "-1",
                                      "1x",
                                      "before",
                                      "before x",
                                      "since",
                                      "since 25:00",
                                      "since 2026-13-01",
                                      "since 12:31 x",
                                      "after 99999999999999999999",
                                      "2 3"};
    user_send(alice, "one\n");
    house->time_ms += 60000;
    user_send(alice, "two\n");
    user_forget(alice);
    user_read(alice);
    user_forget(alice);
    user_send(alice, "/history since 2026-11-20 12:32:00\n");
    assert_reads(alice, "2026-11-20 12:32:07 alice: two\n*** 1 line, number 2 to 2.\n");
    user_send(alice, "/history until 2026-11-20T12:32:00\n");
    assert_reads(alice, AT "alice: one\n*** 1 line, number 1 to 1.\n");
    user_send(alice, "/HISTORY SINCE 2026-11-20\n");
    assert_reads_some(alice, "*** 2 lines, number 1 to 2.\n");
    user_send(alice, "/history since 2027-01-01 00:00\n");
    assert_reads(alice, "*** Nothing there.\n");
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        char line[80];
        (void)snprintf(line, sizeof(line), "/history %s\n", bad[i]);
        user_send(alice, line);
        assert_reads(alice, "*** /history [N] | before NUMBER | after NUMBER | since TIME | until "
                            "TIME, with TIME as 12:31, 2026-11-20 or 2026-11-20 12:31:07\n");
    }
    house->fault = LOG_IO;
    user_send(alice, "/history\n");
    assert_reads(alice, "*** The history cannot be read now. Try again later.\n");
    house->refuse_asks = true;
    user_send(alice, "/history\nstill here\n");
    assert_reads_some(alice, "*** Too many people ask for history now. Try again later.\n");
    user_free(alice);
    house_close(house);
}

/* Page by page, back and forth, as the answers say how; all lines once and in order. */
static void test_history_is_paged_without_gaps(void **state)
{
    (void)state;
    struct house *house = house_open(NULL, NULL);
    struct user *alice = user_enter(house, "alice");
    for (int i = 1; i <= 53; i++) {
        char line[32];
        (void)snprintf(line, sizeof(line), "line %d\n", i);
        user_send(alice, line);
        user_read(alice);
        user_forget(alice);
    }
    int next = 53, pages = 0;
    char ask[64] = "/history 10\n";
    while (ask[0]) {
        user_send(alice, ask);
        user_read(alice);
        char *more = strstr(alice->text, "More: ");
        int count = 0, low = 0, high = 0;
        assert_int_equal(sscanf(strstr(alice->text, "***"), "*** %d line%*[s,] number %d to %d",
                                &count, &low, &high),
                         3);
        assert_int_equal(high, next);
        assert_int_equal(low, high - count + 1);
        next = low - 1;
        (void)snprintf(ask, sizeof(ask), "%s", more ? more + 6 : "");
        pages++;
        user_forget(alice);
    }
    assert_int_equal(next, 0);
    assert_int_equal(pages, 4); /* 10, then 20 by 20 */
    user_free(alice);
    house_close(house);
}

static void say_much(struct house *house, struct user *user, int count, int len)
{
    char line[1100];
    memset(line, 'x', sizeof(line));
    for (int i = 0; i < count; i++) {
        (void)snprintf(line, 8, "%05d", i);
        line[5] = ' ';
        line[len] = '\n';
        user_send_bytes(user, line, (size_t)len + 1);
        user_read(user);
        user_forget(user);
    }
    assert_int_equal(house->log.count, count);
}

/* Answers longer than the output limit are shortened; nobody is cut for asking. */
static void test_no_answer_overruns_the_output_limit(void **state)
{
    (void)state;
    struct front_settings settings = house_default_settings();
    settings.line_max_bytes = 1024;
    settings.history_max = 1000;
    settings.stream.output_max_bytes = 4096;
    const struct hub_settings hub = {.limits = {.recent = 200}};
    struct house *house = house_open(&settings, &hub);
    struct user *alice = user_enter(house, "alice");
    struct user *many[300];
    say_much(house, alice, 30, 1000);
    struct user *bob = user_connect(house, ENTRY_LINE);
    user_read(bob);
    assert_non_null(strstr(bob->text, "*** What you type is said")); /* not cut off on joining */
    assert_non_null(strstr(bob->text, "00029 x"));
    assert_null(strstr(bob->text, "00010 x"));
    user_forget(bob);
    user_send(bob, "/history 1000\n");
    assert_reads_some(bob, "*** 1 line, number 30 to 30. More: /history before 30\n");
    user_send(bob, "/history after 0\n");
    assert_reads_some(bob, "*** 1 line, number 1 to 1. More: /history after 1\n");
    for (int i = 0; i < 300; i++) {
        char line[64];
        many[i] = user_connect(house, ENTRY_LINE);
        user_read(many[i]);
        user_forget(many[i]);
        (void)snprintf(line, sizeof(line), "/nick a_rather_long_name_%d\n", i);
        user_send(many[i], line);
        (void)snprintf(line, sizeof(line), "/join a_rather_long_room_name_%d\n/topic x\n", i);
        user_send(many[i], line);
        if (i % 2) {
            user_send(many[i], "/join lobby\n");
        }
        user_read(bob);
        user_forget(bob);
        user_read(alice);
        user_forget(alice);
        for (int j = 0; j <= i; j++) {
            user_read(many[j]);
            user_forget(many[j]);
            assert_false(many[j]->ended);
        }
    }
    user_send(bob, "/who\n");
    user_read(bob);
    assert_non_null(strstr(bob->text, "*** In lobby (152): "));
    assert_non_null(strstr(bob->text, " more\n"));
    user_forget(bob);
    user_send(bob, "/rooms\n");
    assert_reads_some(bob, " more\n");
    assert_false(bob->ended);
    for (int i = 0; i < 300; i++) {
        user_free(many[i]);
    }
    user_free(alice);
    user_free(bob);
    house_close(house);
}

/* A single line longer than half the queue is still given. */
static void test_history_gives_one_line_at_least(void **state)
{
    (void)state;
    struct front_settings settings = house_default_settings();
    settings.line_max_bytes = 1024;
    settings.stream.output_max_bytes = 1500;
    struct house *house = house_open(&settings, NULL);
    struct user *alice = user_enter(house, "alice");
    say_much(house, alice, 2, 1000);
    user_send(alice, "/history\n");
    assert_reads_some(alice, "*** 1 line, number 2 to 2. More: /history before 2\n");
    assert_false(alice->ended);
    user_free(alice);
    house_close(house);
}

/* ---- flood control and backlog ---- */

static void test_lines_beyond_the_burst_come_at_the_rate_and_none_is_lost(void **state)
{
    (void)state;
    struct front_settings settings = with_flood(3, 2);
    struct house *house = house_open(&settings, NULL);
    struct user *alice = user_connect(house, ENTRY_LINE);
    user_read(alice);
    user_forget(alice);
    user_send(alice, "1\n2\n3\n4\n5\n6\n");
    assert_reads(alice, "*** Not so fast: your lines are now taken at 2 a second.\n" AT
                        "guest1: 1\n" AT "guest1: 2\n" AT "guest1: 3\n");
    house_wait_ms(house, 499);
    assert_reads(alice, "");
    house_wait_ms(house, 1);
    assert_reads(alice, AT "guest1: 4\n");
    house_wait_ms(house, 500);
    assert_reads(alice, AT "guest1: 5\n");
    house_wait_ms(house, 500);
    assert_reads(alice, AT "guest1: 6\n");
    house_wait_ms(house, 1500);
    user_send(alice, "7\n8\n9\n");
    assert_reads(alice, AT "guest1: 7\n" AT "guest1: 8\n" AT "guest1: 9\n");
    user_free(alice);
    house_close(house);
}

/* Bytes that are no line are slowed as lines are: here telnet's, that ask for nothing. */
static void test_bytes_of_no_line_are_slowed(void **state)
{
    static char nothing[4 * 64 * 1024];
    (void)state;
    struct front_settings settings = with_flood(3, 2);
    struct house *house = house_open(&settings, NULL);
    struct user *alice = user_enter(house, "alice");
    user_forget(alice);
    for (size_t i = 0; i < sizeof(nothing); i += 2) {
        memcpy(nothing + i, "\xff\xf1", 2); /* IAC NOP */
    }
    for (size_t at = 0; at < sizeof(nothing); at += 16384) {
        user_send_bytes(alice, nothing + at, 16384);
    }
    user_send(alice, "end\n");
    user_read(alice);
    assert_null(strstr(alice->text, "alice: end"));
    for (int i = 0; i < 4; i++) {
        house_wait_ms(house, 60000);
    }
    assert_reads_some(alice, "alice: end");
    user_free(alice);
    house_close(house);
}

static void test_flooder_may_leave_while_it_waits(void **state)
{
    (void)state;
    struct front_settings settings = with_flood(1, 1);
    struct house *house = house_open(&settings, NULL);
    struct user *alice = user_connect(house, ENTRY_LINE);
    user_send(alice, "1\n2\n/time\nquit\n");
    user_end_output(alice);
    house_wait_ms(house, 1000);
    house_wait_ms(house, 1000);
    house_wait_ms(house, 1000);
    assert_reads_some(alice, AT "guest1: 1\n" AT "guest1: 2\n*** It is ");
    assert_true(alice->ended);
    user_free(alice);
    struct user *bob = user_connect(house, ENTRY_LINE);
    user_send(bob, "1\n2\n");
    user_hang_up(bob);
    house_wait_ms(house, 5000);
    assert_int_equal(shard_connections(house->shard), 0);
    user_free(bob);
    house_close(house);
}

static void test_backlog_at_the_hub_stops_reading_and_ends_by_itself(void **state)
{
    (void)state;
    struct house *house = house_open(NULL, NULL);
    struct user *alice = user_enter(house, "alice");
    struct user *bob = user_enter(house, "bob");
    user_read(alice);
    user_forget(alice);
    house->backlogged = true;
    user_send(alice, "one\n");
    user_send(alice, "two\n");
    assert_reads(alice, "");
    house_wait_ms(house, 1000);
    assert_reads(alice, "");
    house->backlogged = false;
    house_wait_ms(house, 1000); /* nobody else says anything */
    assert_reads(alice, AT "alice: one\n" AT "alice: two\n");
    user_free(alice);
    user_free(bob);
    house_close(house);
}

/* ---- being cut off ---- */

static void test_who_is_cut_learns_from_when_on_lines_are_missing(void **state)
{
    (void)state;
    struct front_settings settings = house_default_settings();
    settings.line_max_bytes = 1024;
    settings.stream.output_max_bytes = 60000;
    struct house *house = house_open(&settings, NULL);
    struct user *alice = user_enter(house, "alice");
    struct user *sleeper = user_enter(house, "sleeper");
    char line[902], since[64] = "";
    memset(line, 'x', 900);
    memcpy(line, "2001-01-01 01:01:01 is no time ", 31);
    line[900] = '\n';
    line[901] = '\0';
    unsigned sent = 0;
    while (sent < 900) {
        user_send(alice, line);
        user_read(alice);
        user_forget(alice);
        house->time_ms += 1000;
        sent++;
    }
    user_read(sleeper);
    assert_true(sleeper->ended);
    char *words = strstr(sleeper->text, "*** You were cut off: ");
    assert_non_null(words);
    assert_int_equal(words[-1], '\n');
    assert_int_equal(sscanf(words,
                            "%*[^:]: %*[^.]. What you missed: connect again and type "
                            "/history since %19[0-9: -]",
                            since),
                     1);
    /* The last line that did arrive whole is of the second before. */
    char *last = words;
    unsigned lines = 0;
    for (char *at = sleeper->text; at < words; at = strchr(at, '\n') + 1) {
        last = at;
        lines++;
    }
    int minute, second, since_minute, since_second;
    assert_int_equal(sscanf(last + 14, "%d:%d", &minute, &second), 2);
    assert_int_equal(sscanf(since + 14, "%d:%d", &since_minute, &since_second), 2);
    assert_int_equal((since_minute - minute) * 60 + since_second - second, 1);
    assert_true(lines < sent);
    user_hang_up(sleeper);
    user_free(alice);
    user_free(sleeper);
    house_close(house);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_newcomer_is_greeted_with_name_motd_room_and_hint),
        cmocka_unit_test(test_each_line_has_its_answer),
        cmocka_unit_test(test_lines_sent_at_once_are_answered_in_their_order),
        cmocka_unit_test(test_faults_of_lines_are_told_in_turn),
        cmocka_unit_test(test_time_is_told),
        cmocka_unit_test(test_control_bytes_reach_no_other_terminal),
        cmocka_unit_test(test_telnet_options_are_refused_and_are_you_there_is_answered),
        cmocka_unit_test(test_request_of_a_browser_is_no_chat),
        cmocka_unit_test(test_everything_before_the_end_is_said),
        cmocka_unit_test(test_hang_up_is_a_quit_and_releases_once),
        cmocka_unit_test(test_answer_for_one_who_is_gone_is_dropped),
        cmocka_unit_test(test_drain_says_so_and_ends_everyone),
        cmocka_unit_test(test_history_asks_by_time_and_refuses_what_is_none),
        cmocka_unit_test(test_history_is_paged_without_gaps),
        cmocka_unit_test(test_no_answer_overruns_the_output_limit),
        cmocka_unit_test(test_history_gives_one_line_at_least),
        cmocka_unit_test(test_lines_beyond_the_burst_come_at_the_rate_and_none_is_lost),
        cmocka_unit_test(test_bytes_of_no_line_are_slowed),
        cmocka_unit_test(test_flooder_may_leave_while_it_waits),
        cmocka_unit_test(test_backlog_at_the_hub_stops_reading_and_ends_by_itself),
        cmocka_unit_test(test_who_is_cut_learns_from_when_on_lines_are_missing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
