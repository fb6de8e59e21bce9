/* SPDX-License-Identifier: MIT */
#include "front/front_test_util.h"

#include <stdio.h>
#include <string.h>

/* INVITE, KICK and RENAME in IRC: each answer whole. */

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

/* Bob has these capabilities, and both are in #room. */
static void meet_with(const char *caps)
{
    user_free(bob);
    house_settle(house);
    bob = user_enter_irc(house, "bob", caps);
    meet();
}

/* ---- INVITE ---- */

static void test_invite(void **state)
{
    (void)state;
    user_send(alice, "JOIN #room\r\nMODE #room +i\r\n");
    forget_all();
    user_send(alice, "INVITE BOB #room\r\n");
    assert_reads(alice, ":server 341 alice bob #room\r\n");
    assert_reads(bob, ":alice!~alice@unix INVITE bob #room\r\n");
    user_send(bob, "INVITE\r\n");
    assert_reads(bob, ":server 336 bob #room\r\n"
                      ":server 337 bob :End of /INVITE list\r\n");
    user_send(bob, "JOIN #room\r\n");
    assert_reads_some(bob, ":bob!~bob@unix JOIN #room\r\n");
    user_send(bob, "INVITE\r\n");
    assert_reads(bob, ":server 337 bob :End of /INVITE list\r\n");
}

static void test_invite_refused(void **state)
{
    (void)state;
    meet();
    user_send(alice, "INVITE bob #room\r\nINVITE nobody #room\r\nINVITE bob #none\r\n"
                     "INVITE bob room\r\nINVITE bob\r\n");
    assert_reads(alice, ":server 443 alice bob #room :is already on channel\r\n"
                        ":server 401 alice nobody :No such nick/channel\r\n"
                        ":server 403 alice #none :No such channel\r\n"
                        ":server 403 alice room :No such channel\r\n"
                        ":server 461 alice INVITE :Not enough parameters\r\n");
    user_send(alice, "MODE #room +i\r\n");
    forget_all();
    user_send(bob, "INVITE alice #room\r\n");
    assert_reads(bob, ":server 482 bob #room :You're not channel operator\r\n");
}

static void test_invite_away(void **state)
{
    (void)state;
    user_send(alice, "JOIN #room\r\n");
    user_send(bob, "AWAY :asleep\r\n");
    forget_all();
    user_send(alice, "INVITE bob #room\r\n");
    assert_reads(alice, ":server 341 alice bob #room\r\n"
                        ":server 301 alice bob :asleep\r\n");
}

static void test_invite_notify(void **state)
{
    (void)state;
    struct user *carol = user_enter_irc(house, "carol", NULL);
    struct user *dave = user_enter_irc(house, "dave", NULL);
    meet_with("invite-notify");
    user_send(dave, "JOIN #room\r\n");
    user_send(alice, "MODE #room +oo bob dave\r\n");
    user_read(dave);
    user_forget(dave);
    forget_all();
    user_send(alice, "INVITE carol #room\r\n");
    assert_reads(alice, ":server 341 alice carol #room\r\n");
    assert_reads(carol, ":alice!~alice@unix INVITE carol #room\r\n");
    assert_reads(bob, ":alice!~alice@unix INVITE carol #room\r\n");
    assert_reads(dave, "");
    user_free(carol);
    user_free(dave);
}

/* ---- KICK ---- */

static void test_kick(void **state)
{
    (void)state;
    meet();
    user_send(alice, "KICK #room BOB :enough of it\r\n");
    assert_reads(alice, ":alice!~alice@unix KICK #room bob :enough of it\r\n");
    assert_reads(bob, ":alice!~alice@unix KICK #room bob :enough of it\r\n");
    user_send(alice, "NAMES #room\r\n");
    assert_reads(alice, ":server 353 alice = #room :@alice\r\n"
                        ":server 366 alice #room :End of /NAMES list\r\n");
}

static void test_kick_without_reason(void **state)
{
    (void)state;
    meet();
    user_send(alice, "KICK #room bob\r\n");
    assert_reads(bob, ":alice!~alice@unix KICK #room bob :alice\r\n");
}

static void test_kick_several(void **state)
{
    (void)state;
    struct user *carol = user_enter_irc(house, "carol", NULL);
    meet();
    user_send(carol, "JOIN #room,#b\r\n");
    forget_all();
    user_send(alice, "KICK #room bob,carol :bye\r\n");
    assert_reads(alice, ":alice!~alice@unix KICK #room bob :bye\r\n"
                        ":alice!~alice@unix KICK #room carol :bye\r\n");
    user_send(bob, "JOIN #room\r\n");
    user_send(carol, "JOIN #room\r\n");
    forget_all();
    user_send(alice, "KICK #room,#room bob,carol :bye\r\n");
    assert_reads(alice, ":alice!~alice@unix KICK #room bob :bye\r\n"
                        ":alice!~alice@unix KICK #room carol :bye\r\n");
    user_free(carol);
}

static void test_kick_refused(void **state)
{
    (void)state;
    meet();
    user_send(bob, "KICK #room alice\r\nKICK #none alice\r\nKICK x alice\r\nKICK #room\r\n"
                   "KICK #room,#x alice\r\n");
    assert_reads(bob, ":server 482 bob #room :You're not channel operator\r\n"
                      ":server 403 bob #none :No such channel\r\n"
                      ":server 403 bob x :No such channel\r\n"
                      ":server 461 bob KICK :Not enough parameters\r\n"
                      ":server 461 bob KICK :Not enough parameters\r\n");
    user_send(bob, "PART #room\r\nKICK #room alice\r\n");
    assert_reads(bob, ":bob!~bob@unix PART #room\r\n"
                      ":server 442 bob #room :You're not on that channel\r\n");
    user_read(alice);
    user_forget(alice);
    user_send(alice, "KICK #room bob,nobody\r\n");
    assert_reads(alice, ":server 441 alice bob #room :They aren't on that channel\r\n"
                        ":server 401 alice nobody :No such nick/channel\r\n");
}

