/* The runtimes of engines: servers in containers of Docker or Podman.
 *
 * A container of ours has a label with its type, and one with the home that has its passwords. What
 * has no such label is somebody else's, and what was made for another home belongs there: it is
 * never started, stopped or removed. */
#include "net/docker.h"
#include "container/runtime.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DETAIL_LINES = 18, FILES_OPEN = 20000 };

#define LABEL      "org.rowferry.container"
#define LABEL_HOME "org.rowferry.home"

/* As they come back from an engine. */
enum { TYPE_OF_IT, HOME_OF_IT };
static const char *const labels[] = {LABEL, LABEL_HOME, NULL};

/* ---- The engine ------------------------------------------------------------------------------ */

/* True when there is such a socket. */
static bool is_there(struct rf_buf *address, const char *directory, const char *rest)
{
    if (directory == NULL || directory[0] == '\0') {
        return false;
    }
    rf_buf_reset(address);
    rf_buf_printf(address, "unix://%s%s", directory, rest);
    return access(rf_buf_cstr(address) + strlen("unix://"), F_OK) == 0;
}

/* What the environment says, else where an engine of that name listens by itself. False: nothing
 * there looks like one. */
static bool find_address(bool podman, struct rf_buf *address)
{
    const char *chosen = getenv(podman ? "CONTAINER_HOST" : "DOCKER_HOST");
    const char *session = getenv("XDG_RUNTIME_DIR");

    if (chosen != NULL && chosen[0] != '\0') {
        rf_buf_reset(address);
        rf_buf_add_str(address, rf_str_of(chosen));
        rf_buf_cstr(address);
        return true;
    }
    if (podman) {
        return is_there(address, session, "/podman/podman.sock") ||
               is_there(address, "/run", "/podman/podman.sock");
    }
    return is_there(address, "/var/run", "/docker.sock") ||
           is_there(address, session, "/docker.sock");
}

static enum rf_status open_engine(struct rf_docker *docker, bool podman, struct rf_error *err)
{
    struct rf_buf address = {0};
    const char *name = podman ? "Podman" : "Docker";
    enum rf_status status;

    if (!find_address(podman, &address)) {
        status = rf_fail(err, RF_CONFIG, "there is no socket of %s on this machine", name);
        rf_error_hint(err, "%s; --runtime native needs no engine",
                      podman ? "start 'systemctl --user start podman.socket', or set CONTAINER_HOST"
                             : "start Docker, or say where it is with DOCKER_HOST");
        goto done;
    }
    status = rf_docker_open(docker, address.data, err);
    if (status != RF_OK && err != NULL && err->access) {
        rf_error_hint(err, podman
                               ? "be who its service belongs to; --runtime native needs no engine"
                               : "join the group 'docker', or be root; --runtime native needs "
                                 "no engine");
    } else if (status == RF_RETRY) {
        rf_error_hint(err, "start %s; --runtime native needs no engine", name);
    }

done:
    rf_buf_deinit(&address);
    return status == RF_RETRY ? RF_CONFIG : status;
}

/* An engine that was there at first and is gone now is for a person to look after. */
static enum rf_status settled(enum rf_status status, struct rf_error *err)
{
    if (status == RF_RETRY && err != NULL) {
        rf_error_wrap(err, "the engine went away");
        rf_error_hint(err, "look after the engine, then do this again");
        err->status = RF_CONFIG;
    }
    return status == RF_RETRY ? RF_CONFIG : status;
}

/* ---- Starting -------------------------------------------------------------------------------- */

/* One of the containers of some home. */
static bool is_of_type(const struct rf_container_type *type, const struct rf_docker_look *look)
{
    return look->there &&
           rf_str_equal(rf_buf_str(&look->labels[TYPE_OF_IT]), rf_str_of(type->name));
}

/* Two homes, each as a path that is perhaps not there any more: the directories that they are in
 * tell, however these are written. */
static bool is_same_home(const char *left, const char *right)
{
    const char *left_name = strrchr(left, '/'), *right_name = strrchr(right, '/');
    struct rf_buf path = {0};
    struct stat left_in, right_in;

    if (left_name == NULL || right_name == NULL || strcmp(left_name, right_name) != 0) {
        return false;
    }
    rf_buf_add(&path, left, (size_t)(left_name - left) + 1);
    bool known = stat(rf_buf_cstr(&path), &left_in) == 0;
    rf_buf_reset(&path);
    rf_buf_add(&path, right, (size_t)(right_name - right) + 1);
    known = known && stat(rf_buf_cstr(&path), &right_in) == 0;
    rf_buf_deinit(&path);
    return strcmp(left, right) == 0 ||
           (known && left_in.st_ino == right_in.st_ino && left_in.st_dev == right_in.st_dev);
}

