#include "programs/notes.h"

#include "base/file.h"
#include "checkpoint/checkpoint.h"
#include "container/notes.h"
#include "programs/access.h"
#include "programs/change.h"
#include "programs/ferry.h"
#include "sink/file_note.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME      "pluto-notes"
#define CONTAINER "final_mongo_container"
#define SHOWN     "shown" /* the name of the sink `file` in the pipeline */
#define DATABASE  "pluto"
#define NOTES     "notes"
#define CHANGES   "changes.jsonl"

/* For what the scheduler's one thread waits for. */
enum { PREPARE_MS = 1500 };

/* ---- Its place ------------------------------------------------------------------------------- */

static void set_path(struct rf_buf *out, const struct rf_buf *directory, const char *name)
{
    rf_buf_reset(out);
    rf_buf_printf(out, "%.*s/%s", RF_STR_ARG(rf_buf_str(directory)), name);
    rf_buf_cstr(out);
}

enum rf_status rf_notes_directory(struct rf_buf *out, struct rf_error *err)
{
    struct rf_access mongo = {0};
    enum rf_status status = rf_access_find(&mongo, "mongo", NULL, err);

    if (status == RF_OK) {
        const char *path = rf_home_file(&mongo.home, "pipeline", out);
        if (mkdir(path, 0700) != 0 && errno != EEXIST) {
            status = rf_fail(err, RF_CONFIG, "could not make %s: %s", path, strerror(errno));
        }
    }
    rf_access_deinit(&mongo);
    return status;
}

/* How far it was shown: a number in a file. */
static enum rf_status read_shown(struct rf_notes *notes, struct rf_error *err)
{
    enum { NUMBER_MAX = 32 };
    char text[NUMBER_MAX];
    int file = open(notes->shown.data, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    enum rf_status status = RF_OK;

    if (file < 0) {
        return rf_fail(err, RF_CONFIG, "could not open %s: %s", notes->shown.data, strerror(errno));
    }
    notes->file = file + 1;
    ssize_t size = pread(file, text, sizeof text, 0);
    struct rf_str number = {text, size > 0 ? (size_t)size : 0};
    number = rf_str_trim(number);
    if (size < 0 || (number.size > 0 && !rf_str_to_u64(number, &notes->offset))) {
        status = rf_fail(err, RF_CONFIG, "%s does not say how far the changes were shown",
                         notes->shown.data);
        rf_error_hint(err, "remove it: all changes in %s are shown again then",
                      notes->changes.data);
    }
    return status;
}

enum rf_status rf_notes_open(struct rf_notes *notes, struct rf_error *err)
{
    struct rf_access mongo = {0};
    enum rf_status status = rf_access_find(&mongo, "mongo", NULL, err);

    rf_access_deinit(&mongo);
    if (status == RF_OK) {
        status = rf_hold_take(&notes->hold, CONTAINER, "mongocdc", err);
    }
    if (status == RF_AGAIN) {
        status = rf_fail(err, RF_RETRY, CONTAINER " was deleted just now");
        rf_error_hint(err, "'container create mongo' makes it");
    }
    if (status == RF_OK) {
        rf_buf_set(&notes->directory, rf_buf_str(&notes->hold.path));
        rf_buf_cstr(&notes->directory);
        set_path(&notes->config, &notes->directory, NAME ".yaml");
        set_path(&notes->log, &notes->directory, NAME ".log");
        set_path(&notes->state, &notes->directory, NAME ".db");
        set_path(&notes->changes, &notes->directory, CHANGES);
        set_path(&notes->shown, &notes->directory, "changes.shown");
        status = read_shown(notes, err);
    }
    return status;
}

void rf_notes_close(struct rf_notes *notes)
{
    if (notes->file > 0) {
        close(notes->file - 1);
    }
    rf_hold_release(&notes->hold);
    rf_buf_deinit(&notes->directory);
    rf_buf_deinit(&notes->config);
    rf_buf_deinit(&notes->log);
    rf_buf_deinit(&notes->state);
    rf_buf_deinit(&notes->changes);
    rf_buf_deinit(&notes->shown);
    *notes = (struct rf_notes){0};
}

/* ---- Preparing ------------------------------------------------------------------------------- */

enum rf_status rf_notes_prepare(int64_t timeout_ms, bool *made, struct rf_error *err)
{
    struct rf_mongo mongo = {0};
    enum rf_status status = rf_access_mongo(&mongo, timeout_ms, err);

