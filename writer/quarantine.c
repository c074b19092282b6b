#include "writer/quarantine.h"

#include <endian.h>
#include <string.h>

#include "common/log.h"
#include "common/utf8.h"
#include "writer/tally.h"

static const char sql_letter[] =
    "INSERT INTO dead_letters (project_id, batch_id, row_index, kind, record_id, reason,"
    " packed_row, received_at)"
    " VALUES ($1::text, $2::uuid, $3::int, $4::text, $5::text, $6::text, $7::bytea,"
    "  timestamptz 'epoch' + $8::bigint * interval '1 microsecond')"
    " ON CONFLICT (batch_id, row_index) DO NOTHING";

/* $3, the key, may be null. */
static const char sql_recall[] =
    "SELECT row_index, reason FROM dead_letters WHERE batch_id = coalesce((SELECT batch_id"
    " FROM idempotency_keys WHERE project_id = $2::text AND key_hash = $3::bytea), $1::uuid)"
    " ORDER BY row_index";

struct quarantine {
    struct commit *commit;
    struct parcel *parcel;
    struct arena *arena; /* the group's: reasons live until the receipt */
    bool conflicts_refuse;
};

static bool is_refusal(const struct quarantine *quarantine, enum err err)
{
    return err == ERR_REFUSED || (err == ERR_CONFLICT && quarantine->conflicts_refuse);
}

static void add_refusal(struct quarantine *quarantine, uint32_t row, const struct error *reason)
{
    struct parcel *parcel = quarantine->parcel;
    if (parcel->refused == NULL) {
        parcel->refused =
            arena_alloc(quarantine->arena, parcel->header.row_count * sizeof(*parcel->refused));
    }
    struct slice text = arena_copy(quarantine->arena, slice_from(reason->text));
    parcel->refused[parcel->refused_count++] = (struct receipt_refusal){row, text};
}

/* ERR_OK: the rows [begin, end) are written, on top of what was written before. */
static enum err try_rows(struct quarantine *quarantine, uint32_t begin, uint32_t end,
                         struct error *error)
{
    struct commit *commit = quarantine->commit;
    struct tally_effects before = commit->apply.effects;
    enum err err = session_exec(commit->session, "SAVEPOINT part", error);
    if (err == ERR_OK) {
        struct apply_row *rows = commit_parcel_rows(commit, quarantine->parcel, begin, end);
        err = apply_rows(&commit->apply, rows, end - begin, error);
    }
    if (err == ERR_OK) {
        /* Deferred triggers speak up now, not at COMMIT when nobody could tell which row it was. */
        err = session_exec(commit->session, "SET CONSTRAINTS ALL IMMEDIATE", error);
    }
    if (err == ERR_OK) {
        return session_exec(commit->session, "RELEASE SAVEPOINT part", error);
    }
    commit->apply.effects = before;
    if (is_refusal(quarantine, err)) {
        struct error second;
        enum err undone = session_exec(
            commit->session, "ROLLBACK TO SAVEPOINT part; RELEASE SAVEPOINT part", &second);
        if (undone != ERR_OK) {
            *error = second;
            return undone;
        }
    }
    return err;
}

/* Are these of one record? It may be several rows of one entity, by the weight of what it says. */
static bool belong_together(const struct row *a, const struct row *b)
{
    if (a->kind != b->kind || a->kind >= (enum row_kind)ROW_MERGED_KINDS ||
        version_time(a->version) != version_time(b->version)) {
        return false;
    }
    for (uint32_t i = 0; i < row_tables[a->kind].key_count; i++) {
        if (!slice_equals(a->values[i].slice, b->values[i].slice)) {
            return false;
        }
    }
    return true;
}

/* About the middle, between two records; end: it is all one. */
static uint32_t find_middle(const struct row *rows, uint32_t begin, uint32_t end)
{
    uint32_t middle = begin + (end - begin) / 2;
    uint32_t after = middle;
    while (middle > begin && belong_together(&rows[middle - 1], &rows[middle])) {
        middle--;
    }
    if (middle > begin) {
        return middle;
    }
    do {
        after++;
    } while (after < end && belong_together(&rows[after - 1], &rows[after]));
    return after;
}

static enum err write_rows(struct quarantine *quarantine, uint32_t begin, uint32_t end,
                           struct error *error)
{
    enum err err = try_rows(quarantine, begin, end, error);
    if (!is_refusal(quarantine, err)) {
        return err;
    }
    uint32_t middle = find_middle(quarantine->parcel->rows, begin, end);
    if (middle == end) {
        for (uint32_t row = begin; row < end; row++) {
            add_refusal(quarantine, row, error);
        }
        return ERR_OK;
    }
    err = write_rows(quarantine, begin, middle, error);
    return err == ERR_OK ? write_rows(quarantine, middle, end, error) : err;
}

