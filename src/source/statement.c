#include "source/statement.h"

struct scan {
    const char *at;
    const char *end;
};

static bool is_space(char byte)
{
    return byte == ' ' || (byte >= '\t' && byte <= '\r');
}

static bool is_digit(char byte)
{
    return byte >= '0' && byte <= '9';
}

/* Of an identifier without quotes; bytes above 0x7f are parts of UTF-8 letters. */
static bool is_word(char byte)
{
    return is_digit(byte) || (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           byte == '_' || byte == '$' || (byte & 0x80) != 0;
}

static bool begins(const struct scan *scan, const char *text, size_t size)
{
    return (size_t)(scan->end - scan->at) >= size && memcmp(scan->at, text, size) == 0;
}

static void skip_line(struct scan *scan)
{
    while (scan->at < scan->end && *scan->at != '\n') {
        scan->at++;
    }
}

/* A comment that the server runs: its beginning is stepped over and its end later. */
static bool skip_version_comment(struct scan *scan)
{
    if (!begins(scan, "/*!", 3) && !begins(scan, "/*M!", 4)) {
        return false;
    }
    scan->at += scan->at[2] == '!' ? 3 : 4;
    while (scan->at < scan->end && is_digit(*scan->at)) {
        scan->at++;
    }
    return true;
}

static void skip_comment(struct scan *scan)
{
    scan->at += 2;
    while (scan->at < scan->end && !begins(scan, "*/", 2)) {
        scan->at++;
    }
    scan->at += begins(scan, "*/", 2) ? 2 : 0;
}

static void skip(struct scan *scan)
{
    while (scan->at < scan->end) {
        if (is_space(*scan->at)) {
            scan->at++;
        } else if (*scan->at == '#') {
            skip_line(scan);
        } else if (begins(scan, "--", 2) && (scan->end - scan->at == 2 || is_space(scan->at[2]))) {
            skip_line(scan);
        } else if (begins(scan, "*/", 2)) {
            scan->at += 2;
        } else if (begins(scan, "/*", 2)) {
            if (!skip_version_comment(scan)) {
                skip_comment(scan);
            }
        } else {
            return;
        }
    }
}

static struct rf_str take_word(struct scan *scan)
{
    skip(scan);
    const char *from = scan->at;
    while (scan->at < scan->end && is_word(*scan->at)) {
        scan->at++;
    }
    return (struct rf_str){from, (size_t)(scan->at - from)};
}

/* Takes the next word when it is this one. */
static bool accept(struct scan *scan, const char *word)
{
    struct scan before = *scan;
    if (rf_str_equal_nocase(take_word(scan), rf_str_of(word))) {
        return true;
    }
    *scan = before;
    return false;
}

static bool accept_byte(struct scan *scan, char byte)
{
    skip(scan);
    if (scan->at < scan->end && *scan->at == byte) {
        scan->at++;
        return true;
    }
    return false;
}

/* `name`, "name" or name. */
static bool take_name(struct scan *scan, struct rf_arena *arena, struct rf_str *name)
{
    skip(scan);
    if (scan->at == scan->end || (*scan->at != '`' && *scan->at != '"')) {
        *name = take_word(scan);
        return name->size > 0;
    }
    char quote = *scan->at++;
    const char *from = scan->at;
    size_t doubled = 0;
    for (; scan->at < scan->end; scan->at++) {
        if (*scan->at == quote) {
            if (scan->end - scan->at > 1 && scan->at[1] == quote) {
                scan->at++;
                doubled++;
            } else {
                break;
            }
        }
    }
    if (scan->at == scan->end) {
        return false;
    }
    *name = (struct rf_str){from, (size_t)(scan->at - from)};
    scan->at++;
    if (doubled > 0) {
        char *plain = rf_arena_alloc(arena, name->size);
        size_t size = 0;
        for (size_t i = 0; i < name->size; i++) {
            plain[size++] = name->data[i];
            i += name->data[i] == quote;
        }
        *name = (struct rf_str){plain, size};
    }
    return name->size > 0;
}

/* "table" or "database.table". */
static bool take_table(struct scan *scan, struct rf_arena *arena, struct rf_statement *statement)
{
    struct rf_str first, second;
    if (!take_name(scan, arena, &first)) {
        return false;
    }
    if (!accept_byte(scan, '.')) {
        statement->object = first;
        return true;
    }
    if (!take_name(scan, arena, &second)) {
        return false;
    }
    statement->database = first;
    statement->object = second;
    return true;
}

static void read_truncate(struct scan *scan, struct rf_arena *arena, struct rf_statement *statement)
{
    struct scan before = *scan;
    if (!accept(scan, "table") || !take_table(scan, arena, statement)) {
        statement->database = statement->object = RF_STR_NONE;
        *scan = before;
        if (!take_table(scan, arena, statement)) {
            return;
        }
    }
    statement->kind = RF_STATEMENT_TRUNCATE;
}

/* CREATE [OR REPLACE], ALTER [ONLINE] [IGNORE], DROP: the table's name, where it is one table. */
static void read_table_ddl(struct scan *scan, struct rf_arena *arena,
                           struct rf_statement *statement)
{
    static const char *const fillers[] = {"or", "replace", "online", "ignore"};
    for (size_t i = 0; i < sizeof fillers / sizeof *fillers; i++) {
        accept(scan, fillers[i]);
    }
    if (!accept(scan, "table")) {
        /* A view, an index, a temporary table, ... */
        bool account = accept(scan, "user") || accept(scan, "role") || accept(scan, "server");
        statement->kind = account ? RF_STATEMENT_ACCOUNT : RF_STATEMENT_DDL;
        return;
    }
    if (accept(scan, "if")) {
        accept(scan, "not");
        accept(scan, "exists");
    }
    if (!take_table(scan, arena, statement) || accept_byte(scan, ',')) {
        statement->database = statement->object = RF_STR_NONE;
    }
}

/* SET STATEMENT variable = value, ... FOR the statement that counts. */
static bool skip_set_statement(struct scan *scan)
{
    if (!accept(scan, "statement")) {
        return false;
    }
    while (scan->at < scan->end) {
        char byte = *scan->at;
        if (byte == '\'' || byte == '"' || byte == '`') {
            scan->at++;
            while (scan->at < scan->end && *scan->at != byte) {
                scan->at += *scan->at == '\\' && scan->end - scan->at > 1 ? 2 : 1;
            }
            scan->at += scan->at < scan->end;
        } else if (is_word(byte)) {
            if (accept(scan, "for")) {
                return true;
            }
            take_word(scan);
        } else {
            scan->at++;
            skip(scan);
        }
    }
    return true;
}

static bool is_end(struct scan *scan)
{
    accept(scan, "work");
    skip(scan);
    return scan->at == scan->end;
}

static bool is_one_of(struct rf_str word, const char *const *words)
{
    for (; *words != NULL; words++) {
        if (rf_str_equal_nocase(word, rf_str_of(*words))) {
            return true;
        }
    }
    return false;
}

static void read_xa(struct scan *scan, struct rf_statement *statement)
{
    bool commits = accept(scan, "commit");
    statement->kind = RF_STATEMENT_XA;
    if (commits || accept(scan, "rollback")) {
        statement->xa = commits ? RF_XA_COMMIT : RF_XA_ROLLBACK;
        statement->object = rf_str_trim((struct rf_str){scan->at, (size_t)(scan->end - scan->at)});
    } else if (accept(scan, "start") || accept(scan, "begin")) {
        statement->xa = RF_XA_START;
    }
}

void rf_statement_read(struct rf_str text, struct rf_arena *arena, struct rf_statement *statement)
{
    static const char *const changes[] = {"insert", "update", "delete",  "replace", "load",
                                          "merge",  "call",   "do",      "with",    "select",
                                          "values", "import", "execute", "handler", NULL};
    static const char *const tables[] = {"create", "alter", "drop", NULL};
    static const char *const accounts[] = {"grant", "revoke", NULL};
    static const char *const others[] = {"analyze",  "optimize", "repair",    "flush",   "check",
                                         "checksum", "install",  "uninstall", "comment", NULL};
    struct scan scan = {text.data, text.data + text.size};
    *statement = (struct rf_statement){0};
    struct rf_str word = take_word(&scan);
    while (rf_str_equal_nocase(word, RF_STR("set")) && skip_set_statement(&scan)) {
        statement->has_settings = true;
        word = take_word(&scan);
    }
    statement->word = word;
    if (rf_str_equal_nocase(word, RF_STR("begin"))) {
        statement->kind = is_end(&scan) ? RF_STATEMENT_BEGIN : RF_STATEMENT_UNKNOWN;
    } else if (rf_str_equal_nocase(word, RF_STR("commit"))) {
        statement->kind = is_end(&scan) ? RF_STATEMENT_COMMIT : RF_STATEMENT_UNKNOWN;
    } else if (rf_str_equal_nocase(word, RF_STR("rollback"))) {
        accept(&scan, "work");
        statement->kind = RF_STATEMENT_ROLLBACK;
        if (accept(&scan, "to")) {
            statement->kind = RF_STATEMENT_ROLLBACK_TO;
            accept(&scan, "savepoint");
            take_name(&scan, arena, &statement->object);
        }
    } else if (rf_str_equal_nocase(word, RF_STR("savepoint"))) {
        statement->kind = RF_STATEMENT_SAVEPOINT;
        take_name(&scan, arena, &statement->object);
    } else if (rf_str_equal_nocase(word, RF_STR("release"))) {
        statement->kind = RF_STATEMENT_RELEASE;
    } else if (rf_str_equal_nocase(word, RF_STR("xa"))) {
        read_xa(&scan, statement);
    } else if (rf_str_equal_nocase(word, RF_STR("start"))) {
        statement->kind = accept(&scan, "transaction") ? RF_STATEMENT_BEGIN : RF_STATEMENT_UNKNOWN;
    } else if (is_one_of(word, changes)) {
        statement->kind = RF_STATEMENT_CHANGE;
    } else if (rf_str_equal_nocase(word, RF_STR("truncate"))) {
        read_truncate(&scan, arena, statement);
    } else if (is_one_of(word, tables)) {
        statement->kind = RF_STATEMENT_DDL;
        read_table_ddl(&scan, arena, statement);
    } else if (is_one_of(word, accounts)) {
        statement->kind = RF_STATEMENT_ACCOUNT;
    } else if (rf_str_equal_nocase(word, RF_STR("rename"))) {
        statement->kind = accept(&scan, "user") ? RF_STATEMENT_ACCOUNT : RF_STATEMENT_DDL;
    } else if (rf_str_equal_nocase(word, RF_STR("set"))) {
        accept(&scan, "default");
        bool account = accept(&scan, "password") || accept(&scan, "role");
        statement->kind = account ? RF_STATEMENT_ACCOUNT : RF_STATEMENT_DDL;
    } else if (is_one_of(word, others)) {
        statement->kind = RF_STATEMENT_DDL;
    }
}
