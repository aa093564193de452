#include "cli/command.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void test_every_command_is_complete(void **state)
{
    struct rf_buf all = {0};
    (void)state;
    rf_command_describe_all(&all);
    rf_buf_cstr(&all);
    for (size_t i = 0; rf_commands[i] != NULL; i++) {
        const struct rf_command *each = rf_commands[i];
        assert_ptr_equal(rf_command_find(each->name), each);
        assert_non_null(each->usage);
        assert_non_null(each->options);
        assert_int_equal((each->run != NULL) + (each->run_typed != NULL) + (each->run_raw != NULL),
                         1);
        assert_true(each->words_min <= each->words_max && each->words_max < RF_ARGUMENTS_MAX);
        assert_true(strlen(each->help) > 0 && each->help[strlen(each->help) - 1] == '\n');
        assert_non_null(strstr(all.data, each->summary));
    }
    assert_null(rf_command_find("nothing"));
    rf_buf_deinit(&all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_command_is_complete),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
