/* Which runtime is chosen, and servers in an engine on a scripted socket: what a real one does not
 * do when it is asked to. */
#include "container/container.h"
#include "container/tree.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "lib/http_script.h"

#define DOCKER                                                                    \
    "{\"Version\":\"29.0.1\",\"ApiVersion\":\"1.52\",\"MinAPIVersion\":\"1.44\"," \
    "\"Components\":[{\"Name\":\"Engine\"}]}"
#define PODMAN                                                                   \
    "{\"Version\":\"4.3.1\",\"ApiVersion\":\"1.41\",\"MinAPIVersion\":\"1.24\"," \
    "\"Components\":[{\"Name\":\"Podman Engine\"}]}"
#define NOT_THERE "{\"message\":\"no such container\"}"

static struct rf_test_http *script;
static char root[64];
/* What an engine says of the container: it runs or is stopped, and is this home's or another's. */
static char runs[256], stopped[256], elsewhere[256];
static struct rf_error err;
static int answered; /* how often the server was asked before it answers */

/* ---- A server that needs no server ----------------------------------------------------------- */

static enum rf_status answers(const struct rf_home *home, uint16_t port, struct rf_error *error)
{
    (void)home;
    assert_int_equal(port, 4711);
    return answered-- > 0 ? rf_fail(error, RF_RETRY, "not yet") : RF_OK;
}

static enum rf_status prepare(const struct rf_home *home, uint16_t port, struct rf_error *error)
{
    return answers(home, port, error);
}

static enum rf_status pack(const struct rf_home *home, struct rf_pack *out, struct rf_error *error)
{
    struct rf_buf secret = {0};
    enum rf_status status = rf_home_secret(home, "root", &secret, error);

    rf_words_add(&out->command, "store");
    rf_words_add(&out->environment, "PASSWORD_FILE=" RF_PACK_DIRECTORY "/root");
    rf_buf_add_str(rf_pack_file(out, "root", 0400, 999), rf_buf_str(&secret));
    rf_buf_wipe(&secret);
    return status;
}

static const struct rf_container_type store = {
    .name = "store",
    .title = "Store",
    .server = "final_store_container",
    .port = 4711,
    .users = {"root"},
    .servers = {{.name = "store"}},
    .image = "store:1",
    .inside = 1234,
    .pack = pack,
    .answers = answers,
    .prepare = prepare,
};

/* What was said on the way, a line each. */
static struct rf_buf told;

static void tell(void *argument, const char *what)
{
    (void)argument;
    rf_buf_printf(&told, "%s\n", what);
}

static struct rf_container_work work_with(const char *runtime)
{
    return (struct rf_container_work){
        .type = &store, .wishes = {.runtime = runtime}, .progress = {tell, NULL}};
}

static void describe(char *out, size_t size, bool running, const char *directory)
{
    snprintf(out, size,
             "{\"State\":{\"Running\":%s,\"Pid\":7},\"Config\":{\"Image\":\"store:1\","
             "\"Labels\":{\"org.rowferry.container\":\"store\","
             "\"org.rowferry.home\":\"%s/final_store_container\"}}}",
             running ? "true" : "false", directory);
}

static int setup(void **state)
{
    static const struct rf_test_http_rule none[] = {{0}};
    (void)state;
    script = rf_test_http_start(none);
    snprintf(root, sizeof root, "/tmp/rowferry-test-docker-XXXXXX");
    assert_non_null(mkdtemp(root));
    describe(runs, sizeof runs, true, root);
    describe(stopped, sizeof stopped, false, root);
    describe(elsewhere, sizeof elsewhere, true, "/home/somebody/containers");
    setenv("ROWFERRY_CONTAINERS", root, 1);
    setenv("DOCKER_HOST", "unix:///nowhere/docker.sock", 1);
    setenv("CONTAINER_HOST", "unix:///nowhere/podman.sock", 1);
    unsetenv("ROWFERRY_RUNTIME");
    err = (struct rf_error){0};
    answered = 0;
    return 0;
}

static int teardown(void **state)
{
    int directory = open(root, O_RDONLY | O_DIRECTORY);
    (void)state;
    rf_test_http_stop(script);
    rf_buf_deinit(&told);
    assert_int_equal(rf_tree_empty(directory, root, NULL, NULL), RF_OK);
    close(directory);
    return rmdir(root);
}

