#include "wire/table.h"

#include "base/memory.h"
#include "event/digits.h"
#include "wire/address.h"
#include "wire/charset.h"
#include "wire/cursor.h"
#include "wire/decimal.h"
#include "wire/plan.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* Optional metadata by its type. */
enum {
    FIELD_SIGNEDNESS = 1,
    FIELD_DEFAULT_CHARSET = 2,
    FIELD_COLUMN_CHARSET = 3,
    FIELD_COLUMN_NAME = 4,
    FIELD_SET_MEMBERS = 5,
    FIELD_ENUM_MEMBERS = 6,
    FIELD_GEOMETRY_TYPE = 7,
    FIELD_PRIMARY_KEY = 8,
    FIELD_PRIMARY_KEY_PREFIX = 9,
    FIELD_ENUM_DEFAULT_CHARSET = 10,
    FIELD_ENUM_COLUMN_CHARSET = 11,
    FIELD_COUNT = 16, /* the others are not kept */
};

enum { NUMBER_TEXT_MAX = 1 + 5 }; /* "@65535" */

/* The event cut into its parts, everything in it still unread. */
struct map {
    struct rf_binlog_table head;
    uint32_t column_count;
    struct rf_str types;
    struct rf_str metadata;
    struct rf_str nullable;
    struct rf_str fields[FIELD_COUNT];
    bool has[FIELD_COUNT];
};

/* The table under construction. Everything that it points to lies in one block, cut off in
 * order. */
struct build {
    const struct map *map;
    const struct rf_definition *definition; /* NULL: none, or not needed */
    const struct rf_definition *typing;     /* the same where the log has the names */
    bool numbered;                          /* columns have numbers for names */
    enum rf_log_maker maker;
    struct rf_table *table;
    struct rf_plan *plan;
    struct rf_column *columns;
    uint32_t *key_columns;
    struct rf_str *members; /* the next free one */
    char *text;             /* the next free byte */
    struct rf_error *err;
};

static void head_read(struct rf_cursor *cursor, struct rf_binlog_table *table)
{
    table->id = rf_cursor_number(cursor, 6, "table id");
    table->flags = rf_cursor_u16(cursor, "flags");
    table->database =
        rf_cursor_str(cursor, rf_cursor_u8(cursor, "size of the database's name"), "database");
    if (rf_cursor_u8(cursor, "end of the database's name") != 0) {
        rf_cursor_fail(cursor, "end of the database's name");
    }
    table->name =
        rf_cursor_str(cursor, rf_cursor_u8(cursor, "size of the table's name"), "table name");
    if (rf_cursor_u8(cursor, "end of the table's name") != 0) {
        rf_cursor_fail(cursor, "end of the table's name");
    }
}

enum rf_status rf_binlog_table_name(struct rf_str body, struct rf_binlog_table *table,
                                    struct rf_error *err)
{
    struct rf_cursor cursor = rf_cursor_of(body);
    head_read(&cursor, table);
    return rf_cursor_check(&cursor, "TABLE_MAP event", err);
}

static enum rf_status map_read(struct rf_str body, struct map *map, struct rf_error *err)
{
    struct rf_cursor cursor = rf_cursor_of(body);
    head_read(&cursor, &map->head);
    uint64_t count = rf_cursor_packed(&cursor, "number of columns");
    map->types = rf_cursor_str(&cursor, count, "column types");
    map->metadata =
        rf_cursor_str(&cursor, rf_cursor_packed(&cursor, "size of the metadata"), "metadata");
    map->nullable = rf_cursor_str(&cursor, map->types.size / 8 + (map->types.size % 8 != 0),
                                  "bitmap of nullable columns");
    while (rf_cursor_left(&cursor) > 0) {
        uint8_t type = rf_cursor_u8(&cursor, "type of optional metadata");
        uint64_t size = rf_cursor_packed(&cursor, "size of optional metadata");
        struct rf_str field = rf_cursor_str(&cursor, size, "optional metadata");
        if (type < FIELD_COUNT) {
            map->fields[type] = field;
            map->has[type] = true;
        }
    }
    /* The protocol has no table without columns, and more than 4,096 are refused by the servers. */
    if (map->types.size == 0 || map->types.size > UINT16_MAX) {
        rf_cursor_fail(&cursor, "number of columns");
    }
    map->column_count = (uint32_t)map->types.size;
    return rf_cursor_check(&cursor, "TABLE_MAP event", err);
}

static enum rf_status fail_damaged(const struct build *build, const char *what)
{
    return rf_fail(build->err, RF_FATAL, "damaged TABLE_MAP event of table %.*s: %s",
                   RF_STR_ARG(build->table->full_name), what);
}

