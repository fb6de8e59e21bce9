/* SPDX-License-Identifier: MIT */
#include "core/hub.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "core/hub_script.h"

/* MONITOR: who comes and goes, and what becomes of those one watches. */

static void run(const struct hub_settings *settings, const char *script)
{
    struct hub *hub = hub_create(settings);
    hub_script_run(hub, script);
    hub_destroy(hub);
}

static void test_names_are_watched_and_their_state_told_at_once(void **state)
{
    (void)state;
    run(&(struct hub_settings){0},
        "> 1 REGISTER alice\n"
        "WELCOME @1 by=alice\n"
        "> 2 REGISTER Bob || b;cloak;Bob;/\n"
        "WELCOME @2 by=Bob src=b@cloak\n"
        "> 1 MONITOR=+ || bob;/CAROL;/not a name;/\n"
        "ONLINE @1 extra=Bob;b;cloak;/ own count=1\n"
        "OFFLINE @1 extra=CAROL;/ own count=1\n"
        "> 1 MONITOR=+ || bob;/\n"
        "ONLINE @1 extra=Bob;b;cloak;/ own count=1\n"
        "> 1 MONITOR=L\n"
        "REPLY_MONITOR @1 extra=bob;/CAROL;/ value=L count=2\n"
        "> 1 MONITOR=S\n"
        "REPLY_MONITOR @1 extra=Bob;b;cloak;/CAROL;;;/ value=S count=2\n");
}

static void test_who_watches_is_told_of_those_who_come_and_go(void **state)
{
    (void)state;
    run(&(struct hub_settings){0}, "> 1 REGISTER alice\n"
                                   "WELCOME @1 by=alice\n"
                                   "> 2 REGISTER bob\n"
                                   "WELCOME @2 by=bob\n"
                                   "> 1 MONITOR=+ || carol;/dave;/\n"
                                   "OFFLINE @1 extra=carol;/dave;/ own count=2\n"
                                   "> 2 MONITOR=+ || CAROL;/\n"
                                   "OFFLINE @2 extra=CAROL;/ own count=1\n"
                                   "> 3 REGISTER Carol || c;cloak;Carol;/\n"
                                   "WELCOME @3 by=Carol src=c@cloak\n"
                                   "ONLINE @1 extra=Carol;c;cloak;/ count=1\n"
                                   "ONLINE @2 extra=Carol;c;cloak;/ count=1\n"
                                   "> 3 NICK carol\n"
                                   "RENAMED + by=Carol src=c@cloak of=carol\n"
                                   "> 3 NICK dave\n"
                                   "RENAMED + by=carol src=c@cloak of=dave\n"
                                   "OFFLINE @1 extra=carol;/ count=1\n"
                                   "OFFLINE @2 extra=carol;/ count=1\n"
                                   "ONLINE @1 extra=dave;c;cloak;/ count=1\n"
                                   "> 3 NICK eve\n"
                                   "RENAMED + by=dave src=c@cloak of=eve\n"
                                   "OFFLINE @1 extra=dave;/ count=1\n"
                                   "> 3 NICK carol\n"
                                   "RENAMED + by=eve src=c@cloak of=carol\n"
                                   "ONLINE @1 extra=carol;c;cloak;/ count=1\n"
                                   "ONLINE @2 extra=carol;c;cloak;/ count=1\n"
                                   "> 3 QUIT | bye\n"
                                   "GOODBYE @3 by=carol src=c@cloak text=bye\n"
                                   "OFFLINE @1 extra=carol;/ count=1\n"
                                   "OFFLINE @2 extra=carol;/ count=1\n"
                                   "> *9 MONITOR=L\n");
}

static void test_names_are_no_longer_watched(void **state)
{
    (void)state;
    run(&(struct hub_settings){0}, "> 1 REGISTER alice\n"
                                   "WELCOME @1 by=alice\n"
                                   "> 2 REGISTER bob\n"
                                   "WELCOME @2 by=bob\n"
                                   "> 1 MONITOR=+ || bob;/carol;/dave;/\n"
                                   "ONLINE @1 extra=bob;guest;unknown;/ own count=1\n"
                                   "OFFLINE @1 extra=carol;/dave;/ own count=2\n"
                                   "> 1 MONITOR=- || BOB;/nobody;/not a name;/\n"
                                   "> 2 QUIT\n"
                                   "GOODBYE @2 by=bob\n"
                                   "> 1 MONITOR=L\n"
                                   "REPLY_MONITOR @1 extra=carol;/dave;/ value=L count=2\n"
                                   "> 1 MONITOR=C\n"
                                   "> 1 MONITOR=L\n"
                                   "REPLY_MONITOR @1 value=L\n"
                                   "> 3 REGISTER carol\n"
                                   "WELCOME @3 by=carol\n"
                                   "> 1 MONITOR=+ || carol;/\n"
                                   "ONLINE @1 extra=carol;guest;unknown;/ own count=1\n"
                                   "> 1 MONITOR=?\n");
}

