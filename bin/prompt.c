/* SPDX-License-Identifier: MIT */
/*
 * libedit reads keys through get_char, which is where this program waits. To print while a line is
 * being typed, the rows of the input are cleared (prompt_rows.h knows where libedit has put the
 * cursor), the text is written where they were, and before the next wait libedit draws prompt and
 * line anew. The input is hidden at most for the time it takes to print what has come.
 *
 * libedit gives the terminal back to the kernel's editing between two lines. What is typed in that
 * moment would be echoed into the text, so the mode it changes to is set to be as silent.
 *
 * Signals only raise a flag and an eventfd; what they ask for is done by the waiting thread. They
 * must find their way in a process whose other threads do not know of them, so they are handlers
 * and no signalfd.
 */
#include "prompt.h"

#include <errno.h>
#include <histedit.h>
#include <locale.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>
#include <wchar.h>

#include "base/xalloc.h"
#include "prompt_rows.h"
#include "wire/text.h"

#define KEYS_MAX_BYTES 1024
/* An escape key alone is told from the beginning of a sequence by what follows it, or not. */
#define ESCAPE_WAIT_MS 50
#define CHARACTER_MAX  6

static const char paste_begin[] = "\033[200~";
static const char paste_end[] = "\033[201~";
#define PASTE_MARK_BYTES (sizeof paste_begin - 1)

struct prompt {
    const struct prompt_events *events;
    void *user;
    wchar_t *text; /* of the prompt */
    char *plain;   /* the same in UTF-8 */
    locale_t locale, old_locale;
    EditLine *el;      /* NULL on a terminal without a cursor */
    HistoryW *history; /* NULL with el */
    struct termios raw;
    bool raw_known;
    bool reading; /* inside prompt_read: prompt and line are on the screen unless hidden */
    bool hidden;
    enum prompt_result ended; /* PROMPT_LINE: it goes on */
    unsigned columns, screen_rows;
    unsigned read_rows; /* rows that the line read last takes above the cursor; 0: forgotten */
    unsigned char keys[KEYS_MAX_BYTES]; /* typed and not taken yet */
    size_t key_count;
    bool escape_waited;
    bool pasting;
    char *paste;
    size_t paste_len;
};

/* ---- signals ---- */

static int wake_fd = -1;
static struct termios mode_before;
static _Atomic bool resized, continued, suspend_asked;

static void wake(void)
{
    int saved = errno;
    uint64_t one = 1;
    ssize_t n = write(wake_fd, &one, sizeof(one));
    (void)n; /* full means it is awake already */
    errno = saved;
}

static void on_signal(int signo)
{
    if (signo == SIGWINCH) {
        atomic_store(&resized, true);
    } else if (signo == SIGCONT) {
        atomic_store(&continued, true);
    } else {
        atomic_store(&suspend_asked, true);
    }
    wake();
}

/* A program that aborts leaves the terminal usable. */
static void on_abort(int signo)
{
    (void)tcsetattr(STDIN_FILENO, TCSANOW, &mode_before);
    (void)signal(signo, SIG_DFL);
}

static const int handled[] = {SIGWINCH, SIGCONT, SIGTSTP, SIGABRT};
#define HANDLED_COUNT (sizeof handled / sizeof handled[0])
static struct sigaction actions_before[HANDLED_COUNT];

static void take_signals(void)
{
    wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    for (size_t i = 0; i < HANDLED_COUNT; i++) {
        struct sigaction action = {.sa_flags = SA_RESTART};
        action.sa_handler = handled[i] == SIGABRT ? on_abort : on_signal;
        (void)sigemptyset(&action.sa_mask);
        (void)sigaction(handled[i], &action, &actions_before[i]);
    }
}

static void give_signals_back(void)
{
    for (size_t i = 0; i < HANDLED_COUNT; i++) {
        (void)sigaction(handled[i], &actions_before[i], NULL);
    }
    (void)close(wake_fd);
    wake_fd = -1;
}

/* ---- the screen ---- */

bool prompt_has_cursor(void)
{
    const char *term = getenv("TERM");
    return term && term[0] != '\0' && strcmp(term, "dumb") != 0;
}

bool prompt_is_possible(void)
{
    return isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) && tcgetpgrp(STDIN_FILENO) == getpgrp();
}

static void measure_screen(struct prompt *prompt)
{
    struct winsize size = {0};
    (void)ioctl(STDIN_FILENO, TIOCGWINSZ, &size);
    prompt->columns = size.ws_col < 2 ? 80 : size.ws_col;
    prompt->screen_rows = size.ws_row < 1 ? 24 : size.ws_row;
}

