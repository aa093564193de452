/* The program on a MongoDB source: what doctor says, as test/golden/doctor/mongodb_NAME.out has it,
 * and with which exit code it leaves what it cannot read. With ROWFERRY_UPDATE_GOLDEN=1 the files
 * are written anew. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "lib/mongo_source.h"

#include <signal.h>
#include <sys/wait.h>

enum { TEXT_MAX = 32768, WORDS_MAX = 12, ENDS_S = 60 };

static char folder[64];
static char address[256];
static char out[TEXT_MAX], said_last[TEXT_MAX];

/* ---- The program ----------------------------------------------------------------------------- */

static void read_file(const char *name, char text[TEXT_MAX])
{
    int fd = open(name, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        fail_msg("there is no %s", name);
    }
    ssize_t size = read(fd, text, TEXT_MAX - 1);
    close(fd);
    assert_true(size >= 0);
    text[size] = '\0';
}

/* Runs rowferry with these words, up to a NULL; its exit code. `out` and `said_last` are what it
 * printed and said. */
static int rowferry(const char *const *words)
{
    char program[512], out_name[96], err_name[96];
    char *all[WORDS_MAX] = {program};
    const char *build = getenv("ROWFERRY_BUILD_DIR");
    int result, count = 1;
    snprintf(program, sizeof program, "%s/rowferry", build != NULL ? build : "build");
    snprintf(out_name, sizeof out_name, "%s/out", folder);
    snprintf(err_name, sizeof err_name, "%s/err", folder);
    for (; *words != NULL; words++) {
        rf_assert(count < WORDS_MAX - 1);
        all[count++] = (char *)(uintptr_t)*words;
    }
    fflush(NULL);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        dup2(open(out_name, O_WRONLY | O_CREAT | O_TRUNC, 0600), 1);
        dup2(open(err_name, O_WRONLY | O_CREAT | O_TRUNC, 0600), 2);
        setenv("XDG_STATE_HOME", folder, 1);
        alarm(ENDS_S); /* outlives exec */
        execv(program, all);
        _exit(127);
    }
    assert_int_equal(waitpid(pid, &result, 0), pid);
    read_file(out_name, out);
    read_file(err_name, said_last);
    return WIFEXITED(result) ? WEXITSTATUS(result) : 128 + WTERMSIG(result);
}

#define ROWFERRY(...) rowferry((const char *const[]){__VA_ARGS__, NULL})

static void expect_code(int code, int wanted)
{
    if (code != wanted) {
        fail_msg("exit code %d, and not %d: %s%s", code, wanted, out, said_last);
    }
}

static void expect_words(const char *text, const char *words)
{
    if (strstr(text, words) == NULL) {
        fail_msg("'%s' is not in: %s", words, text);
    }
}

/* "mongodb://127.0.0.1:PORT/" and what follows, until the next call. */
static const char *at(const char *rest)
{
    snprintf(address, sizeof address, "mongodb://127.0.0.1:%s/%s", port_text, rest);
    return address;
}

static void answer(const char *command, const char *collection, uint32_t nth, const char *json)
{
    rf_mongo_script_rule(
        script,
        &(struct rf_mongo_script_rule){
            .command = command, .collection = collection, .nth = nth, .times = 1, .json = json});
}

/* ---- What doctor says ------------------------------------------------------------------------ */

/* Appends the text, with NAME for each word. */
static void replace(struct rf_buf *to, const char *text, const char *word, const char *name)
{
    for (const char *next; (next = strstr(text, word)) != NULL; text = next + strlen(word)) {
        rf_buf_add(to, text, (size_t)(next - text));
        rf_buf_add_str(to, rf_str_of(name));
    }
    rf_buf_add_str(to, rf_str_of(text));
    rf_buf_cstr(to);
}

