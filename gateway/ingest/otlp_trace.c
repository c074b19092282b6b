/* What a span says of its trace: contract/langfuse.md sections 3.1, 3.2. */
#include "common/json_write.h"
#include "gateway/ingest/environment.h"
#include "gateway/ingest/otlp_view.h"

static const uint8_t user_names[] = {
    NAME_LF_USER_ID,
    NAME_USER_ID,
    NAME_LF_OBSERVATION_METADATA_LANGFUSE_USER_ID,
    NAME_LF_TRACE_METADATA_LANGFUSE_USER_ID,
    NAME_AI_TELEMETRY_METADATA_USER_ID,
    NAME_TRACELOOP_ASSOCIATION_PROPERTIES_USER_ID,
    NAME_END,
};

static const uint8_t session_names[] = {
    NAME_LF_SESSION_ID,
    NAME_SESSION_ID,
    NAME_GEN_AI_CONVERSATION_ID,
    NAME_LF_OBSERVATION_METADATA_LANGFUSE_SESSION_ID,
    NAME_LF_TRACE_METADATA_LANGFUSE_SESSION_ID,
    NAME_AI_TELEMETRY_METADATA_SESSION_ID,
    NAME_TRACELOOP_ASSOCIATION_PROPERTIES_SESSION_ID,
    NAME_END,
};

static const uint8_t tag_names[] = {
    NAME_LF_TRACE_TAGS,
    NAME_LF_TAGS,
    NAME_LF_OBSERVATION_METADATA_LANGFUSE_TAGS,
    NAME_LF_TRACE_METADATA_LANGFUSE_TAGS,
    NAME_AI_TELEMETRY_METADATA_TAGS,
    NAME_TAG_TAGS,
    NAME_END,
};

/* Not gen_ai.conversation.id, langfuse.tags, langfuse.public, langfuse.metadata: they count only on
 * a span that is one for another reason. */
static const uint8_t update_names[] = {
    NAME_LF_TRACE_NAME,
    NAME_LF_TRACE_INPUT,
    NAME_LF_TRACE_OUTPUT,
    NAME_LF_TRACE_METADATA,
    NAME_LF_TRACE_PUBLIC,
    NAME_LF_TRACE_TAGS,
    NAME_USER_ID,
    NAME_SESSION_ID,
    NAME_LF_USER_ID,
    NAME_LF_SESSION_ID,
    NAME_LF_OBSERVATION_METADATA_LANGFUSE_USER_ID,
    NAME_LF_OBSERVATION_METADATA_LANGFUSE_SESSION_ID,
    NAME_LF_OBSERVATION_METADATA_LANGFUSE_TAGS,
    NAME_AI_TELEMETRY_METADATA_USER_ID,
    NAME_AI_TELEMETRY_METADATA_SESSION_ID,
    NAME_AI_TELEMETRY_METADATA_TAGS,
    NAME_TAG_TAGS,
    NAME_TRACELOOP_ASSOCIATION_PROPERTIES_USER_ID,
    NAME_TRACELOOP_ASSOCIATION_PROPERTIES_SESSION_ID,
    NAME_END,
};

bool otlp_is_trace_update(const struct otlp_view *view)
{
    return view_has_group(view, GROUP_LF_TRACE_METADATA) || view_first(view, update_names) != NULL;
}

/* ---- tags ---- */

static void write_tag(struct buf *out, struct slice tag)
{
    tag = slice_trim(tag);
    if (tag.len > 0) {
        buf_append_char(out, out->len > 0 ? ',' : '[');
        json_write_string(out, tag);
    }
}

/* a,b or one word */
static void write_words(struct buf *out, struct slice text)
{
    while (text.len > 0) {
        const char *comma = memchr(text.data, ',', text.len);
        size_t len = comma != NULL ? (size_t)(comma - text.data) : text.len;
        write_tag(out, (struct slice){text.data, len});
        len += comma != NULL;
        text = (struct slice){text.data + len, text.len - len};
    }
}

static void write_json_tags(struct otlp_view *view, struct slice json)
{
    struct json_reader reader;
    struct slice tag;
    json_reader_init(&reader, (char *)json.data, json.len, JSON_DEPTH_MAX, view->arena);
    json_array_begin(&reader);
    while (json_array_next(&reader)) {
        if (!json_string(&reader, &tag)) {
            json_skip(&reader, &tag);
        }
        write_tag(&view->text, tag);
    }
}

