// SPDX-License-Identifier: Apache-2.0
// Tables are collected as rows of cells and written by one function a format.
#include "lib/base/table.h"

#include <stdio.h>
#include <stdlib.h>

#include "lib/base/clock.h"
#include "lib/base/str.h"
#include "lib/base/uuid.h"

struct cell {
    char *text;
    json_t *json; // NULL: the text
};

struct table {
    char *caption;
    char **columns;
    size_t n_columns, cap_columns;
    struct cell *cells; // row by row
    size_t cap_cells;   // in cells
    size_t n_rows;
    size_t at; // column of the next cell
};

struct table_style table_style = TABLE_STYLE_DEFAULT;

struct table *
table_new(void)
{
    return base_calloc(1, sizeof(struct table));
}

void
table_free(struct table *t)
{
    if (!t) {
        return;
    }
    for (size_t i = 0; i < t->n_rows * t->n_columns; i++) {
        free(t->cells[i].text);
        json_decref(t->cells[i].json);
    }
    for (size_t i = 0; i < t->n_columns; i++) {
        free(t->columns[i]);
    }
    free(t->caption);
    free(t->columns);
    free(t->cells);
    free(t);
}

void
table_set_caption(struct table *t, const char *caption)
{
    free(t->caption);
    t->caption = caption ? base_strdup(caption) : NULL;
}

void
table_add_column(struct table *t, const char *heading)
{
    if (t->n_columns == t->cap_columns) {
        t->columns = base_grow(t->columns, &t->cap_columns, sizeof *t->columns);
    }
    t->columns[t->n_columns++] = base_strdup(heading);
}

void
table_add_row(struct table *t)
{
    while ((t->n_rows + 1) * t->n_columns > t->cap_cells) {
        t->cells = base_grow(t->cells, &t->cap_cells, sizeof *t->cells);
    }
    memset(t->cells + t->n_rows * t->n_columns, 0, t->n_columns * sizeof *t->cells);
    t->n_rows++;
    t->at = 0;
}

void
table_add_cell(struct table *t, const char *text, json_t *json)
{
    if (!t->n_rows || t->at >= t->n_columns) {
        json_decref(json);
        return;
    }
    struct cell *c = &t->cells[(t->n_rows - 1) * t->n_columns + t->at++];
    c->text = base_strdup(text);
    c->json = json;
}

void
table_addf(struct table *t, const char *fmt, ...)
{
    struct str s = STR_INIT;
    va_list ap;
    va_start(ap, fmt);
    str_addv(&s, fmt, ap);
    va_end(ap);
    table_add_cell(t, str_get(&s), NULL);
    str_free(&s);
}

static const struct cell *
cell_at(const struct table *t, size_t row, size_t column)
{
    return &t->cells[row * t->n_columns + column];
}

// What stands in the cell; to free.
static char *
cell_text(const struct cell *c, const struct table_style *style)
{
    if (style->cell != TABLE_CELL_JSON || !c->json) {
        return base_strdup(c->text ? c->text : "");
    }
    struct str s = STR_INIT;
    if (!json_is_null(c->json)) {
        table_json_add(&s, c->json, 0);
    }
    return str_take(&s);
}

// Widths are in bytes, as scripts expect that were written for these layouts.
static void
add_width(struct str *out, const char *s, size_t width)
{
    size_t n = strnlen(s, width);
    str_add_n(out, s, n);
    str_add_chars(out, ' ', width - n);
}

// A blank line separates the tables that a program prints.
static void
begin(const struct table *t, struct str *out)
{
    static bool later;
    if (later) {
        str_add_char(out, '\n');
    }
    later = true;
}

static void
add_time(const struct table_style *style, struct str *out)
{
    char text[64];
    if (style->timestamp) {
        clock_format(text, sizeof text, "%Y-%m-%d %H:%M:%S.###", clock_wall(), true);
        str_addf(out, "%s\n", text);
    }
}

static void
begin_lines(const struct table *t, const struct table_style *style, struct str *out)
{
    begin(t, out);
    add_time(style, out);
    if (t->caption) {
        str_addf(out, "%s\n", t->caption);
    }
}

static void
print_columns(const struct table *t, const struct table_style *style, struct str *out)
{
    size_t n = t->n_columns;
    size_t *widths = base_calloc(n, sizeof *widths);
    char **texts = base_calloc(n * t->n_rows, sizeof *texts);
    for (size_t c = 0; c < n; c++) {
        widths[c] = style->headings ? strlen(t->columns[c]) : 0;
        for (size_t r = 0; r < t->n_rows; r++) {
            texts[r * n + c] = cell_text(cell_at(t, r, c), style);
            widths[c] = MAX(widths[c], strlen(texts[r * n + c]));
        }
        if (style->max_column_width) {
            // Never narrower than the heading.
            size_t least = style->headings ? strlen(t->columns[c]) : 0;
            widths[c] = MIN(widths[c], MAX(least, (size_t) style->max_column_width));
        }
    }
    begin_lines(t, style, out);
    if (style->headings) {
        for (size_t c = 0; c < n; c++) {
            const char *heading = t->columns[c];
            add_width(out, heading, c + 1 < n ? widths[c] : MIN(strlen(heading), widths[c]));
            str_add_char(out, c + 1 < n ? ' ' : '\n');
        }
        for (size_t c = 0; c < n; c++) {
            str_add_chars(out, '-', widths[c]);
            str_add_char(out, c + 1 < n ? ' ' : '\n');
        }
    }
    for (size_t r = 0; r < t->n_rows; r++) {
        for (size_t c = 0; c < n; c++) {
            const char *text = texts[r * n + c];
            add_width(out, text, c + 1 < n ? widths[c] : MIN(strlen(text), widths[c]));
            str_add(out, c + 1 < n ? " " : "");
        }
        str_chomp(out, " ");
        str_add_char(out, '\n');
    }
    for (size_t i = 0; i < n * t->n_rows; i++) {
        free(texts[i]);
    }
    free(texts);
    free(widths);
}

