/* What `rowferry doctor` says of a MariaDB or MySQL server.
 *
 * The settings are judged by the same table that `open` insists on (mysql_checks.c). The rest is
 * what a person wants to know before a pipeline runs for months: rights, how long the log is kept,
 * replication, encryption. Nothing is read from the log, so nobody who reads it is disturbed. */
#include "base/clock.h"
#include "net/tls.h"
#include "source/mysql.h"

#include <stdio.h>

enum { DAY_S = 24 * 3600, KEPT_S_LEAST = DAY_S, EXCESS_SHOWN = 5 };

/* ---- The server ------------------------------------------------------------------------------ */

static void examine_server(struct rf_mysql_source *state, struct rf_findings *findings)
{
    enum { MARIADB_FIRST = 100500, MYSQL_FIRST = 80000 };
    uint32_t number = rf_mysql_version_number(&state->mysql);
    bool old = number < (state->mariadb ? MARIADB_FIRST : MYSQL_FIRST);
    struct rf_finding finding = {.what = "server",
                                 .verdict = old ? RF_FINDING_WRONG : RF_FINDING_FINE,
                                 .needed = state->mariadb ? "10.5 or later" : "8.0 or later",
                                 .why = old ? "its log lacks what is needed" : NULL,
                                 .fix = old ? "use a later version of the server" : NULL};

    rf_finding_add_text(findings, finding, "%s %s", state->mariadb ? "MariaDB" : "MySQL",
                        rf_mysql_version(&state->mysql));
}

/* ---- Variables ------------------------------------------------------------------------------- */

/* The value of a variable; false: the server has none of that name, or does not tell. */
static bool read_variable(struct rf_mysql_source *state, const char *name, struct rf_buf *out)
{
    struct rf_error ignored = {0};
    bool found = false;

    rf_buf_reset(&state->text);
    rf_buf_printf(&state->text, "SHOW GLOBAL VARIABLES WHERE Variable_name = '%s'", name);
    struct rf_mysql_result result = {0};
    if (rf_mysql_query(&state->mysql, rf_buf_cstr(&state->text), 0, &result, &ignored) == RF_OK &&
        rf_mysql_result_next(&result)) {
        rf_buf_set(out, rf_mysql_result_cell(&result, 1));
        rf_buf_cstr(out);
        found = true;
    }
    rf_mysql_result_deinit(&result);
    return found;
}

static int64_t variable_number(struct rf_mysql_source *state, const char *name, int64_t absent)
{
    struct rf_buf text = {0};
    int64_t number = absent;

    if (read_variable(state, name, &text) && !rf_str_to_i64(rf_buf_str(&text), &number)) {
        number = absent;
    }
    rf_buf_deinit(&text);
    return number;
}

/* One that is better as it should be. */
static void advise(struct rf_mysql_source *state, struct rf_findings *findings, const char *name,
                   struct rf_finding finding)
{
    struct rf_buf text = {0};

    if (read_variable(state, name, &text)) {
        bool fine = rf_str_equal_nocase(rf_buf_str(&text), rf_str_of(finding.needed));
        finding.what = name;
        finding.found = text.data;
        if (fine) {
            finding.why = finding.fix = NULL;
        } else {
            finding.verdict = RF_FINDING_ADVICE;
        }
        rf_finding_add(findings, finding);
    }
    rf_buf_deinit(&text);
}

static void examine_gtids(struct rf_mysql_source *state, struct rf_findings *findings)
{
    if (state->mariadb) {
        advise(state, findings, "gtid_strict_mode",
               (struct rf_finding){.needed = "ON",
                                   .why = "numbers of transactions may come out of order, and a "
                                          "position then says too little",
                                   .fix = "SET GLOBAL gtid_strict_mode=ON"});
        return;
    }
    advise(state, findings, "gtid_mode",
           (struct rf_finding){
               .needed = "ON",
               .why = "a position then holds on this server only: no fail-over to another one",
               .fix = "SET GLOBAL enforce_gtid_consistency=ON; SET GLOBAL "
                      "gtid_mode=OFF_PERMISSIVE; SET GLOBAL gtid_mode=ON_PERMISSIVE; SET GLOBAL "
                      "gtid_mode=ON"});
}

