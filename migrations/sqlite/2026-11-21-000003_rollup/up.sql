-- How many entries there are of each value, by span of time. It covers the entries up to `rolled_seq` that
-- are above their workspace's floor; what is above `rolled_seq` is a short tail that a reader adds itself.
-- `grain`: 0 all time, 1 days, 2 hours, 3 minutes (of severities alone). `dimension`: 0 severity,
-- 1 category, 2 action, 3 actor, 4 entity_type. `start`: the minute, counted from 1970, that a span begins
-- with; 0 for all time.
CREATE TABLE rollup (
    workspace_id TEXT NOT NULL,
    grain BIGINT NOT NULL,
    dimension BIGINT NOT NULL,
    start BIGINT NOT NULL,
    value TEXT NOT NULL,
    count BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, grain, dimension, start, value)
) WITHOUT ROWID;
ALTER TABLE book ADD COLUMN rolled_seq BIGINT NOT NULL DEFAULT 0;
