/* otlp_payload, otlp_paths: input and output by contract/langfuse.md section 3.5. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "otlp_cases.h"

#define IN(scope, attributes, expected)                                                            \
    {                                                                                              \
        attributes, IN_OBSERVATION, OBSERVATION_INPUT, expected, scope, NULL, NULL                 \
    }
#define OUT(scope, attributes, expected)                                                           \
    {                                                                                              \
        attributes, IN_OBSERVATION, OBSERVATION_OUTPUT, expected, scope, NULL, NULL                \
    }

static void values_are_json_when_they_are(void **state)
{
    static const struct otlp_case cases[] = {
        IN(NULL, NULL, NULL),
        IN(NULL, "{\"input\":\" {\\\"a\\\": 1.50} \"}", "{\"a\": 1.50}"),
        IN(NULL, "{\"input\":\"plain \\\"text\\\"\"}", "\"plain \\\"text\\\"\""),
        IN(NULL, "{\"input\":\"{\\\"a\\\":\"}", "\"{\\\"a\\\":\""),
        IN(NULL, "{\"input\":\"12\"}", "12"),
        IN(NULL, "{\"input\":\"1234567890123456789012345678901234567890\"}",
           "1234567890123456789012345678901234567890"),
        IN(NULL, "{\"input\":[1,{\"a\":true}]}", "[1,{\"a\":true}]"),
        IN(NULL, "{\"input\":0.1}", "0.1"),
        IN(NULL, "{\"input\":\"[\\\"\\\\u0000\\\"]\"}", "[\"\\ufffd\"]"),
        IN(NULL, "{\"input\":\"\"}", NULL),
    };
    OTLP_CHECK_ALL(cases);
}

static void pairs_in_order(void **state)
{
    static const struct otlp_case cases[] = {
        IN(NULL, "{\"langfuse.observation.input\":\"a\",\"input.value\":\"b\"}", "\"a\""),
        /* Both sides come from the pair that has either. */
        IN(NULL, "{\"langfuse.observation.output\":\"a\",\"input.value\":\"b\"}", NULL),
        OUT(NULL, "{\"langfuse.observation.output\":\"a\",\"input.value\":\"b\"}", "\"a\""),
        IN("genkit-tracer", "{\"genkit:input\":\"g\"}", "\"g\""),
        IN(NULL, "{\"genkit:input\":\"g\"}", NULL),
        IN("@flue/opentelemetry", "{\"flue.tool.arguments\":\"f\"}", "\"f\""),
        OUT("@flue/opentelemetry",
            "{\"gen_ai.tool.call.arguments\":\"{}\",\"flue.tool.call.result\":\"r\"}", "\"r\""),
        IN("@flue/opentelemetry",
           "{\"gen_ai.tool.call.arguments\":\"{}\",\"flue.tool.call.result\":\"r\"}", "{}"),
        IN("@flue/opentelemetry", "{\"flue.task.prompt\":\"p\",\"flue.task.id\":\"t\"}", "\"p\""),
        OUT("@flue/opentelemetry", "{\"flue.task.result\":\"r\"}", "\"r\""),
        IN("@flue/opentelemetry", "{\"flue.turn.input\":\"[1]\"}", "[1]"),
        OUT("@flue/opentelemetry", "{\"flue.turn.output\":\"[2]\"}", "[2]"),
        IN("@flue/opentelemetry", "{\"flue.workflow.payload\":\"{}\"}", "{}"),
        OUT("@flue/opentelemetry", "{\"flue.operation.result\":\"o\"}", "\"o\""),
        OUT("@flue/opentelemetry", "{\"gen_ai.output.messages\":\"[3]\"}", "[3]"),
        OUT(NULL, "{\"flue.operation.result\":\"o\"}", NULL),
        IN(NULL, "{\"gcp.vertex.agent.llm_request\":\"{}\",\"input.value\":\"b\"}", "\"b\""),
        OUT(NULL, "{\"gcp.vertex.agent.tool_response\":\"{\\\"x\\\":1}\"}", "{\"x\":1}"),
        IN(NULL, "{\"prompt\":\"l\",\"mlflow.spanInputs\":\"m\"}", "\"l\""),
        OUT(NULL, "{\"all_messages_events\":\"[1]\"}", "[1]"),
        OUT("livekit-agents", "{\"lk.response.text\":\"r\"}", "\"r\""),
        IN(NULL, "{\"mlflow.spanInputs\":\"m\",\"traceloop.entity.input\":\"t\"}", "\"m\""),
        IN(NULL, "{\"traceloop.entity.input\":\"t\",\"input.value\":\"o\"}", "\"t\""),
        IN(NULL, "{\"input.value\":\"o\",\"input\":\"i\"}", "\"o\""),
        OUT(NULL, "{\"output\":\"i\"}", "\"i\""),
        OUT("pydantic-ai", "{\"final_result\":\"f\"}", "\"f\""),
        OUT(NULL, "{\"final_result\":\"f\"}", NULL),
        IN(NULL, "{\"tool_arguments\":\"{}\"}", "{}"),
        IN(NULL, "{\"gen_ai.tool.call.arguments\":\"{\\\"c\\\":1}\"}", "{\"c\":1}"),
    };
    OTLP_CHECK_ALL(cases);
}

