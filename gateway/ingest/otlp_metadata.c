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

/* Metadata while it is made, and which members are made here, as everything under "attributes",
 * "resourceAttributes" and "scope" is: what an application calls by those names stays an attribute. */
struct making {
    struct otlp_view *view;
    bool events;
    bool links;
    bool span;
};

static bool is_taken(const struct making *making, struct slice key)
{
    return slice_is(key, "attributes") || slice_is(key, "resourceAttributes") ||
           slice_is(key, "scope") || (making->events && slice_is(key, "events")) ||
           (making->links && slice_is(key, "links")) || (making->span && slice_is(key, "span"));
}

/* False, and the attribute is kept: the key is taken. */
static bool begin_member(const struct making *making, struct attribute *attribute, struct slice key)
{
    if (is_taken(making, key)) {
        attribute->kept = true;
        return false;
    }
    write_key(&making->view->text, key);
    return true;
}

static void write_map(const struct making *making, struct attribute *attribute)
{
    const struct any *any = &attribute->value;
    for (uint32_t i = 0; i < any->count; i++) {
        if (begin_member(making, attribute, any->members[i].key)) {
            any_print(&any->members[i].value, &making->view->text);
        }
    }
}

static void write_object(const struct making *making, struct attribute *attribute,
                         struct slice object)
{
    struct slice key;
    struct slice json;
    struct json_reader reader;
    json_reader_init(&reader, (char *)object.data, object.len, JSON_DEPTH_MAX, making->view->arena);
    json_object_begin(&reader);
    while (json_object_next(&reader, &key)) {
        json_skip(&reader, &json);
        if (begin_member(making, attribute, key)) {
            buf_append_slice(&making->view->text, json);
        }
    }
}

