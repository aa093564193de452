"""The workloads: what is in the logs that every reader drains.

Each one lies in a server directory of its own in the cache. Its log begins with bin.000001 at
position 4 and ends with one row in bench.marker, so that a reader can be seen to have reached the
end. The tables are made outside the log (sql_log_bin = 0): it holds row changes only.
"""

import dataclasses
import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess

from . import places
from .servers import Failure, SQL_SERVERS, must

LOG = "bin.000001"
TRANSACTION_ROWS = 10_000
START_TIME = 1_700_000_000  # of the first transaction: the same bytes at every generation

# The same whenever a server is started on a workload, so that it never has to resize its files.
SERVER_OPTIONS = ["--innodb-log-file-size=512M", "--innodb-buffer-pool-size=512M",
                  "--binlog-cache-size=16M", "--max-binlog-size=1G", "--innodb-fast-shutdown=1",
                  "--innodb-adaptive-hash-index=OFF", "--net-write-timeout=600"]

MYSQL_OPTIONS = ["--innodb-redo-log-capacity=1G", "--innodb-buffer-pool-size=512M",
                 "--binlog-cache-size=16M", "--max-binlog-size=1G", "--innodb-fast-shutdown=1",
                 "--innodb-adaptive-hash-index=OFF", "--net-write-timeout=600"]

TABLES = """
SET sql_log_bin = 0;
CREATE DATABASE bench CHARACTER SET utf8mb4;
USE bench;
CREATE TABLE marker (id INT NOT NULL PRIMARY KEY);
CREATE TABLE bulk (
    id BIGINT NOT NULL PRIMARY KEY,
    k INT NOT NULL,
    c CHAR(120) NOT NULL,
    pad CHAR(60) NOT NULL,
    amount DECIMAL(12,2) NOT NULL,
    created DATETIME(3) NOT NULL,
    note VARCHAR(200)
);
CREATE TABLE sbtest1 (
    id INT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    k INT NOT NULL DEFAULT 0,
    c CHAR(120) NOT NULL DEFAULT '',
    pad CHAR(60) NOT NULL DEFAULT '',
    KEY (k)
);
SET sql_log_bin = 1;
"""


def groups(count, value):
    """An SQL expression: so many groups of eleven digits, as sysbench fills its columns."""
    digits = (f"LPAD(CRC32({value} * {count} + {i}), 11, '0')" for i in range(count))
    return f"CONCAT_WS('-', {', '.join(digits)})"


def bulk_insert(first, last):
    return f"""
INSERT INTO bulk
SELECT seq, CRC32(seq) % 1000000, {groups(10, 'seq')}, {groups(5, '(seq + 7)')},
       (CRC32(seq + 3) % 1000000000) / 100,
       TIMESTAMPADD(MICROSECOND, (seq % 86400000) * 1000, '2024-03-01 00:00:00'),
       ELT(1 + seq % 10, 'paid in full', 'left at the door', 'gift, for "Zoë"',
           'second floor, rear', 'call before delivery', NULL, 'returned\\nrefunded',
           'express, signed for', 'Straße 12a', 'fragile: glass')
FROM seq_{first}_to_{last};
"""


def bulk(rows, transaction_rows=TRANSACTION_ROWS):
    """Inserted rows, so many a transaction, each transaction one statement."""
    sql = []
    for number, first in enumerate(range(1, rows + 1, transaction_rows)):
        last = min(first + transaction_rows - 1, rows)
        sql.append(f"SET timestamp = {START_TIME + number};{bulk_insert(first, last)}")
    return "".join(sql)


SBTEST_ROWS = 10_000

SBTEST_LOAD = f"""
SET sql_log_bin = 0;
INSERT INTO sbtest1
SELECT seq, 1 + CRC32(seq) % {SBTEST_ROWS}, {groups(10, 'seq')}, {groups(5, 'seq')}
FROM seq_1_to_{SBTEST_ROWS};
SET sql_log_bin = 1;
"""