static void logfire_events(void **state)
{
    static const char list[] =
        "{\"events\":\"[{\\\"event.name\\\":\\\"gen_ai.user.message\\\",\\\"content\\\":\\\"q\\\"},"
        "{\\\"event.name\\\":\\\"gen_ai.choice\\\",\\\"message\\\":\\\"a\\\"}]\"}";
    /* Logfire on OpenAI's Responses: no choice, the answer comes last. */
#define LOGGED(role, more) "{\\\"event.name\\\":\\\"gen_ai." role ".message\\\"" more "}"
    static const char answered[] = "{\"events\":\"[" LOGGED("user", "") "," LOGGED(
        "assistant", ",\\\"content\\\":\\\"a\\\"") "]\"}";
    static const char answered_twice[] =
        "{\"events\":\"[" LOGGED("assistant", "") "," LOGGED("tool", "") "," LOGGED(
            "assistant", ",\\\"n\\\":1") "," LOGGED("assistant", ",\\\"n\\\":2") "]\"}";
    static const char only_answered[] = "{\"events\":\"[" LOGGED("assistant", "") "]\"}";
    const struct otlp_case cases[] = {
        IN(NULL, list, "[{\"event.name\":\"gen_ai.user.message\",\"content\":\"q\"}]"),
        OUT(NULL, list, "{\"event.name\":\"gen_ai.choice\",\"message\":\"a\"}"),
        IN(NULL, answered, "[{\"event.name\":\"gen_ai.user.message\"}]"),
        OUT(NULL, answered, "{\"event.name\":\"gen_ai.assistant.message\",\"content\":\"a\"}"),
        IN(NULL, answered_twice,
           "[{\"event.name\":\"gen_ai.assistant.message\"},{\"event.name\":\"gen_ai.tool.message\"}"
           "]"),
        OUT(NULL, answered_twice,
            "[{\"event.name\":\"gen_ai.assistant.message\",\"n\":1},"
            "{\"event.name\":\"gen_ai.assistant.message\",\"n\":2}]"),
        IN(NULL, only_answered, NULL),
        OUT(NULL, only_answered, "{\"event.name\":\"gen_ai.assistant.message\"}"),
        IN(NULL, "{\"events\":\"no list\",\"input\":\"i\"}", "\"i\""),
    };
    OTLP_CHECK_ALL(cases);
}

static void the_vercel_ai_sdk(void **state)
{
    static const struct otlp_case cases[] = {
        IN("ai", "{\"ai.prompt.messages\":\"[1]\",\"ai.prompt\":\"p\"}", "[1]"),
        IN("ai", "{\"ai.toolCall.args\":\"{}\",\"input.value\":\"x\"}", "{}"),
        OUT("ai", "{\"ai.response.text\":\"t\",\"ai.response.toolCalls\":\"[{\\\"n\\\":1}]\"}",
            "{\"role\":\"assistant\",\"content\":\"t\",\"tool_calls\":[{\"n\":1}]}"),
        OUT("ai", "{\"ai.response.toolCalls\":\"[2]\"}", "[2]"),
        OUT("ai", "{\"ai.response.object\":\"{\\\"o\\\":1}\"}", "{\"o\":1}"),
        IN("ai", "{\"ai.response.text\":\"t\",\"gen_ai.input.messages\":\"[3]\"}", "[3]"),
        /* Ends the search. */
        IN("ai", "{\"input.value\":\"x\"}", NULL),
    };
    OTLP_CHECK_ALL(cases);
}

