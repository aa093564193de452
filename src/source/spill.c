#include "source/spill.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

/* ---- Sums ---------------------------------------------------------------------------------- */

/* Made for bad disks, not for bad people: no change within one word of 8 bytes goes unnoticed, as
 * every step can be undone, and others do with a chance of 2^-64. Four words side by side, as a
 * CRC in software is slower than the page cache. */
static uint64_t mix(uint64_t lane, uint64_t word)
{
    lane = (lane ^ word) * UINT64_C(0x9e3779b97f4a7c15);
    return lane ^ lane >> 32;
}

static uint64_t load(const char *at)
{
    uint64_t word;
    memcpy(&word, at, sizeof word);
    return word;
}

/* Of bytes that come in pieces of any size. */
struct sum {
    uint64_t lanes[4];
    uint64_t size;
    size_t lane; /* of the next word */
    char rest[sizeof(uint64_t)];
};

static void sum_word(struct sum *sum, uint64_t word)
{
    sum->lanes[sum->lane] = mix(sum->lanes[sum->lane], word);
    sum->lane = (sum->lane + 1) % 4;
}

static void sum_add(struct sum *sum, const char *data, size_t size)
{
    enum { WORD = sizeof(uint64_t) };
    size_t have = sum->size % WORD;
    sum->size += size;
    if (have > 0) {
        size_t more = WORD - have < size ? WORD - have : size;
        memcpy(sum->rest + have, data, more);
        data += more;
        size -= more;
        if (have + more < WORD) {
            return;
        }
        sum_word(sum, load(sum->rest));
    }
    for (; sum->lane != 0 && size >= WORD; data += WORD, size -= WORD) {
        sum_word(sum, load(data));
    }
    /* In registers: bytes may be anything, also the sum itself, as far as the compiler knows. */
    uint64_t a = sum->lanes[0], b = sum->lanes[1], c = sum->lanes[2], d = sum->lanes[3];
    for (; size >= 4 * WORD; data += 4 * WORD, size -= 4 * WORD) {
        a = mix(a, load(data));
        b = mix(b, load(data + WORD));
        c = mix(c, load(data + 2 * WORD));
        d = mix(d, load(data + 3 * WORD));
    }
    sum->lanes[0] = a;
    sum->lanes[1] = b;
    sum->lanes[2] = c;
    sum->lanes[3] = d;
    for (; size >= WORD; data += WORD, size -= WORD) {
        sum_word(sum, load(data));
    }
    if (size > 0) {
        memcpy(sum->rest, data, size);
    }
}

static uint64_t sum_end(struct sum *sum)
{
    size_t have = sum->size % sizeof sum->rest;
    uint64_t all = mix(1, sum->size);
    if (have > 0) {
        memset(sum->rest + have, 0, sizeof sum->rest - have);
        sum_word(sum, load(sum->rest));
    }
    for (size_t i = 0; i < 4; i++) {
        all = mix(all, sum->lanes[i]);
    }
    return all;
}

static uint64_t sum_of(const void *data, size_t size)
{
    struct sum sum = {0};
    sum_add(&sum, data, size);
    return sum_end(&sum);
}

/* ---- Errors -------------------------------------------------------------------------------- */

const char *rf_spill_directory(const struct rf_spill *spill)
{
    const char *directory = spill->directory;
    if (directory == NULL || directory[0] == '\0') {
        directory = getenv("TMPDIR");
    }
    return directory != NULL && directory[0] != '\0' ? directory : "/var/tmp";
}

#define ELSEWHERE "name another directory with --spill-dir (spill_dir in a file) or TMPDIR"

static enum rf_status not_opened(const struct rf_spill *spill, struct rf_error *err)
{
    int code = errno;
    rf_fail(err, RF_RETRY, "no file could be made in %s for a large transaction: %s",
            rf_spill_directory(spill), strerror(code));
    rf_error_hint(err, "mend that, or " ELSEWHERE);
    if (err != NULL) {
        err->code = code;
    }
    return RF_RETRY;
}

static enum rf_status not_written(const struct rf_spill *spill, uint64_t more, struct rf_error *err)
{
    int code = errno;
    rf_fail(err, RF_RETRY,
            "a large transaction could not be kept in %s: %s; %llu bytes of it are there, and at "
            "least %llu more are needed",
            rf_spill_directory(spill), strerror(code), (unsigned long long)spill->size,
            (unsigned long long)more);
    rf_error_hint(err,
                  "it takes as much room as the transaction takes in the log: make room there, "
                  "or " ELSEWHERE);
    if (err != NULL) {
        err->code = code;
    }
    return RF_RETRY;
}

static enum rf_status not_read(const struct rf_spill *spill, const char *why, struct rf_error *err)
{
    rf_fail(err, RF_RETRY,
            "a large transaction that was kept in %s could not be read back: %s, block %llu at "
            "%llu",
            rf_spill_directory(spill), why, (unsigned long long)spill->read,
            (unsigned long long)spill->read_at);
    rf_error_hint(err, "it is read from the source again; when this comes back the disk is bad: "
                       "" ELSEWHERE);
    return RF_RETRY;
}

/* ---- Writing ------------------------------------------------------------------------------- */

