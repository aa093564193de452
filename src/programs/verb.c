#include "programs/verb.h"

#include "base/exit.h"
#include "base/memory.h"
#include "base/message.h"
#include "base/nearest.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static struct rf_verb *first; /* sorted */

static const struct rf_option no_options[] = {RF_OPTION_END};

static bool comes_before(const struct rf_verb *a, const struct rf_verb *b)
{
    return a->rank != b->rank ? a->rank < b->rank : strcmp(a->name, b->name) < 0;
}

void rf_verb_register(struct rf_verb *verb)
{
    struct rf_verb **at = &first;
    static uint32_t count;

    rf_assert(++count <= RF_VERBS_MAX);
    while (*at != NULL && comes_before(*at, verb)) {
        at = &(*at)->next;
    }
    verb->next = *at;
    *at = verb;
}

/* ---- Names ----------------------------------------------------------------------------------- */

static const char *without_dashes(const char *name)
{
    return name + strspn(name, "-");
}

static const struct rf_verb *find(const char *name)
{
    for (const struct rf_verb *verb = first; verb != NULL; verb = verb->next) {
        if (strcmp(without_dashes(verb->name), without_dashes(name)) == 0) {
            return verb;
        }
    }
    return NULL;
}

static void refuse(const struct rf_program *program, const char *typed)
{
    const char *names[RF_VERBS_MAX];
    uint32_t count = 0;

    for (const struct rf_verb *verb = first; verb != NULL && count < RF_VERBS_MAX;
         verb = verb->next) {
        if (verb->name[0] != '\0') {
            names[count++] = verb->name;
        }
    }
    const char *meant = rf_nearest(typed, names, count);
    if (meant != NULL) {
        rf_message_error("there is no command '%s'; did you mean '%s'?", typed, meant);
    } else {
        rf_message_error("there is no command '%s'", typed);
    }
    rf_message_hint("'%s --help' lists the commands", program->name);
}

/* ---- Help ------------------------------------------------------------------------------------ */

/* text: empty, holds what is made up for the syntax. */
static struct rf_syntax syntax_of(const struct rf_program *program, const struct rf_verb *verb,
                                  struct rf_buf *text)
{
    const char *space = verb->name[0] != '\0' ? " " : "";

    rf_buf_printf(text, "%s%s%s", program->name, space, verb->name);
    rf_buf_add_byte(text, '\0');
    size_t more = text->size;
    rf_buf_printf(text, "%s%s%s --help", program->name, space, verb->name);
    rf_buf_add_byte(text, '\0');
    size_t help = text->size;
    rf_buf_printf(text, "%c%s.\n%s", toupper((unsigned char)verb->summary[0]), verb->summary + 1,
                  verb->help != NULL ? verb->help : "");
    rf_buf_cstr(text);
    return (struct rf_syntax){
        .name = verb->name[0] != '\0' ? verb->name : program->name,
        .program = text->data,
        .usage = verb->usage,
        .help = text->data + help,
        .more = text->data + more,
        .options = verb->options != NULL ? verb->options : no_options,
        .words_max = verb->words_max,
    };
}

void rf_verbs_describe(const struct rf_program *program, struct rf_buf *out)
{
    const char *lead = "usage:";

    for (const struct rf_verb *verb = first; verb != NULL; verb = verb->next) {
        rf_buf_printf(out, "%-6s %s%s%s%s%s\n", lead, program->name,
                      verb->name[0] != '\0' ? " " : "", verb->name,
                      verb->usage[0] != '\0' ? " " : "", verb->usage);
        lead = "";
    }
    rf_buf_printf(out, "\n%s\ncommands:\n", program->summary);
    for (const struct rf_verb *verb = first; verb != NULL; verb = verb->next) {
        rf_buf_printf(out, "  %-10s %s\n", verb->name[0] != '\0' ? verb->name : "(none)",
                      verb->summary);
    }
    if (program->footer != NULL) {
        rf_buf_printf(out, "\n%s", program->footer);
    }
}

/* Gives the text back. */
static int print(struct rf_buf *text, int code)
{
    size_t written = fwrite(text->data, 1, text->size, stdout);

    if ((written < text->size || fflush(stdout) != 0) && errno != EPIPE) {
        rf_message_error("could not write to standard output: %s", strerror(errno));
        code = RF_EXIT_CONFIG;
    }
    rf_buf_deinit(text);
    return code;
}

/* ---- Calling --------------------------------------------------------------------------------- */

