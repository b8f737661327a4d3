// SPDX-License-Identifier: Apache-2.0
// Command lines: options shared by all programs, and sub-command tables.
#ifndef LIB_BASE_CMDLINE_H
#define LIB_BASE_CMDLINE_H 1

#include <getopt.h>

#include "lib/base/util.h"

// Values for shared long options, above any of a program's own (use 256..999 there).
enum {
    CMDLINE_OPT_LOG = 1000, // -v, --verbose, --log-file, --syslog-target, --syslog-method
    CMDLINE_OPT_DAEMON = 1100, // --detach, --no-chdir, --pidfile, --overwrite-pidfile, --monitor, --user, --no-self-confinement
    CMDLINE_OPT_TLS = 1200,    // -p -c -C --private-key … --bootstrap-ca-cert --peer-ca-cert --ssl-protocols --ssl-ciphers
    CMDLINE_OPT_TABLE = 1300   // -f --format --no-headings --pretty --bare --data --max-column-width --timestamp
};

struct stream_tls;

enum cmdline_groups {
    CMDLINE_LOG = 1,
    CMDLINE_DAEMON = 2,
    CMDLINE_TLS = 4,
    CMDLINE_TABLE = 8
};

// A program's options: `own` (terminated by a zero entry) plus the groups it shares. Prints the field's usual sentences
// for unknown options, missing arguments and ambiguity, with exit status 1.
struct cmdline {
    const struct option *own;
    const char *own_short; // getopt string of own short options, e.g. "hVO:"; -v -p -c -C -f are added by groups
    unsigned groups;
    bool own_tls; // what is said about TLS is not set, only kept for cmdline_tls()
    bool mixed; // options may stand behind arguments too, until "--"
    const char *version; // what -V prints; NULL: "PROG (Open vSwitch) 3.1.0" and our own line, which is always the last one
    void (*usage)(void);
    // Called for each of the program's own options (value from `own`, argument or NULL).
    void (*handle)(int value, const char *arg, void *aux);
    void *aux;
};

// Parses; options end at the first non-option, unless mixed (then argv is put in order). Handles --help -h --version -V and the shared groups itself.
// Returns index of first argument.
int cmdline_parse(const struct cmdline *, int argc, char *argv[]);
// The TLS options as they were given: NULL for those that were not.
const struct stream_tls *cmdline_tls(void);
// Prints the usage text of the shared groups (for usage()).
void cmdline_usage_groups(unsigned groups);

// Prints each option of own[n], the groups and --help and --version on a line: "--db=ARG", "-t ARG".
void cmdline_print_options(const struct option own[], size_t n, unsigned groups);

struct cmdline_ctx {
    int argc; // arguments with the command's own name in argv[0]
    char **argv;
    void *aux;
};

struct cmdline_command {
    const char *name;  // may have several words: "vlog/set"; NULL ends the table
    const char *usage; // argument synopsis
    int min_args, max_args; // without the name; max INT_MAX: any number
    void (*run)(struct cmdline_ctx *);
};

// Runs the command argv[0] with its arguments; unknown commands and wrong argument counts end the program with the usual
// sentence ("PROG: unknown command 'x'; use --help for help") and status 1.
void cmdline_run(const struct cmdline_command[], struct cmdline_ctx *);

// --timeout=SECS and OVS_CTL_TIMEOUT: after that many seconds the process dies by SIGALRM after a line on stderr. 0: none.
void cmdline_set_timeout(unsigned seconds);

#endif
