/* Certificates for tests of TLS: made anew each time, good and bad ones. */
#ifndef ROWFERRY_TEST_CERTIFICATES_H
#define ROWFERRY_TEST_CERTIFICATES_H

#include <stdint.h>

/* Writes DIR/NAME.pem and DIR/NAME.key, readable by all. `signer` is the name of one that was made
 * there before and signs it; NULL: it signs itself, and may sign others. `names` is what it stands
 * for, "DNS:localhost,IP:127.0.0.1"; NULL: nothing. It is good from `from_s` to `until_s`, counted
 * from now. */
void rf_test_certificate(const char *dir, const char *name, const char *signer, const char *names,
                         int64_t from_s, int64_t until_s);

#endif
