#include "gateway/ingest/model_values.h"

#include <inttypes.h>

#include "common/money.h"

/* "pricingTiers[1].conditions[0].value: missing"; member may be empty. */
enum err model_wrong(struct error *error, const struct model_where *where, const char *member,
                     const char *reason)
{
    const char *point = where->tier >= 0 && *member != '\0' ? "." : "";
    if (where->condition >= 0) {
        return error_set(error, ERR_INVALID,
                         "pricingTiers[%" PRId64 "].conditions[%" PRId64 "]%s%s: %s", where->tier,
                         where->condition, point, member, reason);
    }
    if (where->tier >= 0) {
        return error_set(error, ERR_INVALID, "pricingTiers[%" PRId64 "]%s%s: %s", where->tier,
                         point, member, reason);
    }
    return error_set(error, ERR_INVALID, "%s: %s", member, reason);
}

/* ---- values ---- */

/* null is as good as absent. */
enum err model_read_text(struct json_reader *reader, const struct model_where *where,
                         const char *member, size_t max, struct slice *out, struct error *error)
{
    *out = (struct slice){NULL, 0};
    if (json_null(reader)) {
        return ERR_OK;
    }
    if (!json_string(reader, out)) {
        return json_failed(reader) ? json_end(reader, error)
                                   : model_wrong(error, where, member, "not a string");
    }
    if (out->len == 0) {
        return model_wrong(error, where, member, "empty");
    }
    return out->len > max ? model_wrong(error, where, member, "too long") : ERR_OK;
}

enum err model_read_price(struct json_reader *reader, const struct model_where *where,
                          const char *member, struct slice *out, struct error *error)
{
    struct money money;
    *out = (struct slice){NULL, 0};
    if (json_null(reader)) {
        return ERR_OK;
    }
    if (!json_number(reader, out)) {
        return json_failed(reader) ? json_end(reader, error)
                                   : model_wrong(error, where, member, "not a number");
    }
    return money_parse(*out, &money)
               ? ERR_OK
               : model_wrong(error, where, member,
                             "negative, or more than 9 digits before the point or 36 behind it");
}

/* PostgreSQL is quick at regexes but for those that refer back. */
bool model_refers_back(struct slice pattern)
{
    for (size_t i = 0; i + 1 < pattern.len; i++) {
        if (pattern.data[i] == '\\') {
            i++;
            if (pattern.data[i] >= '1' && pattern.data[i] <= '9') {
                return true;
            }
        }
    }
    return false;
}

bool model_is_one_of(struct slice text, const char *const *words)
{
    for (; *words != NULL; words++) {
        if (slice_is(text, *words)) {
            return true;
        }
    }
    return false;
}
