/* The sink `mongodb`, as its own files see it. What it makes of changes is told in mongodb.c.
 *
 *     mongodb.c           the plugin: options, opening, flushing
 *     mongodb_place.c     the document of the position: whose it is, and where it stands
 *     mongodb_fence.c     an earlier connection's writes must have ended
 *     mongodb_command.c   commands on our own documents
 *     mongodb_tables.c    which collection a table fills
 *     mongodb_records.c   whose a collection is
 *     mongodb_loop.c      that no pipeline feeds itself
 *     mongodb_rows.c      rows to changes of documents, of which one waits for each _id
 *     mongodb_documents.c documents of collections to the same
 *     mongodb_bulk.c      changes to commands, and what the server says of them
 *     mongodb_examine.c   what doctor looks at
 *
 * All of it belongs to the sink's thread. */
#ifndef ROWFERRY_SINK_MONGODB_SINK_H
#define ROWFERRY_SINK_MONGODB_SINK_H

#include "base/map.h"
#include "event/template.h"
#include "net/mongo.h"
#include "sink/window.h"
#include "wire/bson.h"

#include <rowferry/batch.h>
#include <rowferry/source.h>

#define RF_MONGODB_OWN       "rowferry"  /* our database */
#define RF_MONGODB_POSITIONS "positions" /* its collections */
#define RF_MONGODB_TABLES    "tables"

enum {
    RF_MONGODB_BULK_MOST = 1000,     /* changes in one command */
    RF_MONGODB_BULK_BYTES = 8 << 20, /* with so many a command is sent */
    RF_MONGODB_OWNER_SIZE = 32,
    RF_MONGODB_NAME_SIZE = 129,
};

/* A table, as this sink writes it. */
struct rf_mongodb_table {
    struct rf_map_entry entry;
    struct rf_buf name;       /* "DB.T", with a 0 in place of the point: no name holds one */
    struct rf_buf database;   /* where its rows go; terminated */
    struct rf_buf collection; /* terminated */
    struct rf_buf space;      /* "database.collection", terminated, for messages */
    bool claimed;             /* that collection is recorded as this table's */
    uint32_t number;
    struct rf_table *table; /* the version that the rest is about, one reference; NULL: unseen */
    struct rf_bson_fields key;
    struct rf_bson_fields fields; /* all columns but one that is the _id by its own name */

    /* While a window is sent: its changes, as numbers from 1. */
    struct rf_mongodb_table *next_waiting;
    uint32_t first, last, deletes, puts;
};

/* What is to become of one document; waits in the window. */
struct rf_mongodb_change {
    struct rf_mongodb_table *table;
    const struct rf_event *event; /* the last of those that it is made of */
    const struct rf_value *image; /* what to write; NULL: the document goes */
    const struct rf_value *other; /* where to take what image does not tell from; may be NULL */
    uint64_t bytes;               /* of what is to be written, about */
    uint64_t order;               /* grows with each event */
    uint32_t next;                /* of the same table, from 1; while it is sent */
};

/* The command that is being written. */
struct rf_mongodb_bulk {
    struct rf_mongodb_table *table;
    bool deletes;
    struct rf_buf out;
    size_t command, array; /* where they begin */
    uint32_t count;
    const struct rf_mongodb_change *changes[RF_MONGODB_BULK_MOST];
    /* the earliest change that the server refused for good, with why; event NULL: none */
    struct rf_error refused;
    const struct rf_event *refused_event;
    uint64_t refused_order;
};

struct rf_mongodb_sink {
    const char *host, *path, *user, *password, *auth_source, *replica_set;
    const char *tls_ca, *tls_cert, *tls_key;
    const char *database, *collection, *w;
    struct rf_list members;
    int64_t port, timeout_ms;
    int32_t tls, dates;
    bool tls_verify, fold, adopt;
    bool adopts; /* option or start: what is there already is taken over */
    bool looks_only;

    struct rf_mongo mongo;
    char name[RF_MONGODB_NAME_SIZE]; /* of our connections, the same at each start */
    char owner[RF_MONGODB_OWNER_SIZE + 1];
    uint64_t epoch;
    const char *pipeline, *instance; /* borrowed from the context */
    struct rf_buf concern;           /* the document of the write concern of rows */
    struct rf_buf safe;              /* that of positions and records */
    struct rf_buf position;          /* as it stands in MongoDB */
    bool compared, same;             /* with the deployment that is captured; it is that one */

    struct rf_template database_template, collection_template;
    struct rf_map tables;
    uint32_t table_count;
    struct rf_mongodb_table *last; /* the table of the row before */
    struct rf_window window;       /* of struct rf_mongodb_change */
    uint64_t order;                /* of the last event */
    struct rf_mongodb_bulk bulk;
    struct rf_buf key, old_key; /* of a row: the table's number, then the element _id */
    struct rf_buf text, command;
};

/* ---- mongodb_command.c */

/* A document that lies in a buffer, as libbson wants it; valid until the buffer changes, and not to
 * be copied: it points into itself. */
