# shellcheck shell=bash
# postgres: the embedded PostgreSQL of one home: where it is, how it is made and set up. Sourced,
# needs say.sh and home.sh.
#
# No TCP: one socket in a private folder, and only the user who ran deploy/up (root included) may log
# in, by the kernel's word (peer). Three roles: xtrace_owner (superuser, migrates), and the logins of
# the two programs, which hold no more than the roles xtrace_gateway and xtrace_writer.

postgres_port=5432
postgres_database=xtrace

# postgres_find: sets postgres_bin, postgres_user and postgres_as (the words before a command that make
# it run as that user: PostgreSQL refuses root).
postgres_find() {
    local version
    version=$(cat "$XTRACE_HOME/postgres/data/PG_VERSION" 2>/dev/null)
    postgres_bin=
    for version in ${version:-15 16 17}; do
        if [ -x "/usr/lib/postgresql/$version/bin/postgres" ]; then
            postgres_bin=/usr/lib/postgresql/$version/bin
            break
        fi
    done
    [ -n "$postgres_bin" ] || die "no PostgreSQL $version server under /usr/lib/postgresql"
    postgres_as=()
    postgres_user=$(id -un)
    if [ "$(id -u)" -eq 0 ]; then
        postgres_user=postgres
        postgres_as=(setpriv --reuid=postgres --regid=postgres --init-groups --)
    fi
}

# postgres_locate: sets postgres_data and postgres_socket, as paths that its user can follow.
postgres_locate() {
    local place
    place=$(readlink -f "$XTRACE_HOME/postgres")
    postgres_data=$place/data
    postgres_socket=$(home_socket_folder socket "$place/socket" 18) ||
        die "cannot make a short folder for PostgreSQL's socket under /tmp"
}

postgres_url() {
    printf 'postgresql://%s@/%s?host=%s' "$1" "$postgres_database" "$(postgres_escape "$postgres_socket")"
}

