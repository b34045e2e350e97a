ALTER TABLE book DROP COLUMN rolled_seq;
DROP TABLE rollup;
