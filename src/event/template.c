#include "event/template.h"

#include "base/memory.h"
#include "base/nearest.h"

#include <stdlib.h>

enum part_kind {
    PART_TEXT = 1,
    PART_DATABASE,
    PART_TABLE,
    PART_COLLECTION,
    PART_KEY,
    PART_OP,
    PART_TS,
    PART_COLUMN,
};

struct rf_template_part {
    enum part_kind kind;
    struct rf_str text; /* of PART_TEXT; the name of PART_COLUMN. Lies in the template's text */
};

enum step_kind { STEP_TEXT = 1, STEP_COLUMN, STEP_OP, STEP_TS };

/* One piece of a bound template. Text steps never follow each other. */
struct rf_binding_step {
    enum step_kind kind;
    bool number;   /* a column of whole numbers */
    bool has_stop; /* text follows in a key, which begins with `stop` */
    char stop;
    uint32_t column;
    char *text; /* of STEP_TEXT, owned */
    size_t text_size;
};

/* -------------------------------------------------------------------------------------- reading */

static void add_part(struct rf_template *template, enum part_kind kind, struct rf_str text)
{
    template->parts =
        rf_realloc(template->parts, (template->part_count + 1) * sizeof *template->parts);
    template->parts[template->part_count++] = (struct rf_template_part){kind, text};
}

static enum part_kind kind_of_name(struct rf_str *name)
{
    static const struct {
        struct rf_str name;
        enum part_kind kind;
    } words[] = {
        {{"database", 8}, PART_DATABASE},
        {{"table", 5}, PART_TABLE},
        {{"collection", 10}, PART_COLLECTION},
        {{"key", 3}, PART_KEY},
        {{"op", 2}, PART_OP},
        {{"ts", 2}, PART_TS},
    };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (rf_str_equal(*name, words[i].name)) {
            return words[i].kind;
        }
    }
    if (rf_str_starts(*name, RF_STR("column:"))) {
        name->data += sizeof "column:" - 1;
        name->size -= sizeof "column:" - 1;
    }
    return PART_COLUMN;
}

/* Takes a run of text off the front of *rest, its doubled braces undone in place. */
static enum rf_status read_text(struct rf_template *template, char **at, struct rf_error *err)
{
    char *out = *at, *begin = *at;
    if (*begin == '\\' && template->use == RF_TEMPLATE_KEY && template->part_count > 0) {
        return rf_fail(err, RF_CONFIG,
                       "text behind a part of a key cannot begin with a backslash, which escapes");
    }
    while (**at != '\0' && !(**at == '{' && (*at)[1] != '{')) {
        if (**at == '{') {
            (*at)++;
        } else if (**at == '}' && *++*at != '}') {
            return rf_fail(err, RF_CONFIG, "a '}' without its '{'");
        }
        *out++ = *(*at)++;
    }
    add_part(template, PART_TEXT, (struct rf_str){begin, (size_t)(out - begin)});
    return RF_OK;
}

static enum rf_status read_variable(struct rf_template *template, char **at, struct rf_error *err)
{
    char *end = strchr(*at, '}');
    if (end == NULL) {
        return rf_fail(err, RF_CONFIG, "a '{' without its '}'");
    }
    struct rf_str name = {*at + 1, (size_t)(end - *at - 1)};
    enum part_kind kind = kind_of_name(&name);
    if (name.size == 0) {
        return rf_fail(err, RF_CONFIG, "no name between '{' and '}'");
    }
    if (template->use == RF_TEMPLATE_KEY) {
        if (kind == PART_OP || kind == PART_TS) {
            return rf_fail(err, RF_CONFIG,
                           "{%.*s} cannot be part of a key: a row must keep its key",
                           RF_STR_ARG(name));
        }
        if (template->part_count > 0 &&
            template->parts[template->part_count - 1].kind != PART_TEXT) {
            return rf_fail(
                err, RF_CONFIG,
                "no text in front of {%.*s}: nobody could tell where the part before it ends",
                RF_STR_ARG(name));
        }
    }
    add_part(template, kind, name);
    *at = end + 1;
    return RF_OK;
}

