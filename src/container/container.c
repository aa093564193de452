#include "container/container.h"

#include "base/clock.h"
#include "container/hold.h"
#include "container/port.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

/* An image makes its database at the first start, which may take a minute. */
enum { ANSWER_LIMIT_MS = 30 * 1000, ENGINE_LIMIT_MS = 180 * 1000, ANSWER_EVERY_MS = 50 };

#define RF_PLUGIN(name) extern const struct rf_container_type rf_container_##name;
#define RF_PLUGIN_MISSING(name, why)
#include "generated/containers.def"
#undef RF_PLUGIN

const struct rf_container_type *const rf_container_types[] = {
#define RF_PLUGIN(name) &rf_container_##name,
#include "generated/containers.def"
#undef RF_PLUGIN
#undef RF_PLUGIN_MISSING
    NULL,
};

const struct rf_container_type *rf_container_type_find(const char *name)
{
    for (size_t i = 0; rf_container_types[i] != NULL; i++) {
        const struct rf_container_type *type = rf_container_types[i];
        if (strcmp(type->name, name) == 0 || strcmp(type->server, name) == 0) {
            return type;
        }
    }
    return NULL;
}

const struct rf_container_server *rf_container_server_find(const struct rf_container_type *type,
                                                           const char *name)
{
    for (size_t i = 0; type->servers[i].name != NULL; i++) {
        if (strcmp(type->servers[i].name, name) == 0) {
            return &type->servers[i];
        }
    }
    return NULL;
}

const struct rf_container_server *rf_container_server_of(const struct rf_container_type *type,
                                                         const struct rf_home *home)
{
    const struct rf_container_server *server =
        rf_container_server_find(type, home->settings.server);

    return server != NULL ? server : &type->servers[0];
}

void rf_container_work_deinit(struct rf_container_work *work)
{
    rf_buf_deinit(&work->which);
    rf_buf_deinit(&work->details);
    rf_buf_deinit(&work->refused);
}

/* ---- Creating -------------------------------------------------------------------------------- */

static bool is_set(const char *text)
{
    return text != NULL && text[0] != '\0';
}

/* What was asked for wins over what it had, and that over the type. */
static void settle(const struct rf_container_work *work, const char *runtime,
                   struct rf_home_settings *settings)
{
    bool fresh = settings->type[0] == '\0';

    snprintf(settings->type, sizeof settings->type, "%s", work->type->name);
    snprintf(settings->runtime, sizeof settings->runtime, "%s", runtime);
    if (work->wishes.port != 0) {
        settings->port = work->wishes.port;
    } else if (settings->port == 0) {
        settings->port = work->type->port;
    }
    if (work->wishes.memory_bytes != 0) {
        settings->memory_bytes = work->wishes.memory_bytes;
    }
    /* Of homes that say nothing of it, it is the first: they are older than the choice. */
    if (is_set(work->wishes.server)) {
        snprintf(settings->server, sizeof settings->server, "%s", work->wishes.server);
    } else if (fresh && work->type->choose != NULL && strcmp(runtime, "native") == 0) {
        snprintf(settings->server, sizeof settings->server, "%s", work->type->choose());
    }
    if (is_set(work->wishes.image)) {
        snprintf(settings->image, sizeof settings->image, "%s", work->wishes.image);
    }
}

static enum rf_status check_type(const struct rf_container_work *work, const struct rf_home *home,
                                 struct rf_error *err)
{
    const char *type = home->settings.type;

    if (type[0] == '\0' || strcmp(type, work->type->name) == 0) {
        return RF_OK;
    }
    rf_fail(err, RF_CONFIG, "%s is a container of another kind: %s", home->path.data, type);
    rf_error_hint(err, "have containers elsewhere: ROWFERRY_CONTAINERS=DIRECTORY");
    return RF_CONFIG;
}