static enum rf_status fail_unlogged(const struct build *build, const char *what)
{
    enum rf_status status =
        rf_fail(build->err, RF_CONFIG,
                "the log does not say %s of table %.*s: binlog_row_metadata was not FULL when this "
                "was written",
                what, RF_STR_ARG(build->table->full_name));
    rf_error_hint(build->err,
                  "On the server: SET GLOBAL binlog_row_metadata=FULL; and the same in its "
                  "configuration file. It covers only what is logged from then on, so start behind "
                  "what is logged already. For log files: schema=FILE gives the definitions "
                  "(mariadb-dump --no-data), names=@1.. numbers the columns of MINIMAL metadata.");
    return status;
}

/* How much there is of what varies, so that one block can hold it all. */
struct sizes {
    size_t members;
    size_t text;
};

/* Counts the members in a field of SET or ENUM columns: per column a count, then that many strings.
 * Damage is found again, and reported, when they are read. */
static void members_count(struct rf_str field, struct sizes *sizes)
{
    struct rf_cursor cursor = rf_cursor_of(field);
    while (rf_cursor_left(&cursor) > 0) {
        uint64_t count = rf_cursor_packed(&cursor, "count");
        for (uint64_t i = 0; i < count && cursor.missing == NULL; i++) {
            rf_cursor_str(&cursor, rf_cursor_packed(&cursor, "size"), "member");
            sizes->members++;
        }
    }
    sizes->text += field.size * RF_CHARSET_GROWTH;
}

static void definition_count(const struct rf_definition *definition, struct sizes *sizes)
{
    for (uint32_t i = 0; definition != NULL && i < definition->column_count; i++) {
        const struct rf_definition_column *column = &definition->columns[i];
        sizes->text += column->name.size;
        sizes->members += column->member_count;
        for (uint32_t member = 0; member < column->member_count; member++) {
            sizes->text += column->members[member].size;
        }
    }
}

static void block_open(struct build *build, uint32_t version)
{
    const struct map *map = build->map;
    size_t count = map->column_count;
    struct sizes sizes = {0};
    members_count(map->fields[FIELD_SET_MEMBERS], &sizes);
    members_count(map->fields[FIELD_ENUM_MEMBERS], &sizes);
    sizes.text += map->fields[FIELD_COLUMN_NAME].size;
    sizes.text += 2 * (map->head.database.size + map->head.name.size) + 1;
    definition_count(build->definition, &sizes);
    sizes.text += build->numbered ? count * NUMBER_TEXT_MAX : 0;

    size_t columns_at = sizeof *build->plan + count * sizeof build->plan->steps[0];
    columns_at = (columns_at + 15) & ~(size_t)15;
    size_t members_at = columns_at + count * sizeof *build->columns;
    size_t keys_at = members_at + sizes.members * sizeof *build->members;
    size_t text_at = keys_at + count * sizeof *build->key_columns;
    char *block = rf_alloc_zero(1, text_at + sizes.text);

    build->plan = (struct rf_plan *)(void *)block;
    build->plan->magic = RF_PLAN_MAGIC;
    build->columns = (struct rf_column *)(void *)(block + columns_at);
    build->members = (struct rf_str *)(void *)(block + members_at);
    build->key_columns = (uint32_t *)(void *)(block + keys_at);
    build->text = block + text_at;

    build->table = rf_alloc_zero(1, sizeof *build->table);
    atomic_init(&build->table->references, 1);
    build->table->version = version;
    build->table->memory = block;
    build->table->column_count = map->column_count;
    build->table->columns = build->columns;
    build->table->key_columns = build->key_columns;
}

static struct rf_str text_keep(struct build *build, struct rf_str text)
{
    struct rf_str kept = {build->text, text.size};
    if (text.size > 0) {
        memcpy(build->text, text.data, text.size);
        build->text += text.size;
    }
    return kept;
}

static enum rf_status name_read(struct build *build)
{
    const struct map *map = build->map;
    struct rf_table *table = build->table;
    table->database = text_keep(build, map->head.database);
    table->name = text_keep(build, map->head.name);
    table->full_name = text_keep(build, map->head.database);
    text_keep(build, RF_STR("."));
    text_keep(build, map->head.name);
    table->full_name.size += 1 + table->name.size;
    if (!rf_charset_is_utf8(table->full_name.data, table->full_name.size)) {
        return fail_damaged(build, "its name is not UTF-8");
    }
    return RF_OK;
}

/* Shows what the log has and what the definition says. */
static enum rf_status fail_differs(const struct build *build, const char *format, ...)
    RF_PRINTF(2, 3);
