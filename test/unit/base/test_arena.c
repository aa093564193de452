#include <rowferry/arena.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void test_pieces_are_aligned_and_do_not_overlap(void **state)
{
    (void)state;
    struct rf_arena arena = {0};
    char *last = NULL;
    for (size_t size = 1; size < 3000; size += 7) {
        char *piece = rf_arena_alloc(&arena, size);
        assert_int_equal((uintptr_t)piece % 8, 0);
        memset(piece, (int)(size & 0xFF), size);
        assert_ptr_not_equal(piece, last);
        last = piece;
    }
    rf_arena_deinit(&arena);
}

static void test_a_large_piece_leaves_the_open_chunk_open(void **state)
{
    (void)state;
    struct rf_arena arena = {0};
    char *small = rf_arena_alloc(&arena, 16);
    char *large = rf_arena_alloc(&arena, 10 * RF_ARENA_CHUNK);
    memset(large, 1, 10 * RF_ARENA_CHUNK);
    char *next = rf_arena_alloc(&arena, 16);
    assert_ptr_equal(next, small + 16);
    assert_true(arena.bytes >= 11 * (size_t)RF_ARENA_CHUNK);
    rf_arena_deinit(&arena);
}

static void test_adopted_chunks_keep_their_addresses(void **state)
{
    (void)state;
    struct rf_arena from = {0}, to = {0};
    struct rf_str kept = rf_arena_copy(&from, RF_STR("carried without a copy"));
    rf_arena_alloc(&from, 3 * RF_ARENA_CHUNK);
    rf_arena_alloc(&to, 100);
    size_t total = from.bytes + to.bytes;
    rf_arena_adopt(&to, &from);
    assert_int_equal(from.bytes, 0);
    assert_int_equal(to.bytes, total);
    rf_arena_deinit(&from);
    assert_true(rf_str_equal(kept, RF_STR("carried without a copy")));
    rf_arena_deinit(&to);
}

static void test_reset_keeps_ordinary_chunks_up_to_a_limit(void **state)
{
    (void)state;
    struct rf_arena arena = {0};
    for (int i = 0; i < 10; i++) {
        rf_arena_alloc(&arena, RF_ARENA_CHUNK / 2 + 100);
    }
    rf_arena_alloc(&arena, 4 * RF_ARENA_CHUNK);
    rf_arena_reset(&arena, 3 * RF_ARENA_CHUNK);
    assert_int_equal(arena.bytes, 0);
    int spare = 0;
    for (struct rf_chunk *chunk = arena.spare; chunk != NULL; chunk = chunk->next) {
        spare++;
    }
    assert_int_equal(spare, 3);
    struct rf_chunk *first = arena.spare;
    assert_ptr_equal(rf_arena_alloc(&arena, 10), first->data);
    rf_arena_deinit(&arena);
    assert_null(arena.spare);
}

static void test_the_end_of_the_last_piece_can_be_given_back(void **state)
{
    (void)state;
    struct rf_arena arena = {0};
    char *piece = rf_arena_alloc(&arena, 1000);
    rf_arena_shrink(&arena, piece, 1000, 100);
    assert_ptr_equal(rf_arena_alloc(&arena, 8), piece + 104);
    rf_arena_shrink(&arena, piece, 1000, 0);
    assert_ptr_equal(rf_arena_alloc(&arena, 8), piece + 112);
    rf_arena_deinit(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pieces_are_aligned_and_do_not_overlap),
        cmocka_unit_test(test_a_large_piece_leaves_the_open_chunk_open),
        cmocka_unit_test(test_adopted_chunks_keep_their_addresses),
        cmocka_unit_test(test_reset_keeps_ordinary_chunks_up_to_a_limit),
        cmocka_unit_test(test_the_end_of_the_last_piece_can_be_given_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
