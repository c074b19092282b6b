/* run: settings from around the process, the client, and how a call ends. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/cli/cli.h"

_Noreturn void cli_die(int code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fputs("xtrace: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    exit(code);
}

void *cli_alloc(size_t len)
{
    void *memory = calloc(1, len > 0 ? len : 1);
    if (memory == NULL) {
        cli_die(CLI_FAILED, "no memory");
    }
    return memory;
}

static char *join(const char *first, const char *between, const char *last)
{
    size_t len = strlen(first) + strlen(between) + strlen(last) + 1;
    char *text = cli_alloc(len);
    snprintf(text, len, "%s%s%s", first, between, last);
    return text;
}

/* Takes the quotes a shell would take: 'it'\''s' is it's. In place. */
static char *unquote(char *value)
{
    char *to = value;
    bool is_quoted = false;
    for (const char *from = value; *from != '\0'; from++) {
        if (*from == '\'') {
            is_quoted = !is_quoted;
        } else if (*from == '\\' && !is_quoted && from[1] != '\0') {
            *to++ = *++from;
        } else {
            *to++ = *from;
        }
    }
    *to = '\0';
    return value;
}

static void read_credentials(const char *path, struct cli_credentials *out)
{
    const struct {
        const char *key;
        char **to;
    } keys[] = {{"BASE_URL=", &out->url},
                {"API_BEARER_TOKEN=", &out->token},
                {"XTRACE_PUBLIC_KEY=", &out->public_key},
                {"XTRACE_SECRET_KEY=", &out->secret_key}};
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        return;
    }
    char *line = NULL;
    size_t capacity = 0;
    while (getline(&line, &capacity, file) >= 0) {
        line[strcspn(line, "\r\n")] = '\0';
        for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
            size_t len = strlen(keys[i].key);
            if (strncmp(line, keys[i].key, len) == 0) {
                free(*keys[i].to);
                *keys[i].to = unquote(join(line + len, "", ""));
            }
        }
    }
    free(line);
    fclose(file);
}

/* Set and not empty. */
static const char *environment(const char *name)
{
    const char *value = getenv(name);
    return value != NULL && *value != '\0' ? value : NULL;
}

static const char *either(const char *first, const char *second)
{
    return first != NULL ? first : second;
}

static void settle(struct cli *cli)
{
    const struct cli_credentials *file = &cli->file;
    const char *home = either(environment("XTRACE_HOME"), ".xtrace");
    char *path = join(home, "/", "credentials");
    read_credentials(path, &cli->file);
    free(path);
    cli->url = either(cli->url, either(environment("XTRACE_URL"), environment("BASE_URL")));
    /* A file that was merely found is meant for its own server: its secrets go to no other. */
    bool is_meant = environment("XTRACE_HOME") != NULL || cli->url == NULL ||
                    (file->url != NULL && strcmp(cli->url, file->url) == 0);
    cli->url = either(cli->url, file->url);
    if (cli->token != NULL || cli->keys != NULL) {
        return;
    }
    const char *public_key = environment("XTRACE_PUBLIC_KEY");
    const char *secret_key = environment("XTRACE_SECRET_KEY");
    cli->token = environment("API_BEARER_TOKEN");
    if (cli->token == NULL && public_key == NULL && is_meant) {
        cli->token = file->token;
        public_key = file->public_key;
        secret_key = file->secret_key;
    }
    if (cli->token == NULL && public_key != NULL && secret_key != NULL) {
        cli->joined_keys = join(public_key, ":", secret_key);
        cli->keys = cli->joined_keys;
    }
}

static void set_credentials(struct xtrace_options *options, const struct cli *cli)
{
    enum xtrace_status status = XTRACE_OK;
    if (cli->keys != NULL) {
        char *public_key = join(cli->keys, "", "");
        char *colon = strchr(public_key, ':');
        if (colon == NULL) {
            cli_die(CLI_USAGE, "--key: PUBLIC:SECRET is wanted");
        }
        *colon = '\0';
        status = xtrace_options_set_keys(options, public_key, colon + 1);
        free(public_key);
    } else if (cli->token != NULL) {
        status = xtrace_options_set_token(options, cli->token);
    }
    if (status != XTRACE_OK) {
        cli_die(CLI_USAGE, "credentials: %s", xtrace_status_text(status));
    }
}