/* home: without a path it is the one that there is no more. */
static enum rf_status check_home(const struct rf_container_type *type, const struct rf_home *home,
                                 const struct rf_docker_look *look, const struct rf_docker *docker,
                                 struct rf_error *err)
{
    const struct rf_buf *its = &look->labels[HOME_OF_IT];
    struct rf_buf ours = {0};
    enum rf_status status = RF_OK;

    if (home->path.size > 0) {
        rf_buf_add_str(&ours, rf_buf_str(&home->path));
    } else {
        status = rf_home_root(&ours, err);
        rf_buf_printf(&ours, "/%s", type->server);
    }
    if (status == RF_OK && (its->size == 0 || !is_same_home(its->data, rf_buf_cstr(&ours)))) {
        status = rf_fail(err, RF_CONFIG,
                         "%s has a container %s of other containers than these: its "
                         "home is %s, and not %s",
                         docker->called.data, type->server, its->size > 0 ? its->data : "(unknown)",
                         rf_buf_cstr(&ours));
        rf_error_hint(err, "delete it there, with ROWFERRY_CONTAINERS set to the directory above "
                           "its home");
    }
    rf_buf_deinit(&ours);
    return status;
}

/* Whose container that is. Returns RF_OK: this home's, of this type, or there is none;
 * RF_CONFIG. */
static enum rf_status check_ours(const struct rf_container_type *type, const struct rf_home *home,
                                 const struct rf_docker_look *look, const struct rf_docker *docker,
                                 struct rf_error *err)
{
    if (!look->there || is_of_type(type, look)) {
        return look->there ? check_home(type, home, look, docker, err) : RF_OK;
    }
    rf_fail(err, RF_CONFIG, "%s has a container %s that is somebody else's, of the image %s",
            docker->called.data, type->server,
            look->image.size > 0 ? look->image.data : "(unknown)");
    rf_error_hint(err, "remove or rename it yourself if it is not needed: '%s rename %s OTHER'",
                  docker->podman ? "podman" : "docker", type->server);
    return RF_CONFIG;
}

/* What there is under the type's name. The caller gives look back in any case. */
static enum rf_status inspect(const struct rf_container_type *type, const struct rf_home *home,
                              struct rf_docker *docker, struct rf_docker_look *look,
                              struct rf_error *err)
{
    enum rf_status status = rf_docker_inspect(docker, type->server, labels, look, err);

    return status == RF_OK ? check_ours(type, home, look, docker, err) : status;
}

/* Turns what a pull says into lines, one for each twentieth: few enough for a log, often enough for
 * somebody who waits. */
struct telling {
    const struct rf_container_progress *progress;
    const char *image;
    int64_t told; /* twentieths, plus 1; 0: nothing yet */
};

static void tell_pull(void *argument, const struct rf_docker_pull *pull)
{
    enum { STEPS = 20 };
    struct telling *telling = argument;
    double megabytes = 1e6;
    char bar[STEPS + 1];
    int64_t done = pull->bytes_total > 0 ? pull->bytes * STEPS / pull->bytes_total : 0;

    if (done + 1 == telling->told || done < 0 || done > STEPS) {
        return;
    }
    telling->told = done + 1;
    for (int64_t i = 0; i < STEPS; i++) {
        bar[i] = i < done ? '#' : '.';
    }
    bar[STEPS] = '\0';
    rf_container_say(telling->progress, "fetching %s [%s] %.1f of %.1f MB, %u of %u layers",
                     telling->image, bar, (double)pull->bytes / megabytes,
                     (double)pull->bytes_total / megabytes, pull->layers_done, pull->layers);
}

static enum rf_status fetch(struct rf_docker *docker, const char *image,
                            const struct rf_container_progress *progress, struct rf_error *err)
{
    struct telling telling = {progress, image, 0};
    bool there = false;
    enum rf_status status = rf_docker_has_image(docker, image, &there, err);

    if (status == RF_OK && !there) {
        rf_container_say(progress, "fetching %s", image);
        status = rf_docker_pull(docker, image, tell_pull, &telling, err);
    }
    return status;
}

