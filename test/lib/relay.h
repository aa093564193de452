/* A relay between a client and a real server on loopback, which injures what one of them says.
 *
 * For tests of what a damaged or cut answer does: the server is a real one, and does what it was
 * asked, or half of what it was asked. Fails the test (rf_assert) when it cannot work. Thread: the
 * caller's, beside the relay's own. */
#ifndef ROWFERRY_TEST_RELAY_H
#define ROWFERRY_TEST_RELAY_H

#include <rowferry/str.h>
#include <stdbool.h>

struct rf_test_relay;

/* What happens to a stream of bytes at the place that was armed. */
enum rf_test_injury {
    RF_INJURY_CUT,     /* both sides are closed there */
    RF_INJURY_SILENCE, /* nothing comes any more, and nobody closes */
    RF_INJURY_GARBAGE, /* from there on, up to the end of what is read, it is other bytes */
    RF_INJURY_FLIP,    /* one bit is another */
};

/* Listens on a port of its own and carries all connections to `port`. */
struct rf_test_relay *rf_test_relay_start(uint16_t port);
uint16_t rf_test_relay_port(const struct rf_test_relay *relay);
/* Injures, once, what passes from now on behind `after` bytes: what the server says, or what the
 * client says. */
void rf_test_relay_arm(struct rf_test_relay *relay, enum rf_test_injury injury, bool from_server,
                       uint64_t after);
/* Takes back what was armed. True when it had struck already. */
bool rf_test_relay_disarm(struct rf_test_relay *relay);

/* Makes what the client hears of what the server has said: appends it to `out`, all of it or with
 * the rest kept for the next call. Called on the relay's thread. */
typedef void rf_test_relay_filter(void *argument, struct rf_str said, struct rf_buf *out);
/* From now on; NULL: no more. What was armed is not looked for meanwhile. */
void rf_test_relay_set_filter(struct rf_test_relay *relay, rf_test_relay_filter *filter,
                              void *argument);
void rf_test_relay_stop(struct rf_test_relay *relay);

#endif