# As sysbench's oltp_write_only: change an indexed column, change another, delete a row and insert
# it again. Values come from variables: the log keeps each statement's text, and clients send
# values.
OLTP_PROCEDURE = f"""
SET sql_log_bin = 0;
DELIMITER //
CREATE PROCEDURE oltp(transactions INT, start_time INT)
BEGIN
    DECLARE n INT DEFAULT 0;
    DECLARE row_id, new_k INT;
    DECLARE new_c CHAR(120);
    DECLARE new_pad CHAR(60);
    WHILE n < transactions DO
        SET timestamp = start_time + n DIV 1000;
        START TRANSACTION;
        SET row_id = 1 + CRC32(n * 3) % {SBTEST_ROWS};
        UPDATE sbtest1 SET k = k + 1 WHERE id = row_id;
        SET row_id = 1 + CRC32(n * 3 + 1) % {SBTEST_ROWS},
            new_c = {groups(10, '(n + 10000000)')};
        UPDATE sbtest1 SET c = new_c WHERE id = row_id;
        SET row_id = 1 + CRC32(n * 3 + 2) % {SBTEST_ROWS}, new_k = 1 + CRC32(n) % {SBTEST_ROWS},
            new_c = {groups(10, '(n + 13)')}, new_pad = {groups(5, '(n + 17)')};
        DELETE FROM sbtest1 WHERE id = row_id;
        INSERT INTO sbtest1 VALUES (row_id, new_k, new_c, new_pad);
        COMMIT;
        SET n = n + 1;
    END WHILE;
END//
DELIMITER ;
SET sql_log_bin = 1;
"""
OLTP_CHANGES = 4  # of each transaction


def oltp(transactions):
    return f"{SBTEST_LOAD}{OLTP_PROCEDURE}CALL oltp({transactions}, {START_TIME});\n"


# ---- Wide rows ----------------------------------------------------------------------------------

WIDE_TRANSACTION_ROWS = 500


def wide_columns():
    """70 columns behind the key: (definition, expression), of the kinds that tables have."""
    words = "'left at the door', 'second floor, rear', 'Straße 12a', 'gift, for \"Zoë\"'"
    kinds = [
        ("INT NOT NULL", "CRC32(seq + {n}) % 1000000"),
        ("BIGINT UNSIGNED", "CRC32(seq + {n}) * 4294967296 + seq"),
        ("SMALLINT", "seq % 30000"),
        ("TINYINT(1) NOT NULL", "seq % 2"),
        ("DECIMAL(14,4)", "(CRC32(seq + {n}) % 1000000000) / 10000"),
        ("DOUBLE", "CRC32(seq + {n}) / 7e0"),
        ("DATETIME(3)", "TIMESTAMPADD(MICROSECOND, (seq % 86400000) * 1000, '2024-03-01 00:00:00')"),
        ("DATE", "TIMESTAMPADD(DAY, seq % 9000, '2001-01-01')"),
        ("TIMESTAMP(6) NULL", "TIMESTAMPADD(MICROSECOND, seq * 1013, '2024-03-01 00:00:00')"),
        ("CHAR(36) CHARACTER SET ascii", "LEFT(SHA2(seq + {n}, 256), 36)"),
        ("VARCHAR(100)", f"ELT(1 + (seq + {{n}}) % 5, {words}, NULL)"),
        ("VARCHAR(300)", f"CONCAT_WS(' ', {groups(4, '(seq + {n})')})"),
        ("ENUM('new','paid','sent','returned')", "1 + seq % 4"),
        ("VARBINARY(32)", "UNHEX(SHA2(seq + {n}, 256))"),
    ]
    columns = [kinds[n % len(kinds)] for n in range(66)]
    columns += [("JSON", "JSON_OBJECT('id', seq, 'tags', JSON_ARRAY('a', 'b', seq % 7), 'owner', "
                         "JSON_OBJECT('name', 'Zoë', 'score', seq / 3, 'active', TRUE))")] * 2
    # Of 1 to 4 kB, no two alike and yet text.
    columns += [("TEXT", f"REPEAT(CONCAT({groups(8, '(seq + {n})')}, ' lines\\n'), "
                         "10 + CRC32(seq + {n}) % 29)")] * 2
    return [(kind, value.replace("{n}", str(n))) for n, (kind, value) in enumerate(columns)]