#define KIND_WORD(kind, word) [kind] = word,
static const char *const kind_words[ROW_KIND_COUNT] = {ROW_KINDS(KIND_WORD)};
#undef KIND_WORD

/* The id that a person would look for; empty (NULL) when it is no text. */
static struct slice record_id(const struct row *row)
{
    uint32_t column = row->kind == ROW_OBSERVATION ? (uint32_t)OBSERVATION_ID : 0;
    struct slice id = row->values[column].slice;
    bool is_text = utf8_valid_prefix(id) == id.len && memchr(id.data, 0, id.len) == NULL;
    return is_text ? id : (struct slice){NULL, 0};
}

static enum err write_letter(struct quarantine *quarantine, const struct receipt_refusal *refusal,
                             struct error *error)
{
    const struct parcel *parcel = quarantine->parcel;
    const struct row *row = &parcel->rows[refusal->row];
    uint32_t index = htobe32(refusal->row);
    uint64_t received_us = htobe64((uint64_t)parcel->header.received_us);
    struct buf packed = BUF_EMPTY;
    batch_pack_row(&packed, row);
    struct session_parameters parameters = {
        .values = {parcel->header.project,
                   {(const char *)parcel->header.id, ID_SIZE},
                   {(const char *)&index, sizeof(index)},
                   slice_from(kind_words[row->kind]),
                   record_id(row),
                   refusal->reason,
                   buf_slice(&packed),
                   {(const char *)&received_us, sizeof(received_us)}},
        .count = 8};
    enum err err = session_query(quarantine->commit->session, sql_letter, &parameters, NULL, error);
    buf_finish(&packed);
    return err;
}

static enum err write_letters(struct quarantine *quarantine, struct error *error)
{
    enum err err = ERR_OK;
    const struct parcel *parcel = quarantine->parcel;
    for (uint32_t i = 0; i < parcel->refused_count && err == ERR_OK; i++) {
        err = write_letter(quarantine, &parcel->refused[i], error);
    }
    return err;
}

static void log_refused(const struct parcel *parcel)
{
    char id[HEX_TEXT_SIZE + 1];
    id_hex(parcel->header.id, id);
    log_event(
        LOG_WARN, "rows refused", "batch", id, "refused", log_text("%u", parcel->refused_count),
        "rows", log_text("%u", parcel->header.row_count), "reason",
        log_text("%.*s", (int)parcel->refused[0].reason.len, parcel->refused[0].reason.data), NULL);
}

enum err quarantine_parcel(struct commit *commit, struct parcel *parcel, struct arena *arena,
                           bool conflicts_refuse, struct error *error)
{
    struct quarantine quarantine = {commit, parcel, arena, conflicts_refuse};
    bool is_new = false;
    parcel->refused_count = 0;
    commit->apply.looks_everywhere = true;
    enum err err = commit_begin(commit, &parcel, 1, &is_new, error);
    if (err == ERR_OK && is_new) {
        err = write_rows(&quarantine, 0, parcel->header.row_count, error);
    }
    if (err == ERR_OK) {
        err = is_new ? write_letters(&quarantine, error)
                     : quarantine_recall(commit->session, parcel, arena, error);
    }
    if (err == ERR_OK) {
        err = commit_end(commit, error);
    }
    if (err != ERR_OK) {
        session_rollback(commit->session);
        parcel->refused_count = 0;
        return err;
    }
    parcel->state = is_new ? PARCEL_STORED : PARCEL_DUPLICATE;
    tally_settle(commit->tally, parcel);
    if (is_new && parcel->refused_count > 0) {
        log_refused(parcel);
    }
    return ERR_OK;
}

enum err quarantine_recall(struct session *session, struct parcel *parcel, struct arena *arena,
                           struct error *error)
{
    struct session_parameters parameters = {.values = {{(const char *)parcel->header.id, ID_SIZE},
                                                       parcel->header.project,
                                                       parcel->header.key},
                                            .count = 3};
    PGresult *result = NULL;
    enum err err = session_query(session, sql_recall, &parameters, &result, error);
    int count = err == ERR_OK ? PQntuples(result) : 0;
    if (count > 0) {
        parcel->refused = arena_alloc(arena, (size_t)count * sizeof(*parcel->refused));
        parcel->refused_count = (uint32_t)count;
    }
    for (int row = 0; row < count; row++) {
        uint32_t index;
        memcpy(&index, PQgetvalue(result, row, 0), sizeof(index));
        struct slice reason = {PQgetvalue(result, row, 1), (size_t)PQgetlength(result, row, 1)};
        parcel->refused[row] = (struct receipt_refusal){be32toh(index), arena_copy(arena, reason)};
    }
    PQclear(result);
    return err;
}
