/* What one sink is given: transforms, buried events, an exact end; and how long it stays. */
#include "engine/views.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { TRANSACTIONS = 6, PER_TRANSACTION = 4 };

/* --------------------------------------------------------------- a transform that does anything */

static struct rf_table other_table = {
    .references = 1,
    .version = 1,
    .database = {"other", 5},
    .name = {"things", 6},
    .full_name = {"other.things", 12},
};

struct twist {
    int64_t drop_every, refuse_at, unfit_at;
    bool negate, rename;
    const char *salt;
    uint64_t open;
};

static struct {
    uint64_t opened, closed;
} seen;

static enum rf_status twist_open(void *state, struct rf_error *err)
{
    struct twist *twist = state;
    twist->open = ++seen.opened;
    return twist->salt != NULL && strlen(twist->salt) < 4
               ? rf_fail(err, RF_CONFIG, "the salt is too short")
               : RF_OK;
}

static enum rf_status twist_apply(void *state, struct rf_event *event, bool *drop,
                                  struct rf_arena *arena, struct rf_error *err)
{
    struct twist *twist = state;
    int64_t number = event->after->i;
    if (number == twist->refuse_at) {
        return rf_fail(err, RF_REJECT, "it cannot be twisted");
    }
    if (number == twist->unfit_at) {
        return rf_fail(err, RF_CONFIG, "there is no such column");
    }
    if (twist->negate) {
        struct rf_value *values = rf_arena_alloc(arena, sizeof *values);
        *values = (struct rf_value){.kind = RF_INT, .i = -number};
        event->after = values;
    }
    if (twist->rename) {
        event->table = &other_table;
    }
    *drop = twist->drop_every > 0 && number % twist->drop_every == 0;
    return RF_OK;
}

static void twist_close(void *state)
{
    struct twist *twist = state;
    seen.closed++;
    twist->open = 0;
}

static const struct rf_option twist_options[] = {
    {"drop_every", RF_OPTION_INT, offsetof(struct twist, drop_every), NULL, NULL, "", false},
    {"refuse_at", RF_OPTION_INT, offsetof(struct twist, refuse_at), NULL, NULL, "", false},
    {"unfit_at", RF_OPTION_INT, offsetof(struct twist, unfit_at), NULL, NULL, "", false},
    {"negate", RF_OPTION_BOOL, offsetof(struct twist, negate), NULL, NULL, "", false},
    {"rename", RF_OPTION_BOOL, offsetof(struct twist, rename), NULL, NULL, "", false},
    {"salt", RF_OPTION_SECRET, offsetof(struct twist, salt), NULL, NULL, "", false},
    RF_OPTION_END,
};

static const struct rf_transform_type twist_type = {
    .name = "twist",
    .state_size = sizeof(struct twist),
    .options = twist_options,
    .open = twist_open,
    .apply = twist_apply,
    .close = twist_close,
};

/* Doubles; tells the order in which transforms come. */
struct doubling {
    bool on;
};

static enum rf_status doubling_open(void *state, struct rf_error *err)
{
    (void)state;
    (void)err;
    return RF_OK;
}

static enum rf_status doubling_apply(void *state, struct rf_event *event, bool *drop,
                                     struct rf_arena *arena, struct rf_error *err)
{
    (void)state;
    (void)drop;
    (void)err;
    struct rf_value *values = rf_arena_alloc(arena, sizeof *values);
    *values = (struct rf_value){.kind = RF_INT, .i = 2 * event->after->i};
    event->after = values;
    return RF_OK;
}

static void doubling_close(void *state)
{
    (void)state;
}

static const struct rf_option doubling_options[] = {
    {"double", RF_OPTION_BOOL, offsetof(struct doubling, on), NULL, NULL, "", false},
    RF_OPTION_END,
};

static const struct rf_transform_type doubling_type = {
    .name = "doubling",
    .state_size = sizeof(struct doubling),
    .options = doubling_options,
    .open = doubling_open,
    .apply = doubling_apply,
    .close = doubling_close,
};

/* -------------------------------------------------------------------------------------- a batch */

struct fixture {
    struct rf_batch batch;
    struct rf_table table;
    struct rf_views views;
    struct rf_buried buried;
    struct rf_sink_spec spec;
    struct rf_setting settings[4];
    struct rf_error err;
};