/* The home of one that Docker has. */
static void make_home(void)
{
    struct rf_home home = {0};

    assert_int_equal(rf_home_open(&home, store.server, true, &err), RF_OK);
    home.settings = (struct rf_home_settings){.type = "store", .runtime = "docker", .port = 4711};
    assert_int_equal(rf_home_mark(&home, &err), RF_OK);
    rf_home_close(&home);
}

static void expect_text(const char *text, const char *part)
{
    if (strstr(text, part) == NULL) {
        fail_msg("'%s' is not in '%s'", part, text);
    }
}

/* ---- Choosing -------------------------------------------------------------------------------- */

static const char *chosen(const char *wanted)
{
    const struct rf_container_runtime *runtime = NULL;

    rf_buf_reset(&told);
    assert_int_equal(rf_container_runtime_choose(wanted, &runtime, &told, &err), RF_OK);
    return runtime->name;
}

static void test_an_engine_that_answers_is_chosen_else_the_machine(void **state)
{
    static const struct rf_test_http_rule docker[] = {
        {.request = "GET /version", .code = 200, .body = DOCKER}, {0}};
    static const struct rf_test_http_rule podman[] = {
        {.request = "GET /version", .code = 200, .body = PODMAN}, {0}};
    static const struct rf_test_http_rule broken[] = {
        {.request = "GET /version", .code = 500, .body = ""}, {0}};
    const struct rf_container_runtime *runtime = NULL;
    (void)state;
    assert_string_equal(chosen(NULL), "native");
    setenv("CONTAINER_HOST", rf_test_http_address(script), 1);
    rf_test_http_teach(script, podman);
    assert_string_equal(chosen(NULL), "podman");
    setenv("DOCKER_HOST", rf_test_http_address(script), 1);
    rf_test_http_teach(script, docker);
    assert_string_equal(chosen(NULL), "docker");
    assert_string_equal(chosen("native"), "native");
    setenv("ROWFERRY_RUNTIME", "native", 1);
    assert_string_equal(chosen(NULL), "native");
    assert_string_equal(chosen("podman"), "podman");
    assert_int_equal(told.size, 0);
    setenv("ROWFERRY_RUNTIME", "dokcer", 1);
    assert_int_equal(rf_container_runtime_choose(NULL, &runtime, &told, &err), RF_CONFIG);
    expect_text(err.message, "there is no runtime 'dokcer'; did you mean 'docker'?");
    unsetenv("ROWFERRY_RUNTIME");
    rf_test_http_teach(script, broken);
    assert_string_equal(chosen(NULL), "native");
    expect_text(rf_buf_cstr(&told), "docker could not be used: ");
    expect_text(rf_buf_cstr(&told), "; podman could not be used: ");
}

/* Where there is none, there is nothing to say; where there is one, why it is not used. */
static void test_a_socket_without_rights_is_named_where_the_machine_is_taken(void **state)
{
    char path[128], address[160];
    (void)state;
    unsetenv("DOCKER_HOST");
    unsetenv("CONTAINER_HOST");
    setenv("XDG_RUNTIME_DIR", root, 1);
    if (access("/var/run/docker.sock", F_OK) != 0 && access("/run/podman/podman.sock", F_OK) != 0) {
        assert_string_equal(chosen(NULL), "native");
        assert_int_equal(told.size, 0);
    }
    snprintf(path, sizeof path, "%s/docker.sock", root);
    snprintf(address, sizeof address, "unix://%s", path);
    int file = open(path, O_CREAT | O_WRONLY, 0600); /* nobody listens */
    assert_true(file >= 0);
    close(file);
    setenv("DOCKER_HOST", address, 1);
    assert_string_equal(chosen(NULL), "native");
    expect_text(rf_buf_cstr(&told), "docker could not be used: ");
    expect_text(rf_buf_cstr(&told), path);
    unlink(path);
    unsetenv("XDG_RUNTIME_DIR");
}

/* ---- Creating -------------------------------------------------------------------------------- */

