// SPDX-License-Identifier: Apache-2.0
// Hash maps, flat lists, arenas, pools, strings, uuids and numbers against the plainest models.
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "lib/base/arena.h"
#include "lib/base/flat.h"
#include "lib/base/hash.h"
#include "lib/base/hmap.h"
#include "lib/base/pool.h"
#include "lib/base/random.h"
#include "lib/base/str.h"
#include "lib/base/uuid.h"

#define KEYS 500

struct item {
    struct hmap_node node;
    unsigned key;
    bool in;
};

// Few hashes for many keys: chains must be walked.
static uint32_t
hash_of(unsigned key)
{
    return hash_u64(key % 97, 0);
}

static struct item *
find(const struct hmap *m, unsigned key)
{
    struct item *i;
    HMAP_FOR_EACH_HASH(i, node, hash_of(key), m)
    {
        if (i->key == key) {
            return i;
        }
    }
    return NULL;
}

static void
test_hmap(void **state)
{
    static struct item items[KEYS];
    struct hmap m;
    size_t n = 0;
    hmap_init(&m);
    for (unsigned i = 0; i < KEYS; i++) {
        items[i] = (struct item){.key = i};
    }
    for (unsigned round = 0; round < 20000; round++) {
        struct item *i = &items[random_below(KEYS)];
        assert_ptr_equal(find(&m, i->key), i->in ? i : NULL);
        if (i->in) {
            hmap_remove(&m, &i->node);
            n--;
        } else {
            hmap_insert(&m, &i->node, hash_of(i->key));
            n++;
        }
        i->in = !i->in;
        assert_int_equal(hmap_count(&m), n);
        if (!random_below(500)) {
            hmap_shrink(&m);
        }
    }
    size_t seen = 0;
    struct item *i;
    HMAP_FOR_EACH (i, node, &m) {
        assert_true(i->in);
        seen++;
    }
    assert_int_equal(seen, n);
    HMAP_FOR_EACH_SAFE (i, node, &m) {
        hmap_remove(&m, &i->node);
        memset(&i->node, 0xff, sizeof i->node);
    }
    assert_int_equal(hmap_count(&m), 0);
    hmap_destroy(&m);
}

struct number {
    struct flat_item i;
    uint64_t value;
};

static void
test_flat(void **state)
{
    struct flat f = FLAT_INIT, g = FLAT_INIT;
    for (unsigned k = 0; k < 100; k++) {
        const size_t nest = k % 10 == 0 ? flat_begin(&f, 1000, sizeof(struct flat_item)) : 0;
        ((struct number *) flat_add(&f, (uint16_t) k, sizeof(struct number)))->value = k;
        if (k % 10 == 0) {
            flat_add(&f, 2000, 9 + sizeof(struct flat_item)); // an odd size
            flat_end(&f, nest);
        }
    }
    const struct flat_item *i, *j;
    unsigned k = 0;
    FLAT_FOR_EACH(i, f.data, f.len)
    {
        const struct number *n = (const struct number *) i;
        if (k % 10 == 0) {
            assert_int_equal(i->type, 1000);
            unsigned children = 0;
            FLAT_FOR_EACH(j, i + 1, i->len - sizeof *i)
            {
                n = children++ ? n : (const struct number *) j;
            }
            assert_int_equal(children, 2);
        }
        assert_int_equal(n->i.type, k);
        assert_int_equal(n->value, k);
        k++;
    }
    assert_int_equal(k, 100);
    flat_copy(&g, &f);
    assert_true(flat_equal(&f, &g));
    assert_int_equal(flat_hash(&f, 7), flat_hash(&g, 7));
    ((struct number *) flat_add(&g, 1, sizeof(struct number)))->value = 1;
    assert_false(flat_equal(&f, &g));
    flat_free(&f);
    flat_free(&g);
}

static void
test_arena(void **state)
{
    struct arena a;
    char *texts[300];
    arena_init(&a, 256);
    for (unsigned round = 0; round < 3; round++) {
        for (unsigned i = 0; i < ARRAY_SIZE(texts); i++) {
            char text[400];
            snprintf(text, sizeof text, "%u%0*u", i, (int) random_below(380), 0);
            texts[i] = arena_strdup(&a, text);
            char *zero = arena_zalloc(&a, 40);
            for (unsigned k = 0; k < 40; k++) {
                assert_int_equal(zero[k], 0);
            }
            assert_int_equal((uintptr_t) zero % 8, 0);
            memset(zero, 0xff, 40);
        }
        for (unsigned i = 0; i < ARRAY_SIZE(texts); i++) {
            char start[16];
            snprintf(start, sizeof start, "%u", i);
            assert_memory_equal(texts[i], start, strlen(start));
        }
        arena_reset(&a);
    }
    arena_destroy(&a);
}

