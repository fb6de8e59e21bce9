/* SPDX-License-Identifier: MIT */
#include "core/hub.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "core/hub_script.h"

/* The door of a room: bans, invitations, keys and limits. */

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

static void test_a_session_registers_with_its_name_or_not_at_all(void **state)
{
    (void)state;
    run("> 1 REGISTER alice | 10.0.0.1:5000 || al;cloak.a;Alice A;/\n"
        "WELCOME @1 by=alice src=al@cloak.a\n"
        "> 2 REGISTER ALICE\n"
        "ERROR @2 NAME_TAKEN text=ALICE\n"
        "> 2 REGISTER 3bad\n"
        "ERROR @2 NAME_BAD text=3bad\n"
        "> 2 REGISTER\n"
        "ERROR @2 NAME_BAD\n"
        "> 2 JOIN den\n"
        "> 2 REGISTER bob\n"
        "WELCOME @2 by=bob\n"
        "> 1 JOIN den\n"
        "ENTERED @1 room=den by=alice src=al@cloak.a count=1\n"
        "JOINED #den by=alice src=al@cloak.a extra=Alice A count=1\n"
        "> 1 JOIN den\n"
        "ERROR @1 IN_ROOM text=den\n"
        "> 1 SAY den | hello\n"
        "MESSAGE #den by=alice src=al@cloak.a text=hello seq=1 n=1\n"
        "> 1 NICK anna\n"
        "RENAMED +1+ by=alice src=al@cloak.a of=anna\n"
        "> 1 QUIT | bye\n"
        "GOODBYE @1 by=anna src=al@cloak.a text=bye\n"
        "QUIT +1+ by=anna src=al@cloak.a text=bye count=1\n",
        NULL);
}

static void test_what_is_told_of_a_session_is_cut(void **state)
{
    (void)state;
    run("> 1 REGISTER alice || a_user_with_a_long_name;host;A name that is longer;/\n"
        "WELCOME @1 by=alice src=a_user_with_a_lo@host\n"
        "> 1 JOIN den\n"
        "ENTERED @1 room=den by=alice src=a_user_with_a_lo@host count=1\n"
        "JOINED #den by=alice src=a_user_with_a_lo@host extra=A name count=1\n",
        &(struct hub_limits){.real_name_bytes = 6});
}

static void test_names_come_with_joining_when_they_are_asked_for(void **state)
{
    (void)state;
    run("> 1 REGISTER alice\n"
        "WELCOME @1 by=alice\n"
        "> 1 JOIN den\n"
        "ENTERED @1 room=den by=alice count=1\n"
        "JOINED #den by=alice count=1\n"
        "> 2 REGISTER bob | 10.0.0.2:5000 || b;cloak.b;Bob B;/\n"
        "WELCOME @2 by=bob src=b@cloak.b\n"
        "> 2 JOIN/NAMES den\n"
        "ENTERED @2 room=den by=bob src=b@cloak.b count=2\n"
        "JOINED #den by=bob src=b@cloak.b extra=Bob B count=2\n"
        "REPLY_NAMES @2 room=den of=den extra=@;alice;guest;unknown;/;bob;b;cloak.b;/ count=2\n",
        NULL);
}

static void test_refusals_have_an_order(void **state)
{
    (void)state;
    run("> 1 REGISTER alice\n"
        "WELCOME @1 by=alice\n"
        "> 1 JOIN den\n"
        "ENTERED @1 room=den by=alice count=1\n"
        "JOINED #den by=alice count=1\n"
        "> 2 REGISTER bob | 10.0.0.2:5000 || b;cloak.b;Bob B;/\n"
        "WELCOME @2 by=bob src=b@cloak.b\n"
        "> 1 MODE den | +b;bob;/+i;;/+k;fish;/+l;1;/\n"
        "MODE #den by=alice extra=+b;bob!*@*;/+i;;/+k;fish;/+l;1;/ count=4 n=1\n"
        "SEALED @0 room=den value=all n=2\n"
        "> 2 JOIN den\n"
        "ERROR @2 BANNED text=den\n"
        "> 1 MODE den | -b;bob;/\n"
        "MODE #den by=alice extra=-b;bob!*@*;/ count=1 n=3\n"
        "> 2 JOIN den\n"
        "ERROR @2 INVITE_ONLY text=den\n"
        "> 1 MODE den | -i;;/\n"
        "MODE #den by=alice extra=-i;;/ count=1 n=4\n"
        "> 2 JOIN den || cats\n"
        "ERROR @2 KEY text=den\n"
        "> 2 JOIN den || fish\n"
        "ERROR @2 ROOM_FULL text=den\n"
        "> 1 MODE den | -l;;/\n"
        "MODE #den by=alice extra=-l;;/ count=1 n=5\n"
        "> 2 JOIN den || fish\n"
        "ENTERED @2 room=den by=bob src=b@cloak.b count=2\n"
        "JOINED #den by=bob src=b@cloak.b extra=Bob B count=2\n",
        NULL);
}