static void test_a_missing_image_is_fetched_and_the_container_made_of_it(void **state)
{
    static const struct rf_test_http_rule rules[] = {
        {.request = "GET /version", .code = 200, .body = DOCKER},
        {.request = "GET /v1.47/containers/final_store_container/json",
         .code = 404,
         .body = NOT_THERE},
        {.request = "GET /v1.47/images/store%3A1/json", .code = 404, .body = "{}"},
        {.request = "POST /v1.47/images/create?fromImage=store&tag=1",
         .code = 200,
         .body = "{\"status\":\"Pulling fs layer\",\"id\":\"aaaa\"}\n"
                 "{\"status\":\"Downloading\",\"progressDetail\":{\"current\":1500000,\"total\":"
                 "3000000},\"id\":\"aaaa\"}\n"
                 "{\"status\":\"Pull complete\",\"id\":\"aaaa\"}\n"},
        {.request = "POST /v1.47/containers/create?name=final_store_container",
         .code = 201,
         .body = "{\"Id\":\"abc\"}"},
        {.request = "PUT /v1.47/containers/final_store_container/archive?path=%2F",
         .code = 200,
         .body = ""},
        {.request = "POST /v1.47/containers/final_store_container/start", .code = 204, .body = ""},
        {0},
    };
    struct rf_container_work work = work_with("docker");
    (void)state;
    setenv("DOCKER_HOST", rf_test_http_address(script), 1);
    rf_test_http_teach(script, rules);
    assert_int_equal(rf_container_create(&work, &err), RF_OK);
    assert_true(work.changed);
    assert_int_equal(work.port, 4711);
    assert_string_equal(rf_buf_cstr(&work.which), "Docker 29.0.1 of the image store:1");
    expect_text(rf_buf_cstr(&told),
                "fetching store:1 [##########..........] 1.5 of 3.0 MB, 0 of 1 layers\n");
    expect_text(
        rf_test_http_requests(script),
        "\"PortBindings\":{\"1234/tcp\":[{\"HostIp\":\"127.0.0.1\",\"HostPort\":\"4711\"}]}");
    expect_text(rf_test_http_requests(script), "\"Env\":[\"PASSWORD_FILE=/rowferry/root\"]");
    rf_container_work_deinit(&work);
}

static void test_what_podman_runs_already_is_left_as_it_is(void **state)
{
    static const struct rf_test_http_rule makes[] = {
        {.request = "GET /version", .code = 200, .body = PODMAN},
        {.request = "GET /v1.41/containers/final_store_container/json",
         .code = 404,
         .body = NOT_THERE},
        {.request = "GET /v1.41/images/store%3A1/json", .code = 200, .body = "{}"},
        {.request = "POST /v1.41/containers/create", .code = 201, .body = "{\"Id\":\"abc\"}"},
        {.request = "PUT /v1.41/containers/final_store_container/archive", .code = 200, .body = ""},
        {.request = "POST /v1.41/containers/final_store_container/start", .code = 204, .body = ""},
        {0},
    };
    static const struct rf_test_http_rule there[] = {
        {.request = "GET /version", .code = 200, .body = PODMAN},
        {.request = "GET /v1.41/containers/final_store_container/json", .code = 200, .body = runs},
        {0},
    };
    struct rf_container_work work = work_with(NULL);
    (void)state;
    setenv("CONTAINER_HOST", rf_test_http_address(script), 1);
    rf_test_http_teach(script, makes);
    answered = 3;
    assert_int_equal(rf_container_create(&work, &err), RF_OK);
    rf_container_work_deinit(&work);
    work = work_with("podman");
    rf_test_http_teach(script, there);
    assert_int_equal(rf_container_create(&work, &err), RF_OK);
    assert_false(work.changed);
    assert_string_equal(rf_buf_cstr(&work.which), "Podman 4.3.1 of the image store:1");
    rf_container_work_deinit(&work);
    work = work_with("docker");
    assert_int_equal(rf_container_create(&work, &err), RF_CONFIG);
    expect_text(err.message, "it was made with --runtime podman");
    rf_container_work_deinit(&work);
}

