#include "writer/settle.h"

#include <string.h>

#include "common/log.h"
#include "writer/ack.h"
#include "writer/quarantine.h"
#include "writer/tally.h"

enum {
    CONFLICTS_MAX = 8,      /* of a group as it came */
    CONFLICTS_MAX_PART = 2, /* of a part of it, when the whole did not get through */
    CONFLICTS_AT_ONCE = 3,  /* without a pause */
    CONFLICT_PAUSE_MS = 20,
    FAILURES_MAX = 3, /* of one batch alone: then it is given up */
    STREAK_MAX = 3,   /* batches failing one after the other: it is not the batches */
};

void settle_init(struct settle *settle, struct commit *commit, struct receive *receive)
{
    *settle = (struct settle){.commit = commit, .receive = receive};
}

static bool is_passing(enum err err)
{
    return err == ERR_UNAVAILABLE || err == ERR_TIMEOUT;
}

static bool is_suspect(const struct settle *settle, const struct parcel *parcel)
{
    uint32_t count =
        settle->_suspect_count < SETTLE_SUSPECTS ? settle->_suspect_count : SETTLE_SUSPECTS;
    for (uint32_t i = 0; i < count; i++) {
        if (memcmp(settle->_suspects[i], parcel->header.id, ID_SIZE) == 0) {
            return true;
        }
    }
    return false;
}

static void give_up(struct settle *settle, struct parcel *parcel, const struct error *error)
{
    char id[HEX_TEXT_SIZE + 1];
    id_hex(parcel->header.id, id);
    log_event(LOG_ERROR, "batch given up", "batch", id, "error", error->text, NULL);
    parcel->state = PARCEL_GIVEN_UP;
    tally_settle(settle->commit->tally, parcel);
    if (!is_suspect(settle, parcel)) {
        memcpy(settle->_suspects[settle->_suspect_count++ % SETTLE_SUSPECTS], parcel->header.id,
               ID_SIZE);
    }
}

void settle_give_up(struct settle *settle, struct group *group, const struct error *error)
{
    for (uint32_t i = 0; i < group->count; i++) {
        if (group->parcels[i]->state == PARCEL_WAITING) {
            give_up(settle, group->parcels[i], error);
        }
    }
}

static void pause_for_others(const struct settle *settle, int tries)
{
    const struct session_options *options = &settle->commit->session->options;
    if (tries >= CONFLICTS_AT_ONCE) {
        options->wait(options->wait_context, -1, 0,
                      CONFLICT_PAUSE_MS << (tries - CONFLICTS_AT_ONCE));
    }
}

static enum err commit_stubbornly(const struct settle *settle, struct group *group, uint32_t begin,
                                  uint32_t end, int tries_max, struct error *error)
{
    enum err err = ERR_CONFLICT;
    for (int tries = 0; tries < tries_max && err == ERR_CONFLICT; tries++) {
        pause_for_others(settle, tries);
        settle->commit->apply.looks_everywhere = tries > 0;
        err = commit_parcels(settle->commit, group, begin, end, error);
        if (err == ERR_CONFLICT) {
            metric_add(&settle->commit->tally->conflicts, 1);
            log_event(LOG_DEBUG, "conflict", "error", error->text, NULL);
        }
    }
    return err;
}

/* A batch that was refused: row by row. */
static enum err settle_refused(struct settle *settle, struct group *group, struct parcel *parcel,
                               bool conflicts_refuse, struct error *error)
{
    enum err err = ERR_CONFLICT;
    for (int tries = 0; tries < CONFLICTS_MAX && err == ERR_CONFLICT; tries++) {
        pause_for_others(settle, tries);
        err = quarantine_parcel(settle->commit, parcel, &group->arena, conflicts_refuse, error);
        if (err == ERR_CONFLICT) {
            metric_add(&settle->commit->tally->conflicts, 1);
        }
    }
    if (err != ERR_OK && !is_passing(err)) {
        give_up(settle, parcel, error);
        err = ERR_OK;
    }
    return err;
}