enum rf_status rf_template_parse(struct rf_template *template, enum rf_template_use use,
                                 const char *text, struct rf_error *err)
{
    enum rf_status status = RF_OK;
    *template = (struct rf_template){.use = use, .text = rf_str_dup(rf_str_of(text))};
    /* The parts' text lies in a second copy, behind the first. */
    size_t size = strlen(text) + 1;
    template->text = rf_realloc(template->text, size * 2);
    memcpy(template->text + size, text, size);
    char *at = template->text + size;
    while (*at != '\0' && status == RF_OK) {
        bool variable = *at == '{' && at[1] != '{';
        status = variable ? read_variable(template, &at, err) : read_text(template, &at, err);
    }
    if (status == RF_OK && template->part_count == 0) {
        status = rf_fail(err, RF_CONFIG, "the template is empty");
    }
    if (status != RF_OK) {
        rf_error_wrap(err, "template '%s'", template->text);
        rf_error_hint(err,
                      "a template is text with {database}, {table}, {key} or {COLUMN} in it, "
                      "such as {database}:{table}:{key} or customer:{id}; {{ and }} are braces");
    }
    return status;
}

void rf_template_deinit(struct rf_template *template)
{
    free(template->parts);
    free(template->text);
    *template = (struct rf_template){0};
}

bool rf_template_next_column(const struct rf_template *template, uint32_t *at, struct rf_str *name)
{
    while (*at < template->part_count) {
        const struct rf_template_part *part = &template->parts[(*at)++];
        if (part->kind == PART_COLUMN) {
            *name = part->text;
            return true;
        }
    }
    return false;
}

/* -------------------------------------------------------------------------------------- binding */

/* Escapes what lies in out from start on, in place and from its end. */
static void escape_from(struct rf_buf *out, size_t start, char stop)
{
    size_t more = 0;
    for (size_t i = start; i < out->size; i++) {
        more += out->data[i] == '\\' || out->data[i] == stop;
    }
    if (more == 0) {
        return;
    }
    rf_buf_reserve(out, more);
    size_t from = out->size, to = out->size + more;
    out->size = to;
    while (to > from) {
        char byte = out->data[--from];
        out->data[--to] = byte;
        if (byte == '\\' || byte == stop) {
            out->data[--to] = '\\';
        }
    }
}

void rf_template_escape(struct rf_buf *out, struct rf_str part, char stop)
{
    size_t start = out->size;
    rf_buf_add_str(out, part);
    escape_from(out, start, stop);
}

static struct rf_binding_step *add_step(struct rf_binding *binding, enum step_kind kind)
{
    binding->steps = rf_realloc(binding->steps, (binding->step_count + 1) * sizeof *binding->steps);
    struct rf_binding_step *step = &binding->steps[binding->step_count++];
    *step = (struct rf_binding_step){.kind = kind};
    return step;
}

/* Text joins the text step before it; behind a variable of a key its first byte becomes the
 * stop. */
static void add_text(struct rf_binding *binding, struct rf_str text)
{
    if (text.size == 0) {
        return;
    }
    struct rf_binding_step *last =
        binding->step_count ? &binding->steps[binding->step_count - 1] : NULL;
    if (last == NULL || last->kind != STEP_TEXT) {
        if (last != NULL && binding->escapes) {
            last->has_stop = true;
            last->stop = text.data[0];
        }
        last = add_step(binding, STEP_TEXT);
    }
    last->text = rf_realloc(last->text, last->text_size + text.size);
    memcpy(last->text + last->text_size, text.data, text.size);
    last->text_size += text.size;
}

static void add_column(struct rf_binding *binding, const struct rf_table *table, uint32_t column)
{
    struct rf_binding_step *step = add_step(binding, STEP_COLUMN);
    step->column = column;
    step->number = table->columns[column].type >= RF_COLUMN_TINYINT &&
                   table->columns[column].type <= RF_COLUMN_BIGINT;
}

