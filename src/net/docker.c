#include "net/docker.h"

#include <jansson.h>
#include <stdlib.h>
#include <time.h>

enum {
    CALL_MS = 20 * 1000,
    START_MS = 60 * 1000, /* an engine may be busy with others */
    NOT_THERE = 404,
    NOT_CHANGED = 304,
};

/* ---- Asking ---------------------------------------------------------------------------------- */

/* "/v1.41" and the rest, terminated. */
static void path_of(const struct rf_docker *docker, struct rf_buf *out, const char *container,
                    const char *rest)
{
    rf_buf_reset(out);
    rf_buf_printf(out, "/v1.%d/containers/", docker->api);
    rf_http_encode(out, rf_str_of(container));
    rf_buf_printf(out, "%s", rest);
    rf_buf_cstr(out);
}

/* The engine's words: {"message": "..."}. */
static void add_words(struct rf_buf *out, const struct rf_http_answer *answer)
{
    json_t *said =
        json_loadb(answer->body.data ? answer->body.data : "", answer->body.size, 0, NULL);
    const char *message = json_string_value(json_object_get(said, "message"));

    if (message != NULL) {
        rf_buf_add_str(out, rf_str_trim(rf_str_of(message)));
    } else {
        struct rf_str body = rf_str_trim(rf_buf_str(&answer->body));
        rf_buf_add(out, body.data, body.size < 200 ? body.size : 200);
    }
    json_decref(said);
}

static enum rf_status refused(const struct rf_docker *docker, const struct rf_http_answer *answer,
                              const char *what, struct rf_error *err)
{
    struct rf_buf words = {0};

    add_words(&words, answer);
    rf_fail(err, RF_CONFIG, "%s could not %s: %s (%ld)",
            docker->called.size > 0 ? docker->called.data : docker->http.address.data, what,
            words.size > 0 ? rf_buf_cstr(&words) : "without a word", answer->code);
    if (err != NULL) {
        err->code = (int)answer->code;
    }
    rf_buf_deinit(&words);
    return RF_CONFIG;
}

static enum rf_status call(struct rf_docker *docker, const char *method, const char *path,
                           int64_t timeout_ms, struct rf_http_answer *answer, struct rf_error *err)
{
    struct rf_http_request request = {.method = method, .path = path, .timeout_ms = timeout_ms};

    return rf_http_call(&docker->http, &request, answer, err);
}

static json_t *parse(const struct rf_docker *docker, const struct rf_http_answer *answer,
                     const char *what, enum rf_status *status, struct rf_error *err)
{
    json_t *said =
        json_loadb(answer->body.data ? answer->body.data : "", answer->body.size, 0, NULL);

    if (!json_is_object(said)) {
        json_decref(said);
        *status = rf_fail(err, RF_CONFIG, "what answers at %s is no engine of containers: %s",
                          docker->http.address.data, what);
        return NULL;
    }
    return said;
}

/* ---- Opening --------------------------------------------------------------------------------- */

/* The minor number of "1.41"; -1: it is none. */
static int minor_of(const char *version)
{
    struct rf_str rest = rf_str_of(version), major;
    uint64_t first = 0, second = 0;

    return rf_str_split(&rest, '.', &major) && rf_str_to_u64(major, &first) && first == 1 &&
                   rf_str_to_u64(rest, &second) && second < 1000
               ? (int)second
               : -1;
}

static enum rf_status agree(struct rf_docker *docker, int most, int least, struct rf_error *err)
{
    if (most >= 0 && most < RF_DOCKER_API_MIN) {
        rf_fail(err, RF_CONFIG, "%s at %s is too old: it speaks API 1.%d, 1.%d is needed",
                docker->called.data, docker->http.address.data, most, RF_DOCKER_API_MIN);
        rf_error_hint(err, "Docker 20.10 and Podman 4 are new enough");
        return RF_CONFIG;
    }
    if (least > RF_DOCKER_API_MAX) {
        rf_fail(err, RF_CONFIG, "%s at %s is too new: it wants API 1.%d, this version speaks 1.%d",
                docker->called.data, docker->http.address.data, least, RF_DOCKER_API_MAX);
        rf_error_hint(err, "--runtime native needs no engine");
        return RF_CONFIG;
    }
    docker->api = most >= 0 && most < RF_DOCKER_API_MAX ? most : RF_DOCKER_API_MAX;
    return RF_OK;
}

