/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <partyline/partyline.h>

/*
 * file_echo ADDRESS MODE: connects and sends all that comes back, through streams of makefile. MODE
 * is "rw" for one stream in both directions, "r+w" for two. Pieces are of many sizes, so that all
 * ways through stdio's buffer are taken. At the end it says how many bytes went through.
 */

#define PIECE_MAX_BYTES 70000

static uint64_t draw_state = 1;

static uint32_t draw(uint32_t below)
{
    draw_state = draw_state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(draw_state >> 33) % below;
}

static int complain(const char *what, int code)
{
    (void)fprintf(stderr, "file_echo: %s: %s\n", what, party_strerror(code));
    return 1;
}

static int echo(FILE *in, FILE *out)
{
    static char piece[PIECE_MAX_BYTES];
    unsigned long long count = 0;
    for (;;) {
        size_t want = draw(64) == 0 ? 1 + draw(20) : 1 + draw(PIECE_MAX_BYTES);
        size_t len = fread(piece, 1, want, in);
        if (len == 0) {
            break;
        }
        if (len < 20) {
            for (size_t i = 0; i < len; i++) {
                (void)putc(piece[i], out);
            }
        } else {
            (void)fwrite(piece, 1, len, out);
        }
        if (ferror(out)) {
            return complain("write", party_file_error(out));
        }
        count += len;
    }
    if (ferror(in)) {
        return complain("read", party_file_error(in));
    }
    if (fflush(out) == EOF) {
        return complain("flush", party_file_error(out));
    }
    (void)printf("%llu\n", count);
    return 0;
}

static int run(struct party_sock *sock, const char *mode)
{
    FILE *in;
    FILE *out;
    bool is_one = strcmp(mode, "rw") == 0;
    int r = party_file_makefile(sock, is_one ? "rw" : "r", &in);
    if (r < 0) {
        return complain("makefile", r);
    }
    out = in;
    r = is_one ? 0 : party_file_makefile(sock, "w", &out);
    if (r < 0) {
        (void)fclose(in);
        return complain("makefile", r);
    }
    int status = echo(in, out);
    if (!is_one && fclose(out) == EOF) {
        status = 1;
    }
    return fclose(in) == EOF ? 1 : status;
}

int main(int argc, char **argv)
{
    struct party_address address;
    struct party_sock *sock;
    if (argc != 3) {
        (void)fprintf(stderr, "usage: file_echo ADDRESS rw|r+w\n");
        return 2;
    }
    int r = party_address_parse(argv[1], &address);
    if (r == 0) {
        r = party_sock_socket(party_address_family(&address), SOCK_STREAM, 0, &sock);
    }
    if (r < 0) {
        return complain(argv[1], r);
    }
    r = party_sock_settimeout(sock, INT64_C(30) * 1000);
    r = r < 0 ? r : party_sock_connect(sock, &address);
    int status = r < 0 ? complain("connect", r) : run(sock, argv[2]);
    (void)party_sock_close(sock);
    return status;
}
