# shellcheck shell=bash
# packages: what must be installed, and installing what is missing (Debian 12). Sourced, needs say.sh.

# shellcheck disable=SC2034 # whoever sources this puts the lists together
packages_build=(gcc libc6-dev pkg-config meson ninja-build libh2o-evloop-dev libzmq3-dev
    libczmq-dev libpq-dev libmsgpack-dev libssl-dev zlib1g-dev libpcre2-dev
    libcurl4-openssl-dev)
# shellcheck disable=SC2034
packages_run=(python3 curl ca-certificates)
# shellcheck disable=SC2034
packages_postgres=(postgresql-15)
# shellcheck disable=SC2034
packages_test=(libcmocka-dev python3-venv clang libclang-rt-14-dev libfaketime)
# shellcheck disable=SC2034
packages_ci=(clang-format shellcheck)

# packages_missing NAME...: those that are not installed, one a line.
packages_missing() {
    local installed
    installed=$(dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n' "$@" 2>/dev/null |
        sed -n 's/^ii *//p')
    comm -23 <(printf '%s\n' "$@" | sort -u) <(printf '%s\n' "$installed" | sort -u)
}

# Debian's package would make and start a cluster of its own, which nobody here needs. Its
# configuration says whether; one that is there already is somebody's decision and stays.
packages_hold_back_cluster() {
    local conf=/etc/postgresql-common/createcluster.conf
    [ -e "$conf" ] && return 0
    "$@" mkdir -p "${conf%/*}"
    printf '%s\n' '# Written by xtrace before postgresql was installed: it runs a cluster of its own.' \
        'create_main_cluster = false' | "$@" tee "$conf" >/dev/null
}

# packages_install LOG NAME...: installs the missing ones, as root or by sudo; else names the line to
# run and exits 1. apt's own words go to LOG.
packages_install() {
    local log=$1 missing as_root=() apt
    shift
    if ! command -v dpkg-query >/dev/null; then
        say_step packages "not a Debian system; what is needed must be there: $*"
        return 0
    fi
    mapfile -t missing < <(packages_missing "$@")
    if [ "${#missing[@]}" -eq 0 ]; then
        say_step packages "all $# installed"
        return 0
    fi
    if [ "$(id -u)" -ne 0 ]; then
        if ! sudo -n true 2>/dev/null; then
            printf 'Packages are missing, and this is neither root nor has sudo. Run this and try again:\n\n' >&2
            printf '    apt-get install -y --no-install-recommends %s\n\n' "${missing[*]}" >&2
            exit 1
        fi
        as_root=(sudo)
    fi
    apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive UCF_FORCE_CONFFOLD=1 apt-get -qq
        -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=600 -o Acquire::Retries=3)
    say_step packages "apt-get update"
    "${apt[@]}" update >>"$log" 2>&1 || packages_failed "$log" "apt-get update"
    say_step packages "apt-get install ${missing[*]}"
    if [[ " ${missing[*]} " == *" postgresql-"* ]]; then
        packages_hold_back_cluster "${as_root[@]}"
    fi
    "${apt[@]}" install -y --no-install-recommends "${missing[@]}" >>"$log" 2>&1 ||
        packages_failed "$log" "apt-get install"
    say_step packages "${#missing[@]} installed"
}

packages_failed() {
    say_tail "$1" 20
    die "$2 failed"
}
