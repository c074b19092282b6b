#include "writer/tally.h"

#include "common/clock.h"

/* ---- the table ---- */

#define OF(field) offsetof(struct tally, field)
/* Rows of a name stand together, so the first kind's has the help. */
#define COUNTER(kind, name, labels, help, field)                                                   \
    {name, labels, kind == 0 ? help : NULL, METRIC_COUNTER, OF(field)},
#define RECEIVED(kind, word)                                                                       \
    COUNTER(kind, "xtrace_writer_rows_received_total", "kind=\"" word "\"",                        \
            "Rows of batches that were taken in.", received[kind])
#define STORED(kind, word, effect, effect_word, help)                                              \
    COUNTER(kind, "xtrace_writer_rows_stored_total",                                               \
            "kind=\"" word "\",effect=\"" effect_word "\"", help, stored[kind][effect])
#define EFFECTS(kind, word)                                                                        \
    STORED(kind, word, TALLY_INSERTED, "inserted",                                                 \
           "Rows committed, by what they did to their table; merged: into another row of the "     \
           "same transaction.")                                                                    \
    STORED(kind, word, TALLY_CHANGED, "changed", NULL)                                             \
    STORED(kind, word, TALLY_UNCHANGED, "unchanged", NULL)                                         \
    STORED(kind, word, TALLY_MERGED, "merged", NULL)
#define DUPLICATE(kind, word)                                                                      \
    COUNTER(kind, "xtrace_writer_rows_duplicate_total", "kind=\"" word "\"",                       \
            "Rows of batches that had been committed before.", duplicate[kind])
#define DEAD_LETTERED(kind, word)                                                                  \
    COUNTER(kind, "xtrace_writer_rows_dead_lettered_total", "kind=\"" word "\"",                   \
            "Rows that the database refused for good.", dead_lettered[kind])
#define GIVEN_UP(kind, word)                                                                       \
    COUNTER(kind, "xtrace_writer_rows_given_up_total", "kind=\"" word "\"",                        \
            "Rows of batches that were let go without a receipt.", given_up[kind])

/* clang-format off */
static const struct metric row_rows[] = {
    ROW_KINDS(RECEIVED)
    ROW_KINDS(EFFECTS)
    ROW_KINDS(DUPLICATE)
    ROW_KINDS(DEAD_LETTERED)
    ROW_KINDS(GIVEN_UP)
    {.name = NULL},
};
/* clang-format on */

#define BATCHES "xtrace_writer_batches_settled_total"
#define PRICED  "xtrace_writer_observations_priced_total"
#define STEPS   "xtrace_writer_maintenance_steps_total"
#define SECONDS "xtrace_writer_maintenance_seconds_total"

