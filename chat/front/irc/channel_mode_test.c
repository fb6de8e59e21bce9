/* SPDX-License-Identifier: MIT */
#include "front/front_test_util.h"

#include <stdio.h>
#include <string.h>

/* MODE, of channels and of users, and LIST: each answer whole. */

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

static void forget_all(void)
{
    user_read(alice);
    user_forget(alice);
    user_read(bob);
    user_forget(bob);
}

/* Both are in #room, alice its operator. */
static void meet(void)
{
    user_send(alice, "JOIN #room\r\n");
    user_send(bob, "JOIN #room\r\n");
    forget_all();
}

/* ---- MODE of a channel ---- */

static void test_modes(void **state)
{
    (void)state;
    meet();
    user_send(bob, "MODE #ROOM\r\n");
    assert_reads(bob, ":server 324 bob #room +nt\r\n"
                      ":server 329 bob #room 1795177867\r\n");
    user_send(alice, "MODE #room +im-n\r\n");
    assert_reads(alice, ":alice!~alice@unix MODE #room +im-n\r\n");
    assert_reads(bob, ":alice!~alice@unix MODE #room +im-n\r\n");
    user_send(alice, "MODE #room +lk 12 secret\r\nMODE #room\r\n");
    assert_reads(alice, ":alice!~alice@unix MODE #room +lk 12 secret\r\n"
                        ":server 324 alice #room +imtkl secret 12\r\n"
                        ":server 329 alice #room 1795177867\r\n");
    user_send(alice, "MODE #room -itmkl *\r\nMODE #room\r\n");
    assert_reads(alice, ":alice!~alice@unix MODE #room -itmkl *\r\n"
                        ":server 324 alice #room +\r\n"
                        ":server 329 alice #room 1795177867\r\n");
}

static void test_mode_of_members(void **state)
{
    (void)state;
    meet();
    user_send(alice, "MODE #room +ov BOB bob\r\n");
    assert_reads(bob, ":alice!~alice@unix MODE #room +ov bob bob\r\n");
    user_send(bob, "MODE #room -o alice\r\n");
    assert_reads_some(alice, ":bob!~bob@unix MODE #room -o alice\r\n");
    user_send(alice, "MODE #room +o alice\r\n");
    assert_reads(alice, ":server 482 alice #room :You're not channel operator\r\n");
}

static void test_lists(void **state)
{
    (void)state;
    meet();
    user_send(alice, "MODE #room +bbeI Eve *@bad.example *!*@good.example carl\r\n");
    assert_reads(alice, ":alice!~alice@unix MODE #room +bbeI Eve!*@* *!*@bad.example "
                        "*!*@good.example carl!*@*\r\n");
    user_send(alice, "MODE #room b\r\n");
    assert_reads(alice, ":server 367 alice #room Eve!*@* alice!~alice@unix 1795177867\r\n"
                        ":server 367 alice #room *!*@bad.example alice!~alice@unix 1795177867\r\n"
                        ":server 368 alice #room :End of channel ban list\r\n");
    user_send(alice, "MODE #room +e\r\nMODE #room +I\r\n");
    assert_reads(alice, ":server 348 alice #room *!*@good.example alice!~alice@unix 1795177867\r\n"
                        ":server 349 alice #room :End of channel exception list\r\n"
                        ":server 346 alice #room carl!*@* alice!~alice@unix 1795177867\r\n"
                        ":server 347 alice #room :End of channel invite exception list\r\n");
    user_send(alice, "MODE #room -b eve!*@*\r\n");
    assert_reads(alice, ":alice!~alice@unix MODE #room -b Eve!*@*\r\n");
}

/* More changes with a parameter than one message has are told in two. */
static void test_many_changes(void **state)
{
    (void)state;
    meet();
    user_send(alice, "MODE #room +bbbbbbbbbbbb a b c d e f g h i j k l\r\n");
    assert_reads(alice, ":alice!~alice@unix MODE #room +bbbbbbbbbbbb a!*@* b!*@* c!*@* d!*@* "
                        "e!*@* f!*@* g!*@* h!*@* i!*@* j!*@* k!*@* l!*@*\r\n");
}

