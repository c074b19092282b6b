/*
 * db_cancel: PQcancel on a thread of its own, because it blocks: it opens a connection and waits
 * for the server to close it. On the loop, but for that thread.
 */
#pragma once

#include <stdbool.h>

#include <libpq-fe.h>

struct db_cancel;

/* NULL: too many are under way, or no thread can be had. Release what it returns. */
struct db_cancel *db_cancel_start(PGconn *pg);

/* True once the server has been told (or cannot be reached). Only then may the connection run
 * another statement: a late cancel would hit that. */
bool db_cancel_is_done(const struct db_cancel *cancel);

/* The thread may outlive it. NULL is fine. */
void db_cancel_release(struct db_cancel *cancel);
