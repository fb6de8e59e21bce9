/* SPDX-License-Identifier: MIT */
#include "core/hub.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "core/hub_script.h"

/* What users say of themselves, and what the operators of the server say and do. */

static void run(const struct hub_settings *settings, const char *script)
{
    struct hub *hub = hub_create(settings);
    hub_script_run(hub, script);
    hub_destroy(hub);
}

static void test_who_is_away_says_so_to_its_rooms_and_itself(void **state)
{
    (void)state;
    run(&(struct hub_settings){0}, "> 1 ENTER alice\n"
                                   "WELCOME @1 by=alice\n"
                                   "ENTERED @1 room=lobby by=alice count=1\n"
                                   "JOINED #lobby by=alice count=1\n"
                                   "> 2 ENTER bob\n"
                                   "WELCOME @2 by=bob\n"
                                   "ENTERED @2 room=lobby by=bob count=2\n"
                                   "JOINED #lobby by=bob count=2\n"
                                   "> 1 AWAY | having tea\n"
                                   "AWAY +1+ by=alice text=having tea\n"
                                   "> 1 AWAY | having tea\n"
                                   "AWAY + by=alice text=having tea\n"
                                   "> 1 AWAY | asleep\n"
                                   "AWAY +1+ by=alice text=asleep\n"
                                   "> 1 AWAY\n"
                                   "AWAY +1+ by=alice\n"
                                   "> 1 AWAY\n"
                                   "AWAY + by=alice\n"
                                   "> 2 LEAVE\n"
                                   "GONE_FROM @2 room=lobby by=bob\n"
                                   "LEFT #lobby by=bob count=1\n"
                                   "> 2 AWAY | nowhere\n"
                                   "AWAY + by=bob text=nowhere\n");
}

static void test_an_away_text_that_is_too_long_is_cut_at_a_character(void **state)
{
    (void)state;
    run(&(struct hub_settings){.limits = {.away_bytes = 5}}, "> 1 REGISTER alice\n"
                                                             "WELCOME @1 by=alice\n"
                                                             "> 1 AWAY | grüßen\n"
                                                             "AWAY + by=alice text=grü\n"
                                                             "> 1 AWAY | grüßt\n"
                                                             "AWAY + by=alice text=grü\n");
}

static void test_a_real_name_is_changed_and_told(void **state)
{
    (void)state;
    run(&(struct hub_settings){.limits = {.real_name_bytes = 12}},
        "> 1 REGISTER alice || al;cloak;Alice;/\n"
        "WELCOME @1 by=alice src=al@cloak\n"
        "> 2 ENTER bob\n"
        "WELCOME @2 by=bob\n"
        "ENTERED @2 room=lobby by=bob count=1\n"
        "JOINED #lobby by=bob count=1\n"
        "> 1 JOIN lobby\n"
        "ENTERED @1 room=lobby by=alice src=al@cloak count=2\n"
        "JOINED #lobby by=alice src=al@cloak extra=Alice count=2\n"
        "> 1 SETNAME | Alice Liddell of Oxford\n"
        "SETNAME +1+ by=alice src=al@cloak text=Alice Liddel\n"
        "> 1 SETNAME |  \n"
        "ERROR @1 TEXT_EMPTY\n"
        "> 2 WHOIS alice\n"
        "REPLY_WHOIS @2 of=alice extra=alice;al;cloak;Alice Liddel;;0;1;;;;;;/;lobby;/ count=2\n");
}

static void test_user_modes_are_set_and_shown(void **state)
{
    (void)state;
    run(&(struct hub_settings){0}, "> 1 REGISTER alice\n"
                                   "WELCOME @1 by=alice\n"
                                   "> 1 USER_MODE alice\n"
                                   "REPLY_USER_MODE @1 by=alice text=+\n"
                                   "> 1 USER_MODE ALICE | +i;;/+w;;/\n"
                                   "USER_MODE @1 by=alice of=alice extra=+i;;/+w;;/ count=2\n"
                                   "> 1 USER_MODE alice | +i;;/\n"
                                   "> 1 USER_MODE alice | -i;;/+B;;/-w;;/+w;;/\n"
                                   "USER_MODE @1 by=alice of=alice extra=+B;;/-i;;/ bot count=2\n"
                                   "> 1 USER_MODE alice\n"
                                   "REPLY_USER_MODE @1 by=alice text=+wB bot\n"
                                   "> 1 LUSERS\n"
                                   "REPLY_LUSERS @1 extra=1;0;0;0;1;/ count=1\n");
}

