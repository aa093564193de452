/* The transform `columns`: which columns a sink gets, and which of them only hidden: masked, hashed
 * or cut short. How rules are written: transform/rule.h.
 *
 * Per version of a table there is a plan, made when the table is first seen: which columns remain,
 * what becomes of them, and the table that the sink is shown instead. Whether a rule fits is
 * decided there, by the columns' declared types, never by a value. A rule that names a table and
 * finds no such column in it stops the pipeline: a misspelt name must not show in clear what was to
 * be hidden. So does one that is about a collection: it has documents, and no columns. */
#include "base/memory.h"
#include "base/nearest.h"
#include "event/name.h"
#include "transform/rule.h"

#include <openssl/evp.h>
#include <rowferry/transform.h>
#include <stdlib.h>

enum {
    SLOTS = 1024, /* a power of two */
    HASH_BYTES = 32,
    SALT_BYTES_MIN = 8,
};

/* What becomes of one column's values: the rules that say so, in their order. */
struct step {
    uint32_t column; /* of the shown table */
    const struct rf_rule *rule;
};

struct plan {
    struct plan *next;       /* of the same slot */
    struct rf_table *source; /* a reference of our own, so that its address stays its own */
    struct rf_table *shown;  /* NULL: nothing changes */
    uint32_t *from;          /* per column of shown: its number in source */
    struct step *steps;
    uint32_t step_count;
};

struct columns {
    struct rf_list list; /* options */
    const char *salt;

    struct rf_arena memory;
    struct rf_rules rules;
    struct plan **slots; /* by a hash of the table's name */
    const struct plan *last;
    EVP_MD *sha256;
    EVP_MD_CTX *digest;
    struct rf_buf text;
};

static enum rf_status columns_open(void *state, struct rf_error *err)
{
    struct columns *columns = state;
    enum rf_status status = rf_rules_read(columns->list, &columns->memory, &columns->rules, err);
    columns->slots = rf_alloc_zero(SLOTS, sizeof *columns->slots);
    if (status != RF_OK || !columns->rules.hashes) {
        return status;
    }
    if (columns->salt == NULL || strlen(columns->salt) < SALT_BYTES_MIN) {
        rf_fail(err, RF_CONFIG, "columns: hash(...) needs a salt of at least %d characters",
                SALT_BYTES_MIN);
        rf_error_hint(err, "without one everybody can hash all likely names and addresses and "
                           "compare; put the output of `openssl rand -hex 16` into a file that "
                           "only you may read, and set salt_file to it");
        return RF_CONFIG;
    }
    columns->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    columns->digest = EVP_MD_CTX_new();
    if (columns->sha256 == NULL || columns->digest == NULL) {
        return rf_fail(err, RF_CONFIG, "columns: this system's OpenSSL has no SHA-256");
    }
    return RF_OK;
}

/* -------------------------------------------------------------------------------- shown tables */

/* Room for what a table points to, counted first and then filled. */
struct room {
    char *at;
    size_t size;
};

static void *take(struct room *room, size_t size)
{
    void *memory = room->at != NULL ? room->at + room->size : NULL;
    room->size += (size + 7) & ~(size_t)7;
    return memory;
}

static struct rf_str take_str(struct room *room, struct rf_str str)
{
    char *copy = take(room, str.size);
    if (copy != NULL && str.size > 0) {
        memcpy(copy, str.data, str.size);
    }
    return (struct rf_str){copy, str.size};
}

static const struct rf_str *take_members(struct room *room, const struct rf_column *column)
{
    struct rf_str *members = take(room, column->member_count * sizeof *members);
    for (uint32_t i = 0; i < column->member_count; i++) {
        struct rf_str member = take_str(room, column->members[i]);
        if (members != NULL) {
            members[i] = member;
        }
    }
    return members;
}

