"""The Spark job on a cluster of processes, held against one process of `accredit calculate`."""

import json
import os
import subprocess
import tempfile
import unittest
from decimal import Decimal
from pathlib import Path

import accredit_spark
import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import SparkSession

PROGRAM = os.environ["ACCREDIT_PROGRAM"]
DEALS = os.environ.get("ACCREDIT_SPARK_DEALS", "3000")
PARTS = 5


def accredit(*arguments):
    done = subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def as_text(value):
    """A cell as text: a list is one, and without an item it is nothing, as in a column."""
    if isinstance(value, Decimal):
        return format(value.normalize(), "f")
    if isinstance(value, list):
        value = ";".join(value)
    return None if value is None or value == "" else str(value)


def rows_of(frame, amounts=()):
    """Rows as texts, in an order of their own."""
    rows = (row.asDict() for row in frame.collect())
    return sorted(comparable(row, amounts) for row in rows)


def comparable(row, amounts):
    cells = {name: Decimal(value) if name in amounts and value else value for name, value in row.items()}
    return json.dumps({name: as_text(value) for name, value in cells.items()}, sort_keys=True)


class SparkJob(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.place = Path(cls.folder.name)
        cls.company = cls.place / "company"
        accredit("demo", "--write", cls.company, "--deals", DEALS)
        cls.ruleset = cls.place / "company.ruleset"
        accredit("ruleset", "export", cls.company, "--out", cls.ruleset)

        lines = (cls.company / "transactions/deals.ndjson").read_text().splitlines()
        table = pa.Table.from_pylist([json.loads(line) for line in lines])
        pq.write_table(table, cls.place / "deals.parquet", row_group_size=500)

        builder = SparkSession.builder.master("local-cluster[2,1,1024]").appName("accredit test")
        settings = {
            "spark.ui.enabled": "false",
            "spark.ui.showConsoleProgress": "false",
            "spark.driver.bindAddress": "127.0.0.1",
            "spark.driver.host": "127.0.0.1",
            "spark.sql.shuffle.partitions": "4",
            "spark.executorEnv.PYTHONPATH": os.environ["PYTHONPATH"],
        }
        for name, value in settings.items():
            builder = builder.config(name, value)
        cls.spark = builder.getOrCreate()
        # A task that is refused is refused four times, with a page of stack each.
        cls.spark.sparkContext.setLogLevel("OFF")

    @classmethod
    def tearDownClass(cls):
        cls.spark.stop()
        cls.folder.cleanup()

    def calculated(self):
        arguments = ["calculate", self.company, "--period", "2026", "--format", "json", "--quiet"]
        return json.loads(accredit(*arguments))

    def test_credits_and_rewards_are_those_of_one_process(self):
        out = {name: str(self.place / name) for name in ("credits", "rewards", "notes")}
        accredit_spark.main(
            [
                *("--program", PROGRAM, "--ruleset", str(self.ruleset)),
                *("--deals", str(self.place / "deals.parquet"), "--id", "deal"),
                *("--period", "2026", "--parts", str(PARTS)),
                *(f"--{name}={path}" for name, path in out.items()),
            ]
        )

        calculations = self.calculated()
        for name, amounts in [
            ("credits", ("amount",)),
            ("rewards", ("amount", "credited", "quota", "attainment")),
        ]:
            expected = [row for calculation in calculations for row in calculation[name]]
            expected = sorted(comparable(row, amounts) for row in expected)
            self.assertGreater(len(expected), 300)
            self.assertEqual(rows_of(self.spark.read.parquet(out[name]), amounts), expected, name)

        notes = [json.loads(row.value) for row in self.spark.read.text(out["notes"]).collect()]
        for name in ("uncredited", "parked"):
            expected = {row["transaction"] for calculation in calculations for row in calculation[name]}
            found = {note["transaction"] for note in notes if note["list"] == name}
            self.assertTrue(expected)
            self.assertEqual(found, expected, name)

    def test_a_worker_that_refuses_its_rows_ends_the_job_with_its_words(self):
        deals = self.spark.read.parquet(str(self.place / "deals.parquet"))
        engine = accredit_spark.Engine(PROGRAM, str(self.ruleset))
        # Another column spreads the versions of a deal over parts.
        spread = accredit_spark.credits(deals, engine, PARTS, ["customer"])
        with self.assertRaisesRegex(Exception, "is of part . of 5, and this is part"):
            spread.rows.count()

    def test_people_without_a_credit_have_their_rewards_in_every_number_of_parts(self):
        deals = self.spark.read.parquet(str(self.place / "deals.parquet"))
        engine = accredit_spark.Engine(PROGRAM, str(self.ruleset))
        none = accredit_spark.credits(deals.where("deal = ''"), engine, 2, ["deal"])
        found = [
            rows_of(accredit_spark.rewards(none.rows, engine, parts, "2026-03").rows) for parts in (1, 3)
        ]
        self.assertTrue(found[0])
        self.assertEqual(found[0], found[1])


if __name__ == "__main__":
    unittest.main()
