#include "writer/ack.h"

#include "common/buf.h"
#include "common/crash.h"
#include "proto/receipt.h"

static void ack_parcel(struct receive *receive, struct parcel *parcel, struct buf *frame)
{
    bool is_stored = parcel->state == PARCEL_STORED;
    struct receipt receipt = {
        .type = RECEIPT_BATCH,
        .outcome = is_stored ? RECEIPT_STORED : RECEIPT_DUPLICATE,
        .refused = parcel->refused,
        .refused_count = parcel->refused_count,
    };
    memcpy(receipt.id, parcel->header.id, ID_SIZE);
    buf_reset(frame);
    receipt_pack(frame, &receipt);
    /* A receipt that cannot leave is not missed: the gateway sends again and hears DUPLICATE. */
    if (!parcel->is_acked) {
        receive_send(receive, parcel->message.gateway, buf_slice(frame));
        parcel->is_acked = true;
    }
    while (parcel->repeats != NULL) {
        receive_send(receive, parcel->repeats->gateway, buf_slice(frame));
        parcel->repeats = parcel->repeats->next;
    }
    crash_point("receipt_sent");
}

void ack_group(struct receive *receive, struct group *group)
{
    struct buf frame = BUF_EMPTY;
    for (uint32_t i = 0; i < group->count; i++) {
        struct parcel *parcel = group->parcels[i];
        bool is_settled = parcel->state == PARCEL_STORED || parcel->state == PARCEL_DUPLICATE;
        if (is_settled && (!parcel->is_acked || parcel->repeats != NULL)) {
            ack_parcel(receive, parcel, &frame);
        }
    }
    buf_finish(&frame);
}

bool ack_hello(struct receive *receive, const uint8_t writer_id[ID_SIZE], bool database_reachable)
{
    struct receipt hello = {.type = RECEIPT_HELLO, .database_reachable = database_reachable};
    memcpy(hello.id, writer_id, ID_SIZE);
    struct buf frame = BUF_EMPTY;
    receipt_pack(&frame, &hello);
    bool all = true;
    for (uint32_t i = 0; i < receive_gateway_count(receive); i++) {
        all = receive_send(receive, i, buf_slice(&frame)) && all;
    }
    buf_finish(&frame);
    return all;
}
