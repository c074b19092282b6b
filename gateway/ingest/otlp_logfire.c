/* Logfire's list of events, rule 9 of contract/langfuse.md section 3.5: a choice is the output, the rest
 * the input. */
#include "gateway/ingest/otlp_view.h"

/* The answers that a list without a choice ends with: those of OpenAI's Responses are told so. */
struct tail {
    uint32_t count;
    size_t at; /* before the first of them, in text */
};

static struct slice take_tail(struct otlp_view *view, const struct tail *tail)
{
    struct buf list = BUF_EMPTY;
    struct slice elements = {view->text.data + tail->at + 1, view->text.len - tail->at - 1};
    buf_append_text(&list, tail->count > 1 ? "[" : "");
    buf_append_slice(&list, elements);
    buf_append_text(&list, tail->count > 1 ? "]" : "");
    struct slice taken = arena_copy(view->arena, buf_slice(&list));
    buf_finish(&list);
    view->text.len = tail->at;
    return taken;
}

bool otlp_logfire_find(struct otlp_view *view, struct otlp_payload *out)
{
    struct attribute *attribute = view_find(view, NAME_EVENTS);
    struct json_reader reader;
    struct slice element;
    struct slice name;
    struct tail tail = {0, 0};
    if (attribute == NULL) {
        return false;
    }
    struct slice list = view_json(view, attribute);
    json_reader_init(&reader, (char *)list.data, list.len, JSON_DEPTH_MAX, view->arena);
    if (!json_array_begin(&reader)) {
        attribute->used = false;
        return false;
    }
    buf_reset(&view->text);
    while (json_array_next(&reader)) {
        json_skip(&reader, &element);
        if (!json_member(element, "event.name", view->arena, &name)) {
            name = (struct slice){NULL, 0};
        }
        if (slice_is(name, "\"gen_ai.choice\"")) {
            out->output = element;
            continue;
        }
        if (!slice_is(name, "\"gen_ai.assistant.message\"")) {
            tail.count = 0;
        } else if (tail.count++ == 0) {
            tail.at = view->text.len;
        }
        buf_append_char(&view->text, view->text.len > 0 ? ',' : '[');
        buf_append_slice(&view->text, element);
    }
    if (out->output.len == 0 && tail.count > 0) {
        out->output = take_tail(view, &tail);
    }
    buf_append_text(&view->text, view->text.len > 0 ? "]" : "");
    out->input = view_take(view);
    return out->input.len > 0 || out->output.len > 0;
}