void cli_connect(struct cli *cli)
{
    struct xtrace_options *options;
    settle(cli);
    if (xtrace_options_create(&options) != XTRACE_OK) {
        cli_die(CLI_FAILED, "no memory");
    }
    if (cli->url != NULL && xtrace_options_set_url(options, cli->url) != XTRACE_OK) {
        cli_die(CLI_USAGE, "%s: not a URL such as http://127.0.0.1:8080", cli->url);
    }
    if (cli->ca_file != NULL && xtrace_options_set_ca_file(options, cli->ca_file) != XTRACE_OK) {
        cli_die(CLI_USAGE, "--ca-file: a file name is wanted");
    }
    set_credentials(options, cli);
    uint32_t timeout_ms =
        cli->timeout_ms > 0 && cli->timeout_ms <= 86400000 ? (uint32_t)cli->timeout_ms : 30000;
    /* One attempt may use all of it: a person waits for this one answer. */
    if (xtrace_options_set_timeouts(options, timeout_ms < 5000 ? timeout_ms : 5000, timeout_ms,
                                    timeout_ms) != XTRACE_OK ||
        xtrace_client_create(&cli->client, options, NULL) != XTRACE_OK) {
        cli_die(CLI_FAILED, "no memory");
    }
    xtrace_options_destroy(options);
}

void cli_disconnect(struct cli *cli)
{
    xtrace_client_destroy(cli->client);
    free(cli->joined_keys);
    free(cli->file.url);
    free(cli->file.token);
    free(cli->file.public_key);
    free(cli->file.secret_key);
}

static int exit_of(enum xtrace_status status)
{
    switch (status) {
    case XTRACE_OK:
        return CLI_OK;
    case XTRACE_INVALID:
        return CLI_USAGE;
    case XTRACE_NOT_FOUND:
        return CLI_NOT_FOUND;
    case XTRACE_UNAUTHORIZED:
        return CLI_UNAUTHORIZED;
    case XTRACE_TIMEOUT:
    case XTRACE_UNREACHABLE:
    case XTRACE_BUSY:
    case XTRACE_UNAVAILABLE:
        return CLI_UNAVAILABLE;
    default:
        return CLI_FAILED;
    }
}

int cli_report_at(const char *place, enum xtrace_status status,
                  const struct xtrace_response *response, const char *missing)
{
    if (status == XTRACE_OK) {
        return CLI_OK;
    }
    char *words = NULL;
    int http_status = 0;
    if (response != NULL) {
        const char *message = xtrace_response_message(response);
        words = cli_show_raw((struct xtrace_slice){message, strlen(message)});
        http_status = xtrace_response_http_status(response);
    }
    fprintf(stderr, "xtrace: %s%s", place, xtrace_status_text(status));
    if (status == XTRACE_NOT_FOUND && missing != NULL) {
        fprintf(stderr, ": %s", missing);
    } else if (words != NULL && strcmp(words, xtrace_status_text(status)) != 0) {
        fprintf(stderr, ": %s", words);
    }
    if (http_status != 0) {
        fprintf(stderr, " (HTTP %d)", http_status);
    }
    if (status == XTRACE_UNAUTHORIZED) {
        fprintf(stderr, "\nxtrace: give --token or --key, or set API_BEARER_TOKEN or XTRACE_HOME");
    }
    fputc('\n', stderr);
    free(words);
    return exit_of(status);
}

int cli_report(enum xtrace_status status, const struct xtrace_response *response,
               const char *missing)
{
    return cli_report_at("", status, response, missing);
}

void cli_print_body(const struct xtrace_response *response)
{
    size_t len;
    const char *body = xtrace_response_body(response, &len);
    fwrite(body, 1, len, stdout);
    if (len == 0 || body[len - 1] != '\n') {
        putchar('\n');
    }
}

int cli_finish(const struct cli *cli, enum xtrace_status status, struct xtrace_response *response,
               const char *missing, void (*print)(const struct cli *cli, struct xtrace_slice body))
{
    int code = cli_report(status, response, missing);
    if (code == CLI_OK && cli->is_json) {
        cli_print_body(response);
    } else if (code == CLI_OK) {
        size_t len;
        const char *body = xtrace_response_body(response, &len);
        print(cli, xtrace_json_parse(body, len));
    }
    xtrace_response_destroy(response);
    return code;
}
