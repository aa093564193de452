/* Source `binlog`: one log file of a MariaDB server, from its beginning to its end.
 *
 * A file that ends between two events is whole as far as it goes: it may be the one that a running
 * server writes to, and a transaction that it does not finish is left out. A file that ends inside
 * an event is damaged. Relay logs are read too; offsets are those of the file in hand, whatever its
 * events say. A place to begin is looked for from the top, unless the position has it. */
#include "base/clock.h"
#include "base/memory.h"
#include "source/transaction.h"

#include <rowferry/source.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    WINDOW = 1024 * 1024,
    POLL_MS = 100, /* how soon an interrupt is seen while a pipe is empty */
    PIPE_EVENT_MAX = 1 << 30,
    OPEN_MS = 10 * 1000,
};

enum folding { UNKNOWN, OFF, STORED_FOLDED, COMPARED_FOLDED }; /* as the choices below */

struct state {
    const char *path;
    struct rf_list tables, skip;
    int32_t folding; /* enum folding */

    struct rf_pick pick;
    struct rf_pick loose; /* folded, as long as nobody says how names are compared */
    struct rf_skips skips;
    struct rf_assembly assembly;
    struct rf_str name; /* of the file, without directories */
    int file;           /* descriptor plus 1 */
    bool regular;
    bool foreign; /* it is no log file at all */
    atomic_bool interrupted;
    char *data;
    size_t capacity;
    size_t start;    /* of the event that is handed out, or will be next */
    size_t handed;   /* its size, once it was handed out */
    size_t end;      /* of what was read */
    uint64_t offset; /* in the file, of data[start] */
    uint32_t created;
};

static const struct rf_option options[] = {
    {"path", RF_OPTION_TEXT, offsetof(struct state, path), NULL, NULL, "the log file", true},
    {"tables", RF_OPTION_LIST, offsetof(struct state, tables), NULL, NULL,
     "database.table patterns with *, a leading - leaves out; none: all tables", false},
    {"skip", RF_OPTION_LIST, offsetof(struct state, skip), NULL, NULL, RF_SKIPS_HELP, false},
    {"lower_case_table_names", RF_OPTION_CHOICE, offsetof(struct state, folding), "unknown",
     "unknown|0|1|2",
     "how the server compares names, as its variable of this name says; a file does not say it",
     false},
    RF_OPTION_END,
};

/* ---- Bytes --------------------------------------------------------------------------------- */

/* A pipe may have nothing for a while. Returns RF_OK, RF_AGAIN or RF_RETRY. */
static enum rf_status wait_pipe(struct state *state, int64_t deadline_ms, struct rf_error *err)
{
    struct pollfd pollfd = {.fd = state->file - 1, .events = POLLIN};
    for (;;) {
        if (atomic_load(&state->interrupted)) {
            return rf_fail(err, RF_RETRY, "%s: interrupted", state->path);
        }
        int64_t left_ms = deadline_ms - rf_clock_ms();
        int ready = poll(&pollfd, 1, left_ms <= 0 ? 0 : left_ms < POLL_MS ? (int)left_ms : POLL_MS);
        if (ready > 0) {
            return RF_OK;
        }
        if (ready < 0 && errno != EINTR) {
            return rf_fail(err, RF_RETRY, "%s: %s", state->path, strerror(errno));
        }
        if (left_ms <= 0) {
            return RF_AGAIN;
        }
    }
}

static void make_room(struct state *state, size_t need)
{
    if (state->start > 0) {
        memmove(state->data, state->data + state->start, state->end - state->start);
        state->end -= state->start;
        state->start = 0;
    }
    /* A large event is read whole, and its memory is given back behind it. */
    size_t capacity = need <= WINDOW ? WINDOW : (need + WINDOW - 1) / WINDOW * WINDOW;
    bool much = state->capacity > 4 * WINDOW && capacity == WINDOW && state->end <= WINDOW;
    if (state->capacity < need || state->data == NULL || much) {
        state->data = rf_realloc(state->data, capacity);
        state->capacity = capacity;
    }
}

