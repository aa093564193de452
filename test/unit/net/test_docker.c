/* The API of an engine of containers, on a scripted socket: what a real engine does not do when it
 * is asked to. The real one has a story of its own. */
#include "net/docker.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "lib/http_script.h"

#define VERSION_OF(api, least)                                                              \
    "{\"Version\":\"20.10.24\",\"ApiVersion\":\"" api "\",\"MinAPIVersion\":\"" least "\"," \
    "\"Components\":[{\"Name\":\"Engine\"},{\"Name\":\"containerd\"}]}"

static const struct rf_test_http_rule plain[] = {
    {.request = "GET /version", .code = 200, .body = VERSION_OF("1.41", "1.12")},
    {0},
};

static struct rf_test_http *script;
static struct rf_docker docker;
static struct rf_error err;
static const char *const labels[] = {"l", "home", NULL};

static int setup(void **state)
{
    (void)state;
    script = rf_test_http_start(plain);
    docker = (struct rf_docker){0};
    err = (struct rf_error){0};
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    rf_docker_close(&docker);
    rf_test_http_stop(script);
    return 0;
}

static void open_docker(void)
{
    assert_int_equal(rf_docker_open(&docker, rf_test_http_address(script), &err), RF_OK);
}

static void expect_text(const char *text, const char *part)
{
    if (strstr(text, part) == NULL) {
        fail_msg("'%s' is not in '%s'", part, text);
    }
}

/* ---- Versions -------------------------------------------------------------------------------- */

static void test_the_engines_version_is_spoken_within_our_bounds(void **state)
{
    static const struct {
        const char *said;
        int spoken; /* 0: refused */
        const char *words;
    } cases[] = {
        {VERSION_OF("1.41", "1.12"), 41, ""},
        {VERSION_OF("1.44", "1.24"), 44, ""},
        {VERSION_OF("1.99", "1.44"), RF_DOCKER_API_MAX, ""},
        {VERSION_OF("1.40", "1.12"), 0, "too old: it speaks API 1.40"},
        {VERSION_OF("1.99", "1.90"), 0, "too new: it wants API 1.90"},
        {VERSION_OF("2.0", "1.12"), 0, "says no API version"},
        {"{}", 0, "says no API version"},
        {"[1,2", 0, "no engine of containers"},
        {"<html>", 0, "no engine of containers"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rf_test_http_rule rules[] = {
            {.request = "GET /version", .code = 200, .body = cases[i].said}, {0}};
        rf_test_http_teach(script, rules);
        enum rf_status status = rf_docker_open(&docker, rf_test_http_address(script), &err);
        assert_int_equal(status, cases[i].spoken > 0 ? RF_OK : RF_CONFIG);
        assert_int_equal(docker.api, cases[i].spoken);
        if (status != RF_OK) {
            expect_text(err.message, cases[i].words);
        }
        rf_docker_close(&docker);
    }
    rf_test_http_teach(script, plain);
}

static void test_podman_is_known_by_its_component(void **state)
{
    static const struct rf_test_http_rule rules[] = {
        {.request = "GET /version",
         .code = 200,
         .body = "{\"Version\":\"4.3.1\",\"ApiVersion\":\"1.41\",\"MinAPIVersion\":\"1.24\","
                 "\"Components\":[{\"Name\":\"Podman Engine\",\"Version\":\"4.3.1\"}]}"},
        {0},
    };
    (void)state;
    rf_test_http_teach(script, rules);
    open_docker();
    assert_true(docker.podman);
    assert_string_equal(docker.called.data, "Podman 4.3.1");
}

static void test_an_address_without_an_engine_is_not_reachable(void **state)
{
    (void)state;
    assert_int_equal(rf_docker_open(&docker, "unix:///nowhere/docker.sock", &err), RF_RETRY);
    assert_true(err.connect);
    rf_docker_close(&docker);
    assert_int_equal(rf_docker_open(&docker, "docker.sock", &err), RF_CONFIG);
    expect_text(err.message, "'docker.sock' is no address of an engine");
}

static int without_right(const char *path)
{
    if (geteuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0)) {
        return 1;
    }
    enum rf_status status = rf_docker_open(&docker, path, &err);
    if (status != RF_CONFIG || !err.access || strstr(err.message, "no right to use") == NULL) {
        fprintf(stderr, "%d: %s\n", status, err.message);
        return 2;
    }
    return 0;
}