static enum rf_status fail_differs(const struct build *build, const char *format, ...)
{
    char text[256];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    rf_fail(build->err, RF_CONFIG, "table %.*s was logged otherwise than %s defines it: %s",
            RF_STR_ARG(build->table->full_name), build->definition->where, text);
    rf_error_hint(build->err, "the definition is from before or behind a change of the table: give "
                              "the one that held when this was logged");
    return RF_CONFIG;
}

static enum rf_status column_names_take(struct build *build)
{
    const struct rf_definition *definition = build->definition;
    uint32_t count = build->map->column_count;
    if (definition != NULL && definition->column_count != count) {
        return fail_differs(build, "%u columns in the log, %u in the definition", count,
                            definition->column_count);
    }
    for (uint32_t i = 0; i < count; i++) {
        char number[16];
        snprintf(number, sizeof number, "@%u", i + 1);
        build->columns[i].name =
            text_keep(build, definition ? definition->columns[i].name : rf_str_of(number));
    }
    return RF_OK;
}

static enum rf_status column_names_read(struct build *build)
{
    const struct map *map = build->map;
    struct rf_cursor cursor = rf_cursor_of(map->fields[FIELD_COLUMN_NAME]);
    if (build->definition != NULL || build->numbered) {
        return column_names_take(build);
    }
    if (!map->has[FIELD_COLUMN_NAME]) {
        return fail_unlogged(build, "the column names");
    }
    for (uint32_t i = 0; i < map->column_count; i++) {
        struct rf_str name =
            rf_cursor_str(&cursor, rf_cursor_packed(&cursor, "size"), "column name");
        build->columns[i].name = text_keep(build, name);
        if (!rf_charset_is_utf8(name.data, name.size)) {
            return fail_damaged(build, "the name of a column is not UTF-8");
        }
    }
    if (cursor.missing != NULL || rf_cursor_left(&cursor) > 0) {
        return fail_damaged(build, "there is not one name per column");
    }
    return RF_OK;
}

/* What a definition says of the column; NULL: nothing. */
static const struct rf_definition_column *defined_as(const struct build *build, uint32_t number)
{
    if (build->definition != NULL) {
        return &build->definition->columns[number];
    }
    for (uint32_t i = 0; build->typing != NULL && i < build->typing->column_count; i++) {
        if (rf_str_equal(build->typing->columns[i].name, build->columns[number].name)) {
            return &build->typing->columns[i];
        }
    }
    return NULL;
}

/* Types have had two numbers: DATE, and the temporal ones that were made anew. */
static unsigned canonical(unsigned type)
{
    static const uint8_t modern[] = {[7] = 17, [11] = 19, [12] = 18, [14] = 10};
    return type < sizeof modern && modern[type] != 0 ? modern[type] : type;
}

/* How many fraction digits a temporal column of old has: its metadata, which the log lacks. */
static enum rf_status digits_read(const struct build *build, uint32_t number, unsigned type,
                                  unsigned *digits)
{
    const struct rf_definition_column *defined = defined_as(build, number);
    const struct rf_column *column = &build->columns[number];
    if (defined != NULL && defined->log_type == canonical(type)) {
        *digits = defined->metadata;
        return RF_OK;
    }
    rf_fail(build->err, RF_CONFIG,
            "column %.*s of table %.*s is a TIMESTAMP, TIME or DATETIME of before MySQL 5.6 (type "
            "%u), and the log does not say how many fraction digits it has",
            RF_STR_ARG(column->name), RF_STR_ARG(build->table->full_name), type);
    rf_error_hint(build->err, "On the server: SET GLOBAL mysql56_temporal_format=ON; and ALTER "
                              "TABLE ... FORCE; this covers only what is logged from then on. A "
                              "definition of the table tells, too: schema=auto asks the server for "
                              "it, of log files schema=FILE gives it.");
    return RF_CONFIG;
}

static enum rf_status type_read(struct build *build, uint32_t number, unsigned type,
                                unsigned metadata)
{
    struct rf_column *column = &build->columns[number];
    const char *refused = rf_plan_refused(type);
    if (refused != NULL) {
        return rf_fail(build->err, RF_FATAL,
                       "column %.*s of table %.*s has a type that cannot be carried: %s (type %u)",
                       RF_STR_ARG(column->name), RF_STR_ARG(build->table->full_name), refused,
                       type);
    }
    if (rf_plan_is_old(type)) {
        enum rf_status status = digits_read(build, number, type, &metadata);
        if (status != RF_OK) {
            return status;
        }
    }
    if (!rf_plan_column(column, &build->plan->steps[number], type, metadata)) {
        return rf_fail(build->err, RF_FATAL,
                       "damaged TABLE_MAP event of table %.*s: column %.*s of type %u has the "
                       "metadata 0x%04x",
                       RF_STR_ARG(build->table->full_name), RF_STR_ARG(column->name), type,
                       metadata);
    }
    return RF_OK;
}