static void test_unknown_user_modes_are_named_once_and_the_others_set(void **state)
{
    (void)state;
    run(&(struct hub_settings){0}, "> 1 REGISTER alice\n"
                                   "WELCOME @1 by=alice\n"
                                   "> 1 USER_MODE alice | +q;;/+i;;/-z;;/\n"
                                   "USER_MODE @1 by=alice of=alice extra=+i;;/ count=1\n"
                                   "ERROR @1 MODE_UNKNOWN text=q\n"
                                   "> 1 USER_MODE alice | -z;;/\n"
                                   "ERROR @1 MODE_UNKNOWN text=z\n");
}

static void test_nobody_becomes_an_operator_by_a_mode_but_may_stop_being_one(void **state)
{
    (void)state;
    run(&(struct hub_settings){0}, "> 1 REGISTER alice\n"
                                   "WELCOME @1 by=alice\n"
                                   "> 1 USER_MODE alice | +o;;/\n"
                                   "> 1 OPER | admin\n"
                                   "OPERED @1 by=alice\n"
                                   "USER_MODE @1 by=alice of=alice extra=+o;;/ count=1\n"
                                   "> 1 USER_MODE alice\n"
                                   "REPLY_USER_MODE @1 by=alice text=+o\n"
                                   "> 1 LUSERS\n"
                                   "REPLY_LUSERS @1 extra=1;0;1;0;1;/ count=1\n"
                                   "> 1 USER_MODE alice | -o;;/+i;;/\n"
                                   "USER_MODE @1 by=alice of=alice extra=+i;;/-o;;/ count=2\n"
                                   "> 1 LUSERS\n"
                                   "REPLY_LUSERS @1 extra=1;1;0;0;1;/ count=1\n"
                                   "> 1 WALLOPS | hello\n"
                                   "ERROR @1 DENIED\n");
}

static void test_modes_of_others_are_neither_shown_nor_changed(void **state)
{
    (void)state;
    run(&(struct hub_settings){0}, "> 1 REGISTER alice\n"
                                   "WELCOME @1 by=alice\n"
                                   "> 2 REGISTER bob\n"
                                   "WELCOME @2 by=bob\n"
                                   "> 1 USER_MODE bob\n"
                                   "ERROR @1 NOT_SELF text=bob\n"
                                   "> 1 USER_MODE bob | +i;;/\n"
                                   "ERROR @1 NOT_SELF text=bob\n"
                                   "> 1 USER_MODE nobody | +i;;/\n"
                                   "ERROR @1 NO_SUCH_NAME text=nobody\n");
}

static void test_an_operator_may_become_another_one(void **state)
{
    (void)state;
    run(&(struct hub_settings){0},
        "> 1 REGISTER alice\n"
        "WELCOME @1 by=alice\n"
        "> 1 OPER | admin\n"
        "OPERED @1 by=alice\n"
        "USER_MODE @1 by=alice of=alice extra=+o;;/ count=1\n"
        "> 1 OPER | boss\n"
        "OPERED @1 by=alice\n"
        "> 1 WHOIS alice\n"
        "REPLY_WHOIS @1 of=alice extra=alice;guest;unknown;;;0;1;;;o;;boss;/ count=1\n");
}

