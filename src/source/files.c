#include "source/files.h"

#include "base/clock.h"

#include <stdlib.h>
#include <string.h>

enum { LOOK_MS = 1000 }; /* how often a whole directory is looked through for what comes next */

/* ---- From file to file --------------------------------------------------------------------- */

static enum rf_status open_file(struct rf_files *files, const char *path, struct rf_error *err)
{
    files->created = 0;
    files->described = false;
    files->complete = false;
    files->at_end = false;
    files->hole_ms = 0;
    rf_buf_reset(&files->rotated);
    return rf_log_file_open(&files->file, path, err);
}

/* The magic number. Returns RF_OK; RF_AGAIN (a file that is being begun); RF_FATAL. */
static enum rf_status read_magic(struct rf_files *files, int64_t deadline_ms, struct rf_error *err)
{
    struct rf_log_file *file = &files->file;
    size_t had;
    enum rf_status status = rf_log_file_fill(file, RF_BINLOG_MAGIC_SIZE, deadline_ms, &had, err);
    if (status != RF_OK) {
        return status;
    }
    if (had < RF_BINLOG_MAGIC_SIZE && files->follow && file->regular) {
        status = rf_log_file_wait(file, deadline_ms, err);
        return status == RF_OK ? RF_AGAIN : status;
    }
    struct rf_str magic = {file->data + file->start,
                           had < RF_BINLOG_MAGIC_SIZE ? had : RF_BINLOG_MAGIC_SIZE};
    status = rf_binlog_magic_check(magic, err);
    if (status != RF_OK) {
        files->foreign = true;
        return rf_error_wrap(err, "%s", file->path);
    }
    rf_log_file_take(file, RF_BINLOG_MAGIC_SIZE);
    files->assembly->server_id = 0;
    rf_assembly_turn(files->assembly, file->name);
    files->assembly->from_top = true;
    return RF_OK;
}

static enum rf_status no_description(const struct rf_files *files, struct rf_error *err)
{
    return rf_fail(err, RF_FATAL, "%s does not begin with a description of its format",
                   files->file.path);
}

/* The first event, which says how the others are to be read. */
static enum rf_status check_description(struct rf_files *files,
                                        const struct rf_binlog_header *header, struct rf_str event,
                                        struct rf_error *err)
{
    struct rf_binlog_format format = {0};
    if (header->type != RF_BINLOG_FORMAT_DESCRIPTION) {
        return no_description(files, err);
    }
    enum rf_status status = rf_binlog_format_parse(event, &format, err);
    if (status != RF_OK) {
        return rf_error_wrap(err, "%s at %llu", files->file.path,
                             (unsigned long long)files->file.offset);
    }
    files->created = header->timestamp;
    files->described = true;
    return RF_OK;
}

/* What a file says lies before it. */
static bool is_list(unsigned type)
{
    return type == RF_BINLOG_GTID_LIST || type == RF_BINLOG_MYSQL_PREVIOUS_GTIDS;
}

static enum rf_status parse_list(struct rf_gtids *list, unsigned type, struct rf_str body,
                                 struct rf_error *err)
{
    list->mysql = type == RF_BINLOG_MYSQL_PREVIOUS_GTIDS;
    return list->mysql ? rf_gtid_set_decode(&list->set, body, err)
                       : rf_gtid_list_event_parse(body, &list->list, err);
}

/* What the list has where it lacks something that was read, and what that is, as text; false when
 * it lacks nothing. In a MariaDB log, which says only the last transaction of each domain, that can
 * be said of the domains that it names. */
static bool find_missing(const struct rf_gtids *list, const struct rf_gtids *before,
                         struct rf_buf *text)
{
    struct rf_gtid_set missing = {0};
    rf_gtid_set_copy(&missing, &before->set);
    rf_gtid_set_subtract(&missing, &list->set);
    if (missing.count > 0) {
        rf_gtid_set_print(text, &list->set);
        rf_buf_add_str(text, RF_STR(", but "));
        rf_gtid_set_print(text, &missing);
    }
    rf_gtid_set_deinit(&missing);
    for (uint32_t i = 0; i < list->list.count && text->size == 0; i++) {
        struct rf_gtid theirs = list->list.items[i];
        const struct rf_gtid *ours = rf_gtid_list_find(&before->list, theirs.domain);
        if (ours != NULL && ours->sequence > theirs.sequence) {
            rf_gtid_print(text, theirs);
            rf_buf_add_str(text, RF_STR(", but "));
            rf_gtid_print(text, *ours);
        }
    }
    return text->size > 0;
}

/* A file that is read on from the one before it: nothing of what was read may be missing from what
 * lies before it. (What it has and we have not, the assembly finds.) */
