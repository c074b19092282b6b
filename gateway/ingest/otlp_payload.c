/* Input and output of a span: contract/langfuse.md section 3.5. The first rule that gives either side
 * gives both. */
#include "common/json_write.h"
#include "gateway/ingest/otlp_paths.h"
#include "gateway/ingest/otlp_view.h"

#define NONE ((struct slice){NULL, 0})

static struct slice json_of_first(struct otlp_view *view, const uint8_t *names)
{
    struct attribute *attribute = view_first(view, names);
    return attribute != NULL ? view_json(view, attribute) : NONE;
}

/* ---- rules that are a pair of lists of names ---- */

struct pair {
    int scope; /* enum otlp_scope_kind, or ANY_SCOPE */
    uint8_t input[6];
    uint8_t output[6];
};

enum { ANY_SCOPE = -1 };

#define PAIR(scope, input, output)                                                                 \
    {                                                                                              \
        (scope), {(input), NAME_END},                                                              \
        {                                                                                          \
            (output), NAME_END                                                                     \
        }                                                                                          \
    }

static bool find_pair(struct otlp_view *view, const struct pair *pairs, size_t count,
                      struct otlp_payload *out)
{
    for (size_t i = 0; i < count; i++) {
        if (pairs[i].scope == ANY_SCOPE || pairs[i].scope == (int)view->scope_kind) {
            out->input = json_of_first(view, pairs[i].input);
            out->output = json_of_first(view, pairs[i].output);
            if (out->input.len > 0 || out->output.len > 0) {
                return true;
            }
        }
    }
    return false;
}

#define FIND_PAIR(view, pairs, out) find_pair(view, pairs, sizeof(pairs) / sizeof(pairs[0]), out)

/* ---- lists of messages ---- */

/* True: one of the messages, the elements of valid JSON text, has the role system. */
static bool has_system_message(struct slice messages, struct arena *arena)
{
    struct json_reader reader;
    struct slice message;
    struct slice role;
    bool found = false;
    json_reader_init(&reader, (char *)messages.data, messages.len, JSON_DEPTH_MAX, arena);
    if (!json_array_begin(&reader)) {
        return false;
    }
    while (json_array_next(&reader)) {
        json_skip(&reader, &message);
        found =
            found || (json_member(message, "role", arena, &role) && slice_is(role, "\"system\""));
    }
    return found;
}

/* The one text of [{"type":"text","content":"..."}], which is then the content; else the value as
 * it is. */
static struct slice instructions_content(struct slice json, struct arena *arena)
{
    struct json_reader reader;
    struct slice part;
    struct slice content = NONE;
    uint32_t count = 0;
    json_reader_init(&reader, (char *)json.data, json.len, JSON_DEPTH_MAX, arena);
    if (!json_array_begin(&reader)) {
        return json;
    }
    while (json_array_next(&reader)) {
        json_skip(&reader, &part);
        count++;
        if (!json_member(part, "content", arena, &content) || content.data[0] != '"') {
            return json;
        }
    }
    return count == 1 ? content : json;
}

/* Puts the system instructions before the messages. */
static struct slice with_instructions(struct otlp_view *view, struct slice messages)
{
    struct attribute *attribute = view_find(view, NAME_GEN_AI_SYSTEM_INSTRUCTIONS);
    if (attribute == NULL || (messages.len > 0 && (messages.data[0] != '[' ||
                                                   has_system_message(messages, view->arena)))) {
        return messages;
    }
    struct slice content = instructions_content(view_json(view, attribute), view->arena);
    buf_reset(&view->text);
    buf_append_text(&view->text, "[{\"role\":\"system\",\"content\":");
    buf_append_slice(&view->text, content);
    buf_append_char(&view->text, '}');
    if (messages.len > 0) {
        struct json_reader reader;
        json_reader_init(&reader, (char *)messages.data, messages.len, JSON_DEPTH_MAX, view->arena);
        json_array_begin(&reader);
        bool any = json_array_next(&reader);
        buf_append_char(&view->text, any ? ',' : ']');
        if (any) {
            size_t first = json_offset(&reader);
            buf_append(&view->text, messages.data + first, messages.len - first);
        }
    } else {
        buf_append_char(&view->text, ']');
    }
    return view_take(view);
}

