/* SPDX-License-Identifier: MIT */
#include "service/config.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/* What is behind the file's name in the message for each file of tests/config/bad. */
static const struct {
    const char *file;
    const char *message;
} bad[] = {
    {"alias", ":1: anchors and aliases are not supported"},
    {"alias_bomb", ":1: anchors and aliases are not supported"},
    {"alias_self", ":1: anchors and aliases are not supported"},
    {"alias_unknown", ":1: anchors and aliases are not supported"},
    {"anchor_mapping", ":1: anchors and aliases are not supported"},
    {"at_sign", ":1: not YAML: while scanning for the next token, found character that cannot "
                "start any token"},
    {"binary", ":1: not text: control characters are not allowed"},
    {"bracket_open",
     ":2: not YAML: while parsing a flow sequence, did not find expected ',' or ']'"},
    {"choice_backend", ":1: backend: 'kqueue' is none of: epoll, io_uring"},
    {"choice_backend_number", ":1: backend: '0' is none of: epoll, io_uring"},
    {"choice_case", ":1: log_level: 'INFO' is none of: error, warning, info, debug"},
    {"choice_cut",
     ":1: log: '012345678901234567890123456789012345678?' is none of: stderr, syslog, journal"},
    {"choice_log", ":1: log: 'file' is none of: stderr, syslog, journal"},
    {"choice_log_level", ":3: log_level: 'verbose' is none of: error, warning, info, debug"},
    {"choice_long",
     ":1: log: '0123456789012345678901234567890123456789' is none of: stderr, syslog, journal"},
    {"cloak_word", ":1: cloak: 'yes' is neither true nor false"},
    {"colon_twice", ":1: not YAML: mapping values are not allowed in this context"},
    {"comma_missing",
     ":2: not YAML: while parsing a flow mapping, did not find expected ',' or '}'"},
    {"control_byte", ":2: not text: control characters are not allowed"},
    {"data_empty", ":1: data: the value is empty"},
    {"data_long", ":1: data: 3841 bytes are more than 3840"},
    {"deep_lists", ":1: nested deeper than 8 levels"},
    {"deep_mappings", ":9: nested deeper than 8 levels"},
    {"deep_open", ":1: nested deeper than 8 levels"},
    {"deep_open_braces", ":1: a key is one word, not a list or a mapping"},
    {"description_long", ":1: description: 201 bytes are more than 200"},
    {"directive", ":1: not YAML: found incompatible YAML document"},
    {"directives", ":9: more than 8 lines begin with %"},
    {"duplicate_nested", ":4: limits.nick: given twice, first on line 2"},
    {"duplicate_quoted", ":2: name: given twice, first on line 1"},
    {"duplicate_root", ":3: name: given twice, first on line 1"},
    {"duplicate_section", ":4: limits: given twice, first on line 1"},
    {"escape_bad", ":1: not YAML: while parsing a quoted scalar, found unknown escape character"},
    {"history_enabled_word", ":2: history.enabled: '1' is neither true nor false"},
    {"history_null_word", ":1: history: the value is missing"},
    {"indent_mixed", ":3: not YAML: while parsing a block mapping, did not find expected key"},
    {"json_surrogate_alone",
     ":1: not YAML: while parsing a quoted scalar, found invalid Unicode character escape code"},
    {"json_trailing", ":1: not YAML: did not find expected <document start>"},
    {"key_control", ":1: a key that is empty or has control characters"},
    {"key_empty", ":1: a key that is empty or has control characters"},
    {"key_list", ":1: a key is one word, not a list or a mapping"},
    {"key_mapping", ":2: a key is one word, not a list or a mapping"},
    {"key_too_long", ":2: a key of more than 64 bytes"},
    {"latin1", ":2: not text: incomplete UTF-8 octet sequence"},
    {"listen_empty", ":1: listen: the list is empty"},
    {"listen_empty_port",
     ":2: listen[0]: any://127.0.0.1:: the port is missing (0 picks a free one)"},
    {"listen_host_bad", ":2: listen[0]: any://under/stroke:60000: not a host name"},
    {"listen_host_long",
     ":2: listen[0]: "
     "any://hhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhh: the host "
     "is too long"},
    {"listen_https", ":1: listen[0]: https:// is not supported by this version"},
    {"listen_many", ":1: listen: more than 64 entries"},
    {"listen_no_host", ":2: listen[0]: any://:60000: the host is missing (* means every address)"},
    {"listen_no_port", ":2: listen[0]: any://127.0.0.1: the port is missing (0 picks a free one)"},
    {"listen_no_scheme", ":2: listen[0]: 127.0.0.1:60000: a listener is any://HOST:PORT, "
                         "line://HOST:PORT, irc://HOST:PORT or unix:PATH"},
    {"listen_null", ":1: listen[0]: the value is missing"},
    {"listen_one_no_scheme", ":2: listen: 127.0.0.1:60000: a listener is any://HOST:PORT, "
                             "line://HOST:PORT, irc://HOST:PORT or unix:PATH"},
    {"listen_port_big", ":2: listen[0]: any://127.0.0.1:65536: the port is more than 65535"},
    {"listen_port_slash", ":2: listen[0]: any://127.0.0.1:60000/: the port is not a number"},
    {"listen_port_word", ":2: listen[0]: any://127.0.0.1:http: the port is not a number"},
    {"listen_scheme", ":2: listen[0]: tcp://*:60000: a listener is any://HOST:PORT, "
                      "line://HOST:PORT, irc://HOST:PORT or unix:PATH"},
    {"listen_twice", ":4: listen[2]: the same as listen[0]"},
    {"listen_unix_empty", ":2: listen[0]: unix:: the path is missing"},
    {"listen_unix_long",
     ":2: listen[0]: "
     "unix:/pppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppp: the path "
     "is longer than the 107 bytes a socket may have"},
    {"listen_v4_bad", ":2: listen[0]: any://256.1.1.1:60000: not an IPv4 address"},
    {"listen_v6_bad", ":2: listen[0]: any://[::g]:60000: not an IPv6 address between the brackets"},
    {"listen_v6_bare",
     ":2: listen[0]: any://::1:60000: an IPv6 address stands in brackets, as in [::1]:60000"},
    {"listen_v6_no_port", ":2: listen[0]: any://[::1]: the port is missing (0 picks a free one)"},
    {"listen_v6_open", ":2: listen[0]: any://[::1:60000: the closing bracket is missing"},
    {"lobby_comma", ":1: lobby: 'a,b' cannot be a room's name"},
    {"lobby_empty", ":1: lobby: the value is empty"},
    {"lobby_lines", ":1: lobby: 'a?b' cannot be a room's name"},
    {"lobby_long", ":3: lobby: longer than limits.channel (6 bytes)"},
    {"lobby_space", ":1: lobby: 'the hall' cannot be a room's name"},
    {"many_keys", ":1024: more than 1024 keys and values"},
    {"missing_entry", ":3: listen[1]: the value is missing"},
    {"missing_limits", ":1: limits: the value is missing"},
    {"missing_name", ":1: name: the value is missing"},
    {"missing_nick", ":2: limits.nick: the value is missing"},
    {"missing_tilde", ":1: data: the value is missing"},
    {"motd_c1", ":1: motd: control characters in the value"},
    {"motd_escape", ":1: motd: control characters in the value"},
    {"motd_long", ":1: motd: 16385 bytes are more than 16384"},
    {"name_empty", ":1: name: the value is empty"},
    {"name_long", ":1: name: 64 bytes are more than 63"},
    {"name_nul_escape", ":1: name: control characters in the value"},
    {"name_space", ":1: name: a server's name is of a-z, A-Z, 0-9, '-', '_' and '.'"},
    {"network_blank", ":1: network: the value is empty"},
    {"network_lines", ":1: network: a tab or more than one line"},
    {"nul_byte", ":1: not text: control characters are not allowed"},
    {"operator_both", ":2: operators[0]: both password and password_hash are there"},
    {"operator_hash_as_password", ":3: operators[0].password: a hash stands in password_hash"},
    {"operator_hash_bad", ":3: operators[0].password_hash: not a hash that begins with $argon2id$"},
    {"operator_hash_cut", ":3: operators[0].password_hash: the salt (8 to 64 bytes) or the tag (16 "
                          "to 64 bytes) is not whole"},
    {"operator_hash_heavy",
     ":3: operators[0].password_hash: m is to be 8 to 1048576, t 1 to 100 and p 1 to 64"},
    {"operator_name_missing", ":2: operators[0]: the name is missing"},
    {"operator_name_space",
     ":2: operators[0].name: a name is one word and does not begin with a colon"},
    {"operator_name_twice", ":4: operators[2].name: two operators have this name"},
    {"operator_no_password", ":2: operators[0]: neither password nor password_hash is there"},
    {"operator_password_empty", ":3: operators[0].password: the value is empty"},
    {"operator_password_null", ":1: operators[0].password: the value is missing"},
    {"operators_many", ":1: operators: more than 64 entries"},
    {"password_empty", ":1: password: the value is empty"},
    {"password_hash_other", ":1: password: not a hash that begins with $argon2id$"},
    {"password_lines", ":1: password: a tab or more than one line"},
    {"password_list", ":1: password: a text is expected, not a list"},
    {"password_long", ":1: password: longer than the 256 bytes a password may have"},
    {"percent_literal", ":1: name: a server's name is of a-z, A-Z, 0-9, '-', '_' and '.'"},
    {"quote_open", ":3: not YAML: while scanning a quoted scalar, found unexpected end of stream"},
    {"range_announce", ":2: limits.announce: 1000001 is more than 1000000"},
    {"range_away", ":2: limits.away: 4097 is more than 4096"},
    {"range_burst", ":3: limits.flood.burst: -1 is less than 1"},
    {"range_channel", ":2: limits.channel: 201 is more than 200"},
    {"range_channels", ":2: limits.channels: 1000001 is more than 1000000"},
    {"range_chathistory", ":2: limits.history: 10001 is more than 10000"},
    {"range_connection_rate", ":2: limits.connection_rate: 100000000 is more than 1000000"},
    {"range_connections", ":2: limits.connections: 1000001 is more than 1000000"},
    {"range_history_max", ":2: history.max: 1001 is more than 1000"},
    {"range_history_zero", ":2: history.max: 0 is less than 1"},
    {"range_idle_timeout", ":2: limits.idle_timeout: 604801 is more than 604800"},
    {"range_kick", ":2: limits.kick: 4097 is more than 4096"},
    {"range_line", ":2: limits.line: 8193 is more than 8192"},
    {"range_loops", ":1: loops: 65 is more than 64"},
    {"range_monitor", ":2: limits.monitor: -1 is less than 0"},
    {"range_multiline_bytes", ":2: limits.multiline_bytes: 32769 is more than 32768"},
    {"range_multiline_lines", ":2: limits.multiline_lines: 1001 is more than 1000"},
    {"range_nick_digits",
     ":2: limits.nick: 9999999999999999999999999999999999999999... is more than 128"},
    {"range_nick_huge", ":2: limits.nick: 99999999999999999999999999 is more than 128"},
    {"range_nick_less", ":2: limits.nick: 8 is less than 9"},
    {"range_nick_more", ":4: limits.nick: 500 is more than 128"},
    {"range_nick_negative", ":1: limits.nick: -1 is less than 9"},
    {"range_nick_negative_huge", ":2: limits.nick: -99999999999999999999999999 is less than 9"},
    {"range_nick_wrap", ":2: limits.nick: 4294967316 is more than 128"},
    {"range_on_join", ":3: history.on_join: 201 is more than 200"},
    {"range_per_address", ":2: limits.connections_per_address: -5 is less than 0"},
    {"range_ping", ":2: limits.ping: 86401 is more than 86400"},
    {"range_rate_less", ":3: limits.flood.rate: 0 is less than 0.1"},
    {"range_rate_more", ":4: limits.flood.rate: 1000.5 is more than 1000"},
    {"range_rate_negative", ":3: limits.flood.rate: -1 is less than 0.1"},
    {"range_rooms", ":2: limits.rooms: 1000001 is more than 1000000"},
    {"range_sendq", ":2: limits.sendq: 512 is less than 16384"},
    {"range_topic", ":2: limits.topic: 4097 is more than 4096"},
    {"range_whowas", ":2: limits.whowas: 100001 is more than 100000"},
    {"range_write_timeout", ":2: limits.write_timeout: 3601 is more than 3600"},
    {"surrogate",
     ":1: not YAML: while parsing a quoted scalar, found invalid Unicode character escape code"},
    {"tab_first", ":1: not YAML: a tab; lines are indented by spaces"},
    {"tab_indent", ":2: not YAML: a tab; lines are indented by spaces"},
    {"tag", ":1: tags are not supported"},
    {"tag_local", ":1: tags are not supported"},
    {"tags_many", ":2: history.persist_tags: more than 64 entries"},
    {"tags_name",
     ":4: history.persist_tags[1]: 'a b' is no client-only tag, such as +draft/persist"},
    {"tags_one_bad", ":2: history.persist_tags: '+a b' is no client-only tag, such as "
                     "+draft/persist"},
    {"tags_slash",
     ":2: history.persist_tags[0]: '+/x' is no client-only tag, such as +draft/persist"},
    {"trailing", ":3: not YAML: did not find expected <document start>"},
    {"two_documents", ":2: a second document"},
    {"type_flood_list", ":2: limits.flood: a mapping is expected, not a list"},
    {"type_flood_number",
     ":2: limits.flood: '7' is neither true, false nor a mapping of burst and rate"},
    {"type_flood_quoted",
     ":2: limits.flood: 'false' is neither true, false nor a mapping of burst and rate"},
    {"type_flood_word",
     ":2: limits.flood: 'off' is neither true, false nor a mapping of burst and rate"},
    {"type_limits_list", ":2: limits: a mapping is expected, not a list"},
    {"type_limits_text", ":2: limits: a mapping is expected, not a single value"},
    {"type_listen_entry", ":3: listen[1]: a text is expected, not a mapping"},
    {"type_listen_mapping", ":1: listen: a list is expected, not a mapping"},
    {"type_listen_nested", ":2: listen[0]: a text is expected, not a list"},
    {"type_loops_bool", ":1: loops: 'true' is not a whole number"},
    {"type_name_list", ":1: name: a text is expected, not a list"},
    {"type_name_mapping", ":2: name: a text is expected, not a mapping"},
    {"type_nick_exponent", ":2: limits.nick: '2e1' is not a whole number"},
    {"type_nick_fraction", ":2: limits.nick: '20.5' is not a whole number"},
    {"type_nick_hex", ":2: limits.nick: '0x20' is not a whole number"},
    {"type_nick_list", ":2: limits.nick: a whole number is expected, not a list"},
    {"type_nick_octal", ":2: limits.nick: '020' is not a whole number"},
    {"type_nick_quoted", ":2: limits.nick: a number is written without quotes"},
    {"type_nick_text", ":2: limits.nick: 'many' is not a whole number"},
    {"type_operator", ":1: operators[0]: a mapping is expected, not a single value"},
    {"type_operators", ":1: operators: a list is expected, not a single value"},
    {"type_rate_exponent", ":2: limits.flood.rate: '1e999' is not a number"},
    {"type_rate_inf", ":2: limits.flood.rate: 'inf' is not a number"},
    {"type_rate_list", ":2: limits.flood.rate: a number is expected, not a list"},
    {"type_rate_nan", ":3: limits.flood.rate: '.nan' is not a number"},
    {"type_root_json_list", ":1: a mapping is expected, not a list"},
    {"type_root_list", ":1: a mapping is expected, not a list"},
    {"type_root_text", ":1: a mapping is expected, not a single value"},
    {"type_sendq_unit", ":2: limits.sendq: '96k' is not a whole number"},
    {"type_tags_mapping", ":2: history.persist_tags: a list is expected, not a mapping"},
    {"type_tags_word",
     ":2: history.persist_tags: 'typing' is neither true, false nor a list of tags"},
    {"unknown_dotted", ":1: limits.nick: unknown key"},
    {"unknown_flood", ":4: limits.flood.rats: unknown key"},
    {"unknown_indexed", ":1: listen[0]: unknown key"},
    {"unknown_limit", ":4: limits.nik: unknown key"},
    {"unknown_long",
     ":1: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa: unknown key"},
    {"unknown_merge", ":1: <<: unknown key"},
    {"unknown_operator_key", ":3: operators[0].pasword: unknown key"},
    {"unknown_root", ":2: nmae: unknown key"},
    {"unknown_upper", ":1: Name: unknown key"},
    {"utf16", ":1: not text: invalid leading UTF-8 octet"},
    {"utf8_overlong", ":1: not text: invalid length of a UTF-8 sequence"},
};

