#include "gateway/openapi.h"

#include "gateway/openapi_document.h"
#include "gateway/reply.h"

void openapi_show(struct request *request)
{
    reply_json(request, 200,
               (struct slice){(const char *)openapi_document, sizeof(openapi_document)});
}