/* Rows above the one in which prompt and len characters of text end; next is what follows them. */
static unsigned rows_above(const struct prompt *prompt, const wchar_t *text, size_t len,
                           wchar_t next)
{
    struct prompt_rows rows = {.columns = prompt->columns};
    prompt_rows_add(&rows, prompt->text, wcslen(prompt->text));
    prompt_rows_add(&rows, text, len);
    unsigned row = prompt_rows_cursor(&rows, next);
    return row < prompt->screen_rows ? row : prompt->screen_rows - 1;
}

static void clear_up(unsigned rows)
{
    (void)fputc('\r', stdout);
    if (rows > 0) {
        (void)printf("\033[%uA", rows);
    }
    (void)fputs("\033[J", stdout);
}

/* Takes prompt and line off the screen, until show puts them back. */
static void hide(struct prompt *prompt)
{
    if (!prompt->reading || prompt->hidden) {
        return;
    }
    prompt->hidden = true;
    if (!prompt->el) {
        (void)fputc('\r', stdout);
        return;
    }
    const LineInfoW *line = el_wline(prompt->el);
    wchar_t next = line->cursor < line->lastchar ? *line->cursor : 0;
    clear_up(rows_above(prompt, line->buffer, (size_t)(line->cursor - line->buffer), next));
}

static void show(struct prompt *prompt)
{
    if (!prompt->hidden) {
        (void)fflush(stdout);
        return;
    }
    prompt->hidden = false;
    if (prompt->el) {
        (void)fflush(stdout);
        (void)el_wset(prompt->el, EL_REFRESH);
    } else {
        (void)printf("%s%.*s", prompt->plain, (int)prompt->key_count, (const char *)prompt->keys);
        (void)fflush(stdout);
    }
}

void prompt_print(struct prompt *prompt, const char *line, size_t len)
{
    hide(prompt);
    prompt->read_rows = 0;
    (void)fwrite(line, 1, len, stdout);
    (void)fputc('\n', stdout);
}

void prompt_erase_read(struct prompt *prompt)
{
    if (prompt->read_rows > 0 && !prompt->reading) {
        clear_up(prompt->read_rows);
        prompt->read_rows = 0;
    }
}

static void set_bracketed_paste(const struct prompt *prompt, bool on)
{
    if (prompt->el) {
        (void)fputs(on ? "\033[?2004h" : "\033[?2004l", stdout);
        (void)fflush(stdout);
    }
}

/* ---- what is typed ---- */

/* text is UTF-8. Owns: the caller frees the result. */
static wchar_t *to_wide(const char *text, size_t len)
{
    wchar_t *wide = xcalloc(len + 1, sizeof(wchar_t));
    mbstate_t state = {0};
    size_t count = 0;
    for (size_t i = 0; i < len;) {
        size_t n = mbrtowc(&wide[count], text + i, len - i, &state);
        if (n == (size_t)-1 || n == (size_t)-2 || n == 0) {
            state = (mbstate_t){0};
            n = 1;
        } else {
            count++;
        }
        i += n;
    }
    wide[count] = L'\0';
    return wide;
}

static char *to_utf8(const wchar_t *wide, size_t count)
{
    char *text = xmalloc(count * CHARACTER_MAX + 1);
    mbstate_t state = {0};
    size_t len = 0;
    for (size_t i = 0; i < count; i++) {
        size_t n = wcrtomb(text + len, wide[i], &state);
        if (n == (size_t)-1) {
            state = (mbstate_t){0};
        } else {
            len += n;
        }
    }
    text[len] = '\0';
    return text;
}

bool prompt_has_typed(struct prompt *prompt)
{
    if (!prompt->el) {
        return prompt->key_count > 0;
    }
    const LineInfoW *line = el_wline(prompt->el);
    return prompt->reading && line->lastchar > line->buffer;
}

void prompt_drop_typed(struct prompt *prompt)
{
    hide(prompt);
    if (!prompt->el) {
        prompt->key_count = 0;
        return;
    }
    const LineInfoW *line = el_wline(prompt->el);
    int count = (int)(line->lastchar - line->buffer);
    (void)el_cursor(prompt->el, count);
    el_wdeletestr(prompt->el, count);
}

static void drop_keys(struct prompt *prompt, size_t count)
{
    prompt->key_count -= count;
    memmove(prompt->keys, prompt->keys + count, prompt->key_count);
}

