-- What tells a hole that was made on purpose from an entry that was lost. How many entries were removed from the file,
-- and the highest number of these: above it nothing may be missing.
ALTER TABLE book ADD COLUMN removed BIGINT NOT NULL DEFAULT 0;
ALTER TABLE book ADD COLUMN removed_upto BIGINT NOT NULL DEFAULT 0;
-- Of a book that did not note this yet all is believed that is at or below a floor.
UPDATE book SET removed_upto = coalesce((SELECT max(floor_seq) FROM workspace), 0);
UPDATE book SET removed = removed_upto - (SELECT count(*) FROM activity_log WHERE seq BETWEEN 1 AND removed_upto);

-- Numbers that nothing of this book ever had: a restore and an import go on past those of both books.
CREATE TABLE skipped (
    first_seq BIGINT PRIMARY KEY NOT NULL,
    last_seq BIGINT NOT NULL
) WITHOUT ROWID;
-- Of one that did not note them they are before the entry with which such a history begins.
INSERT INTO skipped (first_seq, last_seq)
SELECT
    max(
        removed_upto,
        coalesce((SELECT max(earlier.seq) FROM activity_log AS earlier WHERE earlier.seq < first.seq), 0)
    ) + 1,
    first.seq - 1
FROM activity_log AS first, book
WHERE first.category = 'system'
    AND first.action IN ('backup.restored', 'activity_log.imported')
    AND first.seq - 1 > removed_upto
    AND NOT EXISTS (SELECT 1 FROM activity_log AS before WHERE before.seq = first.seq - 1);