static enum rf_status open_file(struct rf_spill *spill, struct rf_error *err)
{
    const char *directory = rf_spill_directory(spill);
    int fd = open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC | O_EXCL, 0600);
    /* File systems and systems that do not know O_TMPFILE take it for a directory to write to. */
    if (fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL)) {
        struct rf_buf path = {0};
        rf_buf_printf(&path, "%s/rowferry-XXXXXX", directory);
        fd = mkostemp((char *)(uintptr_t)rf_buf_cstr(&path), O_CLOEXEC);
        if (fd >= 0 && unlink(path.data) != 0) {
            int code = errno;
            close(fd);
            fd = -1;
            errno = code;
        }
        rf_buf_deinit(&path);
    }
    if (fd < 0) {
        return not_opened(spill, err);
    }
    spill->file = fd + 1;
    return RF_OK;
}

/* All of it, however often the system takes only a part. */
static enum rf_status write_all(struct rf_spill *spill, struct iovec *parts, int count,
                                struct rf_error *err)
{
    while (count > 0) {
        ssize_t done = pwritev(spill->file - 1, parts, count, (off_t)spill->size);
        if (done < 0 && errno == EINTR) {
            continue;
        }
        if (done <= 0) {
            uint64_t left = 0;
            for (int i = 0; i < count; i++) {
                left += parts[i].iov_len;
            }
            errno = done == 0 ? ENOSPC : errno;
            return not_written(spill, left, err);
        }
        size_t gone = (size_t)done;
        spill->size += gone;
        for (; count > 0 && gone >= parts->iov_len; parts++, count--) {
            gone -= parts->iov_len;
        }
        if (count > 0) {
            parts->iov_base = (char *)parts->iov_base + gone;
            parts->iov_len -= gone;
        }
    }
    return RF_OK;
}

enum rf_status rf_spill_write(struct rf_spill *spill, const struct rf_spill_block *blocks,
                              uint32_t count, struct rf_error *err)
{
    struct rf_spill_head heads[RF_SPILL_BLOCKS_MAX];
    struct iovec parts[RF_SPILL_BLOCKS_MAX + RF_SPILL_PARTS_MAX * RF_SPILL_BLOCKS_MAX];
    int part_count = 0;
    rf_assert(count <= RF_SPILL_BLOCKS_MAX);
    if (spill->file == 0) {
        enum rf_status status = open_file(spill, err);
        if (status != RF_OK) {
            return status;
        }
    }
    for (uint32_t i = 0; i < count; i++) {
        struct rf_spill_head *head = &heads[i];
        struct sum sum = {0};
        rf_assert(blocks[i].count <= RF_SPILL_PARTS_MAX);
        *head = (struct rf_spill_head){.number = spill->written + i};
        parts[part_count++] = (struct iovec){head, sizeof *head};
        for (uint32_t k = 0; k < blocks[i].count; k++) {
            const struct iovec *part = &blocks[i].parts[k];
            if (part->iov_len > 0) {
                sum_add(&sum, part->iov_base, part->iov_len);
                head->size += part->iov_len;
                parts[part_count++] = *part;
            }
        }
        head->sum = sum_end(&sum);
        head->head_sum = sum_of(head, offsetof(struct rf_spill_head, head_sum));
    }
    enum rf_status status = write_all(spill, parts, part_count, err);
    spill->written += status == RF_OK ? count : 0;
    return status;
}

/* ---- Reading ------------------------------------------------------------------------------- */

static enum rf_status read_all(const struct rf_spill *spill, void *data, size_t size,
                               uint64_t offset, struct rf_error *err)
{
    char *to = data;
    while (size > 0) {
        ssize_t got = pread(spill->file - 1, to, size, (off_t)offset);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            return not_read(spill, got == 0 ? "it has become shorter" : strerror(errno), err);
        }
        to += got;
        size -= (size_t)got;
        offset += (uint64_t)got;
    }
    return RF_OK;
}

enum rf_status rf_spill_peek(struct rf_spill *spill, size_t *size, struct rf_error *err)
{
    struct rf_spill_head *head = &spill->head;
    enum rf_status status = RF_OK;
    rf_assert(rf_spill_left(spill));
    if (!spill->peeked) {
        status = read_all(spill, head, sizeof *head, spill->read_at, err);
    }
    if (status == RF_OK && !spill->peeked &&
        (head->head_sum != sum_of(head, offsetof(struct rf_spill_head, head_sum)) ||
         head->number != spill->read || head->size > spill->size - spill->read_at - sizeof *head)) {
        status = not_read(spill, "it is not what was written", err);
    }
    spill->peeked = status == RF_OK;
    *size = status == RF_OK ? head->size : 0;
    return status;
}

enum rf_status rf_spill_read(struct rf_spill *spill, void *data, struct rf_error *err)
{
    size_t size = spill->head.size;
    rf_assert(spill->peeked);
    enum rf_status status = read_all(spill, data, size, spill->read_at + sizeof spill->head, err);
    if (status == RF_OK && sum_of(data, size) != spill->head.sum) {
        status = not_read(spill, "it is not what was written", err);
    }
    if (status == RF_OK) {
        rf_spill_skip(spill);
    }
    return status;
}

void rf_spill_skip(struct rf_spill *spill)
{
    rf_assert(spill->peeked);
    spill->read++;
    spill->read_at += sizeof spill->head + spill->head.size;
    spill->peeked = false;
}

enum rf_status rf_spill_cut(struct rf_spill *spill, struct rf_error *err)
{
    if (ftruncate(spill->file - 1, (off_t)spill->read_at) != 0) {
        return not_read(spill, strerror(errno), err);
    }
    spill->written = spill->read;
    spill->size = spill->read_at;
    spill->read = spill->read_at = 0;
    spill->peeked = false;
    return RF_OK;
}

void rf_spill_close(struct rf_spill *spill)
{
    if (spill->file > 0) {
        close(spill->file - 1);
    }
    *spill = (struct rf_spill){.directory = spill->directory};
}
