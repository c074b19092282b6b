# shellcheck shell=bash
# say: what deploy/* and tests/run tell the person who waits. Sourced.

# Seconds with a tenth, from EPOCHREALTIME; microseconds inside.
say_now_us() {
    printf '%s' "${EPOCHREALTIME/[.,]/}"
}

say_started_us=$(say_now_us)

# say_step NAME TEXT...: one line of the step list, with the seconds since the start.
say_step() {
    local name=$1 passed_us
    shift
    passed_us=$(($(say_now_us) - say_started_us))
    printf '[%3d.%d s] %-9s %s\n' $((passed_us / 1000000)) $((passed_us / 100000 % 10)) "$name" "$*"
}

# die TEXT...: one line on stderr, exit 1.
die() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}

# say_tail FILE LINES: the end of a log, indented, on stderr; nothing when there is no such file.
say_tail() {
    [ -s "$1" ] || return 0
    printf '  last lines of %s:\n' "$1" >&2
    tail -n "$2" "$1" | sed 's/^/    /' >&2
}
