/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include <partyline/file.h>

#include "server/server_internal.h"

/*
 * rfile and wfile. Those of a connection are FILEs over its socket. Those of a packet are memory:
 * rfile is the packet itself, and what was written to wfile becomes the answer.
 */

/* Bytes of a buffer as the settings say: -1 libc's own, 0 none. Returns: 0; -ENOMEM. */
static int set_buffer(FILE *file, int size, char **ret_buffer)
{
    if (size < 0) {
        return 0;
    }
    if (size == 0) {
        return setvbuf(file, NULL, _IONBF, 0) == 0 ? 0 : -ENOMEM;
    }
    /* Without a buffer of ours, glibc takes no notice of the size. */
    *ret_buffer = malloc((size_t)size);
    if (*ret_buffer == NULL) {
        return -ENOMEM;
    }
    return setvbuf(file, *ret_buffer, _IOFBF, (size_t)size) == 0 ? 0 : -ENOMEM;
}

static int open_connection_files(const struct party_handler *handler,
                                 struct party__request *request)
{
    struct party_request *pub = &request->pub;
    int r = party_file_makefile(pub->sock, "r", &pub->rfile);
    if (r < 0) {
        return r;
    }
    int rbufsize = handler->rbufsize == 1 ? 0 : handler->rbufsize;
    r = set_buffer(pub->rfile, handler->rbufsize == 0 ? -1 : rbufsize, &request->rbuffer);
    if (r < 0) {
        return r;
    }
    r = party_file_makefile(pub->sock, "w", &pub->wfile);
    return r < 0 ? r : set_buffer(pub->wfile, handler->wbufsize, &request->wbuffer);
}

static int open_packet_files(struct party__request *request)
{
    struct party_request *pub = &request->pub;
    pub->rfile = fmemopen(request->bytes, pub->packet_len, "r");
    if (pub->rfile == NULL) {
        return -errno;
    }
    pub->wfile = open_memstream(&request->answer, &request->answer_len);
    return pub->wfile == NULL ? -errno : 0;
}

static void close_file(FILE **file)
{
    if (*file != NULL) {
        /* What cannot be written now, the client does not want: Python's rule, too. */
        (void)fclose(*file);
        *file = NULL;
    }
}

void party__request_close_files(struct party__request *request)
{
    close_file(&request->pub.wfile);
    close_file(&request->pub.rfile);
    free(request->rbuffer);
    free(request->wbuffer);
    free(request->answer);
    request->rbuffer = NULL;
    request->wbuffer = NULL;
    request->answer = NULL;
}

int party__request_open_files(const struct party_handler *handler, struct party__request *request)
{
    int r = request->pub.packet != NULL ? open_packet_files(request)
                                        : open_connection_files(handler, request);
    if (r < 0) {
        party__request_close_files(request);
    }
    return r;
}

static int send_answer(const struct party__request *request, int flags)
{
    const struct party_address *client = &request->pub.client_address;
    for (;;) {
        ssize_t n = sendto(party_sock_fileno(request->pub.sock), request->answer,
                           request->answer_len, MSG_NOSIGNAL | flags, &client->u.sa, client->len);
        if (n != -1) {
            return 0;
        }
        if (errno != EINTR) {
            return -errno;
        }
    }
}

int party__request_finish_files(struct party__request *request)
{
    int r = 0;
    if (request->pub.packet != NULL) {
        /* Closing completes the memory; only out of memory can it fail. */
        r = request->pub.wfile == NULL || fclose(request->pub.wfile) == 0 ? 0 : -ENOMEM;
        request->pub.wfile = NULL;
        /* A loop must not wait for a client that does not read; it loses its answer. */
        bool must_not_wait = request->pub.server->settings.model == PARTY_SERVER_LOOPS;
        r = r < 0 ? r : send_answer(request, must_not_wait ? MSG_DONTWAIT : 0);
    }
    party__request_close_files(request);
    return r;
}
