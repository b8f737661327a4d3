// SPDX-License-Identifier: Apache-2.0
// Names of connection methods, and the addresses and sockets behind them.
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/base/dirs.h"
#include "lib/base/stream_private.h"

static const struct {
    const char *prefix;
    enum stream_kind kind;
    bool passive;
} methods[] = {
    {"tcp:", STREAM_TCP, false},   {"ssl:", STREAM_SSL, false},   {"unix:", STREAM_UNIX, false},
    {"ptcp:", STREAM_TCP, true},   {"pssl:", STREAM_SSL, true},   {"punix:", STREAM_UNIX, true},
};

static int
find_method(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(methods); i++) {
        if (!strncmp(name, methods[i].prefix, strlen(methods[i].prefix))) {
            return i;
        }
    }
    return -1;
}

bool
stream_name_is_active(const char *name)
{
    int i = find_method(name);
    return i >= 0 && !methods[i].passive;
}

bool
stream_name_is_passive(const char *name)
{
    int i = find_method(name);
    return i >= 0 && methods[i].passive;
}

static bool
parse_port(const char *s, uint16_t *port)
{
    uint64_t v;
    if (!base_parse_uint(s, UINT16_MAX, &v)) {
        return false;
    }
    *port = v;
    return true;
}

// Takes "HOST" or "[HOST]" from *s; the host ends at a colon or at the end.
static char *
take_host(const char **s)
{
    const char *start = *s, *end;
    if (*start == '[') {
        end = strchr(++start, ']');
        if (!end || (end[1] && end[1] != ':')) {
            return NULL;
        }
        *s = end + 1;
    } else {
        end = start + strcspn(start, ":");
        *s = end;
    }
    return end > start ? base_strndup(start, end - start) : NULL;
}

// "HOST[:PORT]"
static int
parse_active(const char *s, struct stream_target *t)
{
    t->host = take_host(&s);
    if (!t->host || (*s == ':' && s[1] && !parse_port(s + 1, &t->port)) || !t->port) {
        return -EINVAL;
    }
    return 0;
}

// "[PORT][:HOST]"
static int
parse_passive(const char *s, struct stream_target *t)
{
    char *port = base_strndup(s, strcspn(s, ":"));
    bool ok = !*port || parse_port(port, &t->port);
    s += strlen(port);
    free(port);
    if (ok && *s == ':' && s[1]) {
        s++;
        t->host = take_host(&s);
        ok = t->host && !*s;
    }
    return ok ? 0 : -EINVAL;
}

int
stream_target_parse(const char *name, uint16_t default_port, struct stream_target *t)
{
    *t = (struct stream_target) {.port = default_port};
    int i = find_method(name);
    if (i < 0) {
        return -EAFNOSUPPORT;
    }
    const char *rest = name + strlen(methods[i].prefix);
    t->kind = methods[i].kind;
    t->passive = methods[i].passive;
    int error = 0;
    if (t->kind == STREAM_UNIX) {
        t->host = *rest ? dirs_abs(dirs_run(), rest) : NULL;
        error = t->host ? 0 : -EINVAL;
    } else if (t->passive) {
        error = parse_passive(rest, t);
    } else {
        error = parse_active(rest, t);
    }
    if (error) {
        stream_target_free(t);
    }
    return error;
}

void
stream_target_free(struct stream_target *t)
{
    free(t->host);
    t->host = NULL;
}

bool
stream_name_ipv4(const char *name, uint16_t default_port, be32_t *ip, uint16_t *port)
{
    struct stream_target t;
    if (!stream_name_is_active(name) || stream_target_parse(name, default_port, &t)) {
        return false;
    }
    struct in_addr in;
    const bool is = t.kind != STREAM_UNIX && inet_pton(AF_INET, t.host, &in) == 1;
    if (is) {
        *ip = in.s_addr;
        *port = t.port;
    }
    stream_target_free(&t);
    return is;
}

int
stream_addr_unix(const char *path, struct stream_addr *a)
{
    struct sockaddr_un *sun = (struct sockaddr_un *) &a->ss;
    memset(a, 0, sizeof *a);
    a->dir_fd = -1;
    a->len = sizeof *sun;
    sun->sun_family = AF_UNIX;
    if (strlen(path) < sizeof sun->sun_path) {
        memcpy(sun->sun_path, path, strlen(path) + 1);
        return 0;
    }
    // Too long for an address: go through a descriptor of its directory.
    const char *slash = strrchr(path, '/');
    char *dir = base_strndup(path, slash - path);
    a->dir_fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    free(dir);
    if (a->dir_fd < 0) {
        return -errno;
    }
    int n = snprintf(sun->sun_path, sizeof sun->sun_path, "/proc/self/fd/%d%s", a->dir_fd, slash);
    if (n >= (int) sizeof sun->sun_path) {
        close(a->dir_fd);
        a->dir_fd = -1;
        return -ENAMETOOLONG;
    }
    return 0;
}

int
stream_addr_literal(const char *host, uint16_t port, struct stream_addr *a)
{
    struct sockaddr_in *in4 = (struct sockaddr_in *) &a->ss;
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *) &a->ss;
    memset(a, 0, sizeof *a);
    a->dir_fd = -1;
    if (inet_pton(AF_INET, host, &in4->sin_addr) == 1) {
        in4->sin_family = AF_INET;
        in4->sin_port = htons(port);
        a->len = sizeof *in4;
        return 0;
    }
    memset(a, 0, sizeof *a);
    a->dir_fd = -1;
    char *scope = strchr(host, '%');
    char *address = scope ? base_strndup(host, scope - host) : base_strdup(host);
    int ok = inet_pton(AF_INET6, address, &in6->sin6_addr);
    free(address);
    if (ok != 1) {
        return -ENOENT;
    }
    uint64_t id = 0;
    if (scope && !base_parse_uint(scope + 1, UINT32_MAX, &id)) {
        id = if_nametoindex(scope + 1);
    }
    in6->sin6_family = AF_INET6;
    in6->sin6_port = htons(port);
    in6->sin6_scope_id = id;
    a->len = sizeof *in6;
    return 0;
}

char *
stream_addr_text(const struct stream_addr *a)
{
    char host[INET6_ADDRSTRLEN] = "";
    if (a->sa.sa_family == AF_INET6) {
        const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *) &a->ss;
        inet_ntop(AF_INET6, &in6->sin6_addr, host, sizeof host);
        return base_asprintf("[%s]:%u", host, ntohs(in6->sin6_port));
    }
    const struct sockaddr_in *in4 = (const struct sockaddr_in *) &a->ss;
    inet_ntop(AF_INET, &in4->sin_addr, host, sizeof host);
    return base_asprintf("%s:%u", host, ntohs(in4->sin_port));
}

int
stream_socket(int family, uint8_t dscp)
{
    int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return -errno;
    }
    if (family != AF_UNIX) {
        int on = 1, tos = dscp << 2;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        if (tos && family == AF_INET) {
            setsockopt(fd, IPPROTO_IP, IP_TOS, &tos, sizeof tos);
        } else if (tos) {
            setsockopt(fd, IPPROTO_IPV6, IPV6_TCLASS, &tos, sizeof tos);
        }
    }
    return fd;
}