/* The members of an object, given as JSON text or as a map; anything else under "metadata". */
static void write_whole(const struct making *making, struct attribute *attribute)
{
    struct otlp_view *view = making->view;
    struct slice json;
    if (attribute == NULL || any_is_empty(&attribute->value)) {
        return;
    }
    attribute->used = true;
    const struct any *any = &attribute->value;
    if (any->type == ANY_MAP) {
        write_map(making, attribute);
    } else if (any->type == ANY_STRING &&
               text_is_json(any->text, JSON_OBJECT, view->arena, &json)) {
        write_object(making, attribute, json);
    } else {
        write_key(&view->text, SLICE_LITERAL("metadata"));
        any_print_parsed(any, view->arena, &view->text);
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

static void write_group_of(const struct making *making, const struct attributes *attributes,
                           uint32_t groups, enum otlp_group group)
{
    struct otlp_view *view = making->view;
    for (uint32_t i = 0; (groups >> group & 1) != 0 && i < attributes->count; i++) {
        struct attribute *attribute = &attributes->list[i];
        if (attribute->group != group || is_placed(attribute)) {
            continue;
        }
        attribute->used = true;
        if (begin_member(making, attribute, otlp_group_key(attribute))) {
            any_print_parsed(&attribute->value, view->arena, &view->text);
        }
    }
}

static void write_group(const struct making *making, enum otlp_group group)
{
    const struct otlp_view *view = making->view;
    write_group_of(making, &view->span->attributes, view->named.groups, group);
}

static void write_resource_group(const struct making *making, enum otlp_group group)
{
    const struct otlp_view *view = making->view;
    write_group_of(making, &view->resource_attributes, view->resource.groups, group);
}

static void write_own_metadata(const struct making *making)
{
    const struct otlp_view *view = making->view;
    write_whole(making, view->named.by_name[NAME_LF_METADATA]);
    write_whole(making, view->named.by_name[NAME_LF_OBSERVATION_METADATA]);
    write_group(making, GROUP_AI_METADATA);
    write_group(making, GROUP_LF_METADATA);
    write_group(making, GROUP_LF_OBSERVATION_METADATA);
}

static void write_trace_metadata(const struct making *making)
{
    const struct otlp_view *view = making->view;
    write_whole(making, view->resource.by_name[NAME_LF_METADATA]);
    write_whole(making, view->resource.by_name[NAME_LF_TRACE_METADATA]);
    write_resource_group(making, GROUP_AI_METADATA);
    write_resource_group(making, GROUP_LF_METADATA);
    write_resource_group(making, GROUP_LF_TRACE_METADATA);
    write_whole(making, view->named.by_name[NAME_LF_METADATA]);
    write_whole(making, view->named.by_name[NAME_LF_TRACE_METADATA]);
    write_group(making, GROUP_AI_METADATA);
    write_group(making, GROUP_LF_METADATA);
    write_group(making, GROUP_LF_TRACE_METADATA);
}

/* ---- what is left ---- */

/* Langfuse's SDKs say everything twice in their attributes, so what is understood is left out; what
 * the application put there itself, and what only readers need, stays. */
static bool is_understood(const struct otlp_view *view, const struct attribute *attribute)
{
    static const char prefix[] = "langfuse.";
    static const char internal[] = "langfuse.internal.";
    struct slice key = attribute->key;
    if (attribute->kept || attribute->used) {
        return !attribute->kept;
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

static const char *const kinds[OTLP_KIND_COUNT] = {NULL,     NULL,       "SERVER",
                                                   "CLIENT", "PRODUCER", "CONSUMER"};

static bool are_flags_unusual(uint32_t flags)
{
    return (flags & ~(uint32_t)FLAGS_USUAL) != 0;
}

/* A span says something else that is not what nearly all of them say: a kind but INTERNAL, flags that
 * say more than that it was sampled, something dropped. */
static bool is_unusual(const struct otlp_span *span)
{
    return kinds[span->kind] != NULL || span->trace_state.len > 0 ||
           are_flags_unusual(span->flags) || span->dropped_attributes > 0 ||
           span->dropped_events > 0 || span->dropped_links > 0;
}

static void write_span(struct otlp_view *view)
{
    const struct otlp_span *span = view->span;
    struct buf *out = &view->text;
    write_key(out, SLICE_LITERAL("span"));
    size_t begin = out->len;
    if (kinds[span->kind] != NULL) {
        buf_printf(out, ",\"kind\":\"%s\"", kinds[span->kind]);
    }
    if (span->trace_state.len > 0) {
        buf_append_text(out, ",\"traceState\":");
        json_write_string(out, span->trace_state);
    }
    if (are_flags_unusual(span->flags)) {
        write_count(out, "flags", span->flags);
    }
    write_count(out, "droppedAttributesCount", span->dropped_attributes);
    write_count(out, "droppedEventsCount", span->dropped_events);
    write_count(out, "droppedLinksCount", span->dropped_links);
    out->data[begin] = '{';
    buf_append_char(out, '}');
}

/* Events that are neither input nor output, and links: they have no place of their own. */
static bool has_events(const struct otlp_span *span)
{
    uint32_t i = 0;
    while (i < span->events.count && span->events.list[i].used) {
        i++;
    }
    return i < span->events.count;
}

static void write_events(struct otlp_view *view)
{
    struct buf *out = &view->text;
    const struct otlp_span *span = view->span;
    bool any = false;
    write_key(out, SLICE_LITERAL("events"));
    for (uint32_t i = 0; i < span->events.count; i++) {
        const struct otlp_event *event = &span->events.list[i];
        if (event->used) {
            continue;
        }
        buf_append_text(out, any ? ",{\"name\":" : "[{\"name\":");
        json_write_string(out, event->name);
        buf_printf(out, ",\"timeUnixNano\":\"%" PRIu64 "\",\"attributes\":", event->time_ns);
        attributes_print(&event->attributes, out);
        write_count(out, "droppedAttributesCount", event->dropped_attributes);
        buf_append_char(out, '}');
        any = true;
    }
    buf_append_char(out, ']');
}

static void write_links(struct otlp_view *view)
{
    struct buf *out = &view->text;
    const struct otlp_span *span = view->span;
    write_key(out, SLICE_LITERAL("links"));
    for (uint32_t i = 0; i < span->links.count; i++) {
        const struct otlp_link *link = &span->links.list[i];
        buf_printf(out,
                   "%s{\"traceId\":\"%s\",\"spanId\":\"%s\",\"attributes\":", i > 0 ? "," : "[",
                   link->trace_id, link->span_id);
        attributes_print(&link->attributes, out);
        if (link->trace_state.len > 0) {
            buf_append_text(out, ",\"traceState\":");
            json_write_string(out, link->trace_state);
        }
        if (are_flags_unusual(link->flags)) {
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

/* What is meant for the trace is none of the observation's attributes, unless it finds no place
 * there. */
static void mark_trace_fields(const struct making *making)
{
    struct attributes *attributes = &making->view->span->attributes;
    for (uint32_t i = 0; i < attributes->count; i++) {
        struct attribute *attribute = &attributes->list[i];
        if (attribute->group == GROUP_LF_TRACE_METADATA) {
            attribute->used = true;
            attribute->kept = is_taken(making, otlp_group_key(attribute));
        } else if (attribute->name == NAME_LF_TRACE_METADATA ||
                   attribute->name == NAME_LF_TRACE_INPUT ||
                   attribute->name == NAME_LF_TRACE_OUTPUT || is_placed(attribute)) {
            attribute->used = true;
        }
    }
}

struct slice otlp_metadata_of_observation(struct otlp_view *view)
{
    const struct otlp_span *span = view->span;
    struct making making = {view, has_events(span), span->links.count > 0, is_unusual(span)};
    buf_reset(&view->text);
    write_own_metadata(&making);
    mark_trace_fields(&making);
    if (making.events) {
        write_events(view);
    }
    if (making.links) {
        write_links(view);
    }
    if (making.span) {
        write_span(view);
    }
    write_leftovers(view);
    return finish(view);
}

struct slice otlp_metadata_of_trace(struct otlp_view *view)
{
    struct making making = {view, false, false, false};
    buf_reset(&view->text);
    if (view->root) {
        write_own_metadata(&making);
    }
    write_trace_metadata(&making);
    if (view->root) {
        write_leftovers(view);
    }
    return finish(view);
}