/* What differs from run to run: ports, ids, our own directory, the room that the disk has. */
static void normalize(struct rf_buf *to)
{
    struct rf_buf once = {0}, twice = {0};
    replace(&once, out, port_text, "PORT");
    replace(&twice, once.data, folder, "STORY");
    char *id = twice.data;
    while ((id = strstr(id, "set=")) != NULL) {
        id += strlen("set=");
        memset(id, '0', strspn(id, "0123456789abcdef"));
    }
    char *room = strstr(twice.data, "  room  ");
    if (room != NULL) {
        room += strlen("  room");
        size_t size = strcspn(room, "\n");
        memmove(room, room + size, strlen(room + size) + 1);
        twice.size -= size;
    }
    rf_buf_set(to, rf_buf_str(&twice));
    rf_buf_cstr(to);
    rf_buf_deinit(&once);
    rf_buf_deinit(&twice);
}

static void says(const char *name, int code, const char *const *words)
{
    char path[512], wanted[TEXT_MAX];
    struct rf_buf text = {0};
    const char *update = getenv("ROWFERRY_UPDATE_GOLDEN");
    expect_code(rowferry(words), code);
    assert_string_equal(said_last, "");
    normalize(&text);
    snprintf(path, sizeof path, "%s/golden/doctor/mongodb_%s.out", ROWFERRY_TEST_DIR, name);
    if (update != NULL && update[0] != '\0') {
        FILE *file = fopen(path, "w");
        assert_non_null(file);
        fputs(text.data, file);
        fclose(file);
    }
    read_file(path, wanted);
    assert_string_equal(text.data, wanted);
    rf_buf_deinit(&text);
}

#define SAYS(name, code, ...) says(name, code, (const char *const[]){"doctor", __VA_ARGS__, NULL})

static void tell_log(const char *first, const char *last, bool full)
{
    char json[256];
    const char *ends[] = {first, last};
    for (uint32_t i = 0; i < 2; i++) {
        snprintf(json, sizeof json,
                 "{\"ok\": 1, \"cursor\": {\"id\": 0, \"ns\": \"local.oplog.rs\", \"firstBatch\": "
                 "[{\"ts\": {\"$timestamp\": {\"t\": %s, \"i\": 1}}}]}}",
                 ends[i]);
        answer("find", "local.oplog.rs", i + 1, json);
    }
    answer("collStats", NULL, 1,
           full ? "{\"ok\": 1, \"size\": 990, \"maxSize\": 1000}"
                : "{\"ok\": 1, \"size\": 100, \"maxSize\": 1000}");
}

static void test_a_deployment_that_is_fine_has_nothing_to_change(void **state)
{
    (void)state;
    begin(NULL);
    insert("orders", 1);
    tell_log("1763500000", "1763830000", true);
    SAYS("good", 0, at("shop"));
    tell_log("1763829000", "1763830000", true);
    SAYS("short", 0, at("shop.orders"));
    tell_log("1763829000", "1763830000", false);
    SAYS("nothing", 0, at("shop.nothing"));
    assert_int_equal(rf_mongo_script_count(script, "insert"), 0);
    assert_int_equal(rf_mongo_script_count(script, "killCursors"), 3);
    expect_code(ROWFERRY("doctor", "--json", at("")), 0);
    expect_words(out, "{\"wrong\":0,\"advice\":1,\"unknown\":1,");
    expect_words(out, "\"what\":\"change stream\",\"found\":\"all databases\"");
}

static void test_what_gives_no_change_streams_has_to_change(void **state)
{
    (void)state;
    begin_with(&(struct rf_mongo_script_options){0}, NULL);
    SAYS("alone", 2, at("shop"));
    rf_mongo_script_stop(script);
    SAYS("nobody", 5, at("shop"));
}

static const char refused[] = "{\"ok\": 0, \"code\": 13, \"codeName\": \"Unauthorized\", "
                              "\"errmsg\": \"not authorized on shop to execute command\"}";

static void refuse_all(const char *privileges)
{
    static const char *const commands[] = {"aggregate", "replSetGetConfig", "collStats"};
    char json[512];
    rf_mongo_script_clear(script);
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        answer(commands[i], NULL, 1, refused);
    }
    answer("find", "rowferry.deployment", 1, refused);
    answer("find", "local.oplog.rs", 1, refused);
    snprintf(json, sizeof json,
             "{\"ok\": 1, \"authInfo\": {\"authenticatedUsers\": [{\"user\": \"cdc\", \"db\": "
             "\"admin\"}], \"authenticatedUserPrivileges\": [%s]}}",
             privileges);
    answer("connectionStatus", NULL, 1, json);
}