static void test_an_operator_kills_a_user_everywhere(void **state)
{
    (void)state;
    run(&(struct hub_settings){0},
        "> 1 REGISTER alice\n"
        "WELCOME @1 by=alice\n"
        "> 2 ENTER bob\n"
        "WELCOME @2 by=bob\n"
        "ENTERED @2 room=lobby by=bob count=1\n"
        "JOINED #lobby by=bob count=1\n"
        "> 3 ENTER carol\n"
        "WELCOME @3 by=carol\n"
        "ENTERED @3 room=lobby by=carol count=2\n"
        "JOINED #lobby by=carol count=2\n"
        "> 1 KILL bob | spam\n"
        "ERROR @1 DENIED\n"
        "> 1 OPER | admin\n"
        "OPERED @1 by=alice\n"
        "USER_MODE @1 by=alice of=alice extra=+o;;/ count=1\n"
        "> 1 KILL bob | spam\n"
        "GOODBYE @2 by=bob of=alice text=Killed (alice (spam)) extra=spam\n"
        "QUIT +1+ by=bob text=Killed (alice (spam)) count=2\n"
        "REPLY_DONE @1\n"
        "> 1 KILL bob | spam\n"
        "ERROR @1 NO_SUCH_NAME text=bob\n"
        "> 1 KILL carol\n"
        "GOODBYE @3 by=carol of=alice text=Killed (alice)\n"
        "QUIT +1+ by=carol text=Killed (alice) count=1\n"
        "REPLY_DONE @1\n"
        "> 2 ENTER bob\n"
        "WELCOME @2 by=bob\n"
        "ENTERED @2 room=lobby by=bob count=1\n"
        "JOINED #lobby by=bob count=1\n"
        "> *9 KILL bob | no reason\n"
        "GOODBYE @2 by=bob of=server text=Killed (server (no reason)) extra=no reason\n"
        "QUIT +1+ by=bob text=Killed (server (no reason)) count=1\n"
        "REPLY_DONE @9\n"
        "> 1 KILL alice | tired\n"
        "GOODBYE @1 by=alice of=alice text=Killed (alice (tired)) extra=tired\n");
}

static void test_a_kill_reason_that_is_too_long_is_cut(void **state)
{
    (void)state;
    run(&(struct hub_settings){.limits = {.reason_bytes = 4}},
        "> 1 REGISTER alice\n"
        "WELCOME @1 by=alice\n"
        "> *9 KILL alice | spammer\n"
        "GOODBYE @1 by=alice of=server text=Killed (server (spam)) extra=spam\n"
        "REPLY_DONE @9\n");
}

static void test_wallops_reach_those_who_listen_and_operators(void **state)
{
    (void)state;
    run(&(struct hub_settings){0}, "> 1 REGISTER alice\n"
                                   "WELCOME @1 by=alice\n"
                                   "> 2 REGISTER bob\n"
                                   "WELCOME @2 by=bob\n"
                                   "> 3 REGISTER carol\n"
                                   "WELCOME @3 by=carol\n"
                                   "> 1 OPER | admin\n"
                                   "OPERED @1 by=alice\n"
                                   "USER_MODE @1 by=alice of=alice extra=+o;;/ count=1\n"
                                   "> 2 USER_MODE bob | +w;;/\n"
                                   "USER_MODE @2 by=bob of=bob extra=+w;;/ count=1\n"
                                   "> 2 WALLOPS | hello\n"
                                   "ERROR @2 DENIED\n"
                                   "> 1 WALLOPS | the server restarts\n"
                                   "WALLOPS @1 by=alice text=the server restarts\n"
                                   "WALLOPS @2 by=alice text=the server restarts\n"
                                   "REPLY_DONE @1\n"
                                   "> 1 WALLOPS |  \n"
                                   "ERROR @1 TEXT_EMPTY\n"
                                   "> *9 WALLOPS | from the console\n"
                                   "WALLOPS @1 by=server text=from the console\n"
                                   "WALLOPS @2 by=server text=from the console\n"
                                   "REPLY_DONE @9\n");
}

static void test_a_bot_shows_in_all_it_does(void **state)
{
    (void)state;
    run(&(struct hub_settings){0}, "> 1 ENTER alice\n"
                                   "WELCOME @1 by=alice\n"
                                   "ENTERED @1 room=lobby by=alice count=1\n"
                                   "JOINED #lobby by=alice count=1\n"
                                   "> 1 USER_MODE alice | +B;;/\n"
                                   "USER_MODE @1 by=alice of=alice extra=+B;;/ bot count=1\n"
                                   "> 1 SAY | beep\n"
                                   "MESSAGE #lobby by=alice text=beep bot seq=1 n=1\n"
                                   "> 1 PRIVATE alice | boop\n"
                                   "PRIVATE_TO @1 by=alice of=alice text=boop bot n=2\n"
                                   "PRIVATE_OF @1 by=alice of=alice text=boop bot n=2\n"
                                   "> 1 AWAY | off\n"
                                   "AWAY +1+ by=alice text=off bot\n");
}

