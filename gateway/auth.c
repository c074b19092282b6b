#include "gateway/auth.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/sha.h>

#include "common/arena.h"

enum { CREDENTIAL_MAX = 8192 }; /* bytes of a header value that is looked at */

_Static_assert(REQUEST_CREDENTIAL_SIZE == SHA256_DIGEST_LENGTH, "a credential is a digest");

struct digest {
    uint8_t bytes[SHA256_DIGEST_LENGTH];
};

/* One way in. A table of keys per project becomes an array of these. */
struct credential {
    bool is_set;
    unsigned scopes;
    struct digest user;   /* Basic only */
    struct digest secret; /* Bearer token or Basic password */
    struct digest name;   /* what identity.credential shows: of "bearer:TOKEN" or "basic:USER" */
};

enum {
    SCOPES_OF_OPERATOR = SCOPE_READ | SCOPE_INGEST | SCOPE_SCORES | SCOPE_MANAGE | SCOPE_OPERATE
};

struct auth {
    char project[REQUEST_PROJECT_MAX];
    struct credential bearer;
    struct credential basic;
    struct credential public; /* the public key alone, as Bearer */
    char *public_key;         /* to be shown; NULL when there is none */
    bool compat_open;
};

static struct digest digest_of(struct slice text)
{
    struct digest digest;
    SHA256((const unsigned char *)text.data, text.len, digest.bytes);
    return digest;
}

static struct digest digest_of_name(const char *kind, const char *text)
{
    char *name = memory_alloc(strlen(kind) + strlen(text) + 1);
    strcpy(name, kind);
    strcat(name, text);
    struct digest digest = digest_of(slice_from(name));
    OPENSSL_cleanse(name, strlen(name));
    free(name);
    return digest;
}

static bool digests_equal(const struct digest *a, const struct digest *b)
{
    return CRYPTO_memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

struct auth *auth_create(const struct config *config)
{
    struct auth *auth = memory_zalloc(sizeof(*auth));
    snprintf(auth->project, sizeof(auth->project), "%s", config->project_id);
    auth->bearer.is_set = true;
    auth->bearer.scopes = SCOPES_OF_OPERATOR;
    auth->bearer.secret = digest_of(slice_from(config->bearer_token));
    auth->bearer.name = digest_of_name("bearer:", config->bearer_token);
    if (config->public_key != NULL && config->secret_key != NULL) {
        auth->basic.is_set = true;
        auth->basic.scopes = SCOPES_OF_OPERATOR;
        auth->basic.user = digest_of(slice_from(config->public_key));
        auth->basic.secret = digest_of(slice_from(config->secret_key));
        auth->basic.name = digest_of_name("basic:", config->public_key);
        auth->public_key = memory_text(config->public_key);
    }
    if (config->public_key != NULL) {
        auth->public.is_set = true;
        auth->public.scopes = SCOPE_SCORES;
        auth->public.secret = digest_of(slice_from(config->public_key));
        auth->public.name = digest_of_name("public:", config->public_key);
    }
    auth->compat_open = config->allow_unauthenticated_compat && config->public_key == NULL &&
                        config->secret_key == NULL;
    return auth;
}

void auth_destroy(struct auth *auth)
{
    if (auth != NULL) {
        free(auth->public_key);
        free(auth);
    }
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static struct slice trim(struct slice text)
{
    while (text.len > 0 && is_blank(text.data[0])) {
        text.data++;
        text.len--;
    }
    while (text.len > 0 && is_blank(text.data[text.len - 1])) {
        text.len--;
    }
    return text;
}

/* Splits "SCHEME credentials" at the first blank; any case of the scheme (RFC 9110). */
static bool has_scheme(struct slice value, const char *scheme, struct slice *credentials)
{
    size_t length = strlen(scheme);
    if (value.len <= length || strncasecmp(value.data, scheme, length) != 0 ||
        !is_blank(value.data[length])) {
        return false;
    }
    *credentials = trim((struct slice){value.data + length, value.len - length});
    return true;
}

static const struct credential *check_bearer(const struct auth *auth, struct slice token)
{
    struct digest digest = digest_of(token);
    bool is_token = digests_equal(&digest, &auth->bearer.secret);
    bool is_public = digests_equal(&digest, &auth->public.secret) && auth->public.is_set;
    return is_token ? &auth->bearer : is_public ? &auth->public : NULL;
}

static const struct credential *check_basic(const struct auth *auth, struct slice encoded)
{
    unsigned char pair[CREDENTIAL_MAX];
    int decoded = encoded.len % 4 == 0
                      ? EVP_DecodeBlock(pair, (const unsigned char *)encoded.data, (int)encoded.len)
                      : -1;
    if (decoded < 0 || !auth->basic.is_set) {
        return NULL;
    }
    /* EVP_DecodeBlock counts the padding as bytes. */
    size_t length = (size_t)decoded;
    for (size_t i = encoded.len; i > 0 && encoded.data[i - 1] == '=' && length > 0; i--) {
        length--;
    }
    const unsigned char *colon = memchr(pair, ':', length);
    bool matches = false;
    if (colon != NULL) {
        size_t user_len = (size_t)(colon - pair);
        struct digest user = digest_of((struct slice){(const char *)pair, user_len});
        struct digest secret =
            digest_of((struct slice){(const char *)colon + 1, length - user_len - 1});
        /* Both are always compared. */
        bool user_matches = digests_equal(&user, &auth->basic.user);
        bool secret_matches = digests_equal(&secret, &auth->basic.secret);
        matches = user_matches && secret_matches;
    }
    OPENSSL_cleanse(pair, sizeof(pair));
    return matches ? &auth->basic : NULL;
}

enum err auth_check(const struct auth *auth, struct slice authorization, struct identity *identity)
{
    struct slice value = trim(authorization);
    struct slice credentials;
    const struct credential *found = NULL;
    if (value.len > CREDENTIAL_MAX) {
        return ERR_UNAUTHORIZED;
    }
    if (has_scheme(value, "bearer", &credentials)) {
        found = check_bearer(auth, credentials);
    } else if (has_scheme(value, "basic", &credentials)) {
        found = check_basic(auth, credentials);
    }
    if (found == NULL) {
        return ERR_UNAUTHORIZED;
    }
    auth_fill_anonymous(auth, identity);
    identity->scopes = found->scopes;
    identity->scores_only = found->scopes == SCOPE_SCORES;
    memcpy(identity->credential, found->name.bytes, sizeof(identity->credential));
    return ERR_OK;
}

void auth_describe(const struct auth *auth, const uint8_t credential[REQUEST_CREDENTIAL_SIZE],
                   struct buf *out)
{
    if (auth->basic.is_set &&
        memcmp(credential, auth->basic.name.bytes, sizeof(auth->basic.name.bytes)) == 0) {
        buf_append_text(out, "basic:");
        buf_append_text(out, auth->public_key);
        return;
    }
    buf_printf(out, "bearer:%02x%02x%02x%02x", credential[0], credential[1], credential[2],
               credential[3]);
}

bool auth_is_compat_open(const struct auth *auth)
{
    return auth->compat_open;
}

void auth_fill_anonymous(const struct auth *auth, struct identity *identity)
{
    memset(identity, 0, sizeof(*identity));
    memcpy(identity->project, auth->project, sizeof(identity->project));
}
