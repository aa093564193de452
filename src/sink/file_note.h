/* What the sink `file` has recorded with a position: which file it was, and how long.
 *
 * "DEVICE INODE LENGTH"; of a file that rotates or is compressed "DEVICE INODE LENGTH NUMBER KIND
 * BEGAN": the segment's number, 0 for the file itself; how it is compressed; and when the first
 * bytes came into it, in microseconds since 1970 UTC. */
#ifndef ROWFERRY_SINK_FILE_NOTE_H
#define ROWFERRY_SINK_FILE_NOTE_H

#include "sink/file_frame.h"

struct rf_file_note {
    uint64_t device, inode, length;
    uint64_t number;
    enum rf_file_kind kind;
    uint64_t began_us;
};

/* False: that is no note. */
bool rf_file_note_parse(struct rf_str text, struct rf_file_note *note);
/* Appends it, in its long form or in the short one. */
void rf_file_note_add(const struct rf_file_note *note, bool is_long, struct rf_buf *out);

#endif
