/* SPDX-License-Identifier: MIT */
#include "front/front_test_util.h"

#include <string.h>

/* What a line user sees of IRC users and what they can do to it; the password of the server. */

#define AT   TEST_TIME " "
#define HINT "*** What you type is said to the room. /help lists what else you can do.\n"

static struct house *house;
static struct user *line, *irc;

static void forget(struct user *user)
{
    user_read(user);
    user_forget(user);
}

static int open_house(void **state)
{
    (void)state;
    house = house_open(NULL, NULL);
    line = user_enter(house, "lena");
    irc = user_enter_irc(house, "ian",
                         "message-tags batch draft/multiline draft/message-redaction "
                         "draft/channel-rename");
    user_send(irc, "JOIN #garden\r\n"); /* who makes it is its operator */
    user_send(line, "/join garden\n");
    forget(line);
    forget(irc);
    return 0;
}

static int close_house(void **state)
{
    (void)state;
    user_free(line);
    user_free(irc);
    house_close(house);
    return 0;
}

/* One line of IRC, and what the line user reads then. */
struct sight {
    const char *said, *seen;
};

static const struct sight sights[] = {
    {"PRIVMSG #garden :hi", AT "ian: hi\n"},
    {"PRIVMSG #garden :\x02"
     "bold\x02 and \x03"
     "04red\x03",
     AT "ian: bold and red\n"},
    {"PRIVMSG #garden :bell\a and \x1b[31mescape", AT "ian: bell and [31mescape\n"},
    {"PRIVMSG #garden :\001ACTION waves\001", AT "* ian waves\n"},
    {"NOTICE #garden :take note", AT "-ian- take note\n"},
    {"PRIVMSG lena :psst", AT "[ian -> you] psst\n"},
    {"PRIVMSG lena :\001ACTION nods\001", AT "[ian -> you] * ian nods\n"},
    {"NOTICE lena :note", AT "[ian -> you] (notice) note\n"},
    {"@+typing=active TAGMSG #garden", ""},
    {"@+typing=active TAGMSG lena", ""},
    {"TOPIC #garden :fish", AT "*** ian set the topic: fish\n"},
    {"MODE #garden +mv lena", "*** ian set +m +v lena\n"},
    {"MODE #garden +k secret", "*** ian set +k\n"},
    {"AWAY :gone", ""},
    {"NICK ivan", "*** ian is now called ivan\n"},
};

static void test_what_a_line_user_sees(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(sights) / sizeof(sights[0]); i++) {
        user_send(irc, sights[i].said);
        user_send(irc, "\r\n");
        assert_reads(line, sights[i].seen);
    }
}

static void test_several_lines_are_several_lines(void **state)
{
    (void)state;
    user_send(irc, "BATCH +1 draft/multiline #garden\r\n@batch=1 PRIVMSG #garden :one\r\n"
                   "@batch=1 PRIVMSG #garden :\r\n@batch=1 PRIVMSG #garden :two \r\n"
                   "@batch=1;draft/multiline-concat PRIVMSG #garden :three\r\nBATCH -1\r\n");
    assert_reads(line, AT "ian: one\n" AT "ian: two three\n");
}

static void test_operators_of_a_room(void **state)
{
    (void)state;
    user_send(line, "/kick ian\n");
    assert_reads(line, "*** Only the operators of garden may do that.\n");
    user_send(irc, "KICK #garden lena :enough\r\n");
    assert_reads(line, "*** ian removed lena: enough\n"
                       "*** You are not in garden any more; /join ROOM goes elsewhere.\n");
    user_send(line, "hello?\n");
    assert_reads(line, "*** You are not in a room.\n");
    user_send(irc, "MODE #garden +ik key\r\n");
    user_send(line, "/join garden key\n");
    assert_reads(line, "*** garden is for those who are invited.\n");
    user_send(irc, "INVITE lena #garden\r\nMODE #garden -i\r\n");
    assert_reads(line, "*** ian invites you: /join garden goes there.\n");
    user_send(line, "/join garden key\n");
    assert_reads_some(line, "*** You are in garden, with 1 other.\n");
    user_send(irc, "MODE #garden +o lena\r\nMODE #garden +m\r\n");
    forget(irc);
    user_send(line, "/kick ian bye now\n");
    assert_reads(irc, "@msgid=m7 :lena!line@unix KICK #garden ian :bye now\r\n");
}

static void test_keys_and_moderation(void **state)
{
    (void)state;
    user_send(irc, "MODE #garden +m\r\nJOIN #shed key\r\nMODE #shed +k key\r\n");
    forget(line);
    user_send(line, "hello\n");
    assert_reads(line, "*** Not said in garden: it is moderated.\n");
    user_send(line, "/join shed\n");
    assert_reads(line, "*** shed has a key: /join shed KEY.\n");
    user_send(line, "/join shed key\n");
    assert_reads_some(line, "*** You are in shed, with 1 other.\n");
}

static void test_names_that_look_alike(void **state)
{
    (void)state;
    user_send(line, "/nick \xd1\x96"
                    "an\n"); /* U+0456 */
    assert_reads(line, "*** The name \xd1\x96"
                       "an looks like one that is taken.\n");
}

