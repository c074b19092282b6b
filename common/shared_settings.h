/*
 * shared_settings: rows that stand in the tables of both programs, with the fields of struct config that
 * they fill: const char *database_url, *home; enum log_level log_level; enum log_format log_format.
 */
#pragma once

#include "common/log.h"
#include "common/settings.h"

#define SETTING_DATABASE_URL                                                                       \
    {                                                                                              \
        .key = "DATABASE_URL", .type = SETTING_SECRET,                                             \
        .offset = offsetof(struct config, database_url), .required = true,                         \
        .help = "PostgreSQL connection string"                                                     \
    }

#define SETTING_HOME                                                                               \
    {                                                                                              \
        .key = "XTRACE_HOME", .type = SETTING_TEXT, .offset = offsetof(struct config, home),       \
        .fallback = ".xtrace", .help = "folder for what a running system needs"                    \
    }

#define SETTING_LOG_LEVEL(text)                                                                    \
    {                                                                                              \
        .key = "XTRACE_LOG_LEVEL", .type = SETTING_WORD, .words = log_level_words,                 \
        .offset = offsetof(struct config, log_level), .fallback = "info", .help = text             \
    }

#define SETTING_LOG_FORMAT                                                                         \
    {                                                                                              \
        .key = "XTRACE_LOG_FORMAT", .type = SETTING_WORD, .words = log_format_words,               \
        .offset = offsetof(struct config, log_format), .fallback = "text",                         \
        .help = "text (key=value) or json"                                                         \
    }
