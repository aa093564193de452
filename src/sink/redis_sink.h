/* The sink `redis`, as its own files see it. What it makes of changes is told in redis.c.
 *
 *     redis.c            the plugin: options, opening, flushing
 *     redis_tables.c     what a table's keys look like, and the record of that beside the position
 *     redis_rows.c       rows to changes of keys, and those to commands: hash, string, json
 *     redis_documents.c  documents of collections to the same
 *     redis_truncate.c   TRUNCATE of those
 *     redis_streams.c    as=stream: everything to entries of streams
 *     redis_examine.c    what has to be so of the server
 *
 * All of it belongs to the sink's thread. */
#ifndef ROWFERRY_SINK_REDIS_SINK_H
#define ROWFERRY_SINK_REDIS_SINK_H

#include "base/map.h"
#include "event/template.h"
#include "net/redis_guard.h"
#include "sink/window.h"
#include "wire/bson_row.h"
#include "wire/json.h"

#include <rowferry/sink.h>

#define RF_REDIS_OWN_PREFIX   "rowferry:position:"
#define RF_REDIS_TABLE_FIELD  "table:"
#define RF_REDIS_STREAM_FIELD "stream:"

enum { RF_REDIS_VALUE_MAX = 512 * 1024 * 1024 /* bytes that Redis takes */ };

/* What a window takes. */
enum { RF_REDIS_WINDOW_LEAST = 512, RF_REDIS_WINDOW_KEY_BYTES = 512 };

enum rf_redis_as { RF_REDIS_HASH, RF_REDIS_STRING, RF_REDIS_JSON, RF_REDIS_STREAM };

/* A table, as this sink writes it. */
struct rf_redis_table {
    struct rf_map_entry entry; /* by its name */
    struct rf_buf name;        /* "table:DB:T", the field of its record */
    struct rf_buf record;      /* what is in that field; empty: nothing was written yet */
    struct rf_table *table;    /* the version that the rest is about, one reference; NULL: unseen */
    struct rf_binding key;
    struct rf_binding value;    /* as=string */
    struct rf_bson_row row;     /* of a collection: what the templates ask of a document */
    struct rf_buf heads;        /* as=hash: each column's name as RESP, */
    size_t *head_ends;          /* and where each one ends */
    struct rf_json_names names; /* as=json, as=stream */
    struct rf_json_names key_names;
    bool near_own;                  /* its keys may begin as our own do */
    struct rf_redis_stream *stream; /* as=stream; belongs to the list of streams */
};

/* What is to become of one key; waits in the window. */
struct rf_redis_change {
    struct rf_str key; /* in the window's arena */
    const struct rf_redis_table *table;
    const struct rf_event *event; /* the first of those that it is made of */
    const struct rf_value *image; /* what to write: hash, json; NULL: the key goes, or text */
    struct rf_str text;           /* what to write: string */
    uint64_t bytes;               /* of what is to be written */
    uint32_t set, null;           /* columns or fields with a value, and that are NULL */
    bool untold;                  /* image does not tell all columns */
    bool fresh;                   /* nothing of what is under the key now stays */
    bool puts;                    /* there is something to write */
    bool dropped;                 /* it does not count any more */
};

struct rf_redis_tables {
    struct rf_map names;
    struct rf_redis_table *last; /* the table of the row before */
};

struct rf_redis_sink {
    const char *host, *path, *user, *password, *key, *value;
    const char *tls_ca, *tls_cert, *tls_key;
    int64_t port, timeout_ms, entries_max;
    int32_t as, tls;
    bool tls_verify, fold;

    struct rf_redis_guard guard; /* its key is that of the position */
    struct rf_template key_template, value_template;
    struct rf_template document_template; /* of keys of documents */
    struct rf_buf position;               /* as it stands in Redis */

    struct rf_redis_tables tables;
    struct rf_window window;    /* of struct rf_redis_change */
    const struct rf_view *view; /* what is being written */
    struct rf_buf key_text, old_key_text, text;

