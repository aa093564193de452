#include "programs/screen.h"

#include "programs/ferry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <signal.h>

static struct rf_trail trail, notes_trail;

static struct rf_screen sample(void)
{
    struct rf_screen screen = {.run = 12,
                               .every_ms = 2000,
                               .pid = 4711,
                               .trail = &trail,
                               .notes_trail = &notes_trail,
                               .mysql = {.counted = true, .count = {.rows = 2}},
                               .mongo = {.counted = true, .count = {.rows = 2}},
                               .redis = {.counted = true, .count = {.rows = 1}},
                               .notes = {.counted = true, .count = {.rows = 1}},
                               .last_notes = {{"n", "2026-11-22 17:00:02"}},
                               .note_count = 1,
                               .date = "2026-11-22 17:00:00",
                               .now_ms = 5000};

    memset(&trail, 0, sizeof trail);
    memset(&notes_trail, 0, sizeof notes_trail);
    rf_trail_wrote(&notes_trail, &(struct rf_post){"n", "2026-11-22 17:00:02"}, 4000);
    rf_trail_answer(&notes_trail, RF_COPY_REDIS, 0, "2026-11-22 17:00:02", 4030);
    rf_trail_wrote(&trail, &(struct rf_post){"a", "2026-11-22 17:00:00"}, 2000);
    rf_trail_wrote(&trail, &(struct rf_post){"b", "2026-11-22 17:00:02"}, 4000);
    rf_trail_answer(&trail, RF_COPY_MONGO, 0, "2026-11-22 17:00:02", 4060);
    rf_trail_answer(&trail, RF_COPY_MONGO, 1, "2026-11-22 17:00:00", 2060);
    rf_trail_answer(&trail, RF_COPY_REDIS, 1, "2026-11-22 17:00:00", 2060);
    trail.unused[RF_COPY_CASSANDRA] = trail.unused[RF_COPY_MAX] = true;
    rf_trail_value(&trail, RF_COPY_DATE, screen.date, 2070);
    return screen;
}

static char *table_of(const struct rf_screen *screen, uint32_t columns, uint32_t *lines)
{
    struct rf_buf out = {0};

    *lines = rf_screen_table(screen, columns, &out);
    rf_buf_cstr(&out);
    return out.data;
}

static void test_the_last_stamps_stand_side_by_side(void **state)
{
    struct rf_screen screen = sample();
    uint32_t lines;
    (void)state;
    char *table = table_of(&screen, 120, &lines);
    assert_string_equal(
        table,
        "scheduler  run 12, every 2.0 s              the pipeline runs, pid 4711\033[K\n"
        "\033[K\n"
        "  MySQL                MongoDB              Redis                notes (MongoDB)\033[K\n"
        "  2026-11-22 17:00:02  2026-11-22 17:00:02  -                    2026-11-22 "
        "17:00:02\033[K\n"
        "  2026-11-22 17:00:00  2026-11-22 17:00:00  2026-11-22 17:00:00\033[K\n"
        "\033[K\n\033[K\n\033[K\n"
        "  2 rows               2 rows               1 row                1 row\033[K\n"
        "                       60 ms behind         1 missing, 1.0 s\033[K\n"
        "  LastInsertDate       2026-11-22 17:00:00  1 missing, 1.0 s\033[K\n"
        "  notes in Redis       2026-11-22 17:00:02  30 ms behind\033[K\n"
        "\033[K\n");
    assert_int_equal(lines, 13);
    free(table);
}

static void test_no_line_is_wider_than_the_terminal(void **state)
{
    struct rf_screen screen = sample();
    (void)state;
    screen.mongo.away = true;
    screen.mongo.why = "could not connect to MongoDB at 127.0.0.1:1800: Connection refused";
    snprintf(screen.news[3], sizeof screen.news[3], "17:00:00 the pipeline was killed by signal 9");
    for (uint32_t columns = 1; columns < 90; columns++) {
        uint32_t lines, seen = 0, width = 0;
        char *table = table_of(&screen, columns, &lines);
        for (const char *at = table; *at != '\0'; at++) {
            if (strncmp(at, "\033[K", 3) == 0) {
                at += 2;
            } else if (*at == '\n') {
                seen++;
                width = 0;
            } else {
                assert_true(++width <= columns);
            }
        }
        assert_int_equal(seen, lines);
        free(table);
    }
}

