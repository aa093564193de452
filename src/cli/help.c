/* rowferry help [COMMAND] */
#include "cli/command.h"

#include "base/message.h"
#include "base/nearest.h"
#include "cli/plan.h"

enum { COMMANDS_MAX = 32 };

static const char *nearest(const char *word)
{
    const char *names[COMMANDS_MAX];
    uint32_t count = 0;

    for (size_t i = 0; rf_commands[i] != NULL && count < COMMANDS_MAX; i++) {
        names[count++] = rf_commands[i]->name;
    }
    return rf_nearest(word, names, count);
}

void rf_command_refuse(const char *word)
{
    const char *meant = nearest(word);

    if (meant != NULL) {
        rf_message_error("there is no command '%s'; did you mean '%s'?", word, meant);
    } else {
        rf_message_error("there is no command '%s'", word);
    }
    if (rf_plan_is_file_name(word)) {
        rf_message_hint("to run what a configuration file says, write: rowferry run %s", word);
    } else if (strchr(word, ':') != NULL) {
        rf_message_hint("to see the changes of a source, write: rowferry tail %s", word);
    } else {
        rf_message_hint("'rowferry --help' lists the commands");
    }
}

static int run(void *options, const char *const *words, uint32_t word_count)
{
    const struct rf_command *command = word_count > 0 ? rf_command_find(words[0]) : NULL;
    struct rf_buf out = {0};
    int code;

    (void)options;
    if (word_count > 0 && command == NULL) {
        rf_command_refuse(words[0]);
        return RF_EXIT_USAGE;
    }
    if (command == NULL) {
        rf_command_describe_all(&out);
    } else {
        rf_command_describe(command, &out);
    }
    code = rf_command_print(&out);
    rf_buf_deinit(&out);
    return code;
}

static void complete(struct rf_buf *out)
{
    for (size_t i = 0; rf_commands[i] != NULL; i++) {
        rf_buf_printf(out, "%s\n", rf_commands[i]->name);
    }
}

static const struct rf_option no_options[] = {RF_OPTION_END};

const struct rf_command rf_command_help = {
    .name = "help",
    .usage = "[COMMAND]",
    .summary = "say more about a command",
    .help = "Without COMMAND it lists the commands. 'rowferry COMMAND --help' is the same.\n",
    .state_size = 0,
    .options = no_options,
    .words_min = 0,
    .words_max = 1,
    .complete = complete,
    .run = run,
};
