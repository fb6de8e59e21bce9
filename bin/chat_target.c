/* SPDX-License-Identifier: MIT */
#include "chat_target.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define DEFAULT_HOST "127.0.0.1"

struct scheme {
    const char *name;
    const char *port;
    enum chat_protocol protocol;
    bool tls;
};

/* The last one is for every other scheme, and for none. */
static const struct scheme schemes[] = {{"irc", "6667", CHAT_IRC, false},
                                        {"ircs", "6697", CHAT_IRC, true},
                                        {"line", "60000", CHAT_LINE, false},
                                        {NULL, "60000", CHAT_AUTO, false}};

/* Takes the scheme off the text. */
static const struct scheme *take_scheme(const char **text)
{
    const struct scheme *scheme = schemes;
    const char *end = strstr(*text, "://");
    while (scheme->name && (!end || strlen(scheme->name) != (size_t)(end - *text) ||
                            strncasecmp(scheme->name, *text, (size_t)(end - *text)) != 0)) {
        scheme++;
    }
    *text = end ? end + 3 : *text;
    return scheme;
}

static int parse_host(const char *text, const char *port, struct chat_target *target)
{
    /* No text is no address to the library; here it is what nobody needs to say. */
    if (text[0] != '\0') {
        int r = party_address_split(text, target->host, sizeof target->host, target->port,
                                    sizeof target->port);
        if (r < 0) {
            return r;
        }
    }
    if (target->host[0] == '\0') {
        (void)snprintf(target->host, sizeof target->host, DEFAULT_HOST);
    }
    if (target->port[0] == '\0') {
        (void)snprintf(target->port, sizeof target->port, "%s", port);
    }
    bool v6 = strchr(target->host, ':') != NULL;
    (void)snprintf(target->shown, sizeof target->shown, v6 ? "[%s]:%s" : "%s:%s", target->host,
                   target->port);
    return 0;
}

int chat_target_parse(const char *text, struct chat_target *ret_target)
{
    *ret_target = (struct chat_target){0};
    const struct scheme *scheme = take_scheme(&text);
    ret_target->protocol = scheme->protocol;
    ret_target->tls = scheme->tls;
    if (strncmp(text, "unix:", 5) == 0) {
        int r = party_address_parse(text, &ret_target->address);
        ret_target->is_address = true;
        (void)snprintf(ret_target->shown, sizeof ret_target->shown, "%s", text);
        return r;
    }
    return parse_host(text, scheme->port, ret_target);
}
