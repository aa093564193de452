#include "sink/statement.h"

#include <rowferry/log.h>

static bool is_word_byte(char byte)
{
    unsigned char lower = (unsigned char)byte | 32;
    return (lower >= 'a' && lower <= 'z') || (byte >= '0' && byte <= '9') || byte == '_' ||
           byte == '$' || (unsigned char)byte >= 0x80;
}

/* The statement behind `size` bytes, or its end. */
static struct rf_str behind(struct rf_str sql, size_t size)
{
    size = size < sql.size ? size : sql.size;
    return (struct rf_str){sql.data + size, sql.size - size};
}

/* Bytes of the quoted text or comment that the statement begins with; 0: of none. What a comment
 * with "!" holds is carried out, and so are its words. */
static size_t unread_size(struct rf_str sql)
{
    char first = sql.data[0];
    struct rf_str end = RF_STR("*/");
    size_t begin = 2;
    if (first == '\'' || first == '"' || first == '`') {
        end = (struct rf_str){sql.data, 1};
        begin = 1;
    } else if (first == '#' || rf_str_starts(sql, RF_STR("-- "))) {
        end = RF_STR("\n");
        begin = 1;
    } else if (!rf_str_starts(sql, RF_STR("/*")) || rf_str_starts(sql, RF_STR("/*!")) ||
               rf_str_starts(sql, RF_STR("/*M!"))) {
        return 0;
    }
    for (size_t i = begin; i < sql.size; i++) {
        if (rf_str_starts(behind(sql, i), end)) {
            return i + end.size;
        }
    }
    return sql.size;
}

/* Takes the next word off the statement; empty: there is none. */
static struct rf_str next_word(struct rf_str *sql)
{
    size_t size = 0;
    while (sql->size > 0 && !is_word_byte(sql->data[0])) {
        size_t unread = unread_size(*sql);
        bool marked = rf_str_starts(*sql, RF_STR("/*M!"));
        *sql = behind(*sql, unread > 0 ? unread : marked ? sizeof "/*M!" - 1 : 1);
    }
    while (size < sql->size && is_word_byte(sql->data[size])) {
        size++;
    }
    struct rf_str word = {sql->data, size};
    *sql = behind(*sql, size);
    return word;
}

static bool word_is(struct rf_str word, const char *a, const char *b, const char *c)
{
    return rf_str_equal_nocase(word, rf_str_of(a)) || rf_str_equal_nocase(word, rf_str_of(b)) ||
           rf_str_equal_nocase(word, rf_str_of(c));
}

/* True for DDL that takes rows away, or to another table, and is not logged row by row. */
static bool loses_rows(struct rf_str sql)
{
    struct rf_str last = RF_STR_NONE, word = next_word(&sql);
    while (word.size > 0) {
        struct rf_str rest = sql, next = next_word(&rest);
        if (word_is(word, "TABLE", "TABLES", "DATABASE") || word_is(word, "SCHEMA", "", "")) {
            if (word_is(last, "DROP", "RENAME", "REPLACE") || word_is(last, "CONVERT", "", "")) {
                return true;
            }
        } else if (word_is(word, "PARTITION", "", "")) {
            if (word_is(last, "DROP", "TRUNCATE", "EXCHANGE") || word_is(last, "CONVERT", "", "")) {
                return true;
            }
        } else if (word_is(word, "RENAME", "", "") && last.size > 0 &&
                   !word_is(next, "COLUMN", "INDEX", "KEY")) {
            return true; /* ALTER TABLE ... RENAME; its new name may be quoted */
        }
        last = word;
        word = next_word(&sql);
    }
    return false;
}

/* Its documents moved without a change of their own, maybe to where others were. */
static void warn_of_rename(const struct rf_event *event, const char *kept, const char *where)
{
    rf_log(RF_LOG_WARN,
           "%.*s.%.*s was renamed to %.*s: of both names %s has the %s of what was there before. "
           "Its documents come under the new name as they are written again; what was replaced "
           "stays. To have them all, remove these %s and copy %.*s anew; see docs/delivery.md",
           RF_STR_ARG(event->database), RF_STR_ARG(event->object), RF_STR_ARG(event->change->to),
           where, kept, kept, RF_STR_ARG(event->change->to));
}

/* The same of a collection, of which the store tells by a word. */
static void warn_of_collection(const struct rf_event *event, const char *kept, const char *where)
{
    struct rf_str type = event->change->type;
    bool database = rf_str_equal(type, RF_STR("dropDatabase"));
    if (rf_str_equal(type, RF_STR("rename"))) {
        warn_of_rename(event, kept, where);
        return;
    }
    if (!database && !rf_str_equal(type, RF_STR("drop"))) {
        return;
    }
    rf_log(RF_LOG_WARN,
           "%.*s of %.*s%s%.*s: documents that it removed or moved stay in %s as they are until "
           "their %s are written again; see docs/delivery.md",
           RF_STR_ARG(type), RF_STR_ARG(event->database), database ? "" : ".",
           database ? 0 : (int)event->object.size, event->object.data ? event->object.data : "",
           where, kept);
}

void rf_statement_warn(const struct rf_event *event, const char *kept, const char *where)
{
    enum { SHOWN = 120 };
    char shown[SHOWN + 1];
    size_t size = event->statement.size < SHOWN ? event->statement.size : SHOWN;
    if (event->change != NULL) {
        warn_of_collection(event, kept, where);
        return;
    }
    if (!loses_rows(event->statement)) {
        return;
    }
    for (size_t i = 0; i < size; i++) {
        char byte = event->statement.data[i];
        shown[i] = (unsigned char)byte < ' ' || byte == 0x7f ? ' ' : byte;
    }
    shown[size] = '\0';
    rf_log(RF_LOG_WARN,
           "'%s'%s: rows that it removed or moved stay in %s as they are until their %s are "
           "written again; see docs/delivery.md",
           shown, event->statement.size > SHOWN ? " ..." : "", where, kept);
}
