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

enum rf_status rf_mysql_source_connect(struct rf_mysql_source *state, const struct rf_context *ctx,
                                       struct rf_error *err)
{
    struct rf_mysql_address address = rf_mysql_source_address(state);
    if (ctx->connect_timeout_ms > 0 && ctx->connect_timeout_ms < address.timeout_ms) {
        address.timeout_ms = ctx->connect_timeout_ms;
    }
    enum rf_status status = rf_mysql_connect(&state->mysql, &address, err);
    state->mariadb = status == RF_OK && rf_mysql_is_mariadb(&state->mysql);
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
     "start the server with --log-bin, or log_bin in the section [mysqld] of its configuration"},
    {"binlog_format", "ROW", "only rows that are logged as rows can be carried",
     "SET GLOBAL binlog_format='ROW'; sessions that are open keep theirs until they connect again. "
     "To leave out what is logged as statements: skip=statements in the source's options"},
    {"binlog_row_image", "FULL",
     "the log then lacks columns, and a destination that holds the last state needs all of them",
     "SET GLOBAL binlog_row_image='FULL'; sessions that are open keep theirs until they connect "
     "again"},
    {"binlog_row_metadata", "FULL", "the log then lacks the columns' names and types",
     "SET GLOBAL binlog_row_metadata='FULL'; it holds for what is logged from then on"},
};
enum { SETTING_COUNT = sizeof settings / sizeof *settings };

/* What is only to be known, not to be so. */
static void learn(struct rf_mysql_source *state, struct rf_str name, struct rf_str value)
{
    uint64_t number;
    if (rf_str_equal(name, RF_STR("server_id")) && rf_str_to_u64(value, &number)) {
        state->assembly.server_id = (uint32_t)number;
    } else if (rf_str_equal(name, RF_STR("server_uuid"))) {
        state->assembly.has_uuid = rf_uuid_parse(value, &state->assembly.uuid);
    } else if (rf_str_equal(name, RF_STR("gtid_mode"))) {
        state->gtids = rf_str_equal_nocase(value, RF_STR("ON"))    ? RF_MYSQL_GTIDS_ON
                       : rf_str_equal_nocase(value, RF_STR("OFF")) ? RF_MYSQL_GTIDS_OFF
                                                                   : RF_MYSQL_GTIDS_MIXED;
    } else if (rf_str_equal(name, RF_STR("log_slave_updates")) ||
               rf_str_equal(name, RF_STR("log_replica_updates"))) {
        state->hands_on = rf_str_equal_nocase(value, RF_STR("ON"));
    } else if (rf_str_equal(name, RF_STR("lower_case_table_names")) &&
               !rf_str_equal(value, RF_STR("0"))) {
        rf_pick_fold(&state->pick);
    }
}

/* A server without a number serves no replica. */
static void judge_number(const struct rf_mysql_source *state, struct rf_findings *findings)
{
    bool none = state->assembly.server_id == 0;
    struct rf_finding finding = {.verdict = none ? RF_FINDING_WRONG : RF_FINDING_FINE,
                                 .what = "server_id",
                                 .needed = "not 0",
                                 .why = none ? "a server without a number serves no replica" : NULL,
                                 .fix = none ? "SET GLOBAL server_id=1" : NULL};

    rf_finding_add_text(findings, finding, "%u", state->assembly.server_id);
}

/* What SHOW REPLICA STATUS is on that server. */
static const char *replica_question(const struct rf_mysql_source *state, bool *renamed)
{
    enum { NEW_NAMES = 80022 };

    *renamed = !state->mariadb && rf_mysql_version_number(&state->mysql) >= NEW_NAMES;
    if (state->mariadb) {
        return "SHOW ALL SLAVES STATUS";
    }
    return *renamed ? "SHOW REPLICA STATUS" : "SHOW SLAVE STATUS";
}

/* A server that is a replica itself hands on only what it writes into its own log. Asked where that
 * matters alone, and always for people. */
