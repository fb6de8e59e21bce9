/* SPDX-License-Identifier: MIT */
#include "service/config.h"

#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "service/config_schema.h"

static char *in_source(char *path, const char *name)
{
    const char *root = getenv("PARTYLINE_SOURCE_ROOT");

    (void)snprintf(path, PATH_MAX, "%s/%s", root != NULL ? root : ".", name);
    return path;
}

static void load_good(const char *name, struct config *ret_config)
{
    char path[PATH_MAX], file[64], why[CONFIG_MESSAGE_MAX] = "";

    (void)snprintf(file, sizeof file, "tests/config/good/%s.yaml", name);
    if (config_load(in_source(path, file), ret_config, why, sizeof why) < 0) {
        fail_msg("%s", why);
    }
}

/* ---- good files ---- */

static void test_empty_files_give_the_defaults(void **state)
{
    static const char *const names[] = {"empty",    "comments", "document_marks",
                                        "flood_on", "nulls",    "tags_on"};
    struct config defaults, config;

    (void)state;
    config_default(&defaults);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        load_good(names[i], &config);
        assert_int_equal(config_diff(&defaults, &config, NULL, NULL), 0);
        config_finish(&config);
    }
    config_finish(&defaults);
}

static void test_the_example_has_every_default(void **state)
{
    struct config defaults, config;
    char path[PATH_MAX], why[CONFIG_MESSAGE_MAX] = "";

    (void)state;
    config_default(&defaults);
    in_source(path, "packaging/partyline.yaml.example");
    if (config_load(path, &config, why, sizeof why) < 0) {
        fail_msg("%s", why);
    }
    assert_int_equal(config_diff(&defaults, &config, NULL, NULL), 0);
    config_finish(&config);
    config_finish(&defaults);
}

/* The text of the item of a key, up to the next one. */
static char *man_item(char *page, const char *key, char *text, size_t cap)
{
    char head[96];

    (void)snprintf(head, sizeof head, ".It Ic %s :", key);
    const char *item = strstr(page, head);
    if (item == NULL) {
        fail_msg("partyline.yaml.5 does not have %s", key);
        return NULL;
    }
    const char *end = strstr(item + 1, "\n.It ");
    (void)snprintf(text, cap, "%.*s", end != NULL ? (int)(end - item) : 2000, item);
    return text;
}

static void test_the_manual_has_range_and_default_of_each_number(void **state)
{
#define ROW(member, min, max, fallback) {#member, min, max, fallback},
    static const struct {
        const char *key;
        unsigned min, max, fallback;
    } rows[] = {CONFIG_NUMBERS(ROW)};
#undef ROW
    char path[PATH_MAX], page[65536], text[2048], want[64];

    (void)state;
    FILE *file = fopen(in_source(path, "man/partyline.yaml.5"), "r");
    assert_non_null(file);
    size_t len = fread(page, 1, sizeof page - 1, file);
    (void)fclose(file);
    page[len] = '\0';
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        bool is_burst = strcmp(rows[i].key, "limits.flood.burst") == 0;
        const char *key = strrchr(rows[i].key, '.');
        key = is_burst ? "flood" : key != NULL ? key + 1 : rows[i].key;
        man_item(page, key, text, sizeof text);
        (void)snprintf(want, sizeof want, "%u to %u", rows[i].min, rows[i].max);
        assert_non_null(strstr(text, want));
        (void)snprintf(want, sizeof want, is_burst ? "default %u" : "Default: %u",
                       rows[i].fallback);
        assert_non_null(strstr(text, want));
    }
}

