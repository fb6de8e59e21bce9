/* SPDX-License-Identifier: MIT */
#include "core/hub.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "core/hub_script.h"

/* Who somebody is or was. */

static void run(const struct hub_settings *settings, const char *script)
{
    struct hub *hub = hub_create(settings);
    hub_script_run(hub, script);
    hub_destroy(hub);
}

static void test_whois_tells_what_everybody_may_know(void **state)
{
    (void)state;
    run(&(struct hub_settings){0},
        "> 1 REGISTER alice | 192.0.2.1:5000 || al;cloak;Alice L.;/\n"
        "WELCOME @1 by=alice src=al@cloak\n"
        "> 2 REGISTER/SECURE bob | [2001:db8::1]:5000 || b;hidden;Bob;/\n"
        "WELCOME @2 by=bob src=b@hidden\n"
        "> 2 JOIN games\n"
        "ENTERED @2 room=games by=bob src=b@hidden count=1\n"
        "JOINED #games by=bob src=b@hidden extra=Bob count=1\n"
        "> 2 JOIN closed\n"
        "ENTERED @2 room=closed by=bob src=b@hidden count=1\n"
        "JOINED #closed by=bob src=b@hidden extra=Bob count=1\n"
        "> 2 MODE closed | +s;;/\n"
        "MODE #closed by=bob src=b@hidden extra=+s;;/ count=1 n=1\n"
        "SEALED @0 room=closed value=all n=2\n"
        "> 2 AWAY | tea\n"
        "AWAY +1+2+ by=bob src=b@hidden text=tea\n"
        "> 2 USER_MODE bob | +w;;/+B;;/\n"
        "USER_MODE @2 by=bob src=b@hidden of=bob extra=+w;;/+B;;/ bot count=2\n"
        "> 1 WHOIS BOB\n"
        "REPLY_WHOIS @1 of=bob extra=bob;b;hidden;Bob;;0;1;;tea;B;1;;/@;games;/ count=2\n"
        "> 2 WHOIS bob\n"
        "REPLY_WHOIS @2 of=bob "
        "extra=bob;b;hidden;Bob;2001:db8::1;0;1;;tea;wB;1;;/@;games;/@;closed;/ count=3\n"
        "> 1 WHOIS nobody\n"
        "ERROR @1 NO_SUCH_NAME text=nobody\n"
        "> 1 WHOIS not a name\n"
        "ERROR @1 NO_SUCH_NAME text=not a name\n");
}

static void test_whois_hides_the_rooms_of_the_invisible_but_those_in_common(void **state)
{
    (void)state;
    run(&(struct hub_settings){0},
        "> 1 REGISTER alice\n"
        "WELCOME @1 by=alice\n"
        "> 2 REGISTER bob\n"
        "WELCOME @2 by=bob\n"
        "> 2 JOIN games\n"
        "ENTERED @2 room=games by=bob count=1\n"
        "JOINED #games by=bob count=1\n"
        "> 2 JOIN music\n"
        "ENTERED @2 room=music by=bob count=1\n"
        "JOINED #music by=bob count=1\n"
        "> 2 USER_MODE bob | +i;;/\n"
        "USER_MODE @2 by=bob of=bob extra=+i;;/ count=1\n"
        "> 1 WHOIS bob\n"
        "REPLY_WHOIS @1 of=bob extra=bob;guest;unknown;;;0;1;;;;;;/ count=1\n"
        "> 1 JOIN games\n"
        "ENTERED @1 room=games by=alice count=2\n"
        "JOINED #games by=alice count=2\n"
        "> 1 WHOIS bob\n"
        "REPLY_WHOIS @1 of=bob extra=bob;guest;unknown;;;0;1;;;;;;/@;games;/ count=2\n"
        "> 1 OPER | admin\n"
        "OPERED @1 by=alice\n"
        "USER_MODE @1 by=alice of=alice extra=+o;;/ count=1\n"
        "> 1 WHOIS bob\n"
        "REPLY_WHOIS @1 of=bob extra=bob;guest;unknown;;;0;1;;;i;;;/@;games;/@;music;/ count=3\n");
}

