/* rowferry container create|delete|-init|status|logs [CONTAINER...] */
#include "cli/command.h"

#include "programs/containers.h"

static int run(int count, char *const *arguments)
{
    return rf_containers_main("rowferry container", NULL, count, arguments);
}

static const struct rf_option no_options[] = {RF_OPTION_END};

const struct rf_command rf_command_container = {
    .name = "container",
    .usage = "create|delete|-init|status|logs [OPTION...] [CONTAINER...]",
    .summary = "make and remove private servers to try things with",
    .help = "Servers by name and port on this machine, private to it: MariaDB as mysql, a server\n"
            "of MongoDB's protocol as mongo, and redis. 'rowferry container --help' lists its\n"
            "commands, 'rowferry container create --help' the options of one.\n",
    .state_size = 0,
    .options = no_options,
    .words_min = 0,
    .words_max = 0,
    .run_raw = run,
};
