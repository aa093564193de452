/* Small files, whole or not at all. Any thread. */
#ifndef ROWFERRY_BASE_FILE_H
#define ROWFERRY_BASE_FILE_H

#include <rowferry/str.h>
#include <sys/types.h>

/* Writes the file in place of an older one, which stays as it is when that fails, also in a crash.
 * It is nobody else's to read before it has its mode and owner. The directory should be one that
 * only we write to. Returns RF_OK or RF_CONFIG, with the hint that the disk is full if it is. */
RF_USE_RESULT enum rf_status rf_file_replace(const char *path, struct rf_str text, mode_t mode,
                                             uid_t uid, gid_t gid, struct rf_error *err);

#endif
