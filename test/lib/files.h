/* What a sink has written to files: read back, uncompressed where it was compressed. */
#ifndef ROWFERRY_TEST_FILES_H
#define ROWFERRY_TEST_FILES_H

#include <rowferry/str.h>

/* Appends the file's content. Gzip and zstd are known by their first bytes; false when such a file
 * does not consist of whole pieces, or there is no such file. */
bool rf_test_file_read(const char *path, struct rf_buf *out);
/* Appends the contents of all files in the folder, in the order of their names. */
bool rf_test_files_read(const char *folder, struct rf_buf *out);
/* Their names, each with a space behind it, in order. Valid until the next call. */
const char *rf_test_files_list(const char *folder);
/* Removes the files in the folder. */
void rf_test_files_remove(const char *folder);

#endif
