#include "config/file.h"

#include "base/memory.h"
#include "base/nearest.h"
#include "config/environment.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct reader {
    struct rf_config *config;
    const struct rf_config_top *top;
    struct rf_problems *problems;
    bool is_public;
};

static const char *keep(struct reader *reader, struct rf_str text)
{
    char *copy = rf_arena_alloc(&reader->config->memory, text.size + 1);

    if (text.size > 0) {
        memcpy(copy, text.data, text.size);
    }
    copy[text.size] = '\0';
    return copy;
}

static uint32_t problem_count(const struct reader *reader)
{
    return reader->problems->count + reader->problems->left_out;
}

static void wipe(struct rf_buf *buf)
{
    if (buf->data != NULL) {
        explicit_bzero(buf->data, buf->capacity);
    }
    rf_buf_deinit(buf);
}

/* ---- Values ---------------------------------------------------------------------------------- */

/* One value as it stands in the file, and as it is meant. */
struct value {
    const char *raw;
    const char *text;
    bool replaced; /* some of it came from the environment: never shown */
};

static bool is_usable(struct reader *reader, const struct rf_yaml_node *node, const char *name)
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
static bool add_text(struct reader *reader, const struct rf_yaml_node *node, const char *name,
                     bool address, struct rf_buf *out, bool *replaced)
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

static bool add_items(struct reader *reader, const struct rf_yaml_node *list, const char *name,
                      struct rf_buf *raw, struct rf_buf *text, bool *replaced)
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
static bool read_value(struct reader *reader, const struct rf_yaml_node *node, const char *name,
                       bool list, bool address, struct value *out)
{
    struct rf_buf raw = {0}, text = {0};
    bool good = false;

    *out = (struct value){0};
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
        out->raw = keep(reader, rf_buf_str(&raw));
        out->text = keep(reader, rf_buf_str(&text));
    }
    wipe(&raw);
    wipe(&text);
    return good;
}

/* ---- One key --------------------------------------------------------------------------------- */

/* Nothing but variables: what is secret about it is elsewhere. */
static bool is_all_variables(const char *raw)
{
    struct rf_buf rest = {0};

    rf_environment_remove(rf_str_of(raw), &rest);
    bool all = rest.size == 0;
    wipe(&rest);
    return all;
}

static void refuse_public(struct reader *reader, uint32_t line, const char *what)
{
    rf_problem_add(reader->problems, line,
                   "%s is in this file, which every user of this machine can read or write", what);
    rf_problem_hint(reader->problems, "chmod 600 %s, or use password_file or ${VARIABLE}",
                    reader->problems->file);
}

