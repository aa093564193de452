/* Endpoints: from an address on the command line to what the pipeline needs of a source or a sink.
 *
 * Used by the commands that start a pipeline. An endpoint has two names. The *display* is for
 * people: "mysql://cdc@db.example:3306/shop.*", never with a password or an option. The *key* is
 * under which positions are kept: "redis://127.0.0.1:6379/0", without the user and with what was
 * left out filled in, a file's path made absolute; so that another spelling, user or option keeps
 * its place.
 *
 * Of a source's key the path is a part only when the source is a file: a server's path says which
 * tables, and another choice of tables is no other source. */
#ifndef ROWFERRY_CONFIG_ENDPOINT_H
#define ROWFERRY_CONFIG_ENDPOINT_H

#include "config/url.h"
#include "engine/registry.h"

enum { RF_ENDPOINT_SETTINGS_MAX = 2 * RF_URL_SETTINGS_MAX, RF_ENDPOINT_SETS_MAX = 16 };

/* Zeroed is empty and valid. */
struct rf_endpoint {
    struct rf_url url;
    struct rf_setting settings[RF_ENDPOINT_SETTINGS_MAX];
    uint32_t count;
    const char *display;
    const char *key;
    bool is_file; /* its plugin has no host: there is nothing to connect to */
    /* the sink or a transform found its options wrong: the message may show their values */
    bool refused;
    struct rf_arena memory;
};

/* Reads the address and what was said beside it (of a configuration file; none is fine), and checks
 * everything that can be checked without contacting anybody. The spec borrows from the endpoint and
 * from `beside`. Returns RF_OK; RF_CONFIG: the message says what, never a secret.
 *
 * A secret that was not said is looked for as rf_options_check says, and then in
 * $CREDENTIALS_DIRECTORY/<scheme>-<option>, such as "redis-password"; a transform's in
 * <transform>-<option>. */
RF_USE_RESULT enum rf_status rf_endpoint_source(struct rf_endpoint *endpoint, const char *text,
                                                struct rf_settings beside,
                                                struct rf_source_spec *spec, struct rf_error *err);
/* format: of a sink that takes one and names none; NULL: its own choice. */
RF_USE_RESULT enum rf_status rf_endpoint_sink(struct rf_endpoint *endpoint, const char *text,
                                              const char *format, struct rf_settings beside,
                                              struct rf_sink_spec *spec, struct rf_error *err);

/* What the transforms that these settings of a sink ask for find wrong with them, by themselves.
 * Returns RF_OK or RF_CONFIG. */
RF_USE_RESULT enum rf_status rf_endpoint_check_transforms(struct rf_settings settings,
                                                          struct rf_error *err);

/* The option tables of what an address names. */
struct rf_endpoint_sets {
    struct rf_option_set items[RF_ENDPOINT_SETS_MAX];
    uint32_t count;
};
/* Returns RF_OK; RF_CONFIG: not an address, or nothing of that name. */
RF_USE_RESULT enum rf_status rf_endpoint_source_sets(const char *text, struct rf_endpoint_sets *out,
                                                     struct rf_error *err);
/* format: chosen beside the address, else the one in it or the sink's own counts; NULL: none. One
 * that does not exist has no table, and is for rf_endpoint_sink to refuse. */
RF_USE_RESULT enum rf_status rf_endpoint_sink_sets(const char *text, const char *format,
                                                   struct rf_endpoint_sets *out,
                                                   struct rf_error *err);

/* The name of a pipeline that was given none: the scheme and a hash of the source's key, such as
 * "mysql-3f9a1c2b". Stays the same for ever. Appends. */
void rf_endpoint_pipeline_name(const struct rf_endpoint *source, struct rf_buf *out);

void rf_endpoint_deinit(struct rf_endpoint *endpoint);

#endif
