#include "transform/rule.h"

#include "base/nearest.h"
#include "event/name.h"

static const struct {
    const char *name;
    enum rf_rule_action action;
    const char *form;
} functions[] = {
    {"mask", RF_RULE_MASK, "mask(column) or mask(column,4), which leaves the last 4 characters"},
    {"hash", RF_RULE_HASH, "hash(column)"},
    {"truncate", RF_RULE_TRUNCATE, "truncate(column,100), with a number of characters"},
};
enum { FUNCTIONS = sizeof functions / sizeof *functions };

static enum rf_status refuse(const struct rf_rule *rule, const char *why, const char *hint,
                             struct rf_error *err)
{
    rf_fail(err, RF_CONFIG, "columns: %s: \"%.*s\"", why, RF_STR_ARG(rule->text));
    rf_error_hint(err, "%s", hint);
    return RF_CONFIG;
}

static const char *const forms =
    "a rule is column, -column, mask(column), mask(column,4), hash(column) or "
    "truncate(column,100); a column may be written table.column or database.table.column, with * "
    "for any characters and ? for one";

static struct rf_str from(struct rf_str text, size_t start)
{
    return (struct rf_str){text.data + start, text.size - start};
}

static struct rf_str lower(struct rf_arena *arena, struct rf_str text)
{
    char *copy = rf_arena_alloc(arena, text.size + 1);
    rf_name_fold(copy, text);
    return (struct rf_str){copy, text.size};
}

static bool has_any(struct rf_str text, const char *bytes)
{
    for (size_t i = 0; i < text.size; i++) {
        if (strchr(bytes, text.data[i]) != NULL) {
            return true;
        }
    }
    return false;
}

/* "column", "table.column", "database.table.column". */
static enum rf_status read_name(struct rf_rule *rule, struct rf_str name, struct rf_arena *arena,
                                struct rf_error *err)
{
    struct rf_str parts[3], rest = lower(arena, rf_str_trim(name));
    uint32_t count = 0;
    rule->exact = !has_any(rest, "*?");
    if (has_any(rest, "(),")) {
        return refuse(rule, "not a column's name", "write ? for a parenthesis or a comma in a name",
                      err);
    }
    for (struct rf_str part; rest.data != NULL && rf_str_split(&rest, '.', &part); count++) {
        if (count == 3) {
            return refuse(rule, "a name with more than three parts",
                          "database.table.column; write ? for a point in a name", err);
        }
        if (part.size == 0) {
            return refuse(rule, "a name is missing", forms, err);
        }
        parts[count] = part;
    }
    if (count == 0) {
        return refuse(rule, "a name is missing", forms, err);
    }
    rule->column = parts[count - 1];
    rule->table = count >= 2 ? parts[count - 2] : RF_STR_NONE;
    rule->database = count == 3 ? parts[0] : RF_STR_NONE;
    rule->exact &= count >= 2;
    return RF_OK;
}

static enum rf_status refuse_word(const struct rf_rule *rule, struct rf_str word,
                                  struct rf_error *err)
{
    const char *names[FUNCTIONS];
    char text[32] = "";
    for (size_t i = 0; i < FUNCTIONS; i++) {
        names[i] = functions[i].name;
    }
    if (word.size < sizeof text) {
        memcpy(text, word.data, word.size);
    }
    const char *nearest = rf_nearest(text, names, FUNCTIONS);
    if (text[0] == '\0' || nearest == NULL) {
        return refuse(rule, "not a rule", forms, err);
    }
    rf_fail(err, RF_CONFIG, "columns: not a rule: \"%.*s\"; did you mean \"%s(...)\"?",
            RF_STR_ARG(rule->text), nearest);
    rf_error_hint(err, "%s", forms);
    return RF_CONFIG;
}