/* Puts the pasted text into the line: clean, with its inner line breaks. */
static void insert_paste(struct prompt *prompt)
{
    char *clean = xmalloc(prompt->paste_len * 3 + 1);
    size_t len = 0;
    for (size_t i = 0; i < prompt->paste_len; i++) {
        if (prompt->paste[i] == '\r') {
            prompt->paste[i] = '\n'; /* what terminals send for the end of a line */
        }
    }
    for (size_t from = 0; from < prompt->paste_len;) {
        const char *at = prompt->paste + from;
        const char *end = memchr(at, '\n', prompt->paste_len - from);
        size_t count = end ? (size_t)(end - at) : prompt->paste_len - from;
        len += text_clean(at, count, clean + len);
        from += count + 1;
        if (end && from < prompt->paste_len) {
            clean[len++] = '\n';
        }
    }
    wchar_t *wide = to_wide(clean, len);
    if (len > 0) {
        hide(prompt);
        (void)el_winsertstr(prompt->el, wide);
    }
    free(wide);
    free(clean);
    free(prompt->paste);
    prompt->paste = NULL;
    prompt->paste_len = 0;
}

/* Moves typed bytes into the paste until its end mark. Returns: whether the end was there. */
static bool take_paste(struct prompt *prompt)
{
    const unsigned char *end = memmem(prompt->keys, prompt->key_count, paste_end, PASTE_MARK_BYTES);
    size_t count = prompt->key_count;
    if (end) {
        count = (size_t)(end - prompt->keys);
    } else if (count >= PASTE_MARK_BYTES) {
        count -= PASTE_MARK_BYTES - 1; /* the mark may have begun */
    } else {
        return false;
    }
    size_t room = PROMPT_PASTE_MAX_BYTES - prompt->paste_len;
    size_t kept = count < room ? count : room;
    if (kept > 0) {
        prompt->paste = xreallocarray(prompt->paste, prompt->paste_len + kept, 1);
        memcpy(prompt->paste + prompt->paste_len, prompt->keys, kept);
        prompt->paste_len += kept;
    }
    drop_keys(prompt, end ? count + PASTE_MARK_BYTES : count);
    if (end) {
        prompt->pasting = false;
        insert_paste(prompt);
    }
    return end != NULL;
}

/* Whether the keys begin like the mark of a paste and more is needed to tell. */
static bool may_be_paste(const struct prompt *prompt)
{
    return prompt->key_count > 0 && prompt->key_count < PASTE_MARK_BYTES &&
           memcmp(prompt->keys, paste_begin, prompt->key_count) == 0;
}

static bool take_character(struct prompt *prompt, wchar_t *ret)
{
    while (prompt->key_count > 0) {
        if (prompt->pasting) {
            if (!take_paste(prompt)) {
                return false;
            }
            continue;
        }
        if (prompt->key_count >= PASTE_MARK_BYTES &&
            memcmp(prompt->keys, paste_begin, PASTE_MARK_BYTES) == 0) {
            drop_keys(prompt, PASTE_MARK_BYTES);
            prompt->pasting = true;
            continue;
        }
        if (may_be_paste(prompt) && !prompt->escape_waited) {
            return false;
        }
        mbstate_t state = {0};
        size_t n = mbrtowc(ret, (const char *)prompt->keys, prompt->key_count, &state);
        if (n == (size_t)-2 && prompt->key_count < CHARACTER_MAX) {
            return false;
        }
        bool good = n != (size_t)-1 && n != (size_t)-2;
        drop_keys(prompt, good && n > 0 ? n : 1);
        if (good) {
            return true;
        }
    }
    prompt->escape_waited = false;
    return false;
}

/* Returns: false when the terminal is gone. */
static bool read_keys(struct prompt *prompt)
{
    size_t room = sizeof(prompt->keys) - prompt->key_count;
    ssize_t n = read(STDIN_FILENO, prompt->keys + prompt->key_count, room);
    if (n > 0) {
        prompt->key_count += (size_t)n;
        prompt->escape_waited = false;
    }
    return n > 0 || (n == -1 && (errno == EINTR || errno == EAGAIN));
}

/* ---- waiting ---- */