/* It can only stay what it is: it runs, or an engine has it as it was made. */
static enum rf_status check_same(const struct rf_container_work *work, bool running,
                                 const struct rf_home_settings *before, struct rf_error *err)
{
    const struct rf_container_wishes *wishes = &work->wishes;
    const char *image = is_set(before->image) ? before->image : work->type->image;
    const char *how = running ? "it runs already," : "it was made";

    if (!is_set(before->type)) {
        rf_fail(err, RF_CONFIG, "an engine has it, but its home is gone, with its passwords");
        rf_error_hint(err, "'rowferry container delete %s' removes what is left", work->type->name);
        return RF_CONFIG;
    }
    if (wishes->port != 0 && wishes->port != before->port) {
        rf_fail(err, RF_CONFIG, "%s on port %u and not on %u", how, before->port, wishes->port);
    } else if (wishes->memory_bytes != 0 && wishes->memory_bytes != before->memory_bytes) {
        rf_fail(err, RF_CONFIG, "%s with another --memory", how);
    } else if (is_set(wishes->image) && strcmp(wishes->image, image) != 0) {
        rf_fail(err, RF_CONFIG, "%s of another --image", how);
    } else {
        return RF_OK;
    }
    rf_error_hint(err, "delete it first, or leave that option out");
    return RF_CONFIG;
}

/* Its data know the port that they were made with. */
static enum rf_status check_port(const struct rf_container_work *work, const struct rf_home *home,
                                 struct rf_error *err)
{
    const struct rf_home_settings *before = &home->settings;
    uint16_t port = work->wishes.port;

    if (!is_set(before->type) || port == 0 || port == before->port ||
        work->type->keeps_port == NULL || !work->type->keeps_port(home)) {
        return RF_OK;
    }
    rf_fail(err, RF_CONFIG, "it was made on port %u, which its data know it by, and not on %u",
            before->port, port);
    rf_error_hint(err, "'rowferry container -init --port %u %s' makes it afresh", port,
                  work->type->name);
    return RF_CONFIG;
}

/* Its data are one server's, and no other can read them. */
static enum rf_status check_server(const struct rf_container_work *work,
                                   const struct rf_container_runtime *runtime,
                                   const struct rf_home *home, struct rf_error *err)
{
    const char *wanted = work->wishes.server;
    const struct rf_container_server *before = rf_container_server_of(work->type, home);

    if (!is_set(wanted)) {
        return RF_OK;
    }
    if (runtime != &rf_container_native) {
        rf_fail(err, RF_CONFIG, "--server is for --runtime native, and this is %s", runtime->name);
        rf_error_hint(err, "there --image decides which server it is");
        return RF_CONFIG;
    }
    if (rf_container_server_find(work->type, wanted) == NULL) {
        return rf_fail(err, RF_CONFIG, "%s has no server '%s'", work->type->title, wanted);
    }
    if (home->settings.type[0] == '\0' || strcmp(wanted, before->name) == 0) {
        return RF_OK;
    }
    rf_fail(err, RF_CONFIG, "it was made with --server %s", before->name);
    rf_error_hint(err, "'rowferry container -init --server %s %s' makes it afresh", wanted,
                  work->type->name);
    return RF_CONFIG;
}

static void pause_ms(int64_t ms)
{
    struct timespec time = {ms / 1000, ms % 1000 * 1000000};

    nanosleep(&time, NULL);
}

static enum rf_status fail_ended(const struct rf_container_state *state, struct rf_error *err)
{
    if (state->out_of_memory) {
        rf_fail(err, RF_CONFIG, "it ended before it answered, as its memory was full");
        rf_error_hint(err, "give it more: --memory; the lines above are the end of its log");
    } else if (state->exit_code != 0) {
        rf_fail(err, RF_CONFIG, "it ended with %d before it answered", state->exit_code);
        rf_error_hint(err, "the lines above are the end of its log");
    } else {
        rf_fail(err, RF_CONFIG, "it ended before it answered");
        rf_error_hint(err, "the lines above are the end of its log");
    }
    return RF_AGAIN;
}

/* Until that step is done; no longer than the server lives. Returns as the step does; RF_AGAIN: the
 * server has ended, and err says of what. */
static enum rf_status wait_for(struct rf_container_work *work,
                               const struct rf_container_runtime *runtime,
                               const struct rf_home *home,
                               enum rf_status (*step)(const struct rf_home *home, uint16_t port,
                                                      struct rf_error *err),
                               struct rf_error *err)
{
    int64_t limit_ms = rf_home_is_native(home) ? ANSWER_LIMIT_MS : ENGINE_LIMIT_MS;
    int64_t until_ms = rf_clock_ms() + limit_ms;
    enum rf_status status;

