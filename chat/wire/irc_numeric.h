/* SPDX-License-Identifier: MIT */
#ifndef CHAT_WIRE_IRC_NUMERIC_H
#define CHAT_WIRE_IRC_NUMERIC_H

#include <stddef.h>

#include "wire/irc_message.h"

struct irc_writer;

/*
 * The numeric replies of Modern IRC, with those of WHOX, MONITOR, CAP, SASL, metadata and the RFCs
 * that servers still send: one table of number, name, parameters and text.
 *
 *   irc_numeric_start(&writer, server, IRC_ERR_NOSUCHNICK, nick);
 *   irc_writer_put_echo(&writer, target, 64);
 *   irc_numeric_put_text(&writer, IRC_ERR_NOSUCHNICK, NULL, 0);
 *
 * Parameters are named between the client, who is always the first, and the text, which is always
 * the last; [x] may be missing, x... comes once or more. A text holds <places> for values, in the
 * order they are given; NULL where the reply has no text.
 */

/* X(number, name, parameters, text), by number. */
#define IRC_NUMERICS(X)                                                                            \
    X(1, RPL_WELCOME, "", "Welcome to the <network> Network, <nick>")                              \
    X(2, RPL_YOURHOST, "", "Your host is <server>, running version <version>")                     \
    X(3, RPL_CREATED, "", "This server was created <time>")                                        \
    X(4, RPL_MYINFO, "server version user_modes channel_modes [param_modes]", NULL)                \
    X(5, RPL_ISUPPORT, "token...", "are supported by this server")                                 \
    X(8, RPL_SNOMASK, "mask", "Server notice mask")                                                \
    X(10, RPL_BOUNCE, "host port", "<info>")                                                       \
    X(105, RPL_REMOTEISUPPORT, "token...", "are supported by this server")                         \
    X(200, RPL_TRACELINK, "word...", NULL)                                                         \
    X(204, RPL_TRACEOPERATOR, "type class name", "<info>")                                         \
    X(205, RPL_TRACEUSER, "type class name", "<info>")                                             \
    X(211, RPL_STATSLINKINFO, "link sendq sent sent_bytes received received_bytes", "<seconds>")   \
    X(212, RPL_STATSCOMMANDS, "command count [bytes] [remote]", NULL)                              \
    X(219, RPL_ENDOFSTATS, "letter", "End of /STATS report")                                       \
    X(221, RPL_UMODEIS, "modes", NULL)                                                             \
    X(242, RPL_STATSUPTIME, "", "Server Up <days> days <time>")                                    \
    X(243, RPL_STATSOLINE, "letter mask star name", NULL)                                          \
    X(249, RPL_STATSDEBUG, "letter", "<info>")                                                     \
    X(251, RPL_LUSERCLIENT, "",                                                                    \
      "There are <users> users and <invisible> invisible on <servers> servers")                    \
    X(252, RPL_LUSEROP, "operators", "operator(s) online")                                         \
    X(253, RPL_LUSERUNKNOWN, "connections", "unknown connection(s)")                               \
    X(254, RPL_LUSERCHANNELS, "channels", "channels formed")                                       \
    X(255, RPL_LUSERME, "", "I have <clients> clients and <servers> servers")                      \
    X(256, RPL_ADMINME, "[server]", "Administrative info")                                         \
    X(257, RPL_ADMINLOC1, "", "<info>")                                                            \
    X(258, RPL_ADMINLOC2, "", "<info>")                                                            \
    X(259, RPL_ADMINEMAIL, "", "<address>")                                                        \
    X(263, RPL_TRYAGAIN, "command", "Please wait a while and try again.")                          \
    X(265, RPL_LOCALUSERS, "[users] [max]", "Current local users <users>, max <max>")              \
    X(266, RPL_GLOBALUSERS, "[users] [max]", "Current global users <users>, max <max>")            \
    X(276, RPL_WHOISCERTFP, "nick", "has client certificate fingerprint <fingerprint>")            \
    X(300, RPL_NONE, "", NULL)                                                                     \
    X(301, RPL_AWAY, "nick", "<message>")                                                          \
    X(302, RPL_USERHOST, "", "<replies>")                                                          \
    X(303, RPL_ISON, "", "<nicks>")                                                                \
    X(305, RPL_UNAWAY, "", "You are no longer marked as being away")                               \
    X(306, RPL_NOWAWAY, "", "You have been marked as being away")                                  \
    X(307, RPL_WHOISREGNICK, "nick", "has identified for this nick")                               \
    X(311, RPL_WHOISUSER, "nick user host star", "<realname>")                                     \
    X(312, RPL_WHOISSERVER, "nick server", "<info>")                                               \
    X(313, RPL_WHOISOPERATOR, "nick", "is an IRC operator")                                        \
    X(314, RPL_WHOWASUSER, "nick user host star", "<realname>")                                    \
    X(315, RPL_ENDOFWHO, "mask", "End of WHO list")                                                \
    X(317, RPL_WHOISIDLE, "nick seconds signon", "seconds idle, signon time")                      \
    X(318, RPL_ENDOFWHOIS, "nick", "End of /WHOIS list")                                           \
    X(319, RPL_WHOISCHANNELS, "nick", "<channels>")                                                \
    X(320, RPL_WHOISSPECIAL, "nick", "<info>")                                                     \
    X(321, RPL_LISTSTART, "channel", "Users  Name")                                                \
    X(322, RPL_LIST, "channel count", "<topic>")                                                   \
    X(323, RPL_LISTEND, "", "End of /LIST")                                                        \
    X(324, RPL_CHANNELMODEIS, "channel modes [params]", NULL)                                      \
    X(329, RPL_CREATIONTIME, "channel time", NULL)                                                 \
    X(330, RPL_WHOISACCOUNT, "nick account", "is logged in as")                                    \
    X(331, RPL_NOTOPIC, "channel", "No topic is set")                                              \
    X(332, RPL_TOPIC, "channel", "<topic>")                                                        \
    X(333, RPL_TOPICWHOTIME, "channel setter time", NULL)                                          \
    X(335, RPL_WHOISBOT, "nick", "is a bot on <network>")                                          \
    X(336, RPL_INVITELIST, "channel", NULL)                                                        \
    X(337, RPL_ENDOFINVITELIST, "", "End of /INVITE list")                                         \
    X(338, RPL_WHOISACTUALLY, "nick [mask] [address]", "Is actually using host")                   \
    X(340, RPL_USERIP, "", "<replies>")                                                            \
    X(341, RPL_INVITING, "nick channel", NULL)                                                     \
    X(346, RPL_INVEXLIST, "channel mask [setter] [time]", NULL)                                    \
    X(347, RPL_ENDOFINVEXLIST, "channel", "End of channel invite exception list")                  \
    X(348, RPL_EXCEPTLIST, "channel mask [setter] [time]", NULL)                                   \
    X(349, RPL_ENDOFEXCEPTLIST, "channel", "End of channel exception list")                        \
    X(351, RPL_VERSION, "version server", "<comments>")                                            \
    X(352, RPL_WHOREPLY, "channel user host server nick flags", "<hops> <realname>")               \
    X(353, RPL_NAMREPLY, "symbol channel", "<names>")                                              \
    X(354, RPL_WHOSPCRPL, "field...", NULL)                                                        \
    X(364, RPL_LINKS, "star server", "<hops> <info>")                                              \
    X(365, RPL_ENDOFLINKS, "star", "End of /LINKS list")                                           \
    X(366, RPL_ENDOFNAMES, "channel", "End of /NAMES list")                                        \
    X(367, RPL_BANLIST, "channel mask [setter] [time]", NULL)                                      \
    X(368, RPL_ENDOFBANLIST, "channel", "End of channel ban list")                                 \
    X(369, RPL_ENDOFWHOWAS, "nick", "End of WHOWAS")                                               \
    X(371, RPL_INFO, "", "<line>")                                                                 \
    X(372, RPL_MOTD, "", "<line>")                                                                 \
    X(374, RPL_ENDOFINFO, "", "End of INFO list")                                                  \
    X(375, RPL_MOTDSTART, "", "- <server> Message of the day - ")                                  \
    X(376, RPL_ENDOFMOTD, "", "End of /MOTD command.")                                             \
    X(378, RPL_WHOISHOST, "nick", "is connecting from <mask> <address>")                           \
    X(379, RPL_WHOISMODES, "nick", "is using modes <modes>")                                       \
    X(381, RPL_YOUREOPER, "", "You are now an IRC operator")                                       \
    X(382, RPL_REHASHING, "file", "Rehashing")                                                     \
    X(391, RPL_TIME, "server [time] [offset]", "<readable>")                                       \
    X(396, RPL_VISIBLEHOST, "host", "is now your displayed host")                                  \
    X(400, ERR_UNKNOWNERROR, "command [subcommand]", "<info>")                                     \
    X(401, ERR_NOSUCHNICK, "nick", "No such nick/channel")                                         \
    X(402, ERR_NOSUCHSERVER, "server", "No such server")                                           \
    X(403, ERR_NOSUCHCHANNEL, "channel", "No such channel")                                        \
    X(404, ERR_CANNOTSENDTOCHAN, "channel", "Cannot send to channel")                              \
    X(405, ERR_TOOMANYCHANNELS, "channel", "You have joined too many channels")                    \
    X(406, ERR_WASNOSUCHNICK, "nick", "There was no such nickname")                                \
    X(407, ERR_TOOMANYTARGETS, "target", "Too many targets")                                       \
    X(408, ERR_NOSUCHSERVICE, "service", "No such service")                                        \
    X(409, ERR_NOORIGIN, "", "No origin specified")                                                \
    X(410, ERR_INVALIDCAPCMD, "subcommand", "Invalid CAP command")                                 \
    X(411, ERR_NORECIPIENT, "", "No recipient given (<command>)")                                  \
    X(412, ERR_NOTEXTTOSEND, "", "No text to send")                                                \
    X(413, ERR_NOTOPLEVEL, "mask", "No top level domain specified")                                \
    X(414, ERR_WILDTOPLEVEL, "mask", "Wildcard in top level domain")                               \
    X(415, ERR_BADMASK, "mask", "Bad server or host mask")                                         \
    X(416, ERR_TOOMANYMATCHES, "command [mask]", "Too many matches")                               \
    X(417, ERR_INPUTTOOLONG, "", "Input line was too long")                                        \
    X(421, ERR_UNKNOWNCOMMAND, "command", "Unknown command")                                       \
    X(422, ERR_NOMOTD, "", "MOTD File is missing")                                                 \
    X(423, ERR_NOADMININFO, "server", "No administrative info available")                          \
    X(431, ERR_NONICKNAMEGIVEN, "", "No nickname given")                                           \
    X(432, ERR_ERRONEUSNICKNAME, "nick", "Erroneous nickname")                                     \
    X(433, ERR_NICKNAMEINUSE, "nick", "Nickname is already in use")                                \
    X(436, ERR_NICKCOLLISION, "nick", "Nickname collision KILL from <mask>")                       \
    X(437, ERR_UNAVAILRESOURCE, "name", "Nick or channel is temporarily unavailable")              \
    X(441, ERR_USERNOTINCHANNEL, "nick channel", "They aren't on that channel")                    \
    X(442, ERR_NOTONCHANNEL, "channel", "You're not on that channel")                              \
    X(443, ERR_USERONCHANNEL, "nick channel", "is already on channel")                             \
    X(445, ERR_SUMMONDISABLED, "", "SUMMON has been disabled")                                     \
    X(446, ERR_USERSDISABLED, "", "USERS has been disabled")                                       \
    X(447, ERR_NONICKCHANGE, "", "Cannot change nickname (<reason>)")                              \
    X(451, ERR_NOTREGISTERED, "", "You have not registered")                                       \
    X(461, ERR_NEEDMOREPARAMS, "command", "Not enough parameters")                                 \
    X(462, ERR_ALREADYREGISTERED, "", "You may not reregister")                                    \
    X(463, ERR_NOPERMFORHOST, "", "Your host isn't among the privileged")                          \
    X(464, ERR_PASSWDMISMATCH, "", "Password incorrect")                                           \
    X(465, ERR_YOUREBANNEDCREEP, "", "You are banned from this server.")                           \
    X(467, ERR_KEYSET, "channel", "Channel key already set")                                       \
    X(468, ERR_INVALIDUSERNAME, "", "Your username is not valid")                                  \
    X(471, ERR_CHANNELISFULL, "channel", "Cannot join channel (+l)")                               \
    X(472, ERR_UNKNOWNMODE, "letter", "is unknown mode char to me")                                \
    X(473, ERR_INVITEONLYCHAN, "channel", "Cannot join channel (+i)")                              \
    X(474, ERR_BANNEDFROMCHAN, "channel", "Cannot join channel (+b)")                              \
    X(475, ERR_BADCHANNELKEY, "channel", "Cannot join channel (+k)")                               \
    X(476, ERR_BADCHANMASK, "channel", "Bad Channel Mask")                                         \
    X(477, ERR_NEEDREGGEDNICK, "channel", "Cannot join channel: you need an account")              \
    X(478, ERR_BANLISTFULL, "channel letter", "Channel list is full")                              \
    X(481, ERR_NOPRIVILEGES, "", "Permission Denied- You're not an IRC operator")                  \
    X(482, ERR_CHANOPRIVSNEEDED, "channel", "You're not channel operator")                         \
    X(483, ERR_CANTKILLSERVER, "", "You can't kill a server!")                                     \
    X(484, ERR_RESTRICTED, "", "Your connection is restricted!")                                   \
    X(485, ERR_UNIQOPPRIVSNEEDED, "", "You're not the original channel operator")                  \
    X(491, ERR_NOOPERHOST, "", "No O-lines for your host")                                         \
    X(501, ERR_UMODEUNKNOWNFLAG, "", "Unknown MODE flag")                                          \
    X(502, ERR_USERSDONTMATCH, "", "Can't change mode for other users")                            \
    X(524, ERR_HELPNOTFOUND, "subject", "No help available on this topic")                         \
    X(525, ERR_INVALIDKEY, "channel", "Key is not well-formed")                                    \
    X(531, ERR_CANTSENDTOUSER, "nick", "Cannot send to user")                                      \
    X(652, RPL_WHOWASIP, "nick", "was connecting from <mask> <address>")                           \
    X(670, RPL_STARTTLS, "", "STARTTLS successful, proceed with TLS handshake")                    \
    X(671, RPL_WHOISSECURE, "nick", "is using a secure connection")                                \
    X(691, ERR_STARTTLS, "", "STARTTLS failed (<reason>)")                                         \
    X(696, ERR_INVALIDMODEPARAM, "target letter param", "<info>")                                  \
    X(697, ERR_LISTMODEALREADYSET, "channel mask letter", "is on the list already")                \
    X(698, ERR_LISTMODENOTSET, "channel mask letter", "is not on the list")                        \
    X(704, RPL_HELPSTART, "subject", "<line>")                                                     \
    X(705, RPL_HELPTXT, "subject", "<line>")                                                       \
    X(706, RPL_ENDOFHELP, "subject", "<line>")                                                     \
    X(710, RPL_KNOCK, "channel mask", "has asked for an invite")                                   \
    X(711, RPL_KNOCKDLVR, "channel", "Your knock has been delivered")                              \
    X(712, ERR_TOOMANYKNOCK, "channel", "Too many knocks")                                         \
    X(713, ERR_CHANOPEN, "channel", "Channel is open")                                             \
    X(714, ERR_KNOCKONCHAN, "channel", "You are already on that channel")                          \
    X(723, ERR_NOPRIVS, "privilege", "Insufficient oper privileges.")                              \
    X(728, RPL_QUIETLIST, "channel letter mask [setter] [time]", NULL)                             \
    X(729, RPL_ENDOFQUIETLIST, "channel letter", "End of channel quiet list")                      \
    X(730, RPL_MONONLINE, "", "<targets>")                                                         \
    X(731, RPL_MONOFFLINE, "", "<targets>")                                                        \
    X(732, RPL_MONLIST, "", "<targets>")                                                           \
    X(733, RPL_ENDOFMONLIST, "", "End of MONITOR list")                                            \
    X(734, ERR_MONLISTFULL, "limit targets", "Monitor list is full.")                              \
    X(742, ERR_MLOCKRESTRICTED, "channel letter modes", "Mode is locked")                          \
    X(760, RPL_WHOISKEYVALUE, "target key visibility", "<value>")                                  \
    X(761, RPL_KEYVALUE, "target key visibility", "<value>")                                       \
    X(762, RPL_METADATAEND, "", "End of metadata")                                                 \
    X(766, RPL_KEYNOTSET, "target key", "No such key is set")                                      \
    X(770, RPL_METADATASUBOK, "key...", NULL)                                                      \
    X(771, RPL_METADATAUNSUBOK, "key...", NULL)                                                    \
    X(772, RPL_METADATASUBS, "key...", NULL)                                                       \
    X(774, RPL_METADATASYNCLATER, "target [seconds]", NULL)                                        \
    X(900, RPL_LOGGEDIN, "mask account", "You are now logged in as <account>")                     \
    X(901, RPL_LOGGEDOUT, "mask", "You are now logged out")                                        \
    X(902, ERR_NICKLOCKED, "", "You must use a nick assigned to you")                              \
    X(903, RPL_SASLSUCCESS, "", "SASL authentication successful")                                  \
    X(904, ERR_SASLFAIL, "", "SASL authentication failed")                                         \
    X(905, ERR_SASLTOOLONG, "", "SASL message too long")                                           \
    X(906, ERR_SASLABORTED, "", "SASL authentication aborted")                                     \
    X(907, ERR_SASLALREADY, "", "You have already authenticated using SASL")                       \
    X(908, RPL_SASLMECHS, "mechanisms", "are available SASL mechanisms")