/* Text and BLOB, CHAR and BINARY have the same type in the log: their character sets tell them
 * apart where those were logged. */
static enum rf_status type_compare(const struct build *build, uint32_t number, unsigned type,
                                   unsigned metadata)
{
    const struct rf_definition_column *column = &build->definition->columns[number];
    bool nullable = build->columns[number].nullable;
    if (column->character && !column->carried) {
        return rf_fail(build->err, RF_FATAL,
                       "column %.*s of table %.*s has a character set that is not known: %.*s",
                       RF_STR_ARG(column->name), RF_STR_ARG(build->table->full_name),
                       RF_STR_ARG(column->charset_name));
    }
    bool sized = !rf_plan_is_old(type); /* else its metadata is the definition's already */
    if (column->log_type != canonical(type) || (sized && column->metadata != metadata)) {
        return fail_differs(build,
                            "column %u has type %u, metadata 0x%04x in the log; %.*s %.*s of the "
                            "definition has type %u, metadata 0x%04x",
                            number + 1, type, metadata, RF_STR_ARG(column->name),
                            RF_STR_ARG(column->type), column->log_type, column->metadata);
    }
    if (column->nullable != nullable) {
        return fail_differs(build, "column %u %s in the log; %.*s of the definition %s", number + 1,
                            nullable ? "may be NULL" : "is NOT NULL", RF_STR_ARG(column->name),
                            column->nullable ? "may be NULL" : "is NOT NULL");
    }
    return RF_OK;
}

static enum rf_status types_read(struct build *build)
{
    const struct map *map = build->map;
    struct rf_cursor cursor = rf_cursor_of(map->metadata);
    for (uint32_t i = 0; i < map->column_count; i++) {
        unsigned type = (unsigned char)map->types.data[i];
        size_t size = rf_plan_metadata_size(type);
        unsigned metadata =
            size > 0 ? (unsigned)rf_cursor_number(&cursor, size, "type metadata") : 0;
        if (cursor.missing != NULL) {
            return fail_damaged(build, "its type metadata ends too early");
        }
        enum rf_status status = type_read(build, i, type, metadata);
        if (status != RF_OK) {
            return status;
        }
        build->columns[i].nullable = ((unsigned char)map->nullable.data[i / 8] >> (i % 8) & 1) != 0;
        if (build->definition != NULL) {
            status = type_compare(build, i, type, metadata);
            if (status != RF_OK) {
                return status;
            }
        }
        if (build->plan->steps[i].op == RF_PLAN_JSON) {
            build->plan->steps[i].json = build->plan->json_count++;
        }
        if (build->columns[i].type == RF_COLUMN_DECIMAL) {
            build->plan->text_bytes += build->columns[i].precision + RF_DECIMAL_TEXT_OVERHEAD;
        }
    }
    build->plan->text_bytes += build->plan->text_bytes > 0 ? RF_DIGITS_SLACK : 0;
    return rf_cursor_left(&cursor) > 0 ? fail_damaged(build, "its type metadata is too long")
                                       : RF_OK;
}

static bool is_integer(const struct rf_column *column)
{
    return column->type >= RF_COLUMN_TINYINT && column->type <= RF_COLUMN_BIGINT;
}

/* A YEAR has its bit among the signs, too. */
static bool is_numeric(const struct rf_column *column)
{
    return (column->type >= RF_COLUMN_TINYINT && column->type <= RF_COLUMN_DECIMAL) ||
           column->type == RF_COLUMN_YEAR;
}

static bool is_character(const struct rf_column *column)
{
    return column->type == RF_COLUMN_CHAR || column->type == RF_COLUMN_VARCHAR ||
           column->type == RF_COLUMN_TEXT;
}

/* A geometry, which the server makes of a blob, has its collation among those of texts. */
static bool is_character_of_mariadb(const struct rf_column *column)
{
    return is_character(column) || column->type == RF_COLUMN_GEOMETRY;
}

static bool is_enum(const struct rf_column *column)
{
    return column->type == RF_COLUMN_ENUM;
}

static bool is_set(const struct rf_column *column)
{
    return column->type == RF_COLUMN_SET;
}

static bool is_enum_or_set(const struct rf_column *column)
{
    return is_enum(column) || is_set(column);
}

static uint32_t count_of(const struct build *build, bool (*kind)(const struct rf_column *))
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < build->map->column_count; i++) {
        count += kind(&build->columns[i]);
    }
    return count;
}

