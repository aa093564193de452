/* What is made in a real mongod: on a scripted server, as none can be had here. It comes as a
 * member of a set that does not know yet that it is one, with root's user already there (an
 * engine's image) or without any (a process of this machine). */
#include "container/container.h"
#include "container/notes.h"
#include "container/tree.h"
#include "lib/mongo_script.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

extern const struct rf_container_type rf_container_mongo;

static char root[64];
static struct rf_mongo_script *script;
static struct rf_home home;
static struct rf_buf secret;
static struct rf_error err;

/* A home of that runtime, with passwords. */
static void make_home(const char *runtime)
{
    assert_int_equal(rf_home_open(&home, rf_container_mongo.server, true, &err), RF_OK);
    snprintf(home.settings.type, sizeof home.settings.type, "mongo");
    snprintf(home.settings.runtime, sizeof home.settings.runtime, "%s", runtime);
    home.settings.port = 1800;
    assert_int_equal(rf_home_mark(&home, &err), RF_OK);
    assert_int_equal(rf_home_make_secrets(&home, rf_container_mongo.users, &err), RF_OK);
    assert_int_equal(rf_home_secret(&home, "root", &secret, &err), RF_OK);
}

static int setup(void **state)
{
    (void)state;
    snprintf(root, sizeof root, "/tmp/rowferry-test-mongo-XXXXXX");
    assert_non_null(mkdtemp(root));
    setenv("ROWFERRY_CONTAINERS", root, 1);
    err = (struct rf_error){0};
    return 0;
}

static int teardown(void **state)
{
    int directory = open(root, O_RDONLY | O_DIRECTORY);
    (void)state;
    rf_mongo_script_destroy(script);
    script = NULL;
    rf_home_close(&home);
    rf_buf_wipe(&secret);
    assert_int_equal(rf_tree_empty(directory, root, NULL, NULL), RF_OK);
    close(directory);
    return rmdir(root);
}

static void rule(const char *command, uint32_t times, const char *json)
{
    rf_mongo_script_rule(script, &(struct rf_mongo_script_rule){.command = command,
                                                                .times = times,
                                                                .act = RF_MONGO_SCRIPT_ANSWER,
                                                                .json = json});
}

/* What such a server says of itself before it was told that it is a set. */
#define NO_SET_YET                                                                            \
    "{\"ok\": 1, \"isreplicaset\": true, \"ismaster\": false, \"isWritablePrimary\": false, " \
    "\"maxWireVersion\": 17, \"minWireVersion\": 0}"

/* One that knows root, or nobody yet. */
static void begin(bool userless)
{
    script =
        rf_mongo_script_create(&(struct rf_mongo_script_options){.user = "root",
                                                                 .password = rf_buf_cstr(&secret),
                                                                 .userless = userless,
                                                                 .set_name = "rowferry"});
    rule("replSetInitiate", UINT32_MAX, "{\"ok\": 1}");
    rule("usersInfo", UINT32_MAX, "{\"ok\": 1, \"users\": []}");
}

static void expect_command(const char *name, uint32_t nth, const char *part)
{
    char *command = rf_mongo_script_command(script, name, nth);
    assert_non_null(command);
    if (strstr(command, part) == NULL) {
        fail_msg("'%s' is not in '%s'", part, command);
    }
    free(command);
}

/* Until it is done, as rf_container_create asks. */
static uint32_t prepare(void)
{
    uint32_t tries = 0;
    enum rf_status status = RF_RETRY;
    while (status == RF_RETRY && ++tries < 100) {
        err = (struct rf_error){0};
        status = rf_container_mongo.prepare(&home, rf_mongo_script_port(script), &err);
    }
    if (status != RF_OK) {
        fail_msg("%s: %s", rf_status_name(status), err.message);
    }
    return tries;
}

static void test_an_engines_mongod_becomes_a_set_of_one_with_its_users(void **state)
{
    char member[64];
    (void)state;
    make_home("docker");
    begin(false);
    assert_int_equal(rf_container_mongo.answers(&home, rf_mongo_script_port(script), &err), RF_OK);
    assert_true(rf_container_mongo.has_users(&home));
    /* Each connection says hello, and so do we. */
    rule("hello", 4, NO_SET_YET);
    assert_true(prepare() > 1);
    assert_true(rf_mongo_script_count(script, "replSetInitiate") > 0);
    snprintf(member, sizeof member, "\"host\" : \"127.0.0.1:%u\"", rf_mongo_script_port(script));
    expect_command("replSetInitiate", 1, member);
    expect_command("replSetInitiate", 1, "\"_id\" : \"rowferry\"");
    assert_int_equal(rf_mongo_script_count(script, "createUser"), 2);
    expect_command("createUser", 1, "\"createUser\" : \"rowferry\"");
    expect_command("createUser", 2, "\"createUser\" : \"pluto\"");
    expect_command("create", 1, "\"create\" : \"notes\"");
}

