# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# What measurements against the stock switch are written with: both switches by turns, in namespaces, with directories of their own.
#
#     bench_begin NAME
#     for_rounds run           calls `run ours` and `run stock` by turns, ROUNDS times (default 3); a run starts a switch, calls `note METRIC NUMBER`, stops it
#     bench_end UNIT METRIC…   medians, extremes, and last a line "NAME-METRIC ours peer ratio UNIT" for each metric; ratio: peer / ours
#
# CPU times are those of the daemon's threads (schedstat), in ns. Exit status 77 with "SKIP: …" where something is missing.

set -Eeu
TOP=${top_builddir:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)}
ROUNDS=${ROUNDS:-3}
NS=fbb$$
DIR=$(mktemp -d "${TMPDIR:-/tmp}/bench.XXXXXX")
BENCH='' KIND='' PID=''

skip() {
    echo "SKIP: $*"
    exit 77
}

fail() {
    echo "FAIL: $*" >&2
    exit 1
}

trap 'echo "FAIL: ${BASH_SOURCE[0]##*/}:$LINENO: $BASH_COMMAND" >&2' ERR

bench_cleanup() {
    local status=$? name
    trap - ERR
    set +e
    switch_stop
    for name in $(ip netns list 2>/dev/null | awk -v p="$NS-" 'index($1, p) == 1 { print $1 }'); do
        ip netns del "$name"
    done
    rm -rf "$DIR"
    exit $status
}
trap bench_cleanup EXIT

bench_begin() {
    BENCH=$1
    [ "$(id -u)" = 0 ] || skip "needs root for network namespaces"
    local p
    for p in "$TOP"/tools/ovs-vswitchd "$TOP"/tools/ovsdb-server "$TOP"/tests/fakes/blast /usr/sbin/ovs-vswitchd; do
        [ -x "$p" ] || skip "$p is missing"
    done
}

namespace() {
    ip netns add "$NS-$1"
    ip netns exec "$NS-$1" sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
    ip -n "$NS-$1" link set lo up
}

inside() {
    local n=$1
    shift
    ip netns exec "$NS-$n" "$@"
}

# wait_for SECONDS COMMAND...
wait_for() {
    local deadline=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        [ $SECONDS -le $deadline ] || fail "still not: $*"
        read -rt 0.05 <> <(:) || :
    done
}

# tool NAME ARGS...: the one that belongs to the running switch
tool() {
    local name=$1
    shift
    if [ "$KIND" = stock ]; then "/usr/bin/$name" "$@"; else "$TOP/tools/$name" "$@"; fi
}

gone() {
    ! kill -0 "$1" 2>/dev/null
}

# switch_start ours|stock NAMESPACE [OPTION-OF-DAEMON...]; sets PID. NAMESPACE '': the present one
switch_start() {
    local sbin=$TOP/tools schema=$TOP/ovsdb/vswitch.ovsschema ns=$2
    KIND=$1
    [ "$KIND" = ours ] || sbin=/usr/sbin schema=/usr/share/openvswitch/vswitch.ovsschema
    shift 2
    export OVS_RUNDIR=$DIR/$KIND OVS_LOGDIR=$DIR/$KIND OVS_DBDIR=$DIR/$KIND OVS_SYSCONFDIR=$DIR/$KIND
    rm -rf "${DIR:?}/$KIND"
    mkdir "$DIR/$KIND"
    tool ovsdb-tool create "$OVS_DBDIR/conf.db" "$schema"
    "$sbin/ovsdb-server" "--remote=punix:$OVS_RUNDIR/db.sock" --pidfile --log-file --detach --no-chdir "$OVS_DBDIR/conf.db" 2>>"$DIR/stderr"
    tool ovs-vsctl --no-wait init
    [ "$KIND" = ours ] || wait_for 30 up_long_enough
    ${ns:+ip netns exec "$NS-$ns"} "$sbin/ovs-vswitchd" "unix:$OVS_RUNDIR/db.sock" --pidfile --log-file --detach --no-chdir "$@" 2>>"$DIR/stderr"
    PID=$(cat "$OVS_RUNDIR/ovs-vswitchd.pid")
}

# The daemon once more, with the same options as none.
switch_restart_daemon() {
    local sbin=$TOP/tools
    [ "$KIND" = ours ] || sbin=/usr/sbin
    kill "$PID"
    wait_for 20 gone "$PID"
    "$sbin/ovs-vswitchd" "unix:$OVS_RUNDIR/db.sock" --pidfile --log-file --detach --no-chdir 2>>"$DIR/stderr"
    PID=$(cat "$OVS_RUNDIR/ovs-vswitchd.pid")
}

