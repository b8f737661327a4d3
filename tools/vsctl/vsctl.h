// SPDX-License-Identifier: Apache-2.0
// ovs-vsctl: a list of commands, run together as one transaction.
//
// main.c options and the life of a run; command.c from words to commands; record.c tables, columns
// and rows by name; assign.c COLUMN[:KEY]=VALUE; db_read.c, db_write.c the database commands;
// bridge.c the model of bridges (real and VLAN bridges, ports, interfaces); bridge_cmd.c,
// port_cmd.c, bond_cmd.c, switch_cmd.c, zone_cmd.c the commands on it; lean.c runs without the whole
// replica; show.c; usage.c.
//
// A command first says what it reads (prepare), before the connection; then runs (run), perhaps
// more than once when the transaction loses a race: everything it keeps must be built anew; after
// success it may add to its output (done).
#ifndef TOOLS_VSCTL_VSCTL_H
#define TOOLS_VSCTL_VSCTL_H 1

#include "lib/base/str.h"
#include "lib/base/util.h"
#include "ovsdb/data.h"
#include "ovsdb/idl.h"

struct table;
struct vsctl;
struct vsctl_cmd;

struct vsctl_syntax {
    const char *name;
    const char *args; // for completion: ! one, ? one or none, * any number, + one or more
    int min_args, max_args; // INT_MAX: any number
    const char *options;    // "--may-exist --id=": those it takes; "=": with argument, "?": with
                            // optional argument
    void (*prepare)(struct vsctl *, struct vsctl_cmd *);
    void (*run)(struct vsctl *, struct vsctl_cmd *);
    void (*done)(struct vsctl *, struct vsctl_cmd *); // NULL: nothing
};

struct vsctl_option {
    const char *name; // with its dashes
    const char *arg;  // NULL: none
};

struct vsctl_cmd {
    const struct vsctl_syntax *syntax;
    int argc; // name included
    char **argv;
    struct vsctl_option *options;
    size_t n_options;
    // Made by each run:
    struct str out;
    struct table *table;
    struct uuid created; // create: provisional uuid
};

struct vsctl {
    struct idl *idl;
    struct idl_txn *txn;
    const struct idl_open_vswitch *ovs;
    struct db_symtab symtab;
    bool try_again; // some command waits for the database to change
    bool no_wait, oneline, dry_run;
    bool lean;    // the replica has only the rows that the commands name
    char **new_ports; // names of ports added: errors of their interfaces are told
    size_t n_new_ports, new_ports_cap;
    bool fakes_known; // VLAN bridges below are up to date
    const struct idl_port **fakes;
    size_t n_fakes, fakes_cap;
};

// Says what is wrong and ends the program with status 1.
#define vsctl_fatal(...) log_fatal(0, __VA_ARGS__)

// command.c
extern const struct vsctl_syntax
    *const vsctl_syntaxes[]; // tables, each ended by a NULL name; ended by NULL
struct vsctl_cmd *vsctl_parse(int argc, char **argv, const struct vsctl_option *, size_t n_options,
                              size_t *n);
void vsctl_cmd_reset(struct vsctl_cmd *); // before a run
const struct vsctl_option *vsctl_option(const struct vsctl_cmd *,
                                        const char *name); // NULL: not given
static inline bool
vsctl_has(const struct vsctl_cmd *c, const char *name)
{
    return vsctl_option(c, name) != NULL;
}
char *vsctl_joined(const struct vsctl_cmd *); // "--may-exist add-br br0", to free

// record.c
#define VSCTL_UUID_COLUMN IDL_N_COLUMNS // "_uuid" where columns are read
unsigned vsctl_table(const char *name);
unsigned vsctl_column(unsigned table, const char *name, bool allow_uuid);
const char *vsctl_column_name(unsigned column);
void vsctl_want_record(struct vsctl *, unsigned table); // columns by which its rows are named
const struct idl_row *vsctl_record(struct vsctl *, unsigned table, const char *name,
                                   bool must_exist);
// Symbol "@name"; new: it is being defined, which may happen once.
struct db_symbol *vsctl_symbol(struct vsctl *, const char *name, bool *is_new);