/* With room->at NULL it only counts. Columns keep their order, and the key its own. */
static void fill_table(struct room *room, const struct rf_table *source,
                       const struct rf_column *columns, const uint32_t *from, uint32_t count,
                       struct rf_table *out)
{
    struct rf_column *copies = take(room, count * sizeof *copies);
    uint32_t *keys = take(room, source->key_count * sizeof *keys);
    struct rf_str full_name = take_str(room, source->full_name);
    for (uint32_t i = 0; i < count; i++) {
        struct rf_str name = take_str(room, columns[i].name);
        const struct rf_str *members = take_members(room, &columns[i]);
        if (copies != NULL) {
            copies[i] = columns[i];
            copies[i].name = name;
            copies[i].members = columns[i].member_count > 0 ? members : NULL;
        }
    }
    if (room->at == NULL) {
        return;
    }
    for (uint32_t i = 0; i < source->key_count; i++) {
        keys[i] = 0;
        while (from[keys[i]] != source->key_columns[i]) {
            keys[i]++;
        }
    }
    *out = (struct rf_table){
        .version = source->version,
        .database = {full_name.data, source->database.size},
        .name = {full_name.data + source->database.size + 1, source->name.size},
        .full_name = full_name,
        .column_count = count,
        .key_count = source->key_count,
        .columns = copies,
        .key_columns = keys,
        .memory = room->at,
    };
    atomic_init(&out->references, 1);
}

static struct rf_table *make_table(const struct rf_table *source, const struct rf_column *columns,
                                   const uint32_t *from, uint32_t count)
{
    struct rf_table *table = rf_alloc_zero(1, sizeof *table);
    struct room room = {0};
    fill_table(&room, source, columns, from, count, table);
    room = (struct room){.at = rf_alloc_zero(1, room.size + 1)};
    fill_table(&room, source, columns, from, count, table);
    return table;
}

/* --------------------------------------------------------------------------------------- plans */

static bool has_characters(const struct rf_column *column)
{
    bool text = column->type == RF_COLUMN_CHAR || column->type == RF_COLUMN_VARCHAR ||
                column->type == RF_COLUMN_TEXT;
    return text && column->charset != RF_CHARSET_BINARY;
}

static enum rf_status refuse(const struct rf_rule *rule, const struct rf_table *table,
                             const struct rf_column *column, const char *why, const char *hint,
                             struct rf_error *err)
{
    rf_fail(err, RF_CONFIG, "columns: \"%.*s\" names %.*s of %.*s, %s", RF_STR_ARG(rule->text),
            RF_STR_ARG(column->name), RF_STR_ARG(table->full_name), why);
    rf_error_hint(err, hint, RF_STR_ARG(column->name));
    return RF_CONFIG;
}

/* Whether the rule may do to this column what it says; *column becomes what it is then. */
static enum rf_status fit(const struct rf_rule *rule, const struct rf_table *table,
                          struct rf_column *column, struct rf_error *err)
{
    if (column->key && rule->action != RF_RULE_HASH) {
        return refuse(rule, table, column, "a column of the primary key: rows would be mixed up",
                      "hash(%.*s) hides the value and keeps rows apart", err);
    }
    if (rule->action == RF_RULE_HASH) {
        *column = (struct rf_column){
            .name = column->name,
            .type = RF_COLUMN_CHAR,
            .charset = RF_CHARSET_ASCII,
            .nullable = column->nullable,
            .key = column->key,
            .length = HASH_BYTES * 2,
        };
    } else if (rule->action != RF_RULE_LEAVE_OUT && !has_characters(column)) {
        return refuse(rule, table, column, "which is not a column of characters",
                      "leave it out, or use hash(%.*s)", err);
    }
    return RF_OK;
}

/* A table under work. */
struct draft {
    const struct rf_table *table;
    struct rf_rule_table names;
    struct rf_str *lower;      /* names of its columns in lower case */
    struct rf_column *columns; /* those that remain */
    uint32_t *from;
    uint32_t count;
    struct step *steps;
    uint32_t step_count;
};