    *made = false;
    if (status == RF_OK) {
        status = rf_container_notes(&mongo, made, err);
    }
    rf_mongo_close(&mongo);
    return status;
}

/* ---- Its configuration ----------------------------------------------------------------------- */

/* A path as an address has it. */
static void add_path(struct rf_buf *out, struct rf_str path)
{
    for (size_t i = 0; i < path.size; i++) {
        char byte = path.data[i];
        bool plain = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
                     (byte >= '0' && byte <= '9') || strchr("/._-", byte) != NULL;
        if (plain) {
            rf_buf_add_byte(out, byte);
        } else {
            rf_buf_printf(out, "%%%02X", (unsigned char)byte);
        }
    }
}

static void describe_redis(const struct rf_access *redis, struct rf_buf *out)
{
    rf_buf_printf(out, "  - url: redis://127.0.0.1:%u/0\n    name: redis\n", redis->port);
    rf_access_add_login(out, redis, false);
    rf_buf_printf(out, "    key: \"mongo:{database}:{collection}:{_id}\"\n");
}

static void describe_cassandra(const struct rf_access *cassandra, struct rf_buf *out)
{
    rf_buf_printf(out,
                  "  - url: cassandra://127.0.0.1:%u/stamps\n    name: cassandra\n"
                  "    table: \"mongo_{collection}\"\n",
                  cassandra->port);
    rf_access_add_login(out, cassandra, true);
}

static void describe(const char *directory, const struct rf_access *mongo, struct rf_buf *out)
{
    rf_buf_printf(out,
                  "# Written by mongocdc at each start.\n"
                  "name: " NAME "\nstate: \"%s\"\n"
                  "source:\n    url: mongodb://127.0.0.1:%u/" DATABASE "." NOTES "\n",
                  directory, mongo->port);
    rf_access_add_login(out, mongo, true);
    rf_buf_printf(out, "    images: update_lookup\nsinks:\n  - url: \"file:");
    add_path(out, rf_str_of(directory));
    rf_buf_printf(out, "/" CHANGES "\"\n    name: " SHOWN "\n");
}

/* One that has none begins when the pipeline does: left out, it would lack what comes until then.
 */
static bool has_place(const char *directory, const char *sink)
{
    struct rf_checkpoint_report report = {0};
    struct rf_error none_yet = {0};
    struct rf_buf path = {0};
    bool there = false;

    rf_buf_printf(&path, "%s/" NAME ".db", directory);
    if (rf_checkpoint_read(rf_buf_cstr(&path), &report, &none_yet) == RF_OK) {
        for (uint32_t i = 0; i < report.sink_count; i++) {
            there = there || (rf_str_equal(report.sinks[i].name, rf_str_of(sink)) &&
                              report.sinks[i].position.size > 0);
        }
    }
    rf_checkpoint_report_deinit(&report);
    rf_buf_deinit(&path);
    return there;
}

enum rf_status rf_notes_configure(const char *directory, const char *config, struct rf_ferry *ferry,
                                  struct rf_error *err)
{
    struct rf_access mongo = {0}, redis = {0}, cassandra = {0};
    struct rf_buf text = {0};
    enum rf_status status = rf_access_find(&mongo, "mongo", "rowferry", err);

    if (status == RF_OK) {
        status = rf_access_find(&redis, "redis", "default", err);
    }
    if (status == RF_OK && rf_access_exists("cassandra")) {
        status = rf_access_find(&cassandra, "cassandra", "rowferry", err);
    }
    if (status == RF_OK) {
        describe(directory, &mongo, &text);
        if (!has_place(directory, "redis") || rf_ferry_takes(ferry, "redis")) {
            describe_redis(&redis, &text);
        }
        if (cassandra.port != 0 &&
            (!has_place(directory, "cassandra") || rf_ferry_takes(ferry, "cassandra"))) {
            describe_cassandra(&cassandra, &text);
        }
        status = rf_file_replace(config, rf_buf_str(&text), 0600, geteuid(), getegid(), err);
    }
    rf_access_deinit(&mongo);
    rf_access_deinit(&redis);
    rf_access_deinit(&cassandra);
    rf_buf_deinit(&text);
    return status;
}

/* ---- Where it stands ------------------------------------------------------------------------- */

enum rf_status rf_notes_look(const struct rf_notes *notes, struct rf_notes_place *place,
                             struct rf_error *err)
{
    struct rf_checkpoint_report report = {0};
    struct rf_file_note note;

