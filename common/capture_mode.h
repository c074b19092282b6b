/*
 * capture_mode: how much of what a project is sent is kept; gateway/ingest/capture.h says what each means.
 */
#pragma once

#include <stdbool.h>

enum capture_mode {
    CAPTURE_FULL,
    CAPTURE_METADATA_ONLY,
    CAPTURE_ERROR_ONLY,
    CAPTURE_MASKED,
};

/* In any case. False: no such mode. */
bool capture_mode_parse(const char *word, enum capture_mode *mode);

/* The word that settings and tables have for it. */
const char *capture_mode_word(enum capture_mode mode);
