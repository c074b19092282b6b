/*
 * otlp_names: the attribute names that the mapping knows, each a number, so that a rule is a list of
 * numbers and a span's attributes are looked up once. Names with a free ending are groups. Pure.
 */
#pragma once

#include <stdint.h>

#include "gateway/ingest/otlp_span.h"

/* X(enum suffix, name), sorted bytewise. */
#define OTLP_NAMES(X)                                                                              \
    X(AI_MODEL_ID, "ai.model.id")                                                                  \
    X(AI_OPERATION_ID, "ai.operationId")                                                           \
    X(AI_PROMPT, "ai.prompt")                                                                      \
    X(AI_PROMPT_MESSAGES, "ai.prompt.messages")                                                    \
    X(AI_PROMPT_TOOL_CHOICE, "ai.prompt.toolChoice")                                               \
    X(AI_RESPONSE_MS_TO_FIRST_CHUNK, "ai.response.msToFirstChunk")                                 \
    X(AI_RESPONSE_OBJECT, "ai.response.object")                                                    \
    X(AI_RESPONSE_PROVIDER_METADATA, "ai.response.providerMetadata")                               \
    X(AI_RESPONSE_TEXT, "ai.response.text")                                                        \
    X(AI_RESPONSE_TOOL_CALLS, "ai.response.toolCalls")                                             \
    X(AI_RESULT_OBJECT, "ai.result.object")                                                        \
    X(AI_RESULT_TEXT, "ai.result.text")                                                            \
    X(AI_RESULT_TOOL_CALLS, "ai.result.toolCalls")                                                 \
    X(AI_SETTINGS_MAX_OUTPUT_TOKENS, "ai.settings.maxOutputTokens")                                \
    X(AI_SETTINGS_MAX_RETRIES, "ai.settings.maxRetries")                                           \
    X(AI_SETTINGS_MAX_STEPS, "ai.settings.maxSteps")                                               \
    X(AI_SETTINGS_MAX_TOKENS, "ai.settings.maxTokens")                                             \
    X(AI_SETTINGS_MODE, "ai.settings.mode")                                                        \
    X(AI_SETTINGS_TEMPERATURE, "ai.settings.temperature")                                          \
    X(AI_STREAM_MS_TO_FIRST_CHUNK, "ai.stream.msToFirstChunk")                                     \
    X(AI_TELEMETRY_FUNCTION_ID, "ai.telemetry.functionId")                                         \
    X(AI_TELEMETRY_METADATA_LANGFUSE_PROMPT, "ai.telemetry.metadata.langfusePrompt")               \
    X(AI_TELEMETRY_METADATA_SESSION_ID, "ai.telemetry.metadata.sessionId")                         \
    X(AI_TELEMETRY_METADATA_TAGS, "ai.telemetry.metadata.tags")                                    \
    X(AI_TELEMETRY_METADATA_USER_ID, "ai.telemetry.metadata.userId")                               \
    X(AI_TOOL_CALL_ARGS, "ai.toolCall.args")                                                       \
    X(AI_TOOL_CALL_NAME, "ai.toolCall.name")                                                       \
    X(AI_TOOL_CALL_RESULT, "ai.toolCall.result")                                                   \
    X(AI_USAGE_CACHED_INPUT_TOKENS, "ai.usage.cachedInputTokens")                                  \
    X(AI_USAGE_REASONING_TOKENS, "ai.usage.reasoningTokens")                                       \
    X(AI_USAGE_TOKENS, "ai.usage.tokens")                                                          \
    X(ALL_MESSAGES_EVENTS, "all_messages_events")                                                  \
    X(DEPLOYMENT_ENVIRONMENT, "deployment.environment")                                            \
    X(DEPLOYMENT_ENVIRONMENT_NAME, "deployment.environment.name")                                  \
    X(EMBEDDING_MODEL_NAME, "embedding.model_name")                                                \
    X(EVENTS, "events")                                                                            \
    X(FINAL_RESULT, "final_result")                                                                \
    X(FLUE_INPUT, "flue.input")                                                                    \
    X(FLUE_OPERATION_RESULT, "flue.operation.result")                                              \
    X(FLUE_OUTPUT, "flue.output")                                                                  \
    X(FLUE_PROMPT, "flue.prompt")                                                                  \
    X(FLUE_RESPONSE, "flue.response")                                                              \
    X(FLUE_TASK_INPUT, "flue.task.input")                                                          \
    X(FLUE_TASK_OUTPUT, "flue.task.output")                                                        \
    X(FLUE_TASK_PROMPT, "flue.task.prompt")                                                        \
    X(FLUE_TASK_RESULT, "flue.task.result")                                                        \
    X(FLUE_TOOL_ARGUMENTS, "flue.tool.arguments")                                                  \
    X(FLUE_TOOL_CALL_ARGUMENTS, "flue.tool.call.arguments")                                        \
    X(FLUE_TOOL_CALL_RESULT, "flue.tool.call.result")                                              \
    X(FLUE_TOOL_INPUT, "flue.tool.input")                                                          \
    X(FLUE_TOOL_OUTPUT, "flue.tool.output")                                                        \
    X(FLUE_TOOL_RESULT, "flue.tool.result")                                                        \
    X(FLUE_TURN_INPUT, "flue.turn.input")                                                          \
    X(FLUE_TURN_OUTPUT, "flue.turn.output")                                                        \
    X(FLUE_WORKFLOW_PAYLOAD, "flue.workflow.payload")                                              \
    X(FLUE_WORKFLOW_RESULT, "flue.workflow.result")                                                \
    X(GCP_VERTEX_AGENT_LLM_REQUEST, "gcp.vertex.agent.llm_request")                                \
    X(GCP_VERTEX_AGENT_LLM_RESPONSE, "gcp.vertex.agent.llm_response")                              \
    X(GCP_VERTEX_AGENT_TOOL_CALL_ARGS, "gcp.vertex.agent.tool_call_args")                          \
    X(GCP_VERTEX_AGENT_TOOL_RESPONSE, "gcp.vertex.agent.tool_response")                            \
    X(GEN_AI_CLIENT_TIME_TO_FIRST_CHUNK, "gen_ai.client.operation.time_to_first_chunk")            \
    X(GEN_AI_COMPLETION, "gen_ai.completion")                                                      \
    X(GEN_AI_CONVERSATION_ID, "gen_ai.conversation.id")                                            \
    X(GEN_AI_INPUT_MESSAGES, "gen_ai.input.messages")                                              \
    X(GEN_AI_OPENAI_REQUEST_SERVICE_TIER, "gen_ai.openai.request.service_tier")                    \
    X(GEN_AI_OPERATION_NAME, "gen_ai.operation.name")                                              \
    X(GEN_AI_OUTPUT_MESSAGES, "gen_ai.output.messages")                                            \
    X(GEN_AI_PROMPT, "gen_ai.prompt")                                                              \
    X(GEN_AI_PROVIDER_NAME, "gen_ai.provider.name")                                                \
    X(GEN_AI_REQUEST_MAX_TOKENS, "gen_ai.request.max_tokens")                                      \
    X(GEN_AI_REQUEST_MODEL, "gen_ai.request.model")                                                \
    X(GEN_AI_REQUEST_SERVICE_TIER, "gen_ai.request.service_tier")                                  \
    X(GEN_AI_REQUEST_TEMPERATURE, "gen_ai.request.temperature")                                    \
    X(GEN_AI_RESPONSE_FINISH_REASONS, "gen_ai.response.finish_reasons")                            \
    X(GEN_AI_RESPONSE_MODEL, "gen_ai.response.model")                                              \
    X(GEN_AI_RESPONSE_TIME_TO_FIRST_CHUNK, "gen_ai.response.time_to_first_chunk")                  \
    X(GEN_AI_SYSTEM, "gen_ai.system")                                                              \
    X(GEN_AI_SYSTEM_INSTRUCTIONS, "gen_ai.system_instructions")                                    \
    X(GEN_AI_TOOL_CALL_ARGUMENTS, "gen_ai.tool.call.arguments")                                    \
    X(GEN_AI_TOOL_CALL_ID, "gen_ai.tool.call.id")                                                  \
    X(GEN_AI_TOOL_CALL_RESULT, "gen_ai.tool.call.result")                                          \
    X(GEN_AI_TOOL_NAME, "gen_ai.tool.name")                                                        \
    X(GEN_AI_USAGE_COMPLETION_TOKENS, "gen_ai.usage.completion_tokens")                            \
    X(GEN_AI_USAGE_COST, "gen_ai.usage.cost")                                                      \
    X(GEN_AI_USAGE_INPUT_TOKENS, "gen_ai.usage.input_tokens")                                      \
    X(GEN_AI_USAGE_OUTPUT_TOKENS, "gen_ai.usage.output_tokens")                                    \
    X(GEN_AI_USAGE_PROMPT_TOKENS, "gen_ai.usage.prompt_tokens")                                    \
    X(GENKIT_INPUT, "genkit:input")                                                                \
    X(GENKIT_METADATA_SUBTYPE, "genkit:metadata:subtype")                                          \
    X(GENKIT_NAME, "genkit:name")                                                                  \
    X(GENKIT_OUTPUT, "genkit:output")                                                              \
    X(GENKIT_TYPE, "genkit:type")                                                                  \
    X(INPUT, "input")                                                                              \
    X(INPUT_VALUE, "input.value")                                                                  \
    X(LF_ENVIRONMENT, "langfuse.environment")                                                      \
    X(LF_GENERATION_MODEL, "langfuse.generation.model")                                            \
    X(LF_INTERNAL_AS_ROOT, "langfuse.internal.as_root")                                            \
    X(LF_METADATA, "langfuse.metadata")                                                            \
    X(LF_OBSERVATION_COMPLETION_START_TIME, "langfuse.observation.completion_start_time")          \
    X(LF_OBSERVATION_COST_DETAILS, "langfuse.observation.cost_details")                            \
    X(LF_OBSERVATION_INPUT, "langfuse.observation.input")                                          \
    X(LF_OBSERVATION_LEVEL, "langfuse.observation.level")                                          \
    X(LF_OBSERVATION_METADATA, "langfuse.observation.metadata")                                    \
    X(LF_OBSERVATION_METADATA_LANGFUSE_SESSION_ID,                                                 \
      "langfuse.observation.metadata.langfuse_session_id")                                         \
    X(LF_OBSERVATION_METADATA_LANGFUSE_TAGS, "langfuse.observation.metadata.langfuse_tags")        \
    X(LF_OBSERVATION_METADATA_LANGFUSE_USER_ID, "langfuse.observation.metadata.langfuse_user_id")  \
    X(LF_OBSERVATION_MODEL_NAME, "langfuse.observation.model.name")                                \
    X(LF_OBSERVATION_MODEL_PARAMETERS, "langfuse.observation.model.parameters")                    \
    X(LF_OBSERVATION_OUTPUT, "langfuse.observation.output")                                        \
    X(LF_OBSERVATION_PROMPT_NAME, "langfuse.observation.prompt.name")                              \
    X(LF_OBSERVATION_PROMPT_VERSION, "langfuse.observation.prompt.version")                        \
    X(LF_OBSERVATION_STATUS_MESSAGE, "langfuse.observation.status_message")                        \
    X(LF_OBSERVATION_TYPE, "langfuse.observation.type")                                            \
    X(LF_OBSERVATION_USAGE_DETAILS, "langfuse.observation.usage_details")                          \
    X(LF_PROMPT_NAME, "langfuse.prompt.name")                                                      \
    X(LF_PROMPT_VERSION, "langfuse.prompt.version")                                                \
    X(LF_PUBLIC, "langfuse.public")                                                                \
    X(LF_RELEASE, "langfuse.release")                                                              \
    X(LF_SESSION_ID, "langfuse.session.id")                                                        \
    X(LF_TAGS, "langfuse.tags")                                                                    \
    X(LF_TRACE_INPUT, "langfuse.trace.input")                                                      \
    X(LF_TRACE_METADATA, "langfuse.trace.metadata")                                                \
    X(LF_TRACE_METADATA_LANGFUSE_SESSION_ID, "langfuse.trace.metadata.langfuse_session_id")        \
    X(LF_TRACE_METADATA_LANGFUSE_TAGS, "langfuse.trace.metadata.langfuse_tags")                    \
    X(LF_TRACE_METADATA_LANGFUSE_USER_ID, "langfuse.trace.metadata.langfuse_user_id")              \
    X(LF_TRACE_NAME, "langfuse.trace.name")                                                        \
    X(LF_TRACE_OUTPUT, "langfuse.trace.output")                                                    \
    X(LF_TRACE_PUBLIC, "langfuse.trace.public")                                                    \
    X(LF_TRACE_TAGS, "langfuse.trace.tags")                                                        \
    X(LF_USER_ID, "langfuse.user.id")                                                              \
    X(LF_VERSION, "langfuse.version")                                                              \
    X(LK_CHAT_CTX, "lk.chat_ctx")                                                                  \
    X(LK_FUNCTION_TOOL_ARGUMENTS, "lk.function_tool.arguments")                                    \
    X(LK_FUNCTION_TOOL_OUTPUT, "lk.function_tool.output")                                          \
    X(LK_INPUT_TEXT, "lk.input_text")                                                              \
    X(LK_RESPONSE_TEXT, "lk.response.text")                                                        \
    X(LK_USER_INPUT, "lk.user_input")                                                              \
    X(LK_USER_TRANSCRIPT, "lk.user_transcript")                                                    \
    X(LLM_COST_TOTAL, "llm.cost.total")                                                            \
    X(LLM_INVOCATION_PARAMETERS, "llm.invocation_parameters")                                      \
    X(LLM_MODEL_NAME, "llm.model_name")                                                            \
    X(LLM_RESPONSE_MODEL, "llm.response.model")                                                    \
    X(LOGFIRE_MSG, "logfire.msg")                                                                  \
    X(MLFLOW_CHAT_TOKEN_USAGE, "mlflow.chat.tokenUsage")                                           \
    X(MLFLOW_LLM_MODEL, "mlflow.llm.model")                                                        \
    X(MLFLOW_SPAN_INPUTS, "mlflow.spanInputs")                                                     \
    X(MLFLOW_SPAN_OUTPUTS, "mlflow.spanOutputs")                                                   \
    X(MLFLOW_SPAN_TYPE, "mlflow.spanType")                                                         \
    X(MODEL, "model")                                                                              \
    X(MODEL_CONFIG, "model_config")                                                                \
    X(OPENINFERENCE_SPAN_KIND, "openinference.span.kind")                                          \
    X(OPERATION_NAME, "operation.name")                                                            \
    X(OUTPUT, "output")                                                                            \
    X(OUTPUT_VALUE, "output.value")                                                                \
    X(PROMPT, "prompt")                                                                            \
    X(PYDANTIC_AI_ALL_MESSAGES, "pydantic_ai.all_messages")                                        \
    X(PYDANTIC_AI_FINAL_RESULT, "pydantic_ai.final_result")                                        \
    X(RERANKER_MODEL_NAME, "reranker.model_name")                                                  \
    X(SERVICE_VERSION, "service.version")                                                          \
    X(SESSION_ID, "session.id")                                                                    \
    X(TAG_TAGS, "tag.tags")                                                                        \
    X(TELEMETRY_SDK_LANGUAGE, "telemetry.sdk.language")                                            \
    X(TOOL_ARGUMENTS, "tool_arguments")                                                            \
    X(TOOL_RESPONSE, "tool_response")                                                              \
    X(TRACELOOP_ASSOCIATION_PROPERTIES_SESSION_ID, "traceloop.association.properties.session_id")  \
    X(TRACELOOP_ASSOCIATION_PROPERTIES_USER_ID, "traceloop.association.properties.user_id")        \
    X(TRACELOOP_ENTITY_INPUT, "traceloop.entity.input")                                            \
    X(TRACELOOP_ENTITY_OUTPUT, "traceloop.entity.output")                                          \
    X(TRACELOOP_SPAN_KIND, "traceloop.span.kind")                                                  \
    X(USER_ID, "user.id")

