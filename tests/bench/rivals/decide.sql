CREATE UNLOGGED TABLE credits AS
WITH won AS (
    SELECT *, CASE
        WHEN quantity >= 1000 OR second IS NULL OR first = second THEN 10
        WHEN quantity >= 500 THEN 6
        WHEN city = 'Berlin' THEN 7
        ELSE 5 END AS tenths
    FROM deals WHERE stage = 'Won' AND cents > 0),
split AS (SELECT *, (cents * tenths + 5) / 10 AS part FROM won),
direct AS (
    SELECT n, date, first AS rep, part AS whole FROM split
    UNION ALL
    SELECT n, date, second, cents - part FROM split WHERE tenths < 10)
SELECT n, position, (level > 0)::integer::smallint AS kind,
    CASE WHEN level < 2 THEN whole ELSE (whole + 1) / 2 END AS cents,
    (whole >= 5000000)::integer::smallint AS status, extract(month FROM date)::smallint AS month
FROM direct JOIN reach USING (rep)
WHERE level = 0 OR whole < 5000000;