def wide(rows, compressed):
    """`compressed`: the SQL that has the server compress what it logs."""
    columns = wide_columns()
    made = ", ".join(f"c{n:02} {kind}" for n, (kind, _) in enumerate(columns))
    values = ", ".join(value for _, value in columns)
    sql = [f"SET sql_log_bin = 0; CREATE TABLE wide (id BIGINT NOT NULL PRIMARY KEY, {made}); "
           f"SET sql_log_bin = 1; {compressed}\n"]
    for number, first in enumerate(range(1, rows + 1, WIDE_TRANSACTION_ROWS)):
        last = min(first + WIDE_TRANSACTION_ROWS - 1, rows)
        sql.append(f"SET timestamp = {START_TIME + number};\n"
                   f"INSERT INTO wide SELECT seq, {values} FROM seq_{first}_to_{last};\n")
    return "".join(sql)


# MySQL's: whole transactions, by zstd.
COMPRESSION = "SET binlog_transaction_compression = ON;"


# ---- Many tables, one transaction, few keys -------------------------------------------------------

TABLE_TRANSACTIONS = 10
TABLE_TRANSACTION_ROWS = 50


def make_tables(count):
    """In one file, as each of its own would take longer to make than all the rest."""
    lines = ["SET sql_log_bin = 0;", "SET GLOBAL innodb_file_per_table = OFF;"]
    lines += [f"CREATE TABLE t{number:05} (id INT NOT NULL PRIMARY KEY, k INT NOT NULL, "
              "c CHAR(60) NOT NULL, note VARCHAR(100));" for number in range(count)]
    return "\n".join([*lines, "SET sql_log_bin = 1;", ""])


def tables(count, transactions, rows):
    """Rows for all tables in turn; each transaction inserts into one of them."""
    sql = [make_tables(count)]
    for n in range(transactions):
        sql += [f"SET timestamp = {START_TIME + n}; INSERT INTO t{number:05} SELECT seq, "
                f"CRC32(seq) % 1000000, {groups(5, 'seq')}, 'left at the door' "
                f"FROM seq_{n * rows + 1}_to_{(n + 1) * rows};\n" for number in range(count)]
    return "".join(sql)


HOT_KEYS = 20_000
HOT_SHARE = 100  # one key of so many gets nine updates of ten
HOT_CHANGES = 10  # of each transaction

# Each update changes one row, chosen by a hash of its number; a counter makes it differ.
HOT_PROCEDURE = f"""
SET sql_log_bin = 0;
CREATE TABLE hot (
    id INT NOT NULL PRIMARY KEY,
    n INT NOT NULL,
    name CHAR(30) NOT NULL,
    note VARCHAR(100) NOT NULL
);
INSERT INTO hot SELECT seq, 0, {groups(2, 'seq')}, 'none yet' FROM seq_1_to_{HOT_KEYS};
DELIMITER //
CREATE PROCEDURE hot(transactions INT, start_time INT)
BEGIN
    DECLARE t, i, draw, row_id INT DEFAULT 0;
    WHILE t < transactions DO
        SET timestamp = start_time + t DIV 1000;
        START TRANSACTION;
        SET i = 0;
        WHILE i < {HOT_CHANGES} DO
            SET draw = t * {HOT_CHANGES} + i;
            SET row_id = 1 + CRC32(draw * 7) % {HOT_KEYS};
            IF CRC32(draw) % 10 > 0 THEN
                SET row_id = 1 + (row_id DIV {HOT_SHARE}) * {HOT_SHARE} % {HOT_KEYS};
            END IF;
            UPDATE hot SET n = n + 1, note = CONCAT('change ', draw) WHERE id = row_id;
            SET i = i + 1;
        END WHILE;
        COMMIT;
        SET t = t + 1;
    END WHILE;
END//
DELIMITER ;
SET sql_log_bin = 1;
"""


def hot(transactions):
    return f"{HOT_PROCEDURE}CALL hot({transactions}, {START_TIME});\n"


