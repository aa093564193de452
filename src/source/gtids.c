#include "source/gtids.h"

void rf_txid_print(struct rf_buf *out, const struct rf_txid *txid, struct rf_str file)
{
    switch (txid->kind) {
    case RF_TXID_MARIADB: rf_gtid_print(out, txid->mariadb); break;
    case RF_TXID_MYSQL: rf_mysql_gtid_print(out, &txid->mysql); break;
    case RF_TXID_PLACE:
        rf_buf_add_str(out, file);
        rf_buf_add_byte(out, ':');
        rf_buf_add_u64(out, txid->offset);
        break;
    }
}

bool rf_txid_parse(struct rf_str text, struct rf_txid *txid)
{
    struct rf_txid read = {.kind = RF_TXID_MARIADB};
    if (!rf_gtid_parse(text, &read.mariadb)) {
        read.kind = RF_TXID_MYSQL;
        if (!rf_mysql_gtid_parse(text, &read.mysql)) {
            return false;
        }
    }
    *txid = read;
    return true;
}

bool rf_txid_equal(const struct rf_txid *a, const struct rf_txid *b)
{
    if (a->kind != b->kind) {
        return false;
    }
    switch (a->kind) {
    case RF_TXID_MARIADB:
        return a->mariadb.sequence == b->mariadb.sequence &&
               a->mariadb.domain == b->mariadb.domain &&
               a->mariadb.server_id == b->mariadb.server_id;
    case RF_TXID_MYSQL: return rf_mysql_gtid_equal(&a->mysql, &b->mysql);
    case RF_TXID_PLACE: break;
    }
    return a->offset == b->offset;
}

bool rf_gtids_empty(const struct rf_gtids *gtids)
{
    return gtids->list.count == 0 && gtids->set.count == 0;
}

enum rf_status rf_gtids_parse(struct rf_gtids *gtids, bool mysql, struct rf_str text,
                              struct rf_error *err)
{
    enum rf_status status = mysql ? rf_gtid_set_parse(&gtids->set, text, err)
                                  : rf_gtid_list_parse(&gtids->list, text, err);
    if (status == RF_OK) {
        gtids->mysql = mysql;
        if (mysql) {
            rf_gtid_list_reset(&gtids->list);
        } else {
            rf_gtid_set_reset(&gtids->set);
        }
    }
    return status;
}

void rf_gtids_print(struct rf_buf *out, const struct rf_gtids *gtids)
{
    if (gtids->mysql) {
        rf_gtid_set_print(out, &gtids->set);
    } else {
        rf_gtid_list_print(out, &gtids->list);
    }
}

bool rf_gtids_has(const struct rf_gtids *gtids, const struct rf_txid *txid)
{
    switch (txid->kind) {
    case RF_TXID_MARIADB: return rf_gtid_list_has(&gtids->list, txid->mariadb);
    case RF_TXID_MYSQL: return rf_gtid_set_has(&gtids->set, &txid->mysql);
    case RF_TXID_PLACE: break;
    }
    return false;
}

bool rf_gtids_contain(const struct rf_gtids *gtids, const struct rf_gtids *other)
{
    return rf_gtid_list_contains(&gtids->list, &other->list) &&
           rf_gtid_set_contains(&gtids->set, &other->set);
}

void rf_gtids_add(struct rf_gtids *gtids, const struct rf_txid *txid)
{
    if (__builtin_expect(txid->kind == RF_TXID_MARIADB, 1)) {
        rf_gtid_list_update(&gtids->list, txid->mariadb);
    } else if (txid->kind == RF_TXID_MYSQL) {
        rf_gtid_set_add(&gtids->set, &txid->mysql);
    }
}

void rf_gtids_copy(struct rf_gtids *to, const struct rf_gtids *from)
{
    to->mysql = from->mysql;
    rf_gtid_list_copy(&to->list, &from->list);
    rf_gtid_set_copy(&to->set, &from->set);
}

void rf_gtids_deinit(struct rf_gtids *gtids)
{
    rf_gtid_list_deinit(&gtids->list);
    rf_gtid_set_deinit(&gtids->set);
    gtids->mysql = false;
}