static void test_lusers_counts_users_and_the_most_there_ever_were(void **state)
{
    (void)state;
    run(&(struct hub_settings){0}, "> 1 ENTER alice\n"
                                   "WELCOME @1 by=alice\n"
                                   "ENTERED @1 room=lobby by=alice count=1\n"
                                   "JOINED #lobby by=alice count=1\n"
                                   "> 2 ENTER bob\n"
                                   "WELCOME @2 by=bob\n"
                                   "ENTERED @2 room=lobby by=bob count=2\n"
                                   "JOINED #lobby by=bob count=2\n"
                                   "> 2 USER_MODE bob | +i;;/\n"
                                   "USER_MODE @2 by=bob of=bob extra=+i;;/ count=1\n"
                                   "> 2 QUIT\n"
                                   "GOODBYE @2 by=bob\n"
                                   "QUIT +1+ by=bob count=2\n"
                                   "> 3 LUSERS\n"
                                   "> 1 LUSERS\n"
                                   "REPLY_LUSERS @1 extra=1;0;0;1;2;/ count=1\n");
}

static void test_lusers_counts_the_rooms_somebody_is_in(void **state)
{
    (void)state;
    run(&(struct hub_settings){0}, "> 1 ENTER alice\n"
                                   "WELCOME @1 by=alice\n"
                                   "ENTERED @1 room=lobby by=alice count=1\n"
                                   "JOINED #lobby by=alice count=1\n"
                                   "> 1 JOIN den\n"
                                   "ENTERED @1 room=den by=alice count=1\n"
                                   "JOINED #den by=alice count=1\n"
                                   "> 1 SAY den | kept\n"
                                   "MESSAGE #den by=alice text=kept seq=1 n=1\n"
                                   "> 1 LUSERS\n"
                                   "REPLY_LUSERS @1 extra=1;0;0;2;1;/ count=1\n"
                                   "> 1 LEAVE den\n"
                                   "GONE_FROM @1 room=den by=alice\n"
                                   "LEFT #den by=alice\n"
                                   "> 1 LUSERS\n"
                                   "REPLY_LUSERS @1 extra=1;0;0;1;1;/ count=1\n"
                                   "> 1 LEAVE lobby\n"
                                   "GONE_FROM @1 room=lobby by=alice\n"
                                   "LEFT #lobby by=alice\n"
                                   "> 1 LUSERS\n"
                                   "REPLY_LUSERS @1 extra=1;0;0;0;1;/ count=1\n");
}

static void test_userhost_and_ison_name_who_is_here(void **state)
{
    (void)state;
    run(&(struct hub_settings){0},
        "> 1 REGISTER alice || al;cloak;Alice;/\n"
        "WELCOME @1 by=alice src=al@cloak\n"
        "> 2 REGISTER bob\n"
        "WELCOME @2 by=bob\n"
        "> 2 OPER | admin\n"
        "OPERED @2 by=bob\n"
        "USER_MODE @2 by=bob of=bob extra=+o;;/ count=1\n"
        "> 2 AWAY | tea\n"
        "AWAY + by=bob text=tea\n"
        "> 1 USERHOST || ALICE;/nobody;/bob;/\n"
        "REPLY_USERHOST @1 extra=alice;;+;al;cloak;/bob;*;-;guest;unknown;/ count=2\n"
        "> 1 ISON || bob;/nobody;/Alice;/not a name;/\n"
        "REPLY_ISON @1 extra=bob;/alice;/ count=2\n"
        "> 1 ISON\n"
        "REPLY_ISON @1\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_who_is_away_says_so_to_its_rooms_and_itself),
        cmocka_unit_test(test_an_away_text_that_is_too_long_is_cut_at_a_character),
        cmocka_unit_test(test_a_real_name_is_changed_and_told),
        cmocka_unit_test(test_user_modes_are_set_and_shown),
        cmocka_unit_test(test_unknown_user_modes_are_named_once_and_the_others_set),
        cmocka_unit_test(test_nobody_becomes_an_operator_by_a_mode_but_may_stop_being_one),
        cmocka_unit_test(test_modes_of_others_are_neither_shown_nor_changed),
        cmocka_unit_test(test_an_operator_may_become_another_one),
        cmocka_unit_test(test_an_operator_kills_a_user_everywhere),
        cmocka_unit_test(test_a_kill_reason_that_is_too_long_is_cut),
        cmocka_unit_test(test_wallops_reach_those_who_listen_and_operators),
        cmocka_unit_test(test_a_bot_shows_in_all_it_does),
        cmocka_unit_test(test_lusers_counts_users_and_the_most_there_ever_were),
        cmocka_unit_test(test_lusers_counts_the_rooms_somebody_is_in),
        cmocka_unit_test(test_userhost_and_ison_name_who_is_here),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
