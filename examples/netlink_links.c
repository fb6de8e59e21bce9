/* SPDX-License-Identifier: MIT */
/*
 * netlink_links: lists the network interfaces, as "ip link" does, by asking the kernel.
 *
 * AF_NETLINK is a socket to the kernel (netlink(7), rtnetlink(7)): datagrams that hold messages,
 * each with a header that says how long it is. Address 0 is the kernel.
 */
#define _DEFAULT_SOURCE /* with -std=c17 too: IFF_UP */
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>

#include <partyline/partyline.h>

static void print_link(struct nlmsghdr *message)
{
    struct ifinfomsg *link = NLMSG_DATA(message);
    const char *name = "?";
    unsigned mtu = 0;
    unsigned left = (unsigned)IFLA_PAYLOAD(message);
    for (struct rtattr *at = IFLA_RTA(link); RTA_OK(at, left); at = RTA_NEXT(at, left)) {
        if (at->rta_type == IFLA_IFNAME) {
            name = RTA_DATA(at);
        } else if (at->rta_type == IFLA_MTU) {
            mtu = *(unsigned *)RTA_DATA(at);
        }
    }
    printf("%d: %s: %s, mtu %u\n", link->ifi_index, name, link->ifi_flags & IFF_UP ? "up" : "down",
           mtu);
}

/* Returns: 1 when more is to come; 0 at the end of the list; a negative code. */
static int print_some(struct party_sock *sock)
{
    _Alignas(struct nlmsghdr) char bytes[32 * 1024];
    ssize_t n = party_sock_recv(sock, bytes, sizeof(bytes), 0);
    if (n < 0) {
        return (int)n;
    }
    unsigned left = (unsigned)n;
    for (struct nlmsghdr *message = (struct nlmsghdr *)bytes; NLMSG_OK(message, left);
         message = NLMSG_NEXT(message, left)) {
        if (message->nlmsg_type == NLMSG_DONE) {
            return 0;
        }
        if (message->nlmsg_type == NLMSG_ERROR) {
            return ((struct nlmsgerr *)NLMSG_DATA(message))->error; /* negative errno: our code */
        }
        print_link(message);
    }
    return 1;
}

int main(int argc, char *argv[])
{
    (void)argv;
    if (argc > 1) {
        fprintf(stderr, "usage: netlink_links\n");
        return 2;
    }
    struct {
        struct nlmsghdr header;
        struct ifinfomsg link;
    } question = {.header = {.nlmsg_len = sizeof(question),
                             .nlmsg_type = RTM_GETLINK,
                             .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP}};
    struct party_address kernel;
    party_address_netlink(0, 0, &kernel);
    struct party_sock *sock = NULL;
    int r = party_sock_socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE, &sock);
    if (r == 0) {
        ssize_t n = party_sock_sendto(sock, &question, sizeof(question), 0, &kernel);
        r = n < 0 ? (int)n : 1;
    }
    while (r > 0) {
        r = print_some(sock);
    }
    if (r < 0) {
        fprintf(stderr, "netlink_links: netlink:0:0: %s\n", party_strerror(r));
    }
    party_sock_close(sock);
    return r < 0;
}