void rf_mongodb_static(const struct rf_buf *buf, bson_t *out);
/* Begins a command of ours in sink->command, on that collection; ends and carries it out.
 * Returns as rf_mongo_run; a refusal of the document itself is RF_FATAL, since nobody but us made
 * it. */
size_t rf_mongodb_begin(struct rf_mongodb_sink *sink, const char *command, const char *collection);
RF_USE_RESULT enum rf_status rf_mongodb_end(struct rf_mongodb_sink *sink, size_t begin,
                                            const char *database, bson_t *reply,
                                            struct rf_error *err);
/* The number of that name in a reply, 0 without one. */
int64_t rf_mongodb_number(const bson_t *reply, const char *name);
/* True when the reply has a write error of that code. */
bool rf_mongodb_has_error(const bson_t *reply, int code);

/* Where a command's parts begin, while it is written. */
struct rf_mongodb_frame {
    size_t command, array, item, part;
};

/* A find of one document of a collection: what is added to sink->command after the first is its
 * filter, the second carries it out. *document then stands on it, within the reply, when *found,
 * which is set in any case. The reply is always the caller's to destroy. Returns as rf_mongodb_end;
 * RF_RETRY: that is no answer to a find. */
void rf_mongodb_find_begin(struct rf_mongodb_sink *sink, const char *collection,
                           struct rf_mongodb_frame *frame);
RF_USE_RESULT enum rf_status rf_mongodb_find_end(struct rf_mongodb_sink *sink,
                                                 const struct rf_mongodb_frame *frame,
                                                 const char *database, bson_t *reply,
                                                 bson_iter_t *document, bool *found,
                                                 struct rf_error *err);
/* An update of one document of ours, confirmed by a majority: after the first its filter is added,
 * after the second what it becomes, the third carries it out. Returns as rf_mongodb_end. */
void rf_mongodb_update_begin(struct rf_mongodb_sink *sink, const char *collection,
                             struct rf_mongodb_frame *frame);
void rf_mongodb_update_with(struct rf_mongodb_sink *sink, struct rf_mongodb_frame *frame);
RF_USE_RESULT enum rf_status rf_mongodb_update_end(struct rf_mongodb_sink *sink,
                                                   const struct rf_mongodb_frame *frame,
                                                   bool upsert, bson_t *reply,
                                                   struct rf_error *err);

/* ---- mongodb_place.c */

/* Reads the document and takes it: from here on it is ours. Returns RF_OK; RF_RETRY; RF_CONFIG;
 * RF_FATAL: it is another's, or gone although we have been here. */
RF_USE_RESULT enum rf_status rf_mongodb_place_take(struct rf_mongodb_sink *sink,
                                                   const struct rf_context *ctx,
                                                   struct rf_error *err);
/* Looks whether the document is still ours. Returns as rf_mongodb_place_write. */
RF_USE_RESULT enum rf_status rf_mongodb_place_check(struct rf_mongodb_sink *sink,
                                                    struct rf_error *err);
/* Writes the position, as long as the document is ours. Returns RF_OK: it is durable; RF_RETRY;
 * RF_CONFIG; RF_FATAL: another has taken it, or it is gone. */
RF_USE_RESULT enum rf_status rf_mongodb_place_write(struct rf_mongodb_sink *sink,
                                                    struct rf_str position, struct rf_error *err);

/* ---- mongodb_fence.c */

/* What this pipeline is called among the server's connections, in sink->name. */
void rf_mongodb_fence_name(struct rf_mongodb_sink *sink, const struct rf_context *ctx);
/* Looks for connections of the same name besides ours; what they are at is ended. Returns RF_OK:
 * there are none, or the server does not tell; RF_RETRY: there are still. */
RF_USE_RESULT enum rf_status rf_mongodb_fence_wait(struct rf_mongodb_sink *sink,
                                                   struct rf_error *err);

/* ---- mongodb_tables.c */

/* Reads the templates. Returns RF_OK; RF_CONFIG. */
RF_USE_RESULT enum rf_status rf_mongodb_tables_parse(struct rf_mongodb_sink *sink,
                                                     struct rf_error *err);
/* The one of these names at the source, which may be new, with its collection. Returns RF_OK;
 * RF_CONFIG: the templates make no name of them. */
RF_USE_RESULT enum rf_status rf_mongodb_table_get(struct rf_mongodb_sink *sink,
                                                  struct rf_str database, struct rf_str name,
                                                  struct rf_mongodb_table **out,
                                                  struct rf_error *err);
/* The one of this version, its collection recorded as its own. May send the window. Returns RF_OK;
 * RF_RETRY; RF_CONFIG: it has no key, its names do not fit, or the collection is another's. */
RF_USE_RESULT enum rf_status rf_mongodb_table_bind(struct rf_mongodb_sink *sink,
                                                   const struct rf_table *table,
                                                   struct rf_mongodb_table **out,
                                                   struct rf_error *err);
/* Of the table that a TRUNCATE names; *out is NULL when this pipeline has written no row of it.
 * Returns RF_OK; RF_CONFIG. */
