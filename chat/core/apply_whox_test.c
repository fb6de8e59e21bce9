/* SPDX-License-Identifier: MIT */
#include "core/hub.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "core/hub_script.h"

/* WHO: of rooms, names and masks. */

static void run(const struct hub_settings *settings, const char *script)
{
    struct hub *hub = hub_create(settings);
    hub_script_run(hub, script);
    hub_destroy(hub);
}

static void test_who_of_a_room_lists_its_members_in_order(void **state)
{
    (void)state;
    run(&(struct hub_settings){0},
        "> 1 REGISTER bob | 192.0.2.1:5000 || b;cloak;Bob B.;/\n"
        "WELCOME @1 by=bob src=b@cloak\n"
        "> 2 REGISTER Alice | 192.0.2.2:5000 || al;hidden;Alice L.;/\n"
        "WELCOME @2 by=Alice src=al@hidden\n"
        "> 1 JOIN games\n"
        "ENTERED @1 room=games by=bob src=b@cloak count=1\n"
        "JOINED #games by=bob src=b@cloak extra=Bob B. count=1\n"
        "> 2 JOIN games\n"
        "ENTERED @2 room=games by=Alice src=al@hidden count=2\n"
        "JOINED #games by=Alice src=al@hidden extra=Alice L. count=2\n"
        "> 2 OPER | admin\n"
        "OPERED @2 by=Alice src=al@hidden\n"
        "USER_MODE @2 by=Alice src=al@hidden of=Alice extra=+o;;/ count=1\n"
        "> 2 USER_MODE Alice | +B;;/\n"
        "USER_MODE @2 by=Alice src=al@hidden of=Alice extra=+B;;/ bot count=1\n"
        "> 1 AWAY | tea\n"
        "AWAY +1+ by=bob src=b@cloak text=tea\n"
        "> 1 WHOX #GAMES\n"
        "REPLY_WHOX @1 of=#GAMES extra=games;al;hidden;;Alice;H*B;;0;Alice "
        "L.;/games;b;cloak;192.0.2.1;bob;G@;;0;Bob B.;/ count=2\n"
        "> 1 WHOX/OPERS #games\n"
        "REPLY_WHOX @1 of=#games extra=games;al;hidden;;Alice;H*B;;0;Alice L.;/ count=1\n"
        "> 2 WHOX games\n"
        "REPLY_WHOX @2 of=games\n"
        "> 1 WHOX #nowhere\n"
        "REPLY_WHOX @1 of=#nowhere\n");
}

static void test_an_outsider_sees_neither_the_invisible_nor_secret_rooms(void **state)
{
    (void)state;
    run(&(struct hub_settings){0},
        "> 1 REGISTER alice\n"
        "WELCOME @1 by=alice\n"
        "> 2 REGISTER bob\n"
        "WELCOME @2 by=bob\n"
        "> 3 REGISTER carol\n"
        "WELCOME @3 by=carol\n"
        "> 1 JOIN games\n"
        "ENTERED @1 room=games by=alice count=1\n"
        "JOINED #games by=alice count=1\n"
        "> 2 JOIN games\n"
        "ENTERED @2 room=games by=bob count=2\n"
        "JOINED #games by=bob count=2\n"
        "> 1 USER_MODE alice | +i;;/\n"
        "USER_MODE @1 by=alice of=alice extra=+i;;/ count=1\n"
        "> 3 WHOX #games\n"
        "REPLY_WHOX @3 of=#games extra=games;guest;unknown;;bob;H;;0;;/ count=1\n"
        "> 1 MODE games | +s;;/\n"
        "MODE #games by=alice extra=+s;;/ count=1 n=1\n"
        "SEALED @0 room=games value=all n=2\n"
        "> 3 WHOX #games\n"
        "REPLY_WHOX @3 of=#games\n"
        "> 2 WHOX #games\n"
        "REPLY_WHOX @2 of=#games "
        "extra=games;guest;unknown;;alice;H@;;0;;/games;guest;unknown;;bob;H;;0;;/ count=2\n"
        "> *9 WHOX #games\n"
        "REPLY_WHOX @9 of=#games "
        "extra=games;guest;unknown;;alice;H@;;0;;/games;guest;unknown;;bob;H;;0;;/ count=2\n");
}

static void test_a_name_finds_also_the_invisible(void **state)
{
    (void)state;
    run(&(struct hub_settings){0},
        "> 1 REGISTER alice\n"
        "WELCOME @1 by=alice\n"
        "> 2 REGISTER bob\n"
        "WELCOME @2 by=bob\n"
        "> 2 USER_MODE bob | +i;;/\n"
        "USER_MODE @2 by=bob of=bob extra=+i;;/ count=1\n"
        "> 1 WHOX BOB\n"
        "REPLY_WHOX @1 of=BOB extra=*;guest;unknown;;bob;H;;0;;/ count=1\n"
        "> 1 WHOX b*\n"
        "REPLY_WHOX @1 of=b*\n"
        "> 2 WHOX b*\n"
        "REPLY_WHOX @2 of=b* extra=*;guest;unknown;;bob;H;;0;;/ count=1\n"
        "> 1 WHOX/OPERS bob\n"
        "REPLY_WHOX @1 of=bob\n"
        "> 1 WHOX nobody\n"
        "REPLY_WHOX @1 of=nobody\n");
}

