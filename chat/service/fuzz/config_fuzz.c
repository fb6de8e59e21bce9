/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "fuzz.h"
#include "service/config.h"

/*
 * The input is a configuration file. Promises: a refused one has a message of one line that names
 * the file; an accepted one equals itself, read again; each listener can be written and read back.
 */

static void check_listeners(const struct config *config)
{
    char text[LISTEN_URL_MAX], why[CONFIG_MESSAGE_MAX];
    struct listen_url back;

    fuzz_check(config->listen_count >= 1 && config->listen_count <= CONFIG_LISTEN_MAX);
    for (size_t i = 0; i < config->listen_count; i++) {
        config_listen_format(&config->listen[i], NULL, text, sizeof text);
        fuzz_check(config_listen_parse(text, &back, why, sizeof why) == 0);
        fuzz_check(config_listen_equal(&back, &config->listen[i]));
    }
}

static void check_accepted(const struct config *config, const void *text, size_t len)
{
    struct config again;
    char why[CONFIG_MESSAGE_MAX];

    fuzz_check(config_load_text("x", text, len, &again, why, sizeof why) == 0);
    fuzz_check(config_diff(config, &again, NULL, NULL) == 0);
    config_finish(&again);
    check_listeners(config);
    fuzz_check(config->loops <= 64 && config_loops(config) >= 1);
    fuzz_check(config->limits.nick >= 9 && config->limits.nick <= 128);
    fuzz_check(strlen(config->lobby) <= config->limits.channel);
    fuzz_check(strlen(config->motd) <= CONFIG_MOTD_MAX_BYTES);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct config config;
    char why[CONFIG_MESSAGE_MAX];
    void *text = fuzz_copy(data, size);

    if (config_load_text("x", text, size, &config, why, sizeof why) == 0) {
        check_accepted(&config, text, size);
        config_finish(&config);
    } else {
        fuzz_check(why[0] == 'x' && why[1] == ':');
        fuzz_check(!strpbrk(why, "\n\r\t\x1b\x7f"));
    }
    free(text);
    return 0;
}