/* Rule 14. */
static bool find_gen_ai_messages(struct otlp_view *view, struct otlp_payload *out)
{
    static const uint8_t input[] = {NAME_GEN_AI_INPUT_MESSAGES, NAME_END};
    static const uint8_t output[] = {NAME_GEN_AI_OUTPUT_MESSAGES, NAME_END};
    static const struct pair tool[] = {
        PAIR(ANY_SCOPE, NAME_GEN_AI_TOOL_CALL_ARGUMENTS, NAME_GEN_AI_TOOL_CALL_RESULT)};
    out->input = with_instructions(view, json_of_first(view, input));
    out->output = json_of_first(view, output);
    return out->input.len > 0 || out->output.len > 0 || FIND_PAIR(view, tool, out);
}

/* ---- rule 3: the Vercel AI SDK ---- */

static void find_ai(struct otlp_view *view, struct otlp_payload *out)
{
    static const uint8_t input[] = {NAME_AI_PROMPT_MESSAGES, NAME_AI_PROMPT, NAME_AI_TOOL_CALL_ARGS,
                                    NAME_END};
    static const uint8_t text[] = {NAME_AI_RESPONSE_TEXT, NAME_AI_RESULT_TEXT, NAME_END};
    static const uint8_t calls[] = {NAME_AI_RESPONSE_TOOL_CALLS, NAME_AI_RESULT_TOOL_CALLS,
                                    NAME_END};
    static const uint8_t output[] = {NAME_AI_RESPONSE_TEXT,     NAME_AI_RESULT_TEXT,
                                     NAME_AI_TOOL_CALL_RESULT,  NAME_AI_RESPONSE_OBJECT,
                                     NAME_AI_RESULT_OBJECT,     NAME_AI_RESPONSE_TOOL_CALLS,
                                     NAME_AI_RESULT_TOOL_CALLS, NAME_END};
    out->input = json_of_first(view, input);
    if (view_first(view, text) != NULL && view_first(view, calls) != NULL) {
        struct slice content = json_of_first(view, text);
        struct slice tool_calls = json_of_first(view, calls);
        buf_reset(&view->text);
        buf_append_text(&view->text, "{\"role\":\"assistant\",\"content\":");
        buf_append_slice(&view->text, content);
        buf_append_text(&view->text, ",\"tool_calls\":");
        buf_append_slice(&view->text, tool_calls);
        buf_append_char(&view->text, '}');
        out->output = view_take(view);
    } else {
        out->output = json_of_first(view, output);
    }
    if (out->input.len == 0 || out->output.len == 0) {
        struct otlp_payload other = {NONE, NONE};
        find_gen_ai_messages(view, &other);
        out->input = out->input.len > 0 ? out->input : other.input;
        out->output = out->output.len > 0 ? out->output : other.output;
    }
}

/* ---- rules 5 to 7: events ---- */

static const char event_details[] = "gen_ai.client.inference.operation.details";
static const char event_choice[] = "gen_ai.choice";
static const char event_prompt[] = "gen_ai.content.prompt";
static const char event_completion[] = "gen_ai.content.completion";

static bool is_any_used(const struct attributes *attributes)
{
    bool used = false;
    for (uint32_t i = 0; i < attributes->count; i++) {
        used = used || attributes->list[i].used;
    }
    return used;
}

/* Adds the attributes of an event to those of the ones before, which win. */
static void add_details(struct otlp_named *all, struct otlp_event *event)
{
    struct otlp_named named;
    otlp_names_index(&event->attributes, &named);
    for (int name = 0; name < NAME_COUNT; name++) {
        if (all->by_name[name] == NULL) {
            all->by_name[name] = named.by_name[name];
        }
    }
}

