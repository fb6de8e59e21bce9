/* SPDX-License-Identifier: MIT */
#include "core/hub.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "core/hub_script.h"

/* The modes of a room: who may change them, what is refused, what is told. */

static void run(const char *script, const struct hub_limits *limits)
{
    struct hub_settings settings = {.identity_seed = 5};
    if (limits != NULL) {
        settings.limits = *limits;
    }
    struct hub *hub = hub_create(&settings);
    hub_script_run(hub, script);
    hub_destroy(hub);
}

static void test_a_new_room_has_modes_and_an_operator(void **state)
{
    (void)state;
    run("> 1 REGISTER alice\n"
        "WELCOME @1 by=alice\n"
        "> 1 JOIN den\n"
        "ENTERED @1 room=den by=alice count=1\n"
        "JOINED #den by=alice count=1\n"
        "> 1 MODE den\n"
        "REPLY_MODE @1 room=den extra=+nt;;1;/ count=1\n"
        "> 2 REGISTER bob\n"
        "WELCOME @2 by=bob\n"
        "> 2 JOIN den\n"
        "ENTERED @2 room=den by=bob count=2\n"
        "JOINED #den by=bob count=2\n"
        "> 2 NAMES den\n"
        "REPLY_NAMES @2 room=den of=den extra=@;alice;guest;unknown;/;bob;guest;unknown;/ count=2\n"
        "> 2 MODE den | +m;;/\n"
        "ERROR @2 NOT_RANKED text=den\n",
        NULL);
}

static void test_nobody_has_a_rank_in_the_lobby(void **state)
{
    (void)state;
    run("> 1 ENTER alice\n"
        "WELCOME @1 by=alice\n"
        "ENTERED @1 room=lobby by=alice count=1\n"
        "JOINED #lobby by=alice count=1\n"
        "> 1 MODE lobby\n"
        "REPLY_MODE @1 room=lobby extra=+n;;1;/ count=1\n"
        "> 1 MODE lobby | +m;;/\n"
        "ERROR @1 NOT_RANKED text=lobby\n"
        "> *9 MODE lobby | +m;;/\n"
        "MODE #lobby by=server extra=+m;;/ count=1 n=1\n"
        "REPLY_DONE @9\n",
        NULL);
}

static void test_changes_are_told_in_one_event_and_only_those_that_change_something(void **state)
{
    (void)state;
    run("> 1 REGISTER alice\n"
        "WELCOME @1 by=alice\n"
        "> 1 JOIN den\n"
        "ENTERED @1 room=den by=alice count=1\n"
        "JOINED #den by=alice count=1\n"
        "> 1 MODE den | +m;;/-t;;/+n;;/+C;;/-s;;/\n"
        "MODE #den by=alice extra=+m;;/-t;;/+C;;/ count=3 n=1\n"
        "> 1 MODE den | +m;;/\n"
        "> 1 MODE den\n"
        "REPLY_MODE @1 room=den extra=+mnC;;1;/ count=1\n",
        NULL);
}

static void test_what_will_not_do_is_refused_and_the_rest_is_done(void **state)
{
    (void)state;
    run("> 1 REGISTER alice\n"
        "WELCOME @1 by=alice\n"
        "> 1 JOIN den\n"
        "ENTERED @1 room=den by=alice count=1\n"
        "JOINED #den by=alice count=1\n"
        "> 1 MODE den | "
        "+x;;/+l;;?;/+o;;?;/+k;;?;/+l;none;/+l;0;/+l;1234567890;/+k;a,b;/+k;:a;/+k;a "
        "b;/+k;;/+m;;/\n"
        "ERROR @1 room=den MODE_UNKNOWN text=x\n"
        "ERROR @1 room=den MODE_PARAM text=l\n"
        "ERROR @1 room=den MODE_PARAM text=o\n"
        "ERROR @1 room=den MODE_PARAM text=k\n"
        "ERROR @1 room=den MODE_BAD text=l extra=none\n"
        "ERROR @1 room=den MODE_BAD text=l extra=0\n"
        "ERROR @1 room=den MODE_BAD text=l extra=1234567890\n"
        "ERROR @1 room=den MODE_BAD text=k extra=a,b\n"
        "ERROR @1 room=den MODE_BAD text=k extra=:a\n"
        "ERROR @1 room=den MODE_BAD text=k extra=a b\n"
        "ERROR @1 room=den MODE_BAD text=k\n"
        "MODE #den by=alice extra=+m;;/ count=1 n=1\n",
        NULL);
}

