/* The sink `cassandra`, as its own files see it. What it makes of changes is told in cassandra.c.
 *
 *     cassandra.c           the plugin: options, opening, flushing
 *     cassandra_place.c     the partition of the position: whose it is, where it stands, its stamps
 *     cassandra_tables.c    which table a source's table fills, and the record of that
 *     cassandra_schema.c    the tables there: what they are, making and widening them
 *     cassandra_columns.c   columns of the source to columns of CQL: which types fit
 *     cassandra_values.c    values of a row to those of CQL
 *     cassandra_rows.c      rows to changes, of which one waits for each key, and those to requests
 *     cassandra_documents.c documents of collections as rows
 *
 * All of it belongs to the sink's thread. */
#ifndef ROWFERRY_SINK_CASSANDRA_SINK_H
#define ROWFERRY_SINK_CASSANDRA_SINK_H

#include "base/map.h"
#include "event/template.h"
#include "net/cql_cluster.h"
#include "sink/window.h"
#include "wire/bson_row.h"

#include <rowferry/batch.h>
#include <rowferry/source.h>

#define RF_CASSANDRA_OWN_PREFIX "rowferry_"
#define RF_CASSANDRA_POSITIONS  "rowferry_positions"

enum {
    RF_CASSANDRA_NAME_MAX = 48, /* of a keyspace and a table */
    RF_CASSANDRA_OWNER_SIZE = 32,
};

/* How a value is written. */
enum rf_cassandra_method {
    RF_CASSANDRA_INTEGER = 1, /* of `size` bytes */
    RF_CASSANDRA_VARINT,
    RF_CASSANDRA_DECIMAL,   /* of a decimal's text, or of a whole number */
    RF_CASSANDRA_FLOATING,  /* of `size` bytes */
    RF_CASSANDRA_BYTES,     /* as they are: texts and blobs */
    RF_CASSANDRA_PRINTED,   /* as a text */
    RF_CASSANDRA_BOOLEAN,   /* of 0 and 1 */
    RF_CASSANDRA_DATE,      /* of a real date */
    RF_CASSANDRA_TIMESTAMP, /* of a real date, with or without a time of the day */
    RF_CASSANDRA_DURATION,
    RF_CASSANDRA_TIME,   /* of a time within a day */
    RF_CASSANDRA_MICROS, /* of a TIME, as a number */
    RF_CASSANDRA_READ,   /* what a template makes, or the value's text, read as one of the type */
};

/* A column of a table there. */
struct rf_cassandra_column {
    struct rf_str name; /* borrowed from the source's table, or from the options */
    struct rf_buf quoted;
    int32_t source; /* number of the column that it is a copy of; -1: made by the template */
    struct rf_binding binding;
    bool key;
    uint8_t method; /* enum rf_cassandra_method */
    uint8_t size;
    uint16_t kind;  /* enum rf_cql_kind */
    uint32_t takes; /* bits of the kinds of values that the method can write: 1 << enum rf_kind */
    bool picky;     /* not every value of them */
};

/* A table of the source, as this sink writes it. */
struct rf_cassandra_table {
    struct rf_map_entry entry;
    struct rf_buf name; /* "DB.T", with a 0 in place of the point: no name holds one */
    uint32_t number;
    struct rf_buf target; /* its table there */
    struct rf_buf path;   /* "keyspace"."target", as a statement has it */
    bool recorded;        /* that table is known to be filled by this one */
    bool recorded_folds;  /* by keys that rows share; as it is recorded */
    uint64_t lift;        /* is added to its stamps: what was there before us is older */

    struct rf_table *table; /* the version that the rest is about, one reference; NULL: unseen */
    const struct rf_table *shown; /* the same, or the rows that its documents are made to */
    struct rf_bson_row row;       /* of a collection */
    struct rf_cassandra_column *columns;
    uint32_t column_count;
    uint32_t *key; /* which of them make the primary key, those of the partition first */
    uint32_t key_count, partition_count;
    bool folds; /* rows share keys: the key is not the whole primary key of the source */
    struct rf_cql_statement insert, remove;
};

