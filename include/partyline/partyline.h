/* SPDX-License-Identifier: MIT */
#ifndef PARTYLINE_PARTYLINE_H
#define PARTYLINE_PARTYLINE_H

/*
 * All of libpartyline. Each module's own header is its reference. What holds for all of them:
 *
 * A mistake of the caller is not an event of the network: NULL where a contract does not allow it,
 * an object used after its end, ended twice or used by two threads where one may, a watch started
 * twice have no defined result. The library is built with assertions, which end the process at some
 * of these, unless it was configured with -Db_ndebug=true. What comes from outside never does.
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
