#include "gateway/ingest/collect.h"

#include <assert.h>
#include <string.h>

#include "gateway/ingest/capture.h"
#include "proto/batch.h"

/* Texts lie in _texts: field at the offset, reason right behind it. */
struct refusal {
    uint32_t record;
    uint32_t offset;
    enum err err;
    uint32_t field_len;
    uint32_t reason_len;
};

void collect_init(struct collect *collect, uint32_t max_refusals)
{
    *collect = (struct collect){.max_refusals = max_refusals};
}

void collect_finish(struct collect *collect)
{
    buf_finish(&collect->rows);
    buf_finish(&collect->_row_records);
    buf_finish(&collect->_records);
    buf_finish(&collect->_refusals);
    buf_finish(&collect->_texts);
    buf_finish(&collect->note);
}

void collect_reset(struct collect *collect)
{
    buf_reset(&collect->rows);
    buf_reset(&collect->_row_records);
    buf_reset(&collect->_records);
    buf_reset(&collect->_refusals);
    buf_reset(&collect->_texts);
    buf_reset(&collect->note);
    collect->row_count = 0;
    collect->record_count = 0;
    collect->refused_count = 0;
    collect->ignored_count = 0;
    collect->refusal_count = 0;
}

static struct collect_record *record_at(const struct collect *collect, uint32_t record)
{
    assert(record < collect->record_count);
    return (struct collect_record *)collect->_records.data + record;
}

uint32_t collect_record(struct collect *collect, const char *place, uint32_t index,
                        enum row_kind kind, struct slice id)
{
    id.len = id.len <= COLLECT_ID_MAX ? id.len : 0;
    struct collect_record record = {
        .place = place,
        .index = index,
        .kind = (uint16_t)kind,
        ._id_len = (uint16_t)id.len,
        ._id_offset = (uint32_t)collect->_texts.len,
    };
    buf_append_slice(&collect->_texts, id);
    buf_append(&collect->_records, &record, sizeof(record));
    return collect->record_count++;
}

void collect_row(struct collect *collect, uint32_t record, const struct row *row)
{
    struct row kept;
    if (collect->capture != NULL) {
        capture_row(collect->capture, row, &kept);
        row = &kept;
    }
    batch_pack_row(&collect->rows, row);
    buf_append(&collect->_row_records, &record, sizeof(record));
    collect->row_count++;
}

void collect_refuse(struct collect *collect, uint32_t record, struct slice field,
                    struct slice reason)
{
    collect_refuse_as(collect, record, ERR_INVALID, field, reason);
}

void collect_refuse_as(struct collect *collect, uint32_t record, enum err err, struct slice field,
                       struct slice reason)
{
    struct collect_record *refused = record_at(collect, record);
    if (refused->refused) {
        return;
    }
    refused->refused = true;
    collect->refused_count++;
    if (collect->refusal_count == collect->max_refusals) {
        return;
    }
    struct refusal refusal = {
        .record = record,
        .offset = (uint32_t)collect->_texts.len,
        .err = err,
        .field_len = (uint32_t)field.len,
        .reason_len = (uint32_t)reason.len,
    };
    buf_append_slice(&collect->_texts, field);
    buf_append_slice(&collect->_texts, reason);
    buf_append(&collect->_refusals, &refusal, sizeof(refusal));
    collect->refusal_count++;
}

void collect_refuse_row(struct collect *collect, uint32_t row, struct slice reason)
{
    if (row < collect->row_count) {
        uint32_t record = ((const uint32_t *)collect->_row_records.data)[row];
        collect_refuse(collect, record, (struct slice){NULL, 0}, reason);
    }
}

void collect_count(const struct collect *collect, uint32_t all[ROW_KIND_COUNT],
                   uint32_t good[ROW_KIND_COUNT])
{
    memset(all, 0, ROW_KIND_COUNT * sizeof(*all));
    memset(good, 0, ROW_KIND_COUNT * sizeof(*good));
    for (uint32_t i = 0; i < collect->record_count; i++) {
        const struct collect_record *record = record_at(collect, i);
        if (record->kind < ROW_KIND_COUNT) {
            all[record->kind]++;
            good[record->kind] += !record->refused;
        }
    }
}

uint32_t collect_count_stored(const struct collect *collect, enum row_kind kind)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < collect->record_count; i++) {
        const struct collect_record *record = record_at(collect, i);
        count += record->kind == kind && !record->refused;
    }
    return count;
}

struct collect_refusal collect_refusal(const struct collect *collect, uint32_t index)
{
    assert(index < collect->refusal_count);
    const struct refusal *refusal = (const struct refusal *)collect->_refusals.data + index;
    const struct collect_record *record = record_at(collect, refusal->record);
    const char *texts = collect->_texts.data;
    return (struct collect_refusal){
        .record = record,
        .id = {texts + record->_id_offset, record->_id_len},
        .field = {texts + refusal->offset, refusal->field_len},
        .reason = {texts + refusal->offset + refusal->field_len, refusal->reason_len},
        .err = refusal->err,
    };
}

struct slice collect_record_id(const struct collect *collect, uint32_t record)
{
    const struct collect_record *of = record_at(collect, record);
    return (struct slice){collect->_texts.data + of->_id_offset, of->_id_len};
}

bool collect_is_alone(const struct collect *collect)
{
    return collect->record_count == 1 && record_at(collect, 0)->index == COLLECT_ALONE;
}

bool collect_is_refused(const struct collect *collect, uint32_t record)
{
    return record_at(collect, record)->refused;
}

void collect_refusal_path(const struct collect_refusal *refusal, struct buf *out)
{
    buf_append_text(out, refusal->record->place);
    if (refusal->record->index != COLLECT_ALONE) {
        buf_printf(out, "[%u]", refusal->record->index);
    }
    if (refusal->field.len > 0) {
        buf_append_char(out, '.');
        buf_append_slice(out, refusal->field);
    }
}
