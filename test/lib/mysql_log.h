/* Writes what is MySQL's own in a binary log, beside log_writer.h, whose rules hold here. All GTIDs
 * have one UUID, RF_TEST_UUID. */
#ifndef ROWFERRY_TEST_MYSQL_LOG_H
#define ROWFERRY_TEST_MYSQL_LOG_H

#include "lib/log_writer.h"

#define RF_TEST_UUID "11111111-2222-3333-4444-555555555555"

/* Magic number, format description of a MySQL server, and what lies before: the transactions 1 to
 * `last`, none for 0. */
void rf_test_log_begin_mysql(struct rf_test_log *log, uint64_t last);
void rf_test_log_previous(struct rf_test_log *log, uint64_t last);
/* A transaction begins; number 0: one without a GTID. Committed at that time, microseconds. */
void rf_test_log_mysql_gtid(struct rf_test_log *log, uint64_t number, uint64_t commit_us);
/* The same with a tag; number below 64. */
void rf_test_log_tagged_gtid(struct rf_test_log *log, const char *tag, uint8_t number);
/* GTID, BEGIN, a row in a table, XID: five events. */
void rf_test_log_mysql_row(struct rf_test_log *log, uint64_t number, const char *database,
                           const char *name, int32_t first);
/* Packs the events from this offset on into one payload, without compressing them. */
void rf_test_log_pack(struct rf_test_log *log, size_t offset);
void rf_test_log_xa_prepare(struct rf_test_log *log, bool one_phase);

#endif
