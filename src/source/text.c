#include "source/text.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum { CHUNK_BYTES = 64 * 1024 };

int rf_text_read(const char *path, size_t bytes_max, struct rf_buf *out)
{
    int number = 0;
    ssize_t got = -1;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return errno;
    }
    while (got != 0 && number == 0 && out->size <= bytes_max) {
        got = read(fd, rf_buf_reserve(out, CHUNK_BYTES), CHUNK_BYTES);
        if (got > 0) {
            out->size += (size_t)got;
        } else if (got < 0 && errno != EINTR) {
            number = errno;
        }
    }
    close(fd);
    return number;
}