static void test_a_socket_without_rights_is_named(void **state)
{
    (void)state;
    int result = 0;
    assert_int_equal(chmod(rf_test_http_address(script) + strlen("unix://"), 0), 0);
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        _exit(without_right(rf_test_http_address(script)));
    }
    assert_int_equal(waitpid(pid, &result, 0), pid);
    assert_int_equal(result, 0);
}

/* ---- Images ---------------------------------------------------------------------------------- */

#define PULL "POST /v1.41/images/create?fromImage=registry%3A5000%2Fteam%2Fredis&tag=7 "

static void note_progress(void *argument, const struct rf_docker_pull *pull)
{
    *(struct rf_docker_pull *)argument = *pull;
}

static void test_a_pull_tells_how_far_it_is(void **state)
{
    static const struct rf_test_http_rule rules[] = {
        {.request = "GET /version", .code = 200, .body = VERSION_OF("1.41", "1.12")},
        {.request = "POST /v1.41/images/create",
         .code = 200,
         .body = "{\"status\":\"Pulling from team/redis\",\"id\":\"7\"}\r\n"
                 "{\"status\":\"Pulling fs layer\",\"progressDetail\":{},\"id\":\"aaaa\"}\r\n"
                 "{\"status\":\"Pulling fs layer\",\"progressDetail\":{},\"id\":\"bbbb\"}\r\n"
                 "{\"status\":\"Downloading\",\"progressDetail\":{\"current\":10,\"total\":100},"
                 "\"id\":\"aaaa\"}\r\n"
                 "{\"status\":\"Already exists\",\"progressDetail\":{},\"id\":\"bbbb\"}\r\n"
                 "{\"status\":\"Downloading\",\"progressDetail\":{\"current\":60,\"total\":100},"
                 "\"id\":\"aaaa\"}\r\n"
                 "{\"status\":\"Download complete\",\"progressDetail\":{},\"id\":\"aaaa\"}\r\n"
                 "{\"status\":\"Pull complete\",\"progressDetail\":{},\"id\":\"aaaa\"}\r\n"
                 "{\"status\":\"Digest: sha256:0\"}\r\n"},
        {0},
    };
    struct rf_docker_pull seen = {0};
    (void)state;
    rf_test_http_teach(script, rules);
    open_docker();
    assert_int_equal(
        rf_docker_pull(&docker, "registry:5000/team/redis:7", note_progress, &seen, &err), RF_OK);
    assert_int_equal(seen.layers, 2);
    assert_int_equal(seen.layers_done, 2);
    assert_int_equal(seen.bytes, 100);
    assert_int_equal(seen.bytes_total, 100);
    expect_text(rf_test_http_requests(script), PULL);
}

static void test_a_pull_that_fails_inside_a_good_answer_is_a_failure(void **state)
{
    static const char *const endings[] = {
        "{\"errorDetail\":{\"message\":\"manifest unknown\"},\"error\":\"manifest unknown\"}\r\n",
        "{\"errorDetail\":{\"message\":\"manifest unknown\"}}",
        "{\"error\":\"manifest unknown\"}\n",
    };
    (void)state;
    open_docker();
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        struct rf_buf body = {0};
        rf_buf_printf(&body, "{\"status\":\"Pulling from library/redis\",\"id\":\"7\"}\r\n%s",
                      endings[i]);
        struct rf_test_http_rule rules[] = {
            {.request = "POST /v1.41/images/create", .code = 200, .body = rf_buf_cstr(&body)}, {0}};
        rf_test_http_teach(script, rules);
        assert_int_equal(rf_docker_pull(&docker, "redis:7", NULL, NULL, &err), RF_CONFIG);
        assert_string_equal(err.message,
                            "Docker 20.10.24 could not fetch the image redis:7: manifest unknown");
        rf_buf_deinit(&body);
    }
    rf_test_http_teach(script, plain);
}

