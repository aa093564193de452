#include "config/url.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <strings.h>

static struct rf_str part(const char *start, const char *end)
{
    return (struct rf_str){start, (size_t)(end - start)};
}

/* Where byte occurs first or last in str; NULL: nowhere. */
static const char *first(struct rf_str str, char byte)
{
    return str.size > 0 ? memchr(str.data, byte, str.size) : NULL;
}

static const char *last(struct rf_str str, char byte)
{
    return str.size > 0 ? memrchr(str.data, byte, str.size) : NULL;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* `what` names the part in messages; its text is not shown, for it may be a secret. */
static enum rf_status decode(struct rf_url *url, struct rf_str text, const char *what,
                             const char **out, struct rf_error *err)
{
    char *copy = rf_arena_alloc(&url->memory, text.size + 1);
    size_t size = 0;

    for (size_t i = 0; i < text.size; i++) {
        unsigned char byte = (unsigned char)text.data[i];
        if (byte == '%') {
            int high = i + 1 < text.size ? hex_digit(text.data[i + 1]) : -1;
            int low = i + 2 < text.size ? hex_digit(text.data[i + 2]) : -1;
            if (high < 0 || low < 0) {
                rf_fail(err, RF_CONFIG, "%s of the %s address has a '%%' without two hex digits",
                        what, url->scheme);
                rf_error_hint(err, "write a percent sign itself as %%25");
                return RF_CONFIG;
            }
            byte = (unsigned char)(high << 4 | low);
            i += 2;
        }
        if (byte < 0x20 || byte == 0x7f) {
            return rf_fail(err, RF_CONFIG, "%s of the %s address has a control character (0x%02x)",
                           what, url->scheme, byte);
        }
        copy[size++] = (char)byte;
    }
    copy[size] = '\0';
    *out = copy;
    return RF_OK;
}

static enum rf_status add(struct rf_url *url, const char *name, const char *value,
                          struct rf_error *err)
{
    if (rf_url_get(url, name) != NULL) {
        rf_fail(err, RF_CONFIG, "the %s address has '%s' twice", url->scheme, name);
        rf_error_hint(err, "give each option once; a list is split at commas: %s=a,b", name);
        return RF_CONFIG;
    }
    if (url->count == RF_URL_SETTINGS_MAX) {
        return rf_fail(err, RF_CONFIG, "the %s address has more than %d options", url->scheme,
                       RF_URL_SETTINGS_MAX);
    }
    url->settings[url->count++] = (struct rf_setting){name, value, NULL};
    return RF_OK;
}

/* Adds a part under its fixed name; an empty one is not there. */
static enum rf_status add_part(struct rf_url *url, const char *name, const char *what,
                               struct rf_str text, struct rf_error *err)
{
    const char *value = NULL;
    enum rf_status status;

    if (text.size == 0) {
        return RF_OK;
    }
    status = decode(url, text, what, &value, err);
    return status == RF_OK ? add(url, name, value, err) : status;
}

static enum rf_status parse_user(struct rf_url *url, struct rf_str text, struct rf_error *err)
{
    const char *colon = first(text, ':');
    const char *end = text.data + text.size;
    const char *password = NULL;
    enum rf_status status;

    status = add_part(url, "user", "the user", part(text.data, colon ? colon : end), err);
    if (status != RF_OK || colon == NULL) {
        return status;
    }
    status = decode(url, part(colon + 1, end), "the password", &password, err);
    return status == RF_OK ? add(url, "password", password, err) : status;
}

static enum rf_status fail_host(const struct rf_url *url, struct rf_error *err, const char *what)
{
    rf_fail(err, RF_CONFIG, "the host of the %s address %s", url->scheme, what);
    rf_error_hint(
        err,
        "the form is %s://user@host:port/path with an IPv6 address in brackets; in a user "
        "name or password write : as %%3A, / as %%2F, @ as %%40, ? as %%3F",
        url->scheme);
    return RF_CONFIG;
}

static enum rf_status parse_port(struct rf_url *url, struct rf_str text, struct rf_error *err)
{
    uint64_t port = 0;
    char *value = NULL;

    if (text.size > 5 || !rf_str_to_u64(text, &port) || port == 0 || port > 65535) {
        /* Not shown: a password with an unescaped '/' or '?' ends up here. */
        rf_fail(err, RF_CONFIG, "the port of the %s address is not a number from 1 to 65535",
                url->scheme);
        rf_error_hint(err,
                      "the form is %s://user@host:port/path; in a user name or password write : as "
                      "%%3A, / as %%2F, @ as %%40, ? as %%3F",
                      url->scheme);
        return RF_CONFIG;
    }
    value = rf_arena_alloc(&url->memory, 8);
    snprintf(value, 8, "%u", (unsigned)port);
    return add(url, "port", value, err);
}

/* Letters, digits and what else host names and interfaces are made of; not empty. */
static bool good_name(const char *name)
{
    size_t size = 0;
    while (isalnum((unsigned char)name[size]) || (name[size] && strchr(".-_", name[size]))) {
        size++;
    }
    return size > 0 && name[size] == '\0';
}

static enum rf_status parse_ipv6(struct rf_url *url, struct rf_str text, struct rf_error *err)
{
    struct in6_addr address;
    const char *host = NULL;
    char bare[INET6_ADDRSTRLEN];
    enum rf_status status = decode(url, text, "the host", &host, err);

    if (status != RF_OK) {
        return status;
    }
    size_t size = strcspn(host, "%"); /* behind it the zone, an interface's name or number */
    if (size >= sizeof bare || (host[size] == '%' && !good_name(host + size + 1))) {
        return fail_host(url, err, "is not an IPv6 address");
    }
    memcpy(bare, host, size);
    bare[size] = '\0';
    if (inet_pton(AF_INET6, bare, &address) != 1) {
        return fail_host(url, err, "is not an IPv6 address");
    }
    return add(url, "host", host, err);
}

static enum rf_status parse_name(struct rf_url *url, struct rf_str text, struct rf_error *err)
{
    const char *host = NULL;

    if (text.size == 0) {
        return RF_OK;
    }
    if (first(text, ':') != NULL) {
        return fail_host(url, err, "has more than one ':'");
    }
    enum rf_status status = decode(url, text, "the host", &host, err);
    if (status == RF_OK && !good_name(host)) {
        status = fail_host(url, err, "has a character that no host name has");
    }
    return status == RF_OK ? add(url, "host", host, err) : status;
}

/* user:password@host:port, all of it optional. */
static enum rf_status parse_authority(struct rf_url *url, struct rf_str text, struct rf_error *err)
{
    const char *end = text.data + text.size;
    const char *at = last(text, '@');
    enum rf_status status = RF_OK;
    const char *port = NULL;

    if (at != NULL) {
        status = parse_user(url, part(text.data, at), err);
        text = part(at + 1, end);
    }
    if (status != RF_OK) {
        return status;
    }
    if (text.size > 0 && text.data[0] == '[') {
        const char *bracket = first(text, ']');
        if (bracket == NULL || (bracket + 1 != end && bracket[1] != ':')) {
            return fail_host(url, err, "has a '[' without its ']' before the port");
        }
        port = bracket + 1 == end ? NULL : bracket + 1;
        status = parse_ipv6(url, part(text.data + 1, bracket), err);
    } else {
        port = last(text, ':');
        status = parse_name(url, part(text.data, port ? port : end), err);
    }
    return status == RF_OK && port ? parse_port(url, part(port + 1, end), err) : status;
}

static enum rf_status parse_option(struct rf_url *url, struct rf_str text, struct rf_error *err)
{
    const char *equals = first(text, '=');
    const char *end = text.data + text.size;
    const char *name = NULL;
    const char *value = NULL;
    char what[64];
    enum rf_status status;

    if (text.size == 0 || equals == text.data) {
        rf_fail(err, RF_CONFIG, "the %s address has an option without a name", url->scheme);
        rf_error_hint(err, "behind the '?' come option=value pairs with '&' between them");
        return RF_CONFIG;
    }
    status = decode(url, part(text.data, equals ? equals : end), "an option's name", &name, err);
    if (status != RF_OK) {
        return status;
    }
    if (equals == NULL) {
        rf_fail(err, RF_CONFIG, "option '%s' of the %s address has no value", name, url->scheme);
        rf_error_hint(err, "write %s=VALUE; 'rowferry options' shows what there is", name);
        return RF_CONFIG;
    }
    snprintf(what, sizeof what, "option '%.40s'", name);
    status = decode(url, part(equals + 1, end), what, &value, err);
    return status == RF_OK ? add(url, name, value, err) : status;
}

static enum rf_status parse_query(struct rf_url *url, struct rf_str text, struct rf_error *err)
{
    enum rf_status status = RF_OK;
    struct rf_str option;

    while (status == RF_OK && text.size > 0 && rf_str_split(&text, '&', &option)) {
        status = parse_option(url, option, err);
        if (status == RF_OK && text.data != NULL && text.size == 0) {
            status = parse_option(url, text, err); /* a '&' with nothing behind it */
        }
    }
    return status;
}

static enum rf_status fail_scheme(struct rf_str text, struct rf_error *err)
{
    /* Shown only when there can be no password in it. */
    if (text.size > 0 && text.size < 200 && !first(text, '@') && !first(text, '=')) {
        rf_fail(err, RF_CONFIG, "'%.*s' is not an address: it does not begin with a scheme",
                RF_STR_ARG(text));
        rf_error_hint(err, "write file:%.*s for a file, or SCHEME://%.*s for a server",
                      RF_STR_ARG(text), RF_STR_ARG(text));
    } else {
        rf_fail(err, RF_CONFIG, "an address does not begin with a scheme");
        rf_error_hint(err, "the form is SCHEME://user@host:port/path or file:PATH");
    }
    return RF_CONFIG;
}

static enum rf_status parse_scheme(struct rf_url *url, struct rf_str *text, struct rf_error *err)
{
    const char *colon = first(*text, ':');
    size_t size = colon ? (size_t)(colon - text->data) : 0;
    bool good = size > 0 && size <= 32 && isalpha((unsigned char)text->data[0]);

    for (size_t i = 0; good && i < size; i++) {
        char c = text->data[i];
        good = isalnum((unsigned char)c) || c == '+' || c == '-' || c == '.' || c == '_';
    }
    if (!good) {
        return fail_scheme(*text, err);
    }
    char *scheme = rf_arena_alloc(&url->memory, size + 1);
    for (size_t i = 0; i < size; i++) {
        scheme[i] = (char)tolower((unsigned char)text->data[i]);
    }
    scheme[size] = '\0';
    url->scheme = scheme;
    *text = (struct rf_str){colon + 1, text->size - size - 1};
    return RF_OK;
}

/* A password with a bare "/" or "?" in it puts the "@" behind the host: "mysql://cdc:12/34@db"
 * would be host cdc, port 12. */
static bool misplaced_at(struct rf_str authority, struct rf_str path, struct rf_str query)
{
    struct rf_str name = query;
    const char *equals = first(query, '=');

    if (first(authority, ':') == NULL || first(authority, '@') != NULL) {
        return false;
    }
    if (equals != NULL) {
        name = part(query.data, equals);
    }
    return first(path, '@') != NULL || first(name, '@') != NULL;
}

enum rf_status rf_url_parse(struct rf_url *url, struct rf_str text, struct rf_error *err)
{
    struct rf_str query = RF_STR_NONE;
    enum rf_status status;

    if (text.size > RF_URL_BYTES_MAX) {
        return rf_fail(err, RF_CONFIG, "an address is longer than %d bytes", RF_URL_BYTES_MAX);
    }
    if (rf_str_equal(text, RF_STR("-"))) {
        text = RF_STR("file:-");
    }
    status = parse_scheme(url, &text, err);
    if (status != RF_OK) {
        return status;
    }
    const char *end = text.data + text.size;
    const char *question = first(text, '?');
    if (question != NULL) {
        query = part(question + 1, end);
        text = part(text.data, question);
        end = question;
    }
    if (rf_str_starts(text, RF_STR("//"))) {
        struct rf_str authority = part(text.data + 2, end);
        const char *slash = first(authority, '/');
        url->authority = true;
        text = part(slash ? slash : end, end);
        authority = part(authority.data, text.data);
        if (misplaced_at(authority, text, query)) {
            rf_fail(err, RF_CONFIG, "the %s address has an '@' behind its host", url->scheme);
            rf_error_hint(err,
                          "in a user name or password write / as %%2F and ? as %%3F; an '@' that "
                          "belongs where it is, write as %%40");
            return RF_CONFIG;
        }
        status = parse_authority(url, authority, err);
    }
    if (status == RF_OK) {
        status = add_part(url, "path", "the path", text, err);
    }
    return status == RF_OK ? parse_query(url, query, err) : status;
}

const char *rf_url_get(const struct rf_url *url, const char *name)
{
    for (uint32_t i = 0; i < url->count; i++) {
        if (strcmp(url->settings[i].name, name) == 0) {
            return url->settings[i].value;
        }
    }
    return NULL;
}

static bool secret_name(struct rf_str name)
{
    static const char *const words[] = {"password", "passwd", "secret", "token", "passphrase"};
    char text[64];

    if (name.size == 0 || name.size >= sizeof text) {
        return false;
    }
    memcpy(text, name.data, name.size);
    text[name.size] = '\0';
    /* NAME_file and NAME_env say where a secret lies, and are none. */
    const char *end = text + name.size;
    if ((name.size > 5 && strcasecmp(end - 5, "_file") == 0) ||
        (name.size > 4 && strcasecmp(end - 4, "_env") == 0)) {
        return false;
    }
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strcasestr(text, words[i]) != NULL) {
            return true;
        }
    }
    return false;
}

