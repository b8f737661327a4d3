# SPDX-License-Identifier: Apache-2.0
# Bash completion for ovs-vsctl, ovs-ofctl, ovs-dpctl, ovs-appctl, ovs-offload, ovsdb-client and ovsdb-tool.
#
# Each program is asked what it can do (--help, --commands, list-commands), and the switch what it has (bridges, ports, rows),
# with a second's patience; where nothing answers, there is nothing to choose from.

_flowerbed_words() { # words that begin with what is typed so far
    local IFS=$' \t\n'
    COMPREPLY=($(compgen -W "$1" -- "$cur"))
}

_flowerbed_ask() { # program and arguments; without a switch: nothing
    timeout 1 "$@" 2>/dev/null </dev/null
}

_flowerbed_options() { # of a program
    _flowerbed_ask "$1" --help | grep -oE -- '--[a-z][a-z0-9-]*=?' | sort -u
}

# Commands that stand at the beginning of lines of --help, as "a", "a|b" or "[--option] a".
_flowerbed_help_commands() {
    _flowerbed_ask "$1" --help | sed -nE '/^Other options|^[A-Za-z ]*options:/,$d; s/^  (\[[^]]*\][.]* *)*([a-z][a-z0-9|-]*).*/\2/p' | tr '|' '\n' | sort -u
}

_flowerbed_vsctl() { # reads the database that the line's --db names
    _flowerbed_ask "$program" ${db:+"$db"} --no-wait -t 1 "$@"
}

_flowerbed_vsctl_rows() { # names of a table's rows: name, else uuid
    _flowerbed_vsctl --bare --columns=name list "$1" 2>/dev/null || _flowerbed_vsctl --bare --columns=_uuid list "$1"
}

_flowerbed_vsctl_columns() {
    ovsdb-client --bare list-columns ${db:+"${db#--db=}"} Open_vSwitch "$1" 2>/dev/null | sed -nE '/^[a-z][a-z_0-9]*$/p'
}

_flowerbed_tables="AutoAttach Bridge CT_Timeout_Policy CT_Zone Controller Datapath Flow_Sample_Collector_Set Flow_Table IPFIX \
Interface Manager Mirror NetFlow Open_vSwitch Port QoS Queue SSL sFlow"

# The command after the last "--", and how many of its arguments stand before the cursor. bash splits words at "=" and ":" too;
# here they are as the program will see them.
_flowerbed_split() {
    local line=${COMP_LINE:0:COMP_POINT} word words skip=''
    read -ra words <<<"${line% *}"
    command='' n=0 args=() db=''
    for word in "${words[@]:1}"; do
        if [ "$skip" ]; then
            skip=''
            continue
        fi
        case $word in
        -t | --target | -T | -f | -d) skip=yes ;;
        --) command='' n=0 args=() ;;
        --db=*) db=$word ;;
        -*) ;;
        *)
            if [ -z "$command" ]; then
                command=$word
            else
                args[n++]=$word
            fi
            ;;
        esac
    done
}

_flowerbed_complete_vsctl() {
    local kind
    if [[ $cur == -* ]]; then
        _flowerbed_words "$(_flowerbed_ask "$program" --options | sed -n 's/ARG$//; /^--/p') $(_flowerbed_ask "$program" --commands | grep -o -- '--[^]]*' | sort -u) --"
        return
    elif [ -z "$command" ]; then
        _flowerbed_words "$(_flowerbed_ask "$program" --commands | cut -d, -f2)"
        return
    fi
    case $command,$n in
    list,0 | find,0 | get,0 | set,0 | add,0 | remove,0 | clear,0 | create,0 | destroy,0 | wait-until,0) _flowerbed_words "$_flowerbed_tables" ;;
    list,* | get,1 | set,1 | add,1 | remove,1 | clear,1 | destroy,* | wait-until,1) _flowerbed_words "$(_flowerbed_vsctl_rows "${args[0]}")" ;;
    find,* | get,* | set,* | add,2 | remove,2 | clear,* | create,* | wait-until,*) _flowerbed_words "$(_flowerbed_vsctl_columns "${args[0]}")" ;;
    add-br,0 | add-br,2 | comment,* | show,* | init,* | emer-reset,*) ;;
    add-br,1) _flowerbed_words "$(_flowerbed_vsctl list-br)" ;;
    set-fail-mode,1) _flowerbed_words "standalone secure" ;;
    set-controller,[1-9]* | set-manager,*) _flowerbed_words "tcp: ssl: unix: ptcp: pssl: punix: none" ;;
    del-port,0 | port-to-br,0 | add-bond-iface,0 | del-bond-iface,0)
        kind=$(_flowerbed_vsctl --bare --columns=name list Port)
        [ "$command" = del-port ] && kind+=" $(_flowerbed_vsctl list-br)"
        _flowerbed_words "$kind"
        ;;
    del-port,1) _flowerbed_words "$(_flowerbed_vsctl list-ports "${args[0]}")" ;;
    iface-to-br,0) _flowerbed_words "$(_flowerbed_vsctl --bare --columns=name list Interface)" ;;
    add-port,1 | add-bond,[1-9]*) _flowerbed_words "$(ls /sys/class/net 2>/dev/null)" ;;
    *,0) _flowerbed_words "$(_flowerbed_vsctl list-br)" ;;
    esac
}

