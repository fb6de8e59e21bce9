/* SPDX-License-Identifier: MIT */
#include "front/front_test_util.h"

#include <stdio.h>
#include <string.h>

/* WHO, WHOIS, WHOWAS, MONITOR, AWAY, SETNAME and the short questions in IRC: each answer whole. */

static struct house *house;
static struct user *alice, *bob;

static int open_house(void **state)
{
    (void)state;
    house = house_open(NULL, NULL);
    alice = user_enter_irc(house, "alice", NULL);
    bob = user_enter_irc(house, "bob", NULL);
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

static void forget(struct user *user)
{
    user_read(user);
    user_forget(user);
}

static void leave(struct user *user)
{
    user_send(user, "QUIT\r\n");
    forget(user);
    user_free(user);
    house_settle(house);
}

/* Bob comes again with these capabilities. */
static void bob_with(const char *caps)
{
    leave(bob);
    bob = user_enter_irc(house, "bob", caps);
}

/* Both are in #room, alice its operator. */
static void meet(void)
{
    user_send(alice, "JOIN #room\r\n");
    user_send(bob, "JOIN #room\r\n");
    forget(alice);
    forget(bob);
}

/* ---- WHO ---- */

static void test_who(void **state)
{
    (void)state;
    meet();
    user_send(bob, "WHO #ROOM\r\n");
    assert_reads(bob, ":server 352 bob #room ~alice unix server alice H@ :0 alice the user\r\n"
                      ":server 352 bob #room ~bob unix server bob H :0 bob the user\r\n"
                      ":server 315 bob #ROOM :End of WHO list\r\n");
    user_send(alice, "AWAY :gone\r\n");
    user_send(bob, "WHO ALICE\r\nWHO ali*\r\nWHO nobody\r\n");
    assert_reads(bob, ":server 352 bob * ~alice unix server alice G :0 alice the user\r\n"
                      ":server 315 bob ALICE :End of WHO list\r\n"
                      ":server 352 bob * ~alice unix server alice G :0 alice the user\r\n"
                      ":server 315 bob ali* :End of WHO list\r\n"
                      ":server 315 bob nobody :End of WHO list\r\n");
    user_send(bob, "WHO\r\nWHO #none\r\n");
    assert_reads(bob, ":server 461 bob WHO :Not enough parameters\r\n"
                      ":server 315 bob #none :End of WHO list\r\n");
}

static void test_who_operators(void **state)
{
    (void)state;
    user_send(alice, "OPER root right\r\n");
    user_send(bob, "WHO * o\r\n");
    assert_reads(bob, ":server 352 bob * ~alice unix server alice H* :0 alice the user\r\n"
                      ":server 315 bob * :End of WHO list\r\n");
    user_send(bob, "WHO * o%n\r\n");
    assert_reads(bob, ":server 354 bob alice\r\n"
                      ":server 315 bob * :End of WHO list\r\n");
}

static void test_who_marks(void **state)
{
    (void)state;
    bob_with("multi-prefix");
    meet();
    user_send(alice, "MODE #room +v alice\r\n");
    forget(alice);
    forget(bob);
    user_send(bob, "WHO #room %nf\r\n");
    assert_reads(bob, ":server 354 bob alice H@+\r\n"
                      ":server 354 bob bob H\r\n"
                      ":server 315 bob #room :End of WHO list\r\n");
    user_send(alice, "WHO #room %nf\r\n");
    assert_reads(alice, ":server 354 alice alice H@\r\n"
                        ":server 354 alice bob H\r\n"
                        ":server 315 alice #room :End of WHO list\r\n");
}

static void test_whox(void **state)
{
    (void)state;
    static const struct {
        const char *fields, *answer;
    } rows[] = {
        {"%tcuihsnfdlaor,123",
         "123 #room ~alice 255.255.255.255 unix server alice H@ 0 7 0 n/a :alice the user"},
        {"%roaldfnshiuct,123",
         "123 #room ~alice 255.255.255.255 unix server alice H@ 0 7 0 n/a :alice the user"},
        {"%tn,321", "321 alice"},
        {"%tn", "0 alice"},
        {"%tn,", "0 alice"},
        {"%tn,1234", "0 alice"},
        {"%tn,ab", "0 alice"},
        {"%na", "alice 0"},
        {"%r", ":alice the user"},
        {"%nnn", "alice"},
        {"%xyzn", "alice"},
        {"x%n", "alice"},
    };
    meet();
    user_send(bob, "PART #room\r\n");
    forget(bob);
    house->time_ms += 7000;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char line[64], wanted[512];
        (void)snprintf(line, sizeof(line), "WHO #room %s\r\n", rows[i].fields);
        (void)snprintf(wanted, sizeof(wanted),
                       ":server 354 bob %s\r\n:server 315 bob #room :End of WHO list\r\n",
                       rows[i].answer);
        user_send(bob, line);
        assert_reads(bob, wanted);
    }
}