static void test_rights_that_are_lacking_are_named_with_what_grants_them(void **state)
{
    (void)state;
    begin_with(
        &(struct rf_mongo_script_options){
            .set_name = "rs", .streams = true, .user = "cdc", .password = "right"},
        NULL);
    setenv("ROWFERRY_MONGODB_PASSWORD", "right", 1);
    snprintf(address, sizeof address, "mongodb://cdc@127.0.0.1:%s/shop", port_text);
    refuse_all("");
    SAYS("no_rights", 2, address);
    refuse_all("{\"resource\": {\"db\": \"rowferry\", \"collection\": \"\"}, \"actions\": "
               "[\"find\", \"insert\"]}");
    expect_code(ROWFERRY("doctor", address), 2);
    expect_words(out, "the first start writes such a document");
    assert_int_equal(rf_mongo_script_count(script, "insert"), 0);
    setenv("ROWFERRY_MONGODB_PASSWORD", "wrong", 1);
    rf_mongo_script_clear(script);
    SAYS("password", 2, address);
    unsetenv("ROWFERRY_MONGODB_PASSWORD");
}

static void test_images_that_are_not_kept_are_named_with_what_keeps_them(void **state)
{
    (void)state;
    static const char listed[] =
        "{\"ok\": 1, \"cursor\": {\"id\": 0, \"ns\": \"shop.$cmd.listCollections\", "
        "\"firstBatch\": "
        "[{\"name\": \"orders\", \"type\": \"collection\", \"options\": {}}, "
        "{\"name\": \"items\", \"type\": \"collection\", \"options\": "
        "{\"changeStreamPreAndPostImages\": {\"enabled\": true}}}, "
        "{\"name\": \"recent\", \"type\": \"view\", \"options\": {}}, "
        "{\"name\": \"system.views\", \"type\": \"collection\", \"options\": {}}, "
        "{\"name\": \"left_out\", \"type\": \"collection\", \"options\": {}}]}}";
    begin(NULL);
    answer("listCollections", NULL, 1, listed);
    tell_log("1763500000", "1763830000", true);
    SAYS("images_required", 2, at("shop?images=required&tables=-shop.left_out"));
    answer("listCollections", NULL, 1, listed);
    tell_log("1763500000", "1763830000", true);
    SAYS("images", 0, at("shop?images=when_available&tables=-shop.left_out"));
    answer("listCollections", NULL, 1, listed);
    tell_log("1763500000", "1763830000", true);
    expect_code(ROWFERRY("doctor", at("shop.items?images=required")), 0);
    expect_words(out, "ok      images         kept");
}

static void test_a_position_is_held_against_the_deployment(void **state)
{
    (void)state;
    char lines[128];
    begin(NULL);
    insert("orders", 1);
    insert("orders", 2);
    snprintf(lines, sizeof lines, "file:%s/changes.jsonl", folder);
    expect_code(ROWFERRY("run", "--name", "place", "--from", "1763830000.1", "--until", "now",
                         at("shop"), lines),
                0);
    tell_log("1763500000", "1763830000", true);
    SAYS("recorded", 0, "--name", "place", at("shop"), lines);
    tell_log("1763829000", "1763830000", true);
    SAYS("recorded_short", 0, "--name", "place", at("shop"), lines);
    tell_log("1763840000", "1763850000", true);
    SAYS("recorded_gone", 2, "--name", "place", at("shop"), lines);
    tell_log("1763500000", "1763830000", true);
    rf_mongo_script_set_back(script, 1);
    SAYS("recorded_set_back", 2, "--name", "place", at("shop"), lines);
    rf_mongo_script_forget(script); /* and it is another set now */
    expect_code(ROWFERRY("doctor", "--name", "place", at("shop"), lines), 2);
    expect_words(out, "is another deployment than");
}

