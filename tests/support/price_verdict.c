/*
 * price_verdict: what writer/price.h makes of each pair on stdin (tests/support/framed.h): the pricing_tiers
 * of a model and a usage map. Three pieces come back: cost details, total and unpriced kinds. Regexes of conditions
 * are taken for plain words.
 */
#include <string.h>

#include "tests/support/framed.h"
#include "writer/price.h"

static enum price_match match_word(void *context, const struct price_condition *condition,
                                   struct slice kind)
{
    bool found = memmem(kind.data, kind.len, condition->key.data, condition->key.len) != NULL;
    return found ? PRICE_MATCHES : PRICE_MATCHES_NOT;
}

int main(void)
{
    struct arena arena = ARENA_EMPTY;
    struct buf tiers = BUF_EMPTY;
    struct buf usage = BUF_EMPTY;
    while (framed_read(stdin, &tiers) && framed_read(stdin, &usage)) {
        struct price_row row = {.start_us = INT64_MIN};
        struct priced priced = {.total = {NULL, 0}};
        bool unknown;
        price_read_tiers(&row, buf_slice(&tiers), &arena);
        struct price_facts facts = {.usage = price_read_usage(buf_slice(&usage), &arena),
                                    .match = match_word};
        price_compute(price_choose(&row, &facts, &unknown), facts.usage, &arena, &priced);
        framed_write(stdout, priced.details);
        framed_write(stdout, priced.total);
        framed_write(stdout, priced.unpriced);
        arena_reset(&arena);
    }
    arena_finish(&arena);
    buf_finish(&tiers);
    buf_finish(&usage);
    return 0;
}