/* Events are numbered from 1; the last transaction goes on in another batch. */
static void fill(struct fixture *fixture)
{
    struct rf_batch *batch = &fixture->batch;
    char text[16];
    for (int64_t i = 0; i < TRANSACTIONS; i++) {
        snprintf(text, sizeof text, "T%d", (int)i + 1);
        rf_batch_begin(batch, rf_str_of(text), 1000 + i, true);
        for (uint32_t j = 0; j < PER_TRANSACTION; j++) {
            struct rf_event *event = rf_batch_add(batch);
            struct rf_value *value = rf_arena_alloc(&batch->arena, sizeof *value);
            *value = (struct rf_value){.kind = RF_INT, .i = i * PER_TRANSACTION + j + 1};
            *event = (struct rf_event){
                .op = RF_CREATE,
                .ordinal = j + 1,
                .transaction = event->transaction,
                .table = &fixture->table,
                .after = value,
            };
        }
        if (i + 1 < TRANSACTIONS) {
            rf_batch_commit(batch);
        }
    }
    rf_batch_set_position(batch, RF_STR("P5"), 1004);
}

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    fixture->table = (struct rf_table){.references = 1, .full_name = {"shop.items", 10}};
    fill(fixture);
    memset(&seen, 0, sizeof seen);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    rf_views_deinit(&fixture->views);
    rf_buried_deinit(&fixture->buried);
    rf_batch_deinit(&fixture->batch);
    free(fixture);
    return 0;
}

static void use(struct fixture *fixture, const struct rf_transform_type *type, const char *option,
                const char *value)
{
    struct rf_sink_spec *spec = &fixture->spec;
    fixture->settings[spec->settings.count] = (struct rf_setting){option, value, NULL};
    spec->settings.items = fixture->settings;
    spec->settings.count++;
    if (spec->transform_count == 0 || spec->transforms[spec->transform_count - 1] != type) {
        spec->transforms[spec->transform_count++] = type;
    }
}

/* The view from transaction `from` on (counted from 0). */
static struct rf_view whole_of(const struct fixture *fixture, uint32_t from)
{
    const struct rf_batch *batch = &fixture->batch;
    uint32_t first = batch->transactions[from].first;
    return (struct rf_view){
        .batch = batch,
        .events = batch->events + first,
        .count = batch->count - first,
        .transactions = batch->transactions + from,
        .transaction_count = batch->transaction_count - from,
    };
}

static const struct rf_view *give(struct fixture *fixture, uint32_t from)
{
    const struct rf_view *out;
    struct rf_view whole = whole_of(fixture, from);
    assert_int_equal(rf_views_give(&fixture->views, &fixture->buried, &whole, &out, &fixture->err),
                     RF_OK);
    return out;
}

static void open_views(struct fixture *fixture, uint64_t left)
{
    assert_int_equal(rf_views_open(&fixture->views, &fixture->spec, left, &fixture->err), RF_OK);
}

/* What every sink may rely on. */
static void check_view(const struct rf_view *view)
{
    const struct rf_event *event = view->events;
    for (uint32_t i = 0; i < view->transaction_count; i++) {
        const struct rf_transaction *transaction = &view->transactions[i];
        assert_ptr_equal(event, view->batch->events + transaction->first);
        for (uint32_t j = 0; j < transaction->count; j++, event++) {
            assert_ptr_equal(rf_view_transaction(view, event), transaction);
            assert_int_equal(rf_view_ends(view, event),
                             transaction->ends && j + 1 == transaction->count);
        }
    }
    assert_ptr_equal(event, view->events + view->count);
}

/* ---------------------------------------------------------------------------------------- tests */

static void test_without_work_the_batch_itself_goes_through(void **state)
{
    struct fixture *fixture = *state;
    open_views(fixture, UINT64_MAX);
    const struct rf_view *view = give(fixture, 2);
    assert_ptr_equal(view->batch, &fixture->batch);
    assert_ptr_equal(view->events, fixture->batch.events + 2 * PER_TRANSACTION);
    check_view(view);
}

static void test_a_shadow_looks_like_a_batch_and_leaves_the_batch_alone(void **state)
{
    struct fixture *fixture = *state;
    use(fixture, &twist_type, "negate", "on");
    use(fixture, &twist_type, "rename", "on");
    open_views(fixture, UINT64_MAX);
    const struct rf_view *view = give(fixture, 1);
    check_view(view);
    assert_int_equal(view->count, (TRANSACTIONS - 1) * PER_TRANSACTION);
    assert_int_equal(view->transaction_count, TRANSACTIONS - 1);
    assert_true(rf_str_equal(view->transactions[0].id, RF_STR("T2")));
    assert_int_equal(view->transactions[0].commit_us, 1001);
    assert_false(view->transactions[TRANSACTIONS - 2].ends);
    assert_true(rf_str_equal(view->batch->position, RF_STR("P5")));
    assert_int_equal(view->batch->commit_us, 1004);
    for (uint32_t i = 0; i < view->count; i++) {
        const struct rf_event *from = &fixture->batch.events[PER_TRANSACTION + i];
        assert_int_equal(view->events[i].after->i, -from->after->i);
        assert_int_equal(view->events[i].ordinal, from->ordinal);
        assert_ptr_equal(view->events[i].table, &other_table);
        assert_ptr_equal(from->table, &fixture->table);
        assert_int_equal(from->after->i, PER_TRANSACTION + i + 1);
    }
}