/* Half a container is taken back: the next try begins afresh. */
static void test_a_start_that_fails_leaves_no_container(void **state)
{
    static const struct rf_test_http_rule rules[] = {
        {.request = "GET /version", .code = 200, .body = DOCKER},
        {.request = "GET /v1.47/containers/final_store_container/json",
         .code = 404,
         .body = NOT_THERE},
        {.request = "GET /v1.47/images/store%3A1/json", .code = 200, .body = "{}"},
        {.request = "POST /v1.47/containers/create", .code = 201, .body = "{\"Id\":\"abc\"}"},
        {.request = "PUT /v1.47/containers/final_store_container/archive", .code = 200, .body = ""},
        {.request = "POST /v1.47/containers/final_store_container/start",
         .code = 500,
         .body = "{\"message\":\"driver failed programming external connectivity: address already "
                 "in use\"}"},
        {.request = "DELETE /v1.47/containers/final_store_container?force=1&v=1",
         .code = 204,
         .body = ""},
        {0},
    };
    struct rf_container_work work = work_with("docker");
    (void)state;
    setenv("DOCKER_HOST", rf_test_http_address(script), 1);
    rf_test_http_teach(script, rules);
    assert_int_equal(rf_container_create(&work, &err), RF_CONFIG);
    expect_text(err.message, "address already in use");
    expect_text(rf_test_http_requests(script), "DELETE /v1.47/containers/final_store_container");
    rf_container_work_deinit(&work);
}

static void test_a_server_that_ends_at_once_shows_its_log(void **state)
{
    static const struct rf_test_http_rule rules[] = {
        {.request = "GET /version", .code = 200, .body = DOCKER},
        {.request = "GET /v1.47/containers/final_store_container/json",
         .code = 200,
         .body = stopped},
        {.request = "POST /v1.47/containers/final_store_container/start", .code = 204, .body = ""},
        {.request = "GET /v1.47/containers/final_store_container/logs",
         .code = 200,
         .body = "no room for the store\n"},
        {0},
    };
    struct rf_container_work work = work_with("docker");
    (void)state;
    make_home();
    setenv("DOCKER_HOST", rf_test_http_address(script), 1);
    rf_test_http_teach(script, rules);
    answered = 1000;
    assert_int_equal(rf_container_create(&work, &err), RF_CONFIG);
    expect_text(err.message, "it ended before it answered");
    expect_text(rf_buf_cstr(&work.details), "no room for the store");
    rf_container_work_deinit(&work);
}

static void test_what_a_server_died_of_is_said(void **state)
{
    static const struct {
        const char *how, *said, *hint;
    } rows[] = {
        {"\"OOMKilled\":true,\"ExitCode\":137", "as its memory was full", "--memory"},
        {"\"OOMKilled\":false,\"ExitCode\":3", "it ended with 3 before it answered", "log"}};
    static char body[1024];
    struct rf_test_http_rule rules[] = {
        {.request = "GET /version", .code = 200, .body = DOCKER},
        {.request = "GET /v1.47/containers/final_store_container/json", .code = 200, .body = body},
        {.request = "POST /v1.47/containers/final_store_container/start", .code = 204, .body = ""},
        {.request = "GET /v1.47/containers/final_store_container/logs", .code = 200, .body = "x\n"},
        {0},
    };
    (void)state;
    make_home();
    setenv("DOCKER_HOST", rf_test_http_address(script), 1);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct rf_container_work work = work_with("docker");
        snprintf(body, sizeof body,
                 "{\"State\":{\"Running\":false,%s},\"Config\":{\"Image\":\"store:1\",\"Labels\":{"
                 "\"org.rowferry.container\":\"store\",\"org.rowferry.home\":"
                 "\"%s/final_store_container\"}}}",
                 rows[i].how, root);
        rf_test_http_teach(script, rules);
        answered = 1000;
        assert_int_equal(rf_container_create(&work, &err), RF_CONFIG);
        expect_text(err.message, rows[i].said);
        expect_text(err.hint, rows[i].hint);
        rf_container_work_deinit(&work);
    }
}

/* What -init cannot make it does not delete. */
static void test_a_making_afresh_that_must_fail_deletes_nothing(void **state)
{
    static const struct rf_test_http_rule no_image[] = {
        {.request = "GET /version", .code = 200, .body = DOCKER},
        {.request = "GET /v1.47/containers/final_store_container/json", .code = 200, .body = runs},
        {.request = "GET /v1.47/images/store%3A2/json", .code = 404, .body = "{}"},
        {.request = "POST /v1.47/images/create?fromImage=store&tag=2",
         .code = 200,
         .body = "{\"error\":\"no such\"}"},
        {0},
    };
    struct rf_container_work work = work_with("docker");
    (void)state;
    make_home();
    work.wishes.image = "store:2";
    setenv("DOCKER_HOST", rf_test_http_address(script), 1);
    rf_test_http_teach(script, no_image);
    assert_int_equal(rf_container_init(&work, &err), RF_CONFIG);
    expect_text(err.message, "no such");
    assert_false(work.changed);
    assert_null(strstr(rf_test_http_requests(script), "DELETE"));
    setenv("DOCKER_HOST", "unix:///nowhere/docker.sock", 1); /* now the engine is away */
    assert_int_equal(rf_container_init(&work, &err), RF_CONFIG);
    assert_false(work.changed);
    rf_container_work_deinit(&work);
}

