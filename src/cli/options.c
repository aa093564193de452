/* rowferry options [NAME] */
#include "engine/options.h"

#include "base/message.h"
#include "base/nearest.h"
#include "cli/command.h"
#include "engine/registry.h"

#include <stdio.h>

struct options_options {
    bool markdown;
};

static const struct rf_option own_options[] = {
    {"markdown", RF_OPTION_BOOL, offsetof(struct options_options, markdown), NULL, NULL,
     "print docs/options.md", false},
    RF_OPTION_END,
};

/* A plugin of any kind; options is NULL when the build left it out. */
struct plugin {
    const char *kind;
    const char *name;
    const char *summary;
    const char *example;
    const char *missing;
    const struct rf_option *options;
    bool takes_format; /* a sink */
};

enum { PLUGINS_MAX = 64 };

static void add(struct plugin *plugins, uint32_t *count, struct plugin plugin)
{
    rf_assert(*count < PLUGINS_MAX);
    plugins[(*count)++] = plugin;
}

/* A format may have no table at all. */
static const struct rf_option no_options[] = {RF_OPTION_END};

/* Every plugin of the lists, those that the build left out too. */
static uint32_t collect(struct plugin *plugins)
{
    uint32_t count = 0;

    for (const struct rf_registry_source *each = rf_registry_sources(); each->name; each++) {
        struct plugin plugin = {.kind = "source", .name = each->name, .missing = each->missing};
        if (each->type != NULL) {
            plugin.summary = each->type->summary;
            plugin.example = each->type->example;
            plugin.options = each->type->options;
        }
        add(plugins, &count, plugin);
    }
    for (const struct rf_registry_sink *each = rf_registry_sinks(); each->name; each++) {
        struct plugin plugin = {.kind = "sink", .name = each->name, .missing = each->missing};
        if (each->type != NULL) {
            plugin.summary = each->type->summary;
            plugin.example = each->type->example;
            plugin.options = each->type->options;
            plugin.takes_format = each->type->default_format != NULL;
        }
        add(plugins, &count, plugin);
    }
    for (const struct rf_registry_format *each = rf_registry_formats(); each->name; each++) {
        struct plugin plugin = {.kind = "format", .name = each->name, .missing = each->missing};
        if (each->type != NULL) {
            plugin.summary = each->type->summary;
            plugin.options = each->type->options ? each->type->options : no_options;
        }
        add(plugins, &count, plugin);
    }
    for (const struct rf_registry_transform *each = rf_registry_transforms(); each->name; each++) {
        struct plugin plugin = {.kind = "transform", .name = each->name, .missing = each->missing};
        if (each->type != NULL) {
            plugin.summary = each->type->summary;
            plugin.options = each->type->options;
        }
        add(plugins, &count, plugin);
    }
    return count;
}

/* "default 3306", "required", or nothing. */
static void describe_default(const struct rf_option *option, struct rf_buf *out)
{
    if (option->required) {
        rf_buf_printf(out, "required");
    } else if (option->fallback != NULL) {
        rf_buf_printf(out, "default %s", option->fallback);
    }
}

/* ---- As plain text --------------------------------------------------------------------------- */

/* without: the name of one to leave out, or NULL. */
static void add_text_options(struct rf_buf *out, const struct rf_option *options,
                             const char *without)
{
    for (const struct rf_option *option = options; option->name != NULL; option++) {
        if (without != NULL && strcmp(option->name, without) == 0) {
            continue;
        }
        struct rf_buf kind = {0};
        struct rf_buf fallback = {0};
        rf_option_describe(option, &kind);
        describe_default(option, &fallback);
        rf_buf_printf(out, "  %-18s %s\n  %-18s   %s%s%s\n", option->name, option->help, "",
                      rf_buf_cstr(&kind), fallback.size > 0 ? "; " : "", rf_buf_cstr(&fallback));
        rf_buf_deinit(&kind);
        rf_buf_deinit(&fallback);
    }
}

static void add_text(struct rf_buf *out, const struct plugin *plugin)
{
    rf_buf_printf(out, "%s%s %s: ", out->size > 0 ? "\n" : "", plugin->kind, plugin->name);
    if (plugin->options == NULL) {
        rf_buf_printf(out, "not in this build, which was made without %s\n", plugin->missing);
        return;
    }
    rf_buf_printf(out, "%s\n", plugin->summary);
    if (plugin->example != NULL) {
        rf_buf_printf(out, "for example: %s\n", plugin->example);
    }
    add_text_options(out, plugin->options, NULL);
    if (strcmp(plugin->kind, "sink") == 0) {
        add_text_options(out, rf_sink_common_options, plugin->takes_format ? NULL : "format");
    } else if (plugin->options->name == NULL) {
        rf_buf_printf(out, "  has no options\n");
    }
}

/* ---- As docs/options.md ---------------------------------------------------------------------- */

/* A '|' would end the cell; a '*' begins a stress, but not in code. */
static void add_cell(struct rf_buf *out, struct rf_str text, bool code)
{
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] == '|' || (text.data[i] == '*' && !code)) {
            rf_buf_add_byte(out, '\\');
        }
        rf_buf_add_byte(out, text.data[i]);
    }
}

