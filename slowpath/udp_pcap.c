// SPDX-License-Identifier: Apache-2.0
// Capture files. See udp_pcap.h. Format: https://www.tcpdump.org/manpages/pcap-savefile.5.html
#include "config.h"

#include "slowpath/udp_pcap.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/clock.h"

#define MAGIC_US 0xa1b2c3d4
#define ETHERNET 1
#define MAX_FRAME 1518 // of each frame, as many bytes are kept

struct file_header {
    uint32_t magic;
    uint16_t major, minor;
    uint32_t zone, accuracy, max_len, link_type;
};

struct frame_header {
    uint32_t seconds, fraction, captured, len;
};

struct udp_pcap {
    FILE *file;
};

int
udp_pcap_create(const char *path, struct udp_pcap **out)
{
    FILE *f = fopen(path, "wbe");
    if (!f) {
        return -errno;
    }
    const struct file_header h = {
        .magic = MAGIC_US, .major = 2, .minor = 4, .max_len = MAX_FRAME, .link_type = ETHERNET};
    fwrite(&h, sizeof h, 1, f);
    fflush(f);
    *out = base_calloc(1, sizeof **out);
    (*out)->file = f;
    return 0;
}

void
udp_pcap_close(struct udp_pcap *p)
{
    if (p) {
        fclose(p->file);
        free(p);
    }
}

void
udp_pcap_write(struct udp_pcap *p, const void *data, size_t len)
{
    const int64_t now = clock_wall();
    const struct frame_header h = {.seconds = (uint32_t) (now / 1000),
                                   .fraction = (uint32_t) (now % 1000 * 1000),
                                   .captured = (uint32_t) MIN(len, (size_t) MAX_FRAME),
                                   .len = (uint32_t) len};
    fwrite(&h, sizeof h, 1, p->file);
    fwrite(data, h.captured, 1, p->file);
    fflush(p->file);
}
