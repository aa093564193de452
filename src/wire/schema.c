#include "wire/schema.h"

#include "wire/charset.h"
#include "wire/sql.h"

#include <stdio.h>

enum { COLUMNS_MAX = 4096, MEMBERS_MAX = UINT16_MAX, NUMBER_DIGITS_MAX = 6 };

/* A CREATE TABLE under construction. */
struct build {
    struct rf_schema *schema;
    struct rf_sql *sql;
    const char *name; /* of the text */
    struct rf_definition *table;
    uint32_t capacity;
    struct rf_str charset; /* of the table */
    bool versioned;
    struct rf_error *err;
};

static enum rf_status not_understood(const struct build *build, struct rf_sql_token token,
                                     const char *what)
{
    enum { SHOWN = 60 };
    struct rf_str near = token.kind == RF_SQL_END ? RF_STR("the end") : token.text;
    near.size = near.size < SHOWN ? near.size : SHOWN;
    rf_fail(build->err, RF_CONFIG, "%s:%u: %s near \"%.*s\"", build->name, token.line, what,
            RF_STR_ARG(near));
    rf_error_hint(
        build->err,
        "definitions are read as `mariadb-dump --no-data` and SHOW CREATE TABLE print them");
    return RF_CONFIG;
}

static struct rf_str keep(const struct build *build, struct rf_sql_token token)
{
    struct rf_arena *memory = &build->schema->memory;
    return rf_arena_copy(memory, rf_sql_text(token, memory));
}

static bool is_name(struct rf_sql_token token)
{
    return token.kind == RF_SQL_NAME || token.kind == RF_SQL_WORD ||
           (token.kind == RF_SQL_STRING && token.text.data[0] == '"');
}

static bool take_mark(struct rf_sql *sql, char mark)
{
    bool is = rf_sql_is_mark(rf_sql_peek(sql), mark);
    if (is) {
        rf_sql_next(sql);
    }
    return is;
}

static bool take_word(struct rf_sql *sql, const char *word)
{
    bool is = rf_sql_is(rf_sql_peek(sql), word);
    if (is) {
        rf_sql_next(sql);
    }
    return is;
}

/* ---- Types --------------------------------------------------------------------------------- */

enum family {
    FIXED,    /* type and metadata stand below */
    DECIMAL,  /* (p,s) */
    BIT,      /* (n) */
    FRACTION, /* (f) */
    FLOATING, /* (p) may make a double of it */
    CHARS,    /* (n) characters, padded */
    VARCHARS, /* (n) characters */
    TEXT,     /* with a character set */
    BINARIES, /* (n) bytes, padded */
    VARBINARIES,
    ENUM,
    SET,
    GEOMETRY, /* instead of the metadata stands what it may hold */
    UUID,     /* as FIXED, these three */
    INET4,
    INET6,
};

static const struct type {
    const char *word;
    uint8_t family; /* enum family */
    uint8_t log_type;
    uint16_t metadata;
} types[] = {
    {"tinyint", FIXED, 1, 0},
    {"smallint", FIXED, 2, 0},
    {"mediumint", FIXED, 9, 0},
    {"int", FIXED, 3, 0},
    {"integer", FIXED, 3, 0},
    {"bigint", FIXED, 8, 0},
    {"float", FLOATING, 4, 4},
    {"double", FIXED, 5, 8},
    {"decimal", DECIMAL, 246, 0},
    {"bit", BIT, 16, 0},
    {"year", FIXED, 13, 0},
    {"date", FIXED, 10, 0},
    {"time", FRACTION, 19, 0},
    {"datetime", FRACTION, 18, 0},
    {"timestamp", FRACTION, 17, 0},
    {"char", CHARS, 254, 0},
    {"varchar", VARCHARS, 15, 0},
    {"binary", BINARIES, 254, 0},
    {"varbinary", VARBINARIES, 15, 0},
    {"tinytext", TEXT, 252, 1},
    {"text", TEXT, 252, 2},
    {"mediumtext", TEXT, 252, 3},
    {"longtext", TEXT, 252, 4},
    {"tinyblob", FIXED, 252, 1},
    {"blob", FIXED, 252, 2},
    {"mediumblob", FIXED, 252, 3},
    {"longblob", FIXED, 252, 4},
    {"enum", ENUM, 254, 247},
    {"set", SET, 254, 248},
    {"json", FIXED, 245, 4},
    {"vector", FIXED, 242, 4},
    {"geometry", GEOMETRY, 255, RF_GEOMETRY_ANY},
    {"point", GEOMETRY, 255, RF_GEOMETRY_POINT},
    {"linestring", GEOMETRY, 255, RF_GEOMETRY_LINESTRING},
    {"polygon", GEOMETRY, 255, RF_GEOMETRY_POLYGON},
    {"multipoint", GEOMETRY, 255, RF_GEOMETRY_MULTIPOINT},
    {"multilinestring", GEOMETRY, 255, RF_GEOMETRY_MULTILINESTRING},
    {"multipolygon", GEOMETRY, 255, RF_GEOMETRY_MULTIPOLYGON},
    {"geometrycollection", GEOMETRY, 255, RF_GEOMETRY_COLLECTION},
    {"geomcollection", GEOMETRY, 255, RF_GEOMETRY_COLLECTION},
    {"uuid", UUID, 254, 254 | 16 << 8},
    {"inet6", INET6, 254, 254 | 16 << 8},
    {"inet4", INET4, 254, 254 | 4 << 8},
};

