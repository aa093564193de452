#include "config/endpoint.h"

#include "base/memory.h"
#include "engine/registry.h"

#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* What both kinds of plugins have. */
struct plugin {
    const char *name;
    const char *example;
    const struct rf_option *options;
};

static const struct rf_option *find(const struct plugin *plugin, const char *name)
{
    for (const struct rf_option *option = plugin->options; option->name != NULL; option++) {
        if (strcmp(option->name, name) == 0) {
            return option;
        }
    }
    return NULL;
}

static const char *keep(struct rf_endpoint *endpoint, struct rf_buf *text)
{
    char *copy = rf_arena_alloc(&endpoint->memory, text->size + 1);

    memcpy(copy, rf_buf_cstr(text), text->size + 1);
    rf_buf_deinit(text);
    return copy;
}

static const char *setting_of(const struct rf_endpoint *endpoint, const char *name)
{
    for (uint32_t i = 0; i < endpoint->count; i++) {
        if (strcmp(endpoint->settings[i].name, name) == 0) {
            return endpoint->settings[i].value;
        }
    }
    return NULL;
}

/* As the plugin will see it: what was set, else the table's fallback, else NULL. */
static const char *effective(const struct rf_endpoint *endpoint, const struct plugin *plugin,
                             const char *name)
{
    const char *value = setting_of(endpoint, name);
    const struct rf_option *option = find(plugin, name);

    return value == NULL && option != NULL ? option->fallback : value;
}

static enum rf_status add(struct rf_endpoint *endpoint, const char *name, const char *value,
                          struct rf_error *err)
{
    if (endpoint->count == RF_ENDPOINT_SETTINGS_MAX) {
        return rf_fail(err, RF_CONFIG, "the %s address has too many options", endpoint->url.scheme);
    }
    endpoint->settings[endpoint->count++] = (struct rf_setting){name, value, NULL};
    return RF_OK;
}

static enum rf_status add_beside(struct rf_endpoint *endpoint, const struct rf_setting *setting,
                                 struct rf_error *err)
{
    if (rf_url_get(&endpoint->url, setting->name) != NULL) {
        rf_fail(err, RF_CONFIG, "%s%s%s is in the address too",
                setting->where ? setting->where : "", setting->where ? ": " : "", setting->name);
        rf_error_hint(err, "give it once");
        return RF_CONFIG;
    }
    enum rf_status status = add(endpoint, setting->name, setting->value, err);
    if (status == RF_OK) {
        endpoint->settings[endpoint->count - 1].where = setting->where;
    }
    return status;
}

static enum rf_status parse(struct rf_endpoint *endpoint, const char *text,
                            struct rf_settings beside, struct rf_error *err)
{
    enum rf_status status = rf_url_parse(&endpoint->url, rf_str_of(text), err);

    for (uint32_t i = 0; i < endpoint->url.count && status == RF_OK; i++) {
        status =
            add(endpoint, endpoint->url.settings[i].name, endpoint->url.settings[i].value, err);
    }
    for (uint32_t i = 0; i < beside.count && status == RF_OK; i++) {
        status = add_beside(endpoint, &beside.items[i], err);
    }
    return status;
}

/* "mysql:db/shop" would be a connection to the default host, "file://a.jsonl" a host called
 * a.jsonl: neither is what was meant. */
static enum rf_status check_form(const struct rf_endpoint *endpoint, const struct plugin *plugin,
                                 struct rf_error *err)
{
    const char *scheme = endpoint->url.scheme;

    if (!endpoint->is_file && !endpoint->url.authority) {
        rf_fail(err, RF_CONFIG, "the %s address lacks the '//' in front of its host", scheme);
        rf_error_hint(err, "for example: %s", plugin->example);
        return RF_CONFIG;
    }
    if (endpoint->is_file && rf_url_get(&endpoint->url, "host") != NULL) {
        rf_fail(err, RF_CONFIG, "the %s address has a host, but takes a path only", scheme);
        rf_error_hint(err, "write %s:PATH, without '//'; for example: %s", scheme, plugin->example);
        return RF_CONFIG;
    }
    return RF_OK;
}