static enum err settle_range(struct settle *settle, struct group *group, uint32_t begin,
                             uint32_t end, int tries_max, struct error *error)
{
    enum err err = commit_stubbornly(settle, group, begin, end, tries_max, error);
    if (err == ERR_OK || is_passing(err)) {
        ack_group(settle->receive, group);
        return err;
    }
    if (end - begin > 1) {
        uint32_t middle = begin + (end - begin) / 2;
        err = settle_range(settle, group, begin, middle, CONFLICTS_MAX_PART, error);
        return err != ERR_OK ? err
                             : settle_range(settle, group, middle, end, CONFLICTS_MAX_PART, error);
    }
    err = settle_refused(settle, group, group->parcels[begin], err == ERR_CONFLICT, error);
    ack_group(settle->receive, group);
    return err;
}

/* ERR_OK: it has an end, if only that it failed once more. Else the database cannot be reached. */
static enum err settle_alone(struct settle *settle, struct group *group, uint32_t place,
                             int failures_max, enum err *outcome, struct error *error)
{
    struct parcel *parcel = group->parcels[place];
    *outcome = settle_range(settle, group, place, place + 1, CONFLICTS_MAX_PART, error);
    if (*outcome == ERR_OK) {
        return ERR_OK;
    }
    struct error second;
    if (!session_is_open(settle->commit->session) &&
        commit_connect(settle->commit, &second) != ERR_OK) {
        return *outcome;
    }
    if (++parcel->failures >= failures_max) {
        give_up(settle, parcel, error);
        *outcome = ERR_OK;
    }
    return ERR_OK;
}

static enum err settle_one_by_one(struct settle *settle, struct group *group, struct error *error)
{
    int streak = 0;
    enum err last = ERR_OK;
    for (uint32_t i = 0; i < group->count && streak < STREAK_MAX; i++) {
        if (group->parcels[i]->state != PARCEL_WAITING) {
            continue;
        }
        struct error here;
        enum err outcome;
        enum err err = settle_alone(settle, group, i, FAILURES_MAX, &outcome, &here);
        if (outcome != ERR_OK) {
            *error = here;
            last = outcome;
        }
        if (err != ERR_OK) {
            return err;
        }
        streak = group->parcels[i]->failures > 0 ? streak + 1 : 0;
    }
    return last;
}

static void set_suspects_aside(const struct settle *settle, struct group *group)
{
    for (uint32_t i = 0; settle->_suspect_count > 0 && i < group->count; i++) {
        struct parcel *parcel = group->parcels[i];
        if (parcel->state == PARCEL_WAITING && is_suspect(settle, parcel)) {
            parcel->state = PARCEL_SUSPECT;
        }
    }
}

/* Each has one try a delivery. */
static enum err settle_suspects(struct settle *settle, struct group *group, struct error *error)
{
    enum err err = ERR_OK;
    for (uint32_t i = 0; i < group->count && err == ERR_OK; i++) {
        if (group->parcels[i]->state == PARCEL_SUSPECT) {
            enum err outcome;
            group->parcels[i]->state = PARCEL_WAITING;
            err = settle_alone(settle, group, i, 1, &outcome, error);
        }
    }
    return err;
}

enum err settle_group(struct settle *settle, struct group *group, bool one_by_one,
                      struct error *error)
{
    if (group->count == 0) {
        return ERR_OK;
    }
    enum err err;
    if (one_by_one) {
        err = settle_one_by_one(settle, group, error);
    } else {
        set_suspects_aside(settle, group);
        err = settle_range(settle, group, 0, group->count, CONFLICTS_MAX, error);
    }
    if (err == ERR_OK) {
        err = settle_suspects(settle, group, error);
    }
    ack_group(settle->receive, group);
    return err;
}
