/*
 * auth: Authorization header -> identity. Bearer token or Basic key pair; both open every
 * protected route; the public key alone, as Bearer, may create scores. Made once from the settings,
 * then read only: any thread.
 *
 * Compares SHA-256 digests in constant time, so that neither the place of the first wrong character
 * nor the length of a secret shows in the time an answer takes. Of secrets only digests are kept.
 */
#pragma once

#include <stdbool.h>

#include "common/buf.h"
#include "common/error.h"
#include "common/slice.h"
#include "gateway/config.h"
#include "gateway/request.h"

struct auth;

struct auth *auth_create(const struct config *config);
/* NULL is fine. */
void auth_destroy(struct auth *auth);

/* authorization: the header's value, empty when absent. ERR_UNAUTHORIZED leaves identity alone. */
MUST_CHECK enum err auth_check(const struct auth *auth, struct slice authorization,
                               struct identity *identity);

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
