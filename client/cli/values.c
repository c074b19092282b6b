/* values: JSON values -> words for a person. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/cli/cli.h"
#include "client/text.h"

static char *copy(const char *text)
{
    char *own = strdup(text);
    if (own == NULL) {
        cli_die(CLI_FAILED, "no memory");
    }
    return own;
}

static bool is_nothing(struct xtrace_slice value)
{
    return value.data == NULL || xtrace_slice_is(value, "null");
}

/* Names and payloads are strangers' bytes: none of them may steer the terminal. Escape sequences, C1
 * controls and bytes that are no UTF-8 become U+FFFD; line breaks a blank unless kept. */
static char *harmless(const char *text, size_t len, bool keep_lines)
{
    struct xtrace_text out = XTRACE_TEXT_EMPTY;
    xtrace_text_reserve(&out, len);
    for (size_t i = 0; i < len;) {
        size_t bytes = xtrace_utf8_len(text + i, len - i);
        unsigned char c = (unsigned char)text[i];
        bool is_c1 = bytes == 2 && c == 0xc2 && (unsigned char)text[i + 1] < 0xa0;
        if (c == '\n' || c == '\t' || c == '\r') {
            xtrace_text_puts(&out, keep_lines && c == '\n' ? "\n" : " ");
        } else if (bytes == 0 || c < 0x20 || c == 0x7f || is_c1) {
            xtrace_text_puts(&out, "\xef\xbf\xbd");
        } else {
            xtrace_text_append(&out, text + i, bytes);
        }
        i += bytes > 0 ? bytes : 1;
    }
    char *own = xtrace_text_take(&out);
    return own != NULL ? own : copy("");
}

char *cli_show(struct xtrace_slice value)
{
    if (is_nothing(value)) {
        return copy("-");
    }
    char *text = xtrace_json_string(value);
    if (text == NULL) {
        return harmless(value.data, value.len, false);
    }
    char *shown = harmless(text, strlen(text), false);
    free(text);
    return shown;
}

char *cli_show_raw(struct xtrace_slice value)
{
    return value.data == NULL ? copy("-") : harmless(value.data, value.len, true);
}

char *cli_member(struct xtrace_slice object, const char *name)
{
    return cli_show(xtrace_json_find(object, name));
}

char *cli_member_time(struct xtrace_slice object, const char *name)
{
    char *text = cli_member(object, name);
    if (strlen(text) < 20 || text[10] != 'T') {
        return text;
    }
    /* All the server's times are UTC: seconds and three digits of the fraction are enough to read. */
    char *shown = cli_alloc(24);
    char fraction[4] = "000";
    for (size_t i = 0; text[19] == '.' && i < 3 && text[20 + i] >= '0' && text[20 + i] <= '9';
         i++) {
        fraction[i] = text[20 + i];
    }
    snprintf(shown, 24, "%.10s %.8s.%s", text, text + 11, fraction);
    free(text);
    return shown;
}

double cli_number(struct xtrace_slice value)
{
    /* A slice of a longer text that goes on with a character no number has. */
    return is_nothing(value) ? 0 : strtod(value.data, NULL);
}

char *cli_member_seconds(struct xtrace_slice object, const char *name)
{
    struct xtrace_slice value = xtrace_json_find(object, name);
    double seconds = cli_number(value);
    if (is_nothing(value) || seconds < 0) {
        return copy("-");
    }
    char text[40];
    snprintf(text, sizeof(text), seconds < 1 ? "%.0f ms" : "%.2f s",
             seconds < 1 ? seconds * 1000 : seconds);
    return copy(text);
}

char *cli_member_cost(struct xtrace_slice object, const char *name)
{
    struct xtrace_slice value = xtrace_json_find(object, name);
    double cost = cli_number(value);
    if (is_nothing(value) || cost < 0) {
        return copy("-");
    }
    char text[400];
    snprintf(text, sizeof(text), cost == 0 ? "0" : cost < 0.01 ? "%.6f" : "%.4f", cost);
    return copy(text);
}
