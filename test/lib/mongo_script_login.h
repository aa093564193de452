/* SCRAM-SHA-1 and SCRAM-SHA-256, the server's side: proves that the client knows the password, and
 * to the client that the server does.
 *
 * Used by lib/mongo_script.h alone, one for each connection. For SHA-1 MongoDB takes the MD5 of
 * "USER:mongo:PASSWORD", in hexadecimal digits, for the password; passwords of SHA-256 are ASCII
 * here, as no SASLprep is done.
 *
 * Source: RFC 5802 and RFC 7677; MongoDB driver authentication specification, "SCRAM". */
#ifndef ROWFERRY_TEST_MONGO_SCRIPT_LOGIN_H
#define ROWFERRY_TEST_MONGO_SCRIPT_LOGIN_H

#include <rowferry/str.h>

/* Zeroed: nobody has begun. */
struct rf_mongo_script_login {
    const char *user, *password; /* that are right; borrowed */
    bool sha256;
    int step;
    struct rf_buf text;  /* the AuthMessage of RFC 5802, as far as it is known */
    struct rf_buf nonce; /* of both sides */
    unsigned char salt[28];
    size_t salt_size;
    bool done; /* logged in */
};

/* Takes the client's first message and appends the answer. Returns RF_OK or RF_REJECT, with
 * MongoDB's number in err->code. */
RF_USE_RESULT enum rf_status rf_mongo_script_login_begin(struct rf_mongo_script_login *login,
                                                         const char *mechanism,
                                                         struct rf_str payload, struct rf_buf *out,
                                                         struct rf_error *err);
/* Takes the second one; RF_OK: the password was right, and login->done. */
RF_USE_RESULT enum rf_status rf_mongo_script_login_end(struct rf_mongo_script_login *login,
                                                       struct rf_str payload, struct rf_buf *out,
                                                       struct rf_error *err);
void rf_mongo_script_login_deinit(struct rf_mongo_script_login *login);

#endif
