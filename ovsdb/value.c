// SPDX-License-Identifier: Apache-2.0
#include "ovsdb/value.h"

#include <math.h>

static struct db_value
node_value(const struct db_node *n)
{
    return (struct db_value){n, NULL};
}

static struct db_value_iter
walk(struct db_value v, json_type t)
{
    struct db_value_iter it = {.of = DB_NO_VALUE};
    if (db_value_is(v, t)) {
        it.of = v;
        if (v.node) {
            it.node = v.node + 1;
            it.left = v.node->n;
        } else if (t == JSON_OBJECT) {
            it.member = json_object_iter((json_t *) v.json);
        }
    }
    return it;
}

bool
db_value_as_integer(struct db_value v, int64_t *out)
{
    if (db_value_is(v, JSON_INTEGER)) {
        *out = db_value_integer(v);
        return true;
    }
    const double d = db_value_is(v, JSON_REAL) ? db_value_real(v) : 0.5;
    if (d != floor(d) || d < -9223372036854775808.0 || d >= 9223372036854775808.0) {
        return false;
    }
    *out = (int64_t) d;
    return true;
}

struct db_value_iter
db_value_elements(struct db_value array)
{
    return walk(array, JSON_ARRAY);
}

struct db_value_iter
db_value_members(struct db_value object)
{
    return walk(object, JSON_OBJECT);
}

struct db_value
db_value_next(struct db_value_iter *it)
{
    if (!it->of.node) {
        return db_value_of(json_array_get(it->of.json, it->i++));
    }
    if (!it->left) {
        return DB_NO_VALUE;
    }
    it->left--;
    const struct db_node *n = it->node;
    it->node += n->skip;
    return node_value(n);
}

bool
db_value_next_member(struct db_value_iter *it, const char **name, struct db_value *v)
{
    if (it->of.node && it->left) {
        it->left--;
        *name = it->node->string;
        *v = node_value(it->node + 1);
        it->node += 1 + it->node[1].skip;
        return true;
    } else if (it->member) {
        *name = json_object_iter_key(it->member);
        *v = db_value_of(json_object_iter_value(it->member));
        it->member = json_object_iter_next((json_t *) it->of.json, it->member);
        return true;
    }
    return false;
}

struct db_value
db_value_at(struct db_value array, size_t i)
{
    if (!array.node) {
        return db_value_of(json_array_get(array.json, i));
    }
    if (i >= db_value_size(array)) {
        return DB_NO_VALUE;
    }
    const struct db_node *n = array.node + 1;
    while (i--) {
        n += n->skip;
    }
    return node_value(n);
}

struct db_value
db_value_member_n(struct db_value object, const char *name, size_t len)
{
    if (!object.node) {
        return db_value_of(json_object_getn(object.json, name, len));
    }
    if (object.node->type == JSON_OBJECT) {
        const struct db_node *n = object.node + 1;
        for (uint32_t i = 0; i < object.node->n; i++, n += 1 + n[1].skip) {
            if (n->n == len && n->string[0] == name[0] && !memcmp(n->string, name, len)) {
                return node_value(n + 1);
            }
        }
    }
    return DB_NO_VALUE;
}

size_t
db_value_n_members(struct db_value object)
{
    return !db_value_is(object, JSON_OBJECT) ? 0
           : object.node                     ? object.node->n
                                             : json_object_size(object.json);
}
