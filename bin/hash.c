/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include <partyline/error.h>

#include "command.h"
#include "service/password.h"
#include "wire/text.h"

/* partyline hash: a password's hash for the configuration. */

static const char usage_text[] =
    "usage: partyline hash\n"
    "\n"
    "Reads a password, from the terminal without showing it or from the first line of standard\n"
    "input, and prints its argon2id hash for password_hash in the configuration.\n"
    "\n"
    "Exit status: 0 when the hash was printed, 1 for no usable password, 2 for wrong usage.\n";

/* Room for one byte too many, and a NUL. */
#define LINE_CAP (PASSWORD_MAX_BYTES + 2)

/* The signal that came while a terminal was silent; 0 for none. */
static volatile sig_atomic_t ender;

static int complain(const char *what)
{
    (void)fprintf(stderr, "partyline hash: %s\n", what);
    return -1;
}

/*
 * Reads up to the end of the line, byte by byte: neither stdio nor a pipe's next reader is to keep
 * what belongs to nobody but us. With a mask it waits under that, and a signal is the end of it.
 * Returns: bytes in line; LINE_CAP - 1 for too many; -1 with a message, or without one and with
 * `ender` set.
 */
static ssize_t read_line(int fd, const sigset_t *mask, char line[static LINE_CAP])
{
    size_t len = 0;
    char byte = '\0';

    for (;;) {
        struct pollfd readable = {.fd = fd, .events = POLLIN};
        if (mask != NULL) {
            (void)ppoll(&readable, 1, NULL, mask); /* What fails here fails in read as well. */
        }
        if (ender != 0) {
            return -1;
        }
        ssize_t n = read(fd, &byte, 1);
        if (n == -1 && errno == EINTR) {
            continue;
        }
        if (n == -1) {
            return complain(party_strerror(-errno));
        }
        if (n == 0 || byte == '\n') {
            break;
        }
        if (len < LINE_CAP - 1) {
            line[len++] = byte;
        }
    }
    if (len > 0 && len < LINE_CAP - 1 && line[len - 1] == '\r') {
        len--;
    }
    line[len] = '\0';
    explicit_bzero(&byte, sizeof byte);
    return (ssize_t)len;
}

static bool is_usable(const char *line, ssize_t len)
{
    if (len == 0) {
        (void)complain("there is no password");
        return false;
    }
    if (len > PASSWORD_MAX_BYTES) {
        (void)complain("a password has at most 256 bytes");
        return false;
    }
    for (ssize_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)line[i];
        if (c < 0x20 || c == 0x7f) {
            (void)complain("control characters cannot stand in a password");
            return false;
        }
    }
    if (!text_is_utf8(line, (size_t)len)) {
        (void)complain("it is not UTF-8, which a password has to be");
        return false;
    }
    return true;
}

static ssize_t ask(const char *prompt, const sigset_t *mask, char line[static LINE_CAP])
{
    (void)fputs(prompt, stderr);
    (void)fflush(stderr);
    ssize_t len = read_line(STDIN_FILENO, mask, line);
    (void)fputc('\n', stderr); /* the user's own was not shown */
    return len;
}

/* Asks twice. Returns: the length; -1 as read_line. */
static ssize_t ask_twice(const sigset_t *mask, char line[static LINE_CAP])
{
    char again[LINE_CAP] = "";
    ssize_t len = ask("Password: ", mask, line);

    if (len < 0 || !is_usable(line, len)) {
        return -1;
    }
    ssize_t again_len = ask("Once more: ", mask, again);
    if (again_len < 0) {
        len = -1;
    } else if (again_len != len || memcmp(line, again, (size_t)len) != 0) {
        len = complain("the two are not the same");
    }
    explicit_bzero(again, sizeof again);
    return len;
}

static void on_ender(int signo)
{
    ender = signo;
}

/* Asks without echo. A signal that ends us does so when the terminal is again as it was. */
static ssize_t read_from_terminal(char line[static LINE_CAP])
{
    static const int enders[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
    const struct sigaction take = {.sa_handler = on_ender};
    struct termios before, silent;
    sigset_t held, old;

    if (tcgetattr(STDIN_FILENO, &before) == -1) {
        return complain(party_strerror(-errno));
    }
    /* They come while ppoll waits and at no other time, so that none slips in before it. */
    (void)sigemptyset(&held);
    for (size_t i = 0; i < sizeof enders / sizeof enders[0]; i++) {
        (void)sigaddset(&held, enders[i]);
        (void)sigaction(enders[i], &take, NULL);
    }
    (void)sigprocmask(SIG_BLOCK, &held, &old);
    silent = before;
    silent.c_lflag &= (tcflag_t) ~(ECHO | ECHOE | ECHOK | ECHONL);
    ssize_t len = tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent) == -1
                      ? complain(party_strerror(-errno))
                      : ask_twice(&old, line);
    (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
    (void)sigprocmask(SIG_SETMASK, &old, NULL);
    if (ender != 0) {
        explicit_bzero(line, LINE_CAP);
        (void)signal(ender, SIG_DFL);
        (void)raise(ender);
    }
    return len;
}

static int print_hash(const char *password)
{
    char hash[PASSWORD_HASH_MAX];
    int r = password_hash(password, hash);

    if (r < 0) {
        return complain(party_strerror(r));
    }
    if (printf("%s\n", hash) < 0 || fflush(stdout) == EOF) {
        return complain("cannot write the hash");
    }
    return 0;
}

int cmd_hash(int argc, char **argv)
{
    char line[LINE_CAP] = "";

    if (argc == 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        (void)fputs(usage_text, stdout);
        return EXIT_DONE;
    }
    if (argc > 1) {
        /* Not quoted: somebody may have put the password there. */
        (void)fputs("partyline hash: it takes no argument; see partyline hash --help\n", stderr);
        return EXIT_USAGE;
    }
    bool is_asked = isatty(STDIN_FILENO) == 1;
    ssize_t len = is_asked ? read_from_terminal(line) : read_line(STDIN_FILENO, NULL, line);
    int r = len >= 0 && (is_asked || is_usable(line, len)) ? print_hash(line) : -1;
    explicit_bzero(line, sizeof line);
    return r < 0 ? EXIT_FAILED : EXIT_DONE;
}
