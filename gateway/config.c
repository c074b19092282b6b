#include "gateway/config.h"

#include <string.h>
#include <strings.h>

#include "common/listen.h"
#include "common/shared_settings.h"
#include "gateway/request.h"
#include "proto/queue.h"

#define FIELD(name) .offset = offsetof(struct config, name)

const struct setting config_rows[] = {
    SETTING_DATABASE_URL,
    {.key = "API_BEARER_TOKEN",
     .type = SETTING_SECRET,
     FIELD(bearer_token),
     .required = true,
     .help = "the token that opens the API as Authorization: Bearer TOKEN"},
    {.key = "BIND_ADDR",
     .type = SETTING_TEXT,
     FIELD(bind_addr),
     .fallback = "127.0.0.1:8080",
     .help = "listen address, HOST:PORT or [IPV6]:PORT; port 0 takes any free one"},
    {.key = "DEFAULT_PROJECT_ID",
     .type = SETTING_TEXT,
     FIELD(project_id),
     .fallback = "default",
     .help = "project of everything that is sent and read"},
    {.key = "XTRACE_PUBLIC_KEY",
     .also = "LANGFUSE_PUBLIC_KEY",
     .type = SETTING_TEXT,
     FIELD(public_key),
     .help = "user name of Authorization: Basic"},
    {.key = "XTRACE_SECRET_KEY",
     .also = "LANGFUSE_SECRET_KEY",
     .type = SETTING_SECRET,
     FIELD(secret_key),
     .help = "password of Authorization: Basic"},
    {.key = "RATE_LIMIT_QPS",
     .type = SETTING_INT,
     FIELD(rate_limit_qps),
     .fallback = "20",
     .lenient = true,
     .min = 0,
     .max = 1000000,
     .help = "query requests a second each credential may make; 0 turns the limit off"},
    {.key = "RATE_LIMIT_BURST",
     .type = SETTING_INT,
     FIELD(rate_limit_burst),
     .fallback = "40",
     .lenient = true,
     .min = 0,
     .max = 1000000,
     .help = "query requests a credential may make at once; 0 turns the limit off"},
    {.key = "XTRACE_MAX_REQUEST_BODY_BYTES",
     .type = SETTING_INT,
     FIELD(max_request_body_bytes),
     .fallback = "20971520",
     .min = 1024,
     .max = INT64_C(1) << 30,
     .help = "largest request body in bytes, also after inflating"},
    {.key = "XTRACE_ALLOW_UNAUTHENTICATED_COMPAT",
     .type = SETTING_BOOL,
     FIELD(allow_unauthenticated_compat),
     .fallback = "0",
     .help = "while no Basic key is set: open the projects and OTLP routes to everyone"},
    {.key = "XTRACE_METRICS_ADDR",
     .type = SETTING_TEXT,
     FIELD(metrics_addr),
     .help = "where /metrics is served without credentials, and nothing else: HOST:PORT of a "
             "loopback or private address; unset: nowhere"},
    SETTING_HOME,
    {.key = "XTRACE_QUEUE",
     .type = SETTING_TEXT,
     FIELD(queue_setting),
     .help = "where writers connect, ipc://PATH or tcp://HOST:PORT; unset: "
             "ipc://$XTRACE_HOME/run/queue"},
    {.key = "XTRACE_THREADS",
     .type = SETTING_INT,
     FIELD(threads),
     .fallback = "0",
     .min = 0,
     .max = 256,
     .help = "event loops; 0 takes one for each processor"},
    {.key = "XTRACE_ACK_TIMEOUT_MS",
     .type = SETTING_INT,
     FIELD(ack_timeout_ms),
     .fallback = "1000",
     .min = 10,
     .max = 600000,
     .help = "milliseconds without a receipt after which a batch is sent again"},
    {.key = "XTRACE_WRITE_DEADLINE_MS",
     .type = SETTING_INT,
     FIELD(write_deadline_ms),
     .fallback = "10000",
     .min = 10,
     .max = 600000,
     .help = "milliseconds a write waits for its commit before it is answered 503"},
    {.key = "XTRACE_MAX_IN_FLIGHT_BYTES",
     .type = SETTING_INT,
     FIELD(max_in_flight_bytes),
     .fallback = "67108864",
     .min = 1024,
     .max = INT64_C(1) << 40,
     .help = "bytes of batches waiting for their commit; beyond it writes are answered 429"},
    {.key = "XTRACE_MAX_JSON_DEPTH",
     .type = SETTING_INT,
     FIELD(max_json_depth),
     .fallback = "128",
     .min = 4,
     .max = 512,
     .help = "deepest nesting of JSON in a record; a deeper record is refused"},
    {.key = "XTRACE_MAX_RECORDS",
     .type = SETTING_INT,
     FIELD(max_records),
     .fallback = "100000",
     .min = 1,
     .max = 1000000,
     .help = "most records in one request"},
    {.key = "XTRACE_CAPTURE",
     .type = SETTING_TEXT,
     FIELD(capture_word),
     .fallback = "full",
     .help =
         "what is kept: full; metadata_only, without inputs and outputs; error_only, with those of "
         "errors; masked, without personal data and credentials"},
    {.key = "XTRACE_REDACT_KEYS",
     .type = SETTING_TEXT,
     FIELD(redact_keys),
     .help = "keys whose values are never kept, at any depth of any JSON, with commas between"},
    {.key = "XTRACE_REDACT_PATTERNS",
     .type = SETTING_TEXT,
     FIELD(redact_patterns),
     .help = "regular expressions (PCRE2) of what is never kept, with blanks between"},
    {.key = "XTRACE_DB_CONNECTIONS",
     .type = SETTING_INT,
     FIELD(db_connections),
     .fallback = "4",
     .min = 1,
     .max = 100,
     .help = "database connections of each event loop, for reads"},
    {.key = "XTRACE_QUERY_TIMEOUT_MS",
     .type = SETTING_INT,
     FIELD(query_timeout_ms),
     .fallback = "10000",
     .min = 10,
     .max = 600000,
     .help = "milliseconds a query may take in the database"},
    {.key = "XTRACE_DRAIN_TIMEOUT_MS",
     .type = SETTING_INT,
     FIELD(drain_timeout_ms),
     .fallback = "10000",
     .min = 0,
     .max = 600000,
     .help = "milliseconds running requests get to finish after SIGTERM"},
    SETTING_LOG_LEVEL("debug, info, warn or error; debug writes a line for each request"),
    SETTING_LOG_FORMAT,
    {.key = NULL},
};