/* ---- RENAME ---- */

static void test_rename(void **state)
{
    (void)state;
    struct user *carol = user_enter_irc(house, "carol", "extended-join draft/read-marker");
    meet_with("draft/channel-rename");
    user_send(carol, "JOIN #room\r\n");
    user_send(alice, "TOPIC #room :t\r\n");
    forget_all();
    user_read(carol);
    user_forget(carol);
    user_send(alice, "RENAME #room #hall :too small\r\n");
    assert_reads(bob, ":alice!~alice@unix RENAME #room #hall :too small\r\n");
    assert_reads(alice, ":alice!~alice@unix PART #room :too small\r\n"
                        ":alice!~alice@unix JOIN #hall\r\n"
                        ":server 332 alice #hall :t\r\n"
                        ":server 333 alice #hall alice!~alice@unix 1795177867\r\n"
                        ":server 353 alice = #hall :@alice bob carol\r\n"
                        ":server 366 alice #hall :End of /NAMES list\r\n");
    assert_reads(carol, ":carol!~carol@unix PART #room :too small\r\n"
                        ":carol!~carol@unix JOIN #hall * :carol the user\r\n"
                        ":server MARKREAD #hall *\r\n"
                        ":server 332 carol #hall :t\r\n"
                        ":server 333 carol #hall alice!~alice@unix 1795177867\r\n"
                        ":server 353 carol = #hall :@alice bob carol\r\n"
                        ":server 366 carol #hall :End of /NAMES list\r\n");
    user_send(bob, "PRIVMSG #hall :hi\r\n");
    assert_reads(alice, ":bob!~bob@unix PRIVMSG #hall :hi\r\n");
    user_free(carol);
}

/* Without topic there is no word of one. */
static void test_rename_without_topic(void **state)
{
    (void)state;
    user_send(alice, "JOIN #room\r\n");
    forget_all();
    user_send(alice, "RENAME #room #hall\r\n");
    assert_reads(alice, ":alice!~alice@unix PART #room\r\n"
                        ":alice!~alice@unix JOIN #hall\r\n"
                        ":server 353 alice = #hall :@alice\r\n"
                        ":server 366 alice #hall :End of /NAMES list\r\n");
}

/* Another case of the same letters is told to who knows of RENAME, and is no news to the others. */
static void test_rename_case(void **state)
{
    (void)state;
    meet_with("draft/channel-rename");
    user_send(alice, "RENAME #room #ROOM\r\n");
    assert_reads(bob, ":alice!~alice@unix RENAME #room #ROOM :\r\n");
    assert_reads(alice, "");
    user_send(alice, "NAMES #room\r\n");
    assert_reads(alice, ":server 353 alice = #ROOM :@alice bob\r\n"
                        ":server 366 alice #ROOM :End of /NAMES list\r\n");
}

static void test_rename_refused(void **state)
{
    (void)state;
    meet();
    user_send(bob, "RENAME #room #x\r\nRENAME #none #x\r\nRENAME room #x\r\nRENAME #room\r\n");
    assert_reads(bob, ":server 482 bob #room :You're not channel operator\r\n"
                      ":server 403 bob #none :No such channel\r\n"
                      ":server 403 bob room :No such channel\r\n"
                      ":server 461 bob RENAME :Not enough parameters\r\n");
    user_send(bob, "JOIN #taken\r\n");
    forget_all();
    user_send(alice, "RENAME #room #taken\r\nRENAME #room #b!d\r\nRENAME #room bad\r\n");
    assert_reads(alice, ":server FAIL RENAME CHANNEL_NAME_IN_USE #room #taken :A channel of that "
                        "name exists already\r\n"
                        ":server FAIL RENAME CANNOT_RENAME #room #b!d :This channel cannot be "
                        "renamed\r\n"
                        ":server FAIL RENAME CANNOT_RENAME #room bad :This channel cannot be "
                        "renamed\r\n");
}

/* Who is gone before its new name's topic is there hears nothing of it. */
static void test_rename_and_part(void **state)
{
    (void)state;
    user_send(alice, "JOIN #room\r\n");
    forget_all();
    user_send(alice, "RENAME #room #hall\r\nPART #hall\r\nPING 1\r\nTOPIC #hall\r\n");
    assert_reads(alice, ":alice!~alice@unix PART #room\r\n"
                        ":alice!~alice@unix JOIN #hall\r\n"
                        ":alice!~alice@unix PART #hall\r\n"
                        ":server PONG server :1\r\n"
                        ":server 403 alice #hall :No such channel\r\n"
                        ":server 366 alice #hall :End of /NAMES list\r\n");
}

#define in_house(test) cmocka_unit_test_setup_teardown(test, open_house, close_house)

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_house(test_invite),
        in_house(test_invite_refused),
        in_house(test_invite_away),
        in_house(test_invite_notify),
        in_house(test_kick),
        in_house(test_kick_without_reason),
        in_house(test_kick_several),
        in_house(test_kick_refused),
        in_house(test_rename),
        in_house(test_rename_without_topic),
        in_house(test_rename_case),
        in_house(test_rename_refused),
        in_house(test_rename_and_part),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