static void test_bans_match_the_shown_host_and_the_real_address(void **state)
{
    (void)state;
    run("> 1 REGISTER alice\n"
        "WELCOME @1 by=alice\n"
        "> 1 JOIN den\n"
        "ENTERED @1 room=den by=alice count=1\n"
        "JOINED #den by=alice count=1\n"
        "> 2 REGISTER bob | 10.0.0.2:5000 || b;cloak.b;Bob B;/\n"
        "WELCOME @2 by=bob src=b@cloak.b\n"
        "> 1 MODE den | +b;*!*@CLOAK.*;/\n"
        "MODE #den by=alice extra=+b;*!*@CLOAK.*;/ count=1 n=1\n"
        "> 2 JOIN den\n"
        "ERROR @2 BANNED text=den\n"
        "> 1 MODE den | -b;*!*@cloak.*;/+b;*!*@10.0.0.?;/\n"
        "MODE #den by=alice extra=-b;*!*@CLOAK.*;/+b;*!*@10.0.0.?;/ count=2 n=2\n"
        "> 2 JOIN den\n"
        "ERROR @2 BANNED text=den\n"
        "> 1 MODE den | -b;*!*@10.0.0.?;/+b;*!*@10.0.0.2:5000;/+b;a:bob;/\n"
        "MODE #den by=alice extra=-b;*!*@10.0.0.?;/+b;*!*@10.0.0.2:5000;/+b;a:bob;/ count=3 n=3\n"
        "> 2 JOIN den\n"
        "ENTERED @2 room=den by=bob src=b@cloak.b count=2\n"
        "JOINED #den by=bob src=b@cloak.b extra=Bob B count=2\n"
        "> 3 REGISTER six | [2001:db8::1]:99\n"
        "WELCOME @3 by=six\n"
        "> 1 MODE den | +b;*!*@2001:db8:*;/\n"
        "MODE #den by=alice extra=+b;*!*@2001:db8:*;/ count=1 n=4\n"
        "> 3 JOIN den\n"
        "ERROR @3 BANNED text=den\n",
        NULL);
}

static void test_exceptions_lift_bans(void **state)
{
    (void)state;
    run("> 1 REGISTER alice\n"
        "WELCOME @1 by=alice\n"
        "> 1 JOIN den\n"
        "ENTERED @1 room=den by=alice count=1\n"
        "JOINED #den by=alice count=1\n"
        "> 2 REGISTER bob | 10.0.0.2:5000 || b;cloak.b;Bob B;/\n"
        "WELCOME @2 by=bob src=b@cloak.b\n"
        "> 1 MODE den | +b;*;/+e;*!b@*;/\n"
        "MODE #den by=alice extra=+b;*!*@*;/+e;*!b@*;/ count=2 n=1\n"
        "> 2 JOIN den\n"
        "ENTERED @2 room=den by=bob src=b@cloak.b count=2\n"
        "JOINED #den by=bob src=b@cloak.b extra=Bob B count=2\n"
        "> 2 SAY den | hello\n"
        "MESSAGE #den by=bob src=b@cloak.b text=hello seq=1 n=2\n",
        NULL);
}

static void test_invite_exceptions_open_an_invite_only_room(void **state)
{
    (void)state;
    run("> 1 REGISTER alice\n"
        "WELCOME @1 by=alice\n"
        "> 1 JOIN den\n"
        "ENTERED @1 room=den by=alice count=1\n"
        "JOINED #den by=alice count=1\n"
        "> 2 REGISTER bob | 10.0.0.2:5000 || b;cloak.b;Bob B;/\n"
        "WELCOME @2 by=bob src=b@cloak.b\n"
        "> 1 MODE den | +i;;/+I;bob;/\n"
        "MODE #den by=alice extra=+i;;/+I;bob!*@*;/ count=2 n=1\n"
        "SEALED @0 room=den value=all n=2\n"
        "> 2 JOIN den\n"
        "ENTERED @2 room=den by=bob src=b@cloak.b count=2\n"
        "JOINED #den by=bob src=b@cloak.b extra=Bob B count=2\n",
        NULL);
}

