/* SPDX-License-Identifier: MIT */
#include "chat_irc_play.h"

/* ---- registration ---- */

static void test_registration_asks_for_what_is_offered_and_wanted(void **state)
{
    struct play play = {.is_slow = *(bool *)*state};
    play_start(&play, false, garden, 1);
    assert_sent(&play, "CAP LS 302 | NICK bob | USER bob 0 * :bob | ");
    feed(&play, ":s CAP * LS * :sasl=PLAIN multi-prefix\r\n:s CAP * LS :server-time batch "
                "draft/chathistory=50 userhost-in-names\r\n");
    assert_sent(&play, "CAP REQ :server-time batch draft/chathistory multi-prefix | ");
    feed(&play, ":s CAP * ACK :server-time batch draft/chathistory multi-prefix\r\n");
    assert_sent(&play, "CAP END | ");
    assert_false(chat_irc_is_registered(play.irc));
    feed(&play, WELCOME);
    assert_true(chat_irc_is_registered(play.irc));
    assert_sent(&play, "JOIN #garden | ");
    assert_int_equal(play.ready, 0);
    feed(&play, ":bob!~b@host JOIN :#garden\r\n");
    assert_sent(&play, "CHATHISTORY LATEST #garden * 20 | ");
    feed(&play, ":s BATCH +1 chathistory #garden\r\n:s BATCH -1\r\n");
    assert_int_equal(play.ready, 1);
    play_end(&play);
}

static void test_server_without_capabilities_lets_in(void **state)
{
    struct play play = {.is_slow = *(bool *)*state};
    play_start(&play, false, NULL, 0);
    feed(&play, ":s 451 * :Register first\r\n:s 421 * CAP :Unknown command\r\n" WELCOME);
    assert_shown(&play, "*** Welcome\n");
    assert_int_equal(play.ready, 1);
    char prompt[100];
    chat_irc_prompt(play.irc, prompt, sizeof prompt);
    assert_string_equal(prompt, "bob> ");
    play_end(&play);
}

static void test_history_needs_batches(void **state)
{
    struct play play = {.is_slow = *(bool *)*state};
    play_start(&play, false, NULL, 0);
    forget(&play);
    feed(&play, ":s CAP * LS :draft/chathistory\r\n");
    assert_sent(&play, "CAP END | ");
    play_end(&play);
}

static void test_refused_capabilities_end_the_negotiation(void **state)
{
    struct play play = {.is_slow = *(bool *)*state};
    play_start(&play, false, NULL, 0);
    forget(&play);
    feed(&play, ":s CAP * LS :echo-message\r\n:s CAP * NAK :echo-message\r\n");
    assert_sent(&play, "CAP REQ :echo-message | CAP END | ");
    play_end(&play);
}

static void test_name_in_use_gets_another(void **state)
{
    struct play play = {.is_slow = *(bool *)*state};
    play_start(&play, false, NULL, 0);
    forget(&play);
    feed(&play, ":s 433 * bob :in use\r\n");
    assert_shown(&play, "*** The name bob is taken; trying bob_.\n");
    assert_sent(&play, "NICK bob_ | ");
    feed(&play, ":s 433 * bob_ :in use\r\n");
    assert_sent(&play, "NICK bob__ | ");
    feed(&play, ":s 433 * bob__ :in use\r\n");
    assert_int_equal(strncmp(play.sent, "NICK bob", 8), 0);
    for (int i = 0; i < 8; i++) {
        feed(&play, ":s 433 * x :in use\r\n");
    }
    assert_string_equal(play.failed, "no name is free like bob");
    play_end(&play);
}

static void test_name_that_is_too_long_is_cut(void **state)
{
    (void)state;
    struct play play = {.sent = calloc(1, TEXT_MAX), .shown = calloc(1, TEXT_MAX)};
    const struct chat_irc_settings settings = {.nick = "alexandr\xc3\xa9", .user = "a"};
    play.irc = chat_irc_create(&settings, &events, &play);
    chat_irc_set_time(play.irc, 1, 1);
    chat_irc_connected(play.irc, true);
    forget(&play);
    feed(&play, ":s 432 * x :Erroneous nickname\r\n");
    assert_sent(&play, "NICK alexandr | ");
    assert_shown(&play, "*** The name alexandr\xc3\xa9 is not allowed; trying alexandr.\n");
    feed(&play, ":s 433 * alexandr :in use\r\n:s 433 * x :in use\r\n:s 433 * x :in use\r\n");
    assert_non_null(strstr(play.sent, "NICK alexand"));
    feed(&play, ":s 432 * x :Erroneous nickname\r\n");
    assert_string_equal(play.failed, "the name alexandr is refused: Erroneous nickname");
    play_end(&play);
}

