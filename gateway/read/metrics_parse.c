/*
 * metrics_parse: the query language of metrics, JSON -> struct. What a member means depends on the view,
 * which may come last: first every member's text is found, then one after the other is read.
 */
#include "gateway/read/metrics_parse.h"

#include <string.h>

#include "common/rfc3339.h"
#include "gateway/read/metrics_members.h"

struct parse {
    struct arena *arena;
    int version;
    struct metrics_members members;
    struct metrics_request *out;
    struct error *error;
};

/* --- what is asked for --------------------------------------------------------------------- */

static enum err parse_view(struct parse *parse)
{
    struct slice name;

    if (parse->members.view.data == NULL) {
        return error_set(parse->error, ERR_INVALID, "view: missing");
    }
    if (!metrics_string(parse->arena, parse->members.view, &name)) {
        return error_set(parse->error, ERR_INVALID, "view: not a string");
    }
    parse->out->view = metrics_find_view(name);
    if (parse->out->view == NULL) {
        name = metrics_shown(name);
        return error_set(parse->error, ERR_INVALID,
                         "view: must be one of %sobservations, scores-numeric, scores-categorical, "
                         "scores-boolean, not %.*s",
                         parse->version == 1 ? "traces, " : "", (int)name.len, name.data);
    }
    if (parse->out->view->is_v1_only && parse->version != 1) {
        return error_set(parse->error, ERR_INVALID,
                         "view: %s is not one of version 2; use observations, or "
                         "/api/public/metrics",
                         parse->out->view->name);
    }
    return ERR_OK;
}

static enum err add_dimension(struct parse *parse, size_t index, struct slice raw)
{
    struct metrics_request *out = parse->out;
    struct slice name;

    if (!metrics_string(parse->arena, raw, &name)) {
        return error_set(parse->error, ERR_INVALID, "dimensions[%zu].field: %s", index,
                         raw.data == NULL ? "missing" : "not a string");
    }
    const struct metrics_dimension *dimension = metrics_find_dimension(out->view, name);
    if (dimension == NULL) {
        name = metrics_shown(name);
        return error_set(
            parse->error, ERR_INVALID,
            "dimensions[%zu].field: Invalid dimension %.*s, the view %s has none of that name",
            index, (int)name.len, name.data, out->view->name);
    }
    if (dimension->is_id && parse->version == 2) {
        return error_set(
            parse->error, ERR_INVALID,
            "dimensions[%zu].field: %s has a high cardinality; version 2 can filter by "
            "it, not group by it",
            index, dimension->name);
    }
    for (size_t i = 0; i < out->dimension_count; i++) {
        if (out->dimensions[i] == dimension) {
            return ERR_OK;
        }
    }
    if (out->dimension_count == METRICS_DIMENSIONS_MAX) {
        return error_set(parse->error, ERR_INVALID, "dimensions: more than %d",
                         METRICS_DIMENSIONS_MAX);
    }
    out->dimensions[out->dimension_count++] = dimension;
    return ERR_OK;
}

static enum err parse_dimensions(struct parse *parse)
{
    struct json_reader reader = metrics_reader(parse->arena, parse->members.dimensions);
    struct slice field, none;
    enum err err = ERR_OK;

    if (parse->members.dimensions.data == NULL) {
        return ERR_OK;
    }
    if (!json_array_begin(&reader)) {
        return error_set(parse->error, ERR_INVALID, "dimensions: not a list");
    }
    for (size_t i = 0; err == ERR_OK && json_array_next(&reader); i++) {
        err = metrics_pair(&reader, "field", &field, NULL, &none)
                  ? add_dimension(parse, i, field)
                  : error_set(parse->error, ERR_INVALID, "dimensions[%zu]: not an object", i);
    }
    return err;
}

