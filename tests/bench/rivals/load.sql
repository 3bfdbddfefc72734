CREATE UNLOGGED TABLE raw (id text, date date, amount numeric, first text, second text, quantity integer,
    stage text, city text);
CREATE TABLE people (position smallint GENERATED ALWAYS AS IDENTITY (START 0 MINVALUE 0), id text, name text,
    title text, manager text);
\copy raw FROM 'transactions/deals.csv' (FORMAT csv, HEADER true)
\copy people (id, name, title, manager) FROM 'organization/participants.csv' (FORMAT csv, HEADER true)
CREATE UNLOGGED TABLE deals AS
SELECT substr(id, 2)::bigint AS n, date, (amount * 100)::bigint AS cents, first, second, quantity, stage, city
FROM raw;
DROP TABLE raw;
CREATE UNLOGGED TABLE reach AS
WITH RECURSIVE up AS (
    SELECT id AS rep, 0 AS level, position, manager FROM people
    UNION ALL
    SELECT rep, level + 1, boss.position, boss.manager FROM up JOIN people AS boss ON boss.id = up.manager)
SELECT rep, level, position FROM up;
ANALYZE;
