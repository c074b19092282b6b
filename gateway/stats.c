#include "gateway/stats.h"

#include <inttypes.h>

#include "common/json_write.h"
#include "gateway/auth.h"
#include "gateway/limit.h"
#include "gateway/reply.h"
#include "gateway/server.h"

static void write_top(struct buf *body, const struct auth *auth, const struct limit_stats *stats)
{
    for (uint32_t i = 0; i < stats->top_count; i++) {
        struct buf name = BUF_EMPTY;
        auth_describe(auth, stats->top[i].key, &name);
        buf_append_text(body, i == 0 ? "{\"token\":" : ",{\"token\":");
        json_write_string(body, buf_slice(&name));
        buf_printf(body, ",\"count\":%" PRIu64 "}", stats->top[i].rejected);
        buf_finish(&name);
    }
}

void stats_rate_limit(struct request *request)
{
    const struct gateway *gateway = request->worker->gateway;
    struct limit_stats stats;
    struct buf body = BUF_EMPTY;
    limit_read_stats(gateway->limit, &stats);
    uint64_t all = stats.allowed + stats.rejected;
    buf_printf(&body,
               "{\"rate_limit_qps\":%" PRId64 ",\"rate_limit_burst\":%" PRId64
               ",\"total_allowed\":%" PRIu64 ",\"total_rejected\":%" PRIu64
               ",\"rejection_rate\":%.6f,\"top_rejected_tokens\":[",
               gateway->config->rate_limit_qps, gateway->config->rate_limit_burst, stats.allowed,
               stats.rejected, all > 0 ? (double)stats.rejected / (double)all : 0.0);
    write_top(&body, server_access(request->worker)->auth, &stats);
    buf_append_text(&body, "]}");
    reply_json(request, 200, buf_slice(&body));
    buf_finish(&body);
}
