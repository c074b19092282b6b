#include "common/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/clock.h"
#include "common/json_write.h"
#include "common/rfc3339.h"
#include "common/utf8.h"

const char *const log_level_words[] = {"debug", "info", "warn", "error", NULL};
const char *const log_format_words[] = {"text", "json", NULL};

/* The one piece of state outside structs: set once, before threads, and read by all of them. */
static struct {
    const char *program;
    enum log_level level;
    enum log_format format;
} logger = {"xtrace", LOG_INFO, LOG_FORMAT_TEXT};

void log_open(const char *program, enum log_level level, enum log_format format)
{
    logger.program = program;
    logger.level = level;
    logger.format = format;
}

bool log_is_enabled(enum log_level level)
{
    return level >= logger.level;
}

/* Valid UTF-8, cut to LOG_VALUE_MAX. */
static void clean_value(struct buf *out, const char *value)
{
    struct slice left = slice_from(value);
    bool cut = left.len > LOG_VALUE_MAX;
    left.len = cut ? LOG_VALUE_MAX : left.len;
    while (left.len > 0) {
        size_t valid = utf8_valid_prefix(left);
        buf_append(out, left.data, valid);
        left.data += valid;
        left.len -= valid;
        if (left.len > 0) {
            buf_append_text(out, "\xef\xbf\xbd");
            left.data++;
            left.len--;
        }
    }
    if (cut) {
        buf_append_text(out, "...");
    }
}

/* A logfmt value stands bare when nobody can misread it. */
static bool is_bare(struct slice value)
{
    for (size_t i = 0; i < value.len; i++) {
        unsigned char c = (unsigned char)value.data[i];
        if (c <= ' ' || c == '"' || c == '=' || c == '\\' || c == 0x7f) {
            return false;
        }
    }
    return value.len > 0;
}

static void write_field(struct buf *line, const char *key, const char *value)
{
    struct buf clean = BUF_EMPTY;
    clean_value(&clean, value);
    struct slice text = buf_slice(&clean);
    if (logger.format == LOG_FORMAT_JSON) {
        buf_append_char(line, line->len == 0 ? '{' : ',');
        json_write_string(line, slice_from(key));
        buf_append_char(line, ':');
        json_write_string(line, text);
    } else {
        if (line->len > 0) {
            buf_append_char(line, ' ');
        }
        buf_append_text(line, key);
        buf_append_char(line, '=');
        if (is_bare(text)) {
            buf_append_slice(line, text);
        } else {
            json_write_string(line, text);
        }
    }
    buf_finish(&clean);
}

static void write_line(const struct buf *line)
{
    size_t done = 0;
    while (done < line->len) {
        ssize_t written = write(STDERR_FILENO, line->data + done, line->len - done);
        if (written < 0 && errno != EINTR) {
            return; /* nowhere left to say it */
        }
        done += written > 0 ? (size_t)written : 0;
    }
}

void log_event(enum log_level level, const char *event, ...)
{
    if (!log_is_enabled(level)) {
        return;
    }
    int saved_errno = errno;
    char time[RFC3339_SIZE];
    rfc3339_format(clock_wall_us(), time);

    struct buf line = BUF_EMPTY;
    write_field(&line, "time", time);
    write_field(&line, "level", log_level_words[level]);
    write_field(&line, "program", logger.program);
    write_field(&line, "event", event);
    va_list args;
    va_start(args, event);
    const char *key;
    while ((key = va_arg(args, const char *)) != NULL) {
        write_field(&line, key, va_arg(args, const char *));
    }
    va_end(args);
    buf_append_text(&line, logger.format == LOG_FORMAT_JSON ? "}\n" : "\n");
    write_line(&line);
    buf_finish(&line);
    errno = saved_errno;
}

const char *log_text(const char *format, ...)
{
    enum { TEXTS = 16, TEXT_SIZE = 512 };
    static _Thread_local char texts[TEXTS][TEXT_SIZE];
    static _Thread_local unsigned next;
    char *text = texts[next++ % TEXTS];
    va_list args;
    va_start(args, format);
    vsnprintf(text, TEXT_SIZE, format, args);
    va_end(args);
    return text;
}
