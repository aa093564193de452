#include "wire/plan.h"

/* Column types of the log, and the bytes of type metadata that each has:
 *
 *   1 TINY, 2 SHORT, 3 LONG, 8 LONGLONG, 9 INT24, 10 DATE, 13 YEAR, 14 NEWDATE      0
 *   4 FLOAT, 5 DOUBLE       1  bytes of a value: 4, 8
 *   15 VARCHAR              2  bytes at most
 *   16 BIT                  2  bits % 8, bits / 8
 *   17 TIMESTAMP2, 18 DATETIME2, 19 TIME2   1  fraction digits
 *   246 NEWDECIMAL          2  precision, scale
 *   252 BLOB (all four)     1  bytes of the length in front of a value
 *   254 STRING              2  real type and size; see string_type
 *   242 VECTOR, 245 JSON, 255 GEOMETRY   1  as BLOB
 *   7 TIMESTAMP, 11 TIME, 12 DATETIME (before MySQL 5.6)   0
 *   140 compressed BLOB     1  as BLOB
 *   141 compressed VARCHAR  2  bytes at most, the one that is in front of each value included
 *
 * and, known but not carried:
 *
 *   0 DECIMAL, 6 NULL  0;  253 VAR_STRING  2
 *
 * Source: MySQL, rows_event.h, Table_map_event; MariaDB, "TABLE_MAP_EVENT". */
enum {
    TYPE_TINY = 1,
    TYPE_SHORT = 2,
    TYPE_LONG = 3,
    TYPE_FLOAT = 4,
    TYPE_DOUBLE = 5,
    TYPE_TIMESTAMP = 7,
    TYPE_LONGLONG = 8,
    TYPE_INT24 = 9,
    TYPE_DATE = 10,
    TYPE_TIME = 11,
    TYPE_DATETIME = 12,
    TYPE_YEAR = 13,
    TYPE_NEWDATE = 14,
    TYPE_VARCHAR = 15,
    TYPE_BIT = 16,
    TYPE_TIMESTAMP2 = 17,
    TYPE_DATETIME2 = 18,
    TYPE_TIME2 = 19,
    TYPE_COMPRESSED_BLOB = 140,
    TYPE_COMPRESSED_VARCHAR = 141,
    TYPE_VECTOR = 242,
    TYPE_JSON = 245,
    TYPE_NEWDECIMAL = 246,
    TYPE_ENUM = 247,
    TYPE_SET = 248,
    TYPE_BLOB = 252,
    TYPE_VAR_STRING = 253,
    TYPE_STRING = 254,
    TYPE_GEOMETRY = 255,
};

const char *rf_plan_refused(unsigned type)
{
    switch (type) {
    case TYPE_TINY:
    case TYPE_SHORT:
    case TYPE_LONG:
    case TYPE_FLOAT:
    case TYPE_DOUBLE:
    case TYPE_LONGLONG:
    case TYPE_INT24:
    case TYPE_DATE:
    case TYPE_YEAR:
    case TYPE_NEWDATE:
    case TYPE_VARCHAR:
    case TYPE_BIT:
    case TYPE_TIMESTAMP2:
    case TYPE_DATETIME2:
    case TYPE_TIME2:
    case TYPE_TIMESTAMP:
    case TYPE_TIME:
    case TYPE_DATETIME:
    case TYPE_VECTOR:
    case TYPE_JSON:
    case TYPE_NEWDECIMAL:
    case TYPE_BLOB:
    case TYPE_STRING:
    case TYPE_COMPRESSED_BLOB:
    case TYPE_COMPRESSED_VARCHAR:
    case TYPE_GEOMETRY: return NULL;
    case 0: return "DECIMAL of before MySQL 5.0";
    case 6: return "NULL";
    case 20: return "typed array";
    case TYPE_VAR_STRING: return "VARCHAR of before MySQL 5.0";
    default: return "unknown";
    }
}

bool rf_plan_is_compressed(unsigned type)
{
    return type == TYPE_COMPRESSED_BLOB || type == TYPE_COMPRESSED_VARCHAR;
}

bool rf_plan_is_old(unsigned type)
{
    return type == TYPE_TIMESTAMP || type == TYPE_TIME || type == TYPE_DATETIME;
}

size_t rf_plan_metadata_size(unsigned type)
{
    switch (type) {
    case TYPE_FLOAT:
    case TYPE_DOUBLE:
    case TYPE_TIMESTAMP2:
    case TYPE_DATETIME2:
    case TYPE_TIME2:
    case TYPE_COMPRESSED_BLOB:
    case TYPE_VECTOR:
    case TYPE_JSON:
    case TYPE_BLOB:
    case TYPE_GEOMETRY: return 1;
    case TYPE_VARCHAR:
    case TYPE_BIT:
    case TYPE_COMPRESSED_VARCHAR:
    case TYPE_NEWDECIMAL:
    case TYPE_VAR_STRING:
    case TYPE_STRING: return 2;
    default: return 0;
    }
}

