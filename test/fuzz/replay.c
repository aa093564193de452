/*
 * Runs a fuzz target over files that are already there, so that each input which once found
 * something is an ordinary test in every tree, with any compiler.
 *
 * usage: replay_<noun> FILE|DIRECTORY...
 *
 * It also tries the empty input, each truncation of every file, and each file with single bits
 * flipped: cheap, and where decoders break first. Large files are sampled. Fails when there is no
 * input at all: a corpus that went missing must not look like a pass.
 */
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Per file and kind of damage; keeps a replay near a second, whatever lies in the corpus. */
#define VARIANTS_MAX 512

static size_t inputs;

/* A copy of exactly this size, so that ASan sees a read one byte past the end. */
static void run_copy(const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size > 0 ? size : 1);

    if (copy == NULL) {
        fprintf(stderr, "replay: out of memory for %zu bytes\n", size);
        exit(1);
    }
    if (size > 0) {
        memcpy(copy, data, size);
    }
    LLVMFuzzerTestOneInput(copy, size);
    free(copy);
}

static void run_variants(uint8_t *data, size_t size)
{
    size_t step = size / VARIANTS_MAX + 1;

    run_copy(data, size);
    for (size_t i = 0; i < size; i += step) {
        run_copy(data, i);
    }
    for (size_t i = 0; i < size; i += step) {
        uint8_t bit = (uint8_t)(1u << (i % 8));

        data[i] ^= bit;
        run_copy(data, size);
        data[i] ^= bit;
    }
}

static int replay_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    uint8_t *data = NULL;
    long size = 0;
    int result = 1;

    if (file == NULL || fseek(file, 0, SEEK_END) != 0 || (size = ftell(file)) < 0 ||
        fseek(file, 0, SEEK_SET) != 0) {
        fprintf(stderr, "replay: could not open %s: %s\n", path, strerror(errno));
        goto done;
    }
    data = malloc((size_t)size + 1);
    if (data == NULL || fread(data, 1, (size_t)size, file) != (size_t)size) {
        fprintf(stderr, "replay: could not read %s\n", path);
        goto done;
    }
    /* Named before it runs: after a crash the last line says which input did it. */
    printf("%s (%ld bytes)\n", path, size);
    fflush(stdout);
    run_variants(data, (size_t)size);
    inputs++;
    result = 0;

done:
    free(data);
    if (file != NULL) {
        fclose(file);
    }
    return result;
}

static int replay_directory(const char *path)
{
    DIR *directory = opendir(path);
    struct dirent *entry;
    char name[4096];
    int result = 0;

    if (directory == NULL) {
        fprintf(stderr, "replay: could not open %s: %s\n", path, strerror(errno));
        return 1;
    }
    while (result == 0 && (entry = readdir(directory)) != NULL) {
        if (entry->d_name[0] == '.') {
            continue;
        }
        int length = snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
        if (length < 0 || (size_t)length >= sizeof name) {
            fprintf(stderr, "replay: the name is too long: %s/%s\n", path, entry->d_name);
            result = 1;
        } else {
            result = replay_file(name);
        }
    }
    closedir(directory);
    return result;
}

int main(int argc, char **argv)
{
    int result = 0;

    run_copy((const uint8_t *)"", 0);
    for (int i = 1; i < argc && result == 0; i++) {
        struct stat about;

        if (stat(argv[i], &about) == 0 && S_ISDIR(about.st_mode)) {
            result = replay_directory(argv[i]);
        } else {
            result = replay_file(argv[i]);
        }
    }
    if (result == 0 && inputs == 0) {
        fprintf(stderr, "replay: no input in what was given; a corpus belongs there\n");
        result = 1;
    }
    if (result == 0) {
        printf("%zu inputs, each whole, cut and flipped\n", inputs);
    }
    return result;
}
