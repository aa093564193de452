#include "source/index.h"

#include "base/memory.h"
#include "source/text.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

enum {
    WIDTH_MIN = 6,
    WIDTH_MAX = 19,
    FILES_MAX = 1000000,
    INDEX_BYTES_MAX = 64 * 1024 * 1024,
};

/* ---- Names --------------------------------------------------------------------------------- */

struct rf_str rf_index_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return rf_str_of(slash ? slash + 1 : path);
}

/* The path up to and with its last slash; empty without one. */
static struct rf_str directory_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? (struct rf_str){path, (size_t)(slash - path) + 1} : RF_STR_NONE;
}

static bool is_number(struct rf_str text)
{
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] < '0' || text.data[i] > '9') {
            return false;
        }
    }
    return text.size >= WIDTH_MIN && text.size <= WIDTH_MAX;
}

bool rf_index_number(struct rf_str name, struct rf_str *base, uint64_t *number)
{
    const char *dot = name.size > 0 ? memrchr(name.data, '.', name.size) : NULL;
    if (dot == NULL) {
        return false;
    }
    *base = (struct rf_str){name.data, (size_t)(dot - name.data)};
    struct rf_str digits = {dot + 1, name.size - base->size - 1};
    return is_number(digits) && rf_str_to_u64(digits, number);
}

bool rf_index_related(struct rf_str a, struct rf_str b)
{
    struct rf_str first, second;
    uint64_t number;
    return rf_index_number(a, &first, &number) && rf_index_number(b, &second, &number) &&
           rf_str_equal(first, second);
}

static void print_path(struct rf_buf *out, struct rf_str before, uint64_t number)
{
    rf_buf_set(out, before);
    rf_buf_printf(out, ".%0*llu", WIDTH_MIN, (unsigned long long)number);
    rf_buf_cstr(out);
}

bool rf_index_next(struct rf_buf *out, const char *path)
{
    struct rf_str name = rf_index_name(path), base;
    uint64_t number;
    if (!rf_index_number(name, &base, &number)) {
        return false;
    }
    print_path(out, (struct rf_str){path, (size_t)(base.data - path) + base.size}, number + 1);
    return true;
}

/* ---- Files --------------------------------------------------------------------------------- */

void rf_index_add(struct rf_index *index, struct rf_str path)
{
    if (index->count == index->capacity) {
        index->capacity = index->capacity ? index->capacity * 2 : 16;
        index->files = rf_realloc(index->files, index->capacity * sizeof *index->files);
    }
    index->files[index->count++] = rf_str_dup(path);
}

void rf_index_deinit(struct rf_index *index)
{
    for (uint32_t i = 0; i < index->count; i++) {
        free(index->files[i]);
    }
    free(index->files);
    free(index->path);
    *index = (struct rf_index){0};
}

int64_t rf_index_find(const struct rf_index *index, struct rf_str name)
{
    for (uint32_t i = 0; i < index->count; i++) {
        if (rf_str_equal(rf_index_name(index->files[i]), name)) {
            return i;
        }
    }
    return -1;
}

static enum rf_status hole(const char *before, const char *missing, const char *behind,
                           struct rf_error *err)
{
    rf_fail(err, RF_FATAL, "a hole in the log: %s is not there, between %s and %s", missing, before,
            behind);
    rf_error_hint(err, "bring the missing file back, or begin behind it");
    return RF_FATAL;
}

/* ---- A server's index ---------------------------------------------------------------------- */

static enum rf_status read_text(const char *path, struct rf_buf *text, struct rf_error *err)
{
    int number = rf_text_read(path, INDEX_BYTES_MAX, text);
    if (number != 0) {
        rf_fail(err, RF_CONFIG, "the index %s could not be read: %s", path, strerror(number));
        if (err != NULL) {
            err->code = number;
        }
        return RF_CONFIG;
    }
    return RF_OK;
}

/* Adds the files that the text lists. Lines without an end are being written. */
static void add_lines(struct rf_index *index, const char *path, struct rf_str text)
{
    struct rf_buf full = {0};
    struct rf_str line;
    const char *end = text.size > 0 ? memrchr(text.data, '\n', text.size) : NULL;
    text.size = end ? (size_t)(end - text.data) : 0;
    while (text.size > 0 && rf_str_split(&text, '\n', &line)) {
        line = rf_str_trim(line);
        if (line.size == 0) {
            continue;
        }
        if (rf_str_starts(line, RF_STR("./"))) {
            line = (struct rf_str){line.data + 2, line.size - 2};
        }
        rf_buf_set(&full, line.data[0] == '/' ? RF_STR_NONE : directory_of(path));
        rf_buf_add_str(&full, line);
        rf_index_add(index, rf_buf_str(&full));
    }
    rf_buf_deinit(&full);
}

static enum rf_status check_numbers(const struct rf_index *index, struct rf_error *err)
{
    struct rf_buf next = {0};
    enum rf_status status = RF_OK;
    for (uint32_t i = 0; i + 1 < index->count && status == RF_OK; i++) {
        const char *path = index->files[i], *behind = index->files[i + 1];
        struct rf_str name = rf_index_name(behind);
        if (rf_index_related(rf_index_name(path), name) && rf_index_next(&next, path) &&
            !rf_str_equal(rf_index_name(next.data), name)) {
            status = hole(path, next.data, behind, err);
        }
    }
    rf_buf_deinit(&next);
    return status;
}