static enum rf_status put_files(struct rf_docker *docker, const struct rf_container_type *type,
                                const struct rf_pack *pack, struct rf_error *err)
{
    struct rf_docker_file files[RF_PACK_FILES_MAX + 1];
    char names[RF_PACK_FILES_MAX][64];
    uint32_t count = 0;

    /* What is private to one user lies in a directory that everybody may look into. */
    files[count++] = (struct rf_docker_file){RF_PACK_DIRECTORY "/", 0755, 0, RF_STR_NONE};
    for (uint32_t i = 0; i < pack->file_count; i++) {
        const struct rf_pack_file *file = &pack->files[i];
        snprintf(names[i], sizeof names[i], RF_PACK_DIRECTORY "/%s", file->name);
        files[count++] =
            (struct rf_docker_file){names[i], file->mode, file->user, rf_buf_str(&file->text)};
    }
    for (uint32_t i = 0; i < count; i++) {
        files[i].name++; /* below "/" */
    }
    return rf_docker_put(docker, type->server, "/", files, count, err);
}

/* Half a container is worse than none. What went wrong before is what is to be said. */
static void take_back(struct rf_docker *docker, const struct rf_container_type *type)
{
    struct rf_error ignored = {0};
    enum rf_status status = rf_docker_remove(docker, type->server, &ignored);
    (void)status;
}

static enum rf_status make(struct rf_docker *docker, const struct rf_container_type *type,
                           const struct rf_home *home, const char *image, struct rf_error *err)
{
    struct rf_pack pack = {0};
    struct rf_docker_spec spec = {.name = type->server,
                                  .image = image,
                                  .labels = {{LABEL, type->name}, {LABEL_HOME, home->path.data}},
                                  .inside = type->inside != 0 ? type->inside : home->settings.port,
                                  .outside = home->settings.port,
                                  .memory_bytes = home->settings.memory_bytes,
                                  .files_open = FILES_OPEN};
    enum rf_status status = type->pack(home, &pack, err);

    if (status == RF_OK) {
        spec.command = pack.command.count > 0 ? (const char *const *)pack.command.items : NULL;
        spec.environment =
            pack.environment.count > 0 ? (const char *const *)pack.environment.items : NULL;
        status = rf_docker_create(docker, &spec, err);
    }
    if (status == RF_OK) {
        status = put_files(docker, type, &pack, err);
        if (status != RF_OK) {
            take_back(docker, type);
        }
    }
    rf_pack_deinit(&pack);
    return status;
}

/* One that is there is started as it was made; who asks for another port, image or memory was
 * refused before. */
static enum rf_status bring_up(struct rf_docker *docker, const struct rf_container_type *type,
                               const struct rf_home *home,
                               const struct rf_container_progress *progress, struct rf_buf *called,
                               struct rf_error *err)
{
    const char *image = home->settings.image[0] != '\0' ? home->settings.image : type->image;
    struct rf_docker_look look = {0};
    enum rf_status status = inspect(type, home, docker, &look, err);

    if (status == RF_OK && !look.there) {
        status = fetch(docker, image, progress, err);
        if (status == RF_OK) {
            rf_container_say(progress, "making it of %s", image);
            status = make(docker, type, home, image, err);
        }
    }
    bool made = status == RF_OK && !look.there;
    if (status == RF_OK) {
        /* Only now does an engine look at the port. */
        status = rf_docker_start(docker, type->server, err);
    }
    if (status != RF_OK && made) {
        take_back(docker, type);
    }
    if (status == RF_OK) {
        rf_buf_printf(called, "%s of the image %s", docker->called.data,
                      look.there ? look.image.data : image);
    }
    rf_docker_look_deinit(&look);
    return status;
}

static enum rf_status start_it(bool podman, const struct rf_container_type *type,
                               const struct rf_home *home,
                               const struct rf_container_progress *progress, struct rf_buf *called,
                               struct rf_error *err)
{
    struct rf_docker docker = {0};
    enum rf_status status = open_engine(&docker, podman, err);

    if (status == RF_OK) {
        status = bring_up(&docker, type, home, progress, called, err);
    }
    rf_docker_close(&docker);
    return settled(status, err);
}

/* ---- Removing -------------------------------------------------------------------------------- */

static enum rf_status remove_it(bool podman, const struct rf_container_type *type,
                                const struct rf_home *home, struct rf_error *err)
{
    struct rf_docker docker = {0};
    struct rf_docker_look look = {0};
    enum rf_status status = open_engine(&docker, podman, err);

    if (status == RF_OK) {
        status = inspect(type, home, &docker, &look, err);
    }
    if (status == RF_OK && look.there) {
        status = rf_docker_remove(&docker, type->server, err);
    }
    rf_docker_look_deinit(&look);
    rf_docker_close(&docker);
    return settled(status, err);
}

/* ---- Looking --------------------------------------------------------------------------------- */