/* STRING holds CHAR, BINARY, ENUM and SET. The first byte of its metadata is the real type, the
 * second its size, but sizes above 255 lend two bits of the type: they are inverted there, and no
 * real type has them clear.
 * Source: MySQL, rows_event.h, Table_map_event, "MYSQL_TYPE_STRING". */
static unsigned string_type(unsigned metadata, uint32_t *length)
{
    unsigned first = metadata & 0xff, second = metadata >> 8;
    if ((first & 0x30) != 0x30) {
        *length = ((first & 0x30) ^ 0x30) << 4 | second;
        return first | 0x30;
    }
    *length = second;
    return first;
}

static bool set_integer(struct rf_column *column, struct rf_plan_step *step, unsigned type,
                        unsigned op, unsigned size)
{
    column->type = (uint8_t)type;
    step->op = (uint8_t)op; /* the signed one: table.c makes it unsigned */
    step->width = (uint8_t)size;
    return true;
}

static bool set_string(struct rf_column *column, struct rf_plan_step *step, unsigned metadata)
{
    uint32_t length;
    unsigned real = string_type(metadata, &length);
    switch (real) {
    case TYPE_STRING:
        column->type = RF_COLUMN_CHAR;
        column->length = length;
        step->op = RF_PLAN_TEXT;
        step->length = length;
        step->width = length > 255 ? 2 : 1;
        return true;
    case TYPE_ENUM:
        column->type = RF_COLUMN_ENUM;
        step->op = RF_PLAN_ENUM;
        step->width = (uint8_t)length;
        return length == 1 || length == 2;
    case TYPE_SET:
        column->type = RF_COLUMN_SET;
        step->op = RF_PLAN_SET;
        step->width = (uint8_t)length;
        return length >= 1 && length <= 8;
    default: return false;
    }
}

static bool set_decimal(struct rf_column *column, struct rf_plan_step *step, unsigned metadata)
{
    column->type = RF_COLUMN_DECIMAL;
    column->precision = (uint8_t)metadata;
    column->scale = (uint8_t)(metadata >> 8);
    if (column->precision == 0 || column->precision > RF_DECIMAL_PRECISION_MAX ||
        column->scale > RF_DECIMAL_SCALE_MAX || column->scale > column->precision) {
        return false;
    }
    step->op = RF_PLAN_DECIMAL;
    step->decimal = rf_decimal_shape(column->precision, column->scale);
    step->width = (uint8_t)rf_decimal_size(step->decimal);
    return true;
}

static bool set_bit(struct rf_column *column, struct rf_plan_step *step, unsigned metadata)
{
    unsigned bits = (metadata & 0xff) + (metadata >> 8) * 8;
    column->type = RF_COLUMN_BIT;
    column->precision = (uint8_t)bits;
    step->op = RF_PLAN_BIT;
    step->scale = (uint8_t)bits;
    step->width = (uint8_t)((bits + 7) / 8);
    return (metadata & 0xff) < 8 && bits >= 1 && bits <= 64;
}

static bool set_temporal(struct rf_column *column, struct rf_plan_step *step, unsigned type,
                         unsigned op, unsigned whole_bytes, unsigned scale)
{
    column->type = (uint8_t)type;
    column->scale = (uint8_t)scale;
    step->op = (uint8_t)op;
    step->scale = (uint8_t)scale;
    step->width = (uint8_t)(whole_bytes + (scale + 1) / 2);
    return scale <= 6;
}

/* Without a fraction they are numbers of decimal digits, with one they are packed: see rows.c. */
static bool set_old(struct rf_column *column, struct rf_plan_step *step, unsigned type, unsigned op,
                    unsigned scale)
{
    static const uint8_t widths[][7] = {
        [RF_PLAN_OLD_TIME - RF_PLAN_OLD_TIME] = {3, 4, 4, 5, 5, 5, 6},
        [RF_PLAN_OLD_DATETIME - RF_PLAN_OLD_TIME] = {8, 6, 6, 7, 7, 7, 8},
        [RF_PLAN_OLD_TIMESTAMP - RF_PLAN_OLD_TIME] = {4, 5, 5, 6, 6, 7, 7},
    };
    column->type = (uint8_t)type;
    column->scale = (uint8_t)scale;
    step->op = (uint8_t)op;
    step->scale = (uint8_t)scale;
    if (scale > 6) {
        return false;
    }
    step->width = widths[op - RF_PLAN_OLD_TIME][scale];
    return true;
}

