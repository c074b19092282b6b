/* fake_server: one thread that accepts, one for each connection. */
#include "tests/client/fake_server.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* cmocka.h needs these first. */
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum { CONNECTIONS_MAX = 256, REQUESTS_MAX = 65536, WAIT_S = 10 };

struct connection {
    struct fake_server *server;
    size_t number;
    int fd;
    pthread_t thread;
};

struct fake_server {
    const struct fake_reply *replies;
    size_t reply_count;
    int fd;
    char url[64];
    pthread_t thread;
    bool is_listening;
    pthread_mutex_t mutex; /* guards what follows */
    pthread_cond_t changed;
    bool is_released;
    bool is_stopping;
    struct connection connections[CONNECTIONS_MAX];
    size_t connection_count;
    struct fake_request *requests;
    size_t request_count;
};

static void *accept_all(void *closure);

struct fake_server *fake_server_start(const struct fake_reply *replies, size_t count, bool is_deaf)
{
    struct fake_server *server = calloc(1, sizeof(*server));
    assert_non_null(server);
    server->replies = replies;
    server->reply_count = count;
    server->requests = calloc(REQUESTS_MAX, sizeof(*server->requests));
    assert_non_null(server->requests);
    pthread_mutex_init(&server->mutex, NULL);
    pthread_cond_init(&server->changed, NULL);
    server->fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(address);
    assert_int_equal(bind(server->fd, (struct sockaddr *)&address, len), 0);
    assert_int_equal(getsockname(server->fd, (struct sockaddr *)&address, &len), 0);
    snprintf(server->url, sizeof(server->url), "http://127.0.0.1:%d", ntohs(address.sin_port));
    if (!is_deaf) {
        fake_server_listen(server);
    }
    return server;
}

void fake_server_listen(struct fake_server *server)
{
    assert_int_equal(listen(server->fd, 64), 0);
    assert_int_equal(pthread_create(&server->thread, NULL, accept_all, server), 0);
    server->is_listening = true;
}

const char *fake_server_url(const struct fake_server *server)
{
    return server->url;
}

void fake_server_wait(struct fake_server *server, size_t count)
{
    struct timespec deadline;
    clock_gettime(CLOCK_REALTIME, &deadline);
    deadline.tv_sec += WAIT_S;
    pthread_mutex_lock(&server->mutex);
    int rc = 0;
    while (server->request_count < count && rc == 0) {
        rc = pthread_cond_timedwait(&server->changed, &server->mutex, &deadline);
    }
    size_t now = server->request_count;
    pthread_mutex_unlock(&server->mutex);
    assert_true(now >= count);
}

size_t fake_server_count(struct fake_server *server)
{
    pthread_mutex_lock(&server->mutex);
    size_t count = server->request_count;
    pthread_mutex_unlock(&server->mutex);
    return count;
}

struct fake_request fake_server_request(struct fake_server *server, size_t index)
{
    pthread_mutex_lock(&server->mutex);
    size_t count = server->request_count;
    struct fake_request request =
        index < count ? server->requests[index] : (struct fake_request){0};
    pthread_mutex_unlock(&server->mutex);
    assert_true(index < count);
    return request;
}

void fake_server_release(struct fake_server *server)
{
    pthread_mutex_lock(&server->mutex);
    server->is_released = true;
    pthread_cond_broadcast(&server->changed);
    pthread_mutex_unlock(&server->mutex);
}

void fake_server_stop(struct fake_server *server)
{
    fake_server_release(server);
    pthread_mutex_lock(&server->mutex);
    server->is_stopping = true;
    for (size_t i = 0; i < server->connection_count; i++) {
        shutdown(server->connections[i].fd, SHUT_RDWR);
    }
    pthread_mutex_unlock(&server->mutex);
    shutdown(server->fd, SHUT_RDWR);
    if (server->is_listening) {
        pthread_join(server->thread, NULL);
    }
    for (size_t i = 0; i < server->connection_count; i++) {
        pthread_join(server->connections[i].thread, NULL);
        close(server->connections[i].fd);
    }
    close(server->fd);
    for (size_t i = 0; i < server->request_count; i++) {
        free(server->requests[i].head);
        free(server->requests[i].body);
    }
    free(server->requests);
    pthread_cond_destroy(&server->changed);
    pthread_mutex_destroy(&server->mutex);
    free(server);
}

