#include "cli/places.h"

#include "base/memory.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

enum { NAME_BYTES_MAX = 100 };

static const char suffix[] = ".db";

/* The rule of rf_checkpoint_path, which cannot be asked where there is no home directory. */
static enum rf_status check_name(const char *name, struct rf_error *err)
{
    size_t size = strlen(name);
    bool good = size > 0 && size <= NAME_BYTES_MAX && name[0] != '.';

    for (size_t i = 0; i < size && good; i++) {
        good = isalnum((unsigned char)name[i]) || strchr("._-", name[i]) != NULL;
    }
    if (!good) {
        rf_fail(err, RF_CONFIG, "'%.120s' is no name for a pipeline", name);
        rf_error_hint(err, "letters, digits, '.', '_' and '-', no '.' in front, at most %d of them",
                      NAME_BYTES_MAX);
        return RF_CONFIG;
    }
    return RF_OK;
}

enum rf_status rf_place_of(const char *directory, const char *name, struct rf_buf *path,
                           struct rf_error *err)
{
    enum rf_status status = check_name(name, err);

    if (status == RF_OK && directory == NULL) {
        status = rf_checkpoint_path(name, path, err);
    } else if (status == RF_OK) {
        rf_buf_printf(path, "%s/%s%s", directory, name, suffix);
    }
    return status;
}

enum rf_status rf_place_read(const char *path, const char *name, struct rf_checkpoint_report *out,
                             struct rf_error *err)
{
    if (access(path, F_OK) != 0 && errno == ENOENT) {
        rf_fail(err, RF_CONFIG, "there is no pipeline '%s': no file %s", name, path);
        rf_error_hint(err, "'rowferry status' lists those that there are");
        return RF_CONFIG;
    }
    return rf_checkpoint_read(path, out, err);
}

static int compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The name in "NAME.db"; empty: another file. */
static struct rf_str name_in(const char *file)
{
    size_t size = strlen(file);

    if (file[0] == '.' || size < sizeof suffix || strcmp(file + size - 3, suffix) != 0) {
        return RF_STR_NONE;
    }
    return (struct rf_str){file, size - 3};
}

enum rf_status rf_places_list(const char *directory, char ***names, uint32_t *count,
                              struct rf_error *err)
{
    struct rf_buf path = {0};
    DIR *open_directory = NULL;
    struct dirent *entry;
    enum rf_status status = RF_OK;

    *names = NULL;
    *count = 0;
    if (directory == NULL) {
        status = rf_checkpoint_directory(&path, err);
    } else {
        rf_buf_printf(&path, "%s", directory);
    }
    if (status != RF_OK) {
        goto done;
    }
    open_directory = opendir(rf_buf_cstr(&path));
    if (open_directory == NULL) {
        if (errno != ENOENT) {
            status = rf_fail(err, RF_CONFIG, "could not read the directory %s: %s", path.data,
                             strerror(errno));
        }
        goto done;
    }
    while ((entry = readdir(open_directory)) != NULL) {
        struct rf_str name = name_in(entry->d_name);
        if (name.size > 0) {
            *names = rf_realloc(*names, (*count + 1) * sizeof **names);
            (*names)[(*count)++] = rf_str_dup(name);
        }
    }
    if (*count > 0) {
        qsort(*names, *count, sizeof **names, compare);
    }

done:
    if (open_directory != NULL) {
        closedir(open_directory);
    }
    rf_buf_deinit(&path);
    return status;
}