/* A rule without wildcards about this very table must find its column. */
static enum rf_status check_rule(const struct rf_rule *rule, const struct draft *draft,
                                 struct rf_arena *arena, struct rf_error *err)
{
    const struct rf_table *table = draft->table;
    if (!rule->exact || !rf_rule_names_table(rule, &draft->names)) {
        return RF_OK;
    }
    const char **names = rf_arena_alloc(arena, (size_t)table->column_count * sizeof *names);
    for (uint32_t i = 0; i < table->column_count; i++) {
        if (rf_rule_names_column(rule, draft->lower[i])) {
            return RF_OK;
        }
        char *name = rf_arena_alloc(arena, table->columns[i].name.size + 1);
        memcpy(name, table->columns[i].name.data, table->columns[i].name.size);
        name[table->columns[i].name.size] = '\0';
        names[i] = name;
    }
    char *wanted = rf_arena_alloc(arena, rule->column.size + 1);
    memcpy(wanted, rule->column.data, rule->column.size);
    wanted[rule->column.size] = '\0';
    const char *nearest = rf_nearest(wanted, names, table->column_count);
    rf_fail(err, RF_CONFIG, "columns: \"%.*s\": %.*s has no column %s%s%s%s",
            RF_STR_ARG(rule->text), RF_STR_ARG(table->full_name), wanted,
            nearest ? "; did you mean \"" : "", nearest ? nearest : "", nearest ? "\"?" : "");
    rf_error_hint(err, "a rule that names a table must find its column there, or a misspelt one "
                       "would show what it was to hide; where the column comes and goes, write "
                       "a * into the name of the database or table");
    return RF_CONFIG;
}

/* What the rules make of one column of the source's table. */
static enum rf_status draft_column(const struct rf_rules *rules, struct draft *draft,
                                   uint32_t number, struct rf_error *err)
{
    struct rf_column column = draft->table->columns[number];
    bool kept = !rules->keeps || column.key, left_out = false;
    uint32_t steps = draft->step_count;
    enum rf_status status = RF_OK;
    for (uint32_t i = 0; i < rules->count && status == RF_OK; i++) {
        const struct rf_rule *rule = &rules->items[i];
        if (!rf_rule_names_table(rule, &draft->names) ||
            !rf_rule_names_column(rule, draft->lower[number])) {
            continue;
        }
        if (rule->action == RF_RULE_KEEP) {
            kept = true;
            continue;
        }
        status = fit(rule, draft->table, &column, err);
        if (rule->action == RF_RULE_LEAVE_OUT) {
            left_out = true;
        } else {
            draft->steps[steps++] = (struct step){draft->count, rule};
        }
    }
    if (status == RF_OK && kept && !left_out) {
        draft->step_count = steps;
        draft->from[draft->count] = number;
        draft->columns[draft->count++] = column;
    }
    return status;
}

/* Fields of documents are no columns: a rule that would do nothing could show what it was to
 * hide. */
static enum rf_status check_documents(const struct rf_rules *rules, const struct draft *draft,
                                      struct rf_error *err)
{
    const struct rf_table *table = draft->table;
    for (uint32_t i = 0; table->documents && i < rules->count; i++) {
        const struct rf_rule *rule = &rules->items[i];
        if (rf_rule_names_table(rule, &draft->names)) {
            rf_fail(err, RF_CONFIG,
                    "columns: \"%.*s\" would be about fields of documents of %.*s too, and fields "
                    "cannot be left out or hidden yet",
                    RF_STR_ARG(rule->text), RF_STR_ARG(table->full_name));
            rf_error_hint(err,
                          "write the tables that it is about into the rule, or leave the "
                          "collection out with tables=...,-%.*s",
                          RF_STR_ARG(table->full_name));
            return RF_CONFIG;
        }
    }
    return RF_OK;
}