static const struct type *find_type(struct rf_sql_token token)
{
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (rf_sql_is(token, types[i].word)) {
            return &types[i];
        }
    }
    return NULL;
}

/* Metadata of CHAR and BINARY: two upper bits of the size stand inverted in the type. */
static uint16_t padded(uint32_t bytes)
{
    return (uint16_t)((254u ^ ((bytes >> 4) & 0x30)) | (bytes & 0xff) << 8);
}

static uint16_t set_bytes(uint32_t members)
{
    uint32_t bytes = (members + 7) / 8;
    return (uint16_t)(bytes > 4 ? 8 : bytes);
}

/* What follows from the numbers in parentheses. Those that count characters come to the bytes of
 * their character set when that is known. */
static void set_numbers(struct rf_definition_column *column, const struct type *type,
                        const uint32_t *numbers)
{
    column->log_type = type->log_type;
    column->metadata = type->metadata;
    switch ((enum family)type->family) {
    case DECIMAL: column->metadata = (uint16_t)(numbers[0] | numbers[1] << 8); break;
    case BIT: column->metadata = (uint16_t)(numbers[0] % 8 | numbers[0] / 8 << 8); break;
    case FRACTION:
    case VARBINARIES:
    case CHARS:
    case VARCHARS: column->metadata = (uint16_t)numbers[0]; break;
    case BINARIES: column->metadata = padded(numbers[0]); break;
    case FLOATING:
        if (numbers[0] != UINT32_MAX && numbers[0] > 24 && numbers[1] == UINT32_MAX) {
            column->log_type = 5;
            column->metadata = 8;
        }
        break;
    case ENUM:
        column->metadata = (uint16_t)(type->metadata | (column->member_count > 255 ? 2 : 1) << 8);
        break;
    case SET:
        column->metadata = (uint16_t)(type->metadata | set_bytes(column->member_count) << 8);
        break;
    case GEOMETRY:
        column->metadata = 4;
        column->geometry = (uint8_t)type->metadata;
        break;
    case UUID: column->address = RF_COLUMN_UUID; break;
    case INET4: column->address = RF_COLUMN_INET4; break;
    case INET6: column->address = RF_COLUMN_INET6; break;
    case FIXED:
    case TEXT: break;
    }
}

static enum rf_status read_members(struct build *build, struct rf_definition_column *column)
{
    uint32_t capacity = 0;
    struct rf_str *members = NULL;
    struct rf_sql_token token;
    do {
        token = rf_sql_next(build->sql);
        if (token.kind != RF_SQL_STRING || column->member_count == MEMBERS_MAX) {
            return not_understood(build, token, "not a list of members");
        }
        if (column->member_count == capacity) {
            uint32_t more = capacity ? capacity * 2 : 16;
            struct rf_str *grown = rf_arena_alloc(&build->schema->memory, more * sizeof *grown);
            if (capacity > 0) {
                memcpy(grown, members, capacity * sizeof *grown);
            }
            members = grown;
            capacity = more;
        }
        struct rf_str member = keep(build, token);
        if (!rf_charset_is_utf8(member.data, member.size)) {
            return not_understood(build, token, "a member that is not UTF-8");
        }
        members[column->member_count++] = member;
        token = rf_sql_next(build->sql);
    } while (rf_sql_is_mark(token, ','));
    column->members = members;
    return rf_sql_is_mark(token, ')') ? RF_OK
                                      : not_understood(build, token, "not a list of members");
}

