/* bare HOST PORT USER FILE: drains a MariaDB server's binary logs from the beginning of FILE to the
 * end of the newest one and does nothing with what it gets: the least that any reader through this
 * client library has to spend.
 *
 * The yardstick of bench/run. Prints one line of JSON: packets, bytes and the seconds between the
 * dump command and the end. It asks as Rowferry does (checksums announced, GTID events wanted, no
 * annotations) but for the flag that makes the server end the stream where its newest log ends. */
#include <mysql.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    DUMP_NON_BLOCK = 1,
    DUMP_HEADER_SIZE = 10, /* position 4, flags 2, server id 4 */
    DUMP_FILE_MAX = 255,
    LOG_START = 4,
    SERVER_ID = 0x7ffffff0,
    EOF_MARK = 0xfe,
    EOF_SIZE_MAX = 8,
};

/* The library returns an unsigned long, but its error value is an unsigned int. */
static const unsigned long read_failed = (unsigned int)-1;

static double now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void put_little_endian(unsigned char *to, uint64_t number, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        to[i] = (unsigned char)(number >> (8 * i));
    }
}

static bool begin_dump(MYSQL *mysql, const char *file)
{
    unsigned char command[DUMP_HEADER_SIZE + DUMP_FILE_MAX];
    size_t file_size = strlen(file);
    if (file_size > DUMP_FILE_MAX) {
        fprintf(stderr, "bare: the file's name is longer than %d bytes\n", DUMP_FILE_MAX);
        return false;
    }
    if (mysql_query(mysql,
                    "SET @master_binlog_checksum = 'CRC32', @source_binlog_checksum = 'CRC32', "
                    "@mariadb_slave_capability = 4")) {
        return false;
    }
    put_little_endian(command, LOG_START, 4);
    put_little_endian(command + 4, DUMP_NON_BLOCK, 2);
    put_little_endian(command + 6, SERVER_ID, 4);
    memcpy(command + DUMP_HEADER_SIZE, file, file_size);
    return mysql->methods->db_command(mysql, COM_BINLOG_DUMP, (const char *)command,
                                      DUMP_HEADER_SIZE + file_size, 1, NULL) == 0;
}

/* Returns true when the end of the newest log was reached. */
static bool drain(MYSQL *mysql, uint64_t *packets, uint64_t *bytes)
{
    for (;;) {
        unsigned long size = mysql_net_read_packet(mysql);
        if (size == read_failed) {
            return false;
        }
        if (size > 0 && size <= EOF_SIZE_MAX && mysql->net.read_pos[0] == EOF_MARK) {
            return true;
        }
        *packets += 1;
        *bytes += size;
    }
}

int main(int argc, char **argv)
{
    int result = EXIT_FAILURE;
    uint64_t packets = 0;
    uint64_t bytes = 0;
    if (argc != 5) {
        fprintf(stderr, "usage: bare HOST PORT USER FILE\n");
        return EXIT_FAILURE;
    }
    MYSQL *mysql = mysql_init(NULL);
    if (mysql == NULL) {
        fprintf(stderr, "bare: out of memory\n");
        return EXIT_FAILURE;
    }
    unsigned port = (unsigned)strtoul(argv[2], NULL, 10);
    if (mysql_real_connect(mysql, argv[1], argv[3], NULL, NULL, port, NULL, 0) == NULL) {
        goto done;
    }
    double start = now_s();
    if (!begin_dump(mysql, argv[4]) || !drain(mysql, &packets, &bytes)) {
        goto done;
    }
    printf("{\"packets\": %llu, \"bytes\": %llu, \"seconds\": %.6f}\n", (unsigned long long)packets,
           (unsigned long long)bytes, now_s() - start);
    result = EXIT_SUCCESS;

done:
    if (result != EXIT_SUCCESS && mysql_errno(mysql) != 0) {
        fprintf(stderr, "bare: %s\n", mysql_error(mysql));
    }
    mysql_close(mysql);
    return result;
}
