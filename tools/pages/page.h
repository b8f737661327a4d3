// SPDX-License-Identifier: Apache-2.0
// Program of the build: manual pages made from tables. Here: writing roff.
#ifndef TOOLS_PAGES_PAGE_H
#define TOOLS_PAGES_PAGE_H 1

#include <stdbool.h>

// Text in which nothing is roff: what roff would take for its own is written so that it isn't.
void page_text(const char *);
void page_sentence(const char *); // the same, with a capital letter at its beginning
void page_bold(const char *);
// ".SS TITLE" and, unless "", a paragraph.
void page_section(const char *title, const char *text);

// One page each, to standard output. check: only tell on standard error what has no text; false:
// something has none.
bool page_fields(bool check);
bool page_actions(bool check);
bool page_reasons(bool check);
// The page of a file; false: it can't be read, which was said.
bool page_expand(const char *file);

#endif
