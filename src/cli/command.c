#include "cli/command.h"

#include "base/message.h"

#include <errno.h>
#include <stdio.h>

#define RF_COMMAND(name) extern const struct rf_command rf_command_##name;
#include "cli/commands.def"
#undef RF_COMMAND

const struct rf_command *const rf_commands[] = {
#define RF_COMMAND(name) &rf_command_##name,
#include "cli/commands.def"
#undef RF_COMMAND
    NULL,
};

const struct rf_command *rf_command_find(const char *name)
{
    for (size_t i = 0; rf_commands[i] != NULL; i++) {
        if (strcmp(rf_commands[i]->name, name) == 0) {
            return rf_commands[i];
        }
    }
    return NULL;
}

void rf_command_describe_all(struct rf_buf *out)
{
    rf_buf_printf(out,
                  "rowferry carries the committed changes of a database from its own log to other "
                  "places,\nin order and without loss.\n\n"
                  "usage: rowferry COMMAND [OPTION...] [ARGUMENT...]\n\ncommands:\n");
    for (size_t i = 0; rf_commands[i] != NULL; i++) {
        rf_buf_printf(out, "  %-10s %s\n", rf_commands[i]->name, rf_commands[i]->summary);
    }
    rf_buf_printf(out,
                  "\nexamples:\n"
                  "  rowferry tail mysql://cdc@127.0.0.1:3306/shop.orders\n"
                  "  rowferry tail binlog:/var/lib/mysql/mysql-bin.000042\n"
                  "  rowferry run mysql://cdc@db/shop.* redis://cache:6379 file:changes.jsonl\n"
                  "  rowferry run /etc/rowferry/shop.yaml\n"
                  "\n'rowferry help COMMAND' says more about each; 'rowferry --version' which "
                  "one this is.\n");
}

struct rf_syntax rf_command_syntax(const struct rf_command *command, struct rf_buf *text)
{
    rf_buf_printf(text, "rowferry %s", command->name);
    rf_buf_add_byte(text, '\0');
    size_t more = text->size;
    rf_buf_printf(text, "rowferry help %s", command->name);
    rf_buf_cstr(text);
    return (struct rf_syntax){
        .name = command->name,
        .program = text->data,
        .usage = command->usage,
        .help = command->help,
        .more = text->data + more,
        .options = command->options,
        .words_min = command->words_min,
        .words_max = command->words_max,
    };
}

void rf_command_describe(const struct rf_command *command, struct rf_buf *out)
{
    struct rf_buf text = {0};
    struct rf_syntax syntax = rf_command_syntax(command, &text);

    rf_syntax_describe(&syntax, out);
    rf_buf_deinit(&text);
}

int rf_command_print(struct rf_buf *text)
{
    size_t written = fwrite(text->data, 1, text->size, stdout);

    if ((written < text->size || fflush(stdout) != 0) && errno != EPIPE) {
        rf_message_error("could not write to standard output: %s", strerror(errno));
        return RF_EXIT_CONFIG;
    }
    return RF_EXIT_DONE;
}