/* Of an option that may hold a secret under this name. */
static bool check_secret(struct reader *reader, const struct rf_option *option,
                         const struct rf_yaml_node *node, const struct value *value)
{
    size_t size = strlen(node->key);

    if (strcmp(node->key, option->name) == 0) {
        if (reader->is_public && value->raw[0] != '\0' && !is_all_variables(value->raw)) {
            refuse_public(reader, node->line, node->key);
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
static void check_value(struct reader *reader, const struct rf_option *option,
                        const struct rf_yaml_node *node, const struct value *value,
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
static void read_key(struct reader *reader, struct rf_config_part *part,
                     const struct rf_option *option, const char *name,
                     const struct rf_yaml_node *node)
{
    struct value value;
    struct rf_buf where = {0};

    if (!read_value(reader, node, node->key, option->kind == RF_OPTION_LIST, false, &value)) {
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
    struct rf_setting setting = {name, value.text, keep(reader, rf_buf_str(&where))};
    rf_buf_deinit(&where);
    check_value(reader, option, node, &value, &setting);
    bool secret = option->kind == RF_OPTION_SECRET && strcmp(node->key, option->name) == 0;
    part->shown[part->count] = secret ? NULL : value.raw;
    part->settings[part->count++] = setting;
}

enum { NAMES_MAX = 512 };

static void refuse_key(struct reader *reader, const struct rf_yaml_node *node, const char *where,
                       const char *const *names, uint32_t count)
{
    const char *nearest = rf_nearest(node->key, names, count);

    rf_problem_add(reader->problems, node->key_line, "unknown key \"%s\"%s%s%s%s%s", node->key,
                   where ? " in " : "", where ? where : "", nearest ? "; did you mean \"" : "",
                   nearest ? nearest : "", nearest ? "\"?" : "");
}

/* ---- The source and the sinks ---------------------------------------------------------------- */

static const struct rf_option *find_option(const struct rf_endpoint_sets *sets, const char *name)
{
    const struct rf_option *option = NULL;

    for (uint32_t i = 0; i < sets->count && option == NULL; i++) {
        option = rf_options_find(sets->items[i].options, name);
    }
    return option;
}

static void refuse_option(struct reader *reader, const struct rf_yaml_node *node, const char *where,
                          const struct rf_endpoint_sets *sets)
{
    const char *names[NAMES_MAX];
    uint32_t count = 0;

    names[count++] = "url";
    for (uint32_t i = 0; i < sets->count; i++) {
        for (const struct rf_option *each = sets->items[i].options; each->name != NULL; each++) {
            if (count < NAMES_MAX) {
                names[count++] = each->name;
            }
        }
    }
    refuse_key(reader, node, where, names, count);
    rf_problem_hint(reader->problems, "'rowferry options %s' lists what can be set",
                    sets->items[0].owner);
}

/* The address, and whether a password stands in it. */
static bool read_url(struct reader *reader, const struct rf_yaml_node *node,
                     struct rf_config_part *part, const char **out)
{
    struct value value;
    struct rf_buf said = {0};
    bool good = false;

    if (!read_value(reader, node, "url", false, true, &value)) {
        return false;
    }
    part->url_hidden = value.replaced;
    rf_environment_remove(rf_str_of(value.raw), &said);
    rf_buf_add_byte(&said, '\0');
    if (reader->is_public && rf_url_wipe(said.data)) {
        refuse_public(reader, node->line, "a password");
    }
    if (value.replaced && strchr(value.text, ':') == NULL && strcmp(value.text, "-") != 0) {
        /* The room for addresses would show it. */
        rf_problem_add(reader->problems, node->line, "url: what \"%s\" stands for is no address",
                       value.raw);
    } else {
        *out = value.text;
        good = true;
    }
    wipe(&said);
    return good;
}

/* The format that stands beside the address of a sink; NULL: none, or none that can be read. */
static const char *find_format(struct reader *reader, const struct rf_yaml_node *node)
{
    const struct rf_yaml_node *format = rf_yaml_find(node, "format");
    const struct rf_format_type *type = NULL;
    struct rf_error err = {0};
    struct rf_buf text = {0};
    bool replaced = false;
    const char *name = NULL;

    if (format != NULL && format->kind == RF_YAML_TEXT && !format->refused &&
        !rf_yaml_is_null(format) &&
        rf_environment_replace(rf_str_of(format->text), false, &text, &replaced, &err) == RF_OK) {
        name = keep(reader, rf_buf_str(&text));
        if (rf_registry_find_format(name, &type, &err) != RF_OK) {
            rf_problem_add_error(reader->problems, format->line, &err);
        }
    }
    rf_buf_deinit(&text);
    return name;
}

/* The tables of what the address names. */
static bool find_sets(struct reader *reader, const struct rf_yaml_node *node, uint32_t line,
                      const char *url, bool is_source, struct rf_endpoint_sets *sets)
{
    struct rf_error err = {0};
    enum rf_status status = is_source
                                ? rf_endpoint_source_sets(url, sets, &err)
                                : rf_endpoint_sink_sets(url, find_format(reader, node), sets, &err);

    if (status != RF_OK) {
        rf_problem_add_error(reader->problems, line, &err);
    }
    return status == RF_OK;
}

static void read_options(struct reader *reader, const struct rf_yaml_node *node, const char *where,
                         const struct rf_endpoint_sets *sets, struct rf_config_part *part)
{
    if (node->kind != RF_YAML_MAP) {
        return;
    }
    for (const struct rf_yaml_node *each = node->first; each != NULL; each = each->next) {
        const struct rf_option *option = find_option(sets, each->key);
        if (strcmp(each->key, "url") == 0) {
            continue;
        }
        if (option == NULL) {
            refuse_option(reader, each, where, sets);
        } else {
            read_key(reader, part, option, keep(reader, rf_str_of(each->key)), each);
        }
    }
}

/* NULL: there is none, which was said. */
static const struct rf_yaml_node *find_url(struct reader *reader, const struct rf_yaml_node *node,
                                           const char *where)
{
    if (node->refused) {
        return NULL;
    }
    if (node->kind == RF_YAML_TEXT && !rf_yaml_is_null(node)) {
        return node; /* nothing but the address */
    }
    if (node->kind != RF_YAML_MAP) {
        rf_problem_add(reader->problems, node->line,
                       "%s is %s; it takes an address, or keys with url among them", where,
                       rf_yaml_describe(node));
        return NULL;
    }
    const struct rf_yaml_node *url = rf_yaml_find(node, "url");
    if (url == NULL) {
        rf_problem_add(reader->problems, node->line, "%s has no url", where);
        rf_problem_hint(reader->problems, "its address, such as mysql://cdc@db.example:3306 or "
                                          "file:changes.jsonl");
    }
    return url;
}

/* What the command line says of it wins. */
static void add_beside(struct reader *reader, const char *url, struct rf_config_part *part,
                       struct rf_settings beside)
{
    struct rf_endpoint_sets sets = {0};

    for (uint32_t i = 0; i < beside.count; i++) {
        uint32_t at = 0;
        if (rf_endpoint_source_sets(url, &sets, NULL) == RF_OK &&
            find_option(&sets, beside.items[i].name) == NULL) {
            rf_problem_add(reader->problems, part->line, "%s has no option for --%s",
                           sets.items[0].owner, beside.items[i].name);
            continue;
        }
        while (at < part->count && strcmp(part->settings[at].name, beside.items[i].name) != 0) {
            at++;
        }
        if (at < RF_CONFIG_KEYS_MAX) {
            part->shown[at] = beside.items[i].value;
            part->settings[at] = beside.items[i];
            part->count = at == part->count ? at + 1 : part->count;
        }
    }
}

/* The keys and the address of one end; *url is NULL when there is nothing to go on with. */
static void read_part(struct reader *reader, const struct rf_yaml_node *node, const char *where,
                      bool is_source, struct rf_config_part *part, const char **url)
{
    const struct rf_yaml_node *url_node = find_url(reader, node, where);
    uint32_t before = problem_count(reader);
    struct rf_endpoint_sets sets;

    *url = NULL;
    part->line = url_node ? url_node->line : node->line;
    if (url_node == NULL || !read_url(reader, url_node, part, url) ||
        !find_sets(reader, node, part->line, *url, is_source, &sets)) {
        *url = NULL;
        return;
    }
    read_options(reader, node, where, &sets, part);
    if (problem_count(reader) > before) {
        *url = NULL;
    }
}

static void read_source(struct reader *reader, const struct rf_yaml_node *node,
                        struct rf_settings beside)
{
    struct rf_config *config = reader->config;
    struct rf_error err = {0};
    const char *url;

    read_part(reader, node, "source", true, &config->source, &url);
    if (url == NULL) {
        return;
    }
    add_beside(reader, url, &config->source, beside);
    struct rf_settings settings = {config->source.settings, config->source.count};
    if (rf_endpoint_source(&config->ends.source, url, settings, &config->ends.source_spec, &err) !=
        RF_OK) {
        rf_problem_add_error(reader->problems, config->source.line, &err);
    }
}

static void read_sink(struct reader *reader, const struct rf_yaml_node *node, uint32_t at)
{
    struct rf_config *config = reader->config;
    struct rf_config_part *part = &config->sinks[at];
    struct rf_error err = {0};
    char where[32];
    const char *url;

    snprintf(where, sizeof where, "sinks[%u]", at);
    read_part(reader, node, where, false, part, &url);
    if (url == NULL) {
        return;
    }
    struct rf_settings settings = {part->settings, part->count};
    if (rf_endpoint_sink(&config->ends.sinks[at], url, NULL, settings, &config->ends.sink_specs[at],
                         &err) != RF_OK) {
        rf_problem_add_error(reader->problems, part->line, &err);
    }
}

static void read_sinks(struct reader *reader, const struct rf_yaml_node *list)
{
    struct rf_config *config = reader->config;
    uint32_t count = 0, at = 0;

    if (list->refused) {
        return;
    }
    if (list->kind != RF_YAML_LIST) {
        rf_problem_add(reader->problems, list->line, "sinks is %s, not a list",
                       rf_yaml_describe(list));
        rf_problem_hint(reader->problems, "begin each sink with a dash: - url: file:changes.jsonl");
        return;
    }
    for (const struct rf_yaml_node *each = list->first; each != NULL; each = each->next) {
        count++;
    }
    if (count == 0 || count > RF_ENDS_SINKS_MAX) {
        rf_problem_add(reader->problems, list->line,
                       count == 0 ? "sinks is empty" : "more than 64 sinks");
        return;
    }
    config->sinks = rf_alloc_zero(count, sizeof *config->sinks);
    rf_ends_reserve(&config->ends, count);
    for (const struct rf_yaml_node *each = list->first; each != NULL; each = each->next) {
        read_sink(reader, each, at++);
    }
}

/* ---- The top --------------------------------------------------------------------------------- */

/* "pool_bytes" as the command's table has it: "pool-bytes". */
static const struct rf_option *find_top(struct reader *reader, const char *key)
{
    char name[64];
    size_t size = strlen(key);

    if (size >= sizeof name || strchr(key, '-') != NULL) {
        return NULL;
    }
    for (size_t i = 0; i <= size; i++) {
        name[i] = (char)(key[i] == '_' ? '-' : key[i]);
    }
    return rf_options_find(reader->top->options, name);
}

static const struct rf_config_refusal *find_refusal(const struct reader *reader,
                                                    const struct rf_option *option)
{
    const struct rf_config_refusal *each = reader->top->refusals;

    while (each->name != NULL && strcmp(each->name, option->name) != 0) {
        each++;
    }
    return each->name != NULL ? each : NULL;
}

static void refuse_top(struct reader *reader, const struct rf_yaml_node *node)
{
    const char *names[NAMES_MAX] = {"source", "sinks"};
    uint32_t count = 2;

    for (const struct rf_option *each = reader->top->options; each->name != NULL; each++) {
        char name[64];
        size_t size = strlen(each->name);
        if (count == NAMES_MAX || size >= sizeof name || find_refusal(reader, each) != NULL) {
            continue;
        }
        for (size_t i = 0; i <= size; i++) {
            name[i] = (char)(each->name[i] == '-' ? '_' : each->name[i]);
        }
        names[count++] = keep(reader, rf_str_of(name));
    }
    refuse_key(reader, node, NULL, names, count);
    rf_problem_hint(reader->problems, "what concerns the source or a sink stands under it, beside "
                                      "its url");
}

static void read_top(struct reader *reader, const struct rf_yaml_node *root)
{
    for (const struct rf_yaml_node *each = root->first; each != NULL; each = each->next) {
        if (strcmp(each->key, "source") == 0 || strcmp(each->key, "sinks") == 0) {
            continue;
        }
        const struct rf_option *option = find_top(reader, each->key);
        const struct rf_config_refusal *refusal = option ? find_refusal(reader, option) : NULL;
        if (option == NULL) {
            refuse_top(reader, each);
        } else if (refusal != NULL) {
            rf_problem_add(reader->problems, each->key_line, "\"%s\" has no place in a file: %s",
                           each->key, refusal->why);
        } else {
            read_key(reader, &reader->config->top, option, option->name, each);
        }
    }
}

static void check_names(struct reader *reader)
{
    const struct rf_config *config = reader->config;
    uint32_t sink, earlier;

    if (problem_count(reader) == 0 && rf_ends_find_double(&config->ends, &sink, &earlier)) {
        rf_problem_add(reader->problems, config->sinks[sink].line,
                       "this sink is the same as the one in line %u: %s",
                       config->sinks[earlier].line, config->ends.sink_specs[sink].name);
        rf_problem_hint(reader->problems, "if both are meant, give each a name of its own");
    }
}

static void read_root(struct reader *reader, const struct rf_yaml_node *root,
                      struct rf_settings beside)
{
    const struct rf_yaml_node *source = rf_yaml_find(root, "source");
    const struct rf_yaml_node *sinks = rf_yaml_find(root, "sinks");

    if (root->kind != RF_YAML_MAP) {
        rf_problem_add(reader->problems, root->line, "a configuration is made of keys, not of %s",
                       rf_yaml_describe(root));
        rf_problem_hint(reader->problems,
                        "it begins with source: and sinks:, see rowferry.yaml(5)");
        return;
    }
    read_top(reader, root);
    if (source != NULL) {
        read_source(reader, source, beside);
    } else {
        rf_problem_add(reader->problems, 0, "there is no \"source\"");
        rf_problem_hint(reader->problems, "source: and under it url: mysql://cdc@db.example:3306");
    }
    if (sinks != NULL) {
        read_sinks(reader, sinks);
    } else {
        rf_problem_add(reader->problems, 0, "there are no \"sinks\"");
        rf_problem_hint(reader->problems, "sinks: and under it one line for each, such as - url: "
                                          "file:changes.jsonl");
    }
    check_names(reader);
}

enum rf_status rf_config_parse(struct rf_config *config, struct rf_str text, bool is_public,
                               const struct rf_config_top *top, struct rf_settings beside,
                               struct rf_problems *problems)
{
    struct reader reader = {config, top, problems, is_public};
    struct rf_yaml yaml = {0};

    rf_yaml_parse(&yaml, text, problems);
    if (yaml.root == NULL && problem_count(&reader) == 0) {
        rf_problem_add(problems, 0, "it is empty");
        rf_problem_hint(problems, "it begins with source: and sinks:, see rowferry.yaml(5)");
    }
    /* What stands behind a mistake in the form is not there: all else would be guesses. */
    if (yaml.root != NULL && !yaml.broken) {
        read_root(&reader, yaml.root, beside);
    }
    rf_yaml_deinit(&yaml);
    rf_problems_sort(problems);
    return problem_count(&reader) == 0 ? RF_OK : RF_CONFIG;
}

/* ---- The file -------------------------------------------------------------------------------- */

/* Returns false at an error, with errno. */
static bool read_all(int file, struct rf_buf *out)
{
    ssize_t got;

    do {
        got = read(file, rf_buf_reserve(out, 64 * 1024), 64 * 1024);
        if (got > 0) {
            out->size += (size_t)got;
        }
    } while ((got > 0 && out->size <= RF_YAML_BYTES_MAX) || (got < 0 && errno == EINTR));
    return got >= 0;
}

enum rf_status rf_config_read(struct rf_config *config, const char *path,
                              const struct rf_config_top *top, struct rf_settings beside,
                              struct rf_problems *problems)
{
    struct rf_buf text = {0};
    struct stat info;
    enum rf_status status = RF_CONFIG;
    int file = open(path, O_RDONLY | O_CLOEXEC);

    if (file < 0 || fstat(file, &info) != 0 || !read_all(file, &text)) {
        rf_problem_add(problems, 0, "it cannot be read: %s", strerror(errno));
    } else {
        bool is_public = S_ISREG(info.st_mode) && (info.st_mode & (S_IROTH | S_IWOTH)) != 0;
        status = rf_config_parse(config, rf_buf_str(&text), is_public, top, beside, problems);
    }
    if (file >= 0) {
        close(file);
    }
    wipe(&text);
    return status;
}

void rf_config_deinit(struct rf_config *config)
{
    rf_ends_deinit(&config->ends);
    free(config->sinks);
    for (struct rf_chunk *chunk = config->memory.head; chunk != NULL; chunk = chunk->next) {
        explicit_bzero(chunk->data, chunk->used);
    }
    rf_arena_deinit(&config->memory);
    *config = (struct rf_config){0};
}
