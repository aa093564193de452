#include "net/curl_library.h"

#include "net/library.h"

#include <pthread.h>
#include <string.h>

static const char file_name[] = "libcurl.so.4";

struct rf_curl_library rf_curl;

static char problem[256]; /* why it could not be loaded; empty: it was */

static void load(void)
{
    static const char *const names[] = {
#define NAME(name) "curl_" #name,
        RF_CURL_LIBRARY(NAME)
#undef NAME
    };
    enum { COUNT = sizeof names / sizeof *names };
    void *addresses[COUNT];
    _Static_assert(sizeof addresses == sizeof rf_curl, "pointers to functions are as others");
    if (rf_library_load(file_name, names, COUNT, addresses, problem, sizeof problem)) {
        memcpy(&rf_curl, addresses, sizeof rf_curl);
        rf_curl.global_init(CURL_GLOBAL_DEFAULT);
    }
}

enum rf_status rf_curl_library_load(struct rf_error *err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, load);
    if (problem[0] == '\0') {
        return RF_OK;
    }
    rf_fail(err, RF_CONFIG, "%s cannot be loaded: %s", file_name, problem);
    rf_error_hint(err, "install libcurl, 7.85 or later; on Debian, libcurl4. --runtime native "
                       "does without");
    return RF_CONFIG;
}