static enum rf_status look_at(bool podman, const struct rf_container_type *type,
                              const struct rf_home *home, struct rf_container_state *state,
                              struct rf_error *err)
{
    struct rf_docker docker = {0};
    struct rf_docker_look look = {0};
    enum rf_status status = open_engine(&docker, podman, err);

    if (status == RF_OK) {
        status = inspect(type, home, &docker, &look, err);
    }
    state->there = status == RF_OK && look.there;
    state->elsewhere = status != RF_OK && is_of_type(type, &look);
    state->out_of_memory = state->there && !look.runs && look.out_of_memory;
    state->exit_code = state->there && !look.runs ? look.exit_code : 0;
    if (status == RF_OK && look.runs) {
        state->runs = true;
        state->pid = look.pid;
        rf_buf_printf(&state->called, "%s of the image %s", docker.called.data, look.image.data);
        if (rf_docker_memory(&docker, type->server, &state->memory_bytes, NULL) != RF_OK) {
            state->memory_bytes = 0;
        }
    }
    rf_docker_look_deinit(&look);
    rf_docker_close(&docker);
    return settled(status, err);
}

static enum rf_status show_logs(bool podman, const struct rf_container_type *type,
                                const struct rf_home *home, uint32_t lines, struct rf_buf *out,
                                struct rf_error *err)
{
    struct rf_docker docker = {0};
    struct rf_docker_look look = {0};
    enum rf_status status = open_engine(&docker, podman, err);

    if (status == RF_OK) {
        status = inspect(type, home, &docker, &look, err);
    }
    if (status == RF_OK) {
        status = rf_docker_logs(&docker, type->server, lines, out, err);
    }
    rf_docker_look_deinit(&look);
    rf_docker_close(&docker);
    return settled(status, err);
}

/* ---- As runtimes ----------------------------------------------------------------------------- */

static bool is_podman(const struct rf_container_runtime *runtime)
{
    return runtime == &rf_container_podman;
}

static bool answers_at_all(const struct rf_container_runtime *runtime, struct rf_error *why)
{
    struct rf_docker docker = {0};
    struct rf_buf address = {0};
    bool answers = find_address(is_podman(runtime), &address) &&
                   open_engine(&docker, is_podman(runtime), why) == RF_OK;

    rf_buf_deinit(&address);
    rf_docker_close(&docker);
    return answers;
}

static enum rf_status get_image(const struct rf_container_runtime *runtime, const char *image,
                                const struct rf_container_progress *progress, struct rf_error *err)
{
    struct rf_docker docker = {0};
    enum rf_status status = open_engine(&docker, is_podman(runtime), err);

    if (status == RF_OK) {
        status = fetch(&docker, image, progress, err);
    }
    rf_docker_close(&docker);
    return settled(status, err);
}

static enum rf_status start(const struct rf_container_runtime *runtime,
                            const struct rf_container_type *type, const struct rf_home *home,
                            const struct rf_container_progress *progress, struct rf_buf *called,
                            struct rf_buf *details, struct rf_error *err)
{
    (void)details;
    return start_it(is_podman(runtime), type, home, progress, called, err);
}

static enum rf_status stop(const struct rf_container_runtime *runtime,
                           const struct rf_container_type *type, const struct rf_home *home,
                           struct rf_error *err)
{
    return remove_it(is_podman(runtime), type, home, err);
}

static enum rf_status look(const struct rf_container_runtime *runtime,
                           const struct rf_container_type *type, const struct rf_home *home,
                           struct rf_container_state *state, struct rf_error *err)
{
    return look_at(is_podman(runtime), type, home, state, err);
}

static enum rf_status logs(const struct rf_container_runtime *runtime,
                           const struct rf_container_type *type, const struct rf_home *home,
                           uint32_t lines, struct rf_buf *out, struct rf_error *err)
{
    return show_logs(is_podman(runtime), type, home, lines, out, err);
}

static void describe(const struct rf_container_type *type, const struct rf_home *home,
                     struct rf_str called, struct rf_buf *out)
{
    (void)type;
    (void)home;
    rf_buf_add_str(out, called);
}

const struct rf_container_runtime rf_container_docker = {
    .name = "docker",
    .answers = answers_at_all,
    .fetch = get_image,
    .start = start,
    .stop = stop,
    .look = look,
    .logs = logs,
    .describe = describe,
};

const struct rf_container_runtime rf_container_podman = {
    .name = "podman",
    .answers = answers_at_all,
    .fetch = get_image,
    .start = start,
    .stop = stop,
    .look = look,
    .logs = logs,
    .describe = describe,
};
