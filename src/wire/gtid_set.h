/* MySQL's global transaction ids, and the sets that positions are made of.
 *
 * A GTID names one transaction: the UUID of the server that committed it first, perhaps a tag that
 * its user gave, and a number, "3e11fa47-71ca-11e1-9e33-c80aa9429562:23" or "UUID:tag:23". A set
 * says which transactions are meant, as intervals: "UUID:1-7:9-10:tag:1-3,UUID:5". It can have
 * holes, and a hole is a transaction that is not there: nothing here ever rounds one up.
 *
 * Used by the sources. MariaDB's GTIDs are another thing, see gtid.h.
 *
 * Source: MySQL Reference Manual, "GTID Format and Storage", "GTID Sets". */
#ifndef ROWFERRY_WIRE_GTID_SET_H
#define ROWFERRY_WIRE_GTID_SET_H

#include <rowferry/str.h>

enum {
    RF_UUID_SIZE = 16,
    RF_UUID_TEXT_SIZE = 36,
    RF_GTID_TAG_MAX = 32, /* letters, digits and _, the first no digit; letters become small */
    /* Bytes of the longest GTID as text. */
    RF_MYSQL_GTID_TEXT_MAX = RF_UUID_TEXT_SIZE + 1 + RF_GTID_TAG_MAX + 1 + 19,
};

/* The highest number that a transaction can have. */
#define RF_GTID_NUMBER_MAX ((uint64_t)INT64_MAX - 1)

struct rf_uuid {
    uint8_t bytes[RF_UUID_SIZE];
};
/* "3e11fa47-71ca-11e1-9e33-c80aa9429562", letters of either case; false for anything else, *uuid
 * untouched. */
bool rf_uuid_parse(struct rf_str text, struct rf_uuid *uuid);
/* Appends it, letters small. */
void rf_uuid_print(struct rf_buf *out, const struct rf_uuid *uuid);
bool rf_uuid_equal(const struct rf_uuid *a, const struct rf_uuid *b);

/* Who numbers: a server and a tag. */
struct rf_gtid_origin {
    struct rf_uuid uuid;
    uint8_t tag_size; /* 0: none */
    char tag[RF_GTID_TAG_MAX];
};
/* False when it cannot be a tag, *origin untouched. Large letters become small. */
bool rf_gtid_origin_tag(struct rf_gtid_origin *origin, struct rf_str tag);

struct rf_mysql_gtid {
    struct rf_gtid_origin origin;
    uint64_t number; /* from 1 */
};
/* "UUID:42" or "UUID:tag:42", nothing in front or behind; false for anything else, *gtid
 * untouched. */
bool rf_mysql_gtid_parse(struct rf_str text, struct rf_mysql_gtid *gtid);
void rf_mysql_gtid_print(struct rf_buf *out, const struct rf_mysql_gtid *gtid);
bool rf_mysql_gtid_equal(const struct rf_mysql_gtid *a, const struct rf_mysql_gtid *b);

struct rf_gtid_interval {
    uint64_t first;
    uint64_t last; /* itself included */
};
/* What the set has of one origin: at least one interval, ascending, no two of them adjacent. */
struct rf_gtid_run {
    struct rf_gtid_origin origin;
    struct rf_gtid_interval *items;
    uint32_t count;
    uint32_t capacity;
};
/* Zeroed is empty and valid. Sorted by UUID, then tag, those without one first. Two sets of the
 * same transactions are the same, in memory and as text. Thread: the owner's. */
struct rf_gtid_set {
    struct rf_gtid_run *items;
    uint32_t count;
    uint32_t capacity; /* those from `count` on keep their intervals' memory */
    uint32_t recent;   /* where the last one was added: where the next one will be */
};

/* Replaces the set by the text's. Blanks and newlines around each part are accepted, and so is the
 * empty text. Returns RF_OK; RF_CONFIG with the piece that is no GTID set, the set untouched. */
RF_USE_RESULT enum rf_status rf_gtid_set_parse(struct rf_gtid_set *set, struct rf_str text,
                                               struct rf_error *err);
/* Appends it as a server does, on one line; nothing for the empty set. */
void rf_gtid_set_print(struct rf_buf *out, const struct rf_gtid_set *set);

/* Adds one transaction; false when it was there already. */
bool rf_gtid_set_add(struct rf_gtid_set *set, const struct rf_mysql_gtid *gtid);
bool rf_gtid_set_has(const struct rf_gtid_set *set, const struct rf_mysql_gtid *gtid);
/* True when every transaction of `other` is in the set. */
bool rf_gtid_set_contains(const struct rf_gtid_set *set, const struct rf_gtid_set *other);
/* Adds all of `other`. */
void rf_gtid_set_unite(struct rf_gtid_set *set, const struct rf_gtid_set *other);
/* Takes all of `other` out. */
void rf_gtid_set_subtract(struct rf_gtid_set *set, const struct rf_gtid_set *other);
void rf_gtid_set_copy(struct rf_gtid_set *set, const struct rf_gtid_set *other);
/* Empties it and keeps the memory. */
void rf_gtid_set_reset(struct rf_gtid_set *set);
void rf_gtid_set_deinit(struct rf_gtid_set *set);

/* The set as bytes: what COM_BINLOG_DUMP_GTID takes, and the body of a PREVIOUS_GTIDS event (35),
 * which says what lies before its file.
 *
 *   offset size
 *        0    8  n, the number of origins. With tags: n << 8, and the bytes 0 and 7 are 1
 *        8   16  UUID
 *        .  1+t  with tags only: t << 1, then the tag's t bytes
 *        .    8  m, the number of intervals
 *        .   16  m times: first number (8), last one plus 1 (8); ascending
 *                ... and so on for each origin
 *
 * A set without tags is written in the form without tags, which is all that servers before 8.3
 * understand.
 * Source: MySQL, sql/rpl_gtid_set.cc, Gtid_set::encode; "COM_BINLOG_DUMP_GTID"; libs/mysql/gtid. */
void rf_gtid_set_encode(struct rf_buf *out, const struct rf_gtid_set *set);
/* Replaces the set. Returns RF_OK; RF_FATAL (damage), the set untouched. */
RF_USE_RESULT enum rf_status rf_gtid_set_decode(struct rf_gtid_set *set, struct rf_str body,
                                                struct rf_error *err);

#endif
