// SPDX-License-Identifier: Apache-2.0
// Where things live: OVS_RUNDIR, OVS_LOGDIR, OVS_DBDIR, OVS_SYSCONFDIR, OVS_PKGDATADIR, and the program's own name.
#ifndef LIB_BASE_DIRS_H
#define LIB_BASE_DIRS_H 1

// Sets the program's name from argv[0] (without directory); first thing in main().
void dirs_set_program(const char *argv0);
const char *dirs_program(void);
const char *dirs_run(void);      // default RUNSTATEDIR/openvswitch: /var/run/openvswitch
const char *dirs_log(void);      // default LOCALSTATEDIR/log/openvswitch
const char *dirs_db(void);       // default dirs_sysconf()/openvswitch
const char *dirs_sysconf(void);  // default SYSCONFDIR: /etc
const char *dirs_pkgdata(void);  // default DATADIR/openvswitch: /usr/share/openvswitch with --prefix=/usr
// A file name relative to dir becomes absolute; absolute ones are copied. Caller frees.
char *dirs_abs(const char *dir, const char *name);

#endif