/* "word(name)" or "word(name,number)". */
static enum rf_status read_function(struct rf_rule *rule, size_t open, struct rf_arena *arena,
                                    struct rf_error *err)
{
    struct rf_str word = rf_str_trim((struct rf_str){rule->text.data, open});
    struct rf_str inside = from(rule->text, open + 1), name;
    size_t which = 0;
    while (which < FUNCTIONS && !rf_str_equal(word, rf_str_of(functions[which].name))) {
        which++;
    }
    if (which == FUNCTIONS) {
        return refuse_word(rule, word, err);
    }
    if (inside.size == 0 || inside.data[inside.size - 1] != ')') {
        return refuse(rule, "no ) at the end", functions[which].form, err);
    }
    inside.size--;
    rule->action = functions[which].action;
    /* Nothing between the parentheses is a missing name, not a missing field. */
    name = inside;
    bool numbered = inside.size > 0 && rf_str_split(&inside, ',', &name) && inside.data != NULL;
    bool takes = rule->action != RF_RULE_HASH, needs = rule->action == RF_RULE_TRUNCATE;
    uint64_t number = 0;
    if ((numbered && !takes) || (!numbered && needs) ||
        (numbered && (!rf_str_to_u64(rf_str_trim(inside), &number) || number == 0 ||
                      number > RF_RULE_CHARACTERS_MAX))) {
        return refuse(rule, "not how this rule is written", functions[which].form, err);
    }
    rule->characters = (uint32_t)number;
    return read_name(rule, name, arena, err);
}

static enum rf_status read_rule(struct rf_rule *rule, struct rf_arena *arena, struct rf_error *err)
{
    const char *open = rule->text.size > 0 ? memchr(rule->text.data, '(', rule->text.size) : NULL;
    if (open != NULL) {
        return read_function(rule, (size_t)(open - rule->text.data), arena, err);
    }
    bool leaves_out = rf_str_starts(rule->text, RF_STR("-"));
    rule->action = leaves_out ? RF_RULE_LEAVE_OUT : RF_RULE_KEEP;
    return read_name(rule, from(rule->text, leaves_out), arena, err);
}

/* The rule that begins with item *at, with its commas put back; *at goes on behind it. */
static struct rf_str join(struct rf_list list, uint32_t *at, struct rf_arena *arena)
{
    struct rf_str first = rf_str_of(list.items[*at]);
    uint32_t end = *at + 1;
    size_t size = first.size;
    if (has_any(first, "(") && !has_any(first, ")")) {
        for (bool closed = false; !closed && end < list.count; end++) {
            struct rf_str more = rf_str_of(list.items[end]);
            size += 1 + more.size;
            closed = has_any(more, ")");
        }
    }
    char *text = rf_arena_alloc(arena, size + 1);
    size_t done = 0;
    for (uint32_t i = *at; i < end; i++) {
        struct rf_str piece = rf_str_of(list.items[i]);
        if (i > *at) {
            text[done++] = ',';
        }
        memcpy(text + done, piece.data, piece.size);
        done += piece.size;
    }
    *at = end;
    for (size_t i = 0; i < done; i++) {
        text[i] = (unsigned char)text[i] < ' ' ? ' ' : text[i]; /* messages have one line */
    }
    return rf_str_trim((struct rf_str){text, done});
}

enum rf_status rf_rules_read(struct rf_list list, struct rf_arena *arena, struct rf_rules *out,
                             struct rf_error *err)
{
    *out = (struct rf_rules){.items = rf_arena_alloc(arena, list.count * sizeof *out->items)};
    for (uint32_t at = 0; at < list.count;) {
        struct rf_rule *rule = &out->items[out->count++];
        *rule = (struct rf_rule){.text = join(list, &at, arena)};
        enum rf_status status = read_rule(rule, arena, err);
        if (status != RF_OK) {
            return status;
        }
        out->keeps |= rule->action == RF_RULE_KEEP;
        out->hashes |= rule->action == RF_RULE_HASH;
    }
    return RF_OK;
}

bool rf_rule_names_table(const struct rf_rule *rule, const struct rf_rule_table *table)
{
    return (rule->database.size == 0 || rf_str_match(rule->database, table->database)) &&
           (rule->table.size == 0 || rf_str_match(rule->table, table->table));
}

bool rf_rule_names_column(const struct rf_rule *rule, struct rf_str column)
{
    return rf_str_match(rule->column, column);
}
