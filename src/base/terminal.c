#include "base/terminal.h"

#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { DEFAULT_COLUMNS = 80, DEFAULT_ROWS = 24 };

uint32_t rf_terminal_columns(int fd)
{
    struct winsize size;

    if (ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) {
        return DEFAULT_COLUMNS;
    }
    return size.ws_col;
}

uint32_t rf_terminal_rows(int fd)
{
    struct winsize size;

    if (ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_row == 0) {
        return DEFAULT_ROWS;
    }
    return size.ws_row;
}

bool rf_terminal_takes_colours(int fd)
{
    const char *no_color = getenv("NO_COLOR");
    const char *term = getenv("TERM");

    return isatty(fd) && (no_color == NULL || no_color[0] == '\0') && term != NULL &&
           strcmp(term, "dumb") != 0;
}

void rf_terminal_put(int fd, struct rf_str text)
{
    while (text.size > 0) {
        ssize_t written = write(fd, text.data, text.size);
        if (written <= 0) {
            return;
        }
        text.data += written;
        text.size -= (size_t)written;
    }
}