static const struct metric other_rows[] = {
    {"xtrace_writer_batches_received_total", NULL, "Batches taken in.", METRIC_COUNTER,
     OF(batches_received)},
    {"xtrace_writer_batches_repeated_total", NULL,
     "Further deliveries of a batch in hand; not received once more.", METRIC_COUNTER,
     OF(batches_repeated)},
    {"xtrace_writer_batches_malformed_total", NULL, "Batches that could not be read, dropped.",
     METRIC_COUNTER, OF(batches_malformed)},
    {BATCHES, "outcome=\"stored\"",
     "Where they ended: stored, duplicate (committed before), given_up (no receipt: the gateway "
     "sends it again or gives up itself).",
     METRIC_COUNTER, OF(batches[TALLY_STORED])},
    {BATCHES, "outcome=\"duplicate\"", NULL, METRIC_COUNTER, OF(batches[TALLY_DUPLICATE])},
    {BATCHES, "outcome=\"given_up\"", NULL, METRIC_COUNTER, OF(batches[TALLY_GIVEN_UP])},
    {PRICED, "outcome=\"computed\"",
     "Observations with a model whose cost was looked for; partly: kinds that were used have no "
     "price; unused: nothing that has a price was used; given: by the client; unmatched: no price "
     "row matches the model.",
     METRIC_COUNTER, OF(priced[TALLY_COMPUTED])},
    {PRICED, "outcome=\"partly\"", NULL, METRIC_COUNTER, OF(priced[TALLY_PARTLY])},
    {PRICED, "outcome=\"unused\"", NULL, METRIC_COUNTER, OF(priced[TALLY_UNUSED])},
    {PRICED, "outcome=\"given\"", NULL, METRIC_COUNTER, OF(priced[TALLY_GIVEN])},
    {PRICED, "outcome=\"unmatched\"", NULL, METRIC_COUNTER, OF(priced[TALLY_UNMATCHED])},
    {"xtrace_writer_in_hand_batches", NULL, "Batches taken in and not yet let go.", METRIC_GAUGE,
     OF(in_hand_batches)},
    {"xtrace_writer_in_hand_rows", NULL, "Their rows.", METRIC_GAUGE, OF(in_hand_rows)},
    {"xtrace_writer_in_hand_bytes", NULL, "Their bytes.", METRIC_GAUGE, OF(in_hand_bytes)},
    {"xtrace_writer_in_hand_oldest_seconds", NULL, "Age of the oldest of them; 0: there is none.",
     METRIC_SECONDS, OF(_oldest_us)},
    {"xtrace_writer_group_rows", NULL, "Rows of a group.", METRIC_SIZES, OF(group_rows)},
    {"xtrace_writer_group_seconds", NULL, "From a group's beginning to its last receipt.",
     METRIC_DURATIONS, OF(group_time)},
    {"xtrace_writer_commit_seconds", NULL, "COMMIT alone.", METRIC_DURATIONS, OF(commit_time)},
    {"xtrace_writer_conflicts_total", NULL,
     "Transactions that met another writer's and had to run again.", METRIC_COUNTER, OF(conflicts)},
    {"xtrace_writer_database_connects_total", "outcome=\"done\"",
     "Connections to the database, made or tried.", METRIC_COUNTER, OF(connects)},
    {"xtrace_writer_database_connects_total", "outcome=\"failed\"", NULL, METRIC_COUNTER,
     OF(failed_connects)},
    {STEPS, "step=\"roll_up\"", "Steps of maintenance that this writer ran.", METRIC_COUNTER,
     OF(maintain_steps[STEP_ROLL_UP])},
    {STEPS, "step=\"fold_marks\"", NULL, METRIC_COUNTER, OF(maintain_steps[STEP_FOLD_MARKS])},
    {STEPS, "step=\"fold_counts\"", NULL, METRIC_COUNTER, OF(maintain_steps[STEP_FOLD_COUNTS])},
    {STEPS, "step=\"fold_facets\"", NULL, METRIC_COUNTER, OF(maintain_steps[STEP_FOLD_FACETS])},
    {STEPS, "step=\"prune\"", NULL, METRIC_COUNTER, OF(maintain_steps[STEP_PRUNE])},
    {STEPS, "step=\"retire_traces\"", NULL, METRIC_COUNTER, OF(maintain_steps[STEP_RETIRE_TRACES])},
    {STEPS, "step=\"drop_partition\"", NULL, METRIC_COUNTER,
     OF(maintain_steps[STEP_DROP_PARTITION])},
    {STEPS, "step=\"retire_points\"", NULL, METRIC_COUNTER, OF(maintain_steps[STEP_RETIRE_POINTS])},
    {STEPS, "step=\"retire_series\"", NULL, METRIC_COUNTER, OF(maintain_steps[STEP_RETIRE_SERIES])},
    {STEPS, "step=\"retire_letters\"", NULL, METRIC_COUNTER,
     OF(maintain_steps[STEP_RETIRE_LETTERS])},
    {STEPS, "step=\"snapshot\"", NULL, METRIC_COUNTER, OF(maintain_steps[STEP_SNAPSHOT])},
    {SECONDS, "step=\"roll_up\"", "Time they took.", METRIC_SECONDS_TOTAL,
     OF(maintain_us[STEP_ROLL_UP])},
    {SECONDS, "step=\"fold_marks\"", NULL, METRIC_SECONDS_TOTAL, OF(maintain_us[STEP_FOLD_MARKS])},
    {SECONDS, "step=\"fold_counts\"", NULL, METRIC_SECONDS_TOTAL,
     OF(maintain_us[STEP_FOLD_COUNTS])},
    {SECONDS, "step=\"fold_facets\"", NULL, METRIC_SECONDS_TOTAL,
     OF(maintain_us[STEP_FOLD_FACETS])},
    {SECONDS, "step=\"prune\"", NULL, METRIC_SECONDS_TOTAL, OF(maintain_us[STEP_PRUNE])},
    {SECONDS, "step=\"retire_traces\"", NULL, METRIC_SECONDS_TOTAL,
     OF(maintain_us[STEP_RETIRE_TRACES])},
    {SECONDS, "step=\"drop_partition\"", NULL, METRIC_SECONDS_TOTAL,
     OF(maintain_us[STEP_DROP_PARTITION])},
    {SECONDS, "step=\"retire_points\"", NULL, METRIC_SECONDS_TOTAL,
     OF(maintain_us[STEP_RETIRE_POINTS])},
    {SECONDS, "step=\"retire_series\"", NULL, METRIC_SECONDS_TOTAL,
     OF(maintain_us[STEP_RETIRE_SERIES])},
    {SECONDS, "step=\"retire_letters\"", NULL, METRIC_SECONDS_TOTAL,
     OF(maintain_us[STEP_RETIRE_LETTERS])},
    {SECONDS, "step=\"snapshot\"", NULL, METRIC_SECONDS_TOTAL, OF(maintain_us[STEP_SNAPSHOT])},
    {"xtrace_writer_maintenance_failures_total", NULL,
     "Times that maintenance lost its connection.", METRIC_COUNTER, OF(maintain_failures)},
    {.name = NULL},
};
_Static_assert(STEP_COUNT == 11, "a new step needs its rows here");