static void handle_signals(struct prompt *prompt)
{
    uint64_t count;
    ssize_t n = read(wake_fd, &count, sizeof(count));
    (void)n; /* nothing to read when it was another descriptor */
    if (atomic_exchange(&suspend_asked, false)) {
        hide(prompt);
        set_bracketed_paste(prompt, false);
        (void)fflush(stdout);
        (void)tcsetattr(STDIN_FILENO, TCSADRAIN, &mode_before);
        (void)raise(SIGSTOP);
    }
    if (atomic_exchange(&continued, false) && prompt->raw_known) {
        (void)tcsetattr(STDIN_FILENO, TCSADRAIN, &prompt->raw);
        set_bracketed_paste(prompt, true);
        atomic_store(&resized, true); /* it may have been, and all is drawn again */
        prompt->hidden = true;
    }
    if (atomic_exchange(&resized, false)) {
        /* Terminals break their rows anew when their width changes: look where it is now. */
        measure_screen(prompt);
        hide(prompt);
        if (prompt->el) {
            el_resize(prompt->el);
        }
    }
}

/* Waits once, for keys and for the caller's descriptors. */
static void wait_once(struct prompt *prompt)
{
    struct pollfd fds[PROMPT_POLL_MAX + 2] = {
        {.fd = STDIN_FILENO, .events = POLLIN},
        {.fd = wake_fd, .events = POLLIN},
    };
    int timeout_ms = -1;
    size_t count = prompt->events->prepare(fds + 2, &timeout_ms, prompt->user);
    bool in_escape = may_be_paste(prompt) && !prompt->escape_waited;
    if (in_escape && (timeout_ms < 0 || timeout_ms > ESCAPE_WAIT_MS)) {
        timeout_ms = ESCAPE_WAIT_MS;
    }
    int r = poll(fds, count + 2, timeout_ms);
    if (r == -1) {
        for (size_t i = 0; i < count + 2; i++) {
            fds[i].revents = 0;
        }
    }
    if (r == 0 && in_escape) {
        prompt->escape_waited = true;
    }
    handle_signals(prompt);
    if (!prompt->events->ready(fds + 2, count, prompt->user)) {
        prompt->ended = PROMPT_STOPPED;
    } else if (fds[0].revents != 0 && !read_keys(prompt)) {
        prompt->ended = PROMPT_END;
    }
}

/* libedit's source of characters. Returns: 1; 0 at the end. */
static int get_char(EditLine *el, wchar_t *ret)
{
    struct prompt *prompt;
    (void)el_wget(el, EL_CLIENTDATA, &prompt);
    prompt->reading = true;
    if (!prompt->raw_known) {
        prompt->raw_known = tcgetattr(STDIN_FILENO, &prompt->raw) == 0;
    }
    while (prompt->ended == PROMPT_LINE) {
        if (take_character(prompt, ret)) {
            show(prompt); /* libedit expects to find what it drew */
            return 1;
        }
        show(prompt);
        wait_once(prompt);
    }
    hide(prompt);
    return 0;
}

/* ---- lines ---- */

static enum prompt_result read_edited(struct prompt *prompt, char **ret_line)
{
    int count = 0;
    measure_screen(prompt);
    (void)fflush(stdout);
    const wchar_t *typed = el_wgets(prompt->el, &count);
    prompt->reading = false;
    if (prompt->ended != PROMPT_LINE || !typed || count <= 0) {
        if (!prompt->hidden) {
            (void)fputc('\n', stdout); /* Ctrl-D */
        }
        prompt->hidden = false;
        return prompt->ended != PROMPT_LINE ? prompt->ended : PROMPT_END;
    }
    size_t len = (size_t)count;
    if (typed[len - 1] == L'\n') {
        len--;
    }
    prompt->read_rows = rows_above(prompt, typed, len, 0) + 1;
    *ret_line = to_utf8(typed, len);
    if (len > 0) {
        HistEventW event;
        wchar_t *entry = to_wide(*ret_line, strlen(*ret_line));
        (void)history_w(prompt->history, &event, H_ENTER, entry);
        free(entry);
    }
    return PROMPT_LINE;
}

/* Without a cursor: the kernel echoes, and text that comes meanwhile stands between. */
static enum prompt_result read_plain(struct prompt *prompt, char **ret_line)
{
    prompt->reading = true;
    prompt->hidden = true;
    while (prompt->ended == PROMPT_LINE) {
        unsigned char *end = memchr(prompt->keys, '\n', prompt->key_count);
        if (end || prompt->key_count == sizeof(prompt->keys)) {
            size_t len = end ? (size_t)(end - prompt->keys) : prompt->key_count;
            *ret_line = xmemdup0(prompt->keys, len);
            drop_keys(prompt, end ? len + 1 : len);
            prompt->reading = prompt->hidden = false;
            return PROMPT_LINE;
        }
        show(prompt);
        wait_once(prompt);
    }
    prompt->reading = prompt->hidden = false;
    (void)fputc('\n', stdout);
    return prompt->ended;
}