static void test_an_invitation_lets_in_once(void **state)
{
    (void)state;
    run("> 1 REGISTER alice\n"
        "WELCOME @1 by=alice\n"
        "> 1 JOIN den\n"
        "ENTERED @1 room=den by=alice count=1\n"
        "JOINED #den by=alice count=1\n"
        "> 2 REGISTER bob | 10.0.0.2:5000 || b;cloak.b;Bob B;/\n"
        "WELCOME @2 by=bob src=b@cloak.b\n"
        "> 1 MODE den | +i;;/\n"
        "MODE #den by=alice extra=+i;;/ count=1 n=1\n"
        "SEALED @0 room=den value=all n=2\n"
        "> 1 INVITE den || BOB\n"
        "INVITING @1 room=den by=alice of=bob\n"
        "INVITED @2 room=den by=alice of=bob\n"
        "> 1 INVITE den || bob\n"
        "INVITING @1 room=den by=alice of=bob\n"
        "INVITED @2 room=den by=alice of=bob\n"
        "> 2 INVITE\n"
        "REPLY_INVITES @2 extra=den;/ count=1\n"
        "> 2 JOIN den\n"
        "ENTERED @2 room=den by=bob src=b@cloak.b count=2\n"
        "JOINED #den by=bob src=b@cloak.b extra=Bob B count=2\n"
        "> 2 INVITE\n"
        "REPLY_INVITES @2\n"
        "> 2 LEAVE den\n"
        "GONE_FROM @2 room=den by=bob src=b@cloak.b\n"
        "LEFT #den by=bob src=b@cloak.b count=1\n"
        "> 2 JOIN den\n"
        "ERROR @2 INVITE_ONLY text=den\n",
        NULL);
}

/* Carol is no operator of the room, which is open: her invitation is news, not a key. */
static void test_a_members_invitation_passes_no_ban_no_key_and_no_limit(void **state)
{
    (void)state;
    run("> 1 REGISTER alice\n"
        "WELCOME @1 by=alice\n"
        "> 1 JOIN den\n"
        "ENTERED @1 room=den by=alice count=1\n"
        "JOINED #den by=alice count=1\n"
        "> 2 REGISTER bob | 10.0.0.2:5000 || b;cloak.b;Bob B;/\n"
        "WELCOME @2 by=bob src=b@cloak.b\n"
        "> 3 REGISTER carol\n"
        "WELCOME @3 by=carol\n"
        "> 3 JOIN den\n"
        "ENTERED @3 room=den by=carol count=2\n"
        "JOINED #den by=carol count=2\n"
        "> 3 INVITE den || bob\n"
        "INVITING @3 room=den by=carol of=bob\n"
        "INVITED @2 room=den by=carol of=bob\n"
        "INVITED #den by=carol of=bob watched\n"
        "> 1 MODE den | +b;bob;/\n"
        "MODE #den by=alice extra=+b;bob!*@*;/ count=1 n=1\n"
        "> 2 JOIN den\n"
        "ERROR @2 BANNED text=den\n"
        "> 1 MODE den | -b;bob;/+k;fish;/\n"
        "MODE #den by=alice extra=-b;bob!*@*;/+k;fish;/ count=2 n=2\n"
        "SEALED @0 room=den value=all n=3\n"
        "> 2 JOIN den\n"
        "ERROR @2 KEY text=den\n"
        "> 1 MODE den | -k;*;/+l;1;/\n"
        "MODE #den by=alice extra=-k;*;/+l;1;/ count=2 n=4\n"
        "> 2 JOIN den\n"
        "ERROR @2 ROOM_FULL text=den\n",
        NULL);
}

