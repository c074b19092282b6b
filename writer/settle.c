#include "writer/settle.h"

#include "common/log.h"
#include "writer/ack.h"
#include "writer/quarantine.h"

enum { CONFLICTS_MAX = 8, CONFLICT_PAUSE_MS = 20, CONFLICTS_AT_ONCE = 3 };

struct settle {
    struct commit *commit;
    struct receive *receive;
    struct group *group;
};

static void pause_for_others(const struct settle *settle, int tries)
{
    const struct session_options *options = &settle->commit->session->options;
    if (tries >= CONFLICTS_AT_ONCE) {
        options->wait(options->wait_context, -1, 0,
                      CONFLICT_PAUSE_MS << (tries - CONFLICTS_AT_ONCE));
    }
}

static enum err commit_stubbornly(const struct settle *settle, uint32_t begin, uint32_t end,
                                  struct error *error)
{
    enum err err = ERR_CONFLICT;
    for (int tries = 0; tries < CONFLICTS_MAX && err == ERR_CONFLICT; tries++) {
        pause_for_others(settle, tries);
        err = commit_parcels(settle->commit, settle->group, begin, end, error);
        if (err == ERR_CONFLICT) {
            log_event(LOG_DEBUG, "conflict", "error", error->text, NULL);
        }
    }
    return err;
}

static enum err settle_alone(const struct settle *settle, struct parcel *parcel,
                             bool conflicts_refuse, struct error *error)
{
    enum err err = ERR_CONFLICT;
    for (int tries = 0; tries < CONFLICTS_MAX && err == ERR_CONFLICT; tries++) {
        pause_for_others(settle, tries);
        err = quarantine_parcel(settle->commit, parcel, &settle->group->arena, conflicts_refuse,
                                error);
    }
    if (err == ERR_OK || err == ERR_UNAVAILABLE || err == ERR_TIMEOUT) {
        return err;
    }
    char id[HEX_TEXT_SIZE + 1];
    id_hex(parcel->header.id, id);
    log_event(LOG_ERROR, "batch given up", "batch", id, "error", error->text, NULL);
    parcel->state = PARCEL_GIVEN_UP;
    return ERR_OK;
}

static enum err settle_range(const struct settle *settle, uint32_t begin, uint32_t end,
                             struct error *error)
{
    enum err err = commit_stubbornly(settle, begin, end, error);
    switch (err) {
    case ERR_OK:
        ack_group(settle->receive, settle->group);
        return ERR_OK;
    case ERR_UNAVAILABLE:
    case ERR_TIMEOUT:
        return err;
    default:
        break;
    }
    if (end - begin > 1) {
        uint32_t middle = begin + (end - begin) / 2;
        err = settle_range(settle, begin, middle, error);
        return err == ERR_OK ? settle_range(settle, middle, end, error) : err;
    }
    err = settle_alone(settle, settle->group->parcels[begin], err == ERR_CONFLICT, error);
    ack_group(settle->receive, settle->group);
    return err;
}

static enum err settle_one_by_one(const struct settle *settle, struct error *error)
{
    enum err first = ERR_OK;
    for (uint32_t i = 0; i < settle->group->count; i++) {
        struct error here;
        enum err err = settle_range(settle, i, i + 1, &here);
        if (err == ERR_OK) {
            continue;
        }
        if (first == ERR_OK) {
            first = err;
            *error = here;
        }
        if (!session_is_open(settle->commit->session) &&
            commit_connect(settle->commit, &here) != ERR_OK) {
            break;
        }
    }
    return first;
}

enum err settle_group(struct commit *commit, struct receive *receive, struct group *group,
                      bool one_by_one, struct error *error)
{
    struct settle settle = {commit, receive, group};
    if (group->count == 0) {
        return ERR_OK;
    }
    enum err err = one_by_one ? settle_one_by_one(&settle, error)
                              : settle_range(&settle, 0, group->count, error);
    ack_group(receive, group);
    return err;
}
