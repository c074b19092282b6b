#include "common/pg.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

struct state_rule {
    const char *prefix; /* of the SQLSTATE; the first that fits decides */
    enum err err;
};

/* PostgreSQL documentation, appendix A. */
static const struct state_rule state_rules[] = {
    {"23505", ERR_CONFLICT},    /* unique_violation */
    {"40", ERR_CONFLICT},       /* transaction rollback: deadlock, serialization failure */
    {"22", ERR_REFUSED},        /* data exception */
    {"23", ERR_REFUSED},        /* integrity constraint violation */
    {"44", ERR_REFUSED},        /* with check option violation */
    {"54", ERR_REFUSED},        /* program limit exceeded */
    {"P0", ERR_REFUSED},        /* raised by a trigger or function */
    {"57014", ERR_TIMEOUT},     /* query_canceled, statement_timeout too */
    {"55P03", ERR_TIMEOUT},     /* lock_not_available, lock_timeout too */
    {"08", ERR_UNAVAILABLE},    /* connection exception */
    {"25006", ERR_UNAVAILABLE}, /* read_only_sql_transaction: a standby */
    {"25P03", ERR_UNAVAILABLE}, /* idle_in_transaction_session_timeout ended the session */
    {"53", ERR_UNAVAILABLE},    /* insufficient resources, disk full too */
    {"57", ERR_UNAVAILABLE},    /* operator intervention: shutdown, cannot connect now */
    {"58", ERR_UNAVAILABLE},    /* system error outside PostgreSQL: I/O */
};

enum err pg_state_err(const char *sqlstate)
{
    for (size_t i = 0; i < sizeof(state_rules) / sizeof(state_rules[0]); i++) {
        if (strncmp(sqlstate, state_rules[i].prefix, strlen(state_rules[i].prefix)) == 0) {
            return state_rules[i].err;
        }
    }
    return ERR_INTERNAL;
}

/* One line, and no value: PostgreSQL quotes the offending input after a colon. */
static void tidy(char *text)
{
    char *value = strstr(text, ": \"");
    if (value != NULL) {
        *value = '\0';
    }
    for (char *at = text; *at != '\0'; at++) {
        if (*at == '\n' || *at == '\r' || *at == '\t') {
            *at = ' ';
        }
    }
    size_t len = strlen(text);
    while (len > 0 && text[len - 1] == ' ') {
        text[--len] = '\0';
    }
}

/* The server's words; DETAIL and CONTEXT stay out, they show values. */
static enum err server_error(const PGresult *result, const char *state, struct error *error)
{
    char text[sizeof(error->text) - 32];
    const char *primary = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    snprintf(text, sizeof(text), "%s", primary != NULL ? primary : "no message");
    tidy(text);
    return error_set(error, pg_state_err(state), "%s (SQLSTATE %s)", text, state);
}

enum err pg_error(const PGconn *connection, const PGresult *result, struct error *error)
{
    const char *state = result != NULL ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : NULL;
    if (state != NULL) {
        return server_error(result, state, error);
    }
    /* libpq's own words: the connection was lost or never made, or it was used wrongly. */
    const char *words = result != NULL ? PQresultErrorMessage(result) : "";
    if (words[0] == '\0' && connection != NULL) {
        words = PQerrorMessage(connection);
    }
    char text[sizeof(error->text)];
    snprintf(text, sizeof(text), "%s", words[0] != '\0' ? words : "no connection to PostgreSQL");
    tidy(text);
    bool lost = connection == NULL || PQstatus(connection) != CONNECTION_OK;
    return error_set(error, lost ? ERR_UNAVAILABLE : ERR_INTERNAL, "%s", text);
}
