/* From a transaction that is over to batches. */
#include "source/transaction.h"

#include "base/clock.h"

/* The batch's next transaction, or the next part of it, with what the log says of it. */
static void begin(struct rf_assembly *assembly, struct rf_batch *batch)
{
    const struct rf_str file =
        rf_buf_str(assembly->resolves ? &assembly->resolved.file : &assembly->file);
    uint32_t before = batch->transaction_count;
    rf_buf_reset(&assembly->text);
    rf_txid_print(&assembly->text, &assembly->txid, rf_buf_str(&assembly->file));
    struct rf_transaction *transaction =
        rf_batch_begin(batch, rf_buf_str(&assembly->text), assembly->commit_us, !assembly->begun);
    transaction->server = assembly->mysql ? RF_SERVER_MYSQL : RF_SERVER_MARIADB;
    transaction->server_id = assembly->committer;
    if (assembly->txid.kind != RF_TXID_PLACE) {
        transaction->gtid = transaction->id;
    }
    transaction->has_xid = assembly->has_xid;
    transaction->xid = assembly->xid;
    transaction->has_thread = assembly->has_thread;
    transaction->thread_id = assembly->thread_id;
    /* Of an XA transaction the rows' own file. Most are in the file of the one before. */
    if (before > 0 && rf_str_equal(file, batch->transactions[before - 1].file)) {
        transaction->file = batch->transactions[before - 1].file;
    } else {
        transaction->file = rf_arena_copy(&batch->arena, file);
    }
}

static void finish(struct rf_assembly *assembly, struct rf_batch *batch)
{
    rf_assembly_advance(assembly);
    batch->skipped += assembly->skipped;
    batch->waived += assembly->waived + assembly->waived_before;
    assembly->waived_before = 0;
    assembly->moved = true;
    assembly->ready = false;
    assembly->begun = false;
    rf_assembly_forget(assembly);
}

enum rf_status rf_assembly_drain(struct rf_assembly *assembly, struct rf_batch *batch,
                                 struct rf_error *err)
{
    uint32_t events_before = batch->count, transactions_before = batch->transaction_count;
    bool opened = false;
    rf_assert(assembly->ready);
    if (assembly->prepares) {
        enum rf_status status = rf_assembly_xa_hold(assembly, err);
        if (status != RF_OK) {
            return rf_assembly_wrap(assembly, err);
        }
        finish(assembly, batch);
        return RF_OK;
    }
    if (!assembly->begun && batch->count > 0 &&
        batch->arena.bytes + assembly->records.bytes > batch->bytes_max) {
        return RF_AGAIN;
    }
    while (rf_records_left(&assembly->records)) {
        if (batch->count > 0 && rf_batch_full(batch)) {
            assembly->begun |= opened;
            return RF_AGAIN;
        }
        if (!opened) {
            begin(assembly, batch);
            opened = true;
        }
        enum rf_status status =
            rf_records_hand_over(&assembly->records, batch, &assembly->offset, err);
        if (status != RF_OK) {
            batch->count = events_before;
            batch->transaction_count = transactions_before;
            rf_assembly_stop(assembly, err);
            return rf_assembly_wrap(assembly, err);
        }
    }
    if (opened) {
        rf_batch_commit(batch);
    }
    finish(assembly, batch);
    return RF_OK;
}

/* Writes the position into the batch when it has moved. */
static void mark(struct rf_assembly *assembly, struct rf_batch *batch)
{
    if (assembly->moved) {
        rf_buf_reset(&assembly->text);
        rf_position_print(&assembly->text, &assembly->position);
        rf_batch_set_position(batch, rf_buf_str(&assembly->text), assembly->position_us);
        assembly->moved = false;
    }
}

enum rf_status rf_assembly_fill(struct rf_assembly *assembly, struct rf_batch *batch,
                                int64_t deadline_ms, rf_event_finder *find, void *reader,
                                struct rf_error *err)
{
    enum { CLOCK_EVERY = 256, POSITION_EVERY_MS = 1000 };
    enum rf_status status = assembly->failed.status;
    if (status != RF_OK) {
        if (err != NULL) {
            *err = assembly->failed;
        }
        return status;
    }
    int64_t limit_ms = rf_clock_ms() + POSITION_EVERY_MS;
    limit_ms = limit_ms < deadline_ms ? limit_ms : deadline_ms;
    for (unsigned n = 1; status == RF_OK; n++) {
        bool something = batch->count > 0 || assembly->moved;
        if (assembly->ready) {
            status = rf_assembly_drain(assembly, batch, &assembly->failed);
            continue;
        }
        if ((batch->count > 0 && rf_batch_full(batch)) ||
            (n % CLOCK_EVERY == 0 && rf_clock_ms() >= (something ? limit_ms : deadline_ms))) {
            break;
        }
        struct rf_str event = RF_STR_NONE;
        uint64_t end = 0;
        status = find(reader, something ? 0 : deadline_ms, &event, &end, &assembly->failed);
        if (status == RF_OK && event.data == NULL) {
            rf_assembly_turn(assembly, RF_STR_NONE);
            batch->end = true;
            break;
        }
        if (status == RF_OK) {
            status = rf_assembly_take(assembly, event, end, &assembly->failed);
        }
    }
    bool something = batch->count > 0 || assembly->moved || batch->end;
    mark(assembly, batch);
    if (status != RF_OK && status != RF_AGAIN && !something && err != NULL) {
        *err = assembly->failed;
    }
    return something ? RF_OK : status == RF_OK ? RF_AGAIN : status;
}