/* The address is told to oneself and to operators. */
static void test_whox_address(void **state)
{
    (void)state;
    user_send(bob, "WHO bob %i\r\nWHO alice %i\r\n");
    assert_reads(bob, ":server 354 bob unix\r\n"
                      ":server 315 bob bob :End of WHO list\r\n"
                      ":server 354 bob 255.255.255.255\r\n"
                      ":server 315 bob alice :End of WHO list\r\n");
}

#define MANY 60

/* A peer with little room in its queue is told what fits, and is not cut for having asked. */
static void test_who_beyond_the_queue(void **state)
{
    (void)state;
    struct user *others[MANY];
    struct front_settings settings = house_default_settings();
    settings.stream.output_max_bytes = 3000;
    (void)close_house(NULL);
    house = house_open(&settings, NULL);
    alice = user_enter_irc(house, "alice", NULL);
    bob = user_enter_irc(house, "bob", "labeled-response batch");
    for (unsigned i = 0; i < MANY; i++) {
        char nick[40];
        (void)snprintf(nick, sizeof(nick), "somebody-%02u", i);
        others[i] = user_enter_irc(house, nick, NULL);
    }
    user_send(alice, "WHO *\r\nPING 1\r\n");
    assert_reads_some(alice, ":server 416 alice WHO * :Too many matches\r\n"
                             ":server 315 alice * :End of WHO list\r\n"
                             ":server PONG server :1\r\n");
    assert_false(alice->ended);
    user_send(bob, "@label=x WHO *\r\nPING 1\r\n");
    assert_reads_some(bob, "@batch=L0 :server 416 bob WHO * :Too many matches\r\n"
                           "@batch=L0 :server 315 bob * :End of WHO list\r\n"
                           ":server BATCH -L0\r\n"
                           ":server PONG server :1\r\n");
    assert_false(bob->ended);
    for (unsigned i = 0; i < MANY; i++) {
        user_free(others[i]);
    }
}

/* ---- WHOIS ---- */

#define IDLE(me, nick, idle)                                                                       \
    ":server 317 " me " " nick " " idle " 1795177867 :seconds idle, signon time\r\n"

static void test_whois(void **state)
{
    (void)state;
    meet();
    user_send(alice, "JOIN #secret\r\nMODE #secret +s\r\nAWAY :at lunch\r\n");
    house->time_ms += 12000;
    user_send(bob, "WHOIS ALICE\r\n");
    assert_reads(bob, ":server 311 bob alice ~alice unix * :alice the user\r\n"
                      ":server 319 bob alice :@#room\r\n"
                      ":server 312 bob alice server :Testnet\r\n"
                      ":server 301 bob alice :at lunch\r\n" IDLE(
                          "bob", "alice", "12") ":server 318 bob ALICE :End of /WHOIS list\r\n");
}

static void test_whois_oneself(void **state)
{
    (void)state;
    user_send(bob, "MODE bob +i\r\nWHOIS bob\r\n");
    assert_reads(bob, ":bob!~bob@unix MODE bob +i\r\n"
                      ":server 311 bob bob ~bob unix * :bob the user\r\n"
                      ":server 312 bob bob server :Testnet\r\n"
                      ":server 338 bob bob unix :Is actually using host\r\n"
                      ":server 379 bob bob :is using modes +i\r\n" IDLE(
                          "bob", "bob", "0") ":server 318 bob bob :End of /WHOIS list\r\n");
}

