# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# What scenarios are written with.  A scenario is a script in scenarios/ that begins with
#     . "${0%/*}/../lib.sh"
# and runs as root with this topology, on the simulated NIC inside the lab or, the same, on a real one:
#
#       vm1            vm2            vm3     (namespaces)       wire
#     10.0.0.1       10.0.0.2       10.0.0.3                   10.0.0.9
#      ${VF[1]}       ${VF[2]}       ${VF[3]}                   $WIRE
#        |              |              |                          |
#   +----+--------------+--------------+--------------------------+----+
#   |                     NIC in switchdev mode                        |
#   +----+--------------+--------------+--------------------------+----+
#        |              |              |                          |
#      ${REP[1]}      ${REP[2]}      ${REP[3]}                  $UPLINK      (the host's devices)
#
# Inside the namespaces there is no IPv6 and no ARP: neighbours are static, so that a counter shows what the scenario sent and
# nothing else.  Scenarios wait for states (wait_for), never for time.
#
# Real NIC: HW_PF names the PF's device, HW_WIRE the device at the other end of its cable (scenarios that need it are skipped
# without it).  Knobs (tables, injected failures) exist on the simulated NIC only: `needs simulated`.

set -Eeu
shopt -s inherit_errexit

LIB=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
SCENARIO=$(basename "$0" .sh)
KNOBS=/sys/kernel/debug/simnic/0
SIMULATED=$([ -n "${HW_PF:-}" ] && echo no || echo yes)
NS_PREFIX=$([ "$SIMULATED" = yes ] && echo "" || echo flowerbed-)
VF=() REP=() MAC=() UPLINK="" WIRE="" WIRE_MAC="" DEVLINK=""

# ---- results ----------------------------------------------------------------------------------------------------------------

fail() {
    echo "FAIL: $*"
    exit 1
}

skip() {
    echo "SKIP: $*"
    exit 77
}

# needs simulated | wire | vfs N
needs() {
    case $1 in
    simulated) [ "$SIMULATED" = yes ] || skip "uses knobs that only the simulated NIC has" ;;
    wire) [ "$SIMULATED" = yes ] || [ -n "${HW_WIRE:-}" ] || skip "needs HW_WIRE, the device at the other end of $HW_PF's cable" ;;
    esac
}

on_error() {
    [ "$BASH_SUBSHELL" != 0 ] || echo "FAIL: ${BASH_SOURCE[1]##*/}:$1: $2"
}
trap 'on_error $LINENO "$BASH_COMMAND"' ERR

# at_exit COMMAND: run at the scenario's end, last registered first.
EXIT_COMMANDS=()
at_exit() {
    EXIT_COMMANDS=("$*" "${EXIT_COMMANDS[@]}")
}

on_exit() {
    local status=$? command
    trap - ERR
    set +e
    if [ $status != 0 ] && [ $status != 77 ]; then
        report_state
    fi
    for command in "${EXIT_COMMANDS[@]}"; do
        $command
    done
    exit $status
}
trap on_exit EXIT

# What helps to understand a failure.
report_state() {
    local dev
    echo "--- state at the failure"
    for dev in $UPLINK "${REP[@]}"; do
        tc -s filter show dev "$dev" ingress | sed "s/^/$dev: /"
    done
    [ -r $KNOBS/counters ] && cat $KNOBS/counters $KNOBS/table
    [ -n "${SWITCH_DIR:-}" ] && report_switch
    echo "---"
}

pause() {
    read -rt "$1" <> <(:) || :
}

# wait_for SECONDS COMMAND...: until it succeeds.
wait_for() {
    local limit=$1 deadline
    deadline=$((SECONDS + limit))
    shift
    until ("$@") >/dev/null 2>&1; do
        [ $SECONDS -le $deadline ] || fail "after $limit s still not: $*"
        pause 0.05
    done
}

assert_equal() {
    [ "$2" = "$3" ] || fail "$1: expected $2, found $3"
}

# ---- the NIC ----------------------------------------------------------------------------------------------------------------

quiet_namespace() {
    ip netns add "$1"
    at_exit ip netns del "$1"
    ip netns exec "$1" sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
    ip -n "$1" link set lo up
}

in_vm() {
    local n=$1
    shift
    ip netns exec "${NS_PREFIX}vm$n" "$@"
}

in_wire() {
    ip netns exec "${NS_PREFIX}wire" "$@"
}

load_simnic() {
    [ -r "${LAB_MODULE:-}" ] || skip "no simulated NIC here: run this through hwtests/run"
    insmod "$LAB_MODULE" "$@"
    at_exit rmmod simnic
    UPLINK=nic0
}

