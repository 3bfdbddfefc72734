"""The Spark job on a cluster of processes, held against one process of `accredit calculate`."""

import csv
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
DATA = Path(os.environ.get("ACCREDIT_REAL_DATA", "../shared/data")) / "crm-sales-opportunities"
WORLDS = Path(os.environ["ACCREDIT_WORLDS_FOLDER"])
PARTS = 5
EVERYTHING = ["credits", "rewards", "notes"]
# What a cell has where a decimal is written in several ways.
AMOUNTS = {"credits": ("amount",), "rewards": ("amount", "credited", "quota", "attainment")}


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


def calculated(company, *arguments):
    """What one process comes to."""
    return json.loads(accredit("calculate", company, *arguments, "--format", "json", "--quiet"))


def write_parquet(rows, path):
    """Rows of texts as Parquet; a column that a row does not have is null."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    table = pa.table({name: pa.array([row.get(name) for row in rows], pa.string()) for name in columns})
    pq.write_table(table, path, row_group_size=500)


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

    def run_job(self, kinds, name, ruleset, deals, *arguments):
        """What the job writes of these deals: the paths of its credits, notes and, where they are asked for, rewards."""
        out = {kind: str(self.place / f"{name}-{kind}-of-{len(kinds)}") for kind in kinds}
        accredit_spark.main(
            [
                *("--program", PROGRAM, "--ruleset", str(ruleset), "--deals", str(deals)),
                *("--parts", str(PARTS), *arguments),
                *(f"--{kind}={path}" for kind, path in out.items()),
            ]
        )
        return out

    def check_rows(self, kind, out, calculations, name):
        """Credits or rewards are those of one process. How many there are."""
        amounts = AMOUNTS[kind]
        expected = [comparable(row, amounts) for calculation in calculations for row in calculation[kind]]
        self.assertEqual(rows_of(self.spark.read.parquet(out[kind]), amounts), sorted(expected), f"{name}: {kind}")
        return len(expected)

    def check_notes(self, out, calculations, name):
        notes = [json.loads(row.value) for row in self.spark.read.text(out["notes"]).collect()]
        for kind in ("uncredited", "parked"):
            expected = {row["transaction"] for calculation in calculations for row in calculation[kind]}
            found = {note["transaction"] for note in notes if note["list"] == kind}
            self.assertEqual(found, expected, f"{name}: {kind}")

    def test_credits_and_rewards_are_those_of_one_process(self):
        asked = ("--period", "2026")
        deals = self.place / "deals.parquet"
        out = self.run_job(EVERYTHING, "demo", self.ruleset, deals, "--id", "deal", *asked)
        calculations = calculated(self.company, *asked)
        for kind in AMOUNTS:
            self.assertGreater(self.check_rows(kind, out, calculations, "demo"), 300, kind)
        self.check_notes(out, calculations, "demo")
        for kind in ("uncredited", "parked"):
            self.assertTrue(any(calculation[kind] for calculation in calculations), kind)

    def test_the_public_crm_data_comes_to_the_same(self):
        pipeline = DATA / "sales_pipeline.csv"
        if not pipeline.is_file():
            self.skipTest("ACCREDIT_REAL_DATA names no copy of the public CRM data")
        fixture = Path("tests/fixtures/crm")
        ruleset = self.place / "crm.ruleset"
        accredit("ruleset", "export", fixture, "--out", ruleset)
        with pipeline.open(newline="") as rows:
            write_parquet(list(csv.DictReader(rows)), self.place / "crm.parquet")

        asked = ("--period", "2017")
        deals = self.place / "crm.parquet"
        out = self.run_job(EVERYTHING, "crm", ruleset, deals, "--id", "opportunity_id", *asked)
        calculations = calculated(fixture, *asked, "--transactions", pipeline)
        self.assertGreater(self.check_rows("credits", out, calculations, "crm"), 4238)
        self.check_rows("rewards", out, calculations, "crm")

    def test_generated_worlds_come_to_the_same(self):
        worlds = sorted(WORLDS.iterdir())
        self.assertTrue(worlds)
        rewards = 0
        for world in worlds:
            with self.subTest(world=world.name):
                rewards += self.check_world(world)
        self.assertGreater(rewards, 0)

    def check_world(self, world):
        ruleset = self.place / f"{world.name}.ruleset"
        accredit("ruleset", "export", world, "--out", ruleset)
        lines = (world / "transactions/rows.ndjson").read_text().splitlines()
        deals = self.place / f"{world.name}.parquet"
        write_parquet([json.loads(line) for line in lines], deals)

        asked = ("--period", "2022", *(world / "as-of").read_text().split())
        calculations = calculated(world, *asked)
        job = (world.name, ruleset, deals, "--id", "id", *asked)
        out = self.run_job(["credits", "notes"], *job)
        self.check_rows("credits", out, calculations, world.name)
        self.check_notes(out, calculations, world.name)

        # Rewards need the credits of every day, so these have other credits.
        out = self.run_job(EVERYTHING, *job)
        return self.check_rows("rewards", out, calculations, world.name)

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
