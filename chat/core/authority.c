/* SPDX-License-Identifier: MIT */
#include "core/authority.h"

#include <assert.h>

#include "core/hub_internal.h"

/* A cell: NO, or YES with the modes of the room that turn it into no. */
#define NO      0u
#define YES     (1u << 31)
#define I       ROOM_INVITE_ONLY
#define M       ROOM_MODERATED
#define N       ROOM_NO_OUTSIDE
#define S       ROOM_SECRET
#define T       ROOM_TOPIC_LOCK
#define C       ROOM_NO_CTCP
#define BUT(no) (YES | (no))

/* clang-format off */
static const uint32_t cells[ACT_COUNT][RELATION_COUNT] = {
    /*                     outsider    member   voice    operator  server   console */
    [ACT_LIST] =         { BUT(S),     YES,     YES,     YES,      YES,     YES },
    [ACT_NAMES] =        { BUT(S),     YES,     YES,     YES,      YES,     YES },
    [ACT_ASK] =          { BUT(S),     YES,     YES,     YES,      YES,     YES },
    [ACT_ASK_BANS] =     { BUT(S),     YES,     YES,     YES,      YES,     YES },
    [ACT_ASK_LISTS] =    { NO,         NO,      NO,      YES,      YES,     YES },
    [ACT_SEE_KEY] =      { NO,         YES,     YES,     YES,      YES,     YES },
    [ACT_READ] =         { NO,         YES,     YES,     YES,      NO,      NO  },
    [ACT_ENTER] =        { BUT(I),     NO,      NO,      NO,       BUT(I),  NO  },
    [ACT_SPEAK] =        { BUT(N | M), BUT(M),  YES,     YES,      YES,     NO  },
    [ACT_SPEAK_BANNED] = { NO,         NO,      YES,     YES,      YES,     NO  },
    [ACT_CTCP] =         { BUT(C),     BUT(C),  BUT(C),  BUT(C),   BUT(C),  NO  },
    [ACT_TOPIC] =        { NO,         BUT(T),  BUT(T),  YES,      YES,     NO  },
    [ACT_MODE] =         { NO,         NO,      NO,      YES,      YES,     YES },
    [ACT_INVITE] =       { NO,         BUT(I),  BUT(I),  YES,      YES,     NO  },
    [ACT_REMOVE] =       { NO,         NO,      NO,      YES,      YES,     YES },
    [ACT_RENAME] =       { NO,         NO,      NO,      YES,      YES,     YES },
    [ACT_REDACT_OWN] =   { NO,         YES,     YES,     YES,      YES,     YES },
    [ACT_REDACT] =       { NO,         NO,      NO,      YES,      YES,     YES },
    [ACT_SERVE] =        { NO,         NO,      NO,      NO,       YES,     YES },
};
/* clang-format on */

bool authority_allows(enum act act, enum relation relation, uint32_t modes)
{
    assert((unsigned)act < ACT_COUNT && (unsigned)relation < RELATION_COUNT);
    uint32_t cell = cells[act][relation];
    return (cell & YES) != 0 && (cell & modes) == 0;
}
