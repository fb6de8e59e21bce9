/* SPDX-License-Identifier: MIT */
#include "core/hub.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "core/hub_script.h"

/* Speaking in rooms: who may, to whom it goes, and what is stored. */

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

static void test_from_outside_only_an_open_room_is_spoken_to(void **state)
{
    (void)state;
    run("> 1 REGISTER alice\n"
        "WELCOME @1 by=alice\n"
        "> 1 JOIN den\n"
        "ENTERED @1 room=den by=alice count=1\n"
        "JOINED #den by=alice count=1\n"
        "> 2 REGISTER bob\n"
        "WELCOME @2 by=bob\n"
        "> 2 SAY den | hello\n"
        "ERROR @2 CANNOT_SEND text=den\n"
        "> 1 MODE den | -n;;/\n"
        "MODE #den by=alice extra=-n;;/ count=1 n=1\n"
        "> 2 SAY den | hello\n"
        "MESSAGE #den by=bob text=hello seq=1 n=2\n"
        "MESSAGE @2 room=den by=bob text=hello own seq=1 n=2\n"
        "> 2 SAY.TAGS den @ +typing=active\n"
        "TAGS #den by=bob tags=+typing=active count=1\n"
        "TAGS @2 room=den by=bob tags=+typing=active own count=1\n"
        "> 1 MODE den | +m;;/\n"
        "MODE #den by=alice extra=+m;;/ count=1 n=3\n"
        "> 2 SAY den | hello\n"
        "ERROR @2 CANNOT_SEND text=den count=1\n"
        "> 2 SAY nowhere | hello\n"
        "ERROR @2 NO_SUCH_ROOM text=nowhere\n",
        NULL);
}

static void test_a_moderated_room_hears_those_with_a_rank(void **state)
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
        "> 1 MODE den | +m;;/\n"
        "MODE #den by=alice extra=+m;;/ count=1 n=1\n"
        "> 2 SAY den | hello\n"
        "ERROR @2 CANNOT_SEND text=den count=1\n"
        "> 1 SAY den | hello\n"
        "MESSAGE #den by=alice text=hello seq=1 n=2\n"
        "> 1 MODE den | +v;bob;/\n"
        "MODE #den by=alice extra=+v;bob;/ count=1 n=3\n"
        "> 2 SAY den | hello\n"
        "MESSAGE #den by=bob text=hello seq=2 n=4\n",
        NULL);
}

static void test_who_is_banned_or_muted_does_not_speak(void **state)
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
        "> 1 MODE den | +b;bob;/\n"
        "MODE #den by=alice extra=+b;bob!*@*;/ count=1 n=1\n"
        "> 2 SAY den | hello\n"
        "ERROR @2 CANNOT_SEND text=den count=2\n"
        "> 1 MODE den | -b;bob;/+b;m:bob;/\n"
        "MODE #den by=alice extra=-b;bob!*@*;/+b;m:bob!*@*;/ count=2 n=2\n"
        "> 2 SAY den | hello\n"
        "ERROR @2 CANNOT_SEND text=den count=3\n"
        "> 1 MODE den | +v;bob;/\n"
        "MODE #den by=alice extra=+v;bob;/ count=1 n=3\n"
        "> 2 SAY den | hello\n"
        "MESSAGE #den by=bob text=hello seq=1 n=4\n"
        "> 1 MODE den | -v;bob;/+e;m:bob;/\n"
        "MODE #den by=alice extra=-v;bob;/+e;m:bob!*@*;/ count=2 n=5\n"
        "> 2 SAY den | hello\n"
        "MESSAGE #den by=bob text=hello seq=2 n=6\n"
        "> 1 MODE den | +b;bob;/\n"
        "MODE #den by=alice extra=+b;bob!*@*;/ count=1 n=7\n"
        "> 2 SAY den | hello\n"
        "ERROR @2 CANNOT_SEND text=den count=2\n",
        NULL);
}

static void test_ctcp_requests_are_kept_out_by_mode(void **state)
{
    (void)state;
    run("> 1 REGISTER alice\n"
        "WELCOME @1 by=alice\n"
        "> 1 JOIN den\n"
        "ENTERED @1 room=den by=alice count=1\n"
        "JOINED #den by=alice count=1\n"
        "> 1 SAY den | \x01"
        "VERSION\x01"
        "\n"
        "MESSAGE #den by=alice text=\x01"
        "VERSION\x01"
        " seq=1 n=1\n"
        "> 1 MODE den | +C;;/\n"
        "MODE #den by=alice extra=+C;;/ count=1 n=2\n"
        "> 1 SAY den | \x01"
        "VERSION\x01"
        "\n"
        "ERROR @1 CANNOT_SEND text=den count=4\n"
        "> 1 SAY den | \x01"
        "ACTION waves\x01"
        "\n"
        "MESSAGE #den by=alice text=\x01"
        "ACTION waves\x01"
        " seq=2 n=3\n"
        "> 1 SAY den | \x01"
        "ACTIONS\x01"
        "\n"
        "ERROR @1 CANNOT_SEND text=den count=4\n"
        "> 1 ACTION den | waves\n"
        "ACTION #den by=alice text=waves seq=3 n=4\n",
        NULL);
}

