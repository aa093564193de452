/* The native runtime: servers as private processes, by tools/servers, which checks pid and start
 * time before it touches a process, and never lets a server run as root. */
#include "container/port.h"
#include "container/runtime.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    PORT_TAKEN = 98,
    NOT_RUNNING = 3,
    LEVELS_MAX = 4,
    LOG_TAIL_BYTES = 1 << 20,
    DETAIL_LINES = 18
};

/* ---- tools/servers --------------------------------------------------------------------------- */

static bool is_there(struct rf_buf *path, const struct rf_buf *directory, const char *rest)
{
    rf_buf_reset(path);
    rf_buf_printf(path, "%.*s%s", RF_STR_ARG(rf_buf_str(directory)), rest);
    return access(rf_buf_cstr(path), X_OK) == 0;
}

/* Installed, it lies beside us; in a source tree, some levels above the build directory. */
static enum rf_status find_script(struct rf_buf *out, struct rf_error *err)
{
    const char *chosen = getenv("ROWFERRY_SERVERS");
    struct rf_buf directory = {0};

    if (chosen != NULL && chosen[0] != '\0') {
        rf_buf_printf(out, "%s", chosen);
        rf_buf_cstr(out);
        return RF_OK;
    }
    enum rf_status status = rf_process_directory(&directory, err);
    if (status != RF_OK || is_there(out, &directory, "/../libexec/rowferry/servers")) {
        goto done;
    }
    for (int level = 0; level < LEVELS_MAX; level++) {
        const char *last = memrchr(directory.data, '/', directory.size);
        directory.size = last != NULL ? (size_t)(last - directory.data) : 0;
        if (is_there(out, &directory, "/tools/servers")) {
            goto done;
        }
    }
    status = rf_fail(err, RF_CONFIG, "the script 'servers', which starts servers, is not there");
    rf_error_hint(err, "it is tools/servers in the source; ROWFERRY_SERVERS=PATH says where it is");

done:
    rf_buf_deinit(&directory);
    return status;
}

/* The beginning of "SCRIPT ACTION KIND HOME". */
static enum rf_status begin(struct rf_words *words, const char *action,
                            const struct rf_container_type *type, const struct rf_home *home,
                            struct rf_error *err)
{
    struct rf_buf script = {0};
    enum rf_status status = find_script(&script, err);

    if (status == RF_OK) {
        rf_words_add(words, "%s", script.data);
        rf_words_add(words, "%s", action);
        rf_words_add(words, "%s", rf_container_server_of(type, home)->name);
        rf_words_add(words, "%s", home->path.data);
    }
    rf_buf_deinit(&script);
    return status;
}

/* Of "already running: mariadb 10.11.19 on 127.0.0.1:5600, ..., pid 7" what is before " on ". */
static struct rf_str called_of(struct rf_str said)
{
    struct rf_str already = RF_STR("already running: "), line;

    rf_str_split(&said, '\n', &line);
    if (rf_str_starts(line, already)) {
        line = (struct rf_str){line.data + already.size, line.size - already.size};
    }
    const char *on = line.size > 0 ? memmem(line.data, line.size, " on 127.", 8) : NULL;
    return (struct rf_str){line.data, on != NULL ? (size_t)(on - line.data) : line.size};
}

/* ---- Starting -------------------------------------------------------------------------------- */

/* The words behind the last "tools/servers: ", which are what it died of. */
static struct rf_str reason_of(struct rf_str complained)
{
    struct rf_str lead = RF_STR("tools/servers: "), reason = RF_STR_NONE, line;

    while (rf_str_split(&complained, '\n', &line)) {
        if (rf_str_starts(line, lead)) {
            reason = (struct rf_str){line.data + lead.size, line.size - lead.size};
        }
    }
    return reason;
}

static bool has(struct rf_str text, const char *part)
{
    return text.size > 0 && memmem(text.data, text.size, part, strlen(part)) != NULL;
}