static enum err find_measure(struct parse *parse, size_t index, struct slice raw,
                             const struct metrics_measure **out)
{
    struct slice name;

    if (!metrics_string(parse->arena, raw, &name)) {
        return error_set(parse->error, ERR_INVALID, "metrics[%zu].measure: %s", index,
                         raw.data == NULL ? "missing" : "not a string");
    }
    *out = metrics_find_measure(parse->out->view, name);
    if (*out == NULL) {
        name = metrics_shown(name);
        return error_set(
            parse->error, ERR_INVALID,
            "metrics[%zu].measure: Invalid metric %.*s, the view %s has none of that name", index,
            (int)name.len, name.data, parse->out->view->name);
    }
    return ERR_OK;
}

static enum err find_aggregation(struct parse *parse, size_t index, struct slice raw,
                                 const struct metrics_measure *measure,
                                 enum metrics_aggregation *out)
{
    struct slice name;

    if (!metrics_string(parse->arena, raw, &name)) {
        return error_set(parse->error, ERR_INVALID, "metrics[%zu].aggregation: %s", index,
                         raw.data == NULL ? "missing" : "not a string");
    }
    if (!metrics_find_aggregation(name, out)) {
        name = metrics_shown(name);
        return error_set(parse->error, ERR_INVALID,
                         "metrics[%zu].aggregation: must be one of sum, avg, count, max, min, p50, "
                         "p75, p90, p95, p99, histogram, uniq, not %.*s",
                         index, (int)name.len, name.data);
    }
    if (measure->kind == METRICS_TEXT && *out != METRICS_COUNT && *out != METRICS_UNIQ) {
        return error_set(parse->error, ERR_INVALID,
                         "metrics[%zu].aggregation: %s is not for %s of the view %s, which is a "
                         "text: count and uniq are",
                         index, metrics_aggregation_names[*out], measure->name,
                         parse->out->view->name);
    }
    return ERR_OK;
}

static enum err add_metric(struct parse *parse, size_t index, struct slice measure,
                           struct slice aggregation)
{
    struct metrics_request *out = parse->out;
    struct metrics_metric metric = {0};

    enum err err = find_measure(parse, index, measure, &metric.measure);
    if (err == ERR_OK) {
        err = find_aggregation(parse, index, aggregation, metric.measure, &metric.aggregation);
    }
    if (err != ERR_OK) {
        return err;
    }
    for (size_t i = 0; i < out->metric_count; i++) {
        if (out->metrics[i].measure == metric.measure &&
            out->metrics[i].aggregation == metric.aggregation) {
            return ERR_OK;
        }
    }
    if (out->metric_count == METRICS_METRICS_MAX) {
        return error_set(parse->error, ERR_INVALID, "metrics: more than %d", METRICS_METRICS_MAX);
    }
    out->metrics[out->metric_count++] = metric;
    return ERR_OK;
}

static enum err parse_metrics(struct parse *parse)
{
    struct json_reader reader = metrics_reader(parse->arena, parse->members.metrics);
    struct slice measure, aggregation;
    enum err err = ERR_OK;

    if (parse->members.metrics.data == NULL) {
        return error_set(parse->error, ERR_INVALID, "metrics: missing");
    }
    if (!json_array_begin(&reader)) {
        return error_set(parse->error, ERR_INVALID, "metrics: not a list");
    }
    for (size_t i = 0; err == ERR_OK && json_array_next(&reader); i++) {
        err = metrics_pair(&reader, "measure", &measure, "aggregation", &aggregation)
                  ? add_metric(parse, i, measure, aggregation)
                  : error_set(parse->error, ERR_INVALID, "metrics[%zu]: not an object", i);
    }
    if (err == ERR_OK && parse->out->metric_count == 0) {
        return error_set(parse->error, ERR_INVALID, "metrics: at least one is needed");
    }
    return err;
}

/* --- time ---------------------------------------------------------------------------------- */

static enum err parse_time(struct parse *parse, const char *name, struct slice raw, int64_t *out)
{
    struct slice text;

    if (raw.data == NULL) {
        return error_set(parse->error, ERR_INVALID, "%s: missing", name);
    }
    if (!metrics_string(parse->arena, raw, &text) || !rfc3339_parse(text, out)) {
        return error_set(parse->error, ERR_INVALID, "%s: not an RFC 3339 time with an offset",
                         name);
    }
    return ERR_OK;
}

