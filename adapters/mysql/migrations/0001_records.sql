-- Records, their index entries, the register of apps, and the source of versions.
-- Everything is bytes and numbers: no collation decides about an order.

CREATE TABLE IF NOT EXISTS records (
    app INT UNSIGNED NOT NULL,
    kind SMALLINT UNSIGNED NOT NULL,
    rkey VARBINARY(512) NOT NULL,
    -- The stamp: class (0 while a transaction holds a place that has no record), account, second of its end.
    class TINYINT UNSIGNED NOT NULL,
    subject BIGINT UNSIGNED NULL,
    expiry INT UNSIGNED NULL,
    version BIGINT UNSIGNED NOT NULL,
    -- Its entries in indexes: number, length in two bytes (big endian), key; one after the other.
    indexed MEDIUMBLOB NOT NULL,
    value MEDIUMBLOB NOT NULL,
    PRIMARY KEY (app, kind, rkey),
    KEY due (expiry)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC;

CREATE TABLE IF NOT EXISTS entries (
    app INT UNSIGNED NOT NULL,
    kind SMALLINT UNSIGNED NOT NULL,
    number TINYINT UNSIGNED NOT NULL,
    ikey VARBINARY(512) NOT NULL,
    rkey VARBINARY(512) NOT NULL,
    PRIMARY KEY (app, kind, number, ikey, rkey)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC;

CREATE TABLE IF NOT EXISTS apps (
    app INT UNSIGNED NOT NULL,
    owner BIGINT UNSIGNED NULL,
    created INT UNSIGNED NOT NULL,
    PRIMARY KEY (app)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC;

-- Empty but for transactions under way: what it gives is the next number.
CREATE TABLE IF NOT EXISTS numbers (
    number BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
    PRIMARY KEY (number)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC;
