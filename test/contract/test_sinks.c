/* What every sink promises, shown on each of them, or on those of the sink that is named as an
 * argument. The table of sinks is in lib/subjects.c. */
#include "base/clock.h"
#include "base/memory.h"
#include "engine/registry.h"
#include "lib/mongo_documents.h"
#include "lib/subjects.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { BATCHES = 40, CRASHES = 6 };

/* A subject at work. */
struct stage {
    const struct rf_test_subject *subject;
    struct rf_test_feed feed;
    struct rf_format format;
    struct rf_test_sink sink;
    uint64_t accepted; /* number of the last transaction that was given whole */
    uint64_t seed;
    struct rf_error err;
};

#define expect_status(stage, call, status)                                    \
    do {                                                                      \
        enum rf_status got_ = (call);                                         \
        if (got_ != (status)) {                                               \
            print_message("%s: %s: %s (%s)\n", (stage)->subject->name, #call, \
                          rf_status_name(got_), (stage)->err.message);        \
        }                                                                     \
        assert_int_equal(got_, (status));                                     \
    } while (0)

/* --------------------------------------------------------------------------------------- stage */

static const struct rf_sink_type *type_of(const struct rf_test_subject *subject)
{
    char *name = rf_str_dup(rf_test_subject_sink(subject));
    const struct rf_sink_type *type = NULL;
    struct rf_error err = {0};
    enum rf_status status = rf_registry_find_sink(name, &type, &err);
    free(name);
    assert_int_equal(status, RF_OK);
    return type;
}

static void open_format(struct stage *stage)
{
    const char *name = stage->sink.type->default_format;
    if (name == NULL) {
        return;
    }
    assert_int_equal(rf_registry_find_format(name, &stage->format.type, &stage->err), RF_OK);
    stage->format.state = rf_alloc_zero(1, stage->format.type->state_size);
    rf_test_fallbacks(stage->format.type->options, stage->format.state);
    if (stage->format.type->open != NULL) {
        assert_int_equal(stage->format.type->open(stage->format.state, &stage->err), RF_OK);
    }
    stage->sink.format = &stage->format;
}

static void begin(struct stage *stage, const struct rf_test_subject *subject, uint64_t seed)
{
    *stage = (struct stage){.subject = subject, .seed = seed};
    stage->sink.type = type_of(subject);
    stage->sink.settings = subject->begin();
    rf_test_feed_init(&stage->feed, seed, BATCHES);
    open_format(stage);
}

static void end(struct stage *stage)
{
    rf_test_sink_deinit(&stage->sink);
    if (stage->format.state != NULL) {
        if (stage->format.type->close != NULL) {
            stage->format.type->close(stage->format.state);
        }
        free(stage->format.state);
    }
    rf_test_feed_deinit(&stage->feed);
    stage->subject->end();
}

static uint64_t number_of(struct rf_str position)
{
    uint64_t number = 0;
    rf_assert(position.size == 0 || rf_str_to_u64(position, &number));
    return number;
}

/* Opens, and stands where the sink says or what is recorded. */
static enum rf_status open_sink(struct stage *stage)
{
    enum rf_status status = rf_test_sink_open(&stage->sink, &stage->err);
    if (status == RF_OK) {
        stage->accepted = number_of(rf_test_sink_position(&stage->sink));
    }
    return status;
}

/* Gives it one batch; OK when there is nothing of it to give. */
static enum rf_status give(struct stage *stage, uint32_t batch)
{
    struct rf_view view;
    if (!rf_test_feed_view(&stage->feed, batch, stage->accepted, &view)) {
        return RF_OK;
    }
    enum rf_status status = stage->sink.type->write(stage->sink.state, &view, &stage->err);
    if (status == RF_OK && view.batch->position.size > 0) {
        stage->accepted = number_of(view.batch->position);
    }
    return status;
}

static enum rf_status flush(struct stage *stage)
{
    char position[24];
    snprintf(position, sizeof position, "%llu", (unsigned long long)stage->accepted);
    return rf_test_sink_flush(&stage->sink, position, &stage->err);
}

static void give_rest(struct stage *stage)
{
    for (uint32_t i = 0; i < stage->feed.batch_count; i++) {
        expect_status(stage, give(stage, i), RF_OK);
    }
    expect_status(stage, flush(stage), RF_OK);
    assert_int_equal(stage->accepted, stage->feed.last);
}