static void test_an_engine_that_goes_away_in_the_middle_is_named(void **state)
{
    static const struct rf_test_http_rule rules[] = {
        {.request = "GET /version", .code = 200, .body = DOCKER},
        {.request = "GET /v1.47/containers/final_store_container/json",
         .code = 404,
         .body = NOT_THERE},
        {.request = "GET /v1.47/images/store%3A1/json", .code = 200, .body = "{}"},
        {.request = "POST /v1.47/containers/create", .code = 0},
        {0},
    };
    struct rf_container_work work = work_with("docker");
    (void)state;
    setenv("DOCKER_HOST", rf_test_http_address(script), 1);
    rf_test_http_teach(script, rules);
    assert_int_equal(rf_container_create(&work, &err), RF_CONFIG);
    expect_text(err.message, "the engine went away: ");
    rf_container_work_deinit(&work);
}

/* An engine starts it as it was made: the mark says what is so. */
static void test_one_that_was_stopped_is_started_as_it_was_made_or_not_at_all(void **state)
{
    static const struct rf_test_http_rule rules[] = {
        {.request = "GET /version", .code = 200, .body = DOCKER},
        {.request = "GET /v1.47/containers/final_store_container/json",
         .code = 200,
         .body = stopped},
        {.request = "POST /v1.47/containers/final_store_container/start", .code = 204, .body = ""},
        {0},
    };
    static const struct {
        struct rf_container_wishes wishes;
        const char *words; /* NULL: it is started */
    } tries[] = {
        {{.port = 4712}, "it was made on port 4711 and not on 4712"},
        {{.memory_bytes = 1 << 28}, "it was made with another --memory"},
        {{.image = "store:2"}, "it was made of another --image"},
        {{.port = 4711, .image = "store:1"}, NULL},
    };
    (void)state;
    make_home();
    setenv("DOCKER_HOST", rf_test_http_address(script), 1);
    rf_test_http_teach(script, rules);
    for (size_t i = 0; i < sizeof tries / sizeof *tries; i++) {
        struct rf_container_work work = work_with(NULL);
        work.wishes = tries[i].wishes; /* and nothing of what was refused before */
        err = (struct rf_error){0};
        enum rf_status status = rf_container_create(&work, &err);
        assert_int_equal(status, tries[i].words == NULL ? RF_OK : RF_CONFIG);
        if (tries[i].words != NULL) {
            expect_text(err.message, tries[i].words);
            expect_text(err.hint, "delete it first");
        } else {
            assert_int_equal(work.port, 4711);
        }
        rf_container_work_deinit(&work);
    }
}

static void test_one_whose_home_is_gone_is_not_started(void **state)
{
    static const struct rf_test_http_rule rules[] = {
        {.request = "GET /version", .code = 200, .body = DOCKER},
        {.request = "GET /v1.47/containers/final_store_container/json",
         .code = 200,
         .body = stopped},
        {0},
    };
    struct rf_container_work work = work_with("docker");
    (void)state;
    setenv("DOCKER_HOST", rf_test_http_address(script), 1);
    rf_test_http_teach(script, rules);
    assert_int_equal(rf_container_create(&work, &err), RF_CONFIG);
    expect_text(err.message, "its home is gone");
    expect_text(err.hint, "'rowferry container delete store'");
    rf_container_work_deinit(&work);
}

/* ---- Deleting -------------------------------------------------------------------------------- */

