/*
 * encode: the structs of xtrace.h -> the JSON of the routes. Pure but for the time of a metric that
 * has none. What is wrong goes into error (may be NULL) and names the field.
 */
#pragma once

#include "client/text.h"
#include "client/xtrace.h"

enum xtrace_status xtrace_encode_trace(struct xtrace_text *out, const struct xtrace_trace *trace,
                                       struct xtrace_error *error);
enum xtrace_status xtrace_encode_observation(struct xtrace_text *out,
                                             const struct xtrace_observation *observation,
                                             struct xtrace_error *error);
enum xtrace_status xtrace_encode_metric(struct xtrace_text *out, const struct xtrace_metric *metric,
                                        struct xtrace_error *error);

/* Whole bodies; trace may be NULL. The elements lie as far apart as the first one's size says. */
enum xtrace_status xtrace_encode_batch(struct xtrace_text *out, const struct xtrace_trace *trace,
                                       const struct xtrace_observation *observations, size_t count,
                                       struct xtrace_error *error);
enum xtrace_status xtrace_encode_metrics(struct xtrace_text *out,
                                         const struct xtrace_metric *metrics, size_t count,
                                         struct xtrace_error *error);

/* An object of labels. */
void xtrace_encode_labels(struct xtrace_text *out, const struct xtrace_label *labels, size_t count);