/* ---- What cannot be read --------------------------------------------------------------------- */

static void test_bad_input_no_change_streams(void **state)
{
    (void)state;
    begin_with(&(struct rf_mongo_script_options){0}, NULL);
    expect_code(ROWFERRY("tail", at("shop")), 2);
    expect_words(said_last, "refused the command aggregate");
    expect_words(said_last, "run rs.initiate()");
}

static void test_bad_input_no_rights(void **state)
{
    (void)state;
    begin(NULL);
    answer("aggregate", NULL, 1, refused);
    expect_code(ROWFERRY("tail", at("shop")), 2);
    expect_words(said_last, "not authorized on shop");
    expect_words(said_last, "the actions changeStream and find");
}

/* It may be made yet: that is no error. */
static void test_bad_input_unknown_collection(void **state)
{
    (void)state;
    begin(NULL);
    insert("orders", 1);
    expect_code(ROWFERRY("tail", "--until", "now", at("shop.nothing")), 0);
    expect_words(said_last, "has no collection shop.nothing yet");
    assert_string_equal(out, "");
}

static void test_bad_input_tokens_and_positions_of_elsewhere(void **state)
{
    (void)state;
    static const struct {
        const char *from, *words;
        int code;
    } cases[] = {
        {"mongodb:set=64f000000000000000000000;time=1763830000.2;"
         "token=826921E8F0000000020000000004",
         "is another deployment than that of the position", 3},
        {"886921E8F0000000020000000004", "the resume token is none of this deployment's", 3},
        {"826920000000000000020000000004", "no longer in the deployment's oplog", 3},
        {"yesterday", "is no place in the change streams", 2},
    };
    begin(NULL);
    insert("orders", 1);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (cases[i].code == 3 && i == 2) {
            rf_mongo_script_lose_history(script);
        }
        expect_code(ROWFERRY("tail", "--from", cases[i].from, at("shop.orders")), cases[i].code);
        expect_words(said_last, cases[i].words);
        assert_string_equal(out, "");
    }
}

static void test_bad_input_a_document_of_101_levels(void **state)
{
    (void)state;
    begin(NULL);
    insert("orders", 1);
    insert_levels(101);
    insert("orders", 2);
    expect_code(ROWFERRY("tail", "--from", "1763830000.1", at("shop.orders")), 3);
    expect_words(said_last, "nested deeper than the 100 levels");
    expect_words(out, "{\"_id\":1}");
    assert_null(strstr(out, "{\"_id\":2}"));
}

static void test_bad_input_nobody_there(void **state)
{
    (void)state;
    begin(NULL);
    rf_mongo_script_stop(script);
    expect_code(ROWFERRY("tail", at("shop.orders")), 5);
    expect_words(said_last, "127.0.0.1:");
}

/* ---------------------------------------------------------------------------------------------- */

static int prepare(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/rowferry-test-XXXXXX");
    return mkdtemp(folder) != NULL ? 0 : 1;
}

static int clean(void **state)
{
    end(state);
    pid_t pid = fork();
    if (pid == 0) {
        execlp("rm", "rm", "-rf", "--", folder, (char *)NULL);
        _exit(127);
    }
    return waitpid(pid, NULL, 0) == pid ? 0 : 1;
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, prepare, clean)
    const struct CMUnitTest tests[] = {
        TEST(test_a_deployment_that_is_fine_has_nothing_to_change),
        TEST(test_what_gives_no_change_streams_has_to_change),
        TEST(test_rights_that_are_lacking_are_named_with_what_grants_them),
        TEST(test_images_that_are_not_kept_are_named_with_what_keeps_them),
        TEST(test_a_position_is_held_against_the_deployment),
        TEST(test_bad_input_no_change_streams),
        TEST(test_bad_input_no_rights),
        TEST(test_bad_input_unknown_collection),
        TEST(test_bad_input_tokens_and_positions_of_elsewhere),
        TEST(test_bad_input_a_document_of_101_levels),
        TEST(test_bad_input_nobody_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