static void test_operators_see_all(void **state)
{
    (void)state;
    run(&(struct hub_settings){0},
        "> 1 REGISTER alice | 192.0.2.1:5000 || al;cloak;Alice L.;/\n"
        "WELCOME @1 by=alice src=al@cloak\n"
        "> 2 REGISTER bob | unix || b;hidden;Bob;/\n"
        "WELCOME @2 by=bob src=b@hidden\n"
        "> 2 JOIN closed\n"
        "ENTERED @2 room=closed by=bob src=b@hidden count=1\n"
        "JOINED #closed by=bob src=b@hidden extra=Bob count=1\n"
        "> 2 MODE closed | +s;;/\n"
        "MODE #closed by=bob src=b@hidden extra=+s;;/ count=1 n=1\n"
        "SEALED @0 room=closed value=all n=2\n"
        "> *9 WHOIS bob\n"
        "REPLY_WHOIS @9 of=bob extra=bob;b;hidden;Bob;unix;0;1;;;;;;/@;closed;/ count=2\n"
        "> *9 WHOIS alice\n"
        "REPLY_WHOIS @9 of=alice extra=alice;al;cloak;Alice L.;192.0.2.1;0;1;;;;;;/ count=1\n"
        "> 1 OPER | admin\n"
        "OPERED @1 by=alice src=al@cloak\n"
        "USER_MODE @1 by=alice src=al@cloak of=alice extra=+o;;/ count=1\n"
        "> 1 WHOIS bob\n"
        "REPLY_WHOIS @1 of=bob extra=bob;b;hidden;Bob;unix;0;1;;;;;;/@;closed;/ count=2\n"
        "> 2 WHOIS alice\n"
        "REPLY_WHOIS @2 of=alice extra=alice;al;cloak;Alice L.;;0;1;;;o;;admin;/ count=1\n");
}

static void test_whowas_remembers_who_left_and_names_given_up(void **state)
{
    (void)state;
    run(&(struct hub_settings){0},
        "> 1 REGISTER alice || al;cloak;Alice;/\n"
        "WELCOME @1 by=alice src=al@cloak\n"
        "> 2 REGISTER bob || b;hidden;Bob;/\n"
        "WELCOME @2 by=bob src=b@hidden\n"
        "> 2 NICK Robert\n"
        "RENAMED + by=bob src=b@hidden of=Robert\n"
        "> 2 NICK robert\n"
        "RENAMED + by=Robert src=b@hidden of=robert\n"
        "> 1 WHOWAS BOB\n"
        "REPLY_WHOWAS @1 of=BOB extra=bob;b;hidden;Bob;1;/ count=1\n"
        "> 2 QUIT\n"
        "GOODBYE @2 by=robert src=b@hidden\n"
        "> 2 REGISTER bob || b2;hidden2;Bob again;/\n"
        "WELCOME @2 by=bob src=b2@hidden2\n"
        "> 2 QUIT\n"
        "GOODBYE @2 by=bob src=b2@hidden2\n"
        "> 1 WHOWAS bob\n"
        "REPLY_WHOWAS @1 of=bob extra=bob;b2;hidden2;Bob again;1;/bob;b;hidden;Bob;1;/ count=2\n"
        "> 1 WHOWAS=1 bob\n"
        "REPLY_WHOWAS @1 of=bob extra=bob;b2;hidden2;Bob again;1;/ count=1\n"
        "> 1 WHOWAS robert\n"
        "REPLY_WHOWAS @1 of=robert extra=robert;b;hidden;Bob;1;/ count=1\n"
        "> 1 WHOWAS alice\n"
        "REPLY_WHOWAS @1 of=alice\n"
        "> 1 WHOWAS not a name\n"
        "REPLY_WHOWAS @1 of=not a name\n"
        "> 1 WHOWAS=2 ROBERT,,no one,bob\n"
        "REPLY_WHOWAS @1 of=ROBERT,,no one,bob "
        "extra=bob;b2;hidden2;Bob again;1;/robert;b;hidden;Bob;1;/ count=2\n");
}

static void test_whowas_forgets_the_oldest(void **state)
{
    (void)state;
    run(&(struct hub_settings){.limits = {.whowas = 2}},
        "> 1 REGISTER alice\n"
        "WELCOME @1 by=alice\n"
        "> 1 NICK bob\n"
        "RENAMED + by=alice of=bob\n"
        "> 1 NICK carol\n"
        "RENAMED + by=bob of=carol\n"
        "> 1 NICK dave\n"
        "RENAMED + by=carol of=dave\n"
        "> 1 WHOWAS alice\n"
        "REPLY_WHOWAS @1 of=alice\n"
        "> 1 WHOWAS bob\n"
        "REPLY_WHOWAS @1 of=bob extra=bob;guest;unknown;;1;/ count=1\n"
        "> 1 WHOWAS carol\n"
        "REPLY_WHOWAS @1 of=carol extra=carol;guest;unknown;;1;/ count=1\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whois_tells_what_everybody_may_know),
        cmocka_unit_test(test_whois_hides_the_rooms_of_the_invisible_but_those_in_common),
        cmocka_unit_test(test_operators_see_all),
        cmocka_unit_test(test_whowas_remembers_who_left_and_names_given_up),
        cmocka_unit_test(test_whowas_forgets_the_oldest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