/* Ways to write a log that some readers cannot read, and this one can. */
static void examine_encoding(struct rf_mysql_source *state, struct rf_findings *findings)
{
    static const char *const of_mariadb[] = {"log_bin_compress", NULL};
    static const char *const of_mysql[] = {"binlog_transaction_compression",
                                           "binlog_row_value_options", NULL};
    struct rf_buf text = {0};

    for (const char *const *name = state->mariadb ? of_mariadb : of_mysql; *name != NULL; name++) {
        if (read_variable(state, *name, &text)) {
            bool off = text.size == 0 || rf_str_equal_nocase(rf_buf_str(&text), RF_STR("OFF"));
            rf_finding_add_text(findings, (struct rf_finding){.what = *name}, "%s%s",
                                text.size > 0 ? rf_buf_cstr(&text) : "none",
                                off ? "" : ", which is read as it is");
        }
    }
    rf_buf_deinit(&text);
}

/* ---- How long the log is kept ---------------------------------------------------------------- */

/* "9 d 3 h", "5 h 12 min", "40 s". */
static void print_time(char *out, size_t size, int64_t seconds)
{
    if (seconds >= DAY_S) {
        snprintf(out, size, "%lld d %lld h", (long long)(seconds / DAY_S),
                 (long long)(seconds % DAY_S / 3600));
    } else if (seconds >= 3600) {
        snprintf(out, size, "%lld h %lld min", (long long)(seconds / 3600),
                 (long long)(seconds % 3600 / 60));
    } else {
        snprintf(out, size, "%lld s", (long long)seconds);
    }
}

/* Seconds; 0: for ever; negative: the server does not tell. */
static int64_t kept_seconds(struct rf_mysql_source *state)
{
    int64_t seconds = variable_number(state, "binlog_expire_logs_seconds", -1);

    if (seconds <= 0) {
        struct rf_buf text = {0};
        double days = 0;
        if (read_variable(state, "expire_logs_days", &text) &&
            sscanf(rf_buf_cstr(&text), "%lf", &days) == 1) {
            seconds = (int64_t)(days * DAY_S);
        }
        rf_buf_deinit(&text);
    }
    return seconds;
}

static void examine_retention(struct rf_findings *findings, int64_t seconds)
{
    char kept[64] = "for ever";
    bool brief = seconds > 0 && seconds < KEPT_S_LEAST;
    struct rf_finding finding = {.what = "log kept", .needed = "1 d or longer"};

    if (seconds < 0) {
        finding.verdict = RF_FINDING_UNKNOWN;
    } else if (seconds > 0) {
        print_time(kept, sizeof kept, seconds);
    }
    if (brief) {
        finding.verdict = RF_FINDING_ADVICE;
        finding.why = "a pipeline that stands still for longer has lost its place for good";
        finding.fix = "SET GLOBAL binlog_expire_logs_seconds=864000, and the same in the "
                      "server's configuration";
    }
    finding.found = seconds < 0 ? NULL : kept;
    rf_finding_add(findings, finding);
}

/* Is that file there yet? Its name alone is compared: what `open` looks at is more. */
static bool has_file(struct rf_mysql_source *state, struct rf_str name, bool *known)
{
    struct rf_mysql_log_file file = {0};
    struct rf_error ignored = {0};

    *known = rf_mysql_source_find_file(state, name, &file, NULL, &ignored) == RF_OK;
    return file.found;
}

/* What the oldest file begins behind must have been read: the rest is gone. (A MySQL server says
 * itself what it has purged.) */