static enum rf_status check_list(const struct rf_files *files, unsigned type, struct rf_str body,
                                 struct rf_error *err)
{
    const struct rf_assembly *assembly = files->assembly;
    const struct rf_gtids *before =
        assembly->mode == RF_ASSEMBLY_SKIP ? &assembly->read : &assembly->position.gtids;
    struct rf_gtids list = {0};
    struct rf_buf text = {0};
    enum rf_status status = parse_list(&list, type, body, err);
    if (status == RF_OK && files->leapt &&
        (assembly->position.by_place || !rf_gtids_contain(&list, before))) {
        rf_fail(err, RF_FATAL, "%s is not of the log that was read so far, whose files are gone",
                files->file.path);
        status = rf_assembly_mismatch(err);
    }
    if (status == RF_OK && find_missing(&list, before, &text)) {
        rf_fail(err, RF_FATAL,
                "%s does not go on where the file before it ended: it begins behind %s was read",
                files->file.path, rf_buf_cstr(&text));
        status = rf_assembly_mismatch(err);
    }
    rf_gtids_deinit(&list);
    rf_buf_deinit(&text);
    return status;
}

static enum rf_status turn_to(struct rf_files *files, const char *path, struct rf_error *err)
{
    struct rf_str name = rf_index_name(path), said = rf_buf_str(&files->rotated);
    if (!files->described) {
        return no_description(files, err);
    }
    if (rf_index_related(said, name) && !rf_str_equal(said, name) && !files->leapt) {
        rf_fail(err, RF_FATAL, "a hole in the log: %s goes on in %.*s, but %s comes next",
                files->file.path, RF_STR_ARG(said), path);
        rf_error_hint(err, "bring the missing files back, or begin behind them");
        return RF_FATAL;
    }
    rf_assembly_turn(files->assembly, RF_STR_NONE);
    enum rf_status status = open_file(files, path, err);
    if (status == RF_CONFIG) {
        rf_fail(err, RF_FATAL, "a hole in the log: %s, which comes next, could not be opened: %s",
                path, strerror(err != NULL ? err->code : 0));
        rf_error_hint(err, "bring the missing file back, or begin behind it");
        return RF_FATAL;
    }
    files->continues = status == RF_OK;
    return status;
}

/* What comes behind the file in hand, in a log that grows: its path in `next`. */
static enum rf_status look_for_next(struct rf_files *files, struct rf_error *err)
{
    const char *path = files->file.path;
    struct rf_buf beyond = {0};
    bool gone;
    int64_t now_ms = rf_clock_ms();
    enum rf_status status = rf_log_file_check(&files->file, &gone, err);
    if (status != RF_OK) {
        return status;
    }
    rf_buf_reset(&files->next);
    if (!gone && now_ms < files->looked_ms + LOOK_MS && files->rotated.size == 0) {
        return RF_OK;
    }
    files->looked_ms = now_ms;
    rf_index_look(&files->index, path, &files->next, &beyond);
    bool hole = files->next.size == 0 && beyond.size > 0;
    if (!hole) {
        files->hole_ms = 0;
    } else if (files->hole_ms == 0) {
        files->hole_ms = now_ms; /* it may be on its way */
    } else if (now_ms >= files->hole_ms + LOOK_MS && gone) {
        rf_buf_set(&files->next, rf_str_of(path));
        files->next.size -= rf_index_name(path).size;
        rf_buf_add_str(&files->next, rf_buf_str(&beyond));
        rf_buf_cstr(&files->next);
        files->leapt = true;
    } else if (now_ms >= files->hole_ms + LOOK_MS) {
        rf_fail(err, RF_FATAL, "a hole in the log: the file behind %s is not there, but %s is",
                path, rf_buf_cstr(&beyond));
        rf_error_hint(err, "bring the missing file back, or begin behind it");
        status = RF_FATAL;
    }
    if (files->next.size == 0 && !hole && gone) {
        rf_fail(err, RF_FATAL, "%s was deleted while it was read, and no file comes behind it",
                path);
        status = rf_assembly_mismatch(err);
    }
    rf_buf_deinit(&beyond);
    return status;
}

/* At the end of a file that is followed. Returns RF_OK (look at it again, or at the next one),
 * RF_AGAIN, RF_RETRY, RF_FATAL. */