static void test_defaults_are_the_documented_ones(void **state)
{
    struct config c;
    char text[LISTEN_URL_MAX];

    (void)state;
    config_default(&c);
    assert_string_equal(c.name, "partyline");
    assert_string_equal(c.network, "Partyline");
    assert_string_equal(c.description, "");
    assert_string_equal(c.motd, "");
    assert_string_equal(c.lobby, "lobby");
    assert_null(c.data);
    assert_int_equal(c.listen_count, 1);
    assert_string_equal(config_listen_format(&c.listen[0], NULL, text, sizeof text),
                        "any://127.0.0.1:60000");
    assert_int_equal(c.loops, 0);
    assert_int_equal(c.backend, CONFIG_BACKEND_EPOLL);
    assert_int_equal(c.log, LOGGER_STDERR);
    assert_int_equal(c.log_level, PARTY_LOG_INFO);
    assert_int_equal(c.history.on_join, 20);
    assert_int_equal(c.history.max, 100);
    assert_true(c.history.enabled);
    assert_true(c.history.persist_tags);
    assert_string_equal(c.history.persist_tag_list, "");
    assert_null(c.password);
    assert_int_equal(c.operator_count, 0);
    assert_true(c.cloak);
    assert_int_equal(c.limits.flood.burst, 20);
    assert_true(c.limits.flood.rate > 4.99 && c.limits.flood.rate < 5.01);
    assert_int_equal(c.limits.connections, 0);
    assert_int_equal(c.limits.connections_per_address, 64);
    assert_int_equal(c.limits.connection_rate, 240);
    assert_int_equal(c.limits.sendq, 98304);
    assert_int_equal(c.limits.line, 1024);
    assert_int_equal(c.limits.nick, 32);
    assert_int_equal(c.limits.channel, 50);
    assert_int_equal(c.limits.topic, 390);
    assert_int_equal(c.limits.kick, 260);
    assert_int_equal(c.limits.rooms, 10000);
    assert_int_equal(c.limits.announce, 100);
    assert_int_equal(c.limits.write_timeout, 10);
    assert_int_equal(c.limits.idle_timeout, 0);
    assert_int_equal(c.limits.away, 390);
    assert_int_equal(c.limits.channels, 100);
    assert_int_equal(c.limits.monitor, 100);
    assert_int_equal(c.limits.whowas, 1000);
    assert_int_equal(c.limits.history, 1000);
    assert_int_equal(c.limits.multiline_bytes, 4096);
    assert_int_equal(c.limits.multiline_lines, 24);
    assert_int_equal(c.limits.ping, 120);
    assert_int_equal(c.limits.pong, 60);
    assert_int_equal(c.limits.registration, 60);
    assert_int_equal(c.limits.password_tries, 10);
    config_finish(&c);
}

static void assert_full_texts(const struct config *c)
{
    static const char *const urls[] = {
        "any://*:60000",      "line://[::1]:60001", "any://[fe80::1%lo]:60002",
        "line://localhost:0", "irc://*:6667",       "unix:run/hall.sock",
        "unix:@hall"};
    char text[LISTEN_URL_MAX];

    assert_string_equal(c->name, "hall.example");
    assert_string_equal(c->network, "The Hall");
    assert_string_equal(c->description, "Where we meet");
    assert_string_equal(c->data, "state/hall");
    assert_string_equal(c->motd, "Welcome to the hall.\n\n\tBe kind. \u6b22\u8fce\n");
    assert_string_equal(c->lobby, "\u5927\u5385");
    assert_int_equal(c->listen_count, 7);
    for (size_t i = 0; i < c->listen_count; i++) {
        assert_string_equal(config_listen_format(&c->listen[i], NULL, text, sizeof text), urls[i]);
    }
}

