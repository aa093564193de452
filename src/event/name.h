/* Names of databases and tables in lower case, as a server makes them that compares them so.
 *
 * Used by the filters of tables and by the assembly of transactions. A server whose
 * lower_case_table_names is not 0 logs tables' names in lower case, but statements as they were
 * typed. */
#ifndef ROWFERRY_EVENT_NAME_H
#define ROWFERRY_EVENT_NAME_H

#include <rowferry/str.h>

/* Writes the UTF-8 name in lower case to out, which has room for name.size bytes and gets that
 * many; name.data may be out itself. Returns true; false when it has letters whose lower case is
 * not known here, or bytes that are not UTF-8: these stay as they are. Known are the Latin letters
 * of ASCII and Latin-1, Greek ones without accents, Cyrillic ones, and scripts without case
 * (Chinese, Japanese, Korean). Thread: any.
 * Source: MariaDB, utf8mb3_general_ci, the collation of its file names; MariaDB Knowledge Base,
 * "Identifier Case-sensitivity". */
bool rf_name_fold(char *out, struct rf_str name);

#endif
