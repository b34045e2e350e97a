-- What an operator says of a workspace. NULL: it has no title beside its name; it came into being before this
-- was noted, or by an import; it takes entries.
ALTER TABLE workspace ADD COLUMN title TEXT;
ALTER TABLE workspace ADD COLUMN created_at TEXT;
ALTER TABLE workspace ADD COLUMN archived_at TEXT;
