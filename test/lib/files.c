#include "lib/files.h"

#include "base/memory.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

enum { ROOM = 64 * 1024 };

static bool read_whole(const char *path, struct rf_buf *out)
{
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        return false;
    }
    for (size_t size = 1; size > 0;) {
        size = fread(rf_buf_reserve(out, ROOM), 1, ROOM, file);
        out->size += size;
    }
    fclose(file);
    return true;
}

static bool add_zstd(struct rf_str packed, struct rf_buf *out)
{
    ZSTD_DCtx *stream = ZSTD_createDCtx();
    ZSTD_inBuffer in = {packed.data, packed.size, 0};
    size_t left = 1;
    while (!ZSTD_isError(left) && (in.pos < in.size || left > 0)) {
        ZSTD_outBuffer room = {rf_buf_reserve(out, ROOM), ROOM, 0};
        size_t before = in.pos;
        left = ZSTD_decompressStream(stream, &room, &in);
        out->size += room.pos;
        if (in.pos == before && room.pos == 0 && left > 0) {
            break; /* torn */
        }
    }
    ZSTD_freeDCtx(stream);
    return left == 0;
}

static bool add_gzip(struct rf_str packed, struct rf_buf *out)
{
    z_stream stream = {0};
    int code = Z_STREAM_END;
    rf_assert(inflateInit2(&stream, 15 + 16) == Z_OK);
    stream.next_in = (Bytef *)(uintptr_t)packed.data;
    stream.avail_in = (uInt)packed.size;
    while (code == Z_OK || (code == Z_STREAM_END && stream.avail_in > 0)) {
        if (code == Z_STREAM_END) {
            rf_assert(inflateReset(&stream) == Z_OK);
        }
        stream.next_out = (Bytef *)rf_buf_reserve(out, ROOM);
        stream.avail_out = ROOM;
        code = inflate(&stream, Z_NO_FLUSH);
        out->size += ROOM - stream.avail_out;
    }
    inflateEnd(&stream);
    return code == Z_STREAM_END;
}

bool rf_test_file_read(const char *path, struct rf_buf *out)
{
    struct rf_buf packed = {0};
    bool whole = read_whole(path, &packed);
    struct rf_str content = rf_buf_str(&packed);
    if (whole && rf_str_starts(content, RF_STR("\x28\xb5\x2f\xfd"))) {
        whole = add_zstd(content, out);
    } else if (whole && rf_str_starts(content, RF_STR("\x1f\x8b"))) {
        whole = add_gzip(content, out);
    } else {
        rf_buf_add_str(out, content);
    }
    rf_buf_deinit(&packed);
    return whole;
}

/* Calls back for each file, in the order of their names. */
static bool each(const char *folder,
                 bool (*call)(const char *path, const char *name, void *argument), void *argument)
{
    struct dirent **entries;
    bool fine = true;
    int count = scandir(folder, &entries, NULL, alphasort);
    rf_assert(count >= 0);
    for (int i = 0; i < count; i++) {
        const char *name = entries[i]->d_name;
        char path[512];
        if (strcmp(name, ".") != 0 && strcmp(name, "..") != 0) {
            snprintf(path, sizeof path, "%s/%s", folder, name);
            fine &= call(path, name, argument);
        }
        free(entries[i]);
    }
    free(entries);
    return fine;
}

static bool read_one(const char *path, const char *name, void *argument)
{
    (void)name;
    return rf_test_file_read(path, argument);
}

bool rf_test_files_read(const char *folder, struct rf_buf *out)
{
    return each(folder, read_one, out);
}

static bool list_one(const char *path, const char *name, void *argument)
{
    (void)path;
    rf_buf_printf(argument, "%s ", name);
    return true;
}

const char *rf_test_files_list(const char *folder)
{
    static char names[4096];
    struct rf_buf out = {0};
    each(folder, list_one, &out);
    rf_assert(out.size < sizeof names);
    snprintf(names, sizeof names, "%s", rf_buf_cstr(&out));
    rf_buf_deinit(&out);
    return names;
}

static bool remove_one(const char *path, const char *name, void *argument)
{
    (void)name;
    (void)argument;
    return unlink(path) == 0;
}

void rf_test_files_remove(const char *folder)
{
    rf_assert(each(folder, remove_one, NULL));
}