/* ---- adding ---- */

static void add_rows(metric_number numbers[ROW_KIND_COUNT], const struct parcel *parcel)
{
    uint64_t counts[ROW_KIND_COUNT] = {0};
    for (uint32_t i = 0; i < parcel->header.row_count; i++) {
        counts[parcel->rows[i].kind]++;
    }
    for (int kind = 0; kind < ROW_KIND_COUNT; kind++) {
        metric_add(&numbers[kind], counts[kind]);
    }
}

void tally_receive(struct tally *tally, const struct parcel *parcel)
{
    metric_add(&tally->batches_received, 1);
    add_rows(tally->received, parcel);
}

void tally_settle(struct tally *tally, const struct parcel *parcel)
{
    if (parcel->state == PARCEL_DUPLICATE) {
        metric_add(&tally->batches[TALLY_DUPLICATE], 1);
        add_rows(tally->duplicate, parcel);
        return;
    }
    if (parcel->state == PARCEL_GIVEN_UP) {
        metric_add(&tally->batches[TALLY_GIVEN_UP], 1);
        add_rows(tally->given_up, parcel);
        return;
    }
    metric_add(&tally->batches[TALLY_STORED], 1);
    for (uint32_t i = 0; i < parcel->refused_count; i++) {
        metric_add(&tally->dead_lettered[parcel->rows[parcel->refused[i].row].kind], 1);
    }
}

void tally_commit(struct tally *tally, const struct tally_effects *effects)
{
    for (int kind = 0; kind < ROW_KIND_COUNT; kind++) {
        for (int effect = 0; effect < TALLY_EFFECT_COUNT; effect++) {
            metric_add(&tally->stored[kind][effect], effects->of[kind][effect]);
        }
        metric_add(&tally->received[kind], effects->made[kind]);
    }
    for (int price = 0; price < TALLY_PRICE_COUNT; price++) {
        metric_add(&tally->priced[price], effects->priced[price]);
    }
}

void tally_connect(struct tally *tally, bool is_made)
{
    metric_add(is_made ? &tally->connects : &tally->failed_connects, 1);
}

/* ---- printing ---- */

void tally_print(void *context, struct buf *out)
{
    struct tally *tally = context;
    uint64_t since_us = metric_get(&tally->in_hand_since_us);
    uint64_t now_us = (uint64_t)clock_monotonic_us();
    metric_set(&tally->_oldest_us, since_us != 0 && now_us > since_us ? now_us - since_us : 0);
    metrics_print(out, row_rows, tally, NULL);
    metrics_print(out, other_rows, tally, NULL);
    metrics_print_process(out);
}
