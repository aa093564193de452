#include "lib/mongo_script_login.h"

#include "lib/mongo_script_match.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

enum { ITERATIONS = 4096, NONCE_BYTES = 18, BASE64_MAX = 256 };
/* Clients insist on these. */
enum { SALT_BYTES_SHA1 = 16, SALT_BYTES_SHA256 = 28 };

struct digest {
    unsigned char data[EVP_MAX_MD_SIZE];
    unsigned size;
};

static const EVP_MD *algorithm(const struct rf_mongo_script_login *login)
{
    return login->sha256 ? EVP_sha256() : EVP_sha1();
}

static enum rf_status fail(struct rf_mongo_script_login *login, struct rf_error *err)
{
    login->step = 0;
    /* As MongoDB: not a word about which of the two was wrong. */
    return rf_mongo_script_refuse(err, RF_MONGO_SCRIPT_LOGIN_FAILED, "Authentication failed.");
}

static void add_base64(struct rf_buf *out, const unsigned char *data, size_t size)
{
    unsigned char text[BASE64_MAX];
    rf_assert(size * 4 / 3 + 4 < sizeof text);
    int length = EVP_EncodeBlock(text, data, (int)size);
    rf_buf_add(out, text, (size_t)length);
}

/* Takes "x=value" off the front of the message, whose fields are divided by commas. */
static bool take_field(struct rf_str *rest, char name, struct rf_str *value)
{
    struct rf_str field;
    if (!rf_str_split(rest, ',', &field) || field.size < 2 || field.data[0] != name ||
        field.data[1] != '=') {
        return false;
    }
    *value = (struct rf_str){field.data + 2, field.size - 2};
    return true;
}

/* "=2C" and "=3D" stand for a comma and an equals sign. */
static bool is_user(struct rf_str name, const char *user)
{
    size_t at = 0;
    for (; *user != '\0' && at < name.size; user++) {
        if (name.data[at] == '=' && name.size - at >= 3) {
            char meant = memcmp(name.data + at, "=2C", 3) == 0 ? ',' : '=';
            if (meant != *user) {
                return false;
            }
            at += 3;
        } else if (name.data[at++] != *user) {
            return false;
        }
    }
    return *user == '\0' && at == name.size;
}

enum rf_status rf_mongo_script_login_begin(struct rf_mongo_script_login *login,
                                           const char *mechanism, struct rf_str payload,
                                           struct rf_buf *out, struct rf_error *err)
{
    struct rf_str rest = payload, user, nonce, bare = {0};
    unsigned char random[NONCE_BYTES];
    login->sha256 = strcmp(mechanism, "SCRAM-SHA-256") == 0;
    login->done = false;
    if (!login->sha256 && strcmp(mechanism, "SCRAM-SHA-1") != 0) {
        return rf_mongo_script_refuse(err, RF_MONGO_SCRIPT_NO_MECHANISM,
                                      "Received authentication for mechanism %s which is unknown "
                                      "or not enabled",
                                      mechanism);
    }
    if (!rf_str_starts(payload, RF_STR("n,,"))) {
        return fail(login, err);
    }
    bare = rest = (struct rf_str){payload.data + 3, payload.size - 3};
    if (!take_field(&rest, 'n', &user) || !take_field(&rest, 'r', &nonce) ||
        !is_user(user, login->user)) {
        return fail(login, err);
    }
    rf_assert(RAND_bytes(random, sizeof random) == 1);
    login->salt_size = login->sha256 ? SALT_BYTES_SHA256 : SALT_BYTES_SHA1;
    rf_assert(RAND_bytes(login->salt, (int)login->salt_size) == 1);
    rf_buf_set(&login->nonce, nonce);
    add_base64(&login->nonce, random, sizeof random);
    size_t begin = out->size;
    rf_buf_printf(out, "r=%.*s,s=", RF_STR_ARG(rf_buf_str(&login->nonce)));
    add_base64(out, login->salt, login->salt_size);
    rf_buf_printf(out, ",i=%d", ITERATIONS);
    rf_buf_set(&login->text, bare);
    rf_buf_add_byte(&login->text, ',');
    rf_buf_add(&login->text, out->data + begin, out->size - begin);
    login->step = 1;
    return RF_OK;
}