/* "Podman Engine" among its components is Podman; Docker calls its own "Engine". */
static void name_it(struct rf_docker *docker, const json_t *said)
{
    const json_t *part;
    size_t i;
    const char *version = json_string_value(json_object_get(said, "Version"));

    json_array_foreach(json_object_get(said, "Components"), i, part)
    {
        const char *name = json_string_value(json_object_get(part, "Name"));
        docker->podman = docker->podman || (name != NULL && strstr(name, "Podman") != NULL);
    }
    rf_buf_printf(&docker->called, "%s %s", docker->podman ? "Podman" : "Docker",
                  version != NULL ? version : "of unknown version");
    rf_buf_cstr(&docker->called);
}

enum rf_status rf_docker_open(struct rf_docker *docker, const char *address, struct rf_error *err)
{
    struct rf_http_answer answer = {0};
    enum rf_status status = rf_http_open(&docker->http, address, err);

    /* Without a version in the path, every engine answers. */
    if (status == RF_OK) {
        status = call(docker, "GET", "/version", CALL_MS, &answer, err);
    }
    if (status == RF_OK && answer.code != 200) {
        status = refused(docker, &answer, "say its version", err);
    }
    if (status == RF_OK) {
        json_t *said = parse(docker, &answer, "its version is no JSON object", &status, err);
        const char *most = json_string_value(json_object_get(said, "ApiVersion"));
        const char *least = json_string_value(json_object_get(said, "MinAPIVersion"));
        if (said != NULL && (most == NULL || minor_of(most) < 0)) {
            status = rf_fail(err, RF_CONFIG, "what answers at %s says no API version", address);
        } else if (said != NULL) {
            name_it(docker, said);
            status = agree(docker, minor_of(most), least != NULL ? minor_of(least) : -1, err);
        }
        json_decref(said);
    }
    rf_http_answer_deinit(&answer);
    return status;
}

void rf_docker_close(struct rf_docker *docker)
{
    rf_http_close(&docker->http);
    rf_buf_deinit(&docker->called);
    *docker = (struct rf_docker){0};
}

/* ---- Containers ------------------------------------------------------------------------------ */

static json_t *words_of(const char *const *words)
{
    json_t *list = json_array();

    for (size_t i = 0; words != NULL && words[i] != NULL; i++) {
        json_array_append_new(list, json_string(words[i]));
    }
    return list;
}

static json_t *limits_of(const struct rf_docker_spec *spec)
{
    return json_pack("[{s:s, s:I, s:I}]", "Name", "nofile", "Soft", (json_int_t)spec->files_open,
                     "Hard", (json_int_t)spec->files_open);
}

static json_t *describe(const struct rf_docker_spec *spec)
{
    char inside[16], outside[8];
    json_t *labels = json_object();

    snprintf(inside, sizeof inside, "%u/tcp", spec->inside);
    snprintf(outside, sizeof outside, "%u", spec->outside);
    for (size_t i = 0; i < RF_DOCKER_LABELS_MAX && spec->labels[i].name != NULL; i++) {
        json_object_set_new(labels, spec->labels[i].name, json_string(spec->labels[i].value));
    }
    json_t *host = json_pack("{s:{s:[{s:s, s:s}]}}", "PortBindings", inside, "HostIp", "127.0.0.1",
                             "HostPort", outside);
    if (spec->memory_bytes > 0) {
        json_object_set_new(host, "Memory", json_integer((json_int_t)spec->memory_bytes));
    }
    if (spec->files_open > 0) {
        json_object_set_new(host, "Ulimits", limits_of(spec));
    }
    json_t *body = json_pack("{s:s, s:o, s:{s:{}}, s:o}", "Image", spec->image, "Labels", labels,
                             "ExposedPorts", inside, "HostConfig", host);
    if (spec->command != NULL) {
        json_object_set_new(body, "Cmd", words_of(spec->command));
    }
    if (spec->environment != NULL) {
        json_object_set_new(body, "Env", words_of(spec->environment));
    }
    return body;
}