static void expect_complete(struct stage *stage)
{
    struct rf_buf content = {0}, expected = {0};
    stage->subject->content(&stage->sink, &content);
    stage->subject->expected(&stage->feed, &stage->format, &expected);
    if (!rf_str_equal(rf_buf_str(&content), rf_buf_str(&expected))) {
        print_message("%s holds:\n%s\ninstead of:\n%s\n", stage->subject->name,
                      rf_buf_cstr(&content), rf_buf_cstr(&expected));
    }
    assert_true(rf_str_equal(rf_buf_str(&content), rf_buf_str(&expected)));
    rf_buf_deinit(&content);
    rf_buf_deinit(&expected);
}

static const char *only; /* the sink to look at; NULL: all */

/* The next one that is to be looked at, from this one on; the last one has no name. */
static const struct rf_test_subject *chosen(const struct rf_test_subject *subject)
{
    while (only != NULL && subject->name != NULL &&
           !rf_str_equal(rf_test_subject_sink(subject), rf_str_of(only))) {
        subject++;
    }
    return subject;
}

#define each_subject(subject)                                         \
    const struct rf_test_subject *subject = chosen(rf_test_subjects); \
    subject->name != NULL;                                            \
    subject = chosen(subject + 1)

/* --------------------------------------------------------------------------------------- claims */

static void test_every_sink_of_this_build_is_shown(void **state)
{
    (void)state;
    for (const struct rf_registry_sink *sink = rf_registry_sinks(); sink->name != NULL; sink++) {
        bool found = false;
        for (const struct rf_test_subject *subject = rf_test_subjects; subject->name; subject++) {
            found |= rf_str_equal(rf_test_subject_sink(subject), rf_str_of(sink->name));
        }
        if (!found) {
            print_message("sink %s has no entry in lib/subjects.c\n", sink->name);
        }
        assert_true(found);
        assert_null(sink->missing);
        assert_string_equal(sink->type->name, sink->name);
        assert_non_null(sink->type->summary);
        assert_non_null(sink->type->example);
    }
}

static void test_all_events_arrive_in_order(void **state)
{
    (void)state;
    for (each_subject(subject)) {
        for (uint64_t seed = 1; seed <= 3; seed++) {
            struct stage stage;
            begin(&stage, subject, seed);
            expect_status(&stage, open_sink(&stage), RF_OK);
            expect_status(&stage, flush(&stage), RF_OK);
            give_rest(&stage);
            expect_complete(&stage);
            end(&stage);
        }
    }
}

/* A batch of documents: made, replaced, updated, gone, deleted. */
static void fill_documents(struct rf_batch *batch, struct rf_table *posts)
{
    static const char what[] = "{\"updatedFields\":{\"a\":2},\"removedFields\":[]}";
    rf_test_begin(batch, 1);
    rf_test_document_create(batch, posts, "{\"_id\":1,\"a\":1,\"k\":\"x\"}");
    rf_test_document_create(batch, posts, "{\"_id\":\"two\",\"a\":{\"b\":[null]}}");
    rf_test_document_update(batch, posts, "{\"_id\":1}", NULL, "{\"_id\":1,\"a\":2}", what);
    rf_test_document_update(batch, posts, "{\"_id\":\"two\"}", NULL, "null", what);
    rf_test_document_delete(batch, posts, "{\"_id\":\"two\"}", NULL);
    rf_test_document_drop(batch, "drop", "shop", "posts");
    rf_test_document_replace(batch, posts, NULL, "{\"_id\":1}");
    rf_test_commit(batch);
}

static enum rf_status write_all(struct stage *stage, const struct rf_batch *batch)
{
    struct rf_view view = rf_test_view(batch, 0, UINT32_MAX);
    return stage->sink.type->write(stage->sink.state, &view, &stage->err);
}

/* Documents are taken, again too; an update that tells what it changed alone is carried by those
 * that carry events, and refused by name by those that hold the last state. */