static void test_every_key_is_read(void **state)
{
    struct config c;

    (void)state;
    load_good("full", &c);
    assert_full_texts(&c);
    assert_int_equal(c.loops, 3);
    assert_int_equal(c.backend, CONFIG_BACKEND_IO_URING);
    assert_int_equal(c.log, LOGGER_JOURNAL);
    assert_int_equal(c.log_level, PARTY_LOG_DEBUG);
    assert_int_equal(c.history.on_join, 5);
    assert_int_equal(c.history.max, 500);
    assert_int_equal(c.limits.flood.burst, 30);
    assert_true(c.limits.flood.rate > 2.49 && c.limits.flood.rate < 2.51);
    assert_int_equal(c.limits.connections, 5000);
    assert_int_equal(c.limits.connections_per_address, 10);
    assert_int_equal(c.limits.connection_rate, 60);
    assert_int_equal(c.limits.sendq, 65536);
    assert_int_equal(c.limits.line, 512);
    assert_int_equal(c.limits.nick, 30);
    assert_int_equal(c.limits.channel, 64);
    assert_int_equal(c.limits.topic, 300);
    assert_int_equal(c.limits.kick, 200);
    assert_int_equal(c.limits.rooms, 50);
    assert_int_equal(c.limits.announce, 10);
    assert_int_equal(c.limits.write_timeout, 20);
    assert_int_equal(c.limits.idle_timeout, 600);
    assert_int_equal(c.limits.away, 200);
    assert_int_equal(c.limits.channels, 20);
    assert_int_equal(c.limits.monitor, 30);
    assert_int_equal(c.limits.whowas, 40);
    assert_int_equal(c.limits.history, 50);
    assert_int_equal(c.limits.multiline_bytes, 6000);
    assert_int_equal(c.limits.multiline_lines, 60);
    assert_int_equal(c.limits.ping, 70);
    assert_int_equal(c.limits.pong, 80);
    assert_int_equal(c.limits.registration, 90);
    assert_int_equal(c.limits.password_tries, 5);
    config_finish(&c);
}

static void test_operators_and_switches_are_read(void **state)
{
    struct config c;

    (void)state;
    load_good("full", &c);
    assert_string_equal(c.password, "open sesame");
    assert_false(c.cloak);
    assert_int_equal(c.operator_count, 2);
    assert_string_equal(c.operators[0].name, "root");
    assert_false(c.operators[0].is_plain);
    assert_memory_equal(c.operators[0].password, "$argon2id$v=19$", 15);
    assert_string_equal(c.operators[1].name, "ann");
    assert_true(c.operators[1].is_plain);
    assert_string_equal(c.operators[1].password, "correct horse");
    assert_false(c.history.enabled);
    assert_true(c.history.persist_tags);
    assert_string_equal(c.history.persist_tag_list, "+draft/react\n+example.org/kept");
    config_finish(&c);
}

static void count_warning(const char *text, void *user)
{
    unsigned *count = user;

    assert_non_null(strstr(text, "'ann'"));
    assert_non_null(strstr(text, "partyline hash"));
    assert_null(strstr(text, "correct horse"));
    ++*count;
}

static void test_password_as_text_is_warned_of(void **state)
{
    struct config c;
    unsigned count = 0;

    (void)state;
    load_good("full", &c);
    config_warn(&c, count_warning, &count);
    assert_int_equal(count, 1);
    config_finish(&c);
}

static void test_tags_may_be_switched_off(void **state)
{
    static const char *const names[] = {"tags_off", "tags_none"};
    struct config c;

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        load_good(names[i], &c);
        assert_false(c.history.persist_tags);
        assert_string_equal(c.history.persist_tag_list, "");
        config_finish(&c);
    }
}

/* One configuration as Python's json.dumps writes it, in each of its manners. */
static void test_json_is_read_however_it_is_written(void **state)
{
    static const char *const names[] = {"json_dump", "json_indent", "json_tabs", "json_compact",
                                        "json_utf8"};
    struct config c;

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        load_good(names[i], &c);
        assert_string_equal(c.network, "Le Caf\u00e9");
        assert_string_equal(c.description, "caf\u00e9 \U0001f600 \"x\" \\ /");
        assert_string_equal(c.motd, "one\ntwo \U0001f389\n");
        assert_null(c.password);
        assert_null(c.data);
        assert_false(c.cloak);
        assert_int_equal(c.limits.flood.burst, 0);
        assert_int_equal(c.limits.kick, 260);
        assert_int_equal(c.limits.connection_rate, 0);
        assert_true(c.history.enabled);
        assert_string_equal(c.history.persist_tag_list, "+draft/persist");
        assert_int_equal(c.operator_count, 1);
        assert_string_equal(c.operators[0].password, "s\u00e9same");
        assert_int_equal(c.listen_count, 2);
        config_finish(&c);
    }
}