/* Rule 14 on the attributes of all such events: some tell instructions, input and output one by one. */
static bool find_details(struct otlp_view *view, struct otlp_event *events, uint32_t count,
                         struct otlp_payload *out)
{
    struct otlp_named own = view->named;
    struct otlp_named all = {{NULL}, 0};
    bool any = false;
    for (uint32_t i = 0; i < count; i++) {
        if (slice_is(events[i].name, event_details)) {
            add_details(&all, &events[i]);
            any = true;
        }
    }
    if (!any) {
        return false;
    }
    view->named = all;
    bool found = find_gen_ai_messages(view, out);
    view->named = own;
    for (uint32_t i = 0; i < count; i++) {
        events[i].used = events[i].used || is_any_used(&events[i].attributes);
    }
    return found;
}

/* "system" of gen_ai.system.message; empty: no such event. */
static struct slice event_role(struct slice name)
{
    static const char *const roles[] = {"system", "user", "assistant", "tool"};
    const char *prefix = "gen_ai.";
    const char *suffix = ".message";
    if (name.len <= strlen(prefix) + strlen(suffix) ||
        memcmp(name.data, prefix, strlen(prefix)) != 0 ||
        memcmp(name.data + name.len - strlen(suffix), suffix, strlen(suffix)) != 0) {
        return NONE;
    }
    struct slice role = {name.data + strlen(prefix), name.len - strlen(prefix) - strlen(suffix)};
    for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++) {
        if (slice_is(role, roles[i])) {
            return role;
        }
    }
    return NONE;
}

/* Appends {"role":role, attributes...}. The attributes may name a role of their own. */
static void print_message(struct otlp_view *view, struct otlp_event *event, struct slice role)
{
    const struct attributes *attributes = &event->attributes;
    struct buf *out = &view->text;
    bool any = false;
    event->used = true;
    buf_append_char(out, '{');
    if (role.len > 0 && attributes_find(attributes, "role") == NULL) {
        buf_append_text(out, "\"role\":");
        json_write_string(out, role);
        any = true;
    }
    for (uint32_t i = 0; i < attributes->count; i++) {
        buf_append_text(out, any ? "," : "");
        json_write_string(out, attributes->list[i].key);
        buf_append_char(out, ':');
        any_print(&attributes->list[i].value, out);
        any = true;
    }
    buf_append_char(out, '}');
}

static struct slice messages_of_events(struct otlp_view *view)
{
    uint32_t count = 0;
    buf_reset(&view->text);
    for (uint32_t i = 0; i < view->span->events.count; i++) {
        struct otlp_event *event = &view->span->events.list[i];
        struct slice role = event_role(event->name);
        if (role.len > 0) {
            buf_append_char(&view->text, count++ > 0 ? ',' : '[');
            print_message(view, event, role);
        }
    }
    buf_append_text(&view->text, count > 0 ? "]" : "");
    return view_take(view);
}

static struct slice choices_of_events(struct otlp_view *view)
{
    uint32_t count = 0;
    buf_reset(&view->text);
    buf_append_char(&view->text, '[');
    for (uint32_t i = 0; i < view->span->events.count; i++) {
        if (slice_is(view->span->events.list[i].name, event_choice)) {
            buf_append_text(&view->text, count++ > 0 ? "," : "");
            print_message(view, &view->span->events.list[i], NONE);
        }
    }
    buf_append_char(&view->text, ']');
    struct slice list = view_take(view);
    return count == 0 ? NONE : count == 1 ? (struct slice){list.data + 1, list.len - 2} : list;
}

/* The attribute of that key, else all of them. */
static struct slice event_content(struct otlp_view *view, struct otlp_event *event, const char *key)
{
    const struct any *any = attributes_find(&event->attributes, key);
    buf_reset(&view->text);
    if (any != NULL) {
        any_print_parsed(any, view->arena, &view->text);
        event->used = true;
    } else {
        print_message(view, event, NONE);
    }
    return view_take(view);
}

/* Of the last event of that name. */
static struct slice content_of_events(struct otlp_view *view, const char *name, const char *key)
{
    struct slice content = NONE;
    for (uint32_t i = 0; i < view->span->events.count; i++) {
        if (slice_is(view->span->events.list[i].name, name)) {
            content = event_content(view, &view->span->events.list[i], key);
        }
    }
    return content;
}