/* Makes `need` bytes available from start on. Returns RF_OK, also when the file ends before (*had
 * says how many there are); RF_AGAIN; RF_RETRY; RF_FATAL (it cannot be read). */
static enum rf_status fill(struct state *state, size_t need, int64_t deadline_ms, size_t *had,
                           struct rf_error *err)
{
    while (state->end - state->start < need) {
        if (!state->regular) {
            enum rf_status status = wait_pipe(state, deadline_ms, err);
            if (status != RF_OK) {
                return status;
            }
        }
        make_room(state, need);
        ssize_t got = read(state->file - 1, state->data + state->end, state->capacity - state->end);
        if (got < 0 && errno != EINTR && errno != EAGAIN) {
            rf_fail(err, RF_FATAL, "%s could not be read at %llu: %s", state->path,
                    (unsigned long long)(state->offset + state->end - state->start),
                    strerror(errno));
            err->code = errno;
            return RF_FATAL;
        }
        if (got == 0) {
            break;
        }
        state->end += got > 0 ? (size_t)got : 0;
    }
    *had = state->end - state->start;
    return RF_OK;
}

/* ---- Events -------------------------------------------------------------------------------- */

static enum rf_status truncated(const struct state *state, size_t had, uint64_t size,
                                struct rf_error *err)
{
    return rf_fail(err, RF_FATAL, "%s is truncated: the event at %llu has %zu of its %llu bytes",
                   state->path, (unsigned long long)state->offset, had, (unsigned long long)size);
}

/* A damaged size must not make us reserve gigabytes. */
static bool exceeds(const struct state *state, uint64_t size)
{
    struct stat status;
    if (!state->regular) {
        return size > PIPE_EVENT_MAX;
    }
    return fstat(state->file - 1, &status) != 0 || state->offset + size > (uint64_t)status.st_size;
}

static enum rf_status peek(struct state *state, int64_t deadline_ms, struct rf_str *event,
                           struct rf_binlog_header *header, struct rf_error *err)
{
    size_t had;
    state->start += state->handed;
    state->offset += state->handed;
    state->handed = 0;
    *event = RF_STR_NONE;
    enum rf_status status = fill(state, RF_BINLOG_HEADER_SIZE, deadline_ms, &had, err);
    if (status != RF_OK || had == 0) {
        return status;
    }
    if (had < RF_BINLOG_HEADER_SIZE) {
        return truncated(state, had, RF_BINLOG_HEADER_SIZE, err);
    }
    struct rf_str bytes = {state->data + state->start, had};
    status = rf_binlog_header_parse(bytes, header, err);
    if (status != RF_OK) {
        return rf_error_wrap(err, "%s at %llu", state->path, (unsigned long long)state->offset);
    }
    if (had < header->size) {
        if (exceeds(state, header->size)) {
            return truncated(state, had, header->size, err);
        }
        status = fill(state, header->size, deadline_ms, &had, err);
        if (status != RF_OK) {
            return status;
        }
        if (had < header->size) {
            return truncated(state, had, header->size, err);
        }
    }
    *event = (struct rf_str){state->data + state->start, header->size};
    return RF_OK;
}

static uint64_t take(struct state *state, size_t size)
{
    state->handed = size;
    return state->offset + size;
}

/* rf_event_finder. A ROTATE says where the writer went on, which is not where we do. */
static enum rf_status find(void *reader, int64_t deadline_ms, struct rf_str *event, uint64_t *end,
                           struct rf_error *err)
{
    struct state *state = reader;
    struct rf_binlog_header header;
    struct rf_str body;
    for (;;) {
        enum rf_status status = peek(state, deadline_ms, event, &header, err);
        if (status != RF_OK || event->data == NULL) {
            return status;
        }
        *end = take(state, event->size);
        state->assembly.created = state->created;
        if (header.type != RF_BINLOG_ROTATE) {
            return RF_OK;
        }
        status = rf_binlog_body(&state->assembly.format, &header, *event, &body, err);
        if (status != RF_OK) {
            return rf_error_wrap(err, "%s at %llu", state->path,
                                 (unsigned long long)(*end - event->size));
        }
        rf_assembly_turn(&state->assembly, state->name);
    }
}

