/* SPDX-License-Identifier: MIT */
#ifndef BINDINGS_PYTHON_METHODS_H
#define BINDINGS_PYTHON_METHODS_H

#include "binding.h"

/*
 * The functions that Python calls, by file. Names are Python's after the prefix: binding_sock_ for
 * methods of a socket, binding_ for functions of the module. All have the interpreter's contract:
 * NULL with an exception set, or a new reference.
 */

/* module.c */
PyMODINIT_FUNC PyInit__socket(void);

/* object.c */
PyObject *binding_sock_close(PyObject *self, PyObject *unused);
PyObject *binding_sock_detach(PyObject *self, PyObject *unused);
PyObject *binding_sock_fileno(PyObject *self, PyObject *unused);

/* connection.c */
PyObject *binding_sock_accept(PyObject *self, PyObject *unused);
PyObject *binding_sock_bind(PyObject *self, PyObject *arg);
PyObject *binding_sock_connect(PyObject *self, PyObject *arg);
PyObject *binding_sock_connect_ex(PyObject *self, PyObject *arg);
PyObject *binding_sock_getpeername(PyObject *self, PyObject *unused);
PyObject *binding_sock_getsockname(PyObject *self, PyObject *unused);
PyObject *binding_sock_listen(PyObject *self, PyObject *args);
PyObject *binding_sock_shutdown(PyObject *self, PyObject *arg);

/* option.c */
PyObject *binding_sock_getsockopt(PyObject *self, PyObject *args);
PyObject *binding_sock_setsockopt(PyObject *self, PyObject *args);

/* timeout.c */
PyObject *binding_sock_settimeout(PyObject *self, PyObject *arg);
PyObject *binding_sock_gettimeout(PyObject *self, PyObject *unused);
PyObject *binding_sock_setblocking(PyObject *self, PyObject *arg);
PyObject *binding_sock_getblocking(PyObject *self, PyObject *unused);
PyObject *binding_getdefaulttimeout(PyObject *module, PyObject *unused);
PyObject *binding_setdefaulttimeout(PyObject *module, PyObject *arg);

/* io.c */
PyObject *binding_sock_recv(PyObject *self, PyObject *args);
PyObject *binding_sock_recv_into(PyObject *self, PyObject *args, PyObject *keywords);
PyObject *binding_sock_recvfrom(PyObject *self, PyObject *args);
PyObject *binding_sock_recvfrom_into(PyObject *self, PyObject *args, PyObject *keywords);
PyObject *binding_sock_send(PyObject *self, PyObject *args);
PyObject *binding_sock_sendall(PyObject *self, PyObject *args);
PyObject *binding_sock_sendto(PyObject *self, PyObject *args);

/* message_in.c, message_out.c */
PyObject *binding_sock_recvmsg(PyObject *self, PyObject *args);
PyObject *binding_sock_recvmsg_into(PyObject *self, PyObject *args);
PyObject *binding_sock_sendmsg(PyObject *self, PyObject *args);
PyObject *binding_sock_sendmsg_afalg(PyObject *self, PyObject *args, PyObject *keywords);
PyObject *binding_CMSG_LEN(PyObject *module, PyObject *args);
PyObject *binding_CMSG_SPACE(PyObject *module, PyObject *args);

/* descriptor.c */
PyObject *binding_close(PyObject *module, PyObject *arg);
PyObject *binding_dup(PyObject *module, PyObject *arg);
PyObject *binding_socketpair(PyObject *module, PyObject *args);

/* resolve.c */
PyObject *binding_getaddrinfo(PyObject *module, PyObject *args, PyObject *keywords);
PyObject *binding_getnameinfo(PyObject *module, PyObject *args);
PyObject *binding_gethostbyname(PyObject *module, PyObject *args);
PyObject *binding_gethostbyname_ex(PyObject *module, PyObject *args);
PyObject *binding_gethostbyaddr(PyObject *module, PyObject *args);

/* names.c */
PyObject *binding_gethostname(PyObject *module, PyObject *unused);
PyObject *binding_sethostname(PyObject *module, PyObject *args);
PyObject *binding_getservbyname(PyObject *module, PyObject *args);
PyObject *binding_getservbyport(PyObject *module, PyObject *args);
PyObject *binding_getprotobyname(PyObject *module, PyObject *args);
PyObject *binding_if_nameindex(PyObject *module, PyObject *unused);
PyObject *binding_if_nametoindex(PyObject *module, PyObject *args);
PyObject *binding_if_indextoname(PyObject *module, PyObject *arg);

/* numbers.c */
PyObject *binding_ntohs(PyObject *module, PyObject *args);
PyObject *binding_ntohl(PyObject *module, PyObject *arg);
PyObject *binding_htons(PyObject *module, PyObject *args);
PyObject *binding_htonl(PyObject *module, PyObject *arg);
PyObject *binding_inet_aton(PyObject *module, PyObject *args);
PyObject *binding_inet_ntoa(PyObject *module, PyObject *args);
PyObject *binding_inet_pton(PyObject *module, PyObject *args);
PyObject *binding_inet_ntop(PyObject *module, PyObject *args);

#endif