static enum rf_status read_numbers(struct build *build, uint32_t *numbers)
{
    struct rf_sql_token token;
    uint32_t count = 0;
    do {
        uint64_t number;
        token = rf_sql_next(build->sql);
        if (token.kind != RF_SQL_WORD || count == 2 || token.text.size > NUMBER_DIGITS_MAX ||
            !rf_str_to_u64(token.text, &number)) {
            return not_understood(build, token, "not the size of a type");
        }
        numbers[count++] = (uint32_t)number;
        token = rf_sql_next(build->sql);
    } while (rf_sql_is_mark(token, ','));
    return rf_sql_is_mark(token, ')') ? RF_OK
                                      : not_understood(build, token, "not the size of a type");
}

static enum rf_status read_type(struct build *build, struct rf_definition_column *column)
{
    struct rf_sql_token token = rf_sql_next(build->sql);
    const struct type *type = find_type(token);
    uint32_t numbers[2] = {UINT32_MAX, UINT32_MAX};
    enum rf_status status = RF_OK;
    const char *begin = token.text.data;
    if (token.kind != RF_SQL_WORD) {
        return not_understood(build, token, "not a type");
    }
    bool lists = type != NULL && (type->family == ENUM || type->family == SET);
    if (take_mark(build->sql, '(')) {
        status = lists ? read_members(build, column) : read_numbers(build, numbers);
    }
    column->type = rf_arena_copy(&build->schema->memory,
                                 (struct rf_str){begin, (size_t)(build->sql->rest.data - begin)});
    if (status != RF_OK || type == NULL) {
        return status;
    }
    bool sized = type->family == CHARS || type->family == VARCHARS || type->family == BINARIES ||
                 type->family == VARBINARIES || type->family == BIT || type->family == DECIMAL;
    if ((lists && column->member_count == 0) || (sized && numbers[0] > UINT16_MAX) ||
        (type->family == DECIMAL && numbers[1] > UINT8_MAX)) {
        return not_understood(build, token, "a type without its size");
    }
    if (type->family == FRACTION && numbers[0] == UINT32_MAX) {
        numbers[0] = 0;
    }
    column->is_unsigned = type->log_type == 13; /* YEAR is unsigned in the log */
    column->character =
        lists || type->family == CHARS || type->family == VARCHARS || type->family == TEXT;
    set_numbers(column, type, numbers);
    return RF_OK;
}

/* ---- Columns ------------------------------------------------------------------------------- */

/* "utf8mb4" out of "utf8mb4_general_ci"; none out of a collation that names no set
 * (uca1400_ai_ci). */
static struct rf_str charset_of(struct rf_str collation)
{
    const char *end = memchr(collation.data, '_', collation.size);
    struct rf_str name = {collation.data, end ? (size_t)(end - collation.data) : collation.size};
    return rf_str_equal_nocase(name, RF_STR("uca1400")) ? RF_STR_NONE : name;
}

/* Over an expression in parentheses, of which the first one was taken. */
static bool skip_parentheses(struct rf_sql *sql)
{
    for (unsigned depth = 1; depth > 0;) {
        struct rf_sql_token token = rf_sql_next(sql);
        if (token.kind == RF_SQL_END) {
            return false;
        }
        depth += rf_sql_is_mark(token, '(');
        depth -= rf_sql_is_mark(token, ')');
    }
    return true;
}

static void add_key(struct build *build, uint32_t column)
{
    struct rf_definition *table = build->table;
    uint32_t *keys = rf_arena_alloc(&build->schema->memory, (table->key_count + 1) * sizeof *keys);
    if (table->key_count > 0) {
        memcpy(keys, table->key_columns, table->key_count * sizeof *keys);
    }
    keys[table->key_count++] = column;
    table->key_columns = keys;
}

static struct rf_definition_column *add_column(struct build *build, struct rf_str name)
{
    struct rf_definition *table = build->table;
    if (table->column_count == build->capacity) {
        uint32_t capacity = build->capacity ? build->capacity * 2 : 16;
        struct rf_definition_column *columns =
            rf_arena_alloc(&build->schema->memory, capacity * sizeof *columns);
        if (build->capacity > 0) {
            memcpy(columns, table->columns, build->capacity * sizeof *columns);
        }
        table->columns = columns;
        build->capacity = capacity;
    }
    struct rf_definition_column *column = &table->columns[table->column_count++];
    *column = (struct rf_definition_column){.name = name, .nullable = true};
    return column;
}

