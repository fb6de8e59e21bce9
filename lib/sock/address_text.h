/* SPDX-License-Identifier: MIT */
#ifndef PARTYLINE_SOCK_ADDRESS_TEXT_H
#define PARTYLINE_SOCK_ADDRESS_TEXT_H

#include <inttypes.h>
#include <net/if.h>
#include <stdio.h>

#include <partyline/address.h>

/* Inside lib/sock: what the written forms of all families are read and written with. */

/* Text that grows in a buffer of fixed size and is cut at its end. */
struct party__writer {
    char *text;
    size_t cap;
    size_t len;
};

static inline void party__put_byte(struct party__writer *writer, char c)
{
    if (writer->len + 1 < writer->cap) {
        writer->text[writer->len] = c;
        writer->len++;
        writer->text[writer->len] = '\0';
    }
}

static inline void party__put_text(struct party__writer *writer, const char *text)
{
    for (size_t i = 0; text[i] != '\0'; i++) {
        party__put_byte(writer, text[i]);
    }
}

static inline void party__put_number(struct party__writer *writer, uint32_t number)
{
    char digits[16];
    (void)snprintf(digits, sizeof(digits), "%" PRIu32, number);
    party__put_text(writer, digits);
}

static inline void party__put_escaped(struct party__writer *writer, unsigned char c)
{
    static const char hex[] = "0123456789abcdef";
    party__put_text(writer, "\\x");
    party__put_byte(writer, hex[c >> 4]);
    party__put_byte(writer, hex[c & 15]);
}

/* An interface is written by its name, or by its number when it has none (any more). */
static inline void party__put_interface(struct party__writer *writer, uint32_t index)
{
    char name[IF_NAMESIZE];
    if (if_indextoname(index, name) != NULL) {
        party__put_text(writer, name);
    } else {
        party__put_number(writer, index);
    }
}

/** Reads an interface, its name or its number. Returns: 0; -ENODEV; -errno of if_nametoindex(3). */
int party__parse_interface(const char *text, uint32_t *ret_index);

/** Writes an address of a family that is neither INET, INET6 nor UNIX. */
void party__put_family(struct party__writer *writer, const struct party_address *address);

/** Whether text begins as an address of such a family does. */
bool party__is_family_text(const char *text);

/** Reads what party__is_family_text says yes to. Returns: as party_address_parse. */
int party__parse_family(const char *text, struct party_address *ret_address);

#endif