static enum rf_status check_kept(struct rf_mysql_source *state, struct rf_error *err)
{
    struct rf_mysql_log_file file = {0};
    struct rf_gtid_list before = {0};
    struct rf_buf first = {0};
    bool found = false;
    enum rf_status status = rf_mysql_source_find_file(state, RF_STR_NONE, &file, &first, err);

    if (status == RF_OK && file.found) {
        status = rf_mysql_source_ask_gtids(state, rf_buf_str(&first), RF_BINLOG_MAGIC_SIZE, &before,
                                           &found, err);
    }
    if (status == RF_OK && found &&
        !rf_gtid_list_contains(&state->assembly.position.gtids.list, &before)) {
        status = rf_fail(err, RF_FATAL,
                         "the server has deleted log files with transactions that come behind it");
        rf_error_hint(err, "take a new snapshot of the tables, then set a new position");
    }
    rf_gtid_list_deinit(&before);
    rf_buf_deinit(&first);
    return status;
}

/* Where a start would go on, as it would decide it. Returns what it would; *by_place: at the place
 * in its file. */
static enum rf_status find_start(struct rf_mysql_source *state, bool *by_place,
                                 struct rf_error *err)
{
    const struct rf_position *position = &state->assembly.position;
    struct rf_mysql_log_file file = {0};
    bool same = position->file.size > 0 && rf_mysql_source_is_same(state, position);
    enum rf_status status = RF_OK;

    *by_place = false;
    if (position->gtids.mysql == state->mariadb) {
        return rf_fail(err, RF_FATAL, "it is one of %s, and this is a server of %s",
                       state->mariadb ? "MySQL" : "MariaDB", state->mariadb ? "MariaDB" : "MySQL");
    }
    if (same) {
        status = rf_mysql_source_find_file(state, rf_buf_str(&position->file), &file, NULL, err);
    }
    if (status == RF_OK && same) {
        status = rf_mysql_source_check_place(state, position, &file, err);
    }
    *by_place = status == RF_OK && file.found;
    if (status != RF_OK || (*by_place && !position->by_gtid)) {
        return status;
    }
    if (position->by_place) {
        return rf_mysql_source_no_place(state, position, same, err);
    }
    status = rf_mysql_source_check_gtids(state, err);
    return status == RF_OK && state->mariadb ? check_kept(state, err) : status;
}

/* A file is purged when the server has not written to it for as long as it is kept; the position's
 * last transaction is in it, so it was written to then or later. */
static void examine_position(struct rf_mysql_source *state, const struct rf_recorded *recorded,
                             int64_t kept_s, struct rf_findings *findings)
{
    struct rf_position *position = &state->assembly.position;
    struct rf_error why = {0};
    struct rf_buf text = {0};
    char left[64];
    bool by_place = false;
    struct rf_finding finding = {.what = "position"};
    rf_position_deinit(position);
    if (rf_position_parse(position, recorded->position, &why) != RF_OK) {
        finding.verdict = RF_FINDING_UNKNOWN;
        finding.why = why.message;
        rf_finding_add(findings, finding);
        return;
    }
    enum rf_status status = find_start(state, &by_place, &why);
    rf_buf_printf(&text, "%s: ", recorded->sink);
    if (position->file.size > 0) {
        rf_buf_printf(&text, "%.*s at %llu", RF_STR_ARG(rf_buf_str(&position->file)),
                      (unsigned long long)position->end);
    } else {
        rf_gtids_print(&text, &position->gtids);
    }
    if (status != RF_OK) {
        finding.verdict = status == RF_RETRY ? RF_FINDING_UNKNOWN : RF_FINDING_WRONG;
        finding.why = why.message;
        finding.fix = why.hint[0] != '\0' ? why.hint : NULL;
    } else if (!by_place) {
        rf_buf_printf(&text, ", found by GTIDs");
    } else if (kept_s <= 0 || position->time == 0) {
        rf_buf_printf(&text, ", which is there");
    } else {
        int64_t left_s = position->time + kept_s - rf_clock_wall_us() / 1000000;
        print_time(left, sizeof left, left_s > 0 ? left_s : 0);
        rf_buf_printf(&text, ", not purged for %s", left);
        if (left_s < KEPT_S_LEAST) {
            finding.verdict = RF_FINDING_ADVICE;
            finding.why = "the server may purge its file as soon as that, if it writes to newer "
                          "ones";
            finding.fix = "start the pipeline, or have the server keep its log for longer";
        }
    }
    finding.found = rf_buf_cstr(&text);
    rf_finding_add(findings, finding);
    rf_buf_deinit(&text);
}

