#include "common/listen.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    BACKLOG = 65535, /* the kernel clips it to somaxconn */
    /* What nobody takes for so long is given up: HTTP/1 in h2o has no write timeout. */
    STALLED_READER_MS = 20000,
    BIND_TRIES = 20, /* a process that drains may need a moment to let go */
    BIND_RETRY_MS = 50,
};

enum err listen_parse(const char *address, char host[LISTEN_ADDRESS_SIZE],
                      char port[LISTEN_ADDRESS_SIZE], struct error *error)
{
    const char *colon = strrchr(address, ':');
    size_t host_len = colon != NULL ? (size_t)(colon - address) : 0;
    const char *host_at = address;
    bool bracketed = host_len >= 2 && address[0] == '[' && address[host_len - 1] == ']';
    if (bracketed) {
        host_at++;
        host_len -= 2;
    }
    bool bare_ipv6 = !bracketed && colon != NULL && memchr(address, ':', host_len) != NULL;
    bool digits = colon != NULL && colon[1] != '\0' && strlen(colon + 1) <= 5 &&
                  strspn(colon + 1, "0123456789") == strlen(colon + 1);
    if (!digits || bare_ipv6 || host_len >= LISTEN_ADDRESS_SIZE || atoi(colon + 1) > 65535) {
        return error_set(error, ERR_INVALID, "not HOST:PORT or [IPV6]:PORT");
    }
    memcpy(host, host_at, host_len);
    host[host_len] = '\0';
    strcpy(port, colon + 1);
    return ERR_OK;
}

static int open_socket(const struct sockaddr *address, socklen_t address_len, bool sharing)
{
    int fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        return -1;
    }
    int on = 1;
    int stalled_ms = STALLED_READER_MS;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &stalled_ms, sizeof(stalled_ms));
    if ((sharing && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) != 0) ||
        bind(fd, address, address_len) != 0) {
        int reason = errno;
        close(fd);
        errno = reason;
        return -1;
    }
    return fd;
}

/* Finds out whether the port is free, by taking it for a moment without sharing, and which it is
 * when the kernel was to choose. */
static bool probe(struct sockaddr_storage *address, socklen_t *address_len)
{
    for (int i = 0; i < BIND_TRIES; i++) {
        int fd = open_socket((struct sockaddr *)address, *address_len, false);
        if (fd >= 0) {
            bool known = getsockname(fd, (struct sockaddr *)address, address_len) == 0;
            close(fd);
            return known;
        }
        if (errno != EADDRINUSE) {
            return false;
        }
        nanosleep(&(struct timespec){.tv_nsec = BIND_RETRY_MS * 1000000L}, NULL);
    }
    errno = EADDRINUSE;
    return false;
}

static bool open_all(const struct sockaddr_storage *address, socklen_t address_len, int count,
                     int *fds)
{
    for (int i = 0; i < count; i++) {
        fds[i] = open_socket((const struct sockaddr *)address, address_len, true);
        if (fds[i] < 0 || listen(fds[i], BACKLOG) != 0) {
            int reason = errno;
            for (int j = 0; j <= i; j++) {
                if (fds[j] >= 0) {
                    close(fds[j]);
                }
            }
            errno = reason;
            return false;
        }
    }
    return true;
}

static void describe(const struct sockaddr_storage *address, socklen_t address_len,
                     char actual[LISTEN_ADDRESS_SIZE])
{
    char host[NI_MAXHOST / 4];
    char port[NI_MAXSERV];
    if (getnameinfo((const struct sockaddr *)address, address_len, host, sizeof(host), port,
                    sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
        actual[0] = '\0';
        return;
    }
    snprintf(actual, LISTEN_ADDRESS_SIZE, address->ss_family == AF_INET6 ? "[%s]:%s" : "%s:%s",
             host, port);
}

enum err listen_open(const char *address, int count, int *fds, char actual[LISTEN_ADDRESS_SIZE],
                     struct error *error)
{
    char host[LISTEN_ADDRESS_SIZE];
    char port[LISTEN_ADDRESS_SIZE];
    enum err err = listen_parse(address, host, port, error);
    if (err != ERR_OK) {
        return err;
    }
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *found;
    int failed = getaddrinfo(host[0] != '\0' ? host : NULL, port, &hints, &found);
    if (failed != 0) {
        return error_set(error, ERR_INVALID, "%s: %s", address, gai_strerror(failed));
    }
    struct sockaddr_storage chosen = {0};
    socklen_t chosen_len = found->ai_addrlen;
    memcpy(&chosen, found->ai_addr, found->ai_addrlen);
    freeaddrinfo(found);
    if (!probe(&chosen, &chosen_len) || !open_all(&chosen, chosen_len, count, fds)) {
        return error_set(error, ERR_UNAVAILABLE, "cannot listen on %s: %s", address,
                         strerror(errno));
    }
    describe(&chosen, chosen_len, actual);
    return ERR_OK;
}

static bool is_private_ipv4(uint32_t address)
{
    static const struct {
        uint32_t net;
        int bits;
    } nets[] = {
        {0x7F000000, 8},                                      /* loopback */
        {0x0A000000, 8},  {0xAC100000, 12}, {0xC0A80000, 16}, /* RFC 1918 */
        {0x64400000, 10}, /* RFC 6598: shared within a provider or a cloud */
        {0xA9FE0000, 16}, /* link-local */
    };
    for (size_t i = 0; i < sizeof(nets) / sizeof(nets[0]); i++) {
        if ((address ^ nets[i].net) >> (32 - nets[i].bits) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_private_ipv6(const struct in6_addr *address)
{
    if (IN6_IS_ADDR_V4MAPPED(address)) {
        uint32_t ipv4;
        memcpy(&ipv4, address->s6_addr + 12, sizeof(ipv4));
        return is_private_ipv4(ntohl(ipv4));
    }
    bool is_unique_local = (address->s6_addr[0] & 0xFE) == 0xFC;
    return IN6_IS_ADDR_LOOPBACK(address) || IN6_IS_ADDR_LINKLOCAL(address) || is_unique_local;
}

bool listen_is_private(int fd)
{
    union {
        struct sockaddr any;
        struct sockaddr_in ipv4;
        struct sockaddr_in6 ipv6;
    } address;
    socklen_t len = sizeof(address);
    if (getsockname(fd, &address.any, &len) != 0) {
        return false;
    }
    return address.any.sa_family == AF_INET6 ? is_private_ipv6(&address.ipv6.sin6_addr)
                                             : is_private_ipv4(ntohl(address.ipv4.sin_addr.s_addr));
}