static void test_a_full_list_names_what_it_has_no_room_for(void **state)
{
    (void)state;
    run(&(struct hub_settings){.limits = {.monitor = 2}},
        "> 1 REGISTER alice\n"
        "WELCOME @1 by=alice\n"
        "> 1 MONITOR=+ || bob;/alice;/carol;/dave;/\n"
        "ONLINE @1 extra=alice;guest;unknown;/ own count=1\n"
        "OFFLINE @1 extra=bob;/ own count=1\n"
        "ERROR @1 MONITOR_FULL extra=carol,dave count=2\n"
        "> 1 MONITOR=+ || bob;/\n"
        "OFFLINE @1 extra=bob;/ own count=1\n"
        "> 1 MONITOR=- || bob;/\n"
        "> 1 MONITOR=+ || carol;/dave;/\n"
        "OFFLINE @1 extra=carol;/ own count=1\n"
        "ERROR @1 MONITOR_FULL extra=dave count=2\n");
}

static void test_who_watches_without_a_common_room_is_told_what_becomes_of_them(void **state)
{
    (void)state;
    run(&(struct hub_settings){0}, "> 1 REGISTER alice\n"
                                   "WELCOME @1 by=alice\n"
                                   "> 2 REGISTER bob\n"
                                   "WELCOME @2 by=bob\n"
                                   "> 3 ENTER carol\n"
                                   "WELCOME @3 by=carol\n"
                                   "ENTERED @3 room=lobby by=carol count=1\n"
                                   "JOINED #lobby by=carol count=1\n"
                                   "> 1 MONITOR=+ || carol;/\n"
                                   "ONLINE @1 extra=carol;guest;unknown;/ own count=1\n"
                                   "> 2 MONITOR=+ || carol;/\n"
                                   "ONLINE @2 extra=carol;guest;unknown;/ own count=1\n"
                                   "> 3 MONITOR=+ || carol;/\n"
                                   "ONLINE @3 extra=carol;guest;unknown;/ own count=1\n"
                                   "> 2 JOIN lobby\n"
                                   "ENTERED @2 room=lobby by=bob count=2\n"
                                   "JOINED #lobby by=bob count=2\n"
                                   "> 3 AWAY | tea\n"
                                   "AWAY +1+ by=carol text=tea\n"
                                   "AWAY @1 by=carol text=tea watched\n"
                                   "> 3 AWAY | tea\n"
                                   "AWAY + by=carol text=tea\n"
                                   "> 3 SETNAME | Caroline\n"
                                   "SETNAME +1+ by=carol text=Caroline\n"
                                   "SETNAME @1 by=carol text=Caroline watched\n"
                                   "> 2 LEAVE lobby\n"
                                   "GONE_FROM @2 room=lobby by=bob\n"
                                   "LEFT #lobby by=bob count=1\n"
                                   "> 3 AWAY\n"
                                   "AWAY +1+ by=carol\n"
                                   "AWAY @1 by=carol watched\n"
                                   "AWAY @2 by=carol watched\n");
}

static void test_watching_ends_with_the_session(void **state)
{
    (void)state;
    run(&(struct hub_settings){0}, "> 1 REGISTER alice\n"
                                   "WELCOME @1 by=alice\n"
                                   "> 2 REGISTER bob\n"
                                   "WELCOME @2 by=bob\n"
                                   "> 1 MONITOR=+ || carol;/dave;/\n"
                                   "OFFLINE @1 extra=carol;/dave;/ own count=2\n"
                                   "> 2 MONITOR=+ || dave;/carol;/\n"
                                   "OFFLINE @2 extra=dave;/carol;/ own count=2\n"
                                   "> 1 QUIT\n"
                                   "GOODBYE @1 by=alice\n"
                                   "> 3 REGISTER carol\n"
                                   "WELCOME @3 by=carol\n"
                                   "ONLINE @2 extra=carol;guest;unknown;/ count=1\n"
                                   "> 2 MONITOR=L\n"
                                   "REPLY_MONITOR @2 extra=dave;/carol;/ value=L count=2\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names_are_watched_and_their_state_told_at_once),
        cmocka_unit_test(test_who_watches_is_told_of_those_who_come_and_go),
        cmocka_unit_test(test_names_are_no_longer_watched),
        cmocka_unit_test(test_a_full_list_names_what_it_has_no_room_for),
        cmocka_unit_test(test_who_watches_without_a_common_room_is_told_what_becomes_of_them),
        cmocka_unit_test(test_watching_ends_with_the_session),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