static void judge_replica(struct rf_mysql_source *state, struct rf_findings *findings)
{
    bool renamed;
    const char *question = replica_question(state, &renamed);
    struct rf_mysql_result result = {0};
    struct rf_error ignored = {0};
    struct rf_finding finding = {.what = "replication"};

    if (rf_mysql_query(&state->mysql, question, 0, &result, &ignored) == RF_OK &&
        rf_mysql_result_next(&result)) {
        struct rf_str behind = rf_mysql_result_cell(
            &result, rf_mysql_result_column(&result, renamed ? "Seconds_Behind_Source"
                                                             : "Seconds_Behind_Master"));
        if (!state->hands_on) {
            finding.verdict = RF_FINDING_WRONG;
            finding.found = "a replica that does not log what it applies";
            finding.needed = renamed ? "log_replica_updates=ON" : "log_slave_updates=ON";
            finding.why = "what comes from its source is then not in its own log";
            finding.fix = "set it in the server's configuration and restart it, or read from its "
                          "source";
            rf_finding_add(findings, finding);
        } else if (behind.data == NULL) {
            finding.verdict = RF_FINDING_ADVICE;
            finding.found = "a replica that has stopped";
            finding.why = "nothing new comes into its log";
            finding.fix = "look at its SHOW REPLICA STATUS";
            rf_finding_add(findings, finding);
        } else {
            rf_finding_add_text(findings, finding, "a replica, %.*s s behind", RF_STR_ARG(behind));
        }
    }
    rf_mysql_result_deinit(&result);
}

/* What that value of it means. */
static void judge(const struct rf_mysql_source *state, const struct setting *setting,
                  struct rf_str value, struct rf_findings *findings)
{
    bool statements = state->skips.statements && strcmp(setting->name, "binlog_format") == 0;
    bool asked =
        state->schema == RF_MYSQL_SCHEMA_AUTO && strcmp(setting->name, "binlog_row_metadata") == 0;
    bool lacking =
        state->assembly.records.lacking && strcmp(setting->name, "binlog_row_image") == 0;
    struct rf_finding finding = {.what = setting->name,
                                 .needed = setting->needed,
                                 .why = setting->why,
                                 .fix = setting->hint};

    if (rf_str_equal_nocase(value, rf_str_of(setting->needed))) {
        finding.why = finding.fix = NULL;
    } else if (statements) {
        finding.verdict = RF_FINDING_ADVICE;
        finding.why = "row changes that are logged as statements are left out, as skip=statements "
                      "says";
    } else if (asked) {
        finding.verdict = RF_FINDING_ADVICE; /* what the log lacks is asked for */
        finding.why = "the columns' names are asked of the server; after an ALTER in the backlog "
                      "that is not possible, and it stops";
    } else if (lacking) {
        finding.verdict = RF_FINDING_ADVICE;
        finding.why = "the log then lacks columns, and events have only those that it has";
    } else {
        finding.verdict = RF_FINDING_WRONG;
    }
    rf_finding_add_text(findings, finding, "%.*s", RF_STR_ARG(value));
}

static bool is_needed(const struct rf_mysql_source *state, const struct setting *setting)
{
    return state->mariadb || state->schema == RF_MYSQL_SCHEMA_LOG ||
           strcmp(setting->name, "binlog_row_metadata") != 0;
}

