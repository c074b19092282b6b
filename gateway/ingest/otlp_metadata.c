/* Metadata of an observation and of a trace: contract/langfuse.md sections 3.2, 3.6. */
#include <inttypes.h>

#include "common/json_write.h"
#include "gateway/ingest/otlp_view.h"

/* Begins the next member of the object in out. */
static void write_key(struct buf *out, struct slice key)
{
    buf_append_char(out, out->len > 0 ? ',' : '{');
    json_write_string(out, key);
    buf_append_char(out, ':');
}

/* The members of an object, given as JSON text or as a map; anything else under "metadata". */
static void write_whole(struct otlp_view *view, struct attribute *attribute)
{
    struct buf *out = &view->text;
    struct slice json;
    struct slice key;
    struct json_reader reader;
    if (attribute == NULL || any_is_empty(&attribute->value)) {
        return;
    }
    attribute->used = true;
    const struct any *any = &attribute->value;
    if (any->type == ANY_MAP) {
        for (uint32_t i = 0; i < any->count; i++) {
            write_key(out, any->members[i].key);
            any_print(&any->members[i].value, out);
        }
    } else if (any->type == ANY_STRING &&
               text_is_json(any->text, JSON_OBJECT, view->arena, &json)) {
        json_reader_init(&reader, (char *)json.data, json.len, JSON_DEPTH_MAX, view->arena);
        json_object_begin(&reader);
        while (json_object_next(&reader, &key)) {
            json_skip(&reader, &json);
            write_key(out, key);
            buf_append_slice(out, json);
        }
    } else {
        write_key(out, SLICE_LITERAL("metadata"));
        any_print_parsed(any, view->arena, out);
    }
}

/* What of the AI SDK's metadata has a place of its own. */
static bool is_placed(const struct attribute *attribute)
{
    return attribute->name == NAME_AI_TELEMETRY_METADATA_USER_ID ||
           attribute->name == NAME_AI_TELEMETRY_METADATA_SESSION_ID ||
           attribute->name == NAME_AI_TELEMETRY_METADATA_TAGS ||
           attribute->name == NAME_AI_TELEMETRY_METADATA_LANGFUSE_PROMPT;
}

static void write_group(struct otlp_view *view, enum otlp_group group)
{
    struct attributes *attributes = &view->span->attributes;
    if (!view_has_group(view, group)) {
        return;
    }
    for (uint32_t i = 0; i < attributes->count; i++) {
        struct attribute *attribute = &attributes->list[i];
        if (attribute->group != group || is_placed(attribute)) {
            continue;
        }
        attribute->used = true;
        write_key(&view->text, otlp_group_key(attribute));
        any_print_parsed(&attribute->value, view->arena, &view->text);
    }
}

static void write_own_metadata(struct otlp_view *view)
{
    write_whole(view, view->named.by_name[NAME_LF_METADATA]);
    write_whole(view, view->named.by_name[NAME_LF_OBSERVATION_METADATA]);
    write_group(view, GROUP_AI_METADATA);
    write_group(view, GROUP_LF_METADATA);
    write_group(view, GROUP_LF_OBSERVATION_METADATA);
}

static void write_trace_metadata(struct otlp_view *view)
{
    write_whole(view, view->resource.by_name[NAME_LF_METADATA]);
    write_whole(view, view->resource.by_name[NAME_LF_TRACE_METADATA]);
    write_whole(view, view->named.by_name[NAME_LF_METADATA]);
    write_whole(view, view->named.by_name[NAME_LF_TRACE_METADATA]);
    write_group(view, GROUP_AI_METADATA);
    write_group(view, GROUP_LF_METADATA);
    write_group(view, GROUP_LF_TRACE_METADATA);
}

/* ---- what is left ---- */

/* Langfuse's SDKs say everything twice in their attributes, so what is understood is left out; what
 * the application put there itself, and what only readers need, stays. */
static bool is_understood(const struct otlp_view *view, const struct attribute *attribute)
{
    static const char prefix[] = "langfuse.";
    static const char internal[] = "langfuse.internal.";
    struct slice key = attribute->key;
    if (attribute->used) {
        return true;
    }
    if (view->scope_kind != SCOPE_LANGFUSE ||
        (key.len >= sizeof(internal) - 1 &&
         memcmp(key.data, internal, sizeof(internal) - 1) == 0)) {
        return false;
    }
    return attribute->name == NAME_USER_ID || attribute->name == NAME_SESSION_ID ||
           (key.len >= sizeof(prefix) - 1 && memcmp(key.data, prefix, sizeof(prefix) - 1) == 0);
}

static void write_attributes(struct otlp_view *view)
{
    const struct attributes *attributes = &view->span->attributes;
    struct buf *out = &view->text;
    size_t before = out->len;
    bool any = false;
    write_key(out, SLICE_LITERAL("attributes"));
    for (uint32_t i = 0; i < attributes->count; i++) {
        const struct attribute *attribute = &attributes->list[i];
        if (is_understood(view, attribute)) {
            continue;
        }
        buf_append_char(out, any ? ',' : '{');
        json_write_string(out, attribute->key);
        buf_append_char(out, ':');
        any_print(&attribute->value, out);
        any = true;
    }
    if (any) {
        buf_append_char(out, '}');
    } else {
        out->len = before;
    }
}

