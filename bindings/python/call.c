/* SPDX-License-Identifier: MIT */
#include "binding.h"

#include <errno.h>
#include <stdlib.h>

/*
 * The border between the interpreter and the library: who holds the lock, and when a socket ends.
 *
 * A call releases the interpreter's lock and keeps this thread's state in saved_state. When a
 * signal interrupts the call while it waits, the library asks on_interrupt, which takes the lock
 * back for as long as Python's handlers run (PEP 475). A handler may use sockets itself, this one
 * too: each call remembers what was saved before it and puts it back.
 *
 * Only the main thread runs handlers; in others PyErr_CheckSignals does nothing and the call goes
 * on.
 */
static _Thread_local PyThreadState *saved_state;

static void release_lock(struct binding_call *call)
{
    call->outer = saved_state;
    saved_state = PyEval_SaveThread();
}

static void take_lock(const struct binding_call *call)
{
    PyThreadState *state = saved_state;
    saved_state = call->outer;
    PyEval_RestoreThread(state);
}

static int on_interrupt(struct party_sock *sock, void *user)
{
    (void)sock;
    (void)user;
    struct binding_call call = {.outer = NULL};
    take_lock(&call);
    int r = PyErr_CheckSignals();
    release_lock(&call);
    return r < 0 ? -EINTR : 0;
}

static void drop_handle(struct binding_handle *handle, int *ret_result)
{
    handle->users--;
    if (handle->users > 0) {
        return;
    }
    if (handle->detached) {
        /* The descriptor is somebody else's by now: only the memory goes. */
        *ret_result = party_sock_detach(handle->sock);
    } else {
        struct binding_call call;
        release_lock(&call);
        *ret_result = party_sock_close(handle->sock);
        take_lock(&call);
    }
    PyMem_Free(handle);
}

bool binding_call_begin(struct binding_socket *self, struct binding_call *call)
{
    if (self->handle == NULL) {
        (void)binding_error(-EBADF);
        return false;
    }
    call->handle = self->handle;
    call->sock = self->handle->sock;
    call->handle->users++;
    release_lock(call);
    return true;
}

bool binding_call_leave(struct binding_call *call)
{
    int ignored; /* of a close that another thread asked for, which has returned long ago */
    take_lock(call);
    /* The exception of a handler outlives the end of the handle, which runs no Python code. */
    drop_handle(call->handle, &ignored);
    return PyErr_Occurred() == NULL;
}

bool binding_call_end(struct binding_call *call, int64_t code)
{
    if (!binding_call_leave(call)) {
        return false;
    }
    if (code < 0) {
        (void)binding_error(code);
        return false;
    }
    return true;
}

bool binding_handle_set(struct binding_socket *self, struct party_sock *sock)
{
    struct binding_handle *handle = PyMem_Malloc(sizeof(*handle));
    if (handle == NULL) {
        (void)PyErr_NoMemory();
        return false;
    }
    handle->sock = sock;
    handle->users = 1;
    handle->detached = false;
    party_sock_set_interrupt(sock, on_interrupt, NULL);
    self->handle = handle;
    self->sock_fd = party_sock_fileno(sock);
    return true;
}

static struct binding_handle *take_handle(struct binding_socket *self)
{
    struct binding_handle *handle = self->handle;
    self->handle = NULL;
    self->sock_fd = -1;
    return handle;
}

int binding_handle_close(struct binding_socket *self)
{
    struct binding_handle *handle = take_handle(self);
    int r = 0;
    if (handle != NULL) {
        drop_handle(handle, &r);
    }
    return r;
}

int binding_handle_detach(struct binding_socket *self)
{
    struct binding_handle *handle = take_handle(self);
    if (handle == NULL) {
        return -1;
    }
    int fd = party_sock_fileno(handle->sock);
    int ignored;
    handle->detached = true;
    drop_handle(handle, &ignored);
    return fd;
}
