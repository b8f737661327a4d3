// SPDX-License-Identifier: Apache-2.0
// Replies that hold many entries, in parts of at most 64 kB. An entry that doesn't fit moves into a
// new part; the parts before it are finished and may leave at any time.
//
// Reference: OpenFlow 1.3 section 7.3.5 (multipart messages).
#include "config.h"

#include "ofproto/of_msg_private.h"

static const struct of_msg_row *
row_of(const struct of_mp *mp)
{
    return of_msg_row(mp->type, mp->wire.version, mp->wire.nxm ? OF_FORM_NX : OF_FORM_STD);
}

static void
begin_part(struct of_mp *mp)
{
    const struct of_msg_row *row = row_of(mp);
    mp->start = mp->out.len;
    if (row) {
        of_msg_begin(row, mp->wire.version, mp->xid, &mp->out);
    }
}

void
of_mp_begin(struct of_mp *mp, enum of_msg_type reply, const struct of_wire *wire, uint32_t xid)
{
    *mp = (struct of_mp){.out = STR_INIT, .type = reply, .wire = *wire, .xid = xid};
    mp->wire.nxm &= reply == OF_MSG_FLOW_STATS_REPLY;
    begin_part(mp);
}

void
of_mp_begin_features(struct of_mp *mp, const struct of_features *f, const struct of_wire *wire,
                     uint32_t xid)
{
    of_mp_begin(mp, OF_MSG_FEATURES_REPLY, wire, xid);
    const struct of_msg m = {.type = OF_MSG_FEATURES_REPLY, .u.features = *f};
    of_msg_put_features(&m, wire, &mp->out);
}

// Bytes that of_mp_take() gave away go now.
static void
drop_taken(struct of_mp *mp)
{
    if (mp->taken) {
        memmove(mp->out.p, mp->out.p + mp->taken, mp->out.len - mp->taken);
        str_truncate(&mp->out, mp->out.len - mp->taken);
        mp->start -= mp->taken;
        mp->taken = 0;
    }
}

// The entry from `at` on made the part too long: it opens the next one.
static void
split(struct of_mp *mp, size_t at)
{
    size_t len = mp->out.len - at;
    struct str entry = STR_INIT;
    str_add_n(&entry, mp->out.p + at, len);
    str_truncate(&mp->out, at);
    if (mp->type == OF_MSG_FEATURES_REPLY) { // has no parts: what doesn't fit isn't said
        str_free(&entry);
        return;
    }
    of_msg_end(&mp->out, mp->start, true);
    begin_part(mp);
    str_add_n(&mp->out, entry.p, entry.len);
    str_free(&entry);
}

// Between the two an entry is written.
static size_t
entry_begin(struct of_mp *mp)
{
    drop_taken(mp);
    return mp->out.len;
}

static void
entry_end(struct of_mp *mp, size_t at)
{
    if (mp->out.len - mp->start > OF_MAX_LEN) {
        split(mp, at);
    }
}

void
of_mp_flow_stats(struct of_mp *mp, const struct of_flow_stats *fs)
{
    size_t at = entry_begin(mp);
    of_flow_stats_put(fs, &mp->wire, &mp->out);
    entry_end(mp, at);
}

void
of_mp_table_stats(struct of_mp *mp, const struct of_table_stats *s)
{
    size_t at = entry_begin(mp);
    of_table_stats_put(s, mp->wire.version, &mp->out);
    entry_end(mp, at);
}

void
of_mp_table_features(struct of_mp *mp, const struct of_table_features *tf)
{
    size_t at = entry_begin(mp);
    of_table_features_put(tf, mp->wire.version, &mp->out);
    entry_end(mp, at);
}

void
of_mp_port_stats(struct of_mp *mp, uint32_t port, const struct of_port_stats *s)
{
    size_t at = entry_begin(mp);
    of_port_stats_put(s, port, mp->wire.version, &mp->out);
    entry_end(mp, at);
}

void
of_mp_port_desc(struct of_mp *mp, const struct of_port_desc *d)
{
    if (mp->type == OF_MSG_FEATURES_REPLY && mp->wire.version > OF_12) {
        return;
    }
    size_t at = entry_begin(mp);
    of_port_desc_put(d, mp->wire.version, &mp->out);
    entry_end(mp, at);
}

void
of_mp_queue_stats(struct of_mp *mp, const struct of_queue_stats *s)
{
    size_t at = entry_begin(mp);
    of_queue_stats_put(s, mp->wire.version, &mp->out);
    entry_end(mp, at);
}

size_t
of_mp_take(struct of_mp *mp, const uint8_t **data)
{
    drop_taken(mp);
    *data = (const uint8_t *) mp->out.p;
    mp->taken = mp->start;
    return mp->start;
}

void
of_mp_end(struct of_mp *mp, struct str *out)
{
    drop_taken(mp);
    if (row_of(mp)) {
        of_msg_end(&mp->out, mp->start, false);
        str_add_n(out, mp->out.p, mp->out.len);
    }
    str_free(&mp->out);
}
