/* Files for a container, as a tar archive.
 *
 * Source: POSIX.1-2017, pax, "ustar Interchange Format"; Docker Engine API, PUT
 * /containers/{id}/archive. */
#include "net/docker.h"

#include <stdio.h>
#include <time.h>

enum { BLOCK = 512, NAME_MAX_BYTES = 100, PUT_MS = 60 * 1000 };

/* Where the fields of a header begin, and their sizes. */
enum {
    MODE_AT = 100,
    UID_AT = 108,
    GID_AT = 116,
    SIZE_AT = 124,
    TIME_AT = 136,
    SUM_AT = 148,
    TYPE_AT = 156,
    MAGIC_AT = 257,
    SMALL = 8,
    LARGE = 12,
};

static void put_octal(char *at, size_t size, uint64_t number)
{
    char text[24];

    snprintf(text, sizeof text, "%0*llo", (int)size - 1, (unsigned long long)number);
    memcpy(at, text, size);
}

static void add_head(struct rf_buf *out, const struct rf_docker_file *file)
{
    char *head = rf_buf_reserve(out, BLOCK);
    unsigned sum = 0;
    size_t name = strlen(file->name);

    rf_assert(name > 0 && name < NAME_MAX_BYTES);
    memset(head, 0, BLOCK);
    memcpy(head, file->name, name);
    put_octal(head + MODE_AT, SMALL, file->mode);
    put_octal(head + UID_AT, SMALL, file->user);
    put_octal(head + GID_AT, SMALL, file->user);
    put_octal(head + SIZE_AT, LARGE, file->text.size);
    put_octal(head + TIME_AT, LARGE, (uint64_t)time(NULL));
    memset(head + SUM_AT, ' ', SMALL);                       /* counts as spaces in its own sum */
    head[TYPE_AT] = file->name[name - 1] == '/' ? '5' : '0'; /* a directory, or a file */
    memcpy(head + MAGIC_AT,
           "ustar\0"
           "00",
           8);
    for (size_t i = 0; i < BLOCK; i++) {
        sum += (unsigned char)head[i];
    }
    put_octal(head + SUM_AT, SMALL - 1, sum);
    out->size += BLOCK;
}

static void add_padding(struct rf_buf *out, size_t bytes)
{
    memset(rf_buf_reserve(out, bytes), 0, bytes);
    out->size += bytes;
}

enum rf_status rf_docker_put(struct rf_docker *docker, const char *container, const char *directory,
                             const struct rf_docker_file *files, uint32_t count,
                             struct rf_error *err)
{
    struct rf_http_answer answer = {0};
    struct rf_buf path = {0}, archive = {0};

    for (uint32_t i = 0; i < count; i++) {
        add_head(&archive, &files[i]);
        rf_buf_add_str(&archive, files[i].text);
        add_padding(&archive, (BLOCK - files[i].text.size % BLOCK) % BLOCK);
    }
    add_padding(&archive, 2 * BLOCK);
    rf_buf_printf(&path, "/v1.%d/containers/", docker->api);
    rf_http_encode(&path, rf_str_of(container));
    rf_buf_printf(&path, "/archive?path=");
    rf_http_encode(&path, rf_str_of(directory));
    struct rf_http_request request = {.method = "PUT",
                                      .path = rf_buf_cstr(&path),
                                      .type = "application/x-tar",
                                      .body = rf_buf_str(&archive),
                                      .timeout_ms = PUT_MS};
    enum rf_status status = rf_http_call(&docker->http, &request, &answer, err);
    if (status == RF_OK && answer.code != 200) {
        rf_fail(err, RF_CONFIG, "%s could not put files into the container %s: %.*s (%ld)",
                docker->called.data, container, RF_STR_ARG(rf_str_trim(rf_buf_str(&answer.body))),
                answer.code);
        status = RF_CONFIG;
    }
    rf_buf_deinit(&path);
    rf_buf_wipe(&archive);
    rf_http_answer_deinit(&answer);
    return status;
}
