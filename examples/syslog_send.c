/* SPDX-License-Identifier: MIT */
/*
 * syslog_send [ADDRESS [FORMAT [MESSAGE]]]: sends a line to a system's log. ADDRESS is as
 * unix:/dev/log or 127.0.0.1:514; FORMAT is 3164, that of old (the BSD's), or 5424.
 *
 * openlog and syslog of libc speak to /dev/log only. The protocol is a datagram that begins with
 * <facility * 8 + level>.
 */
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include <partyline/partyline.h>

/* RFC 3164 section 4.1: <PRI>Mmm dd hh:mm:ss HOST TAG[PID]: MESSAGE; local time, and to /dev/log
   without HOST. RFC 5424 section 6: <PRI>1 TIMESTAMP HOST APP PID MSGID DATA MESSAGE; "-" is none.
 */
static int write_line(char *line, size_t cap, bool is_old, bool is_local, const char *message)
{
    char host[256] = "-", when[64];
    time_t now = time(NULL);
    int r = party_resolve_gethostname(host, sizeof(host));
    if (r < 0) {
        return r;
    }
    int priority = LOG_USER | LOG_NOTICE; /* libc's facilities are multiplied by 8 already */
    if (is_old) {
        strftime(when, sizeof(when), "%b %e %H:%M:%S", localtime(&now));
        return snprintf(line, cap, "<%d>%s %s%ssyslog_send[%d]: %s", priority, when,
                        is_local ? "" : host, is_local ? "" : " ", (int)getpid(), message);
    }
    strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", gmtime(&now));
    return snprintf(line, cap, "<%d>1 %s %s syslog_send %d - - %s", priority, when, host,
                    (int)getpid(), message);
}

int main(int argc, char *argv[])
{
    const char *where = argc > 1 ? argv[1] : "unix:/dev/log";
    bool is_old = argc <= 2 || strcmp(argv[2], "3164") == 0;
    const char *message = argc > 3 ? argv[3] : "hello from syslog_send";
    if (argc > 4 || (!is_old && strcmp(argv[2], "5424") != 0)) {
        fprintf(stderr, "usage: syslog_send [ADDRESS [3164|5424 [MESSAGE]]]\n");
        return 2;
    }

    char line[2048];
    struct party_address address;
    struct party_sock *sock = NULL;
    int r = party_address_parse(where, &address);
    int family = r < 0 ? AF_UNSPEC : party_address_family(&address);
    r = r < 0 ? r : party_sock_socket(family, SOCK_DGRAM, 0, &sock);
    r = r < 0 ? r : write_line(line, sizeof(line), is_old, family == AF_UNIX, message);
    if (r >= 0) {
        size_t len = (size_t)r < sizeof(line) ? (size_t)r : sizeof(line) - 1; /* cut if long */
        ssize_t n = party_sock_sendto(sock, line, len, 0, &address);
        r = n < 0 ? (int)n : 0;
    }
    if (r < 0) {
        fprintf(stderr, "syslog_send: %s: %s\n", where, party_strerror(r));
    }
    party_sock_close(sock);
    return r < 0;
}
