/*
 * options: the settings of a client; filled by the setters of xtrace.h, copied once by the client and
 * read only from then on.
 */
#pragma once

#include "client/xtrace.h"

struct xtrace_options {
    char *url; /* owned, as all texts here; without a slash at the end */
    char *token;
    char *public_key;
    char *secret_key;
    char *ca_file;
    uint32_t connect_ms;
    uint32_t attempt_ms;
    uint32_t call_ms;
    uint32_t attempts;
    uint32_t base_ms;
    uint32_t max_ms;
    uint32_t give_up_ms;
    size_t queue_bytes;
    uint32_t batch_records;
    size_t batch_bytes;
    uint32_t batch_age_ms;
    size_t answer_bytes;
    xtrace_on_lost on_lost;
    void *on_lost_closure;
};

/* from NULL: the defaults. False without memory: to is finished then. */
bool xtrace_options_copy(struct xtrace_options *to, const struct xtrace_options *from);
void xtrace_options_finish(struct xtrace_options *options);