static void test_what_is_left_without_a_home_is_removed_if_it_is_ours(void **state)
{
    static const struct rf_test_http_rule ours[] = {
        {.request = "GET /version", .code = 200, .body = DOCKER},
        {.request = "GET /v1.47/containers/final_store_container/json", .code = 200, .body = runs},
        {.request = "DELETE /v1.47/containers/final_store_container", .code = 204, .body = ""},
        {0},
    };
    static const struct rf_test_http_rule foreign[] = {
        {.request = "GET /version", .code = 200, .body = DOCKER},
        {.request = "GET /v1.47/containers/final_store_container/json",
         .code = 200,
         .body = "{\"State\":{\"Running\":true},\"Config\":{\"Image\":\"other\"}}"},
        {0},
    };
    struct rf_container_work work = work_with(NULL);
    (void)state;
    setenv("DOCKER_HOST", rf_test_http_address(script), 1);
    rf_test_http_teach(script, foreign);
    assert_int_equal(rf_container_delete(&work, &err), RF_OK);
    assert_false(work.changed);
    assert_null(strstr(rf_test_http_requests(script), "DELETE"));
    rf_test_http_teach(script, ours);
    assert_int_equal(rf_container_delete(&work, &err), RF_OK);
    assert_true(work.changed);
    expect_text(rf_test_http_requests(script), "DELETE /v1.47/containers/final_store_container");
    rf_container_work_deinit(&work);
}

/* Its passwords and its data are of use there only; whoever made it has not asked for its end. */
static void test_a_container_of_another_home_is_refused_and_left_alone(void **state)
{
    static const struct rf_test_http_rule rules[] = {
        {.request = "GET /version", .code = 200, .body = DOCKER},
        {.request = "GET /v1.47/containers/final_store_container/json",
         .code = 200,
         .body = elsewhere},
        {.request = "DELETE /v1.47/containers/final_store_container", .code = 204, .body = ""},
        {.request = "POST /v1.47/containers/final_store_container/start", .code = 204, .body = ""},
        {0},
    };
    enum rf_status (*const calls[])(struct rf_container_work * work, struct rf_error * error) = {
        rf_container_delete, rf_container_init, rf_container_create};
    (void)state;
    setenv("DOCKER_HOST", rf_test_http_address(script), 1);
    rf_test_http_teach(script, rules);
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        struct rf_container_work work = work_with("docker");
        err = (struct rf_error){0};
        assert_int_equal(calls[i](&work, &err), RF_CONFIG);
        expect_text(err.message, "its home is /home/somebody/containers/final_store_container");
        expect_text(err.hint, "delete it there, with ROWFERRY_CONTAINERS set");
        rf_container_work_deinit(&work);
    }
    assert_null(strstr(rf_test_http_requests(script), "DELETE"));
    assert_null(strstr(rf_test_http_requests(script), "/start"));
}

/* However the way there is written. */
static void test_a_home_is_the_same_by_another_path(void **state)
{
    static const struct rf_test_http_rule rules[] = {
        {.request = "GET /version", .code = 200, .body = DOCKER},
        {.request = "GET /v1.47/containers/final_store_container/json", .code = 200, .body = runs},
        {.request = "DELETE /v1.47/containers/final_store_container", .code = 204, .body = ""},
        {0},
    };
    struct rf_container_work work = work_with("docker");
    char other[96];
    (void)state;
    snprintf(other, sizeof other, "%s/./", root);
    setenv("ROWFERRY_CONTAINERS", other, 1);
    setenv("DOCKER_HOST", rf_test_http_address(script), 1);
    rf_test_http_teach(script, rules);
    assert_int_equal(rf_container_delete(&work, &err), RF_OK);
    expect_text(rf_test_http_requests(script), "DELETE /v1.47/containers/final_store_container");
    rf_container_work_deinit(&work);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_an_engine_that_answers_is_chosen_else_the_machine),
        TEST(test_a_socket_without_rights_is_named_where_the_machine_is_taken),
        TEST(test_a_missing_image_is_fetched_and_the_container_made_of_it),
        TEST(test_what_podman_runs_already_is_left_as_it_is),
        TEST(test_a_start_that_fails_leaves_no_container),
        TEST(test_a_server_that_ends_at_once_shows_its_log),
        TEST(test_what_a_server_died_of_is_said),
        TEST(test_a_making_afresh_that_must_fail_deletes_nothing),
        TEST(test_an_engine_that_goes_away_in_the_middle_is_named),
        TEST(test_one_that_was_stopped_is_started_as_it_was_made_or_not_at_all),
        TEST(test_one_whose_home_is_gone_is_not_started),
        TEST(test_what_is_left_without_a_home_is_removed_if_it_is_ours),
        TEST(test_a_container_of_another_home_is_refused_and_left_alone),
        TEST(test_a_home_is_the_same_by_another_path),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
