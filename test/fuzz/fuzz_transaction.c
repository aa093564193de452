/* Any events in any order: no crash, no leak, and what is handed over keeps the contract. The input
 * is a list of events, each a type, flags, two bytes of size and a body; headers are made here and
 * checksums switched off, so that all of the input reaches the code behind them. Read twice: in
 * memory, and with all but the smallest transactions in a file, which must give the same. */
#include "lib/source.h"
#include "source/transaction.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HEADER = 19, TYPES = 171, MYSQL_TYPES = 42, FIRST_OF_MYSQL = 33 };

struct input {
    const uint8_t *at, *end;
    bool described;
    struct rf_buf event;
};

static void put(char *at, uint64_t number, int bytes)
{
    for (int i = 0; i < bytes; i++) {
        at[i] = (char)(number >> (8 * i));
    }
}

static void make(struct input *input, uint8_t type, uint8_t flags, const void *body, size_t size)
{
    rf_buf_reset(&input->event);
    char *header = rf_buf_reserve(&input->event, HEADER);
    memset(header, 0, HEADER);
    put(header, 1700000000, 4);
    put(header + 4, type, 1);
    put(header + 5, 1, 4);
    put(header + 9, HEADER + size, 4);
    put(header + 17, flags, 2);
    input->event.size = HEADER;
    rf_buf_add(&input->event, body, size);
}

/* Without a checksum of the events, but with its own, as every server writes it. A log of MySQL
 * when its first event is one of that server. */
static void describe(struct input *input)
{
    char body[57 + TYPES + 5] = {4};
    char *fixed = body + 56;
    uint32_t crc = 0xffffffff;
    bool mysql =
        input->at < input->end && input->at[0] >= FIRST_OF_MYSQL && input->at[0] <= MYSQL_TYPES;
    body[56] = HEADER;
    fixed[2] = 13;
    fixed[4] = 8;
    fixed[19] = fixed[23] = fixed[24] = fixed[25] = 8;
    fixed[26] = 2;
    fixed[30] = fixed[31] = fixed[32] = 10;
    if (mysql) {
        fixed[33] = fixed[34] = 42;
    } else {
        fixed[162] = 19;
        fixed[163] = 4;
    }
    body[56] = HEADER;
    make(input, 15, 0, body, sizeof body - (mysql ? TYPES - MYSQL_TYPES : 0));
    for (size_t i = 0; i < input->event.size - 4; i++) {
        crc ^= (unsigned char)input->event.data[i];
        for (int bit = 0; bit < 8; bit++) {
            crc = crc >> 1 ^ (0xedb88320 & (0 - (crc & 1)));
        }
    }
    put(input->event.data + input->event.size - 4, ~crc, 4);
}

static enum rf_status find(void *reader, int64_t deadline_ms, struct rf_str *event, uint64_t *end,
                           struct rf_error *err)
{
    struct input *input = reader;
    (void)deadline_ms;
    (void)err;
    *end = 0;
    if (!input->described) {
        input->described = true;
        describe(input);
    } else if (input->end - input->at < 4) {
        *event = RF_STR_NONE;
        return RF_OK;
    } else {
        size_t size = input->at[2] | (size_t)input->at[3] << 8;
        size_t left = (size_t)(input->end - input->at) - 4;
        size = size < left ? size : left;
        make(input, input->at[0], input->at[1], input->at + 4, size);
        input->at += 4 + size;
    }
    *event = rf_buf_str(&input->event);
    return RF_OK;
}

static void check(const struct rf_batch *batch)
{
    uint32_t first = 0;
    for (uint32_t i = 0; i < batch->transaction_count; i++) {
        const struct rf_transaction *transaction = &batch->transactions[i];
        rf_assert(transaction->first == first);
        rf_assert(transaction->begins || i == 0);
        rf_assert(transaction->ends || i + 1 == batch->transaction_count);
        first += transaction->count;
    }
    rf_assert(first == batch->count);
    for (uint32_t i = 0; i < batch->count; i++) {
        const struct rf_event *event = &batch->events[i];
        const struct rf_value *image = rf_event_image(event);
        rf_assert(event->ordinal > 0);
        rf_assert((event->table == NULL) == (event->op == RF_DDL || event->op == RF_TRUNCATE));
        rf_assert(event->origin->raw.size >= HEADER);
        for (uint32_t k = 0; image != NULL && k < event->table->column_count; k++) {
            struct rf_buf text = {0};
            rf_value_print(&text, image[k]); /* touches every byte of it */
            rf_buf_deinit(&text);
        }
    }
}

/* Reads all of it; what was handed over goes to text. */
static enum rf_status read_all(const uint8_t *data, size_t size, size_t memory_max,
                               struct rf_buf *text)
{
    struct rf_skipped named = {.txid = {.kind = RF_TXID_MARIADB, .mariadb = {0, 1, 1}}};
    struct rf_skips skips = {true, true, true, &named, 1};
    struct rf_pick pick = {0};
    struct rf_assembly assembly = {.pick = &pick, .records.memory_max = memory_max};
    struct rf_batch batch = {.bytes_max = size % 2 ? 1 : 1024 * 1024};
    struct input input = {.at = data, .end = data + size};
    struct rf_error err = {0};
    enum rf_status status;
    assembly.skips = size % 4 < 2 ? NULL : &skips;
    rf_assert(rf_pick_add(&pick, RF_STR("-no.*"), NULL) == RF_OK);
    do {
        rf_batch_reset(&batch, 0);
        status = rf_assembly_fill(&assembly, &batch, INT64_MAX, find, &input, &err);
        rf_assert(status == RF_OK || (batch.count == 0 && err.message[0] != '\0'));
        check(&batch);
        rf_test_batch_print(text, &batch);
    } while (status == RF_OK && !batch.end);
    rf_assembly_deinit(&assembly);
    rf_batch_deinit(&batch);
    rf_pick_deinit(&pick);
    rf_buf_deinit(&input.event);
    return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rf_buf memory = {0}, file = {0};
    enum rf_status status = read_all(data, size, 0, &memory);
    enum rf_status same = read_all(data, size, 100, &file);
    rf_assert(status == same);
    /* After an error more of the last transaction may have left, as it came in smaller pieces. */
    rf_assert(status != RF_OK || rf_str_equal(rf_buf_str(&memory), rf_buf_str(&file)));
    rf_assert(rf_str_starts(rf_buf_str(&file), rf_buf_str(&memory)));
    rf_buf_deinit(&memory);
    rf_buf_deinit(&file);
    return 0;
}
