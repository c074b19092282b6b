/* client/json.c and client/text.c over any bytes: no crash, and what they write they can read. */
#include <stdint.h>
#include <stdlib.h>

#include "client/json.h"
#include "client/text.h"
#include "tests/fuzz/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* Every value below is JSON by itself, and lies within its parent. */
static void walk(struct xtrace_slice value, int depth)
{
    struct xtrace_json_walk members;
    struct xtrace_slice key, member;
    bool is_object = value.data[0] == '{';
    CHECK(xtrace_json_is_valid(value.data, value.len, XTRACE_JSON_DEPTH));
    free(xtrace_json_string(value));
    if (depth == 0 || !xtrace_json_enter(&members, value, is_object ? '{' : '[')) {
        return;
    }
    while (xtrace_json_next(&members, &key, &member)) {
        CHECK(member.data > value.data && member.data + member.len < value.data + value.len);
        CHECK(is_object == (key.data != NULL));
        walk(member, depth - 1);
    }
}

/* Any bytes become a JSON string, and what that says becomes the same JSON string again. */
static void check_round_trip(const char *data, size_t len)
{
    struct xtrace_text json = XTRACE_TEXT_EMPTY;
    struct xtrace_text again = XTRACE_TEXT_EMPTY;
    xtrace_text_put_json(&json, data, len);
    CHECK(xtrace_json_is_valid(json.data, json.len, 1));
    char *text = xtrace_json_string((struct xtrace_slice){json.data, json.len});
    CHECK(text != NULL);
    xtrace_text_put_json(&again, text, strlen(text));
    if (memchr(data, '\0', len) == NULL) { /* \u0000 reads back as U+FFFD */
        CHECK(again.len == json.len && memcmp(again.data, json.data, json.len) == 0);
    }
    free(text);
    xtrace_text_finish(&json);
    xtrace_text_finish(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    char *text = malloc(len + 1);
    memcpy(text, data, len);
    text[len] = '\0';
    struct xtrace_slice value = xtrace_json_parse(text, len);
    CHECK((value.data != NULL) == xtrace_json_is_valid(text, len, XTRACE_JSON_DEPTH));
    if (value.data != NULL) {
        walk(value, 8);
        (void)xtrace_json_find(value, "data");
    }
    check_round_trip(text, len);
    free(text);
    return 0;
}
