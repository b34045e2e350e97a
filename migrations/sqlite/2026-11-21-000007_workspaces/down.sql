ALTER TABLE workspace DROP COLUMN archived_at;
ALTER TABLE workspace DROP COLUMN created_at;
ALTER TABLE workspace DROP COLUMN title;