static void test_mode_refused(void **state)
{
    (void)state;
    meet();
    user_send(bob, "MODE #room +m\r\nMODE #none\r\nMODE #\r\nMODE\r\n");
    assert_reads(bob, ":server 482 bob #room :You're not channel operator\r\n"
                      ":server 403 bob #none :No such channel\r\n"
                      ":server 403 bob # :No such channel\r\n"
                      ":server 461 bob MODE :Not enough parameters\r\n");
    user_send(alice, "MODE #room +Zm\r\n");
    assert_reads(alice, ":server 472 alice Z :is unknown mode char to me\r\n"
                        ":alice!~alice@unix MODE #room +m\r\n");
    user_send(alice, "MODE #room +o\r\nMODE #room +k\r\nMODE #room +l x\r\n");
    assert_reads(alice,
                 ":server 696 alice #room o * :You must specify a parameter for this mode\r\n"
                 ":server 696 alice #room k * :You must specify a parameter for this mode\r\n"
                 ":server 696 alice #room l x :That parameter will not do\r\n");
    user_send(alice, "MODE #room +k :two words\r\nMODE #room +k :\r\nMODE #room +b :\r\n");
    assert_reads(alice, ":server 696 alice #room k * :That parameter will not do\r\n"
                        ":server 696 alice #room k * :That parameter will not do\r\n"
                        ":server 696 alice #room b * :That parameter will not do\r\n");
    user_send(alice, "MODE #room +o nobody\r\n");
    assert_reads(alice, ":server 401 alice nobody :No such nick/channel\r\n");
    user_send(bob, "PART #room\r\n");
    forget_all();
    user_send(alice, "MODE #room +o bob\r\n");
    assert_reads(alice, ":server 441 alice bob #room :They aren't on that channel\r\n");
}

/* The longest mask that is taken is told whole, in a message of at most 512 bytes. */
static void test_long_mask(void **state)
{
    (void)state;
    char mask[240], line[400], wanted[600];
    meet();
    memset(mask, 'm', sizeof(mask) - 1);
    mask[sizeof(mask) - 1] = '\0';
    (void)snprintf(line, sizeof(line), "MODE #room +b %s!*@*\r\n", mask);
    user_send(alice, line);
    forget_all();
    user_send(alice, "MODE #room b\r\n");
    (void)snprintf(wanted, sizeof(wanted),
                   ":server 367 alice #room %s!*@* alice!~alice@unix 1795177867\r\n"
                   ":server 368 alice #room :End of channel ban list\r\n",
                   mask);
    assert_reads(alice, wanted);
}

static void test_list_full(void **state)
{
    (void)state;
    const struct hub_settings hub = {.limits = {.masks = 2}};
    (void)close_house(NULL);
    house = house_open(NULL, &hub);
    alice = user_enter_irc(house, "alice", NULL);
    bob = user_enter_irc(house, "bob", NULL);
    meet();
    user_send(alice, "MODE #room +bbb a b c\r\n");
    assert_reads(alice, ":server 478 alice #room b :Channel list is full\r\n"
                        ":alice!~alice@unix MODE #room +bb a!*@* b!*@*\r\n");
}

/* ---- MODE of a user ---- */

static void test_user_modes(void **state)
{
    (void)state;
    user_send(alice, "MODE alice\r\nMODE Alice +iw\r\nMODE alice\r\nMODE alice -w\r\n");
    assert_reads(alice, ":server 221 alice +\r\n"
                        ":alice!~alice@unix MODE alice +iw\r\n"
                        ":server 221 alice +iw\r\n"
                        ":alice!~alice@unix MODE alice -w\r\n");
    assert_reads(bob, "");
}