static bool is_disk_full(struct rf_str text)
{
    return has(text, "No space left on device") || has(text, "Disk full") ||
           has(text, "Disk quota exceeded") || has(text, "errno: 28") || has(text, "Errcode: 28");
}

static struct rf_str last_lines(struct rf_str text, uint32_t lines)
{
    size_t at = text.size;

    if (at > 0 && text.data[at - 1] == '\n') {
        at--;
    }
    for (uint32_t seen = 0; at > 0; at--) {
        if (text.data[at - 1] == '\n' && ++seen == lines) {
            break;
        }
    }
    return (struct rf_str){text.data + at, text.size - at};
}

static enum rf_status fail_start(const struct rf_container_type *type, const struct rf_home *home,
                                 const struct rf_process_result *result, struct rf_buf *details,
                                 struct rf_error *err)
{
    struct rf_str complained = rf_buf_str(&result->complained);
    struct rf_str reason = reason_of(complained);
    const char *install = complained.size > 0 ? memmem(complained.data, complained.size,
                                                       "sudo apt-get ", strlen("sudo apt-get "))
                                              : NULL;

    if (result->code == PORT_TAKEN) {
        return rf_port_taken(home->settings.port, err);
    }
    if (install != NULL) {
        size_t left = complained.size - (size_t)(install - complained.data);
        const char *end = memchr(install, '\n', left);
        rf_fail(err, RF_CONFIG, "this machine lacks packages of %s", type->title);
        rf_error_hint(err, "%.*s", (int)(end != NULL ? (size_t)(end - install) : left), install);
        return RF_CONFIG;
    }
    rf_buf_add_str(details, last_lines(rf_str_trim(complained), DETAIL_LINES));
    if (is_disk_full(complained)) {
        rf_fail(err, RF_CONFIG, "%s did not start: the disk is full", type->title);
        rf_error_hint(err, "make room where %s lies", home->path.data);
    } else {
        rf_fail(err, RF_CONFIG, "%s did not start: %.*s", type->title,
                RF_STR_ARG(reason.size > 0 ? reason : RF_STR("the script of servers failed")));
        rf_error_hint(err, "the lines above say why; the whole log: %s/%s.log", home->path.data,
                      rf_container_server_of(type, home)->name);
    }
    return RF_CONFIG;
}

static enum rf_status start(const struct rf_container_runtime *runtime,
                            const struct rf_container_type *type, const struct rf_home *home,
                            const struct rf_container_progress *progress, struct rf_buf *called,
                            struct rf_buf *details, struct rf_error *err)
{
    (void)runtime;
    (void)progress;
    struct rf_process_result result = {0};
    struct rf_words words = {0};
    enum rf_status status = begin(&words, "start", type, home, err);

    if (status != RF_OK) {
        goto done;
    }
    rf_words_add(&words, "%u", home->settings.port);
    const struct rf_container_server *server = rf_container_server_of(type, home);
    for (size_t i = 0; server->flags[i] != NULL; i++) {
        rf_words_add(&words, "%s", server->flags[i]);
    }
    rf_words_add(&words, "--");
    status = type->equip(home, home->settings.memory_bytes, &words, err);
    if (status == RF_OK) {
        status = rf_process_run(&words, &result, err);
    }
    if (status == RF_OK && result.code != 0) {
        status = fail_start(type, home, &result, details, err);
    } else if (status == RF_OK) {
        rf_buf_add_str(called, called_of(rf_buf_str(&result.said)));
    }

done:
    rf_process_result_deinit(&result);
    rf_words_deinit(&words);
    return status;
}

/* ---- Stopping and looking -------------------------------------------------------------------- */

/* With its data it goes at once: what it would still write down is removed right after. */
static enum rf_status stop(const struct rf_container_runtime *runtime,
                           const struct rf_container_type *type, const struct rf_home *home,
                           struct rf_error *err)
{
    (void)runtime;
    struct rf_process_result result = {0};
    struct rf_words words = {0};
    enum rf_status status = begin(&words, "kill", type, home, err);