static enum rf_status signedness_read(struct build *build)
{
    struct rf_str bits = build->map->fields[FIELD_SIGNEDNESS];
    uint32_t count = count_of(build, is_numeric), at = 0;
    if (count == 0) {
        return RF_OK;
    }
    bool logged = build->map->has[FIELD_SIGNEDNESS];
    if (!logged && build->definition == NULL) {
        return fail_unlogged(build, "which numbers are unsigned");
    }
    if (logged && bits.size < (count + 7) / 8) {
        return fail_damaged(build, "the signs of its columns end too early");
    }
    for (uint32_t i = 0; i < build->map->column_count; i++) {
        struct rf_column *column = &build->columns[i];
        if (!is_numeric(column)) {
            continue;
        }
        bool defined = build->definition != NULL && build->definition->columns[i].is_unsigned;
        column->is_unsigned =
            logged ? ((unsigned char)bits.data[at / 8] << (at % 8) & 0x80) != 0 : defined;
        at++;
        if (build->definition != NULL && column->is_unsigned != defined) {
            return fail_differs(build, "column %u is %s in the log; %.*s of the definition is %s",
                                i + 1, defined ? "signed" : "unsigned", RF_STR_ARG(column->name),
                                defined ? "unsigned" : "signed");
        }
        if (column->is_unsigned && is_integer(column)) {
            build->plan->steps[i].op++; /* each signed step has its unsigned one behind it */
        }
    }
    return RF_OK;
}

static void charset_apply(struct build *build, uint32_t number, enum rf_charset charset)
{
    struct rf_column *column = &build->columns[number];
    struct rf_plan_step *step = &build->plan->steps[number];
    column->charset = (uint8_t)charset;
    if (is_enum_or_set(column)) {
        return;
    }
    if (charset == RF_CHARSET_BINARY) {
        step->op = column->type == RF_COLUMN_CHAR ? RF_PLAN_BINARY : RF_PLAN_BYTES;
        column->type = column->type == RF_COLUMN_CHAR      ? RF_COLUMN_BINARY
                       : column->type == RF_COLUMN_VARCHAR ? RF_COLUMN_VARBINARY
                                                           : RF_COLUMN_BLOB;
    } else if (charset != RF_CHARSET_UTF8) {
        step->op = rf_charset_extends_ascii(charset) ? RF_PLAN_TEXT : RF_PLAN_WIDE;
        step->charset = (uint8_t)charset;
    }
}

static enum rf_charset charset_defined(const struct build *build, uint32_t number)
{
    const struct rf_definition_column *column = &build->definition->columns[number];
    return column->character ? column->charset : RF_CHARSET_BINARY;
}

static enum rf_status collation_apply(struct build *build, uint32_t number, uint64_t collation)
{
    struct rf_column *column = &build->columns[number];
    enum rf_charset charset;
    if (column->type == RF_COLUMN_GEOMETRY) {
        return RF_OK;
    }
    if (collation > UINT16_MAX || !rf_charset_of((unsigned)collation, &charset)) {
        unsigned id = collation > UINT16_MAX ? UINT16_MAX : (unsigned)collation;
        return rf_fail(build->err, RF_FATAL,
                       "column %.*s of table %.*s has a character set that is not known: %s "
                       "(collation %u)",
                       RF_STR_ARG(column->name), RF_STR_ARG(build->table->full_name),
                       rf_charset_name(id), id);
    }
    if (build->definition != NULL && charset != charset_defined(build, number)) {
        const struct rf_definition_column *defined = &build->definition->columns[number];
        return fail_differs(
            build,
            "column %u has the character set %s in the log; %.*s of the definition "
            "has %.*s",
            number + 1, rf_charset_name((unsigned)collation), RF_STR_ARG(column->name),
            RF_STR_ARG(defined->character ? defined->charset_name : RF_STR("binary")));
    }
    charset_apply(build, number, charset);
    return RF_OK;
}

static enum rf_status collations_take(struct build *build, bool (*kind)(const struct rf_column *))
{
    for (uint32_t i = 0; i < build->map->column_count; i++) {
        if (kind(&build->columns[i]) && build->columns[i].type != RF_COLUMN_GEOMETRY) {
            charset_apply(build, i, charset_defined(build, i));
        }
    }
    return RF_OK;
}

/* The collations of all columns of a kind: `all` has one for each, or `most` has a default and the
 * exceptions by their number among these columns. */