/* A process of this machine, at its first start: it lets in who comes from here, to make the first
 * user, who then makes the others. */
static void test_a_mongod_of_this_machine_gets_its_first_user_before_the_others(void **state)
{
    char password[128];
    struct rf_error kept = {0};
    (void)state;
    make_home("native");
    assert_int_equal(rf_home_keep(&home, "mongo.program", RF_STR("mongod\n"), &kept), RF_OK);
    begin(true);
    assert_int_equal(rf_container_mongo.answers(&home, rf_mongo_script_port(script), &err), RF_OK);
    assert_true(rf_container_mongo.has_users(&home));
    rule("hello", 4, NO_SET_YET);
    assert_true(prepare() > 1);
    assert_true(rf_mongo_script_count(script, "replSetInitiate") > 0);
    assert_int_equal(rf_mongo_script_count(script, "createUser"), 3);
    snprintf(password, sizeof password, "\"createUser\" : \"root\", \"pwd\" : \"%s\"",
             rf_buf_cstr(&secret));
    expect_command("createUser", 1, password);
    expect_command("createUser", 1, "\"roles\" : [ \"root\" ]");
    expect_command("createUser", 1, "\"$db\" : \"admin\"");
    expect_command("createUser", 2, "\"createUser\" : \"rowferry\"");
    expect_command("createUser", 3, "\"createUser\" : \"pluto\"");
    expect_command("create", 1, "\"create\" : \"notes\"");
}

#define NOTES_ARE_THERE \
    "{\"ok\": 0, \"code\": 48, \"codeName\": \"NamespaceExists\", \"errmsg\": \"there\"}"
#define LIST_OF(options)                                                                           \
    "{\"ok\": 1, \"cursor\": {\"id\": 0, \"ns\": \"pluto.$cmd.listCollections\", \"firstBatch\": " \
    "["                                                                                            \
    "{\"name\": \"notes\", \"type\": \"collection\", \"options\": {" options "}}]}}"

/* Without them nobody learns what a deletion deleted. */
static void test_notes_have_pre_images_also_where_they_were_made_without(void **state)
{
    (void)state;
    make_home("docker");
    begin(false);
    assert_int_equal(rf_container_mongo.answers(&home, rf_mongo_script_port(script), &err), RF_OK);
    assert_int_equal(prepare(), 1);
    expect_command("create", 1, "\"changeStreamPreAndPostImages\" : { \"enabled\" : true }");
    assert_int_equal(rf_mongo_script_count(script, "collMod"), 0);

    rule("collMod", UINT32_MAX, "{\"ok\": 1}");
    rule("create", UINT32_MAX, NOTES_ARE_THERE);
    rule("listCollections", 1, LIST_OF(""));
    assert_int_equal(prepare(), 1);
    assert_int_equal(rf_mongo_script_count(script, "collMod"), 1);
    expect_command("collMod", 1, "\"collMod\" : \"notes\"");
    expect_command("collMod", 1, "\"changeStreamPreAndPostImages\" : { \"enabled\" : true }");
    expect_command("collMod", 1, "\"$db\" : \"pluto\"");

    /* What is so already stays as it is. */
    rule("listCollections", UINT32_MAX,
         LIST_OF("\"changeStreamPreAndPostImages\": {\"enabled\": true}"));
    assert_int_equal(prepare(), 1);
    assert_int_equal(rf_mongo_script_count(script, "collMod"), 1);
}

static void test_who_may_not_turn_pre_images_on_is_told_who_may(void **state)
{
    struct rf_mongo mongo = {0};
    bool made = true;
    (void)state;
    make_home("docker");
    begin(false);
    struct rf_mongo_address address = {.host = "127.0.0.1",
                                       .port = rf_mongo_script_port(script),
                                       .user = "root",
                                       .password = rf_buf_cstr(&secret),
                                       .tls = {.mode = RF_TLS_OFF}};
    rule("create", UINT32_MAX, NOTES_ARE_THERE);
    rule("listCollections", UINT32_MAX, LIST_OF(""));
    rule("collMod", UINT32_MAX,
         "{\"ok\": 0, \"code\": 13, \"codeName\": \"Unauthorized\", \"errmsg\": \"no\"}");
    assert_int_equal(rf_mongo_connect(&mongo, &address, &err), RF_OK);
    assert_int_equal(rf_container_notes(&mongo, &made, &err), RF_CONFIG);
    assert_true(err.access);
    assert_false(made);
    assert_non_null(strstr(err.hint, "'container create mongo' turns the pre-images"));
    rf_mongo_close(&mongo);
}

