#include "config/arguments.h"

#include "base/memory.h"
#include "base/nearest.h"
#include "config/url.h"

#include <stdio.h>
#include <stdlib.h>

enum { OPTION_NAMES_MAX = 64, HELP_INDENT = 27, HELP_COLUMNS = 80 };

static enum rf_status fail_unknown(const struct rf_syntax *syntax, struct rf_str typed,
                                   struct rf_error *err)
{
    const char *names[OPTION_NAMES_MAX];
    uint32_t count = 0;
    char *word = rf_str_dup(typed);

    for (const struct rf_option *option = syntax->options; option->name != NULL; option++) {
        rf_assert(count < OPTION_NAMES_MAX);
        names[count++] = option->name;
    }
    const char *nearest = rf_nearest(word, names, count);
    for (uint32_t i = 0; i < count && nearest == NULL && typed.size > 1; i++) {
        /* half a name is far away by the number of edits */
        nearest = rf_str_starts(rf_str_of(names[i]), typed) ? names[i] : NULL;
    }
    if (nearest != NULL) {
        rf_fail(err, RF_CONFIG, "%s has no option --%s; did you mean --%s?", syntax->name, word,
                nearest);
    } else {
        rf_fail(err, RF_CONFIG, "%s has no option --%s", syntax->name, word);
    }
    rf_error_hint(err, "'%s' lists what there is", syntax->more);
    free(word);
    return RF_CONFIG;
}

/* Secrets have no place on a command line, so only the plain name of an option counts. */
static const struct rf_option *find(const struct rf_syntax *syntax, struct rf_str name)
{
    for (const struct rf_option *option = syntax->options; option->name != NULL; option++) {
        if (rf_str_equal(rf_str_of(option->name), name)) {
            return option;
        }
    }
    return NULL;
}

/* One "--name" or "--name=value", or "-n"; takes the value from the next argument when there is
 * none. */
static enum rf_status parse_option(struct rf_arguments *out, const struct rf_syntax *syntax,
                                   int count, char *const *arguments, int *at, struct rf_error *err)
{
    const char *text = arguments[*at] + (arguments[*at][1] == '-' ? 2 : 1);
    const char *equals = strchr(text, '=');
    struct rf_str name = {text, equals ? (size_t)(equals - text) : strlen(text)};
    const struct rf_option *option = find(syntax, name);
    const char *value = equals ? equals + 1 : NULL;

    if (option == NULL) {
        return fail_unknown(syntax, name, err);
    }
    if (value == NULL && option->kind == RF_OPTION_BOOL) {
        value = "on";
    } else if (value == NULL && *at + 1 < count) {
        value = arguments[++*at];
    }
    if (value == NULL) {
        rf_fail(err, RF_CONFIG, "%s%s needs a value: %s", option->name[1] == '\0' ? "-" : "--",
                option->name, option->help);
        rf_error_hint(err, "'%s' lists what there is", syntax->more);
        return RF_CONFIG;
    }
    out->settings[out->setting_count++] = (struct rf_setting){option->name, value, NULL};
    return RF_OK;
}

static bool is_letter_option(const struct rf_syntax *syntax, const char *text)
{
    return text[2] == '\0' && find(syntax, rf_str_of(text + 1)) != NULL;
}

