#include "engine/options.h"

#include "base/memory.h"
#include "base/nearest.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SECRET_BYTES_MAX = 64 * 1024 };

const struct rf_option rf_sink_common_options[] = {
    {"name", RF_OPTION_TEXT, offsetof(struct rf_sink_common, name), NULL, NULL,
     "the name under which this sink's position is kept, instead of its address", false},
    {"format", RF_OPTION_TEXT, offsetof(struct rf_sink_common, format), NULL, NULL,
     "how events are written; `rowferry formats` lists them", false},
    {"dead_letters", RF_OPTION_TEXT, offsetof(struct rf_sink_common, dead_letters), NULL, NULL,
     "a file that takes the events which this sink refuses, one JSON line each, and it goes on "
     "without them; else such an event ends the pipeline",
     false},
    RF_OPTION_END,
};

/* Room for the value of any option, to check it without a state. */
union scratch {
    const char *text;
    int64_t number;
    int32_t choice;
    bool flag;
    struct rf_list list;
};

/* ---------------------------------------------------------------------------- reading of values */

static bool parse_unit(struct rf_str text, const char *const *names, const int64_t *factors,
                       uint32_t count, int64_t *out)
{
    size_t digits = 0;
    uint64_t number;
    int64_t result;
    text = rf_str_trim(text);
    while (digits < text.size && isdigit((unsigned char)text.data[digits])) {
        digits++;
    }
    if (!rf_str_to_u64((struct rf_str){text.data, digits}, &number) || number > INT64_MAX) {
        return false;
    }
    struct rf_str unit = rf_str_trim((struct rf_str){text.data + digits, text.size - digits});
    for (uint32_t i = 0; i < count; i++) {
        if (rf_str_equal_nocase(unit, rf_str_of(names[i]))) {
            if (__builtin_mul_overflow((int64_t)number, factors[i], &result)) {
                return false;
            }
            *out = result;
            return true;
        }
    }
    return false;
}

bool rf_parse_size(struct rf_str text, int64_t *out)
{
    static const char *const names[] = {"",    "b", "k",  "kb",  "kib", "m",  "mb",
                                        "mib", "g", "gb", "gib", "t",   "tb", "tib"};
    static const int64_t factors[] = {1,       1,         1 << 10,   1 << 10,  1 << 10,
                                      1 << 20, 1 << 20,   1 << 20,   1 << 30,  1 << 30,
                                      1 << 30, 1LL << 40, 1LL << 40, 1LL << 40};
    _Static_assert(sizeof names / sizeof *names == sizeof factors / sizeof *factors, "pairs");
    return parse_unit(text, names, factors, sizeof names / sizeof *names, out);
}

bool rf_parse_duration(struct rf_str text, int64_t *out_ms)
{
    static const char *const names[] = {"", "ms", "s", "m", "min", "h", "d"};
    static const int64_t factors[] = {1, 1, 1000, 60000, 60000, 3600000, 86400000};
    return parse_unit(text, names, factors, sizeof names / sizeof *names, out_ms);
}

bool rf_parse_bool(struct rf_str text, bool *out)
{
    static const char *const names[] = {"on", "off", "yes", "no", "true", "false", "1", "0"};
    for (uint32_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (rf_str_equal_nocase(text, rf_str_of(names[i]))) {
            *out = i % 2 == 0;
            return true;
        }
    }
    return false;
}

static bool parse_number(enum rf_option_kind kind, struct rf_str text, int64_t *out)
{
    switch (kind) {
    case RF_OPTION_SIZE: return rf_parse_size(text, out);
    case RF_OPTION_DURATION: return rf_parse_duration(text, out);
    default: return rf_str_to_i64(text, out);
    }
}

/* "min..max", either of which may be missing. */
static void read_range(const struct rf_option *option, int64_t *min, int64_t *max)
{
    *min = option->kind == RF_OPTION_INT ? INT64_MIN : 0;
    *max = INT64_MAX;
    if (option->choices == NULL) {
        return;
    }
    const char *dots = strstr(option->choices, "..");
    rf_assert(dots != NULL);
    struct rf_str low = {option->choices, (size_t)(dots - option->choices)};
    struct rf_str high = rf_str_of(dots + 2);
    rf_assert(low.size == 0 || parse_number(option->kind, low, min));
    rf_assert(high.size == 0 || parse_number(option->kind, high, max));
}

/* --------------------------------------------------------------------------------- descriptions */

