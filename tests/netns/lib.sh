# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# What the scenarios of this folder are written with: a switch of this tree with directories of its own, and machines behind it.
#
#        vm1           vm2          …           (network namespaces, 10.0.0.N)
#         |             |
#       eth0          eth0                      veth pairs
#         |             |
#      ${P[1]}       ${P[2]}                    in a namespace "switch", where the daemon runs too
#         └──── br0 ────┘                       datapath_type=netdev: user space
#
# Everything lives in namespaces whose names begin with $NS; nothing on the host is touched. Scenarios wait for states, never for time.
# Exit status: 0, 77 with a line "SKIP: …", or failed. SWITCH=stock runs Debian's Open vSwitch instead; top_builddir=DIR runs the
# programs of another build, as one with sanitizers, whose reports then fail the scenario.

[ -n "${SANITIZER_REPORTS:-}" ] || exec "${BASH_SOURCE[0]%/*}/../sanitizers" "$0" "$@"

set -Eeu
shopt -s inherit_errexit
TOP=${top_builddir:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)}
NS=fb$$
P=() MAC=()
DP=${DP:-netdev}
SWITCH=${SWITCH:-flowerbed}
DIR=$(mktemp -d "${TMPDIR:-/tmp}/netns.XXXXXX")
EXIT_COMMANDS=()

fail() {
    echo "FAIL: $*" >&2
    exit 1
}

skip() {
    echo "SKIP: $*"
    exit 77
}

trap 'echo "FAIL: ${BASH_SOURCE[0]##*/}:$LINENO: $BASH_COMMAND" >&2' ERR

at_exit() {
    EXIT_COMMANDS=("$*" "${EXIT_COMMANDS[@]}")
}

on_exit() {
    local status=$? command
    trap - ERR
    set +e
    if [ $status != 0 ] && [ $status != 77 ]; then
        report
    fi
    for command in "${EXIT_COMMANDS[@]}"; do
        $command
    done
    rm -rf "$DIR"
    exit $status
}
trap on_exit EXIT

