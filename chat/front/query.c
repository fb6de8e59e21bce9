/* SPDX-License-Identifier: MIT */
#include "front/query.h"

#include <stdlib.h>

#include "base/xalloc.h"

struct query *query_create(uint64_t session)
{
    struct query *query = xcalloc(1, sizeof(*query));
    query->session = session;
    return query;
}

void query_destroy(struct query *query)
{
    if (query) {
        event_list_finish(&query->found);
        record_out_finish(&query->records);
        free(query->text);
        free(query->rooms);
        free(query);
    }
}