static void describe_range(const struct rf_option *option, const char *what, struct rf_buf *out)
{
    rf_buf_printf(out, "%s", what);
    if (option->choices != NULL) {
        const char *dots = strstr(option->choices, "..");
        int low = (int)(dots - option->choices);
        if (low > 0 && dots[2] != '\0') {
            rf_buf_printf(out, ", %.*s to %s", low, option->choices, dots + 2);
        } else if (low > 0) {
            rf_buf_printf(out, ", at least %.*s", low, option->choices);
        } else {
            rf_buf_printf(out, ", at most %s", dots + 2);
        }
    }
}

void rf_option_describe(const struct rf_option *option, struct rf_buf *out)
{
    struct rf_str rest, choice;
    bool first = true;
    switch (option->kind) {
    case RF_OPTION_TEXT: rf_buf_printf(out, "text"); break;
    case RF_OPTION_SECRET: rf_buf_printf(out, "secret text"); break;
    case RF_OPTION_INT: describe_range(option, "whole number", out); break;
    case RF_OPTION_BOOL: rf_buf_printf(out, "on or off"); break;
    case RF_OPTION_SIZE: describe_range(option, "size such as 64K or 16M", out); break;
    case RF_OPTION_DURATION:
        describe_range(option, "time such as 500ms, 10s, 5m or 2h", out);
        break;
    case RF_OPTION_CHOICE:
        rf_buf_printf(out, "one of ");
        rest = rf_str_of(option->choices);
        while (rf_str_split(&rest, '|', &choice)) {
            rf_buf_printf(out, "%s%.*s", first ? "" : ", ", RF_STR_ARG(choice));
            first = false;
        }
        break;
    case RF_OPTION_LIST: rf_buf_printf(out, "texts separated by commas"); break;
    }
}

/* ------------------------------------------------------------------------------------ one value */

static const char *colon(const char *where)
{
    return where != NULL ? ": " : "";
}
static const char *text_of(const char *where)
{
    return where != NULL ? where : "";
}

static enum rf_status refuse_value(const struct rf_option *option, const struct rf_setting *setting,
                                   struct rf_error *err)
{
    struct rf_buf described = {0};
    rf_option_describe(option, &described);
    /* A value that cannot be read may be a secret in the wrong place; only kinds that hold none
     * get here. */
    enum rf_status status = rf_fail(err, RF_CONFIG, "%s%s%s: \"%s\" is not allowed, it takes: %s",
                                    text_of(setting->where), colon(setting->where), option->name,
                                    setting->value, rf_buf_cstr(&described));
    rf_buf_deinit(&described);
    return status;
}

static bool put_choice(const struct rf_option *option, struct rf_str text, void *field)
{
    struct rf_str rest = rf_str_of(option->choices), choice;
    for (int32_t i = 0; rf_str_split(&rest, '|', &choice); i++) {
        if (rf_str_equal(choice, text)) {
            memcpy(field, &i, sizeof i);
            return true;
        }
    }
    return false;
}

static bool put_list(struct rf_str text, void *field, struct rf_arena *arena)
{
    struct rf_list list = {0};
    struct rf_str rest = text, item;
    uint32_t room = 1;
    for (size_t i = 0; i < text.size; i++) {
        room += text.data[i] == ',';
    }
    list.items = rf_arena_alloc(arena, room * sizeof *list.items);
    while (rest.size > 0 && rf_str_split(&rest, ',', &item)) {
        item = rf_str_trim(item);
        if (item.size == 0) {
            return false;
        }
        char *copy = rf_arena_alloc(arena, item.size + 1);
        memcpy(copy, item.data, item.size);
        copy[item.size] = '\0';
        list.items[list.count++] = copy;
    }
    if (text.size > 0 && text.data[text.size - 1] == ',') {
        return false;
    }
    memcpy(field, &list, sizeof list);
    return true;
}

static enum rf_status put(const struct rf_option *option, const struct rf_setting *setting,
                          void *field, struct rf_arena *arena, struct rf_error *err)
{
    struct rf_str text = rf_str_of(setting->value);
    int64_t number, min, max;
    bool flag, fine = true;
    switch (option->kind) {
    case RF_OPTION_TEXT:
    case RF_OPTION_SECRET: memcpy(field, &setting->value, sizeof setting->value); break;
    case RF_OPTION_INT:
    case RF_OPTION_SIZE:
    case RF_OPTION_DURATION:
        read_range(option, &min, &max);
        fine = parse_number(option->kind, rf_str_trim(text), &number) && number >= min &&
               number <= max;
        if (fine) {
            memcpy(field, &number, sizeof number);
        }
        break;
    case RF_OPTION_BOOL:
        fine = rf_parse_bool(text, &flag);
        if (fine) {
            memcpy(field, &flag, sizeof flag);
        }
        break;
    case RF_OPTION_CHOICE: fine = put_choice(option, text, field); break;
    case RF_OPTION_LIST: fine = put_list(text, field, arena); break;
    }
    return fine ? RF_OK : refuse_value(option, setting, err);
}