static void test_name_in_use_ends_a_script(void **state)
{
    struct play play = {.is_slow = *(bool *)*state};
    play_start(&play, true, NULL, 0);
    feed(&play, ":s 433 * bob :in use\r\n");
    assert_string_equal(play.failed, "the name bob is refused: in use");
    play_end(&play);
}

static void test_wrong_password_ends_it(void **state)
{
    struct play play = {.is_slow = *(bool *)*state};
    play_start(&play, false, NULL, 0);
    feed(&play, ":s 464 bob :Password incorrect\r\nERROR :Closing link: bad \033[2Jpassword\r\n");
    assert_string_equal(play.failed, "Password incorrect");
    play_end(&play);
}

static void test_password_goes_before_the_name(void **state)
{
    (void)state;
    struct play play = {.sent = calloc(1, TEXT_MAX)};
    const struct chat_irc_settings settings = {.nick = "bob", .user = "", .password = "a word"};
    play.irc = chat_irc_create(&settings, &events, &play);
    chat_irc_set_time(play.irc, 1, 1);
    chat_irc_connected(play.irc, true);
    assert_sent(&play, "PASS :a word | NICK bob | USER user 0 * :bob | ");
    play_end(&play);
}

static void test_server_that_does_not_let_in_is_given_up(void **state)
{
    (void)state;
    struct play play = {0};
    play_start(&play, false, NULL, 0);
    assert_int_equal(chat_irc_next_ms(play.irc), 1000 + CHAT_IRC_LOGIN_MS);
    chat_irc_set_time(play.irc, 1000 + CHAT_IRC_LOGIN_MS, 0);
    chat_irc_tick(play.irc);
    assert_string_equal(play.failed, "the server did not let us in within 30 s");
    play_end(&play);
}

/* ---- what is shown ---- */

