/* A body of POST /api/public/ingestion, after a byte that says who sends it; or one of a legacy route. */
#include "gateway/ingest/decode_ingestion.h"
#include "tests/fuzz/decode_check.h"

static enum err decode_as_browser(const struct decode_input *input, struct collect *out,
                                  struct error *error)
{
    struct decode_input public = *input;
    public.scores_only = true;
    return decode_ingestion(&public, out, error);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const decoder decoders[] = {decode_ingestion, decode_as_browser, decode_score,
                                       decode_legacy_generation_update};
    if (size > 0) {
        size_t which = data[0] - (size_t)'0';
        check_decoder(which < 4 ? decoders[which] : decode_ingestion, 32, data + 1, size - 1, NULL);
    }
    return 0;
}