/* Behind a host the slash only separates. */
static void cut_slash(struct rf_endpoint *endpoint)
{
    for (uint32_t i = 0; i < endpoint->count; i++) {
        struct rf_setting *setting = &endpoint->settings[i];
        if (strcmp(setting->name, "path") == 0 && setting->value[0] == '/') {
            setting->value++;
            if (setting->value[0] == '\0') {
                memmove(setting, setting + 1, (endpoint->count - i - 1) * sizeof *setting);
                endpoint->count--;
            }
            return;
        }
    }
}

static bool is_set(const struct rf_endpoint *endpoint, const char *plugin, const char *option)
{
    static const char *const suffixes[] = {"", "_file", "_env"};
    char name[128];

    for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
        snprintf(name, sizeof name, "%s%s", option, suffixes[i]);
        if (setting_of(endpoint, name) != NULL) {
            return true;
        }
    }
    snprintf(name, sizeof name, "ROWFERRY_%s_%s", plugin, option);
    for (char *c = name; *c != '\0'; c++) {
        *c = (char)(isalnum((unsigned char)*c) ? toupper((unsigned char)*c) : '_');
    }
    return getenv(name) != NULL;
}

/* The directory of a service manager's credentials; see systemd.exec(5), LoadCredential=. */
static enum rf_status add_credentials(struct rf_endpoint *endpoint, const struct plugin *plugin,
                                      struct rf_error *err)
{
    const char *directory = getenv("CREDENTIALS_DIRECTORY");
    enum rf_status status = RF_OK;

    if (directory == NULL || directory[0] == '\0') {
        return RF_OK;
    }
    const struct rf_option *option = plugin->options;
    for (; option->name != NULL && status == RF_OK; option++) {
        struct rf_buf path = {0};
        if (option->kind != RF_OPTION_SECRET || is_set(endpoint, plugin->name, option->name)) {
            continue;
        }
        rf_buf_printf(&path, "%s/%s-%s", directory, plugin->name, option->name);
        if (access(rf_buf_cstr(&path), F_OK) == 0) {
            struct rf_buf name = {0};
            rf_buf_printf(&name, "%s_file", option->name);
            const char *kept_path = keep(endpoint, &path);
            status = add(endpoint, keep(endpoint, &name), kept_path, err);
        }
        rf_buf_deinit(&path);
    }
    return status;
}

/* Absolute, its directory's links resolved where it is there, so that one file has one name. */
static void add_path(struct rf_buf *out, const char *path)
{
    char resolved[PATH_MAX], here[PATH_MAX];
    const char *slash = strrchr(path, '/');
    const char *base = slash ? slash + 1 : path;
    struct rf_buf directory = {0};

    if (strcmp(path, "-") == 0 || path[0] == '\0') {
        rf_buf_printf(out, "%s", path);
        return;
    }
    rf_buf_printf(&directory, "%.*s", slash ? (int)(slash - path) : 1, slash ? path : ".");
    if (slash == path) {
        rf_buf_printf(&directory, "/");
    }
    if (realpath(rf_buf_cstr(&directory), resolved) != NULL) {
        rf_buf_printf(out, "%s/%s", strcmp(resolved, "/") == 0 ? "" : resolved, base);
    } else if (path[0] == '/' || getcwd(here, sizeof here) == NULL) {
        rf_buf_printf(out, "%s", path);
    } else {
        rf_buf_printf(out, "%s/%s", here, path);
    }
    rf_buf_deinit(&directory);
}

static void add_host(struct rf_buf *out, const struct rf_endpoint *endpoint,
                     const struct plugin *plugin)
{
    const char *host = effective(endpoint, plugin, "host");
    const char *port = effective(endpoint, plugin, "port");
    bool brackets = host != NULL && strchr(host, ':') != NULL;

    if (host != NULL) {
        rf_buf_printf(out, "%s%s%s", brackets ? "[" : "", host, brackets ? "]" : "");
    }
    if (port != NULL) {
        rf_buf_printf(out, ":%s", port);
    }
}

