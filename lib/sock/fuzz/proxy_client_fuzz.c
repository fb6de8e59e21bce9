/* SPDX-License-Identifier: MIT */
#include <partyline/error.h>
#include <partyline/proxy.h>

#include "fuzz.h"

/*
 * The first byte chooses the protocol and whether there is a user, the second how the rest, which
 * is what the proxy says, is cut. Promises: however it is cut the exchange ends the same way, after
 * the same byte; an error stays; the end is found within the limits.
 */

struct ending {
    size_t taken;
    int error; /* 0: none */
    bool is_done;
    int status;
};

static struct ending talk(const struct party_proxy_settings *settings, const uint8_t *data,
                          size_t size, size_t piece)
{
    struct party_proxy_client *client;
    struct ending ending = {0};
    fuzz_check(party_proxy_client_create(settings, &client) == 0);
    bool stuck = false;
    while (!stuck && ending.error == 0) {
        size_t len;
        const uint8_t *output = party_proxy_client_output(client, &len);
        fuzz_check(output != NULL);
        party_proxy_client_sent(client, len);
        size_t left = size - ending.taken;
        size_t given = piece < left ? piece : left;
        uint8_t *copy = fuzz_copy(data + ending.taken, given);
        ssize_t n = party_proxy_client_input(client, copy, given);
        free(copy);
        if (n < 0) {
            ending.error = (int)n;
            fuzz_check(party_proxy_client_input(client, "", 1) == n);
        } else {
            fuzz_check((size_t)n <= given);
            ending.taken += (size_t)n;
            stuck = n == 0;
        }
    }
    ending.is_done = party_proxy_client_is_done(client);
    ending.status = party_proxy_client_answer(client)->status;
    fuzz_check(!ending.is_done || ending.error == 0);
    party_proxy_client_destroy(client);
    return ending;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2) {
        return 0;
    }
    bool is_socks4 = (data[0] & 8) != 0;
    const struct party_proxy_settings settings = {
        .protocol = is_socks4            ? PARTY_PROXY_SOCKS4
                    : (data[0] & 1) != 0 ? PARTY_PROXY_HTTP
                                         : PARTY_PROXY_SOCKS5,
        .host = (data[0] & 4) != 0 ? (is_socks4 ? "192.0.2.1" : "::1") : "example.org",
        .port = 443,
        .user = (data[0] & 2) != 0 ? "user" : NULL,
        .password = (data[0] & 2) != 0 && !is_socks4 ? "password" : NULL,
    };
    struct ending whole = talk(&settings, data + 2, size - 2, SIZE_MAX);
    struct ending pieces = talk(&settings, data + 2, size - 2, 1 + data[1] % 32);
    struct ending bytes = talk(&settings, data + 2, size - 2, 1);
    fuzz_check(pieces.error == whole.error && bytes.error == whole.error);
    fuzz_check(pieces.is_done == whole.is_done && bytes.is_done == whole.is_done);
    fuzz_check(pieces.status == whole.status && bytes.status == whole.status);
    fuzz_check(whole.error != 0 || (pieces.taken == whole.taken && bytes.taken == whole.taken));
    fuzz_check(whole.taken <= PARTY_PROXY_HEAD_MAX_BYTES);
    /* What is neither over nor broken has taken all it was given. */
    fuzz_check(whole.is_done || whole.error != 0 || whole.taken == size - 2);
    return 0;
}