static void test_a_pull_that_is_refused_or_cut_is_a_failure(void **state)
{
    static const struct rf_test_http_rule refused[] = {
        {.request = "POST /v1.41/images/create",
         .code = 404,
         .body = "{\"message\":\"pull access denied for redis\"}"},
        {0},
    };
    static const struct rf_test_http_rule cut[] = {
        {.request = "POST /v1.41/images/create",
         .code = 200,
         .body = "{\"status\":\"Pulling fs layer\",\"id\":\"aaaa\"}\r\n{\"status\":\"Pull com",
         .cut = 40},
        {0},
    };
    (void)state;
    open_docker();
    rf_test_http_teach(script, refused);
    assert_int_equal(rf_docker_pull(&docker, "redis", NULL, NULL, &err), RF_CONFIG);
    expect_text(err.message, "pull access denied for redis");
    expect_text(rf_test_http_requests(script), "fromImage=redis&tag=latest ");
    rf_test_http_teach(script, cut);
    assert_int_equal(rf_docker_pull(&docker, "redis@sha256:0", NULL, NULL, &err), RF_RETRY);
    expect_text(rf_test_http_requests(script), "fromImage=redis%40sha256%3A0 ");
    rf_test_http_teach(script, plain);
}

static void test_whether_an_image_is_there(void **state)
{
    static const struct rf_test_http_rule rules[] = {
        {.request = "GET /version", .code = 200, .body = VERSION_OF("1.41", "1.12")},
        {.request = "GET /v1.41/images/redis%3A7/json", .code = 200, .body = "{}"},
        {.request = "GET /v1.41/images/mongo%3A7/json",
         .code = 404,
         .body = "{\"message\":\"no such image\"}"},
        {0},
    };
    bool there = false;
    (void)state;
    rf_test_http_teach(script, rules);
    open_docker();
    assert_int_equal(rf_docker_has_image(&docker, "redis:7", &there, &err), RF_OK);
    assert_true(there);
    assert_int_equal(rf_docker_has_image(&docker, "mongo:7", &there, &err), RF_OK);
    assert_false(there);
    assert_int_equal(rf_docker_has_image(&docker, "other", &there, &err), RF_CONFIG);
    expect_text(err.message, "(501)");
}

/* ---- Containers ------------------------------------------------------------------------------ */

static void test_a_container_is_described_whole(void **state)
{
    static const struct rf_test_http_rule rules[] = {
        {.request = "GET /version", .code = 200, .body = VERSION_OF("1.41", "1.12")},
        {.request = "POST /v1.41/containers/create?name=final_redis_container",
         .code = 201,
         .body = "{\"Id\":\"abc\",\"Warnings\":[]}"},
        {0},
    };
    static const char *const command[] = {"redis-server", "/rowferry/redis.conf", NULL};
    static const char *const environment[] = {"A=b \"c\"", NULL};
    const struct rf_docker_spec spec = {.name = "final_redis_container",
                                        .image = "redis:7",
                                        .command = command,
                                        .environment = environment,
                                        .labels = {{"org.rowferry.container", "redis"}},
                                        .inside = 6379,
                                        .outside = 2400,
                                        .memory_bytes = 64 << 20,
                                        .files_open = 20000};
    (void)state;
    rf_test_http_teach(script, rules);
    open_docker();
    assert_int_equal(rf_docker_create(&docker, &spec, &err), RF_OK);
    expect_text(
        rf_test_http_requests(script),
        "{\"Image\":\"redis:7\",\"Labels\":{\"org.rowferry.container\":\"redis\"},"
        "\"ExposedPorts\":{\"6379/tcp\":{}},\"HostConfig\":{\"PortBindings\":{\"6379/tcp\":["
        "{\"HostIp\":\"127.0.0.1\",\"HostPort\":\"2400\"}]},\"Memory\":67108864,\"Ulimits\":"
        "[{\"Name\":\"nofile\",\"Soft\":20000,\"Hard\":20000}]},"
        "\"Cmd\":[\"redis-server\",\"/rowferry/redis.conf\"],\"Env\":[\"A=b \\\"c\\\"\"]}");
}