static void write_raw(struct buf *out, const char *key, struct slice json)
{
    if (json.len > 0) {
        write_key(out, slice_from(key));
        buf_append_slice(out, json);
    }
}

static void write_leftovers(struct otlp_view *view)
{
    write_attributes(view);
    write_raw(&view->text, "resourceAttributes", view->resource_json);
    write_raw(&view->text, "scope", view->scope_json);
}

enum { FLAGS_USUAL = 0x101 /* sampled, and that it is known where the parent is */ };

/* One more member, unless it is 0. */
static void write_count(struct buf *out, const char *key, uint32_t count)
{
    if (count > 0) {
        buf_printf(out, ",\"%s\":%" PRIu32, key, count);
    }
}

/* What else a span says that is not what nearly all of them say: no kind but INTERNAL, flags that only
 * say that it was sampled, nothing dropped. */
static void write_span(struct otlp_view *view)
{
    static const char *const kinds[OTLP_KIND_COUNT] = {NULL,     NULL,       "SERVER",
                                                       "CLIENT", "PRODUCER", "CONSUMER"};
    const struct otlp_span *span = view->span;
    struct buf members = BUF_EMPTY;
    if (kinds[span->kind] != NULL) {
        buf_printf(&members, ",\"kind\":\"%s\"", kinds[span->kind]);
    }
    if (span->trace_state.len > 0) {
        buf_append_text(&members, ",\"traceState\":");
        json_write_string(&members, span->trace_state);
    }
    if ((span->flags & ~(uint32_t)FLAGS_USUAL) != 0) {
        write_count(&members, "flags", span->flags);
    }
    write_count(&members, "droppedAttributesCount", span->dropped_attributes);
    write_count(&members, "droppedEventsCount", span->dropped_events);
    write_count(&members, "droppedLinksCount", span->dropped_links);
    if (members.len > 0) {
        write_key(&view->text, SLICE_LITERAL("span"));
        members.data[0] = '{';
        buf_append_slice(&view->text, buf_slice(&members));
        buf_append_char(&view->text, '}');
    }
    buf_finish(&members);
}

/* Events that are neither input nor output, and links: they have no place of their own. */
static void write_events(struct otlp_view *view)
{
    struct buf *out = &view->text;
    const struct otlp_span *span = view->span;
    bool any = false;
    for (uint32_t i = 0; i < span->event_count; i++) {
        const struct otlp_event *event = &span->events[i];
        if (event->used) {
            continue;
        }
        if (!any) {
            write_key(out, SLICE_LITERAL("events"));
        }
        buf_append_text(out, any ? ",{\"name\":" : "[{\"name\":");
        json_write_string(out, event->name);
        buf_printf(out, ",\"timeUnixNano\":\"%" PRIu64 "\",\"attributes\":", event->time_ns);
        attributes_print(&event->attributes, out);
        write_count(out, "droppedAttributesCount", event->dropped_attributes);
        buf_append_char(out, '}');
        any = true;
    }
    buf_append_text(out, any ? "]" : "");
}

static void write_links(struct otlp_view *view)
{
    struct buf *out = &view->text;
    const struct otlp_span *span = view->span;
    if (span->link_count == 0) {
        return;
    }
    write_key(out, SLICE_LITERAL("links"));
    for (uint32_t i = 0; i < span->link_count; i++) {
        const struct otlp_link *link = &span->links[i];
        buf_printf(out,
                   "%s{\"traceId\":\"%s\",\"spanId\":\"%s\",\"attributes\":", i > 0 ? "," : "[",
                   link->trace_id, link->span_id);
        attributes_print(&link->attributes, out);
        if (link->trace_state.len > 0) {
            buf_append_text(out, ",\"traceState\":");
            json_write_string(out, link->trace_state);
        }
        if ((link->flags & ~(uint32_t)FLAGS_USUAL) != 0) {
            write_count(out, "flags", link->flags);
        }
        write_count(out, "droppedAttributesCount", link->dropped_attributes);
        buf_append_char(out, '}');
    }
    buf_append_char(out, ']');
}

static struct slice finish(struct otlp_view *view)
{
    if (view->text.len > 0) {
        buf_append_char(&view->text, '}');
    }
    return view_take(view);
}

/* What is meant for the trace is none of the observation's attributes. */
static void mark_trace_fields(struct otlp_view *view)
{
    struct attributes *attributes = &view->span->attributes;
    for (uint32_t i = 0; i < attributes->count; i++) {
        struct attribute *attribute = &attributes->list[i];
        if (attribute->group == GROUP_LF_TRACE_METADATA ||
            attribute->name == NAME_LF_TRACE_METADATA || attribute->name == NAME_LF_TRACE_INPUT ||
            attribute->name == NAME_LF_TRACE_OUTPUT || is_placed(attribute)) {
            attribute->used = true;
        }
    }
}

struct slice otlp_metadata_of_observation(struct otlp_view *view)
{
    buf_reset(&view->text);
    write_own_metadata(view);
    mark_trace_fields(view);
    write_events(view);
    write_links(view);
    write_span(view);
    write_leftovers(view);
    return finish(view);
}

struct slice otlp_metadata_of_trace(struct otlp_view *view)
{
    buf_reset(&view->text);
    if (view->root) {
        write_own_metadata(view);
    }
    write_trace_metadata(view);
    if (view->root) {
        write_leftovers(view);
    }
    return finish(view);
}
