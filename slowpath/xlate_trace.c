// SPDX-License-Identifier: Apache-2.0
// The tree behind ofproto/trace. One thread, one translation.
//
// Layout: a bridge's tables stand at its own column, actions four columns further. What an action
// leads to (resubmit, a patch port) is indented below it, unless the action is the last of its
// list: then the text goes on at the list's own column, as if the pipeline simply continued there.
#include "config.h"

#include "slowpath/xlate_trace.h"

#include <stdlib.h>

#include "lib/base/list.h"

struct node {
    struct cds_list_head in_parent;
    struct cds_list_head children; // node.in_parent
    struct node *parent;
    enum trace_kind kind;
    char *text;
};

struct xlate_trace {
    struct node root;
    struct node *at;
};

struct xlate_trace *
xlate_trace_new(void)
{
    struct xlate_trace *t = base_calloc(1, sizeof *t);
    CDS_INIT_LIST_HEAD(&t->root.children);
    t->at = &t->root;
    return t;
}

static void
free_children(struct node *n)
{
    struct node *c, *tmp;
    LIST_FOR_EACH_SAFE (c, tmp, in_parent, &n->children) {
        free_children(c);
        free(c->text);
        free(c);
    }
}

void
xlate_trace_free(struct xlate_trace *t)
{
    if (t) {
        free_children(&t->root);
        free(t);
    }
}

void
xlate_trace_enter(struct xlate_trace *t, enum trace_kind kind, char *text_take)
{
    struct node *n = base_calloc(1, sizeof *n);
    CDS_INIT_LIST_HEAD(&n->children);
    n->parent = t->at;
    n->kind = kind;
    n->text = text_take;
    cds_list_add_tail(&n->in_parent, &t->at->children);
    t->at = n;
}

static struct node *
last_child(const struct xlate_trace *t)
{
    return cds_list_entry(t->at->children.prev, struct node, in_parent);
}

void
xlate_trace_enter_last(struct xlate_trace *t, enum trace_kind kind)
{
    if (!cds_list_empty(&t->at->children) && last_child(t)->kind == kind) {
        t->at = last_child(t);
    } else {
        xlate_trace_enter(t, TRACE_GROUP, NULL);
    }
}

void
xlate_trace_reenter(struct xlate_trace *t)
{
    t->at = last_child(t);
}

void
xlate_trace_leave(struct xlate_trace *t)
{
    t->at = t->at->parent;
}

void
xlate_trace_add(struct xlate_trace *t, enum trace_kind kind, const char *fmt, ...)
{
    struct str s = STR_INIT;
    va_list args;
    va_start(args, fmt);
    str_addv(&s, fmt, args);
    va_end(args);
    xlate_trace_enter(t, kind, str_take(&s));
    xlate_trace_leave(t);
}

// Columns, in steps of four, for what hangs below a node.
struct columns {
    unsigned bridge, table_of_bridge, table, action;
};

static void
line(struct str *out, unsigned column, const char *before, const char *text, const char *after)
{
    str_add_chars(out, ' ', column * 4);
    str_add(out, before);
    str_add(out, text);
    str_add(out, after);
    str_add_char(out, '\n');
}

static void
print(const struct node *n, const struct columns *at, struct str *out)
{
    struct columns below = *at;

    switch (n->kind) {
    case TRACE_BRIDGE:
        str_add_char(out, '\n');
        line(out, at->bridge, "bridge(\"", n->text, "\")");
        str_add_chars(out, ' ', at->bridge * 4);
        str_add_chars(out, '-', strlen(n->text) + 10);
        str_add_char(out, '\n');
        below.table = at->table_of_bridge;
        break;
    case TRACE_TABLE:
        line(out, at->table, "", n->text, "");
        break;
    case TRACE_ACTION: {
        const bool last =
            n->children.next != &n->children && n->in_parent.next == &n->parent->children;
        const unsigned a = at->action;
        line(out, a, "", n->text, "");
        below =
            last ? (struct columns){a - 1, a - 1, a - 1, a} : (struct columns){a, a + 1, a, a + 2};
        break;
    }
    case TRACE_GROUP:
        break;
    case TRACE_REMARK:
        line(out, at->action, " -> ", n->text, "");
        break;
    case TRACE_WARNING:
        line(out, at->action, " >> ", n->text, "");
        break;
    case TRACE_ERROR:
        line(out, at->action, " >>>> ", n->text, " <<<<");
        break;
    }

    const struct node *c;
    LIST_FOR_EACH (c, in_parent, &n->children) {
        // Remarks belong to the column of the action they explain.
        print(c, n->kind == TRACE_ACTION && c->kind >= TRACE_REMARK ? at : &below, out);
    }
}

void
xlate_trace_format(const struct xlate_trace *t, struct str *out)
{
    const struct columns top = {0, 0, 0, 1};
    const struct node *c;
    LIST_FOR_EACH (c, in_parent, &t->root.children) {
        print(c, &top, out);
    }
}
