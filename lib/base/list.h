// SPDX-License-Identifier: Apache-2.0
// Doubly linked lists: liburcu's <urcu/list.h>, under short names. `struct cds_list_head` is the node and the head.
#ifndef LIB_BASE_LIST_H
#define LIB_BASE_LIST_H 1

#include <urcu/list.h>

#define LIST_FOR_EACH(pos, member, head) cds_list_for_each_entry (pos, head, member)
#define LIST_FOR_EACH_SAFE(pos, tmp, member, head) cds_list_for_each_entry_safe (pos, tmp, head, member)

#endif
