#include "source/mysql.h"

#include <rowferry/log.h>

enum {
    HEARTBEAT_MS_MAX = 1000, /* asked of the server, so that soon is known when nothing comes */
    CASCADES_SHOWN = 3,
    ASIDE_MS = 1000, /* for each step of what is asked aside: nothing is read meanwhile */
    WRITE_TIMEOUT_S =
        6 * 3600, /* how long the server waits while we look ahead, or sinks are slow */
};

struct rf_mysql_address rf_mysql_source_address(const struct rf_mysql_source *state)
{
    return (struct rf_mysql_address){
        .host = state->host,
        .socket = state->socket,
        .port = (uint16_t)state->port,
        .user = state->user,
        .password = state->password,
        .tls = (enum rf_mysql_tls)state->tls,
        .tls_skip_verify = !state->tls_verify,
        .tls_ca = state->tls_ca,
        .tls_cert = state->tls_cert,
        .tls_key = state->tls_key,
        .timeout_ms = state->connect_timeout_ms,
    };
}

static enum rf_status connect_to(struct rf_mysql_source *state, const struct rf_context *ctx,
                                 struct rf_error *err)
{
    struct rf_mysql_address address = rf_mysql_source_address(state);
    if (ctx->connect_timeout_ms > 0 && ctx->connect_timeout_ms < address.timeout_ms) {
        address.timeout_ms = ctx->connect_timeout_ms;
    }
    enum rf_status status = rf_mysql_connect(&state->mysql, &address, err);
    if (status == RF_OK && !rf_mysql_is_mariadb(&state->mysql)) {
        rf_fail(err, RF_CONFIG, "%s is not a MariaDB server (version %s)", state->mysql.where,
                rf_mysql_version(&state->mysql));
        rf_error_hint(err, "MySQL's log has another form, which is not read yet");
        status = RF_CONFIG;
    }
    return status;
}

/* What the server must be set to, and how. */
struct setting {
    const char *name;
    const char *needed;
    const char *why;
    const char *hint;
};
static const struct setting settings[] = {
    {"log_bin", "ON", "without a binary log there is nothing to read",
     "start the server with --log-bin, or log_bin in the section [mariadb] of its configuration"},
    {"binlog_format", "ROW", "only rows that are logged as rows can be carried",
     "SET GLOBAL binlog_format='ROW'; sessions that are open keep theirs until they connect again. "
     "To leave out what is logged as statements: skip=statements in the source's options"},
    {"binlog_row_image", "FULL", "the log then lacks columns",
     "SET GLOBAL binlog_row_image='FULL'; sessions that are open keep theirs until they connect "
     "again"},
    {"binlog_row_metadata", "FULL", "the log then lacks the columns' names and types",
     "SET GLOBAL binlog_row_metadata='FULL'; it holds for what is logged from then on"},
    {"log_bin_compress", "OFF", "compressed events are not carried yet",
     "SET GLOBAL log_bin_compress=OFF; it holds for what is logged from then on"},
};
enum { SETTING_COUNT = sizeof settings / sizeof *settings };

static enum rf_status check_settings(struct rf_mysql_source *state, struct rf_error *err)
{
    struct rf_mysql_result result = {0};
    bool seen[SETTING_COUNT] = {false};
    enum rf_status status = rf_mysql_query(
        &state->mysql,
        "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('log_bin', 'binlog_format', "
        "'binlog_row_image', 'binlog_row_metadata', 'log_bin_compress', 'server_id', "
        "'lower_case_table_names')",
        0, &result, err);
    while (status == RF_OK && rf_mysql_result_next(&result)) {
        struct rf_str name = rf_mysql_result_cell(&result, 0);
        struct rf_str value = rf_mysql_result_cell(&result, 1);
        uint64_t number;
        if (rf_str_equal(name, RF_STR("server_id")) && rf_str_to_u64(value, &number)) {
            state->assembly.server_id = (uint32_t)number;
        }
        if (rf_str_equal(name, RF_STR("lower_case_table_names")) &&
            !rf_str_equal(value, RF_STR("0"))) {
            rf_pick_fold(&state->pick);
        }
        for (size_t i = 0; i < SETTING_COUNT && status == RF_OK; i++) {
            if (!rf_str_equal(name, rf_str_of(settings[i].name))) {
                continue;
            }
            seen[i] = true;
            if (state->schema == RF_MYSQL_SCHEMA_AUTO &&
                rf_str_equal(name, RF_STR("binlog_row_metadata"))) {
                continue; /* what the log lacks is asked for */
            }
            bool good = rf_str_equal_nocase(value, rf_str_of(settings[i].needed));
            if (!good && state->skips.statements && rf_str_equal(name, RF_STR("binlog_format"))) {
                rf_log(RF_LOG_WARN,
                       "%s: binlog_format is %.*s: row changes that are logged as "
                       "statements are left out, as skip=statements says",
                       state->mysql.where, RF_STR_ARG(value));
            } else if (!good) {
                status = rf_fail(err, RF_CONFIG, "%s: %s is %.*s, and must be %s: %s",
                                 state->mysql.where, settings[i].name, RF_STR_ARG(value),
                                 settings[i].needed, settings[i].why);
                rf_error_hint(err, "on the server: %s", settings[i].hint);
            }
        }
    }
    for (size_t i = 0; i < SETTING_COUNT && status == RF_OK; i++) {
        if (!seen[i] && !rf_str_equal(rf_str_of(settings[i].needed), RF_STR("OFF"))) {
            status = rf_fail(err, RF_CONFIG,
                             "%s: the server (%s) has no %s; MariaDB 10.5 or later is needed",
                             state->mysql.where, rf_mysql_version(&state->mysql), settings[i].name);
        }
    }
    rf_mysql_result_deinit(&result);
    return status;
}

