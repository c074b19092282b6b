#include "writer/keys.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/sha.h>

#include "common/buf.h"
#include "common/id.h"
#include "common/json_write.h"
#include "writer/projects.h"
#include "writer/words.h"

enum { PUBLIC_KEY_MAX = 200, SECRET_MIN = 16, SECRET_MAX = 1000, KEY_NAME_MAX = 1000 };

static const char sql_add[] =
    "INSERT INTO api_keys (public_key, secret_sha256, project_id, scopes, name, expires_at)"
    " VALUES ($1::text, $2::bytea, $3::text, string_to_array($4::text, ','), $5::text,"
    " ($6::text)::timestamptz)";
static const char sql_revoke[] = "UPDATE api_keys SET revoked_at = coalesce(revoked_at, now())"
                                 " WHERE public_key = $1::text RETURNING public_key";

#define SQL_TIME(time) "to_char(" time " AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')"
#define SQL_STATE                                                                                  \
    "CASE WHEN revoked_at IS NOT NULL THEN 'revoked' WHEN expires_at <= now() THEN 'expired'"      \
    " ELSE 'active' END"
#define SQL_FROM                                                                                   \
    " FROM api_keys WHERE project_id = $1::text OR $1::text IS NULL"                               \
    " ORDER BY project_id, created_at, public_key"

static const char sql_list[] =
    "SELECT concat_ws(E'\\t', public_key, project_id, array_to_string(scopes, ','), " SQL_STATE
    ", " SQL_TIME("created_at") ", coalesce(" SQL_TIME("expires_at") ", 'never'), name)" SQL_FROM;
static const char sql_list_json[] =
    "SELECT json_build_object('publicKey', public_key, 'projectId', project_id, 'scopes', scopes,"
    " 'state', " SQL_STATE
    ", 'name', name, 'createdAt', " SQL_TIME("created_at") ", 'expiresAt', " SQL_TIME(
        "expires_at") ", 'revokedAt', " SQL_TIME("revoked_at") ")::text" SQL_FROM;

/* ---- what is asked for ---- */

static bool is_visible(const char *text, size_t min, size_t max)
{
    size_t len = strlen(text);
    for (size_t i = 0; i < len; i++) {
        if (text[i] < '!' || text[i] > '~') {
            return false;
        }
    }
    return len >= min && len <= max;
}

static enum err check_scopes(const char *scopes, struct error *error)
{
    static const char *const words[] = {"all", "ingest", "read", "scores"};
    for (const char *at = scopes;; at++) {
        size_t len = strcspn(at, ",");
        bool is_known = false;
        for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
            is_known |= slice_is((struct slice){at, len}, words[i]);
        }
        if (!is_known) {
            return error_set(error, ERR_INVALID,
                             "'%.*s' is no scope (all, ingest, read, scores; with commas between)",
                             (int)len, at);
        }
        at += len;
        if (*at == '\0') {
            return ERR_OK;
        }
    }
}

/* "90d": seconds, or -1 when it is no such thing. */
static int64_t read_age(const char *text)
{
    static const struct {
        char unit;
        int64_t seconds;
    } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}, {'w', 604800}};
    char *end = NULL;
    long count = strtol(text, &end, 10);
    if (*text < '0' || *text > '9' || count < 1 || count > 1000000 || *end == '\0' ||
        end[1] != '\0') {
        return -1;
    }
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (*end == units[i].unit) {
            return count * units[i].seconds;
        }
    }
    return -1;
}

static enum err read_expiry(const char *text, int64_t now_us, char out[RFC3339_SIZE],
                            struct error *error)
{
    int64_t at_us = 0;
    int64_t age_s = read_age(text);
    if (strcmp(text, "never") == 0) {
        return ERR_OK;
    }
    if (age_s > 0) {
        at_us = now_us + age_s * 1000000;
    } else if (!rfc3339_parse(slice_from(text), &at_us)) {
        return error_set(error, ERR_INVALID,
                         "'%s' is no time (90d, 12h, 30m, 2027-01-31T00:00:00Z, or never)", text);
    }
    if (at_us <= now_us || at_us > RFC3339_MAX_US) {
        return error_set(error, ERR_INVALID, "'%s' is over already, or too far away", text);
    }
    rfc3339_format(at_us, out);
    return ERR_OK;
}

