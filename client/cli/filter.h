/*
 * filter: the options by which traces are chosen, shared by the commands that list them.
 */
#pragma once

#include "client/cli/cli.h"

struct filter {
    struct xtrace_trace_query query;
    struct cli_list tags;
    struct cli_list environments;
};

enum { FILTER_OPTIONS = 11 };

/* Empties the filter and gives the options that fill it. */
void filter_init(struct filter *filter, struct cli_option options[FILTER_OPTIONS]);

/* After cli_parse: the query that was asked for; lives as long as the filter. */
struct xtrace_trace_query *filter_query(struct filter *filter);

/* The table of traces and one row of it. */
struct table *filter_table(void);
void filter_add_row(struct table *table, struct xtrace_slice trace);