enum otlp_payload_part otlp_payload_of_event(struct otlp_view *view, struct otlp_event *event,
                                             struct otlp_payload *out)
{
    struct slice role = event_role(event->name);
    *out = (struct otlp_payload){NONE, NONE};
    if (slice_is(event->name, event_details)) {
        return find_details(view, event, 1, out) ? PAYLOAD_WHOLE : PAYLOAD_NONE;
    }
    if (slice_is(event->name, event_prompt)) {
        out->input = event_content(view, event, "gen_ai.prompt");
        return PAYLOAD_WHOLE;
    }
    if (slice_is(event->name, event_completion)) {
        out->output = event_content(view, event, "gen_ai.completion");
        return PAYLOAD_WHOLE;
    }
    if (role.len == 0 && !slice_is(event->name, event_choice)) {
        return PAYLOAD_NONE;
    }
    buf_reset(&view->text);
    print_message(view, event, role);
    *(role.len > 0 ? &out->input : &out->output) = view_take(view);
    return PAYLOAD_MESSAGE;
}

static bool find_in_events(struct otlp_view *view, struct otlp_payload *out)
{
    if (find_details(view, view->span->events.list, view->span->events.count, out)) {
        return true;
    }
    out->input = messages_of_events(view);
    out->output = choices_of_events(view);
    if (out->input.len > 0 || out->output.len > 0) {
        return true;
    }
    out->input = content_of_events(view, event_prompt, "gen_ai.prompt");
    out->output = content_of_events(view, event_completion, "gen_ai.completion");
    return out->input.len > 0 || out->output.len > 0;
}

/* ---- rule 8: an empty object is as good as absent ---- */

static bool find_vertex(struct otlp_view *view, struct otlp_payload *out)
{
    static const struct pair pairs[] = {
        PAIR(ANY_SCOPE, NAME_GCP_VERTEX_AGENT_LLM_REQUEST, NAME_GCP_VERTEX_AGENT_LLM_RESPONSE),
        PAIR(ANY_SCOPE, NAME_GCP_VERTEX_AGENT_TOOL_CALL_ARGS, NAME_GCP_VERTEX_AGENT_TOOL_RESPONSE),
    };
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        find_pair(view, &pairs[i], 1, out);
        out->input = slice_is(out->input, "{}") ? NONE : out->input;
        out->output = slice_is(out->output, "{}") ? NONE : out->output;
        if (out->input.len > 0 || out->output.len > 0) {
            return true;
        }
    }
    return false;
}

/* ---- rules 12 and 13: paths ---- */

static struct slice path_value(struct otlp_view *view, enum otlp_name bare, enum otlp_group group)
{
    struct attribute *attribute = bare != NAME_UNKNOWN ? view_find(view, bare) : NULL;
    if (attribute != NULL) {
        return view_json(view, attribute);
    }
    buf_reset(&view->text);
    if (!view_has_group(view, group) ||
        !otlp_paths_print(&view->span->attributes, group, view->arena, &view->text)) {
        return NONE;
    }
    return view_take(view);
}

static bool find_paths(struct otlp_view *view, struct otlp_payload *out)
{
    out->input = path_value(view, NAME_GEN_AI_PROMPT, GROUP_GEN_AI_PROMPT);
    out->output = path_value(view, NAME_GEN_AI_COMPLETION, GROUP_GEN_AI_COMPLETION);
    if (out->input.len > 0 || out->output.len > 0) {
        return true;
    }
    out->input = path_value(view, NAME_UNKNOWN, GROUP_LLM_INPUT_MESSAGES);
    out->output = path_value(view, NAME_UNKNOWN, GROUP_LLM_OUTPUT_MESSAGES);
    return out->input.len > 0 || out->output.len > 0;
}

/* ---- all in order ---- */

static const struct pair first_pairs[] = {
    PAIR(ANY_SCOPE, NAME_LF_OBSERVATION_INPUT, NAME_LF_OBSERVATION_OUTPUT),
    PAIR(SCOPE_GENKIT, NAME_GENKIT_INPUT, NAME_GENKIT_OUTPUT),
};