static void test_ranks_are_given_to_members_and_taken_from_them(void **state)
{
    (void)state;
    run("> 1 REGISTER alice\n"
        "WELCOME @1 by=alice\n"
        "> 1 JOIN den\n"
        "ENTERED @1 room=den by=alice count=1\n"
        "JOINED #den by=alice count=1\n"
        "> 2 REGISTER bob\n"
        "WELCOME @2 by=bob\n"
        "> 2 JOIN den\n"
        "ENTERED @2 room=den by=bob count=2\n"
        "JOINED #den by=bob count=2\n"
        "> 1 MODE den | +o;nobody;/+v;BOB;/+v;bob;/\n"
        "ERROR @1 NO_SUCH_NAME text=nobody\n"
        "MODE #den by=alice extra=+v;bob;/ count=1 n=1\n"
        "> 3 REGISTER carol\n"
        "WELCOME @3 by=carol\n"
        "> 1 MODE den | +o;carol;/\n"
        "ERROR @1 room=den NOT_THERE text=den extra=carol\n"
        "> 2 MODE den | +o;bob;/\n"
        "ERROR @2 NOT_RANKED text=den\n"
        "> 1 MODE den | +o;bob;/-o;alice;/\n"
        "MODE #den by=alice extra=+o;bob;/-o;alice;/ count=2 n=2\n"
        "> 1 MODE den | +m;;/\n"
        "ERROR @1 NOT_RANKED text=den\n"
        "> 1 NAMES den\n"
        "REPLY_NAMES @1 room=den of=den extra=;alice;guest;unknown;/@+;bob;guest;unknown;/ "
        "count=2\n"
        "> 3 MODE den | +m;;/\n"
        "ERROR @3 NOT_IN_ROOM text=den\n"
        "> 3 MODE nowhere | +m;;/\n"
        "ERROR @3 NO_SUCH_ROOM text=nowhere\n",
        NULL);
}

static void test_a_key_is_shown_to_members_alone(void **state)
{
    (void)state;
    run("> 1 REGISTER alice\n"
        "WELCOME @1 by=alice\n"
        "> 1 JOIN den\n"
        "ENTERED @1 room=den by=alice count=1\n"
        "JOINED #den by=alice count=1\n"
        "> 1 MODE den | +k;fish;/+l;7;/\n"
        "MODE #den by=alice extra=+k;fish;/+l;7;/ count=2 n=1\n"
        "SEALED @0 room=den value=all n=2\n"
        "> 1 MODE den\n"
        "REPLY_MODE @1 room=den extra=+ntkl;fish 7;1;/ count=1\n"
        "> 2 REGISTER bob\n"
        "WELCOME @2 by=bob\n"
        "> 2 MODE den\n"
        "REPLY_MODE @2 room=den extra=+ntkl;* 7;1;/ count=1\n"
        "> 1 MODE den | +k;cats;/\n"
        "MODE #den by=alice extra=+k;cats;/ count=1 n=3\n"
        "> 1 MODE den | -k;;?;/-l;;/\n"
        "MODE #den by=alice extra=-k;*;/-l;;/ count=2 n=4\n"
        "> 1 MODE den\n"
        "REPLY_MODE @1 room=den extra=+nt;;1;/ count=1\n",
        NULL);
}