MARKER = f"SET timestamp = {START_TIME + 1_000_000};\nINSERT INTO marker VALUES (1);\n"


def for_mysql(sql):
    """MariaDB's tables of numbers, as MySQL has them."""
    numbers = (r"FROM (WITH RECURSIVE n (seq) AS (SELECT \1 UNION ALL SELECT seq + 1 FROM n "
               r"WHERE seq < \2) SELECT seq FROM n) AS numbers")
    depth = "SET SESSION cte_max_recursion_depth = 4294967295;\n"
    return depth + re.sub(r"FROM seq_(\d+)_to_(\d+)", numbers, sql)


@dataclasses.dataclass(frozen=True)
class Workload:
    name: str
    table: str
    rows: int  # row changes in the log, without the marker
    sql: str
    directory: pathlib.Path
    kind: str = "mariadb"  # of the server

    def make_server(self, directory):
        return SQL_SERVERS[self.kind](
            directory, MYSQL_OPTIONS if self.kind == "mysql" else SERVER_OPTIONS)

    def data(self, directory):
        return directory / SQL_SERVERS[self.kind].data

    def facts(self):
        return json.loads((self.directory / "workload.json").read_text())

    def log(self):
        return self.data(self.directory) / LOG

    def last_change(self, server):
        """(key, field, value) that Redis has when the last change of the workload hot is in it."""
        row_id, note = server.client(
            "SELECT id, note FROM hot ORDER BY CAST(SUBSTR(note, 8) AS UNSIGNED) DESC LIMIT 1",
            database="bench")[0]
        return f"bench:hot:{row_id}", "note", note

    def server(self):
        """A server that serves this log. One at a time: they share the directory."""
        must("stop", self.kind, self.directory)  # left behind by a run that was killed
        forget_later_logs(self)
        return self.make_server(self.directory)


def define(name, table, rows, sql, kind="mariadb"):
    """A workload's directory has a digest of all that it depends on in its name."""
    mysql = kind == "mysql"
    sql = for_mysql(sql) if mysql else sql
    parts = [TABLES, sql, *(MYSQL_OPTIONS if mysql else SERVER_OPTIONS)]
    digest = hashlib.sha256("\0".join(parts).encode()).hexdigest()[:10]
    name_there = f"mysql-{name}" if mysql else name
    return Workload(name, table, rows, sql, places.cache() / f"{name_there}-{rows}-{digest}", kind)