const char *fake_header(const struct fake_request *request, const char *name)
{
    static _Thread_local char value[512];
    size_t len = strlen(name);
    for (const char *line = request->head; line != NULL; line = strstr(line, "\r\n")) {
        line += line == request->head ? 0 : 2;
        if (strncasecmp(line, name, len) == 0 && line[len] == ':') {
            snprintf(value, sizeof(value), "%.*s", (int)strcspn(line + len + 2, "\r"),
                     line + len + 2);
            return value;
        }
    }
    return "";
}

/* ---- its threads ----------------------------------------------------------------------------- */

/* One request, or false when the client has gone. */
static bool read_request(int fd, struct fake_request *request)
{
    size_t len = 0;
    size_t capacity = 65536;
    char *head = malloc(capacity);
    char *end = NULL;
    while (end == NULL && len + 1 < capacity && read(fd, head + len, 1) == 1) {
        head[++len] = '\0';
        end = strstr(len > 4 ? head + len - 4 : head, "\r\n\r\n");
    }
    if (end == NULL) {
        free(head);
        return false;
    }
    request->head = head;
    const char *content_length = fake_header(request, "Content-Length");
    request->body_len = strtoul(content_length, NULL, 10);
    request->body = calloc(1, request->body_len + 1);
    for (size_t at = 0; at < request->body_len;) {
        ssize_t got = read(fd, request->body + at, request->body_len - at);
        if (got <= 0) {
            free(request->head);
            free(request->body);
            return false;
        }
        at += (size_t)got;
    }
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    request->at_ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
    return true;
}

/* Files the request and returns the reply that is its turn, after holding it if that is its way. */
static const struct fake_reply *file_request(struct fake_server *server,
                                             const struct fake_request *request)
{
    pthread_mutex_lock(&server->mutex);
    size_t turn = server->request_count;
    server->requests[server->request_count++] = *request;
    pthread_cond_broadcast(&server->changed);
    const struct fake_reply *reply =
        &server->replies[turn < server->reply_count ? turn : server->reply_count - 1];
    while (reply->fault == FAKE_HOLD && !server->is_released) {
        pthread_cond_wait(&server->changed, &server->mutex);
    }
    pthread_mutex_unlock(&server->mutex);
    return reply;
}

static bool write_all(int fd, const char *data, size_t len)
{
    return send(fd, data, len, MSG_NOSIGNAL) == (ssize_t)len;
}

/* False: the connection ends. */
static bool answer(int fd, const struct fake_reply *reply)
{
    static const char garbage[] = "SSH-2.0-no-http-here\r\n";
    char head[1024];
    const char *body = reply->body != NULL ? reply->body : "";
    size_t body_len = strlen(body);
    if (reply->fault == FAKE_CLOSE) {
        return false;
    }
    if (reply->fault == FAKE_GARBAGE) {
        (void)write_all(fd, garbage, sizeof(garbage) - 1);
        return false;
    }
    int len = snprintf(head, sizeof(head), "HTTP/1.1 %d Because\r\nContent-Length: %zu\r\n%s\r\n",
                       reply->status, body_len, reply->headers != NULL ? reply->headers : "");
    bool is_cut = reply->fault == FAKE_CUT;
    return write_all(fd, head, (size_t)len) &&
           write_all(fd, body, is_cut ? body_len / 2 : body_len) && !is_cut;
}

static void *serve(void *closure)
{
    struct connection *connection = closure;
    int on = 1;
    setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    struct fake_request request = {.connection = connection->number};
    while (read_request(connection->fd, &request)) {
        if (!answer(connection->fd, file_request(connection->server, &request))) {
            break;
        }
    }
    shutdown(connection->fd, SHUT_RDWR);
    return NULL;
}

static void *accept_all(void *closure)
{
    struct fake_server *server = closure;
    int fd;
    while ((fd = accept(server->fd, NULL, NULL)) >= 0) {
        pthread_mutex_lock(&server->mutex);
        struct connection *connection = &server->connections[server->connection_count];
        *connection = (struct connection){server, server->connection_count, fd, 0};
        bool ok = !server->is_stopping && server->connection_count < CONNECTIONS_MAX &&
                  pthread_create(&connection->thread, NULL, serve, connection) == 0;
        server->connection_count += ok;
        pthread_mutex_unlock(&server->mutex);
        if (!ok) {
            close(fd);
        }
    }
    return NULL;
}
