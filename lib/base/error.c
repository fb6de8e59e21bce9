/* SPDX-License-Identifier: MIT */
#include <partyline/error.h>

#include <errno.h>
#include <netdb.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* Linux reserves -4095..-1 for errno in pointers and results; our codes lie below. */
#define ERRNO_MAX 4095

/* The codes -5100..-5199 are getaddrinfo's. */
#define GAI_FIRST (-5100)
#define GAI_LAST  (-5199)

/* The codes -5200..-5299 are those of gethostbyname(3) and its like. */
#define H_FIRST (-5200)
#define H_LAST  (-5299)

struct error_entry {
    int code;
    const char *name;
    const char *text;
};

static const struct error_entry error_table[] = {
#define ERROR_TABLE_ENTRY(name, code, text) {code, #name, text},
    PARTY_ERRORS(ERROR_TABLE_ENTRY)
#undef ERROR_TABLE_ENTRY
};

static const struct error_entry *find_entry(int code)
{
    for (size_t i = 0; i < sizeof(error_table) / sizeof(error_table[0]); i++) {
        if (error_table[i].code == code) {
            return &error_table[i];
        }
    }
    return NULL;
}

static bool is_errno(int code)
{
    return code < 0 && code >= -ERRNO_MAX;
}

const char *party_strerror(int code)
{
    const struct error_entry *entry = find_entry(code);
    if (entry != NULL) {
        return entry->text;
    }
    if (code >= 0) {
        return "no error";
    }
    /* Unlike strerror(3), strerrordesc_np(3) is safe in every thread and never allocates. */
    const char *text = is_errno(code) ? strerrordesc_np(-code) : NULL;
    return text != NULL ? text : "unknown error";
}

const char *party_error_name(int code)
{
    const struct error_entry *entry = find_entry(code);
    if (entry != NULL) {
        return entry->name;
    }
    if (code >= 0) {
        return "OK";
    }
    const char *name = is_errno(code) ? strerrorname_np(-code) : NULL;
    return name != NULL ? name : "?";
}

enum party_error_kind party_error_kind(int code)
{
    if (code >= 0) {
        return PARTY_KIND_NONE;
    }
    if (code == PARTY_ETIMEOUT || code == -ETIMEDOUT) {
        return PARTY_KIND_TIMEOUT;
    }
    if (is_errno(code)) {
        return PARTY_KIND_OS;
    }
    if (code <= GAI_FIRST && code >= GAI_LAST) {
        return PARTY_KIND_GAI;
    }
    if (code <= H_FIRST && code >= H_LAST) {
        return PARTY_KIND_HERROR;
    }
    return PARTY_KIND_LIBRARY;
}

int party_error_from_gai(int eai, int sys_errno)
{
    switch (eai) {
    case 0:
        return 0;
    case EAI_SYSTEM:
        /* A resolver that reports EAI_SYSTEM and leaves errno at 0 has failed all the same. */
        return sys_errno > 0 ? -sys_errno : PARTY_EGAI_FAIL;
    case EAI_BADFLAGS:
        return PARTY_EGAI_BADFLAGS;
    case EAI_NONAME:
        return PARTY_EGAI_NONAME;
    case EAI_AGAIN:
        return PARTY_EGAI_AGAIN;
    case EAI_NODATA:
        return PARTY_EGAI_NODATA;
    case EAI_FAMILY:
        return PARTY_EGAI_FAMILY;
    case EAI_SOCKTYPE:
        return PARTY_EGAI_SOCKTYPE;
    case EAI_SERVICE:
        return PARTY_EGAI_SERVICE;
    case EAI_ADDRFAMILY:
        return PARTY_EGAI_ADDRFAMILY;
    case EAI_MEMORY:
        return PARTY_EGAI_MEMORY;
    case EAI_OVERFLOW:
        return PARTY_EGAI_OVERFLOW;
    case EAI_FAIL:
    default:
        /* EAI_CANCELED and its like belong to getaddrinfo_a(3), which we never call. */
        return PARTY_EGAI_FAIL;
    }
}

int party_error_from_h(int herr, int sys_errno)
{
    switch (herr) {
    case NETDB_SUCCESS:
        return 0;
    case NETDB_INTERNAL:
        return sys_errno > 0 ? -sys_errno : PARTY_EH_NO_RECOVERY;
    case HOST_NOT_FOUND:
        return PARTY_EH_HOST_NOT_FOUND;
    case TRY_AGAIN:
        return PARTY_EH_TRY_AGAIN;
    case NO_DATA:
        return PARTY_EH_NO_DATA;
    case NO_RECOVERY:
    default:
        return PARTY_EH_NO_RECOVERY;
    }
}