enum rf_status rf_docker_create(struct rf_docker *docker, const struct rf_docker_spec *spec,
                                struct rf_error *err)
{
    struct rf_http_answer answer = {0};
    struct rf_buf path = {0};
    json_t *body = describe(spec);
    char *text = body != NULL ? json_dumps(body, JSON_COMPACT) : NULL;

    json_decref(body);
    if (text == NULL) {
        return rf_fail(err, RF_CONFIG,
                       "the container %s cannot be written as JSON: its settings "
                       "are no UTF-8",
                       spec->name);
    }
    rf_buf_printf(&path, "/v1.%d/containers/create?name=", docker->api);
    rf_http_encode(&path, rf_str_of(spec->name));
    struct rf_http_request request = {.method = "POST",
                                      .path = rf_buf_cstr(&path),
                                      .type = "application/json",
                                      .body = rf_str_of(text),
                                      .timeout_ms = START_MS};
    enum rf_status status = rf_http_call(&docker->http, &request, &answer, err);
    if (status == RF_OK && answer.code != 201) {
        status = refused(docker, &answer, "make the container", err);
    }
    free(text);
    rf_buf_deinit(&path);
    rf_http_answer_deinit(&answer);
    return status;
}

/* One of the calls that only say yes or no. */
static enum rf_status simple(struct rf_docker *docker, const char *method, const char *container,
                             const char *rest, const char *what, bool may_lack,
                             struct rf_error *err)
{
    struct rf_http_answer answer = {0};
    struct rf_buf path = {0};

    path_of(docker, &path, container, rest);
    enum rf_status status = call(docker, method, path.data, START_MS, &answer, err);
    bool fine = (answer.code >= 200 && answer.code < 300) || answer.code == NOT_CHANGED ||
                (may_lack && answer.code == NOT_THERE);
    if (status == RF_OK && !fine) {
        status = refused(docker, &answer, what, err);
    }
    rf_buf_deinit(&path);
    rf_http_answer_deinit(&answer);
    return status;
}

enum rf_status rf_docker_start(struct rf_docker *docker, const char *container,
                               struct rf_error *err)
{
    return simple(docker, "POST", container, "/start", "start the container", false, err);
}

enum rf_status rf_docker_remove(struct rf_docker *docker, const char *container,
                                struct rf_error *err)
{
    return simple(docker, "DELETE", container, "?force=1&v=1", "remove the container", true, err);
}

/* ---- Looking --------------------------------------------------------------------------------- */

void rf_docker_look_deinit(struct rf_docker_look *look)
{
    rf_buf_deinit(&look->image);
    for (size_t i = 0; i < RF_DOCKER_LABELS_MAX; i++) {
        rf_buf_deinit(&look->labels[i]);
    }
}

static void set_text(struct rf_buf *out, const json_t *text)
{
    if (json_is_string(text)) {
        rf_buf_printf(out, "%s", json_string_value(text));
        rf_buf_cstr(out);
    }
}

enum rf_status rf_docker_inspect(struct rf_docker *docker, const char *container,
                                 const char *const *labels, struct rf_docker_look *look,
                                 struct rf_error *err)
{
    struct rf_http_answer answer = {0};
    struct rf_buf path = {0};

