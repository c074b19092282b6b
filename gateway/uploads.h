/*
 * uploads: images and other media that SDKs cut out of inputs and outputs to store them beside the
 * trace. xtrace keeps none: who announces one hears that nothing needs to be sent, and goes on. The
 * payload then names it by an id made from its content (@@@langfuseMedia:...). Handlers of
 * gateway/routes.c.
 */
#pragma once

#include "gateway/request.h"

/* POST: checks the announcement and answers {"mediaId", "uploadUrl": null}. */
void uploads_announce(struct request *request);

/* One medium, to be read or reported as sent: always 404. */
void uploads_missing(struct request *request);
