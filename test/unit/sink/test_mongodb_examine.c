/* What doctor says of the sink `mongodb`: whether it could write what is to be written there. */
#include <stdio.h>
#include <stdlib.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/memory.h"
#include "lib/mongo_script.h"
#include "lib/sink_subject.h"

#include <rowferry/finding.h>

extern const struct rf_sink_type rf_sink_mongodb;

static struct rf_mongo_script *script;
static char port[8];
static struct rf_findings findings;

static int setup(void **state)
{
    (void)state;
    script = rf_mongo_script_create(&(struct rf_mongo_script_options){0});
    snprintf(port, sizeof port, "%u", rf_mongo_script_port(script));
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    rf_findings_deinit(&findings);
    rf_mongo_script_destroy(script);
    return 0;
}

/* Looks at the server, with tables d.t and d.u to come; more: another setting. */
static void examine(const char *name, const char *value)
{
    static const struct rf_finding_table tables[] = {
        {{"d", 1}, {"t", 1}},
        {{"d", 1}, {"u", 1}},
    };
    const struct rf_sink_type *type = &rf_sink_mongodb;
    struct rf_context ctx = {.pipeline = "test",
                             .instance = "mongodb",
                             .tables = tables,
                             .table_count = 2,
                             .connect_timeout_ms = 5000};
    void *state = rf_alloc_zero(1, type->state_size);
    rf_test_fallbacks(type->options, state);
    rf_test_set(type->options, state, "port", port);
    if (name != NULL) {
        rf_test_set(type->options, state, name, value);
    }
    rf_findings_deinit(&findings);
    err = (struct rf_error){0};
    expect_status(type->examine(state, &ctx, &findings, &err), RF_OK);
    type->close(state);
    free(state);
}

/* The finding of that name, of those with that verdict. */
static const struct rf_finding *find(const char *what, enum rf_verdict verdict)
{
    for (uint32_t i = 0; i < findings.count; i++) {
        if (strcmp(findings.items[i].what, what) == 0 && findings.items[i].verdict == verdict) {
            return &findings.items[i];
        }
    }
    for (uint32_t i = 0; i < findings.count; i++) {
        const struct rf_finding *one = &findings.items[i];
        print_message("%s %s: %s (%s)\n", rf_verdict_name(one->verdict), one->what,
                      one->found ? one->found : "", one->why ? one->why : "");
    }
    fail_msg("not %s: %s", rf_verdict_name(verdict), what);
    return NULL;
}

static void expect_text(const char *text, const char *words)
{
    if (text == NULL || strstr(text, words) == NULL) {
        fail_msg("'%s' is not in: %s", words, text != NULL ? text : "");
    }
}

static void ask(const char *database, const char *command)
{
    free(rf_mongo_script_ask(script, database, command));
}

static void expect_nothing_written(void)
{
    assert_int_equal(rf_mongo_script_count(script, "update"), 0);
    assert_int_equal(rf_mongo_script_count(script, "insert"), 0);
    assert_int_equal(rf_mongo_script_count(script, "delete"), 0);
}

/* The user has these privileges from now on. */
static void privileges(const char *list)
{
    char json[2048];
    snprintf(json, sizeof json,
             "{\"ok\": 1, \"authInfo\": {\"authenticatedUsers\": [{\"user\": \"f\", \"db\": "
             "\"admin\"}], \"authenticatedUserRoles\": [], \"authenticatedUserPrivileges\": [%s]}}",
             list);
    rf_mongo_script_clear(script);
    rf_mongo_script_rule(
        script, &(struct rf_mongo_script_rule){.command = "connectionStatus", .json = json});
}

#define PRIVILEGE(database, collection, actions)                                        \
    "{\"resource\": {\"db\": \"" database "\", \"collection\": \"" collection "\"}, \"" \
    "actions\": [" actions "]}"
#define ALL "\"find\", \"insert\", \"update\", \"remove\", \"listIndexes\""

/* ---------------------------------------------------------------------------------------- tests */

