# shellcheck shell=bash
# credentials: $XTRACE_HOME/credentials, the secrets of one installation. Sourced, needs home.sh.
#
# A value comes from the environment, else from the file, else it is made up. The file is KEY=VALUE
# for a shell (`set -a; . credentials`) and for anything that reads such lines.

# credentials_secret BYTES: random, as hexadecimal text.
credentials_secret() {
    od -An -v -tx1 -N "$1" /dev/urandom | tr -d ' \n'
}

# credentials_kept KEY: the value in the file, or nothing.
credentials_kept() {
    [ -r "$XTRACE_HOME/credentials" ] || return 0
    # shellcheck disable=SC1091 # made by credentials_write
    (unset "$1" && . "$XTRACE_HOME/credentials" && printf '%s' "${!1:-}")
}

# credentials_choose: exports the API's secrets.
credentials_choose() {
    local kept
    if [ -z "${API_BEARER_TOKEN:-}" ]; then
        kept=$(credentials_kept API_BEARER_TOKEN)
        API_BEARER_TOKEN=${kept:-xt-$(credentials_secret 24)}
    fi
    if [ -z "${XTRACE_PUBLIC_KEY:-}" ]; then
        kept=${LANGFUSE_PUBLIC_KEY:-$(credentials_kept XTRACE_PUBLIC_KEY)}
        XTRACE_PUBLIC_KEY=${kept:-pk-xt-$(credentials_secret 12)}
    fi
    if [ -z "${XTRACE_SECRET_KEY:-}" ]; then
        kept=${LANGFUSE_SECRET_KEY:-$(credentials_kept XTRACE_SECRET_KEY)}
        XTRACE_SECRET_KEY=${kept:-sk-xt-$(credentials_secret 24)}
    fi
    export API_BEARER_TOKEN XTRACE_PUBLIC_KEY XTRACE_SECRET_KEY
}

# credentials_write DATABASE_URL
credentials_write() {
    local new=$XTRACE_HOME/credentials.new
    (
        umask 077
        {
            credentials_line BASE_URL "http://$(home_address)"
            credentials_line API_BEARER_TOKEN "$API_BEARER_TOKEN"
            credentials_line XTRACE_PUBLIC_KEY "$XTRACE_PUBLIC_KEY"
            credentials_line XTRACE_SECRET_KEY "$XTRACE_SECRET_KEY"
            credentials_line DATABASE_URL "$1"
        } >"$new"
        mv -f "$new" "$XTRACE_HOME/credentials"
    ) || die "cannot write $XTRACE_HOME/credentials"
}

# Quoted only where a shell needs it.
credentials_line() {
    if [[ $2 =~ ^[A-Za-z0-9_./:@%+,?=-]*$ ]]; then
        printf '%s=%s\n' "$1" "$2"
    else
        printf "%s='%s'\n" "$1" "${2//\'/\'\\\'\'}"
    fi
}