/* By that a sink knows that more follows at once; the events' memory is not the shadow's own. */
static void test_a_shadow_of_a_full_batch_is_full(void **state)
{
    struct fixture *fixture = *state;
    use(fixture, &twist_type, "drop_every", "2");
    open_views(fixture, UINT64_MAX);
    fixture->batch.bytes_max = 1 << 30;
    assert_false(rf_batch_full(&fixture->batch));
    assert_false(rf_batch_full(give(fixture, 0)->batch));
    fixture->batch.bytes_max = rf_batch_bytes(&fixture->batch) / 2;
    assert_true(rf_batch_full(&fixture->batch));
    assert_true(rf_batch_full(give(fixture, 0)->batch));
}

static void test_transforms_are_applied_in_their_order(void **state)
{
    struct fixture *fixture = *state;
    use(fixture, &doubling_type, "double", "on");
    use(fixture, &twist_type, "drop_every", "6"); /* of the doubled numbers */
    open_views(fixture, UINT64_MAX);
    const struct rf_view *view = give(fixture, 0);
    check_view(view);
    assert_int_equal(view->count, TRANSACTIONS * PER_TRANSACTION * 2 / 3);
    assert_int_equal(view->events[0].after->i, 2);
    assert_int_equal(view->events[2].after->i, 8);
}

static void test_a_transaction_without_events_keeps_its_end(void **state)
{
    struct fixture *fixture = *state;
    use(fixture, &twist_type, "drop_every", "1");
    open_views(fixture, UINT64_MAX);
    const struct rf_view *view = give(fixture, 0);
    check_view(view);
    assert_int_equal(view->count, 0);
    assert_int_equal(view->transaction_count, TRANSACTIONS);
    assert_true(view->transactions[0].begins && view->transactions[0].ends);
}

static void test_what_was_given_stays_until_the_covering_flush(void **state)
{
    struct fixture *fixture = *state;
    enum { GIVEN = 50 };
    const struct rf_view *views[GIVEN];
    use(fixture, &twist_type, "negate", "on");
    open_views(fixture, UINT64_MAX);
    for (int round = 0; round < 3; round++) {
        for (uint32_t i = 0; i < GIVEN; i++) {
            views[i] = give(fixture, i % TRANSACTIONS);
        }
        for (uint32_t i = 0; i < GIVEN; i++) {
            uint32_t first = i % TRANSACTIONS * PER_TRANSACTION;
            check_view(views[i]);
            for (uint32_t j = 0; j < views[i]->count; j++) {
                assert_int_equal(views[i]->events[j].after->i, -(int64_t)(first + j + 1));
            }
        }
        rf_views_covered(&fixture->views);
    }
}

static void test_no_memory_is_asked_for_once_it_is_warm(void **state)
{
    struct fixture *fixture = *state;
    use(fixture, &twist_type, "negate", "on");
    open_views(fixture, UINT64_MAX);
    const struct rf_chunk *chunk = NULL;
    for (int round = 0; round < 100; round++) {
        give(fixture, 0);
        chunk = round == 0 ? fixture->views.memory.head : chunk;
        assert_ptr_equal(fixture->views.memory.head, chunk);
        rf_views_covered(&fixture->views);
    }
}

static void test_a_refusal_by_a_transform_names_the_event_as_it_was_read(void **state)
{
    struct fixture *fixture = *state;
    static const struct {
        const char *option;
        enum rf_status status;
    } cases[] = {{"refuse_at", RF_REJECT}, {"unfit_at", RF_CONFIG}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct rf_view *out;
        struct rf_view whole = whole_of(fixture, 0);
        bool as_given = true;
        fixture->spec = (struct rf_sink_spec){0};
        use(fixture, &twist_type, cases[i].option, "7");
        open_views(fixture, UINT64_MAX);
        assert_int_equal(
            rf_views_give(&fixture->views, &fixture->buried, &whole, &out, &fixture->err),
            cases[i].status);
        assert_ptr_equal(fixture->err.event, &fixture->batch.events[6]);
        assert_non_null(rf_views_find(&fixture->views, fixture->err.event, &as_given));
        assert_false(as_given);
        rf_views_close(&fixture->views);
    }
}