    /* as=stream */
    struct rf_redis_stream *streams;
    struct rf_buf entry;    /* the texts of an entry */
    uint64_t stamp;         /* of the last event */
    uint64_t stamp_whole;   /* of the last event of the last transaction that came whole */
    uint64_t stamp_opened;  /* the one beside the position, when it was opened */
    uint64_t picks;         /* as the context has them */
    uint64_t picks_written; /* as they stand beside the position */
    bool stamps_known;      /* there are any beside the position */
};

/* ---- redis.c */

/* Reads the templates, connects and logs in. Returns as rf_redis_connect. */
RF_USE_RESULT enum rf_status rf_redis_sink_connect(struct rf_redis_sink *sink,
                                                   const struct rf_context *ctx,
                                                   struct rf_error *err);

/* ---- redis_examine.c */

/* What the server must be; INFO's answer stays in the guard's reply. Returns RF_OK; RF_RETRY;
 * RF_CONFIG: too old, or a cluster. */
RF_USE_RESULT enum rf_status rf_redis_sink_check(struct rf_redis_sink *sink, struct rf_error *err);
/* The sink's examine. */
RF_USE_RESULT enum rf_status rf_redis_sink_examine(void *state, const struct rf_context *ctx,
                                                   struct rf_findings *findings,
                                                   struct rf_error *err);

/* ---- redis_tables.c */

/* Appends "table:DB:T". */
void rf_redis_table_field(struct rf_buf *out, struct rf_str database, struct rf_str table);
/* NULL: none of that field. */
struct rf_redis_table *rf_redis_table_find(const struct rf_redis_tables *tables,
                                           struct rf_str field);
/* The one behind that one, in no order; of NULL the first. NULL: there is none. */
struct rf_redis_table *rf_redis_table_next(const struct rf_redis_tables *tables,
                                           const struct rf_redis_table *table);
/* The one of that field, which may be new. */
struct rf_redis_table *rf_redis_table_get(struct rf_redis_tables *tables, struct rf_str field);
/* The one of this version, with its record written where that is needed. May send the window.
 * Returns RF_OK; RF_RETRY; RF_CONFIG: the templates do not fit. */
RF_USE_RESULT enum rf_status rf_redis_table_bind(struct rf_redis_sink *sink,
                                                 const struct rf_table *table,
                                                 struct rf_redis_table **out, struct rf_error *err);
/* Of the record "whole PATTERN" or "folds PATTERN": the pattern. */
struct rf_str rf_redis_table_pattern(const struct rf_redis_table *table);
/* "DB:T". */
struct rf_str rf_redis_table_name(const struct rf_redis_table *table);
/* False only when no key can be of both patterns. */
bool rf_redis_patterns_overlap(struct rf_str a, struct rf_str b);
void rf_redis_tables_deinit(struct rf_redis_tables *tables);

/* ---- redis_rows.c */

/* Takes a change of one row in; it may be sent now or later. Returns as a sink's write. */
RF_USE_RESULT enum rf_status rf_redis_row_put(struct rf_redis_sink *sink,
                                              const struct rf_event *event, struct rf_error *err);
/* Turns all changes that wait into commands. Returns as rf_redis_group_push. */
RF_USE_RESULT enum rf_status rf_redis_rows_send(struct rf_redis_sink *sink, struct rf_error *err);
/* The key of an image into an emptied `out`; `event` is what it belongs to. Returns RF_OK;
 * RF_REJECT; RF_CONFIG: it would lie among our own. */
RF_USE_RESULT enum rf_status rf_redis_key_render(const struct rf_redis_table *target,
                                                 const struct rf_event *event,
                                                 const struct rf_value *image,
                                                 const struct rf_value *other, struct rf_buf *out,
                                                 struct rf_error *err);
/* The change of the key in sink->key_text, a new one when none waits; what waits may be sent
 * before. Returns as rf_redis_rows_send. */
