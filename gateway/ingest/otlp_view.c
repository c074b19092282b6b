#include "gateway/ingest/otlp_view.h"

#include "common/json_write.h"

void otlp_view_resource(struct otlp_view *view, const struct otlp_resource *resource,
                        struct arena *arena)
{
    view->resource_attributes = resource->attributes;
    otlp_names_index(&view->resource_attributes, &view->resource);
    view->resource_json = (struct slice){NULL, 0};
    if (resource->attributes.count > 0) {
        buf_reset(&view->text);
        attributes_print(&resource->attributes, &view->text);
        view->resource_json = arena_copy(arena, buf_slice(&view->text));
    }
}

static bool begins(struct slice text, const char *prefix)
{
    size_t len = strlen(prefix);
    return text.len >= len && memcmp(text.data, prefix, len) == 0;
}

static enum otlp_scope_kind scope_kind(struct slice name)
{
    static const struct {
        const char *name;
        enum otlp_scope_kind kind;
    } kinds[] = {
        {"ai", SCOPE_AI},
        {"genkit-tracer", SCOPE_GENKIT},
        {"@flue/opentelemetry", SCOPE_FLUE},
        {"livekit-agents", SCOPE_LIVEKIT},
        {"pydantic-ai", SCOPE_PYDANTIC_AI},
    };
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (slice_is(name, kinds[i].name)) {
            return kinds[i].kind;
        }
    }
    return begins(name, "langfuse-sdk") ? SCOPE_LANGFUSE : SCOPE_OTHER;
}

void otlp_view_scope(struct otlp_view *view, const struct otlp_scope *scope, struct arena *arena)
{
    struct buf *text = &view->text;
    view->scope_kind = scope_kind(scope->name);
    view->scope_version = scope->version;
    view->scope_json = (struct slice){NULL, 0};
    if (scope->name.len == 0 && scope->version.len == 0 && scope->attributes.count == 0) {
        return;
    }
    buf_reset(text);
    buf_append_text(text, "{\"name\":");
    json_write_string(text, scope->name);
    if (scope->version.len > 0) {
        buf_append_text(text, ",\"version\":");
        json_write_string(text, scope->version);
    }
    buf_append_text(text, ",\"attributes\":");
    attributes_print(&scope->attributes, text);
    buf_append_char(text, '}');
    view->scope_json = arena_copy(arena, buf_slice(text));
}

void otlp_view_span(struct otlp_view *view, struct otlp_span *span, struct arena *arena)
{
    bool as_root;
    view->span = span;
    view->arena = arena;
    otlp_names_index(&span->attributes, &view->named);
    const struct attribute *attribute = view->named.by_name[NAME_LF_INTERNAL_AS_ROOT];
    view->root = span->parent_id[0] == '\0' ||
                 (attribute != NULL && any_bool(&attribute->value, &as_root) && as_root);
}

struct attribute *view_find(const struct otlp_view *view, enum otlp_name name)
{
    struct attribute *attribute = view->named.by_name[name];
    return attribute != NULL && !any_is_empty(&attribute->value) ? attribute : NULL;
}

struct attribute *view_first(const struct otlp_view *view, const uint8_t *names)
{
    struct attribute *attribute = NULL;
    for (; *names != NAME_END && attribute == NULL; names++) {
        attribute = view_find(view, (enum otlp_name) * names);
    }
    return attribute;
}

static struct slice text_of(const struct otlp_view *view, const struct attribute *attribute)
{
    return attribute != NULL ? any_text(&attribute->value, view->arena) : (struct slice){NULL, 0};
}

struct slice view_text(const struct otlp_view *view, const uint8_t *names)
{
    return text_of(view, view_first(view, names));
}

struct slice view_text_of(const struct otlp_view *view, enum otlp_name name)
{
    return text_of(view, view_find(view, name));
}

struct slice view_resource_text(const struct otlp_view *view, enum otlp_name name)
{
    return text_of(view, view->resource.by_name[name]);
}

struct slice view_unquoted(const struct otlp_view *view, struct slice text)
{
    struct slice json;
    for (int i = 0; i < 3 && text_is_json(text, JSON_STRING, view->arena, &json); i++) {
        struct json_reader reader;
        json_reader_init(&reader, (char *)json.data, json.len, 1, view->arena);
        json_string(&reader, &text);
    }
    return text;
}

bool view_is_one_of(const struct otlp_view *view, enum otlp_name name, const char *const *words)
{
    struct slice text = view_text_of(view, name);
    while (*words != NULL && !slice_is(text, *words)) {
        words++;
    }
    return *words != NULL;
}

bool view_has_group(const struct otlp_view *view, enum otlp_group group)
{
    return (view->named.groups >> group & 1) != 0;
}

struct slice view_json(struct otlp_view *view, struct attribute *attribute)
{
    struct slice json;
    const struct any *any = &attribute->value;
    attribute->used = true;
    if (any->type == ANY_STRING && text_is_json(any->text, JSON_ANY, view->arena, &json)) {
        return json;
    }
    buf_reset(&view->text);
    any_print(any, &view->text);
    return view_take(view);
}

struct slice view_take(struct otlp_view *view)
{
    return arena_copy(view->arena, buf_slice(&view->text));
}

void view_set_text(struct row *row, uint32_t column, struct slice text)
{
    if (text.len > ROW_NAME_MAX) {
        text.len = ROW_NAME_MAX;
        while (text.len > 0 && ((unsigned char)text.data[text.len] & 0xc0) == 0x80) {
            text.len--;
        }
    }
    if (text.len > 0) {
        row_set_slice(row, column, text);
    }
}
