/* The collection pluto.notes of MongoDB's container, whose changes are captured.
 *
 * Where the server has pre-images it keeps them, so that a deletion says what was deleted. Used by
 * the container itself, and by those who capture it. Thread: that of the connection.
 *
 * Source: MongoDB's manual, "Change Streams with Document Pre- and Post-Images". */
#ifndef ROWFERRY_CONTAINER_NOTES_H
#define ROWFERRY_CONTAINER_NOTES_H

#include "net/mongo.h"

/* Makes it where it is absent, and turns its pre-images on where the server has them and they are
 * off; what is so already is left alone. *made: it was absent. Returns RF_OK; RF_RETRY; RF_CONFIG,
 * with err->access: the user may not do that. */
RF_USE_RESULT enum rf_status rf_container_notes(struct rf_mongo *mongo, bool *made,
                                                struct rf_error *err);

#endif
