/* otlp_kind: type, name, level and status message by contract/langfuse.md sections 3.3, 3.4. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "otlp_cases.h"

#define TYPE(attributes, type)                                                                     \
    {                                                                                              \
        attributes, IN_OBSERVATION, OBSERVATION_TYPE, type, NULL, NULL, NULL                       \
    }

static void types_by_each_rule(void **state)
{
    static const struct otlp_case cases[] = {
        TYPE(NULL, "SPAN"),
        /* 1 */
        TYPE("{\"langfuse.observation.type\":\"chain\"}", "CHAIN"),
        TYPE("{\"langfuse.observation.type\":\"Generation\"}", "GENERATION"),
        TYPE("{\"langfuse.observation.type\":\"event\"}", "EVENT"),
        TYPE("{\"langfuse.observation.type\":\"embedding\"}", "EMBEDDING"),
        TYPE("{\"langfuse.observation.type\":\"agent\"}", "AGENT"),
        TYPE("{\"langfuse.observation.type\":\"tool\"}", "TOOL"),
        TYPE("{\"langfuse.observation.type\":\"retriever\"}", "RETRIEVER"),
        TYPE("{\"langfuse.observation.type\":\"guardrail\"}", "GUARDRAIL"),
        TYPE("{\"langfuse.observation.type\":\"evaluator\"}", "EVALUATOR"),
        TYPE("{\"langfuse.observation.type\":\"span\",\"model\":\"m\"}", "SPAN"),
        TYPE("{\"langfuse.observation.type\":\"odd\",\"openinference.span.kind\":\"LLM\"}",
             "GENERATION"),
        /* 2 */
        TYPE("{\"openinference.span.kind\":\"RETRIEVER\"}", "RETRIEVER"),
        TYPE("{\"openinference.span.kind\":\"RERANKER\"}", "SPAN"),
        /* 3 */
        TYPE("{\"gen_ai.operation.name\":\"chat\"}", "GENERATION"),
        TYPE("{\"gen_ai.operation.name\":\"text_completion\"}", "GENERATION"),
        TYPE("{\"gen_ai.operation.name\":\"embeddings\"}", "EMBEDDING"),
        TYPE("{\"gen_ai.operation.name\":\"invoke_agent\",\"gen_ai.request.model\":\"m\"}",
             "AGENT"),
        TYPE("{\"gen_ai.operation.name\":\"execute_tool\"}", "TOOL"),
        /* 4 */
        TYPE("{\"genkit:metadata:subtype\":\"background-model\"}", "GENERATION"),
        TYPE("{\"genkit:metadata:subtype\":\"embedder\"}", "EMBEDDING"),
        TYPE("{\"genkit:metadata:subtype\":\"tool.v2\"}", "TOOL"),
        /* 5, 6 */
        TYPE("{\"operation.name\":\"ai.generateText.doGenerate fn\",\"ai.model.id\":\"m\"}",
             "GENERATION"),
        TYPE("{\"ai.operationId\":\"ai.embed.doEmbed\",\"ai.model.id\":\"m\"}", "EMBEDDING"),
        TYPE("{\"ai.operationId\":\"ai.toolCall\"}", "TOOL"),
        TYPE("{\"ai.operationId\":\"ai.generateText\",\"ai.model.id\":\"m\"}", "SPAN"),
        TYPE("{\"ai.operationId\":\"ai.generateText\",\"gen_ai.request.model\":\"m\"}",
             "GENERATION"),
        /* 7, 8, 9 */
        TYPE("{\"gen_ai.tool.call.id\":\"c\"}", "TOOL"),
        TYPE("{\"gen_ai.tool.name\":\"\"}", "SPAN"),
        TYPE("{\"flue.tool.x\":1}", "TOOL"),
        TYPE("{\"flue.task.x\":1}", "AGENT"),
        TYPE("{\"traceloop.span.kind\":\"agent\"}", "AGENT"),
        TYPE("{\"traceloop.span.kind\":\"tool\"}", "TOOL"),
        TYPE("{\"traceloop.span.kind\":\"workflow\"}", "SPAN"),
        {NULL, IN_OBSERVATION, OBSERVATION_TYPE, "AGENT", "livekit-agents", NULL,
         "\"name\":\"agent_turn\","},
        {NULL, IN_OBSERVATION, OBSERVATION_TYPE, "TOOL", "livekit-agents", NULL,
         "\"name\":\"function_tool\","},
        {NULL, IN_OBSERVATION, OBSERVATION_TYPE, "SPAN", NULL, NULL, "\"name\":\"agent_turn\","},
        /* MLflow quotes */
        TYPE("{\"mlflow.spanType\":\"\\\"TOOL\\\"\"}", "TOOL"),
        TYPE("{\"mlflow.spanType\":\"\\\"CHAT_MODEL\\\"\"}", "GENERATION"),
        TYPE("{\"mlflow.spanType\":\"AGENT\",\"model\":\"m\"}", "AGENT"),
        TYPE("{\"mlflow.spanType\":\"\\\"UNKNOWN\\\"\",\"gen_ai.operation.name\":\"chat\"}",
             "GENERATION"),
        /* 10 */
        TYPE("{\"langfuse.observation.model.name\":\"m\"}", "GENERATION"),
        TYPE("{\"gen_ai.response.model\":\"m\"}", "GENERATION"),
        TYPE("{\"llm.model_name\":\"m\"}", "GENERATION"),
        TYPE("{\"langfuse.generation.model\":\"m\"}", "GENERATION"),
        TYPE("{\"model\":\"\"}", "SPAN"),
    };
    OTLP_CHECK_ALL(cases);
}

