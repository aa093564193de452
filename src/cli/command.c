#include "cli/command.h"

#include "cli/message.h"

#include <errno.h>
#include <stdio.h>

enum { HELP_INDENT = 27, HELP_COLUMNS = 80 };

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
    snprintf(left, sizeof left, "--%s%s", option->name, placeholder(option));
    rf_buf_printf(out, "  %-*s", HELP_INDENT - 2, left);
    add_wrapped(out, rf_buf_str(&text));
    rf_buf_deinit(&text);
}

void rf_command_describe(const struct rf_command *command, struct rf_buf *out)
{
    rf_buf_printf(out, "usage: rowferry %s%s%s\n\n%s", command->name,
                  command->usage[0] != '\0' ? " " : "", command->usage, command->help);
    if (command->options->name != NULL) {
        rf_buf_printf(out, "\noptions:\n");
        for (const struct rf_option *option = command->options; option->name; option++) {
            help_option(option, out);
        }
    }
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