/* What is to become of one row there; waits in the window. */
struct rf_cassandra_change {
    struct rf_cassandra_table *table;
    const struct rf_event *event; /* the last of those that it is made of */
    const struct rf_value *image; /* what to write; of a delete, where its key is */
    const struct rf_value *other; /* where to take what image does not tell of the key; or NULL */
    int64_t commit_us;
    uint64_t stamp;
    uint64_t bytes; /* of what is to be written, about */
    bool removes;
    bool nulls; /* what is NULL is to be deleted there: something may be there already */
};

struct rf_cassandra_sink {
    const char *host, *path, *user, *password, *datacenter, *replication;
    const char *tls_ca, *tls_cert, *tls_key;
    const char *table;
    struct rf_list nodes, values, key_names;
    int64_t port, timeout_ms, in_flight, row_bytes_max;
    int32_t tls, consistency, protocol, compression, dates;
    bool tls_verify, fold, adopt, escape;

    struct rf_cql_cluster cluster;
    char owner[RF_CASSANDRA_OWNER_SIZE + 1];
    uint64_t epoch, picks;
    uint64_t row_limit;              /* bytes of a row, at most */
    const char *pipeline, *instance; /* borrowed from the context */
    struct rf_buf keyspace;          /* its name, and as a statement has it */
    struct rf_buf quoted;
    struct rf_buf position; /* as it stands in Cassandra */
    uint64_t stamp;         /* of the last event */
    uint64_t stamp_whole;   /* of the last event of the last transaction that came whole */
    bool seamed;            /* events are missing between what was written and what comes */
    bool adopts;            /* option or start: what is there already is taken over */
    bool ordered;           /* the operator has moved the position */

    struct rf_template table_template;
    struct rf_template *value_templates;
    struct rf_map tables;
    uint32_t table_count;
    struct rf_cassandra_table *last;      /* the table of the row before */
    struct rf_window window;              /* of struct rf_cassandra_change */
    struct rf_arena documents;            /* rows of those that wait or are under way */
    struct rf_cassandra_change *requests; /* under way, by slot */
    const struct rf_view *view;           /* what is being written */
    bool looked;                          /* in this call the owner was looked at */
    /* the earliest change that was refused for good, with why; event NULL: none */
    struct rf_error refused;
    const struct rf_event *refused_event;
    uint64_t refused_stamp;
    struct rf_buf key_text, old_key_text, text, statement;
    struct rf_buf rendered, made; /* what a template makes: its text, and bytes of a type */
};

/* ---- cassandra.c */

/* Adds a name in quotes, as a statement has it. */
void rf_cassandra_add_name(struct rf_buf *out, struct rf_str name);
/* sink->statement with these values, at that consistency; see rf_cql_cluster_ask. Returns RF_OK;
 * RF_RETRY: also when the statement is invalid, as it is for a table that has just gone; RF_CONFIG.
 * */
RF_USE_RESULT enum rf_status rf_cassandra_ask(struct rf_cassandra_sink *sink,
                                              enum rf_cql_consistency consistency,
                                              const struct rf_str *values, uint16_t value_count,
                                              struct rf_cql_result *result, struct rf_error *err);
/* Prepares sink->statement. Returns as rf_cassandra_ask. */
RF_USE_RESULT enum rf_status rf_cassandra_prepare(struct rf_cassandra_sink *sink,
                                                  struct rf_cql_statement *statement,
                                                  struct rf_error *err);
/* Carries out sink->statement, which changes the schema, and waits until all nodes know it.
 * Returns RF_OK; RF_RETRY; RF_CONFIG. */
RF_USE_RESULT enum rf_status rf_cassandra_alter(struct rf_cassandra_sink *sink,
                                                struct rf_error *err);

/* ---- cassandra_place.c */

