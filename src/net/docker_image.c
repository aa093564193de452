/* Images: whether one is there, and fetching it. */
#include "net/docker.h"

#include <jansson.h>
#include <stdlib.h>

enum {
    CALL_MS = 20 * 1000,
    SILENCE_MS = 120 * 1000, /* between two words of a pull: unpacking a layer is silent */
    LAYERS_MAX = 256,
    ID_SIZE = 16,
};

struct layer {
    char id[ID_SIZE];
    bool done;
    int64_t bytes;
    int64_t total;
};

/* A pull on its way. */
struct pull {
    struct layer layers[LAYERS_MAX];
    struct rf_docker_pull seen;
    void (*progress)(void *argument, const struct rf_docker_pull *pull);
    void *argument;
    struct rf_buf failure; /* what the engine said in the middle of it; terminated */
};

enum rf_status rf_docker_has_image(struct rf_docker *docker, const char *image, bool *there,
                                   struct rf_error *err)
{
    struct rf_http_answer answer = {0};
    struct rf_buf path = {0};

    *there = false;
    rf_buf_printf(&path, "/v1.%d/images/", docker->api);
    rf_http_encode(&path, rf_str_of(image));
    rf_buf_printf(&path, "/json");
    struct rf_http_request request = {
        .method = "GET", .path = rf_buf_cstr(&path), .timeout_ms = CALL_MS};
    enum rf_status status = rf_http_call(&docker->http, &request, &answer, err);
    if (status == RF_OK && answer.code != 200 && answer.code != 404) {
        status = rf_fail(err, RF_CONFIG, "%s does not say whether it has the image %s: %.*s (%ld)",
                         docker->called.data, image,
                         RF_STR_ARG(rf_str_trim(rf_buf_str(&answer.body))), answer.code);
    }
    *there = status == RF_OK && answer.code == 200;
    rf_buf_deinit(&path);
    rf_http_answer_deinit(&answer);
    return status;
}

/* The layer of that id, a new one if there is room; NULL: there is none. */
static struct layer *layer_of(struct pull *pull, const char *id)
{
    uint32_t i = 0;

    for (; i < pull->seen.layers; i++) {
        if (strncmp(pull->layers[i].id, id, ID_SIZE - 1) == 0) {
            return &pull->layers[i];
        }
    }
    if (i == LAYERS_MAX || id[0] == '\0') {
        return NULL;
    }
    snprintf(pull->layers[i].id, ID_SIZE, "%s", id);
    pull->seen.layers++;
    return &pull->layers[i];
}

static bool ends_layer(const char *said)
{
    return strcmp(said, "Pull complete") == 0 || strcmp(said, "Already exists") == 0;
}

/* "Pulling from" has the tag for its id, and is no layer. */
static bool is_of_layer(const char *said)
{
    return strcmp(said, "Pulling fs layer") == 0 || strcmp(said, "Waiting") == 0 ||
           strcmp(said, "Downloading") == 0 || strcmp(said, "Extracting") == 0 ||
           strcmp(said, "Download complete") == 0 || ends_layer(said);
}

static void note_layer(struct pull *pull, const char *id, const char *said, const json_t *detail)
{
    struct layer *layer = layer_of(pull, id);

    if (layer == NULL) {
        return;
    }
    if (strcmp(said, "Downloading") == 0) {
        int64_t bytes = (int64_t)json_integer_value(json_object_get(detail, "current"));
        int64_t total = (int64_t)json_integer_value(json_object_get(detail, "total"));
        pull->seen.bytes += bytes - layer->bytes;
        pull->seen.bytes_total += total - layer->total;
        layer->bytes = bytes;
        layer->total = total;
    } else if (strcmp(said, "Download complete") == 0) {
        pull->seen.bytes += layer->total - layer->bytes;
        layer->bytes = layer->total;
    } else if (ends_layer(said) && !layer->done) {
        layer->done = true;
        pull->seen.layers_done++;
    }
}