static enum err derive_capture(struct config *config, struct error *error)
{
    return capture_mode_parse(config->capture_word, &config->capture)
               ? ERR_OK
               : error_set(error, ERR_INVALID,
                           "XTRACE_CAPTURE must be full, metadata_only, error_only or masked");
}

static enum err derive_queue(struct config *config, struct error *error)
{
    int length =
        config->queue_setting != NULL
            ? snprintf(config->queue, sizeof(config->queue), "%s", config->queue_setting)
            : snprintf(config->queue, sizeof(config->queue), "ipc://%s/run/queue", config->home);
    const char *key = config->queue_setting != NULL ? "XTRACE_QUEUE" : "XTRACE_HOME";
    if (length < 0 || (size_t)length >= sizeof(config->queue)) {
        return error_set(error, ERR_INVALID, "%s is too long", key);
    }
    struct queue_endpoints endpoints;
    enum err err = queue_parse(config->queue, &endpoints, error);
    if (err != ERR_OK) {
        error_context(error, "%s", key);
    }
    return err;
}

static enum err check_texts(const struct config *config, struct error *error)
{
    if (strlen(config->project_id) >= REQUEST_PROJECT_MAX) {
        return error_set(error, ERR_INVALID, "DEFAULT_PROJECT_ID is longer than %d bytes",
                         REQUEST_PROJECT_MAX - 1);
    }
    char host[LISTEN_ADDRESS_SIZE];
    char port[LISTEN_ADDRESS_SIZE];
    enum err err = listen_parse(config->bind_addr, host, port, error);
    if (err != ERR_OK) {
        error_context(error, "BIND_ADDR");
    }
    return err;
}

enum err config_read(struct config *config, struct error *error)
{
    memset(config, 0, sizeof(*config));
    enum err err = settings_read(config_rows, config, error);
    if (err != ERR_OK) {
        return err;
    }
    err = check_texts(config, error);
    if (err != ERR_OK) {
        return err;
    }
    err = derive_capture(config, error);
    if (err != ERR_OK) {
        return err;
    }
    return derive_queue(config, error);
}

void config_finish(struct config *config)
{
    settings_finish(config_rows, config);
}
