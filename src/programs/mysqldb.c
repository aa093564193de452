/* mysqldb: writes some rows to MySQL and shows the last ones, at each run. */
#include "base/exit.h"
#include "base/memory.h"
#include "base/message.h"
#include "programs/access.h"
#include "programs/posts.h"
#include "programs/verb.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

enum { TIMEOUT_MS = 5000, SHOWN = 5 };

struct options {
    int64_t rows;
};

static const struct rf_option options[] = {
    {"rows", RF_OPTION_INT, offsetof(struct options, rows), "5", "0..1000000",
     "how many rows to write", false},
    RF_OPTION_END,
};

static enum rf_status write_rows(struct rf_mysql *mysql, uint32_t count, struct rf_error *err)
{
    struct rf_post *posts = rf_alloc_zero(count + 1, sizeof *posts);

    for (uint32_t i = 0; i < count; i++) {
        rf_post_make(&posts[i]);
    }
    enum rf_status status = count > 0 ? rf_posts_write(mysql, posts, count, err) : RF_OK;
    free(posts);
    return status;
}

static enum rf_status show_rows(struct rf_mysql *mysql, uint32_t written, struct rf_error *err)
{
    struct rf_post posts[SHOWN];
    uint32_t count = SHOWN;
    uint64_t all = 0;
    enum rf_status status = rf_posts_last(mysql, posts, &count, err);

    if (status == RF_OK) {
        status = rf_posts_count(mysql, &all, err);
    }
    if (status == RF_OK) {
        printf("wrote %u row%s to pluto.posts, which has %llu now%s\n", written,
               written == 1 ? "" : "s", (unsigned long long)all, count > 0 ? "; the last:" : "");
        for (uint32_t i = 0; i < count; i++) {
            printf("  %s  %s\n", posts[i].id, posts[i].stamp);
        }
        fflush(stdout);
    }
    return status;
}

static int run(const struct rf_call *call)
{
    const struct options *chosen = call->options;
    struct rf_mysql mysql = {0};
    struct rf_error err = {0};
    enum rf_status status = rf_access_mysql(&mysql, TIMEOUT_MS, &err);

    if (status == RF_OK) {
        status = write_rows(&mysql, (uint32_t)chosen->rows, &err);
    }
    if (status == RF_OK) {
        status = show_rows(&mysql, (uint32_t)chosen->rows, &err);
    }
    rf_mysql_close(&mysql);
    if (status != RF_OK) {
        rf_message_failure(&err);
        return status == RF_RETRY ? RF_EXIT_UNREACHABLE : RF_EXIT_CONFIG;
    }
    return RF_EXIT_DONE;
}

RF_VERB(write, .name = "", .usage = "[--rows N]", .summary = "write rows and show the last ones",
        .help = "Each row is a random id and the time. They go to the table pluto.posts of\n"
                "final_mysql_container.\n",
        .options = options, .state_size = sizeof(struct options), .run = run);

int main(int argc, char **argv)
{
    static const struct rf_program program = {
        .name = "mysqldb",
        .summary = "Writes rows to the private MySQL server.\n",
    };

    signal(SIGPIPE, SIG_IGN);
    rf_message_set_program("mysqldb");
    return rf_verbs_main(&program, argc - 1, argv + 1);
}
