#include "gateway/ingest/decode_metrics.h"

#include "common/json_read.h"
#include "gateway/ingest/fields.h"
#include "gateway/ingest/labels.h"

enum { PATH_KEY_MAX = 100 /* bytes; a longer key is no help in a message */ };

static const char place[] = "metrics";

static const struct field metric_table[] = {
    FIELD("name", FORM_TEXT, METRIC_NAME),
    FIELD("labels", FORM_JSON, METRIC_LABELS),
    FIELD("value", FORM_FLOAT, METRIC_VALUE),
    FIELD("timestamp", FORM_TIME, METRIC_TIMESTAMP),
};

static const struct fields metric_fields = {
    .kind = ROW_METRIC,
    .table = metric_table,
    .count = sizeof(metric_table) / sizeof(metric_table[0]),
};

struct decoding {
    const struct decode_input *input;
    struct collect *out;
    struct json_reader reader;
    struct fields_row fields_row; /* the present one */

    /* Points that follow each other often have the same labels, to the letter. */
    struct slice last_labels; /* in the body */
    struct buf canonical;     /* of last_labels */
};

static void refuse(struct decoding *decoding, uint32_t record, const char *field, struct slice key,
                   const char *reason)
{
    struct buf path = BUF_EMPTY;
    buf_append_text(&path, field);
    if (key.len > 0 && key.len <= PATH_KEY_MAX) {
        buf_append_char(&path, '.');
        buf_append_slice(&path, key);
    }
    collect_refuse(decoding->out, record, buf_slice(&path), slice_from(reason));
    buf_finish(&path);
}

/* Sets the canonical labels; they are good until the next record. */
static bool set_labels(struct decoding *decoding, struct row *row, struct labels_fault *fault)
{
    if (!row_has(row, METRIC_LABELS)) {
        row_set_slice(row, METRIC_LABELS, SLICE_LITERAL("{}"));
        return true;
    }
    struct slice labels = row->values[METRIC_LABELS].slice;
    if (!slice_equals(labels, decoding->last_labels)) {
        buf_reset(&decoding->canonical);
        decoding->last_labels = (struct slice){NULL, 0};
        if (!labels_canonical(labels, decoding->input->scratch, &decoding->canonical, fault)) {
            return false;
        }
        decoding->last_labels = labels;
    }
    row_set_slice(row, METRIC_LABELS, buf_slice(&decoding->canonical));
    return true;
}

static void collect_metric(struct decoding *decoding, uint32_t record)
{
    struct row *row = &decoding->fields_row.row;
    struct labels_fault labels_fault;
    bool labelled = set_labels(decoding, row, &labels_fault);
    struct fault fault;
    if (!fields_check(&metric_fields, &decoding->fields_row, decoding->input->scratch, &fault)) {
        fields_refuse(decoding->out, record, &metric_fields, &fault);
    } else if (!labelled) {
        refuse(decoding, record, "labels", labels_fault.key, labels_fault.reason);
    } else {
        collect_row(decoding->out, record, row);
    }
}

static void read_metric(void *context, uint32_t index)
{
    struct decoding *decoding = context;
    struct slice none = {NULL, 0};
    bool object = fields_read(&metric_fields, &decoding->reader, decoding->input->scratch,
                              &decoding->fields_row);
    decoding->fields_row.row.version = version_event(decoding->input->received_us);
    if (json_failed(&decoding->reader)) {
        return;
    }
    uint32_t record = collect_record(decoding->out, place, index, ROW_METRIC, none);
    if (object) {
        collect_metric(decoding, record);
    } else {
        collect_refuse(decoding->out, record, none, SLICE_LITERAL("not an object"));
    }
}

static void reset(void *context)
{
    struct decoding *decoding = context;
    collect_reset(decoding->out);
}

enum err decode_metrics(const struct decode_input *input, struct collect *out, struct error *error)
{
    struct decoding decoding;
    struct fields_list metrics;
    const struct fields_body body = {place, input->max_records, reset, read_metric, &decoding};
    decoding.input = input;
    decoding.out = out;
    decoding.last_labels = (struct slice){NULL, 0};
    decoding.canonical = BUF_EMPTY;
    json_reader_init(&decoding.reader, input->body, input->len, input->max_depth, input->scratch);
    json_be_lenient(&decoding.reader);
    enum err err = fields_read_body(&body, &decoding.reader, &metrics, error);
    buf_finish(&decoding.canonical);
    return err;
}
