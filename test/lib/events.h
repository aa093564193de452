/* Events for tests: tables and rows written as short text.
 *
 * A table is "id:int! name:text price:decimal": columns with their type, "!" for the primary
 * key's. A row is "1|anna|9.50": its values in the columns' order, NULL for NULL, ? for a value
 * that the log does not tell, and `point` for the geometry POINT(1 2) with SRID 4326. Everything
 * lies in the batch that it was added to, but for the tables. Aborts on text that it does not
 * understand. */
#ifndef ROWFERRY_TEST_EVENTS_H
#define ROWFERRY_TEST_EVENTS_H

#include <rowferry/batch.h>

/* The caller owns the reference. Types: int bigint uint decimal double float year bit date time
 * datetime timestamp char text bytes enum set json geometry. A column ending in ! is part of the
 * key, in the order given. */
struct rf_table *rf_test_table(const char *database, const char *name, const char *columns);

/* The values of one row, in the batch's arena. */
const struct rf_value *rf_test_row(struct rf_batch *batch, const struct rf_table *table,
                                   const char *row);

/* Opens a transaction; its commit time is 1700000000 s and its number. */
void rf_test_begin(struct rf_batch *batch, uint64_t number);
/* Opens the next piece of a transaction that began in another batch. */
void rf_test_resume(struct rf_batch *batch, uint64_t number);
/* Ends it: the batch's position is its number as text. */
void rf_test_commit(struct rf_batch *batch);

struct rf_event *rf_test_create(struct rf_batch *batch, struct rf_table *table, const char *row);
struct rf_event *rf_test_update(struct rf_batch *batch, struct rf_table *table, const char *before,
                                const char *after);
struct rf_event *rf_test_delete(struct rf_batch *batch, struct rf_table *table, const char *row);
struct rf_event *rf_test_truncate(struct rf_batch *batch, const char *database, const char *table);
struct rf_event *rf_test_ddl(struct rf_batch *batch, const char *database, const char *statement);

/* `count` events of the batch from `first` on; UINT32_MAX: all the rest. */
struct rf_view rf_test_view(const struct rf_batch *batch, uint32_t first, uint32_t count);

#endif