static void test_json_is_read(void **state)
{
    struct config c;

    (void)state;
    load_good("json", &c);
    assert_string_equal(c.name, "hall");
    assert_string_equal(c.motd, "one\ntwo");
    assert_int_equal(c.listen_count, 2);
    assert_int_equal(c.listen[0].port, 0);
    assert_string_equal(c.listen[1].path, "@hall");
    assert_int_equal(c.limits.nick, 20);
    assert_int_equal(c.limits.flood.burst, 7);
    config_finish(&c);
}

static void test_flood_false_means_no_limit(void **state)
{
    struct config c;

    (void)state;
    load_good("flood_off", &c);
    assert_false(c.limits.flood.rate > 0);
    assert_int_equal(c.limits.flood.burst, 0);
    config_finish(&c);
    load_good("flood_zero", &c);
    assert_int_equal(c.limits.flood.burst, 0);
    config_finish(&c);
    load_good("flood_rate", &c);
    assert_true(c.limits.flood.rate > 0.49 && c.limits.flood.rate < 0.51);
    assert_int_equal(c.limits.flood.burst, 20);
    config_finish(&c);
}

/* What cannot be without a limit has the highest. */
static void test_zero_means_no_limit(void **state)
{
    struct config c;

    (void)state;
    load_good("limits_zero", &c);
    assert_int_equal(c.limits.flood.burst, 0);
    assert_false(c.limits.flood.rate > 0);
    assert_int_equal(c.limits.nick, NAME_CEILING_BYTES);
    assert_int_equal(c.limits.channel, ROOM_NAME_CEILING_BYTES);
    assert_int_equal(c.limits.line, TEXT_CEILING_BYTES);
    assert_int_equal(c.limits.rooms, 1000000);
    assert_int_equal(c.limits.sendq, 67108864);
    assert_int_equal(c.limits.monitor, 0);
    assert_int_equal(c.limits.connections_per_address, 0);
    config_finish(&c);
}

static void test_list_of_one_needs_no_list(void **state)
{
    struct config c;
    char text[LISTEN_URL_MAX];

    (void)state;
    load_good("listen_one", &c);
    assert_int_equal(c.listen_count, 1);
    assert_string_equal(config_listen_format(&c.listen[0], NULL, text, sizeof text),
                        "any://*:60000");
    config_finish(&c);
    load_good("tags_one", &c);
    assert_true(c.history.persist_tags);
    assert_string_equal(c.history.persist_tag_list, "+draft/react");
    config_finish(&c);
}

static void test_both_ends_of_each_range_are_allowed(void **state)
{
    struct config low, high;

    (void)state;
    load_good("edges_low", &low);
    load_good("edges_high", &high);
    assert_int_equal(low.limits.nick, 9);
    assert_int_equal(high.limits.nick, 128);
    assert_int_equal(low.limits.write_timeout, 0);
    assert_int_equal(high.limits.sendq, 67108864);
    config_finish(&low);
    config_finish(&high);
}

static void test_byte_order_mark_and_crlf_do_no_harm(void **state)
{
    struct config c;

    (void)state;
    load_good("bom", &c);
    assert_string_equal(c.name, "hall");
    config_finish(&c);
    load_good("crlf", &c);
    assert_string_equal(c.name, "dos");
    assert_int_equal(c.limits.nick, 20);
    config_finish(&c);
}

/* ---- differences ---- */

struct seen {
    char restart[256], live[256];
};

static void note_key(const char *key, bool needs_restart, void *user)
{
    struct seen *seen = user;
    char *list = needs_restart ? seen->restart : seen->live;
    size_t used = strlen(list);

    (void)snprintf(list + used, sizeof seen->live - used, "%s ", key);
}

static void test_diff_names_keys_and_whether_they_need_a_restart(void **state)
{
    static const char text[] =
        "name: b\nnetwork: b\ndescription: b\nlisten: [line://*:0]\ndata: /b\nmotd: b\nlobby: b\n"
        "loops: 2\nlog: syslog\nlog_level: debug\nhistory: {max: 5}\n"
        "limits: {nick: 20, flood: {rate: 1, burst: 2}, idle_timeout: 60}\n"
        "password: b\noperators: [{name: b, password: b}]\ncloak: false\n";
    struct config a, b;
    struct seen seen = {{0}, {0}};
    char why[CONFIG_MESSAGE_MAX];

    (void)state;
    config_default(&a);
    assert_int_equal(config_load_text("b", text, sizeof text - 1, &b, why, sizeof why), 0);
    assert_int_equal(config_diff(&a, &b, note_key, &seen), 18);
    assert_string_equal(seen.restart, "name listen data lobby loops ");
    assert_string_equal(seen.live, "network description motd log log_level cloak password "
                                   "operators limits.flood.rate "
                                   "history.max limits.flood.burst limits.nick "
                                   "limits.idle_timeout ");
    assert_int_equal(config_diff(&b, &b, note_key, NULL), 0);
    config_finish(&a);
    config_finish(&b);
}

