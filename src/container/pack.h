/* What a server in an engine's container is given besides its image.
 *
 * A type fills it, the runtimes of engines use it. Files lie in RF_PACK_DIRECTORY inside; they may
 * hold secrets, so no password stands in a command or in the environment, where everybody sees it
 * who may look at the container. Thread: one per pack. */
#ifndef ROWFERRY_CONTAINER_PACK_H
#define ROWFERRY_CONTAINER_PACK_H

#include "base/process.h"

#define RF_PACK_DIRECTORY "/rowferry"

enum { RF_PACK_FILES_MAX = 4 };

struct rf_pack_file {
    const char *name; /* "redis.conf" */
    unsigned mode;
    unsigned user; /* inside; who the image's server runs as, or 0 */
    struct rf_buf text;
};

/* Zeroed is empty. */
struct rf_pack {
    struct rf_words command;     /* none: the image's own */
    struct rf_words environment; /* "NAME=value" */
    struct rf_pack_file files[RF_PACK_FILES_MAX];
    uint32_t file_count;
};

/* Another file; its text is the caller's to fill. At most RF_PACK_FILES_MAX. */
struct rf_buf *rf_pack_file(struct rf_pack *pack, const char *name, unsigned mode, unsigned user);
/* What was secret is overwritten. */
void rf_pack_deinit(struct rf_pack *pack);

#endif
