DROP TABLE setting;
DROP TABLE workspace;
DROP TABLE book;
