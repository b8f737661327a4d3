// SPDX-License-Identifier: Apache-2.0
// Names of OpenFlow versions and protocols.
#include "config.h"

#include "ofproto/of_version.h"

#include <stdlib.h>
#include <strings.h>

#include "lib/base/str.h"

static const char *const version_names[] = {
    [OF_10] = "OpenFlow10", [OF_11] = "OpenFlow11", [OF_12] = "OpenFlow12",
    [OF_13] = "OpenFlow13", [OF_14] = "OpenFlow14", [OF_15] = "OpenFlow15",
};

static const struct {
    enum of_proto proto;
    enum of_version version;
    const char *name;
} protos[] = {
    {OF_PROTO_10, OF_10, "OpenFlow10-table_id"}, {OF_PROTO_10_TID, OF_10, "OpenFlow10+table_id"},
    {OF_PROTO_NXM, OF_10, "NXM-table_id"},       {OF_PROTO_NXM_TID, OF_10, "NXM+table_id"},
    {OF_PROTO_11, OF_11, "OpenFlow11"},          {OF_PROTO_12, OF_12, "OXM-OpenFlow12"},
    {OF_PROTO_13, OF_13, "OXM-OpenFlow13"},      {OF_PROTO_14, OF_14, "OXM-OpenFlow14"},
    {OF_PROTO_15, OF_15, "OXM-OpenFlow15"},
};

const char *
of_version_name(enum of_version v)
{
    return v >= OF_10 && v <= OF_15 ? version_names[v] : NULL;
}

static uint32_t
version_by_name(const char *s)
{
    for (int v = OF_10; v <= OF_15; v++) {
        char dotted[4] = {'1', '.', (char) ('0' + v - OF_10), 0};
        if (!strcasecmp(s, version_names[v]) || !strcmp(s, dotted)) {
            return OF_VERSION_BIT(v);
        }
    }
    return 0;
}

char *
of_versions_parse(const char *text, uint32_t *versions)
{
    *versions = 0;
    char *copy = base_strdup(text), *save = NULL, *error = NULL;
    for (char *word = strtok_r(copy, " ,", &save); word && !error;
         word = strtok_r(NULL, " ,", &save)) {
        uint32_t v = version_by_name(word);
        if (!v) {
            error = base_asprintf("%s: unknown OpenFlow version", word);
        }
        *versions |= v;
    }
    free(copy);
    return error;
}

enum of_version
of_proto_version(enum of_proto p)
{
    for (size_t i = 0; i < ARRAY_SIZE(protos); i++) {
        if (protos[i].proto == p) {
            return protos[i].version;
        }
    }
    return OF_10;
}

const char *
of_proto_name(enum of_proto p)
{
    for (size_t i = 0; i < ARRAY_SIZE(protos); i++) {
        if (protos[i].proto == p) {
            return protos[i].name;
        }
    }
    return NULL;
}

uint32_t
of_protos_of_versions(uint32_t versions)
{
    uint32_t out = 0;
    for (size_t i = 0; i < ARRAY_SIZE(protos); i++) {
        out |= versions & OF_VERSION_BIT(protos[i].version) ? protos[i].proto : 0;
    }
    return out;
}

uint32_t
of_versions_of_protos(uint32_t p)
{
    uint32_t out = 0;
    for (size_t i = 0; i < ARRAY_SIZE(protos); i++) {
        out |= p & protos[i].proto ? OF_VERSION_BIT(protos[i].version) : 0;
    }
    return out;
}

char *
of_protos_format(uint32_t protos)
{
    static const struct {
        uint32_t protos;
        const char *name;
    } collections[] = {
        {OF_PROTO_10_STD, "OpenFlow10"}, {OF_PROTO_10_NXM, "NXM"}, {OF_PROTO_OXM, "OXM"}};
    struct str s = STR_INIT;
    if (protos == OF_PROTO_ALL || !protos) {
        return base_strdup(protos ? "any" : "none");
    }
    for (size_t i = 0; i < ARRAY_SIZE(collections); i++) {
        if ((protos & collections[i].protos) == collections[i].protos) {
            str_addf(&s, "%s%s", s.len ? "," : "", collections[i].name);
            protos &= ~collections[i].protos;
        }
    }
    for (uint32_t bit = 1; bit <= OF_PROTO_15; bit <<= 1) {
        if (protos & bit) {
            str_addf(&s, "%s%s", s.len ? "," : "", of_proto_name(bit));
        }
    }
    return str_take(&s);
}