/* A name is known text by now, but escaped as the variable part that it is. */
static void add_name(struct rf_binding *binding, const struct rf_template_part *part,
                     const struct rf_template_part *end, struct rf_str name)
{
    struct rf_buf escaped = {0};
    if (binding->escapes && part + 1 < end) {
        rf_template_escape(&escaped, name, part[1].text.data[0]);
    } else {
        rf_buf_add_str(&escaped, name);
    }
    add_text(binding, rf_buf_str(&escaped));
    rf_buf_deinit(&escaped);
}

static enum rf_status no_such_column(const struct rf_template *template,
                                     const struct rf_table *table, struct rf_str name,
                                     struct rf_error *err)
{
    uint32_t least = rf_name_distance_max(name);
    const struct rf_column *nearest = NULL;
    for (uint32_t i = 0; i < table->column_count; i++) {
        uint32_t edits = rf_name_distance(name, table->columns[i].name);
        if (edits <= least) {
            least = edits;
            nearest = &table->columns[i];
        }
    }
    rf_fail(err, RF_CONFIG, "table %.*s has no column '%.*s', which the template '%s' asks for",
            RF_STR_ARG(table->full_name), RF_STR_ARG(name), template->text);
    if (nearest != NULL) {
        rf_error_hint(err, "did you mean {%.*s}?", RF_STR_ARG(nearest->name));
    } else {
        rf_error_hint(err, "write a column of the table, or leave the table out");
    }
    return RF_CONFIG;
}

static enum rf_status bind_key(const struct rf_template *template, const struct rf_table *table,
                               struct rf_binding *binding, struct rf_error *err)
{
    if (table->key_count == 0) {
        rf_fail(err, RF_CONFIG, "table %.*s has no primary key, which the template '%s' asks for",
                RF_STR_ARG(table->full_name), template->text);
        rf_error_hint(err, "give the table a primary key, leave it out, or write a template of its "
                           "columns instead of {key}");
        return RF_CONFIG;
    }
    for (uint32_t i = 0; i < table->key_count; i++) {
        if (i > 0) {
            add_text(binding, RF_STR(":"));
        }
        add_column(binding, table, table->key_columns[i]);
    }
    return RF_OK;
}

static bool has_column(const struct rf_binding *binding, uint32_t column)
{
    for (uint32_t i = 0; i < binding->step_count; i++) {
        if (binding->steps[i].kind == STEP_COLUMN && binding->steps[i].column == column) {
            return true;
        }
    }
    return false;
}

static void finish_binding(struct rf_binding *binding)
{
    if (binding->step_count > 0 && binding->steps[0].kind == STEP_TEXT) {
        binding->prefix = (struct rf_str){binding->steps[0].text, binding->steps[0].text_size};
    }
    const struct rf_table *table = binding->table;
    binding->whole_key = table != NULL && table->key_count > 0;
    for (uint32_t i = 0; table != NULL && i < table->key_count; i++) {
        binding->whole_key &= has_column(binding, table->key_columns[i]);
    }
}

/* The name of a collection, or the column that a table has by that name. */
static void add_collection(struct rf_binding *binding, const struct rf_template_part *part,
                           const struct rf_template_part *end)
{
    int column = rf_table_find(binding->table, part->text);
    if (column >= 0) {
        add_column(binding, binding->table, (uint32_t)column);
    } else {
        add_name(binding, part, end, binding->table->name);
    }
}

enum rf_status rf_template_bind(const struct rf_template *template, const struct rf_table *table,
                                struct rf_binding *binding, struct rf_error *err)
{
    enum rf_status status = RF_OK;
    *binding = (struct rf_binding){.table = table, .escapes = template->use == RF_TEMPLATE_KEY};
    const struct rf_template_part *end = template->parts + template->part_count;
    for (const struct rf_template_part *part = template->parts; part < end && status == RF_OK;
         part++) {
        switch (part->kind) {
        case PART_TEXT: add_text(binding, part->text); break;
        case PART_DATABASE: add_name(binding, part, end, table->database); break;
        case PART_TABLE: add_name(binding, part, end, table->name); break;
        case PART_COLLECTION: add_collection(binding, part, end); break;
        case PART_OP: add_step(binding, STEP_OP); break;
        case PART_TS: add_step(binding, STEP_TS); break;
        case PART_KEY: status = bind_key(template, table, binding, err); break;
        case PART_COLUMN: {
            int column = rf_table_find(table, part->text);
            if (column < 0) {
                status = no_such_column(template, table, part->text, err);
            } else {
                add_column(binding, table, (uint32_t)column);
            }
            break;
        }
        }
    }
    finish_binding(binding);
    return status;
}

