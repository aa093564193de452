/* The parts of the source `mongodb`: what they share. Private to mongodb.c and mongodb_*.c.
 *
 *     mongodb.c          the plugin: options, opening, reading
 *     mongodb_resume.c    positions
 *     mongodb_who.c      which deployment it is
 *     mongodb_seen.c      whether it was set back
 *     mongodb_match.c    what of a stream the server is to send
 *     mongodb_stream.c   the commands of a change stream, and what their errors mean
 *     mongodb_event.c    one change event to one event of a batch
 *     mongodb_examine.c  what `rowferry doctor` says of it */
#ifndef ROWFERRY_SOURCE_MONGODB_H
#define ROWFERRY_SOURCE_MONGODB_H

#include "base/map.h"
#include "net/mongo.h"
#include "source/mongodb_resume.h"
#include "source/pick.h"

#include <rowferry/source.h>

#define RF_MONGODB_SOURCE_OWN "rowferry" /* our database, which is never captured */

/* As the choices of the option `images`. */
enum rf_mongodb_source_images {
    RF_MONGODB_IMAGES_AUTO,
    RF_MONGODB_IMAGES_NONE,
    RF_MONGODB_IMAGES_UPDATE_LOOKUP,
    RF_MONGODB_IMAGES_WHEN_AVAILABLE,
    RF_MONGODB_IMAGES_REQUIRED,
};

struct rf_mongodb_source {
    const char *host, *path, *user, *password, *auth_source, *replica_set;
    const char *tls_ca, *tls_cert, *tls_key;
    struct rf_list members, tables;
    int64_t port, timeout_ms, batch_size;
    int32_t tls, images;
    bool tls_verify;

    struct rf_mongo mongo;
    struct rf_pick pick;
    struct rf_buf database, collection;  /* what is watched; empty: all. Terminated */
    enum rf_mongodb_source_images asked; /* what `images` comes to */

    /* The stream. */
    struct rf_buf command;
    bson_t *reply;                /* of the last command; NULL: none */
    int64_t cursor;               /* 0: closed */
    struct rf_bson_walk walk;     /* over the reply's events that were not taken yet */
    bool walking;                 /* there is such a walk */
    struct rf_str after_batch;    /* postBatchResumeToken of the reply; empty: it has none */
    bool tells_place;             /* some reply had one: this server knows them */
    bool batch_empty;             /* a getMore had no events at all */
    size_t event_bytes;           /* of the last events, about; 0: there were none */
    struct rf_str held;           /* an event that is to be taken first; empty: none */
    uint64_t deployment_clock;    /* the latest time that any answer had; 0: none had one */
    uint64_t clock, clock_before; /* operationTime of the last reply, and of the one before it */
    bool splits;                  /* the server splits large events */
    bool expands;                 /* it was asked for more events, and more in them */
    struct rf_buf parts;          /* of a split event, as far as it was read */
    int32_t part, part_count;     /* the last one, of so many; 0: none is open */
    bool end_told;                /* the last event may end a stream, and is not the end */

    uint32_t picks;        /* of this stream; see mongodb_match.c */
    struct rf_resume past; /* what lies up to there came before; empty: nothing did */

    /* Places. `read` is behind the last event that was taken, `safe` behind the last transaction
     * that ended. */
    struct rf_resume read, safe;
    bool moved; /* safe is not what was handed over last */
    int64_t safe_us;

    /* The transaction that is open: its events are still coming, or may be. */
    bool open;
    bool shown;         /* it has begun, or goes on, in the batch that is being filled */
    bool handed;        /* some of it was put into this batch or an earlier one */
    struct rf_buf id;   /* of it */
    struct rf_buf lsid; /* its session; empty: it has one event only */
    int64_t txn_number;
    int64_t commit_us;
    uint32_t ordinal;

    struct rf_map collections; /* of struct rf_mongodb_source_collection */
    struct rf_error failed;    /* what is to be returned when the batch is empty */
    struct rf_buf text;
};

/* A table that stands for a collection. */
struct rf_mongodb_source_collection {
    struct rf_map_entry entry;
    struct rf_table *table; /* one reference */
    bool picked;
};

/* ---- mongodb.c */

/* Reads the options and connects. Returns RF_OK; RF_RETRY; RF_CONFIG. */
RF_USE_RESULT enum rf_status rf_mongodb_source_connect(struct rf_mongodb_source *state,
                                                       const struct rf_context *ctx,
                                                       struct rf_error *err);

/* ---- mongodb_examine.c */

/* The member `examine` of the source. */
RF_USE_RESULT enum rf_status rf_mongodb_source_examine(void *memory, const struct rf_context *ctx,
                                                       struct rf_findings *findings,
                                                       struct rf_error *err);

/* ---- mongodb_who.c */

/* Finds out which deployment it is, into place->deployment, or, where that is filled in, whether it
 * is that one. Where the deployment does not say, our marker is looked for, and made if `create`.
 * Returns RF_OK; RF_RETRY; RF_CONFIG (no rights); RF_FATAL: it is another one, or its marker is
 * gone. */
RF_USE_RESULT enum rf_status rf_mongodb_source_who(struct rf_mongodb_source *state,
                                                   struct rf_resume *place, struct rf_error *err);

/* The same without a place, and without writing anything: *found is false where only a marker could
 * tell it, which is not there, or may not be read. Returns RF_OK; RF_RETRY. */
