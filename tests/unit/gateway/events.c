#include "events.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/ingest/decode_ingestion.h"

void events_open_text(struct decoded *d, const char *text)
{
    decoded_open_by(d, decode_ingestion, text, strlen(text));
    if (d->err != ERR_OK) {
        print_error("%s: %s\n", text, d->error.text);
    }
    assert_int_equal(d->err, ERR_OK);
}

void events_open(struct decoded *d, const char *const *events)
{
    struct buf text = BUF_EMPTY;
    for (size_t i = 0; events[i] != NULL; i++) {
        buf_append_text(&text, i == 0 ? "{\"batch\":[" : ",");
        buf_append_text(&text, events[i]);
    }
    buf_append(&text, "]}", sizeof("]}"));
    events_open_text(d, text.data);
    buf_finish(&text);
}

static enum ingestion_band band_of(int64_t version)
{
    return version > INT64_MAX / 2    ? BAND_FIRST
           : version > INT64_MIN / 16 ? BAND_SAID
           : version > INT64_MIN / 4  ? BAND_ASSUMED
                                      : BAND_WEAK;
}

uint32_t events_id_column(enum row_kind kind)
{
    return kind == ROW_TRACE         ? (uint32_t)TRACE_ID
           : kind == ROW_OBSERVATION ? (uint32_t)OBSERVATION_ID
                                     : (uint32_t)SCORE_ID;
}

const struct row *events_find(const struct decoded *d, enum row_kind kind, const char *id,
                              enum ingestion_band band, uint32_t column)
{
    for (uint32_t i = 0; i < d->collect.row_count; i++) {
        const struct row *row = &d->rows[i];
        if (row->kind == kind && slice_is(row->values[events_id_column(kind)].slice, id) &&
            band_of(row->version) == band && row_has(row, column)) {
            return row;
        }
    }
    return NULL;
}

void events_assert_in(struct decoded *d, enum row_kind kind, const char *id,
                      enum ingestion_band band, uint32_t column, const char *expected)
{
    const struct row *row = events_find(d, kind, id, band, column);
    const char *value = row != NULL ? decoded_value(d, row, column) : NULL;
    const char *name = row_tables[kind].columns[column].name;
    if (expected == NULL ? value != NULL : value == NULL || strcmp(value, expected) != 0) {
        fail_msg("%s of %s in band %d: %s, not %s", name, id, band, value != NULL ? value : "none",
                 expected != NULL ? expected : "none");
    }
}

void events_assert_said(struct decoded *d, const char *id, uint32_t column, const char *expected)
{
    events_assert_in(d, ROW_OBSERVATION, id, BAND_SAID, column, expected);
}

void events_assert_refused(const char *text, const char *expected)
{
    struct decoded d;
    events_open_text(&d, text);
    const char *refusal = decoded_refusal(&d, 0);
    if (refusal == NULL || strcmp(refusal, expected) != 0) {
        fail_msg("%s: %s, not %s", text, refusal != NULL ? refusal : "taken", expected);
    }
    assert_int_equal(d.collect.refused_count, 1);
    assert_int_equal(d.collect.row_count, 0);
    decoded_close(&d);
}

void events_assert_taken(const char *text)
{
    struct decoded d;
    events_open_text(&d, text);
    const char *refusal = decoded_refusal(&d, 0);
    if (refusal != NULL) {
        fail_msg("%s: %s", text, refusal);
    }
    assert_int_equal(d.collect.record_count, 1);
    decoded_close(&d);
}