static void test_refusals_have_the_engines_words_and_code(void **state)
{
    static const struct rf_test_http_rule rules[] = {
        {.request = "GET /version", .code = 200, .body = VERSION_OF("1.41", "1.12")},
        {.request = "POST /v1.41/containers/create",
         .code = 409,
         .body = "{\"message\":\"Conflict. The container name \\\"/x\\\" is already in use\"}"},
        {.request = "POST /v1.41/containers/x/start",
         .code = 500,
         .body = "{\"message\":\"Ports are not available\"}"},
        {.request = "POST /v1.41/containers/silent/start", .code = 500, .body = ""},
        {0},
    };
    const struct rf_docker_spec spec = {.name = "x", .image = "redis:7", .inside = 1, .outside = 2};
    (void)state;
    rf_test_http_teach(script, rules);
    open_docker();
    assert_int_equal(rf_docker_create(&docker, &spec, &err), RF_CONFIG);
    assert_int_equal(err.code, 409);
    assert_string_equal(err.message, "Docker 20.10.24 could not make the container: Conflict. The "
                                     "container name \"/x\" is already in use (409)");
    assert_int_equal(rf_docker_start(&docker, "x", &err), RF_CONFIG);
    expect_text(err.message, "could not start the container: Ports are not available (500)");
    assert_int_equal(rf_docker_start(&docker, "silent", &err), RF_CONFIG);
    expect_text(err.message, "without a word (500)");
}

static void test_what_is_done_already_or_gone_is_fine(void **state)
{
    static const struct rf_test_http_rule rules[] = {
        {.request = "GET /version", .code = 200, .body = VERSION_OF("1.41", "1.12")},
        {.request = "POST /v1.41/containers/runs/start", .code = 304, .body = ""},
        {.request = "DELETE /v1.41/containers/gone?force=1&v=1",
         .code = 404,
         .body = "{\"message\":\"No such container\"}"},
        {.request = "GET /v1.41/containers/gone/json",
         .code = 404,
         .body = "{\"message\":\"No such container\"}"},
        {0},
    };
    struct rf_docker_look look = {0};
    (void)state;
    rf_test_http_teach(script, rules);
    open_docker();
    assert_int_equal(rf_docker_start(&docker, "runs", &err), RF_OK);
    assert_int_equal(rf_docker_remove(&docker, "gone", &err), RF_OK);
    assert_int_equal(rf_docker_inspect(&docker, "gone", labels, &look, &err), RF_OK);
    assert_false(look.there);
    rf_docker_look_deinit(&look);
}

static void test_a_look_says_whose_it_is_and_how_it_ended(void **state)
{
    static const struct rf_test_http_rule rules[] = {
        {.request = "GET /version", .code = 200, .body = VERSION_OF("1.41", "1.12")},
        {.request = "GET /v1.41/containers/ours/json",
         .code = 200,
         .body = "{\"State\":{\"Running\":false,\"OOMKilled\":true,\"ExitCode\":137,\"Pid\":0},"
                 "\"Config\":{\"Image\":\"redis:7\",\"Labels\":{\"l\":\"redis\",\"x\":\"y\","
                 "\"home\":\"/a\"}}}"},
        {.request = "GET /v1.41/containers/foreign/json",
         .code = 200,
         .body = "{\"State\":{\"Running\":true,\"Pid\":77},\"Config\":{\"Image\":\"x\","
                 "\"Labels\":null}}"},
        {.request = "GET /v1.41/containers/garbage/json", .code = 200, .body = "\"text\""},
        {0},
    };
    struct rf_docker_look look = {0};
    (void)state;
    rf_test_http_teach(script, rules);
    open_docker();
    assert_int_equal(rf_docker_inspect(&docker, "ours", labels, &look, &err), RF_OK);
    assert_true(look.there && !look.runs && look.out_of_memory);
    assert_int_equal(look.exit_code, 137);
    assert_string_equal(look.image.data, "redis:7");
    assert_string_equal(look.labels[0].data, "redis");
    assert_string_equal(look.labels[1].data, "/a");
    rf_docker_look_deinit(&look);
    look = (struct rf_docker_look){0};
    assert_int_equal(rf_docker_inspect(&docker, "foreign", labels, &look, &err), RF_OK);
    assert_true(look.there && look.runs);
    assert_int_equal(look.pid, 77);
    assert_int_equal(look.labels[0].size + look.labels[1].size, 0);
    rf_docker_look_deinit(&look);
    look = (struct rf_docker_look){0};
    assert_int_equal(rf_docker_inspect(&docker, "garbage", labels, &look, &err), RF_CONFIG);
    rf_docker_look_deinit(&look);
}

