/*
 * decode_ingestion: batches of events as Langfuse's SDKs send them, and the bodies of the legacy routes,
 * which are one event each -> rows (contract/langfuse.md section 2). Second step of the ingest line;
 * pure.
 *
 *   envelope -> event -> ingestion.h: body -> rows
 *
 * Each event is a record of its own, named by its own id; one that is wrong harms no other. Of one
 * request's events with the same time the later wins and updates follow creates: an event's version is
 * its time, and where that is whole milliseconds the places within count
 *   + 500 us for an update, + its position among events of the same time that follow each other
 * so that the same batch sent again has the same versions.
 *
 * An observation that does not name its trace belongs to the one that another event of the request
 * names for its id; else its rows go on with ROW_NO_TRACE.
 */
#pragma once

#include "gateway/ingest/decode.h"

/* {"batch": [event, ...]} */
MUST_CHECK enum err decode_ingestion(const struct decode_input *input, struct collect *out,
                                     struct error *error);

/* A score alone, or a list of scores, each a record of its own, as the SDK of Python sends them since version 5.
 * They have the ids of the scores, made up where there is none. */
MUST_CHECK enum err decode_score(const struct decode_input *input, struct collect *out,
                                 struct error *error);

/* A body alone. The one record has the id of the entity, made up where there is none. */
MUST_CHECK enum err decode_legacy_trace(const struct decode_input *input, struct collect *out,
                                        struct error *error);
MUST_CHECK enum err decode_legacy_span(const struct decode_input *input, struct collect *out,
                                       struct error *error);
MUST_CHECK enum err decode_legacy_span_update(const struct decode_input *input, struct collect *out,
                                              struct error *error);
MUST_CHECK enum err decode_legacy_generation(const struct decode_input *input, struct collect *out,
                                             struct error *error);
MUST_CHECK enum err decode_legacy_generation_update(const struct decode_input *input,
                                                    struct collect *out, struct error *error);
MUST_CHECK enum err decode_legacy_event(const struct decode_input *input, struct collect *out,
                                        struct error *error);