static void test_whois_operator(void **state)
{
    (void)state;
    user_send(alice, "OPER root right\r\n");
    user_send(bob, "WHOIS alice\r\n");
    assert_reads(bob, ":server 311 bob alice ~alice unix * :alice the user\r\n"
                      ":server 312 bob alice server :Testnet\r\n"
                      ":server 313 bob alice :is an IRC operator\r\n" IDLE(
                          "bob", "alice", "0") ":server 318 bob alice :End of /WHOIS list\r\n");
}

static void test_whois_forms(void **state)
{
    (void)state;
    static const char *const lines[] = {"WHOIS server alice\r\n", "WHOIS SERVER alice\r\n",
                                        "WHOIS alice alice\r\n", "WHOIS * alice\r\n",
                                        "WHOIS  alice\r\n"};
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        user_send(bob, lines[i]);
        assert_reads(bob, ":server 311 bob alice ~alice unix * :alice the user\r\n"
                          ":server 312 bob alice server :Testnet\r\n" IDLE(
                              "bob", "alice", "0") ":server 318 bob alice :End of /WHOIS list\r\n");
    }
    user_send(bob, "WHOIS other.server alice\r\nWHOIS\r\nWHOIS :\r\nWHOIS nobody\r\n");
    assert_reads(bob, ":server 402 bob other.server :No such server\r\n"
                      ":server 431 bob :No nickname given\r\n"
                      ":server 431 bob :No nickname given\r\n"
                      ":server 401 bob nobody :No such nick/channel\r\n"
                      ":server 318 bob nobody :End of /WHOIS list\r\n");
}

static void test_whois_several(void **state)
{
    (void)state;
    bob_with("labeled-response batch");
    user_send(bob, "@label=a WHOIS nobody,alice\r\n");
    assert_reads(
        bob, "@label=a :server BATCH +L0 labeled-response\r\n"
             "@batch=L0 :server 401 bob nobody :No such nick/channel\r\n"
             "@batch=L0 :server 311 bob alice ~alice unix * :alice the user\r\n"
             "@batch=L0 :server 312 bob alice server :Testnet\r\n"
             "@batch=L0 " IDLE("bob", "alice",
                               "0") "@batch=L0 :server 318 bob nobody,alice :End of /WHOIS list\r\n"
                                    ":server BATCH -L0\r\n");
}

/* Somebody in many rooms has them in several messages. */
static void test_whois_many_rooms(void **state)
{
    (void)state;
    unsigned lines = 0, rooms = 0;
    for (int i = 0; i < 40; i++) {
        char line[80];
        (void)snprintf(line, sizeof(line), "JOIN #a-room-with-a-name-of-some-length-%02d\r\n", i);
        user_send(alice, line);
    }
    user_send(bob, "WHOIS alice\r\n");
    user_read(bob);
    for (char *line = strtok(bob->text, "\n"); line; line = strtok(NULL, "\n")) {
        assert_in_range(strlen(line) + 1, 20, 512);
        lines += strncmp(line, ":server 319 bob alice :@#a", 26) == 0;
        for (char *at = line; (at = strstr(at, "@#a-room")) != NULL; at++) {
            rooms++;
        }
    }
    assert_int_equal(rooms, 40);
    assert_in_range(lines, 2, 5);
    user_forget(bob);
}

/* ---- WHOWAS ---- */

#define LEFT ":server 312 bob eve server :Fri Nov 20 12:31:07 2026 UTC\r\n"

static void test_whowas(void **state)
{
    (void)state;
    leave(user_enter_irc(house, "eve", NULL));
    user_send(bob, "WHOWAS Eve\r\n");
    assert_reads(bob, ":server 314 bob eve ~eve unix * :eve the user\r\n" LEFT
                      ":server 369 bob Eve :End of WHOWAS\r\n");
    user_send(bob, "WHOWAS nobody\r\nWHOWAS\r\nWHOWAS :\r\n");
    assert_reads(bob, ":server 406 bob nobody :There was no such nickname\r\n"
                      ":server 369 bob nobody :End of WHOWAS\r\n"
                      ":server 431 bob :No nickname given\r\n"
                      ":server 431 bob :No nickname given\r\n");
}

