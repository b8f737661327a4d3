// SPDX-License-Identifier: Apache-2.0
// Program of the build: writes manual pages from the tables that the switch is built from, so that
// they can't disagree.
//   pages fields | actions | reasons     the page
//   pages expand FILE                    the page written in FILE, with the options that programs
//   share (expand.c) pages check                          names rows without a text; status 1 when
//   there are any
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "tools/pages/page.h"

void
page_text(const char *s)
{
    for (bool line_start = true; *s; s++) {
        if (line_start && (*s == '.' || *s == '\'')) {
            fputs("\\&", stdout);
        }
        line_start = *s == '\n';
        if (*s == '-') {
            fputs("\\-", stdout);
        } else if (*s == '\\') {
            fputs("\\e", stdout);
        } else {
            putchar(*s);
        }
    }
}

void
page_sentence(const char *s)
{
    if (islower((unsigned char) *s)) {
        putchar(toupper((unsigned char) *s++));
    }
    page_text(s);
}

void
page_bold(const char *s)
{
    fputs("\\fB", stdout);
    page_text(s);
    fputs("\\fR", stdout);
}

void
page_section(const char *title, const char *text)
{
    printf(".SS \"%s\"\n", title);
    if (*text) {
        page_text(text);
        putchar('\n');
    }
}

int
main(int argc, char *argv[])
{
    static const struct {
        const char *name;
        bool (*write)(bool check);
    } pages[] = {{"fields", page_fields}, {"actions", page_actions}, {"reasons", page_reasons}};
    const size_t n = sizeof pages / sizeof pages[0];

    if (argc == 2 && !strcmp(argv[1], "check")) {
        bool whole = true;
        for (size_t i = 0; i < n; i++) {
            whole &= pages[i].write(true);
        }
        return whole ? 0 : 1;
    }
    if (argc == 3 && !strcmp(argv[1], "expand")) {
        return page_expand(argv[2]) && !fflush(stdout) ? 0 : 1;
    }
    for (size_t i = 0; argc == 2 && i < n; i++) {
        if (!strcmp(argv[1], pages[i].name)) {
            printf(".\\\" SPDX-License-Identifier: Apache-2.0\n.\\\" Made by tools/pages from "
                   "tables: don't edit.\n");
            pages[i].write(false);
            return fflush(stdout) ? 1 : 0;
        }
    }
    fprintf(stderr, "usage: pages fields | actions | reasons | expand FILE | check\n");
    return 1;
}
