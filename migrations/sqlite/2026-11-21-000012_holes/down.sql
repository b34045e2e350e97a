DROP TABLE skipped;
ALTER TABLE book DROP COLUMN removed_upto;
ALTER TABLE book DROP COLUMN removed;
