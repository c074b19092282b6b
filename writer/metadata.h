/*
 * metadata: JSON objects that merge key by key at every depth, each leaf by its version, so that any
 * order, split and repetition of the same pieces ends in the same tree. Arrays are leaves.
 *
 * A piece of metadata says, for the path of each of its leaves: this value, at this version. What a
 * tree shows is a function of the set of all that was ever said:
 *   - at one path the greater version wins, a tie goes to the greater value (json_tree_compare);
 *   - a leaf erases what lies below its path at lower versions;
 *   - what lies below at the leaf's version or a later one hides the leaf;
 *   - {} says only that something is an object: at the lowest version there is, so that it never
 *     replaces or hides anything and shows only where nothing else is.
 * A hidden leaf is still remembered by its version (a tombstone), for it goes on erasing what comes
 * late; its value can never show again and is forgotten.
 *
 * Stored: the metadata column is what shows. metadata_versions is NULL while every leaf that shows
 * (but {}) has the column's version and there is no tombstone; else a tree of the exceptions:
 *   number      a leaf of that version
 *   {"key": X}  children
 *   [number] or [number, {"key": X}]  a tombstone of that version, and children
 *
 * Trees are the arena's, never change once made, and may be shared. Not thread-safe.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/buf.h"
#include "writer/json_tree.h"

/* The version of {}; also that of a tree in which nothing has a version. */
#define METADATA_NO_VERSION INT64_MIN

struct metadata;

/* value may be of any type: anything but an object is one leaf at the top. */
const struct metadata *metadata_make(const struct json_tree *value, int64_t version,
                                     struct arena *arena);

/* As metadata_print left it; versions NULL: all leaves have column_version. */
const struct metadata *metadata_load(const struct json_tree *value,
                                     const struct json_tree *versions, int64_t column_version,
                                     struct arena *arena);

const struct metadata *metadata_merge(const struct metadata *a, const struct metadata *b,
                                      struct arena *arena);

/* The greatest version of any leaf: the column's version. */
int64_t metadata_version(const struct metadata *metadata);

/* The same leaves, versions and tombstones. */
bool metadata_equals(const struct metadata *a, const struct metadata *b);

/* What shows. */
void metadata_print(const struct metadata *metadata, struct buf *out);

/* Appends metadata_versions, or nothing and returns false when it is NULL. */
bool metadata_print_versions(const struct metadata *metadata, struct buf *out);