/* Makes keyspace and table where they are missing, reads the partition, and takes it: from here on
 * it is ours. Returns RF_OK; RF_RETRY; RF_CONFIG; RF_FATAL: it is another's, or gone although we
 * have been here. */
RF_USE_RESULT enum rf_status rf_cassandra_place_take(struct rf_cassandra_sink *sink,
                                                     const struct rf_context *ctx,
                                                     struct rf_error *err);
/* Looks whether the partition is still ours, as far as is known, and has what was written last.
 * Returns as rf_cassandra_place_write; RF_RETRY also when it has another position. */
RF_USE_RESULT enum rf_status rf_cassandra_place_look(struct rf_cassandra_sink *sink,
                                                     struct rf_error *err);
/* The same, beyond doubt. */
RF_USE_RESULT enum rf_status rf_cassandra_place_check(struct rf_cassandra_sink *sink,
                                                      struct rf_error *err);
/* Writes position and stamp, as long as the partition is ours. Returns RF_OK; RF_RETRY; RF_CONFIG;
 * RF_FATAL: another has taken it, or it is gone. */
RF_USE_RESULT enum rf_status rf_cassandra_place_write(struct rf_cassandra_sink *sink,
                                                      struct rf_str position, struct rf_error *err);
/* Records which table there that one fills. Returns as rf_cassandra_place_write. */
RF_USE_RESULT enum rf_status rf_cassandra_place_record(struct rf_cassandra_sink *sink,
                                                       struct rf_cassandra_table *table,
                                                       struct rf_error *err);
/* The highest stamp that any pipeline of this keyspace may have written; *taken: one of them fills
 * the table of that name. Returns RF_OK; RF_RETRY; RF_CONFIG. */
RF_USE_RESULT enum rf_status rf_cassandra_place_others(struct rf_cassandra_sink *sink,
                                                       struct rf_str target, uint64_t *stamp,
                                                       bool *taken, struct rf_error *err);

/* ---- cassandra_tables.c */

/* Reads the templates and what belongs to them. Returns RF_OK; RF_CONFIG. */
RF_USE_RESULT enum rf_status rf_cassandra_tables_parse(struct rf_cassandra_sink *sink,
                                                       struct rf_error *err);
/* The one of these names, which may be new, with its target. Returns RF_OK; RF_CONFIG. */
RF_USE_RESULT enum rf_status rf_cassandra_table_get(struct rf_cassandra_sink *sink,
                                                    struct rf_str database, struct rf_str name,
                                                    struct rf_cassandra_table **out,
                                                    struct rf_error *err);
/* The one of this version, its table there made and recorded as its own. May send the window and
 * wait for it. Returns RF_OK; RF_RETRY; RF_CONFIG; RF_FATAL. */
RF_USE_RESULT enum rf_status rf_cassandra_table_bind(struct rf_cassandra_sink *sink,
                                                     const struct rf_table *table,
                                                     struct rf_cassandra_table **out,
                                                     struct rf_error *err);
/* "DB.T", for messages, in sink->text. */
struct rf_str rf_cassandra_table_source(struct rf_cassandra_sink *sink,
                                        const struct rf_cassandra_table *table);
/* The text of a table as the source names it. */
void rf_cassandra_tables_deinit(struct rf_cassandra_sink *sink);

/* ---- cassandra_schema.c */

/* Makes the table there what table->columns say, and tells how its key is made. *found: it was
 * there already. Returns RF_OK; RF_RETRY; RF_CONFIG: it does not fit; RF_FATAL: it was there once.
 * */
RF_USE_RESULT enum rf_status rf_cassandra_schema_fit(struct rf_cassandra_sink *sink,
                                                     struct rf_cassandra_table *table, bool *found,
                                                     struct rf_error *err);

/* Fills err: the table that was recorded is not there. Returns RF_FATAL. */
enum rf_status rf_cassandra_schema_vanished(const struct rf_cassandra_table *table,
                                            struct rf_error *err);

/* ---- cassandra_columns.c */