    for (;;) {
        struct rf_container_state state = {0};
        status = step(home, home->settings.port, err);
        if (status != RF_RETRY) {
            return status;
        }
        if (rf_clock_ms() >= until_ms) {
            rf_error_wrap(err, "it runs but does not answer");
            rf_error_hint(err, "'rowferry container logs %s' shows what it says", work->type->name);
            return status;
        }
        bool known = runtime->look(runtime, work->type, home, &state, NULL) == RF_OK;
        bool gone = known && !state.runs;
        struct rf_container_state end = state;
        rf_container_state_deinit(&state);
        if (gone && runtime->logs(runtime, work->type, home, 15, &work->details, NULL) == RF_OK) {
            return fail_ended(&end, err);
        }
        pause_ms(ANSWER_EVERY_MS);
    }
}

static enum rf_status start(struct rf_container_work *work,
                            const struct rf_container_runtime *runtime, struct rf_home *home,
                            struct rf_buf *called, struct rf_error *err)
{
    struct rf_home_settings before = home->settings;

    settle(work, runtime->name, &home->settings);
    enum rf_status status = rf_port_check(
        home->settings.port, rf_home_is_native(home) ? RF_PORT_OURS : RF_PORT_ENGINE, err);
    if (status != RF_OK) {
        return status;
    }
    bool fresh = before.type[0] == '\0';
    rf_container_say(&work->progress, "%s on port %u", fresh ? "making it," : "starting it again,",
                     home->settings.port);
    work->changed = true;
    /* The mark first: whatever happens from here on, delete knows that it is ours. */
    status = rf_home_mark(home, err);
    if (status == RF_OK) {
        status = rf_home_make_secrets(home, work->type->users, err);
    }
    if (status == RF_OK) {
        status =
            runtime->start(runtime, work->type, home, &work->progress, called, &work->details, err);
    }
    return status;
}

/* Until it answers, and has what it is to have. Returns as wait_for. */
static enum rf_status complete(struct rf_container_work *work,
                               const struct rf_container_runtime *runtime,
                               const struct rf_home *home, struct rf_error *err)
{
    rf_container_say(&work->progress, "waiting for its answer");
    enum rf_status status = wait_for(work, runtime, home, work->type->answers, err);
    return status == RF_OK ? wait_for(work, runtime, home, work->type->prepare, err) : status;
}

static enum rf_status create(struct rf_container_work *work,
                             const struct rf_container_runtime *runtime, struct rf_home *home,
                             struct rf_error *err)
{
    struct rf_container_state state = {0};
    enum rf_status status = check_type(work, home, err);

    if (status == RF_OK) {
        status = check_server(work, runtime, home, err);
    }
    if (status == RF_OK) {
        status = runtime->look(runtime, work->type, home, &state, err);
    }
    if (status == RF_OK && (state.runs || state.there)) {
        status = check_same(work, state.runs, &home->settings, err);
    } else if (status == RF_OK) {
        status = check_port(work, home, err);
    }
    if (status == RF_OK && state.runs) {
        status = complete(work, runtime, home, err);
    }
    /* What ran was about to end: it was killed a moment ago. */
    if (status == RF_AGAIN || (status == RF_OK && !state.runs)) {
        rf_buf_reset(&state.called);
        rf_buf_reset(&work->details);
        status = start(work, runtime, home, &state.called, err);
        if (status == RF_OK) {
            status = complete(work, runtime, home, err);
        }
    }
    status = status == RF_AGAIN ? RF_CONFIG : status; /* as err says */
    if (status == RF_OK) {
        work->port = home->settings.port;
        rf_buf_reset(&work->which);
        runtime->describe(work->type, home, rf_buf_str(&state.called), &work->which);
        if (work->refused.size > 0) {
            rf_buf_printf(&work->which, "; %s", rf_buf_cstr(&work->refused));
        }
    }
    rf_container_state_deinit(&state);
    return status;
}

/* What runs it, or ran it, stays; only what is made anew is free to choose. */
static enum rf_status choose_runtime(struct rf_container_work *work, const struct rf_home *home,
                                     const struct rf_container_runtime **runtime,
                                     struct rf_error *err)
{
    const char *wanted = work->wishes.runtime, *before = home->settings.runtime;