static void name_endpoint(struct rf_endpoint *endpoint, const struct plugin *plugin, bool source)
{
    struct rf_buf display = {0};
    struct rf_buf key = {0};
    const char *user = setting_of(endpoint, "user");
    const char *path = effective(endpoint, plugin, "path");
    const char *socket = effective(endpoint, plugin, "socket");

    if (endpoint->is_file) {
        rf_buf_printf(&display, "%s:%s", plugin->name, path ? path : "");
        rf_buf_printf(&key, "%s:", plugin->name);
        add_path(&key, path ? path : "");
    } else {
        rf_buf_printf(&display, "%s://%s%s", plugin->name, user ? user : "", user ? "@" : "");
        rf_buf_printf(&key, "%s://", plugin->name);
        if (socket != NULL) {
            rf_buf_printf(&display, "[%s]", socket);
            rf_buf_printf(&key, "[%s]", socket);
        } else {
            size_t start = key.size;
            add_host(&display, endpoint, plugin);
            add_host(&key, endpoint, plugin);
            for (size_t i = start; i < key.size; i++) {
                key.data[i] = (char)tolower((unsigned char)key.data[i]);
            }
        }
        if (path != NULL) {
            rf_buf_printf(&display, "/%s", path);
        }
        if (path != NULL && !source) {
            rf_buf_printf(&key, "/%s", path);
        }
    }
    endpoint->display = keep(endpoint, &display);
    endpoint->key = keep(endpoint, &key);
}

/* All that does not ask which kind of plugin it is. */
static enum rf_status complete(struct rf_endpoint *endpoint, const struct plugin *plugin,
                               bool source, struct rf_error *err)
{
    enum rf_status status;

    endpoint->is_file = find(plugin, "host") == NULL;
    status = check_form(endpoint, plugin, err);
    if (status == RF_OK && !endpoint->is_file) {
        cut_slash(endpoint);
    }
    if (status == RF_OK) {
        status = add_credentials(endpoint, plugin, err);
    }
    const struct rf_registry_transform *each = rf_registry_transforms();
    for (; each->name != NULL && !source && status == RF_OK; each++) {
        struct rf_settings settings = {endpoint->settings, endpoint->count};
        if (each->type != NULL && rf_options_touched(each->type->options, settings)) {
            struct plugin transform = {.name = each->name, .options = each->type->options};
            status = add_credentials(endpoint, &transform, err);
        }
    }
    if (status == RF_OK) {
        name_endpoint(endpoint, plugin, source);
    }
    return status;
}

/* To "unknown source": what there is instead. */
static enum rf_status refuse_source(const char *scheme, struct rf_error *err)
{
    const struct rf_sink_type *other = NULL;
    struct rf_buf names = {0};

    if (rf_registry_find_sink(scheme, &other, NULL) == RF_OK) {
        rf_fail(err, RF_CONFIG, "%s is a sink, not a source", scheme);
        rf_error_hint(err, "one source comes first, then the sinks; 'rowferry sources' lists what "
                           "can be a source");
        return RF_CONFIG;
    }
    for (const struct rf_registry_source *each = rf_registry_sources(); each->name; each++) {
        if (strcmp(each->name, scheme) == 0) {
            rf_buf_deinit(&names);
            return RF_CONFIG; /* left out of this build, and the hint says why */
        }
        rf_buf_printf(&names, "%s%s", names.size > 0 ? ", " : "", each->name);
    }
    rf_error_hint(err, "sources are: %s", rf_buf_cstr(&names));
    rf_buf_deinit(&names);
    return RF_CONFIG;
}

static enum rf_status refuse_sink(const char *scheme, struct rf_error *err)
{
    const struct rf_source_type *other = NULL;
    struct rf_buf names = {0};

    if (rf_registry_find_source(scheme, &other, NULL) == RF_OK) {
        rf_fail(err, RF_CONFIG, "%s is a source, not a sink", scheme);
        rf_error_hint(err,
                      "one source comes first, then the sinks; 'rowferry sinks' lists what can "
                      "be a sink");
        return RF_CONFIG;
    }
    for (const struct rf_registry_sink *each = rf_registry_sinks(); each->name; each++) {
        if (strcmp(each->name, scheme) == 0) {
            rf_buf_deinit(&names);
            return RF_CONFIG; /* left out of this build, and the hint says why */
        }
        rf_buf_printf(&names, "%s%s", names.size > 0 ? ", " : "", each->name);
    }
    rf_error_hint(err, "sinks are: %s", rf_buf_cstr(&names));
    rf_buf_deinit(&names);
    return RF_CONFIG;
}

