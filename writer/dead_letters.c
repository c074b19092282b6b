#include "writer/dead_letters.h"

#include <endian.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/rfc3339.h"
#include "proto/batch.h"
#include "writer/accumulate.h"
#include "writer/commit.h"

static const char sql_list[] =
    "SELECT concat_ws(E'\\t', id, to_char(created_at AT TIME ZONE 'UTC',"
    " 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), project_id, kind, coalesce(record_id, '-'),"
    " CASE WHEN replayed_at IS NULL THEN 'open' ELSE 'replayed' END, reason)"
    " FROM dead_letters ORDER BY id DESC";

static const char sql_one[] =
    "SELECT id, project_id, packed_row,"
    " (extract(epoch FROM received_at) * 1000000)::bigint, kind, batch_id::text, row_index::text,"
    " reason, created_at::text, coalesce(replayed_at::text, '-'),"
    " md5('replay ' || batch_id || ' ' || row_index)::uuid"
    " FROM dead_letters WHERE id = $1::bigint";

static const char sql_open[] = "SELECT id FROM dead_letters WHERE replayed_at IS NULL ORDER BY id";

static const char sql_replayed[] =
    "UPDATE dead_letters SET replayed_at = now() WHERE id = $1::bigint";

enum {
    ONE_ID,
    ONE_PROJECT,
    ONE_ROW,
    ONE_RECEIVED,
    ONE_KIND,
    ONE_BATCH,
    ONE_INDEX,
    ONE_REASON,
    ONE_CREATED,
    ONE_REPLAYED,
    ONE_REPLAY_ID
};

static struct slice field(const PGresult *result, int row, int column)
{
    return (struct slice){PQgetvalue(result, row, column),
                          (size_t)PQgetlength(result, row, column)};
}

static int64_t field_int64(const PGresult *result, int row, int column)
{
    uint64_t value;
    memcpy(&value, PQgetvalue(result, row, column), sizeof(value));
    return (int64_t)be64toh(value);
}

static void print_slice(FILE *out, const char *name, struct slice text)
{
    fprintf(out, "%s: ", name);
    fwrite(text.data, 1, text.len, out);
    fputc('\n', out);
}

enum err dead_letters_list(struct session *session, FILE *out, struct error *error)
{
    PGresult *result = NULL;
    enum err err = session_query(session, sql_list, NULL, &result, error);
    for (int row = 0; err == ERR_OK && row < PQntuples(result); row++) {
        struct slice line = field(result, row, 0);
        fwrite(line.data, 1, line.len, out);
        fputc('\n', out);
    }
    PQclear(result);
    return err;
}

static enum err read_id(const char *text, int64_t *id, struct error *error)
{
    char *end = NULL;
    *id = strtoll(text, &end, 10);
    if (*text == '\0' || *end != '\0' || *id <= 0) {
        return error_set(error, ERR_INVALID, "'%s' is not the number of a dead letter", text);
    }
    return ERR_OK;
}

/* *result holds exactly one row, or the caller gets ERR_NOT_FOUND. */
static enum err read_one(struct session *session, int64_t id, PGresult **result,
                         struct error *error)
{
    uint64_t key = htobe64((uint64_t)id);
    struct session_parameters parameters = {.values = {{(const char *)&key, sizeof(key)}},
                                            .count = 1};
    enum err err = session_query(session, sql_one, &parameters, result, error);
    if (err == ERR_OK && PQntuples(*result) != 1) {
        return error_set(error, ERR_NOT_FOUND, "there is no dead letter %" PRId64, id);
    }
    return err;
}

static void print_value(FILE *out, const struct column *column, const struct value *value)
{
    char time[RFC3339_SIZE];
    switch (column->type) {
    case COLUMN_TIME:
        if (value->integer >= RFC3339_MIN_US && value->integer <= RFC3339_MAX_US) {
            rfc3339_format(value->integer, time);
            print_slice(out, column->name, slice_from(time));
            break;
        }
        fprintf(out, "%s: %" PRId64 " us\n", column->name, value->integer);
        break;
    case COLUMN_INT:
    case COLUMN_BOOL:
        fprintf(out, "%s: %" PRId64 "\n", column->name, value->integer);
        break;
    case COLUMN_FLOAT:
        fprintf(out, "%s: %.17g\n", column->name, value->real);
        break;
    case COLUMN_TEXT:
    case COLUMN_JSON:
    case COLUMN_JSONB:
    case COLUMN_TEXTS:
    case COLUMN_DECIMAL:
        print_slice(out, column->name, value->slice);
        break;
    }
}