static void test_whowas_count(void **state)
{
    (void)state;
    static const struct {
        const char *count;
        bool is_all;
    } rows[] = {{"1", false}, {"2", true}, {"0", true}, {"-1", true}, {"x", true}, {"9", true}};
    leave(user_enter_irc(house, "eve", NULL));
    leave(user_enter_irc(house, "eve", NULL));
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char line[40], wanted[512];
        (void)snprintf(line, sizeof(line), "WHOWAS eve %s\r\n", rows[i].count);
        (void)snprintf(wanted, sizeof(wanted),
                       ":server 314 bob eve ~eve unix * :eve the user\r\n" LEFT
                       "%s:server 369 bob eve :End of WHOWAS\r\n",
                       rows[i].is_all ? ":server 314 bob eve ~eve unix * :eve the user\r\n" LEFT
                                      : "");
        user_send(bob, line);
        assert_reads(bob, wanted);
    }
}

/* ---- USERHOST, ISON, LUSERS ---- */

static void test_userhost(void **state)
{
    (void)state;
    user_send(alice, "OPER root right\r\nAWAY :x\r\n");
    user_send(bob, "USERHOST ALICE nobody bob\r\nUSERHOST nobody\r\nUSERHOST\r\n");
    assert_reads(bob, ":server 302 bob :alice*=-~alice@unix bob=+~bob@unix\r\n"
                      ":server 302 bob :\r\n"
                      ":server 461 bob USERHOST :Not enough parameters\r\n");
    user_send(bob, "USERHOST bob bob bob bob bob alice\r\n");
    assert_reads(bob, ":server 302 bob :bob=+~bob@unix bob=+~bob@unix bob=+~bob@unix "
                      "bob=+~bob@unix bob=+~bob@unix\r\n");
}

static void test_ison(void **state)
{
    (void)state;
    user_send(bob, "ISON ALICE nobody :bob eve\r\nISON nobody\r\nISON\r\n");
    assert_reads(bob, ":server 303 bob :alice bob\r\n"
                      ":server 303 bob :\r\n"
                      ":server 461 bob ISON :Not enough parameters\r\n");
}

static void test_lusers(void **state)
{
    (void)state;
    struct user *line = user_enter(house, "lines");
    user_send(alice, "MODE alice +i\r\nOPER root right\r\nJOIN #room\r\n");
    user_send(bob, "LUSERS\r\n");
    assert_reads(bob, ":server 251 bob :There are 2 users and 1 invisible on 1 servers\r\n"
                      ":server 252 bob 1 :operator(s) online\r\n"
                      ":server 253 bob 0 :unknown connection(s)\r\n"
                      ":server 254 bob 2 :channels formed\r\n"
                      ":server 255 bob :I have 3 clients and 1 servers\r\n"
                      ":server 265 bob 3 3 :Current local users 3, max 3\r\n"
                      ":server 266 bob 3 3 :Current global users 3, max 3\r\n");
    user_free(line);
    house_settle(house);
    user_send(bob, "LUSERS\r\n");
    assert_reads_some(bob, ":server 265 bob 2 3 :Current local users 2, max 3\r\n");
}

/* Who has yet to register is counted until it has, or goes. */
static void test_lusers_unknown(void **state)
{
    (void)state;
    struct user *eve = user_connect(house, ENTRY_IRC), *carol = user_connect(house, ENTRY_IRC);
    user_send(eve, "NICK eve\r\n");
    user_send(bob, "LUSERS\r\n");
    assert_reads_some(bob, ":server 253 bob 2 :unknown connection(s)\r\n");
    user_send(eve, "USER e 0 * e\r\n");
    user_send(carol, "QUIT\r\n");
    user_send(bob, "LUSERS\r\n");
    assert_reads_some(bob, ":server 253 bob 0 :unknown connection(s)\r\n");
    user_free(eve);
    user_free(carol);
}

/* ---- AWAY and SETNAME ---- */