static enum rf_status follow(struct rf_files *files, uint64_t missing, int64_t deadline_ms,
                             struct rf_error *err)
{
    enum rf_status status;
    if (files->complete) {
        if (missing > 0) {
            return rf_log_file_truncated(&files->file, missing, err);
        }
        char *path = files->next.data;
        files->next = (struct rf_buf){0};
        status = turn_to(files, path, err);
        rf_index_add(&files->index, rf_str_of(path));
        files->at = files->index.count - 1;
        free(path);
        return status;
    }
    status = look_for_next(files, err);
    if (status == RF_OK && files->next.size > 0) {
        /* It was begun when this one was closed: what came until then is read first. */
        files->complete = true;
        return RF_OK;
    }
    bool at_end = missing == 0 && files->described;
    bool news = status == RF_OK && at_end && !files->at_end; /* worth saying at once */
    files->at_end = at_end;
    if (news) {
        return RF_AGAIN;
    }
    return status == RF_OK ? rf_log_file_wait(&files->file, deadline_ms, err) : status;
}

/* At the end of a file. *ended: there is nothing more, ever. */
static enum rf_status go_on(struct rf_files *files, uint64_t missing, int64_t deadline_ms,
                            bool *ended, struct rf_error *err)
{
    *ended = false;
    if (files->file.regular && files->follow && files->at + 1 >= files->index.count) {
        return follow(files, missing, deadline_ms, err);
    }
    if (missing > 0) {
        return rf_log_file_truncated(&files->file, missing, err);
    }
    if (files->at + 1 < files->index.count) {
        files->at++;
        return turn_to(files, files->index.files[files->at], err);
    }
    *ended = files->described;
    return files->described ? RF_OK : no_description(files, err);
}

/* ---- Events -------------------------------------------------------------------------------- */

static enum rf_status look_inside(struct rf_files *files, const struct rf_binlog_header *header,
                                  struct rf_str event, struct rf_error *err)
{
    struct rf_binlog_rotate rotate;
    struct rf_str body;
    enum rf_status status = rf_binlog_body(&files->assembly->format, header, event, &body, err);
    if (status == RF_OK && is_list(header->type)) {
        files->continues = false;
        status = check_list(files, header->type, body, err);
        files->leapt = false;
    } else if (status == RF_OK) {
        status = rf_binlog_rotate_parse(body, &rotate, err);
        if (status == RF_OK && rf_index_related(rotate.file, files->file.name)) {
            rf_buf_set(&files->rotated, rotate.file);
        }
    }
    return status == RF_OK ? status
                           : rf_error_wrap(err, "%s at %llu", files->file.path,
                                           (unsigned long long)files->file.offset);
}

/* Takes what `peek` found. *handed: it is for the assembly; a ROTATE says where the writer went on,
 * which is not where we do. */
static enum rf_status take(struct rf_files *files, const struct rf_binlog_header *header,
                           struct rf_str event, uint64_t *end, bool *handed, struct rf_error *err)
{
    enum rf_status status = RF_OK;
    if (!files->described) {
        status = check_description(files, header, event, err);
    } else if (header->type == RF_BINLOG_ROTATE || (is_list(header->type) && files->continues)) {
        status = look_inside(files, header, event, err);
    } else if (files->leapt && header->type != RF_BINLOG_START_ENCRYPTION) {
        status = rf_fail(err, RF_FATAL,
                         "a hole in the log: %s does not say what lies before it, and the files in "
                         "front of it are gone",
                         files->file.path);
    }
    *end = rf_log_file_take(&files->file, event.size);
    files->assembly->created = files->created;
    files->at_end = false;
    *handed = header->type != RF_BINLOG_ROTATE;
    if (status == RF_OK && !*handed) {
        rf_assembly_turn(files->assembly, files->file.name);
        files->assembly->created = files->created;
    }
    return status;
}

/* Nearly every event: it lies in memory, and says nothing of files. */
static bool find_ready(struct rf_files *files, struct rf_str *event, uint64_t *end)
{
    if (!files->described || files->leapt || !rf_log_file_peek_ready(&files->file, event)) {
        return false;
    }
    uint8_t type = rf_binlog_header_type(event->data);
    if (type == RF_BINLOG_ROTATE || (files->continues && is_list(type))) {
        return false;
    }
    *end = rf_log_file_take(&files->file, event->size);
    files->assembly->created = files->created;
    files->at_end = false;
    return true;
}