static bool set_blob(struct rf_column *column, struct rf_plan_step *step, unsigned type,
                     unsigned op, unsigned metadata)
{
    column->type = (uint8_t)type;
    column->length = metadata;
    step->op = (uint8_t)op;
    step->width = (uint8_t)metadata;
    return metadata >= 1 && metadata <= 4;
}

static bool set_floating(struct rf_column *column, struct rf_plan_step *step, unsigned type,
                         unsigned op, unsigned size, unsigned metadata)
{
    column->type = (uint8_t)type;
    column->precision = (uint8_t)size;
    step->op = (uint8_t)op;
    step->width = (uint8_t)size;
    return metadata == size;
}

bool rf_plan_column(struct rf_column *column, struct rf_plan_step *step, unsigned type,
                    unsigned metadata)
{
    bool valid = true;
    step->charset = RF_CHARSET_UTF8;
    switch (type) {
    case TYPE_TINY: valid = set_integer(column, step, RF_COLUMN_TINYINT, RF_PLAN_I8, 1); break;
    case TYPE_SHORT: valid = set_integer(column, step, RF_COLUMN_SMALLINT, RF_PLAN_I16, 2); break;
    case TYPE_INT24: valid = set_integer(column, step, RF_COLUMN_MEDIUMINT, RF_PLAN_I24, 3); break;
    case TYPE_LONG: valid = set_integer(column, step, RF_COLUMN_INT, RF_PLAN_I32, 4); break;
    case TYPE_LONGLONG: valid = set_integer(column, step, RF_COLUMN_BIGINT, RF_PLAN_I64, 8); break;
    case TYPE_FLOAT:
        valid = set_floating(column, step, RF_COLUMN_FLOAT, RF_PLAN_FLOAT, 4, metadata);
        break;
    case TYPE_DOUBLE:
        valid = set_floating(column, step, RF_COLUMN_DOUBLE, RF_PLAN_DOUBLE, 8, metadata);
        break;
    case TYPE_NEWDECIMAL: valid = set_decimal(column, step, metadata); break;
    case TYPE_BIT: valid = set_bit(column, step, metadata); break;
    case TYPE_YEAR: valid = set_temporal(column, step, RF_COLUMN_YEAR, RF_PLAN_YEAR, 1, 0); break;
    case TYPE_DATE:
    case TYPE_NEWDATE:
        valid = set_temporal(column, step, RF_COLUMN_DATE, RF_PLAN_DATE, 3, 0);
        break;
    case TYPE_TIME2:
        valid = set_temporal(column, step, RF_COLUMN_TIME, RF_PLAN_TIME, 3, metadata);
        break;
    case TYPE_DATETIME2:
        valid = set_temporal(column, step, RF_COLUMN_DATETIME, RF_PLAN_DATETIME, 5, metadata);
        break;
    case TYPE_TIMESTAMP2:
        valid = set_temporal(column, step, RF_COLUMN_TIMESTAMP, RF_PLAN_TIMESTAMP, 4, metadata);
        break;
    case TYPE_TIME:
        valid = set_old(column, step, RF_COLUMN_TIME, RF_PLAN_OLD_TIME, metadata);
        break;
    case TYPE_DATETIME:
        valid = set_old(column, step, RF_COLUMN_DATETIME, RF_PLAN_OLD_DATETIME, metadata);
        break;
    case TYPE_TIMESTAMP:
        valid = set_old(column, step, RF_COLUMN_TIMESTAMP, RF_PLAN_OLD_TIMESTAMP, metadata);
        break;
    case TYPE_VARCHAR:
        column->type = RF_COLUMN_VARCHAR;
        column->length = metadata;
        step->op = RF_PLAN_TEXT;
        step->width = metadata > 255 ? 2 : 1;
        break;
    case TYPE_COMPRESSED_VARCHAR:
        column->type = RF_COLUMN_VARCHAR;
        column->length = metadata - 1;
        step->op = RF_PLAN_TEXT;
        step->width = metadata > 255 ? 2 : 1;
        valid = metadata > 0;
        break;
    case TYPE_COMPRESSED_BLOB:
    case TYPE_BLOB: valid = set_blob(column, step, RF_COLUMN_TEXT, RF_PLAN_TEXT, metadata); break;
    case TYPE_GEOMETRY:
        valid = set_blob(column, step, RF_COLUMN_GEOMETRY, RF_PLAN_GEOMETRY, metadata);
        break;
    case TYPE_JSON: valid = set_blob(column, step, RF_COLUMN_JSON, RF_PLAN_JSON, metadata); break;
    case TYPE_VECTOR:
        valid = set_blob(column, step, RF_COLUMN_VECTOR, RF_PLAN_VECTOR, metadata);
        break;
    case TYPE_STRING: valid = set_string(column, step, metadata); break;
    default: return false;
    }
    return valid;
}
