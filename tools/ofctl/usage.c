// SPDX-License-Identifier: Apache-2.0
// What --help prints.
#include "config.h"

#include "tools/ofctl/usage.h"

#include <stdio.h>

#include "lib/base/cmdline.h"
#include "lib/base/dirs.h"

static const char commands[] =
    "\nFor OpenFlow switches:\n"
    "  show SWITCH                    the switch and its ports\n"
    "  dump-desc SWITCH               who made it\n"
    "  dump-tables SWITCH             statistics of its tables\n"
    "  dump-table-features SWITCH     what its tables can do (OpenFlow 1.3+)\n"
    "  dump-table-desc SWITCH         settings of its tables (OpenFlow 1.4+)\n"
    "  mod-port SWITCH PORT ACT       change a port: up, down, [no-]flood, [no-]forward,\n"
    "                                 [no-]receive, [no-]packet-in, [no-]stp\n"
    "  mod-table SWITCH TABLE MOD     controller, continue, drop (OpenFlow 1.1, 1.2);\n"
    "                                 evict, noevict (OpenFlow 1.4+)\n"
    "  get-frags SWITCH               how it treats IP fragments\n"
    "  set-frags SWITCH MODE          normal, drop, reassemble or nx-match\n"
    "  dump-ports SWITCH [PORT]       statistics of ports\n"
    "  dump-ports-desc SWITCH [PORT]  descriptions of ports\n"
    "  queue-stats SWITCH [PORT [QUEUE]]       statistics of queues\n"
    "  queue-get-config SWITCH [PORT [QUEUE]]  settings of queues\n"
    "  dump-flows SWITCH [FLOW]       flows, all or those that match FLOW\n"
    "  dump-aggregate SWITCH [FLOW]   their number and counters in sum\n"
    "  add-flow SWITCH FLOW           add a flow\n"
    "  add-flows SWITCH FILE          add, modify and delete what FILE says, a flow a line\n"
    "  mod-flows SWITCH FLOW          change the actions of matching flows\n"
    "  del-flows SWITCH [FLOW]        delete matching flows, or all\n"
    "  replace-flows SWITCH FILE      make the flows be those of FILE\n"
    "  diff-flows SOURCE1 SOURCE2     compare two files or switches\n"
    "  packet-out SWITCH \"in_port=PORT packet=HEX actions=...\"  execute actions on a packet\n"
    "  monitor SWITCH [MISSLEN] [invalid_ttl]  print what the switch sends\n"
    "  snoop SWITCH                   print what the switch and its controller say\n"
    "\nFor OpenFlow switches and controllers:\n"
    "  probe TARGET                   is it there?\n"
    "  ping TARGET [N]                round trips of N-byte echoes\n"
    "  benchmark TARGET N COUNT       COUNT of them, as fast as they go\n"
    "SWITCH or TARGET is a bridge's name, a socket's file, or an active OpenFlow connection "
    "method.\n"
    "\nOther commands:\n"
    "  ofp-parse FILE                 print the OpenFlow messages of a file\n"
    "\nActive OpenFlow connection methods:\n"
    "  tcp:HOST[:PORT]                PORT (default: 6653) at remote HOST\n"
    "  ssl:HOST[:PORT]                SSL PORT (default: 6653) at remote HOST\n"
    "  unix:FILE                      Unix domain socket named FILE\n";

static const char options[] =
    "\nOpenFlow version options:\n"
    "  -V, --version                  print the version of this program\n"
    "  -O, --protocols=VERSIONS       OpenFlow10 (default), OpenFlow11 ... OpenFlow15\n"
    "\nOther options:\n"
    "  --strict                       flow commands match exactly\n"
    "  --read-only                    refuse commands that change something\n"
    "  --readd                        replace-flows: also flows that are as they should be\n"
    "  --bundle                       flow commands: all or nothing (OpenFlow 1.4+)\n"
    "  -F, --flow-format=FORMAT       insist on a flow format\n"
    "  -P, --packet-in-format=FORMAT  monitor: standard, nxt_packet_in or nxt_packet_in2\n"
    "  -m, --more                     say more about messages\n"
    "  --timestamp                    monitor, snoop: say when\n"
    "  -t, --timeout=SECS             give up after SECS seconds\n"
    "  --sort[=FIELD], --rsort[=FIELD]  dump-flows: sort, ascending or descending\n"
    "  --names, --no-names            show names of ports and tables; show and take only numbers\n"
    "  --stats, --no-stats            dump-flows: with or without counters\n"
    "  --unixctl=SOCKET               monitor, snoop: control socket\n"
    "  --color[=WHEN]                 accepted; there are no colours\n"
    "  -h, --help                     print this text\n";

void
ofctl_usage(void)
{
    printf("%s: administers OpenFlow switches\nusage: %s [OPTIONS] COMMAND [ARG...]\n",
           dirs_program(), dirs_program());
    fputs(commands, stdout);
    cmdline_usage_groups(CMDLINE_TLS | CMDLINE_DAEMON | CMDLINE_LOG);
    fputs(options, stdout);
}
