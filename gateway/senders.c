#include "gateway/senders.h"

#include <stdio.h>
#include <string.h>

enum { WORD_MAX = 64, LABELS_SIZE = 3 * WORD_MAX + 64 };

static const char other_labels[] = "sdk=\"other\",version=\"\",integration=\"\"";

void senders_init(struct senders *senders)
{
    memset(senders, 0, sizeof(*senders));
    senders->_others.labels = other_labels;
    pthread_mutex_init(&senders->_lock, NULL);
}

void senders_finish(struct senders *senders)
{
    pthread_mutex_destroy(&senders->_lock);
    arena_finish(&senders->_arena);
}

/* As SDKs and versions are spelled; nothing that a label would have to escape. */
static bool is_word(struct slice text)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
                                  "._-+/@: ";
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] == '\0' || strchr(letters, text.data[i]) == NULL) {
            return false;
        }
    }
    return text.len <= WORD_MAX;
}

static struct sender *find(struct senders *senders, const char *labels)
{
    uint32_t count = atomic_load_explicit(&senders->_count, memory_order_acquire);
    for (uint32_t i = 0; i < count; i++) {
        if (strcmp(senders->_all[i].labels, labels) == 0) {
            return &senders->_all[i];
        }
    }
    return NULL;
}

static struct sender *find_or_add(struct senders *senders, const char *labels)
{
    struct sender *sender = find(senders, labels);
    if (sender != NULL) {
        return sender;
    }
    pthread_mutex_lock(&senders->_lock);
    sender = find(senders, labels);
    uint32_t count = atomic_load(&senders->_count);
    if (sender == NULL && count < SENDERS_MAX) {
        sender = &senders->_all[count];
        sender->labels = arena_text(&senders->_arena, slice_from(labels));
        atomic_store_explicit(&senders->_count, count + 1, memory_order_release);
    }
    pthread_mutex_unlock(&senders->_lock);
    return sender != NULL ? sender : &senders->_others;
}

void senders_note(struct senders *senders, struct slice name, struct slice version,
                  struct slice integration)
{
    char labels[LABELS_SIZE];
    struct sender *sender = &senders->_others;
    if (name.len == 0) {
        return;
    }
    if (is_word(name) && is_word(version) && is_word(integration)) {
        (void)snprintf(labels, sizeof(labels), "sdk=\"%.*s\",version=\"%.*s\",integration=\"%.*s\"",
                       (int)name.len, name.data, (int)version.len, version.data,
                       (int)integration.len, integration.data);
        sender = find_or_add(senders, labels);
    }
    metric_add(&sender->requests, 1);
}

void senders_print(const struct senders *senders, struct buf *out)
{
    struct metric rows[] = {
        {"xtrace_gateway_sdk_requests_total", NULL,
         "Requests that write, by the SDK that their headers name.", METRIC_COUNTER,
         offsetof(struct sender, requests)},
        {.name = NULL},
    };
    uint32_t count =
        atomic_load_explicit((_Atomic(uint32_t) *)&senders->_count, memory_order_acquire);
    for (uint32_t i = 0; i < count; i++) {
        metrics_print(out, rows, &senders->_all[i], senders->_all[i].labels);
        rows[0].help = NULL;
    }
    if (metric_get(&senders->_others.requests) > 0) {
        metrics_print(out, rows, &senders->_others, senders->_others.labels);
    }
}
