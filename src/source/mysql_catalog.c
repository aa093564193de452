#include "source/mysql_catalog.h"

#include "base/clock.h"
#include "source/mysql.h"

#include <errno.h>
#include <sys/random.h>

enum {
    CLOCK_EVERY = 256, /* events */
    SILENCE_MS = 15 * 1000,
    LOCK_WAIT_S = 2,
    NO_SUCH_TABLE = 1146, /* ER_NO_SUCH_TABLE */
    NO_SUCH_DATABASE = 1049,
    LOCK_WAIT_TIMEOUT = 1205,
    DATABASE_DENIED = 1044, /* ER_DBACCESS_DENIED_ERROR, ER_TABLEACCESS_DENIED_ERROR */
    TABLE_DENIED = 1142,
};

static const char mends_names[] =
    "on the server: SET GLOBAL binlog_row_metadata=FULL; it covers only what is logged from then "
    "on, so begin behind what is logged already";
static const char mends_types[] =
    "with schema=log UUID, INET4 and INET6 are bytes, and nothing is asked for";

static const char *mends(const struct rf_mysql_catalog *catalog)
{
    return catalog->types ? mends_types : mends_names;
}

/* What the log does not say of the columns. */
static const char *missing(const struct rf_mysql_catalog *catalog)
{
    return catalog->types ? "types" : "names";
}

static void add_name(struct rf_buf *out, struct rf_str name)
{
    rf_buf_add_byte(out, '`');
    for (size_t i = 0; i < name.size; i++) {
        if (name.data[i] == '`') {
            rf_buf_add_byte(out, '`');
        }
        rf_buf_add_byte(out, name.data[i]);
    }
    rf_buf_add_byte(out, '`');
}

/* ---- The definition, and where the log ends ------------------------------------------------ */

static enum rf_status refused(struct rf_mysql_catalog *catalog, const struct rf_binlog_table *table,
                              struct rf_error *err)
{
    struct rf_buf name = {0};
    if (err->code == NO_SUCH_TABLE || err->code == NO_SUCH_DATABASE) {
        catalog->absent = true;
        *err = (struct rf_error){0};
        return RF_OK;
    }
    if (err->code == LOCK_WAIT_TIMEOUT) {
        return RF_AGAIN; /* somebody is changing it */
    }
    if (err->code == TABLE_DENIED || err->code == DATABASE_DENIED) {
        add_name(&name, table->database);
        rf_error_wrap(err,
                      "the columns of table %.*s.%.*s have no %s in the log, and the server "
                      "may not be asked for them",
                      RF_STR_ARG(table->database), RF_STR_ARG(table->name), missing(catalog));
        rf_error_hint(err, "as an administrator: GRANT SELECT ON %s.* TO %s; or %s",
                      rf_buf_cstr(&name), catalog->query.account, mends(catalog));
    }
    rf_buf_deinit(&name);
    return err->status;
}

static enum rf_status read_definition(struct rf_mysql_catalog *catalog,
                                      const struct rf_binlog_table *table, struct rf_error *err)
{
    struct rf_mysql_result result = {0};
    struct rf_buf text = {0};
    struct rf_error failed = {0};
    rf_buf_printf(&text, "SET SESSION sql_mode='', sql_quote_show_create=1, lock_wait_timeout=%d",
                  LOCK_WAIT_S);
    enum rf_status status = rf_mysql_query(&catalog->query, rf_buf_cstr(&text), 0, NULL, &failed);
    rf_buf_set(&text, RF_STR("SHOW CREATE TABLE "));
    add_name(&text, table->database);
    rf_buf_add_byte(&text, '.');
    add_name(&text, table->name);
    if (status == RF_OK) {
        status = rf_mysql_query(&catalog->query, rf_buf_cstr(&text), 0, &result, &failed);
    }
    if (status != RF_OK) {
        status = refused(catalog, table, &failed);
        if (status != RF_OK && status != RF_AGAIN && err != NULL) {
            *err = failed;
        }
    } else if (rf_mysql_result_next(&result)) {
        status = rf_schema_parse(&catalog->schema, rf_mysql_result_cell(&result, 1),
                                 "SHOW CREATE TABLE", table->database, err);
    }
    rf_mysql_result_deinit(&result);
    rf_buf_deinit(&text);
    return status;
}

