/* SPDX-License-Identifier: MIT */
#include "chat_login.h"

#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "wire/irc_name.h"

#define LOGIN_MAX_BYTES 16

char *chat_login_name(void)
{
    const char *name = getenv("USER");
    char buffer[1024];
    struct passwd entry, *found = NULL;
    if ((!name || name[0] == '\0') &&
        getpwuid_r(getuid(), &entry, buffer, sizeof buffer, &found) == 0 && found) {
        name = found->pw_name;
    }
    char clean[LOGIN_MAX_BYTES + 1];
    size_t len = name ? irc_name_clean_user(irc_span(name), LOGIN_MAX_BYTES, clean) : 0;
    for (size_t i = 0; i < len; i++) {
        clean[i] = clean[i] == '.' ? '-' : clean[i]; /* fine in a login name, not in a nick */
    }
    clean[len] = '\0';
    return irc_name_is_nick(irc_span(clean)) ? xmemdup0(clean, len) : xmemdup0("someone", 7);
}