static void test_users_that_are_there_are_left_alone(void **state)
{
    (void)state;
    make_home("docker");
    begin(false);
    rf_mongo_script_clear(script);
    rule("usersInfo", UINT32_MAX, "{\"ok\": 1, \"users\": [{\"user\": \"x\"}]}");
    assert_int_equal(rf_container_mongo.answers(&home, rf_mongo_script_port(script), &err), RF_OK);
    assert_int_equal(prepare(), 1);
    assert_int_equal(rf_mongo_script_count(script, "replSetInitiate"), 0);
    assert_int_equal(rf_mongo_script_count(script, "createUser"), 0);
}

/* Its set's configuration names the port: on another one it would be a member of no set. */
static void test_a_mongod_of_this_machine_starts_on_the_port_that_it_was_made_with(void **state)
{
    struct rf_container_work work = {.type = &rf_container_mongo, .wishes = {.port = 1801}};
    (void)state;
    make_home("native");
    assert_int_equal(rf_home_keep(&home, "mongo.program", RF_STR("mongod\n"), &err), RF_OK);
    rf_home_close(&home);
    assert_int_equal(rf_container_create(&work, &err), RF_CONFIG);
    assert_non_null(strstr(err.message, "it was made on port 1800, which its data know it by"));
    assert_non_null(strstr(err.hint, "container -init --port 1801 mongo"));
    assert_int_equal(rf_home_open(&home, rf_container_mongo.server, false, &err), RF_OK);
    assert_int_equal(home.settings.port, 1800);
    rf_container_work_deinit(&work);
}

static void test_a_server_for_tests_is_known_by_what_it_does_not_know(void **state)
{
    (void)state;
    make_home("docker");
    script = rf_mongo_script_create(&(struct rf_mongo_script_options){0});
    /* libmongoc says isMaster, and takes it for all there is. */
    rf_mongo_script_rule(script, &(struct rf_mongo_script_rule){
                                     .command = "hello",
                                     .nth = 2,
                                     .times = 1,
                                     .act = RF_MONGO_SCRIPT_ANSWER,
                                     .json = "{\"ok\": 0, \"code\": 59, \"codeName\": "
                                             "\"CommandNotFound\", \"errmsg\": \"no such command: "
                                             "'hello'\"}"});
    assert_int_equal(rf_container_mongo.answers(&home, rf_mongo_script_port(script), &err), RF_OK);
    assert_false(rf_container_mongo.has_users(&home));
    assert_int_equal(prepare(), 1);
    assert_int_equal(rf_mongo_script_count(script, "createUser"), 0);
}

static void test_a_wrong_password_is_no_server_that_is_starting(void **state)
{
    (void)state;
    make_home("docker");
    script = rf_mongo_script_create(
        &(struct rf_mongo_script_options){.user = "root", .password = "another"});
    assert_int_equal(rf_container_mongo.answers(&home, rf_mongo_script_port(script), &err),
                     RF_CONFIG);
    assert_true(err.access);
}

static void test_what_an_image_is_given_shows_no_password(void **state)
{
    struct rf_pack pack = {0};
    (void)state;
    make_home("docker");
    assert_int_equal(rf_container_mongo.pack(&home, &pack, &err), RF_OK);
    bool port = false, password = false, key = false;
    for (uint32_t i = 0; i < pack.command.count; i++) {
        assert_null(strstr(pack.command.items[i], rf_buf_cstr(&secret)));
        port = port || strcmp(pack.command.items[i], "1800") == 0;
    }
    for (uint32_t i = 0; i < pack.environment.count; i++) {
        assert_null(strstr(pack.environment.items[i], rf_buf_cstr(&secret)));
    }
    for (uint32_t i = 0; i < pack.file_count; i++) {
        const struct rf_pack_file *file = &pack.files[i];
        password = password || rf_str_equal(rf_buf_str(&file->text), rf_buf_str(&secret));
        key = key || (strcmp(file->name, "mongo.key") == 0 && file->mode == 0400);
    }
    assert_true(port && password && key);
    rf_pack_deinit(&pack);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_an_engines_mongod_becomes_a_set_of_one_with_its_users),
        TEST(test_a_mongod_of_this_machine_gets_its_first_user_before_the_others),
        TEST(test_notes_have_pre_images_also_where_they_were_made_without),
        TEST(test_who_may_not_turn_pre_images_on_is_told_who_may),
        TEST(test_users_that_are_there_are_left_alone),
        TEST(test_a_mongod_of_this_machine_starts_on_the_port_that_it_was_made_with),
        TEST(test_a_server_for_tests_is_known_by_what_it_does_not_know),
        TEST(test_a_wrong_password_is_no_server_that_is_starting),
        TEST(test_what_an_image_is_given_shows_no_password),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
