/*
 * ack: tells the gateways what is durable, and that this writer lives. The only sender.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "writer/accumulate.h"
#include "writer/receive.h"

/* Receipts of all parcels that are STORED or DUPLICATE and were not told of yet. */
void ack_group(struct receive *receive, struct group *group);

/* A hello to every gateway; false when one of them could not be reached. */
bool ack_hello(struct receive *receive, const uint8_t writer_id[ID_SIZE], bool database_reachable);
