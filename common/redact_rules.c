#define PCRE2_CODE_UNIT_WIDTH 8
#include "common/redact_rules.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <pcre2.h>

#include "common/buf.h"
#include "common/clock.h"
#include "common/redact.h"

/* A call tries STARTS_MAX places at most, so that the clock is looked at in between. */
enum {
    MATCH_LIMIT = 20000, /* steps from one place */
    STARTS_MAX = 1024,
    DEPTH_LIMIT = 2000,
    HEAP_LIMIT_KB = 4096,
    JIT_STACK_BYTES = 512 * 1024,
};

struct redact {
    char *_keys_text;
    struct buf _keys;     /* struct slice into _keys_text, or static */
    struct buf _patterns; /* pcre2_code * */
};

struct redact_matcher {
    const struct redact *redact;
    pcre2_match_data *data;
    pcre2_match_context *context;
    pcre2_jit_stack *stack;
    int64_t spent_us;
};

static const char *const built_in_keys[] = {
    "password",      "passwd",        "pwd",           "passphrase",   "secret",
    "client_secret", "clientSecret",  "secret_key",    "secretKey",    "api_key",
    "apikey",        "api-key",       "x-api-key",     "access_key",   "secret_access_key",
    "access_token",  "accessToken",   "refresh_token", "refreshToken", "id_token",
    "auth_token",    "authorization", "cookie",        "set-cookie",   "proxy-authorization",
    "private_key",   "privateKey",    "credentials",   "ssn",          "credit_card",
    "creditCard",    "card_number",   "cardNumber",    "cvv",          "cvc",
    "iban",
};

static const char *const built_in_patterns[] = {
    /* User and password of a URL, before what looks like an e-mail address; values of secrets in query
     * strings and in files of settings. */
    "(?<=://)[^\\s/:@]{0,100}:[^\\s/@]{1,200}(?=@)",
    "(?:\\b|_)(?i:password|passwd|pwd|api[_-]?key|secret(?:[_-]?key)?|client[_-]?secret|access[_-]?"
    "token)"
    "=\\K[^\\s&;,\"'\\[]{1,200}",
    /* E-mail addresses. */
    "[A-Za-z0-9._%+-]{1,64}@(?:[A-Za-z0-9-]{1,63}\\.){1,8}[A-Za-z]{2,24}",
    /* Payment cards by their first digits, American social security numbers, IBANs, telephone numbers
     * with a country code, and as Americans write theirs. */
    "\\b(?:4\\d{3}|5[1-5]\\d\\d|2[2-7]\\d\\d|6(?:011|5\\d\\d))([ -]?)\\d{4}\\1\\d{4}\\1\\d{4}\\b"
    "|\\b3[47]\\d\\d([ -]?)\\d{6}\\2\\d{5}\\b"
    "|\\b\\d{3}-\\d{2}-\\d{4}\\b"
    "|\\b[A-Z]{2}\\d{2}(?: ?[A-Z0-9]{4}){3,7}(?: ?[A-Z0-9]{1,3})?\\b"
    "|\\+\\d{1,3}(?:[ .-]?\\(?\\d{1,4}\\)?){2,5}\\b"
    "|(?<![\\d.-])(?:\\([2-9]\\d\\d\\) ?|[2-9]\\d\\d[ .-])[2-9]\\d\\d[ .-]\\d{4}(?![\\d.-]\\d|\\d)",
    /* Keys and tokens of well-known services, JSON Web Tokens, private keys. */
    "\\b(?:sk|pk|rk)[-_][A-Za-z0-9_-]{16,}|\\bAKIA[0-9A-Z]{16}\\b|\\bgh[pousr]_[A-Za-z0-9]{30,}"
    "|\\bxox[abprs]-[A-Za-z0-9-]{10,}|\\bAIza[0-9A-Za-z_-]{35}"
    "|\\beyJ[A-Za-z0-9_-]{8,}\\.[A-Za-z0-9_-]{8,}\\.[A-Za-z0-9_-]*"
    "|(?i:bearer)\\s+(?=[A-Za-z._~+/=-]*\\d)[A-Za-z0-9._~+/=-]{16,}"
    "|(?i:authorization:?\\s*basic)\\s+[A-Za-z0-9+/=]{8,}"
    "|-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----[^-]*(?:-----END [A-Z ]{0,30}PRIVATE KEY-----)?",
};