static void
print_list(const struct table *t, const struct table_style *style, struct str *out)
{
    begin_lines(t, style, out);
    for (size_t r = 0; r < t->n_rows; r++) {
        if (r) {
            str_add_char(out, '\n');
        }
        for (size_t c = 0; c < t->n_columns; c++) {
            char *text = cell_text(cell_at(t, r, c), style);
            if (style->headings) {
                str_addf(out, "%-20s: ", t->columns[c]);
            }
            str_addf(out, "%s\n", text);
            free(text);
        }
    }
}

static void
add_html(struct str *out, const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        switch (s[i]) {
        case '&':
            str_add(out, "&amp;");
            break;
        case '<':
            str_add(out, "&lt;");
            break;
        case '>':
            str_add(out, "&gt;");
            break;
        case '"':
            str_add(out, "&quot;");
            break;
        default:
            str_add_char(out, s[i]);
        }
    }
}

// A cell or heading; UUIDs become links named by their first digits, those of column _uuid where
// the links lead.
static void
add_html_cell(struct str *out, const char *element, const char *column, const char *text)
{
    str_addf(out, "    <%s>", element);
    if (column && !strcmp(column, "_uuid")) {
        size_t n = strlen(text);
        str_add(out, "<a name=\"");
        add_html(out, text, n);
        str_add(out, "\">");
        add_html(out, text, MIN(n, 8));
        str_add(out, "</a>");
        text += n;
    }
    while (*text) {
        struct uuid uuid;
        if (uuid_parse_prefix(text, &uuid) == UUID_LEN) {
            str_addf(out, "<a href=\"#%.*s\">%.*s</a>", UUID_LEN, text, 8, text);
            text += UUID_LEN;
        } else {
            add_html(out, text++, 1);
        }
    }
    str_addf(out, "</%s>\n", element);
}

static void
print_html(const struct table *t, const struct table_style *style, struct str *out)
{
    add_time(style, out);
    str_add(out, "<table border=1>\n");
    if (t->caption) {
        add_html_cell(out, "caption", NULL, t->caption);
    }
    if (style->headings) {
        str_add(out, "  <tr>\n");
        for (size_t c = 0; c < t->n_columns; c++) {
            add_html_cell(out, "th", NULL, t->columns[c]);
        }
        str_add(out, "  </tr>\n");
    }
    for (size_t r = 0; r < t->n_rows; r++) {
        str_add(out, "  <tr>\n");
        for (size_t c = 0; c < t->n_columns; c++) {
            char *text = cell_text(cell_at(t, r, c), style);
            add_html_cell(out, "td", t->columns[c], text);
            free(text);
        }
        str_add(out, "  </tr>\n");
    }
    str_add(out, "</table>\n");
}

static void
add_csv(struct str *out, const char *text, bool last)
{
    if (text[strcspn(text, "\n\",")]) {
        str_add_char(out, '"');
        for (; *text; text++) {
            if (*text == '"') {
                str_add_char(out, '"');
            }
            str_add_char(out, *text);
        }
        str_add_char(out, '"');
    } else {
        str_add(out, text);
    }
    str_add_char(out, last ? '\n' : ',');
}

static void
print_csv(const struct table *t, const struct table_style *style, struct str *out)
{
    begin_lines(t, style, out);
    if (style->headings) {
        for (size_t c = 0; c < t->n_columns; c++) {
            add_csv(out, t->columns[c], c + 1 == t->n_columns);
        }
    }
    for (size_t r = 0; r < t->n_rows; r++) {
        for (size_t c = 0; c < t->n_columns; c++) {
            char *text = cell_text(cell_at(t, r, c), style);
            add_csv(out, text, c + 1 == t->n_columns);
            free(text);
        }
    }
}

static void
print_json(const struct table *t, const struct table_style *style, struct str *out)
{
    json_t *top = json_object(), *headings = json_array(), *data = json_array();
    char time[64];
    if (t->caption) {
        json_object_set_new(top, "caption", json_string(t->caption));
    }
    if (style->timestamp) {
        clock_format(time, sizeof time, "%Y-%m-%d %H:%M:%S.###", clock_wall(), true);
        json_object_set_new(top, "time", json_string(time));
    }
    for (size_t c = 0; c < t->n_columns; c++) {
        json_array_append_new(headings, json_string(t->columns[c]));
    }
    for (size_t r = 0; r < t->n_rows; r++) {
        json_t *row = json_array();
        for (size_t c = 0; c < t->n_columns; c++) {
            const struct cell *cell = cell_at(t, r, c);
            json_array_append_new(row, cell->json   ? json_incref(cell->json)
                                       : cell->text ? json_string(cell->text)
                                                    : json_null());
        }
        json_array_append_new(data, row);
    }
    json_object_set_new(top, "headings", headings);
    json_object_set_new(top, "data", data);
    table_json_add(out, top, style->json_flags);
    str_add_char(out, '\n');
    json_decref(top);
}

void
table_print(const struct table *t, const struct table_style *style, struct str *out)
{
    static void (*const writers[])(const struct table *, const struct table_style *,
                                   struct str *) = {
        [TABLE_TABLE] = print_columns, [TABLE_LIST] = print_list, [TABLE_HTML] = print_html,
        [TABLE_CSV] = print_csv,       [TABLE_JSON] = print_json,
    };
    writers[style->format](t, style, out);
}
