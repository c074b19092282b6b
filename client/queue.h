/*
 * queue: records that wait in bounded memory, and the one thread that sends them in batches. Two lanes,
 * traces with observations and metrics, share the bytes. Thread-safe but for create and destroy.
 */
#pragma once

#include "client/options.h"

enum xtrace_lane { XTRACE_LANE_RECORDS, XTRACE_LANE_METRICS, XTRACE_LANE_COUNT };

struct xtrace_queue;

/* options are borrowed and must outlive it. No thread yet. */
enum xtrace_status xtrace_queue_create(struct xtrace_queue **out,
                                       const struct xtrace_options *options);

/* Only after close. NULL is fine. */
void xtrace_queue_destroy(struct xtrace_queue *queue);

/* json is copied. is_trace: of these a request can carry one. */
enum xtrace_status xtrace_queue_add(struct xtrace_queue *queue, enum xtrace_lane lane,
                                    bool is_trace, const char *json, size_t len);

enum xtrace_status xtrace_queue_flush(struct xtrace_queue *queue, uint32_t timeout_ms);

/* Sends what can be sent by then, drops and counts the rest, ends the thread. Once closed: XTRACE_OK
 * at once. */
enum xtrace_status xtrace_queue_close(struct xtrace_queue *queue, uint32_t timeout_ms);

void xtrace_queue_stats(struct xtrace_queue *queue, struct xtrace_stats *stats);