static void add_markdown_options(struct rf_buf *out, const struct rf_option *options)
{
    rf_buf_printf(out,
                  "\n| option | takes | default | what it does |\n| --- | --- | --- | --- |\n");
    for (const struct rf_option *option = options; option->name != NULL; option++) {
        struct rf_buf kind = {0};
        rf_option_describe(option, &kind);
        rf_buf_printf(out, "| `%s` | ", option->name);
        add_cell(out, rf_buf_str(&kind), false);
        if (option->required) {
            rf_buf_printf(out, " | required | ");
        } else if (option->fallback != NULL) {
            rf_buf_printf(out, " | `");
            add_cell(out, rf_str_of(option->fallback), true);
            rf_buf_printf(out, "` | ");
        } else {
            rf_buf_printf(out, " | | ");
        }
        add_cell(out, rf_str_of(option->help), false);
        rf_buf_printf(out, " |\n");
        rf_buf_deinit(&kind);
    }
}

static void add_markdown(struct rf_buf *out, const struct plugin *plugin)
{
    rf_buf_printf(out, "\n## %c%s `%s`\n\n", plugin->kind[0] - 32, plugin->kind + 1, plugin->name);
    if (plugin->options == NULL) {
        rf_buf_printf(out, "Not in this build.\n");
        return;
    }
    rf_buf_printf(out, "%c%s.\n",
                  plugin->summary[0] >= 'a' && plugin->summary[0] <= 'z' ? plugin->summary[0] - 32
                                                                         : plugin->summary[0],
                  plugin->summary + 1);
    if (plugin->example != NULL) {
        rf_buf_printf(out, "\n    %s\n", plugin->example);
    }
    if (plugin->options->name != NULL) {
        add_markdown_options(out, plugin->options);
    } else {
        rf_buf_printf(out, "\nIt has no options.\n");
    }
}

static const char markdown_head[] =
    "# Options\n\n"
    "Written by `rowferry options --markdown`; do not edit.\n\n"
    "Options stand behind the `?` of an address, with `&` between them:\n\n"
    "    rowferry run 'mysql://cdc@db:3306/shop.*?password_file=/run/secrets/cdc' "
    "redis://cache:6379\n\n"
    "`user`, `password`, `host`, `port` and `path` are also the parts of an address,\n"
    "`scheme://user:password@host:port/path`. Any byte may be written as `%XX`; in a user name or\n"
    "password `:` `/` `@` `?` and `%` must be.\n\n"
    "A secret, such as `password`, may also come from a file (`password_file=PATH`, which others "
    "must\n"
    "not be able to read), from a variable of the environment (`password_env=NAME`, and without "
    "any of\n"
    "these `ROWFERRY_MYSQL_PASSWORD`, with the name of the source or sink in the middle), or from "
    "the\n"
    "service manager (`$CREDENTIALS_DIRECTORY/mysql-password`).\n\n"
    "A transform's options stand beside those of any sink, and it is used where one of them is "
    "set.\n";

/* ---------------------------------------------------------------------------------------------- */

static int run(void *state, const char *const *words, uint32_t word_count)
{
    const struct options_options *chosen = state;
    const char *names[PLUGINS_MAX];
    struct plugin plugins[PLUGINS_MAX];
    uint32_t count = collect(plugins);
    struct rf_buf out = {0};
    uint32_t shown = 0;

    if (chosen->markdown) {
        rf_buf_printf(&out, "%s", markdown_head);
    }
    for (uint32_t i = 0; i < count; i++) {
        names[i] = plugins[i].name;
        if (word_count > 0 && strcmp(words[0], plugins[i].name) != 0) {
            continue;
        }
        shown++;
        if (chosen->markdown) {
            add_markdown(&out, &plugins[i]);
        } else {
            add_text(&out, &plugins[i]);
        }
    }
    int code = RF_EXIT_USAGE;
    if (shown > 0) {
        if (chosen->markdown && word_count == 0) {
            rf_buf_printf(&out, "\n## Every sink\n");
            add_markdown_options(&out, rf_sink_common_options);
        }
        code = rf_command_print(&out);
    } else {
        const char *nearest = rf_nearest(words[0], names, count);
        rf_message_error("there is no source, sink, format or transform '%s'%s%s%s", words[0],
                         nearest ? "; did you mean '" : "", nearest ? nearest : "",
                         nearest ? "'?" : "");
        rf_message_hint("'rowferry options' lists all of them");
    }
    rf_buf_deinit(&out);
    return code;
}

static void complete(struct rf_buf *out)
{
    struct plugin plugins[PLUGINS_MAX];
    uint32_t count = collect(plugins);

    for (uint32_t i = 0; i < count; i++) {
        rf_buf_printf(out, "%s\n", plugins[i].name);
    }
}

const struct rf_command rf_command_options = {
    .name = "options",
    .usage = "[OPTION...] [NAME]",
    .summary = "list what can be set of sources, sinks, formats and transforms",
    .help = "Of all of them, or of that one. Options stand behind the '?' of an address, with '&'\n"
            "between them: 'redis://cache:6379/0?key={database}:{table}:{key}'.\n",
    .state_size = sizeof(struct options_options),
    .options = own_options,
    .words_min = 0,
    .words_max = 1,
    .complete = complete,
    .run = run,
};