static void generations_of_the_old_python_sdk(void **state)
{
    static const char *const versions[][2] = {{"3.3.4", "GENERATION"}, {"3.4.0", "SPAN"}};
    static const struct otlp_case c = {
        .attributes =
            "{\"langfuse.observation.type\":\"span\",\"langfuse.observation.model.name\":\"m\"}",
        .scope = "langfuse-sdk",
        .resource = "{\"telemetry.sdk.language\":\"python\"}",
    };
    struct buf text = BUF_EMPTY;
    for (size_t i = 0; i < 2; i++) {
        struct decoded d;
        otlp_print(&text, &c);
        struct buf versioned = BUF_EMPTY;
        const char *at = strstr(text.data, "\"langfuse-sdk\"");
        buf_append(&versioned, text.data, (size_t)(at - text.data));
        buf_printf(&versioned, "\"langfuse-sdk\",\"version\":\"%s\"%s", versions[i][0],
                   at + strlen("\"langfuse-sdk\""));
        otlp_open_json(&d, versioned.data, versioned.len);
        assert_string_equal(decoded_value(&d, &d.rows[0], OBSERVATION_TYPE), versions[i][1]);
        decoded_close(&d);
        buf_finish(&versioned);
        buf_reset(&text);
    }
    buf_finish(&text);
}

#define NAME(attributes, name)                                                                     \
    {                                                                                              \
        attributes, IN_OBSERVATION, OBSERVATION_NAME, name, NULL, NULL, NULL                       \
    }

static void names(void **state)
{
    static const struct otlp_case cases[] = {
        NAME(NULL, "span"),
        NAME("{\"langfuse.trace.name\":\"t\"}", "span"),
        NAME("{\"gen_ai.tool.name\":\"tool\",\"genkit:name\":\"g\"}", "tool"),
        NAME("{\"genkit:name\":\"g\",\"logfire.msg\":\"l\"}", "g"),
        NAME("{\"logfire.msg\":\"l\"}", "l"),
        NAME("{\"ai.toolCall.name\":\"a\",\"ai.operationId\":\"o\"}", "a"),
        NAME("{\"ai.operationId\":\"ai.embed\"}", "ai.embed"),
        NAME("{\"ai.operationId\":\"ai.embed\",\"ai.telemetry.functionId\":\"f\"}", "f:ai.embed"),
        {NULL, IN_OBSERVATION, OBSERVATION_NAME, NULL, NULL, NULL, "\"name\":\"\","},
    };
    OTLP_CHECK_ALL(cases);
}

#define LEVEL(attributes, level, more)                                                             \
    {                                                                                              \
        attributes, IN_OBSERVATION, OBSERVATION_LEVEL, level, NULL, NULL, more                     \
    }
#define FAILED "\"status\":{\"code\":2,\"message\":\"broken\"},"

/* message: what the status says besides its code. */
#define FAILED_WITH(message, events) "\"status\":{\"code\":2" message "},\"events\":[" events "],"
#define EXCEPTION(message)                                                                         \
    "{\"name\":\"exception\",\"timeUnixNano\":1,\"attributes\":[{\"key\":\"exception.message\","   \
    "\"value\":{\"stringValue\":\"" message "\"}}]}"

static void levels_and_status(void **state)
{
    static const struct otlp_case cases[] = {
        LEVEL(NULL, NULL, NULL),
        LEVEL(NULL, "ERROR", FAILED),
        LEVEL(NULL, "ERROR", "\"status\":{\"code\":\"STATUS_CODE_ERROR\"},"),
        LEVEL(NULL, NULL, "\"status\":{\"code\":1},"),
        LEVEL("{\"langfuse.observation.level\":\"warn\"}", "WARNING", FAILED),
        LEVEL("{\"langfuse.observation.level\":\"Verbose\"}", "DEBUG", NULL),
        LEVEL("{\"langfuse.observation.level\":\"SUCCESS\"}", "DEFAULT", FAILED),
        LEVEL("{\"langfuse.observation.level\":\"fatal\"}", "ERROR", NULL),
        LEVEL("{\"langfuse.observation.level\":\"odd\"}", "ERROR", FAILED),
        {NULL, IN_OBSERVATION, OBSERVATION_STATUS_MESSAGE, "broken", NULL, NULL, FAILED},
        {"{\"langfuse.observation.status_message\":\"said\"}", IN_OBSERVATION,
         OBSERVATION_STATUS_MESSAGE, "said", NULL, NULL, FAILED},
        {NULL, IN_OBSERVATION, OBSERVATION_STATUS_MESSAGE, NULL, NULL, NULL, NULL},
        /* A failure that says nothing is explained by its exception. */
        {NULL, IN_OBSERVATION, OBSERVATION_STATUS_MESSAGE, "late", NULL, NULL,
         FAILED_WITH("", EXCEPTION("early") "," EXCEPTION("late") ",{\"name\":\"retry\"}")},
        {NULL, IN_OBSERVATION, OBSERVATION_STATUS_MESSAGE, "broken", NULL, NULL,
         FAILED_WITH(",\"message\":\"broken\"", EXCEPTION("late"))},
        {NULL, IN_OBSERVATION, OBSERVATION_STATUS_MESSAGE, NULL, NULL, NULL,
         "\"events\":[" EXCEPTION("handled") "],"},
    };
    OTLP_CHECK_ALL(cases);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(types_by_each_rule),
        cmocka_unit_test(generations_of_the_old_python_sdk),
        cmocka_unit_test(names),
        cmocka_unit_test(levels_and_status),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