/* ---- Opening ------------------------------------------------------------------------------- */

static enum rf_status open_file(struct state *state, struct rf_error *err)
{
    struct stat status;
    int fd = strcmp(state->path, "-") == 0 ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0)
                                           : open(state->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    state->file = fd + 1;
    if (fd < 0 || fstat(fd, &status) != 0) {
        rf_fail(err, RF_CONFIG, "%s could not be opened: %s", state->path, strerror(errno));
        err->code = errno;
        return RF_CONFIG;
    }
    if (S_ISDIR(status.st_mode)) {
        return rf_fail(err, RF_CONFIG, "%s is a directory, not a log file", state->path);
    }
    state->regular = S_ISREG(status.st_mode);
    const char *slash = strrchr(state->path, '/');
    state->name = rf_str_of(slash ? slash + 1 : state->path);
    return RF_OK;
}

static enum rf_status add_patterns(struct state *state, struct rf_error *err)
{
    enum rf_status status = RF_OK;
    for (uint32_t i = 0; i < state->tables.count && status == RF_OK; i++) {
        status = rf_pick_add(&state->pick, rf_str_of(state->tables.items[i]), err);
        if (status == RF_OK) {
            status = rf_pick_add(&state->loose, rf_str_of(state->tables.items[i]), err);
        }
    }
    rf_pick_fold(&state->loose);
    if (state->folding == UNKNOWN) {
        state->assembly.loose = &state->loose;
    } else if (state->folding != OFF) {
        rf_pick_fold(&state->pick);
    }
    return status;
}

/* Magic and the events that describe the file. Leaves it in front of the first transaction. */
static enum rf_status read_head(struct state *state, int64_t deadline_ms, struct rf_error *err)
{
    size_t had;
    enum rf_status status = fill(state, RF_BINLOG_MAGIC_SIZE, deadline_ms, &had, err);
    if (status == RF_OK) {
        status = rf_binlog_magic_check(
            (struct rf_str){state->data + state->start,
                            had < RF_BINLOG_MAGIC_SIZE ? had : RF_BINLOG_MAGIC_SIZE},
            err);
        state->foreign = status != RF_OK;
    }
    if (status != RF_OK) {
        return rf_error_wrap(err, "%s", state->path);
    }
    take(state, RF_BINLOG_MAGIC_SIZE);
    rf_assembly_turn(&state->assembly, state->name);
    state->assembly.from_top = true;
    for (bool first = true;; first = false) {
        struct rf_binlog_header header;
        struct rf_str event;
        status = peek(state, deadline_ms, &event, &header, err);
        if (status == RF_OK && first &&
            (event.data == NULL || header.type != RF_BINLOG_FORMAT_DESCRIPTION)) {
            status = rf_fail(err, RF_FATAL, "%s does not begin with a description of its format",
                             state->path);
        }
        bool describes = header.type == RF_BINLOG_FORMAT_DESCRIPTION ||
                         header.type == RF_BINLOG_GTID_LIST ||
                         header.type == RF_BINLOG_START_ENCRYPTION;
        if (status != RF_OK || event.data == NULL || !describes) {
            return status;
        }
        uint64_t end = take(state, event.size);
        status = rf_assembly_take(&state->assembly, event, end, err);
        if (status != RF_OK) {
            return status;
        }
        if (first) {
            state->created = state->assembly.created;
            if (!state->assembly.format.mariadb) {
                return rf_fail(err, RF_FATAL,
                               "%s is a log of MySQL (%s); only MariaDB's are read yet",
                               state->path, state->assembly.format.server_version);
            }
        }
        state->assembly.created = state->created;
    }
}