static enum err parse_range(struct parse *parse)
{
    struct metrics_request *out = parse->out;

    enum err err = parse_time(parse, "fromTimestamp", parse->members.from, &out->from_us);
    if (err == ERR_OK) {
        err = parse_time(parse, "toTimestamp", parse->members.to, &out->to_us);
    }
    if (err == ERR_OK && out->from_us >= out->to_us) {
        err = error_set(parse->error, ERR_INVALID, "fromTimestamp: must be before toTimestamp");
    }
    return err;
}

static enum err parse_granularity(struct parse *parse)
{
    struct json_reader reader = metrics_reader(parse->arena, parse->members.time_dimension);
    struct metrics_request *out = parse->out;
    struct slice raw, none, name;

    if (parse->members.time_dimension.data == NULL) {
        return ERR_OK;
    }
    if (!metrics_pair(&reader, "granularity", &raw, NULL, &none)) {
        return error_set(parse->error, ERR_INVALID, "timeDimension: not an object");
    }
    if (!metrics_string(parse->arena, raw, &name) ||
        !metrics_find_granularity(name, out->to_us - out->from_us, &out->granularity)) {
        return error_set(parse->error, ERR_INVALID,
                         "timeDimension.granularity: must be one of auto, minute, hour, day, week, "
                         "month");
    }
    return ERR_OK;
}

static enum err check_buckets(struct parse *parse)
{
    struct metrics_request *out = parse->out;

    out->is_filled = out->granularity != METRICS_NO_TIME && out->order_count == 0;
    if (!out->is_filled) {
        return ERR_OK;
    }
    int64_t buckets = metrics_count_buckets(out->granularity, out->to_us - out->from_us);
    if (buckets > METRICS_BUCKETS_MAX) {
        return error_set(parse->error, ERR_TOO_HEAVY,
                         "timeDimension.granularity: %lld buckets, at most %d are filled; choose a "
                         "longer one or a shorter range, or give orderBy, which fills none",
                         (long long)buckets, METRICS_BUCKETS_MAX);
    }
    return ERR_OK;
}

/* --- order --------------------------------------------------------------------------------- */

static bool is_metric_key(const struct metrics_metric *metric, struct slice name)
{
    struct slice aggregation = slice_from(metrics_aggregation_names[metric->aggregation]);
    struct slice measure = slice_from(metric->measure->name);

    return name.len == aggregation.len + 1 + measure.len && name.data[aggregation.len] == '_' &&
           memcmp(name.data, aggregation.data, aggregation.len) == 0 &&
           memcmp(name.data + aggregation.len + 1, measure.data, measure.len) == 0;
}

/* A dimension comes before a metric whose measure alone is named. */
static bool find_order(const struct metrics_request *out, struct slice name,
                       struct metrics_order *order)
{
    if (out->granularity != METRICS_NO_TIME && slice_is(name, "time_dimension")) {
        order->by = METRICS_BY_TIME;
        return true;
    }
    order->by = METRICS_BY_DIMENSION;
    for (order->index = 0; order->index < out->dimension_count; order->index++) {
        if (slice_is(name, out->dimensions[order->index]->name)) {
            return true;
        }
    }
    order->by = METRICS_BY_METRIC;
    for (order->index = 0; order->index < out->metric_count; order->index++) {
        if (is_metric_key(&out->metrics[order->index], name)) {
            return true;
        }
    }
    for (order->index = 0; order->index < out->metric_count; order->index++) {
        if (slice_is(name, out->metrics[order->index].measure->name)) {
            return true;
        }
    }
    return false;
}

static enum err add_order(struct parse *parse, size_t index, struct slice field_raw,
                          struct slice direction_raw)
{
    struct metrics_request *out = parse->out;
    struct metrics_order order = {METRICS_BY_TIME};
    struct slice field, direction;

