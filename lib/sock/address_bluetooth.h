/* SPDX-License-Identifier: MIT */
#ifndef PARTYLINE_SOCK_ADDRESS_BLUETOOTH_H
#define PARTYLINE_SOCK_ADDRESS_BLUETOOTH_H

#include <stdint.h>
#include <sys/socket.h>

/*
 * Addresses of Bluetooth as the kernel has them (its include/net/bluetooth), which the system's
 * headers do not show. No two of them have the same size, and that tells them apart.
 */

struct party__bt_addr {
    uint8_t bytes[6]; /* the last one written comes first */
};

struct party__sockaddr_l2 {
    sa_family_t family;
    uint16_t psm; /* little endian */
    struct party__bt_addr addr;
    uint16_t cid; /* little endian */
    uint8_t type;
};

struct party__sockaddr_rc {
    sa_family_t family;
    struct party__bt_addr addr;
    uint8_t channel;
};

struct party__sockaddr_hci {
    sa_family_t family;
    uint16_t device;
    uint16_t channel;
};

struct party__sockaddr_sco {
    sa_family_t family;
    struct party__bt_addr addr;
};

_Static_assert(sizeof(struct party__sockaddr_l2) == 14, "as the kernel's struct sockaddr_l2");
_Static_assert(sizeof(struct party__sockaddr_rc) == 10, "as the kernel's struct sockaddr_rc");
_Static_assert(sizeof(struct party__sockaddr_hci) == 6, "as the kernel's struct sockaddr_hci");
_Static_assert(sizeof(struct party__sockaddr_sco) == 8, "as the kernel's struct sockaddr_sco");

#endif