static void test_an_operators_invitation_passes_a_ban_and_the_limit_once(void **state)
{
    (void)state;
    run("> 1 REGISTER alice\n"
        "WELCOME @1 by=alice\n"
        "> 1 JOIN den\n"
        "ENTERED @1 room=den by=alice count=1\n"
        "JOINED #den by=alice count=1\n"
        "> 2 REGISTER bob | 10.0.0.2:5000 || b;cloak.b;Bob B;/\n"
        "WELCOME @2 by=bob src=b@cloak.b\n"
        "> 1 MODE den | +b;bob;/+k;fish;/+l;1;/\n"
        "MODE #den by=alice extra=+b;bob!*@*;/+k;fish;/+l;1;/ count=3 n=1\n"
        "SEALED @0 room=den value=all n=2\n"
        "> 1 INVITE den || bob\n"
        "INVITING @1 room=den by=alice of=bob\n"
        "INVITED @2 room=den by=alice of=bob\n"
        "INVITED #den by=alice of=bob watched\n"
        "> 2 JOIN den\n"
        "ERROR @2 KEY text=den\n"
        "> 2 JOIN den || fish\n"
        "ENTERED @2 room=den by=bob src=b@cloak.b count=2\n"
        "JOINED #den by=bob src=b@cloak.b extra=Bob B count=2\n"
        "> 2 LEAVE den\n"
        "GONE_FROM @2 room=den by=bob src=b@cloak.b\n"
        "LEFT #den by=bob src=b@cloak.b count=1\n"
        "> 2 JOIN den || fish\n"
        "ERROR @2 BANNED text=den\n",
        NULL);
}

static void test_an_invitation_ends_with_the_life_of_the_room(void **state)
{
    (void)state;
    run("> 1 REGISTER alice\n"
        "WELCOME @1 by=alice\n"
        "> 1 JOIN den\n"
        "ENTERED @1 room=den by=alice count=1\n"
        "JOINED #den by=alice count=1\n"
        "> 2 REGISTER bob | 10.0.0.2:5000 || b;cloak.b;Bob B;/\n"
        "WELCOME @2 by=bob src=b@cloak.b\n"
        "> 3 REGISTER carol\n"
        "WELCOME @3 by=carol\n"
        "> 1 SAY den | well\n"
        "MESSAGE #den by=alice text=well seq=1 n=1\n"
        "> 1 INVITE den || bob\n"
        "INVITING @1 room=den by=alice of=bob\n"
        "INVITED @2 room=den by=alice of=bob\n"
        "INVITED #den by=alice of=bob watched\n"
        "> 1 LEAVE den\n"
        "GONE_FROM @1 room=den by=alice\n"
        "LEFT #den by=alice\n"
        "> 2 INVITE\n"
        "REPLY_INVITES @2\n"
        "> 3 JOIN den\n"
        "ENTERED @3 room=den by=carol count=1 seq=1 [well]\n"
        "JOINED #den by=carol count=1\n"
        "> 3 MODE den | +i;;/\n"
        "MODE #den by=carol extra=+i;;/ count=1 n=2\n"
        "SEALED @0 room=den value=all n=3\n"
        "> 2 JOIN den\n"
        "ERROR @2 INVITE_ONLY text=den\n",
        NULL);
}

static void test_invitations_are_refused(void **state)
{
    (void)state;
    run("> 1 REGISTER alice\n"
        "WELCOME @1 by=alice\n"
        "> 1 JOIN den\n"
        "ENTERED @1 room=den by=alice count=1\n"
        "JOINED #den by=alice count=1\n"
        "> 2 REGISTER bob | 10.0.0.2:5000 || b;cloak.b;Bob B;/\n"
        "WELCOME @2 by=bob src=b@cloak.b\n"
        "> 3 REGISTER carol\n"
        "WELCOME @3 by=carol\n"
        "> 2 INVITE den || carol\n"
        "ERROR @2 NOT_IN_ROOM text=den\n"
        "> 2 INVITE nowhere || carol\n"
        "ERROR @2 NO_SUCH_ROOM text=nowhere\n"
        "> 1 INVITE den || nobody\n"
        "ERROR @1 NO_SUCH_NAME text=nobody\n"
        "> 1 INVITE den || alice\n"
        "ERROR @1 room=den THERE text=den extra=alice\n"
        "> 2 JOIN den\n"
        "ENTERED @2 room=den by=bob src=b@cloak.b count=2\n"
        "JOINED #den by=bob src=b@cloak.b extra=Bob B count=2\n"
        "> 2 INVITE den || carol\n"
        "INVITING @2 room=den by=bob src=b@cloak.b of=carol\n"
        "INVITED @3 room=den by=bob src=b@cloak.b of=carol\n"
        "INVITED #den by=bob src=b@cloak.b of=carol watched\n"
        "> 1 MODE den | +i;;/\n"
        "MODE #den by=alice extra=+i;;/ count=1 n=1\n"
        "SEALED @0 room=den value=all n=2\n"
        "> 2 INVITE den || carol\n"
        "ERROR @2 NOT_RANKED text=den\n",
        NULL);
}