/* What stands behind the type, one word at a time. */
static enum rf_status read_attribute(struct build *build, struct rf_definition_column *column,
                                     struct rf_sql_token token)
{
    struct rf_sql *sql = build->sql;
    if (rf_sql_is_mark(token, '(')) {
        return skip_parentheses(sql) ? RF_OK : not_understood(build, token, "not closed:");
    }
    if (rf_sql_is(token, "unsigned") || rf_sql_is(token, "zerofill")) {
        column->is_unsigned = true;
    } else if (rf_sql_is(token, "charset") ||
               (rf_sql_is(token, "character") && take_word(sql, "set"))) {
        column->charset_name = keep(build, rf_sql_next(sql));
    } else if (rf_sql_is(token, "collate") && column->charset_name.size == 0) {
        column->charset_name = charset_of(keep(build, rf_sql_next(sql)));
    } else if (rf_sql_is(token, "not") && take_word(sql, "null")) {
        column->nullable = false;
    } else if (rf_sql_is(token, "compressed")) {
        column->log_type = column->log_type == 15 ? 141 : 140;
    } else if (rf_sql_is(token, "row")) { /* GENERATED ALWAYS AS ROW START, END */
        column->nullable = false;
        column->row_end = take_word(sql, "end");
        build->versioned = true;
    } else if (rf_sql_is(token, "default")) {
        if (!rf_sql_is_mark(rf_sql_peek(sql), '(')) {
            rf_sql_next(sql); /* the value, or its first word, which may be NULL */
        }
    } else if (rf_sql_is(token, "primary")) {
        add_key(build, build->table->column_count - 1);
    }
    return token.kind == RF_SQL_END ? not_understood(build, token, "not closed:") : RF_OK;
}

static enum rf_status read_column(struct build *build, struct rf_sql_token name)
{
    if (build->table->column_count == COLUMNS_MAX) {
        return not_understood(build, name, "too many columns");
    }
    struct rf_definition_column *column = add_column(build, keep(build, name));
    if (column->name.size == 0 || !rf_charset_is_utf8(column->name.data, column->name.size)) {
        return not_understood(build, name, "not a name");
    }
    enum rf_status status = read_type(build, column);
    while (status == RF_OK) {
        struct rf_sql_token token = rf_sql_peek(build->sql);
        if (rf_sql_is_mark(token, ',') || rf_sql_is_mark(token, ')')) {
            return RF_OK;
        }
        status = read_attribute(build, column, rf_sql_next(build->sql));
    }
    return status;
}

static int64_t find_column(const struct rf_definition *table, struct rf_str name)
{
    for (uint32_t i = 0; i < table->column_count; i++) {
        if (rf_str_equal_nocase(table->columns[i].name, name)) {
            return i;
        }
    }
    return -1;
}

/* PRIMARY KEY (`a`,`b`(10) DESC), of which PRIMARY was taken. */
static enum rf_status read_key(struct build *build)
{
    struct rf_sql *sql = build->sql;
    struct rf_sql_token token;
    take_word(sql, "key");
    do {
        token = rf_sql_next(sql);
    } while (token.kind != RF_SQL_END && !rf_sql_is_mark(token, '('));
    do {
        token = rf_sql_next(sql);
        int64_t column = is_name(token)
                             ? find_column(build->table, rf_sql_text(token, &build->schema->memory))
                             : -1;
        if (column < 0) {
            return not_understood(build, token, "a key of no column");
        }
        add_key(build, (uint32_t)column);
        if (take_mark(sql, '(') && !skip_parentheses(sql)) {
            return not_understood(build, token, "not closed:");
        }
        (void)(take_word(sql, "asc") || take_word(sql, "desc"));
        token = rf_sql_next(sql);
    } while (rf_sql_is_mark(token, ','));
    return rf_sql_is_mark(token, ')') ? RF_OK : not_understood(build, token, "not a key");
}

/* ---- Tables -------------------------------------------------------------------------------- */

