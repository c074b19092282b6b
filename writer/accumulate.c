#include "writer/accumulate.h"

#include <stdlib.h>
#include <string.h>

enum { ARENA_KEPT_MAX = 32 * 1024 * 1024 };

void group_init(struct group *group)
{
    *group = (struct group){.arena = ARENA_EMPTY};
}

void group_reset(struct group *group)
{
    for (uint32_t i = 0; i < group->count; i++) {
        message_finish(&group->parcels[i]->message);
    }
    group->count = 0;
    group->rows = 0;
    group->bytes = 0;
    if (group->_index_size > 0) {
        memset(group->_index, 0, group->_index_size * sizeof(*group->_index));
    }
    if (group->arena.used > ARENA_KEPT_MAX) {
        arena_finish(&group->arena); /* an uncommonly large batch; its memory is not kept */
    } else {
        arena_reset(&group->arena);
    }
}

void group_finish(struct group *group)
{
    group_reset(group);
    free(group->parcels);
    free(group->_index);
    arena_finish(&group->arena);
}

bool group_is_full(const struct group *group, const struct group_limits *limits)
{
    return group->rows >= limits->max_rows || group->bytes >= limits->max_bytes;
}

/* Batch ids are random: any of their bits will do. */
static uint32_t hash_id(const uint8_t id[ID_SIZE])
{
    uint32_t hash;
    memcpy(&hash, id, sizeof(hash));
    return hash;
}

struct parcel *group_find(const struct group *group, const uint8_t id[ID_SIZE])
{
    if (group->count == 0) {
        return NULL;
    }
    uint32_t mask = group->_index_size - 1;
    for (uint32_t slot = hash_id(id) & mask; group->_index[slot] != 0; slot = (slot + 1) & mask) {
        struct parcel *parcel = group->parcels[group->_index[slot] - 1];
        if (memcmp(parcel->header.id, id, ID_SIZE) == 0) {
            return parcel;
        }
    }
    return NULL;
}

static void index_put(struct group *group, uint32_t place)
{
    uint32_t mask = group->_index_size - 1;
    uint32_t slot = hash_id(group->parcels[place]->header.id) & mask;
    while (group->_index[slot] != 0) {
        slot = (slot + 1) & mask;
    }
    group->_index[slot] = place + 1;
}

static void make_room(struct group *group)
{
    if (group->count < group->capacity) {
        return;
    }
    group->capacity = group->capacity == 0 ? 64 : group->capacity * 2;
    group->parcels = memory_resize(group->parcels, group->capacity * sizeof(*group->parcels));
    free(group->_index);
    group->_index_size = group->capacity * 2;
    group->_index = memory_zalloc(group->_index_size * sizeof(*group->_index));
    for (uint32_t i = 0; i < group->count; i++) {
        index_put(group, i);
    }
}

static struct slice frame_slice(zmq_msg_t *frame)
{
    return (struct slice){zmq_msg_data(frame), zmq_msg_size(frame)};
}

static bool add_repeat(struct group *group, const uint8_t id[ID_SIZE], uint32_t gateway)
{
    struct parcel *parcel = group != NULL ? group_find(group, id) : NULL;
    if (parcel == NULL) {
        return false;
    }
    struct parcel_repeat *repeat = arena_alloc(&group->arena, sizeof(*repeat));
    *repeat = (struct parcel_repeat){gateway, parcel->repeats};
    parcel->repeats = repeat;
    return true;
}

enum err group_add(struct group *group, struct group *other, struct message *message,
                   struct error *error)
{
    /* Frames are moved first: small ones live inside the zmq_msg_t, and slices point there. */
    struct parcel *parcel = arena_zalloc(&group->arena, sizeof(*parcel));
    parcel->message.gateway = message->gateway;
    zmq_msg_init(&parcel->message.header);
    zmq_msg_init(&parcel->message.body);
    zmq_msg_move(&parcel->message.header, &message->header);
    zmq_msg_move(&parcel->message.body, &message->body);
    message_finish(message);

    struct slice body = frame_slice(&parcel->message.body);
    enum err err =
        batch_unpack_header(frame_slice(&parcel->message.header), &parcel->header, error);
    if (err != ERR_OK) {
        goto drop;
    }
    if (add_repeat(group, parcel->header.id, parcel->message.gateway) ||
        add_repeat(other, parcel->header.id, parcel->message.gateway)) {
        goto drop;
    }
    err = batch_unpack_rows(body, parcel->header.row_count, &group->arena, &parcel->rows, error);
    if (err != ERR_OK) {
        goto drop;
    }
    make_room(group);
    group->parcels[group->count] = parcel;
    index_put(group, group->count++);
    group->rows += parcel->header.row_count;
    group->bytes += body.len;
    return ERR_OK;

drop:
    message_finish(&parcel->message);
    return err;
}
