#include "gateway/auth.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/sha.h>

#include "common/arena.h"
#include "common/id.h"

enum { CREDENTIAL_MAX = 8192 }; /* bytes of a header value that is looked at */

_Static_assert(REQUEST_CREDENTIAL_SIZE == SHA256_DIGEST_LENGTH, "a credential is a digest");

enum {
    SCOPES_OF_PROJECT = SCOPE_READ | SCOPE_INGEST | SCOPE_SCORES | SCOPE_MANAGE,
    SCOPES_OF_OPERATOR = SCOPES_OF_PROJECT | SCOPE_OPERATE,
};

struct digest {
    uint8_t bytes[SHA256_DIGEST_LENGTH];
};

/* How a header names a credential. */
enum way {
    WAY_BASIC,
    WAY_BEARER,
    WAY_PUBLIC, /* Bearer too */
};

/* One way in. */
struct credential {
    enum way way;
    unsigned scopes;
    int64_t expires_us;
    struct digest place;    /* it is found by: of the user name, of the token */
    struct digest secret;   /* what must be equal: of the password, of the token */
    struct digest name;     /* identity.credential */
    const char *project;    /* in the arena */
    const char *public_key; /* in the arena; WAY_BASIC: to be shown */
    uint32_t next;          /* of the same bucket; 0: none, else the index after it */
};

struct auth {
    const char *project; /* the environment's; in the arena */
    bool compat_open;
    struct credential *credentials;
    uint32_t count;
    uint32_t *buckets; /* 0: empty, else the index of a credential + 1 */
    uint64_t bucket_mask;
    uint64_t seed;
    struct arena arena;
};

/* ---- digests ---- */

static struct digest digest_of(struct slice text)
{
    struct digest digest;
    SHA256((const unsigned char *)text.data, text.len, digest.bytes);
    return digest;
}

/* Of another kind of credential the same text or digest has another name. */
static struct digest name_of(const char *kind, const void *data, size_t len)
{
    struct buf name = BUF_EMPTY;
    buf_append_text(&name, kind);
    buf_append(&name, data, len);
    struct digest digest = digest_of(buf_slice(&name));
    OPENSSL_cleanse(name.data, name.len);
    buf_finish(&name);
    return digest;
}

