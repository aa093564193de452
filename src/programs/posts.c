#include "programs/posts.h"

#include <stdio.h>
#include <sys/random.h>
#include <time.h>

/* Of one statement, so that none comes near the server's limit. */
enum { ROWS_MAX = 1000 };

/* Source: RFC 4122, section 4.4. */
static void make_id(char out[RF_POST_ID_SIZE + 1])
{
    unsigned char b[16];

    rf_assert(getrandom(b, sizeof b, 0) == (ssize_t)sizeof b);
    b[6] = (unsigned char)((b[6] & 0x0F) | 0x40);
    b[8] = (unsigned char)((b[8] & 0x3F) | 0x80);
    snprintf(out, RF_POST_ID_SIZE + 1,
             "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1],
             b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14],
             b[15]);
}

void rf_post_make(struct rf_post *post)
{
    time_t now = time(NULL);
    struct tm local;

    make_id(post->id);
    localtime_r(&now, &local);
    if (strftime(post->stamp, sizeof post->stamp, "%Y-%m-%d %H:%M:%S", &local) == 0) {
        post->stamp[0] = '\0'; /* a year of five digits */
    }
}

static enum rf_status write_some(struct rf_mysql *mysql, const struct rf_post *posts,
                                 uint32_t count, struct rf_error *err)
{
    struct rf_buf statement = {0};

    rf_buf_printf(&statement, "INSERT INTO pluto.posts (id, stamp) VALUES ");
    for (uint32_t i = 0; i < count; i++) {
        /* Both are of our making, digits and dashes. */
        rf_buf_printf(&statement, "%s('%s', '%s')", i > 0 ? ", " : "", posts[i].id, posts[i].stamp);
    }
    enum rf_status status =
        rf_mysql_execute(mysql, rf_buf_cstr(&statement), "writing to pluto.posts", err);
    rf_buf_deinit(&statement);
    return status;
}

enum rf_status rf_posts_write(struct rf_mysql *mysql, const struct rf_post *posts, uint32_t count,
                              struct rf_error *err)
{
    bool single = count <= ROWS_MAX; /* a statement by itself is a transaction */
    enum rf_status status =
        single ? RF_OK : rf_mysql_query(mysql, "START TRANSACTION", 0, NULL, err);

    for (uint32_t at = 0; status == RF_OK && at < count; at += ROWS_MAX) {
        status = write_some(mysql, posts + at, count - at < ROWS_MAX ? count - at : ROWS_MAX, err);
    }
    if (status == RF_OK && !single) {
        status = rf_mysql_query(mysql, "COMMIT", 0, NULL, err);
    }
    return status;
}

static void copy_cell(char *out, size_t size, struct rf_str cell)
{
    snprintf(out, size, "%.*s", RF_STR_ARG(cell));
}

enum rf_status rf_posts_last(struct rf_mysql *mysql, struct rf_post *posts, uint32_t *count,
                             struct rf_error *err)
{
    struct rf_mysql_result result = {0};
    char statement[128];
    uint32_t found = 0;

    snprintf(statement, sizeof statement,
             "SELECT id, stamp FROM pluto.posts ORDER BY stamp DESC, id DESC LIMIT %u", *count);
    enum rf_status status = rf_mysql_query(mysql, statement, 0, &result, err);
    while (status == RF_OK && found < *count && rf_mysql_result_next(&result)) {
        copy_cell(posts[found].id, sizeof posts->id, rf_mysql_result_cell(&result, 0));
        copy_cell(posts[found].stamp, sizeof posts->stamp, rf_mysql_result_cell(&result, 1));
        found++;
    }
    rf_mysql_result_deinit(&result);
    *count = found;
    return status;
}

void rf_posts_take(struct rf_post *posts, uint32_t count, struct rf_str id, struct rf_str stamp)
{
    for (uint32_t i = 0; i < count; i++) {
        if (rf_str_equal(rf_str_of(posts[i].id), id)) {
            copy_cell(posts[i].stamp, sizeof posts->stamp, stamp);
        }
    }
}

enum rf_status rf_posts_find(struct rf_mysql *mysql, struct rf_post *posts, uint32_t count,
                             struct rf_error *err)
{
    struct rf_mysql_result result = {0};
    struct rf_buf statement = {0};

    rf_buf_printf(&statement, "SELECT id, stamp FROM pluto.posts WHERE id IN (");
    for (uint32_t i = 0; i < count; i++) {
        rf_buf_printf(&statement, "%s'%s'", i > 0 ? "," : "", posts[i].id);
        posts[i].stamp[0] = '\0';
    }
    rf_buf_add_byte(&statement, ')');
    enum rf_status status = rf_mysql_query(mysql, rf_buf_cstr(&statement), 0, &result, err);
    while (status == RF_OK && rf_mysql_result_next(&result)) {
        rf_posts_take(posts, count, rf_mysql_result_cell(&result, 0),
                      rf_mysql_result_cell(&result, 1));
    }
    rf_mysql_result_deinit(&result);
    rf_buf_deinit(&statement);
    return status;
}

static enum rf_status ask_number(struct rf_mysql *mysql, const char *statement, uint64_t *out,
                                 struct rf_error *err)
{
    struct rf_mysql_result result = {0};
    enum rf_status status = rf_mysql_query(mysql, statement, 0, &result, err);

    if (status == RF_OK &&
        (!rf_mysql_result_next(&result) || !rf_str_to_u64(rf_mysql_result_cell(&result, 0), out))) {
        status = rf_fail(err, RF_CONFIG, "MySQL answered '%s' without a number", statement);
    }
    rf_mysql_result_deinit(&result);
    return status;
}

enum rf_status rf_posts_count(struct rf_mysql *mysql, uint64_t *out, struct rf_error *err)
{
    return ask_number(mysql, "SELECT COUNT(*) FROM pluto.posts", out, err);
}

enum rf_status rf_posts_clear(struct rf_mysql *mysql, uint64_t *out, struct rf_error *err)
{
    /* Row by row in the log, so that each copy loses exactly these rows. */
    enum rf_status status = rf_mysql_query(mysql, "DELETE FROM pluto.posts", 0, NULL, err);

    return status == RF_OK ? ask_number(mysql, "SELECT ROW_COUNT()", out, err) : status;
}
