#include "config/url.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

struct good {
    const char *text;
    const char *parts; /* scheme, "//" if there was one, then name=value, one per line */
};

static const struct good goods[] = {
    {"mysql://cdc:pw@db.example:3306/shop.orders",
     "mysql\n//\nuser=cdc\npassword=pw\nhost=db.example\nport=3306\npath=/shop.orders\n"},
    {"mysql://db", "mysql\n//\nhost=db\n"},
    {"mysql://db/", "mysql\n//\nhost=db\npath=/\n"},
    {"mysql://", "mysql\n//\n"},
    {"mysql:///shop", "mysql\n//\npath=/shop\n"},
    {"MySQL://DB_1", "mysql\n//\nhost=DB_1\n"},
    {"mysql://cdc@db", "mysql\n//\nuser=cdc\nhost=db\n"},
    {"mysql://cdc:@db", "mysql\n//\nuser=cdc\npassword=\nhost=db\n"},
    {"redis://:pw@db", "redis\n//\npassword=pw\nhost=db\n"},
    {"redis://@db", "redis\n//\nhost=db\n"},
    {"redis://:@db", "redis\n//\npassword=\nhost=db\n"},
    {"redis://u:p@:2400/0", "redis\n//\nuser=u\npassword=p\nport=2400\npath=/0\n"},
    {"redis://h:1", "redis\n//\nhost=h\nport=1\n"},
    {"redis://h:65535", "redis\n//\nhost=h\nport=65535\n"},
    {"redis://h:06379", "redis\n//\nhost=h\nport=6379\n"},
    {"redis://[::1]:2400/0", "redis\n//\nhost=::1\nport=2400\npath=/0\n"},
    {"redis://u@[fe80::1%25eth0]", "redis\n//\nuser=u\nhost=fe80::1%eth0\n"},
    {"redis://%61b.c", "redis\n//\nhost=ab.c\n"},
    {"redis://[::ffff:127.0.0.1]", "redis\n//\nhost=::ffff:127.0.0.1\n"},
    {"mysql://a%40b:p%2F%3f%25%3A@h", "mysql\n//\nuser=a@b\npassword=p/?%:\nhost=h\n"},
    {"mysql://u:p@ss@h", "mysql\n//\nuser=u\npassword=p@ss\nhost=h\n"},
    {"mysql://u:p:q@h:1", "mysql\n//\nuser=u\npassword=p:q\nhost=h\nport=1\n"},
    {"mysql://h/shop.%2A,a.b", "mysql\n//\nhost=h\npath=/shop.*,a.b\n"},
    {"mysql://h/a%3Fb?x=%26&y=%3D=", "mysql\n//\nhost=h\npath=/a?b\nx=&\ny===\n"},
    {"mysql://h?tables=a.b&server_id=7", "mysql\n//\nhost=h\ntables=a.b\nserver_id=7\n"},
    {"mysql://h?", "mysql\n//\nhost=h\n"},
    {"mysql://h?a=", "mysql\n//\nhost=h\na=\n"},
    {"redis://h?key={db}:{id}+x", "redis\n//\nhost=h\nkey={db}:{id}+x\n"},
    {"redis://h?password_file=/run/a@b/p", "redis\n//\nhost=h\npassword_file=/run/a@b/p\n"},
    {"redis://h:1?password_file=/run/a@b/p",
     "redis\n//\nhost=h\nport=1\npassword_file=/run/a@b/p\n"},
    {"file:changes.jsonl", "file\npath=changes.jsonl\n"},
    {"file:/var/log/a%20b.jsonl", "file\npath=/var/log/a b.jsonl\n"},
    {"file:///abs", "file\n//\npath=/abs\n"},
    {"file:a@b:c", "file\npath=a@b:c\n"},
    {"file:x?format=json", "file\npath=x\nformat=json\n"},
    {"file:", "file\n"},
    {"-", "file\npath=-\n"},
    {"file:-", "file\npath=-\n"},
    {"binlog:mysql-bin.000042", "binlog\npath=mysql-bin.000042\n"},
    {"binlog:gr\xc3\xbc\xc3\x9f", "binlog\npath=gr\xc3\xbc\xc3\x9f\n"},
    {"a+b-c.d_e:x#y", "a+b-c.d_e\npath=x#y\n"},
};