static void test_documents_are_taken_whole_and_what_is_not_is_said(void **state)
{
    (void)state;
    struct rf_table *posts = rf_test_collection("shop", "posts");
    for (each_subject(subject)) {
        struct stage stage;
        struct rf_batch batch = {.bytes_max = 1 << 20}, untold = {.bytes_max = 1 << 20};
        begin(&stage, subject, 12);
        fill_documents(&batch, posts);
        rf_test_begin(&untold, 2);
        rf_test_document_update(&untold, posts, "{\"_id\":1}", NULL, NULL,
                                "{\"updatedFields\":{\"a\":2},\"removedFields\":[]}");
        rf_test_commit(&untold);
        expect_status(&stage, open_sink(&stage), RF_OK);
        expect_status(&stage, write_all(&stage, &batch), RF_OK);
        if (!subject->once) {
            expect_status(&stage, write_all(&stage, &batch), RF_OK);
        }
        stage.accepted = 1;
        expect_status(&stage, flush(&stage), RF_OK);
        bool streams =
            strstr(subject->name, "stream") != NULL; /* of a sink that keeps state else */
        if (stage.sink.type->keeps_state && !streams) {
            expect_status(&stage, write_all(&stage, &untold), RF_CONFIG);
            assert_non_null(strstr(stage.err.message, "shop.posts"));
            assert_non_null(strstr(stage.err.hint, "images="));
        } else {
            expect_status(&stage, write_all(&stage, &untold), RF_OK);
        }
        end(&stage);
        rf_batch_deinit(&batch);
        rf_batch_deinit(&untold);
    }
    rf_table_release(posts);
}

static void test_closing_accepts_what_was_never_opened(void **state)
{
    (void)state;
    for (each_subject(subject)) {
        const struct rf_sink_type *type = type_of(subject);
        void *zeroed = rf_alloc_zero(1, type->state_size);
        rf_test_fallbacks(type->options, zeroed);
        if (type->interrupt != NULL) {
            type->interrupt(zeroed);
        }
        type->close(zeroed);
        free(zeroed);
    }
}

static void test_a_failed_open_leaves_nothing_in_the_way(void **state)
{
    (void)state;
    for (each_subject(subject)) {
        struct stage stage;
        begin(&stage, subject, 4);
        if (subject->wipe != NULL) {
            expect_status(&stage, open_sink(&stage), RF_OK);
            expect_status(&stage, give(&stage, 0), RF_OK);
            expect_status(&stage, flush(&stage), RF_OK);
            rf_test_sink_close(&stage.sink);
            subject->wipe();
            for (int i = 0; i < 3; i++) {
                expect_status(&stage, open_sink(&stage), RF_FATAL);
                assert_int_not_equal(stage.err.message[0], 0);
                assert_int_not_equal(stage.err.hint[0], 0);
            }
            /* Asked by name, it starts anew. */
            stage.sink.adopt = true;
            rf_buf_reset(&stage.sink.position);
            rf_buf_reset(&stage.sink.note);
        }
        expect_status(&stage, open_sink(&stage), RF_OK);
        stage.accepted = 0;
        give_rest(&stage);
        expect_complete(&stage);
        end(&stage);
    }
}

static void test_nothing_is_an_event_too(void **state)
{
    (void)state;
    static const struct rf_batch empty;
    const struct rf_view none = {.batch = &empty};
    for (each_subject(subject)) {
        struct stage stage;
        struct rf_buf before = {0}, after = {0};
        begin(&stage, subject, 5);
        expect_status(&stage, open_sink(&stage), RF_OK);
        for (int i = 0; i < 3; i++) {
            expect_status(&stage, flush(&stage), RF_OK);
            expect_status(&stage, stage.sink.type->write(stage.sink.state, &none, &stage.err),
                          RF_OK);
        }
        expect_status(&stage, give(&stage, 0), RF_OK);
        expect_status(&stage, flush(&stage), RF_OK);
        subject->content(&stage.sink, &before);
        expect_status(&stage, stage.sink.type->write(stage.sink.state, &none, &stage.err), RF_OK);
        expect_status(&stage, flush(&stage), RF_OK);
        expect_status(&stage, flush(&stage), RF_OK);
        /* A position moves without events, too. */
        expect_status(&stage, rf_test_sink_flush(&stage.sink, "1000000", &stage.err), RF_OK);
        subject->content(&stage.sink, &after);
        assert_true(rf_str_equal(rf_buf_str(&before), rf_buf_str(&after)));
        rf_test_sink_close(&stage.sink);
        expect_status(&stage, open_sink(&stage), RF_OK);
        assert_int_equal(stage.accepted, 1000000);
        rf_buf_deinit(&before);
        rf_buf_deinit(&after);
        end(&stage);
    }
}

/* Positions and notes of all flushes of one run. */
struct record {
    struct rf_buf position, note;
};

