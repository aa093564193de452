#include "net/mongo_library.h"

#include "net/library.h"

#include <pthread.h>
#include <rowferry/log.h>
#include <stdlib.h>

static const char file_name[] = "libmongoc-1.0.so.0";

struct rf_mongo_library rf_mongoc;

static char problem[256]; /* why it could not be loaded; empty: it was */

/* Its counters are nobody's business. When it is loaded, other threads may look at the environment,
 * so this is said before there are any. */
__attribute__((constructor)) static void keep_counters_private(void)
{
    (void)setenv("MONGOC_DISABLE_SHM", "1", 0);
}

static void take_log(mongoc_log_level_t level, const char *domain, const char *message, void *data)
{
    (void)data;
    if (level <= MONGOC_LOG_LEVEL_INFO) {
        rf_log(RF_LOG_DEBUG, "libmongoc: %s: %s", domain, message);
    }
}

static void load(void)
{
    static const char *const names[] = {
#define NAME(name) "mongoc_" #name,
        RF_MONGO_LIBRARY(NAME)
#undef NAME
    };
    enum { COUNT = sizeof names / sizeof *names };
    void *addresses[COUNT];
    _Static_assert(sizeof addresses == sizeof rf_mongoc, "pointers to functions are as others");
    if (!rf_library_load(file_name, names, COUNT, addresses, problem, sizeof problem)) {
        return;
    }
    memcpy(&rf_mongoc, addresses, sizeof rf_mongoc);
    rf_mongoc.init();
    rf_mongoc.log_set_handler(take_log, NULL);
}

enum rf_status rf_mongo_library_load(struct rf_error *err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, load);
    if (problem[0] == '\0') {
        return RF_OK;
    }
    rf_fail(err, RF_CONFIG, "%s cannot be loaded: %s", file_name, problem);
    rf_error_hint(err, "install libmongoc, 1.17 or later of the 1 series; on Debian, "
                       "libmongoc-1.0-0");
    return RF_CONFIG;
}