#define BAD_COUNT (sizeof bad / sizeof bad[0])

static char *in_source(char *path, const char *name)
{
    const char *root = getenv("PARTYLINE_SOURCE_ROOT");

    (void)snprintf(path, PATH_MAX, "%s/%s", root != NULL ? root : ".", name);
    return path;
}

static int load_text(const char *text, size_t len, char *why)
{
    struct config config;

    why[0] = '\0';
    int r = config_load_text("x.yaml", text, len, &config, why, CONFIG_MESSAGE_MAX);
    if (r == 0) {
        config_finish(&config);
    }
    return r;
}

static void test_each_bad_file_gets_its_message(void **state)
{
    char path[PATH_MAX], file[128], want[PATH_MAX + CONFIG_MESSAGE_MAX], why[CONFIG_MESSAGE_MAX];
    struct config config;

    (void)state;
    for (size_t i = 0; i < BAD_COUNT; i++) {
        (void)snprintf(file, sizeof file, "tests/config/bad/%s.yaml", bad[i].file);
        in_source(path, file);
        memset(&config, 0x5a, sizeof config);
        assert_int_equal(config_load(path, &config, why, sizeof why), -1);
        (void)snprintf(want, sizeof want, "%s%s", path, bad[i].message);
        assert_string_equal(why, want);
        for (size_t k = 0; k < sizeof config; k++) {
            assert_int_equal(((unsigned char *)&config)[k], 0x5a);
        }
    }
}