static void test_line_user_as_irc_sees_it(void **state)
{
    (void)state;
    user_send(line, "hello\n/me waves\n/msg ian psst\n");
    assert_reads(irc, "@msgid=m1 :lena!line@unix PRIVMSG #garden :hello\r\n"
                      "@msgid=m2 :lena!line@unix PRIVMSG #garden :\001ACTION waves\001\r\n"
                      "@msgid=m3 :lena!line@unix PRIVMSG ian :psst\r\n");
    user_send(line, "quit\n");
    assert_reads(irc, ":lena!line@unix QUIT :quit\r\n");
}

/* ---- the password of the server ---- */

static int open_locked_house(void **state)
{
    (void)state;
    struct front_settings settings = house_default_settings();
    settings.asks_password = true;
    house = house_open(&settings, NULL);
    line = user_connect(house, ENTRY_LINE);
    assert_reads(line, "*** This server asks for its password: type it.\n");
    return 0;
}

static int close_locked_house(void **state)
{
    (void)state;
    user_free(line);
    house_close(house);
    return 0;
}

static void test_right_password_lets_in(void **state)
{
    (void)state;
    user_send(line, "right\n/nick alice\nhello\n");
    assert_reads(line, "*** Welcome to Testnet. You are guest1; /nick NAME changes that.\n"
                       "*** You are in lobby, alone so far.\n" HINT
                       "*** You are now called alice.\n" AT "alice: hello\n");
}

static void test_wrong_password_does_not(void **state)
{
    (void)state;
    user_send(line, "wrong\nhello\n");
    assert_reads(line, "*** That is not the password.\n");
    assert_true(line->ended);
    assert_int_equal(hub_member_count(house->hub), 0);
}

static void test_who_has_no_password_can_leave(void **state)
{
    (void)state;
    static const char *const ways[] = {"quit\n", "QUIT \r\n", "/quit\n", "/quit no idea\n"};
    struct front_settings settings = house_default_settings();
    settings.asks_password = true;
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        struct house *locked = house_open(&settings, NULL);
        struct user *guest = user_connect(locked, ENTRY_LINE);
        user_send(guest, ways[i]);
        assert_reads(guest, "*** This server asks for its password: type it.\n"
                            "*** Goodbye: quit\n");
        assert_true(guest->ended);
        assert_int_equal(locked->passwords, 0);
        user_free(guest);
        house_close(locked);
    }
    user_send(line, "/quite\n");
    assert_reads(line, "*** That is not the password.\n");
}

static void test_guessing_is_slowed(void **state)
{
    (void)state;
    user_send(line, "later\n");
    assert_reads(line, "*** Too many wrong passwords came from there. Try again later.\n");
    assert_true(line->ended);
}

static void test_nobody_waits_for_a_password_that_does_not_come(void **state)
{
    (void)state;
    user_send(line, "righ");
    user_end_output(line);
    user_read(line);
    assert_true(line->ended);
    assert_int_equal(house->passwords, 0);
}

static void test_password_has_to_come_in_time(void **state)
{
    (void)state;
    struct front_settings settings = house_default_settings();
    settings.asks_password = true;
    settings.registration_s = 60;
    struct house *timed = house_open(&settings, NULL);
    struct user *silent = user_connect(timed, ENTRY_LINE);
    struct user *known = user_connect(timed, ENTRY_LINE);
    user_send(known, "right\n");
    house_wait_ms(timed, 59000);
    user_send(silent, "r");
    assert_reads(silent, "*** This server asks for its password: type it.\n");
    house_wait_ms(timed, 3000);
    assert_reads(silent, "*** Goodbye: the password did not come in time.\n");
    assert_true(silent->ended);
    user_read(known);
    assert_false(known->ended);
    user_free(silent);
    user_free(known);
    house_close(timed);
}

static void test_who_was_slowed_before_the_password_can_give_it(void **state)
{
    static char nothing[16384];
    (void)state;
    struct front_settings settings = house_default_settings();
    settings.asks_password = true;
    settings.flood_burst = 3;
    settings.flood_rate = 2;
    struct house *slow = house_open(&settings, NULL);
    struct user *erin = user_connect(slow, ENTRY_LINE);
    for (size_t i = 0; i < sizeof(nothing); i += 2) {
        memcpy(nothing + i, "\xff\xf1", 2); /* IAC NOP */
    }
    for (int i = 0; i < 16; i++) {
        user_send_bytes(erin, nothing, sizeof(nothing));
    }
    user_send(erin, "right\n");
    for (int i = 0; i < 4; i++) {
        house_wait_ms(slow, 60000);
    }
    assert_reads_some(erin, "You are guest1;");
    user_free(erin);
    house_close(slow);
}

int main(void)
{
#define IN_HOUSE(test) cmocka_unit_test_setup_teardown(test, open_house, close_house)
#define LOCKED(test)   cmocka_unit_test_setup_teardown(test, open_locked_house, close_locked_house)
    const struct CMUnitTest tests[] = {
        IN_HOUSE(test_what_a_line_user_sees),
        IN_HOUSE(test_several_lines_are_several_lines),
        IN_HOUSE(test_operators_of_a_room),
        IN_HOUSE(test_keys_and_moderation),
        IN_HOUSE(test_names_that_look_alike),
        IN_HOUSE(test_line_user_as_irc_sees_it),
        LOCKED(test_right_password_lets_in),
        LOCKED(test_wrong_password_does_not),
        LOCKED(test_who_has_no_password_can_leave),
        LOCKED(test_guessing_is_slowed),
        cmocka_unit_test(test_password_has_to_come_in_time),
        cmocka_unit_test(test_who_was_slowed_before_the_password_can_give_it),
        LOCKED(test_nobody_waits_for_a_password_that_does_not_come),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