static enum rf_status check_words(const struct rf_arguments *out, const struct rf_syntax *syntax,
                                  struct rf_error *err)
{
    if (out->word_count >= syntax->words_min && out->word_count <= syntax->words_max) {
        return RF_OK;
    }
    rf_fail(err, RF_CONFIG, "%s: too %s arguments", syntax->name,
            out->word_count < syntax->words_min ? "few" : "many");
    rf_error_hint(err, "usage: %s%s%s", syntax->program, syntax->usage[0] ? " " : "",
                  syntax->usage);
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

enum rf_status rf_arguments_parse(struct rf_arguments *out, const struct rf_syntax *syntax,
                                  int count, char *const *arguments, struct rf_error *err)
{
    bool words_only = false;
    enum rf_status status = RF_OK;

    if (count > RF_ARGUMENTS_MAX) {
        return rf_fail(err, RF_CONFIG, "%s: more than %d arguments", syntax->name,
                       RF_ARGUMENTS_MAX);
    }
    out->help = asks_for_help(count, arguments);
    for (int i = 0; i < count && status == RF_OK && !out->help; i++) {
        const char *text = arguments[i];
        if (words_only || text[0] != '-' || text[1] == '\0') {
            out->words[out->word_count++] = text;
        } else if (strcmp(text, "--") == 0) {
            words_only = true;
        } else if (text[1] == '-' || is_letter_option(syntax, text)) {
            status = parse_option(out, syntax, count, arguments, &i, err);
        } else {
            rf_fail(err, RF_CONFIG, "%s has no option %s", syntax->name, text);
            rf_error_hint(err, "options begin with two dashes; '%s' lists them", syntax->more);
            status = RF_CONFIG;
        }
    }
    if (status == RF_OK && !out->help) {
        struct rf_option_set set = {syntax->name, syntax->options};
        struct rf_settings settings = {out->settings, out->setting_count};
        status = rf_options_check(&set, 1, settings, err);
    }
    return status == RF_OK && !out->help ? check_words(out, syntax, err) : status;
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

/* ---- Help ------------------------------------------------------------------------------------ */

static const char *placeholder(const struct rf_option *option)
{
    switch (option->kind) {
    case RF_OPTION_INT: return " N";
    case RF_OPTION_SIZE: return " SIZE";
    case RF_OPTION_DURATION: return " TIME";
    case RF_OPTION_CHOICE: return " WHICH";
    case RF_OPTION_LIST: return " LIST";
    case RF_OPTION_BOOL: return "";
    default: return " TEXT";
    }
}

/* From column HELP_INDENT on, broken between words. */
static void add_wrapped(struct rf_buf *out, struct rf_str text)
{
    size_t column = HELP_INDENT;
    struct rf_str word;

    while (rf_str_split(&text, ' ', &word)) {
        bool first = column == HELP_INDENT;
        if (!first && column + 1 + word.size > HELP_COLUMNS) {
            rf_buf_printf(out, "\n%*s", HELP_INDENT, "");
            column = HELP_INDENT;
            first = true;
        }
        rf_buf_printf(out, "%s%.*s", first ? "" : " ", RF_STR_ARG(word));
        column += word.size + !first;
    }
    rf_buf_add_byte(out, '\n');
}

static void help_option(const struct rf_option *option, struct rf_buf *out)
{
    struct rf_buf text = {0};
    char left[64];

    rf_buf_printf(&text, "%s", option->help);
    if (option->kind == RF_OPTION_CHOICE) {
        rf_buf_printf(&text, ": ");
        for (const char *c = option->choices; *c != '\0'; c++) {
            if (*c == '|') {
                rf_buf_printf(&text, ", ");
            } else {
                rf_buf_add_byte(&text, *c);
            }
        }
    }
    if (option->fallback != NULL) {
        rf_buf_printf(&text, " (default: %s)", option->fallback);
    }
    snprintf(left, sizeof left, "-%s%s%s", option->name[1] != '\0' ? "-" : "", option->name,
             placeholder(option));
    rf_buf_printf(out, "  %-*s", HELP_INDENT - 2, left);
    add_wrapped(out, rf_buf_str(&text));
    rf_buf_deinit(&text);
}

void rf_syntax_describe(const struct rf_syntax *syntax, struct rf_buf *out)
{
    rf_buf_printf(out, "usage: %s%s%s\n\n%s", syntax->program, syntax->usage[0] != '\0' ? " " : "",
                  syntax->usage, syntax->help);
    if (syntax->options->name != NULL) {
        rf_buf_printf(out, "\noptions:\n");
        for (const struct rf_option *option = syntax->options; option->name; option++) {
            help_option(option, out);
        }
    }
}