static void test_a_store_that_is_away_shows_no_stale_rows(void **state)
{
    struct rf_screen screen = sample();
    uint32_t lines;
    (void)state;
    screen.redis.away = true;
    screen.redis.why = "Connection refused";
    char *table = table_of(&screen, 120, &lines);
    assert_non_null(strstr(table, "Redis away"));
    assert_non_null(strstr(table, "17:00:02  ?"));
    assert_non_null(strstr(table, "Redis is away: Connection refused"));
    assert_non_null(strstr(table, "LastInsertDate       ?\033[K"));
    assert_null(strstr(table, "1 missing")); /* who knows */
    free(table);
}

static void test_a_message_is_told_to_its_end(void **state)
{
    struct rf_screen screen = sample();
    uint32_t lines, before;
    (void)state;
    free(table_of(&screen, 30, &before));
    screen.mysql.unread = true;
    screen.mysql.why = "a statement so long that its end lies beyond the line: denied";
    snprintf(screen.no_note, sizeof screen.no_note, "note not confirmed: MongoDB was away");
    char *table = table_of(&screen, 30, &lines);
    assert_int_equal(lines, before + 5);
    assert_non_null(strstr(table, "MySQL cannot be read: a statem\033[K\n"
                                  "ent so long that its end lies \033[K\n"
                                  "beyond the line: denied\033[K\n"
                                  "note not confirmed: MongoDB wa\033[K\ns away\033[K\n"));
    free(table);
}

static void test_counts_say_how_sure_they_are(void **state)
{
    struct rf_screen screen = sample();
    struct rf_buf out = {0};
    (void)state;
    screen.redis.count = (struct rf_store_count){.rows = 30000, .about = true};
    screen.mongo.count = (struct rf_store_count){.rows = 20000, .more = true};
    snprintf(screen.no_row, sizeof screen.no_row, "row not written: INSERT denied");
    rf_screen_line(&screen, &out);
    assert_non_null(strstr(rf_buf_cstr(&out), "; MongoDB 20000+ rows, "));
    assert_non_null(strstr(rf_buf_cstr(&out), "; Redis about 30000 rows, "));
    assert_non_null(strstr(rf_buf_cstr(&out), "; row not written: INSERT denied\n"));
    rf_buf_deinit(&out);
}

static void test_colours_are_there_only_when_wanted(void **state)
{
    struct rf_screen screen = sample();
    uint32_t lines;
    (void)state;
    screen.pid = 0;
    char *table = table_of(&screen, 120, &lines);
    assert_null(strstr(table, "\033[3"));
    free(table);
    screen.coloured = true;
    table = table_of(&screen, 120, &lines);
    assert_non_null(strstr(table, "\033[31mthe pipeline does not run\033[0m"));
    assert_non_null(strstr(table, "\033[32m60 ms behind\033[0m"));
    assert_non_null(strstr(table, "\033[33m1 missing, 1.0 s\033[0m"));
    free(table);
}

static void test_a_line_says_the_same_in_words(void **state)
{
    struct rf_screen screen = sample();
    struct rf_buf out = {0};
    (void)state;
    rf_screen_line(&screen, &out);
    assert_string_equal(rf_buf_cstr(&out),
                        "run 12: MySQL 2 rows; MongoDB 2 rows, 60 ms behind; Redis 1 row, "
                        "1 missing, 1.0 s; LastInsertDate 2026-11-22 17:00:00, 1 missing, 1.0 s; "
                        "notes 1 row, in Redis 30 ms behind\n");
    rf_buf_reset(&out);
    screen.mysql.away = screen.redis.away = true;
    screen.mysql.why = "gone";
    screen.redis.why = "lost";
    screen.mongo.count.about = true;
    rf_screen_line(&screen, &out);
    assert_string_equal(rf_buf_cstr(&out),
                        "run 12: MySQL is away: gone; MongoDB about 2 rows, 60 ms behind; Redis "
                        "is away: lost; notes 1 row\n");
    rf_buf_deinit(&out);
}