/* ---- Rows that are prepared ------------------------------------------------------------------ */

static void examine_prepared(struct rf_mysql_source *state, const char *sink,
                             const struct rf_prepared *prepared, int64_t kept_s,
                             struct rf_findings *findings)
{
    const struct rf_position *position = &state->assembly.position;
    struct rf_str file = rf_buf_str(&prepared->file);
    struct rf_buf name = {0}, fix = {0};
    struct rf_finding finding = {.what = "prepared rows"};
    bool same = rf_mysql_source_is_same(state, position), known = true;
    bool comes = !state->mariadb && state->gtids == RF_MYSQL_GTIDS_ON; /* by its GTID */
    char left[64] = "";

    rf_prepared_name(&name, prepared);
    if (!same ? !comes : (file.size > 0 ? !has_file(state, file, &known) : !comes)) {
        finding.verdict = known ? RF_FINDING_WRONG : RF_FINDING_UNKNOWN;
        finding.why = known ? "an XA transaction that is not over: where its rows are in the log "
                              "of this server, is not known, or that file is gone"
                            : "the server does not say which files it has";
        rf_buf_printf(&fix,
                      "take a new snapshot of its tables; or, when its rows are not wanted, "
                      "skip=%.*s in the source's options",
                      RF_STR_ARG(rf_buf_str(&name)));
        finding.fix = known ? rf_buf_cstr(&fix) : NULL;
    } else if (same && kept_s > 0 && !rf_str_equal(file, rf_buf_str(&position->file))) {
        int64_t left_s = position->time + kept_s - rf_clock_wall_us() / 1000000;
        print_time(left, sizeof left, left_s > 0 ? left_s : 0);
        finding.verdict = RF_FINDING_ADVICE;
        finding.why = "an XA transaction that is not over, and its file is older than the "
                      "position's: once it is purged, a restart finds no rows";
        finding.fix = "end it with XA COMMIT or XA ROLLBACK (XA RECOVER shows it)";
    }
    rf_finding_add_text(findings, finding, "%s: %.*s%s%.*s%s%s", sink,
                        RF_STR_ARG(rf_buf_str(&name)), file.size > 0 ? " in " : "",
                        RF_STR_ARG(file), left[0] != '\0' ? ", kept for less than " : "", left);
    rf_buf_deinit(&name);
    rf_buf_deinit(&fix);
}

/* Those of the state's position whose rows a restart reads again, which may lie in files of long
 * ago. */
static void examine_all_prepared(struct rf_mysql_source *state, const struct rf_recorded *recorded,
                                 int64_t kept_s, struct rf_findings *findings)
{
    const struct rf_prepared *prepared;
    uint32_t number = 0;

    for (; (prepared = rf_assembly_awaited(&state->assembly, number, &number)) != NULL; number++) {
        examine_prepared(state, recorded->sink, prepared, kept_s, findings);
    }
}

/* ---- Rights ---------------------------------------------------------------------------------- */

struct rights {
    bool replicate; /* REPLICATION SLAVE */
    bool monitor;   /* REPLICATION CLIENT, or what MariaDB calls so */
    bool select;    /* SELECT on something */
    uint32_t excess_count;
    struct rf_buf excess; /* the first few of them */
};