static void note_failure(struct pull *pull, const json_t *said)
{
    const char *message =
        json_string_value(json_object_get(json_object_get(said, "errorDetail"), "message"));

    if (message == NULL) {
        message = json_string_value(json_object_get(said, "error"));
    }
    if (message != NULL && pull->failure.size == 0) {
        rf_buf_printf(&pull->failure, "%s", message);
        rf_buf_cstr(&pull->failure);
    }
}

static bool on_line(void *argument, struct rf_str line)
{
    struct pull *pull = argument;
    json_t *said = json_loadb(line.data, line.size, 0, NULL);
    const char *status = json_string_value(json_object_get(said, "status"));
    const char *id = json_string_value(json_object_get(said, "id"));

    note_failure(pull, said);
    if (status != NULL && id != NULL && is_of_layer(status)) {
        note_layer(pull, id, status, json_object_get(said, "progressDetail"));
        if (pull->progress != NULL) {
            pull->progress(pull->argument, &pull->seen);
        }
    }
    json_decref(said);
    return true;
}

/* "/v1.41/images/create?fromImage=redis&tag=7"; without a tag it would fetch them all. */
static void path_of(const struct rf_docker *docker, const char *image, struct rf_buf *out)
{
    const char *slash = strrchr(image, '/');
    const char *colon = strrchr(image, ':');
    bool by_digest = strchr(image, '@') != NULL;
    bool tagged = !by_digest && colon != NULL && (slash == NULL || colon > slash);
    struct rf_str name = {image, tagged ? (size_t)(colon - image) : strlen(image)};

    rf_buf_printf(out, "/v1.%d/images/create?fromImage=", docker->api);
    rf_http_encode(out, name);
    if (!by_digest) {
        rf_buf_printf(out, "&tag=");
        rf_http_encode(out, rf_str_of(tagged ? colon + 1 : "latest"));
    }
    rf_buf_cstr(out);
}

static enum rf_status fail(const struct rf_docker *docker, const char *image, const char *said,
                           struct rf_error *err)
{
    rf_fail(err, RF_CONFIG, "%s could not fetch the image %s: %s", docker->called.data, image,
            said);
    rf_error_hint(err,
                  "look whether this machine reaches the registry ('docker pull %s'); "
                  "--image takes another image, --runtime native needs none",
                  image);
    return RF_CONFIG;
}

enum rf_status rf_docker_pull(struct rf_docker *docker, const char *image,
                              void (*progress)(void *argument, const struct rf_docker_pull *pull),
                              void *argument, struct rf_error *err)
{
    struct pull *pull = calloc(1, sizeof *pull);
    struct rf_http_answer answer = {0};
    struct rf_buf path = {0};

    rf_assert(pull != NULL);
    pull->progress = progress;
    pull->argument = argument;
    path_of(docker, image, &path);
    struct rf_http_request request = {.method = "POST",
                                      .path = path.data,
                                      .timeout_ms = SILENCE_MS,
                                      .line = on_line,
                                      .argument = pull};
    enum rf_status status = rf_http_call(&docker->http, &request, &answer, err);
    if (status == RF_OK && answer.body.size > 0) {
        on_line(pull, rf_buf_str(&answer.body)); /* a last line without an end, or the refusal */
    }
    if (status == RF_OK && pull->failure.size > 0) {
        status = fail(docker, image, pull->failure.data, err);
    } else if (status == RF_OK && answer.code != 200) {
        json_t *said =
            json_loadb(answer.body.data ? answer.body.data : "", answer.body.size, 0, NULL);
        const char *message = json_string_value(json_object_get(said, "message"));
        status = fail(docker, image, message != NULL ? message : "without a word", err);
        json_decref(said);
    }
    rf_buf_deinit(&pull->failure);
    free(pull);
    rf_buf_deinit(&path);
    rf_http_answer_deinit(&answer);
    return status;
}