/* -------------------------------------------------------------------------------------- secrets */

/* "password_file" is the option "password" with the suffix "_file". */
static bool is_secret_by(const struct rf_option *option, const char *name, const char *suffix)
{
    size_t size = strlen(option->name);
    return option->kind == RF_OPTION_SECRET && strncmp(name, option->name, size) == 0 &&
           strcmp(name + size, suffix) == 0;
}

static bool is_about(const struct rf_option *option, const char *name)
{
    return strcmp(option->name, name) == 0 || is_secret_by(option, name, "_file") ||
           is_secret_by(option, name, "_env");
}

static enum rf_status read_secret_file(const struct rf_setting *setting, struct rf_arena *arena,
                                       const char **out, struct rf_error *err)
{
    enum rf_status status = RF_OK;
    struct stat info;
    size_t size = 0;
    char *text = rf_arena_alloc(arena, SECRET_BYTES_MAX + 1);
    int file = open(setting->value, O_RDONLY | O_CLOEXEC);
    if (file < 0 || fstat(file, &info) != 0) {
        status = rf_fail(err, RF_CONFIG, "%s%s%s: cannot read %s: %s", text_of(setting->where),
                         colon(setting->where), setting->name, setting->value, strerror(errno));
        goto done;
    }
    if (S_ISREG(info.st_mode) && (info.st_mode & (S_IROTH | S_IWOTH)) != 0) {
        status =
            rf_fail(err, RF_CONFIG, "%s%s%s: every user of this machine can read or write %s",
                    text_of(setting->where), colon(setting->where), setting->name, setting->value);
        rf_error_hint(err, "chmod 600 %s", setting->value);
        goto done;
    }
    for (ssize_t got = 1; got > 0 && size <= SECRET_BYTES_MAX; size += (size_t)got) {
        got = read(file, text + size, SECRET_BYTES_MAX + 1 - size);
        if (got < 0) {
            status = rf_fail(err, RF_CONFIG, "%s%s%s: cannot read %s: %s", text_of(setting->where),
                             colon(setting->where), setting->name, setting->value, strerror(errno));
            goto done;
        }
    }
    if (size > SECRET_BYTES_MAX || memchr(text, '\0', size) != NULL) {
        status =
            rf_fail(err, RF_CONFIG, "%s%s%s: %s is not the file of a secret: %s",
                    text_of(setting->where), colon(setting->where), setting->name, setting->value,
                    size > SECRET_BYTES_MAX ? "over 64 KiB" : "it has NUL bytes");
        goto done;
    }
    if (size > 0 && text[size - 1] == '\n') {
        size--;
    }
    text[size] = '\0';
    rf_arena_shrink(arena, text, SECRET_BYTES_MAX + 1, size + 1);
    *out = text;
done:
    if (file >= 0) {
        close(file);
    }
    return status;
}

/* ROWFERRY_REDIS_PASSWORD; NULL when it is not set. */
static const char *secret_from_environment(const char *owner, const char *option)
{
    char name[128];
    int size = snprintf(name, sizeof name, "ROWFERRY_%s_%s", owner, option);
    if (size < 0 || (size_t)size >= sizeof name) {
        return NULL;
    }
    for (char *c = name; *c != '\0'; c++) {
        *c = (char)(isalnum((unsigned char)*c) ? toupper((unsigned char)*c) : '_');
    }
    return getenv(name);
}

static enum rf_status put_secret(const struct rf_option *option, const struct rf_setting *setting,
                                 void *field, struct rf_arena *arena, struct rf_error *err)
{
    struct rf_setting plain = *setting;
    enum rf_status status = RF_OK;
    if (is_secret_by(option, setting->name, "_file")) {
        status = read_secret_file(setting, arena, &plain.value, err);
    } else if (is_secret_by(option, setting->name, "_env")) {
        plain.value = getenv(setting->value);
        if (plain.value == NULL) {
            status = rf_fail(err, RF_CONFIG, "%s%s%s: the environment has no variable %s",
                             text_of(setting->where), colon(setting->where), setting->name,
                             setting->value);
        }
    }
    return status != RF_OK ? status : put(option, &plain, field, arena, err);
}

/* --------------------------------------------------------------------------------- whole tables */

/* A plugin without options may leave out the table. */
static const struct rf_option *some(const struct rf_option *options)
{
    static const struct rf_option none = RF_OPTION_END;
    return options != NULL ? options : &none;
}