static bool is_right(struct rf_str right, const char *const *names)
{
    for (; *names != NULL; names++) {
        if (rf_str_equal_nocase(right, rf_str_of(*names))) {
            return true;
        }
    }
    return false;
}

/* where: as the server writes it, "*.*" or "`shop`.*". */
static void note_right(struct rights *rights, struct rf_str right, struct rf_str where)
{
    static const char *const replicate[] = {"REPLICATION SLAVE", NULL};
    static const char *const monitor[] = {"REPLICATION CLIENT", "BINLOG MONITOR", NULL};
    static const char *const harmless[] = {
        "USAGE",          "SLAVE MONITOR", "REPLICA MONITOR", "PROCESS",
        "SHOW DATABASES", "SHOW_ROUTINE",  "PROXY",           NULL};
    static const char *const all[] = {"ALL", "ALL PRIVILEGES", NULL};
    bool every = is_right(right, all), everywhere = rf_str_equal(where, RF_STR("*.*"));

    if (everywhere && (every || is_right(right, replicate))) {
        rights->replicate = true;
    }
    if (everywhere && (every || is_right(right, monitor))) {
        rights->monitor = true;
    }
    if (every || rf_str_equal_nocase(right, RF_STR("SELECT"))) {
        rights->select = true;
    }
    bool needed = is_right(right, replicate) || is_right(right, monitor) ||
                  is_right(right, harmless) || rf_str_equal_nocase(right, RF_STR("SELECT"));
    if (!needed && ++rights->excess_count <= EXCESS_SHOWN) {
        rf_buf_printf(&rights->excess, "%s%.*s", rights->excess.size > 0 ? ", " : "",
                      RF_STR_ARG(right));
        if (!everywhere) {
            rf_buf_printf(&rights->excess, " on %.*s", RF_STR_ARG(where));
        }
    }
}

/* "GRANT A, B (c, d) ON *.* TO ...": a right to some columns counts as the right. A role
 * ("GRANT `r` TO ...") says nothing here. */
static void read_grant(struct rights *rights, struct rf_str line)
{
    const char *on = line.size > 0 ? memmem(line.data, line.size, " ON ", 4) : NULL;
    struct rf_str lead = RF_STR("GRANT ");

    if (on == NULL || !rf_str_starts(line, lead)) {
        return;
    }
    struct rf_buf plain = {0};
    struct rf_str list, right;
    unsigned inside = 0;
    for (const char *at = line.data + lead.size; at < on; at++) {
        inside += *at == '(';
        if (inside == 0) {
            rf_buf_add_byte(&plain, *at);
        }
        inside -= *at == ')' && inside > 0;
    }
    list = rf_buf_str(&plain);
    struct rf_str where = {on + 4, line.size - (size_t)(on + 4 - line.data)};
    const char *to = where.size > 0 ? memmem(where.data, where.size, " TO ", 4) : NULL;
    where.size = to != NULL ? (size_t)(to - where.data) : where.size;
    while (rf_str_split(&list, ',', &right)) {
        note_right(rights, rf_str_trim(right), where);
    }
    rf_buf_deinit(&plain);
}

static void add_right(struct rf_findings *findings, const char *what, bool there, const char *why,
                      const char *fix)
{
    rf_finding_add(findings,
                   (struct rf_finding){.verdict = there ? RF_FINDING_FINE : RF_FINDING_WRONG,
                                       .what = what,
                                       .found = there ? "granted" : "not granted",
                                       .needed = "granted",
                                       .why = there ? NULL : why,
                                       .fix = there ? NULL : fix});
}

