#include "config/key.h"

#include "base/nearest.h"
#include "config/environment.h"

#include <stdlib.h>

const char *rf_key_keep(struct rf_key_reader *reader, struct rf_str text)
{
    char *copy = rf_arena_alloc(&reader->config->memory, text.size + 1);

    if (text.size > 0) {
        memcpy(copy, text.data, text.size);
    }
    copy[text.size] = '\0';
    return copy;
}

uint32_t rf_key_problem_count(const struct rf_key_reader *reader)
{
    return reader->problems->count + reader->problems->left_out;
}

/* ---- Values ---------------------------------------------------------------------------------- */

static bool is_usable(struct rf_key_reader *reader, const struct rf_yaml_node *node,
                      const char *name)
{
    if (node->refused) {
        return false;
    }
    if (rf_yaml_is_null(node)) {
        rf_problem_add(reader->problems, node->line, "%s has no value", name);
        rf_problem_hint(reader->problems,
                        "give it one, or leave the key out; \"\" is an empty text");
        return false;
    }
    return true;
}

/* Adds one text to the value; false: the problem was said. */
static bool add_text(struct rf_key_reader *reader, const struct rf_yaml_node *node,
                     const char *name, bool address, struct rf_buf *out, bool *replaced)
{
    struct rf_error err = {0};

    if (!is_usable(reader, node, name)) {
        return false;
    }
    if (rf_environment_replace(rf_str_of(node->text), address, out, replaced, &err) != RF_OK) {
        rf_error_wrap(&err, "%s:%u: %s", reader->problems->file, node->line, name);
        rf_problem_add_error(reader->problems, node->line, &err);
        return false;
    }
    return true;
}

/* A comma inside parentheses belongs to a rule such as mask(email,4). */
static bool has_comma(const char *text)
{
    int open = 0;

    for (; *text != '\0'; text++) {
        open += *text == '(';
        open -= *text == ')';
        if (*text == ',' && open <= 0) {
            return true;
        }
    }
    return false;
}

static bool add_items(struct rf_key_reader *reader, const struct rf_yaml_node *list,
                      const char *name, struct rf_buf *raw, struct rf_buf *text, bool *replaced)
{
    bool good = true;

    for (const struct rf_yaml_node *item = list->first; item != NULL; item = item->next) {
        if (item->kind != RF_YAML_TEXT) {
            rf_problem_add(reader->problems, item->line, "an item of %s is %s", name,
                           rf_yaml_describe(item));
            rf_problem_hint(reader->problems, "a text with [ or { at its front, or ': ' in it, "
                                              "needs quotes");
            good = false;
            continue;
        }
        rf_buf_printf(raw, "%s%s", raw->size > 0 ? "," : "", item->text);
        if (text->size > 0) {
            rf_buf_add_byte(text, ',');
        }
        size_t start = text->size;
        if (!add_text(reader, item, name, false, text, replaced)) {
            good = false;
        } else if (text->size == start) {
            rf_problem_add(reader->problems, item->line, "an item of %s is empty", name);
            good = false;
        } else if (has_comma(rf_buf_cstr(text) + start)) {
            rf_problem_add(reader->problems, item->line, "an item of %s has a comma in it", name);
            rf_problem_hint(reader->problems, "write two items");
            good = false;
        }
    }
    return good;
}

/* list: the option takes several. */
bool rf_key_value(struct rf_key_reader *reader, const struct rf_yaml_node *node, const char *name,
                  bool list, bool address, struct rf_key_value *out)
{
    struct rf_buf raw = {0}, text = {0};
    bool good = false;

    *out = (struct rf_key_value){0};
    if (node->kind == RF_YAML_TEXT) {
        rf_buf_printf(&raw, "%s", node->text);
        good = add_text(reader, node, name, address, &text, &out->replaced);
    } else if (node->kind == RF_YAML_LIST && list) {
        good = add_items(reader, node, name, &raw, &text, &out->replaced);
    } else {
        rf_problem_add(reader->problems, node->line, "%s takes %s, not %s", name,
                       list ? "a text or a list" : "one value", rf_yaml_describe(node));
        rf_problem_hint(reader->problems, "a text with [ or { at its front, or ': ' in it, needs "
                                          "quotes");
    }
    if (good) {
        out->raw = rf_key_keep(reader, rf_buf_str(&raw));
        out->text = rf_key_keep(reader, rf_buf_str(&text));
    }
    rf_buf_wipe(&raw);
    rf_buf_wipe(&text);
    return good;
}