/* With a dot at the end: whatever begins so. */
static const char *const content_keys[] = {
    "input",
    "output",
    "prompt",
    "prompts",
    "completion",
    "completions",
    "messages",
    "content",
    "body",
    "input.value",
    "output.value",
    "input.",
    "output.",
    "gen_ai.prompt",
    "gen_ai.prompt.",
    "gen_ai.completion",
    "gen_ai.completion.",
    "gen_ai.input.",
    "gen_ai.output.",
    "gen_ai.system_instructions",
    "gen_ai.tool.call.arguments",
    "gen_ai.tool.call.result",
    "gen_ai.event.content",
    "gen_ai.choice",
    "llm.input_messages",
    "llm.input_messages.",
    "llm.output_messages",
    "llm.output_messages.",
    "llm.prompts",
    "llm.prompts.",
    "llm.completions.",
    "langfuse.observation.input",
    "langfuse.observation.output",
    "langfuse.trace.input",
    "langfuse.trace.output",
    "ai.prompt",
    "ai.prompt.",
    "ai.response.text",
    "ai.response.object",
    "ai.response.toolCalls",
    "ai.toolCall.args",
    "ai.toolCall.result",
    "ai.value",
    "ai.values",
    "traceloop.entity.input",
    "traceloop.entity.output",
    "mlflow.spanInputs",
    "mlflow.spanOutputs",
    "tool.parameters",
    "retrieval.documents",
    "retrieval.documents.",
    "embedding.text",
    "document.content",
};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* --- keys ---------------------------------------------------------------------------------- */

static void add_key(struct redact *redact, struct slice key)
{
    while (key.len > 0 && (key.data[0] == ' ' || key.data[0] == '\t')) {
        key.data++;
        key.len--;
    }
    while (key.len > 0 && (key.data[key.len - 1] == ' ' || key.data[key.len - 1] == '\t')) {
        key.len--;
    }
    if (key.len > 0) {
        buf_append(&redact->_keys, &key, sizeof(key));
    }
}

static void add_keys(struct redact *redact, const char *keys)
{
    if (keys == NULL) {
        return;
    }
    redact->_keys_text = memory_text(keys);
    for (const char *at = redact->_keys_text; *at != '\0';) {
        size_t len = strcspn(at, ",");
        add_key(redact, (struct slice){at, len});
        at += len + (at[len] == ',');
    }
}

static bool is_same(struct slice a, struct slice b)
{
    return a.len == b.len && strncasecmp(a.data, b.data, a.len) == 0;
}

bool redact_has_key(const struct redact *redact, struct slice key)
{
    const struct slice *keys = (const struct slice *)redact->_keys.data;
    size_t count = redact->_keys.len / sizeof(*keys);
    const char *dot = count > 0 && key.len > 0 ? memrchr(key.data, '.', key.len) : NULL;
    struct slice last = key;
    if (dot != NULL) {
        last = (struct slice){dot + 1, key.len - (size_t)(dot + 1 - key.data)};
    }
    for (size_t i = 0; i < count; i++) {
        if (is_same(keys[i], last) || (dot != NULL && is_same(keys[i], key))) {
            return true;
        }
    }
    return false;
}

bool redact_is_content(struct slice key)
{
    for (size_t i = 0; i < COUNT(content_keys); i++) {
        struct slice content = slice_from(content_keys[i]);
        bool is_prefix = content.data[content.len - 1] == '.';
        struct slice head = {key.data, is_prefix && key.len > content.len ? content.len : key.len};
        if (is_same(head, content)) {
            return true;
        }
    }
    return false;
}

