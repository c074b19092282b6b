/*
 * events: texts of events of Langfuse's ingestion, and what decode_ingestion makes of them, for tests.
 */
#pragma once

#include "decoded.h"
#include "gateway/ingest/ingestion.h"

/* 2026-11-20T10:00:00Z */
#define AT_US INT64_C(1795168800000000)
#define AT    "2026-11-20T10:00:00.000Z"

#define EVENT_AT(id, type, at, body)                                                               \
    "{\"id\":\"" id "\",\"type\":\"" type "\",\"timestamp\":\"" at "\",\"body\":" body "}"
#define EVENT(id, type, body) EVENT_AT(id, type, AT, body)
#define BATCH(events)         "{\"batch\":[" events "],\"metadata\":{\"sdk\":[1]}}"
#define ONE(type, body)       BATCH(EVENT("e", type, body))

/* Runs decode_ingestion on the text, which it must take; decoded_close ends it. */
void events_open_text(struct decoded *d, const char *text);
/* On a batch of them; the list ends with NULL. */
void events_open(struct decoded *d, const char *const *events);

uint32_t events_id_column(enum row_kind kind);

/* The first row of that kind, id and band that has the column; NULL: there is none. */
const struct row *events_find(const struct decoded *d, enum row_kind kind, const char *id,
                              enum ingestion_band band, uint32_t column);
/* expected NULL: there is no such row. */
void events_assert_in(struct decoded *d, enum row_kind kind, const char *id,
                      enum ingestion_band band, uint32_t column, const char *expected);
/* Of an observation, in the band of what its events say. */
void events_assert_said(struct decoded *d, const char *id, uint32_t column, const char *expected);

/* A batch of one event, which is refused with these words, or taken. */
void events_assert_refused(const char *text, const char *expected);
void events_assert_taken(const char *text);