static void test_lists_hold_each_mask_once(void **state)
{
    (void)state;
    run("> 1 REGISTER alice\n"
        "WELCOME @1 by=alice\n"
        "> 1 JOIN den\n"
        "ENTERED @1 room=den by=alice count=1\n"
        "JOINED #den by=alice count=1\n"
        "> 1 MODE den | +b;Bob;/+b;bob!*@*;/+b;*.example.com;/+e;m:eve;/+I;a:zoe;/\n"
        "MODE #den by=alice extra=+b;Bob!*@*;/+b;*!*@*.example.com;/+e;m:eve!*@*;/+I;a:zoe;/ "
        "count=4 n=1\n"
        "> 1 MODE den | +b;;?;/+e;;?;/+I;;?;/\n"
        "REPLY_MASKS @1 room=den "
        "extra=Bob!*@*;alice!guest@unknown;1;/*!*@*.example.com;alice!guest@unknown;1;/ value=b "
        "count=2\n"
        "REPLY_MASKS @1 room=den extra=m:eve!*@*;alice!guest@unknown;1;/ value=e count=1\n"
        "REPLY_MASKS @1 room=den extra=a:zoe;alice!guest@unknown;1;/ value=I count=1\n"
        "> 1 MODE den | -b;BOB;/-b;nobody;/-e;m:EVE!*@*;/\n"
        "MODE #den by=alice extra=-b;Bob!*@*;/-e;m:eve!*@*;/ count=2 n=2\n"
        "> 1 MODE den | +b;;?;/+e;;?;/\n"
        "REPLY_MASKS @1 room=den extra=*!*@*.example.com;alice!guest@unknown;1;/ value=b count=1\n"
        "REPLY_MASKS @1 room=den value=e\n",
        NULL);
}

static void test_masks_that_are_none_are_refused(void **state)
{
    (void)state;
    run("> 1 REGISTER alice\n"
        "WELCOME @1 by=alice\n"
        "> 1 JOIN den\n"
        "ENTERED @1 room=den by=alice count=1\n"
        "JOINED #den by=alice count=1\n"
        "> 1 MODE den | +b;a b;/+b;x:y;/+b;m:a b;/+b;m:;/\n"
        "ERROR @1 room=den MODE_BAD text=b extra=a b\n"
        "ERROR @1 room=den MODE_BAD text=b extra=x:y\n"
        "ERROR @1 room=den MODE_BAD text=b extra=m:a b\n"
        "ERROR @1 room=den MODE_BAD text=b extra=m:\n",
        NULL);
}

static void test_the_lists_of_a_room_have_one_limit(void **state)
{
    (void)state;
    run("> 1 REGISTER alice\n"
        "WELCOME @1 by=alice\n"
        "> 1 JOIN den\n"
        "ENTERED @1 room=den by=alice count=1\n"
        "JOINED #den by=alice count=1\n"
        "> 1 MODE den | +b;a;/+e;b;/+b;c;/+I;d;/-b;a;/+b;c;/+b;c;/\n"
        "ERROR @1 room=den LIST_FULL text=b extra=c!*@* count=2\n"
        "ERROR @1 room=den LIST_FULL text=I extra=d!*@* count=2\n"
        "MODE #den by=alice extra=+b;a!*@*;/+e;b!*@*;/-b;a!*@*;/+b;c!*@*;/ count=4 n=1\n",
        &(struct hub_limits){.masks = 2});
}

static void test_bans_are_shown_to_all_who_see_the_room_and_other_lists_to_its_operators(
    void **state)
{
    (void)state;
    run("> 1 REGISTER alice\n"
        "WELCOME @1 by=alice\n"
        "> 1 JOIN den\n"
        "ENTERED @1 room=den by=alice count=1\n"
        "JOINED #den by=alice count=1\n"
        "> 2 REGISTER bob\n"
        "WELCOME @2 by=bob\n"
        "> 2 JOIN den\n"
        "ENTERED @2 room=den by=bob count=2\n"
        "JOINED #den by=bob count=2\n"
        "> 1 MODE den | +b;eve;/+e;zoe;/\n"
        "MODE #den by=alice extra=+b;eve!*@*;/+e;zoe!*@*;/ count=2 n=1\n"
        "> 2 MODE den | +b;;?;/+e;;?;/\n"
        "REPLY_MASKS @2 room=den extra=eve!*@*;alice!guest@unknown;1;/ value=b count=1\n"
        "ERROR @2 NOT_RANKED text=den\n"
        "> 3 REGISTER carol\n"
        "WELCOME @3 by=carol\n"
        "> 3 MODE den | +b;;?;/+e;;?;/\n"
        "REPLY_MASKS @3 room=den extra=eve!*@*;alice!guest@unknown;1;/ value=b count=1\n"
        "ERROR @3 NOT_IN_ROOM text=den\n"
        "> 1 MODE den | +s;;/\n"
        "MODE #den by=alice extra=+s;;/ count=1 n=2\n"
        "SEALED @0 room=den value=all n=3\n"
        "> 3 MODE den | +b;;?;/\n"
        "ERROR @3 NO_SUCH_ROOM text=den\n"
        "> 3 MODE den\n"
        "ERROR @3 NO_SUCH_ROOM text=den\n",
        NULL);
}