static bool wipe_options(char *query)
{
    bool found = false;

    while (query != NULL) {
        size_t size = strcspn(query, "&");
        char *equals = memchr(query, '=', size);
        if (equals != NULL && secret_name(part(query, equals))) {
            char *value = equals + 1;
            memset(value, '*', size - (size_t)(value - query));
            found = found || value < query + size;
        }
        query = query[size] == '&' ? query + size + 1 : NULL;
    }
    return found;
}

bool rf_url_wipe(char *argument)
{
    bool found = false;
    char *authority = strstr(argument, "://");
    char *query = strchr(argument, '?');

    if (authority != NULL) {
        authority += 3;
        char *at = memrchr(authority, '@', strcspn(authority, "/?"));
        char *colon = strchr(authority, ':');
        found = colon != NULL && at != NULL && colon + 1 < at;
        if (at == NULL) {
            /* A bare '/' or '?' in the password moved the '@' out of sight. */
            at = strrchr(authority, '@');
        }
        if (colon != NULL && at != NULL && colon + 1 < at) {
            memset(colon + 1, '*', (size_t)(at - colon - 1));
        }
    }
    return (query != NULL && wipe_options(query + 1)) || found;
}

void rf_url_deinit(struct rf_url *url)
{
    for (struct rf_chunk *chunk = url->memory.head; chunk != NULL; chunk = chunk->next) {
        explicit_bzero(chunk->data, chunk->used);
    }
    rf_arena_deinit(&url->memory);
    *url = (struct rf_url){0};
}