void rf_binding_deinit(struct rf_binding *binding)
{
    for (uint32_t i = 0; i < binding->step_count; i++) {
        free(binding->steps[i].text);
    }
    free(binding->steps);
    *binding = (struct rf_binding){0};
}

/* ------------------------------------------------------------------------------------ rendering */

static enum rf_status untold(const struct rf_binding *binding, const struct rf_event *event,
                             uint32_t column, struct rf_error *err)
{
    rf_fail(err, RF_REJECT, "the log does not tell column '%.*s' of this %s of %.*s",
            RF_STR_ARG(binding->table->columns[column].name), rf_op_name(event->op),
            RF_STR_ARG(binding->table->full_name));
    rf_error_hint(err, "set binlog_row_image=FULL at the source");
    if (err != NULL) {
        err->event = event;
    }
    return RF_REJECT;
}

enum rf_status rf_binding_render(const struct rf_binding *binding, const struct rf_event *event,
                                 int64_t commit_us, const struct rf_value *image,
                                 const struct rf_value *other, struct rf_buf *out,
                                 struct rf_error *err)
{
    size_t start = out->size;
    for (const struct rf_binding_step *step = binding->steps,
                                      *end = binding->steps + binding->step_count;
         step < end; step++) {
        size_t before = out->size;
        switch (step->kind) {
        case STEP_TEXT: rf_buf_add(out, step->text, step->text_size); continue;
        case STEP_OP: rf_buf_add_str(out, rf_str_of(rf_op_name(event->op))); continue;
        case STEP_TS:
            rf_value_print(out,
                           (struct rf_value){.kind = RF_TIMESTAMP, .scale = 6, .i = commit_us});
            continue;
        case STEP_COLUMN: break;
        }
        const struct rf_value *value = &image[step->column];
        if (value->kind == RF_ABSENT) {
            value = other != NULL ? &other[step->column] : value;
            if (value->kind == RF_ABSENT) {
                out->size = start;
                return untold(binding, event, step->column, err);
            }
        }
        rf_value_print(out, *value);
        if (step->has_stop) {
            escape_from(out, before, step->stop);
        }
    }
    return RF_OK;
}

bool rf_binding_changes(const struct rf_binding *binding, const struct rf_event *event)
{
    for (uint32_t i = 0; i < binding->step_count; i++) {
        const struct rf_binding_step *step = &binding->steps[i];
        if (step->kind == STEP_COLUMN && event->after[step->column].kind != RF_ABSENT &&
            !rf_value_equal(event->before[step->column], event->after[step->column])) {
            return true;
        }
    }
    return false;
}

/* ------------------------------------------------------------------------------------- patterns */

void rf_binding_pattern(const struct rf_binding *binding, struct rf_buf *out)
{
    for (uint32_t i = 0; i < binding->step_count; i++) {
        const struct rf_binding_step *step = &binding->steps[i];
        if (step->kind != STEP_TEXT) {
            rf_buf_add_str(out, step->number ? RF_STR("{i}") : RF_STR("{t}"));
            continue;
        }
        for (size_t j = 0; j < step->text_size; j++) {
            char byte = step->text[j];
            rf_buf_add_byte(out, byte);
            if (byte == '{' || byte == '}') {
                rf_buf_add_byte(out, byte);
            }
        }
    }
}

