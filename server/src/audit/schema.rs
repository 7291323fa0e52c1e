//! The tables of the audit log, as their first version has them, and what keeps them append-only: triggers refuse whatever
//! is not the next entry, or the dropping of the oldest ones as retention does it.
//!
//! Two tables of one row stand beside the entries. `record_head` names the newest entry, so that the end can't be cut off
//! unseen; `record_anchor` names the newest that was dropped, which is where the chain begins after.
//!
//! The tables are called `record`, as they were first: names in a file that is kept for years do not change. This text does
//! not change either, since files were made by it; what is different later is a migration of its own.

/// The tables of version 1.
pub(crate) const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS record (
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    kind TEXT NOT NULL,
    who TEXT NOT NULL,
    role TEXT NOT NULL,
    means TEXT NOT NULL,
    address TEXT NOT NULL,
    action TEXT NOT NULL,
    operation TEXT NOT NULL,
    targets TEXT NOT NULL,
    reason TEXT NOT NULL,
    outcome TEXT NOT NULL,
    detail TEXT NOT NULL,
    hash BLOB NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS record_configuration ON record (id) WHERE kind = 'configuration';
CREATE TABLE IF NOT EXISTS record_head (one INTEGER PRIMARY KEY CHECK (one = 1), id INTEGER NOT NULL, hash BLOB NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS record_anchor (one INTEGER PRIMARY KEY CHECK (one = 1), id INTEGER NOT NULL, hash BLOB NOT NULL) STRICT;
INSERT INTO record_head SELECT 1, 0, x'' WHERE NOT EXISTS (SELECT 1 FROM record_head);
INSERT INTO record_anchor SELECT 1, 0, x'' WHERE NOT EXISTS (SELECT 1 FROM record_anchor);

CREATE TRIGGER IF NOT EXISTS record_is_not_changed BEFORE UPDATE ON record
BEGIN SELECT RAISE(ABORT, 'the record is append-only'); END;
CREATE TRIGGER IF NOT EXISTS record_keeps_what_is_new BEFORE DELETE ON record
WHEN OLD.id > (SELECT id FROM record_anchor)
BEGIN SELECT RAISE(ABORT, 'the record is append-only'); END;
CREATE TRIGGER IF NOT EXISTS record_is_in_order BEFORE INSERT ON record
WHEN NEW.id IS NOT (SELECT id FROM record_head) + 1
BEGIN SELECT RAISE(ABORT, 'this is not the next entry of the record'); END;
CREATE TRIGGER IF NOT EXISTS record_head_follows AFTER INSERT ON record
BEGIN UPDATE record_head SET id = NEW.id, hash = NEW.hash; END;

CREATE TRIGGER IF NOT EXISTS record_head_is_the_newest BEFORE UPDATE ON record_head
WHEN NEW.id <> OLD.id + 1 OR NOT EXISTS (SELECT 1 FROM record WHERE id = NEW.id AND hash = NEW.hash)
BEGIN SELECT RAISE(ABORT, 'this is not the newest entry of the record'); END;
CREATE TRIGGER IF NOT EXISTS record_head_stays BEFORE DELETE ON record_head
BEGIN SELECT RAISE(ABORT, 'the record is append-only'); END;
CREATE TRIGGER IF NOT EXISTS record_anchor_goes_on BEFORE UPDATE ON record_anchor
WHEN NEW.id <= OLD.id OR NOT EXISTS (SELECT 1 FROM record WHERE id = NEW.id AND hash = NEW.hash)
BEGIN SELECT RAISE(ABORT, 'the record can only be dropped from its oldest entry on'); END;
CREATE TRIGGER IF NOT EXISTS record_anchor_stays BEFORE DELETE ON record_anchor
BEGIN SELECT RAISE(ABORT, 'the record is append-only'); END;
";

/// Version 2: `REPLACE INTO` deletes a row without its trigger's knowledge, and is a second row for a moment.
pub(crate) const ONE_HEAD: &str = "
CREATE TRIGGER record_head_is_one BEFORE INSERT ON record_head
BEGIN SELECT RAISE(ABORT, 'the record is append-only'); END;
CREATE TRIGGER record_anchor_is_one BEFORE INSERT ON record_anchor
BEGIN SELECT RAISE(ABORT, 'the record is append-only'); END;
";