static void test_away(void **state)
{
    (void)state;
    bob_with("away-notify");
    meet();
    user_send(alice, "AWAY :at lunch\r\n");
    assert_reads(alice, ":server 306 alice :You have been marked as being away\r\n");
    assert_reads(bob, ":alice!~alice@unix AWAY :at lunch\r\n");
    user_send(bob, "PRIVMSG alice :hi\r\n");
    assert_reads(bob, ":server 301 bob alice :at lunch\r\n");
    forget(alice);
    user_send(alice, "AWAY\r\nAWAY :\r\n");
    assert_reads(alice, ":server 305 alice :You are no longer marked as being away\r\n"
                        ":server 305 alice :You are no longer marked as being away\r\n");
    assert_reads(bob, ":alice!~alice@unix AWAY\r\n");
    user_send(bob, "AWAY :me too\r\n");
    assert_reads(alice, "");
}

static void test_setname(void **state)
{
    (void)state;
    bob_with("setname extended-join");
    meet();
    user_send(alice, "SETNAME :Alice the Great\r\n");
    assert_reads(alice, "");
    assert_reads(bob, ":alice!~alice@unix SETNAME :Alice the Great\r\n");
    user_send(bob, "SETNAME :Robert\r\n");
    assert_reads(bob, ":bob!~bob@unix SETNAME :Robert\r\n");
    user_send(bob, "JOIN #new\r\n");
    assert_reads_some(bob, ":bob!~bob@unix JOIN #new * :Robert\r\n");
    user_send(bob, "WHOIS alice\r\n");
    assert_reads_some(bob, ":server 311 bob alice ~alice unix * :Alice the Great\r\n");
}

static void test_setname_refused(void **state)
{
    (void)state;
    char line[200];
    static const char refusal[] =
        ":server FAIL SETNAME INVALID_REALNAME :That real name is not allowed\r\n";
    user_send(alice, "SETNAME :\r\n");
    assert_reads(alice, "");
    bob_with("setname");
    user_send(bob, "SETNAME :\r\n");
    assert_reads(bob, refusal);
    user_send(bob, "SETNAME :  \r\n");
    assert_reads(bob, refusal);
    (void)snprintf(line, sizeof(line), "SETNAME :%0129d\r\n", 1);
    user_send(bob, line);
    assert_reads(bob, refusal);
    (void)snprintf(line, sizeof(line), "SETNAME :%0128d\r\nSETNAME\r\n", 1);
    user_send(bob, line);
    user_read(bob);
    assert_non_null(strstr(bob->text, ":bob!~bob@unix SETNAME :000"));
    assert_non_null(
        strstr(bob->text, "0001\r\n:server 461 bob SETNAME :Not enough parameters\r\n"));
    user_forget(bob);
}

/* ---- MONITOR ---- */

static void test_monitor(void **state)
{
    (void)state;
    user_send(bob, "MONITOR + ALICE,eve\r\n");
    assert_reads(bob, ":server 730 bob :alice!~alice@unix\r\n"
                      ":server 731 bob :eve\r\n");
    struct user *eve = user_enter_irc(house, "Eve", NULL);
    assert_reads(bob, ":server 730 bob :Eve!~Eve@unix\r\n");
    user_send(bob, "MONITOR s\r\n");
    assert_reads(bob, ":server 730 bob :alice!~alice@unix,Eve!~Eve@unix\r\n");
    user_send(eve, "NICK adam\r\n");
    assert_reads(bob, ":server 731 bob :Eve\r\n");
    user_send(bob, "MONITOR L\r\nMONITOR S\r\n");
    assert_reads(bob, ":server 732 bob :ALICE,eve\r\n"
                      ":server 733 bob :End of MONITOR list\r\n"
                      ":server 730 bob :alice!~alice@unix\r\n"
                      ":server 731 bob :eve\r\n");
    user_send(bob, "MONITOR - eve\r\nMONITOR L\r\nMONITOR C\r\nMONITOR L\r\n");
    assert_reads(bob, ":server 732 bob :ALICE\r\n"
                      ":server 733 bob :End of MONITOR list\r\n"
                      ":server 733 bob :End of MONITOR list\r\n");
    leave(eve);
    assert_reads(bob, "");
}