/* Asks for the table. Returns RF_OK (wanted, schema or absent, and until say what); RF_AGAIN;
 * RF_RETRY; RF_CONFIG. */
static enum rf_status ask(struct rf_mysql_catalog *catalog, const struct rf_binlog_table *table,
                          struct rf_error *err)
{
    rf_schema_deinit(&catalog->schema);
    catalog->absent = false;
    enum rf_status status = rf_mysql_connect(&catalog->query, &catalog->address, err);
    if (status == RF_OK) {
        status = read_definition(catalog, table, err);
    }
    if (status == RF_OK) {
        status = rf_mysql_source_ask_end(&catalog->query, &catalog->until.file,
                                         &catalog->until.offset, NULL, err);
    }
    rf_mysql_close(&catalog->query);
    if (status == RF_OK) {
        rf_buf_set(&catalog->wanted, table->database);
        rf_buf_add_byte(&catalog->wanted, '.');
        rf_buf_add_str(&catalog->wanted, table->name);
    }
    return status;
}

/* ---- What lies between --------------------------------------------------------------------- */

static enum rf_status start_scan(struct rf_mysql_catalog *catalog, struct rf_error *err)
{
    struct rf_changes *changes = &catalog->changes;
    uint32_t server_id;
    if (getrandom(&server_id, sizeof server_id, 0) != (ssize_t)sizeof server_id) {
        return rf_fail(err, RF_RETRY, "no random number to be had: %s", strerror(errno));
    }
    enum rf_status status = rf_mysql_connect(&catalog->scan, &catalog->address, err);
    if (status == RF_OK) {
        status = rf_mysql_query(&catalog->scan,
                                "SET @master_binlog_checksum='CRC32', "
                                "@source_binlog_checksum='CRC32', @mariadb_slave_capability=4, "
                                "@master_heartbeat_period=1000000000, "
                                "@source_heartbeat_period=1000000000",
                                0, NULL, err);
    }
    if (status == RF_OK) {
        changes->format = (struct rf_binlog_format){0};
        status =
            rf_mysql_dump(&catalog->scan, rf_buf_str(&changes->to.file),
                          (uint32_t)changes->to.offset, server_id | 0x80000000, SILENCE_MS, err);
    }
    catalog->scanning = status == RF_OK;
    return status;
}

static void stop_scan(struct rf_mysql_catalog *catalog)
{
    rf_mysql_close(&catalog->scan);
    catalog->scanning = false;
}

/* Reads the log from here, or from where it was read already, to `until`. */
static enum rf_status scan(struct rf_mysql_catalog *catalog, const struct rf_log_place *here,
                           struct rf_error *err)
{
    struct rf_changes *changes = &catalog->changes;
    enum rf_status status = RF_OK;
    if (!catalog->begun || rf_log_place_compare(here, &changes->from) < 0 ||
        rf_log_place_compare(here, &changes->to) > 0) {
        stop_scan(catalog);
        rf_changes_begin(changes, rf_buf_str(&here->file), here->offset);
        catalog->begun = true;
    }
    for (unsigned n = 1; status == RF_OK && rf_log_place_compare(&changes->to, &catalog->until) < 0;
         n++) {
        struct rf_str event;
        if (n % CLOCK_EVERY == 0 && rf_clock_ms() >= catalog->deadline_ms) {
            return RF_AGAIN;
        }
        if (!catalog->scanning) {
            status = changes->to.offset <= UINT32_MAX ? start_scan(catalog, err) : RF_CONFIG;
            if (status == RF_CONFIG && changes->to.offset > UINT32_MAX) {
                rf_fail(err, RF_CONFIG, "the protocol has no room for an offset of %llu",
                        (unsigned long long)changes->to.offset);
            }
        }
        if (status == RF_OK) {
            status = rf_mysql_read_event(&catalog->scan, catalog->deadline_ms, &event, err);
        }
        if (status == RF_OK) {
            status = rf_changes_take(changes, event, 0, err);
        }
    }
    if (status != RF_AGAIN) {
        stop_scan(catalog);
    }
    return status == RF_OK || status == RF_AGAIN
               ? status
               : rf_error_wrap(err, "looking ahead in the log for changes of tables");
}

/* ---- Defining ------------------------------------------------------------------------------ */

