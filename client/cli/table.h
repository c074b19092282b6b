/*
 * table: aligned columns for a person. Widths are those of the terminal's cells: wide characters count
 * two, combining ones none. One thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct cli;
struct table;

struct table_column {
    const char *title;
    bool is_right;   /* numbers */
    bool may_shrink; /* is cut first when the terminal is too narrow */
};

/* columns are borrowed. */
struct table *table_create(const struct table_column *columns, size_t count);

/* One row: as many cells as columns; takes them (free). NULL is an empty cell. color: an SGR code such
 * as "31", or NULL. */
void table_add(struct table *table, char **cells, const char *color);

/* Prints it and frees it. */
void table_finish(struct table *table, const struct cli *cli);

/* Cells that text fills; text is UTF-8 without control characters. */
size_t table_width(const char *text);
