/*
 * fields: the members of one JSON object -> the columns of one row, by a table that says what each
 * member is called, what form its value has and where it goes. Decoders of JSON protocols bring the
 * table; this brings the reading. Rules that hold for every protocol are validate's. Pure; not
 * thread-safe.
 *
 * null is as good as absent. Of a repeated key the last counts, also for what was wrong with it.
 * Where several keys go to one column, the first of them in the table wins.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/buf.h"
#include "common/error.h"
#include "common/id.h"
#include "common/json_read.h"
#include "common/slice.h"
#include "gateway/ingest/collect.h"
#include "proto/row.h"

enum form {
    FORM_TEXT,          /* string */
    FORM_UUID,          /* string, a UUID in any form; hyphenated lower case in the row */
    FORM_TIME,          /* string, RFC 3339 */
    FORM_JSON,          /* anything; the text as sent */
    FORM_STRINGS,       /* array of strings; empty is as good as absent */
    FORM_BOOL,          /* true or false */
    FORM_FLOAT,         /* number within the range of a double */
    FORM_DECIMAL,       /* number; the text as sent */
    FORM_INTEGER,       /* number of 64 bits without fraction and exponent */
    FORM_WHOLE,         /* number without a fraction in any spelling: 12, 12.0, 1.2e1 */
    FORM_TEXT_OR_WHOLE, /* a string, or such a number as text */
    FORM_ASIDE, /* anything; the text as sent, kept beside the row: column is its place in asides */
    FORM_NESTED, /* an object whose members are further fields; anything else is passed over */
};

struct field {
    const char *key;
    uint8_t key_len;
    uint8_t form;   /* enum form */
    uint8_t column; /* of the row's kind; of FORM_NESTED: 0; of FORM_ASIDE: place in asides */
};

#define FIELD(key, form, column)                                                                   \
    {                                                                                              \
        (key), sizeof(key) - 1, (form), (column)                                                   \
    }

#define FIELDS_NO_INDEX UINT32_MAX

enum { FIELDS_MAX = 64, FIELDS_UUIDS_MAX = 4, FIELDS_ASIDES_MAX = 4 };

/* At most FIELDS_MAX in all; FORM_UUID ones stand first in table. Fields are numbered through both
 * tables. What the object says itself wins over what its nested member says. */
struct fields {
    enum row_kind kind;
    const struct field *table;
    uint32_t count;
    const struct field *nested; /* members of the one FORM_NESTED field; NULL when there is none */
    uint32_t nested_count;
};

/* What is wrong with a record. */
struct fault {
    const char *reason; /* static; for people, without payload */
    uint32_t field;
    uint32_t index; /* of the element; FIELDS_NO_INDEX: the value as a whole */
};

/* A row being read. Its texts borrow from the JSON text, the arena and this struct. */
struct fields_row {
    struct row row;
    struct slice asides[FIELDS_ASIDES_MAX]; /* empty: absent */
    uint64_t _faulty;                       /* bit i: field i is wrong, see _faults[i] */
    struct fault _faults[FIELDS_MAX];
    uint8_t _owners[ROW_COLUMNS_MAX]; /* of a present column: the field that set it */
    char _uuids[FIELDS_UUIDS_MAX][UUID_TEXT_SIZE + 1];
};

/*
 * Reads the object that comes next. False: what stands there is no object (it is passed), or the
 * reader failed. What is wrong with single members is asked for afterwards; of a lenient reader
 * that includes the bounds that they break.
 */
bool fields_read(const struct fields *fields, struct json_reader *reader, struct arena *arena,
                 struct fields_row *out);

/* True: the row is good. Else fault is the first wrong field in the order of the table, or the first
 * rule of validate_row that is broken. */
bool fields_check(const struct fields *fields, const struct fields_row *row, struct arena *arena,
                  struct fault *fault);

/* Appends the way to a fault inside the record: "startTime", "tags[3]", "usage.input". */
void fields_fault_path(const struct fields *fields, const struct fault *fault, struct buf *out);

/* The record is refused for it. */
void fields_refuse(struct collect *out, uint32_t record, const struct fields *fields,
                   const struct fault *fault);

enum presence { ABSENT, MALFORMED, PRESENT };

/* A member of the body that is a list of records. */
struct fields_list {
    enum presence presence;
    uint32_t count; /* elements read */
};

/*
 * Reads the value that comes next; null counts as absent, and what is no array is passed. read passes
 * exactly one element. False: there are more than max, and the rest was not read.
 */
bool fields_read_list(struct fields_list *list, struct json_reader *reader, uint32_t max,
                      void (*read)(void *context, uint32_t index), void *context);

/* A body that is {"member": [record, ...]} and whatever else. */
struct fields_body {
    const char *member;
    uint32_t max;
    void (*reset)(void *context); /* the member comes, perhaps again: the last one counts */
    void (*read)(void *context, uint32_t index);
    void *context;
};

MUST_CHECK enum err fields_read_body(const struct fields_body *body, struct json_reader *reader,
                                     struct fields_list *list, struct error *error);

/* Returns ERR_TOO_LARGE, with its words: fields_read_list was false. */
enum err fields_too_many(uint32_t max, struct error *error);