static void test_user_modes_refused(void **state)
{
    (void)state;
    user_send(alice, "MODE bob\r\nMODE bob +i\r\nMODE nobody +i\r\nMODE alice +Zi\r\n");
    assert_reads(alice, ":server 502 alice :Can't change mode for other users\r\n"
                        ":server 502 alice :Can't change mode for other users\r\n"
                        ":server 401 alice nobody :No such nick/channel\r\n"
                        ":alice!~alice@unix MODE alice +i\r\n"
                        ":server 501 alice :Unknown MODE flag\r\n");
    user_send(alice, "MODE alice +o\r\nMODE alice\r\n");
    assert_reads(alice, ":server 221 alice +i\r\n");
}

/* Who lays down the power of an operator is slowed down again. */
static void test_operator_no_more(void **state)
{
    (void)state;
    user_send(alice, "OPER root right\r\n");
    assert_reads(alice, ":server 381 alice :You are now an IRC operator\r\n"
                        ":alice!~alice@unix MODE alice +o\r\n");
    user_send(alice, "MODE alice -o\r\nREHASH\r\n");
    assert_reads(alice, ":alice!~alice@unix MODE alice -o\r\n"
                        ":server 481 alice :Permission Denied- You're not an IRC operator\r\n");
}

static void test_bot(void **state)
{
    (void)state;
    struct user *robot = user_enter_irc(house, "robot", NULL);
    struct user *carol = user_enter_irc(house, "carol", "message-tags");
    user_send(carol, "JOIN #room\r\n");
    user_send(robot, "MODE robot +B\r\n");
    assert_reads(robot, ":robot!~robot@unix MODE robot +B\r\n");
    user_read(carol);
    user_forget(carol);
    user_send(robot, "JOIN #room\r\n");
    assert_reads(carol, "@bot :robot!~robot@unix JOIN #room\r\n");
    user_send(alice, "WHOIS robot\r\n");
    assert_reads_some(alice, ":server 335 alice robot :is a bot on Testnet\r\n");
    user_send(alice, "WHO robot\r\n");
    assert_reads(alice, ":server 352 alice * ~robot unix server robot HB :0 robot the user\r\n"
                        ":server 315 alice robot :End of WHO list\r\n");
    user_free(robot);
    user_free(carol);
}

/* ---- LIST ---- */

#define LIST_START(nick) ":server 321 " nick " Channel :Users  Name\r\n"
#define LIST_END(nick)   ":server 323 " nick " :End of /LIST\r\n"

static void test_list(void **state)
{
    (void)state;
    meet();
    user_send(alice, "TOPIC #room :for all\r\nJOIN #other\r\n");
    forget_all();
    user_send(bob, "LIST\r\n");
    assert_reads(bob, LIST_START("bob") ":server 322 bob #room 2 :for all\r\n"
                                        ":server 322 bob #other 1 :\r\n" LIST_END("bob"));
    user_send(bob, "LIST #Other,#none\r\nLIST #none\r\n");
    assert_reads(bob, LIST_START("bob") ":server 322 bob #other 1 :\r\n" LIST_END("bob")
                          LIST_START("bob") LIST_END("bob"));
}

static void test_list_secret(void **state)
{
    (void)state;
    user_send(alice, "JOIN #room\r\nMODE #room +s\r\n");
    forget_all();
    user_send(bob, "LIST\r\nLIST #room\r\n");
    assert_reads(bob, LIST_START("bob") LIST_END("bob") LIST_START("bob") LIST_END("bob"));
    user_send(alice, "LIST\r\n");
    assert_reads(alice, LIST_START("alice") ":server 322 alice #room 1 :\r\n" LIST_END("alice"));
}

#define ROOM  ":server 322 alice #room 2 :t\r\n"
#define SMALL ":server 322 alice #small 1 :\r\n"

