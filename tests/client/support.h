/*
 * support: what the tests of client/ begin with.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "client/xtrace.h"
#include "tests/client/fake_server.h"

#define TRACE_ID       "11111111-1111-4111-8111-111111111111"
#define OBSERVATION_ID "22222222-2222-4222-8222-222222222222"
#define ACK            "{\"message\":\"Request Successful.\"}"

/* Token "secret", retries after 1 to 2 ms, up to four attempts. */
struct xtrace_options *support_options(const char *url);

/* Takes the options. */
struct xtrace_client *support_client(struct xtrace_options *options);

/* Records with their required fields. */
struct xtrace_trace support_trace(void);
struct xtrace_observation support_observation(void);
struct xtrace_metric support_metric(void);

struct xtrace_stats support_stats(struct xtrace_client *client);

/* accepted = sent + refused + given_up + left_over + queued. */
void support_check_books(struct xtrace_client *client);