report() {
    echo "--- state at the failure"
    timeout 5 ovs-vsctl show
    timeout 5 ovs-ofctl dump-flows br0
    timeout 5 ovs-appctl dpctl/dump-flows -m
    timeout 5 ovs-appctl coverage/show | head -40
    tail -n 30 "$DIR"/*.log
    echo "---"
}

[ "$(id -u)" = 0 ] || skip "needs root for network namespaces"
ip netns add "$NS-probe" 2>/dev/null || skip "this machine lets nobody make network namespaces"
ip netns del "$NS-probe"

if [ "$SWITCH" = stock ]; then
    SBIN=/usr/sbin BIN=/usr/bin SCHEMA=/usr/share/openvswitch/vswitch.ovsschema
else
    SBIN=$TOP/tools BIN=$TOP/tools SCHEMA=$TOP/ovsdb/vswitch.ovsschema
    export PATH=$TOP/tools:$PATH
fi
for program in "$SBIN/ovs-vswitchd" "$SBIN/ovsdb-server" "$BIN/ovs-vsctl" "$BIN/ovs-ofctl"; do
    [ -x "$program" ] || skip "$program is not built"
done
export OVS_RUNDIR=$DIR OVS_LOGDIR=$DIR OVS_DBDIR=$DIR OVS_SYSCONFDIR=$DIR

# wait_for SECONDS COMMAND...
wait_for() {
    local deadline=$((SECONDS + $1)) limit=$1
    shift
    until ("$@") >/dev/null 2>&1; do
        [ $SECONDS -le $deadline ] || fail "after $limit s still not: $*"
        read -rt 0.05 <> <(:) || :
    done
}

namespace() {
    ip netns add "$NS-$1"
    at_exit ip netns del "$NS-$1"
    ip netns exec "$NS-$1" sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
    ip -n "$NS-$1" link set lo up
}

in_vm() {
    local n=$1
    shift
    ip netns exec "$NS-vm$n" "$@"
}

in_switch() {
    ip netns exec "$NS-switch" "$@"
}

# machines N: vm1 … vmN
machines() {
    local n
    for ((n = 1; n <= $1; n++)); do
        namespace "vm$n"
        P[n]=p$n
        ip link add "p$n" netns "$NS-switch" type veth peer name eth0 netns "$NS-vm$n"
        ip -n "$NS-switch" link set "p$n" up
        ip -n "$NS-vm$n" addr add "10.0.0.$n/24" dev eth0
        ip -n "$NS-vm$n" link set eth0 up
        MAC[n]=$(in_vm "$n" cat /sys/class/net/eth0/address)
    done
}

pid_of() {
    cat "$DIR/$1.pid" 2>/dev/null
}

gone() {
    ! kill -0 "$1" 2>/dev/null
}

end_daemon() {
    local pid
    pid=$(pid_of "$1") || return 0
    kill "$pid" 2>/dev/null
    wait_for 10 gone "$pid"
}

start_vswitchd() {
    in_switch "$SBIN/ovs-vswitchd" "unix:$DIR/db.sock" --pidfile --log-file --detach --no-chdir "$@" 2>>"$DIR/stderr.log"
}

# start_switch [OPTION-OF-DAEMON...]
start_switch() {
    "$BIN/ovsdb-tool" create "$DIR/conf.db" "$SCHEMA"
    "$SBIN/ovsdb-server" "--remote=punix:$DIR/db.sock" --pidfile --log-file --detach --no-chdir "$DIR/conf.db" 2>>"$DIR/stderr.log"
    at_exit end_daemon ovsdb-server
    "$BIN/ovs-vsctl" --no-wait init
    start_vswitchd "$@"
    at_exit end_daemon ovs-vswitchd
}

# add_bridge NAME [VSCTL-WORDS...]
add_bridge() {
    local name=$1
    shift
    "$BIN/ovs-vsctl" add-br "$name" -- set Bridge "$name" datapath_type="$DP" "$@"
}

add_ports() {
    local n
    for n in "${!P[@]}"; do
        "$BIN/ovs-vsctl" add-port br0 "${P[n]}" -- set Interface "${P[n]}" ofport_request="$n"
    done
}

# ping_exact FROM TO COUNT: all sent at once. After the last one ping waits for an interval or two round trips, however long -W is,
# and a slow build's answer may take longer than what is usual.
ping_exact() {
    local out
    out=$(in_vm "$1" ping -q -n -l "$3" -c "$3" -i 3 -W 3 "10.0.0.$2") || fail "vm$1 does not reach 10.0.0.$2: $out"
    grep -q " $3 received" <<<"$out" || fail "vm$1 to 10.0.0.$2: $out"
}

unreachable() {
    ! in_vm "$1" ping -q -n -c 2 -i 0.2 -W 1 "10.0.0.$2" >/dev/null || fail "vm$1 reaches 10.0.0.$2 and should not"
}

static_neighbours() {
    local i j
    for i in "${!P[@]}"; do
        for j in "${!P[@]}"; do
            [ "$i" = "$j" ] || ip -n "$NS-vm$i" neigh replace "10.0.0.$j" lladdr "${MAC[j]}" dev eth0 nud permanent
        done
    done
}

# of_count packets|bytes MATCH
of_count() {
    ovs-ofctl dump-flows br0 "${2:-}" | awk -v what="n_$1=" '{ for (i = 1; i <= NF; i++) if (index($i, what) == 1) { sub(what, "", $i); n += $i } } END { print n + 0 }'
}

of_count_is() {
    [ "$(of_count "$1" "$2")" = "$3" ]
}

expect_of_count() {
    local deadline=$((SECONDS + 10))
    until of_count_is packets "$1" "$2" && { [ -z "${3:-}" ] || of_count_is bytes "$1" "$3"; }; do
        [ $SECONDS -le $deadline ] || fail "OpenFlow counters of '$1': expected $2 packets${3:+, $3 bytes}, found $(of_count packets "$1"), $(of_count bytes "$1")"
        read -rt 0.1 <> <(:) || :
    done
}

# resting packets|bytes MATCH: the count, once it has stopped moving.
resting() {
    local now before=none
    for _ in $(seq 30); do
        now=$(of_count "$@")
        [ "$now" != "$before" ] || break
        before=$now
        read -rt 1.2 <> <(:) || :
    done
    echo "$now"
}