static enum err print_row(FILE *out, struct slice packed, struct error *error)
{
    struct arena arena = ARENA_EMPTY;
    struct row *row = NULL;
    enum err err = batch_unpack_rows(packed, 1, &arena, &row, error);
    if (err == ERR_OK) {
        const struct row_table *table = &row_tables[row->kind];
        fprintf(out, "version: %" PRId64 "\n", row->version);
        for (uint32_t i = 0; i < table->column_count; i++) {
            if (row_has(row, i)) {
                fputs("  ", out);
                print_value(out, &table->columns[i], &row->values[i]);
            }
        }
    }
    arena_finish(&arena);
    return err;
}

enum err dead_letters_show(struct session *session, const char *id, FILE *out, struct error *error)
{
    static const struct {
        const char *name;
        int column;
    } fields[] = {{"project", ONE_PROJECT}, {"kind", ONE_KIND},       {"batch", ONE_BATCH},
                  {"row", ONE_INDEX},       {"created", ONE_CREATED}, {"replayed", ONE_REPLAYED},
                  {"reason", ONE_REASON}};
    int64_t number = 0;
    PGresult *result = NULL;
    enum err err = read_id(id, &number, error);
    if (err == ERR_OK) {
        err = read_one(session, number, &result, error);
    }
    if (err == ERR_OK) {
        fprintf(out, "id: %" PRId64 "\n", number);
        for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
            print_slice(out, fields[i].name, field(result, 0, fields[i].column));
        }
        err = print_row(out, field(result, 0, ONE_ROW), error);
    }
    PQclear(result);
    return err;
}

/* The row as a batch of one, as if a gateway had sent it. */
static void make_message(const PGresult *result, struct message *message)
{
    struct batch_header header = {.project = field(result, 0, ONE_PROJECT),
                                  .received_us = field_int64(result, 0, ONE_RECEIVED),
                                  .row_count = 1};
    struct buf frame = BUF_EMPTY;
    struct slice row = field(result, 0, ONE_ROW);
    /* The same each time, so that a metric point is not added twice. */
    memcpy(header.id, field(result, 0, ONE_REPLAY_ID).data, ID_SIZE);
    batch_pack_header(&frame, &header);
    zmq_msg_init_size(&message->header, frame.len);
    memcpy(zmq_msg_data(&message->header), frame.data, frame.len);
    zmq_msg_init_size(&message->body, row.len);
    memcpy(zmq_msg_data(&message->body), row.data, row.len);
    message->gateway = 0;
    buf_finish(&frame);
}

static enum err write_one(struct commit *commit, const PGresult *result, struct error *error)
{
    struct group group;
    struct message message;
    group_init(&group);
    make_message(result, &message);
    enum err err = group_add(&group, NULL, &message, error);
    if (err == ERR_OK) {
        err = commit_parcels(commit, &group, 0, 1, error);
    }
    group_finish(&group);
    return err;
}

static enum err replay_one(struct commit *commit, int64_t id, FILE *out, struct error *error)
{
    PGresult *result = NULL;
    enum err err = read_one(commit->session, id, &result, error);
    if (err == ERR_OK) {
        err = write_one(commit, result, error);
    }
    PQclear(result);
    if (err == ERR_REFUSED) {
        fprintf(out, "%" PRId64 "\trefused\t%s\n", id, error->text);
    }
    if (err != ERR_OK) {
        return err;
    }
    /* Dying here leaves a letter that can be replayed once more: harmless, see make_message. */
    uint64_t key = htobe64((uint64_t)id);
    struct session_parameters parameters = {.values = {{(const char *)&key, sizeof(key)}},
                                            .count = 1};
    err = session_query(commit->session, sql_replayed, &parameters, NULL, error);
    if (err == ERR_OK) {
        fprintf(out, "%" PRId64 "\treplayed\n", id);
    }
    return err;
}

static enum err replay_all(struct commit *commit, FILE *out, struct error *error)
{
    PGresult *result = NULL;
    enum err err = session_query(commit->session, sql_open, NULL, &result, error);
    int refused = 0;
    for (int row = 0; err == ERR_OK && row < PQntuples(result); row++) {
        err = replay_one(commit, field_int64(result, row, 0), out, error);
        if (err == ERR_REFUSED) {
            refused++;
            err = ERR_OK;
        }
    }
    PQclear(result);
    if (err == ERR_OK && refused > 0) {
        return error_set(error, ERR_REFUSED, "%d refused again", refused);
    }
    return err;
}

enum err dead_letters_replay(struct session *session, const char *id, FILE *out,
                             struct error *error)
{
    struct commit commit;
    struct tally tally = {0}; /* nobody asks */
    commit_init(&commit, session, &tally);
    commit.apply.looks_everywhere = true;
    enum err err = apply_prepare(&commit.apply, error);
    int64_t number = 0;
    if (err == ERR_OK && id != NULL) {
        err = read_id(id, &number, error);
    }
    if (err == ERR_OK) {
        err =
            id == NULL ? replay_all(&commit, out, error) : replay_one(&commit, number, out, error);
    }
    commit_finish(&commit);
    return err;
}