static void test_list_conditions(void **state)
{
    (void)state;
    static const struct {
        const char *asked, *rooms;
    } rows[] = {
        {"LIST >0", ROOM SMALL},
        {"LIST >1", ROOM},
        {"LIST <2", SMALL},
        {"LIST <1", ""},
        {"LIST >1,<2", ""},
        {"LIST <100", ROOM SMALL},
        {"LIST *oo*", ROOM},
        {"LIST #S*", SMALL},
        {"LIST *oo*,#s*", ROOM SMALL},
        {"LIST *oo*,#small", ROOM SMALL},
        {"LIST *oo* <2", ""},
        {"LIST #small >0", SMALL},
        {"LIST #small server", SMALL},
        {"LIST *none", ""},
        {"LIST room", ""},
        {"LIST !*oo*", SMALL},
        {"LIST !*none", ROOM SMALL},
        {"LIST !#*", ""},
        {"LIST *,!#small", ROOM},
        /* #room was made ten minutes ago and #small just now; the topic was set six ago. */
        {"LIST C>5", ROOM},
        {"LIST C<5", SMALL},
        {"LIST C>0", ROOM SMALL},
        {"LIST C<0", ""},
        {"LIST C<11", ROOM SMALL},
        {"LIST C>5,C<9", ""},
        {"LIST T>5", ROOM},
        {"LIST T<5", ""},
        {"LIST T<7", ROOM},
        {"LIST T>0", ROOM},
        /* what is no number is no condition */
        {"LIST >", ROOM SMALL},
        {"LIST >x", ROOM SMALL},
        {"LIST C<1x", ROOM SMALL},
        {"LIST >99999999999999999999", ROOM SMALL},
    };
    meet();
    house->time_ms += 4 * 60000;
    user_send(alice, "TOPIC #room t\r\n");
    house->time_ms += 6 * 60000;
    user_send(alice, "JOIN #small\r\n");
    forget_all();
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char line[64], wanted[512];
        (void)snprintf(line, sizeof(line), "%s\r\n", rows[i].asked);
        (void)snprintf(wanted, sizeof(wanted), LIST_START("alice") "%s" LIST_END("alice"),
                       rows[i].rooms);
        user_send(alice, line);
        user_read(alice);
        if (strcmp(alice->text, wanted) != 0) {
            print_error("%s\n", rows[i].asked);
        }
        assert_reads(alice, wanted);
    }
}

/* A peer with little room in its queue is told what fits, and is not cut for having asked. */
static void test_list_beyond_the_queue(void **state)
{
    (void)state;
    struct front_settings settings = house_default_settings();
    settings.stream.output_max_bytes = 3000;
    (void)close_house(NULL);
    house = house_open(&settings, NULL);
    alice = user_enter_irc(house, "alice", NULL);
    bob = user_enter_irc(house, "bob", NULL);
    for (int i = 0; i < 99; i++) {
        char line[80];
        (void)snprintf(line, sizeof(line), "JOIN #a-room-with-a-name-of-some-length-%02d\r\n", i);
        user_send(alice, line);
        user_read(alice);
        user_forget(alice);
    }
    user_send(bob, "LIST\r\nPING 1\r\n");
    assert_reads_some(bob, ":server 416 bob LIST :Too many matches\r\n" LIST_END(
                               "bob") ":server PONG server :1\r\n");
    assert_false(bob->ended);
}

#define in_house(test) cmocka_unit_test_setup_teardown(test, open_house, close_house)

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_house(test_modes),
        in_house(test_mode_of_members),
        in_house(test_lists),
        in_house(test_many_changes),
        in_house(test_mode_refused),
        in_house(test_long_mask),
        in_house(test_list_full),
        in_house(test_user_modes),
        in_house(test_user_modes_refused),
        in_house(test_operator_no_more),
        in_house(test_bot),
        in_house(test_list),
        in_house(test_list_secret),
        in_house(test_list_conditions),
        in_house(test_list_beyond_the_queue),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
