/* A body of POST /api/public/models. Beside what holds of all: one model, whose note and tiers are JSON, and whose
 * prices the writer takes. */
#include "common/money.h"
#include "gateway/ingest/decode_model.h"
#include "tests/fuzz/decode_check.h"

static void check_prices(struct json_reader *reader)
{
    struct slice kind;
    struct slice number;
    struct money price;
    CHECK(json_object_begin(reader));
    while (json_object_next(reader, &kind)) {
        CHECK(json_number(reader, &number) && money_parse(number, &price));
    }
}

static void check_model_row(const struct row *row, struct arena *arena)
{
    struct json_reader reader;
    struct slice key;
    struct slice tiers = arena_copy(arena, row->values[MODEL_PRICING_TIERS].slice);
    CHECK(row->kind == ROW_MODEL && row_has(row, MODEL_PRICING_TIERS));
    json_reader_init(&reader, (char *)tiers.data, tiers.len, JSON_DEPTH_MAX, arena);
    CHECK(json_array_begin(&reader));
    while (json_array_next(&reader)) {
        CHECK(json_object_begin(&reader));
        while (json_object_next(&reader, &key)) {
            if (slice_is(key, "prices")) {
                check_prices(&reader);
            } else {
                json_skip(&reader, NULL);
            }
        }
    }
    CHECK(json_end(&reader, NULL) == ERR_OK);
}

static enum err decode(const struct decode_input *input, struct collect *out, struct error *error)
{
    enum err err = decode_model(input, out, error);
    if (err == ERR_OK) {
        check_json(buf_slice(&out->note));
        CHECK(out->row_count == 1 && out->record_count == 1);
    }
    return err;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_decoder(decode, 32, data, size, check_model_row);
    return 0;
}