static void test_a_message_for_a_rank_goes_to_those_who_have_it(void **state)
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
        "> 3 REGISTER carol\n"
        "WELCOME @3 by=carol\n"
        "> 3 JOIN den\n"
        "ENTERED @3 room=den by=carol count=3\n"
        "JOINED #den by=carol count=3\n"
        "> 1 MODE den | +v;bob;/\n"
        "MODE #den by=alice extra=+v;bob;/ count=1 n=1\n"
        "> 1 SAY=@ den | hello\n"
        "MESSAGE @1 room=den by=alice text=hello value=@ own count=1\n"
        "> 3 SAY=+ den | hello\n"
        "MESSAGE @1 room=den by=carol text=hello value=+ count=2\n"
        "MESSAGE @2 room=den by=carol text=hello value=+ count=2\n"
        "MESSAGE @3 room=den by=carol text=hello value=+ own count=2\n"
        "> 3 SAY=@.NOTICE den | hello @ +a=b\n"
        "NOTICE @1 room=den by=carol text=hello tags=+a=b value=@ count=3\n"
        "NOTICE @3 room=den by=carol text=hello tags=+a=b value=@ own count=3\n"
        "> 1 SAY den | aloud\n"
        "MESSAGE #den by=alice text=aloud seq=1 n=2\n",
        NULL);
}

static void test_notices_and_tags_have_their_own_events(void **state)
{
    (void)state;
    run("> 1 REGISTER alice\n"
        "WELCOME @1 by=alice\n"
        "> 1 JOIN den\n"
        "ENTERED @1 room=den by=alice count=1\n"
        "JOINED #den by=alice count=1\n"
        "> 1 SAY.NOTICE den | hello @ +a=b\n"
        "NOTICE #den by=alice text=hello tags=+a=b seq=1 n=1\n"
        "> 1 SAY.TAGS den @ +typing=active\n"
        "TAGS #den by=alice tags=+typing=active count=1\n"
        "> 1 SAY.TAGS/KEEP den @ +react=x\n"
        "TAGS #den by=alice tags=+react=x seq=2 n=2\n"
        "> 1 SAY.TAGS den @ +typing=done\n"
        "TAGS #den by=alice tags=+typing=done count=2\n"
        "> 1 SAY.ACTION den | waves\n"
        "ACTION #den by=alice text=waves seq=3 n=3\n"
        "> 2 REGISTER bob\n"
        "WELCOME @2 by=bob\n"
        "> 2 JOIN den\n"
        "ENTERED @2 room=den by=bob count=2 seq=3 [hello] [waves]\n"
        "JOINED #den by=bob count=2\n",
        NULL);
}

static void test_a_message_may_have_several_lines(void **state)
{
    (void)state;
    run("> 1 REGISTER alice\n"
        "WELCOME @1 by=alice\n"
        "> 1 JOIN den\n"
        "ENTERED @1 room=den by=alice count=1\n"
        "JOINED #den by=alice count=1\n"
        "> 1 SAY den | one/two~three\n"
        "MESSAGE #den by=alice text=one/two~three seq=1 n=1\n"
        "> 1 SAY den | a/b/c/d\n"
        "ERROR @1 TEXT_LONG count=3\n"
        "> 1 SAY den | 1234567/12\n"
        "ERROR @1 TEXT_LONG count=6\n"
        "> 1 SAY den | 123456/12\n"
        "MESSAGE #den by=alice text=123456/12 seq=2 n=2\n"
        "> 1 SAY den | /~/\n"
        "ERROR @1 TEXT_EMPTY\n"
        "> 1 SAY den | 123456/12345/1\n"
        "ERROR @1 TEXT_LONG count=13\n",
        &(struct hub_limits){.text_bytes = 6, .multiline_bytes = 13, .multiline_lines = 3});
}

static void test_while_the_log_fails_what_is_not_stored_is_said(void **state)
{
    (void)state;
    run("> 1 REGISTER alice\n"
        "WELCOME @1 by=alice\n"
        "> 1 JOIN den\n"
        "ENTERED @1 room=den by=alice count=1\n"
        "JOINED #den by=alice count=1\n"
        "> ! disk full\n"
        "> 1 SAY den | hello\n"
        "ERROR @1 NOT_STORED text=disk full\n"
        "> 1 SAY.TAGS den @ +typing=active\n"
        "TAGS #den by=alice tags=+typing=active count=1\n"
        "> 1 SAY=@ den | hello\n"
        "MESSAGE @1 room=den by=alice text=hello value=@ own count=2\n"
        "> 1 SAY.TAGS/KEEP den @ +react=x\n"
        "ERROR @1 NOT_STORED text=disk full\n",
        NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_from_outside_only_an_open_room_is_spoken_to),
        cmocka_unit_test(test_a_moderated_room_hears_those_with_a_rank),
        cmocka_unit_test(test_who_is_banned_or_muted_does_not_speak),
        cmocka_unit_test(test_ctcp_requests_are_kept_out_by_mode),
        cmocka_unit_test(test_a_message_for_a_rank_goes_to_those_who_have_it),
        cmocka_unit_test(test_notices_and_tags_have_their_own_events),
        cmocka_unit_test(test_a_message_may_have_several_lines),
        cmocka_unit_test(test_while_the_log_fails_what_is_not_stored_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