static void test_an_address_falls_into_its_parts(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof goods / sizeof *goods; i++) {
        struct rf_url url = {0};
        struct rf_error err = {0};
        struct rf_buf parts = {0};
        if (rf_url_parse(&url, rf_str_of(goods[i].text), &err) != RF_OK) {
            fail_msg("%s: %s", goods[i].text, err.message);
        }
        rf_buf_printf(&parts, "%s\n%s", url.scheme, url.authority ? "//\n" : "");
        for (uint32_t k = 0; k < url.count; k++) {
            rf_buf_printf(&parts, "%s=%s\n", url.settings[k].name, url.settings[k].value);
        }
        assert_string_equal(rf_buf_cstr(&parts), goods[i].parts);
        rf_buf_deinit(&parts);
        rf_url_deinit(&url);
        assert_null(url.scheme);
    }
}

struct bad {
    const char *text;
    const char *message;
    const char *hint; /* a part of it */
};

#define ESCAPES "write : as %3A, / as %2F, @ as %40, ? as %3F"

static const struct bad bads[] = {
    {"", "an address does not begin with a scheme", "SCHEME://user@host:port/path or file:PATH"},
    {"changes.jsonl", "'changes.jsonl' is not an address: it does not begin with a scheme",
     "write file:changes.jsonl for a file, or SCHEME://changes.jsonl for a server"},
    {"127.0.0.1:3306", "'127.0.0.1:3306' is not an address: it does not begin with a scheme", ""},
    {"9root:geheim@h", "an address does not begin with a scheme", ""},
    {"://h", "'://h' is not an address: it does not begin with a scheme", ""},
    {"my sql://h", "'my sql://h' is not an address: it does not begin with a scheme", ""},
    {"mysql://h:", "the port of the mysql address is not a number from 1 to 65535", ESCAPES},
    {"mysql://h:0", "the port of the mysql address is not a number from 1 to 65535", ""},
    {"mysql://h:65536", "the port of the mysql address is not a number from 1 to 65535", ""},
    {"mysql://h:+1", "the port of the mysql address is not a number from 1 to 65535", ""},
    {"mysql://h:00000001", "the port of the mysql address is not a number from 1 to 65535", ""},
    {"mysql://u:geheim/x@h", "the mysql address has an '@' behind its host", "/ as %2F"},
    {"mysql://u:12/geheim@h", "the mysql address has an '@' behind its host", "/ as %2F"},
    {"mysql://u:12?geheim@h", "the mysql address has an '@' behind its host", "? as %3F"},
    {"mysql://::1/x", "the host of the mysql address has more than one ':'", "in brackets"},
    {"mysql://a:b:3", "the host of the mysql address has more than one ':'", ""},
    {"mysql://[::1", "the host of the mysql address has a '[' without its ']' before the port", ""},
    {"mysql://[::1]x", "the host of the mysql address has a '[' without its ']' before the port",
     ""},
    {"mysql://[]", "the host of the mysql address is not an IPv6 address", ""},
    {"mysql://[fe80::1%25]", "the host of the mysql address is not an IPv6 address", ""},
    {"mysql://[fe80::1%25a%ff]", "the host of the mysql address is not an IPv6 address", ""},
    {"mysql://[fe80::1%88eth0]", "the host of the mysql address is not an IPv6 address", ""},
    {"mysql://[db]", "the host of the mysql address is not an IPv6 address", ""},
    {"mysql://[1:2:3:4:5:6:7:8:9:0:1:2:3:4:5:6:7:8:9:0:1:2:3:4]",
     "the host of the mysql address is not an IPv6 address", ""},
    {"mysql://a b", "the host of the mysql address has a character that no host name has", ""},
    {"mysql://a%20b", "the host of the mysql address has a character that no host name has", ""},
    {"mysql://u%4@h", "the user of the mysql address has a '%' without two hex digits",
     "write a percent sign itself as %25"},
    {"mysql://u:100%@h", "the password of the mysql address has a '%' without two hex digits", ""},
    {"mysql://u:%zz@h", "the password of the mysql address has a '%' without two hex digits", ""},
    {"mysql://h/%", "the path of the mysql address has a '%' without two hex digits", ""},
    {"mysql://h?a=%g0", "option 'a' of the mysql address has a '%' without two hex digits", ""},
    {"mysql://h?%=1", "an option's name of the mysql address has a '%' without two hex digits", ""},
    {"file:a%00b", "the path of the file address has a control character (0x00)", ""},
    {"file:a\nb", "the path of the file address has a control character (0x0a)", ""},
    {"file:a%7f", "the path of the file address has a control character (0x7f)", ""},
    {"mysql://h?tables", "option 'tables' of the mysql address has no value", "write tables=VALUE"},
    {"mysql://h?=1", "the mysql address has an option without a name",
     "option=value pairs with '&' between them"},
    {"mysql://h?a=1&", "the mysql address has an option without a name", ""},
    {"mysql://h?a=1&&b=2", "the mysql address has an option without a name", ""},
    {"mysql://h?&", "the mysql address has an option without a name", ""},
    {"mysql://h?a=1&b=2&a=1", "the mysql address has 'a' twice", "give each option once"},
    {"mysql://h?host=g", "the mysql address has 'host' twice", ""},
    {"mysql://u:p@h?password=q", "the mysql address has 'password' twice", ""},
};

