#include "config/environment.h"

#include <ctype.h>
#include <stdlib.h>

/* Takes the front of *rest: plain text, or one variable with its name. False: nothing is left. */
static bool take(struct rf_str *rest, struct rf_str *plain, struct rf_str *name, bool *closed)
{
    const char *end = rest->data + rest->size;

    *plain = *name = RF_STR_NONE;
    *closed = true;
    if (rest->size == 0) {
        return false;
    }
    if (rf_str_starts(*rest, RF_STR("$${"))) {
        *plain = RF_STR("${");
        *rest = (struct rf_str){rest->data + 3, rest->size - 3};
        return true;
    }
    if (rf_str_starts(*rest, RF_STR("${"))) {
        const char *brace = memchr(rest->data, '}', rest->size);
        *closed = brace != NULL;
        *name = (struct rf_str){rest->data + 2, (size_t)((brace ? brace : end) - rest->data) - 2};
        rest->data = brace ? brace + 1 : end;
        rest->size = (size_t)(end - rest->data);
        return true;
    }
    const char *dollar = memchr(rest->data + 1, '$', rest->size - 1);
    *plain = (struct rf_str){rest->data, (size_t)((dollar ? dollar : end) - rest->data)};
    rest->data += plain->size;
    rest->size -= plain->size;
    return true;
}

static bool is_variable(struct rf_str name)
{
    bool good = name.size > 0 && name.size <= 100 && !isdigit((unsigned char)name.data[0]);

    for (size_t i = 0; i < name.size && good; i++) {
        good = isalnum((unsigned char)name.data[i]) || name.data[i] == '_';
    }
    return good;
}

static void add_escaped(struct rf_buf *out, const char *text)
{
    for (; *text != '\0'; text++) {
        if (isalnum((unsigned char)*text) || strchr("-._~", *text) != NULL) {
            rf_buf_add_byte(out, *text);
        } else {
            rf_buf_printf(out, "%%%02X", (unsigned char)*text);
        }
    }
}

enum rf_status rf_environment_replace(struct rf_str text, bool address, struct rf_buf *out,
                                      bool *replaced, struct rf_error *err)
{
    struct rf_str rest = text, plain, name;
    bool closed;

    while (take(&rest, &plain, &name, &closed)) {
        if (name.data == NULL) {
            rf_buf_add_str(out, plain);
            continue;
        }
        if (!closed || !is_variable(name)) {
            rf_fail(err, RF_CONFIG, "\"${\" without the name of a variable and its \"}\"");
            rf_error_hint(err, "write ${NAME}, or $${ where ${ itself is meant");
            return RF_CONFIG;
        }
        char *terminated = rf_str_dup(name);
        const char *value = getenv(terminated);
        free(terminated);
        if (value == NULL) {
            rf_fail(err, RF_CONFIG, "the environment has no variable %.*s", RF_STR_ARG(name));
            rf_error_hint(err, "write $${ where ${ itself is meant");
            return RF_CONFIG;
        }
        *replaced = true;
        if (address && name.size + 3 < text.size) {
            add_escaped(out, value);
        } else {
            rf_buf_printf(out, "%s", value);
        }
    }
    return RF_OK;
}

void rf_environment_remove(struct rf_str text, struct rf_buf *out)
{
    struct rf_str plain, name;
    bool closed;

    while (take(&text, &plain, &name, &closed)) {
        rf_buf_add_str(out, plain);
    }
}
