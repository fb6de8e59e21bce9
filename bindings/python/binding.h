/* SPDX-License-Identifier: MIT */
#ifndef BINDINGS_PYTHON_BINDING_H
#define BINDINGS_PYTHON_BINDING_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <stdbool.h>
#include <stdint.h>

#include <partyline/partyline.h>

/*
 * CPython's `_socket` on libpartyline: what the files of the module share.
 *
 *     struct binding_call call;
 *     if (!binding_call_begin(self, &call)) {
 *         return NULL;
 *     }
 *     int r = party_sock_listen(call.sock, backlog);
 *     return binding_call_end(&call, r) ? Py_NewRef(Py_None) : NULL;
 *
 * Between begin and end the interpreter's lock is released: no Py function may be called there.
 */

/*
 * A party_sock with the calls that use it. Python lets a thread close a socket while others wait in
 * it; libpartyline does not. So close only marks the handle, and the last call to return ends it.
 * Guarded by the interpreter's lock.
 */
struct binding_handle {
    struct party_sock *sock;
    int users; /* calls under way, and 1 while the socket object has the handle */
    bool detached;
};

/* The object. The fields up to sock_timeout are CPython 3.11's, in its order and with its types:
   `_ssl` reads them through the capsule `_socket.CAPI`. */
struct binding_socket {
    PyObject base;
    int sock_fd; /* -1 when closed */
    int sock_family;
    int sock_type;
    int sock_proto;
    PyObject *(*errorhandler)(void);
    int64_t sock_timeout;          /* ns; negative for None */
    struct binding_handle *handle; /* NULL when closed */
};

/* What the capsule holds, as CPython 3.11 lays it out. */
struct binding_capi {
    PyTypeObject *socket_type;
    PyObject *error;
    PyObject *timeout_error;
};

/* A call into the library on a socket. */
struct binding_call {
    struct party_sock *sock;
    struct binding_handle *handle;
    PyThreadState *outer; /* what this thread had saved before: calls nest in signal handlers */
};

/* call.c */

/** Takes the socket for a call and releases the interpreter's lock. Returns: false with OSError
    (EBADF) set when the socket is closed. */
bool binding_call_begin(struct binding_socket *self, struct binding_call *call);

/** Takes the lock again. Returns: true when code >= 0; else false with the exception set, which is
    the one a signal handler raised if it was that which ended the call. */
bool binding_call_end(struct binding_call *call, int64_t code);

/** As binding_call_end, but leaves an error of the library to the caller. Returns: false with the
    exception of a signal handler set. */
bool binding_call_leave(struct binding_call *call);

/** Gives the object a socket. Returns: false with MemoryError set, and the caller still owns sock.
 */
bool binding_handle_set(struct binding_socket *self, struct party_sock *sock);

/** Takes the socket from the object and closes it, now or when the last call on it has returned.
    Returns: 0 or the error of close(2). */
int binding_handle_close(struct binding_socket *self);

/** The same without closing. Returns: the descriptor, now the caller's; -1 when closed. */
int binding_handle_detach(struct binding_socket *self);

/* error.c */

/** Sets Python's exception for an error code of the library. Returns: NULL. */
PyObject *binding_error(int64_t code);

/** OSError of errno: what `_ssl` calls. Returns: NULL. */
PyObject *binding_error_from_errno(void);

/** Adds error, herror, gaierror and timeout. Returns: false with an exception set. */
bool binding_add_errors(PyObject *module);

/* timeout.c */

/** Reads a timeout: None or seconds. Returns: false with an exception set. */
bool binding_timeout_parse(PyObject *arg, int64_t *ret_timeout_ns);

/** None or seconds. */
PyObject *binding_timeout_object(int64_t timeout_ns);

/** The library's milliseconds, rounded up: a call may wait longer than asked, never shorter. */
int64_t binding_timeout_ms(int64_t timeout_ns);

/** socket.setdefaulttimeout's. */
int64_t binding_default_timeout(void);

/* address_in.c, address_in_device.c */

/** Reads the address that a method got, by the socket's family; caller is the method's name for
    messages. Returns: false with an exception set. */
bool binding_address_in(struct binding_socket *self, PyObject *arg, const char *caller,
                        struct party_address *ret_address);

/** The same for the families whose addresses name a device, a bus or a radio. */
bool binding_address_in_device(struct binding_socket *self, PyObject *arg, const char *caller,
                               struct party_address *ret_address);

/** Whether addresses of this socket can be read and written. Returns: false with OSError set. */
bool binding_address_known(const struct binding_socket *self);

/* address_out.c */

/** The address as Python writes it; self may be NULL where there is no socket. Returns: NULL with
    an exception set. */
PyObject *binding_address_out(struct binding_socket *self, int proto,
                              const struct party_address *address);

/* buffers.c */

/* The buffers of an iterable, held while a message goes through them. */
struct binding_buffers {
    Py_buffer *views;
    struct iovec *iov;
    Py_ssize_t count;
};

/** Holds the buffers of the first argument of a method. Returns: false with an exception set. */
bool binding_buffers_hold(PyObject *iterable, const char *method, bool is_writable,
                          struct binding_buffers *ret_buffers);

/** Releases them. */
void binding_buffers_release(struct binding_buffers *buffers);

/** The type `_socket.socket`, a new reference. Returns: NULL with an exception set. */
PyTypeObject *binding_socket_type(void);

/** A new object around sock, whose timeout is 0 or the default. Returns: NULL with an exception
 * set, and the caller still owns sock. */
PyObject *binding_socket_new(struct party_sock *sock, bool is_nonblocking);

/** Adds the integers. Returns: false with an exception set. */
bool binding_add_constants(PyObject *module);

#endif
