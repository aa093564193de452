#include "container/port.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ORDINARY = 65534 };

/* Listens on a port of the kernel's choice; *port is that. */
static int listen_somewhere(int family, uint16_t *port)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_addr = in6addr_any};
    struct sockaddr *address = family == AF_INET ? (struct sockaddr *)&v4 : (struct sockaddr *)&v6;
    socklen_t size = family == AF_INET ? sizeof v4 : sizeof v6;
    int file = socket(family, SOCK_STREAM, 0);

    if (file < 0 || bind(file, address, size) != 0 || listen(file, 1) != 0 ||
        getsockname(file, address, &size) != 0) {
        if (file >= 0) {
            close(file);
        }
        return -1;
    }
    *port = ntohs(family == AF_INET ? v4.sin_port : v6.sin6_port);
    return file;
}

static void test_a_free_port_is_good(void **state)
{
    uint16_t port = 0;
    struct rf_error err = {0};
    (void)state;
    close(listen_somewhere(AF_INET, &port));
    assert_int_equal(rf_port_check(port, RF_PORT_OURS, &err), RF_OK);
    assert_false(rf_port_holder(port, &(struct rf_buf){0}));
}

static void test_who_has_a_port_is_named(void **state)
{
    static const int families[] = {AF_INET, AF_INET6};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        uint16_t port = 0;
        struct rf_error err = {0};
        char wanted[128];
        int file = listen_somewhere(families[i], &port);
        if (file < 0) {
            assert_int_equal(families[i], AF_INET6); /* a machine without IPv6 */
            continue;
        }
        assert_int_equal(rf_port_check(port, RF_PORT_OURS, &err), RF_CONFIG);
        snprintf(wanted, sizeof wanted, "port %u is taken by test_container_ (pid %d)", port,
                 getpid());
        assert_string_equal(err.message, wanted);
        assert_non_null(strstr(err.hint, "--port"));
        close(file);
    }
}

/* In a process of its own, as root gives its rights up there. Exits with 0 when the port is refused
 * to us, and not to an engine. */
static void ask_as_ordinary_user(uint16_t port)
{
    struct rf_error err = {0};
    bool ordinary = geteuid() != 0 || (setgid(ORDINARY) == 0 && setuid(ORDINARY) == 0);
    bool refused = rf_port_check(port, RF_PORT_OURS, &err) == RF_CONFIG &&
                   strstr(err.message, "is for root alone") != NULL &&
                   strstr(err.hint, "run this as root") != NULL &&
                   strstr(err.hint, "--port N") != NULL;
    _exit(ordinary && refused && rf_port_check(port, RF_PORT_ENGINE, &err) == RF_OK ? 0 : 1);
}

static void test_ports_of_root_are_refused_to_others(void **state)
{
    unsigned first = 0;
    int end = -1;
    (void)state;
    FILE *file = fopen("/proc/sys/net/ipv4/ip_unprivileged_port_start", "re");
    if (file == NULL || fscanf(file, "%u", &first) != 1 || first == 0) {
        skip(); /* this machine has no such ports */
    }
    fclose(file);
    pid_t child = fork();
    if (child == 0) {
        ask_as_ordinary_user((uint16_t)(first - 1));
    }
    assert_int_equal(waitpid(child, &end, 0), child);
    assert_true(WIFEXITED(end));
    assert_int_equal(WEXITSTATUS(end), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_free_port_is_good),
        cmocka_unit_test(test_who_has_a_port_is_named),
        cmocka_unit_test(test_ports_of_root_are_refused_to_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
