# SPDX-License-Identifier: MIT
# Completion of partyline's command line for bash: source it, or install it as "partyline" into
# /usr/share/bash-completion/completions.

# The options of a command; of bench, of its scenario.
_partyline_options() {
    case $1 in
    serve) echo --config --listen --data --loops --backend --log --log-level --no-console --help ;;
    chat)
        echo --nick --room --protocol --tls --ca --insecure --password-file --plain --no-reconnect \
            --help
        ;;
    ctl) echo --data --socket --config --help ;;
    room)
        echo --connect --pid --json --patience --members --senders --window --size --seconds \
            --messages --warmup --protocol --room --help
        ;;
    idle) echo --connect --pid --json --patience --members --hold --protocol --room --help ;;
    echo) echo --connect --pid --json --patience --connections --size --depth --seconds --warmup --help ;;
    *) echo --help ;;
    esac
}

# What may stand behind an option; "file" and "directory" are what they say.
_partyline_values() {
    case $1 in
    --config | --socket | --json | --ca | --password-file) echo file ;;
    --data) echo directory ;;
    --backend) echo epoll io_uring ;;
    --log) echo stderr syslog journal ;;
    --log-level) echo error warning info debug ;;
    --protocol) echo line raw irc auto ;;
    --listen) echo any:// line:// irc:// unix: ;;
    *) return 1 ;;
    esac
}

_partyline_complete() {
    local kind=$1 current=$2
    case $kind in
    file) mapfile -t COMPREPLY < <(compgen -f -- "$current") && compopt -o filenames 2>/dev/null ;;
    directory) mapfile -t COMPREPLY < <(compgen -d -- "$current") && compopt -o filenames 2>/dev/null ;;
    *) mapfile -t COMPREPLY < <(compgen -W "$kind" -- "$current") ;;
    esac
}

_partyline() {
    local current=${COMP_WORDS[COMP_CWORD]} command=${COMP_WORDS[1]-}
    local previous=${COMP_WORDS[COMP_CWORD - 1]} commands values
    commands="serve chat ctl check hash bench version help"
    COMPREPLY=()
    if ((COMP_CWORD == 1)); then
        _partyline_complete "$commands" "$current"
        return
    fi
    if [[ $previous == --* ]] && values=$(_partyline_values "$previous"); then
        _partyline_complete "$values" "$current"
        return
    fi
    if [[ $command == bench ]]; then
        if ((COMP_CWORD == 2)); then
            _partyline_complete "room idle echo" "$current"
            return
        fi
        command=${COMP_WORDS[2]}
    fi
    if [[ $current == -* ]]; then
        _partyline_complete "$(_partyline_options "$command")" "$current"
        return
    fi
    case $command in
    ctl) _partyline_complete "clients rooms threads say kick reload help quit" "$current" ;;
    check) _partyline_complete file "$current" ;;
    help) _partyline_complete "$commands" "$current" ;;
    esac
}

complete -F _partyline partyline
