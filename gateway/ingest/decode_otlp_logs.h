/*
 * decode_otlp_logs: an OTLP export of log records -> what those of GenAI say of their spans. Second
 * step of the ingest line; pure.
 *
 * A record that names trace and span, and whose event name or one of whose attributes begins with
 * "gen_ai.", becomes a part of that span's observation, whether the span has come or not. All others
 * are accepted and counted (collect's ignored_count).
 *
 *   metadata    logRecords: an object of all records, whose keys sort as they were written; each record
 *               has eventName, timeUnixNano, severity, body, attributes, scope as far as it says so. A
 *               message of the input is its "input", a choice of the output its "output":
 *               readers put those of all records together (migrations/0012_log_records.sql)
 *   input,      of a record that has them whole, as rules 5 and 7 of contract/langfuse.md
 *   output      section 3.5 find them in events of a span
 *
 * Everything is version_weak(time): whatever the span says beats it.
 *
 * A record that is wrong inside is refused by itself, as "logRecords[n]" in the order of the body.
 */
#pragma once

#include "gateway/ingest/decode.h"

MUST_CHECK enum err decode_otlp_logs_json(const struct decode_input *input, struct collect *out,
                                          struct error *error);
MUST_CHECK enum err decode_otlp_logs_protobuf(const struct decode_input *input, struct collect *out,
                                              struct error *error);