#define SYSTEM                                                                                     \
    "\"gen_ai.system_instructions\":\"[{\\\"type\\\":\\\"text\\\",\\\"content\\\":\\\"S\\\"}]\""

static void messages_with_instructions(void **state)
{
    static const struct otlp_case cases[] = {
        IN(NULL, "{" SYSTEM ",\"gen_ai.input.messages\":\"[{\\\"role\\\":\\\"user\\\"}]\"}",
           "[{\"role\":\"system\",\"content\":\"S\"},{\"role\":\"user\"}]"),
        IN(NULL, "{" SYSTEM ",\"gen_ai.input.messages\":\"[{\\\"role\\\":\\\"system\\\"}]\"}",
           "[{\"role\":\"system\"}]"),
        IN(NULL, "{" SYSTEM ",\"gen_ai.input.messages\":\"[]\"}",
           "[{\"role\":\"system\",\"content\":\"S\"}]"),
        IN(NULL, "{" SYSTEM "}", "[{\"role\":\"system\",\"content\":\"S\"}]"),
        IN(NULL, "{\"gen_ai.system_instructions\":\"be nice\"}",
           "[{\"role\":\"system\",\"content\":\"be nice\"}]"),
        IN(NULL, "{\"gen_ai.system_instructions\":\"[{\\\"content\\\":\\\"a\\\"},{\\\"b\\\":1}]\"}",
           "[{\"role\":\"system\",\"content\":[{\"content\":\"a\"},{\"b\":1}]}]"),
        OUT(NULL, "{\"gen_ai.output.messages\":\"[1]\"}", "[1]"),
    };
    OTLP_CHECK_ALL(cases);
}

static void paths(void **state)
{
    static const struct otlp_case cases[] = {
        IN(NULL, "{\"gen_ai.prompt.0.role\":\"user\",\"gen_ai.prompt.0.content\":\"12\"}",
           "[{\"content\":\"12\",\"role\":\"user\"}]"),
        IN(NULL, "{\"gen_ai.prompt.10.c\":1,\"gen_ai.prompt.2.c\":2}",
           "[null,null,{\"c\":2},null,null,null,null,null,null,null,{\"c\":1}]"),
        IN(NULL, "{\"gen_ai.prompt\":\"[1]\",\"gen_ai.prompt.0.role\":\"user\"}", "[1]"),
        OUT(NULL, "{\"gen_ai.completion.0.tool_calls.0.name\":\"f\"}",
            "[{\"tool_calls\":[{\"name\":\"f\"}]}]"),
        IN(NULL, "{\"llm.input_messages.0.message.role\":\"user\"}",
           "[{\"message\":{\"role\":\"user\"}}]"),
        IN(NULL, "{\"gen_ai.prompt.a\":1,\"gen_ai.prompt.0\":2}", "{\"0\":2,\"a\":1}"),
        IN(NULL, "{\"gen_ai.prompt.99999999\":1}", "{\"99999999\":1}"),
        IN(NULL, "{\"gen_ai.prompt.99999.x\":1}", "{\"99999\":{\"x\":1}}"),
        IN(NULL, "{\"gen_ai.prompt.01\":1}", "{\"01\":1}"),
        IN(NULL, "{\"gen_ai.prompt.x\":1,\"gen_ai.prompt.x.y\":2}", "{\"x\":{\"y\":2}}"),
        IN(NULL, "{\"gen_ai.prompt.x\":1,\"gen_ai.prompt.x\":2}", "{\"x\":2}"),
        IN(NULL, "{\"gen_ai.prompt.a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q\":1}",
           "{\"a\":{\"b\":{\"c\":{\"d\":{\"e\":{\"f\":{\"g\":{\"h\":{\"i\":{\"j\":{\"k\":{\"l\":{"
           "\"m\":{\"n\":{\"o\":{\"p.q\":1}}}}}}}}}}}}}}}}"),
    };
    OTLP_CHECK_ALL(cases);
}

#define EVENT(name, attributes)                                                                    \
    "{\"name\":\"" name "\",\"timeUnixNano\":1,\"attributes\":[" attributes "]}"