static void test_a_secret_room_is_hidden_from_outsiders(void **state)
{
    (void)state;
    run("> 1 REGISTER alice\n"
        "WELCOME @1 by=alice\n"
        "> 1 JOIN den\n"
        "ENTERED @1 room=den by=alice count=1\n"
        "JOINED #den by=alice count=1\n"
        "> 1 MODE den | +s;;/\n"
        "MODE #den by=alice extra=+s;;/ count=1 n=1\n"
        "SEALED @0 room=den value=all n=2\n"
        "> 1 LIST\n"
        "REPLY_LIST @1 extra=den;1;;1;0;/ count=1\n"
        "> 1 NAMES den\n"
        "REPLY_NAMES @1 room=den of=den extra=@;alice;guest;unknown;/ secret count=1\n"
        "> 2 REGISTER bob\n"
        "WELCOME @2 by=bob\n"
        "> 2 LIST\n"
        "REPLY_LIST @2\n"
        "> 2 LIST den\n"
        "REPLY_LIST @2\n"
        "> 2 NAMES den\n"
        "REPLY_NAMES @2 of=den\n"
        "> 2 ROOMS\n"
        "REPLY_ROOMS @2\n"
        "> 2 WHO den\n"
        "ERROR @2 NO_SUCH_ROOM text=den\n"
        "> 2 GET_TOPIC den\n"
        "ERROR @2 NO_SUCH_ROOM text=den\n"
        "> 2 TOPIC den | tea\n"
        "ERROR @2 NO_SUCH_ROOM text=den\n"
        "> 2 SAY den | hello\n"
        "ERROR @2 NO_SUCH_ROOM text=den\n"
        "> 2 LEAVE den\n"
        "ERROR @2 NO_SUCH_ROOM text=den\n"
        "> 2 INVITE den || alice\n"
        "ERROR @2 NO_SUCH_ROOM text=den\n"
        "> 2 MODE den | +m;;/\n"
        "ERROR @2 NO_SUCH_ROOM text=den\n"
        "> *9 LIST\n"
        "REPLY_LIST @9 extra=den;1;;1;0;/ count=1\n"
        "> 2 OPER | root\n"
        "OPERED @2 by=bob\n"
        "USER_MODE @2 by=bob of=bob extra=+o;;/ count=1\n"
        "> 2 LIST\n"
        "REPLY_LIST @2 extra=den;1;;1;0;/ count=1\n"
        "> 2 NAMES den\n"
        "REPLY_NAMES @2 room=den of=den extra=@;alice;guest;unknown;/ secret count=1\n"
        "> 2 MODE den | -s;;/\n"
        "MODE #den by=bob extra=-s;;/ count=1 n=3\n"
        "MODE @2 room=den by=bob extra=-s;;/ own count=1 n=3\n",
        NULL);
}

static void test_rooms_are_listed_with_their_topics(void **state)
{
    (void)state;
    run("> 1 REGISTER alice\n"
        "WELCOME @1 by=alice\n"
        "> 1 JOIN den\n"
        "ENTERED @1 room=den by=alice count=1\n"
        "JOINED #den by=alice count=1\n"
        "> 1 TOPIC den | tea\n"
        "TOPIC #den by=alice text=tea seq=1 n=1\n"
        "> 1 JOIN empty\n"
        "ENTERED @1 room=empty by=alice count=1\n"
        "JOINED #empty by=alice count=1\n"
        "> 1 SAY empty | well\n"
        "MESSAGE #empty by=alice text=well seq=1 n=2\n"
        "> 1 LEAVE empty\n"
        "GONE_FROM @1 room=empty by=alice\n"
        "LEFT #empty by=alice\n"
        "> 1 LIST\n"
        "REPLY_LIST @1 extra=den;1;tea;1;1;/ count=1\n"
        "> 1 LIST DEN\n"
        "REPLY_LIST @1 extra=den;1;tea;1;1;/ count=1\n"
        "> 1 LIST empty\n"
        "REPLY_LIST @1\n"
        "> 1 LIST nowhere\n"
        "REPLY_LIST @1\n"
        "> 1 NAMES\n"
        "REPLY_NAMES @1\n"
        "> 1 NAMES empty\n"
        "REPLY_NAMES @1 of=empty\n"
        "> 1 NAMES nowhere\n"
        "REPLY_NAMES @1 of=nowhere\n",
        NULL);
}