static void test_monitor_refused(void **state)
{
    (void)state;
    struct hub_settings hub = {.limits = {.monitor = 2}};
    user_send(bob, "MONITOR\r\nMONITOR +\r\nMONITOR - :\r\nMONITOR ? x\r\n");
    assert_reads(bob, ":server 461 bob MONITOR :Not enough parameters\r\n"
                      ":server 461 bob MONITOR :Not enough parameters\r\n"
                      ":server 461 bob MONITOR :Not enough parameters\r\n"
                      ":server 400 bob MONITOR ? :There is no such subcommand\r\n");
    (void)close_house(NULL);
    house = house_open(NULL, &hub);
    alice = user_enter_irc(house, "alice", NULL);
    bob = user_enter_irc(house, "bob", NULL);
    user_send(bob, "MONITOR + a,b,c,d\r\n");
    assert_reads(bob, ":server 731 bob :a,b\r\n"
                      ":server 734 bob 2 c,d :Monitor list is full.\r\n");
}

static void test_monitor_label(void **state)
{
    (void)state;
    bob_with("labeled-response batch");
    user_send(bob, "@label=1 MONITOR + alice\r\n");
    assert_reads(bob, "@label=1 :server 730 bob :alice!~alice@unix\r\n");
    user_send(bob, "@label=2 MONITOR - alice\r\n");
    assert_reads(bob, "@label=2 :server ACK\r\n");
}

/* A long list takes several messages. */
static void test_monitor_long_list(void **state)
{
    (void)state;
    unsigned names = 0;
    for (int i = 0; i < 40; i++) {
        char line[80];
        (void)snprintf(line, sizeof(line), "MONITOR + a-nick-that-is-quite-long-%02d\r\n", i);
        user_send(bob, line);
    }
    forget(bob);
    user_send(bob, "MONITOR L\r\n");
    user_read(bob);
    for (char *line = strtok(bob->text, "\n"); line; line = strtok(NULL, "\n")) {
        assert_in_range(strlen(line) + 1, 20, 512);
        for (char *at = line; (at = strstr(at, "a-nick")) != NULL; at++) {
            names++;
        }
    }
    assert_int_equal(names, 40);
    user_forget(bob);
}

/* extended-monitor tells of who shares no room; each event only to who has its capability. */
static void test_extended_monitor(void **state)
{
    (void)state;
    struct user *carol = user_enter_irc(house, "carol", "away-notify setname");
    struct user *dave = user_enter_irc(house, "dave", "extended-monitor");
    bob_with("extended-monitor away-notify setname");
    user_send(bob, "MONITOR + alice\r\n");
    user_send(carol, "MONITOR + alice\r\n");
    user_send(dave, "MONITOR + alice\r\n");
    forget(bob);
    forget(carol);
    forget(dave);
    user_send(alice, "AWAY :gone\r\nSETNAME :Al\r\nAWAY\r\n");
    assert_reads(bob, ":alice!~alice@unix AWAY :gone\r\n"
                      ":alice!~alice@unix SETNAME :Al\r\n"
                      ":alice!~alice@unix AWAY\r\n");
    assert_reads(carol, "");
    assert_reads(dave, "");
    /* Once when a room is shared, too. */
    user_send(alice, "JOIN #room\r\n");
    user_send(bob, "JOIN #room\r\n");
    forget(bob);
    user_send(alice, "AWAY :again\r\n");
    assert_reads(bob, ":alice!~alice@unix AWAY :again\r\n");
    user_free(carol);
    user_free(dave);
}

#define in_house(test) cmocka_unit_test_setup_teardown(test, open_house, close_house)

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_house(test_who),
        in_house(test_who_operators),
        in_house(test_who_marks),
        in_house(test_whox),
        in_house(test_whox_address),
        in_house(test_who_beyond_the_queue),
        in_house(test_whois),
        in_house(test_whois_oneself),
        in_house(test_whois_operator),
        in_house(test_whois_forms),
        in_house(test_whois_several),
        in_house(test_whois_many_rooms),
        in_house(test_whowas),
        in_house(test_whowas_count),
        in_house(test_userhost),
        in_house(test_ison),
        in_house(test_lusers),
        in_house(test_lusers_unknown),
        in_house(test_away),
        in_house(test_setname),
        in_house(test_setname_refused),
        in_house(test_monitor),
        in_house(test_monitor_refused),
        in_house(test_monitor_label),
        in_house(test_monitor_long_list),
        in_house(test_extended_monitor),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