#define OTLP_NAME_ENUM(suffix, name) NAME_##suffix,
enum otlp_name { OTLP_NAMES(OTLP_NAME_ENUM) NAME_COUNT, NAME_UNKNOWN = NAME_COUNT };
#undef OTLP_NAME_ENUM

_Static_assert(NAME_COUNT < 255, "numbers of names are bytes");

/* Ends a list of names. */
#define NAME_END NAME_COUNT

/* X(enum suffix, prefix): the ending is the key. */
#define OTLP_GROUPS(X)                                                                             \
    X(LF_TRACE_METADATA, "langfuse.trace.metadata.")                                               \
    X(LF_OBSERVATION_METADATA, "langfuse.observation.metadata.")                                   \
    X(LF_METADATA, "langfuse.metadata.")                                                           \
    X(AI_METADATA, "ai.telemetry.metadata.")                                                       \
    X(GEN_AI_USAGE, "gen_ai.usage.")                                                               \
    X(GEN_AI_REQUEST, "gen_ai.request.")                                                           \
    X(GEN_AI_PROMPT, "gen_ai.prompt.")                                                             \
    X(GEN_AI_COMPLETION, "gen_ai.completion.")                                                     \
    X(LLM_TOKEN_COUNT, "llm.token_count.")                                                         \
    X(LLM_INVOCATION_PARAMETERS, "llm.invocation_parameters.")                                     \
    X(LLM_INPUT_MESSAGES, "llm.input_messages.")                                                   \
    X(LLM_OUTPUT_MESSAGES, "llm.output_messages.")                                                 \
    X(FLUE_TOOL, "flue.tool.")                                                                     \
    X(FLUE_TASK, "flue.task.")

#define OTLP_GROUP_ENUM(suffix, prefix) GROUP_##suffix,
enum otlp_group { OTLP_GROUPS(OTLP_GROUP_ENUM) GROUP_COUNT, GROUP_NONE = GROUP_COUNT };
#undef OTLP_GROUP_ENUM

/* A span's or resource's attributes by name; of a repeated one the last counts. */
struct otlp_named {
    struct attribute *by_name[NAME_COUNT]; /* NULL: absent, or null */
    uint32_t groups;                       /* bit i: enum otlp_group i occurs */
};

/* Fills name and group of each attribute, and named. */
void otlp_names_index(struct attributes *attributes, struct otlp_named *named);

enum otlp_name otlp_name_find(struct slice text);

/* The ending of an attribute that is in a group. */
struct slice otlp_group_key(const struct attribute *attribute);