static void test_it_goes_on_from_every_position_ever_recorded(void **state)
{
    (void)state;
    for (each_subject(subject)) {
        struct stage stage;
        struct record records[BATCHES] = {0};
        begin(&stage, subject, 6);
        expect_status(&stage, open_sink(&stage), RF_OK);
        expect_status(&stage, flush(&stage), RF_OK);
        for (uint32_t i = 0; i < BATCHES; i++) {
            rf_buf_set(&records[i].position, rf_buf_str(&stage.sink.position));
            rf_buf_set(&records[i].note, rf_buf_str(&stage.sink.note));
            expect_status(&stage, give(&stage, i), RF_OK);
            expect_status(&stage, flush(&stage), RF_OK);
        }
        expect_complete(&stage);
        for (uint32_t i = BATCHES; i-- > 0;) {
            rf_test_sink_close(&stage.sink);
            rf_buf_set(&stage.sink.position, rf_buf_str(&records[i].position));
            rf_buf_set(&stage.sink.note, rf_buf_str(&records[i].note));
            expect_status(&stage, open_sink(&stage), RF_OK);
            assert_true(stage.accepted >= number_of(rf_buf_str(&records[i].position)));
            give_rest(&stage);
            expect_complete(&stage);
        }
        for (uint32_t i = 0; i < BATCHES; i++) {
            rf_buf_deinit(&records[i].position);
            rf_buf_deinit(&records[i].note);
        }
        end(&stage);
    }
}

/* What a killed process leaves behind: the checkpoint, in memory that outlives it. */
struct checkpoint {
    uint64_t epoch;
    int current;
    bool done;
    struct {
        char position[32];
        char note[128];
    } slots[2];
};

static void record(struct checkpoint *checkpoint, struct rf_test_sink *sink)
{
    int other = 1 - checkpoint->current;
    snprintf(checkpoint->slots[other].position, sizeof checkpoint->slots->position, "%s",
             rf_buf_cstr(&sink->position));
    snprintf(checkpoint->slots[other].note, sizeof checkpoint->slots->note, "%s",
             rf_buf_cstr(&sink->note));
    __atomic_store_n(&checkpoint->current, other, __ATOMIC_SEQ_CST);
}

static void load(const struct checkpoint *checkpoint, struct rf_test_sink *sink)
{
    int current = checkpoint->current;
    rf_buf_set(&sink->position, rf_str_of(checkpoint->slots[current].position));
    rf_buf_set(&sink->note, rf_str_of(checkpoint->slots[current].note));
    sink->epoch = checkpoint->epoch;
}

static void step(uint32_t *left)
{
    if (--*left == 0) {
        raise(SIGKILL);
    }
}

/* The life of one process: from where it is to the end of the feed, or until it is killed. */
static void live(struct stage *stage, struct checkpoint *checkpoint, uint32_t steps)
{
    load(checkpoint, &stage->sink);
    checkpoint->epoch++;
    if (open_sink(stage) != RF_OK) {
        fprintf(stderr, "%s: %s\n", stage->subject->name, stage->err.message);
        _exit(1);
    }
    step(&steps);
    for (uint32_t i = 0; i <= stage->feed.batch_count; i++) {
        bool last = i == stage->feed.batch_count;
        struct rf_view view;
        if (!last && !rf_test_feed_view(&stage->feed, i, stage->accepted, &view)) {
            continue;
        }
        if (!last && give(stage, i) != RF_OK) {
            _exit(2);
        }
        step(&steps);
        if (last || rf_test_random(&stage->seed, 2) == 0) {
            if (flush(stage) != RF_OK) {
                _exit(3);
            }
            step(&steps);
            record(checkpoint, &stage->sink);
            step(&steps);
        }
    }
    checkpoint->done = true;
    _exit(0);
}