/* --- patterns ------------------------------------------------------------------------------ */

static enum err add_pattern(struct redact *redact, struct slice pattern, int number,
                            struct error *error)
{
    int code;
    PCRE2_SIZE at;
    PCRE2_UCHAR reason[120];
    pcre2_code *compiled = pcre2_compile((PCRE2_SPTR)pattern.data, pattern.len,
                                         PCRE2_UTF | PCRE2_MATCH_INVALID_UTF |
                                             PCRE2_NEVER_BACKSLASH_C | PCRE2_USE_OFFSET_LIMIT,
                                         &code, &at, NULL);
    if (compiled == NULL) {
        pcre2_get_error_message(code, reason, sizeof(reason));
        return error_set(error, ERR_INVALID, "pattern %d: %s at character %zu", number, reason,
                         at + 1);
    }
    buf_append(&redact->_patterns, &compiled, sizeof(compiled));
    pcre2_match_data *data = pcre2_match_data_create_from_pattern(compiled, NULL);
    int matches = pcre2_match(compiled, (PCRE2_SPTR) "", 0, 0, 0, data, NULL);
    pcre2_match_data_free(data);
    if (matches >= 0) {
        return error_set(error, ERR_INVALID, "pattern %d matches an empty text", number);
    }
    /* Without the compiler for this processor it is slower, no more. */
    (void)pcre2_jit_compile(compiled, PCRE2_JIT_COMPLETE);
    return ERR_OK;
}

static enum err add_patterns(struct redact *redact, const char *patterns, struct error *error)
{
    static const char blanks[] = " \t\r\n";
    enum err err = ERR_OK;
    int number = 0;
    for (const char *at = patterns; at != NULL && *(at += strspn(at, blanks)) != '\0';) {
        size_t len = strcspn(at, blanks);
        err = add_pattern(redact, (struct slice){at, len}, ++number, error);
        if (err != ERR_OK) {
            break;
        }
        at += len;
    }
    return err;
}

enum err redact_create(struct redact **out, const struct redact_options *options,
                       struct error *error)
{
    struct redact *redact = memory_zalloc(sizeof(*redact));
    enum err err = ERR_OK;
    add_keys(redact, options->keys);
    for (size_t i = 0; options->built_in && i < COUNT(built_in_keys); i++) {
        add_key(redact, slice_from(built_in_keys[i]));
    }
    for (size_t i = 0; options->built_in && i < COUNT(built_in_patterns) && err == ERR_OK; i++) {
        err = add_pattern(redact, slice_from(built_in_patterns[i]), 0, error);
    }
    if (err == ERR_OK) {
        err = add_patterns(redact, options->patterns, error);
    }
    if (err != ERR_OK) {
        redact_destroy(redact);
        redact = NULL;
    }
    *out = redact;
    return err;
}

void redact_destroy(struct redact *redact)
{
    if (redact == NULL) {
        return;
    }
    pcre2_code **patterns = (pcre2_code **)redact->_patterns.data;
    for (size_t i = 0; i < redact->_patterns.len / sizeof(*patterns); i++) {
        pcre2_code_free(patterns[i]);
    }
    buf_finish(&redact->_patterns);
    buf_finish(&redact->_keys);
    free(redact->_keys_text);
    free(redact);
}

bool redact_is_empty(const struct redact *redact)
{
    return redact->_keys.len == 0 && redact->_patterns.len == 0;
}

/* --- matching ------------------------------------------------------------------------------ */