static void test_rights_that_are_lacking_are_named_with_what_grants_them(void **state)
{
    static const struct {
        const char *list, *lacking, *fix;
    } cases[] = {
        {"",
         "lacking: find, insert, update on rowferry.positions; find, insert, update on "
         "rowferry.tables; find, insert, update, remove on d.t; and 1 more",
         "[{role: \"readWrite\", db: \"rowferry\"}, {role: \"readWrite\", db: \"d\"}])"},
        {PRIVILEGE("d", "", ALL),
         "lacking: find, insert, update on rowferry.positions; find, "
         "insert, update on rowferry.tables",
         "[{role: \"readWrite\", db: \"rowferry\"}])"},
        {PRIVILEGE("rowferry", "", ALL) "," PRIVILEGE("d", "t", ALL) "," //
         PRIVILEGE("d", "u", "\"find\", \"insert\""),
         "lacking: update, remove on d.u", "db: \"d\"}])"},
        {PRIVILEGE("rowferry", "", ALL) ", {\"resource\": {\"cluster\": true}, \"actions\": [" ALL
                                        "]}",
         "remove on d.t", "db: \"d\"}])"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        privileges(cases[i].list);
        examine(NULL, NULL);
        const struct rf_finding *finding = find("rights", RF_FINDING_WRONG);
        expect_text(finding->found, cases[i].lacking);
        expect_text(finding->fix, cases[i].fix);
    }
    expect_nothing_written();
}

static void test_rights_that_are_enough_are_fine(void **state)
{
    static const char *const lists[] = {
        PRIVILEGE("", "", ALL),
        PRIVILEGE("d", "", ALL) "," PRIVILEGE("rowferry", "", ALL),
        PRIVILEGE("", "t", ALL) "," PRIVILEGE("d", "u", ALL) "," PRIVILEGE("rowferry", "", ALL),
        PRIVILEGE("d", "", "\"find\", \"insert\"") "," PRIVILEGE(
            "d", "", "\"update\", \"remove\"") "," PRIVILEGE("rowferry", "", ALL),
        "{\"resource\": {\"anyResource\": true}, \"actions\": [" ALL "]}",
    };
    (void)state;
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        privileges(lists[i]);
        examine(NULL, NULL);
        expect_text(find("rights", RF_FINDING_FINE)->found, "granted");
    }
}

static void test_a_collection_that_somebody_filled_is_wrong_until_it_is_adopted(void **state)
{
    (void)state;
    examine(NULL, NULL);
    expect_text(find("collections", RF_FINDING_FINE)->found, "2, free or ours");
    ask("d", "{\"insert\": \"u\", \"documents\": [{\"_id\": 1}]}");
    examine(NULL, NULL);
    const struct rf_finding *finding = find("collection", RF_FINDING_WRONG);
    expect_text(finding->found, "d.u");
    expect_text(finding->why, "the collection d.u has documents");
    expect_text(finding->fix, "adopt=on");
    expect_text(find("collections", RF_FINDING_FINE)->found, "1, free or ours");
    examine("adopt", "on");
    expect_text(find("collections", RF_FINDING_FINE)->found, "2, free or ours");
    expect_nothing_written();
}

static void test_a_collection_with_a_record_is_its_owners(void **state)
{
    static const char *const owners[] = {"test", "other"};
    static const char *const ids[] = {
        "",
        "\"pipeline\": \"test\", \"sink\": \"mongodb\", "}; /* the second: of earlier versions */
    (void)state;
    ask("d", "{\"insert\": \"t\", \"documents\": [{\"_id\": 1}]}");
    for (int i = 0; i < 3; i++) {
        char command[512];
        snprintf(command, sizeof command,
                 "{\"insert\": \"tables\", \"documents\": [{\"_id\": {%s\"database\": \"d\", "
                 "\"collection\": \"t\"}, \"pipeline\": \"%s\", \"sink\": \"mongodb\", "
                 "\"database\": \"d\", \"table\": \"t\"}]}",
                 ids[i / 2], owners[i % 2]);
        ask("rowferry", "{\"delete\": \"tables\", \"deletes\": [{\"q\": {}, \"limit\": 0}]}");
        ask("rowferry", command);
        examine(NULL, NULL);
        if (i % 2 == 0) {
            expect_text(find("collections", RF_FINDING_FINE)->found, "2, free or ours");
        } else {
            expect_text(find("collection", RF_FINDING_WRONG)->why, "of pipeline other");
        }
    }
    expect_nothing_written();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            test_rights_that_are_lacking_are_named_with_what_grants_them, setup, teardown),
        cmocka_unit_test_setup_teardown(test_rights_that_are_enough_are_fine, setup, teardown),
        cmocka_unit_test_setup_teardown(
            test_a_collection_that_somebody_filled_is_wrong_until_it_is_adopted, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_collection_with_a_record_is_its_owners, setup,
                                        teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
