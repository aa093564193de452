#include "source/mysql.h"

enum {
    SCAN_MS = 60 * 1000, /* for questions that make the server read a log file */
    NOW_TRIES = 5,
};

static uint64_t number_of(struct rf_str file)
{
    uint64_t number = 0;
    const char *dot = file.size > 0 ? memrchr(file.data, '.', file.size) : NULL;
    if (dot != NULL) {
        rf_str_to_u64((struct rf_str){dot + 1, file.size - (size_t)(dot - file.data) - 1}, &number);
    }
    return number;
}

enum rf_status rf_mysql_source_find_file(struct rf_mysql_source *state, struct rf_str name,
                                         struct rf_mysql_log_file *file, struct rf_buf *first,
                                         struct rf_error *err)
{
    struct rf_mysql_result result = {0};
    uint64_t newest = 0;
    *file = (struct rf_mysql_log_file){0};
    enum rf_status status = rf_mysql_query(&state->mysql, "SHOW BINARY LOGS", 0, &result, err);
    while (status == RF_OK && rf_mysql_result_next(&result)) {
        struct rf_str cell = rf_mysql_result_cell(&result, 0);
        newest = number_of(cell);
        if (!file->found && (name.size == 0 || rf_str_equal(cell, name))) {
            file->found = true;
            rf_str_to_u64(rf_mysql_result_cell(&result, 1), &file->size);
            if (first != NULL) {
                rf_buf_set(first, cell);
            }
        }
    }
    file->behind_newest = !file->found && number_of(name) > newest;
    rf_mysql_result_deinit(&result);
    return status;
}

enum rf_status rf_mysql_source_ask(struct rf_mysql_source *state, const char *statement,
                                   int64_t timeout_ms, struct rf_buf *answer, bool *found,
                                   struct rf_error *err)
{
    struct rf_mysql_result result = {0};
    enum rf_status status = rf_mysql_query(&state->mysql, statement, timeout_ms, &result, err);
    *found = false;
    if (status == RF_OK && rf_mysql_result_next(&result)) {
        struct rf_str cell = rf_mysql_result_cell(&result, 0);
        *found = cell.data != NULL;
        rf_buf_set(answer, cell);
    }
    rf_mysql_result_deinit(&result);
    return status;
}

enum rf_status rf_mysql_source_ask_gtids(struct rf_mysql_source *state, struct rf_str file,
                                         uint64_t offset, struct rf_gtid_list *gtids, bool *found,
                                         struct rf_error *err)
{
    struct rf_buf answer = {0};
    rf_buf_set(&state->text, RF_STR("SELECT BINLOG_GTID_POS("));
    rf_mysql_quote(&state->mysql, &state->text, file);
    rf_buf_printf(&state->text, ", %llu)", (unsigned long long)offset);
    enum rf_status status =
        rf_mysql_source_ask(state, rf_buf_cstr(&state->text), SCAN_MS, &answer, found, err);
    if (status == RF_OK && *found) {
        status = rf_gtid_list_parse(gtids, rf_buf_str(&answer), err);
    }
    rf_buf_deinit(&answer);
    return status;
}

/* MySQL has a new name for it from 8.2 on, and no more the old one from 8.4 on. */
static enum rf_status show_status(struct rf_mysql *mysql, struct rf_mysql_result *result,
                                  struct rf_error *err)
{
    enum { FIRST_NEW = 80200 };
    bool is_new = !rf_mysql_is_mariadb(mysql) && rf_mysql_version_number(mysql) >= FIRST_NEW;
    return rf_mysql_query(mysql, is_new ? "SHOW BINARY LOG STATUS" : "SHOW MASTER STATUS", 0,
                          result, err);
}

enum rf_status rf_mysql_source_ask_end(struct rf_mysql *mysql, struct rf_buf *file,
                                       uint64_t *offset, struct rf_buf *gtids, struct rf_error *err)
{
    struct rf_mysql_result result = {0};
    enum rf_status status = show_status(mysql, &result, err);
    if (status == RF_OK && rf_mysql_result_next(&result)) {
        rf_buf_set(file, rf_mysql_result_cell(&result, 0));
        rf_str_to_u64(rf_mysql_result_cell(&result, 1), offset);
        if (gtids != NULL) {
            rf_buf_set(gtids, rf_mysql_result_cell(
                                  &result, rf_mysql_result_column(&result, "Executed_Gtid_Set")));
        }
    } else if (status == RF_OK) {
        status =
            rf_fail(err, RF_CONFIG, "%s: the server says that it has no binary log", mysql->where);
    }
    rf_mysql_result_deinit(&result);
    return status;
}

/* Where the log ends, and the GTIDs before that. Nobody stops the server in between: the answers
 * belong together when the GTIDs are the same before and after; else they are asked by place. */
enum rf_status rf_mysql_source_ask_now(struct rf_mysql_source *state, struct rf_position *position,
                                       struct rf_error *err)
{
    static const char question[] = "SELECT @@gtid_binlog_pos";
    struct rf_buf before = {0}, after = {0};
    bool found;
    enum rf_status status = rf_mysql_source_ask(state, question, 0, &before, &found, err);
    for (int i = 0; i < NOW_TRIES && status == RF_OK; i++) {
        status = rf_mysql_source_ask_end(&state->mysql, &position->file, &position->end, NULL, err);
        if (status == RF_OK) {
            status = rf_mysql_source_ask(state, question, 0, &after, &found, err);
        }
        if (status == RF_OK && rf_str_equal(rf_buf_str(&before), rf_buf_str(&after))) {
            status = rf_gtids_parse(&position->gtids, false, rf_buf_str(&after), err);
            goto done;
        }
        rf_buf_set(&before, rf_buf_str(&after));
    }
    if (status == RF_OK) {
        status = rf_mysql_source_ask_gtids(state, rf_buf_str(&position->file), position->end,
                                           &position->gtids.list, &found, err);
    }
    if (status == RF_OK && !found) {
        status = rf_fail(err, RF_RETRY, "%s: the log moved on while its end was looked for",
                         state->mysql.where);
    }
done:
    rf_buf_deinit(&before);
    rf_buf_deinit(&after);
    return status;
}

/* Less than 32 bits have room for, by an event that begins there. */
static const uint64_t offset_max = UINT32_MAX - 1024 * 1024;

bool rf_mysql_source_has_short_files(struct rf_mysql_source *state)
{
    struct rf_mysql_result result = {0};
    bool short_ones = rf_mysql_query(&state->mysql, "SHOW BINARY LOGS", 0, &result, NULL) == RF_OK;
    while (short_ones && rf_mysql_result_next(&result)) {
        uint64_t size;
        short_ones = rf_str_to_u64(rf_mysql_result_cell(&result, 1), &size) && size <= offset_max;
    }
    rf_mysql_result_deinit(&result);
    return short_ones;
}