// assign.c
struct vsctl_assign {
    unsigned column; // VSCTL_UUID_COLUMN possible
    char *key;       // NULL: none
    int op;          // index in the operators, -1: no operator and value
    char *value;     // NULL: none
};
enum {
    VSCTL_EQ,
    VSCTL_NE,
    VSCTL_LT,
    VSCTL_GT,
    VSCTL_LE,
    VSCTL_GE,
    VSCTL_SET_EQ,
    VSCTL_SET_NE,
    VSCTL_SET_LT,
    VSCTL_SET_GT,
    VSCTL_SET_LE,
    VSCTL_SET_GE,
    VSCTL_SET_IN,
    VSCTL_SET_NOT_IN
};
enum vsctl_assign_form {
    VSCTL_KEY_ONLY,
    VSCTL_VALUE,
    VSCTL_CONDITION
}; // no value; "=" only; any operator
void vsctl_assign_parse(unsigned table, const char *arg, enum vsctl_assign_form,
                        struct vsctl_assign *);
void vsctl_assign_free(struct vsctl_assign *);
void vsctl_set(struct vsctl *, const struct idl_row *, const struct vsctl_assign *);
bool vsctl_matches(const struct idl_row *, unsigned table, const char *condition,
                   struct db_symtab *);
void vsctl_check_mutable(const struct idl_row *, unsigned column);
void vsctl_want_assign(struct vsctl *, unsigned table, const char *arg, enum vsctl_assign_form);
struct db_datum vsctl_parse_value(const char *text, const struct db_type *, struct db_symtab *);

// bridge.c
struct vsctl_bridge {
    const struct idl_bridge *br; // the real one
    const struct idl_port *fake; // VLAN bridge: its port; NULL: real
    int vlan;                    // of a VLAN bridge, else 0
    const char *name;
};
void vsctl_want_info(struct vsctl *,
                     struct vsctl_cmd *); // for prepare: what the functions below read
bool vsctl_find_bridge(struct vsctl *, const char *name, bool must_exist, struct vsctl_bridge *);
void vsctl_find_real_bridge(struct vsctl *, const char *name, struct vsctl_bridge *);
const struct idl_port *vsctl_find_port(struct vsctl *, const char *name, bool must_exist,
                                       struct vsctl_bridge *);
const struct idl_interface *vsctl_find_iface(struct vsctl *, const char *name, bool must_exist,
                                             const struct idl_port **, struct vsctl_bridge *);
bool vsctl_is_fake(const struct idl_port *);
// Rows that only something else refers to, a Flow_Sample_Collector_Set for one, are no bridges.
bool vsctl_is_bridge(const struct idl_open_vswitch *, const struct idl_bridge *); // NULL allowed
bool vsctl_child(struct vsctl *, const struct idl_bridge *, int vlan, struct vsctl_bridge *);
bool vsctl_in_bridge(
    struct vsctl *, const struct idl_port *,
    const struct vsctl_bridge *); // bridge.ports has it, and it isn't in another VLAN bridge
void vsctl_check_conflicts(struct vsctl *, const char *name, const char *what); // what: "a port"
void vsctl_load_fakes(struct vsctl *);
void vsctl_delete_port(struct vsctl *, const struct idl_bridge *, const struct idl_port *);
void vsctl_delete_bridge(struct vsctl *, const struct vsctl_bridge *);
void vsctl_new_port(struct vsctl *, const char *name);
int vsctl_compare_names(const void *, const void *); // of char *
void vsctl_print_sorted(struct vsctl_cmd *, const char **names, size_t n);

// lean.c
bool vsctl_lean_suits(const struct vsctl_cmd *, size_t n);
void vsctl_lean_want(struct vsctl *, const struct vsctl_cmd *, size_t n); // after the prepares
bool vsctl_lean_holds(const struct vsctl *, const struct vsctl_cmd *,
                      size_t n); // false: start over with the whole replica

// switch_cmd.c
void vsctl_init_db(struct vsctl *);

extern const struct vsctl_syntax vsctl_db_read_syntax[], vsctl_db_write_syntax[],
    vsctl_bridge_syntax[], vsctl_port_syntax[], vsctl_bond_syntax[], vsctl_switch_syntax[],
    vsctl_zone_syntax[], vsctl_show_syntax[];

void vsctl_usage(void);

#endif
