/* SPDX-License-Identifier: MIT */
/* An echo server on libevent's bufferevents: what came is moved to the output, not copied. */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>

static void on_read(struct bufferevent *peer, void *user)
{
    (void)user;
    (void)evbuffer_add_buffer(bufferevent_get_output(peer), bufferevent_get_input(peer));
}

static void on_event(struct bufferevent *peer, short events, void *user)
{
    (void)user;
    if ((events & (BEV_EVENT_EOF | BEV_EVENT_ERROR)) != 0) {
        bufferevent_free(peer);
    }
}

static void on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *address,
                      int len, void *user)
{
    (void)address;
    (void)len;
    (void)user;
    int on = 1;
    struct bufferevent *peer =
        bufferevent_socket_new(evconnlistener_get_base(listener), fd, BEV_OPT_CLOSE_ON_FREE);
    if (peer == NULL) {
        (void)evutil_closesocket(fd);
        return;
    }
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    (void)bufferevent_set_max_single_read(peer, 64 * 1024);
    (void)bufferevent_set_max_single_write(peer, 64 * 1024);
    bufferevent_setcb(peer, on_read, NULL, on_event, NULL);
    (void)bufferevent_enable(peer, EV_READ | EV_WRITE);
}

int main(void)
{
    struct rlimit descriptors;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    if (getrlimit(RLIMIT_NOFILE, &descriptors) == 0) {
        descriptors.rlim_cur = descriptors.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &descriptors);
    }
    struct event_base *base = event_base_new();
    struct evconnlistener *listener =
        base == NULL ? NULL
                     : evconnlistener_new_bind(base, on_accept, NULL, LEV_OPT_CLOSE_ON_FREE, 4096,
                                               (struct sockaddr *)&address, (int)len);
    if (listener == NULL ||
        getsockname(evconnlistener_get_fd(listener), (struct sockaddr *)&address, &len) == -1) {
        (void)fprintf(stderr, "echo_libevent: cannot listen\n");
        return 1;
    }
    (void)printf("listening on raw://127.0.0.1:%u\n", ntohs(address.sin_port));
    (void)fflush(stdout);
    return event_base_dispatch(base) == -1;
}