static void test_a_bad_address_is_refused_with_the_reason(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bads / sizeof *bads; i++) {
        struct rf_url url = {0};
        struct rf_error err = {0};
        if (rf_url_parse(&url, rf_str_of(bads[i].text), &err) != RF_CONFIG) {
            fail_msg("'%s' was accepted", bads[i].text);
        }
        assert_int_equal(err.status, RF_CONFIG);
        assert_string_equal(err.message, bads[i].message);
        if (strstr(err.hint, bads[i].hint) == NULL) {
            fail_msg("'%s': the hint is '%s'", bads[i].text, err.hint);
        }
        assert_null(strstr(err.message, "geheim"));
        assert_null(strstr(err.hint, "geheim"));
        rf_url_deinit(&url);
    }
}

static void test_length_and_number_of_options_are_bounded(void **state)
{
    (void)state;
    struct rf_url url = {0};
    struct rf_error err = {0};
    struct rf_buf text = {0};

    rf_buf_printf(&text, "file:");
    memset(rf_buf_reserve(&text, RF_URL_BYTES_MAX), 'x', RF_URL_BYTES_MAX);
    text.size = RF_URL_BYTES_MAX;
    assert_int_equal(rf_url_parse(&url, rf_buf_str(&text), &err), RF_OK);
    assert_int_equal(strlen(rf_url_get(&url, "path")), RF_URL_BYTES_MAX - 5);
    rf_url_deinit(&url);
    rf_buf_add_byte(&text, 'x');
    assert_int_equal(rf_url_parse(&url, rf_buf_str(&text), &err), RF_CONFIG);
    assert_string_equal(err.message, "an address is longer than 16384 bytes");
    rf_url_deinit(&url);

    rf_buf_reset(&text);
    rf_buf_printf(&text, "null:?");
    for (int i = 0; i < RF_URL_SETTINGS_MAX; i++) {
        rf_buf_printf(&text, "%so%d=%d", i ? "&" : "", i, i);
    }
    assert_int_equal(rf_url_parse(&url, rf_buf_str(&text), &err), RF_OK);
    assert_int_equal(url.count, RF_URL_SETTINGS_MAX);
    assert_string_equal(rf_url_get(&url, "o63"), "63");
    rf_url_deinit(&url);
    rf_buf_printf(&text, "&more=1");
    assert_int_equal(rf_url_parse(&url, rf_buf_str(&text), &err), RF_CONFIG);
    assert_string_equal(err.message, "the null address has more than 64 options");
    rf_url_deinit(&url);
    rf_buf_deinit(&text);
}

struct wiped {
    const char *before;
    const char *after;
    bool found;
};

static const struct wiped wipes[] = {
    {"mysql://u:geheim@h/p", "mysql://u:******@h/p", true},
    {"mysql://u:ge@im@h/p", "mysql://u:*****@h/p", true},
    {"redis://:x@h", "redis://:*@h", true},
    {"mysql://u@h:3306/p", "mysql://u@h:3306/p", false},
    {"mysql://u:@h", "mysql://u:@h", false},
    {"mysql://u@h:1?password_file=/a@b", "mysql://u@h:1?password_file=/a@b", false},
    {"mysql://u@h?password=geheim&x=1", "mysql://u@h?password=******&x=1", true},
    {"mysql://h?x=1&Auth_Token=abc", "mysql://h?x=1&Auth_Token=***", true},
    {"mysql://h?password_env=NAME&password=", "mysql://h?password_env=NAME&password=", false},
    {"mysql://u:a/b@h", "mysql://u:***@h", false},
    {"mysql://u:a?b@h", "mysql://u:***@h", false},
    {"file:a:b@c", "file:a:b@c", false},
    {"--name=shop", "--name=shop", false},
    {"", "", false},
    {"?", "?", false},
};

static void test_secrets_are_wiped_from_an_argument(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof wipes / sizeof *wipes; i++) {
        char *argument = rf_str_dup(rf_str_of(wipes[i].before));
        bool found = rf_url_wipe(argument);
        assert_string_equal(argument, wipes[i].after);
        assert_int_equal(found, wipes[i].found);
        free(argument);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_address_falls_into_its_parts),
        cmocka_unit_test(test_a_bad_address_is_refused_with_the_reason),
        cmocka_unit_test(test_length_and_number_of_options_are_bounded),
        cmocka_unit_test(test_secrets_are_wiped_from_an_argument),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