static void stand_at_top(struct state *state)
{
    struct rf_position *position = &state->assembly.position;
    rf_buf_set(&position->file, state->name);
    position->end = RF_BINLOG_MAGIC_SIZE;
    position->server_id = state->assembly.server_id;
    position->created = state->created;
}

/* Reads on until the transaction at hand is over and `offset` is reached. */
static enum rf_status read_on(struct state *state, uint64_t offset, int64_t deadline_ms,
                              struct rf_error *err)
{
    struct rf_assembly *assembly = &state->assembly;
    while (state->offset + state->handed < offset || assembly->mode == RF_ASSEMBLY_VERIFY) {
        struct rf_str event;
        uint64_t end;
        enum rf_status status = find(state, deadline_ms, &event, &end, err);
        if (status == RF_OK && event.data != NULL) {
            status = rf_assembly_take(assembly, event, end, err);
        }
        if (status != RF_OK) {
            return status;
        }
        if (event.data == NULL) {
            return rf_fail(err, assembly->mode == RF_ASSEMBLY_VERIFY ? RF_FATAL : RF_CONFIG,
                           "%s ends at %llu, before the position's end at %llu", state->path,
                           (unsigned long long)state->offset, (unsigned long long)offset);
        }
    }
    if (state->offset + state->handed == offset && !assembly->open) {
        return RF_OK;
    }
    rf_fail(err, RF_CONFIG, "%s: no transaction begins at %llu", state->path,
            (unsigned long long)offset);
    rf_error_hint(err, "one begins at %llu", (unsigned long long)assembly->start);
    return RF_CONFIG;
}

/* From the top to a place that a person named, so that the GTIDs before it are known. */
static enum rf_status begin_at(struct state *state, const struct rf_position *place,
                               int64_t deadline_ms, struct rf_error *err)
{
    if (!rf_str_equal(rf_buf_str(&place->file), state->name)) {
        return rf_fail(err, RF_CONFIG, "%s is not the file %.*s", state->path,
                       RF_STR_ARG(rf_buf_str(&place->file)));
    }
    state->assembly.adopts_list = true;
    enum rf_status status = read_head(state, deadline_ms, err);
    stand_at_top(state);
    if (status != RF_OK || place->end <= state->offset + state->handed) {
        return status;
    }
    state->assembly.mode = RF_ASSEMBLY_ADVANCE;
    status = read_on(state, place->end, deadline_ms, err);
    state->assembly.mode = RF_ASSEMBLY_TAKE;
    return status;
}

/* Behind a position of this very file: its last transaction is read again and compared. */
static enum rf_status resume(struct state *state, const struct rf_position *position,
                             int64_t deadline_ms, struct rf_error *err)
{
    struct rf_assembly *assembly = &state->assembly;
    uint64_t offset = position->has_last ? position->start : position->end;
    rf_position_copy(&assembly->position, position);
    assembly->must_created = position->created;
    enum rf_status status = read_head(state, deadline_ms, err);
    bool at_top = !position->has_last && offset <= state->offset + state->handed;
    if (status != RF_OK || at_top) {
        return status;
    }
    if (lseek(state->file - 1, (off_t)offset, SEEK_SET) < 0) {
        return rf_fail(err, RF_FATAL, "%s: no way to go to %llu: %s", state->path,
                       (unsigned long long)offset, strerror(errno));
    }
    state->start = state->end = state->handed = 0;
    state->offset = offset;
    assembly->next = offset;
    if (!position->has_last) {
        return RF_OK;
    }
    assembly->mode = RF_ASSEMBLY_VERIFY;
    rf_position_copy(&assembly->expected, position);
    return read_on(state, position->end, deadline_ms, err);
}

/* Another file of the same log, or a pipe: the GTIDs say what of it is new. */
static enum rf_status skip_seen(struct state *state, const struct rf_position *position,
                                int64_t deadline_ms, struct rf_error *err)
{
    rf_position_copy(&state->assembly.position, position);
    state->assembly.mode = RF_ASSEMBLY_SKIP;
    return read_head(state, deadline_ms, err);
}