static enum rf_status draft_table(const struct rf_rules *rules, struct draft *draft,
                                  struct rf_arena *arena, struct rf_error *err)
{
    const struct rf_table *table = draft->table;
    const size_t count = table->column_count;
    char *full = rf_arena_alloc(arena, table->full_name.size + 1);
    rf_name_fold(full, table->full_name);
    draft->names.database = (struct rf_str){full, table->database.size};
    draft->names.table = (struct rf_str){full + table->database.size + 1, table->name.size};
    draft->lower = rf_arena_alloc(arena, count * sizeof *draft->lower);
    draft->columns = rf_arena_alloc(arena, count * sizeof *draft->columns);
    draft->from = rf_arena_alloc(arena, count * sizeof *draft->from);
    draft->steps = rf_arena_alloc(arena, count * rules->count * sizeof *draft->steps);
    for (uint32_t i = 0; i < table->column_count; i++) {
        char *name = rf_arena_alloc(arena, table->columns[i].name.size + 1);
        rf_name_fold(name, table->columns[i].name);
        draft->lower[i] = (struct rf_str){name, table->columns[i].name.size};
    }
    enum rf_status status = check_documents(rules, draft, err);
    for (uint32_t i = 0; i < rules->count && status == RF_OK; i++) {
        status = check_rule(&rules->items[i], draft, arena, err);
    }
    for (uint32_t i = 0; i < table->column_count && status == RF_OK; i++) {
        status = draft_column(rules, draft, i, err);
    }
    return status;
}

static void *copy_of(const void *items, size_t size)
{
    void *copy = rf_alloc_zero(1, size + 1);
    if (size > 0) {
        memcpy(copy, items, size);
    }
    return copy;
}

static enum rf_status make_plan(struct columns *columns, const struct rf_table *table,
                                struct plan **out, struct rf_error *err)
{
    struct rf_arena arena = {0};
    struct draft draft = {.table = table};
    enum rf_status status = draft_table(&columns->rules, &draft, &arena, err);
    if (status == RF_OK) {
        struct plan *plan = rf_alloc_zero(1, sizeof *plan);
        /* The batch holds the table by a reference; taking another one changes nothing that is
         * shown. */
        plan->source = rf_table_retain((struct rf_table *)table);
        if (draft.count < table->column_count || draft.step_count > 0) {
            plan->shown = make_table(table, draft.columns, draft.from, draft.count);
            plan->from = copy_of(draft.from, draft.count * sizeof *draft.from);
            plan->steps = copy_of(draft.steps, draft.step_count * sizeof *draft.steps);
            plan->step_count = draft.step_count;
        }
        *out = plan;
    }
    rf_arena_deinit(&arena);
    return status;
}

static bool same_column(const struct rf_column *a, const struct rf_column *b)
{
    bool same = rf_str_equal(a->name, b->name) && a->type == b->type && a->charset == b->charset &&
                a->is_unsigned == b->is_unsigned && a->nullable == b->nullable &&
                a->key == b->key && a->precision == b->precision && a->scale == b->scale &&
                a->length == b->length && a->member_count == b->member_count;
    for (uint32_t i = 0; same && i < a->member_count; i++) {
        same = rf_str_equal(a->members[i], b->members[i]);
    }
    return same;
}

/* The same version of the same table, described again: the source was opened anew. */
static bool same_table(const struct rf_table *a, const struct rf_table *b)
{
    bool same = a->version == b->version && a->database.size == b->database.size &&
                rf_str_equal(a->full_name, b->full_name) && a->column_count == b->column_count &&
                a->key_count == b->key_count;
    for (uint32_t i = 0; same && i < a->column_count; i++) {
        same = same_column(&a->columns[i], &b->columns[i]);
    }
    return same && (a->key_count == 0 || memcmp(a->key_columns, b->key_columns,
                                                a->key_count * sizeof *a->key_columns) == 0);
}

static uint32_t hash_of(struct rf_str text)
{
    uint32_t hash = 2166136261u; /* FNV-1a */
    for (size_t i = 0; i < text.size; i++) {
        hash = (hash ^ (unsigned char)text.data[i]) * 16777619u;
    }
    return hash ^ hash >> 15;
}

