/* What a DDL statement does to what, by its first words.
 *
 * Used by formats that have a word for it. It is no parser: comments are stepped over, then the
 * words in front of the name decide; what it does not know is RF_DDL_OTHER, which the formats write
 * as such. Any thread.
 *
 * Source: MariaDB Knowledge Base, "Data Definition"; MySQL, "Data Definition Statements". */
#ifndef ROWFERRY_FORMAT_DDL_WORDS_H
#define ROWFERRY_FORMAT_DDL_WORDS_H

#include <rowferry/str.h>

enum rf_ddl_verb { RF_DDL_OTHER = 0, RF_DDL_CREATE, RF_DDL_ALTER, RF_DDL_DROP, RF_DDL_RENAME };
enum rf_ddl_object { RF_DDL_NOTHING = 0, RF_DDL_TABLE, RF_DDL_DATABASE, RF_DDL_INDEX };

struct rf_ddl_words {
    enum rf_ddl_verb verb;
    enum rf_ddl_object object;
    /* of a database: its name, as it stands there without the quotes around it; else empty. Points
     * into the statement */
    struct rf_str name;
};

/* Takes any text. */
struct rf_ddl_words rf_ddl_words_read(struct rf_str statement);

#endif