static void test_masks_are_held_against_all_that_shows(void **state)
{
    (void)state;
    run(&(struct hub_settings){0},
        "> 1 REGISTER alice | 192.0.2.1:5000 || al;cloak.example;Alice Liddell;/\n"
        "WELCOME @1 by=alice src=al@cloak.example\n"
        "> 2 REGISTER bob | 192.0.2.2:5000 || b;hidden.example;Bob;/\n"
        "WELCOME @2 by=bob src=b@hidden.example\n"
        "> 1 WHOX *LI*\n"
        "REPLY_WHOX @1 of=*LI* extra=*;al;cloak.example;192.0.2.1;alice;H;;0;Alice Liddell;/ "
        "count=1\n"
        "> 1 WHOX *.example\n"
        "REPLY_WHOX @1 of=*.example extra=*;al;cloak.example;192.0.2.1;alice;H;;0;Alice "
        "Liddell;/*;b;hidden.example;;bob;H;;0;Bob;/ count=2\n"
        "> 1 WHOX ?\n"
        "REPLY_WHOX @1 of=? extra=*;b;hidden.example;;bob;H;;0;Bob;/ count=1\n"
        "> 1 WHOX hidden.*\n"
        "REPLY_WHOX @1 of=hidden.* extra=*;b;hidden.example;;bob;H;;0;Bob;/ count=1\n"
        "> 1 WHOX *liddell\n"
        "REPLY_WHOX @1 of=*liddell extra=*;al;cloak.example;192.0.2.1;alice;H;;0;Alice Liddell;/ "
        "count=1\n"
        "> 1 WHOX serve?\n"
        "REPLY_WHOX @1 of=serve? extra=*;al;cloak.example;192.0.2.1;alice;H;;0;Alice "
        "Liddell;/*;b;hidden.example;;bob;H;;0;Bob;/ count=2\n"
        "> 1 WHOX 192.0.2.2\n"
        "REPLY_WHOX @1 of=192.0.2.2\n"
        "> *9 WHOX 192.0.2.2\n"
        "REPLY_WHOX @9 of=192.0.2.2 extra=*;b;hidden.example;192.0.2.2;bob;H;;0;Bob;/ count=1\n"
        "> 1 WHOX 0\n"
        "REPLY_WHOX @1 of=0 extra=*;al;cloak.example;192.0.2.1;alice;H;;0;Alice "
        "Liddell;/*;b;hidden.example;;bob;H;;0;Bob;/ count=2\n"
        "> 1 WHOX *\n"
        "REPLY_WHOX @1 of=* extra=*;al;cloak.example;192.0.2.1;alice;H;;0;Alice "
        "Liddell;/*;b;hidden.example;;bob;H;;0;Bob;/ count=2\n"
        "> 1 WHOX\n"
        "REPLY_WHOX @1 extra=*;al;cloak.example;192.0.2.1;alice;H;;0;Alice "
        "Liddell;/*;b;hidden.example;;bob;H;;0;Bob;/ count=2\n");
}

static void test_who_shares_a_room_sees_the_invisible(void **state)
{
    (void)state;
    run(&(struct hub_settings){0},
        "> 1 REGISTER alice\n"
        "WELCOME @1 by=alice\n"
        "> 2 REGISTER bob\n"
        "WELCOME @2 by=bob\n"
        "> 3 REGISTER carol\n"
        "WELCOME @3 by=carol\n"
        "> 2 USER_MODE bob | +i;;/\n"
        "USER_MODE @2 by=bob of=bob extra=+i;;/ count=1\n"
        "> 3 USER_MODE carol | +i;;/\n"
        "USER_MODE @3 by=carol of=carol extra=+i;;/ count=1\n"
        "> 1 JOIN games\n"
        "ENTERED @1 room=games by=alice count=1\n"
        "JOINED #games by=alice count=1\n"
        "> 2 JOIN games\n"
        "ENTERED @2 room=games by=bob count=2\n"
        "JOINED #games by=bob count=2\n"
        "> 1 WHOX *\n"
        "REPLY_WHOX @1 of=* extra=*;guest;unknown;;alice;H;;0;;/*;guest;unknown;;bob;H;;0;;/ "
        "count=2\n"
        "> *9 WHOX *\n"
        "REPLY_WHOX @9 of=* "
        "extra=*;guest;unknown;;alice;H;;0;;/*;guest;unknown;;bob;H;;0;;/"
        "*;guest;unknown;;carol;H;;0;;/ count=3\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_who_of_a_room_lists_its_members_in_order),
        cmocka_unit_test(test_an_outsider_sees_neither_the_invisible_nor_secret_rooms),
        cmocka_unit_test(test_a_name_finds_also_the_invisible),
        cmocka_unit_test(test_masks_are_held_against_all_that_shows),
        cmocka_unit_test(test_who_shares_a_room_sees_the_invisible),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
