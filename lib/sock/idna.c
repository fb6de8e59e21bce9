/* SPDX-License-Identifier: MIT */
/*
 * IDNA 2008 with the mapping of UTS 46, not transitional: what browsers and glibc's AI_IDN do.
 * Python's codec 'idna' is IDNA 2003. The two agree on common names. They differ where IDNA 2003
 * replaces a sharp s, a final sigma or a joiner, which are letters of their own by now, and where
 * IDNA 2008 refuses: joiners out of place, hyphens at an end, spaces. Names with symbols, which it
 * refuses too, exist all the same, and get a second try by the rules that know them.
 */
#include "sock/idna.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include <partyline/error.h>

#ifdef PARTY_HAVE_IDN2
#include <idn2.h>
#endif

static bool is_ascii(const char *text)
{
    for (; *text != '\0'; text++) {
        if ((unsigned char)*text > 0x7f) {
            return false;
        }
    }
    return true;
}

#ifdef PARTY_HAVE_IDN2
static int from_idn2(int rc)
{
    switch (rc) {
    case IDN2_OK:
        return 0;
    case IDN2_MALLOC:
        return -ENOMEM;
    case IDN2_TOO_BIG_DOMAIN:
    case IDN2_TOO_BIG_LABEL:
    case IDN2_PUNYCODE_BIG_OUTPUT: /* a label again, seen one step earlier */
        return PARTY_EIDNA_LONG;
    default:
        return PARTY_EIDNA;
    }
}

/* libidn2 lets empty labels pass; only the root's, after a dot at the end, is one. */
static bool has_empty_label(const char *name)
{
    return name[0] == '.' || name[0] == '\0' || strstr(name, "..") != NULL;
}

static int to_ascii(const char *host, char buffer[PARTY__IDNA_CAP])
{
    char *ascii = NULL;
    int rc = idn2_to_ascii_8z(host, &ascii, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
    if (rc == IDN2_DISALLOWED) {
        rc = idn2_to_ascii_8z(host, &ascii, IDN2_NFC_INPUT | IDN2_TRANSITIONAL);
    }
    int r = from_idn2(rc);
    if (r < 0) {
        return r;
    }
    size_t len = strlen(ascii);
    if (has_empty_label(ascii)) {
        r = PARTY_EIDNA_EMPTY;
    } else if (len >= PARTY__IDNA_CAP) {
        r = PARTY_EIDNA_LONG;
    } else {
        memcpy(buffer, ascii, len + 1);
    }
    idn2_free(ascii);
    return r;
}
#else
static int to_ascii(const char *host, char buffer[PARTY__IDNA_CAP])
{
    (void)host;
    (void)buffer;
    return PARTY_EIDNA_UNSUPPORTED;
}
#endif

int party__idna_encode(const char *host, char buffer[PARTY__IDNA_CAP], const char **ret_name)
{
    if (is_ascii(host)) {
        *ret_name = host;
        return 0;
    }
    int r = to_ascii(host, buffer);
    if (r == 0) {
        *ret_name = buffer;
    }
    return r;
}