RF_USE_RESULT enum rf_status rf_mongodb_source_who_tells(struct rf_mongodb_source *state,
                                                         struct rf_buf *who, bool *found,
                                                         struct rf_error *err);

/* Whether the deployment is where it was at the place, or later, as far as its clock tells. On a
 * sharded cluster that is known once all shards were asked: behind the opening of a stream. Returns
 * RF_OK; RF_FATAL: it was set back. */
RF_USE_RESULT enum rf_status rf_mongodb_source_check_clock(const struct rf_mongodb_source *state,
                                                           const struct rf_resume *place,
                                                           struct rf_error *err);
/* What to do then. */
extern const char rf_mongodb_source_set_back[];
/* Says so when the collection that is watched does not exist yet: a name may be mistyped. */
void rf_mongodb_source_warn(struct rf_mongodb_source *state);

/* ---- mongodb_seen.c */

/* Whether the deployment still has the last event before the place, as far as that can be told.
 * Returns RF_OK; RF_RETRY, RF_CONFIG: the connection broke; RF_FATAL: it was set back. */
RF_USE_RESULT enum rf_status rf_mongodb_source_check_seen(struct rf_mongodb_source *state,
                                                          const struct rf_resume *place,
                                                          struct rf_error *err);

/* ---- mongodb_match.c */

/* True when all that is picked lies in one database, which then is *database, borrowed from it. */
bool rf_mongodb_source_one_database(const struct rf_pick *pick, struct rf_str *database);
/* Appends the stage of that number; false, and nothing, where the stream needs none: it has just
 * what is captured. */
bool rf_mongodb_source_match_add(const struct rf_mongodb_source *state, struct rf_buf *out,
                                 uint32_t number);
/* A number for what the stream has, another one for another stream; never 0. */
uint32_t rf_mongodb_source_picks(const struct rf_mongodb_source *state);

/* ---- mongodb_stream.c */

/* Begins a stream behind state->read; empty: at what the server calls now, and state->read is then
 * where it begins. A place of another stream is begun at by its time: state->past then is what of
 * that time came before. Returns RF_OK; RF_RETRY; RF_CONFIG; RF_FATAL. */
RF_USE_RESULT enum rf_status rf_mongodb_source_stream_open(struct rf_mongodb_source *state,
                                                           struct rf_error *err);
/* The next batch, waiting for at most wait_ms. Returns as open. */
RF_USE_RESULT enum rf_status rf_mongodb_source_stream_more(struct rf_mongodb_source *state,
                                                           int64_t wait_ms, struct rf_error *err);
/* The next event of the batch, whole; valid until the next call. *event is empty: there is none.
 * Returns RF_OK; RF_FATAL: what was sent is no event, or the parts of one do not fit together. */
RF_USE_RESULT enum rf_status rf_mongodb_source_stream_next(struct rf_mongodb_source *state,
                                                           struct rf_str *event,
                                                           struct rf_error *err);
void rf_mongodb_source_stream_close(struct rf_mongodb_source *state);
/* Has the server end a cursor of a stream; 0: none. Without it the server does so later. */
void rf_mongodb_source_end_cursor(struct rf_mongodb_source *state, int64_t cursor);
/* Appends a time of the deployment's clock as an element. */
void rf_mongodb_source_add_time(struct rf_buf *out, const char *name, uint32_t seconds,
                                uint32_t increment);
/* Runs a command that lies in state->command from `begin` on. Returns as rf_mongo_run. */
RF_USE_RESULT enum rf_status rf_mongodb_source_run(struct rf_mongodb_source *state, size_t begin,
                                                   const char *database, bson_t *reply,
                                                   struct rf_error *err);

/* ---- mongodb_event.c */

/* What stands in a change event, borrowed from it, or of the watched collection from the state. */
struct rf_mongodb_source_change {
    struct rf_str whole;
    struct rf_str token, type, database, collection, to_database, to_collection;
    struct rf_str key, document, before, update, lsid;
    bool looked_up, looked_before; /* the document, the pre-image was asked for: it is null */
    int64_t txn_number, wall_us;
    uint32_t seconds, increment;
};

/* Reads one. Returns RF_OK; RF_FATAL: something is missing in it, or of another type. */
RF_USE_RESULT enum rf_status rf_mongodb_source_change_read(const struct rf_mongodb_source *state,
                                                           struct rf_mongodb_source_change *change,
                                                           struct rf_str event,
                                                           struct rf_error *err);
/* True when it changes no document and takes none away: an index, a shard key, a new collection,
 * the end of a transaction. */
bool rf_mongodb_source_change_is_idle(const struct rf_mongodb_source_change *change);
/* True when it is to be handed over; not for an idle one. */
bool rf_mongodb_source_change_is_picked(struct rf_mongodb_source *state,
                                        const struct rf_mongodb_source_change *change);
/* Adds it to the open transaction of the batch; everything is copied into the batch. Returns RF_OK;
 * RF_FATAL: it cannot be carried. */
RF_USE_RESULT enum rf_status rf_mongodb_source_change_add(
    struct rf_mongodb_source *state, struct rf_batch *batch,
    const struct rf_mongodb_source_change *change, struct rf_error *err);
void rf_mongodb_source_collections_deinit(struct rf_mongodb_source *state);

#endif