    path_of(docker, &path, container, "/json");
    enum rf_status status = call(docker, "GET", path.data, CALL_MS, &answer, err);
    if (status == RF_OK && answer.code != 200 && answer.code != NOT_THERE) {
        status = refused(docker, &answer, "look at the container", err);
    }
    if (status == RF_OK && answer.code == 200) {
        json_t *said = parse(docker, &answer, "a container is no JSON object", &status, err);
        const json_t *state = json_object_get(said, "State");
        const json_t *config = json_object_get(said, "Config");
        look->there = said != NULL;
        look->runs = json_is_true(json_object_get(state, "Running"));
        look->out_of_memory = json_is_true(json_object_get(state, "OOMKilled"));
        look->exit_code = (int)json_integer_value(json_object_get(state, "ExitCode"));
        look->pid = (int64_t)json_integer_value(json_object_get(state, "Pid"));
        set_text(&look->image, json_object_get(config, "Image"));
        for (size_t i = 0; labels[i] != NULL; i++) {
            rf_assert(i < RF_DOCKER_LABELS_MAX);
            set_text(&look->labels[i],
                     json_object_get(json_object_get(config, "Labels"), labels[i]));
        }
        json_decref(said);
    }
    rf_buf_deinit(&path);
    rf_http_answer_deinit(&answer);
    return status;
}

/* What `docker stats` shows: without the pages of files that could be given up at once. Their name
 * differs between the two versions of control groups. */
static int64_t used_of(const json_t *memory)
{
    const json_t *stats = json_object_get(memory, "stats");
    const json_t *cached = json_object_get(stats, "total_inactive_file");
    json_int_t usage = json_integer_value(json_object_get(memory, "usage"));

    if (cached == NULL) {
        cached = json_object_get(stats, "inactive_file");
    }
    json_int_t free_bytes = json_integer_value(cached);
    return free_bytes < usage ? (int64_t)(usage - free_bytes) : (int64_t)usage;
}

enum rf_status rf_docker_memory(struct rf_docker *docker, const char *container, int64_t *bytes,
                                struct rf_error *err)
{
    struct rf_http_answer answer = {0};
    struct rf_buf path = {0};

    *bytes = 0;
    path_of(docker, &path, container, "/stats?stream=false&one-shot=true");
    enum rf_status status = call(docker, "GET", path.data, CALL_MS, &answer, err);
    if (status == RF_OK && answer.code == 200) {
        json_t *said = parse(docker, &answer, "statistics are no JSON object", &status, err);
        *bytes = used_of(json_object_get(said, "memory_stats"));
        json_decref(said);
    } else if (status == RF_OK) {
        status = refused(docker, &answer, "say what memory it uses", err);
    }
    rf_buf_deinit(&path);
    rf_http_answer_deinit(&answer);
    return status;
}

/* The log of a container without a terminal comes in frames: a stream's number, three zeros, a
 * size of four bytes, highest first, and so many bytes. One with a terminal comes as it is. */
static void add_frames(struct rf_buf *out, struct rf_str log)
{
    enum { HEAD = 8 };

    while (log.size > 0) {
        const unsigned char *head = (const unsigned char *)log.data;
        bool frame =
            log.size >= HEAD && head[0] <= 2 && head[1] == 0 && head[2] == 0 && head[3] == 0;
        if (!frame) {
            rf_buf_add_str(out, log);
            return;
        }
        size_t size =
            (size_t)head[4] << 24 | (size_t)head[5] << 16 | (size_t)head[6] << 8 | head[7];
        size_t left = log.size - HEAD;
        size = size < left ? size : left;
        rf_buf_add(out, log.data + HEAD, size);
        log = (struct rf_str){log.data + HEAD + size, left - size};
    }
}

enum rf_status rf_docker_logs(struct rf_docker *docker, const char *container, uint32_t lines,
                              struct rf_buf *out, struct rf_error *err)
{
    struct rf_http_answer answer = {0};
    struct rf_buf path = {0};
    char rest[64];

    snprintf(rest, sizeof rest, "/logs?stdout=1&stderr=1&tail=%u", lines);
    path_of(docker, &path, container, rest);
    enum rf_status status = call(docker, "GET", path.data, CALL_MS, &answer, err);
    if (status == RF_OK && answer.code == 200) {
        add_frames(out, rf_buf_str(&answer.body));
    } else if (status == RF_OK) {
        status = refused(docker, &answer, "show the container's log", err);
    }
    rf_buf_deinit(&path);
    rf_http_answer_deinit(&answer);
    return status;
}