static void test_no_bad_file_is_left_out(void **state)
{
    char path[PATH_MAX];
    size_t count = 0;

    (void)state;
    DIR *dir = opendir(in_source(path, "tests/config/bad"));
    assert_non_null(dir);
    for (const struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
        count += entry->d_name[0] != '.';
    }
    (void)closedir(dir);
    assert_int_equal(count, BAD_COUNT);
}

static void test_message_is_cut_to_the_buffer(void **state)
{
    char why[12];
    struct config config;

    (void)state;
    memset(why, 'z', sizeof why);
    assert_int_equal(config_load_text("x.yaml", "nmae: y\n", 8, &config, why, 10), -1);
    assert_string_equal(why, "x.yaml:1:");
    assert_int_equal(why[10], 'z');
}

/* ---- files that are none ---- */

static void assert_load_fails(const char *path, const char *message)
{
    char want[PATH_MAX + 64], why[CONFIG_MESSAGE_MAX];
    struct config config;

    assert_int_equal(config_load(path, &config, why, sizeof why), -1);
    (void)snprintf(want, sizeof want, "%s: %s", path, message);
    assert_string_equal(why, want);
}

static char *make_dir(char *dir)
{
    (void)snprintf(dir, PATH_MAX, "%s/config_test.XXXXXX",
                   getenv("TMPDIR") != NULL ? getenv("TMPDIR") : "/tmp");
    assert_non_null(mkdtemp(dir));
    return dir;
}

