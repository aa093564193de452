/* Addresses: "scheme://user:password@host:port/path?option=value&..." taken apart.
 *
 * Used by config/endpoint, which knows the plugins. This file does not: it knows the form only,
 * reads nothing and asks nobody. What it returns are settings for an option table: `user`,
 * `password`, `host`, `port`, `path`, then the options in the order in which they were given.
 *
 * The forms:
 *     scheme://user:password@host:port/path?option=value    any part but the scheme may be missing
 *     scheme:path?option=value                              a file: `path` keeps its leading slash
 *     -                                                     the same as file:-
 *
 * A host may be an IPv6 address in brackets. Every part may hold %XX; what is decoded is never
 * split again. An empty user, host or path is one that is not there; an empty password is an empty
 * password. */
#ifndef ROWFERRY_CONFIG_URL_H
#define ROWFERRY_CONFIG_URL_H

#include "engine/options.h"

#include <rowferry/arena.h>

enum { RF_URL_BYTES_MAX = 16 * 1024, RF_URL_SETTINGS_MAX = 64 };

/* Zeroed is empty and valid. Everything lies in `memory`. */
struct rf_url {
    const char *scheme; /* lower case */
    bool authority;     /* it had "//" */
    struct rf_setting settings[RF_URL_SETTINGS_MAX];
    uint32_t count;
    struct rf_arena memory;
};

/* Takes text apart; url is empty before. On an error url holds nothing to use and still wants its
 * deinit. No message repeats a part that might be a secret. Returns RF_OK; RF_CONFIG. */
RF_USE_RESULT enum rf_status rf_url_parse(struct rf_url *url, struct rf_str text,
                                          struct rf_error *err);

/* The value of that setting, or NULL. Borrowed from url. */
const char *rf_url_get(const struct rf_url *url, const char *name);

/* Overwrites what looks like a secret in an argument of the command line with '*': a password
 * before '@', and the value of each option whose name speaks of a password, secret or token. It
 * works on any text, whether it is an address or not, and rather wipes too much than too little.
 * Returns true when it was an address with a secret in it. */
bool rf_url_wipe(char *argument);

/* Gives the memory back, the secrets in it overwritten. */
void rf_url_deinit(struct rf_url *url);

#endif
