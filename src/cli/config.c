/* rowferry config check FILE */
#include "base/message.h"
#include "cli/command.h"
#include "cli/plan.h"

#include <unistd.h>

static int check(const char *file)
{
    struct rf_settings typed = {0};
    struct rf_plan plan = {0};
    struct rf_buf out = {0};

    if (strstr(file, "://") != NULL && access(file, F_OK) != 0) {
        /* Not shown: it may hold a password. */
        rf_message_error("config check takes a file, not an address");
        return RF_EXIT_USAGE;
    }
    int code = rf_plan_make(&plan, typed, &file, 1);

    if (code == RF_EXIT_DONE) {
        rf_plan_describe(&plan, &out);
        code = rf_command_print(&out);
    }
    rf_buf_deinit(&out);
    rf_plan_deinit(&plan);
    return code;
}

static int run(void *state, const char *const *words, uint32_t word_count)
{
    (void)state;
    if (word_count == 2 && strcmp(words[0], "check") == 0) {
        return check(words[1]);
    }
    rf_message_error("usage: rowferry config check FILE");
    if (word_count == 1 && rf_plan_is_file_name(words[0])) {
        rf_message_hint("write: rowferry config check %s", words[0]);
    } else {
        rf_message_hint("'rowferry help config' says more");
    }
    return RF_EXIT_USAGE;
}

static const struct rf_option options[] = {RF_OPTION_END};

static void complete(struct rf_buf *out)
{
    rf_buf_printf(out, "check\n");
}

const struct rf_command rf_command_config = {
    .name = "config",
    .usage = "check FILE",
    .summary = "check a configuration file and show what it would run",
    .help =
        "Looks for everything that can be wrong with the configuration file, without contacting\n"
        "anybody, says all of it with its lines, and ends with 2. Of a good one it shows what\n"
        "'rowferry run FILE' would run, without secrets, and ends with 0. Files of passwords are\n"
        "read, and must be there. See rowferry.yaml(5).\n",
    .state_size = 0,
    .options = options,
    .words_min = 1,
    .words_max = 2,
    .complete = complete,
    .completes_files = true,
    .run = run,
};