#define TEXT(key, value) "{\"key\":\"" key "\",\"value\":{\"stringValue\":\"" value "\"}}"
#define EVENTS(list)     "\"name\":\"n\",\"events\":[" list "],"

static void events(void **state)
{
    static const char chat[] =
        EVENTS(EVENT("gen_ai.system.message", TEXT("content", "s")) "," EVENT(
            "gen_ai.user.message",
            TEXT("content", "q") "," TEXT("role", "own")) "," EVENT("gen_ai.choice",
                                                                    TEXT("message", "a")));
    static const char choices[] = EVENTS(EVENT("gen_ai.choice", TEXT("message", "a")) "," EVENT(
        "gen_ai.choice", TEXT("message", "b")));
    static const char content[] =
        EVENTS(EVENT("gen_ai.content.prompt", TEXT("gen_ai.prompt", "[1]")) "," EVENT(
            "gen_ai.content.completion", TEXT("other", "[2]")));
    static const char details[] = EVENTS(
        EVENT("gen_ai.client.inference.operation.details", TEXT("gen_ai.input.messages", "[3]")));
    /* Strands tells each by itself. */
    static const char parts[] = EVENTS(EVENT(
        "gen_ai.client.inference.operation.details",
        TEXT("gen_ai.system_instructions",
             "be nice")) "," EVENT("gen_ai.client.inference.operation.details",
                                   TEXT("gen_ai.input.messages",
                                        "[{\\\"role\\\":\\\"user\\\"}]")) "," EVENT("gen_ai.client."
                                                                                    "inference."
                                                                                    "operation."
                                                                                    "details",
                                                                                    TEXT("gen_ai."
                                                                                         "output."
                                                                                         "messages",
                                                                                         "[4]")));
    static const char odd[] = EVENTS(EVENT("gen_ai.robot.message", TEXT("content", "s")));
    const struct otlp_case cases[] = {
        {NULL, IN_OBSERVATION, OBSERVATION_INPUT,
         "[{\"role\":\"system\",\"content\":\"s\"},{\"content\":\"q\",\"role\":\"own\"}]", NULL,
         NULL, chat},
        {NULL, IN_OBSERVATION, OBSERVATION_OUTPUT, "{\"message\":\"a\"}", NULL, NULL, chat},
        {NULL, IN_OBSERVATION, OBSERVATION_OUTPUT, "[{\"message\":\"a\"},{\"message\":\"b\"}]",
         NULL, NULL, choices},
        {NULL, IN_OBSERVATION, OBSERVATION_INPUT, "[1]", NULL, NULL, content},
        {NULL, IN_OBSERVATION, OBSERVATION_OUTPUT, "{\"other\":\"[2]\"}", NULL, NULL, content},
        {NULL, IN_OBSERVATION, OBSERVATION_INPUT, "[3]", NULL, NULL, details},
        {NULL, IN_OBSERVATION, OBSERVATION_INPUT,
         "[{\"role\":\"system\",\"content\":\"be nice\"},{\"role\":\"user\"}]", NULL, NULL, parts},
        {NULL, IN_OBSERVATION, OBSERVATION_OUTPUT, "[4]", NULL, NULL, parts},
        {NULL, IN_OBSERVATION, OBSERVATION_METADATA, NULL, NULL, NULL, parts},
        {NULL, IN_OBSERVATION, OBSERVATION_INPUT, NULL, NULL, NULL, odd},
        /* What is input is not shown again among the metadata. */
        {NULL, IN_OBSERVATION, OBSERVATION_METADATA, NULL, NULL, NULL, chat},
        {NULL, IN_OBSERVATION, OBSERVATION_METADATA,
         "{\"events\":[{\"name\":\"gen_ai.robot.message\",\"timeUnixNano\":\"1\",\"attributes\":{"
         "\"content\":\"s\"}}]}",
         NULL, NULL, odd},
    };
    OTLP_CHECK_ALL(cases);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_json_when_they_are),
        cmocka_unit_test(pairs_in_order),
        cmocka_unit_test(logfire_events),
        cmocka_unit_test(the_vercel_ai_sdk),
        cmocka_unit_test(messages_with_instructions),
        cmocka_unit_test(paths),
        cmocka_unit_test(events),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