static enum rf_status check_transform(const struct rf_transform_type *type,
                                      struct rf_settings settings, struct rf_error *err)
{
    struct rf_option_set set = {type->name, type->options};
    struct rf_arena arena = {0};
    void *state = rf_alloc_zero(1, type->state_size + 1);
    const char *where = NULL;
    enum rf_status status = rf_options_fill(set, settings, state, &arena, err);

    if (status == RF_OK) {
        status = type->open(state, err);
    }
    type->close(state);
    for (uint32_t i = 0; i < settings.count && where == NULL; i++) {
        if (rf_options_find(type->options, settings.items[i].name) != NULL) {
            where = settings.items[i].where;
        }
    }
    if (status != RF_OK && where != NULL) {
        rf_error_wrap(err, "%s", where);
    }
    free(state);
    rf_arena_deinit(&arena);
    return status;
}

enum rf_status rf_endpoint_check_transforms(struct rf_settings settings, struct rf_error *err)
{
    const struct rf_registry_transform *each = rf_registry_transforms();
    enum rf_status status = RF_OK;

    for (; each->name != NULL && status == RF_OK; each++) {
        if (each->type != NULL && rf_options_touched(each->type->options, settings)) {
            status = check_transform(each->type, settings, err);
        }
    }
    return status;
}

enum rf_status rf_endpoint_source(struct rf_endpoint *endpoint, const char *text,
                                  struct rf_settings beside, struct rf_source_spec *spec,
                                  struct rf_error *err)
{
    const struct rf_source_type *type = NULL;
    enum rf_status status = parse(endpoint, text, beside, err);

    if (status != RF_OK) {
        return status;
    }
    status = rf_registry_find_source(endpoint->url.scheme, &type, err);
    if (status != RF_OK) {
        return refuse_source(endpoint->url.scheme, err);
    }
    const struct plugin plugin = {type->name, type->example, type->options};
    status = complete(endpoint, &plugin, true, err);
    if (status == RF_OK) {
        struct rf_settings settings = {endpoint->settings, endpoint->count};
        status = rf_registry_source_spec(type->name, endpoint->display, settings, spec, err);
    }
    return status;
}

/* What the sink says of its options together: templates, options that need each other. */
static enum rf_status check_sink(const struct rf_sink_type *type, struct rf_settings settings,
                                 struct rf_error *err)
{
    struct rf_option_set set = {type->name, type->options};
    struct rf_arena arena = {0};
    void *state = rf_alloc_zero(1, type->state_size + 1);
    enum rf_status status = rf_options_fill(set, settings, state, &arena, err);

    if (status == RF_OK && type->check != NULL) {
        status = type->check(state, err);
    }
    type->close(state);
    free(state);
    rf_arena_deinit(&arena);
    return status;
}

/* The sink of that scheme. "rediss" is "redis" over TLS, as other programs write it: so is every
 * sink that has the option tls, with an s behind its name. */
static enum rf_status find_sink(const char *scheme, const struct rf_sink_type **type, bool *secure,
                                struct rf_error *err)
{
    size_t size = strlen(scheme);
    char name[64];

    *secure = false;
    if (rf_registry_find_sink(scheme, type, err) == RF_OK) {
        return RF_OK;
    }
    if (size > 1 && size < sizeof name && scheme[size - 1] == 's') {
        memcpy(name, scheme, size - 1);
        name[size - 1] = '\0';
        if (rf_registry_find_sink(name, type, NULL) == RF_OK &&
            rf_options_find((*type)->options, "tls") != NULL) {
            *secure = true;
            return RF_OK;
        }
    }
    return refuse_sink(scheme, err);
}

static enum rf_status secure_it(struct rf_endpoint *endpoint, struct rf_error *err)
{
    const char *said = setting_of(endpoint, "tls");

    if (said == NULL) {
        return add(endpoint, "tls", "on", err);
    }
    if (strcmp(said, "on") == 0) {
        return RF_OK;
    }
    rf_fail(err, RF_CONFIG, "the %s address says TLS by its scheme, and tls=%s",
            endpoint->url.scheme, said);
    rf_error_hint(err, "leave one of them out");
    return RF_CONFIG;
}

enum rf_status rf_endpoint_sink(struct rf_endpoint *endpoint, const char *text, const char *format,
                                struct rf_settings beside, struct rf_sink_spec *spec,
                                struct rf_error *err)
{
    const struct rf_sink_type *type = NULL;
    bool secure = false;
    enum rf_status status = parse(endpoint, text, beside, err);