    if (!metrics_string(parse->arena, field_raw, &field)) {
        return error_set(parse->error, ERR_INVALID, "orderBy[%zu].field: %s", index,
                         field_raw.data == NULL ? "missing" : "not a string");
    }
    if (!metrics_string(parse->arena, direction_raw, &direction) ||
        (!slice_is(direction, "asc") && !slice_is(direction, "desc"))) {
        return error_set(parse->error, ERR_INVALID, "orderBy[%zu].direction: must be asc or desc",
                         index);
    }
    order.is_descending = slice_is(direction, "desc");
    if (!find_order(out, field, &order)) {
        field = metrics_shown(field);
        return error_set(
            parse->error, ERR_INVALID,
            "orderBy[%zu].field: Invalid orderBy field %.*s, none of the query's dimensions and "
            "metrics",
            index, (int)field.len, field.data);
    }
    if (order.by == METRICS_BY_METRIC &&
        out->metrics[order.index].aggregation == METRICS_HISTOGRAM) {
        return error_set(parse->error, ERR_INVALID, "orderBy[%zu].field: a histogram has no order",
                         index);
    }
    if (out->order_count == METRICS_ORDERS_MAX) {
        return error_set(parse->error, ERR_INVALID, "orderBy: more than %d", METRICS_ORDERS_MAX);
    }
    out->orders[out->order_count++] = order;
    return ERR_OK;
}

static enum err parse_orders(struct parse *parse)
{
    struct json_reader reader = metrics_reader(parse->arena, parse->members.order_by);
    struct slice field, direction;
    enum err err = ERR_OK;

    if (parse->members.order_by.data == NULL) {
        return ERR_OK;
    }
    if (!json_array_begin(&reader)) {
        return error_set(parse->error, ERR_INVALID, "orderBy: not a list");
    }
    for (size_t i = 0; err == ERR_OK && json_array_next(&reader); i++) {
        err = metrics_pair(&reader, "field", &field, "direction", &direction)
                  ? add_order(parse, i, field, direction)
                  : error_set(parse->error, ERR_INVALID, "orderBy[%zu]: not an object", i);
    }
    return err;
}

/* --- the rest ------------------------------------------------------------------------------ */

/* Absent leaves *out as it is. */
static enum err parse_setting(struct parse *parse, const char *name, struct slice raw, int64_t max,
                              int64_t *out)
{
    struct json_reader reader = metrics_reader(parse->arena, raw);
    struct slice number;

    if (raw.data == NULL) {
        return ERR_OK;
    }
    if (!json_number(&reader, &number) || !json_number_int64(number, out) || *out < 1 ||
        *out > max) {
        return error_set(parse->error, ERR_INVALID, "config.%s: must be an integer from 1 to %lld",
                         name, (long long)max);
    }
    return ERR_OK;
}

static enum err parse_config(struct parse *parse)
{
    struct json_reader reader = metrics_reader(parse->arena, parse->members.config);
    struct slice bins, row_limit;

    parse->out->bins = METRICS_BINS_DEFAULT;
    if (parse->members.config.data == NULL) {
        return ERR_OK;
    }
    if (!metrics_pair(&reader, "bins", &bins, "row_limit", &row_limit)) {
        return error_set(parse->error, ERR_INVALID, "config: not an object");
    }
    enum err err = parse_setting(parse, "bins", bins, METRICS_BINS_MAX, &parse->out->bins);
    return err != ERR_OK ? err
                         : parse_setting(parse, "row_limit", row_limit, METRICS_ROWS_MAX,
                                         &parse->out->row_limit);
}

enum err metrics_parse(const char *json, int version, struct arena *arena,
                       struct metrics_request *out, struct error *error)
{
    static enum err (*const steps[])(struct parse *) = {
        parse_view,        parse_dimensions, parse_metrics, parse_range,
        parse_granularity, parse_orders,     check_buckets, parse_config,
    };
    struct parse parse = {.arena = arena, .version = version, .out = out, .error = error};

    memset(out, 0, sizeof *out);
    enum err err = metrics_find_members(&parse.members, json, arena, error);
    for (size_t i = 0; err == ERR_OK && i < sizeof steps / sizeof *steps; i++) {
        err = steps[i](&parse);
    }
    if (err == ERR_OK && parse.members.filters.data != NULL) {
        out->filters = arena_text(arena, parse.members.filters);
    }
    return err;
}
