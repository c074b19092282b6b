#include "gateway/cors.h"

#include "gateway/reply.h"

/* For who asks without saying what it wants to send. */
static const char usual_headers[] = "Authorization, Content-Type, Content-Encoding, "
                                    "Idempotency-Key, X-Request-Id, X-Langfuse-Sdk-Name, "
                                    "X-Langfuse-Sdk-Version, X-Langfuse-Sdk-Variant, "
                                    "X-Langfuse-Sdk-Integration, X-Langfuse-Public-Key, "
                                    "X-Langfuse-Ingestion-Version";
static const char max_age_s[] = "86400";

void cors_open(h2o_req_t *h2o)
{
    h2o_add_header_by_str(&h2o->pool, &h2o->res.headers, H2O_STRLIT("access-control-allow-origin"),
                          0, NULL, H2O_STRLIT(CORS_ANY_ORIGIN));
    h2o_add_header_by_str(&h2o->pool, &h2o->res.headers,
                          H2O_STRLIT("access-control-expose-headers"), 0, NULL,
                          H2O_STRLIT(CORS_EXPOSED_HEADERS));
}

bool cors_is_preflight(const struct request *request)
{
    const h2o_req_t *h2o = request->h2o;
    return h2o_memis(h2o->method.base, h2o->method.len, H2O_STRLIT("OPTIONS")) &&
           h2o_find_header_by_str(&h2o->headers, H2O_STRLIT("access-control-request-method"), -1) !=
               -1;
}

void cors_answer_options(struct request *request, const char *methods)
{
    h2o_req_t *h2o = request->h2o;
    ssize_t asked =
        h2o_find_header_by_str(&h2o->headers, H2O_STRLIT("access-control-request-headers"), -1);
    const char *headers = usual_headers;
    if (asked != -1) {
        h2o_iovec_t value = h2o->headers.entries[asked].value;
        headers = h2o_strdup(&h2o->pool, value.base, value.len).base;
    }
    reply_header(request, "allow", methods);
    reply_header(request, "access-control-allow-methods", methods);
    reply_header(request, "access-control-allow-headers", headers);
    reply_header(request, "access-control-max-age", max_age_s);
    reply_header(request, "vary", "Access-Control-Request-Headers");
    reply_no_content(request);
}