static void examine_rights(struct rf_mysql_source *state, struct rf_findings *findings)
{
    struct rf_mysql_result result = {0};
    struct rf_error why = {0};
    struct rf_buf grant = {0};
    struct rights rights = {0};
    bool metadata = false;

    if (rf_mysql_query(&state->mysql, "SHOW GRANTS", 0, &result, &why) != RF_OK) {
        rf_finding_add(findings, (struct rf_finding){.verdict = RF_FINDING_UNKNOWN,
                                                     .what = "rights",
                                                     .why = why.message});
        goto done;
    }
    while (rf_mysql_result_next(&result)) {
        read_grant(&rights, rf_mysql_result_cell(&result, 0));
    }
    rf_mysql_grant(&state->mysql, &grant);
    add_right(findings, "right to replicate", rights.replicate, "the server will not send its log",
              rf_buf_cstr(&grant));
    add_right(findings, "right to see the log", rights.monitor,
              "the server will not say which log files it has", grant.data);
    for (uint32_t i = 0; i < findings->count; i++) {
        metadata = metadata || (strcmp(findings->items[i].what, "binlog_row_metadata") == 0 &&
                                findings->items[i].verdict == RF_FINDING_FINE);
    }
    if (!rights.select && !metadata) {
        rf_buf_reset(&grant);
        rf_buf_printf(&grant, "GRANT SELECT ON DATABASE.* TO %s",
                      state->mysql.account ? state->mysql.account : "'user'@'host'");
        add_right(findings, "right to see tables", false,
                  "what the log does not say of columns is asked of the server, which shows only "
                  "tables that the user may read",
                  rf_buf_cstr(&grant));
    } else if (!metadata && findings->table_count == 0) {
        rf_finding_add(findings, (struct rf_finding){
                                     .verdict = RF_FINDING_ADVICE,
                                     .what = "right to see tables",
                                     .found = "none of those that are captured is seen",
                                     .why = "either there is none yet, or the user may not "
                                            "read them, and then it stops at their first row",
                                     .fix = "GRANT SELECT on their database, if they are there"});
    }
    if (rights.excess_count > EXCESS_SHOWN) {
        rf_buf_printf(&rights.excess, " and %u more", rights.excess_count - EXCESS_SHOWN);
    }
    if (rights.excess.size > 0) {
        rf_finding_add(findings,
                       (struct rf_finding){.verdict = RF_FINDING_ADVICE,
                                           .what = "rights in excess",
                                           .found = rf_buf_cstr(&rights.excess),
                                           .needed = "none",
                                           .why = "whoever gets hold of this password has them too",
                                           .fix = "give the pipeline a user of its own with the "
                                                  "rights above alone"});
    }

done:
    rf_mysql_result_deinit(&result);
    rf_buf_deinit(&rights.excess);
    rf_buf_deinit(&grant);
}

/* ---- Replication ----------------------------------------------------------------------------- */

/* Two readers with one number throw each other out, again and again. Other pipelines are seen here
 * as replicas are, and so is ours when it runs. */
static void examine_readers(struct rf_mysql_source *state, struct rf_findings *findings)
{
    enum { NEW_NAMES = 80022 };
    bool renamed = !state->mariadb && rf_mysql_version_number(&state->mysql) >= NEW_NAMES;
    const char *question = renamed ? "SHOW REPLICAS" : "SHOW SLAVE HOSTS";
    struct rf_mysql_result result = {0};
    struct rf_error why = {0};
    struct rf_finding finding = {.what = "our server_id", .needed = "one that no replica has"};
    struct rf_buf ours = {0}, theirs = {0}, text = {0};
    bool taken = false, runs = false;
    int64_t number;

    if (state->server_id == 0) {
        return; /* drawn by chance at each start */
    }
    rf_mysql_source_name(state, &ours);
    if (rf_mysql_query(&state->mysql, question, 0, &result, &why) != RF_OK) {
        finding.verdict = RF_FINDING_UNKNOWN;
        finding.why = "the server does not say which replicas it has: that takes a right that is "
                      "not needed otherwise";
    }
    while (finding.verdict == RF_FINDING_FINE && rf_mysql_result_next(&result)) {
        struct rf_str host = rf_mysql_result_cell(&result, rf_mysql_result_column(&result, "Host"));
        if (rf_str_to_i64(rf_mysql_result_cell(&result, 0), &number) &&
            number == state->server_id) {
            bool same = rf_str_equal(host, rf_buf_str(&ours));
            runs |= same;
            taken |= !same;
            rf_buf_set(&theirs, same ? rf_buf_str(&theirs) : host);
        }
    }
    if (taken) {
        rf_buf_printf(&text,
                      "a replica with this number reads already (host: %.*s), and one of the two "
                      "is thrown out",
                      RF_STR_ARG(rf_buf_str(&theirs)));
        finding.verdict = RF_FINDING_WRONG;
        finding.why = rf_buf_cstr(&text);
        finding.fix = "leave server_id out of the source's options, or choose another one";
    }
    rf_finding_add_text(findings, finding, "%lld%s", (long long)state->server_id,
                        runs && !taken ? ", with which this pipeline reads now" : "");
    rf_mysql_result_deinit(&result);
    rf_buf_deinit(&ours);
    rf_buf_deinit(&theirs);
    rf_buf_deinit(&text);
}