/* ---- One key --------------------------------------------------------------------------------- */

/* Nothing but variables: what is secret about it is elsewhere. */
static bool is_all_variables(const char *raw)
{
    struct rf_buf rest = {0};

    rf_environment_remove(rf_str_of(raw), &rest);
    bool all = rest.size == 0;
    rf_buf_wipe(&rest);
    return all;
}

void rf_key_refuse_public(struct rf_key_reader *reader, uint32_t line, const char *what)
{
    rf_problem_add(reader->problems, line,
                   "%s is in this file, which every user of this machine can read or write", what);
    rf_problem_hint(reader->problems, "chmod 600 %s, or use password_file or ${VARIABLE}",
                    reader->problems->file);
}

/* Of an option that may hold a secret under this name. */
static bool check_secret(struct rf_key_reader *reader, const struct rf_option *option,
                         const struct rf_yaml_node *node, const struct rf_key_value *value)
{
    size_t size = strlen(node->key);

    if (strcmp(node->key, option->name) == 0) {
        if (reader->is_public && value->raw[0] != '\0' && !is_all_variables(value->raw)) {
            rf_key_refuse_public(reader, node->line, node->key);
            return false;
        }
    } else if (size > 4 && strcmp(node->key + size - 4, "_env") == 0 &&
               getenv(value->text) == NULL) {
        /* Not shown: some write the password itself here. */
        rf_problem_add(reader->problems, node->line,
                       "%s names a variable that the environment does not have", node->key);
        return false;
    }
    return true;
}

/* Whether the option would take the value. */
static void check_value(struct rf_key_reader *reader, const struct rf_option *option,
                        const struct rf_yaml_node *node, const struct rf_key_value *value,
                        const struct rf_setting *setting)
{
    struct rf_option one[] = {*option, RF_OPTION_END};
    struct rf_option_set set = {node->key, one};
    struct rf_settings settings = {setting, 1};
    struct rf_error err = {0};

    one[0].required = false;
    if (strcmp(node->key, setting->name) != 0) { /* of an argument: as the file spells it */
        one[0].name = node->key;
    }
    struct rf_setting as_here = *setting;
    as_here.name = node->key;
    settings.items = &as_here;
    if (rf_options_check(&set, 1, settings, &err) == RF_OK) {
        return;
    }
    if (value->replaced && option->kind != RF_OPTION_SECRET) {
        struct rf_buf kind = {0};
        rf_option_describe(option, &kind);
        rf_problem_add(reader->problems, node->line,
                       "%s: what \"%s\" stands for is not allowed, it takes: %s", node->key,
                       value->raw, rf_buf_cstr(&kind));
        rf_buf_deinit(&kind);
    } else {
        rf_problem_add_error(reader->problems, node->line, &err);
    }
}

/* Reads the value of a key whose option is known, and puts it into the part as `name`. */
void rf_key_read(struct rf_key_reader *reader, struct rf_config_part *part,
                 const struct rf_option *option, const char *name, const struct rf_yaml_node *node)
{
    struct rf_key_value value;
    struct rf_buf where = {0};

    if (!rf_key_value(reader, node, node->key, option->kind == RF_OPTION_LIST, false, &value)) {
        return;
    }
    if (option->kind == RF_OPTION_SECRET && !check_secret(reader, option, node, &value)) {
        return;
    }
    if (part->count == RF_CONFIG_KEYS_MAX) {
        rf_problem_add(reader->problems, node->key_line, "more than %d keys in one place",
                       RF_CONFIG_KEYS_MAX);
        return;
    }
    rf_buf_printf(&where, "%s:%u", reader->problems->file, node->line);
    struct rf_setting setting = {name, value.text, rf_key_keep(reader, rf_buf_str(&where))};
    rf_buf_deinit(&where);
    check_value(reader, option, node, &value, &setting);
    bool secret = option->kind == RF_OPTION_SECRET && strcmp(node->key, option->name) == 0;
    part->shown[part->count] = secret ? NULL : value.raw;
    part->settings[part->count++] = setting;
}

void rf_key_refuse(struct rf_key_reader *reader, const struct rf_yaml_node *node, const char *where,
                   const char *const *names, uint32_t count)
{
    const char *nearest = rf_nearest(node->key, names, count);

    rf_problem_add(reader->problems, node->key_line, "unknown key \"%s\"%s%s%s%s%s", node->key,
                   where ? " in " : "", where ? where : "", nearest ? "; did you mean \"" : "",
                   nearest ? nearest : "", nearest ? "\"?" : "");
}
