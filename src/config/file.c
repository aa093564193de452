#include "config/file.h"

#include "base/memory.h"
#include "config/environment.h"
#include "config/key.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NAMES_MAX = 512 };

/* ---- The source and the sinks ---------------------------------------------------------------- */

static const struct rf_option *find_option(const struct rf_endpoint_sets *sets, const char *name)
{
    const struct rf_option *option = NULL;

    for (uint32_t i = 0; i < sets->count && option == NULL; i++) {
        option = rf_options_find(sets->items[i].options, name);
    }
    return option;
}

static void refuse_option(struct rf_key_reader *reader, const struct rf_yaml_node *node,
                          const char *where, const struct rf_endpoint_sets *sets)
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
    rf_key_refuse(reader, node, where, names, count);
    rf_problem_hint(reader->problems, "'rowferry options %s' lists what can be set",
                    sets->items[0].owner);
}

/* The address, and whether a password stands in it. */
static bool read_url(struct rf_key_reader *reader, const struct rf_yaml_node *node,
                     struct rf_config_part *part, const char **out)
{
    struct rf_key_value value;
    struct rf_buf said = {0};
    bool good = false;

    if (!rf_key_value(reader, node, "url", false, true, &value)) {
        return false;
    }
    part->url_hidden = value.replaced;
    rf_environment_remove(rf_str_of(value.raw), &said);
    rf_buf_add_byte(&said, '\0');
    if (reader->is_public && rf_url_wipe(said.data)) {
        rf_key_refuse_public(reader, node->line, "a password");
    }
    if (value.replaced && strchr(value.text, ':') == NULL && strcmp(value.text, "-") != 0) {
        /* The room for addresses would show it. */
        rf_problem_add(reader->problems, node->line, "url: what \"%s\" stands for is no address",
                       value.raw);
    } else {
        *out = value.text;
        good = true;
    }
    rf_buf_wipe(&said);
    return good;
}

/* The format that stands beside the address of a sink; NULL: none, or none that can be read. */
static const char *find_format(struct rf_key_reader *reader, const struct rf_yaml_node *node)
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
        name = rf_key_keep(reader, rf_buf_str(&text));
        if (rf_registry_find_format(name, &type, &err) != RF_OK) {
            rf_problem_add_error(reader->problems, format->line, &err);
        }
    }
    rf_buf_deinit(&text);
    return name;
}

/* The tables of what the address names. */
static bool find_sets(struct rf_key_reader *reader, const struct rf_yaml_node *node, uint32_t line,
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

/* False: a value is missing, so what is there cannot be judged together. */
static bool read_options(struct rf_key_reader *reader, const struct rf_yaml_node *node,
                         const char *where, const struct rf_endpoint_sets *sets,
                         struct rf_config_part *part)
{
    bool complete = true;

    if (node->kind != RF_YAML_MAP) {
        return true;
    }
    for (const struct rf_yaml_node *each = node->first; each != NULL; each = each->next) {
        const struct rf_option *option = find_option(sets, each->key);
        if (strcmp(each->key, "url") == 0) {
            continue;
        }
        if (option == NULL) {
            refuse_option(reader, each, where, sets);
        } else {
            uint32_t before = rf_key_problem_count(reader);
            rf_key_read(reader, part, option, rf_key_keep(reader, rf_str_of(each->key)), each);
            complete = complete && rf_key_problem_count(reader) == before;
        }
    }
    return complete;
}

/* NULL: there is none, which was said. */
static const struct rf_yaml_node *find_url(struct rf_key_reader *reader,
                                           const struct rf_yaml_node *node, const char *where)
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
        if (node->first != NULL && node->first->next == NULL && rf_yaml_is_null(node->first)) {
            rf_problem_hint(reader->problems, "an address that ends with a colon needs quotes");
        } else {
            rf_problem_hint(reader->problems, "its address, such as mysql://cdc@db.example:3306 or "
                                              "file:changes.jsonl");
        }
    }
    return url;
}