static enum rf_status collations_read(struct build *build, bool (*kind)(const struct rf_column *),
                                      unsigned most, unsigned all)
{
    const struct map *map = build->map;
    if (count_of(build, kind) == 0) {
        return RF_OK;
    }
    if (!map->has[most] && !map->has[all]) {
        return build->definition != NULL ? collations_take(build, kind)
                                         : fail_unlogged(build, "the character sets");
    }
    bool has_default = map->has[most];
    struct rf_cursor cursor = rf_cursor_of(map->fields[has_default ? most : all]);
    uint64_t usual = has_default ? rf_cursor_packed(&cursor, "default") : 0;
    uint64_t exception = 0, collation = 0;
    bool pending = false;
    uint32_t ordinal = 0;
    for (uint32_t i = 0; i < map->column_count; i++) {
        if (!kind(&build->columns[i])) {
            continue;
        }
        if (has_default && !pending && rf_cursor_left(&cursor) > 0) {
            exception = rf_cursor_packed(&cursor, "column");
            collation = rf_cursor_packed(&cursor, "collation");
            pending = true;
        }
        uint64_t applied = usual;
        if (!has_default) {
            applied = rf_cursor_packed(&cursor, "collation");
        } else if (pending && exception == ordinal) {
            applied = collation;
            pending = false;
        }
        if (cursor.missing != NULL) {
            return fail_damaged(build, "the collations of its columns end too early");
        }
        enum rf_status status = collation_apply(build, i, applied);
        if (status != RF_OK) {
            return status;
        }
        ordinal++;
    }
    return pending || rf_cursor_left(&cursor) > 0
               ? fail_damaged(build, "it has collations of columns that it does not have")
               : RF_OK;
}

/* The member as UTF-8, in the block. */
static struct rf_str member_keep(struct build *build, enum rf_charset charset, struct rf_str member)
{
    size_t marked = 0;
    if (charset == RF_CHARSET_BINARY) {
        charset = RF_CHARSET_UTF8; /* bytes that are no UTF-8 are marked, as in any other set */
    }
    char *begin = build->text;
    build->text = rf_charset_convert(charset, member, begin, &marked);
    build->plan->marked |= marked > 0;
    return (struct rf_str){begin, (size_t)(build->text - begin)};
}

/* Servers print definitions in utf8mb3, with a question mark for each character above U+FFFF. */
static bool member_is_lost(const struct rf_definition_column *column, struct rf_str member)
{
    static const char *const wide[] = {"utf8mb4", "utf16", "utf16le", "utf32", "gb18030"};
    bool may = false;
    for (size_t i = 0; i < sizeof wide / sizeof *wide; i++) {
        may |= rf_str_equal_nocase(column->charset_name, rf_str_of(wide[i]));
    }
    return may && member.size > 0 && memchr(member.data, '?', member.size) != NULL;
}

static enum rf_status fail_lost(const struct build *build, uint32_t number, struct rf_str member)
{
    rf_fail(build->err, RF_CONFIG,
            "column %.*s of table %.*s has a member '%.*s', and a definition of the server has a "
            "question mark where it cannot print a character: what it is, nobody knows",
            RF_STR_ARG(build->columns[number].name), RF_STR_ARG(build->table->full_name),
            RF_STR_ARG(member));
    rf_error_hint(build->err, "On the server: SET GLOBAL binlog_row_metadata=FULL; it covers only "
                              "what is logged from then on.");
    return RF_CONFIG;
}

static enum rf_status members_take(struct build *build, bool (*kind)(const struct rf_column *))
{
    for (uint32_t i = 0; i < build->map->column_count; i++) {
        struct rf_column *column = &build->columns[i];
        const struct rf_definition_column *defined = &build->definition->columns[i];
        if (!kind(column)) {
            continue;
        }
        column->members = build->members;
        column->member_count = defined->member_count;
        for (uint32_t member = 0; member < defined->member_count; member++) {
            struct rf_str text = defined->members[member];
            if (member_is_lost(defined, text)) {
                return fail_lost(build, i, text);
            }
            *build->members++ = text_keep(build, text);
        }
    }
    return RF_OK;
}

/* ENUM and SET whose members nobody says are what their numbers are. */
static enum rf_status members_number(struct build *build)
{
    static const struct {
        uint8_t op, type;
    } numbers[] = {
        [1] = {RF_PLAN_U8, RF_COLUMN_TINYINT},    [2] = {RF_PLAN_U16, RF_COLUMN_SMALLINT},
        [3] = {RF_PLAN_U24, RF_COLUMN_MEDIUMINT}, [4] = {RF_PLAN_U32, RF_COLUMN_INT},
        [8] = {RF_PLAN_U64, RF_COLUMN_BIGINT},
    };
    for (uint32_t i = 0; i < build->map->column_count; i++) {
        struct rf_column *column = &build->columns[i];
        struct rf_plan_step *step = &build->plan->steps[i];
        if (!is_enum_or_set(column)) {
            continue;
        }
        if (numbers[step->width].type == 0) {
            return fail_damaged(build, "a SET of 5, 6 or 7 bytes");
        }
        column->type = numbers[step->width].type;
        column->is_unsigned = true;
        step->op = numbers[step->width].op;
    }
    return RF_OK;
}