static int call(const struct rf_program *program, const struct rf_verb *verb, int count,
                char *const *arguments)
{
    struct rf_arguments *parsed = rf_alloc_zero(1, sizeof *parsed);
    void *options = rf_alloc_zero(1, verb->state_size + 1);
    struct rf_buf text = {0}, out = {0};
    struct rf_arena arena = {0};
    struct rf_error err = {0};
    struct rf_syntax syntax = syntax_of(program, verb, &text);
    int code = RF_EXIT_USAGE;

    if (rf_arguments_parse(parsed, &syntax, count, arguments, &err) != RF_OK) {
        rf_message_failure(&err);
        goto done;
    }
    if (parsed->help) {
        rf_syntax_describe(&syntax, &out);
        code = print(&out, RF_EXIT_DONE);
        goto done;
    }
    struct rf_option_set set = {syntax.name, syntax.options};
    struct rf_settings settings = {parsed->settings, parsed->setting_count};
    if (rf_options_fill(set, settings, options, &arena, &err) != RF_OK) {
        rf_message_failure(&err);
        goto done;
    }
    struct rf_call made = {options, parsed->words, parsed->word_count, program->subject};
    code = verb->run(&made);

done:
    free(options);
    rf_arena_deinit(&arena);
    rf_buf_deinit(&text);
    free(parsed);
    return code;
}

static bool asks_for_help(const char *typed)
{
    return strcmp(typed, "--help") == 0 || strcmp(typed, "-h") == 0 || strcmp(typed, "help") == 0;
}

/* ---- Completions ----------------------------------------------------------------------------- */

uint32_t rf_verbs_complete(const struct rf_program *program, const char *path, struct rf_buf *paths,
                           struct rf_completed *completed)
{
    size_t at[RF_VERBS_MAX];
    uint32_t count = 1;

    completed[0] = (struct rf_completed){.path = path, .summary = ""};
    for (const struct rf_verb *verb = first; verb != NULL; verb = verb->next) {
        if (verb->name[0] == '\0') {
            completed[0].options = verb->options;
            continue;
        }
        at[count - 1] = paths->size;
        rf_buf_printf(paths, "%s%s%s", path, path[0] != '\0' ? " " : "", verb->name);
        rf_buf_add_byte(paths, '\0');
        completed[count++] = (struct rf_completed){
            .summary = verb->summary, .options = verb->options, .words = program->words};
    }
    for (uint32_t i = 1; i < count; i++) {
        completed[i].path = paths->data + at[i - 1]; /* it may have moved as it grew */
    }
    return count;
}

static int print_completions(const struct rf_program *program, int count, char *const *arguments)
{
    struct rf_completed completed[RF_VERBS_MAX + 1];
    struct rf_buf paths = {0}, out = {0};
    struct rf_error err = {0};
    int code = RF_EXIT_USAGE;

    if (count != 1 || asks_for_help(arguments[0])) {
        rf_buf_printf(&out,
                      "usage: %s completions bash|zsh|fish\n\nPrints what that shell is to "
                      "complete %s with.\n",
                      program->name, program->name);
        return print(&out, count == 1 ? RF_EXIT_DONE : RF_EXIT_USAGE);
    }
    uint32_t found = rf_verbs_complete(program, "", &paths, completed);
    if (rf_completion_write(arguments[0], program->name, completed, found, &out, &err) != RF_OK) {
        rf_message_failure(&err);
        rf_buf_deinit(&out);
    } else {
        code = print(&out, RF_EXIT_DONE);
    }
    rf_buf_deinit(&paths);
    return code;
}

/* ---------------------------------------------------------------------------------------------- */

static int refuse_word(const struct rf_program *program, const char *typed)
{
    rf_message_error("'%s' is too much: it takes options only", typed);
    rf_message_hint("'%s --help' lists them", program->name);
    return RF_EXIT_USAGE;
}

int rf_verbs_main(const struct rf_program *program, int count, char *const *arguments)
{
    const struct rf_verb *by_itself = find("");
    const char *typed = count > 0 ? arguments[0] : "";
    const struct rf_verb *verb = without_dashes(typed)[0] != '\0' ? find(typed) : NULL;
    struct rf_buf out = {0};

    if (verb != NULL) {
        return call(program, verb, count - 1, arguments + 1);
    }
    if (strcmp(typed, "completions") == 0) {
        return print_completions(program, count - 1, arguments + 1);
    }
    if (by_itself != NULL && by_itself == first && by_itself->next == NULL) {
        /* It has one thing to do, and no name for it. */
        return count == 0 || typed[0] == '-' ? call(program, by_itself, count, arguments)
                                             : refuse_word(program, typed);
    }
    if (asks_for_help(typed) || (count == 0 && by_itself == NULL)) {
        rf_verbs_describe(program, &out);
        return print(&out, count > 0 ? RF_EXIT_DONE : RF_EXIT_USAGE);
    }
    if (by_itself != NULL && (count == 0 || typed[0] == '-')) {
        return call(program, by_itself, count, arguments);
    }
    refuse(program, typed);
    return RF_EXIT_USAGE;
}
