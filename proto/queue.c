#include "proto/queue.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "common/slice.h"

static const char ipc_prefix[] = "ipc://";
static const char tcp_prefix[] = "tcp://";
static const char batches_ending[] = ".batches";
static const char receipts_ending[] = ".receipts";

static enum err parse_ipc(const char *base, struct queue_endpoints *out, struct error *error)
{
    /* The longer of the two endings, with the NUL that a socket's address ends with. */
    size_t longest = sizeof(((struct sockaddr_un *)NULL)->sun_path) - sizeof(receipts_ending);
    size_t len = strlen(base) - strlen(ipc_prefix);
    if (len == 0) {
        return error_set(error, ERR_INVALID, "ipc:// needs a path");
    }
    if (len > longest) {
        return error_set(error, ERR_INVALID,
                         "the path of %zu bytes is too long for a socket, at most %zu", len,
                         longest);
    }
    snprintf(out->batches, sizeof(out->batches), "%s%s", base, batches_ending);
    snprintf(out->receipts, sizeof(out->receipts), "%s%s", base, receipts_ending);
    return ERR_OK;
}

static bool is_loopback(struct slice host)
{
    struct in_addr address;
    char text[INET_ADDRSTRLEN];
    if (slice_is(host, "localhost") || slice_is(host, "[::1]")) {
        return true;
    }
    if (host.len >= sizeof(text)) {
        return false;
    }
    memcpy(text, host.data, host.len);
    text[host.len] = '\0';
    return inet_pton(AF_INET, text, &address) == 1 && ntohl(address.s_addr) >> 24 == 127;
}

/* 1 to 65534, so that the next one is a port as well; 0 for anything else. */
static int parse_port(const char *text)
{
    size_t len = strlen(text);
    if (len == 0 || len > 5 || strspn(text, "0123456789") != len) {
        return 0;
    }
    long port = strtol(text, NULL, 10);
    return port < 65535 ? (int)port : 0;
}

static enum err parse_tcp(const char *base, struct queue_endpoints *out, struct error *error)
{
    const char *host = base + strlen(tcp_prefix);
    const char *colon = strrchr(host, ':');
    int port = colon != NULL ? parse_port(colon + 1) : 0;
    if (port == 0 || colon == host) {
        return error_set(error, ERR_INVALID, "tcp:// needs HOST:PORT with a port from 1 to 65534");
    }
    struct slice name = {host, (size_t)(colon - host)};
    if (!is_loopback(name)) {
        return error_set(error, ERR_INVALID,
                         "tcp is neither encrypted nor authenticated: only a loopback host");
    }
    snprintf(out->batches, sizeof(out->batches), "tcp://%.*s:%d", (int)name.len, name.data, port);
    snprintf(out->receipts, sizeof(out->receipts), "tcp://%.*s:%d", (int)name.len, name.data,
             port + 1);
    return ERR_OK;
}

enum err queue_parse(const char *base, struct queue_endpoints *out, struct error *error)
{
    if (strncmp(base, ipc_prefix, strlen(ipc_prefix)) == 0) {
        return parse_ipc(base, out, error);
    }
    if (strncmp(base, tcp_prefix, strlen(tcp_prefix)) == 0) {
        return parse_tcp(base, out, error);
    }
    return error_set(error, ERR_INVALID, "must be ipc://PATH or tcp://HOST:PORT");
}