static enum rf_status begin(struct state *state, const struct rf_start *start, int64_t deadline_ms,
                            struct rf_error *err)
{
    const struct rf_position *position = &start->position;
    enum rf_status status;
    switch (start->kind) {
    case RF_START_PLACE: return begin_at(state, position, deadline_ms, err);
    case RF_START_GTIDS: return skip_seen(state, position, deadline_ms, err);
    case RF_START_POSITION:
        return state->regular && rf_str_equal(rf_buf_str(&position->file), state->name)
                   ? resume(state, position, deadline_ms, err)
                   : skip_seen(state, position, deadline_ms, err);
    case RF_START_NOW: /* a file has no "now": what is in it lies ahead */
    case RF_START_EARLIEST: break;
    }
    state->assembly.adopts_list = true;
    status = read_head(state, deadline_ms, err);
    stand_at_top(state);
    return status;
}

static enum rf_status binlog_open(void *memory, const struct rf_context *ctx,
                                  struct rf_buf *position, struct rf_error *err)
{
    struct state *state = memory;
    struct rf_start start = {0};
    int64_t deadline_ms =
        rf_clock_ms() + (ctx->connect_timeout_ms > 0 ? ctx->connect_timeout_ms : OPEN_MS);
    struct rf_str from = position->size > 0 ? rf_buf_str(position) : ctx->from;
    state->assembly.pick = &state->pick;
    state->assembly.skips = &state->skips;
    state->assembly.records.spill.directory = ctx->spill_directory;
    enum rf_status status = rf_start_parse(&start, from.size > 0 ? from : RF_STR("earliest"), err);
    if (status == RF_OK) {
        status = rf_skips_read(&state->skips, &state->skip, err);
    }
    if (status == RF_OK) {
        status = add_patterns(state, err);
    }
    if (status == RF_OK) {
        status = open_file(state, err);
    }
    if (status == RF_OK) {
        status = begin(state, &start, deadline_ms, err);
    }
    if (state->foreign && start.kind != RF_START_POSITION) {
        status = RF_CONFIG; /* the wrong file was named; nothing of it was ever read */
        if (err != NULL) {
            err->status = status;
        }
    }
    if (status == RF_AGAIN) {
        status = rf_fail(err, RF_RETRY, "%s: nothing came", state->path);
        err->connect = true;
    }
    if (status == RF_OK) {
        rf_buf_reset(position);
        rf_position_print(position, &state->assembly.position);
    }
    rf_position_deinit(&start.position);
    return status;
}

static enum rf_status binlog_read(void *memory, struct rf_batch *batch, int64_t deadline_ms,
                                  struct rf_error *err)
{
    struct state *state = memory;
    if (atomic_load(&state->interrupted)) {
        return rf_fail(err, RF_RETRY, "%s: interrupted", state->path);
    }
    return rf_assembly_fill(&state->assembly, batch, deadline_ms, find, state, err);
}

static void binlog_close(void *memory)
{
    struct state *state = memory;
    rf_assembly_deinit(&state->assembly);
    rf_pick_deinit(&state->pick);
    rf_pick_deinit(&state->loose);
    rf_skips_deinit(&state->skips);
    if (state->file > 0) {
        close(state->file - 1);
    }
    free(state->data);
    state->data = NULL;
    state->file = 0;
}

static void binlog_interrupt(void *memory)
{
    struct state *state = memory;
    atomic_store(&state->interrupted, true);
}

const struct rf_source_type rf_source_binlog = {
    .name = "binlog",
    .summary = "one log file of a MariaDB server, from its beginning to its end",
    .example = "binlog:/var/lib/mysql/mysql-bin.000042",
    .state_size = sizeof(struct state),
    .options = options,
    .open = binlog_open,
    .read = binlog_read,
    .close = binlog_close,
    .interrupt = binlog_interrupt,
    .contains = rf_position_contains,
};
