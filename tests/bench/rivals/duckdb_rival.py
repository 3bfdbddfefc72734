"""DuckDB: `decide DIR` answers the benchmark line by line, `write DIR FILE THREADS` writes the rows as CSV, and
`store DIR FILE THREADS TODAY` keeps deals and credits in a file of its own, whose proof is `prove FILE`."""

import os
import sys

import duckdb

from credits import serve

HERE = os.path.dirname(os.path.abspath(__file__))

DEALS = """
CREATE {kind} deals AS
SELECT Id AS id, substr(Id, 2)::BIGINT AS n, Close AS date, Amount AS amount, "Rep 1" AS first,
    "Rep 2" AS second, Qty AS quantity, Stage AS stage, City AS city
FROM read_csv('{folder}/transactions/deals.csv', header = true, auto_detect = false, columns = {{
    'Id': 'VARCHAR', 'Close': 'DATE', 'Amount': 'DECIMAL(18,2)', 'Rep 1': 'VARCHAR', 'Rep 2': 'VARCHAR',
    'Qty': 'INTEGER', 'Stage': 'VARCHAR', 'City': 'VARCHAR'}})
"""

# Every person with itself and all managers above it; `position` is the line in the file.
REACH = """
CREATE TABLE people AS
SELECT (row_number() OVER ())::SMALLINT - 1 AS position, id, manager
FROM read_csv('{folder}/organization/participants.csv', header = true, auto_detect = false, columns = {{
    'id': 'VARCHAR', 'name': 'VARCHAR', 'title': 'VARCHAR', 'manager': 'VARCHAR'}});
CREATE TABLE reach AS
WITH RECURSIVE up AS (
    SELECT id AS rep, 0 AS level, position, id, manager FROM people
    UNION ALL
    SELECT rep, level + 1, boss.position, boss.id, boss.manager
    FROM up JOIN people AS boss ON boss.id = up.manager)
SELECT rep, level::TINYINT AS level, position, id FROM up
"""

DECIDE = """
WITH won AS (
    SELECT *, CASE
        WHEN quantity >= 1000 OR second IS NULL OR first = second THEN 1.0
        WHEN quantity >= 500 THEN 0.6
        WHEN city = 'Berlin' THEN 0.7
        ELSE 0.5 END AS weight
    FROM deals WHERE stage = 'Won' AND amount > 0),
split AS (SELECT *, round(amount * weight, 2) AS part FROM won),
direct AS (
    SELECT id, n, date, first AS rep, part AS amount, weight FROM split
    UNION ALL
    SELECT id, n, date, second, amount - part, 1 - weight FROM split WHERE weight < 1)
SELECT {columns}
FROM direct JOIN reach USING (rep)
WHERE level = 0 OR amount < 50000 OR date + 30 <= DATE '{today}'
"""

# Before all deals, so that no hold has ended.
NEVER = "1900-01-01"

NARROW = """
n, position, (level > 0)::TINYINT AS kind,
(CASE WHEN level < 2 THEN amount ELSE round(amount * 0.5, 2) END)::DECIMAL(18,2) AS amount,
(amount >= 50000 AND date + 30 > DATE '{today}')::TINYINT AS status, month(date)::TINYINT AS month
"""

WIDE = """
NULL AS id, direct.id AS transaction, date AS incentive_date, 'reps' AS plan,
CASE WHEN level = 0 THEN 'Booking' ELSE 'Managers' END AS rule,
CASE WHEN level = 0 THEN 'Booking credit' ELSE 'Managers credit' END AS result,
CASE WHEN level = 0 THEN 'direct' ELSE 'indirect' END AS kind,
reach.id AS position, reach.id AS payee, NULL AS team,
CASE WHEN level > 0 THEN 'Reporting' END AS relationship, CASE WHEN level > 0 THEN rep END AS via,
CASE WHEN level > 0 THEN level END AS level, NULL AS source, CASE WHEN level = 0 THEN weight END AS share,
strftime(date, '%Y-%m') AS period, 'credit' AS credit_type, 'USD' AS unit_type,
(CASE WHEN level < 2 THEN amount ELSE round(amount * 0.5, 2) END)::DECIMAL(18,2) AS amount,
CASE WHEN amount >= 50000 THEN 'held' ELSE 'active' END AS status,
CASE WHEN amount >= 50000 THEN date + 30 END AS release_date,
CASE WHEN amount >= 50000 THEN concat('until ', date + 30) END AS reason,
NULL AS reason_code, 'calculated' AS origin, NULL AS reverses, NULL AS ruleset
"""


def narrow_credits(today):
    columns = NARROW.format(today=today)
    return "CREATE TABLE credits AS " + DECIDE.format(columns=columns, today=today)


def prove(connection):
    with open(os.path.join(HERE, "proof.sql")) as file:
        proof = file.read()
    connection.execute("""CREATE OR REPLACE TEMP VIEW numbered AS SELECT n, position::BIGINT AS position, kind,
        (amount * 100)::BIGINT AS cents, status, month FROM credits""")
    return connection.execute(proof).fetchone()


class Rival:
    def __init__(self, folder):
        self.connection = duckdb.connect()
        self.connection.execute(DEALS.format(kind="TABLE", folder=folder))
        self.connection.execute(REACH.format(folder=folder))

    def decide(self, threads):
        self.connection.execute(f"SET threads = {threads}")
        self.connection.execute(narrow_credits(NEVER))

    def prove(self):
        return prove(self.connection)

    def clear(self):
        self.connection.execute("DROP TABLE IF EXISTS credits")


def write(folder, out, threads):
    connection = duckdb.connect(config={"threads": int(threads)})
    connection.execute("SET preserve_insertion_order = false")
    connection.execute(DEALS.format(kind="VIEW", folder=folder))
    connection.execute(REACH.format(folder=folder))
    query = DECIDE.format(columns=WIDE, today=NEVER)
    connection.execute(f"COPY ({query}) TO '{out}' (FORMAT csv, HEADER true)")


def store(folder, file, threads, today):
    connection = duckdb.connect(file, config={"threads": int(threads)})
    connection.execute(DEALS.format(kind="TABLE", folder=folder))
    connection.execute(REACH.format(folder=folder))
    connection.execute(narrow_credits(today))
    connection.execute("CHECKPOINT")


if sys.argv[1] == "decide":
    serve(Rival(sys.argv[2]))
elif sys.argv[1] == "store":
    store(*sys.argv[2:])
elif sys.argv[1] == "prove":
    print(*prove(duckdb.connect(sys.argv[2], read_only=True)))
else:
    write(*sys.argv[2:])
# What was allocated need not be freed one by one.
sys.stdout.flush()
os._exit(0)
