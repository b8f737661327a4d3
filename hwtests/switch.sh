# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# For scenarios with a switch on the NIC's host side; sourced after lib.sh.  SWITCH says which: flowerbed (default; programs in
# $BUILD/tools, BUILD being the tree by default) or stock (Open vSwitch as Debian installs it).  The switch gets directories of its own.
#
# Bridge br0 has the ports  1 = ${REP[1]}, 2 = ${REP[2]}, 3 = ${REP[3]}, 9 = $UPLINK  as far as they exist.

SWITCH=${SWITCH:-flowerbed}
BUILD=${BUILD:-$(dirname "$LIB")}
SWITCH_DIR=

find_programs() {
    local program
    case $SWITCH in
    stock)
        OVSDB_SERVER=/usr/sbin/ovsdb-server
        OVS_VSWITCHD=/usr/sbin/ovs-vswitchd
        SCHEMA=/usr/share/openvswitch/vswitch.ovsschema
        export PATH=/usr/bin:/usr/sbin:/bin:/sbin
        ;;
    flowerbed)
        OVSDB_SERVER=$BUILD/tools/ovsdb-server
        OVS_VSWITCHD=$BUILD/tools/ovs-vswitchd
        SCHEMA=$BUILD/ovsdb/vswitch.ovsschema
        [ -r "$SCHEMA" ] || SCHEMA=$(dirname "$LIB")/ovsdb/vswitch.ovsschema
        export PATH=$BUILD/tools:$PATH
        ;;
    *) fail "SWITCH is flowerbed or stock, not $SWITCH" ;;
    esac
    for program in "$OVSDB_SERVER" "$OVS_VSWITCHD" "$(command -v ovs-vsctl || echo ovs-vsctl)" "$(command -v ovs-ofctl || echo ovs-ofctl)"; do
        [ -x "$program" ] || skip "$program is not there"
    done
    case $SWITCH:$(command -v ovs-vsctl) in
    flowerbed:$BUILD/tools/*) ;;
    flowerbed:*) skip "$BUILD/tools/ovs-vsctl is not there" ;;
    esac
}

stock_only() {
    [ "$SWITCH" = stock ] || skip "only for the stock switch"
}

flowerbed_only() {
    [ "$SWITCH" = flowerbed ] || skip "only for Flowerbed"
}

make_switch_dir() {
    SWITCH_DIR=$(mktemp -d "${TMPDIR:-/tmp}/switch.XXXXXX")
    at_exit rm -rf "$SWITCH_DIR"
    export OVS_RUNDIR=$SWITCH_DIR OVS_LOGDIR=$SWITCH_DIR OVS_DBDIR=$SWITCH_DIR OVS_SYSCONFDIR=$SWITCH_DIR
    ovsdb-tool create "$SWITCH_DIR/conf.db" "$SCHEMA"
}

start_database() {
    "$OVSDB_SERVER" --remote="punix:$SWITCH_DIR/db.sock" --pidfile --log-file --detach "$SWITCH_DIR/conf.db" 2>>"$SWITCH_DIR/stderr.log"
}

up_since() {
    awk -v min="$1" '{ exit !($1 >= min) }' /proc/uptime
}

start_vswitchd() {
    # The stock switch misjudges time when it starts within 13 s after boot.
    [ "$SWITCH" = flowerbed ] || wait_for 20 up_since 13
    "$OVS_VSWITCHD" "unix:$SWITCH_DIR/db.sock" --pidfile --log-file --detach 2>>"$SWITCH_DIR/stderr.log"
}

# start_switch [COLUMN...]: database and daemon, with offload and these settings of other_config.
start_switch() {
    local setting
    find_programs
    make_switch_dir
    start_database
    at_exit end_switch
    ovs-vsctl --no-wait init
    # Flows must not age out while a slow machine makes the next packets; switch-idle sets its own time.
    for setting in hw-offload=true max-idle=60000 "$@"; do
        ovs-vsctl --no-wait set Open_vSwitch . "other_config:$setting"
    done
    start_vswitchd
}

pid_of() {
    cat "$SWITCH_DIR/$1.pid" 2>/dev/null
}

gone() {
    ! kill -0 "$1" 2>/dev/null
}

# stop_vswitchd [--cleanup]
stop_vswitchd() {
    local pid
    pid=$(pid_of ovs-vswitchd)
    ovs-appctl -t ovs-vswitchd exit "$@"
    wait_for 10 gone "$pid"
}

kill_vswitchd() {
    local pid
    pid=$(pid_of ovs-vswitchd)
    kill -KILL "$pid"
    wait_for 10 gone "$pid"
}

kill_database() {
    local pid
    pid=$(pid_of ovsdb-server)
    kill -KILL "$pid"
    wait_for 10 gone "$pid"
}

# Whatever state it is in.
end_switch() {
    local name pid
    for name in ovs-vswitchd ovsdb-server; do
        pid=$(pid_of $name) || continue
        if ! gone "$pid"; then
            kill "$pid"
            wait_for 10 gone "$pid"
        fi
    done
    ip link del ovs-system 2>/dev/null
    return 0
}

# restart_switch COMMAND...: save the OpenFlow flows, run the command (stop or kill), start, restore.  As the service files do it:
# the switch is told to wait for its flows before it touches what the kernel and the NIC hold.
restart_switch() {
    ovs-ofctl dump-flows --no-stats br0 | grep -v '^ *NXST\|^ *OFPST' >"$SWITCH_DIR/flows" || :
    "$@"
    ovs-vsctl --no-wait set Open_vSwitch . other_config:flow-restore-wait=true
    start_vswitchd
    wait_for 10 ovs-ofctl show br0
    ovs-ofctl del-flows br0
    ovs-ofctl add-flows br0 "$SWITCH_DIR/flows"
    ovs-vsctl --no-wait remove Open_vSwitch . other_config flow-restore-wait
}

report_switch() {
    ovs-vsctl show
    ovs-ofctl dump-flows br0
    ovs-appctl dpctl/dump-flows -m type=all || ovs-appctl dpctl/dump-flows
    [ "$SWITCH" = flowerbed ] && ovs-offload flows
    tail -n 30 "$SWITCH_DIR"/*.log
}

# bridge_up: br0 with all ports, and no rules but those that the scenario adds (give "standalone" for NORMAL).
bridge_up() {
    local n mode=${1:-secure}
    ovs-vsctl add-br br0 -- set Bridge br0 fail-mode="$mode"
    for n in "${!REP[@]}"; do
        ovs-vsctl add-port br0 "${REP[n]}" -- set Interface "${REP[n]}" ofport_request="$n"
    done
    ovs-vsctl add-port br0 "$UPLINK" -- set Interface "$UPLINK" ofport_request=9
    for n in "${!REP[@]}"; do
        assert_equal "ofport of ${REP[n]}" "$n" "$(ovs-vsctl get Interface "${REP[n]}" ofport)"
    done
}

flows() {
    printf '%s\n' "$@" | ovs-ofctl add-flows br0 -
}

# of_count packets|bytes MATCH: sum over the OpenFlow rules that MATCH selects.
of_count() {
    ovs-ofctl dump-flows br0 "${2:-}" | awk -v what="n_$1=" '{ for (i = 1; i <= NF; i++) if (index($i, what) == 1) { sub(what, "", $i); n += $i } } END { print n + 0 }'
}

of_count_is() {
    [ "$(of_count "$1" "$2")" = "$3" ]
}

# resting packets|bytes MATCH: the count, once it has stopped moving (a switch reads hardware counters twice a second or so; REST_S: seconds for a NIC that
# takes longer to report).
resting() {
    local now before=none
    for _ in $(seq 30); do
        now=$(of_count "$@")
        if [ "$now" = "$before" ]; then
            break
        fi
        before=$now
        pause "${REST_S:-1.2}"
    done
    echo "$now"
}

# expect_of_count MATCH PACKETS [BYTES]: the counters get there, and stay.
expect_of_count() {
    of_reaches() { of_count_is packets "$1" "$2" && { [ -z "${3:-}" ] || of_count_is bytes "$1" "$3"; }; }
    local deadline=$((SECONDS + 10))
    until of_reaches "$@"; do
        if [ $SECONDS -gt $deadline ]; then
            break
        fi
        pause 0.1
    done
    of_reaches "$@" && return
    fail "OpenFlow counters of '$1': expected $2 packets${3:+, $3 bytes}, found $(of_count packets "$1"), $(of_count bytes "$1")"
}

# under_traffic COMMAND...: while vm1 sends 3000 frames to vm2; none of them is missing from the counters of in_port=1.
under_traffic() {
    local packets bytes sender
    packets=$(resting packets in_port=1)
    bytes=$(of_count bytes in_port=1)
    send vm1 to=vm2 count=3000 gap_us=400 size=100 &
    sender=$!
    "$@"
    wait $sender
    expect_of_count in_port=1 $((packets + 3000)) $((bytes + 300000))
}

# How many filters of a device's ingress are (or are not) in hardware.
filters_in_hw() {
    tc filter show dev "$1" ingress | grep -cw in_hw || :
}

filters_not_in_hw() {
    tc filter show dev "$1" ingress | grep -cw not_in_hw || :
}

has_in_hw() {
    [ "$(filters_in_hw "$1")" -ge "${2:-1}" ]
}

no_filters() {
    local dev
    for dev; do
        [ -z "$(tc filter show dev "$dev" ingress)" ] || return 1
    done
}

wait_in_hw() {
    wait_for 10 has_in_hw "$@"
}

# settle COMMAND...: repeat traffic until a whole round of it stays in the NIC.
settle() {
    local try dev before after
    for try in 1 2 3 4 5 6 7 8 9 10; do
        before=$(for dev in "$UPLINK" "${REP[@]}"; do seen_by "$dev"; done)
        "$@"
        after=$(for dev in "$UPLINK" "${REP[@]}"; do seen_by "$dev"; done)
        [ "$before" = "$after" ] && return
        pause 0.1
    done
    fail "after $try rounds representors still see packets: $*"
}

# Traffic for as long as something happens: stream FROM TO; then expect_no_loss.
stream() {
    ip netns exec "${NS_PREFIX}vm$1" ping -q -n -i 0.005 -W 1 "10.0.0.$2" >"$SWITCH_DIR/stream" 2>&1 &
    STREAM=$!
    at_exit kill $STREAM
}

end_stream() {
    kill -INT $STREAM    # to ping itself: it is no function that was put into the background
    wait $STREAM || :
    read -r SENT RECEIVED < <(sed -n 's/^\([0-9]*\) packets transmitted, \([0-9]*\) received.*/\1 \2/p' "$SWITCH_DIR/stream")
}

# The last packet may still have been on its way when the stream was ended.
expect_loss_at_most() {
    [ $((SENT - RECEIVED)) -le $(($1 + 1)) ] || fail "$((SENT - RECEIVED)) of $SENT packets were lost; at most $1 may be"
    [ "$RECEIVED" -ge 100 ] || fail "only $RECEIVED packets went through"
}
