// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>

#include "lib/base/cmdline.h"
#include "lib/base/dirs.h"
#include "tools/vsctl/vsctl.h"

static const char commands[] =
    "Switch:\n"
    "  init                        make the database's first record, if it is empty\n"
    "  show                        print the configuration as a tree\n"
    "  emer-reset                  take back everything but bridges and ports\n"
    "Bridges:\n"
    "  add-br BRIDGE               make a bridge\n"
    "  add-br BRIDGE PARENT VLAN   make a bridge that is VLAN of PARENT\n"
    "  del-br BRIDGE               delete a bridge and its ports\n"
    "  list-br                     print the names of all bridges\n"
    "  br-exists BRIDGE            exit with status 2 if there is no such bridge\n"
    "  br-to-vlan BRIDGE           print the VLAN of a bridge\n"
    "  br-to-parent BRIDGE         print the parent of a bridge\n"
    "  br-set-external-id BRIDGE KEY [VALUE]  set or unset KEY\n"
    "  br-get-external-id BRIDGE [KEY]        print KEY, or all pairs\n"
    "Ports (a bond is one port):\n"
    "  add-port BRIDGE PORT [COLUMN[:KEY]=VALUE...]  add device PORT to BRIDGE\n"
    "  add-bond BRIDGE PORT IFACE... [COLUMN[:KEY]=VALUE...]  add a bond of the IFACEs\n"
    "  add-bond-iface BOND IFACE   add IFACE to a bond\n"
    "  del-bond-iface [BOND] IFACE remove IFACE from its bond\n"
    "  del-port [BRIDGE] PORT      delete a port\n"
    "  list-ports BRIDGE           print the names of a bridge's ports\n"
    "  port-to-br PORT             print the name of the bridge that has PORT\n"
    "Interfaces (members of bonds each by itself):\n"
    "  list-ifaces BRIDGE          print the names of a bridge's interfaces\n"
    "  iface-to-br IFACE           print the name of the bridge that has IFACE\n"
    "Controllers:\n"
    "  get-controller BRIDGE       print the controllers of BRIDGE\n"
    "  del-controller BRIDGE       delete the controllers of BRIDGE\n"
    "  [--inactivity-probe=MSECS] set-controller BRIDGE TARGET...  replace them\n"
    "  get-fail-mode BRIDGE, del-fail-mode BRIDGE, set-fail-mode BRIDGE MODE\n"
    "Managers and TLS:\n"
    "  get-manager, del-manager, [--inactivity-probe=MSECS] set-manager TARGET...\n"
    "  get-ssl, del-ssl, set-ssl PRIVATE-KEY CERTIFICATE CA-CERTIFICATE\n"
    "Auto-attach, connection tracking zones, datapaths:\n"
    "  add-aa-mapping BRIDGE I-SID VLAN, del-aa-mapping BRIDGE I-SID VLAN, get-aa-mapping BRIDGE\n"
    "  add-zone-tp DP zone=ZONE KEY=SECONDS..., del-zone-tp DP zone=ZONE, list-zone-tp DP\n"
    "  list-dp-cap DP\n"
    "Database:\n"
    "  list TABLE [RECORD...]      print records\n"
    "  find TABLE CONDITION...     print the records that fulfil all conditions\n"
    "  get TABLE RECORD COLUMN[:KEY]...         print values\n"
    "  set TABLE RECORD COLUMN[:KEY]=VALUE...   set values\n"
    "  add TABLE RECORD COLUMN [KEY=]VALUE...   add to a set or map\n"
    "  remove TABLE RECORD COLUMN [KEY=]VALUE...  remove from a set or map\n"
    "  clear TABLE RECORD COLUMN...             empty columns\n"
    "  create TABLE COLUMN[:KEY]=VALUE...       make a record\n"
    "  destroy TABLE RECORD...                  delete records\n"
    "  wait-until TABLE RECORD [CONDITION...]   wait until a record fulfils all conditions\n"
    "  comment [TEXT...]           only leave a note in the database's journal\n";

void
vsctl_usage(void)
{
    printf("%s: configures ovs-vswitchd through its database\n"
           "usage: %s [OPTIONS] [--] COMMAND [ARG...] [-- COMMAND [ARG...]]...\n\n%s\n"
           "Options:\n"
           "  --db=DATABASE               connect to DATABASE (default: unix:%s/db.sock)\n"
           "  --no-wait                   don't wait for ovs-vswitchd to follow\n"
           "  --retry                     keep trying to connect\n"
           "  -t, --timeout=SECS          give up after SECS seconds\n"
           "  --dry-run                   change nothing\n"
           "  --oneline                   print one line for each command\n"
           "  --no-syslog                 don't log to syslog\n",
           dirs_program(), dirs_program(), commands, dirs_run());
    cmdline_usage_groups(CMDLINE_LOG | CMDLINE_TLS | CMDLINE_TABLE);
}