enum rf_status rf_files_find(void *reader, int64_t deadline_ms, struct rf_str *event, uint64_t *end,
                             struct rf_error *err)
{
    struct rf_files *files = reader;
    struct rf_binlog_header header;
    uint64_t missing;
    files->deadline_ms = deadline_ms;
    if (__builtin_expect(find_ready(files, event, end), 1)) {
        return RF_OK;
    }
    for (;;) {
        bool handed = false, ended = false;
        enum rf_status status = RF_OK;
        if (rf_log_file_offset(&files->file) == 0) {
            status = read_magic(files, deadline_ms, err);
        }
        if (status == RF_OK) {
            status = rf_log_file_peek(&files->file, deadline_ms, event, &header, &missing, err);
        }
        if (status == RF_OK && event->data == NULL) {
            status = go_on(files, missing, deadline_ms, &ended, err);
        } else if (status == RF_OK) {
            status = take(files, &header, *event, end, &handed, err);
        }
        if (status != RF_OK || handed || ended) {
            return status;
        }
    }
}

/* ---- For opening --------------------------------------------------------------------------- */

enum rf_status rf_files_open(struct rf_files *files, uint32_t at, struct rf_error *err)
{
    files->at = at;
    files->assembly->format = (struct rf_binlog_format){0};
    return open_file(files, files->index.files[at], err);
}

enum rf_status rf_files_head(struct rf_files *files, int64_t deadline_ms, struct rf_error *err)
{
    enum rf_status status;
    do {
        status = read_magic(files, deadline_ms, err);
    } while (status == RF_AGAIN && rf_clock_ms() < deadline_ms);
    while (status == RF_OK) {
        struct rf_binlog_header header = {0};
        struct rf_str event;
        uint64_t missing, end;
        bool handed;
        status = rf_log_file_peek(&files->file, deadline_ms, &event, &header, &missing, err);
        if (status == RF_OK && event.data == NULL && !files->described && missing == 0 &&
            !(files->follow && files->file.regular)) {
            return no_description(files, err);
        }
        if (status == RF_OK && event.data == NULL) {
            if (files->described && missing == 0) {
                return RF_OK;
            }
            if (!files->follow || !files->file.regular) {
                return rf_log_file_truncated(&files->file, missing, err);
            }
            status = rf_log_file_wait(&files->file, deadline_ms, err);
            continue;
        }
        bool describes = header.type == RF_BINLOG_FORMAT_DESCRIPTION || is_list(header.type) ||
                         header.type == RF_BINLOG_START_ENCRYPTION;
        if (status != RF_OK || (files->described && !describes)) {
            return status;
        }
        status = take(files, &header, event, &end, &handed, err);
        if (status == RF_OK) {
            status = rf_assembly_take(files->assembly, event, end, err);
        }
        files->assembly->created = files->created;
    }
    return status;
}

enum rf_status rf_files_step(struct rf_files *files, int64_t deadline_ms, struct rf_error *err)
{
    struct rf_assembly *assembly = files->assembly;
    struct rf_binlog_header header;
    struct rf_str event;
    uint64_t missing, end = 0;
    bool handed = false;
    if (atomic_load(&files->file.interrupted)) {
        return rf_fail(err, RF_RETRY, "%s: interrupted", files->file.path);
    }
    enum rf_status status =
        rf_log_file_peek(&files->file, deadline_ms, &event, &header, &missing, err);
    if (status == RF_OK && event.data != NULL) {
        status = take(files, &header, event, &end, &handed, err);
    }
    if (status == RF_OK && handed) {
        status = rf_assembly_take(assembly, event, end, err);
    }
    if (status == RF_OK && missing > 0) {
        return rf_log_file_truncated(&files->file, missing, err);
    }
    if (status == RF_OK && event.data == NULL) {
        return rf_fail(err, assembly->mode == RF_ASSEMBLY_ADVANCE ? RF_CONFIG : RF_FATAL,
                       "%s ends at %llu, before the place that the position names",
                       files->file.path, (unsigned long long)files->file.offset);
    }
    return status;
}

enum rf_status rf_files_read_on(struct rf_files *files, uint64_t offset, int64_t deadline_ms,
                                struct rf_error *err)
{
    struct rf_assembly *assembly = files->assembly;
    while (rf_log_file_offset(&files->file) < offset || assembly->mode == RF_ASSEMBLY_VERIFY) {
        enum rf_status status = rf_files_step(files, deadline_ms, err);
        if (status != RF_OK) {
            return status;
        }
    }
    if (rf_log_file_offset(&files->file) == offset && !assembly->open) {
        return RF_OK;
    }
    rf_fail(err, RF_CONFIG, "%s: no transaction begins at %llu", files->file.path,
            (unsigned long long)offset);
    rf_error_hint(err, "one begins at %llu", (unsigned long long)assembly->start);
    return RF_CONFIG;
}

void rf_files_deinit(struct rf_files *files)
{
    rf_index_deinit(&files->index);
    rf_log_file_close(&files->file);
    rf_buf_deinit(&files->rotated);
    rf_buf_deinit(&files->next);
}