/* ---- Tables ---------------------------------------------------------------------------------- */

/* Those that would be captured, for the sinks to look at. A server shows only what the user may
 * read, and may show nothing. */
static void tell_tables(struct rf_mysql_source *state, struct rf_findings *findings)
{
    struct rf_mysql_result result = {0};
    struct rf_buf full = {0};

    if (rf_mysql_query(&state->mysql,
                       "SELECT TABLE_SCHEMA, TABLE_NAME FROM information_schema.TABLES "
                       "WHERE TABLE_TYPE IN ('BASE TABLE', 'SYSTEM VERSIONED') AND TABLE_SCHEMA "
                       "NOT IN ('mysql', 'sys', 'information_schema', 'performance_schema') "
                       "ORDER BY TABLE_SCHEMA, TABLE_NAME",
                       0, &result, NULL) != RF_OK) {
        goto done;
    }
    while (rf_mysql_result_next(&result)) {
        struct rf_str database = rf_mysql_result_cell(&result, 0);
        struct rf_str name = rf_mysql_result_cell(&result, 1);
        rf_buf_reset(&full);
        rf_buf_printf(&full, "%.*s.%.*s", RF_STR_ARG(database), RF_STR_ARG(name));
        if (rf_pick_table(&state->pick, rf_buf_str(&full))) {
            rf_finding_add_table(findings, database, name);
        }
    }

done:
    rf_mysql_result_deinit(&result);
    rf_buf_deinit(&full);
}

/* ---------------------------------------------------------------------------------------------- */

enum rf_status rf_mysql_source_examine(void *memory, const struct rf_context *ctx,
                                       struct rf_findings *findings, struct rf_error *err)
{
    struct rf_mysql_source *state = memory;
    enum rf_status status = rf_mysql_source_read_filter(state, err);

    state->pipeline = ctx->pipeline;
    state->assembly.pick = &state->pick;
    state->assembly.skips = &state->skips;
    state->assembly.records.lacking = !ctx->whole;
    if (status == RF_OK) {
        status = rf_mysql_source_connect(state, ctx, err);
    }
    if (status == RF_OK) {
        examine_server(state, findings);
        rf_finding_add_encryption(findings, state->mysql.tls, state->tls_verify,
                                  state->socket != NULL || rf_host_is_loopback(state->host));
        status = rf_mysql_source_judge(state, true, findings, err);
    }
    if (status == RF_OK) {
        int64_t kept_s = kept_seconds(state);
        tell_tables(state, findings);
        examine_gtids(state, findings);
        examine_encoding(state, findings);
        examine_rights(state, findings);
        examine_readers(state, findings);
        examine_retention(findings, kept_s);
        for (uint32_t i = 0; i < ctx->recorded_count; i++) {
            examine_position(state, &ctx->recorded[i], kept_s, findings);
            examine_all_prepared(state, &ctx->recorded[i], kept_s, findings);
        }
    }
    return status;
}