RF_USE_RESULT enum rf_status rf_mongodb_table_of(struct rf_mongodb_sink *sink,
                                                 struct rf_str database, struct rf_str table,
                                                 struct rf_mongodb_table **out,
                                                 struct rf_error *err);
/* Looks whether rows of the table of these names could go where they would. Writes nothing. Returns
 * RF_OK; RF_CONFIG: not before something is changed; RF_RETRY. */
RF_USE_RESULT enum rf_status rf_mongodb_table_examine(struct rf_mongodb_sink *sink,
                                                      struct rf_str database, struct rf_str name,
                                                      struct rf_mongodb_table **out,
                                                      struct rf_error *err);
void rf_mongodb_tables_deinit(struct rf_mongodb_sink *sink);

/* ---- mongodb_loop.c */

/* Looks whether documents of that table would come back as changes of the same pipeline. Returns
 * RF_OK, also where nobody can tell, with a warning; RF_CONFIG: they would; RF_RETRY. */
RF_USE_RESULT enum rf_status rf_mongodb_loop_check(struct rf_mongodb_sink *sink,
                                                   const struct rf_mongodb_table *target,
                                                   const struct rf_table *table,
                                                   struct rf_error *err);

/* ---- mongodb_records.c */

/* Reads the records of this pipeline and sink, and sets `claimed` of their tables; makes those of
 * earlier versions anew, but for who looks only. Returns as rf_mongodb_end. */
RF_USE_RESULT enum rf_status rf_mongodb_records_read(struct rf_mongodb_sink *sink,
                                                     struct rf_error *err);
/* Looks whether the table may fill its collection. Returns RF_OK; RF_CONFIG: another fills it, or
 * somebody has filled it; else as rf_mongodb_end. */
RF_USE_RESULT enum rf_status rf_mongodb_record_judge(struct rf_mongodb_sink *sink,
                                                     const struct rf_mongodb_table *table,
                                                     struct rf_error *err);
/* Records the table's collection as its own, and sets `claimed`. Returns RF_OK: that is durable;
 * RF_CONFIG: another fills it, or somebody has filled it, and sink->adopts is not set; else as
 * rf_mongodb_end. */
RF_USE_RESULT enum rf_status rf_mongodb_record_claim(struct rf_mongodb_sink *sink,
                                                     struct rf_mongodb_table *table,
                                                     struct rf_error *err);
/* Looks whether it still is, before all of its documents go. Returns RF_OK; RF_CONFIG: another has
 * adopted it, or the record is gone; else as rf_mongodb_end. */
RF_USE_RESULT enum rf_status rf_mongodb_record_check(struct rf_mongodb_sink *sink,
                                                     struct rf_mongodb_table *table,
                                                     struct rf_error *err);

/* ---- mongodb_rows.c */

/* Takes a change of one row in; it may be sent now or later. Returns as a sink's write. */
RF_USE_RESULT enum rf_status rf_mongodb_row_put(struct rf_mongodb_sink *sink,
                                                const struct rf_event *event, struct rf_error *err);

/* Lets a change wait under its key, the table's number and the element _id; what waits may be sent.
 * Returns as a sink's write. */
RF_USE_RESULT enum rf_status rf_mongodb_change_put(struct rf_mongodb_sink *sink,
                                                   const struct rf_buf *key,
                                                   const struct rf_mongodb_change *newer,
                                                   struct rf_error *err);

/* ---- mongodb_documents.c */

/* Takes a change of one document of a collection in, as rf_mongodb_row_put. */
RF_USE_RESULT enum rf_status rf_mongodb_document_put(struct rf_mongodb_sink *sink,
                                                     struct rf_mongodb_table *target,
                                                     const struct rf_event *event,
                                                     struct rf_error *err);

/* ---- mongodb_examine.c */

/* Who we are there, and what we lack to write what is to be written. */
void rf_mongodb_examine_login(struct rf_mongodb_sink *sink, const struct rf_context *ctx,
                              struct rf_findings *findings);
void rf_mongodb_examine_set(const struct rf_mongodb_sink *sink, struct rf_findings *findings);
/* Whether the collections that rows would go to are free for them. Returns RF_OK; RF_RETRY. */
RF_USE_RESULT enum rf_status rf_mongodb_examine_tables(struct rf_mongodb_sink *sink,
                                                       const struct rf_context *ctx,
                                                       struct rf_findings *findings,
                                                       struct rf_error *err);

/* ---- mongodb_bulk.c */

/* Writes all changes that wait. Returns RF_OK: they are as durable as the write concern asks for;
 * else as a sink's write. */
RF_USE_RESULT enum rf_status rf_mongodb_rows_send(struct rf_mongodb_sink *sink,
                                                  struct rf_error *err);
/* Removes all documents of the table's collection. Nothing may wait. Returns as a sink's write. */
RF_USE_RESULT enum rf_status rf_mongodb_truncate(struct rf_mongodb_sink *sink,
                                                 const struct rf_event *event,
                                                 struct rf_error *err);

#endif
