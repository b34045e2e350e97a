-- What is being erased. Up to `upto_seq` nobody sees `actor` any more in a workspace, or in all when that is
-- empty; the rows up to `done_seq` do not hold it any more either. When the last of them does not, `actor` is
-- emptied, and when nothing beside the rows can hold it, the row goes.
CREATE TABLE erasure (
    id INTEGER PRIMARY KEY NOT NULL,
    workspace_id TEXT NOT NULL,
    actor TEXT NOT NULL,
    upto_seq BIGINT NOT NULL,
    done_seq BIGINT NOT NULL
);
