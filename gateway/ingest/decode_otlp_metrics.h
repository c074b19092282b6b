/*
 * decode_otlp_metrics: an OTLP export of metrics -> points. Second step of the ingest line; pure.
 *
 *   gauge, sum             NAME
 *   histogram, exponential NAME.count, .sum, .min, .max, and NAME.bucket with the label le: how many
 *                          values were not greater than it
 *   summary                NAME.count, .sum, and NAME.quantile with the label quantile
 *
 * Labels are the point's attributes, and where those have none of that key: what tells its resource
 * apart (decode_otlp_metrics.c has the list), the scope's name, and otel.metric.type, .unit and .temporality.
 *
 * A data point that cannot be stored is refused by itself, as "dataPoints[n]" in the order of the
 * body: no time, no value, a value that is not finite, the flag that says that none was recorded,
 * buckets that do not fit their bounds, labels that break a rule of labels.h. Of one that makes several
 * points either all are stored or none.
 */
#pragma once

#include "gateway/ingest/decode.h"

MUST_CHECK enum err decode_otlp_metrics_json(const struct decode_input *input, struct collect *out,
                                             struct error *error);
MUST_CHECK enum err decode_otlp_metrics_protobuf(const struct decode_input *input,
                                                 struct collect *out, struct error *error);