RF_USE_RESULT enum rf_status rf_redis_change_get(struct rf_redis_sink *sink,
                                                 const struct rf_redis_table *target,
                                                 const struct rf_event *event,
                                                 struct rf_redis_change **out,
                                                 struct rf_error *err);
/* The key goes, whatever waits for it. Returns as rf_redis_rows_send. */
RF_USE_RESULT enum rf_status rf_redis_change_remove(struct rf_redis_sink *sink,
                                                    const struct rf_redis_table *target,
                                                    const struct rf_event *event,
                                                    struct rf_error *err);
/* Fills err: a value of that size is too large for Redis. Returns RF_REJECT. */
enum rf_status rf_redis_too_large(const struct rf_event *event, uint64_t size,
                                  struct rf_error *err);
/* Appends a row as a JSON object; JSON columns as what they hold. Returns RF_OK; RF_REJECT. */
RF_USE_RESULT enum rf_status rf_redis_row_json(struct rf_buf *out, const struct rf_event *event,
                                               const struct rf_json_names *names,
                                               const struct rf_value *image, struct rf_error *err);

/* ---- redis_documents.c */

/* Binds the templates to a collection. Returns RF_OK; RF_CONFIG. */
RF_USE_RESULT enum rf_status rf_redis_documents_bind(struct rf_redis_sink *sink,
                                                     struct rf_redis_table *target,
                                                     const struct rf_table *table,
                                                     struct rf_error *err);
/* Takes a change of one document in, as rf_redis_row_put. */
RF_USE_RESULT enum rf_status rf_redis_document_put(struct rf_redis_sink *sink,
                                                   struct rf_redis_table *target,
                                                   const struct rf_event *event,
                                                   struct rf_error *err);
/* The commands that put the change's document under its key: as=hash, as=json. */
void rf_redis_document_hash(struct rf_redis_sink *sink, const struct rf_redis_change *change);
void rf_redis_document_json(struct rf_redis_sink *sink, const struct rf_redis_change *change);

/* ---- redis_truncate.c */

/* Removes all keys of the table. Returns as a sink's write. */
RF_USE_RESULT enum rf_status rf_redis_truncate(struct rf_redis_sink *sink,
                                               const struct rf_event *event, struct rf_error *err);

/* ---- redis_streams.c */

/* Refuses a key template that asks for more than the table's names. */
RF_USE_RESULT enum rf_status rf_redis_streams_check(struct rf_redis_sink *sink,
                                                    struct rf_error *err);
/* A field of the position's hash. Returns RF_OK; RF_FATAL: it is damaged. */
RF_USE_RESULT enum rf_status rf_redis_streams_read(struct rf_redis_sink *sink, struct rf_str name,
                                                   struct rf_str value, struct rf_error *err);
/* Makes the stamps ready, behind the reading of the hash and its taking. `anew`: nothing that
 * comes was written before. Returns as rf_redis_group_finish. */
RF_USE_RESULT enum rf_status rf_redis_streams_open(struct rf_redis_sink *sink, bool anew,
                                                   struct rf_error *err);
/* Writes the entry of an event. Returns as a sink's write. */
RF_USE_RESULT enum rf_status rf_redis_streams_put(struct rf_redis_sink *sink,
                                                  const struct rf_event *event,
                                                  struct rf_error *err);
/* Before a position is written: what was passed over is there. Nothing may be under way. Returns
 * RF_OK; RF_FATAL: it is not; RF_RETRY. */
RF_USE_RESULT enum rf_status rf_redis_streams_prove(struct rf_redis_sink *sink,
                                                    struct rf_error *err);
/* What belongs beside the position: so many arguments of a HSET. */
enum { RF_REDIS_STREAMS_ARGUMENTS = 4 };
void rf_redis_streams_add_fields(struct rf_redis_sink *sink);
/* What Redis' refusal of an entry means: RF_FATAL when the stream is not as we left it. */
enum rf_status rf_redis_streams_explain(const struct rf_redis_sink *sink, enum rf_status status,
                                        struct rf_error *err);
void rf_redis_streams_deinit(struct rf_redis_sink *sink);

#endif