    if (!is_set(before)) {
        if (!is_set(wanted) && is_set(work->wishes.server)) {
            wanted = rf_container_native.name; /* only there is a choice of servers */
        }
        rf_buf_reset(&work->refused);
        return rf_container_runtime_choose(wanted, runtime, &work->refused, err);
    }
    if (is_set(wanted) && strcmp(wanted, before) != 0) {
        rf_fail(err, RF_CONFIG, "it was made with --runtime %s", before);
        rf_error_hint(err, "'rowferry container -init --runtime %s %s' makes it afresh", wanted,
                      work->type->name);
        return RF_CONFIG;
    }
    return rf_container_runtime_find(before, runtime, err);
}

enum rf_status rf_container_create(struct rf_container_work *work, struct rf_error *err)
{
    const struct rf_container_runtime *runtime;
    struct rf_home home = {0};
    enum rf_status status = rf_home_open(&home, work->type->server, true, err);

    if (status == RF_OK) {
        status = choose_runtime(work, &home, &runtime, err);
    }
    if (status == RF_OK) {
        status = create(work, runtime, &home, err);
    }
    if (status != RF_OK && home.lock > 0) {
        rmdir(home.path.data); /* goes only where it is empty: nothing was begun */
    }
    rf_home_close(&home);
    return status;
}

/* ---- Deleting -------------------------------------------------------------------------------- */

/* Without a home there may still be a container of ours in an engine: its home was removed by hand.
 * An engine that does not answer has none that would be in anybody's way. One of another home is
 * not ours to remove, and not nothing. */
static enum rf_status remove_leftovers(struct rf_container_work *work, struct rf_error *err)
{
    const struct rf_home none = {0};
    enum rf_status status = RF_OK;

    for (size_t i = 0; rf_container_runtimes[i] != NULL && status == RF_OK; i++) {
        const struct rf_container_runtime *runtime = rf_container_runtimes[i];
        struct rf_container_state state = {0};
        struct rf_error why = {0};
        if (runtime->answers == NULL || !runtime->answers(runtime, NULL)) {
            continue;
        }
        enum rf_status looked = runtime->look(runtime, work->type, &none, &state, &why);
        if (state.elsewhere) {
            status = looked;
            if (err != NULL) {
                *err = why;
            }
        } else if (looked == RF_OK && state.there) {
            rf_container_say(&work->progress, "removing what is left of it in %s", runtime->name);
            work->changed = true;
            status = runtime->stop(runtime, work->type, &none, err);
        }
        rf_container_state_deinit(&state);
    }
    return status;
}

enum rf_status rf_container_delete(struct rf_container_work *work, struct rf_error *err)
{
    const struct rf_container_runtime *runtime = &rf_container_native;
    struct rf_home home = {0};
    enum rf_status status = rf_home_open(&home, work->type->server, false, err);

    if (status == RF_OK) {
        status = check_type(work, &home, err);
    }
    if (status == RF_OK) {
        status = rf_hold_check(err);
    }
    if (status == RF_OK && home.settings.runtime[0] != '\0') {
        status = rf_container_runtime_find(home.settings.runtime, &runtime, err);
    }
    if (status == RF_OK && home.settings.type[0] != '\0') {
        rf_container_say(&work->progress, "stopping it");
        status = runtime->stop(runtime, work->type, &home, err);
    }
    if (status == RF_OK) {
        rf_container_say(&work->progress, "removing its data");
        work->changed = true;
        status = rf_home_remove(&home, err);
    }
    rf_home_close(&home);
    return status == RF_AGAIN ? remove_leftovers(work, err) : status;
}

/* ---- Making afresh --------------------------------------------------------------------------- */

static bool runs_in(const struct rf_container_work *work,
                    const struct rf_container_runtime *runtime, const struct rf_home *home)
{
    struct rf_container_state state = {0};
    struct rf_error ignored = {0};
    bool runs = runtime->look(runtime, work->type, home, &state, &ignored) == RF_OK && state.runs;

    rf_container_state_deinit(&state);
    return runs;
}

/* Whether that port is its own now, and so will be free once it is gone. Of one in an engine whose
 * home was removed by hand nobody knows the port. */
