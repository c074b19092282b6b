# shellcheck shell=bash
# home: the folder of one installation ($XTRACE_HOME): its paths, its processes, its credentials.
# Sourced, needs say.sh.
#
#   credentials      secrets and addresses as KEY=VALUE, mode 600
#   log/*.log        one a process
#   run/*.pid        one a process, just the number
#   run/queue.*      the queue between gateway and writers
#   postgres/        data/ and socket/ of the embedded PostgreSQL; or a link to where they are

# A socket's path may have 107 bytes.
home_socket_path_max=107

# home_open ROOT: makes the folder and exports XTRACE_HOME as an absolute path.
home_open() {
    local home=${XTRACE_HOME:-$1/.xtrace}
    (umask 077 && mkdir -p "$home" "$home/log" "$home/run") || die "cannot make the folder $home"
    home_find "$1" || die "cannot use the folder $home"
    [ -O "$XTRACE_HOME" ] || die "$XTRACE_HOME belongs to another user"
    [ -L "$XTRACE_HOME/postgres" ] || [ -d "$XTRACE_HOME/postgres" ] || chmod 700 "$XTRACE_HOME"
}

# home_find ROOT: exports XTRACE_HOME as an absolute path; false when there is no such folder.
home_find() {
    XTRACE_HOME=$(cd "${XTRACE_HOME:-$1/.xtrace}" 2>/dev/null && pwd -P) || return 1
    export XTRACE_HOME
}

# home_socket_folder NAME FOLDER LONGEST: a private folder for sockets whose names have up to LONGEST
# bytes: FOLDER where a socket's path allows it, else a short one under /tmp, remembered as NAME.
home_socket_folder() {
    local folder=$2 kept=$XTRACE_HOME/run/$1.folder
    if [ $((${#folder} + 1 + $3)) -le "$home_socket_path_max" ]; then
        rm -f "$kept"
        printf '%s' "$folder"
        return 0
    fi
    folder=$(cat "$kept" 2>/dev/null)
    if ! home_is_private "$folder"; then
        folder=$(mktemp -d "/tmp/xtrace-$1-XXXXXX") || return 1
        printf '%s' "$folder" >"$kept"
    fi
    printf '%s' "$folder"
}

# /tmp may have been emptied, and the name be somebody else's since.
home_is_private() {
    local owner
    [ -d "$1" ] && [ ! -L "$1" ] && owner=$(stat -c '%U %a' "$1") || return 1
    [ "$owner" = "$(id -un) 700" ] || { [ "$(id -u)" -eq 0 ] && [ "$owner" = "postgres 700" ]; }
}

# home_address: host:port to connect to, from BIND_ADDR (which may say "any address").
home_address() {
    local bind=${BIND_ADDR:-127.0.0.1:8080}
    case $bind in
    0.0.0.0:*) printf '127.0.0.1:%s' "${bind##*:}" ;;
    '[::]:'*) printf '[::1]:%s' "${bind##*:}" ;;
    *) printf '%s' "$bind" ;;
    esac
}

# home_pid NAME: the number in run/NAME.pid when that process lives and is really NAME of this home.
home_pid() {
    local pid
    pid=$(cat "$XTRACE_HOME/run/$1.pid" 2>/dev/null) || return 1
    [[ $pid =~ ^[0-9]+$ ]] && home_owns "$1" "$pid" || return 1
    printf '%s' "$pid"
}

# home_owns NAME PID: a number may have been given to somebody else since it was written down.
home_owns() {
    local name=$1 pid=$2 exe
    case $name in
    supervisor)
        tr "\0" "\n" 2>/dev/null <"/proc/$pid/cmdline" | grep -qx '.*/supervise' &&
            home_is_in_environment "$pid"
        ;;
    postgres)
        [ "$(readlink "/proc/$pid/cwd" 2>/dev/null)" = "$(readlink -f "$XTRACE_HOME/postgres/data")" ]
        ;;
    *)
        exe=$(readlink "/proc/$pid/exe" 2>/dev/null)
        [[ ${exe##*/} == "xtrace-${name%-*}"* ]] && home_is_in_environment "$pid"
        ;;
    esac
}

home_is_in_environment() {
    tr "\0" "\n" 2>/dev/null <"/proc/$1/environ" | grep -qxF "XTRACE_HOME=$XTRACE_HOME"
}

# home_is_gone PID SECONDS: waits until there is no such process.
home_is_gone() {
    local tenths=$(($2 * 10))
    while [ -d "/proc/$1" ] && ! grep -q '^State:.*Z' "/proc/$1/status" 2>/dev/null; do
        [ $((tenths--)) -gt 0 ] || return 1
        sleep 0.1
    done
}

# home_stop_process NAME SIGNAL SECONDS: asks, waits, insists. Says nothing when it does not run.
home_stop_process() {
    local pid
    pid=$(home_pid "$1") || {
        rm -f "$XTRACE_HOME/run/$1.pid"
        return 0
    }
    kill "-$2" "$pid" 2>/dev/null
    kill -CONT "$pid" 2>/dev/null # one that is stopped would not hear it
    if ! home_is_gone "$pid" "$3"; then
        kill -KILL "$pid" 2>/dev/null
        home_is_gone "$pid" 10
    fi
    rm -f "$XTRACE_HOME/run/$1.pid"
}

# home_stop_orphans: what a killed supervisor left, in the order in which it would have stopped them.
home_stop_orphans() {
    local file
    home_stop_process gateway TERM 20
    for file in "$XTRACE_HOME"/run/writer-*.pid; do
        [ -e "$file" ] || continue
        file=${file##*/}
        home_stop_process "${file%.pid}" TERM 20
    done
    home_stop_process postgres INT 60
}

# home_bound_logs: keeps one older piece of each log that has grown past 32 MiB.
home_bound_logs() {
    local file
    for file in "$XTRACE_HOME"/log/*.log; do
        [ -e "$file" ] || continue
        if [ "$(stat -c %s "$file")" -gt $((32 * 1024 * 1024)) ]; then
            mv -f "$file" "$file.1"
        fi
    done
}
