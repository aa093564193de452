/* The files of one log, in their order: those that a person named, or that a server's index lists.
 *
 * Used by the source `binlog`. A server numbers its files: "bin.000001" and so on, the number one
 * higher each time and at least six digits wide. A person names
 *
 *   dir/bin.000007             one file; any name will do, also "-" for standard input
 *   dir/bin.000001..000007     files by number, from the first to the last
 *   dir/bin.000001..           ... to the last one that is there
 *   dir/bin.index              the index that the server keeps: one path per line, relative to the
 *                              directory of the index, in the order in which they were written
 *
 * A number that is left out between two files is a hole in the log. */
#ifndef ROWFERRY_SOURCE_INDEX_H
#define ROWFERRY_SOURCE_INDEX_H

#include <rowferry/str.h>

/* Zeroed is empty and valid. Thread: the owner's. */
struct rf_index {
    char *path; /* of the index file; NULL: none, the files were named */
    char **files;
    uint32_t count;
    uint32_t capacity;
    bool several; /* not one file that was named alone */
};

/* Reads what `text` names, as above, into an empty index. Returns RF_OK (at least one file; only
 * those of a range are known to exist); RF_CONFIG (the index cannot be read or lists nothing, the
 * range makes no sense); RF_FATAL (a hole: named). */
RF_USE_RESULT enum rf_status rf_index_read(struct rf_index *index, const char *text,
                                           struct rf_error *err);
void rf_index_deinit(struct rf_index *index);

/* Number of the file of that name, without directories; -1: none. */
int64_t rf_index_find(const struct rf_index *index, struct rf_str name);
/* Adds a file behind the last one; the text is copied. */
void rf_index_add(struct rf_index *index, struct rf_str path);

/* The last part of a path. */
struct rf_str rf_index_name(const char *path);
/* Cuts "bin.000042" into "bin" and 42; false for names that have no number. */
bool rf_index_number(struct rf_str name, struct rf_str *base, uint64_t *number);
/* True for names of one server's log: the same base, and both have numbers. */
bool rf_index_related(struct rf_str a, struct rf_str b);
/* out becomes the path of the file with the next number, in the same directory. False for names
 * without a number. */
bool rf_index_next(struct rf_buf *out, const char *path);

/* Looks for what comes behind the file at `path` in a log that grows: *next becomes the path of the
 * file with the next number, empty when there is none yet. It is looked for beside the file and in
 * the server's index, if one was named. *beyond becomes the name of the nearest file with a higher
 * number than that, empty when there is none: with an empty *next, that is a hole, or the server is
 * just at work. */
void rf_index_look(const struct rf_index *index, const char *path, struct rf_buf *next,
                   struct rf_buf *beyond);

#endif