static enum err check_texts(const struct key_order *order, struct error *error)
{
    if (order->public_key != NULL && (!is_visible(order->public_key, 1, PUBLIC_KEY_MAX) ||
                                      strchr(order->public_key, ':') != NULL)) {
        return error_set(error, ERR_INVALID,
                         "a public key has 1 to %d visible ASCII characters and no colon",
                         PUBLIC_KEY_MAX);
    }
    if (strlen(order->name) > KEY_NAME_MAX || strpbrk(order->name, "\t\r\n") != NULL) {
        return error_set(error, ERR_INVALID, "a key's name is one line of at most %d bytes",
                         KEY_NAME_MAX);
    }
    return ERR_OK;
}

enum err key_order_read(int argc, char **argv, int64_t now_us, struct key_order *order,
                        struct error *error)
{
    *order = (struct key_order){.scopes = "all", .name = ""};
    const char *expires = "never";
    const struct word_option options[] = {
        {"--scope", &order->scopes, NULL},
        {"--expires", &expires, NULL},
        {"--name", &order->name, NULL},
        {"--public-key", &order->public_key, NULL},
        {"--secret-stdin", NULL, &order->secret_from_stdin},
        {"--json", NULL, &order->as_json},
        {.name = NULL},
    };
    enum err err = words_read(argc, argv, options, &order->project, 1, error);
    if (err == ERR_OK) {
        err = check_scopes(order->scopes, error);
    }
    if (err == ERR_OK) {
        err = read_expiry(expires, now_us, order->expires, error);
    }
    return err == ERR_OK ? check_texts(order, error) : err;
}

/* ---- add ---- */

struct pair {
    char public_key[PUBLIC_KEY_MAX + 1];
    char secret[SECRET_MAX + 2]; /* a line of it, with its end */
};

static enum err read_secret(FILE *in, char secret[SECRET_MAX + 2], struct error *error)
{
    if (fgets(secret, SECRET_MAX + 2, in) == NULL) {
        secret[0] = '\0';
    }
    secret[strcspn(secret, "\r\n")] = '\0';
    return is_visible(secret, SECRET_MIN, SECRET_MAX)
               ? ERR_OK
               : error_set(error, ERR_INVALID,
                           "a secret has %d to %d visible ASCII characters, on one line of stdin",
                           SECRET_MIN, SECRET_MAX);
}

static enum err make_pair(const struct key_order *order, FILE *in, struct pair *pair,
                          struct error *error)
{
    uint8_t random[ID_SIZE];
    char hex[HEX_TEXT_SIZE + 1];
    char more[HEX_TEXT_SIZE + 1];
    id_random(random);
    id_hex(random, hex);
    snprintf(pair->public_key, sizeof(pair->public_key), "pk-xt-%s", hex);
    if (order->public_key != NULL) {
        snprintf(pair->public_key, sizeof(pair->public_key), "%s", order->public_key);
    }
    if (order->secret_from_stdin) {
        return read_secret(in, pair->secret, error);
    }
    id_random(random);
    id_hex(random, hex);
    id_random(random);
    id_hex(random, more);
    snprintf(pair->secret, sizeof(pair->secret), "sk-xt-%s%s", hex, more);
    return ERR_OK;
}

static enum err store(struct session *session, const struct key_order *order,
                      const struct pair *pair, struct error *error)
{
    uint8_t digest[SHA256_DIGEST_LENGTH];
    SHA256((const unsigned char *)pair->secret, strlen(pair->secret), digest);
    struct session_parameters parameters = {
        .values = {slice_from(pair->public_key),
                   {(const char *)digest, sizeof(digest)},
                   slice_from(order->project),
                   slice_from(order->scopes),
                   slice_from(order->name),
                   slice_from(order->expires[0] != '\0' ? order->expires : NULL)},
        .count = 6};
    enum err err = session_query(session, sql_add, &parameters, NULL, error);
    return err == ERR_CONFLICT
               ? error_set(error, err, "there is a key with that public key or that secret already")
               : err;
}