/* The columns that rows of this version have there. Returns RF_OK; RF_CONFIG. */
RF_USE_RESULT enum rf_status rf_cassandra_columns_make(struct rf_cassandra_sink *sink,
                                                       struct rf_cassandra_table *table,
                                                       struct rf_error *err);
void rf_cassandra_columns_deinit(struct rf_cassandra_table *table);
/* The name of the type that a column is made with. */
const char *rf_cassandra_column_type(const struct rf_cassandra_sink *sink,
                                     const struct rf_cassandra_table *table,
                                     const struct rf_cassandra_column *column);
/* Decides how values of the column are written to one of that type. Returns RF_OK; RF_CONFIG: the
 * type does not hold all of its values. */
RF_USE_RESULT enum rf_status rf_cassandra_column_fit(struct rf_cassandra_sink *sink,
                                                     const struct rf_cassandra_table *table,
                                                     struct rf_cassandra_column *column,
                                                     enum rf_cql_kind kind, struct rf_error *err);

/* ---- cassandra_values.c */

/* Appends the value of a column as CQL's [value], which rf_cassandra_row_check has said yes to. */
void rf_cassandra_value_add(struct rf_cassandra_sink *sink, struct rf_buf *out,
                            const struct rf_cassandra_change *change,
                            const struct rf_cassandra_column *column);
/* Looks whether all values of a row can be written, and about how many bytes they are. Returns
 * RF_OK; RF_REJECT. */
RF_USE_RESULT enum rf_status rf_cassandra_row_check(struct rf_cassandra_sink *sink,
                                                    struct rf_cassandra_change *change,
                                                    struct rf_error *err);
/* Appends the table's number and the values of the key, in the key's order. Returns RF_OK;
 * RF_REJECT. */
RF_USE_RESULT enum rf_status rf_cassandra_key_add(struct rf_cassandra_sink *sink,
                                                  struct rf_buf *out,
                                                  const struct rf_cassandra_change *change,
                                                  struct rf_error *err);

/* ---- cassandra_documents.c */

/* What the columns ask of the documents of a collection; before they are made. */
void rf_cassandra_documents_show(struct rf_cassandra_sink *sink, struct rf_cassandra_table *table);
/* Gives a change of a document its row; *passes: nothing is to be done for it. May wait for what is
 * under way. Returns as rf_cassandra_rows_finish; RF_CONFIG: the document is not told. */
RF_USE_RESULT enum rf_status rf_cassandra_document_take(struct rf_cassandra_sink *sink,
                                                        struct rf_cassandra_change *change,
                                                        bool *passes, struct rf_error *err);

/* ---- cassandra_rows.c */

/* Takes a change of one row in; it may be sent now or later. Returns as a sink's write. */
RF_USE_RESULT enum rf_status rf_cassandra_row_put(struct rf_cassandra_sink *sink,
                                                  const struct rf_event *event,
                                                  struct rf_error *err);
/* Sends all changes that wait; does not wait for what becomes of them. */
RF_USE_RESULT enum rf_status rf_cassandra_rows_send(struct rf_cassandra_sink *sink,
                                                    struct rf_error *err);
/* The same, and waits. Returns RF_OK: all was carried out; else as a sink's write. */
RF_USE_RESULT enum rf_status rf_cassandra_rows_finish(struct rf_cassandra_sink *sink,
                                                      struct rf_error *err);
/* Removes all rows of the table that the event names. Returns as a sink's write. */
RF_USE_RESULT enum rf_status rf_cassandra_truncate(struct rf_cassandra_sink *sink,
                                                   const struct rf_event *event,
                                                   struct rf_error *err);
/* What the cluster calls: the values of a request, and what has become of it. */
void rf_cassandra_encode(void *argument, uint32_t slot, struct rf_buf *out);
enum rf_status rf_cassandra_done(void *argument, uint32_t slot, const struct rf_cql *cql,
                                 const struct rf_cql_error *error, struct rf_error *err);

#endif