static bool digests_equal(const struct digest *a, const struct digest *b)
{
    return CRYPTO_memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

/* ---- the table ---- */

static uint64_t bucket_of(const struct auth *auth, enum way way, const struct digest *place)
{
    uint64_t hash;
    memcpy(&hash, place->bytes, sizeof(hash));
    hash = (hash ^ auth->seed) * UINT64_C(0x9e3779b97f4a7c15) + (uint64_t)way;
    return (hash ^ hash >> 32) & auth->bucket_mask;
}

static void make_buckets(struct auth *auth)
{
    uint64_t size = 4;
    uint8_t random[ID_SIZE];
    while (size < 2 * (uint64_t)auth->count) {
        size *= 2;
    }
    id_random(random);
    memcpy(&auth->seed, random, sizeof(auth->seed));
    auth->bucket_mask = size - 1;
    auth->buckets = memory_zalloc(size * sizeof(*auth->buckets));
    /* Backwards, so that those of the environment come first in their bucket. */
    for (uint32_t i = auth->count; i > 0; i--) {
        struct credential *credential = &auth->credentials[i - 1];
        uint32_t *bucket = &auth->buckets[bucket_of(auth, credential->way, &credential->place)];
        credential->next = *bucket;
        *bucket = i;
    }
}

static void add_basic(struct auth *auth, const struct credential *like, struct slice public_key,
                      const struct digest *secret)
{
    struct credential *credential = &auth->credentials[auth->count++];
    *credential = *like;
    credential->way = WAY_BASIC;
    credential->place = digest_of(public_key);
    credential->secret = *secret;
    credential->name = name_of("basic:", public_key.data, public_key.len);
    credential->public_key = arena_text(&auth->arena, public_key);
}

static void add_bearer(struct auth *auth, const struct credential *like,
                       const struct digest *secret)
{
    struct credential *credential = &auth->credentials[auth->count++];
    *credential = *like;
    credential->way = WAY_BEARER;
    credential->place = *secret;
    credential->secret = *secret;
    credential->name = name_of("bearer:", secret->bytes, sizeof(secret->bytes));
}

static void add_public(struct auth *auth, const struct credential *like, struct slice public_key)
{
    struct credential *credential = &auth->credentials[auth->count++];
    *credential = *like;
    credential->way = WAY_PUBLIC;
    credential->scopes &= SCOPE_SCORES;
    credential->place = digest_of(public_key);
    credential->secret = credential->place;
    credential->name = name_of("public:", public_key.data, public_key.len);
}

static void add_environment(struct auth *auth, const struct config *config)
{
    struct credential like = {
        .scopes = SCOPES_OF_OPERATOR, .expires_us = AUTH_NEVER, .project = auth->project};
    struct digest token = digest_of(slice_from(config->bearer_token));
    add_bearer(auth, &like, &token);
    if (config->public_key != NULL && config->secret_key != NULL) {
        struct digest secret = digest_of(slice_from(config->secret_key));
        add_basic(auth, &like, slice_from(config->public_key), &secret);
    }
    if (config->public_key != NULL) {
        add_public(auth, &like, slice_from(config->public_key));
    }
}

static void add_key(struct auth *auth, const struct auth_key *key)
{
    struct credential like = {.scopes = key->scopes,
                              .expires_us = key->expires_us,
                              .project = arena_text(&auth->arena, key->project)};
    struct digest secret;
    memcpy(secret.bytes, key->secret_sha256, sizeof(secret.bytes));
    add_basic(auth, &like, key->public_key, &secret);
    add_bearer(auth, &like, &secret);
    add_public(auth, &like, key->public_key);
}

struct auth *auth_create(const struct config *config, const struct auth_key *keys, size_t count)
{
    enum { WAYS = 3 };
    struct auth *auth = memory_zalloc(sizeof(*auth));
    auth->arena = ARENA_EMPTY;
    auth->project = arena_text(&auth->arena, slice_from(config->project_id));
    auth->credentials = memory_zalloc(WAYS * (count + 1) * sizeof(*auth->credentials));
    add_environment(auth, config);
    for (size_t i = 0; i < count; i++) {
        if (keys[i].project.len < REQUEST_PROJECT_MAX) {
            add_key(auth, &keys[i]);
        }
    }
    make_buckets(auth);
    auth->compat_open = config->allow_unauthenticated_compat && config->public_key == NULL &&
                        config->secret_key == NULL;
    return auth;
}

void auth_destroy(struct auth *auth)
{
    if (auth != NULL) {
        arena_finish(&auth->arena);
        free(auth->buckets);
        free(auth->credentials);
        free(auth);
    }
}

unsigned auth_scopes(struct slice words)
{
    static const struct {
        const char *word;
        unsigned scopes;
    } known[] = {
        {"all", SCOPES_OF_PROJECT},
        {"ingest", SCOPE_INGEST | SCOPE_SCORES},
        {"read", SCOPE_READ},
        {"scores", SCOPE_SCORES},
    };
    unsigned scopes = 0;
    while (words.len > 0) {
        const char *comma = memchr(words.data, ',', words.len);
        size_t len = comma != NULL ? (size_t)(comma - words.data) : words.len;
        for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
            scopes |=
                slice_is((struct slice){words.data, len}, known[i].word) ? known[i].scopes : 0;
        }
        len += comma != NULL;
        words = (struct slice){words.data + len, words.len - len};
    }
    return scopes;
}

/* ---- a header ---- */

/* Splits "SCHEME credentials" at the first blank; any case of the scheme (RFC 9110). */
static bool has_scheme(struct slice value, const char *scheme, struct slice *credentials)
{
    size_t length = strlen(scheme);
    if (value.len <= length || strncasecmp(value.data, scheme, length) != 0 ||
        !slice_is_blank(value.data[length])) {
        return false;
    }
    *credentials = slice_trim((struct slice){value.data + length, value.len - length});
    return true;
}