    if (status == RF_OK) {
        status = find_sink(endpoint->url.scheme, &type, &secure, err);
    }
    if (status == RF_OK && secure) {
        status = secure_it(endpoint, err);
    }
    if (status != RF_OK) {
        return status;
    }
    const struct plugin plugin = {type->name, type->example, type->options};
    status = complete(endpoint, &plugin, false, err);
    if (status == RF_OK && format != NULL && setting_of(endpoint, "format") == NULL) {
        status = add(endpoint, "format", format, err);
    }
    if (status == RF_OK) {
        struct rf_settings settings = {endpoint->settings, endpoint->count};
        status = rf_registry_sink_spec(type->name, endpoint->display, settings, spec, err);
    }
    if (status == RF_OK) {
        struct rf_settings settings = {endpoint->settings, endpoint->count};
        status = rf_endpoint_check_transforms(settings, err);
        if (status == RF_OK && type->check != NULL) {
            status = check_sink(type, spec->settings, err);
        }
        endpoint->refused = status != RF_OK;
    }
    if (status == RF_OK && setting_of(endpoint, "name") == NULL) {
        spec->name = endpoint->key;
    }
    return status;
}

/* ---- The tables ------------------------------------------------------------------------------ */

static void add_set(struct rf_endpoint_sets *out, const char *owner,
                    const struct rf_option *options)
{
    if (options != NULL) {
        rf_assert(out->count < RF_ENDPOINT_SETS_MAX);
        out->items[out->count++] = (struct rf_option_set){owner, options};
    }
}

enum rf_status rf_endpoint_source_sets(const char *text, struct rf_endpoint_sets *out,
                                       struct rf_error *err)
{
    const struct rf_source_type *type = NULL;
    struct rf_url url = {0};
    enum rf_status status = rf_url_parse(&url, rf_str_of(text), err);

    *out = (struct rf_endpoint_sets){0};
    if (status == RF_OK && rf_registry_find_source(url.scheme, &type, err) != RF_OK) {
        status = refuse_source(url.scheme, err);
    }
    if (status == RF_OK) {
        add_set(out, type->name, type->options);
    }
    rf_url_deinit(&url);
    return status;
}

enum rf_status rf_endpoint_sink_sets(const char *text, const char *format,
                                     struct rf_endpoint_sets *out, struct rf_error *err)
{
    const struct rf_sink_type *type = NULL;
    const struct rf_format_type *format_type = NULL;
    struct rf_url url = {0};
    enum rf_status status = rf_url_parse(&url, rf_str_of(text), err);

    bool secure = false;

    *out = (struct rf_endpoint_sets){0};
    if (status == RF_OK) {
        status = find_sink(url.scheme, &type, &secure, err);
    }
    if (status == RF_OK) {
        add_set(out, type->name, type->options);
        add_set(out, type->name, rf_sink_common_options);
        format = format ? format : rf_url_get(&url, "format");
        format = format ? format : type->default_format;
        if (format != NULL && rf_registry_find_format(format, &format_type, NULL) == RF_OK) {
            add_set(out, format_type->name, format_type->options);
        }
        for (const struct rf_registry_transform *each = rf_registry_transforms(); each->name;
             each++) {
            if (each->type != NULL) {
                add_set(out, each->name, each->type->options);
            }
        }
    }
    rf_url_deinit(&url);
    return status;
}

/* ---- Names ----------------------------------------------------------------------------------- */

void rf_endpoint_pipeline_name(const struct rf_endpoint *source, struct rf_buf *out)
{
    /* FNV-1a, 32 bits: short, and the same on every machine for ever. */
    uint32_t hash = 2166136261U;

    for (const char *c = source->key; *c != '\0'; c++) {
        hash = (hash ^ (unsigned char)*c) * 16777619U;
    }
    rf_buf_printf(out, "%s-%08x", source->url.scheme, hash);
}

void rf_endpoint_deinit(struct rf_endpoint *endpoint)
{
    rf_url_deinit(&endpoint->url);
    rf_arena_deinit(&endpoint->memory);
    *endpoint = (struct rf_endpoint){0};
}