static void test_notes_are_told_for_each_copy(void **state)
{
    struct rf_screen screen = sample();
    struct rf_buf out = {0};
    uint32_t lines;
    (void)state;
    screen.has_cassandra = true;
    rf_screen_line(&screen, &out);
    assert_non_null(strstr(rf_buf_cstr(&out), "; notes 1 row, in Redis 30 ms behind, in Cassandra "
                                              "1 missing, 1.0 s\n"));
    rf_trail_answer(&notes_trail, RF_COPY_CASSANDRA, 0, "2026-11-22 17:00:02", 4040);
    char *table = table_of(&screen, 120, &lines);
    assert_non_null(strstr(table,
                           "  notes in Redis       2026-11-22 17:00:02  30 ms behind\033[K\n"
                           "  notes in Cassandra   2026-11-22 17:00:02  40 ms behind\033[K\n"));
    free(table);
    screen.cassandra.away = true;
    screen.cassandra.why = "gone";
    rf_buf_reset(&out);
    rf_screen_line(&screen, &out);
    assert_non_null(strstr(rf_buf_cstr(&out), "; notes 1 row, in Redis 30 ms behind\n"));
    rf_buf_deinit(&out);
}

static void test_how_the_pipeline_ended_says_what_is_done(void **state)
{
    /* As waitpid tells it: the signal in the low bits, an exit code above them. */
    static const struct {
        int status, code;
        enum rf_ferry_end end;
        const char *why;
    } cases[] = {
        {0 << 8, 0, RF_FERRY_AGAIN, "ended with 0: ended by itself"},
        {1 << 8, 1, RF_FERRY_OVER, "ended with 1: does not know its own command line"},
        {2 << 8, 2, RF_FERRY_OVER, "ended with 2: something has to be changed first"},
        {3 << 8, 3, RF_FERRY_OVER, "ended with 3: data would be lost"},
        {4 << 8, 4, RF_FERRY_OVER, "ended with 4: a store refused an event"},
        {5 << 8, 5, RF_FERRY_AGAIN, "ended with 5: a server could not be reached"},
        {77 << 8, 77, RF_FERRY_AGAIN, "ended with 77"},
        {143 << 8, 143, RF_FERRY_AGAIN, "was stopped by signal 15 (Terminated)"},
        {SIGKILL, 137, RF_FERRY_AGAIN, "was killed by signal 9 (Killed)"},
        {SIGSEGV | 0x80, 139, RF_FERRY_AGAIN, "was killed by signal 11 (Segmentation fault)"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rf_buf why = {0};
        int code = -1;
        assert_int_equal(rf_ferry_judge(cases[i].status, &code, &why), cases[i].end);
        assert_int_equal(code, cases[i].code);
        assert_string_equal(rf_buf_cstr(&why), cases[i].why);
        rf_buf_deinit(&why);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_last_stamps_stand_side_by_side),
        cmocka_unit_test(test_no_line_is_wider_than_the_terminal),
        cmocka_unit_test(test_a_store_that_is_away_shows_no_stale_rows),
        cmocka_unit_test(test_a_message_is_told_to_its_end),
        cmocka_unit_test(test_counts_say_how_sure_they_are),
        cmocka_unit_test(test_colours_are_there_only_when_wanted),
        cmocka_unit_test(test_a_line_says_the_same_in_words),
        cmocka_unit_test(test_notes_are_told_for_each_copy),
        cmocka_unit_test(test_how_the_pipeline_ended_says_what_is_done),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
