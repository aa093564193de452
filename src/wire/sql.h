/* SQL text cut into its smallest parts.
 *
 * Used by schema.c, for what mariadb-dump and SHOW CREATE TABLE print. Comments are stepped over;
 * what stands in a version comment counts, but for those of version 999999, which no server reads.
 * Takes any bytes; nothing is copied until it is asked for.
 *
 *   name     `a``b`: quotes doubled inside; "a" too, where a name may stand
 *   string   'it''s \'x\'': quotes doubled, or a backslash in front of a byte
 *   word     letters, digits, _ $ and bytes above 0x7f
 *   mark     one byte of anything else
 *
 * Source: MariaDB Knowledge Base, "Identifier Names", "String Literals", "Comment Syntax". */
#ifndef ROWFERRY_WIRE_SQL_H
#define ROWFERRY_WIRE_SQL_H

#include <rowferry/arena.h>

enum rf_sql_kind {
    RF_SQL_END = 0, /* nothing is left, or a quote or comment is not closed */
    RF_SQL_WORD,
    RF_SQL_NAME,   /* in backticks */
    RF_SQL_STRING, /* in ' or " */
    RF_SQL_MARK,
};

struct rf_sql_token {
    enum rf_sql_kind kind;
    struct rf_str text; /* with its quotes */
    uint32_t line;      /* from 1 */
};

/* A place in a text. */
struct rf_sql {
    struct rf_str rest;
    uint32_t line;       /* 0: not begun */
    struct rf_str ended; /* the word that ends a statement (DELIMITER); empty: ";" */
};

/* Takes the next token. */
struct rf_sql_token rf_sql_next(struct rf_sql *sql);
/* The next token, not taken. */
struct rf_sql_token rf_sql_peek(const struct rf_sql *sql);
/* True for this word, letters of either case. */
bool rf_sql_is(struct rf_sql_token token, const char *word);
/* True for this mark. */
bool rf_sql_is_mark(struct rf_sql_token token, char mark);
/* Takes what is left of the statement, its end included. False when the text ends before. */
bool rf_sql_skip(struct rf_sql *sql);
/* True when the statement ends here; its end is taken. */
bool rf_sql_ends(struct rf_sql *sql);
/* Takes a line `DELIMITER word`, of which DELIMITER was taken. */
void rf_sql_delimiter(struct rf_sql *sql);

/* What stands between the quotes, with doubled quotes and backslashes undone; copied to the arena
 * only where that changes something. A word is itself. */
struct rf_str rf_sql_text(struct rf_sql_token token, struct rf_arena *arena);

#endif
