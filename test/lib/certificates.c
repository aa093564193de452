#include "lib/certificates.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <rowferry/error.h>
#include <stdio.h>
#include <sys/stat.h>

enum { PATH_SIZE = 512 };

static FILE *open_file(const char *dir, const char *name, const char *suffix, const char *mode)
{
    char path[PATH_SIZE];
    snprintf(path, sizeof path, "%s/%s.%s", dir, name, suffix);
    FILE *file = fopen(path, mode);
    rf_assert(file != NULL);
    if (mode[0] == 'w') {
        rf_assert(fchmod(fileno(file), 0644) == 0);
    }
    return file;
}

static EVP_PKEY *read_key(const char *dir, const char *name)
{
    FILE *file = open_file(dir, name, "key", "re");
    EVP_PKEY *key = PEM_read_PrivateKey(file, NULL, NULL, NULL);
    fclose(file);
    rf_assert(key != NULL);
    return key;
}

static X509 *read_certificate(const char *dir, const char *name)
{
    FILE *file = open_file(dir, name, "pem", "re");
    X509 *certificate = PEM_read_X509(file, NULL, NULL, NULL);
    fclose(file);
    rf_assert(certificate != NULL);
    return certificate;
}

static void add_extension(X509 *certificate, X509 *signer, int number, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx(&context, signer, certificate, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, number, value);
    rf_assert(extension != NULL && X509_add_ext(certificate, extension, -1) == 1);
    X509_EXTENSION_free(extension);
}

static void name_it(X509 *certificate, const char *name)
{
    X509_NAME *subject = X509_get_subject_name(certificate);
    rf_assert(X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, (const unsigned char *)name,
                                         -1, -1, 0) == 1);
}

void rf_test_certificate(const char *dir, const char *name, const char *signer, const char *names,
                         int64_t from_s, int64_t until_s)
{
    static long serial;
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *certificate = X509_new();
    rf_assert(key != NULL && certificate != NULL);
    X509 *above = signer != NULL ? read_certificate(dir, signer) : certificate;
    EVP_PKEY *above_key = signer != NULL ? read_key(dir, signer) : key;
    X509_set_version(certificate, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), ++serial);
    X509_gmtime_adj(X509_getm_notBefore(certificate), from_s);
    X509_gmtime_adj(X509_getm_notAfter(certificate), until_s);
    name_it(certificate, name);
    X509_set_issuer_name(certificate, X509_get_subject_name(above));
    X509_set_pubkey(certificate, key);
    add_extension(certificate, above, NID_basic_constraints,
                  signer != NULL ? "critical,CA:FALSE" : "critical,CA:TRUE");
    if (names != NULL) {
        add_extension(certificate, above, NID_subject_alt_name, names);
    }
    rf_assert(X509_sign(certificate, above_key, EVP_sha256()) > 0);

    FILE *file = open_file(dir, name, "pem", "we");
    rf_assert(PEM_write_X509(file, certificate) == 1 && fclose(file) == 0);
    file = open_file(dir, name, "key", "we");
    rf_assert(PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL) == 1 && fclose(file) == 0);
    if (signer != NULL) {
        X509_free(above);
        EVP_PKEY_free(above_key);
    }
    X509_free(certificate);
    EVP_PKEY_free(key);
}