static void test_an_event_is_found_in_the_view_that_it_was_given_in(void **state)
{
    struct fixture *fixture = *state;
    bool as_given = false;
    use(fixture, &twist_type, "negate", "on");
    open_views(fixture, UINT64_MAX);
    const struct rf_view *first = give(fixture, 0), *second = give(fixture, 3);
    assert_ptr_equal(rf_views_find(&fixture->views, &first->events[5], &as_given), first);
    assert_true(as_given);
    assert_ptr_equal(rf_views_find(&fixture->views, &second->events[0], NULL), second);
    assert_null(rf_views_find(&fixture->views, NULL, NULL));
    rf_views_covered(&fixture->views);
    assert_null(rf_views_find(&fixture->views, &fixture->batch.events[0], NULL));
}

static void test_buried_events_are_left_out_and_nothing_else(void **state)
{
    struct fixture *fixture = *state;
    rf_buried_add(&fixture->buried, RF_STR("T2"), 3, 0);
    rf_buried_add(&fixture->buried, RF_STR("T2"), 1, 0);
    rf_buried_add(&fixture->buried, RF_STR("T2"), 1, 0);
    rf_buried_add(&fixture->buried, RF_STR("T4"), 4, 0);
    rf_buried_add(&fixture->buried, RF_STR("T40"), 1, 0);
    rf_buried_add(&fixture->buried, RF_STR("T1"), 2, 7); /* no such row */
    assert_int_equal(fixture->buried.count, 5);
    open_views(fixture, UINT64_MAX);
    const struct rf_view *view = give(fixture, 0);
    check_view(view);
    assert_int_equal(view->count, TRANSACTIONS * PER_TRANSACTION - 3);
    for (uint32_t i = 0; i < view->count; i++) {
        int64_t number = view->events[i].after->i;
        assert_true(number != 5 && number != 7 && number != 16);
    }
}

static bool contains(struct rf_str position, struct rf_str other)
{
    return other.data[1] <= position.data[1];
}

static void test_buried_events_are_forgotten_behind_the_position(void **state)
{
    struct fixture *fixture = *state;
    uint32_t first;
    rf_buried_add(&fixture->buried, RF_STR("T2"), 3, 0);
    rf_buried_add(&fixture->buried, RF_STR("T4"), 4, 0);
    uint64_t both = rf_buried_hash(&fixture->buried);
    rf_buried_forget(&fixture->buried, RF_STR("P3"), contains);
    assert_int_equal(fixture->buried.count, 1);
    assert_int_equal(rf_buried_of(&fixture->buried, RF_STR("T4"), &first), 1);
    assert_int_not_equal(rf_buried_hash(&fixture->buried), both);
    rf_buried_forget(&fixture->buried, RF_STR("P4"), contains);
    assert_int_equal(fixture->buried.count, 0);
    assert_int_equal(rf_buried_hash(&fixture->buried), 0);
}

static void test_an_exact_end_lies_behind_so_many_events(void **state)
{
    struct fixture *fixture = *state;
    open_views(fixture, 30);
    assert_int_equal(give(fixture, 0)->count, 24);
    const struct rf_view *view = give(fixture, 1);
    check_view(view);
    assert_int_equal(view->count, 6);
    assert_int_equal(view->transactions[1].count, 2);
    assert_true(view->transactions[2].ends);
    assert_int_equal(give(fixture, 0)->count, 0);
}

static void test_a_transform_is_closed_once_also_after_a_failed_open(void **state)
{
    struct fixture *fixture = *state;
    use(fixture, &twist_type, "salt", "x");
    assert_int_equal(rf_views_open(&fixture->views, &fixture->spec, UINT64_MAX, &fixture->err),
                     RF_CONFIG);
    rf_views_close(&fixture->views);
    assert_int_equal(seen.opened, 1);
    assert_int_equal(seen.closed, 1);
    fixture->settings[0].value = "long enough";
    open_views(fixture, UINT64_MAX);
    give(fixture, 0);
    rf_views_close(&fixture->views);
    rf_views_close(&fixture->views);
    assert_int_equal(seen.closed, 2);
}

#define test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(test_without_work_the_batch_itself_goes_through),
        test(test_a_shadow_looks_like_a_batch_and_leaves_the_batch_alone),
        test(test_a_shadow_of_a_full_batch_is_full),
        test(test_transforms_are_applied_in_their_order),
        test(test_a_transaction_without_events_keeps_its_end),
        test(test_what_was_given_stays_until_the_covering_flush),
        test(test_no_memory_is_asked_for_once_it_is_warm),
        test(test_a_refusal_by_a_transform_names_the_event_as_it_was_read),
        test(test_an_event_is_found_in_the_view_that_it_was_given_in),
        test(test_buried_events_are_left_out_and_nothing_else),
        test(test_buried_events_are_forgotten_behind_the_position),
        test(test_an_exact_end_lies_behind_so_many_events),
        test(test_a_transform_is_closed_once_also_after_a_failed_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
