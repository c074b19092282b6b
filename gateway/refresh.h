/*
 * refresh: keeps gateway/access.h up to date: a thread with a connection of its own that looks each second
 * whether api_keys or capture have changed, and reads them when they have. While the database is away the
 * last snapshot stays.
 */
#pragma once

#include <stdint.h>

struct access;
struct refresh;

/* access must outlive it. Waits for the first look, whatever comes of it, for at most wait_ms: clients
 * whom one of the tables concerns are then served from the first moment. */
struct refresh *refresh_open(struct access *access, const char *url, uint32_t wait_ms);
/* NULL is fine. */
void refresh_close(struct refresh *refresh);
