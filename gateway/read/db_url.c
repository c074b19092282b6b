/*
 * db_url: the connection string with what it leaves open filled in.
 */
#include "gateway/read/db_url.h"

#include <stdlib.h>

#include "common/arena.h"

/* Of two equal keywords the later one wins, and dbname counts as the keywords that its string
 * holds. */
static const char *const keywords[] = {
    "fallback_application_name", "keepalives_idle", "keepalives_interval", "keepalives_count",
    "tcp_user_timeout",          "dbname",          "client_encoding",     NULL,
};

struct db_url {
    char *text;
    const char *values[sizeof keywords / sizeof *keywords];
};

struct db_url *db_url_create(const char *text)
{
    struct db_url *url = memory_zalloc(sizeof *url);

    url->text = memory_text(text);
    url->values[0] = "xtrace-gateway";
    url->values[1] = "30";    /* seconds of silence before the first probe */
    url->values[2] = "5";     /* seconds between probes */
    url->values[3] = "3";     /* probes */
    url->values[4] = "10000"; /* ms that sent data may stay unacknowledged */
    url->values[5] = url->text;
    url->values[6] = "UTF8";
    return url;
}

void db_url_destroy(struct db_url *url)
{
    if (url != NULL) {
        free(url->text);
        free(url);
    }
}

PGconn *db_url_connect(const struct db_url *url)
{
    return PQconnectStartParams(keywords, url->values, 1);
}