/* Fills one option. With settings that name it twice: RF_CONFIG. */
static enum rf_status fill_one(const char *owner, const struct rf_option *option,
                               struct rf_settings settings, void *field, struct rf_arena *arena,
                               struct rf_error *err)
{
    const struct rf_setting *found = NULL;
    for (uint32_t i = 0; i < settings.count; i++) {
        const struct rf_setting *setting = &settings.items[i];
        if (!is_about(option, setting->name)) {
            continue;
        }
        if (found != NULL) {
            return rf_fail(err, RF_CONFIG, "%s%s%s of %s is set twice%s%s", text_of(setting->where),
                           colon(setting->where), option->name, owner,
                           strcmp(found->name, setting->name) == 0 ? "" : ", also as ",
                           strcmp(found->name, setting->name) == 0 ? "" : found->name);
        }
        found = setting;
    }
    if (found != NULL) {
        return option->kind == RF_OPTION_SECRET ? put_secret(option, found, field, arena, err)
                                                : put(option, found, field, arena, err);
    }
    struct rf_setting fallback = {.name = option->name, .value = option->fallback};
    if (option->kind == RF_OPTION_SECRET && fallback.value == NULL) {
        fallback.value = secret_from_environment(owner, option->name);
    }
    if (fallback.value != NULL) {
        return put(option, &fallback, field, arena, err);
    }
    if (option->required) {
        rf_fail(err, RF_CONFIG, "%s needs \"%s\": %s", owner, option->name, option->help);
        rf_error_hint(err, "`rowferry options %s` lists what can be set", owner);
        return RF_CONFIG;
    }
    return RF_OK;
}

const struct rf_option *rf_options_find(const struct rf_option *options, const char *name)
{
    for (const struct rf_option *option = some(options); option->name != NULL; option++) {
        if (is_about(option, name)) {
            return option;
        }
    }
    return NULL;
}

static enum rf_status refuse_unknown(const struct rf_option_set *sets, uint32_t set_count,
                                     const struct rf_setting *setting, struct rf_error *err)
{
    const char *names[256];
    uint32_t count = 0;
    for (uint32_t i = 0; i < set_count; i++) {
        for (const struct rf_option *option = some(sets[i].options); option->name != NULL;
             option++) {
            if (count < sizeof names / sizeof *names) {
                names[count++] = option->name;
            }
        }
    }
    const char *nearest = rf_nearest(setting->name, names, count);
    if (nearest != NULL) {
        rf_fail(err, RF_CONFIG, "%s%sunknown option \"%s\" of %s; did you mean \"%s\"?",
                text_of(setting->where), colon(setting->where), setting->name, sets[0].owner,
                nearest);
    } else {
        rf_fail(err, RF_CONFIG, "%s%sunknown option \"%s\" of %s", text_of(setting->where),
                colon(setting->where), setting->name, sets[0].owner);
    }
    rf_error_hint(err, "`rowferry options %s` lists what can be set", sets[0].owner);
    return RF_CONFIG;
}

enum rf_status rf_options_check_names(const struct rf_option_set *sets, uint32_t set_count,
                                      struct rf_settings settings, struct rf_error *err)
{
    enum rf_status status = RF_OK;
    for (uint32_t i = 0; i < settings.count && status == RF_OK; i++) {
        bool known = false;
        for (uint32_t j = 0; j < set_count; j++) {
            known |= rf_options_find(sets[j].options, settings.items[i].name) != NULL;
        }
        if (!known) {
            status = refuse_unknown(sets, set_count, &settings.items[i], err);
        }
    }
    return status;
}

bool rf_options_touched(const struct rf_option *options, struct rf_settings settings)
{
    for (uint32_t i = 0; i < settings.count; i++) {
        if (rf_options_find(options, settings.items[i].name) != NULL) {
            return true;
        }
    }
    return false;
}

enum rf_status rf_options_check(const struct rf_option_set *sets, uint32_t set_count,
                                struct rf_settings settings, struct rf_error *err)
{
    struct rf_arena arena = {0};
    enum rf_status status = rf_options_check_names(sets, set_count, settings, err);
    for (uint32_t i = 0; i < set_count && status == RF_OK; i++) {
        const struct rf_option *option = some(sets[i].options);
        for (; option->name != NULL && status == RF_OK; option++) {
            union scratch scratch;
            status = fill_one(sets[i].owner, option, settings, &scratch, &arena, err);
        }
    }
    rf_arena_deinit(&arena);
    return status;
}

enum rf_status rf_options_fill(struct rf_option_set set, struct rf_settings settings, void *state,
                               struct rf_arena *arena, struct rf_error *err)
{
    enum rf_status status = RF_OK;
    const struct rf_option *option = some(set.options);
    for (; option->name != NULL && status == RF_OK; option++) {
        status = fill_one(set.owner, option, settings, (char *)state + option->offset, arena, err);
    }
    return status;
}
