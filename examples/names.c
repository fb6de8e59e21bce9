/* SPDX-License-Identifier: MIT */
/*
 * names [HOST [SERVICE]]: what the system knows of a host and a service: addresses, numbers, names.
 */
#define _DEFAULT_SOURCE /* with -std=c17 too: NI_MAXHOST */
#include <stdio.h>

#include <partyline/partyline.h>

static int print_addresses(const char *host, const char *service)
{
    struct party_resolve_list list;
    int r = party_resolve_getaddrinfo(host, service, 0, SOCK_STREAM, 0, 0, &list);
    if (r < 0) {
        return r;
    }
    for (size_t i = 0; i < list.count; i++) { /* in the order in which to try them */
        char text[PARTY_ADDRESS_TEXT_MAX], name[NI_MAXHOST], port[NI_MAXSERV];
        const struct party_address *address = &list.entries[i].address;
        r = party_resolve_getnameinfo(address, 0, name, sizeof(name), port, sizeof(port));
        printf("%s is %s, %s\n", party_address_format(address, text, sizeof(text)),
               r < 0 ? party_strerror(r) : name, r < 0 ? "?" : port);
    }
    party_resolve_list_finish(&list);
    return 0;
}

static int print_interfaces(void)
{
    struct party_resolve_interfaces interfaces;
    int r = party_resolve_if_nameindex(&interfaces);
    for (size_t i = 0; r == 0 && i < interfaces.count; i++) {
        printf("interface %u: %s\n", interfaces.entries[i].index, interfaces.entries[i].name);
    }
    if (r == 0) {
        party_resolve_interfaces_finish(&interfaces);
    }
    return r;
}

int main(int argc, char *argv[])
{
    const char *host = argc > 1 ? argv[1] : "localhost";
    const char *service = argc > 2 ? argv[2] : "80";
    if (argc > 3) {
        fprintf(stderr, "usage: names [HOST [SERVICE]]\n");
        return 2;
    }

    char name[256];
    int r = party_resolve_gethostname(name, sizeof(name));
    if (r == 0) {
        printf("this host: %s\n", name);
    }
    r = r < 0 ? r : print_addresses(host, service);
    r = r < 0 ? r : print_interfaces();
    if (r < 0) {
        fprintf(stderr, "names: %s:%s: %s\n", host, service, party_strerror(r));
    }
    return r < 0;
}