static bool is_wanted(const struct rf_mysql_catalog *catalog, const struct rf_binlog_table *table)
{
    struct rf_str wanted = rf_buf_str(&catalog->wanted);
    return wanted.size == table->database.size + 1 + table->name.size &&
           memcmp(wanted.data, table->database.data, table->database.size) == 0 &&
           memcmp(wanted.data + table->database.size + 1, table->name.data, table->name.size) == 0;
}

static enum rf_status judge(struct rf_mysql_catalog *catalog, const struct rf_log_place *here,
                            const struct rf_binlog_table *table, struct rf_error *err)
{
    const struct rf_change *change =
        rf_changes_find(&catalog->changes, here, table->database, table->name, catalog->types);
    if (change != NULL) {
        rf_change_refuse(change, table->database, table->name, catalog->types, "on the server",
                         err);
    } else if (catalog->absent || catalog->schema.first == NULL) {
        rf_fail(err, RF_CONFIG,
                "the columns of table %.*s.%.*s have no %s in the log, and the server has no such "
                "table any more",
                RF_STR_ARG(table->database), RF_STR_ARG(table->name), missing(catalog));
    } else {
        return RF_OK;
    }
    rf_error_hint(err, "%s; or leave the table out: tables=-%.*s.%.*s", mends(catalog),
                  RF_STR_ARG(table->database), RF_STR_ARG(table->name));
    return RF_CONFIG;
}

/* rf_definer.define. A statement that changed the table before here has nothing to say any more:
 * the definition is asked for anew. It may stand in the same transaction: CREATE TABLE ... SELECT,
 * whose rows come behind it. */
static enum rf_status define(void *self, const struct rf_binlog_table *table,
                             enum rf_table_lack lack, bool changed,
                             const struct rf_definition **definition, struct rf_error *err)
{
    struct rf_mysql_catalog *catalog = self;
    struct rf_log_place here = {0};
    enum rf_status status = RF_OK;
    catalog->types = lack != RF_LACKS_NAMES;
    (void)changed;
    if (catalog->assembly->adrift) {
        rf_fail(err, RF_CONFIG,
                "the columns of table %.*s.%.*s have no %s in the log, and where in the log this "
                "is, is not known: its files are larger than 4 GiB",
                RF_STR_ARG(table->database), RF_STR_ARG(table->name), missing(catalog));
        rf_error_hint(err, "%s", mends(catalog));
        return RF_CONFIG;
    }
    rf_log_place_set(&here, rf_buf_str(&catalog->assembly->file), catalog->assembly->start);
    if (!is_wanted(catalog, table)) {
        status = ask(catalog, table, err);
    }
    /* Where it says nothing that the log does not, there is nothing to be judged. */
    bool judges = lack != RF_LACKS_ADDRESSES || catalog->schema.first == NULL ||
                  catalog->schema.first->addresses;
    if (status == RF_OK && judges && !catalog->absent) {
        status = scan(catalog, &here, err);
    }
    if (status == RF_OK) {
        here.offset = catalog->assembly->offset;
        status = judges ? judge(catalog, &here, table, err) : RF_OK;
        *definition = catalog->schema.first;
        rf_buf_reset(&catalog->wanted); /* the next one is asked for anew */
    }
    catalog->again = status == RF_AGAIN;
    rf_log_place_deinit(&here);
    return status;
}

void rf_mysql_catalog_init(struct rf_mysql_catalog *catalog, const struct rf_assembly *assembly,
                           const struct rf_mysql_address *address)
{
    catalog->definer = (struct rf_definer){.self = catalog, .define = define, .hint = mends_names};
    catalog->assembly = assembly;
    catalog->address = *address;
}

void rf_mysql_catalog_close(struct rf_mysql_catalog *catalog)
{
    rf_mysql_close(&catalog->query);
    stop_scan(catalog);
    rf_schema_deinit(&catalog->schema);
    rf_changes_deinit(&catalog->changes);
    rf_log_place_deinit(&catalog->until);
    rf_buf_deinit(&catalog->wanted);
}

void rf_mysql_catalog_interrupt(struct rf_mysql_catalog *catalog)
{
    rf_mysql_interrupt(&catalog->query);
    rf_mysql_interrupt(&catalog->scan);
}
