#include "proto/receipt.h"

#include <inttypes.h>
#include <string.h>

#include "proto/batch.h"
#include "proto/pack.h"

enum { BATCH_FIELDS = 5, HELLO_FIELDS = 4, REFUSAL_FIELDS = 2 };

static const char word_batch[] = "receipt";
static const char word_hello[] = "hello";

static void pack_refused(msgpack_packer *packer, const struct receipt *receipt)
{
    msgpack_pack_array(packer, receipt->refused_count);
    for (uint32_t i = 0; i < receipt->refused_count; i++) {
        msgpack_pack_array(packer, REFUSAL_FIELDS);
        msgpack_pack_uint32(packer, receipt->refused[i].row);
        pack_text(packer, receipt->refused[i].reason);
    }
}

void receipt_pack(struct buf *out, const struct receipt *receipt)
{
    bool hello = receipt->type == RECEIPT_HELLO;
    msgpack_packer packer;
    packer_init(&packer, out);
    msgpack_pack_array(&packer, hello ? HELLO_FIELDS : BATCH_FIELDS);
    msgpack_pack_int(&packer, WIRE_VERSION);
    pack_text(&packer, slice_from(hello ? word_hello : word_batch));
    pack_bytes(&packer, receipt->id, ID_SIZE);
    if (!hello) {
        msgpack_pack_uint32(&packer, receipt->outcome);
        pack_refused(&packer, receipt);
    } else if (receipt->database_reachable) {
        msgpack_pack_true(&packer);
    } else {
        msgpack_pack_false(&packer);
    }
}

static bool unpack_refusal(struct unpacker *unpacker, struct receipt_refusal *refusal)
{
    uint32_t fields;
    int64_t row;
    if (!unpack_array(unpacker, &fields) || fields != REFUSAL_FIELDS ||
        !unpack_integer(unpacker, &row) || row < 0 || row >= BATCH_ROWS_MAX) {
        return false;
    }
    refusal->row = (uint32_t)row;
    return unpack_text(unpacker, &refusal->reason);
}

static bool unpack_refused(struct unpacker *unpacker, struct arena *arena, struct receipt *receipt)
{
    enum { SHORTEST = 3 }; /* array, row, empty reason */
    uint32_t count;
    if (!unpack_array(unpacker, &count) ||
        count > (size_t)(unpacker->end - unpacker->at) / SHORTEST) {
        return false;
    }
    struct receipt_refusal *refused = arena_alloc(arena, count * sizeof(*refused));
    for (uint32_t i = 0; i < count; i++) {
        if (!unpack_refusal(unpacker, &refused[i])) {
            return false;
        }
    }
    receipt->refused = refused;
    receipt->refused_count = count;
    return true;
}

static bool unpack_batch(struct unpacker *unpacker, struct arena *arena, struct receipt *receipt)
{
    int64_t outcome;
    if (!unpack_integer(unpacker, &outcome) ||
        (outcome != RECEIPT_STORED && outcome != RECEIPT_DUPLICATE)) {
        return false;
    }
    receipt->outcome = (enum receipt_outcome)outcome;
    return unpack_refused(unpacker, arena, receipt);
}

enum err receipt_unpack(struct slice frame, struct arena *arena, struct receipt *receipt,
                        struct error *error)
{
    struct unpacker unpacker = unpacker_from(frame);
    uint32_t fields;
    int64_t version;
    struct slice word, id;
    memset(receipt, 0, sizeof(*receipt));
    if (!unpack_array(&unpacker, &fields) || fields == 0 || !unpack_integer(&unpacker, &version)) {
        return error_set(error, ERR_INVALID, "not a receipt");
    }
    if (version != WIRE_VERSION) {
        return error_set(error, ERR_INVALID,
                         "a receipt of wire version %" PRId64 ", this is version %d", version,
                         WIRE_VERSION);
    }
    if (!unpack_text(&unpacker, &word) || !unpack_bytes(&unpacker, &id) || id.len != ID_SIZE) {
        return error_set(error, ERR_INVALID, "malformed receipt");
    }
    memcpy(receipt->id, id.data, ID_SIZE);
    bool fine = false;
    if (slice_is(word, word_batch) && fields == BATCH_FIELDS) {
        receipt->type = RECEIPT_BATCH;
        fine = unpack_batch(&unpacker, arena, receipt);
    } else if (slice_is(word, word_hello) && fields == HELLO_FIELDS) {
        receipt->type = RECEIPT_HELLO;
        fine = unpack_bool(&unpacker, &receipt->database_reachable);
    }
    if (!fine || !unpack_is_done(&unpacker)) {
        return error_set(error, ERR_INVALID, "malformed receipt");
    }
    return ERR_OK;
}
