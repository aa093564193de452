/* The program. It hides secrets from the process list, then lets a command do the rest. */
#include "base/memory.h"
#include "base/message.h"
#include "cli/command.h"

#include <rowferry/log.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

/* Before anything is said: all of it is to be JSON then. */
static void choose_log_format(const struct rf_arguments *parsed)
{
    for (uint32_t i = 0; i < parsed->setting_count; i++) {
        const struct rf_setting *setting = &parsed->settings[i];
        if (strcmp(setting->name, "log-format") == 0 && strcmp(setting->value, "json") == 0) {
            rf_log_set_format(RF_LOG_JSON);
        }
    }
}

static int run_command(const struct rf_command *command, int count, char *const *arguments,
                       bool secret)
{
    struct rf_arguments *parsed = rf_alloc_zero(1, sizeof *parsed);
    struct rf_arena arena = {0};
    struct rf_buf text = {0};
    struct rf_error err = {0};
    struct rf_syntax syntax = rf_command_syntax(command, &text);
    void *options = rf_alloc_zero(1, command->state_size + 1);
    int code = RF_EXIT_USAGE;

    if (rf_arguments_parse(parsed, &syntax, count, arguments, &err) != RF_OK) {
        rf_message_failure(&err);
        goto done;
    }
    if (parsed->help) {
        struct rf_buf out = {0};
        rf_command_describe(command, &out);
        code = rf_command_print(&out);
        rf_buf_deinit(&out);
        goto done;
    }
    choose_log_format(parsed);
    if (secret) {
        rf_message_warn("a password in an argument: other users may have seen it");
        rf_message_hint("password_file=PATH in the address, or an environment variable, keeps it "
                        "to yourself");
    }
    struct rf_option_set set = {command->name, command->options};
    struct rf_settings settings = {parsed->settings, parsed->setting_count};
    if (command->run_typed != NULL) {
        code = command->run_typed(settings, parsed->words, parsed->word_count);
        goto done;
    }
    if (rf_options_fill(set, settings, options, &arena, &err) != RF_OK) {
        rf_message_failure(&err);
        goto done;
    }
    code = command->run(options, parsed->words, parsed->word_count);

done:
    free(options);
    rf_arena_deinit(&arena);
    rf_buf_deinit(&text);
    free(parsed);
    return code;
}

static int print_version(void)
{
    struct rf_buf out = {0};

    rf_buf_printf(&out, "rowferry %s\n", ROWFERRY_VERSION);
    int code = rf_command_print(&out);
    rf_buf_deinit(&out);
    return code;
}

static int print_help(void)
{
    struct rf_buf out = {0};

    rf_command_describe_all(&out);
    int code = rf_command_print(&out);
    rf_buf_deinit(&out);
    return code;
}

int main(int argc, char **argv)
{
    bool secret = false;
    char **arguments = rf_arguments_hide(argc, argv, &secret);
    int code = RF_EXIT_USAGE;

    /* A reader that goes away is an error of the write, not the end of the process. */
    signal(SIGPIPE, SIG_IGN);
    /* So is a file that grows beyond 'ulimit -f'. */
    signal(SIGXFSZ, SIG_IGN);
    if (argc < 2) {
        rf_message_error("which command?");
        rf_message_hint("'rowferry --help' lists the commands");
        goto done;
    }
    const char *word = arguments[1];
    const struct rf_command *command = rf_command_find(word);
    if (strcmp(word, "--version") == 0 || strcmp(word, "-V") == 0) {
        code = print_version();
    } else if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
        code = print_help();
    } else if (command == NULL) {
        rf_command_refuse(argv[1]); /* the wiped one */
    } else if (command->run_raw != NULL) {
        code = command->run_raw(argc - 2, arguments + 2);
    } else {
        code = run_command(command, argc - 2, arguments + 2, secret);
    }

done:
    for (int i = 0; i < argc; i++) {
        free(arguments[i]);
    }
    free(arguments);
    return code;
}