    if (status == RF_OK) {
        status = rf_process_run(&words, &result, err);
    }
    if (status == RF_OK && result.code != 0) {
        status = rf_fail(err, RF_CONFIG, "%s did not stop: %.*s", type->title,
                         RF_STR_ARG(reason_of(rf_buf_str(&result.complained))));
    }
    rf_process_result_deinit(&result);
    rf_words_deinit(&words);
    return status;
}

/* Field 2 of /proc/PID/statm, in pages. */
static int64_t resident_bytes(int64_t pid)
{
    char path[64];
    long pages = 0;

    snprintf(path, sizeof path, "/proc/%lld/statm", (long long)pid);
    FILE *file = fopen(path, "re");
    if (file != NULL) {
        if (fscanf(file, "%*d %ld", &pages) != 1) {
            pages = 0;
        }
        fclose(file);
    }
    return (int64_t)pages * sysconf(_SC_PAGESIZE);
}

static int64_t pid_of(struct rf_str said)
{
    struct rf_str word = RF_STR_NONE, field;
    int64_t pid = 0;

    said = rf_str_trim(said);
    while (rf_str_split(&said, ' ', &field)) {
        word = field;
    }
    return rf_str_to_i64(word, &pid) && pid > 0 ? pid : 0;
}

static enum rf_status look(const struct rf_container_runtime *runtime,
                           const struct rf_container_type *type, const struct rf_home *home,
                           struct rf_container_state *state, struct rf_error *err)
{
    (void)runtime;
    struct rf_process_result result = {0};
    struct rf_words words = {0};
    enum rf_status status = begin(&words, "status", type, home, err);

    if (status == RF_OK) {
        status = rf_process_run(&words, &result, err);
    }
    if (status == RF_OK && result.code == 0) {
        struct rf_str said = rf_buf_str(&result.said);
        state->runs = true;
        state->pid = pid_of(said);
        state->memory_bytes = state->pid > 0 ? resident_bytes(state->pid) : 0;
        rf_buf_add_str(&state->called, called_of(said));
    } else if (status == RF_OK && result.code != NOT_RUNNING) {
        status = rf_fail(err, RF_CONFIG, "could not look after %s: %.*s", type->title,
                         RF_STR_ARG(reason_of(rf_buf_str(&result.complained))));
    }
    rf_process_result_deinit(&result);
    rf_words_deinit(&words);
    return status;
}

/* ---- Logs ------------------------------------------------------------------------------------ */

static enum rf_status logs(const struct rf_container_runtime *runtime,
                           const struct rf_container_type *type, const struct rf_home *home,
                           uint32_t lines, struct rf_buf *out, struct rf_error *err)
{
    (void)runtime;
    struct rf_buf path = {0}, text = {0};
    enum rf_status status = RF_OK;

    rf_buf_printf(&path, "%s/%s.log", home->path.data, rf_container_server_of(type, home)->name);
    FILE *file = fopen(rf_buf_cstr(&path), "re");
    if (file == NULL && errno != ENOENT) {
        status = rf_fail(err, RF_CONFIG, "could not read %s: %s", path.data, strerror(errno));
    }
    if (file != NULL) {
        if (fseek(file, 0, SEEK_END) == 0) {
            long size = ftell(file);
            fseek(file, size > LOG_TAIL_BYTES ? size - LOG_TAIL_BYTES : 0, SEEK_SET);
        }
        char *at = rf_buf_reserve(&text, LOG_TAIL_BYTES);
        text.size = fread(at, 1, LOG_TAIL_BYTES, file);
        fclose(file);
        rf_buf_add_str(out, last_lines(rf_buf_str(&text), lines));
    }
    rf_buf_deinit(&path);
    rf_buf_deinit(&text);
    return status;
}

static void describe(const struct rf_container_type *type, const struct rf_home *home,
                     struct rf_str called, struct rf_buf *out)
{
    type->describe(home, called, out);
}

const struct rf_container_runtime rf_container_native = {
    .name = "native",
    .start = start,
    .stop = stop,
    .look = look,
    .logs = logs,
    .describe = describe,
};
