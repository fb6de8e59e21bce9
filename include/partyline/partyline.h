/* SPDX-License-Identifier: MIT */
#ifndef PARTYLINE_PARTYLINE_H
#define PARTYLINE_PARTYLINE_H

/*
 * All of libpartyline. Each module's own header is its reference. What holds for all of them:
 *
 * A mistake of the caller is not an event of the network. NULL for a pointer is one, unless the
 * contract says what it means there, and each function that is not inline looks for it first: a
 * library with assertions, as it is by default, ends the process and says which argument of which
 * function it was; one configured with -Db_ndebug=true does nothing and returns -EINVAL, or false,
 * NULL, "" or 0 where the function returns no codes. Bytes and arrays that come with their length
 * may be NULL when there are none. Those that only the kernel looks at, as what is sent and
 * received by a socket, it refuses with -EFAULT when they are NULL all the same. A struct's member
 * that is NULL and must not be is -EINVAL in any library.
 *
 * An object used after its end, ended twice or used by two threads where one may, a watch started
 * twice have no defined result; some of these end a library with assertions. What comes from
 * outside never does.
 */

#include <partyline/address.h>
#include <partyline/address_family.h>
#include <partyline/buf.h>
#include <partyline/connection.h>
#include <partyline/connector.h>
#include <partyline/datagram.h>
#include <partyline/error.h>
#include <partyline/file.h>
#include <partyline/inherited.h>
#include <partyline/listener.h>
#include <partyline/log.h>
#include <partyline/lookup.h>
#include <partyline/loop.h>
#include <partyline/proxy.h>
#include <partyline/proxy_header.h>
#include <partyline/request.h>
#include <partyline/resolve.h>
#include <partyline/server.h>
#include <partyline/server_ops.h>
#include <partyline/sock.h>
#include <partyline/sock_io.h>
#include <partyline/sock_option.h>
#include <partyline/stream.h>
#include <partyline/tls.h>

#endif