enum rf_status rf_mysql_source_judge(struct rf_mysql_source *state, bool thorough,
                                     struct rf_findings *findings, struct rf_error *err)
{
    struct rf_mysql_result result = {0};
    bool seen[SETTING_COUNT] = {false};
    enum rf_status status =
        rf_mysql_query(&state->mysql,
                       "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('log_bin', 'binlog_format', "
                       "'binlog_row_image', 'binlog_row_metadata', "
                       "'server_id', 'server_uuid', 'gtid_mode', 'log_slave_updates', "
                       "'log_replica_updates', 'lower_case_table_names')",
                       0, &result, err);
    while (status == RF_OK && rf_mysql_result_next(&result)) {
        struct rf_str name = rf_mysql_result_cell(&result, 0);
        struct rf_str value = rf_mysql_result_cell(&result, 1);
        learn(state, name, value);
        for (size_t i = 0; i < SETTING_COUNT; i++) {
            if (rf_str_equal(name, rf_str_of(settings[i].name))) {
                seen[i] = true;
                judge(state, &settings[i], value, findings);
            }
        }
    }
    for (size_t i = 0; i < SETTING_COUNT && status == RF_OK; i++) {
        if (!seen[i] && is_needed(state, &settings[i])) {
            rf_finding_add(findings,
                           (struct rf_finding){.verdict = RF_FINDING_WRONG,
                                               .what = settings[i].name,
                                               .needed = settings[i].needed,
                                               .why = settings[i].why,
                                               .fix = state->mariadb ? "MariaDB 10.5 or later"
                                                                     : "MySQL 8.0 or later"});
        }
    }
    rf_mysql_result_deinit(&result);
    if (status == RF_OK) {
        judge_number(state, findings);
    }
    if (status == RF_OK && (thorough || !state->hands_on)) {
        judge_replica(state, findings);
    }
    return status;
}

/* The first thing that is wrong, as an error. */
static enum rf_status refuse(const struct rf_mysql_source *state, const struct rf_finding *finding,
                             struct rf_error *err)
{
    if (finding->found == NULL) {
        return rf_fail(err, RF_CONFIG, "%s: the server (%s) has no %s; %s is needed",
                       state->mysql.where, rf_mysql_version(&state->mysql), finding->what,
                       finding->fix);
    }
    rf_fail(err, RF_CONFIG, "%s: %s is %s, and must be %s: %s", state->mysql.where, finding->what,
            finding->found, finding->needed, finding->why);
    rf_error_hint(err, "on the server: %s", finding->fix);
    return RF_CONFIG;
}

static enum rf_status check_settings(struct rf_mysql_source *state, struct rf_error *err)
{
    struct rf_findings findings = {0};
    enum rf_status status = rf_mysql_source_judge(state, false, &findings, err);
    const struct rf_finding *wrong = rf_findings_first_wrong(&findings);

    if (status == RF_OK && wrong != NULL) {
        status = refuse(state, wrong, err);
    }
    for (uint32_t i = 0; i < findings.count && status == RF_OK; i++) {
        const struct rf_finding *finding = &findings.items[i];
        if (finding->verdict == RF_FINDING_ADVICE && strcmp(finding->what, "binlog_format") == 0) {
            rf_log(RF_LOG_WARN, "%s: %s is %s: %s", state->mysql.where, finding->what,
                   finding->found, finding->why);
        }
    }
    rf_findings_deinit(&findings);
    return status;
}

/* MySQL called most of these names anew; each server looks at its own and lets the others be. The
 * UUID is made of the number that we give ourselves, so that a server that has both throws out an
 * older reader with the same one, as MariaDB does by the number alone. */
static enum rf_status prepare_session(struct rf_mysql_source *state, struct rf_error *err)
{
    struct rf_buf *text = &state->text;
    uint32_t server_id;
    int64_t period_ms =
        state->heartbeat_ms < HEARTBEAT_MS_MAX ? state->heartbeat_ms : HEARTBEAT_MS_MAX;
    enum rf_status status = rf_mysql_source_number(state, &server_id, err);
    rf_buf_reset(text);
    rf_buf_printf(text,
                  "SET net_write_timeout=%d, @master_binlog_checksum='CRC32', "
                  "@source_binlog_checksum='CRC32', @mariadb_slave_capability=4, "
                  "@master_heartbeat_period=%lld, @source_heartbeat_period=%lld",
                  WRITE_TIMEOUT_S, (long long)period_ms * 1000000, (long long)period_ms * 1000000);
    if (!state->mariadb) {
        rf_buf_printf(text,
                      ", @slave_uuid='726f7766-6572-7279-0000-0000%08x', "
                      "@replica_uuid='726f7766-6572-7279-0000-0000%08x'",
                      server_id, server_id);
    }
    return status == RF_OK ? rf_mysql_query(&state->mysql, rf_buf_cstr(text), 0, NULL, err)
                           : status;
}

