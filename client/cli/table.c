/* table: measure, shrink to the terminal, print. */
#include "client/cli/table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "client/cli/cli.h"
#include "client/text.h"

enum { GAP = 2, NARROWEST = 6 };

struct row {
    char **cells;
    const char *color;
};

struct table {
    const struct table_column *columns;
    size_t column_count;
    struct row *rows;
    size_t row_count;
    size_t capacity;
};

struct table *table_create(const struct table_column *columns, size_t count)
{
    struct table *table = cli_alloc(sizeof(*table));
    table->columns = columns;
    table->column_count = count;
    return table;
}

void table_add(struct table *table, char **cells, const char *color)
{
    if (table->row_count == table->capacity) {
        table->capacity = table->capacity > 0 ? table->capacity * 2 : 64;
        table->rows = realloc(table->rows, table->capacity * sizeof(*table->rows));
        if (table->rows == NULL) {
            cli_die(CLI_FAILED, "no memory");
        }
    }
    char **own = cli_alloc(table->column_count * sizeof(*own));
    memcpy(own, cells, table->column_count * sizeof(*own));
    table->rows[table->row_count++] = (struct row){own, color};
}

/* The character at text, its bytes in *len and its cells. Bytes that are no UTF-8 count one each. */
static size_t character_width(const char *text, size_t *len)
{
    size_t bytes = xtrace_utf8_len(text, strlen(text));
    *len = bytes > 0 ? bytes : 1;
    if (bytes <= 1) {
        return 1;
    }
    static const unsigned char lead_bits[] = {0, 0, 0x1f, 0x0f, 0x07};
    wint_t code = (unsigned char)text[0] & lead_bits[bytes];
    for (size_t i = 1; i < bytes; i++) {
        code = code << 6 | ((unsigned char)text[i] & 0x3f);
    }
    int width = wcwidth((wchar_t)code);
    return width < 0 ? 1 : (size_t)width;
}

size_t table_width(const char *text)
{
    size_t width = 0;
    size_t len;
    for (; *text != '\0'; text += len) {
        width += character_width(text, &len);
    }
    return width;
}

/* Prints at most width cells, the last of them an ellipsis when something is left out; returns how
 * many. */
static size_t print_cut(const char *text, size_t width)
{
    if (table_width(text) <= width) {
        fputs(text, stdout);
        return table_width(text);
    }
    size_t used = 0;
    size_t len;
    for (; *text != '\0'; text += len) {
        size_t more = character_width(text, &len);
        if (used + more + 1 > width) {
            break;
        }
        fwrite(text, 1, len, stdout);
        used += more;
    }
    fputs("\xe2\x80\xa6", stdout);
    return used + 1;
}

static void print_cell(const char *text, const struct table_column *column, size_t width,
                       bool is_last)
{
    size_t own = table_width(text);
    if (column->is_right && own < width) {
        printf("%*s", (int)(width - own), "");
    }
    size_t used = print_cut(text, width);
    if (!is_last) {
        int fill = column->is_right ? GAP : (int)(width - used) + GAP;
        printf("%*s", fill, "");
    }
}

static void measure(const struct table *table, size_t *widths)
{
    for (size_t c = 0; c < table->column_count; c++) {
        widths[c] = table_width(table->columns[c].title);
        for (size_t r = 0; r < table->row_count; r++) {
            const char *cell = table->rows[r].cells[c];
            size_t width = cell != NULL ? table_width(cell) : 0;
            widths[c] = width > widths[c] ? width : widths[c];
        }
    }
}

static size_t total_width(const struct table *table, const size_t *widths)
{
    size_t total = 0;
    for (size_t c = 0; c < table->column_count; c++) {
        total += widths[c] > 0 ? widths[c] + GAP : 0;
    }
    return total - GAP;
}

/* The widest column that may lose a cell, or column_count. */
static size_t widest(const struct table *table, const size_t *widths)
{
    size_t found = table->column_count;
    for (size_t c = 0; c < table->column_count; c++) {
        bool may_shrink = table->columns[c].may_shrink && widths[c] > NARROWEST;
        if (may_shrink && (found == table->column_count || widths[c] > widths[found])) {
            found = c;
        }
    }
    return found;
}

/* Takes cells from the widest column that may shrink; when none is left to take, leaves out columns,
 * the rightmost first, but never the first and the last. */
static void shrink(const struct table *table, size_t *widths, size_t terminal)
{
    size_t out = table->column_count - 1;
    while (total_width(table, widths) > terminal) {
        size_t column = widest(table, widths);
        if (column < table->column_count) {
            widths[column]--;
        } else if (out > 1) {
            widths[--out] = 0;
        } else {
            return;
        }
    }
}

static void print_row(const struct table *table, char **cells, const size_t *widths,
                      const char *color)
{
    if (color != NULL) {
        printf("\033[%sm", color);
    }
    for (size_t c = 0; c < table->column_count; c++) {
        const char *cell = cells == NULL ? table->columns[c].title : cells[c];
        if (widths[c] > 0) {
            print_cell(cell != NULL ? cell : "", &table->columns[c], widths[c],
                       c + 1 == table->column_count);
        }
    }
    puts(color != NULL ? "\033[0m" : "");
}

void table_finish(struct table *table, const struct cli *cli)
{
    size_t *widths = cli_alloc(table->column_count * sizeof(*widths));
    measure(table, widths);
    if (cli->width > 0) {
        shrink(table, widths, (size_t)cli->width);
    }
    print_row(table, NULL, widths, cli->has_color ? "1" : NULL);
    for (size_t r = 0; r < table->row_count; r++) {
        struct row *row = &table->rows[r];
        print_row(table, row->cells, widths, cli->has_color ? row->color : NULL);
        for (size_t c = 0; c < table->column_count; c++) {
            free(row->cells[c]);
        }
        free(row->cells);
    }
    free(widths);
    free(table->rows);
    free(table);
}