/* What the client hashes: the password, or for SHA-1 MongoDB's digest of it. */
static void add_secret(const struct rf_mongo_script_login *login, struct rf_buf *out)
{
    if (login->sha256) {
        rf_buf_add_str(out, rf_str_of(login->password));
        return;
    }
    struct digest md5;
    struct rf_buf text = {0};
    rf_buf_printf(&text, "%s:mongo:%s", login->user, login->password);
    rf_assert(EVP_Digest(text.data, text.size, md5.data, &md5.size, EVP_md5(), NULL) == 1);
    for (unsigned i = 0; i < md5.size; i++) {
        rf_buf_printf(out, "%02x", md5.data[i]);
    }
    rf_buf_deinit(&text);
}

static void sign(const struct rf_mongo_script_login *login, const struct digest *key,
                 struct rf_str text, struct digest *out)
{
    rf_assert(HMAC(algorithm(login), key->data, (int)key->size, (const unsigned char *)text.data,
                   text.size, out->data, &out->size) != NULL);
}

static void salt_password(const struct rf_mongo_script_login *login, struct digest *out)
{
    struct rf_buf secret = {0};
    add_secret(login, &secret);
    out->size = (unsigned)EVP_MD_get_size(algorithm(login));
    rf_assert(PKCS5_PBKDF2_HMAC(secret.data, (int)secret.size, login->salt, (int)login->salt_size,
                                ITERATIONS, algorithm(login), (int)out->size, out->data) == 1);
    rf_buf_deinit(&secret);
}

/* Whether the proof is the client's key, hidden by the signature that its hash makes. */
static bool is_proof(const struct rf_mongo_script_login *login, const struct digest *salted,
                     struct rf_str proof)
{
    struct digest key, stored, signature, wanted;
    struct rf_buf text = {0};
    sign(login, salted, RF_STR("Client Key"), &key);
    rf_assert(EVP_Digest(key.data, key.size, stored.data, &stored.size, algorithm(login), NULL) ==
              1);
    sign(login, &stored, rf_buf_str(&login->text), &signature);
    for (unsigned i = 0; i < key.size; i++) {
        wanted.data[i] = key.data[i] ^ signature.data[i];
    }
    add_base64(&text, wanted.data, key.size);
    bool same = rf_str_equal(rf_buf_str(&text), proof);
    rf_buf_deinit(&text);
    return same;
}

enum rf_status rf_mongo_script_login_end(struct rf_mongo_script_login *login, struct rf_str payload,
                                         struct rf_buf *out, struct rf_error *err)
{
    struct rf_str rest = payload, channel, nonce, proof;
    struct digest salted, key, signature;
    if (login->step != 1 || !take_field(&rest, 'c', &channel) || !take_field(&rest, 'r', &nonce)) {
        return fail(login, err);
    }
    size_t without_proof = (size_t)(nonce.data + nonce.size - payload.data);
    if (!take_field(&rest, 'p', &proof) || !rf_str_equal(channel, RF_STR("biws")) ||
        !rf_str_equal(nonce, rf_buf_str(&login->nonce))) {
        return fail(login, err);
    }
    rf_buf_add_byte(&login->text, ',');
    rf_buf_add(&login->text, payload.data, without_proof);
    salt_password(login, &salted);
    if (!is_proof(login, &salted, proof)) {
        return fail(login, err);
    }
    sign(login, &salted, RF_STR("Server Key"), &key);
    sign(login, &key, rf_buf_str(&login->text), &signature);
    rf_buf_add_str(out, RF_STR("v="));
    add_base64(out, signature.data, signature.size);
    login->step = 2;
    login->done = true;
    return RF_OK;
}

void rf_mongo_script_login_deinit(struct rf_mongo_script_login *login)
{
    rf_buf_deinit(&login->text);
    rf_buf_deinit(&login->nonce);
}