static void tags_to_row(struct otlp_view *view, struct row *row)
{
    const struct attribute *attribute = view_first(view, tag_names);
    struct slice json;
    if (attribute == NULL) {
        return;
    }
    const struct any *any = &attribute->value;
    buf_reset(&view->text);
    if (any->type == ANY_ARRAY) {
        for (uint32_t i = 0; i < any->count; i++) {
            write_tag(&view->text, any_text(&any->elements[i], view->arena));
        }
    } else if (any->type == ANY_STRING && text_is_json(any->text, JSON_ARRAY, view->arena, &json)) {
        write_json_tags(view, json);
    } else {
        write_words(&view->text, any_text(any, view->arena));
    }
    if (view->text.len > 0) {
        buf_append_char(&view->text, ']');
        row_set_slice(row, TRACE_TAGS_ADDED, view_take(view));
    }
}

/* ---- the rest ---- */

static void public_to_row(const struct otlp_view *view, struct row *row)
{
    static const uint8_t names[] = {NAME_LF_TRACE_PUBLIC, NAME_LF_PUBLIC, NAME_END};
    const struct attribute *attribute = view_first(view, names);
    bool public;
    if (attribute != NULL && any_bool(&attribute->value, &public)) {
        row_set_integer(row, TRACE_PUBLIC, public);
    }
}

static struct slice span_or_resource(const struct otlp_view *view, enum otlp_name name)
{
    struct slice text = view_text_of(view, name);
    return text.len > 0 ? text : view_resource_text(view, name);
}

static const struct any *value_of_either(const struct otlp_view *view, enum otlp_name name)
{
    const struct attribute *attribute = view_find(view, name);
    if (attribute == NULL) {
        attribute = view->resource.by_name[name];
    }
    return attribute != NULL && !any_is_empty(&attribute->value) ? &attribute->value : NULL;
}

struct slice otlp_environment(const struct otlp_view *view)
{
    static const uint8_t names[] = {NAME_LF_ENVIRONMENT, NAME_DEPLOYMENT_ENVIRONMENT_NAME,
                                    NAME_DEPLOYMENT_ENVIRONMENT, NAME_END};
    for (const uint8_t *name = names; *name != NAME_END; name++) {
        const struct any *any = value_of_either(view, (enum otlp_name) * name);
        if (any != NULL) {
            struct slice text = any->type == ANY_STRING ? any->text : (struct slice){NULL, 0};
            return environment_normalise(text, arena_alloc(view->arena, ENVIRONMENT_MAX));
        }
    }
    return (struct slice){NULL, 0};
}

struct slice otlp_version(const struct otlp_view *view)
{
    struct slice text = view_text_of(view, NAME_LF_VERSION);
    return text.len > 0 ? text : view_resource_text(view, NAME_SERVICE_VERSION);
}

static void set_slice(struct row *row, uint32_t column, struct slice slice)
{
    if (slice.len > 0) {
        row_set_slice(row, column, slice);
    }
}

static void json_to_row(struct otlp_view *view, enum otlp_name name, uint32_t column,
                        struct row *row)
{
    struct attribute *attribute = view_find(view, name);
    if (attribute != NULL) {
        row_set_slice(row, column, view_json(view, attribute));
    }
}

void otlp_trace_to_row(struct otlp_view *view, struct row *row)
{
    set_slice(row, TRACE_USER_ID, view_text(view, user_names));
    set_slice(row, TRACE_SESSION_ID, view_text(view, session_names));
    view_set_text(row, TRACE_NAME, view_text_of(view, NAME_LF_TRACE_NAME));
    view_set_text(row, TRACE_RELEASE, span_or_resource(view, NAME_LF_RELEASE));
    view_set_text(row, TRACE_VERSION, otlp_version(view));
    tags_to_row(view, row);
    public_to_row(view, row);
    json_to_row(view, NAME_LF_TRACE_INPUT, TRACE_INPUT, row);
    json_to_row(view, NAME_LF_TRACE_OUTPUT, TRACE_OUTPUT, row);
    set_slice(row, TRACE_METADATA, otlp_metadata_of_trace(view));
}
