#include "cli/arguments.h"

#include "base/memory.h"
#include "base/nearest.h"
#include "config/url.h"

#include <stdio.h>
#include <stdlib.h>

enum { OPTION_NAMES_MAX = 64 };

static enum rf_status fail_unknown(const struct rf_command *command, struct rf_str typed,
                                   struct rf_error *err)
{
    const char *names[OPTION_NAMES_MAX];
    uint32_t count = 0;
    char *word = rf_str_dup(typed);

    for (const struct rf_option *option = command->options; option->name != NULL; option++) {
        rf_assert(count < OPTION_NAMES_MAX);
        names[count++] = option->name;
    }
    const char *nearest = rf_nearest(word, names, count);
    for (uint32_t i = 0; i < count && nearest == NULL && typed.size > 1; i++) {
        /* half a name is far away by the number of edits */
        nearest = rf_str_starts(rf_str_of(names[i]), typed) ? names[i] : NULL;
    }
    if (nearest != NULL) {
        rf_fail(err, RF_CONFIG, "%s has no option --%s; did you mean --%s?", command->name, word,
                nearest);
    } else {
        rf_fail(err, RF_CONFIG, "%s has no option --%s", command->name, word);
    }
    rf_error_hint(err, "'rowferry help %s' lists what there is", command->name);
    free(word);
    return RF_CONFIG;
}

/* Secrets have no place on a command line, so only the plain name of an option counts. */
static const struct rf_option *find(const struct rf_command *command, struct rf_str name)
{
    for (const struct rf_option *option = command->options; option->name != NULL; option++) {
        if (rf_str_equal(rf_str_of(option->name), name)) {
            return option;
        }
    }
    return NULL;
}

/* One "--name" or "--name=value"; takes the value from the next argument when there is none. */
static enum rf_status parse_option(struct rf_arguments *out, const struct rf_command *command,
                                   int count, char *const *arguments, int *at, struct rf_error *err)
{
    const char *text = arguments[*at] + 2;
    const char *equals = strchr(text, '=');
    struct rf_str name = {text, equals ? (size_t)(equals - text) : strlen(text)};
    const struct rf_option *option = find(command, name);
    const char *value = equals ? equals + 1 : NULL;

    if (option == NULL) {
        return fail_unknown(command, name, err);
    }
    if (value == NULL && option->kind == RF_OPTION_BOOL) {
        value = "on";
    } else if (value == NULL && *at + 1 < count) {
        value = arguments[++*at];
    }
    if (value == NULL) {
        rf_fail(err, RF_CONFIG, "--%s needs a value: %s", option->name, option->help);
        rf_error_hint(err, "'rowferry help %s' lists what there is", command->name);
        return RF_CONFIG;
    }
    out->settings[out->setting_count++] = (struct rf_setting){option->name, value, NULL};
    return RF_OK;
}

static enum rf_status check_words(const struct rf_arguments *out, const struct rf_command *command,
                                  struct rf_error *err)
{
    if (out->word_count >= command->words_min && out->word_count <= command->words_max) {
        return RF_OK;
    }
    rf_fail(err, RF_CONFIG, "%s: too %s arguments", command->name,
            out->word_count < command->words_min ? "few" : "many");
    rf_error_hint(err, "usage: rowferry %s%s%s", command->name, command->usage[0] ? " " : "",
                  command->usage);
    return RF_CONFIG;
}

static bool asks_for_help(int count, char *const *arguments)
{
    for (int i = 0; i < count && strcmp(arguments[i], "--") != 0; i++) {
        if (strcmp(arguments[i], "--help") == 0 || strcmp(arguments[i], "-h") == 0) {
            return true;
        }
    }
    return false;
}

enum rf_status rf_arguments_parse(struct rf_arguments *out, const struct rf_command *command,
                                  int count, char *const *arguments, struct rf_error *err)
{
    bool words_only = false;
    enum rf_status status = RF_OK;

    if (count > RF_ARGUMENTS_MAX) {
        return rf_fail(err, RF_CONFIG, "%s: more than %d arguments", command->name,
                       RF_ARGUMENTS_MAX);
    }
    out->help = asks_for_help(count, arguments);
    for (int i = 0; i < count && status == RF_OK && !out->help; i++) {
        const char *text = arguments[i];
        if (words_only || text[0] != '-' || text[1] == '\0') {
            out->words[out->word_count++] = text;
        } else if (strcmp(text, "--") == 0) {
            words_only = true;
        } else if (text[1] == '-') {
            status = parse_option(out, command, count, arguments, &i, err);
        } else {
            rf_fail(err, RF_CONFIG, "%s has no option %s", command->name, text);
            rf_error_hint(err, "options begin with two dashes; 'rowferry help %s' lists them",
                          command->name);
            status = RF_CONFIG;
        }
    }
    if (status == RF_OK && !out->help) {
        struct rf_option_set set = {command->name, command->options};
        struct rf_settings settings = {out->settings, out->setting_count};
        status = rf_options_check(&set, 1, settings, err);
    }
    return status == RF_OK && !out->help ? check_words(out, command, err) : status;
}

char **rf_arguments_hide(int argc, char **argv, bool *found)
{
    char **copy = rf_alloc_zero((size_t)argc + 1, sizeof *copy);

    *found = false;
    for (int i = 0; i < argc; i++) {
        copy[i] = rf_str_dup(rf_str_of(argv[i]));
        *found = rf_url_wipe(argv[i]) || *found;
    }
    return copy;
}