static void
test_str(void **state)
{
    struct str s = STR_INIT;
    assert_string_equal(str_get(&s), "");
    str_add(&s, "a");
    str_addf(&s, "%s-%d", "b", 7);
    str_add_char(&s, '.');
    str_add_hex(&s, "\x00\xff\x10", 3);
    assert_string_equal(str_get(&s), "ab-7.00ff10");
    str_truncate(&s, 2);
    str_add_mac(&s, &(struct mac){{0, 0x11, 2, 0xaa, 0xbb, 0xff}});
    str_add_char(&s, ' ');
    str_add_ip4(&s, htobe32(0x0a0000ff));
    assert_string_equal(str_get(&s), "ab00:11:02:aa:bb:ff 10.0.0.255");
    str_clear(&s);
    str_add_ip6(&s, (const uint8_t[16]){0x20, 1, 0x0d, 0xb8, [15] = 1});
    assert_string_equal(str_get(&s), "2001:db8::1");
    str_add(&s, ",,;");
    str_chomp(&s, ",;");
    assert_string_equal(str_get(&s), "2001:db8::1");
    for (unsigned i = 0; i < 10000; i++) {
        str_add_char(&s, 'x');
    }
    assert_int_equal(s.len, 10011);
    char *text = str_take(&s);
    assert_int_equal(strlen(text), 10011);
    assert_int_equal(s.len, 0);
    free(text);
    text = str_take(&s);
    assert_string_equal(text, "");
    free(text);
}

static void
test_uuid(void **state)
{
    struct uuid a, b;
    char text[UUID_LEN + 1];
    for (unsigned i = 0; i < 1000; i++) {
        uuid_generate(&a);
        uuid_format(&a, text);
        assert_int_equal(strlen(text), 36);
        assert_int_equal(text[14], '4'); // RFC 4122: version 4
        assert_non_null(strchr("89ab", text[19]));
        assert_true(uuid_parse(text, &b));
        assert_true(uuid_equals(&a, &b));
        text[random_below(36)] = 'x';
        assert_false(uuid_parse(text, &b));
    }
    assert_true(uuid_parse("01234567-89ab-cdef-0123-456789ABCDEF", &a));
    assert_int_equal(a.w[0], 0x01234567);
    assert_int_equal(a.w[3], 0x89abcdef);
    assert_false(uuid_parse("01234567-89ab-cdef-0123-456789ABCDEF0", &a));
}

static void
test_numbers(void **state)
{
    static const struct {
        const char *text;
        uint64_t max, value;
        bool ok;
    } rows[] = {{"0", 10, 0, true},
                {"10", 10, 10, true},
                {"11", 10, 0, false},
                {"0x1f", 255, 31, true},
                {"", 10, 0, false},
                {" 1", 10, 0, false},
                {"1 ", 10, 0, false},
                {"-1", UINT64_MAX, 0, false},
                {"18446744073709551615", UINT64_MAX, UINT64_MAX, true},
                {"18446744073709551616", UINT64_MAX, 0, false},
                {"0x", 10, 0, false},
                {"1a", UINT64_MAX, 0, false}};
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        uint64_t v = 0;
        print_message("\"%s\"\n", rows[i].text);
        assert_int_equal(base_parse_uint(rows[i].text, rows[i].max, &v), rows[i].ok);
        if (rows[i].ok) {
            assert_int_equal(v, rows[i].value);
        }
    }
    int64_t n;
    assert_true(base_parse_int("-9223372036854775808", &n));
    assert_int_equal(n, INT64_MIN);
    assert_false(base_parse_int("9223372036854775808", &n));
    assert_false(base_parse_int("--1", &n));
}

// Objects keep what was written to them, whatever else comes and goes; new ones are zero.
static void
check_pool(size_t size)
{
    struct pool pool;
    uint8_t *objects[KEYS] = {NULL};
    pool_init(&pool, size);
    for (unsigned i = 0; i < 20 * KEYS; i++) {
        const unsigned k = random_u32() % KEYS;
        if (objects[k]) {
            for (size_t j = 0; j < size; j++) {
                assert_int_equal(objects[k][j], k % 251);
            }
            pool_free(&pool, objects[k]);
            objects[k] = NULL;
        } else {
            objects[k] = pool_alloc(&pool);
            assert_int_equal((uintptr_t) objects[k] % 8, 0);
            for (size_t j = 0; j < size; j++) {
                assert_int_equal(objects[k][j], 0);
            }
            memset(objects[k], (int) (k % 251), size);
        }
    }
    for (unsigned k = 0; k < KEYS; k++) {
        pool_free(&pool, objects[k]);
    }
    pool_destroy(&pool);
}

static void
test_pool(void **state)
{
    (void) state;
    check_pool(1);
    check_pool(72);
    check_pool(100000); // larger than a block
}

// Values that differ in one byte, wherever it stands (numbers in network byte order differ in the
// last ones), fall into different buckets.
static void
test_hash_bytes(void **state)
{
    (void) state;
    for (unsigned byte = 0; byte < 8; byte++) {
        for (unsigned shift = 0; shift <= 52; shift += 4) { // which bits choose the bucket
            bool taken[4096] = {false};
            unsigned n = 0;
            for (uint64_t v = 0; v < 256; v++) {
                const uint64_t h = hash_mix64(1, v << 8 * byte) >> shift & 4095;
                n += !taken[h];
                taken[h] = true;
            }
            assert_in_range(n, 200, 256); // by chance: 248
        }
    }
}

int
main(void)
{
    const char *seed = getenv("SEED");
    const uint32_t n = seed ? (uint32_t) strtoul(seed, NULL, 0) : random_u32();
    random_seed(n);
    printf("SEED=%u\n", n);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hash_bytes),
        cmocka_unit_test(test_hmap), cmocka_unit_test(test_flat), cmocka_unit_test(test_arena),
        cmocka_unit_test(test_str),  cmocka_unit_test(test_uuid), cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_pool),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