static void test_messages_read_as_people_do(void **state)
{
    struct play play = {.is_slow = *(bool *)*state};
    play_in_garden(&play, false, "");
    static const char *const rows[][2] = {
        {":al!a@h PRIVMSG #garden :hello, world", "al: hello, world"},
        {":al!a@h PRIVMSG #garden :\001ACTION waves\001", "* al waves"},
        {":al!a@h PRIVMSG #garden :\001ACTION waves", "* al waves"},
        {":al!a@h NOTICE #garden :look", "-al- look"},
        {":al!a@h PRIVMSG @#garden :ops only", "@#garden al: ops only"},
        {":al!a@h PRIVMSG bob psst", "[al -> you] psst"},
        {":al!a@h NOTICE bob :psst", "-[al -> you]- psst"},
        {":s.example NOTICE bob :*** Looking up", "*** Looking up"},
        {"NOTICE AUTH :hm", "*** hm"},
        {":irc NOTICE #garden :Back soon", "*** irc: Back soon"},
        {":al!a@h PRIVMSG #garden :\002bold \00304,05red\017 \033[31mescape",
         "al: bold red [31mescape"},
        {":al!a@h PRIVMSG #garden :bad \xff utf", "al: bad \xef\xbf\xbd utf"},
        {":al!a@h JOIN #garden", "*** al joined"},
        {":al!a@h PART #garden :bye", "*** al left: bye"},
        {":al!a@h PART #garden", "*** al left"},
        {":al!a@h QUIT :Ping timeout", "*** al quit: Ping timeout"},
        {":al!a@h NICK :alan", "*** al is now called alan"},
        {":al!a@h KICK #garden carl :rude", "*** carl was kicked by al: rude"},
        {":al!a@h TOPIC #garden :fish", "*** al set the topic: fish"},
        {":al!a@h TOPIC #garden :", "*** al cleared the topic"},
        {":al!a@h MODE #garden +ov al bob", "*** al set the mode +ov al bob"},
        {":bob MODE bob :+i", "*** Your mode is set: +i"},
        {":al!a@h INVITE bob #x", "*** al invites you to #x"},
        {":al!a@h AWAY :lunch", "*** al is away: lunch"},
        {":al!a@h AWAY", "*** al is back"},
        {":s WALLOPS :all", "*** s to all: all"},
        {":s 311 bob al u h * :Al B", "*** al is u@h (Al B)"},
        {":s 317 bob al 12 0 :seconds",
         "*** al has been silent for 12 s, here since a time unknown"},
        {":s 322 bob #x 3 :about x", "*** #x (3): about x"},
        {":s 332 bob #garden :fish", "*** Topic of #garden: fish"},
        {":s 352 bob #g u h s.x al H@ :0 Al", "*** al is u@h (H@), #g"},
        {":s 322 bob #x 3 :", "*** #x (3)"},
        {":s 391 bob s 1795277422 0 :Saturday November 21 2026 -- 16:10:22 +0000",
         "*** It is Saturday November 21 2026 -- 16:10:22 +0000"},
        {":s 391 bob s :Sat Nov 21 2026 16:10:22", "*** It is Sat Nov 21 2026 16:10:22"},
        {":s 351 bob ngIRCd-26.1. irc.x :IPv6", "*** The server runs ngIRCd-26.1. (irc.x) IPv6"},
        {":s 351 bob party-1 irc.x :", "*** The server runs party-1 (irc.x)"},
        {":s 338 bob al 127.0.0.1 :Is actually using host", "*** al is really at 127.0.0.1"},
        {":s 338 bob al u@h 127.0.0.1 :actually", "*** al is really at u@h"},
        {":s 379 bob al :is using modes +i", "*** al is using modes +i"},
        {":s 671 bob al :is using TLS", "*** al is using TLS"},
        {":s 364 bob x irc.x :0 a test", "*** x: 0 a test"},
        {":s 365 bob * :End of LINKS list", "*** End of LINKS list"},
        {":s 251 bob :There are 3 users", "*** There are 3 users"},
        {":s 254 bob 4 :channels formed", "*** 4 channels formed"},
        {":s 265 bob 1 2 :Current local users 1, max 2", "*** Current local users 1, max 2"},
        {":s 346 bob #g al!*@*", "*** #g lets in al!*@*"},
        {":s 731 bob :al", "*** Not there: al"},
        {":s 705 bob index :JOIN KICK", "*** JOIN KICK"},
        {":s 401 bob nobody :No such nick", "*** nobody: No such nick"},
        {":s 999 bob x y :and so on", "*** x y: and so on"},
        {":s FAIL TOPIC TOO_LONG #garden :Too long", "*** Too long (TOO_LONG)"},
        {":s NOTE * SOON :Restart soon", "*** Restart soon (SOON)"},
        {":s FROB x", "*** :s FROB x"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char line[600], shown[600];
        (void)snprintf(line, sizeof line, "%s\r\n", rows[i][0]);
        (void)snprintf(shown, sizeof shown, "%s\n", rows[i][1]);
        feed(&play, line);
        assert_shown(&play, shown);
    }
    play_end(&play);
}

static void test_what_says_nothing_to_people_is_not_shown(void **state)
{
    struct play play = {.is_slow = *(bool *)*state};
    play_in_garden(&play, false, "");
    feed(&play, ":s 318 bob al :End\r\n:s 315 bob x :End\r\n:al!a@h TAGMSG #garden\r\n"
                ":al!a@h ACCOUNT x\r\n:al!a@h PRIVMSG bob :\001\001\r\n:s PONG s pl0\r\n"
                ":s BATCH\r\n:s BATCH +\r\n:s BATCH -none\r\n:s CAP\r\nCAP * LS\r\n:s ACK\r\n");
    assert_shown(&play, "*** al sends a CTCP \n");
    play_end(&play);
}

static void test_rooms_are_named_when_there_are_several(void **state)
{
    struct play play = {.is_slow = *(bool *)*state};
    play_in_garden(&play, false, "");
    chat_irc_submit(play.irc, "/join kitchen");
    feed(&play, ":bob!b@h JOIN #kitchen\r\n:s 353 bob = #kitchen :@al +bob\r\n"
                ":s 366 bob #kitchen :End\r\n:al!a@h PRIVMSG #garden :one\r\n"
                ":al!a@h PRIVMSG #kitchen :two\r\n:al!a@h PART #garden\r\n");
    assert_shown(&play, "*** You are in #kitchen, with 1 other: @al\n#garden al: one\n"
                        "#kitchen al: two\n*** #garden: al left\n");
    char prompt[100];
    chat_irc_prompt(play.irc, prompt, sizeof prompt);
    assert_string_equal(prompt, "bob #kitchen> ");
    forget(&play);
    chat_irc_submit(play.irc, "/s garden");
    chat_irc_submit(play.irc, "hello");
    assert_sent(&play, "PRIVMSG #garden :hello | PING pl1 | ");
    chat_irc_submit(play.irc, "/s");
    chat_irc_submit(play.irc, "/leave");
    assert_sent(&play, "PART #kitchen | ");
    feed(&play, ":bob!b@h PART #kitchen\r\n");
    chat_irc_prompt(play.irc, prompt, sizeof prompt);
    assert_string_equal(prompt, "bob #garden> ");
    play_end(&play);
}

static void test_kicked_out_of_the_only_room(void **state)
{
    struct play play = {.is_slow = *(bool *)*state};
    play_in_garden(&play, false, "");
    feed(&play, ":al!a@h KICK #GARDEN BOB :rude\r\n");
    assert_shown(&play, "*** You were kicked from #GARDEN by al: rude\n");
    chat_irc_submit(play.irc, "hello?");
    assert_shown(&play, "*** You are not in a room; /join ROOM enters one.\n");
    assert_sent(&play, "");
    play_end(&play);
}

static void test_in_a_crowd_nobody_is_told_who_comes(void **state)
{
    struct play play = {.is_slow = *(bool *)*state};
    play_in_garden(&play, false, "");
    chat_irc_submit(play.irc, "/join crowd");
    feed(&play, ":bob!b@h JOIN #crowd\r\n");
    for (int i = 0; i < 1000; i++) {
        char line[100];
        (void)snprintf(line, sizeof line, ":s 353 bob = #crowd :somebody%d\r\n", i);
        feed(&play, line);
    }
    feed(&play, ":s 366 bob #crowd :End\r\n");
    assert_non_null(strstr(play.shown, "You are in #crowd, with 999 others: somebody0 "));
    assert_non_null(strstr(play.shown, " more\n"));
    assert_true(play.shown_len < 1200);
    forget(&play);
    feed(&play, ":al!a@h JOIN #crowd\r\n:al!a@h JOIN #garden\r\n:al!a@h PART #crowd\r\n"
                ":al!a@h AWAY :x\r\n:al!a@h QUIT :x\r\n:al!a@h NICK al2\r\n");
    assert_shown(&play, "*** #garden: al joined\n*** al is now called al2\n");
    play_end(&play);
}

static void on_show_whole(const struct chat_line *line, void *user)
{
    struct play *play = user;
    play->shown_len += (size_t)sprintf(play->shown + play->shown_len, "%s\n", line->text);
}

static void test_server_time_is_shown_in_local_time(void **state)
{
    (void)state;
    struct chat_irc_events whole = events;
    struct play play = {.sent = calloc(1, TEXT_MAX), .shown = calloc(1, TEXT_MAX)};
    const struct chat_irc_settings settings = {.nick = "bob", .user = "b"};
    whole.on_show = on_show_whole;
    assert_int_equal(setenv("TZ", "XYZ-02:00", 1), 0);
    tzset();
    play.irc = chat_irc_create(&settings, &whole, &play);
    chat_irc_set_time(play.irc, 1, 0);
    chat_irc_connected(play.irc, true);
    feed(&play, "@time=2026-01-01T23:00:00.5Z :al!a@h PRIVMSG bob :dated\r\n"
                "@time=yesterday :al!a@h PRIVMSG bob :not dated\r\n");
    assert_shown(&play, "2026-01-02 01:00:00 [al -> you] dated\n"
                        "1970-01-01 02:00:00 [al -> you] not dated\n");
    assert_int_equal(unsetenv("TZ"), 0);
    tzset();
    play_end(&play);
}

static void test_ctcp_is_answered_modestly(void **state)
{
    struct play play = {.is_slow = *(bool *)*state};
    play_in_garden(&play, false, "");
    feed(&play, ":al!a@h PRIVMSG bob :\001VERSION\001\r\n:al!a@h PRIVMSG bob :\001PING 12 3\001\r\n"
                ":al!a@h NOTICE bob :\001VERSION x\001\r\n");
    assert_sent(&play,
                "NOTICE al :\001VERSION partyline chat\001 | NOTICE al :\001PING 12 3\001 | ");
    for (int i = 0; i < 5; i++) {
        feed(&play, ":al!a@h PRIVMSG bob :\001PING 1\001\r\n");
    }
    assert_sent(&play, "NOTICE al :\001PING 1\001 | ");
    feed(&play, "PING :a token\r\nPING x\r\n");
    assert_sent(&play, "PONG :a token | PONG :x | ");
    play_end(&play);
}

/* ---- what is said ---- */

static void test_without_echo_own_lines_are_shown_at_once(void **state)
{
    struct play play = {.is_slow = *(bool *)*state};
    play_in_garden(&play, false, "");
    chat_irc_submit(play.irc, "one");
    chat_irc_submit(play.irc, "/me waves");
    assert_shown(&play, "bob: one\n");
    assert_sent(&play, "PRIVMSG #garden :one | PING pl1 | ");
    assert_int_equal(chat_irc_waiting(play.irc), 2);
    feed(&play, ":s PONG s :pl1\r\n");
    assert_shown(&play, "* bob waves\n");
    assert_sent(&play, "PRIVMSG #garden :\001ACTION waves\001 | PING pl2 | ");
    feed(&play, ":s PONG s :s\r\n"); /* a server that answers with its name */
    assert_true(chat_irc_is_idle(play.irc));
    chat_irc_submit(play.irc, "/msg al hi there");
    assert_shown(&play, "[you -> al] hi there\n");
    play_end(&play);
}

static void test_with_echo_the_rooms_line_is_shown(void **state)
{
    struct play play = {.is_slow = *(bool *)*state};
    play_in_garden(&play, true, "echo-message");
    chat_irc_submit(play.irc, "//one");
    assert_shown(&play, "");
    assert_sent(&play, "PRIVMSG #garden :/one | PING pl1 | ");
    feed(&play, ":s PONG s :pl1\r\n"); /* strict: the echo may come yet */
    assert_false(chat_irc_is_idle(play.irc));
    feed(&play, ":bob!b@h PRIVMSG #garden :/one\r\n");
    assert_shown(&play, "bob: /one\n");
    assert_true(chat_irc_is_idle(play.irc));
    assert_string_equal(play.refused, "");
    play_end(&play);
}

static void test_line_that_nobody_echoes_was_refused(void **state)
{
    struct play play = {.is_slow = *(bool *)*state};
    play_in_garden(&play, true, "echo-message");
    chat_irc_submit(play.irc, "one");
    feed(&play, ":s PONG s :pl1\r\n");
    chat_irc_set_time(play.irc, 1000 + CHAT_IRC_ANSWER_MS, 0);
    assert_int_equal(chat_irc_next_ms(play.irc), 1000 + CHAT_IRC_ANSWER_MS);
    chat_irc_tick(play.irc);
    assert_string_equal(play.refused, "the server did not confirm a line within 10 s");
    assert_true(chat_irc_is_idle(play.irc));
    play_end(&play);
}

static void test_refused_line_is_told_and_the_next_goes(void **state)
{
    struct play play = {.is_slow = *(bool *)*state};
    play_in_garden(&play, true, "echo-message labeled-response batch");
    chat_irc_submit(play.irc, "one");
    chat_irc_submit(play.irc, "two");
    chat_irc_submit(play.irc, "three");
    assert_sent(&play, "@label=pl1 PRIVMSG #garden :one | ");
    feed(&play, ":s 404 bob #other :Cannot send\r\n@label=pl1 :s 404 bob #garden :Cannot send\r\n");
    assert_string_equal(play.refused, "#garden: Cannot send");
    assert_sent(&play, "@label=pl2 PRIVMSG #garden :two | ");
    /* The text is another, but the label tells. */
    feed(&play, "@label=pl2 :bob!b@h PRIVMSG #garden :t*o\r\n");
    assert_sent(&play, "@label=pl3 PRIVMSG #garden :three | ");
    feed(&play, "@label=pl3 :s BATCH +l labeled-response\r\n@batch=l :s 301 bob al :Away\r\n"
                "@batch=l :bob!b@h PRIVMSG #garden :three\r\n");
    assert_false(chat_irc_is_idle(play.irc));
    feed(&play, ":s BATCH -l\r\n");
    assert_true(chat_irc_is_idle(play.irc));
    play_end(&play);
}

static void test_busy_server_is_asked_again_later(void **state)
{
    struct play play = {.is_slow = *(bool *)*state};
    play_in_garden(&play, true, "echo-message");
    chat_irc_submit(play.irc, "one");
    forget(&play);
    feed(&play, ":s 263 bob PRIVMSG :Try again\r\n:s PONG s :pl1\r\n");
    assert_sent(&play, "");
    assert_int_equal(chat_irc_next_ms(play.irc), 3000);
    chat_irc_set_time(play.irc, 3000, 0);
    chat_irc_tick(play.irc);
    assert_sent(&play, "PRIVMSG #garden :one | PING pl2 | ");
    play_end(&play);
}

static void test_long_text_is_split_between_characters(void **state)
{
    struct play play = {.is_slow = *(bool *)*state};
    play_in_garden(&play, false, "");
    char text[2001];
    for (size_t i = 0; i < 2000; i += 2) {
        memcpy(text + i, "\xc3\xa9", 3);
    }
    chat_irc_submit(play.irc, text);
    size_t total = 0;
    for (int i = 1; chat_irc_waiting(play.irc) > 0; i++) {
        char pong[60];
        char *said = strstr(play.sent, " :") + 2;
        char *end = strstr(said, " | ");
        size_t len = (size_t)(end - said);
        total += len;
        assert_true(len > 300 || total == 2000);
        assert_true(strlen(":bob!b@h PRIVMSG #garden :") + len + 2 <= 512);
        assert_int_equal(len % 2, 0);
        forget(&play);
        (void)snprintf(pong, sizeof pong, ":s PONG s :pl%d\r\n", i);
        if (total == 2000) {
            break;
        }
        feed(&play, pong);
    }
    assert_int_equal(total, 2000);
    play_end(&play);
}

static void test_words_are_not_split_where_a_space_is_near(void **state)
{
    struct play play = {.is_slow = *(bool *)*state};
    play_in_garden(&play, false, "");
    char text[900];
    for (size_t i = 0; i < sizeof text; i++) {
        text[i] = "wordword "[i % 9];
    }
    text[sizeof text - 1] = '\0';
    chat_irc_submit(play.irc, text);
    feed(&play, ":s PONG s :pl1\r\n");
    assert_non_null(strstr(play.sent, "wordword | PING pl1"));
    assert_non_null(strstr(play.sent, "#garden :wordword"));
    play_end(&play);
}

static void test_what_is_typed_cannot_make_two_messages(void **state)
{
    struct play play = {.is_slow = *(bool *)*state};
    play_in_garden(&play, true, "");
    static const char *const typed[] = {
        "/nick",      "/nick a b", "/msg :x y",  "/join",     "/join ,,#a,", "/join # x",
        "/whois",     "/kick",     "/raw",       "/topic  -", "/away",       "/invite",
        "/who a b c", "/query",    "/history x", "/frob",     "/s nowhere",  "/list a b",
        "/names #q",  "/notice a", "/",          "/ x",       "/help",       "/part #none x"};
    for (size_t i = 0; i < sizeof typed / sizeof typed[0]; i++) {
        chat_irc_submit(play.irc, typed[i]); /* on_send checks each message */
    }
    char target[400];
    (void)snprintf(target, sizeof target, "/msg %0350d hi", 7);
    chat_irc_submit(play.irc, target);
    play_end(&play);
}

int main(void)
{
    static bool whole = false, bytewise = true;
#define BOTH(test)                                                                                 \
    cmocka_unit_test_prestate(test, &whole), cmocka_unit_test_prestate(test, &bytewise)
    const struct CMUnitTest tests[] = {
        BOTH(test_registration_asks_for_what_is_offered_and_wanted),
        BOTH(test_server_without_capabilities_lets_in),
        BOTH(test_history_needs_batches),
        BOTH(test_refused_capabilities_end_the_negotiation),
        BOTH(test_name_in_use_gets_another),
        cmocka_unit_test(test_name_that_is_too_long_is_cut),
        BOTH(test_name_in_use_ends_a_script),
        BOTH(test_wrong_password_ends_it),
        cmocka_unit_test(test_password_goes_before_the_name),
        cmocka_unit_test(test_server_that_does_not_let_in_is_given_up),
        BOTH(test_messages_read_as_people_do),
        BOTH(test_what_says_nothing_to_people_is_not_shown),
        BOTH(test_rooms_are_named_when_there_are_several),
        BOTH(test_kicked_out_of_the_only_room),
        BOTH(test_in_a_crowd_nobody_is_told_who_comes),
        cmocka_unit_test(test_server_time_is_shown_in_local_time),
        BOTH(test_ctcp_is_answered_modestly),
        BOTH(test_without_echo_own_lines_are_shown_at_once),
        BOTH(test_with_echo_the_rooms_line_is_shown),
        BOTH(test_line_that_nobody_echoes_was_refused),
        BOTH(test_refused_line_is_told_and_the_next_goes),
        BOTH(test_busy_server_is_asked_again_later),
        BOTH(test_long_text_is_split_between_characters),
        BOTH(test_words_are_not_split_where_a_space_is_near),
        BOTH(test_what_is_typed_cannot_make_two_messages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