static const struct pair flue_pairs[] = {
    PAIR(SCOPE_FLUE, NAME_FLUE_INPUT, NAME_FLUE_OUTPUT),
    PAIR(SCOPE_FLUE, NAME_FLUE_TOOL_INPUT, NAME_FLUE_TOOL_OUTPUT),
    PAIR(SCOPE_FLUE, NAME_FLUE_TOOL_ARGUMENTS, NAME_FLUE_TOOL_RESULT),
    /* Later versions say by the standard's names what is an object, by their own what is none. */
    {SCOPE_FLUE,
     {NAME_FLUE_TOOL_CALL_ARGUMENTS, NAME_GEN_AI_TOOL_CALL_ARGUMENTS, NAME_END},
     {NAME_FLUE_TOOL_CALL_RESULT, NAME_GEN_AI_TOOL_CALL_RESULT, NAME_END}},
    PAIR(SCOPE_FLUE, NAME_FLUE_TASK_INPUT, NAME_FLUE_TASK_OUTPUT),
    PAIR(SCOPE_FLUE, NAME_FLUE_TASK_PROMPT, NAME_FLUE_TASK_RESULT),
    PAIR(SCOPE_FLUE, NAME_FLUE_TURN_INPUT, NAME_FLUE_TURN_OUTPUT),
    PAIR(SCOPE_FLUE, NAME_FLUE_WORKFLOW_PAYLOAD, NAME_FLUE_WORKFLOW_RESULT),
    {SCOPE_FLUE, {NAME_END}, {NAME_FLUE_OPERATION_RESULT, NAME_END}},
    PAIR(SCOPE_FLUE, NAME_FLUE_PROMPT, NAME_FLUE_RESPONSE),
};

static const struct pair logfire_pairs[] = {
    PAIR(ANY_SCOPE, NAME_PROMPT, NAME_ALL_MESSAGES_EVENTS),
    {ANY_SCOPE,
     {NAME_LK_INPUT_TEXT, NAME_LK_USER_INPUT, NAME_LK_USER_TRANSCRIPT,
      NAME_LK_FUNCTION_TOOL_ARGUMENTS, NAME_LK_CHAT_CTX, NAME_END},
     {NAME_LK_RESPONSE_TEXT, NAME_LK_FUNCTION_TOOL_OUTPUT, NAME_END}},
};

static const struct pair framework_pairs[] = {
    PAIR(ANY_SCOPE, NAME_MLFLOW_SPAN_INPUTS, NAME_MLFLOW_SPAN_OUTPUTS),
    PAIR(ANY_SCOPE, NAME_TRACELOOP_ENTITY_INPUT, NAME_TRACELOOP_ENTITY_OUTPUT),
    PAIR(ANY_SCOPE, NAME_INPUT_VALUE, NAME_OUTPUT_VALUE),
    PAIR(ANY_SCOPE, NAME_INPUT, NAME_OUTPUT),
    {SCOPE_PYDANTIC_AI,
     {NAME_PYDANTIC_AI_ALL_MESSAGES, NAME_END},
     {NAME_PYDANTIC_AI_FINAL_RESULT, NAME_FINAL_RESULT, NAME_END}},
    PAIR(ANY_SCOPE, NAME_TOOL_ARGUMENTS, NAME_TOOL_RESPONSE),
};

struct otlp_payload otlp_payload_find(struct otlp_view *view)
{
    struct otlp_payload out = {NONE, NONE};
    if (FIND_PAIR(view, first_pairs, &out)) {
        return out;
    }
    if (view->scope_kind == SCOPE_AI) {
        find_ai(view, &out);
        return out;
    }
    if (FIND_PAIR(view, flue_pairs, &out) || find_in_events(view, &out) ||
        find_vertex(view, &out) || FIND_PAIR(view, logfire_pairs, &out) ||
        otlp_logfire_find(view, &out) || FIND_PAIR(view, framework_pairs, &out) ||
        find_paths(view, &out) || find_gen_ai_messages(view, &out)) {
        return out;
    }
    return (struct otlp_payload){NONE, NONE};
}