def small_pairs():
    """By name, the small and the twice as large workload whose difference counts instructions."""
    def sized_bulk(rows):
        return define("bulk", "bench.bulk", rows, bulk(rows, transaction_rows=1000))

    def sized_oltp(rows):
        return define("oltp", "bench.sbtest1", rows, oltp(rows // OLTP_CHANGES))

    return {"bulk": (sized_bulk(10_000), sized_bulk(20_000)),
            "oltp": (sized_oltp(10_000), sized_oltp(20_000))}


def all_workloads(divisor=1, kind="mariadb"):
    """The workloads of a full run, or those of a quick one with a tenth of the rows."""
    bulk_rows = 2_000_000 // divisor
    transactions = 75_000 // divisor
    large_rows = 1_000_000 // divisor
    document_rows = 400_000 // divisor
    cassandra_rows = 100_000 // divisor
    wide_rows = 50_000 // divisor
    few, many = 1_000 // divisor, 10_000 // divisor
    hot_transactions = 40_000 // divisor

    def make(name, table, rows, sql):
        return define(name, table, rows, sql, kind)

    few_rows = few * TABLE_TRANSACTIONS * TABLE_TRANSACTION_ROWS
    return {
        "bulk": make("bulk", "bench.bulk", bulk_rows, bulk(bulk_rows)),
        # The server that takes them keeps all in memory.
        "documents": make("documents", "bench.bulk", document_rows, bulk(document_rows)),
        # The node that takes them is one of a few thousand rows a second.
        "rows": make("rows", "bench.bulk", cassandra_rows, bulk(cassandra_rows)),
        "oltp": make("oltp", "bench.sbtest1", transactions * OLTP_CHANGES, oltp(transactions)),
        "wide": make("wide", "bench.wide", wide_rows, wide(wide_rows, "")),
        "packed": make("packed", "bench.wide", wide_rows, wide(wide_rows, COMPRESSION)),
        "tables": make("tables", "bench.t*", few_rows,
                         tables(few, TABLE_TRANSACTIONS, TABLE_TRANSACTION_ROWS)),
        "many": make("many", "bench.t*", many, tables(many, 1, 1)),
        "large": make("large", "bench.bulk", large_rows,
                        bulk(large_rows, transaction_rows=large_rows)),
        "hot": make("hot", "bench.hot", hot_transactions * HOT_CHANGES, hot(hot_transactions)),
    }


# Of what MySQL's log is raced for; MariaDB's for all but its zstd payloads.
OF_MYSQL = ("bulk", "oltp", "wide", "packed", "tables", "large", "many")


def wanted(divisor, kind):
    """The workloads that bench/run uses of that kind of server."""
    return [workload for name, workload in all_workloads(divisor, kind).items()
            if (name in OF_MYSQL if kind == "mysql" else name != "packed")]


def generate(workload, say):
    """Makes the workload unless it is there."""
    if workload.directory.exists():
        return
    forget_older(workload)
    say(f"generating the workload {workload.name}: {workload.rows:,} row changes (once)")
    fresh = workload.directory.with_name(workload.directory.name + ".new")
    fresh.mkdir()
    with workload.make_server(fresh) as server:
        server.client(TABLES)
        server.client(workload.sql + MARKER, database="bench")
        file, end = server.client(server.log_status)[0][:2]
        gtid = server.client(server.gtids)[0][0]
        program = server.binlog_program
    if file != LOG:
        raise Failure(f"the workload {workload.name} does not fit in one log file ({file})")
    check_changes(program, workload.data(fresh) / LOG, workload)
    keep_pristine(workload, fresh)
    facts = {"rows": workload.rows, "log_bytes": int(end), "gtid": gtid}
    (fresh / "workload.json").write_text(json.dumps(facts, indent=4) + "\n")
    fresh.rename(workload.directory)


def check_changes(program, log, workload):
    """The log holds as many row changes as the definition says (an UPDATE may change nothing)."""
    reader = subprocess.Popen([program, "--no-defaults", "-v", "--base64-output=decode-rows", log],
                              stdout=subprocess.PIPE)
    kinds = (b"### INSERT INTO", b"### UPDATE", b"### DELETE FROM")
    with reader.stdout as text:
        changes = sum(line.startswith(kinds) for line in text) - 1  # the marker
    if reader.wait() != 0 or changes != workload.rows:
        raise Failure(f"the workload {workload.name} has {changes:,} row changes in its log "
                      f"instead of {workload.rows:,}")


def forget_older(workload):
    """Removes what an older text of this module has made of the same workload."""
    stem = workload.directory.name.rpartition("-")[0]
    for path in places.cache().glob(f"{stem}-*"):
        if path.is_dir():
            must("stop", workload.kind, path)
            shutil.rmtree(path)
        else:
            path.unlink()


def log_file(workload, say):
    """Only the workload's log, as a file beside the cached directories; returns its path."""
    path = workload.directory.with_suffix(".binlog")
    if not path.exists():
        generate(workload, say)
        workload.log().rename(path)
        shutil.rmtree(workload.directory)
    return path


# A server that starts opens a new log file and notes it in its index. What the readers see shall be
# the same each time, so the index and the state are put back to how they were after the generation.
def keep_pristine(workload, directory):
    (directory / "pristine").mkdir()
    for note in SQL_SERVERS[workload.kind].notes:
        shutil.copy2(workload.data(directory) / note, directory / "pristine" / note)


def forget_later_logs(workload):
    data = workload.data(workload.directory)
    owner = (data / LOG).stat()
    for path in data.glob("bin.0*"):
        if path.name != LOG:
            path.unlink()
    for note in SQL_SERVERS[workload.kind].notes:
        shutil.copy2(workload.directory / "pristine" / note, data / note)
        os.chown(data / note, owner.st_uid, owner.st_gid)
