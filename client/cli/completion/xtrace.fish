# Completion of the xtrace tool for fish.

function __xtrace_words
    string match -v -- '-*' (commandline -opc)
end

# Whether the words before the cursor begin with these; "xtrace" alone: no command yet.
function __xtrace_at
    set -l words (__xtrace_words)
    test (count $words) -ge (count $argv); and test "$words[1..(count $argv)]" = "$argv"
end

function __xtrace_exactly
    test "$(__xtrace_words)" = "$argv"
end

complete -c xtrace -f
complete -c xtrace -l url -x -d 'the server'
complete -c xtrace -l token -x -d 'bearer token'
complete -c xtrace -l key -x -d 'public:secret'
complete -c xtrace -l ca-file -r -F -d 'certificate authorities'
complete -c xtrace -l timeout -x -d 'for each call'
complete -c xtrace -l json -d 'JSON as the server sends it'
complete -c xtrace -l help -d options

set -l none '__xtrace_exactly xtrace'
complete -c xtrace -n $none -l version -d 'the version'
complete -c xtrace -n $none -a traces -d 'list traces, or show one'
complete -c xtrace -n $none -a trace -d 'show one trace'
complete -c xtrace -n $none -a sessions -d 'list sessions, or show one'
complete -c xtrace -n $none -a run -d 'how a run stands'
complete -c xtrace -n $none -a metrics -d 'names and queries'
complete -c xtrace -n $none -a daily -d 'traces, tokens and cost by day'
complete -c xtrace -n $none -a send -d 'send batch bodies'
complete -c xtrace -n $none -a tail -d 'follow new traces'
complete -c xtrace -n $none -a health -d 'is the server up and ready'
complete -c xtrace -n '__xtrace_exactly xtrace traces; or __xtrace_exactly xtrace sessions' -a 'list show'
complete -c xtrace -n '__xtrace_exactly xtrace metrics' -a 'names query'
complete -c xtrace -n '__xtrace_at xtrace send' -F

set -l filtered '__xtrace_at xtrace traces list; or __xtrace_at xtrace tail'
complete -c xtrace -n $filtered -l session -x -d 'of that session'
complete -c xtrace -n $filtered -l turn -x -d 'with that turn_id'
complete -c xtrace -n $filtered -l run -x -d 'with that run_id'

set -l daily "$filtered; or __xtrace_at xtrace daily"
complete -c xtrace -n $daily -l name -x -d 'of that name'
complete -c xtrace -n $daily -l user -x -d 'of that user'
complete -c xtrace -n $daily -l version-is -x -d 'of that version'
complete -c xtrace -n $daily -l release -x -d 'of that release'
complete -c xtrace -n $daily -l tag -x -d 'with that tag'

set -l environments "$filtered; or __xtrace_at xtrace sessions list"
complete -c xtrace -n $environments -l env -x -d 'of that environment'

set -l ranges "$daily; or __xtrace_at xtrace sessions list; or __xtrace_at xtrace metrics query"
complete -c xtrace -n $ranges -l from -x -d 'not before'
complete -c xtrace -n $ranges -l to -x -d 'not after'

set -l pages '__xtrace_at xtrace traces list; or __xtrace_at xtrace sessions list; or __xtrace_at xtrace daily'
complete -c xtrace -n $pages -l page -x -d 'from 1 on'
complete -c xtrace -n $pages -l limit -x -d 'how many a page'

complete -c xtrace -n '__xtrace_at xtrace traces list' -l order -x -d 'column.asc or column.desc'
complete -c xtrace -n '__xtrace_at xtrace traces list' -l filter -x -d 'conditions, JSON'
complete -c xtrace -n '__xtrace_at xtrace traces list' -l fields -x -d 'parts of a trace'
complete -c xtrace -n '__xtrace_at xtrace trace; or __xtrace_at xtrace traces show' -l full -d 'uncut payloads'
complete -c xtrace -n '__xtrace_at xtrace tail' -l interval -x -d 'between two looks'
complete -c xtrace -n '__xtrace_at xtrace tail' -l count -x -d 'end after that many'
complete -c xtrace -n '__xtrace_at xtrace metrics query' -l label -x -d 'KEY=VALUE'
complete -c xtrace -n '__xtrace_at xtrace metrics query' -l step -x -a '1m 5m 1h 1d'
complete -c xtrace -n '__xtrace_at xtrace metrics query' -l agg -x -a 'avg max min sum last p50 p90 p99'
complete -c xtrace -n '__xtrace_at xtrace metrics query' -l group-by -x -d 'a label'
