/*
 * framing: refuses requests whose body two parsers could cut differently. h2o takes the first of
 * several Content-Length headers, prefers Transfer-Encoding to it and hides both from handlers; a
 * lenient proxy in front may choose otherwise and then takes a part of one client's body for
 * another's request. Pure.
 */
#pragma once

#include "common/error.h"
#include "common/slice.h"

/*
 * head: request line and header lines as they came (header names may have been lower-cased), with
 * or without what follows the blank line. http_1_0: of a request in HTTP/1.0. ERR_INVALID: more
 * than one length or coding, both, a length that is not digits, a coding other than chunked, a
 * folded line.
 */
MUST_CHECK enum err framing_check(struct slice head, bool http_1_0, struct error *error);

/* The length of the head that text starts with, its blank line included; 0 while that is not there.
 * known: bytes at the start that were looked at before without finding it. */
size_t framing_head_len(struct slice text, size_t known);

/* True when the head has a Transfer-Encoding. */
bool framing_is_coded(struct slice head);
