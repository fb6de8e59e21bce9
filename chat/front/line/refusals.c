/* SPDX-License-Identifier: MIT */
#include "core/event.h"
#include "front/line/line_internal.h"

static const char *why_not_said(uint64_t fault)
{
    switch (fault) {
    case SEND_OUTSIDE:
        return "only its members may speak";
    case SEND_MODERATED:
        return "it is moderated";
    case SEND_MUTED:
        return "you are muted";
    case SEND_CTCP:
        return "it takes no such messages";
    default:
        return "you are banned";
    }
}

/* What the rules of a room do not allow. */
static void add_room_refusal(const struct event *event, struct text_out *out)
{
    const char *text = event->text;
    switch (event->code) {
    case ERROR_NOT_RANKED:
        text_out_addf(out, "Only the operators of %s may do that.", text);
        break;
    case ERROR_KEY:
        text_out_addf(out, "%s has a key: /join %s KEY.", text, text);
        break;
    case ERROR_BANNED:
        text_out_addf(out, "You are banned from %s.", text);
        break;
    case ERROR_INVITE_ONLY:
        text_out_addf(out, "%s is for those who are invited.", text);
        break;
    case ERROR_ROOM_FULL:
        text_out_addf(out, "%s is full.", text);
        break;
    case ERROR_CANNOT_SEND:
        text_out_addf(out, "Not said in %s: %s.", text, why_not_said(event->count));
        break;
    case ERROR_NOT_THERE:
        text_out_addf(out, "%s is not in %s.", event->extra, text);
        break;
    case ERROR_THERE:
        text_out_addf(out, "%s is in %s already.", event->extra, text);
        break;
    default:
        text_out_adds(out, "That is not for you to do.");
        break;
    }
}

/* Why the hub said no; %s is what it was about, %llu the limit. */
void line_add_refusal(const struct event *event, struct text_out *out)
{
    const char *text = event->text;
    unsigned long long count = event->count;
    text_out_adds(out, "*** ");
    switch (event->code) {
    case ERROR_NAME_TAKEN:
        text_out_addf(out, "The name %s is taken.", text);
        break;
    case ERROR_NAME_ALIKE:
        text_out_addf(out, "The name %s looks like one that is taken.", text);
        break;
    case ERROR_NAME_BAD:
        text_out_adds(
            out, "That is no name: letters, digits and - _ [ ] \\ ` ^ { | } only, and no digit "
                 "or - first.");
        break;
    case ERROR_NAME_LONG:
        text_out_addf(out, "That name is longer than %llu bytes.", count);
        break;
    case ERROR_ROOM_BAD:
        text_out_adds(out, "That is no name for a room: letters, digits and - _ . [ ] \\ ` ^ { | } "
                           "only.");
        break;
    case ERROR_ROOM_LONG:
        text_out_addf(out, "That room's name is longer than %llu bytes.", count);
        break;
    case ERROR_ROOMS_FULL:
        text_out_addf(out, "There are %llu rooms, and no more can be made.", count);
        break;
    case ERROR_NO_SUCH_ROOM:
        text_out_addf(out, "There is no room %s.", text);
        break;
    case ERROR_NO_SUCH_NAME:
        text_out_addf(out, "Nobody here is called %s.", text);
        break;
    case ERROR_NOT_IN_ROOM:
        text_out_addf(out, "You are not in %s.", text[0] ? text : "a room");
        break;
    case ERROR_IN_ROOM:
        text_out_addf(out, "You are in %s already.", text);
        break;
    case ERROR_WHICH_ROOM:
        text_out_adds(out, "Which room?");
        break;
    case ERROR_TOO_MANY_ROOMS:
        text_out_addf(out, "You are in %llu rooms, and that is the most.", count);
        break;
    case ERROR_TEXT_EMPTY:
        text_out_adds(out, "There is nothing to say in that.");
        break;
    case ERROR_TEXT_LONG:
        text_out_addf(out, "That is longer than %llu bytes and was not sent.", count);
        break;
    case ERROR_TOPIC_LONG:
        text_out_addf(out, "That topic is longer than %llu bytes.", count);
        break;
    case ERROR_NOT_STORED:
        text_out_addf(out, "Not sent: the server cannot store it (%s). Try again later.", text);
        break;
    default:
        add_room_refusal(event, out);
        break;
    }
    text_out_add(out, "\n", 1);
}
