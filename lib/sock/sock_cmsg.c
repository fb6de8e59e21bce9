/* SPDX-License-Identifier: MIT */
#include <partyline/sock_io.h>

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/socket.h>

#include "base/require.h"

/*
 * Control messages. libc's macros take the lengths in the buffer for granted and overflow on big
 * ones; here each length is checked against what there is, and headers are copied in and out, so
 * the buffer needs no alignment.
 */

#define HEADER_BYTES CMSG_LEN(0)

ssize_t party_sock_cmsg_len(size_t data_len)
{
    return data_len > INT_MAX - HEADER_BYTES ? -EOVERFLOW : (ssize_t)CMSG_LEN(data_len);
}

ssize_t party_sock_cmsg_space(size_t data_len)
{
    /* Python's bound, which leaves room for the header and the padding on both sides of the data.
     */
    if (data_len > INT_MAX - CMSG_SPACE(1)) {
        return -EOVERFLOW;
    }
    return (ssize_t)CMSG_SPACE(data_len);
}

int party_sock_cmsg_add(struct party_sock_message *message, size_t cap,
                        const struct party_sock_cmsg *cmsg)
{
    PARTY__REQUIRE(-EINVAL, message, cmsg);
    ssize_t space = party_sock_cmsg_space(cmsg->len);
    if (space < 0) {
        return (int)space;
    }
    if (message->control_len > cap || (size_t)space > cap - message->control_len) {
        return -ENOBUFS;
    }
    if (message->control == NULL || (cmsg->len > 0 && cmsg->data == NULL)) {
        return -EINVAL;
    }
    struct cmsghdr header = {
        .cmsg_len = CMSG_LEN(cmsg->len), .cmsg_level = cmsg->level, .cmsg_type = cmsg->type};
    char *at = (char *)message->control + message->control_len;
    memset(at, 0, (size_t)space);
    memcpy(at, &header, sizeof(header));
    if (cmsg->len > 0) {
        memcpy(at + HEADER_BYTES, cmsg->data, cmsg->len);
    }
    message->control_len += (size_t)space;
    return 0;
}

int party_sock_cmsg_next(const struct party_sock_message *message, size_t *cursor,
                         struct party_sock_cmsg *ret_cmsg)
{
    PARTY__REQUIRE(-EINVAL, message, cursor, ret_cmsg);
    if (message->control == NULL && message->control_len > 0) {
        return -EINVAL;
    }
    size_t at = *cursor;
    if (at >= message->control_len || message->control_len - at < HEADER_BYTES) {
        return 0;
    }
    size_t left = message->control_len - at;
    struct cmsghdr header;
    memcpy(&header, (const char *)message->control + at, sizeof(header));
    if (header.cmsg_len < HEADER_BYTES) {
        *cursor = message->control_len;
        return -EBADMSG;
    }
    /* One that claims more than there is was cut off; and the last one need not be padded. */
    bool is_last = header.cmsg_len >= left || CMSG_ALIGN(header.cmsg_len) >= left;
    size_t len = header.cmsg_len < left ? header.cmsg_len : left;
    *ret_cmsg = (struct party_sock_cmsg){
        .level = header.cmsg_level,
        .type = header.cmsg_type,
        .data = (const char *)message->control + at + HEADER_BYTES,
        .len = len - HEADER_BYTES,
    };
    *cursor = is_last ? message->control_len : at + CMSG_ALIGN(header.cmsg_len);
    return 1;
}