static enum rf_status find_plan(struct columns *columns, const struct rf_table *table,
                                const struct plan **out, struct rf_error *err)
{
    struct plan **slot = &columns->slots[hash_of(table->full_name) % SLOTS];
    struct plan *plan = *slot;
    while (plan != NULL && plan->source != table) {
        plan = plan->next;
    }
    for (struct plan *old = *slot; plan == NULL && old != NULL; old = old->next) {
        if (same_table(old->source, table)) {
            rf_table_release(old->source);
            old->source = rf_table_retain((struct rf_table *)table);
            plan = old;
        }
    }
    if (plan == NULL) {
        enum rf_status status = make_plan(columns, table, &plan, err);
        if (status != RF_OK) {
            return status;
        }
        plan->next = *slot;
        *slot = plan;
    }
    columns->last = *out = plan;
    return RF_OK;
}

/* -------------------------------------------------------------------------------------- values */

/* Where the first `count` characters of valid UTF-8 end; or of bytes, where each is one. */
static size_t characters_end(struct rf_value value, size_t count)
{
    if (value.kind != RF_TEXT) {
        return count < value.size ? count : value.size;
    }
    size_t at = 0;
    while (at < value.size && (count > 0 || ((unsigned char)value.text[at] & 0xc0) == 0x80)) {
        count -= ((unsigned char)value.text[at] & 0xc0) != 0x80;
        at++;
    }
    return at;
}

static size_t characters_of(struct rf_value value)
{
    size_t count = value.size;
    for (size_t i = 0; value.kind == RF_TEXT && i < value.size; i++) {
        count -= ((unsigned char)value.text[i] & 0xc0) == 0x80;
    }
    return count;
}

/* A text that is no longer than what may be seen of it is hidden whole, and so are bytes that are
 * no text. */
static void mask(struct rf_value *value, uint32_t seen, struct rf_arena *arena)
{
    size_t count = characters_of(*value);
    size_t hidden = value->kind == RF_TEXT && count > seen ? count - seen : count;
    size_t tail = hidden == count ? value->size : characters_end(*value, hidden);
    char *text = rf_arena_alloc(arena, value->size);
    memset(text, '*', hidden);
    if (tail < value->size) {
        memcpy(text + hidden, value->text + tail, value->size - tail);
    }
    rf_arena_shrink(arena, text, value->size, hidden + value->size - tail);
    *value = (struct rf_value){
        .kind = RF_TEXT, .size = (uint32_t)(hidden + value->size - tail), .text = text};
}

/* The value as text: what a template makes of it. */
static struct rf_str text_of(struct columns *columns, struct rf_value value)
{
    rf_buf_reset(&columns->text);
    rf_value_print(&columns->text, value);
    return rf_buf_str(&columns->text);
}

static enum rf_status hash(struct columns *columns, struct rf_value *value, struct rf_arena *arena,
                           struct rf_error *err)
{
    static const char digits[] = "0123456789abcdef";
    struct rf_str text = value->kind == RF_TEXT || value->kind == RF_BYTES
                             ? rf_value_str(*value)
                             : text_of(columns, *value);
    unsigned char bytes[HASH_BYTES];
    unsigned size = 0;
    if (EVP_DigestInit_ex(columns->digest, columns->sha256, NULL) != 1 ||
        EVP_DigestUpdate(columns->digest, columns->salt, strlen(columns->salt)) != 1 ||
        (text.size > 0 && EVP_DigestUpdate(columns->digest, text.data, text.size) != 1) ||
        EVP_DigestFinal_ex(columns->digest, bytes, &size) != 1 || size != HASH_BYTES) {
        return rf_fail(err, RF_REJECT, "columns: OpenSSL could not hash a value");
    }
    char *out = rf_arena_alloc(arena, (size_t)HASH_BYTES * 2);
    for (size_t i = 0; i < HASH_BYTES; i++) {
        out[2 * i] = digits[bytes[i] >> 4];
        out[2 * i + 1] = digits[bytes[i] & 15];
    }
    *value = (struct rf_value){.kind = RF_TEXT, .size = HASH_BYTES * 2, .text = out};
    return RF_OK;
}