    *place = (struct rf_notes_place){0};
    enum rf_status status = rf_checkpoint_read(notes->state.data, &report, err);
    if (status == RF_OK) {
        place->pid = report.running ? report.pid : 0;
        for (uint32_t i = 0; i < report.sink_count; i++) {
            const struct rf_checkpoint_sink *sink = &report.sinks[i];
            place->begun |= sink->position.size > 0;
            if (rf_str_equal(sink->name, RF_STR(SHOWN)) && rf_file_note_parse(sink->note, &note)) {
                place->durable = note.length;
            }
        }
    } else if (status == RF_CONFIG && access(notes->state.data, F_OK) != 0) {
        status = RF_OK; /* there is none yet */
        *err = (struct rf_error){0};
    }
    rf_checkpoint_report_deinit(&report);
    return status;
}

/* ---- Showing --------------------------------------------------------------------------------- */

static enum rf_status note_shown(struct rf_notes *notes, uint64_t offset, struct rf_error *err)
{
    char text[32];
    int size = snprintf(text, sizeof text, "%llu\n", (unsigned long long)offset);

    /* Numbers grow, so that a kill between the two leaves a number; else the rest is cut off. */
    if (pwrite(notes->file - 1, text, (size_t)size, 0) != size ||
        ftruncate(notes->file - 1, size) != 0) {
        return rf_fail(err, RF_CONFIG, "could not write %s: %s", notes->shown.data,
                       strerror(errno));
    }
    notes->offset = offset;
    return RF_OK;
}

enum rf_status rf_notes_show(struct rf_notes *notes, uint64_t durable, uint64_t *count,
                             struct rf_error *err)
{
    struct rf_buf line = {0}, shown = {0};
    enum rf_status status = RF_OK;

    struct stat there;
    if (notes->offset > 0 && stat(notes->changes.data, &there) == 0 &&
        (uint64_t)there.st_size < notes->offset) {
        notes->offset = 0; /* it is another one: somebody has begun anew */
    }
    if (notes->offset >= durable) {
        return RF_OK;
    }
    FILE *file = fopen(notes->changes.data, "re");
    if (file == NULL || fseeko(file, (off_t)notes->offset, SEEK_SET) != 0) {
        status =
            rf_fail(err, RF_CONFIG, "could not read %s: %s", notes->changes.data, strerror(errno));
        goto done;
    }
    while (status == RF_OK && notes->offset + line.size < durable) {
        int byte = getc(file);
        if (byte == EOF) {
            status = rf_fail(err, RF_CONFIG, "%s is shorter than what was recorded of it",
                             notes->changes.data);
            break;
        }
        rf_buf_add_byte(&line, (char)byte);
        if (byte != '\n') {
            continue;
        }
        rf_buf_reset(&shown);
        rf_change_line((struct rf_str){line.data, line.size - 1}, &shown);
        if (fwrite(shown.data, 1, shown.size, stdout) != shown.size || fflush(stdout) != 0) {
            status =
                rf_fail(err, RF_CONFIG, "could not write to standard output: %s", strerror(errno));
            break;
        }
        ++*count;
        status = note_shown(notes, notes->offset + line.size, err);
        rf_buf_reset(&line);
    }

done:
    if (file != NULL) {
        fclose(file);
    }
    rf_buf_deinit(&line);
    rf_buf_deinit(&shown);
    return status;
}

/* ---- Beside the scheduler -------------------------------------------------------------------- */

static enum rf_status place_notes(struct rf_ferry *ferry, struct rf_error *err)
{
    rf_buf_reset(&ferry->directory);
    return rf_notes_directory(&ferry->directory, err);
}

static enum rf_status prepare_notes(struct rf_error *err)
{
    bool made;

    return rf_notes_prepare(PREPARE_MS, &made, err);
}

static enum rf_status configure_notes(struct rf_ferry *ferry, struct rf_error *err)
{
    return rf_notes_configure(ferry->directory.data, ferry->config.data, ferry, err);
}

/* mongocdc runs this pipeline, too. */
static bool is_carried(struct rf_buf *who)
{
    return rf_hold_holder(CONTAINER, who);
}

const struct rf_ferry_line rf_ferry_notes = {
    .name = NAME,
    .title = "the pipeline of notes",
    .source = "mongo",
    .place = place_notes,
    .configure = configure_notes,
    .prepare = prepare_notes,
    .carried = is_carried,
};
