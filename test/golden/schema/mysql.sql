-- As MySQL 8 prints tables.
USE `shop`;
/*!50503 SET character_set_client = utf8mb4 */;
CREATE TABLE `orders` (
  `id` bigint unsigned NOT NULL AUTO_INCREMENT,
  `state` enum('new','paid') COLLATE utf8mb4_0900_ai_ci NOT NULL DEFAULT 'new',
  `doc` json DEFAULT NULL,
  `at` timestamp(3) NULL DEFAULT CURRENT_TIMESTAMP(3) ON UPDATE CURRENT_TIMESTAMP(3),
  `code` char(3) CHARACTER SET latin1 COLLATE latin1_bin DEFAULT NULL,
  `hidden` int DEFAULT NULL /*!80023 INVISIBLE */,
  `place` point NOT NULL /*!80003 SRID 4326 */,
  `total` decimal(12,2) GENERATED ALWAYS AS ((`id` * 2)) VIRTUAL,
  `uid` binary(16) DEFAULT (uuid_to_bin(uuid())),
  PRIMARY KEY (`id`,`code`(2) DESC) /*!80000 INVISIBLE */,
  KEY `k` ((cast(`doc` as char(20) array))),
  CONSTRAINT `c` CHECK ((`id` > 0)) /*!80016 NOT ENFORCED */
) ENGINE=InnoDB AUTO_INCREMENT=3 DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci COMMENT='a; b'
/*!50100 PARTITION BY HASH (`id`)
PARTITIONS 4 */
