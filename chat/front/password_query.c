/* SPDX-License-Identifier: MIT */
#include "front/password_query.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

struct password_query *password_query_create(enum password_kind kind, const char *name,
                                             size_t name_len, const char *password,
                                             size_t password_len)
{
    struct password_query *query = xcalloc(1, sizeof(*query));
    query->kind = kind;
    query->name = xmemdup0(name, name_len);
    query->password = xmemdup0(password, password_len);
    return query;
}

void password_query_destroy(struct password_query *query)
{
    if (query) {
        xfree_wiped(query->password, strlen(query->password));
        free(query->name);
        free(query);
    }
}
