/*
 * show: one trace for a person: its fields, its observations as a tree, its payloads.
 */
#pragma once

#include "client/cli/cli.h"

void show_trace(const struct cli *cli, struct xtrace_slice trace);

/* "title  value", the values aligned; nothing is printed for a value that is not set. Takes value. */
void show_line(const struct cli *cli, const char *title, char *value);
