/* The part of a large transaction that does not stay in memory: a file without a name.
 *
 * Used by records.c alone. Blocks of bytes go in at the end and are read back in order, each with a
 * number and a sum, so that a bad disk ends in an error and never in another row. The file belongs
 * to nobody else: it has mode 0600, no name from the beginning (O_TMPFILE) or from right after its
 * creation, and is gone with its descriptor, however the process ends. It is never synced: after a
 * crash the source is read again. Knows nothing of what the blocks hold.
 *
 * A block in the file, numbers as the machine has them:
 *
 *   offset size
 *        0    8  its number, from 0
 *        8    8  n: bytes behind the head
 *       16    8  sum of these bytes
 *       24    8  sum of the 24 bytes above
 *       32    n  the bytes
 *
 * Errors are RF_RETRY, also those of reading back: nothing that was not read well is handed over,
 * and the source has it all still, so reading it anew is safe, however often it is repeated. Each
 * try is said, and the pause between two grows. */
#ifndef ROWFERRY_SOURCE_SPILL_H
#define ROWFERRY_SOURCE_SPILL_H

#include <rowferry/str.h>
#include <sys/uio.h>

enum {
    RF_SPILL_PARTS_MAX = 8,   /* of one block */
    RF_SPILL_BLOCKS_MAX = 64, /* in one write */
};

struct rf_spill_head {
    uint64_t number;
    uint64_t size;
    uint64_t sum;
    uint64_t head_sum;
};

/* Zeroed is closed and valid. Thread: the owner's. */
struct rf_spill {
    const char *directory; /* the owner's, before the first write; NULL: $TMPDIR, else /var/tmp */
    int file;              /* descriptor plus 1; 0: closed */
    uint64_t size;         /* of the file */
    uint64_t written;      /* blocks */
    uint64_t read;         /* blocks */
    uint64_t read_at;      /* where the block behind those begins */
    bool peeked;           /* `head` is that block's */
    struct rf_spill_head head;
};

/* The directory that is meant. Valid as long as the environment stays as it is. */
const char *rf_spill_directory(const struct rf_spill *spill);

/* One block to write: parts one behind the other. */
struct rf_spill_block {
    const struct iovec *parts;
    uint32_t count;
};
/* Adds blocks behind the last, RF_SPILL_BLOCKS_MAX at most, in one write where the system does it
 * so. Opens the file when it is closed. Returns RF_OK; RF_RETRY (no room, no such directory, ...:
 * with what to do): only close is of use then. */
RF_USE_RESULT enum rf_status rf_spill_write(struct rf_spill *spill,
                                            const struct rf_spill_block *blocks, uint32_t count,
                                            struct rf_error *err);

/* True when blocks are left to be read. */
static inline bool rf_spill_left(const struct rf_spill *spill)
{
    return spill->read < spill->written;
}
/* The size of the next block to be read; there is one. Returns RF_OK; RF_RETRY (damage, or it
 * cannot be read). */
RF_USE_RESULT enum rf_status rf_spill_peek(struct rf_spill *spill, size_t *size,
                                           struct rf_error *err);
/* After rf_spill_peek: reads the block's bytes to `data`, which has room for them, and goes on to
 * the block behind it. Returns as above. */
RF_USE_RESULT enum rf_status rf_spill_read(struct rf_spill *spill, void *data,
                                           struct rf_error *err);
/* After rf_spill_peek: goes on without them. */
void rf_spill_skip(struct rf_spill *spill);
/* Drops the next block to be read and all behind it; those before it are to be read again from the
 * first on. Returns RF_OK; RF_RETRY. */
RF_USE_RESULT enum rf_status rf_spill_cut(struct rf_spill *spill, struct rf_error *err);

/* Closes it: the room on the disk is free again. Accepts a closed one. Keeps `directory`. */
void rf_spill_close(struct rf_spill *spill);

#endif