static void test_one_more_listener_is_a_difference(void **state)
{
    static const struct listen_url two[] = {
        {.kind = LISTEN_ANY, .host = "127.0.0.1", .port = 60000},
        {.kind = LISTEN_UNIX, .path = "/x"}};
    struct config a, b;
    struct seen seen = {{0}, {0}};

    (void)state;
    config_default(&a);
    config_default(&b);
    config_set_listen(&b, two, 2);
    assert_int_equal(config_diff(&a, &b, note_key, &seen), 1);
    assert_string_equal(seen.restart, "listen ");
    config_finish(&a);
    config_finish(&b);
}

/* ---- what depends on the machine ---- */

static void assert_data_dir(struct config *config, const char *want)
{
    char path[PATH_MAX];

    assert_int_equal(config_data_dir(config, path, sizeof path), 0);
    assert_string_equal(path, want);
}

static void test_data_directory_comes_from_key_then_environment(void **state)
{
    struct config config;
    char path[8];

    (void)state;
    config_default(&config);
    assert_int_equal(setenv("HOME", "/home/a", 1), 0);
    assert_int_equal(setenv("XDG_STATE_HOME", "/xdg", 1), 0);
    assert_int_equal(setenv("STATE_DIRECTORY", "/var/lib/one:/var/lib/two", 1), 0);
    assert_data_dir(&config, "/var/lib/one");
    assert_int_equal(unsetenv("STATE_DIRECTORY"), 0);
    assert_data_dir(&config, "/xdg/partyline");
    assert_int_equal(setenv("XDG_STATE_HOME", "relative", 1), 0);
    assert_data_dir(&config, "/home/a/.local/state/partyline");
    assert_int_equal(config_data_dir(&config, path, sizeof path), -ENAMETOOLONG);
    config.data = strdup("data");
    assert_data_dir(&config, "data");
    config_finish(&config);
}

static void test_loops_default_to_the_cpus_of_this_process(void **state)
{
    struct config config;

    (void)state;
    config_default(&config);
    assert_in_range(config_loops(&config), 1, 64);
    config.loops = 7;
    assert_int_equal(config_loops(&config), 7);
    config_finish(&config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_empty_files_give_the_defaults),
        cmocka_unit_test(test_the_example_has_every_default),
        cmocka_unit_test(test_the_manual_has_range_and_default_of_each_number),
        cmocka_unit_test(test_defaults_are_the_documented_ones),
        cmocka_unit_test(test_every_key_is_read),
        cmocka_unit_test(test_json_is_read),
        cmocka_unit_test(test_operators_and_switches_are_read),
        cmocka_unit_test(test_password_as_text_is_warned_of),
        cmocka_unit_test(test_tags_may_be_switched_off),
        cmocka_unit_test(test_json_is_read_however_it_is_written),
        cmocka_unit_test(test_flood_false_means_no_limit),
        cmocka_unit_test(test_zero_means_no_limit),
        cmocka_unit_test(test_list_of_one_needs_no_list),
        cmocka_unit_test(test_both_ends_of_each_range_are_allowed),
        cmocka_unit_test(test_byte_order_mark_and_crlf_do_no_harm),
        cmocka_unit_test(test_diff_names_keys_and_whether_they_need_a_restart),
        cmocka_unit_test(test_one_more_listener_is_a_difference),
        cmocka_unit_test(test_data_directory_comes_from_key_then_environment),
        cmocka_unit_test(test_loops_default_to_the_cpus_of_this_process),
    };
    return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
