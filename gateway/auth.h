/*
 * auth: Authorization header -> identity, by the environment's credentials and the keys of the table
 * api_keys. Made once, then read only: any thread. gateway/access.h has the newest.
 *
 *   Basic PUBLIC:SECRET   of the environment or the table
 *   Bearer TOKEN          the environment's token, or the secret of a key of the table
 *   Bearer PUBLIC         a public key alone: may create scores
 *
 * Of secrets only SHA-256 digests are kept. A key is found by a digest, in a hash table whose order nobody
 * outside can foresee; digests are compared in constant time, so that neither the place of the first
 * wrong character nor the length of a secret shows in the time an answer takes. Unknown, wrong and
 * expired take the same way.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/error.h"
#include "common/slice.h"
#include "gateway/config.h"
#include "gateway/request.h"

struct auth;

#define AUTH_NEVER INT64_MAX

/* A row of api_keys; all of it is copied. */
struct auth_key {
    struct slice project; /* a longer one than REQUEST_PROJECT_MAX opens nothing */
    struct slice public_key;
    uint8_t secret_sha256[32];
    unsigned scopes;    /* enum scope */
    int64_t expires_us; /* AUTH_NEVER, or from this time on it opens nothing */
};

/* "read,scores" -> enum scope, with what one scope implies of others. Unknown words allow nothing. */
unsigned auth_scopes(struct slice words);

struct auth *auth_create(const struct config *config, const struct auth_key *keys, size_t count);
/* NULL is fine. */
void auth_destroy(struct auth *auth);

/* authorization: the header's value, empty when absent. now_us: of the wall clock.
 * ERR_UNAUTHORIZED leaves identity alone. */
MUST_CHECK enum err auth_check(const struct auth *auth, struct slice authorization, int64_t now_us,
                               struct identity *identity);

/* Whether the header has the shape of credentials at all. */
bool auth_is_well_formed(struct slice authorization);

/*
 * Writes a name for a credential (identity.credential) that is safe to show: "basic:PUBLIC_KEY", else
 * "bearer:" and eight hex digits of its digest, which tell credentials apart and nothing of the token.
 */
void auth_describe(const struct auth *auth, const uint8_t credential[REQUEST_CREDENTIAL_SIZE],
                   struct buf *out);

/* True when the compat routes need no credentials (contract/xtrace.md section 1). */
bool auth_is_compat_open(const struct auth *auth);
/* Who comes in that way. */
void auth_fill_anonymous(const struct auth *auth, struct identity *identity);
