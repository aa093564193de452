#include "format/debezium_source.h"

#include "event/digits.h"
#include "format/piece.h"
#include "wire/json.h"

/* ---- Times --------------------------------------------------------------------------------- */

/* The digits of a time; milliseconds have three fewer, nanoseconds three zeros more. */
struct digits {
    char text[RF_DIGITS_MAX + RF_DIGITS_SLACK];
    size_t size;
};

static struct digits digits_of(int64_t micros)
{
    struct digits digits;
    digits.size =
        (size_t)(rf_digits_u64(digits.text, micros > 0 ? (uint64_t)micros : 0) - digits.text);
    return digits;
}

static void add_millis(struct rf_buf *out, const struct digits *digits)
{
    enum { LESS = 3 };
    if (digits->size > LESS) {
        rf_buf_add(out, digits->text, digits->size - LESS);
    } else {
        rf_buf_add_byte(out, '0');
    }
}

static void add_micros_and_nanos(struct rf_buf *out, const struct digits *digits)
{
    rf_buf_add(out, digits->text, digits->size);
    rf_buf_add_str(out, RF_STR(",\"ts_ns\":"));
    rf_buf_add(out, digits->text, digits->size);
    if (digits->text[0] != '0') {
        rf_buf_add_str(out, RF_STR("000"));
    }
}

int64_t rf_debezium_time(const struct rf_transaction *transaction, const struct rf_origin *origin)
{
    return origin == NULL || transaction->server == RF_SERVER_MYSQL ? transaction->commit_us
                                                                    : origin->time_us;
}

void rf_debezium_add_millis(struct rf_buf *out, int64_t micros)
{
    struct digits digits = digits_of(micros);
    rf_buf_add_str(out, RF_STR(",\"ts_ms\":"));
    add_millis(out, &digits);
}

void rf_debezium_add_micros(struct rf_buf *out, int64_t micros)
{
    struct digits digits = digits_of(micros);
    rf_buf_add_str(out, RF_STR(",\"ts_us\":"));
    add_micros_and_nanos(out, &digits);
}

void rf_debezium_add_times(struct rf_buf *out, int64_t micros)
{
    struct digits digits = digits_of(micros);
    rf_buf_add_str(out, RF_STR(",\"ts_ms\":"));
    add_millis(out, &digits);
    rf_buf_add_str(out, RF_STR(",\"ts_us\":"));
    add_micros_and_nanos(out, &digits);
}

/* ---- Names --------------------------------------------------------------------------------- */

void rf_debezium_add_member(struct rf_buf *out, struct rf_str name, struct rf_str text)
{
    rf_buf_add_str(out, name);
    if (text.size > 0) {
        rf_json_add_string(out, text);
    } else {
        rf_buf_add_str(out, RF_STR("null"));
    }
}

void rf_debezium_parts_make(struct rf_debezium_parts *parts, const struct rf_debezium_names *names,
                            struct rf_str database, struct rf_str table)
{
    struct rf_buf *head = &parts->head;
    rf_buf_reset(head);
    rf_buf_add_str(head,
                   RF_STR(",\"source\":{\"version\":\"" ROWFERRY_VERSION "\",\"connector\":\""));
    rf_buf_add_str(head, rf_str_of(names->connector));
    rf_buf_add_str(head, RF_STR("\",\"name\":"));
    rf_json_add_string(head, rf_str_of(names->prefix));
    rf_buf_add_str(head, RF_STR(",\"ts_ms\":"));
    rf_piece_end(head);
    rf_buf_set(&parts->database, RF_STR(",\"db\":"));
    rf_json_add_string(&parts->database, database);
    rf_buf_add_str(&parts->database, RF_STR(",\"sequence\":null,\"ts_us\":"));
    rf_piece_end(&parts->database);
    rf_buf_reset(&parts->table);
    rf_debezium_add_member(&parts->table, RF_STR(",\"table\":"), table);
    rf_buf_add_str(&parts->table, RF_STR(",\"server_id\":"));
    rf_piece_end(&parts->table);
}

void rf_debezium_parts_deinit(struct rf_debezium_parts *parts)
{
    rf_buf_deinit(&parts->head);
    rf_buf_deinit(&parts->database);
    rf_buf_deinit(&parts->table);
}

void rf_debezium_place_make(struct rf_buf *place, const struct rf_transaction *transaction)
{
    rf_buf_add_u64(place, transaction->server_id);
    rf_debezium_add_member(place, RF_STR(",\"gtid\":"), transaction->gtid);
    rf_buf_add_str(place, RF_STR(",\"file\":"));
    rf_json_add_string(place, transaction->file);
    rf_buf_add_str(place, RF_STR(",\"pos\":"));
    rf_piece_end(place);
}

/* ---- Sources ------------------------------------------------------------------------------- */

void rf_debezium_source_begin(struct rf_buf *out, const struct rf_debezium_parts *parts,
                              const struct rf_buf *place, const struct rf_transaction *transaction,
                              const struct rf_event *event)
{
    struct digits digits = digits_of(rf_debezium_time(transaction, event->origin));
    rf_piece_add(out, &parts->head);
    add_millis(out, &digits);
    rf_buf_add_str(out, event->op == RF_READ ? RF_STR(",\"snapshot\":\"true\"")
                                             : RF_STR(",\"snapshot\":\"false\""));
    rf_piece_add(out, &parts->database);
    add_micros_and_nanos(out, &digits);
    rf_piece_add(out, &parts->table);
    rf_piece_add(out, place);
    char *at = rf_buf_reserve(out, RF_DIGITS_MAX + RF_DIGITS_SLACK);
    at = rf_digits_u64(at, event->origin != NULL ? event->origin->offset : 0);
    out->size = (size_t)(at - out->data);
    rf_buf_add_str(out, RF_STR(",\"row\":"));
}

void rf_debezium_source_end(struct rf_buf *out, const struct rf_transaction *transaction,
                            const struct rf_event *event)
{
    bool statement = event->op == RF_DDL || event->op == RF_TRUNCATE;
    if (transaction->has_thread && !statement) {
        rf_buf_add_str(out, RF_STR(",\"thread\":"));
        rf_buf_add_u64(out, transaction->thread_id);
    } else {
        rf_buf_add_str(out, RF_STR(",\"thread\":null"));
    }
    rf_debezium_add_member(out, RF_STR(",\"query\":"),
                           event->origin != NULL ? event->origin->sql : RF_STR_NONE);
    rf_buf_add_byte(out, '}');
}
