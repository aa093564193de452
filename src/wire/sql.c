#include "wire/sql.h"

static bool is_word(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= '0' && byte <= '9') || byte == '_' || byte == '$' || (byte & 0x80) != 0;
}

static void step(struct rf_sql *sql, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        sql->line += sql->rest.data[i] == '\n';
    }
    sql->rest.data += size;
    sql->rest.size -= size;
}

static bool begins(const struct rf_sql *sql, const char *text)
{
    return rf_str_starts(sql->rest, rf_str_of(text));
}

static void step_line(struct rf_sql *sql)
{
    const char *end = memchr(sql->rest.data, '\n', sql->rest.size);
    step(sql, end ? (size_t)(end - sql->rest.data) : sql->rest.size);
}

/* Over a comment; of a version comment over its beginning only. */
static void step_comment(struct rf_sql *sql)
{
    size_t mark = begins(sql, "/*!") ? 3 : begins(sql, "/*M!") ? 4 : 0, digits = 0;
    while (mark > 0 && mark + digits < sql->rest.size && sql->rest.data[mark + digits] >= '0' &&
           sql->rest.data[mark + digits] <= '9') {
        digits++;
    }
    struct rf_str version = {sql->rest.data + mark, digits};
    if (mark > 0 && !rf_str_equal(version, RF_STR("999999"))) {
        step(sql, mark + digits);
        return;
    }
    const char *end = memmem(sql->rest.data + 2, sql->rest.size - 2, "*/", 2);
    step(sql, end ? (size_t)(end - sql->rest.data) + 2 : sql->rest.size);
}

static void step_blank(struct rf_sql *sql)
{
    sql->line += sql->line == 0;
    while (sql->rest.size > 0) {
        char byte = sql->rest.data[0];
        bool dashes =
            begins(sql, "--") && (sql->rest.size == 2 || (unsigned char)sql->rest.data[2] <= ' ');
        if (byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r') {
            step(sql, 1);
        } else if (dashes || byte == '#') {
            step_line(sql);
        } else if (begins(sql, "/*")) {
            step_comment(sql);
        } else if (begins(sql, "*/")) {
            step(sql, 2); /* of a version comment */
        } else {
            return;
        }
    }
}

/* Bytes of what is quoted here, quotes included; 0 when it is not closed. */
static size_t quoted(struct rf_str rest)
{
    char quote = rest.data[0];
    for (size_t i = 1; i < rest.size; i++) {
        if (rest.data[i] == '\\' && quote != '`') {
            i++;
        } else if (rest.data[i] == quote && i + 1 < rest.size && rest.data[i + 1] == quote) {
            i++;
        } else if (rest.data[i] == quote) {
            return i + 1;
        }
    }
    return 0;
}

struct rf_sql_token rf_sql_next(struct rf_sql *sql)
{
    step_blank(sql);
    struct rf_sql_token token = {.line = sql->line};
    size_t size = 0;
    if (sql->rest.size == 0) {
        return token;
    }
    char byte = sql->rest.data[0];
    if (byte == '`' || byte == '\'' || byte == '"') {
        size = quoted(sql->rest);
        if (size == 0) {
            step(sql, sql->rest.size);
            return token;
        }
        token.kind = byte == '`' ? RF_SQL_NAME : RF_SQL_STRING;
    } else if (is_word(byte)) {
        while (size < sql->rest.size && is_word(sql->rest.data[size])) {
            size++;
        }
        token.kind = RF_SQL_WORD;
    } else {
        size = 1;
        token.kind = RF_SQL_MARK;
    }
    token.text = (struct rf_str){sql->rest.data, size};
    step(sql, size);
    return token;
}

struct rf_sql_token rf_sql_peek(const struct rf_sql *sql)
{
    struct rf_sql copy = *sql;
    return rf_sql_next(&copy);
}

bool rf_sql_is(struct rf_sql_token token, const char *word)
{
    return token.kind == RF_SQL_WORD && rf_str_equal_nocase(token.text, rf_str_of(word));
}

bool rf_sql_is_mark(struct rf_sql_token token, char mark)
{
    return token.kind == RF_SQL_MARK && token.text.data[0] == mark;
}

bool rf_sql_ends(struct rf_sql *sql)
{
    struct rf_str end = sql->ended.size > 0 ? sql->ended : RF_STR(";");
    step_blank(sql);
    if (!rf_str_starts(sql->rest, end)) {
        return false;
    }
    step(sql, end.size);
    return true;
}

bool rf_sql_skip(struct rf_sql *sql)
{
    while (!rf_sql_ends(sql)) {
        if (rf_sql_next(sql).kind == RF_SQL_END) {
            return false;
        }
    }
    return true;
}

void rf_sql_delimiter(struct rf_sql *sql)
{
    const char *begin = sql->rest.data;
    step_line(sql);
    sql->ended = rf_str_trim((struct rf_str){begin, (size_t)(sql->rest.data - begin)});
}

static char unescaped(char byte)
{
    switch (byte) {
    case '0': return '\0';
    case 'b': return '\b';
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    case 'Z': return '\x1a';
    default: return byte;
    }
}

struct rf_str rf_sql_text(struct rf_sql_token token, struct rf_arena *arena)
{
    if (token.kind != RF_SQL_NAME && token.kind != RF_SQL_STRING) {
        return token.text;
    }
    char quote = token.text.data[0];
    bool escapes = quote != '`';
    struct rf_str inner = {token.text.data + 1, token.text.size - 2};
    if (inner.size == 0 || (memchr(inner.data, quote, inner.size) == NULL &&
                            !(escapes && memchr(inner.data, '\\', inner.size) != NULL))) {
        return inner;
    }
    char *out = rf_arena_alloc(arena, inner.size);
    size_t size = 0;
    for (size_t i = 0; i < inner.size; i++) {
        char byte = inner.data[i];
        if (byte == '\\' && escapes && i + 1 < inner.size) {
            byte = unescaped(inner.data[++i]);
            if (byte == '%' || byte == '_') {
                out[size++] = '\\'; /* these two keep theirs */
            }
        } else if (byte == quote) {
            i++;
        }
        out[size++] = byte;
    }
    return (struct rf_str){out, size};
}
