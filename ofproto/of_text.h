// SPDX-License-Identifier: Apache-2.0
// Pieces of message text for programs that print more than whole messages: replies in several parts
// as one list, bytes.
#ifndef OFPROTO_OF_TEXT_H
#define OFPROTO_OF_TEXT_H 1

#include "ofproto/of_msg.h"

// Lists of tables in which equal neighbours are said in one line.
struct of_text_ditto {
    enum { OF_TEXT_NOTHING, OF_TEXT_BLOCK, OF_TEXT_NAMED, OF_TEXT_ROW } last;
    unsigned row_first, row_last; // 0: no row is open
};

// Table features of all parts of a reply: start from zeroes, add each part, end.
struct of_text_features {
    struct of_text_ditto ditto;
    void *before; // the last table
    bool any;
};
void of_text_table_features_add(struct of_text_features *, struct of_msg *, struct str *out);
void of_text_table_features_end(struct of_text_features *, struct str *out);

// Bytes as lines of 16, with their characters or without.
void of_text_hex(const void *, size_t len, bool characters, struct str *out);
void of_text_table(const char *label, uint8_t table, const struct of_print *, struct str *out);
void of_text_name(const char *,
                  struct str *out); // in quotes if it could be taken for something else

#endif
