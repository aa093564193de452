#include "lib/json.h"

/* Each function returns the place behind what it read, or NULL. They know no more than what is
 * valid. */
static const char *skip_value(const char *at, const char *end);

static const char *skip_string(const char *at, const char *end)
{
    if (at == NULL || at == end || *at++ != '"') {
        return NULL;
    }
    for (; at < end && *at != '"'; at++) {
        if ((unsigned char)*at < 0x20) {
            return NULL;
        }
        if (*at == '\\') {
            if (++at == end || strchr("\"\\/bfnrtu", *at) == NULL || *at == '\0') {
                return NULL;
            }
            for (int digits = *at == 'u' ? 4 : 0; digits > 0; digits--) {
                if (++at == end || strchr("0123456789abcdefABCDEF", *at) == NULL || *at == '\0') {
                    return NULL;
                }
            }
        }
    }
    return at < end ? at + 1 : NULL;
}

static const char *skip_digits(const char *at, const char *end)
{
    const char *start = at;
    while (at != NULL && at < end && *at >= '0' && *at <= '9') {
        at++;
    }
    return at == start ? NULL : at;
}

static const char *skip_number(const char *at, const char *end)
{
    at += at < end && *at == '-';
    const char *whole = at;
    at = skip_digits(at, end);
    if (at == NULL || (*whole == '0' && at - whole > 1)) {
        return NULL;
    }
    if (at < end && *at == '.') {
        at = skip_digits(at + 1, end);
    }
    if (at != NULL && at < end && (*at == 'e' || *at == 'E')) {
        at++;
        at += at < end && (*at == '+' || *at == '-');
        at = skip_digits(at, end);
    }
    return at;
}

static const char *skip_blanks(const char *at, const char *end)
{
    while (at != NULL && at < end && memchr(" \t\r\n", *at, 4) != NULL) {
        at++;
    }
    return at;
}

/* An object or an array, of which the first byte was seen. */
static const char *skip_elements(const char *at, const char *end, bool object)
{
    const char closer = object ? '}' : ']';
    at = skip_blanks(at + 1, end);
    if (at < end && *at == closer) {
        return at + 1;
    }
    for (;;) {
        if (object) {
            at = skip_blanks(skip_string(skip_blanks(at, end), end), end);
            if (at == NULL || at == end || *at++ != ':') {
                return NULL;
            }
        }
        at = skip_blanks(skip_value(skip_blanks(at, end), end), end);
        if (at == NULL || at == end || (*at != ',' && *at != closer)) {
            return NULL;
        }
        if (*at++ == closer) {
            return at;
        }
    }
}

static const char *skip_word(const char *at, const char *end, const char *word)
{
    size_t size = strlen(word);
    return (size_t)(end - at) >= size && memcmp(at, word, size) == 0 ? at + size : NULL;
}

static const char *skip_value(const char *at, const char *end)
{
    if (at == NULL || at == end) {
        return NULL;
    }
    switch (*at) {
    case '{': return skip_elements(at, end, true);
    case '[': return skip_elements(at, end, false);
    case '"': return skip_string(at, end);
    case 'n': return skip_word(at, end, "null");
    case 't': return skip_word(at, end, "true");
    case 'f': return skip_word(at, end, "false");
    default: return skip_number(at, end);
    }
}

bool test_json_is_valid(struct rf_str text)
{
    const char *end = text.data + text.size;
    return text.size > 0 && skip_blanks(skip_value(skip_blanks(text.data, end), end), end) == end;
}