/* An element that is neither a column nor the primary key: up to the comma or the end of all. */
static enum rf_status skip_element(struct build *build)
{
    for (;;) {
        struct rf_sql_token token = rf_sql_peek(build->sql);
        if (rf_sql_is_mark(token, ',') || rf_sql_is_mark(token, ')')) {
            return RF_OK;
        }
        rf_sql_next(build->sql);
        if (token.kind == RF_SQL_END ||
            (rf_sql_is_mark(token, '(') && !skip_parentheses(build->sql))) {
            return not_understood(build, token, "not closed:");
        }
    }
}

static bool is_other_element(struct rf_sql_token token)
{
    static const char *const words[] = {"key",        "unique",  "index", "fulltext", "spatial",
                                        "constraint", "foreign", "check", "period"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (rf_sql_is(token, words[i])) {
            return true;
        }
    }
    return false;
}

static enum rf_status read_elements(struct build *build)
{
    enum rf_status status = RF_OK;
    struct rf_sql_token token;
    do {
        token = rf_sql_next(build->sql);
        if (rf_sql_is(token, "primary")) {
            status = read_key(build);
            if (status == RF_OK) {
                status = skip_element(build);
            }
        } else if (is_other_element(token)) {
            status = skip_element(build);
        } else if (is_name(token)) {
            status = read_column(build, token);
        } else {
            status = not_understood(build, token, "not a column");
        }
        if (status != RF_OK) {
            return status;
        }
        token = rf_sql_next(build->sql);
    } while (rf_sql_is_mark(token, ','));
    return rf_sql_is_mark(token, ')') && build->table->column_count > 0
               ? RF_OK
               : not_understood(build, token, "not a column");
}

static enum rf_status read_options(struct build *build)
{
    struct rf_sql *sql = build->sql;
    struct rf_str collation = RF_STR_NONE;
    while (!rf_sql_ends(sql)) {
        struct rf_sql_token token = rf_sql_next(sql);
        if (token.kind == RF_SQL_END) {
            break; /* the last statement may lack its end */
        }
        if (rf_sql_is(token, "charset") ||
            (rf_sql_is(token, "character") && take_word(sql, "set"))) {
            take_mark(sql, '=');
            build->charset = keep(build, rf_sql_next(sql));
        } else if (rf_sql_is(token, "collate")) {
            take_mark(sql, '=');
            collation = keep(build, rf_sql_next(sql));
        } else if (rf_sql_is(token, "with") && take_word(sql, "system") &&
                   take_word(sql, "versioning")) {
            build->versioned = true;
        }
    }
    if (build->charset.size == 0 && collation.size > 0) {
        build->charset = charset_of(collation);
    }
    return RF_OK;
}

/* WITH SYSTEM VERSIONING alone: two columns that nobody sees but the log. */
static void add_versions(struct build *build)
{
    struct rf_definition *table = build->table;
    int64_t end = -1;
    for (uint32_t i = 0; i < table->column_count; i++) {
        end = table->columns[i].row_end ? i : end;
    }
    static const struct rf_definition_column version = {
        .type = {"timestamp(6)", 12}, .log_type = 17, .metadata = 6};
    for (int i = 0; i < 2 && end < 0; i++) {
        struct rf_str name = i == 0 ? RF_STR("row_start") : RF_STR("row_end");
        struct rf_definition_column *column = add_column(build, RF_STR_NONE);
        *column = version;
        column->name = name;
    }
    if (table->key_count > 0) {
        uint32_t last = end < 0 ? table->column_count - 1 : (uint32_t)end;
        for (uint32_t i = 0; i < table->key_count; i++) {
            if (table->key_columns[i] == last) {
                return;
            }
        }
        add_key(build, last);
    }
}

/* What could only be said when the table's character set was known. */
static void settle(struct build *build)
{
    struct rf_definition *table = build->table;
    for (uint32_t i = 0; i < table->column_count; i++) {
        struct rf_definition_column *column = &table->columns[i];
        unsigned bytes = 1;
        table->addresses |= column->address != 0;
        if (!column->character) {
            continue;
        }
        if (column->charset_name.size == 0) {
            column->charset_name = build->charset;
        }
        column->carried = rf_charset_named(column->charset_name, &column->charset, &bytes);
        if (column->log_type == 15 || column->log_type == 141) {
            uint32_t size = column->metadata * (uint32_t)bytes;
            column->metadata = (uint16_t)(size > UINT16_MAX ? UINT16_MAX : size);
        } else if (column->log_type == 254 && column->member_count == 0) {
            column->metadata = padded(column->metadata * (uint32_t)bytes);
        }
    }
    for (uint32_t i = 0; i < table->column_count; i++) {
        /* Each value of a compressed VARCHAR has a byte more in front. */
        table->columns[i].metadata =
            (uint16_t)(table->columns[i].metadata + (table->columns[i].log_type == 141));
    }
    if (build->versioned) {
        add_versions(build);
    }
}