enum prompt_result prompt_read(struct prompt *prompt, char **ret_line)
{
    prompt->read_rows = 0;
    if (prompt->ended != PROMPT_LINE) {
        return prompt->ended;
    }
    return prompt->el ? read_edited(prompt, ret_line) : read_plain(prompt, ret_line);
}

/* ---- making it ---- */

static wchar_t *get_prompt(EditLine *el)
{
    struct prompt *prompt;
    (void)el_wget(el, EL_CLIENTDATA, &prompt);
    return prompt->text;
}

/* Keys that people expect and libedit does not bind by itself. */
static void bind_keys(EditLine *el)
{
    static const wchar_t *const keys[][2] = {
        {L"^R", L"em-inc-search-prev"},      {L"^W", L"ed-delete-prev-word"},
        {L"\\e[3~", L"ed-delete-next-char"}, {L"\\e[H", L"ed-move-to-beg"},
        {L"\\e[F", L"ed-move-to-end"},       {L"\\e[1~", L"ed-move-to-beg"},
        {L"\\e[4~", L"ed-move-to-end"},      {L"\\e[1;5C", L"em-next-word"},
        {L"\\e[1;5D", L"ed-prev-word"},
    };
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        (void)el_wset(el, EL_BIND, keys[i][0], keys[i][1], NULL);
    }
}

static void make_editor(struct prompt *prompt)
{
    HistEventW event;
    prompt->el = el_init("partyline", stdin, stdout, stderr);
    prompt->history = prompt->el ? history_winit() : NULL;
    if (!prompt->history) {
        if (prompt->el) {
            el_end(prompt->el);
            prompt->el = NULL;
        }
        return;
    }
    (void)history_w(prompt->history, &event, H_SETSIZE, PROMPT_HISTORY_MAX);
    (void)history_w(prompt->history, &event, H_SETUNIQUE, 1);
    (void)el_wset(prompt->el, EL_CLIENTDATA, prompt);
    (void)el_wset(prompt->el, EL_PROMPT, get_prompt);
    (void)el_wset(prompt->el, EL_EDITOR, L"emacs");
    (void)el_wset(prompt->el, EL_SIGNAL, 0);
    (void)el_wset(prompt->el, EL_HIST, history_w, prompt->history);
    (void)el_wset(prompt->el, EL_GETCFN, get_char);
    (void)el_wset(prompt->el, EL_SETTY, L"-x", L"-echo", L"-icanon", NULL);
    bind_keys(prompt->el);
    (void)el_source(prompt->el, NULL); /* ~/.editrc, when there is one */
}

struct prompt *prompt_create(const char *text, const struct prompt_events *events, void *user)
{
    struct prompt *prompt = xcalloc(1, sizeof(*prompt));
    prompt->events = events;
    prompt->user = user;
    /* UTF-8 whatever the environment says, as the chat is; and for this thread alone. */
    prompt->locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
    if (prompt->locale) {
        prompt->old_locale = uselocale(prompt->locale);
    }
    prompt->plain = xmemdup0(text, strlen(text));
    prompt->text = to_wide(text, strlen(text));
    (void)tcgetattr(STDIN_FILENO, &mode_before);
    take_signals();
    measure_screen(prompt);
    if (prompt_has_cursor()) {
        make_editor(prompt);
    }
    set_bracketed_paste(prompt, true);
    return prompt;
}

void prompt_destroy(struct prompt *prompt)
{
    if (!prompt) {
        return;
    }
    set_bracketed_paste(prompt, false);
    if (prompt->el) {
        el_end(prompt->el);
        history_wend(prompt->history);
    }
    (void)fflush(stdout);
    (void)tcsetattr(STDIN_FILENO, TCSADRAIN, &mode_before);
    give_signals_back();
    if (prompt->locale) {
        (void)uselocale(prompt->old_locale);
        freelocale(prompt->locale);
    }
    free(prompt->text);
    free(prompt->plain);
    free(prompt->paste);
    free(prompt);
}

void prompt_set_text(struct prompt *prompt, const char *text)
{
    if (strcmp(text, prompt->plain) == 0) {
        return;
    }
    hide(prompt);
    free(prompt->text);
    free(prompt->plain);
    prompt->plain = xmemdup0(text, strlen(text));
    prompt->text = to_wide(text, strlen(text));
}