static enum rf_status members_read(struct build *build, bool (*kind)(const struct rf_column *),
                                   unsigned field, uint32_t count_max)
{
    const struct map *map = build->map;
    struct rf_cursor cursor = rf_cursor_of(map->fields[field]);
    if (count_of(build, kind) == 0) {
        return RF_OK;
    }
    if (!map->has[field] && build->definition != NULL) {
        return members_take(build, kind);
    }
    if (!map->has[field]) {
        return fail_unlogged(build, "the members of the ENUM and SET columns");
    }
    for (uint32_t i = 0; i < map->column_count; i++) {
        struct rf_column *column = &build->columns[i];
        if (!kind(column)) {
            continue;
        }
        uint64_t count = rf_cursor_packed(&cursor, "number of members");
        column->members = build->members;
        for (uint64_t member = 0; member < count && cursor.missing == NULL; member++) {
            struct rf_str text =
                rf_cursor_str(&cursor, rf_cursor_packed(&cursor, "size"), "member");
            *build->members++ = member_keep(build, column->charset, text);
        }
        if (cursor.missing != NULL || count == 0 || count > count_max) {
            return fail_damaged(build, "the members of an ENUM or SET column are cut off");
        }
        column->member_count = (uint32_t)count;
    }
    return rf_cursor_left(&cursor) > 0 ? fail_damaged(build, "it has members of no column") : RF_OK;
}

static enum rf_status key_take(struct build *build)
{
    const struct rf_definition *definition = build->definition;
    for (uint32_t i = 0; i < definition->key_count; i++) {
        uint32_t number = definition->key_columns[i];
        if (!build->columns[number].key) {
            build->columns[number].key = true;
            build->key_columns[build->table->key_count++] = number;
        }
    }
    return RF_OK;
}

static enum rf_status key_read(struct build *build)
{
    const struct map *map = build->map;
    if (build->definition != NULL) {
        return key_take(build);
    }
    bool prefixed = map->has[FIELD_PRIMARY_KEY_PREFIX];
    struct rf_cursor cursor =
        rf_cursor_of(map->fields[prefixed ? FIELD_PRIMARY_KEY_PREFIX : FIELD_PRIMARY_KEY]);
    while (rf_cursor_left(&cursor) > 0) {
        uint64_t number = rf_cursor_packed(&cursor, "column");
        if (prefixed) {
            rf_cursor_packed(&cursor, "prefix"); /* rows are told apart by less than the whole */
        }
        if (cursor.missing != NULL || number >= map->column_count || build->columns[number].key) {
            return fail_damaged(build, "its primary key names a column that it does not have");
        }
        build->columns[number].key = true;
        build->key_columns[build->table->key_count++] = (uint32_t)number;
    }
    return RF_OK;
}

/* Makes MariaDB's types of the BINARY columns that a definition says are of these. */
static enum rf_status addresses_take(struct build *build)
{
    static const uint8_t ops[] = {
        [RF_COLUMN_UUID] = RF_PLAN_UUID,
        [RF_COLUMN_INET4] = RF_PLAN_INET4,
        [RF_COLUMN_INET6] = RF_PLAN_INET6,
    };
    for (uint32_t i = 0; i < build->map->column_count; i++) {
        struct rf_column *column = &build->columns[i];
        const struct rf_definition_column *defined =
            column->type == RF_COLUMN_BINARY ? defined_as(build, i) : NULL;
        uint32_t size =
            defined != NULL && defined->address == RF_COLUMN_INET4 ? RF_INET4_SIZE : RF_INET6_SIZE;
        if (defined == NULL || defined->address == 0 || column->length != size) {
            continue;
        }
        column->type = defined->address;
        column->charset = RF_CHARSET_ASCII;
        build->plan->steps[i].op = ops[defined->address];
    }
    return RF_OK;
}

/* Once it is known what is in them. */
static void compressed_take(struct build *build)
{
    for (uint32_t i = 0; i < build->map->column_count; i++) {
        struct rf_plan_step *step = &build->plan->steps[i];
        if (rf_plan_is_compressed((unsigned char)build->map->types.data[i])) {
            step->inner = step->op;
            step->op = RF_PLAN_COMPRESSED;
        }
    }
}