static enum rf_status prepare_session(struct rf_mysql_source *state, struct rf_error *err)
{
    struct rf_buf *text = &state->text;
    int64_t period_ms =
        state->heartbeat_ms < HEARTBEAT_MS_MAX ? state->heartbeat_ms : HEARTBEAT_MS_MAX;
    rf_buf_reset(text);
    rf_buf_printf(text,
                  "SET net_write_timeout=%d, @master_binlog_checksum='CRC32', "
                  "@mariadb_slave_capability=4, @master_heartbeat_period=%lld",
                  WRITE_TIMEOUT_S, (long long)period_ms * 1000000);
    return rf_mysql_query(&state->mysql, rf_buf_cstr(text), 0, NULL, err);
}

static enum rf_status add_patterns(struct rf_mysql_source *state, struct rf_error *err)
{
    enum rf_status status = RF_OK;
    struct rf_str path = rf_str_of(state->path ? state->path : ""), pattern;
    while (status == RF_OK && path.size > 0 && rf_str_split(&path, ',', &pattern)) {
        status = rf_pick_add(&state->pick, pattern, err);
    }
    for (uint32_t i = 0; i < state->tables.count && status == RF_OK; i++) {
        status = rf_pick_add(&state->pick, rf_str_of(state->tables.items[i]), err);
    }
    return status;
}

/* Rows that a foreign key changes are not in a MariaDB log. One line says so, when the server tells
 * which tables have such keys; that takes some right to them. */
static void warn_of_cascades(struct rf_mysql_source *state)
{
    static const char question[] =
        "SET STATEMENT max_statement_time=1 FOR "
        "SELECT CONSTRAINT_SCHEMA, TABLE_NAME FROM information_schema.REFERENTIAL_CONSTRAINTS "
        "WHERE DELETE_RULE IN ('CASCADE', 'SET NULL', 'SET DEFAULT') "
        "OR UPDATE_RULE IN ('CASCADE', 'SET NULL', 'SET DEFAULT') "
        "GROUP BY CONSTRAINT_SCHEMA, TABLE_NAME ORDER BY CONSTRAINT_SCHEMA, TABLE_NAME";
    struct rf_mysql_result result = {0};
    struct rf_buf names = {0};
    uint32_t count = 0;
    bool answered = rf_mysql_query(&state->aside, question, 0, &result, NULL) == RF_OK;
    while (answered && rf_mysql_result_next(&result)) {
        size_t before = names.size;
        rf_buf_add_str(&names, before > 0 ? RF_STR(", ") : RF_STR_NONE);
        size_t begin = names.size;
        rf_buf_add_str(&names, rf_mysql_result_cell(&result, 0));
        rf_buf_add_byte(&names, '.');
        rf_buf_add_str(&names, rf_mysql_result_cell(&result, 1));
        struct rf_str name = {names.data + begin, names.size - begin};
        bool picked = rf_pick_table(&state->pick, name);
        count += picked;
        if (!picked || count > CASCADES_SHOWN) {
            names.size = before;
        }
    }
    if (count > 0) {
        rf_log(RF_LOG_WARN, "rows that the server changes by foreign keys are not in its log: %s%s",
               rf_buf_cstr(&names), count > CASCADES_SHOWN ? ", ..." : "");
    }
    rf_mysql_result_deinit(&result);
    rf_buf_deinit(&names);
}

void rf_mysql_source_warn(struct rf_mysql_source *state)
{
    struct rf_mysql_address address = rf_mysql_source_address(state);
    if (state->asked) {
        return;
    }
    state->asked = true;
    address.timeout_ms = address.timeout_ms < ASIDE_MS ? address.timeout_ms : ASIDE_MS;
    if (rf_mysql_connect(&state->aside, &address, NULL) == RF_OK) {
        warn_of_cascades(state);
    }
    rf_mysql_close(&state->aside);
}

enum rf_status rf_mysql_source_check(struct rf_mysql_source *state, const struct rf_context *ctx,
                                     struct rf_error *err)
{
    enum rf_status status = rf_skips_read(&state->skips, &state->skip, err);
    if (status == RF_OK) {
        status = add_patterns(state, err);
    }
    if (status == RF_OK) {
        status = connect_to(state, ctx, err);
    }
    if (status == RF_OK) {
        status = check_settings(state, err);
    }
    if (status == RF_OK) {
        status = prepare_session(state, err);
    }
    return status;
}
