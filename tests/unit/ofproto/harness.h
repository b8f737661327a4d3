// SPDX-License-Identifier: Apache-2.0
// A bridge in this process with a management socket, a packet path that only remembers, and clients that speak raw OpenFlow to it.
#ifndef TESTS_UNIT_OFPROTO_HARNESS_H
#define TESTS_UNIT_OFPROTO_HARNESS_H 1

#include "lib/base/str.h"
#include "ofproto/of_bridge.h"
#include "ofproto/of_msg.h"

#define FOR_EACH_VERSION(v) for (enum of_version v = OF_10; v <= OF_15; v++)

struct loop;

struct harness {
    struct loop *loop;
    struct of_bridge *br;
    char dir[64];
    char mgmt[96];
    struct of_bridge_config config;
    // What the packet path saw.
    int n_batches, n_changes, n_packet_outs, n_flushes, n_refreshes;
    uint32_t last_in_port;
    struct str last_packet;
    uint32_t port_config[3]; // by port number
};

struct client {
    struct harness *h;
    int fd;
    enum of_version version;
    struct of_wire wire;
    uint8_t *in;
    size_t in_len, in_cap;
    struct str msg; // bytes of the last message
    bool closed;
};

void harness_start(struct harness *);
void harness_stop(struct harness *);
// cmocka's: *state is a harness that runs.
int harness_setup(void **state);
int harness_teardown(void **state);
void harness_configure(struct harness *); // after a change to h->config
void harness_turns(struct harness *, int n);

// Connects to a Unix socket and negotiates. `path` NULL: the management socket.
void client_open(struct client *, struct harness *, const char *path, enum of_version);
// Connects and offers these versions with this one in the header; waits for nothing. Version 0: says nothing.
void client_open_raw(struct client *, struct harness *, const char *path, enum of_version header, uint32_t versions);
void client_attach(struct client *, struct harness *, int fd, enum of_version); // negotiates on an open socket
void client_close(struct client *);
void client_send(struct client *, const void *, size_t);
void client_send_msg(struct client *, const struct of_msg *);
// Next message, decoded; false: none came within some turns, or the switch closed.
bool client_recv(struct client *, struct of_msg *);
// Sends and takes the answer; fails the test without one.
void client_ask(struct client *, const struct of_msg *request, struct of_msg *reply);
void client_barrier(struct client *); // and nothing else comes before its answer

// Flow-mod from text; fails the test when it isn't understood.
void client_flow_mod(struct client *, enum of_flow_command, const char *text);

size_t harness_unhex(const char *text, uint8_t *out, size_t max);

#endif