static enum rf_status read_table(struct build *build, struct rf_str database)
{
    struct rf_sql_token token = rf_sql_next(build->sql);
    char where[256];
    if (!is_name(token)) {
        return not_understood(build, token, "not the name of a table");
    }
    struct rf_definition *table = rf_arena_alloc(&build->schema->memory, sizeof *table);
    *table = (struct rf_definition){.name = keep(build, token), .database = database};
    snprintf(where, sizeof where, "%s:%u", build->name, token.line);
    table->where =
        rf_arena_copy(&build->schema->memory, (struct rf_str){where, strlen(where) + 1}).data;
    if (take_mark(build->sql, '.')) {
        token = rf_sql_next(build->sql);
        table->database = table->name;
        table->name = keep(build, token);
    }
    build->table = table;
    if (!take_mark(build->sql, '(')) {
        rf_sql_skip(build->sql); /* LIKE or SELECT: what it is like, this text does not say */
        return RF_OK;
    }
    enum rf_status status = read_elements(build);
    if (status == RF_OK) {
        status = read_options(build);
    }
    if (status == RF_OK) {
        settle(build);
        table->next = build->schema->first;
        build->schema->first = table;
    }
    return status;
}

/* ---- Statements ---------------------------------------------------------------------------- */

/* mariadb-dump of one database says which in its second line only. */
static struct rf_str database_of_dump(struct rf_str text)
{
    struct rf_str line;
    for (int i = 0; i < 8 && rf_str_split(&text, '\n', &line); i++) {
        const char *at = memmem(line.data, line.size, " Database: ", 11);
        if (rf_str_starts(line, RF_STR("-- Host: ")) && at != NULL) {
            at += 11;
            return rf_str_trim((struct rf_str){at, (size_t)(line.data + line.size - at)});
        }
    }
    return RF_STR_NONE;
}

static enum rf_status read_statement(struct build *build, struct rf_str *database)
{
    struct rf_sql *sql = build->sql;
    struct rf_sql_token token = rf_sql_next(sql);
    if (rf_sql_is(token, "delimiter")) {
        rf_sql_delimiter(sql);
        return RF_OK;
    }
    if (rf_sql_is(token, "use")) {
        *database = keep(build, rf_sql_next(sql));
    } else if (rf_sql_is(token, "create")) {
        (void)(take_word(sql, "or") && take_word(sql, "replace"));
        bool temporary = take_word(sql, "temporary");
        if (take_word(sql, "table") && !temporary) {
            (void)(take_word(sql, "if") && take_word(sql, "not") && take_word(sql, "exists"));
            return read_table(build, *database);
        }
    }
    rf_sql_skip(sql);
    return RF_OK;
}

enum rf_status rf_schema_parse(struct rf_schema *schema, struct rf_str text, const char *name,
                               struct rf_str database, struct rf_error *err)
{
    struct rf_sql sql = {.rest = text};
    enum rf_status status = RF_OK;
    if (database.size == 0) {
        database = database_of_dump(text);
    }
    database = rf_arena_copy(&schema->memory, database);
    while (status == RF_OK && rf_sql_peek(&sql).kind != RF_SQL_END) {
        struct build build = {.schema = schema, .sql = &sql, .name = name, .err = err};
        if (!rf_sql_ends(&sql)) {
            status = read_statement(&build, &database);
        }
    }
    return status;
}

const struct rf_definition *rf_schema_find(const struct rf_schema *schema, struct rf_str database,
                                           struct rf_str name,
                                           const struct rf_definition **nameless)
{
    *nameless = NULL;
    for (const struct rf_definition *table = schema->first; table != NULL; table = table->next) {
        if (!rf_str_equal(table->name, name)) {
            continue;
        }
        if (rf_str_equal(table->database, database)) {
            return table;
        }
        if (table->database.size == 0 && *nameless == NULL) {
            *nameless = table;
        }
    }
    return NULL;
}

void rf_schema_deinit(struct rf_schema *schema)
{
    rf_arena_deinit(&schema->memory);
    schema->first = NULL;
}