/* Of each geometry column in their order. A server may leave them out. */
static enum rf_status geometries_read(struct build *build)
{
    bool logged = build->map->has[FIELD_GEOMETRY_TYPE];
    for (uint32_t i = 0; !logged && build->definition && i < build->map->column_count; i++) {
        if (build->columns[i].type == RF_COLUMN_GEOMETRY) {
            build->columns[i].precision = build->definition->columns[i].geometry;
        }
    }
    struct rf_cursor cursor = rf_cursor_of(build->map->fields[FIELD_GEOMETRY_TYPE]);
    for (uint32_t i = 0; i < build->map->column_count && rf_cursor_left(&cursor) > 0; i++) {
        if (build->columns[i].type == RF_COLUMN_GEOMETRY) {
            uint64_t type = rf_cursor_packed(&cursor, "type");
            bool known = type <= RF_GEOMETRY_COLLECTION;
            build->columns[i].precision = known ? (uint8_t)type : RF_GEOMETRY_ANY;
        }
    }
    return cursor.missing != NULL || rf_cursor_left(&cursor) > 0
               ? fail_damaged(build, "the types of its geometries do not fit its columns")
               : RF_OK;
}

static enum rf_status build_all(struct build *build)
{
    enum rf_status status = name_read(build);
    if (status == RF_OK) {
        status = column_names_read(build);
    }
    if (status == RF_OK) {
        status = types_read(build);
    }
    if (status == RF_OK) {
        status = signedness_read(build);
    }
    if (status == RF_OK) {
        status = collations_read(
            build, build->maker == RF_LOG_OF_MYSQL ? is_character : is_character_of_mariadb,
            FIELD_DEFAULT_CHARSET, FIELD_COLUMN_CHARSET);
    }
    if (status == RF_OK) {
        status = geometries_read(build);
    }
    if (status == RF_OK && build->numbered) {
        status = members_number(build);
    }
    if (status == RF_OK) {
        status = collations_read(build, is_enum_or_set, FIELD_ENUM_DEFAULT_CHARSET,
                                 FIELD_ENUM_COLUMN_CHARSET);
    }
    if (status == RF_OK) {
        status = members_read(build, is_set, FIELD_SET_MEMBERS, 64);
    }
    if (status == RF_OK) {
        status = members_read(build, is_enum, FIELD_ENUM_MEMBERS, UINT16_MAX);
    }
    if (status == RF_OK) {
        status = addresses_take(build);
    }
    compressed_take(build);
    return status == RF_OK ? key_read(build) : status;
}

static enum rf_status parse(struct build *build, struct rf_str body, uint32_t version,
                            bool completes, struct rf_table **table)
{
    struct map map = {0};
    *table = NULL;
    enum rf_status status = map_read(body, &map, build->err);
    if (status != RF_OK) {
        return status;
    }
    if (map.has[FIELD_COLUMN_NAME] || !completes) {
        build->typing = build->definition;
        build->definition = NULL;
    } else {
        build->numbered = build->definition == NULL;
    }
    build->map = &map;
    block_open(build, version);
    status = build_all(build);
    if (status == RF_OK) {
        *table = build->table;
    } else {
        rf_table_release(build->table);
    }
    return status;
}

enum rf_table_lack rf_binlog_table_lacks(struct rf_str body, enum rf_log_maker maker)
{
    struct map map = {0};
    struct rf_table *table;
    enum rf_table_lack lack = RF_LACKS_NOTHING;
    if (map_read(body, &map, NULL) != RF_OK || !map.has[FIELD_COLUMN_NAME]) {
        return RF_LACKS_NAMES;
    }
    for (size_t i = 0; i < map.types.size; i++) {
        if (rf_plan_is_old((unsigned char)map.types.data[i])) {
            return RF_LACKS_FRACTIONS;
        }
    }
    if (rf_binlog_table_parse(body, maker, 1, &table, NULL) != RF_OK) {
        return RF_LACKS_NOTHING;
    }
    for (uint32_t i = 0; i < table->column_count; i++) {
        const struct rf_column *column = &table->columns[i];
        if (column->type == RF_COLUMN_BINARY &&
            (column->length == RF_UUID_SIZE || column->length == RF_INET4_SIZE)) {
            lack = RF_LACKS_ADDRESSES;
        }
    }
    rf_table_release(table);
    return lack;
}

enum rf_status rf_binlog_table_parse(struct rf_str body, enum rf_log_maker maker, uint32_t version,
                                     struct rf_table **table, struct rf_error *err)
{
    struct build build = {.maker = maker, .err = err};
    return parse(&build, body, version, false, table);
}

enum rf_status rf_binlog_table_complete(struct rf_str body, enum rf_log_maker maker,
                                        const struct rf_definition *definition, uint32_t version,
                                        struct rf_table **table, struct rf_error *err)
{
    struct build build = {.definition = definition, .maker = maker, .err = err};
    return parse(&build, body, version, true, table);
}
