# Completion of the xtrace tool for bash.
_xtrace() {
    local current=${COMP_WORDS[COMP_CWORD]} command='' sub='' word i words
    local global='--url --token --key --ca-file --timeout --json --help'
    local filter='--name --user --session --version-is --release --tag --env --from --to'
    for ((i = 1; i < COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]}
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
    done
    case ${COMP_WORDS[COMP_CWORD - 1]} in
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
        '') words='traces trace sessions metrics daily send tail health --version '$global ;;
        traces)
            words="list show $global"
            [[ $sub == list ]] && words="$filter --page --limit --order --fields $global"
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