static void test_who_could_have_invited_is_told(void **state)
{
    (void)state;
    run("> 1 REGISTER alice\n"
        "WELCOME @1 by=alice\n"
        "> 1 JOIN den\n"
        "ENTERED @1 room=den by=alice count=1\n"
        "JOINED #den by=alice count=1\n"
        "> 2 REGISTER bob | 10.0.0.2:5000 || b;cloak.b;Bob B;/\n"
        "WELCOME @2 by=bob src=b@cloak.b\n"
        "> 2 JOIN den\n"
        "ENTERED @2 room=den by=bob src=b@cloak.b count=2\n"
        "JOINED #den by=bob src=b@cloak.b extra=Bob B count=2\n"
        "> 3 REGISTER carol\n"
        "WELCOME @3 by=carol\n"
        "> 4 REGISTER dave\n"
        "WELCOME @4 by=dave\n"
        "> 4 JOIN den\n"
        "ENTERED @4 room=den by=dave count=3\n"
        "JOINED #den by=dave count=3\n"
        "> 1 MODE den | +i;;/+o;bob;/\n"
        "MODE #den by=alice extra=+i;;/+o;bob;/ count=2 n=1\n"
        "SEALED @0 room=den value=all n=2\n"
        "> 1 INVITE den || carol\n"
        "INVITING @1 room=den by=alice of=carol\n"
        "INVITED @3 room=den by=alice of=carol\n"
        "INVITED @2 room=den by=alice of=carol watched\n",
        NULL);
}

static void test_entering_a_room_that_was_empty_asks_for_nothing(void **state)
{
    (void)state;
    run("> 1 REGISTER alice\n"
        "WELCOME @1 by=alice\n"
        "> 1 JOIN den\n"
        "ENTERED @1 room=den by=alice count=1\n"
        "JOINED #den by=alice count=1\n"
        "> 2 REGISTER bob | 10.0.0.2:5000 || b;cloak.b;Bob B;/\n"
        "WELCOME @2 by=bob src=b@cloak.b\n"
        "> 1 SAY den | well\n"
        "MESSAGE #den by=alice text=well seq=1 n=1\n"
        "> 1 MODE den | +k;fish;/+b;bob;/\n"
        "MODE #den by=alice extra=+k;fish;/+b;bob!*@*;/ count=2 n=2\n"
        "SEALED @0 room=den value=all n=3\n"
        "> 1 LEAVE den\n"
        "GONE_FROM @1 room=den by=alice\n"
        "LEFT #den by=alice\n"
        "SEALED @0 room=den value=1 n=4\n"
        "> 2 JOIN den\n"
        "ENTERED @2 room=den by=bob src=b@cloak.b from=2 count=1 seq=1\n"
        "JOINED #den by=bob src=b@cloak.b extra=Bob B count=1\n",
        NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_session_registers_with_its_name_or_not_at_all),
        cmocka_unit_test(test_what_is_told_of_a_session_is_cut),
        cmocka_unit_test(test_names_come_with_joining_when_they_are_asked_for),
        cmocka_unit_test(test_refusals_have_an_order),
        cmocka_unit_test(test_bans_match_the_shown_host_and_the_real_address),
        cmocka_unit_test(test_exceptions_lift_bans),
        cmocka_unit_test(test_invite_exceptions_open_an_invite_only_room),
        cmocka_unit_test(test_an_invitation_lets_in_once),
        cmocka_unit_test(test_a_members_invitation_passes_no_ban_no_key_and_no_limit),
        cmocka_unit_test(test_an_operators_invitation_passes_a_ban_and_the_limit_once),
        cmocka_unit_test(test_an_invitation_ends_with_the_life_of_the_room),
        cmocka_unit_test(test_invitations_are_refused),
        cmocka_unit_test(test_who_could_have_invited_is_told),
        cmocka_unit_test(test_entering_a_room_that_was_empty_asks_for_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