switch_stop() {
    local name pid
    [ -n "$PID" ] || return 0
    for name in ovs-vswitchd ovsdb-server; do
        pid=$(cat "$OVS_RUNDIR/$name.pid" 2>/dev/null) || continue
        kill "$pid" && wait_for 20 gone "$pid"
    done
    PID=''
}

# The same, and its kernel datapath goes too: what is left there the next switch would find, adopt or remove, and that is not what is measured.
switch_cleanup() {
    tool ovs-appctl -t ovs-vswitchd exit --cleanup >/dev/null
    wait_for 60 gone "$PID"
    [ ! -e /sys/class/net/ovs-system ] || fail "$KIND left its datapath"
    switch_stop
}

# CPU time of all threads of a process that are alive, ns; where the kernel keeps no such clock, in ticks of 10 ms
cpu_ns() {
    local pid=${1:-$PID}
    if [ -r "/proc/$pid/schedstat" ]; then
        cat /proc/"$pid"/task/*/schedstat | awk '{ n += $1 } END { printf "%.0f\n", n }'
    else
        cat /proc/"$pid"/task/*/stat 2>/dev/null | sed "s/.*) //" | awk '{ n += $12 + $13 } END { printf "%.0f\n", n * 1e7 }'
    fi
}

# The lab's kernel: a measurement that needs the openvswitch module or tc runs itself again inside a guest. in_lab SECONDS ARG…
in_lab() {
    local limit=$1 var vars=(--env "top_builddir=$TOP")
    shift
    [ -z "${LAB_MODULE:-}" ] || return 0
    [ -x "$TOP/hwtests/lab" ] || skip "the lab is not there"
    for var in ROUNDS FLOWS RATE; do
        [ -z "${!var:-}" ] || vars+=(--env "$var=${!var}")
    done
    trap - EXIT
    rm -rf "$DIR"
    exec "$TOP/hwtests/lab" run --timeout "$limit" --mem 1500M "${vars[@]}" "$0" "$@"
}

# The stock switch misjudges time when it starts within 13 s after boot.
up_long_enough() {
    awk '{ exit !($1 >= 13) }' /proc/uptime
}

# The simulated SmartNIC with two VFs whose machines are $NS-vm1, $NS-vm2: smartnic TABLE-SIZE. Sets REP[1], REP[2].
smartnic() {
    local n
    insmod "$LAB_MODULE" "table_size=$1"
    echo 2 >/sys/class/net/nic0/device/sriov_numvfs
    devlink dev eswitch set platform/simnic.0 mode switchdev
    ethtool -K nic0 hw-tc-offload on
    for n in 1 2; do
        namespace vm$n
        REP[n]=nic0_$((n - 1))
        ip link set nic0vf$((n - 1)) netns "$NS-vm$n" name e0
        ip -n "$NS-vm$n" link set e0 up
        ip link set "${REP[n]}" up
    done
    ip link set nic0 up
}

in_hardware() {
    awk '$1 == "rules" { print $2 }' /sys/kernel/debug/simnic/0/counters
}

note() {
    echo "$1 $KIND $2" >>"$DIR/notes"
    printf '%s: %-6s %s %s\n' "$BENCH" "$KIND" "$1" "$2"
}

for_rounds() {
    local i kind
    for ((i = 0; i < ROUNDS; i++)); do
        for kind in ours stock; do
            "$1" "$kind"
        done
    done
}

# series METRIC KIND: "median min max"
series() {
    awk -v m="$1" -v k="$2" '$1 == m && $2 == k { print $3 }' "$DIR/notes" | sort -n \
        | awk '{ v[NR] = $1 } END { if (NR) print (v[int((NR + 1) / 2)] + v[int(NR / 2) + 1]) / 2, v[1], v[NR]; else print "0 0 0" }'
}

bench_end() {
    local unit=$1 metric ours peer
    shift
    for metric in "$@"; do
        echo "$BENCH-$metric: ours median, min, max: $(series "$metric" ours); stock: $(series "$metric" stock) $unit"
    done
    for metric in "$@"; do
        read -r ours _ < <(series "$metric" ours)
        read -r peer _ < <(series "$metric" stock)
        awk -v n="$BENCH-$metric" -v a="$ours" -v b="$peer" -v u="$unit" 'BEGIN { printf "%s %.0f %.0f %.2f %s\n", n, a, b, (a > 0 ? b / a : 0), u }'
    done
}