/* What the command line says of it wins. */
static void add_beside(struct rf_key_reader *reader, const char *url, struct rf_config_part *part,
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
static void read_part(struct rf_key_reader *reader, const struct rf_yaml_node *node,
                      const char *where, bool is_source, struct rf_config_part *part,
                      const char **url)
{
    const struct rf_yaml_node *url_node = find_url(reader, node, where);
    uint32_t before = rf_key_problem_count(reader);
    struct rf_endpoint_sets sets;

    *url = NULL;
    part->line = url_node ? url_node->line : node->line;
    if (url_node == NULL || !read_url(reader, url_node, part, url) ||
        !find_sets(reader, node, part->line, *url, is_source, &sets)) {
        *url = NULL;
        return;
    }
    bool complete = read_options(reader, node, where, &sets, part);
    if (rf_key_problem_count(reader) > before) {
        struct rf_settings settings = {part->settings, part->count};
        struct rf_error err = {0};
        if (complete && !is_source && rf_endpoint_check_transforms(settings, &err) != RF_OK) {
            rf_config_hide(part, NULL, &err);
            rf_problem_add_error(reader->problems, part->line, &err);
        }
        *url = NULL;
    }
}

void rf_config_hide(const struct rf_config_part *part, const char *name, struct rf_error *err)
{
    bool hidden = name == NULL && part->url_hidden;

    for (uint32_t i = 0; i < part->count && !hidden; i++) {
        const struct rf_setting *setting = &part->settings[i];
        hidden = (name == NULL || strcmp(setting->name, name) == 0) && part->shown[i] != NULL &&
                 strcmp(part->shown[i], setting->value) != 0;
    }
    if (hidden) {
        rf_fail(err, RF_CONFIG,
                "what stands here is not allowed; it is not shown, as it came from "
                "the environment");
        rf_error_hint(err, "write it out instead of ${NAME} to see what is wrong with it");
    }
}

static void read_source(struct rf_key_reader *reader, const struct rf_yaml_node *node,
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

static void read_sink(struct rf_key_reader *reader, const struct rf_yaml_node *node, uint32_t at)
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
        if (config->ends.sinks[at].refused) {
            rf_config_hide(part, NULL, &err);
        }
        rf_problem_add_error(reader->problems, part->line, &err);
    }
}

static void read_sinks(struct rf_key_reader *reader, const struct rf_yaml_node *list)
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
static const struct rf_option *find_top(struct rf_key_reader *reader, const char *key)
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

static const struct rf_config_refusal *find_refusal(const struct rf_key_reader *reader,
                                                    const struct rf_option *option)
{
    const struct rf_config_refusal *each = reader->top->refusals;

    while (each->name != NULL && strcmp(each->name, option->name) != 0) {
        each++;
    }
    return each->name != NULL ? each : NULL;
}

static void refuse_top(struct rf_key_reader *reader, const struct rf_yaml_node *node)
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
        names[count++] = rf_key_keep(reader, rf_str_of(name));
    }
    rf_key_refuse(reader, node, NULL, names, count);
    rf_problem_hint(reader->problems, "what concerns the source or a sink stands under it, beside "
                                      "its url");
}

static void read_top(struct rf_key_reader *reader, const struct rf_yaml_node *root)
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
            rf_key_read(reader, &reader->config->top, option, option->name, each);
        }
    }
}

static void check_names(struct rf_key_reader *reader)
{
    const struct rf_config *config = reader->config;
    uint32_t sink, earlier;

    if (rf_key_problem_count(reader) == 0 && rf_ends_find_double(&config->ends, &sink, &earlier)) {
        rf_problem_add(reader->problems, config->sinks[sink].line,
                       "this sink is the same as the one in line %u: %s",
                       config->sinks[earlier].line, config->ends.sink_specs[sink].name);
        rf_problem_hint(reader->problems, "if both are meant, give each a name of its own");
    }
}

static void read_root(struct rf_key_reader *reader, const struct rf_yaml_node *root,
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
    struct rf_key_reader reader = {config, top, problems, is_public};
    struct rf_yaml yaml = {0};

    rf_yaml_parse(&yaml, text, problems);
    if (yaml.root == NULL && rf_key_problem_count(&reader) == 0) {
        rf_problem_add(problems, 0, "it is empty");
        rf_problem_hint(problems, "it begins with source: and sinks:, see rowferry.yaml(5)");
    }
    /* What stands behind a mistake in the form is not there: all else would be guesses. */
    if (yaml.root != NULL && !yaml.broken) {
        read_root(&reader, yaml.root, beside);
    }
    rf_yaml_deinit(&yaml);
    rf_problems_sort(problems);
    return rf_key_problem_count(&reader) == 0 ? RF_OK : RF_CONFIG;
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
    rf_buf_wipe(&text);
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
