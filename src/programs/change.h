/* A change of a collection as a line for a person.
 *
 *   2026-11-27 08:14:50  insert  6f1c-...  {"stamp":"2026-11-27 08:14:50"}
 *   2026-11-27 08:14:51  update  6f1c-...  {"stamp":"2026-11-27 08:14:51"}
 *   2026-11-27 08:14:52  delete  6f1c-...
 *   2026-11-27 08:14:53  drop
 *
 * Made of what the format `json` writes of it. The time is that of the commit, on this machine's
 * clock; the document is shown without its _id. Pure. Thread: any. */
#ifndef ROWFERRY_PROGRAMS_CHANGE_H
#define ROWFERRY_PROGRAMS_CHANGE_H

#include <rowferry/str.h>

/* Appends the line, with its newline. What cannot be read so, as a document that is nested too deep
 * for a reader of JSON, is shown as it came. Control characters of an _id are left to JSON. */
void rf_change_line(struct rf_str json, struct rf_buf *out);

#endif
