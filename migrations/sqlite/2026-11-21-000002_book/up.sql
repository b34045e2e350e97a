-- The head of the book: one row that every commit moves on.
CREATE TABLE book (
    id INTEGER PRIMARY KEY NOT NULL CHECK (id = 1),
    last_seq BIGINT NOT NULL,
    last_ts TEXT NOT NULL,
    epoch TEXT NOT NULL
);
INSERT INTO book (id, last_seq, last_ts, epoch)
SELECT
    1,
    -- The highest ever given, and not the highest that is still there.
    coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'activity_log'), 0),
    coalesce(max(ts), '0001-01-01T00:00:00.000000Z'),
    lower(
        hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2)
        || '-8' || substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6))
    )
FROM activity_log;

-- The workspaces. Nothing at or below `floor_seq` is in the book any more; what is still in the file
-- above `swept_seq` and up to it waits to be deleted.
CREATE TABLE workspace (
    workspace_id TEXT PRIMARY KEY NOT NULL,
    floor_seq BIGINT NOT NULL DEFAULT 0,
    swept_seq BIGINT NOT NULL DEFAULT 0
) WITHOUT ROWID;
INSERT INTO workspace (workspace_id) SELECT DISTINCT workspace_id FROM activity_log;

-- What was changed at run time; the values are JSON.
CREATE TABLE setting (
    key TEXT PRIMARY KEY NOT NULL,
    value TEXT NOT NULL
) WITHOUT ROWID;
