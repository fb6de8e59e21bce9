/* SPDX-License-Identifier: MIT */
#ifndef BIN_CHAT_LOGIN_H
#define BIN_CHAT_LOGIN_H

/**
 * The user's login name as a name for IRC: letters, digits and what else may stand in one.
 * Returns: never NULL, never "". Owns: the caller frees it.
 */
char *chat_login_name(void);

#endif
