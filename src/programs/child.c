#include "programs/child.h"

#include "base/message.h"
#include "base/process.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum rf_status rf_child_program(struct rf_buf *out, struct rf_error *err)
{
    const char *chosen = getenv("ROWFERRY");
    struct rf_buf directory = {0};
    enum rf_status status = RF_OK;

    if (chosen != NULL && chosen[0] != '\0') {
        rf_buf_printf(out, "%s", chosen);
        return RF_OK;
    }
    status = rf_process_directory(&directory, err);
    if (status == RF_OK) {
        rf_buf_printf(out, "%.*s/rowferry", RF_STR_ARG(rf_buf_str(&directory)));
        if (access(rf_buf_cstr(out), X_OK) != 0) {
            rf_buf_reset(out);
            rf_buf_printf(out, "%.*s/../rowferry", RF_STR_ARG(rf_buf_str(&directory)));
        }
        if (access(rf_buf_cstr(out), X_OK) != 0) {
            status = rf_fail(err, RF_CONFIG, "the program rowferry does not lie beside this one");
            rf_error_hint(err, "build or install it; ROWFERRY=PATH says where it is");
        }
    }
    rf_buf_deinit(&directory);
    return status;
}

void rf_child_show_log(const char *path)
{
    enum { TAIL_BYTES = 4000 };
    const struct rf_str lead = RF_STR("rowferry: ");
    char text[TAIL_BYTES];
    struct rf_str rest = {text, 0}, line, shown = RF_STR_NONE;
    FILE *file = fopen(path, "re");

    if (file == NULL) {
        return;
    }
    if (fseek(file, -TAIL_BYTES, SEEK_END) != 0) {
        rewind(file);
    }
    rest.size = fread(text, 1, sizeof text, file);
    fclose(file);
    const char *end = text + rest.size;
    while (rf_str_split(&rest, '\n', &line)) {
        if (rf_str_starts(line, lead)) {
            shown = (struct rf_str){line.data, (size_t)(end - line.data)};
        }
    }
    while (shown.size > 0 && shown.data[shown.size - 1] == '\n') {
        shown.size--;
    }
    rf_message_detail(shown);
}