devlink_of() {
    local bus
    bus=$(basename "$(readlink -f "/sys/class/net/$1/device/subsystem")")
    echo "$bus/$(basename "$(readlink -f "/sys/class/net/$1/device")")"
}

# The device of VF $1: the NIC's other side.
vf_device() {
    local link=/sys/class/net/$UPLINK/device/virtfn$1/net
    if [ -d "$link" ]; then
        ls "$link" | head -1
    else
        echo "${UPLINK}vf$1"
    fi
}

# Representors are found as a switch would: by devlink's flavour and number, not by name.
representor_of() {
    devlink port show | sed -n "s|^$DEVLINK/[0-9]*: type eth netdev \([^ ]*\) flavour pcivf .*vfnum $1 .*|\1|p"
}

set_mode() {
    devlink dev eswitch set "$DEVLINK" mode "$1"
}

set_vfs() {
    local sysfs=/sys/class/net/$UPLINK/device/sriov_numvfs
    [ "$(cat "$sysfs")" = 0 ] || echo 0 >"$sysfs"
    echo "$1" >"$sysfs"
}

find_ports() {
    local n
    VF=() REP=()
    for ((n = 1; n <= $1; n++)); do
        VF[n]=$(vf_device $((n - 1)))
        REP[n]=$(representor_of $((n - 1)))
        [ -n "${REP[n]}" ] || fail "devlink shows no representor of VF $((n - 1))"
    done
}

# endpoint NAMESPACE DEVICE ADDRESS
endpoint() {
    quiet_namespace "$1"
    ethtool -K "$2" tx off rx off tso off gso off gro off >/dev/null 2>&1 || :
    ip link set "$2" netns "$1"
    ip -n "$1" addr add "$3/24" dev "$2"
    ip -n "$1" link set "$2" up
}

neighbour() {
    ip -n "$1" neigh replace "$3" lladdr "$4" dev "$2" nud permanent
}

# Everybody knows everybody.
introduce() {
    local i j
    for i in "${!VF[@]}"; do
        for j in "${!VF[@]}"; do
            [ "$i" = "$j" ] || neighbour "${NS_PREFIX}vm$i" "${VF[i]}" "10.0.0.$j" "${MAC[j]}"
        done
        if [ -n "$WIRE" ]; then
            neighbour "${NS_PREFIX}vm$i" "${VF[i]}" 10.0.0.9 "$WIRE_MAC"
            neighbour "${NS_PREFIX}wire" "$WIRE" "10.0.0.$i" "${MAC[i]}"
        fi
    done
}

# A real NIC is left as it was found.
give_back() {
    tc qdisc del dev "$UPLINK" clsact 2>/dev/null
    set_vfs 0
    set_mode "$MODE_BEFORE"
}

# nic_up VFS [MODULE-PARAMETER...]: the topology above, without any switch.
nic_up() {
    local vfs=$1 n
    shift
    sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
    if [ "$SIMULATED" = yes ]; then
        load_simnic "$@"
        WIRE=${UPLINK}wire
    else
        UPLINK=$HW_PF
        WIRE=${HW_WIRE:-}
        [ "$(cat "/sys/class/net/$UPLINK/device/sriov_numvfs")" = 0 ] || skip "$UPLINK has VFs already: the scenarios make their own"
        at_exit give_back
    fi
    DEVLINK=$(devlink_of "$UPLINK")
    MODE_BEFORE=$(devlink dev eswitch show "$DEVLINK" | sed 's/.* mode \([a-z]*\).*/\1/')
    set_vfs "$vfs"
    set_mode switchdev || skip "$UPLINK cannot be set to switchdev mode"
    find_ports "$vfs"
    for n in "${!VF[@]}"; do
        MAC[n]=$(cat "/sys/class/net/${VF[n]}/address")
        endpoint "${NS_PREFIX}vm$n" "${VF[n]}" "10.0.0.$n"
    done
    if [ -n "$WIRE" ]; then
        WIRE_MAC=$(cat "/sys/class/net/$WIRE/address")
        endpoint "${NS_PREFIX}wire" "$WIRE" 10.0.0.9
    fi
    introduce
    ethtool -K "$UPLINK" hw-tc-offload on
    for n in "$UPLINK" "${REP[@]}"; do
        ip link set "$n" up
    done
}

# ---- tc ---------------------------------------------------------------------------------------------------------------------