_flowerbed_complete_appctl() {
    local target='' previous=${COMP_WORDS[COMP_CWORD - 1]} dir=${OVS_RUNDIR:-/var/run/openvswitch}
    if [ "$previous" = -t ] || [ "$previous" = --target ] || [[ $previous == = && ${COMP_WORDS[COMP_CWORD - 2]} == --target ]]; then
        _flowerbed_words "$(ls "$dir" 2>/dev/null | sed -n 's/\.pid$//p; s/\.[0-9]*\.ctl$//p' | sort -u) $(compgen -f -- "$cur")"
        return
    fi
    if [[ $COMP_LINE =~ (-t|--target)[=\ ]*([^[:space:]]+) ]]; then
        target=${BASH_REMATCH[2]}
    fi
    if [[ $cur == -* ]]; then
        _flowerbed_words "$(_flowerbed_options "$program")"
    elif [ -z "$command" ]; then
        _flowerbed_words "$(_flowerbed_ask "$program" ${target:+-t "$target"} list-commands | sed -n 's/^  *\([^ ]*\).*/\1/p')"
    else
        program=ovs-vsctl
        _flowerbed_words "$(_flowerbed_vsctl list-br)"
    fi
}

_flowerbed_complete_others() { # ovs-ofctl, ovs-dpctl, ovs-offload, ovsdb-client, ovsdb-tool
    local name=${program##*/}
    if [[ $cur == -* ]]; then
        _flowerbed_words "$(_flowerbed_options "$program")"
    elif [ -z "$command" ]; then
        case $name in
        ovs-ofctl | ovs-dpctl) _flowerbed_words "$(_flowerbed_ask "$program" list-commands | sed -n 's/^  *\([^ ]*\).*/\1/p')" ;;
        *) _flowerbed_words "$(_flowerbed_help_commands "$program")" ;;
        esac
    elif [ "$name,$n" = ovs-ofctl,0 ]; then
        program=ovs-vsctl
        _flowerbed_words "$(_flowerbed_vsctl list-br)"
    elif [ "$name,$n" = ovs-dpctl,0 ]; then
        _flowerbed_words "$(_flowerbed_ask "$program" dump-dps)"
    elif [ "$name" = ovs-offload ] && [ "$command,$n" = explain,0 ]; then
        program=ovs-vsctl
        _flowerbed_words "$(_flowerbed_vsctl list-br)"
    else
        COMPREPLY=($(compgen -f -- "$cur"))
    fi
}

_flowerbed() {
    local program=$1 cur=${COMP_WORDS[COMP_CWORD]} command n args db
    COMPREPLY=()
    [ "$cur" = = ] && cur=''
    _flowerbed_split
    case ${program##*/} in
    ovs-vsctl) _flowerbed_complete_vsctl ;;
    ovs-appctl) _flowerbed_complete_appctl ;;
    *) _flowerbed_complete_others ;;
    esac
    if [ ${#COMPREPLY[@]} -eq 1 ] && [[ ${COMPREPLY[0]} == *= || ${COMPREPLY[0]} == *: ]]; then
        compopt -o nospace 2>/dev/null
    fi
}

complete -F _flowerbed ovs-vsctl ovs-ofctl ovs-dpctl ovs-appctl ovs-offload ovsdb-client ovsdb-tool
