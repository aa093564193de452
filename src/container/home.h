/* The home of a container: the directory with its data, its settings and its passwords.
 *
 *     CONTAINERS/final_mysql_container/
 *         container        the mark that it is ours, and what it is: text, "name value" per line
 *         secrets/USER     a password each (0600 in a directory 0700, its owner whoever made them)
 *         data, ...        what tools/servers and the server keep there
 *
 * CONTAINERS is $ROWFERRY_CONTAINERS; else, for root, /var/lib/rowferry/containers, as servers
 * never run as root and have to reach it; else $XDG_STATE_HOME/rowferry/containers, or
 * ~/.local/state/rowferry/containers. A directory without the mark is somebody else's: nothing is
 * ever written to it or removed from it.
 *
 * One program at a time changes a home: it holds a lock, which ends with the process. Looking at
 * one takes no lock. Thread: one per home. */
#ifndef ROWFERRY_CONTAINER_HOME_H
#define ROWFERRY_CONTAINER_HOME_H

#include <rowferry/str.h>

/* What is kept about a container. */
struct rf_home_settings {
    char type[16];    /* of container/type.h */
    char runtime[16]; /* of container/runtime.h */
    char server[16];  /* of container/type.h; empty: the type's first */
    uint16_t port;
    int64_t memory_bytes; /* 0: as the server likes */
    char image[128];      /* of an engine's container; empty: the type's */
};

/* Zeroed is closed. */
struct rf_home {
    struct rf_buf path; /* terminated, without a slash at its end */
    int lock;           /* the directory, locked, plus 1; 0: not locked */
    struct rf_home_settings settings;
};

/* Whether its server is a process of this machine: then it sees who comes from 127.0.0.1 as just
 * that, and not as whatever address an engine gives them. */
bool rf_home_is_native(const struct rf_home *home);

/* The path of CONTAINERS. Appends. Returns RF_OK; RF_CONFIG: there is no home directory. */
RF_USE_RESULT enum rf_status rf_home_root(struct rf_buf *out, struct rf_error *err);

/* Finds the home of that name and reads its settings. Returns RF_OK; RF_AGAIN: there is none;
 * RF_CONFIG: it is somebody else's, or may not be read. Close it in any case. */
RF_USE_RESULT enum rf_status rf_home_find(struct rf_home *home, const char *name,
                                          struct rf_error *err);

/* The same, and locks it; waits for another program that works on it. make: where there is none,
 * it is made, still without the mark, and settings are zeroed. Returns as rf_home_find. */
RF_USE_RESULT enum rf_status rf_home_open(struct rf_home *home, const char *name, bool make,
                                          struct rf_error *err);

/* Writes the mark with home->settings. The home is open. Returns RF_OK or RF_CONFIG. */
RF_USE_RESULT enum rf_status rf_home_mark(struct rf_home *home, struct rf_error *err);

/* Removes the home and all that is in it. A removal that was cut short can be done again: the mark
 * stays until the rest is gone, and then the home goes under another name, NAME.removed, with what
 * somebody may have put there meanwhile. The home is open and has its mark, or is empty. Returns
 * RF_OK or RF_CONFIG. */
RF_USE_RESULT enum rf_status rf_home_remove(struct rf_home *home, struct rf_error *err);

/* Accepts closed ones. */
void rf_home_close(struct rf_home *home);

/* The path of a file in it. Appends, terminated. Returns what data is then. */
const char *rf_home_file(const struct rf_home *home, const char *name, struct rf_buf *out);

/* Writes a file for the server alone to read (0600), in place of an older one. text may hold
 * secrets. Returns RF_OK or RF_CONFIG. */
RF_USE_RESULT enum rf_status rf_home_give(const struct rf_home *home, const char *name,
                                          struct rf_str text, struct rf_error *err);

/* The same for ourselves alone. */
RF_USE_RESULT enum rf_status rf_home_keep(const struct rf_home *home, const char *name,
                                          struct rf_str text, struct rf_error *err);

/* Makes a password for each user that has none yet. users: ended by NULL. Returns RF_OK or
 * RF_CONFIG. */
RF_USE_RESULT enum rf_status rf_home_make_secrets(const struct rf_home *home,
                                                  const char *const *users, struct rf_error *err);
/* That user's password. Appends, terminated: hexadecimal digits, so that it needs no quoting
 * anywhere. Returns RF_OK; RF_CONFIG: there is none, or it may not be read. */
RF_USE_RESULT enum rf_status rf_home_secret(const struct rf_home *home, const char *user,
                                            struct rf_buf *out, struct rf_error *err);

/* The user that servers run as: nobody when we are root, else ourselves. Returns RF_OK; RF_CONFIG:
 * there is no nobody. */
RF_USE_RESULT enum rf_status rf_home_server_user(unsigned *uid, unsigned *gid,
                                                 struct rf_error *err);

#endif