clsact() {
    local dev
    [ $# -gt 0 ] || set -- "$UPLINK" "${REP[@]}"
    for dev; do
        tc qdisc add dev "$dev" clsact
    done
}

# rule DEVICE PRIO MATCH-AND-ACTIONS...: a flower rule of this device's ingress, in hardware or not at all.
rule() {
    local dev=$1 prio=$2 protocol=$3
    shift 3
    tc filter add dev "$dev" ingress protocol "$protocol" prio "$prio" flower skip_sw "$@"
}

# refused TEXT RULE...: tc says no, with a sentence that contains TEXT.
refused() {
    local text=$1 said
    shift
    if said=$(rule "$@" 2>&1); then
        fail "was taken: $*"
    fi
    grep -qF -- "$text" <<<"$said" || fail "refused, but not with '$text': $said"
}

# rule_counter DEVICE PRIO packets|bytes: what hardware counted.
rule_counter() {
    tc -s filter show dev "$1" ingress prio "$2" \
        | awk -v what="$3" '/Sent hardware/ && !n { n = what == "bytes" ? $3 : $5 } END { print n + 0 }'
}

assert_in_hw() {
    local shown
    shown=$(tc filter show dev "$1" ingress prio "$2")
    grep -qw in_hw <<<"$shown" || fail "$1 prio $2 is not in hardware"
}

# ---- traffic ----------------------------------------------------------------------------------------------------------------

# ping_exact FROM TO COUNT [SIZE]: every one is answered. All are sent at once: after the last one ping waits for an interval or two round
# trips, however long -W is, and the answer of a guest that shares its processor may take longer than what is usual.
ping_exact() {
    local out
    out=$(in_vm "$1" ping -q -n -l "$3" -c "$3" -i 3 -s "${4:-56}" -W 3 "10.0.0.$2") || fail "vm$1 does not reach 10.0.0.$2: $out"
    grep -q " $3 received" <<<"$out" || fail "vm$1 to 10.0.0.$2: $out"
}

# send PLACE NAME=VALUE...: frames as frames.py builds them, e.g. send vm1 to=vm2 count=10 proto=udp dport=53 size=100.  "to" sets
# the place's MAC address but an IP address (10.0.1.N) that nobody has, so that no stack answers.
send() {
    local from=$1 pair args=()
    shift
    for pair in "$@"; do
        case $pair in
        to=vm*) args+=(dst_mac="${MAC[${pair#to=vm}]}" dst="10.0.1.${pair#to=vm}") ;;
        to=wire) args+=(dst_mac="$WIRE_MAC" dst=10.0.1.9) ;;
        *) args+=("$pair") ;;
        esac
    done
    in_place "$from" python3 "$LIB/frames.py" send "$(device_of "$from")" src="$(address_of "$from")" "${args[@]}"
}

in_place() {
    local place=$1
    shift
    ip netns exec "$NS_PREFIX$place" "$@"
}

device_of() {
    [ "$1" = wire ] && echo "$WIRE" || echo "${VF[${1#vm}]}"
}

address_of() {
    [ "$1" = wire ] && echo 10.0.0.9 || echo "10.0.0.${1#vm}"
}

# listen PLACE: from now on, frames that PLACE receives go to $(heard PLACE) as one line each.
listen() {
    local file
    file=$(heard_file "$1")
    in_place "$1" python3 "$LIB/frames.py" receive "$(device_of "$1")" "$file" &
    at_exit kill $!
    wait_for 10 test -e "$file"
}

heard_file() {
    echo "${TMPDIR:-/tmp}/heard-$1.$$"
}

heard() {
    cat "$(heard_file "$1")"
}

# heard_count PLACE [PATTERN]
heard_count() {
    grep -cE -- "${2:-.}" "$(heard_file "$1")" || :
}

heard_at_least() {
    [ "$(heard_count "$1" "${3:-}")" -ge "$2" ]
}

# expect_heard PLACE COUNT [PATTERN]: exactly that many frames, after waiting for them.
expect_heard() {
    local n
    wait_for 5 heard_at_least "$@"
    n=$(heard_count "$1" "${3:-}")
    [ "$n" = "$2" ] || { heard "$1" | tail -5; fail "$1 heard $n frames like '${3:-.}' instead of $2"; }
}

# Packets that a host's device received: for a representor, those that its NIC did not forward by itself.
seen_by() {
    cat "/sys/class/net/$1/statistics/rx_packets"
}

# flat COMMAND...: run it; meanwhile no representor sees a packet.
flat() {
    local dev before=() i=0
    for dev in "$UPLINK" "${REP[@]}"; do
        before+=("$(seen_by "$dev")")
    done
    "$@"
    for dev in "$UPLINK" "${REP[@]}"; do
        [ "$(seen_by "$dev")" = "${before[i]}" ] \
            || fail "$dev saw $(($(seen_by "$dev") - ${before[i]})) packets that should have stayed in the NIC, during: $*"
        i=$((i + 1))
    done
}

# ---- the simulated NIC's knobs ----------------------------------------------------------------------------------------------

knob() {
    echo "$2" >"$KNOBS/$1"
}

hw_counter() {
    awk -v name="$1" '$1 == name { print $2 }' $KNOBS/counters
}
