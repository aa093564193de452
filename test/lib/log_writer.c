#include "lib/log_writer.h"

#include <stdio.h>
#include <stdlib.h>

enum { MAGIC = 4, HEADER = 19, CHECKSUM = 4, TYPES = 171, TIME = 1700000000 };

static uint32_t crc(const char *data, size_t size)
{
    uint32_t value = 0xffffffff;
    for (size_t i = 0; i < size; i++) {
        value ^= (unsigned char)data[i];
        for (int bit = 0; bit < 8; bit++) {
            value = value >> 1 ^ (0xedb88320 & (0 - (value & 1)));
        }
    }
    return ~value;
}

static void add(struct rf_buf *buf, uint64_t number, int bytes)
{
    for (int i = 0; i < bytes; i++) {
        rf_buf_add_byte(buf, (char)(number >> (8 * i)));
    }
}

static void put(char *at, uint64_t number, int bytes)
{
    for (int i = 0; i < bytes; i++) {
        at[i] = (char)(number >> (8 * i));
    }
}

static uint32_t get(const char *at)
{
    const unsigned char *bytes = (const unsigned char *)at;
    return bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

void rf_test_log_event(struct rf_test_log *log, uint8_t type, uint16_t flags, const void *body,
                       size_t size)
{
    struct rf_buf *out = &log->log;
    size_t whole = HEADER + size + CHECKSUM;
    log->last = out->size;
    add(out, log->time ? log->time : TIME, 4);
    add(out, type, 1);
    add(out, log->server_id ? log->server_id : 1, 4);
    add(out, whole, 4);
    add(out, flags & 0x20 ? 0 : log->last + whole, 4);
    add(out, flags, 2);
    rf_buf_add(out, body, size);
    add(out, 0, CHECKSUM);
    rf_test_log_seal(log, log->last);
}

void rf_test_log_seal(struct rf_test_log *log, size_t offset)
{
    char *event = log->log.data + offset;
    size_t size = get(event + 9);
    put(event + size - CHECKSUM, crc(event, size - CHECKSUM), 4);
}

void rf_test_log_begin(struct rf_test_log *log, const char *gtids)
{
    struct rf_buf body = {0};
    uint8_t fixed[TYPES + 1] = {0};
    fixed[2] = 13;
    fixed[4] = 8;
    fixed[19] = fixed[23] = fixed[24] = fixed[25] = 8;
    fixed[26] = 2;
    fixed[162] = 19;
    fixed[163] = 4;
    rf_buf_add(&log->log,
               "\xfe"
               "bin",
               MAGIC);
    add(&body, 4, 2);
    rf_buf_add(&body, "10.11.0-MariaDB-test", 20);
    for (int i = 20; i < 50; i++) {
        rf_buf_add_byte(&body, 0);
    }
    add(&body, 0, 4);
    add(&body, HEADER, 1);
    rf_buf_add(&body, fixed + 1, TYPES);
    add(&body, 1, 1);
    rf_test_log_event(log, 15, 0, body.data, body.size);
    rf_buf_deinit(&body);
    rf_test_log_gtid_list(log, gtids);
}

void rf_test_log_gtid_list(struct rf_test_log *log, const char *gtids)
{
    struct rf_buf body = {0};
    struct rf_str rest = rf_str_of(gtids), field;
    uint32_t count = 0;
    add(&body, 0, 4);
    while (rest.size > 0 && rf_str_split(&rest, ',', &field)) {
        uint64_t parts[3] = {0};
        struct rf_str part;
        for (int i = 0; i < 3; i++) {
            rf_assert(rf_str_split(&field, '-', &part) && rf_str_to_u64(part, &parts[i]));
        }
        add(&body, parts[0], 4);
        add(&body, parts[1], 4);
        add(&body, parts[2], 8);
        count++;
    }
    put(body.data, count, 4);
    rf_test_log_event(log, 163, 0, body.data, body.size);
    rf_buf_deinit(&body);
}

void rf_test_log_gtid(struct rf_test_log *log, uint32_t domain, uint64_t sequence, uint8_t flags)
{
    struct rf_buf body = {0};
    add(&body, sequence, 8);
    add(&body, domain, 4);
    add(&body, flags, 1);
    if (flags & 0xc0) {
        add(&body, 1, 4); /* format id, one byte of global id, none of branch */
        add(&body, 1, 1);
        add(&body, 0, 1);
        add(&body, 'a', 1);
    }
    while (body.size < 19) {
        rf_buf_add_byte(&body, 0);
    }
    rf_test_log_event(log, 162, 0, body.data, body.size);
    rf_buf_deinit(&body);
}

void rf_test_log_table(struct rf_test_log *log, uint64_t id, const char *database, const char *name,
                       unsigned columns, bool metadata)
{
    struct rf_buf body = {0};
    add(&body, id, 6);
    add(&body, 1, 2);
    add(&body, strlen(database), 1);
    rf_buf_add(&body, database, strlen(database) + 1);
    add(&body, strlen(name), 1);
    rf_buf_add(&body, name, strlen(name) + 1);
    add(&body, columns, 1);
    for (unsigned i = 0; i < columns; i++) {
        add(&body, 3, 1); /* INT */
    }
    add(&body, 0, 1);
    add(&body, 0, 1);
    add(&body, 1, 1); /* signedness: all signed */
    add(&body, 1, 1);
    add(&body, 0, 1);
    if (metadata) {
        add(&body, 4, 1); /* names */
        add(&body, columns * 2, 1);
        for (unsigned i = 0; i < columns; i++) {
            add(&body, 1, 1);
            add(&body, 'a' + i, 1);
        }
        add(&body, 8, 1); /* primary key */
        add(&body, 1, 1);
        add(&body, 0, 1);
    }
    rf_test_log_event(log, 19, 0, body.data, body.size);
    rf_buf_deinit(&body);
}

static void add_rows(struct rf_test_log *log, uint8_t type, uint64_t id, unsigned columns,
                     int32_t first, unsigned rows, bool ends)
{
    struct rf_buf body = {0};
    add(&body, id, 6);
    add(&body, ends ? 1 : 0, 2);
    add(&body, columns, 1);
    add(&body, (1u << columns) - 1, 1);
    for (unsigned row = 0; row < rows; row++) {
        add(&body, 0, 1);
        for (unsigned i = 0; i < columns; i++) {
            add(&body, (uint32_t)first + row * 10 + i, 4);
        }
    }
    rf_test_log_event(log, type, 0, body.data, body.size);
    rf_buf_deinit(&body);
}

void rf_test_log_insert(struct rf_test_log *log, uint64_t id, unsigned columns, int32_t first,
                        unsigned rows, bool ends_statement)
{
    add_rows(log, 23, id, columns, first, rows, ends_statement);
}

void rf_test_log_delete(struct rf_test_log *log, uint64_t id, unsigned columns, int32_t first,
                        bool ends_statement)
{
    add_rows(log, 25, id, columns, first, 1, ends_statement);
}

void rf_test_log_xid(struct rf_test_log *log)
{
    const char xid[8] = {(char)(log->xid ? log->xid : 7)};
    rf_test_log_event(log, 16, 0, xid, sizeof xid);
}

void rf_test_log_query(struct rf_test_log *log, const char *database, const char *statement)
{
    struct rf_buf body = {0};
    add(&body, 9, 4);
    add(&body, 0, 4);
    add(&body, strlen(database), 1);
    add(&body, 0, 2);
    add(&body, 7, 2);
    add(&body, 4, 1); /* character sets: utf8mb4_general_ci three times */
    add(&body, 45, 2);
    add(&body, 45, 2);
    add(&body, 45, 2);
    rf_buf_add(&body, database, strlen(database) + 1);
    rf_buf_add(&body, statement, strlen(statement));
    rf_test_log_event(log, 2, 0, body.data, body.size);
    rf_buf_deinit(&body);
}

void rf_test_log_rotate(struct rf_test_log *log, const char *file)
{
    struct rf_buf body = {0};
    add(&body, MAGIC, 8);
    rf_buf_add(&body, file, strlen(file));
    rf_test_log_event(log, 4, 0, body.data, body.size);
    rf_buf_deinit(&body);
}

void rf_test_log_row(struct rf_test_log *log, uint64_t sequence, const char *database,
                     const char *name, int32_t first)
{
    rf_test_log_gtid(log, 0, sequence, 0);
    rf_test_log_table(log, 20, database, name, 2, true);
    rf_test_log_insert(log, 20, 2, first, 1, true);
    rf_test_log_xid(log);
}

struct rf_str rf_test_log_last(const struct rf_test_log *log)
{
    return (struct rf_str){log->log.data + log->last, log->log.size - log->last};
}

bool rf_test_log_next(const struct rf_test_log *log, size_t *offset, struct rf_str *event)
{
    if (*offset < MAGIC) {
        *offset = MAGIC;
    }
    if (*offset >= log->log.size) {
        return false;
    }
    *event = (struct rf_str){log->log.data + *offset, get(log->log.data + *offset + 9)};
    *offset += event->size;
    return true;
}

void rf_test_log_deinit(struct rf_test_log *log)
{
    rf_buf_deinit(&log->log);
    *log = (struct rf_test_log){0};
}
