/* ${NAME} in a text: the variable of the environment takes its place.
 *
 * Used for the values of a configuration file, never for its keys. "$${" stands for "${" itself; a
 * "$" before anything else is a "$". What is put in is not looked at again. */
#ifndef ROWFERRY_CONFIG_ENVIRONMENT_H
#define ROWFERRY_CONFIG_ENVIRONMENT_H

#include <rowferry/str.h>

/* Appends the text to out, variables replaced. *replaced: there was one. In an address
 * (address), one that is not all of the text is written with %XX, so that it stays what it is: part
 * of a user's name, a password or a path. Returns RF_OK; RF_CONFIG: a name that is none, or that
 * the environment does not have; the message shows nothing but the name. */
RF_USE_RESULT enum rf_status rf_environment_replace(struct rf_str text, bool address,
                                                    struct rf_buf *out, bool *replaced,
                                                    struct rf_error *err);

/* The text without its variables: what of it stands in the file. Appends. */
void rf_environment_remove(struct rf_str text, struct rf_buf *out);

#endif