static void test_kills_lose_and_double_nothing(void **state)
{
    (void)state;
    for (each_subject(subject)) {
        if (subject->threads) {
            continue; /* the same sink is killed with a server of its own */
        }
        struct stage stage;
        struct checkpoint *checkpoint = mmap(NULL, sizeof *checkpoint, PROT_READ | PROT_WRITE,
                                             MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        assert_true(checkpoint != MAP_FAILED);
        uint32_t kills = 0;
        begin(&stage, subject, 7);
        expect_status(&stage, open_sink(&stage), RF_OK);
        expect_status(&stage, flush(&stage), RF_OK);
        record(checkpoint, &stage.sink);
        checkpoint->epoch = stage.sink.epoch;
        rf_test_sink_close(&stage.sink);
        while (!checkpoint->done) {
            assert_true(kills < 1000);
            uint32_t steps = 1 + rf_test_random(&stage.seed, 14);
            struct timespec delay = {0, (long)rf_test_random(&stage.seed, 4000) * 1000};
            pid_t child = fork();
            assert_true(child >= 0);
            if (child == 0) {
                live(&stage, checkpoint, steps);
            }
            if (kills % 2 == 1 && kills < 40) {
                ppoll(NULL, 0, &delay, NULL); /* anywhere, also inside of a call */
                kill(child, SIGKILL);
            }
            int result;
            assert_int_equal(waitpid(child, &result, 0), child);
            assert_true(WIFSIGNALED(result) || WEXITSTATUS(result) == 0);
            kills += WIFSIGNALED(result);
        }
        load(checkpoint, &stage.sink);
        stage.accepted = number_of(rf_buf_str(&stage.sink.position));
        assert_int_equal(stage.accepted, stage.feed.last);
        assert_true(kills >= 5);
        expect_complete(&stage);
        munmap(checkpoint, sizeof *checkpoint);
        end(&stage);
    }
}

static void *crash_soon(void *argument)
{
    struct stage *stage = argument;
    uint64_t seed = stage->seed;
    poll(NULL, 0, (int)rf_test_random(&seed, 12));
    stage->subject->crash();
    return NULL;
}

static void test_a_destination_that_dies_has_what_was_called_durable(void **state)
{
    (void)state;
    for (each_subject(subject)) {
        struct stage stage;
        uint32_t crashes = 0;
        if (subject->crash == NULL || subject->once) {
            continue; /* of those that are given everything once: fault/redis_streams */
        }
        begin(&stage, subject, 8);
        while (crashes < (subject->crashes > 0 ? subject->crashes : CRASHES)) {
            pthread_t thread;
            enum rf_status status = open_sink(&stage);
            assert_int_equal(status, RF_OK);
            /* Whatever was recorded is there still. */
            assert_true(stage.accepted >= number_of(rf_buf_str(&stage.sink.position)));
            stage.accepted = crashes % 3 == 0 ? 0 : stage.accepted; /* a replay of everything */
            (void)rf_test_random(&stage.seed, 2);                   /* another moment each time */
            assert_int_equal(pthread_create(&thread, NULL, crash_soon, &stage), 0);
            for (uint32_t i = 0; status == RF_OK; i = (i + 1) % BATCHES) {
                status = give(&stage, i);
                /* Positions never go back, though the events do. */
                bool further = stage.accepted >= number_of(rf_buf_str(&stage.sink.position));
                if (status == RF_OK && i % 3 == 2 && further) {
                    status = flush(&stage);
                }
                if (i + 1 == BATCHES) {
                    stage.accepted = 0; /* and again, until it dies */
                }
            }
            pthread_join(thread, NULL);
            assert_int_equal(status, RF_RETRY);
            rf_test_sink_close(&stage.sink);
            assert_int_equal(open_sink(&stage), RF_RETRY);
            subject->revive();
            crashes++;
        }
        expect_status(&stage, open_sink(&stage), RF_OK);
        stage.accepted = 0;
        give_rest(&stage);
        expect_complete(&stage);
        end(&stage);
    }
}

static void *interrupt_soon(void *argument)
{
    struct stage *stage = argument;
    poll(NULL, 0,
         150); /* the call below blocks by then; when it comes earlier, it has to see it too */
    stage->sink.type->interrupt(stage->sink.state);
    return NULL;
}

static void test_an_interrupt_ends_calls_that_block(void **state)
{
    (void)state;
    for (each_subject(subject)) {
        struct stage stage;
        pthread_t thread;
        if (subject->stall == NULL) {
            continue;
        }
        begin(&stage, subject, 9);
        for (int which = 0; which < 2; which++) {
            expect_status(&stage, open_sink(&stage), RF_OK);
            expect_status(&stage, give(&stage, 0), RF_OK);
            stage.accepted += !subject->once;
            subject->stall();
            int64_t began_ms = rf_clock_ms();
            assert_int_equal(pthread_create(&thread, NULL, interrupt_soon, &stage), 0);
            enum rf_status first = which == 0 ? give(&stage, 1) : flush(&stage);
            int64_t took_ms = rf_clock_ms() - began_ms;
            pthread_join(thread, NULL);
            enum rf_status then = give(&stage, 2), after = flush(&stage);
            int64_t again_ms = rf_clock_ms() - began_ms - took_ms;
            subject->resume();
            rf_test_sink_close(&stage.sink);
            assert_int_equal(first, RF_RETRY);
            assert_in_range(took_ms, 100, 2000);
            /* One that keeps count of events may see first that some are missing. */
            assert_true(then == RF_RETRY || (subject->once && then == RF_FATAL));
            assert_int_equal(after, RF_RETRY);
            assert_in_range(again_ms, 0, 1000);
        }
        expect_status(&stage, open_sink(&stage), RF_OK);
        stage.accepted = subject->once ? stage.accepted : 0;
        give_rest(&stage);
        expect_complete(&stage);
        end(&stage);
    }
}

/* The same settings with that timeout; valid until the next call. */
static const struct rf_test_setting *impatient(const struct rf_test_setting *from, const char *time)
{
    enum { SETTINGS_MAX = 12 };
    static struct rf_test_setting settings[SETTINGS_MAX];
    size_t count = 0;
    bool found = false;
    for (; from[count].name != NULL; count++) {
        rf_assert(count + 1 < SETTINGS_MAX);
        settings[count] = from[count];
        if (strcmp(from[count].name, "timeout") == 0) {
            settings[count].value = time;
            found = true;
        }
    }
    rf_assert(found);
    settings[count] = (struct rf_test_setting){NULL, NULL};
    return settings;
}

static void test_a_silent_destination_is_given_up_after_its_timeout(void **state)
{
    (void)state;
    for (each_subject(subject)) {
        struct stage stage;
        if (subject->stall == NULL) {
            continue;
        }
        begin(&stage, subject, 10);
        const struct rf_test_setting *settings = impatient(stage.sink.settings, "1500ms");
        stage.sink.settings = settings;
        expect_status(&stage, open_sink(&stage), RF_OK);
        subject->stall();
        int64_t began_ms = rf_clock_ms();
        enum rf_status status = give(&stage, 0);
        int64_t took_ms = rf_clock_ms() - began_ms;
        subject->resume();
        assert_int_equal(status, RF_RETRY);
        assert_in_range(took_ms, 1500, 6000); /* an answer before the stall may start it anew */
        end(&stage);
    }
}

static void test_two_never_write_to_one_destination(void **state)
{
    (void)state;
    for (each_subject(subject)) {
        struct stage stage, second;
        if (subject->nowhere) {
            continue;
        }
        begin(&stage, subject, 11);
        second = stage;
        expect_status(&stage, open_sink(&stage), RF_OK);
        expect_status(&stage, give(&stage, 0), RF_OK);
        expect_status(&stage, flush(&stage), RF_OK);
        second.sink.state = NULL;
        second.sink.position = second.sink.note = (struct rf_buf){0};
        rf_buf_set(&second.sink.position, rf_buf_str(&stage.sink.position));
        rf_buf_set(&second.sink.note, rf_buf_str(&stage.sink.note));
        second.sink.epoch = 100;
        enum rf_status status = open_sink(&second);
        if (status == RF_OK) {
            struct rf_buf before = {0}, after = {0};
            subject->content(&second.sink, &before);
            assert_int_equal(give(&stage, 1), RF_FATAL);
            subject->content(&second.sink, &after);
            assert_true(rf_str_equal(rf_buf_str(&before), rf_buf_str(&after)));
            rf_test_sink_close(&stage.sink);
            expect_status(&stage, open_sink(&stage), RF_FATAL);
            give_rest(&second);
            rf_buf_deinit(&before);
            rf_buf_deinit(&after);
        } else {
            assert_int_equal(status, RF_CONFIG);
            give_rest(&stage);
        }
        expect_complete(&stage);
        rf_test_sink_deinit(&second.sink);
        end(&stage);
    }
}

int main(int argc, char **argv)
{
    only = argc > 1 ? argv[1] : NULL;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_sink_of_this_build_is_shown),
        cmocka_unit_test(test_all_events_arrive_in_order),
        cmocka_unit_test(test_documents_are_taken_whole_and_what_is_not_is_said),
        cmocka_unit_test(test_closing_accepts_what_was_never_opened),
        cmocka_unit_test(test_a_failed_open_leaves_nothing_in_the_way),
        cmocka_unit_test(test_nothing_is_an_event_too),
        cmocka_unit_test(test_it_goes_on_from_every_position_ever_recorded),
        cmocka_unit_test(test_kills_lose_and_double_nothing),
        cmocka_unit_test(test_a_destination_that_dies_has_what_was_called_durable),
        cmocka_unit_test(test_an_interrupt_ends_calls_that_block),
        cmocka_unit_test(test_a_silent_destination_is_given_up_after_its_timeout),
        cmocka_unit_test(test_two_never_write_to_one_destination),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
