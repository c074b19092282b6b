#include "gateway/scope.h"

#include <stddef.h>

static const char api[] = "/api/public/";

/* Below the API's path: each stands for itself and for all that is beneath it. */
static const char *const elsewhere[] = {
    "annotation-queues", "comments",        "dataset-items",
    "dataset-run-items", "datasets",        "experiments",
    "integrations",      "llm-connections", "mcp",
    "organizations",     "prompts",         "scim",
    "score-configs",     "unstable",        "v2/datasets",
    "v2/dataset-items",  "v2/prompts",
};

static bool begins_with(struct slice text, const char *start)
{
    size_t len = strlen(start);
    return text.len >= len && memcmp(text.data, start, len) == 0;
}

bool scope_is_elsewhere(struct slice path)
{
    if (!begins_with(path, api)) {
        return false;
    }
    struct slice rest = {path.data + strlen(api), path.len - strlen(api)};
    for (size_t i = 0; i < sizeof(elsewhere) / sizeof(elsewhere[0]); i++) {
        size_t len = strlen(elsewhere[i]);
        if (begins_with(rest, elsewhere[i]) && (rest.len == len || rest.data[len] == '/')) {
            return true;
        }
    }
    return false;
}

enum err scope_describe(struct slice path, struct error *error)
{
    if (scope_is_elsewhere(path)) {
        return error_set(error, ERR_NOT_FOUND,
                         "not part of xtrace, which keeps traces, observations, scores, sessions, "
                         "models and metrics");
    }
    if (slice_is(path, "/")) {
        return error_set(error, ERR_NOT_FOUND,
                         "this is xtrace " XTRACE_VERSION
                         "; its API is described at /api/openapi.json");
    }
    return error_set(error, ERR_NOT_FOUND, "Not Found");
}