static void write_file(const char *path, size_t bytes)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    for (size_t i = 0; i < bytes; i++) {
        assert_int_not_equal(fputc(i % 64 == 63 ? '\n' : '#', file), EOF);
    }
    assert_int_equal(fclose(file), 0);
}

static void test_missing_file_directory_fifo_and_loop_are_named(void **state)
{
    char dir[PATH_MAX], path[PATH_MAX + 16];

    (void)state;
    make_dir(dir);
    assert_load_fails(dir, "is a directory");
    (void)snprintf(path, sizeof path, "%s/none.yaml", dir);
    assert_load_fails(path, "No such file or directory");
    assert_load_fails("", "No such file or directory");
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_load_fails(path, "is not a regular file");
    assert_int_equal(unlink(path), 0);
    assert_int_equal(symlink(path, path), 0);
    assert_load_fails(path, strerror(ELOOP));
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(dir), 0);
}

static void test_unreadable_file_is_named(void **state)
{
    char dir[PATH_MAX], path[PATH_MAX + 16];
    bool is_root = geteuid() == 0;

    (void)state;
    make_dir(dir);
    (void)snprintf(path, sizeof path, "%s/x.yaml", dir);
    write_file(path, 1);
    assert_int_equal(chmod(dir, 0711), 0);
    assert_int_equal(chmod(path, 0), 0);
    /* Root may read everything: the test is nobody for a moment. */
    if (is_root) {
        assert_int_equal(seteuid(65534), 0);
    }
    assert_load_fails(path, "Permission denied");
    if (is_root) {
        assert_int_equal(seteuid(0), 0);
    }
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(dir), 0);
}