enum rf_status rf_binding_of_pattern(struct rf_str pattern, struct rf_binding *binding,
                                     struct rf_error *err)
{
    *binding = (struct rf_binding){.escapes = true};
    enum rf_status status = RF_OK;
    for (size_t i = 0; i < pattern.size && status == RF_OK; i++) {
        struct rf_str rest = {pattern.data + i, pattern.size - i};
        bool brace = rest.data[0] == '{' || rest.data[0] == '}';
        if (rf_str_starts(rest, RF_STR("{i}")) || rf_str_starts(rest, RF_STR("{t}"))) {
            bool behind_text = binding->step_count == 0 ||
                               binding->steps[binding->step_count - 1].kind == STEP_TEXT;
            add_step(binding, STEP_COLUMN)->number = rest.data[1] == 'i';
            status = behind_text ? RF_OK : RF_FATAL;
            i += 2;
        } else if (!brace || (rest.size > 1 && rest.data[1] == rest.data[0])) {
            add_text(binding, (struct rf_str){rest.data, 1});
            i += brace;
        } else {
            status = RF_FATAL;
        }
    }
    finish_binding(binding);
    return status == RF_OK ? RF_OK
                           : rf_fail(err, status, "'%.*s' is not the pattern of a key template",
                                     RF_STR_ARG(pattern));
}

/* A number as rf_value_print writes it: no sign but '-', no zero in front. */
static bool is_number(struct rf_str text)
{
    bool negative = text.size > 0 && text.data[0] == '-';
    struct rf_str digits = {text.data + negative, text.size - negative};
    uint64_t number;
    return rf_str_to_u64(digits, &number) &&
           (digits.data[0] != '0' || (digits.size == 1 && !negative)) &&
           (!negative || number <= (uint64_t)INT64_MAX + 1);
}

/* Bytes of text that a column with this stop takes: up to the first stop that no backslash
 * precedes. SIZE_MAX: it is not what escaping makes. */
static size_t column_size(const struct rf_binding_step *step, struct rf_str text)
{
    if (!step->has_stop) {
        return text.size;
    }
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] == step->stop) {
            return i;
        }
        if (text.data[i] == '\\') {
            i++;
            if (i == text.size || (text.data[i] != '\\' && text.data[i] != step->stop)) {
                break;
            }
        }
    }
    return SIZE_MAX;
}

bool rf_binding_matches(const struct rf_binding *binding, struct rf_str text)
{
    for (uint32_t i = 0; i < binding->step_count; i++) {
        const struct rf_binding_step *step = &binding->steps[i];
        size_t size = step->text_size;
        if (step->kind == STEP_TEXT) {
            if (!rf_str_starts(text, (struct rf_str){step->text, size})) {
                return false;
            }
        } else {
            size = column_size(step, text);
            if (size == SIZE_MAX ||
                (step->number && !is_number((struct rf_str){text.data, size}))) {
                return false;
            }
        }
        text.data += size;
        text.size -= size;
    }
    return text.size == 0;
}

void rf_binding_glob(const struct rf_binding *binding, struct rf_buf *out)
{
    for (uint32_t i = 0; i < binding->step_count; i++) {
        const struct rf_binding_step *step = &binding->steps[i];
        if (step->kind != STEP_TEXT) {
            rf_buf_add_byte(out, '*');
            continue;
        }
        for (size_t j = 0; j < step->text_size; j++) {
            if (strchr("*?[]\\^-", step->text[j]) != NULL && step->text[j] != '\0') {
                rf_buf_add_byte(out, '\\');
            }
            rf_buf_add_byte(out, step->text[j]);
        }
    }
}

enum rf_status rf_template_render_name(const struct rf_template *template, struct rf_str database,
                                       struct rf_str name, struct rf_buf *out, struct rf_error *err)
{
    struct rf_table table = {.database = database, .name = name};
    struct rf_event event = {.op = RF_CREATE, .table = &table};
    struct rf_binding binding = {0};
    rf_buf_reset(out);
    enum rf_status status = rf_template_bind(template, &table, &binding, err);
    if (status == RF_OK) {
        status = rf_binding_render(&binding, &event, 0, NULL, NULL, out, err);
    }
    rf_binding_deinit(&binding);
    (void)rf_buf_cstr(out);
    return status;
}
