// SPDX-License-Identifier: Apache-2.0
// A manual page written by hand, with the options that programs share in the places of lines
// "@log@", "@daemon@", "@tls@", "@table@".
#include <stdio.h>
#include <string.h>

#include "lib/base/cmdline_private.h"
#include "tools/pages/page.h"

static const struct {
    const char *line, *title;
    enum cmdline_groups group;
    const char *text; // after the options; roff
} groups[] = {
    {"@daemon@\n", "Daemon", CMDLINE_DAEMON,
     "With \\fB\\-\\-detach\\fR the program that was started returns once the daemon is ready to "
     "serve, or says what failed. A file name that is not absolute is "
     "below the run directory.\n"},
    {"@tls@\n", "TLS", CMDLINE_TLS, "For connection methods \\fBssl:\\fR and \\fBpssl:\\fR.\n"},
    {"@table@\n", "Output", CMDLINE_TABLE, ""},
    {"@log@\n", "Logging", CMDLINE_LOG,
     "\\fISPEC\\fR is a list of words: a module, a destination (\\fBsyslog\\fR, \\fBconsole\\fR, "
     "\\fBfile\\fR) and a level (\\fBoff\\fR, \\fBemer\\fR, \\fBerr\\fR, "
     "\\fBwarn\\fR, \\fBinfo\\fR, \\fBdbg\\fR), separated by colons; what is left out means all. "
     "\\fBPATTERN:\\fIdestination\\fB:\\fIpattern\\fR sets the layout of "
     "lines.\n"},
};

static void
put_group(const char *title, enum cmdline_groups group)
{
    size_t n;
    const struct cmdline_option *o = cmdline_group_options(&n);
    printf(".SS %s\n", title);
    for (size_t i = 0; i < n; i++) {
        if (o[i].group != group) {
            continue;
        }
        printf(".TP\n");
        if (o[i].letter) {
            printf("\\fB\\-%c\\fR, ", o[i].letter);
        }
        printf("\\fB\\-\\-");
        page_text(o[i].option.name);
        printf("\\fR");
        if (o[i].value) {
            bool optional = o[i].option.has_arg == optional_argument;
            printf("%s\\fI%s\\fR%s", optional ? "[\\fB=\\fR" : "\\fB=\\fR", o[i].value,
                   optional ? "]" : "");
        }
        putchar('\n');
        page_sentence(o[i].help);
        printf(".\n");
    }
}

// The directories that configure chose, in place of "@rundir@" and its like.
static void
put_line(const char *line)
{
    static const struct {
        const char *word, *dir;
    } dirs[] = {{"@rundir@", FB_RUNDIR},
                {"@logdir@", FB_LOGDIR},
                {"@dbdir@", FB_SYSCONFDIR "/openvswitch"},
                {"@pkgdatadir@", FB_PKGDATADIR}};
    while (*line) {
        size_t i = 0, n_dirs = sizeof dirs / sizeof dirs[0];
        while (i < n_dirs && strncmp(line, dirs[i].word, strlen(dirs[i].word))) {
            i++;
        }
        if (i < n_dirs) {
            page_text(dirs[i].dir);
            line += strlen(dirs[i].word);
        } else {
            putchar(*line++);
        }
    }
}

bool
page_expand(const char *file)
{
    char line[4096];
    FILE *f = fopen(file, "r");
    if (!f) {
        perror(file);
        return false;
    }
    while (fgets(line, sizeof line, f)) {
        bool done = false;
        for (size_t i = 0; i < sizeof groups / sizeof groups[0]; i++) {
            if (!strcmp(line, groups[i].line)) {
                put_group(groups[i].title, groups[i].group);
                printf("%s%s", *groups[i].text ? ".PP\n" : "", groups[i].text);
                done = true;
            }
        }
        if (!done) {
            put_line(line);
        }
    }
    fclose(f);
    return true;
}
