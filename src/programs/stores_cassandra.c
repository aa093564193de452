/* What the scheduler asks of Cassandra: rows are those of stamps.pluto_posts; stamps.posts has one
 * row, maxTimeStamp, with the stamp of the row that was carried last; notes are documents of
 * stamps.mongo_notes. */
#include "programs/stores_links.h"
#include "wire/cql_result.h"

#include <stdio.h>

enum { SERVER_ERROR = 0x0000, INVALID = 0x2200 };
enum { COUNT_MAX = 20000 };

/* What a statement has given. */
struct answer {
    struct rf_cql_answer answer;
    struct rf_cql_result result; /* lies in the connection, until the next request */
    struct rf_arena arena;
    uint32_t rows;
};

/* While a table is being made, the node knows its name before it knows its rows. */
static bool is_not_there_yet(const struct rf_cql_error *error)
{
    static const char unknown[] = "Unknown CF";
    return error->code == INVALID ||
           (error->code == SERVER_ERROR &&
            memmem(error->message.data, error->message.size, unknown, sizeof unknown - 1) != NULL);
}

/* Rows have so many columns. A table that is not there yet has no rows: the pipeline makes it with
 * its first row. */
static enum rf_status ask(struct rf_cql *cql, const char *statement, uint32_t columns,
                          struct answer *out, struct rf_error *err)
{
    struct rf_cql_parameters parameters = {.consistency = RF_CQL_ONE};
    struct rf_cql_error error;

    rf_cql_add_query(rf_cql_request(cql, RF_CQL_QUERY, RF_CQL_ASK), cql->version,
                     rf_str_of(statement), &parameters, NULL);
    enum rf_status status = rf_cql_ask(cql, &out->answer, err);
    if (status != RF_OK) {
        return status;
    }
    if (out->answer.opcode == RF_CQL_ERROR) {
        status = rf_cql_error_parse(&out->answer.body, out->answer.version, &error, err);
        if (status != RF_OK || is_not_there_yet(&error)) {
            return status;
        }
        status = rf_cql_refused(cql, &error, err);
        return status == RF_REJECT ? RF_CONFIG : status;
    }
    if (out->answer.opcode != RF_CQL_RESULT) {
        return rf_fail(err, RF_CONFIG, "%s answered a statement with opcode %u", cql->peer,
                       out->answer.opcode);
    }
    status =
        rf_cql_result_parse(&out->answer.body, out->answer.version, &out->arena, &out->result, err);
    if (status == RF_OK && out->result.row_count > 0 && out->result.columns.count != columns) {
        return rf_fail(err, RF_CONFIG, "%s answered with %u columns instead of %u", cql->peer,
                       out->result.columns.count, columns);
    }
    out->rows = status == RF_OK ? out->result.row_count : 0;
    return status;
}

/* Of a document, {"_id":"...","stamp":"..."}, its stamp; empty: it has none. */
static struct rf_str stamp_of(struct rf_str document)
{
    static const char lead[] = "\"stamp\":\"";
    const char *end = document.data + document.size;
    const char *at =
        document.size > 0 ? memmem(document.data, document.size, lead, sizeof lead - 1) : NULL;

    if (at == NULL) {
        return RF_STR_NONE;
    }
    at += sizeof lead - 1;
    const char *quote = memchr(at, '"', (size_t)(end - at));
    return quote != NULL ? (struct rf_str){at, (size_t)(quote - at)} : RF_STR_NONE;
}

/* select: up to the list of ids. documents: the second column is one, with the stamp in it. */
static enum rf_status find(struct rf_cql *cql, const char *select, bool documents,
                           struct rf_post *posts, uint32_t count, struct rf_error *err)
{
    struct answer answer = {0};
    struct rf_buf statement = {0};
    struct rf_str values[2] = {{0}};

    rf_buf_printf(&statement, "%s IN (", select);
    for (uint32_t i = 0; i < count; i++) {
        rf_buf_printf(&statement, "%s'%s'", i > 0 ? "," : "", posts[i].id); /* digits and dashes */
        posts[i].stamp[0] = '\0';
    }
    rf_buf_add_byte(&statement, ')');
    enum rf_status status = ask(cql, rf_buf_cstr(&statement), 2, &answer, err);
    for (uint32_t i = 0; status == RF_OK && i < answer.rows; i++) {
        status = rf_cql_result_row(&answer.result, values, err);
        if (status == RF_OK) {
            rf_posts_take(posts, count, values[0], documents ? stamp_of(values[1]) : values[1]);
        }
    }
    rf_arena_deinit(&answer.arena);
    rf_buf_deinit(&statement);
    return status;
}

enum rf_status rf_stores_cassandra_find(struct rf_cql *cql, struct rf_post *posts, uint32_t count,
                                        struct rf_error *err)
{
    return find(cql, "SELECT id, stamp FROM stamps.pluto_posts WHERE id", false, posts, count, err);
}

enum rf_status rf_stores_cassandra_notes(struct rf_cql *cql, struct rf_post *notes, uint32_t count,
                                         struct rf_error *err)
{
    return find(cql, "SELECT \"_id\", document FROM stamps.mongo_notes WHERE \"_id\"", true, notes,
                count, err);
}

/* COUNT(*) would read all of the table, on all nodes, however large it is. */
enum rf_status rf_stores_cassandra_count(struct rf_cql *cql, struct rf_store_count *out,
                                         struct rf_error *err)
{
    struct answer answer = {0};
    char statement[80];

    snprintf(statement, sizeof statement, "SELECT id FROM stamps.pluto_posts LIMIT %d",
             COUNT_MAX + 1);
    enum rf_status status = ask(cql, statement, 1, &answer, err);
    out->more = answer.rows > COUNT_MAX;
    out->rows = out->more ? COUNT_MAX : answer.rows;
    rf_arena_deinit(&answer.arena);
    return status;
}

enum rf_status rf_stores_cassandra_max(struct rf_cql *cql, char *out, struct rf_error *err)
{
    struct answer answer = {0};
    struct rf_str value = {0};
    enum rf_status status =
        ask(cql, "SELECT stamp FROM stamps.posts WHERE id = 'maxTimeStamp'", 1, &answer, err);

    if (status == RF_OK && answer.rows > 0) {
        status = rf_cql_result_row(&answer.result, &value, err);
    }
    snprintf(out, RF_POST_STAMP_SIZE + 1, "%.*s", RF_STR_ARG(value));
    rf_arena_deinit(&answer.arena);
    return status;
}