static bool holds(const struct rf_container_work *work, const struct rf_home *home, uint16_t port)
{
    const struct rf_container_runtime *runtime;
    const struct rf_home none = {0};
    struct rf_error ignored = {0};

    if (is_set(home->settings.type)) {
        return home->settings.port == port &&
               rf_container_runtime_find(home->settings.runtime, &runtime, &ignored) == RF_OK &&
               runs_in(work, runtime, home);
    }
    for (size_t i = 0; (runtime = rf_container_runtimes[i]) != NULL; i++) {
        if (runtime->answers != NULL && runtime->answers(runtime, NULL) &&
            runs_in(work, runtime, &none)) {
            return true;
        }
    }
    return false;
}

/* Whether it can be made with what is wished, as far as that can be known while the former one is
 * there. */
static enum rf_status prove(struct rf_container_work *work, const struct rf_home *former,
                            struct rf_error *err)
{
    const struct rf_container_runtime *runtime;
    const struct rf_home none = {0};
    struct rf_home_settings settings = {0};
    enum rf_status status = choose_runtime(work, &none, &runtime, err);

    if (status == RF_OK) {
        status = check_server(work, runtime, &none, err);
    }
    if (status != RF_OK) {
        return status;
    }
    settle(work, runtime->name, &settings);
    if (runtime->fetch != NULL) {
        struct rf_container_state state = {0};
        status = runtime->look(runtime, work->type, &none, &state, err); /* is the name free? */
        rf_container_state_deinit(&state);
    }
    if (status == RF_OK) {
        struct rf_error why = {0};
        status = rf_port_check(
            settings.port, runtime == &rf_container_native ? RF_PORT_OURS : RF_PORT_ENGINE, &why);
        if (why.code == EADDRINUSE && holds(work, former, settings.port)) {
            status = RF_OK;
        } else if (status != RF_OK && err != NULL) {
            *err = why;
        }
    }
    if (status == RF_OK && runtime->fetch != NULL) {
        const char *image = is_set(settings.image) ? settings.image : work->type->image;
        status = runtime->fetch(runtime, image, &work->progress, err);
    }
    return status;
}

enum rf_status rf_container_init(struct rf_container_work *work, struct rf_error *err)
{
    struct rf_home former = {0};
    enum rf_status status = rf_home_find(&former, work->type->server, err);

    if (status == RF_OK && work->wishes.port == 0) {
        work->wishes.port = former.settings.port;
    }
    if (status == RF_OK || status == RF_AGAIN) {
        status = prove(work, &former, err);
    }
    rf_home_close(&former);
    if (status == RF_OK) {
        status = rf_container_delete(work, err);
    }
    return status == RF_OK ? rf_container_create(work, err) : status;
}

/* ---- Looking --------------------------------------------------------------------------------- */

enum rf_status rf_container_look(const struct rf_container_type *type,
                                 struct rf_container_look *look, struct rf_error *err)
{
    const struct rf_container_runtime *runtime;
    enum rf_status status = rf_home_find(&look->home, type->server, err);

    if (status == RF_AGAIN) {
        return RF_OK;
    }
    if (status == RF_OK) {
        look->there = true;
        status = rf_container_runtime_find(look->home.settings.runtime, &runtime, err);
    }
    if (status == RF_OK) {
        status = runtime->look(runtime, type, &look->home, &look->state, err);
    }
    if (status == RF_OK && look->state.runs) {
        struct rf_error silent = {0};
        runtime->describe(type, &look->home, rf_buf_str(&look->state.called), &look->which);
        look->answers = type->answers(&look->home, look->home.settings.port, &silent) == RF_OK;
    }
    return status;
}

void rf_container_look_deinit(struct rf_container_look *look)
{
    rf_home_close(&look->home);
    rf_container_state_deinit(&look->state);
    rf_buf_deinit(&look->which);
}

enum rf_status rf_container_logs(const struct rf_container_type *type, uint32_t lines,
                                 struct rf_buf *out, struct rf_error *err)
{
    const struct rf_container_runtime *runtime;
    struct rf_home home = {0};
    enum rf_status status = rf_home_find(&home, type->server, err);

    if (status == RF_AGAIN) {
        status = rf_fail(err, RF_CONFIG, "there is no %s", type->server);
        rf_error_hint(err, "'rowferry container create %s' makes it", type->name);
    }
    if (status == RF_OK) {
        status = rf_container_runtime_find(home.settings.runtime, &runtime, err);
    }
    if (status == RF_OK) {
        status = runtime->logs(runtime, type, &home, lines, out, err);
    }
    rf_home_close(&home);
    return status;
}