static void test_modes_end_when_nobody_is_in_the_room(void **state)
{
    (void)state;
    run("> 1 REGISTER alice\n"
        "WELCOME @1 by=alice\n"
        "> 1 JOIN den\n"
        "ENTERED @1 room=den by=alice count=1\n"
        "JOINED #den by=alice count=1\n"
        "> 2 REGISTER bob\n"
        "WELCOME @2 by=bob\n"
        "> 2 JOIN den\n"
        "ENTERED @2 room=den by=bob count=2\n"
        "JOINED #den by=bob count=2\n"
        "> 1 SAY den | well\n"
        "MESSAGE #den by=alice text=well seq=1 n=1\n"
        "> 1 MODE den | +m;;/+l;9;/+b;eve;/+v;bob;/\n"
        "MODE #den by=alice extra=+m;;/+l;9;/+b;eve!*@*;/+v;bob;/ count=4 n=2\n"
        "> 1 LEAVE den\n"
        "GONE_FROM @1 room=den by=alice\n"
        "LEFT #den by=alice count=1\n"
        "> 2 LEAVE den\n"
        "GONE_FROM @2 room=den by=bob\n"
        "LEFT #den by=bob\n"
        "> 2 MODE den\n"
        "ERROR @2 NO_SUCH_ROOM text=den\n"
        "> 2 JOIN den\n"
        "ENTERED @2 room=den by=bob count=1 seq=1 [well]\n"
        "JOINED #den by=bob count=1\n"
        "> 2 MODE den\n"
        "REPLY_MODE @2 room=den extra=+nt;;1;/ count=1\n"
        "> 2 MODE den | +b;;?;/\n"
        "REPLY_MASKS @2 room=den value=b\n",
        NULL);
}

static void test_while_the_log_fails_lists_are_shown_and_nothing_is_changed(void **state)
{
    (void)state;
    run("> 1 REGISTER alice\n"
        "WELCOME @1 by=alice\n"
        "> 1 JOIN den\n"
        "ENTERED @1 room=den by=alice count=1\n"
        "JOINED #den by=alice count=1\n"
        "> 1 MODE den | +b;eve;/\n"
        "MODE #den by=alice extra=+b;eve!*@*;/ count=1 n=1\n"
        "> ! disk full\n"
        "> 1 MODE den | +b;;?;/+m;;/+b;zoe;/\n"
        "ERROR @1 NOT_STORED text=disk full\n"
        "REPLY_MASKS @1 room=den extra=eve!*@*;alice!guest@unknown;1;/ value=b count=1\n"
        "> 1 MODE den\n"
        "REPLY_MODE @1 room=den extra=+nt;;1;/ count=1\n",
        NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_new_room_has_modes_and_an_operator),
        cmocka_unit_test(test_nobody_has_a_rank_in_the_lobby),
        cmocka_unit_test(test_changes_are_told_in_one_event_and_only_those_that_change_something),
        cmocka_unit_test(test_what_will_not_do_is_refused_and_the_rest_is_done),
        cmocka_unit_test(test_ranks_are_given_to_members_and_taken_from_them),
        cmocka_unit_test(test_a_key_is_shown_to_members_alone),
        cmocka_unit_test(test_lists_hold_each_mask_once),
        cmocka_unit_test(test_masks_that_are_none_are_refused),
        cmocka_unit_test(test_the_lists_of_a_room_have_one_limit),
        cmocka_unit_test(
            test_bans_are_shown_to_all_who_see_the_room_and_other_lists_to_its_operators),
        cmocka_unit_test(test_a_secret_room_is_hidden_from_outsiders),
        cmocka_unit_test(test_rooms_are_listed_with_their_topics),
        cmocka_unit_test(test_modes_end_when_nobody_is_in_the_room),
        cmocka_unit_test(test_while_the_log_fails_lists_are_shown_and_nothing_is_changed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
