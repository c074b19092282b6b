# shellcheck shell=bash
# build: meson and ninja with a word about it. Sourced, needs say.sh.

# build_folder FOLDER LOG ROOT MESON_OPTION...: sets up when needed and builds what changed. One build
# at a time in a folder: others wait.
build_folder() {
    local folder=$1 log=$2 root=$3 count
    shift 3
    mkdir -p "$folder" || die "cannot make $folder"
    exec 8<"$folder"
    flock 8
    # A folder that was copied from somewhere else knows the sources there.
    if [ -e "$folder/build.ninja" ] &&
        ! grep -qsF "\"source\": \"$root\"" "$folder/meson-info/meson-info.json"; then
        find "$folder" -mindepth 1 -delete
    fi
    if [ ! -e "$folder/build.ninja" ]; then
        say_step build "meson setup ${folder#"$root"/}"
        (cd "$root" && meson setup "$folder" "$@") >"$log" 2>&1 || build_failed "$log" "meson setup"
    fi
    say_step build "ninja in ${folder#"$root"/}"
    ninja -C "$folder" >"$log" 2>&1 || build_failed "$log" "the build"
    count=$(grep -c '^\[[0-9]*/[0-9]*\]' "$log")
    exec 8<&-
    say_step build "done, $count steps"
}

build_failed() {
    say_tail "$1" 40
    die "$2 failed"
}
