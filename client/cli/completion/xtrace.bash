# Completion of the xtrace tool for bash.
_xtrace() {
    local current=${COMP_WORDS[COMP_CWORD]} command='' sub='' before='' word words typed
    local global='--url --token --key --ca-file --timeout --json --help'
    local filter='--name --user --session --version-is --release --tag --env --turn --run --from --to'
    # Not COMP_WORDS: bash cuts those at the colons of a URL.
    read -ra typed <<<"${COMP_LINE:0:COMP_POINT}"
    [[ ${COMP_LINE:0:COMP_POINT} == *[[:space:]] ]] || unset 'typed[-1]'
    for word in "${typed[@]:1}"; do
        case $before in
        '' | --json | --help | --full | --version | --*=* | [!-]*)
            case $word in
            -*) ;;
            *)
                if [[ -z $command ]]; then
                    command=$word
                elif [[ -z $sub ]]; then
                    sub=$word
                fi
                ;;
            esac
            ;;
        *) word=value ;;
        esac
        before=$word
    done
    case $before in
    --ca-file)
        mapfile -t COMPREPLY < <(compgen -f -- "$current")
        return
        ;;
    --step)
        words='1m 5m 1h 1d'
        ;;
    --agg)
        words='avg max min sum last p50 p90 p99'
        ;;
    *)
        case $command in
        '') words='traces trace sessions run metrics daily send tail health --version '$global ;;
        traces)
            words="list show $global"
            [[ $sub == list ]] && words="$filter --page --limit --order --filter --fields $global"
            [[ $sub == show ]] && words="--full $global"
            ;;
        trace) words="--full $global" ;;
        sessions)
            words="list show $global"
            [[ $sub == list ]] && words="--page --limit --env --from --to $global"
            [[ $sub == show ]] && words=$global
            ;;
        metrics)
            words="names query $global"
            [[ $sub == names ]] && words=$global
            [[ $sub == query ]] && words="--label --step --agg --group-by --from --to $global"
            ;;
        daily) words="--page --limit --name --user --version-is --release --tag --from --to $global" ;;
        tail) words="$filter --interval --count $global" ;;
        send)
            [[ $current == -* ]] || {
                mapfile -t COMPREPLY < <(compgen -f -- "$current")
                return
            }
            words=$global
            ;;
        *) words=$global ;;
        esac
        ;;
    esac
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}
complete -o filenames -F _xtrace xtrace
