/* SPDX-License-Identifier: MIT */
#include "wire/irc_mode.h"

#include <assert.h>
#include <string.h>

#include "wire/irc_writer.h"

/* What a message of changes is made of while it is collected. */
struct collected {
    char letters[2 * IRC_MODE_CHANGES_MAX]; /* each with a sign at most */
    size_t letters_len;
    struct irc_span params[IRC_PARAMS_MAX];
    size_t param_count;
    size_t params_len; /* with the space before each */
    char sign;         /* the last one; 0 at the start */
    size_t put;
};

static bool has_letter(const char *letters, char letter)
{
    return letters && letter != '\0' && strchr(letters, letter);
}

static bool takes_param(enum irc_mode_type type, bool is_on)
{
    return type == IRC_MODE_ALWAYS || type == IRC_MODE_MEMBER || type == IRC_MODE_LIST ||
           (type == IRC_MODE_WHEN_ON && is_on);
}

enum irc_mode_type irc_mode_type_of(const struct irc_mode_types *types, char letter)
{
    const struct {
        const char *letters;
        enum irc_mode_type type;
    } kinds[] = {
        {types->list, IRC_MODE_LIST},       {types->always, IRC_MODE_ALWAYS},
        {types->when_on, IRC_MODE_WHEN_ON}, {types->flag, IRC_MODE_FLAG},
        {types->member, IRC_MODE_MEMBER},
    };
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (has_letter(kinds[i].letters, letter)) {
            return kinds[i].type;
        }
    }
    return IRC_MODE_UNKNOWN;
}

static struct irc_mode_change read_change(const struct irc_mode_types *types, char letter,
                                          bool is_on, const struct irc_span **params, size_t *count)
{
    struct irc_mode_change change = {.is_on = is_on, .letter = letter};
    change.type = irc_mode_type_of(types, letter);
    if (change.type == IRC_MODE_UNKNOWN) {
        change.fault = IRC_MODE_NO_SUCH;
    } else if (takes_param(change.type, is_on)) {
        if (*count > 0) {
            change.param = **params;
            (*params)++;
            (*count)--;
            bool is_good = irc_span_is_middle(change.param) && !irc_span_breaks_line(change.param);
            change.fault = is_good ? IRC_MODE_OK : IRC_MODE_BAD_PARAM;
        } else if (change.type != IRC_MODE_LIST) {
            change.fault = IRC_MODE_NO_PARAM;
        }
    }
    return change;
}

bool irc_mode_parse(const struct irc_mode_types *types, const struct irc_span *params, size_t count,
                    struct irc_mode_change *ret, size_t *ret_count)
{
    *ret_count = 0;
    if (count == 0) {
        return true;
    }
    struct irc_span letters = params[0];
    params++;
    count--;
    bool is_on = true;
    for (size_t i = 0; i < letters.len; i++) {
        char letter = letters.text[i];
        if (letter == '+' || letter == '-') {
            is_on = letter == '+';
        } else if (*ret_count < IRC_MODE_CHANGES_MAX) {
            ret[(*ret_count)++] = read_change(types, letter, is_on, &params, &count);
        } else {
            return false;
        }
    }
    return true;
}

static bool is_sendable(const struct irc_mode_change *change)
{
    unsigned char letter = (unsigned char)change->letter;
    if (change->fault != IRC_MODE_OK || letter <= ' ' || letter >= 0x7f || letter == ':') {
        return false;
    }
    return !change->param.text ||
           (irc_span_is_middle(change->param) && !irc_span_breaks_line(change->param));
}

/* Bytes the message would have with the change: a space, the letters, the parameters. */
static size_t size_with(const struct collected *all, const struct irc_mode_change *change)
{
    size_t sign = all->sign == (change->is_on ? '+' : '-') ? 0 : 1;
    size_t param = change->param.text ? 1 + change->param.len : 0;
    return 1 + all->letters_len + sign + 1 + all->params_len + param;
}

static void collect(struct collected *all, const struct irc_mode_change *change)
{
    char sign = change->is_on ? '+' : '-';
    if (all->sign != sign) {
        all->letters[all->letters_len++] = sign;
        all->sign = sign;
    }
    all->letters[all->letters_len++] = change->letter;
    if (change->param.text) {
        all->params[all->param_count++] = change->param;
        all->params_len += 1 + change->param.len;
    }
    all->put++;
}

size_t irc_mode_put(struct irc_writer *writer, const struct irc_mode_change *changes, size_t count,
                    size_t max_params, size_t *ret_put)
{
    assert(max_params > 0);
    struct collected all;
    all.letters_len = all.param_count = all.params_len = all.put = 0;
    all.sign = '\0';
    /* The letters are a parameter, too. */
    size_t places = IRC_PARAMS_MAX - writer->param_count;
    size_t most = places > 1 ? places - 1 : 0;
    most = most < max_params ? most : max_params;
    size_t room = irc_writer_room(writer);
    size_t done = 0;
    for (; done < count && all.put < IRC_MODE_CHANGES_MAX; done++) {
        const struct irc_mode_change *change = &changes[done];
        if (!is_sendable(change)) {
            continue;
        }
        bool fits =
            size_with(&all, change) <= room && (!change->param.text || all.param_count < most);
        if (fits) {
            collect(&all, change);
        } else if (all.put > 0) {
            break;
        }
    }
    if (all.put > 0) {
        irc_writer_put_param(writer, (struct irc_span){all.letters, all.letters_len});
        for (size_t i = 0; i < all.param_count; i++) {
            irc_writer_put_param(writer, all.params[i]);
        }
    }
    *ret_put = all.put;
    return done;
}