static void print_member(struct buf *out, const char *name, const char *text)
{
    buf_printf(out, ",\"%s\":", name);
    json_write_string(out, slice_from(text));
}

static void print_json(const struct key_order *order, const struct pair *pair, struct buf *out)
{
    buf_append_text(out, "{\"publicKey\":");
    json_write_string(out, slice_from(pair->public_key));
    print_member(out, "secretKey", pair->secret);
    print_member(out, "projectId", order->project);
    buf_append_text(out, ",\"scopes\":[\"");
    for (const char *at = order->scopes; *at != '\0'; at++) {
        if (*at == ',') {
            buf_append_text(out, "\",\"");
        } else {
            buf_append_char(out, *at);
        }
    }
    buf_append_text(out, "\"]");
    print_member(out, "name", order->name);
    if (order->expires[0] == '\0') {
        buf_append_text(out, ",\"expiresAt\":null}\n");
    } else {
        print_member(out, "expiresAt", order->expires);
        buf_append_text(out, "}\n");
    }
}

static void print_text(const struct key_order *order, const struct pair *pair, struct buf *out)
{
    buf_printf(out,
               "public key  %s\n"
               "secret key  %s\n"
               "project     %s\n"
               "scopes      %s\n"
               "expires     %s\n"
               "\n"
               "The secret is shown this once. Basic: public key and secret; Bearer: the secret.\n",
               pair->public_key, pair->secret, order->project, order->scopes,
               order->expires[0] != '\0' ? order->expires : "never");
}

enum err keys_add(struct session *session, const struct key_order *order, FILE *in, FILE *out,
                  struct error *error)
{
    struct pair pair = {"", ""};
    enum err err = projects_check(session, order->project, error);
    if (err == ERR_OK) {
        err = make_pair(order, in, &pair, error);
    }
    if (err == ERR_OK) {
        err = store(session, order, &pair, error);
    }
    if (err == ERR_OK) {
        struct buf text = BUF_EMPTY;
        (order->as_json ? print_json : print_text)(order, &pair, &text);
        fwrite(text.data, 1, text.len, out);
        OPENSSL_cleanse(text.data, text.len);
        buf_finish(&text);
    }
    OPENSSL_cleanse(&pair, sizeof(pair));
    return err;
}

/* ---- revoke, list ---- */

enum err keys_revoke(struct session *session, const char *public_key, struct error *error)
{
    struct session_parameters parameters = {.values = {slice_from(public_key)}, .count = 1};
    PGresult *result = NULL;
    enum err err = session_query(session, sql_revoke, &parameters, &result, error);
    if (err == ERR_OK && PQntuples(result) == 0) {
        err = error_set(error, ERR_NOT_FOUND, "there is no key '%s'", public_key);
    }
    PQclear(result);
    return err;
}

enum err keys_list(struct session *session, const char *project, bool as_json, FILE *out,
                   struct error *error)
{
    struct session_parameters parameters = {.values = {slice_from(project)}, .count = 1};
    PGresult *result = NULL;
    enum err err = project != NULL ? projects_check(session, project, error) : ERR_OK;
    if (err == ERR_OK) {
        err =
            session_query(session, as_json ? sql_list_json : sql_list, &parameters, &result, error);
    }
    if (err == ERR_OK && as_json) {
        fputc('[', out);
    }
    for (int row = 0; err == ERR_OK && row < PQntuples(result); row++) {
        fprintf(out, "%s%.*s%s", as_json && row > 0 ? "," : "", PQgetlength(result, row, 0),
                PQgetvalue(result, row, 0), as_json ? "" : "\n");
    }
    if (err == ERR_OK && as_json) {
        fputs("]\n", out);
    }
    PQclear(result);
    return err;
}