static void test_file_size_is_limited(void **state)
{
    char dir[PATH_MAX], path[PATH_MAX + 16], why[CONFIG_MESSAGE_MAX];
    struct config config;

    (void)state;
    make_dir(dir);
    (void)snprintf(path, sizeof path, "%s/x.yaml", dir);
    write_file(path, CONFIG_FILE_MAX_BYTES);
    assert_int_equal(config_load(path, &config, why, sizeof why), 0);
    config_finish(&config);
    write_file(path, CONFIG_FILE_MAX_BYTES + 1);
    assert_load_fails(path, "larger than 262144 bytes");
    write_file(path, 10 * 1024 * 1024);
    assert_load_fails(path, "larger than 262144 bytes");
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(dir), 0);
}

/* ---- what no table can hold ---- */

static void test_each_cut_of_a_good_file_is_taken_or_refused(void **state)
{
    char path[PATH_MAX], why[CONFIG_MESSAGE_MAX];
    char text[2048];

    (void)state;
    FILE *file = fopen(in_source(path, "tests/config/good/full.yaml"), "r");
    assert_non_null(file);
    size_t len = fread(text, 1, sizeof text, file);
    (void)fclose(file);
    assert_in_range(len, 100, sizeof text - 1);
    for (size_t cut = 0; cut <= len; cut++) {
        /* A copy of just that size, so that a sanitizer sees a read beyond it. */
        char *part = malloc(cut + 1);
        assert_non_null(part);
        memcpy(part, text, cut);
        char *exact = realloc(part, cut > 0 ? cut : 1);
        assert_non_null(exact);
        if (load_text(exact, cut, why) < 0) {
            assert_int_equal(strncmp(why, "x.yaml", 6), 0);
            assert_null(strchr(why, '\n'));
        }
        free(exact);
    }
}

