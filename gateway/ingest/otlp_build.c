#include "gateway/ingest/otlp_build.h"

#include <string.h>

#include "common/buf.h"
#include "common/utf8.h"

enum { LIST_FIRST = 8, ID_BYTES_MAX = 16 };

static const char wrong_size[] = "not an id of the right length in hex digits";

void *otlp_list_add(void *list, size_t size, struct arena *arena)
{
    OTLP_LIST(char) grown; /* of whatever the list is */
    _Static_assert(sizeof(grown) == sizeof(struct attributes), "all lists have one shape");
    memcpy(&grown, list, sizeof(grown));
    if (grown.count == grown.capacity) {
        uint32_t capacity = grown.capacity > 0 ? 2 * grown.capacity : LIST_FIRST;
        char *items = arena_alloc(arena, capacity * size);
        if (grown.count > 0) {
            memcpy(items, grown.list, grown.count * size);
        }
        grown.list = items;
        grown.capacity = capacity;
    }
    char *item = grown.list + grown.count++ * size;
    memcpy(list, &grown, sizeof(grown));
    memset(item, 0, size);
    return item;
}

void otlp_build_fail(struct otlp_build *build, const char *reason)
{
    otlp_fault_set(build->fault, build->field != NULL ? build->field : "", reason);
}

bool otlp_build_count(struct otlp_build *build)
{
    if (build->value_count == OTLP_VALUES_MAX) {
        otlp_build_fail(build, "more than 100000 values");
        return false;
    }
    build->value_count++;
    return true;
}

void otlp_build_attribute(struct otlp_build *build, struct attributes *list,
                          const struct attribute *attribute)
{
    if (attribute->key.len > 0 || attribute->value.type != ANY_NULL) {
        *(struct attribute *)otlp_list_add(list, sizeof(*attribute), build->arena) = *attribute;
    }
}

static bool is_fine(struct slice text)
{
    return text.len == 0 ||
           (utf8_valid_prefix(text) == text.len && memchr(text.data, '\0', text.len) == NULL);
}

/* But for \b \t \n \f \r, which are written as two. */
static size_t count_controls(struct slice text)
{
    size_t count = 0;
    for (size_t i = 0; i < text.len; i++) {
        unsigned c = (unsigned char)text.data[i];
        count += c < 0x20 && (c - 8 > 5 || c == 11);
    }
    return count;
}

struct slice otlp_build_text(struct otlp_build *build, struct slice text)
{
    build->control_count += count_controls(text);
    if (build->control_count > OTLP_CONTROLS_MAX) {
        otlp_build_fail(build, "more than a million control characters");
        return (struct slice){NULL, 0};
    }
    if (is_fine(text)) {
        return text;
    }
    struct buf repaired = BUF_EMPTY;
    const char *at = text.data;
    const char *end = at + text.len;
    while (at < end) {
        size_t len = (unsigned char)*at >= 0x80 ? utf8_char(at, end) : *at != '\0';
        if (len > 0) {
            buf_append(&repaired, at, len);
            at += len;
        } else {
            buf_append_text(&repaired, "\xEF\xBF\xBD");
            at++;
        }
    }
    struct slice copy = arena_copy(build->arena, buf_slice(&repaired));
    buf_finish(&repaired);
    return copy;
}

struct slice otlp_build_base64(struct otlp_build *build, struct slice bytes)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char *out = arena_alloc(build->arena, (bytes.len + 2) / 3 * 4);
    size_t len = 0;
    for (size_t i = 0; i < bytes.len; i += 3) {
        size_t left = bytes.len - i;
        uint32_t bits = (uint32_t)(uint8_t)bytes.data[i] << 16;
        bits |= left > 1 ? (uint32_t)(uint8_t)bytes.data[i + 1] << 8 : 0;
        bits |= left > 2 ? (uint8_t)bytes.data[i + 2] : 0;
        out[len++] = digits[bits >> 18];
        out[len++] = digits[bits >> 12 & 63];
        out[len++] = left > 1 ? digits[bits >> 6 & 63] : '=';
        out[len++] = left > 2 ? digits[bits & 63] : '=';
    }
    return (struct slice){out, len};
}

void otlp_build_id(struct otlp_build *build, struct slice bytes, size_t size, char *id)
{
    static const char digits[] = "0123456789abcdef";
    bool zero = true;
    id[0] = '\0';
    if (bytes.len == 0) {
        return;
    }
    if (bytes.len != size) {
        otlp_build_fail(build, wrong_size);
        return;
    }
    for (size_t i = 0; i < size; i++) {
        uint8_t byte = (uint8_t)bytes.data[i];
        zero = zero && byte == 0;
        id[2 * i] = digits[byte >> 4];
        id[2 * i + 1] = digits[byte & 15];
    }
    id[zero ? 0 : 2 * size] = '\0';
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

void otlp_build_hex_id(struct otlp_build *build, struct slice hex, size_t size, char *id)
{
    char bytes[ID_BYTES_MAX];
    id[0] = '\0';
    if (hex.len == 0) {
        return;
    }
    if (hex.len != 2 * size) {
        otlp_build_fail(build, wrong_size);
        return;
    }
    for (size_t i = 0; i < size; i++) {
        int high = hex_digit(hex.data[2 * i]);
        int low = hex_digit(hex.data[2 * i + 1]);
        if (high < 0 || low < 0) {
            otlp_build_fail(build, wrong_size);
            return;
        }
        bytes[i] = (char)(high << 4 | low);
    }
    otlp_build_id(build, (struct slice){bytes, size}, size, id);
}