enum rf_status rf_mysql_source_read_filter(struct rf_mysql_source *state, struct rf_error *err)
{
    enum rf_status status = rf_skips_read(&state->skips, &state->skip, err);
    struct rf_str path = rf_str_of(state->path ? state->path : ""), pattern;
    while (status == RF_OK && path.size > 0 && rf_str_split(&path, ',', &pattern)) {
        status = rf_pick_add(&state->pick, pattern, err);
    }
    for (uint32_t i = 0; i < state->tables.count && status == RF_OK; i++) {
        status = rf_pick_add(&state->pick, rf_str_of(state->tables.items[i]), err);
    }
    return status;
}

/* MySQL changes them by itself from 9.6 on, and then logs them, unless InnoDB is told to do it. */
static bool logs_cascades(struct rf_mysql_source *state)
{
    enum { FIRST = 90600 };
    struct rf_mysql_result result = {0};
    bool logs =
        !state->mariadb && rf_mysql_version_number(&state->aside) >= FIRST &&
        rf_mysql_query(&state->aside, "SHOW GLOBAL VARIABLES LIKE 'innodb_native_foreign_keys'", 0,
                       &result, NULL) == RF_OK &&
        rf_mysql_result_next(&result) &&
        rf_str_equal(rf_mysql_result_cell(&result, 1), RF_STR("OFF"));
    rf_mysql_result_deinit(&result);
    return logs;
}

/* Rows that a foreign key changes are not in the log. One line says so, when the server tells which
 * tables have such keys; that takes some right to them. */
static void warn_of_cascades(struct rf_mysql_source *state)
{
    static const char question[] =
        "SELECT CONSTRAINT_SCHEMA, TABLE_NAME FROM information_schema.REFERENTIAL_CONSTRAINTS "
        "WHERE DELETE_RULE IN ('CASCADE', 'SET NULL', 'SET DEFAULT') "
        "OR UPDATE_RULE IN ('CASCADE', 'SET NULL', 'SET DEFAULT') "
        "GROUP BY CONSTRAINT_SCHEMA, TABLE_NAME ORDER BY CONSTRAINT_SCHEMA, TABLE_NAME";
    struct rf_mysql_result result = {0};
    struct rf_buf names = {0};
    uint32_t count = 0;
    const char *limit = state->mariadb ? "SET max_statement_time=1" : "SET max_execution_time=1000";
    bool answered = rf_mysql_query(&state->aside, limit, 0, NULL, NULL) == RF_OK &&
                    rf_mysql_query(&state->aside, question, 0, &result, NULL) == RF_OK;
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
    if (rf_mysql_connect(&state->aside, &address, NULL) == RF_OK && !logs_cascades(state)) {
        warn_of_cascades(state);
    }
    rf_mysql_close(&state->aside);
}

enum rf_status rf_mysql_source_reconnect(struct rf_mysql_source *state, struct rf_error *err)
{
    struct rf_mysql_address address = rf_mysql_source_address(state);
    enum rf_status status = rf_mysql_connect(&state->mysql, &address, err);
    return status == RF_OK ? prepare_session(state, err) : status;
}

enum rf_status rf_mysql_source_check(struct rf_mysql_source *state, const struct rf_context *ctx,
                                     struct rf_error *err)
{
    enum rf_status status = rf_mysql_source_read_filter(state, err);
    if (status == RF_OK) {
        status = rf_mysql_source_connect(state, ctx, err);
    }
    if (status == RF_OK) {
        status = check_settings(state, err);
    }
    if (status == RF_OK) {
        status = prepare_session(state, err);
    }
    return status;
}
