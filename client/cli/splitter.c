/* splitter: counts brackets outside strings. */
#include "client/cli/splitter.h"

#include <string.h>

#include "client/cli/cli.h"

enum { AT_END = -1, UNREADABLE = -2 };

void splitter_init(struct splitter *splitter, FILE *file)
{
    memset(splitter, 0, sizeof(*splitter));
    splitter->file = file;
    splitter->_line_now = 1;
}

void splitter_finish(struct splitter *splitter)
{
    xtrace_text_finish(&splitter->value);
}

/* The next byte, which stays; AT_END or UNREADABLE. */
static int peek(struct splitter *splitter)
{
    if (splitter->at == splitter->end) {
        splitter->at = 0;
        splitter->end = fread(splitter->buffer, 1, sizeof(splitter->buffer), splitter->file);
        if (splitter->end == 0) {
            return ferror(splitter->file) ? UNREADABLE : AT_END;
        }
    }
    return (unsigned char)splitter->buffer[splitter->at];
}

static void pass(struct splitter *splitter)
{
    splitter->_line_now += splitter->buffer[splitter->at] == '\n';
    splitter->at++;
}

static bool is_blank(int c)
{
    return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

/* Blanks; the bracket that opens an array, when it comes first; and what stands between elements. */
static int pass_separators(struct splitter *splitter)
{
    bool is_first = splitter->line == 0;
    for (;;) {
        int c = peek(splitter);
        bool opens = c == '[' && is_first && !splitter->_is_array;
        bool is_between = splitter->_is_array && (c == ',' || c == ']');
        if (!opens && !is_between && !is_blank(c)) {
            return c;
        }
        splitter->_is_array = splitter->_is_array || opens;
        pass(splitter);
    }
}

/* Whether the value that is being read was left off before this line began: a string that goes on over
 * the line's end, or, where every value so far had a line of its own, another one that begins here. */
static bool is_cut(struct splitter *splitter, bool is_string)
{
    return is_string || (splitter->_lines == LINES_EACH && peek(splitter) == '{');
}

static enum split read_value(struct splitter *splitter)
{
    int depth = 0;
    bool is_string = false;
    bool is_escaped = false;
    do {
        int c = peek(splitter);
        if (c < 0) {
            return c == UNREADABLE ? SPLIT_UNREADABLE : SPLIT_BROKEN;
        }
        if (splitter->value.len >= SPLITTER_VALUE_MAX) {
            return SPLIT_TOO_LONG;
        }
        char byte = (char)c;
        xtrace_text_append(&splitter->value, &byte, 1);
        pass(splitter);
        if (c == '\n' && is_cut(splitter, is_string)) {
            return SPLIT_BROKEN;
        }
        if (is_string) {
            is_string = is_escaped || c != '"';
            is_escaped = !is_escaped && c == '\\';
        } else {
            is_string = c == '"';
            depth += (c == '{' || c == '[') - (c == '}' || c == ']');
        }
    } while (depth > 0);
    bool is_line = splitter->_line_now == splitter->line;
    splitter->_lines = is_line && splitter->_lines != LINES_MANY ? LINES_EACH : LINES_MANY;
    return SPLIT_VALUE;
}

static enum split pass_line(struct splitter *splitter)
{
    int c;
    while ((c = peek(splitter)) >= 0 && c != '\n') {
        pass(splitter);
    }
    return c == UNREADABLE ? SPLIT_UNREADABLE : SPLIT_BROKEN;
}

enum split splitter_next(struct splitter *splitter, struct xtrace_slice *value)
{
    splitter->value.len = 0;
    int c = pass_separators(splitter);
    splitter->line = splitter->_line_now;
    if (c < 0) {
        return c == UNREADABLE ? SPLIT_UNREADABLE : SPLIT_END;
    }
    enum split split = c == '{' ? read_value(splitter) : pass_line(splitter);
    if (splitter->value.failed) {
        cli_die(CLI_FAILED, "no memory");
    }
    *value = (struct xtrace_slice){splitter->value.data, splitter->value.len};
    return split;
}
