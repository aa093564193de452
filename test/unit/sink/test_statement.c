/* What sinks that hold the last state say of statements that leave them behind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "sink/statement.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

static char log_text[4096];

/* What is logged of a change of a collection. */
static const char *warning_of(const char *type, const char *to)
{
    const struct rf_document_change change = {.type = rf_str_of(type), .to = rf_str_of(to)};
    const struct rf_event event = {.op = RF_DDL,
                                   .database = RF_STR("shop"),
                                   .object = RF_STR("tmp"),
                                   .statement = RF_STR("{}"),
                                   .change = &change};
    int heard = memfd_create("log", MFD_CLOEXEC), aloud = fcntl(2, F_DUPFD_CLOEXEC, 3);
    assert_true(heard >= 0 && aloud >= 0 && dup2(heard, 2) == 2);
    rf_statement_warn(&event, "keys", "Redis");
    ssize_t size = pread(heard, log_text, sizeof log_text - 1, 0);
    assert_true(size >= 0 && dup2(aloud, 2) == 2);
    close(heard);
    close(aloud);
    log_text[size] = '\0';
    return log_text;
}

static void test_a_rename_is_told_with_both_names_and_what_to_do(void **state)
{
    (void)state;
    const char *text = warning_of("rename", "shop.orders");
    assert_non_null(strstr(text, "shop.tmp was renamed to shop.orders"));
    assert_non_null(strstr(text, "copy shop.orders anew"));
}

static void test_a_drop_is_told_and_an_end_is_not(void **state)
{
    (void)state;
    assert_non_null(strstr(warning_of("drop", ""), "drop of shop.tmp: documents"));
    assert_non_null(strstr(warning_of("dropDatabase", ""), "dropDatabase of shop: documents"));
    assert_string_equal(warning_of("invalidate", ""), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_rename_is_told_with_both_names_and_what_to_do),
        cmocka_unit_test(test_a_drop_is_told_and_an_end_is_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