struct redact_matcher *redact_matcher_create(const struct redact *redact)
{
    struct redact_matcher *matcher = memory_zalloc(sizeof(*matcher));
    matcher->redact = redact;
    if (redact->_patterns.len == 0) {
        return matcher;
    }
    /* Of a pattern's groups only the first, the whole match, is of interest. */
    matcher->data = pcre2_match_data_create(1, NULL);
    matcher->context = pcre2_match_context_create(NULL);
    matcher->stack = pcre2_jit_stack_create(32 * 1024, JIT_STACK_BYTES, NULL);
    if (matcher->data == NULL || matcher->context == NULL || matcher->stack == NULL) {
        abort(); /* as every other allocation */
    }
    pcre2_set_match_limit(matcher->context, MATCH_LIMIT);
    pcre2_set_depth_limit(matcher->context, DEPTH_LIMIT);
    pcre2_set_heap_limit(matcher->context, HEAP_LIMIT_KB);
    pcre2_jit_stack_assign(matcher->context, NULL, matcher->stack);
    return matcher;
}

void redact_matcher_destroy(struct redact_matcher *matcher)
{
    pcre2_match_data_free(matcher->data);
    pcre2_match_context_free(matcher->context);
    pcre2_jit_stack_free(matcher->stack);
    free(matcher);
}

static bool is_spent(const struct redact_matcher *matcher)
{
    return matcher->spent_us > REDACT_BUDGET_MS * INT64_C(1000);
}

/* The next match from *at on; *at moves to where to go on. PCRE2's answer: below 0 and not NOMATCH when
 * it could not be found out. */
static int find_next(struct redact_matcher *matcher, const pcre2_code *pattern, struct slice text,
                     size_t *at)
{
    int found = PCRE2_ERROR_NOMATCH;
    while (found == PCRE2_ERROR_NOMATCH && *at <= text.len && !is_spent(matcher)) {
        int64_t began_us = clock_monotonic_us();
        pcre2_set_offset_limit(matcher->context, *at + STARTS_MAX - 1);
        found = pcre2_match(pattern, (PCRE2_SPTR)text.data, text.len, *at, 0, matcher->data,
                            matcher->context);
        matcher->spent_us += clock_monotonic_us() - began_us;
        if (found == PCRE2_ERROR_NOMATCH) {
            *at += STARTS_MAX;
            /* Not into the middle of a character. */
            while (*at < text.len && ((uint8_t)text.data[*at] & 0xc0) == 0x80) {
                (*at)--;
            }
        }
    }
    return is_spent(matcher) ? PCRE2_ERROR_MATCHLIMIT : found;
}

/* False: it could not be found out whether the pattern matches. */
static bool replace_one(struct redact_matcher *matcher, const pcre2_code *pattern,
                        struct slice *text, struct arena *arena)
{
    const PCRE2_SIZE *match = pcre2_get_ovector_pointer(matcher->data);
    struct buf out = BUF_EMPTY;
    size_t copied = 0;
    size_t at = 0;
    int found;
    while ((found = find_next(matcher, pattern, *text, &at)) >= 0) {
        if (match[1] > match[0]) {
            buf_append(&out, text->data + copied, match[0] - copied);
            buf_append_text(&out, REDACT_MARK);
            copied = match[1];
        }
        at = match[1] > match[0] ? match[1] : match[1] + 1;
        while (at < text->len && ((uint8_t)text->data[at] & 0xc0) == 0x80) {
            at++;
        }
    }
    if (out.len > 0) {
        buf_append(&out, text->data + copied, text->len - copied);
        *text = arena_copy(arena, buf_slice(&out));
    }
    buf_finish(&out);
    return found == PCRE2_ERROR_NOMATCH;
}

struct slice redact_matcher_replace(struct redact_matcher *matcher, struct slice text,
                                    struct arena *arena)
{
    pcre2_code *const *patterns = (pcre2_code *const *)matcher->redact->_patterns.data;
    size_t count = matcher->redact->_patterns.len / sizeof(*patterns);
    for (size_t i = 0; i < count && text.len > 0; i++) {
        if (is_spent(matcher) || !replace_one(matcher, patterns[i], &text, arena)) {
            return SLICE_LITERAL(REDACT_MARK);
        }
    }
    return text;
}
