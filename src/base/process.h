/* Other programs, run by us: to their end, with what they say, or beside us.
 *
 * Never through a shell: arguments are a list. Open files of ours are not theirs as long as they
 * were opened with O_CLOEXEC, as all of them are. Thread: any, but see rf_process_start. */
#ifndef ROWFERRY_BASE_PROCESS_H
#define ROWFERRY_BASE_PROCESS_H

#include <rowferry/str.h>
#include <sys/types.h>

/* Words that grow into a list of arguments, ended by NULL. Zeroed is empty. */
struct rf_words {
    char **items; /* owned */
    uint32_t count;
    uint32_t capacity;
};
void rf_words_add(struct rf_words *words, const char *format, ...) RF_PRINTF(2, 3);
void rf_words_deinit(struct rf_words *words);

/* What came of a program. Zeroed is empty and valid. */
struct rf_process_result {
    int code;                 /* its exit code; 128 and more: the signal that ended it, plus 128 */
    struct rf_buf said;       /* on standard output */
    struct rf_buf complained; /* on standard error */
};
void rf_process_result_deinit(struct rf_process_result *result);

/* Runs a program to its end, without standard input. words[0] is its path. Returns RF_OK: it ran,
 * whatever its exit code; RF_CONFIG: it could not be started. */
RF_USE_RESULT enum rf_status rf_process_run(const struct rf_words *words,
                                            struct rf_process_result *result, struct rf_error *err);

/* Starts a program beside us: without standard input, its output appended to the file at log, in a
 * process group of its own, so that what is typed at our terminal is for us alone. When we end,
 * however that happens, it gets SIGTERM. The caller waits for *pid.
 * Thread: one that lives as long as the process, as the signal comes when this thread ends.
 * Returns RF_OK; RF_CONFIG: the log cannot be written, or the program not be started. */
RF_USE_RESULT enum rf_status rf_process_start(const struct rf_words *words, const char *log,
                                              pid_t *pid, struct rf_error *err);

/* Where our own program lies: its directory, with links followed. Appends. Returns RF_OK or
 * RF_CONFIG. */
RF_USE_RESULT enum rf_status rf_process_directory(struct rf_buf *out, struct rf_error *err);

/* Looks for a program in PATH, then where servers are installed beside it. Appends its path; false:
 * there is none, and nothing was appended. */
bool rf_process_find(const char *name, struct rf_buf *out);

#endif
