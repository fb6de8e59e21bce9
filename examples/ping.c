/* SPDX-License-Identifier: MIT */
/*
 * ping [HOST [COUNT]]: asks a host whether it is there, by ICMP, which has no ports.
 *
 * A raw socket writes and reads what TCP and UDP stand on; only root may have one (CAP_NET_RAW). It
 * gets a copy of every ICMP packet that this machine receives, so one looks for one's own.
 */
#include <netinet/ip_icmp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <partyline/partyline.h>

/* RFC 1071: the one's complement of the one's complement sum. */
static uint16_t checksum(const void *bytes, size_t len)
{
    uint32_t sum = 0;
    for (size_t i = 0; i + 1 < len; i += 2) {
        uint16_t word;
        memcpy(&word, (const char *)bytes + i, sizeof(word));
        sum += word;
    }
    sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t) ~(sum + (sum >> 16));
}

static bool is_our_answer(const char *packet, size_t len, const struct icmphdr *question)
{
    size_t ip_len = (size_t)(packet[0] & 15) * 4; /* IPv4 comes with its header */
    struct icmphdr answer;
    if (len < ip_len + sizeof(answer)) {
        return false;
    }
    memcpy(&answer, packet + ip_len, sizeof(answer));
    return answer.type == ICMP_ECHOREPLY && answer.un.echo.id == question->un.echo.id &&
           answer.un.echo.sequence == question->un.echo.sequence;
}

static int ping(struct party_sock *sock, const struct party_address *host, uint16_t sequence)
{
    struct icmphdr question = {.type = ICMP_ECHO};
    question.un.echo.id = party_address_htons((uint16_t)getpid());
    question.un.echo.sequence = party_address_htons(sequence);
    question.checksum = checksum(&question, sizeof(question));
    ssize_t n = party_sock_sendto(sock, &question, sizeof(question), 0, host);
    while (n >= 0) {
        char packet[2048];
        n = party_sock_recv(sock, packet, sizeof(packet), 0);
        if (n > 0 && is_our_answer(packet, (size_t)n, &question)) {
            return 0;
        }
    }
    return (int)n;
}

int main(int argc, char *argv[])
{
    const char *host = argc > 1 ? argv[1] : "127.0.0.1";
    int count = argc > 2 ? atoi(argv[2]) : 3;
    if (argc > 3 || count < 1 || count > UINT16_MAX) {
        fprintf(stderr, "usage: ping [HOST [COUNT]]\n");
        return 2;
    }
    char text[PARTY_ADDRESS_TEXT_MAX] = "";
    struct party_address address;
    struct party_sock *sock = NULL;
    int r = party_resolve_address(host, 0, AF_INET, &address);
    r = r < 0 ? r : party_sock_socket(AF_INET, SOCK_RAW, IPPROTO_ICMP, &sock);
    r = r < 0 ? r : party_sock_settimeout(sock, 5000);
    for (int i = 1; r == 0 && i <= count; i++) {
        r = ping(sock, &address, (uint16_t)i);
        party_address_inet_ntoa(address.u.in.sin_addr, text);
        printf("%s: %d of %d: %s\n", text, i, count, r < 0 ? party_strerror(r) : "is there");
    }
    if (r < 0) {
        fprintf(stderr, "ping: %s: %s\n", host, party_strerror(r));
    }
    party_sock_close(sock);
    return r < 0;
}
