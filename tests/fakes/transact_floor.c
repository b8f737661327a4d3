// SPDX-License-Identifier: Apache-2.0
// The floor of row H1: what the kernel takes for a synchronous transaction from a server that does
// nothing else. It waits for a request, reads it, writes a record to a file and sends the reply
// that a mutation of one row has.
//
// usage: transact_floor SOCKET FILE
// Serves one client, one request at a time ({"id": NUMBER, …}), until it leaves.
#include "config.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define RECORD 169 // bytes of the journal's record of such a transaction

static int
listen_at(const char *path)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (strlen(path) >= sizeof a.sun_path) {
        return -1;
    }
    strcpy(a.sun_path, path);
    unlink(path);
    return fd >= 0 && !bind(fd, (struct sockaddr *) &a, sizeof a) && !listen(fd, 1) ? fd : -1;
}

// False: the client has left.
static bool
serve(int client, int file)
{
    static const char record[RECORD];
    char request[4096], reply[128];
    const ssize_t n = recv(client, request, sizeof request - 1, MSG_DONTWAIT);
    if (n <= 0) {
        return false;
    }
    request[n] = '\0';
    const char *id = strchr(request, ':');
    const int len =
        snprintf(reply, sizeof reply, "{\"id\":%d,\"result\":[{\"count\":1}],\"error\":null}",
                 id ? atoi(id + 1) : 0);
    return write(file, record, sizeof record) == sizeof record &&
           send(client, reply, (size_t) len, MSG_NOSIGNAL) == len;
}

int
main(int argc, char *argv[])
{
    if (argc != 3) {
        fprintf(stderr, "usage: transact_floor SOCKET FILE\n");
        return 2;
    }
    const int file = open(argv[2], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600),
              server = listen_at(argv[1]), poll = epoll_create1(EPOLL_CLOEXEC);
    const int client = server >= 0 && file >= 0 ? accept(server, NULL, NULL) : -1;
    struct epoll_event e = {.events = EPOLLIN};
    if (client < 0 || epoll_ctl(poll, EPOLL_CTL_ADD, client, &e)) {
        perror("transact_floor");
        return 1;
    }
    do {
        epoll_wait(poll, &e, 1, -1);
    } while (serve(client, file));
    return 0;
}