/* Two credentials may have one place: a public key of the environment and of the table. */
static const struct credential *find(const struct auth *auth, enum way way,
                                     const struct digest *place, const struct digest *secret,
                                     int64_t now_us)
{
    const struct credential *found = NULL;
    for (uint32_t at = auth->buckets[bucket_of(auth, way, place)]; at != 0;) {
        const struct credential *credential = &auth->credentials[at - 1];
        /* All are always compared. */
        bool is_here = digests_equal(place, &credential->place);
        bool is_right = digests_equal(secret, &credential->secret);
        bool is_good = credential->way == way && now_us < credential->expires_us;
        found = found == NULL && is_here && is_right && is_good ? credential : found;
        at = credential->next;
    }
    return found;
}

static const struct credential *check_bearer(const struct auth *auth, struct slice token,
                                             int64_t now_us)
{
    struct digest digest = digest_of(token);
    const struct credential *secret = find(auth, WAY_BEARER, &digest, &digest, now_us);
    const struct credential *public = find(auth, WAY_PUBLIC, &digest, &digest, now_us);
    return secret != NULL ? secret : public;
}

/* The bytes of the pair, or -1 when it is no base64. */
static int decode_pair(struct slice encoded, unsigned char pair[CREDENTIAL_MAX])
{
    int decoded = encoded.len % 4 == 0
                      ? EVP_DecodeBlock(pair, (const unsigned char *)encoded.data, (int)encoded.len)
                      : -1;
    /* EVP_DecodeBlock counts the padding as bytes. */
    for (size_t i = encoded.len; i > 0 && encoded.data[i - 1] == '=' && decoded > 0; i--) {
        decoded--;
    }
    return decoded;
}

static const struct credential *check_basic(const struct auth *auth, struct slice encoded,
                                            int64_t now_us)
{
    unsigned char pair[CREDENTIAL_MAX];
    const struct credential *found = NULL;
    int length = decode_pair(encoded, pair);
    const unsigned char *colon = length > 0 ? memchr(pair, ':', (size_t)length) : NULL;
    if (colon != NULL) {
        size_t user_len = (size_t)(colon - pair);
        struct digest user = digest_of((struct slice){(const char *)pair, user_len});
        struct digest secret =
            digest_of((struct slice){(const char *)colon + 1, (size_t)length - user_len - 1});
        found = find(auth, WAY_BASIC, &user, &secret, now_us);
    }
    OPENSSL_cleanse(pair, sizeof(pair));
    return found;
}

enum err auth_check(const struct auth *auth, struct slice authorization, int64_t now_us,
                    struct identity *identity)
{
    struct slice value = slice_trim(authorization);
    struct slice credentials;
    const struct credential *found = NULL;
    if (value.len > CREDENTIAL_MAX) {
        return ERR_UNAUTHORIZED;
    }
    if (has_scheme(value, "bearer", &credentials)) {
        found = check_bearer(auth, credentials, now_us);
    } else if (has_scheme(value, "basic", &credentials)) {
        found = check_basic(auth, credentials, now_us);
    }
    if (found == NULL) {
        return ERR_UNAUTHORIZED;
    }
    memset(identity, 0, sizeof(*identity));
    snprintf(identity->project, sizeof(identity->project), "%s", found->project);
    identity->scopes = found->scopes;
    identity->scores_only = (found->scopes & (SCOPE_INGEST | SCOPE_SCORES)) == SCOPE_SCORES;
    memcpy(identity->credential, found->name.bytes, sizeof(identity->credential));
    return ERR_OK;
}

bool auth_is_well_formed(struct slice authorization)
{
    struct slice value = slice_trim(authorization);
    struct slice credentials = {NULL, 0};
    return value.len <= CREDENTIAL_MAX &&
           (has_scheme(value, "bearer", &credentials) ||
            has_scheme(value, "basic", &credentials)) &&
           credentials.len > 0;
}

/* ---- names ---- */

void auth_describe(const struct auth *auth, const uint8_t credential[REQUEST_CREDENTIAL_SIZE],
                   struct buf *out)
{
    for (uint32_t i = 0; i < auth->count; i++) {
        const struct credential *known = &auth->credentials[i];
        if (known->way == WAY_BASIC &&
            memcmp(credential, known->name.bytes, sizeof(known->name.bytes)) == 0) {
            buf_append_text(out, "basic:");
            buf_append_text(out, known->public_key);
            return;
        }
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
    snprintf(identity->project, sizeof(identity->project), "%s", auth->project);
}