static void test_every_changed_byte_is_taken_or_refused(void **state)
{
    static const char good[] = "name: a\nlisten: [any://*:1]\nlimits: {nick: 20, flood: false}\n";
    char why[CONFIG_MESSAGE_MAX];
    char text[sizeof good];

    (void)state;
    for (size_t at = 0; at < sizeof good - 1; at++) {
        for (int byte = 0; byte < 256; byte++) {
            memcpy(text, good, sizeof good);
            text[at] = (char)byte;
            if (load_text(text, sizeof good - 1, why) < 0) {
                assert_int_equal(strncmp(why, "x.yaml", 6), 0);
                assert_null(strpbrk(why, "\n\t\r\x1b\x7f"));
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_bad_file_gets_its_message),
        cmocka_unit_test(test_no_bad_file_is_left_out),
        cmocka_unit_test(test_message_is_cut_to_the_buffer),
        cmocka_unit_test(test_missing_file_directory_fifo_and_loop_are_named),
        cmocka_unit_test(test_unreadable_file_is_named),
        cmocka_unit_test(test_file_size_is_limited),
        cmocka_unit_test(test_each_cut_of_a_good_file_is_taken_or_refused),
        cmocka_unit_test(test_every_changed_byte_is_taken_or_refused),
    };
    return cmocka_run_group_tests_name("config_bad", tests, NULL, NULL);
}
