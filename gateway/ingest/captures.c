#include "gateway/ingest/captures.h"

#include <stdlib.h>
#include <string.h>

#include "common/arena.h"
#include "common/log.h"
#include "gateway/ingest/capture.h"

struct project_rules {
    char *project;
    struct capture *capture;
    bool is_broken;
};

struct captures {
    struct capture *otherwise;      /* the settings' */
    struct project_rules *projects; /* sorted */
    size_t count;
};

static int compare(const void *a, const void *b)
{
    return strcmp(((const struct project_rules *)a)->project,
                  ((const struct project_rules *)b)->project);
}

static void make_rules(struct project_rules *rules, const struct config *config,
                       const struct captures_row *row)
{
    struct error error;
    enum capture_mode mode = config->capture;
    enum err err = ERR_OK;
    rules->project = memory_text(row->project);
    if (row->mode != NULL && !capture_mode_parse(row->mode, &mode)) {
        err = error_set(&error, ERR_INVALID, "there is no such mode");
    }
    if (err == ERR_OK) {
        err = capture_create(
            &rules->capture, mode, row->keys != NULL ? row->keys : config->redact_keys,
            row->patterns != NULL ? row->patterns : config->redact_patterns, &error);
    }
    if (err != ERR_OK) {
        rules->is_broken = true;
        log_event(LOG_ERROR, "capture rules cannot be used", "project", row->project, "reason",
                  error.text, NULL);
    }
}

enum err captures_create(struct captures **out, const struct config *config,
                         const struct captures_row *rows, size_t count, struct error *error)
{
    struct captures *captures = memory_zalloc(sizeof(*captures));
    *out = NULL;
    enum err err = capture_create(&captures->otherwise, config->capture, config->redact_keys,
                                  config->redact_patterns, error);
    if (err != ERR_OK) {
        captures_destroy(captures);
        return err;
    }
    captures->projects = memory_zalloc((count + 1) * sizeof(*captures->projects));
    for (size_t i = 0; i < count; i++) {
        make_rules(&captures->projects[captures->count++], config, &rows[i]);
    }
    qsort(captures->projects, captures->count, sizeof(*captures->projects), compare);
    *out = captures;
    return ERR_OK;
}

void captures_destroy(struct captures *captures)
{
    if (captures == NULL) {
        return;
    }
    for (size_t i = 0; i < captures->count; i++) {
        capture_destroy(captures->projects[i].capture);
        free(captures->projects[i].project);
    }
    capture_destroy(captures->otherwise);
    free(captures->projects);
    free(captures);
}

enum err captures_find(const struct captures *captures, const char *project,
                       const struct capture **out, struct error *error)
{
    struct project_rules wanted = {.project = (char *)project};
    const struct project_rules *own =
        bsearch(&wanted, captures->projects, captures->count, sizeof(*captures->projects), compare);
    if (own != NULL && own->is_broken) {
        return error_set(error, ERR_UNAVAILABLE,
                         "the rules of what this project keeps cannot be used: see the log");
    }
    *out = own != NULL ? own->capture : captures->otherwise;
    return ERR_OK;
}