static void test_a_log_is_taken_out_of_its_frames(void **state)
{
    static const char framed[] = "\1\0\0\0\0\0\0\6hello\n\2\0\0\0\0\0\0\6world\n";
    static const char lying[] = "\1\0\0\0\xff\xff\xff\xffshort";
    static const struct rf_test_http_rule rules[] = {
        {.request = "GET /version", .code = 200, .body = VERSION_OF("1.41", "1.12")},
        {.request = "GET /v1.41/containers/framed/logs?stdout=1&stderr=1&tail=5 ",
         .code = 200,
         .body = framed,
         .size = sizeof framed - 1},
        {.request = "GET /v1.41/containers/lying/logs",
         .code = 200,
         .body = lying,
         .size = sizeof lying - 1},
        {.request = "GET /v1.41/containers/plain/logs", .code = 200, .body = "as it is\n"},
        {0},
    };
    static const char *const names[] = {"framed", "lying", "plain"};
    static const char *const texts[] = {"hello\nworld\n", "short", "as it is\n"};
    (void)state;
    rf_test_http_teach(script, rules);
    open_docker();
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct rf_buf out = {0};
        assert_int_equal(rf_docker_logs(&docker, names[i], 5, &out, &err), RF_OK);
        assert_string_equal(rf_buf_cstr(&out), texts[i]);
        rf_buf_deinit(&out);
    }
}

static void test_memory_does_not_count_what_is_only_cached(void **state)
{
    static const struct rf_test_http_rule rules[] = {
        {.request = "GET /version", .code = 200, .body = VERSION_OF("1.41", "1.12")},
        {.request = "GET /v1.41/containers/one/stats",
         .code = 200,
         .body = "{\"memory_stats\":{\"usage\":1000,\"stats\":{\"total_inactive_file\":300}}}"},
        {.request = "GET /v1.41/containers/two/stats",
         .code = 200,
         .body = "{\"memory_stats\":{\"usage\":1000,\"stats\":{\"inactive_file\":400}}}"},
        {.request = "GET /v1.41/containers/none/stats", .code = 200, .body = "{}"},
        {0},
    };
    int64_t bytes = -1;
    (void)state;
    rf_test_http_teach(script, rules);
    open_docker();
    assert_int_equal(rf_docker_memory(&docker, "one", &bytes, &err), RF_OK);
    assert_int_equal(bytes, 700);
    assert_int_equal(rf_docker_memory(&docker, "two", &bytes, &err), RF_OK);
    assert_int_equal(bytes, 600);
    assert_int_equal(rf_docker_memory(&docker, "none", &bytes, &err), RF_OK);
    assert_int_equal(bytes, 0);
}

static void test_an_engine_that_goes_away_is_said_to_be_gone(void **state)
{
    static const struct rf_test_http_rule rules[] = {
        {.request = "GET /version", .code = 200, .body = VERSION_OF("1.41", "1.12")},
        {.request = "POST /v1.41/containers/x/start", .code = 0},
        {.request = "GET /v1.41/containers/x/json",
         .code = 200,
         .body = "{\"State\":{}}",
         .cut = 5},
        {0},
    };
    struct rf_docker_look look = {0};
    (void)state;
    rf_test_http_teach(script, rules);
    open_docker();
    assert_int_equal(rf_docker_start(&docker, "x", &err), RF_RETRY);
    assert_int_equal(rf_docker_inspect(&docker, "x", labels, &look, &err), RF_RETRY);
    rf_docker_look_deinit(&look);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_the_engines_version_is_spoken_within_our_bounds),
        TEST(test_podman_is_known_by_its_component),
        TEST(test_an_address_without_an_engine_is_not_reachable),
        TEST(test_a_socket_without_rights_is_named),
        TEST(test_a_pull_tells_how_far_it_is),
        TEST(test_a_pull_that_fails_inside_a_good_answer_is_a_failure),
        TEST(test_a_pull_that_is_refused_or_cut_is_a_failure),
        TEST(test_whether_an_image_is_there),
        TEST(test_a_container_is_described_whole),
        TEST(test_refusals_have_the_engines_words_and_code),
        TEST(test_what_is_done_already_or_gone_is_fine),
        TEST(test_a_look_says_whose_it_is_and_how_it_ended),
        TEST(test_a_log_is_taken_out_of_its_frames),
        TEST(test_memory_does_not_count_what_is_only_cached),
        TEST(test_an_engine_that_goes_away_is_said_to_be_gone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
