/* State files of older layouts, as SQL that makes them: the rows that the program of that time
 * wrote, checksums included. A running Rowferry must take each of them over. */
#ifndef ROWFERRY_TEST_LAYOUTS_H
#define ROWFERRY_TEST_LAYOUTS_H

/* Pipeline "shop" at epoch 1 after 3 saves; sink "redis" at 0-1-6 with a note that begins with a
 * zero byte, sink "file" at 0-1-3 without one. */
#define LAYOUT_1                                                                                   \
    "PRAGMA application_id = 1381451353; PRAGMA user_version = 1;"                                 \
    "CREATE TABLE pipeline ("                                                                      \
    "  id INTEGER PRIMARY KEY CHECK (id = 1), name TEXT NOT NULL, source TEXT NOT NULL,"           \
    "  host TEXT NOT NULL, pid INTEGER NOT NULL, started_us INTEGER NOT NULL,"                     \
    "  epoch INTEGER NOT NULL, saves INTEGER NOT NULL, checksum INTEGER NOT NULL) STRICT;"         \
    "CREATE TABLE sink ("                                                                          \
    "  name TEXT PRIMARY KEY, address TEXT NOT NULL, position TEXT NOT NULL,"                      \
    "  note BLOB NOT NULL, commit_us INTEGER NOT NULL, updated_us INTEGER NOT NULL,"               \
    "  events INTEGER NOT NULL, transactions INTEGER NOT NULL, checksum INTEGER NOT NULL)"         \
    "  STRICT, WITHOUT ROWID;"                                                                     \
    "INSERT INTO pipeline VALUES (1, 'shop', 'mysql://db/shop', 'vm', 26213, 1795380739168506, 1," \
    "  3, 4205543225276857870);"                                                                   \
    "INSERT INTO sink VALUES ('file', 'file:x', '0-1-3', x'', 5, 1795380739170867, 7, 3,"          \
    "  -3122314939156144829);"                                                                     \
    "INSERT INTO sink VALUES ('redis', 'redis://h', '0-1-6', x'006E6F7465FF', 5,"                  \
    "  1795380739169885, 7, 3, 1278768036419834049);"

#endif
