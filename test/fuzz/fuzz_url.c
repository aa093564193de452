/* Any text as an address: no crash, no overflow, and what is accepted can be written again from
 * its parts and means the same. */
#include "config/url.h"

#include <ctype.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void add_escaped(struct rf_buf *out, const char *text)
{
    for (; *text != '\0'; text++) {
        if (isalnum((unsigned char)*text)) {
            rf_buf_add_byte(out, *text);
        } else {
            rf_buf_printf(out, "%%%02X", (unsigned char)*text);
        }
    }
}

/* Hosts are not escaped: brackets and their zone are all that a host may need. */
static void add_host(struct rf_buf *out, const char *host)
{
    const char *zone = strchr(host, '%');
    if (strchr(host, ':') == NULL) {
        rf_buf_printf(out, "%s", host);
    } else if (zone == NULL) {
        rf_buf_printf(out, "[%s]", host);
    } else {
        rf_buf_printf(out, "[%.*s", (int)(zone - host), host);
        add_escaped(out, zone);
        rf_buf_printf(out, "]");
    }
}

static bool is_part(const char *name)
{
    static const char *const parts[] = {"user", "password", "host", "port", "path"};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        if (strcmp(name, parts[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* The parts that are options by their name alone ("file:?host=a") stay options. */
static void write_again(const struct rf_url *url, struct rf_buf *out)
{
    char separator = '?';

    rf_buf_printf(out, "%s:%s", url->scheme, url->authority ? "//" : "");
    for (uint32_t i = 0; i < url->count; i++) {
        const char *name = url->settings[i].name;
        if (strcmp(name, "path") == 0 && i == 0 && !url->authority) {
            const char *path = url->settings[i].value;
            if (*path == '/') { /* an escaped slash is no second slash of "//" */
                rf_buf_add_byte(out, *path++);
            }
            add_escaped(out, path);
            continue;
        }
        rf_buf_add_byte(out, separator);
        separator = '&';
        add_escaped(out, name);
        rf_buf_add_byte(out, '=');
        add_escaped(out, url->settings[i].value);
    }
}

static void write_authority(const struct rf_url *url, struct rf_buf *out)
{
    const char *user = rf_url_get(url, "user");
    const char *password = rf_url_get(url, "password");
    const char *host = rf_url_get(url, "host");
    const char *port = rf_url_get(url, "port");
    const char *path = rf_url_get(url, "path");
    char separator = '?';

    rf_buf_printf(out, "%s://", url->scheme);
    add_escaped(out, user ? user : "");
    if (password != NULL) {
        rf_buf_add_byte(out, ':');
        add_escaped(out, password);
    }
    rf_buf_printf(out, "@");
    add_host(out, host ? host : "");
    if (port != NULL) {
        rf_buf_printf(out, ":%s", port);
    }
    if (path != NULL) {
        rf_buf_add_byte(out, '/');
        add_escaped(out, path + 1);
    }
    for (uint32_t i = 0; i < url->count; i++) {
        if (!is_part(url->settings[i].name)) {
            rf_buf_add_byte(out, separator);
            separator = '&';
            add_escaped(out, url->settings[i].name);
            rf_buf_add_byte(out, '=');
            add_escaped(out, url->settings[i].value);
        }
    }
}

/* Parts given as options ("mysql://?port=x") have other rules than the parts themselves. */
static bool has_part_options(const struct rf_str text)
{
    const char *question = text.size ? memchr(text.data, '?', text.size) : NULL;
    if (question == NULL) {
        return false;
    }
    struct rf_str query = {question, text.size - (size_t)(question - text.data)};
    static const char *const words[] = {"user", "password", "host", "port", "path", "%"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (memmem(query.data, query.size, words[i], strlen(words[i])) != NULL) {
            return true;
        }
    }
    return false;
}

static void check_again(const struct rf_url *url)
{
    struct rf_buf text = {0};
    struct rf_url again = {0};
    struct rf_error err = {0};

    if (url->authority) {
        write_authority(url, &text);
    } else {
        write_again(url, &text);
    }
    if (text.size <= RF_URL_BYTES_MAX) {
        rf_assert(rf_url_parse(&again, rf_buf_str(&text), &err) == RF_OK);
        rf_assert(again.count == url->count && again.authority == url->authority);
        for (uint32_t i = 0; i < url->count; i++) {
            const char *value = rf_url_get(&again, url->settings[i].name);
            rf_assert(value != NULL && strcmp(value, url->settings[i].value) == 0);
        }
    }
    rf_url_deinit(&again);
    rf_buf_deinit(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rf_str text = {(const char *)data, size};
    struct rf_url url = {0};
    struct rf_error err = {0};
    char *argument = rf_str_dup(text);

    if (rf_url_parse(&url, text, &err) == RF_OK) {
        rf_assert(url.scheme != NULL && url.scheme[0] != '\0');
        if (!has_part_options(text)) {
            check_again(&url);
        }
    } else {
        rf_assert(err.status == RF_CONFIG && err.message[0] != '\0');
    }
    rf_url_deinit(&url);
    rf_url_wipe(argument);
    rf_assert(strlen(argument) <= size);
    free(argument);
    return 0;
}
