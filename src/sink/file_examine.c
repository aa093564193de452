/* What has to be so of the place where a file is written, and what is better so. */
#include "sink/file_output.h"

#include <errno.h>
#include <rowferry/finding.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* The directory that the file is in, terminated. */
static void directory_of(const char *path, struct rf_buf *out)
{
    const char *slash = strrchr(path, '/');

    if (slash == NULL) {
        rf_buf_printf(out, ".");
    } else {
        rf_buf_printf(out, "%.*s", slash == path ? 1 : (int)(slash - path), path);
    }
    rf_buf_cstr(out);
}

void rf_file_examine(const char *path, struct rf_findings *findings)
{
    struct rf_buf directory = {0};
    struct statvfs room;
    struct stat info;
    bool there = stat(path, &info) == 0;
    struct rf_finding finding = {.what = "file", .needed = "it, or a directory to make it in"};

    directory_of(path, &directory);
    if (access(there ? path : directory.data, W_OK) != 0) {
        finding.verdict = RF_FINDING_WRONG;
        finding.why = strerror(errno);
        finding.fix = "make the directory, or give the user that runs the pipeline the right to "
                      "write there";
        rf_finding_add_text(findings, finding, "%s cannot be written",
                            there ? path : directory.data);
    } else {
        rf_finding_add_text(findings, finding, "%s%s", path, there ? "" : ", not there yet");
    }
    if (statvfs(directory.data, &room) == 0) {
        enum { LEAST_PERCENT = 5 };
        double left = (double)room.f_bavail * (double)room.f_frsize;
        bool low = room.f_blocks > 0 && room.f_bavail * 100 / room.f_blocks < LEAST_PERCENT;
        rf_finding_add_text(
            findings,
            (struct rf_finding){.verdict = low ? RF_FINDING_ADVICE : RF_FINDING_FINE,
                                .what = "room",
                                .needed = "5 % of the disk",
                                .why = low ? "a full disk is waited out, and nothing moves" : NULL,
                                .fix = low ? "make room, or move the file" : NULL},
            "%.1f GB", left / 1e9);
    }
    rf_buf_deinit(&directory);
}