/* NULL stays NULL, and what the log does not tell stays untold. */
static enum rf_status apply_step(struct columns *columns, const struct rf_rule *rule,
                                 struct rf_value *value, struct rf_arena *arena,
                                 struct rf_error *err)
{
    if (value->kind == RF_ABSENT || value->kind == RF_NULL) {
        return RF_OK;
    }
    switch (rule->action) {
    case RF_RULE_MASK: mask(value, rule->characters, arena); return RF_OK;
    case RF_RULE_TRUNCATE:
        value->size = (uint32_t)characters_end(*value, rule->characters);
        return RF_OK;
    case RF_RULE_HASH: return hash(columns, value, arena, err);
    default: return RF_OK;
    }
}

static enum rf_status apply_image(struct columns *columns, const struct plan *plan,
                                  const struct rf_value **image, struct rf_arena *arena,
                                  struct rf_error *err)
{
    const struct rf_value *source = *image;
    if (source == NULL) {
        return RF_OK;
    }
    struct rf_value *values = rf_arena_alloc(arena, plan->shown->column_count * sizeof *values);
    for (uint32_t i = 0; i < plan->shown->column_count; i++) {
        values[i] = source[plan->from[i]];
    }
    *image = values;
    enum rf_status status = RF_OK;
    for (uint32_t i = 0; i < plan->step_count && status == RF_OK; i++) {
        const struct step *step = &plan->steps[i];
        status = apply_step(columns, step->rule, &values[step->column], arena, err);
    }
    return status;
}

static enum rf_status columns_apply(void *state, struct rf_event *event, bool *drop,
                                    struct rf_arena *arena, struct rf_error *err)
{
    struct columns *columns = state;
    const struct plan *plan = columns->last;
    enum rf_status status = RF_OK;
    (void)drop;
    if (event->table == NULL) {
        return RF_OK;
    }
    if (plan == NULL || plan->source != event->table) {
        status = find_plan(columns, event->table, &plan, err);
    }
    if (status != RF_OK || plan->shown == NULL) {
        return status;
    }
    status = apply_image(columns, plan, &event->before, arena, err);
    if (status == RF_OK) {
        status = apply_image(columns, plan, &event->after, arena, err);
    }
    event->table = plan->shown;
    return status;
}

static void columns_close(void *state)
{
    struct columns *columns = state;
    for (size_t i = 0; columns->slots != NULL && i < SLOTS; i++) {
        for (struct plan *plan = columns->slots[i]; plan != NULL;) {
            struct plan *next = plan->next;
            rf_table_release(plan->source);
            rf_table_release(plan->shown);
            free(plan->from);
            free(plan->steps);
            free(plan);
            plan = next;
        }
    }
    free(columns->slots);
    EVP_MD_CTX_free(columns->digest);
    EVP_MD_free(columns->sha256);
    rf_arena_deinit(&columns->memory);
    rf_buf_deinit(&columns->text);
}

static const struct rf_option columns_options[] = {
    {"columns", RF_OPTION_LIST, offsetof(struct columns, list), NULL, NULL,
     "columns that this sink gets, or gets hidden: "
     "-password,mask(email),hash(name),truncate(note,9)",
     false},
    {"salt", RF_OPTION_SECRET, offsetof(struct columns, salt), NULL, NULL,
     "goes in front of every value that hash(...) hashes; without it they could be guessed", false},
    RF_OPTION_END,
};

const struct rf_transform_type rf_transform_columns = {
    .name = "columns",
    .summary = "which columns a sink gets, and which of them masked, hashed or cut short",
    .state_size = sizeof(struct columns),
    .options = columns_options,
    .open = columns_open,
    .apply = columns_apply,
    .close = columns_close,
};
