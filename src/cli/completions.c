/* rowferry completions SHELL */
#include "config/completion.h"

#include "base/exit.h"
#include "base/message.h"
#include "cli/command.h"
#include "programs/containers.h"
#include "programs/verb.h"

enum { COMMANDS_MAX = 32 };

/* Of the program itself, which main knows. */
static const struct rf_option program_options[] = {
    {"version", RF_OPTION_BOOL, 0, NULL, NULL, "print which one this is", false},
    RF_OPTION_END,
};

/* What is made up for the tables, and outlives them. */
struct texts {
    struct rf_buf words[COMMANDS_MAX];
    struct rf_buf containers;
    struct rf_buf paths;
};

static uint32_t collect(struct texts *texts, struct rf_completed *completed)
{
    uint32_t count = 0;

    completed[count++] = (struct rf_completed){.path = "", .options = program_options};
    for (size_t i = 0; rf_commands[i] != NULL; i++) {
        const struct rf_command *command = rf_commands[i];
        rf_assert(i < COMMANDS_MAX);
        if (command->complete != NULL) {
            command->complete(&texts->words[i]);
        }
        completed[count++] = (struct rf_completed){
            .path = command->name,
            .summary = command->summary,
            .options = command->options,
            .words = rf_buf_cstr(&texts->words[i]),
            .files = command->completes_files,
        };
    }
    /* The first is the command "container" itself, which is here already. */
    struct rf_completed verbs[RF_VERBS_MAX + 1];
    uint32_t found = rf_containers_complete(&texts->containers, &texts->paths, verbs);
    memcpy(&completed[count], &verbs[1], (found - 1) * sizeof verbs[0]);
    return count + found - 1;
}

static int run(void *state, const char *const *words, uint32_t word_count)
{
    struct rf_completed completed[COMMANDS_MAX + RF_VERBS_MAX + 1];
    struct texts texts = {0};
    struct rf_buf out = {0};
    struct rf_error err = {0};
    uint32_t count = collect(&texts, completed);
    int code = RF_EXIT_USAGE;

    (void)state;
    (void)word_count;
    if (rf_completion_write(words[0], "rowferry", completed, count, &out, &err) == RF_OK) {
        code = rf_command_print(&out);
    } else {
        rf_message_failure(&err);
    }
    for (size_t i = 0; i < COMMANDS_MAX; i++) {
        rf_buf_deinit(&texts.words[i]);
    }
    rf_buf_deinit(&texts.containers);
    rf_buf_deinit(&texts.paths);
    rf_buf_deinit(&out);
    return code;
}

static void complete(struct rf_buf *out)
{
    rf_buf_printf(out, "%s", rf_completion_shells);
}

static const struct rf_option no_options[] = {RF_OPTION_END};

const struct rf_command rf_command_completions = {
    .name = "completions",
    .usage = "bash|zsh|fish",
    .summary = "print what a shell completes rowferry with",
    .help = "Installed, they are where the shells look for them. To try them from a build:\n\n"
            "  bash   source <(rowferry completions bash)\n"
            "  zsh    source <(rowferry completions zsh)\n"
            "  fish   rowferry completions fish | source\n\n"
            "Each of the other programs prints its own: 'scheduler completions bash'.\n",
    .options = no_options,
    .words_min = 1,
    .words_max = 1,
    .complete = complete,
    .run = run,
};