static enum rf_status read_index(struct rf_index *index, const char *path, struct rf_error *err)
{
    struct rf_buf text = {0};
    index->path = rf_str_dup(rf_str_of(path));
    enum rf_status status = read_text(path, &text, err);
    if (status == RF_OK && memchr(text.data ? text.data : "", 0, text.size) != NULL) {
        status = rf_fail(err, RF_CONFIG, "%s is no index of log files: it is not text", path);
    }
    if (status == RF_OK) {
        add_lines(index, path, rf_buf_str(&text));
        status = index->count > 0 ? check_numbers(index, err)
                                  : rf_fail(err, RF_CONFIG, "the index %s lists no log file", path);
    }
    rf_buf_deinit(&text);
    return status;
}

/* ---- Ranges -------------------------------------------------------------------------------- */

static bool exists(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0;
}

static enum rf_status read_range(struct rf_index *index, struct rf_str first, struct rf_str last,
                                 struct rf_error *err)
{
    struct rf_buf path = {0};
    struct rf_str base;
    uint64_t number = 0, end = UINT64_MAX;
    char *begin = rf_str_dup(first);
    enum rf_status status = RF_OK;
    bool numbered = rf_index_number(rf_index_name(begin), &base, &number);
    if (!numbered || (last.size > 0 && (!is_number(last) || !rf_str_to_u64(last, &end))) ||
        end < number || (end != UINT64_MAX && end - number >= FILES_MAX)) {
        status = rf_fail(err, RF_CONFIG, "not a range of log files: %.*s..%.*s", RF_STR_ARG(first),
                         RF_STR_ARG(last));
        rf_error_hint(err, "write dir/bin.000001..000007, or dir/bin.000001.. for all from there");
        goto done;
    }
    struct rf_str before = {begin, (size_t)(base.data - begin) + base.size};
    for (; number <= end && index->count < FILES_MAX; number++) {
        print_path(&path, before, number);
        if (exists(path.data)) {
            rf_index_add(index, rf_buf_str(&path));
        } else if (end == UINT64_MAX && index->count > 0) {
            break;
        } else {
            status = rf_fail(err, index->count > 0 ? RF_FATAL : RF_CONFIG,
                             "%s is not there, but %.*s..%.*s needs it", path.data,
                             RF_STR_ARG(first), RF_STR_ARG(last));
            break;
        }
    }
    if (status == RF_OK && end == UINT64_MAX) {
        struct rf_buf next = {0}, beyond = {0};
        rf_index_look(index, index->files[index->count - 1], &next, &beyond);
        if (beyond.size > 0 && next.size == 0) {
            status = hole(index->files[index->count - 1], path.data, rf_buf_cstr(&beyond), err);
        }
        rf_buf_deinit(&next);
        rf_buf_deinit(&beyond);
    }
done:
    rf_buf_deinit(&path);
    free(begin);
    return status;
}

enum rf_status rf_index_read(struct rf_index *index, const char *text, struct rf_error *err)
{
    struct rf_str name = rf_index_name(text);
    const char *dots = strstr(name.data, "..");
    index->several = true;
    if (name.size > 6 && strcmp(name.data + name.size - 6, ".index") == 0) {
        return read_index(index, text, err);
    }
    if (dots != NULL && !exists(text)) {
        return read_range(index, (struct rf_str){text, (size_t)(dots - text)}, rf_str_of(dots + 2),
                          err);
    }
    index->several = false;
    rf_index_add(index, rf_str_of(text));
    return RF_OK;
}

/* ---- A log that grows ---------------------------------------------------------------------- */

/* The nearest higher number in the directory, behind the next one. */
static uint64_t look_beyond(const char *path, struct rf_str base, uint64_t number)
{
    uint64_t nearest = 0, other;
    struct rf_str directory = directory_of(path), name;
    char *place = directory.size > 0 ? rf_str_dup(directory) : rf_str_dup(RF_STR("."));
    DIR *stream = opendir(place);
    for (struct dirent *entry; stream != NULL && (entry = readdir(stream)) != NULL;) {
        if (rf_index_number(rf_str_of(entry->d_name), &name, &other) && rf_str_equal(name, base) &&
            other > number + 1 && (nearest == 0 || other < nearest)) {
            nearest = other;
        }
    }
    if (stream != NULL) {
        closedir(stream);
    }
    free(place);
    return nearest;
}

static void look_in_index(const struct rf_index *index, struct rf_str name, struct rf_buf *next)
{
    struct rf_index now = {0};
    struct rf_buf text = {0};
    if (read_text(index->path, &text, NULL) == RF_OK) {
        add_lines(&now, index->path, rf_buf_str(&text));
        int64_t at = rf_index_find(&now, name);
        if (at >= 0 && exists(now.files[at])) {
            rf_buf_set(next, rf_str_of(now.files[at]));
            rf_buf_cstr(next);
        }
    }
    rf_buf_deinit(&text);
    rf_index_deinit(&now);
}

void rf_index_look(const struct rf_index *index, const char *path, struct rf_buf *next,
                   struct rf_buf *beyond)
{
    struct rf_str base;
    uint64_t number;
    rf_buf_reset(beyond);
    if (!rf_index_number(rf_index_name(path), &base, &number) || !rf_index_next(next, path)) {
        rf_buf_reset(next);
        return;
    }
    if (exists(next->data)) {
        return;
    }
    struct rf_buf name = {0};
    rf_buf_set(&name, rf_index_name(next->data));
    rf_buf_reset(next);
    if (index->path != NULL) {
        look_in_index(index, rf_buf_str(&name), next);
    }
    uint64_t nearest = next->size == 0 ? look_beyond(path, base, number) : 0;
    if (nearest > 0) {
        print_path(beyond, base, nearest);
    }
    rf_buf_deinit(&name);
}