/* IRC_RPL_WELCOME = 1 and so on. */
#define IRC_NUMERIC_ENUM(number, name, params, text) IRC_##name = (number),
enum irc_numeric { IRC_NUMERICS(IRC_NUMERIC_ENUM) };
#undef IRC_NUMERIC_ENUM

struct irc_numeric_info {
    int number;         /* 1 to 999 */
    const char *name;   /* "RPL_WELCOME" */
    const char *params; /* between client and text, a space between two; "" for none */
    const char *text;   /* NULL when the reply ends with its parameters */
};

/** The row of a number; NULL when the table has none. */
const struct irc_numeric_info *irc_numeric_find(int number);

/**
 * Puts source, number and client of a reply; what follows are its parameters. An absent or empty
 * client is '*': who has no name yet. The writer may hold tags, nothing else.
 */
void irc_numeric_start(struct irc_writer *writer, struct irc_span source, enum irc_numeric numeric,
                       struct irc_span client);

/**
 * Puts the text of a reply as the last parameter, with values in its places; those that have none
 * stay empty. It is cut to fit, and NUL, CR and LF become spaces, as irc_writer_put_text does it.
 */
void irc_numeric_put_text(struct irc_writer *writer, enum irc_numeric numeric,
                          const struct irc_span *values, size_t count);

#endif