# Percent-encodes what a URL's query does not take as it is.
postgres_escape() {
    local text=$1 out='' i c
    local LC_ALL=C
    for ((i = 0; i < ${#text}; i++)); do
        c=${text:i:1}
        case $c in
        [A-Za-z0-9/._~-]) out+=$c ;;
        *) out+=$(printf '%s' "$c" | od -An -v -tx1 | tr -d ' \n' | tr a-f A-F | sed 's/../%&/g') ;;
        esac
    done
    printf '%s' "$out"
}

# postgres_place: makes $XTRACE_HOME/postgres. Root's home may be out of reach for the user postgres
# (a clone in /root): then it is a link to a folder under /var/lib/xtrace.
postgres_place() {
    local place=$XTRACE_HOME/postgres elsewhere
    if [ -L "$place" ] && [ ! -d "$place" ]; then
        die "$place points to $(readlink "$place"), which is not there: restore it or remove the link"
    fi
    if [ ! -e "$place" ]; then
        if [ "$postgres_user" = "$(id -un)" ] || postgres_reaches "${XTRACE_HOME%/*}/"; then
            mkdir -m 700 "$place" || die "cannot make $place"
        else
            (umask 022 && mkdir -p /var/lib/xtrace) || die "cannot make /var/lib/xtrace"
            elsewhere=$(mktemp -d /var/lib/xtrace/XXXXXX) || die "cannot write in /var/lib/xtrace"
            ln -s "$elsewhere" "$place" || die "cannot make $place"
            say_step postgres "the user postgres cannot reach $XTRACE_HOME: its data are in $elsewhere"
        fi
    fi
    postgres_locate
    mkdir -p "$postgres_socket" || die "cannot make $postgres_socket"
    chmod 700 "$place/." "$postgres_socket" || die "cannot set the mode of $place"
    [ "$postgres_user" = "$(id -un)" ] && return 0
    chown postgres:postgres "$place/." "$postgres_socket"
    if [ ! -L "$place" ]; then
        # The user postgres may pass through the home, and sees nothing of it.
        chgrp postgres "$XTRACE_HOME" && chmod 710 "$XTRACE_HOME"
    fi
    postgres_reaches "${postgres_data%/*}/." || die "the user postgres cannot reach $place"
}

postgres_reaches() {
    "${postgres_as[@]}" test -x "$1"
}

# postgres_create LOG: initdb, once; a half-made one is not left behind.
postgres_create() {
    local new=$postgres_data.new
    [ -e "$postgres_data/PG_VERSION" ] && return 0
    rm -rf "$new"
    if ! (cd / && "${postgres_as[@]}" "$postgres_bin/initdb" -D "$new" --username=xtrace_owner \
        --encoding=UTF8 --locale=C.UTF-8 --data-checksums --auth=peer) >>"$1" 2>&1; then
        say_tail "$1" 20
        die "initdb failed"
    fi
    printf "\n# Written anew by deploy/up; your own settings: ALTER SYSTEM, or below this line.\n%s\n" \
        "include_if_exists 'xtrace.conf'" >>"$new/postgresql.conf"
    mv "$new" "$postgres_data"
}

# postgres_configure: the settings that follow from the machine and from where the home is.
postgres_configure() {
    local data=$postgres_data role user
    postgres_settings >"$data/xtrace.conf" || die "cannot write $data/xtrace.conf"
    printf 'local all all peer map=xtrace\n' >"$data/pg_hba.conf"
    for role in xtrace_owner xtrace_gateway_login xtrace_writer_login; do
        for user in "$(id -un)" "$postgres_user"; do
            printf 'xtrace "%s" %s\n' "$user" "$role"
        done
    done | sort -u >"$data/pg_ident.conf"
    chmod 600 "$data"/{xtrace,pg_hba,pg_ident}.conf
    [ "$postgres_user" = "$(id -un)" ] ||
        chown postgres:postgres "$data"/{xtrace,pg_hba,pg_ident}.conf
}

postgres_settings() {
    local memory_mb buffers_mb connections
    memory_mb=$(postgres_memory_mb)
    buffers_mb=$((memory_mb / 8))
    buffers_mb=$((buffers_mb < 64 ? 64 : buffers_mb > 2048 ? 2048 : buffers_mb))
    # The gateway opens XTRACE_DB_CONNECTIONS for each of its loops, of which it has one a core.
    connections=$(($(postgres_number "${XTRACE_DB_CONNECTIONS:-}" 4) *
        ($(nproc) + $(postgres_number "${XTRACE_THREADS:-}" 0)) + 100))
    cat <<EOT
listen_addresses = ''
port = $postgres_port
unix_socket_directories = '${postgres_socket//\'/\'\'}'
unix_socket_permissions = 0700
max_connections = $connections
shared_buffers = ${buffers_mb}MB
effective_cache_size = $((memory_mb / 2))MB
work_mem = 16MB
maintenance_work_mem = $((buffers_mb / 4 < 64 ? 64 : buffers_mb / 4))MB
max_wal_size = 4GB
checkpoint_timeout = 15min
wal_compression = lz4
default_toast_compression = lz4
random_page_cost = 1.1
jit = off
autovacuum_naptime = 15s
log_line_prefix = '%m [%p] %u '
log_checkpoints = off
log_timezone = 'UTC'
timezone = 'UTC'
EOT
}

# What is no number is for the program to complain about.
postgres_number() {
    if [[ $1 =~ ^[0-9]{1,4}$ ]]; then
        printf '%d' "$((10#$1))"
    else
        printf '%d' "$2"
    fi
}

# Of the machine, or of the container when that is less.
postgres_memory_mb() {
    local kb limit
    kb=$(sed -n 's/^MemTotal: *\([0-9]*\) kB$/\1/p' /proc/meminfo)
    limit=$(cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null | head -n 1)
    if [[ $limit =~ ^[0-9]{1,15}$ ]] && [ $((limit / 1024)) -lt "$kb" ]; then
        kb=$((limit / 1024))
    fi
    printf '%d' $((kb / 1024))
}

# postgres_clear: before a start. Backends of a killed postmaster hold its shared memory, and its lock
# file may name a number that is somebody else's by now; nobody works in the folder after this.
postgres_clear() {
    local data=$postgres_data pid signal pids
    for signal in QUIT KILL KILL; do
        mapfile -t pids < <(postgres_processes "$data")
        [ "${#pids[@]}" -gt 0 ] || break
        kill "-$signal" "${pids[@]}" 2>/dev/null
        for pid in "${pids[@]}"; do
            home_is_gone "$pid" 1
        done
    done
    rm -f "$data/postmaster.pid"
}

postgres_processes() {
    local proc
    for proc in /proc/[0-9]*; do
        if [ "$(readlink "$proc/cwd" 2>/dev/null)" = "$1" ] &&
            [[ $(readlink "$proc/exe" 2>/dev/null) == */postgres* ]]; then
            printf '%s\n' "${proc##*/}"
        fi
    done
}

postgres_sql() {
    "$postgres_bin/psql" -X -q -v ON_ERROR_STOP=1 -h "$postgres_socket" -p "$postgres_port" \
        -U xtrace_owner "$@"
}
