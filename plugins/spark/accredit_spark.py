"""accredit on Spark: credits and rewards of any number of deals, with the engine in processes beside Python.

Each part of the data goes through one `accredit worker`: batches of Arrow in, batches of Arrow out. Parts follow the
rule that the worker checks (the CRC-32 of a key), so a row in a wrong part ends the job and never makes a wrong result.
"""

import argparse
import io
import itertools
import os
import subprocess
import tempfile
import threading
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
from pyspark import SparkFiles, StorageLevel
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.pandas.types import from_arrow_schema, to_arrow_schema

# The part of a credit, and its place among the credits of its part of the deals: columns that a worker adds.
PART, PLACE = "part", "place"

# The part of a deal. It is taken off before the worker sees the deal.
DEAL_PART = "__accredit_part"

# What a worker notes beside its rows, a line of JSON.
NOTE = "note"
NOTES_A_BATCH = 10_000


class WorkerFailed(RuntimeError):
    """A worker refused its rows; the message is its own."""


class Outcome(NamedTuple):
    """Rows, and what was noted beside them: both are read from one computation, which is kept on disk."""

    rows: DataFrame
    notes: DataFrame


class Engine:
    """The program and the pinned ruleset, as executors find them: a path, or the name of a file that Spark sends."""

    def __init__(self, program: str, ruleset: str):
        self.program, self.ruleset = program, ruleset

    def command(self, arguments):
        program, ruleset = (
            path if os.path.exists(path) or "/" in path else SparkFiles.get(path)
            for path in (self.program, self.ruleset)
        )
        # A file that Spark sent has lost its permission.
        if not os.access(program, os.X_OK) and os.path.isfile(program):
            os.chmod(program, 0o755)
        return [program, "worker", "--ruleset", ruleset, "--input", "arrow", "--output", "arrow", *arguments]

    def schema_of(self, arguments, columns: pa.Schema) -> pa.Schema:
        """The columns of what a worker writes. It says them without a row."""
        nothing = io.BytesIO()
        pa.ipc.new_stream(nothing, columns).close()
        done = subprocess.run(self.command(arguments), input=nothing.getvalue(), capture_output=True, check=False)
        if done.returncode != 0:
            raise WorkerFailed(done.stderr.decode("utf-8", "replace"))
        return pa.ipc.open_stream(done.stdout).schema

    def run(self, arguments, columns: pa.Schema, batches):
        """The batches that a worker writes for `batches`, then its notes as batches of text."""
        with tempfile.TemporaryFile() as said:
            worker = subprocess.Popen(
                self.command(arguments), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said
            )
            feeder = Feeder(worker.stdin, columns, batches)
            feeder.start()
            broken = None
            try:
                with pa.ipc.open_stream(worker.stdout) as stream:
                    yield from stream
            except (pa.ArrowInvalid, OSError) as failure:
                broken = failure
            finally:
                worker.stdout.close()
                feeder.join()
                code = worker.wait()

            said.seek(0)
            if feeder.failure or code != 0 or broken:
                errors = [line for line in said if not line.startswith(b"{")]
                errors = b"".join(errors).decode("utf-8", "replace").strip()
                raise WorkerFailed(errors or f"exit code {code}") from feeder.failure or broken
            lines = (line.decode().rstrip("\n") for line in said if line.startswith(b"{"))
            while some := list(itertools.islice(lines, NOTES_A_BATCH)):
                yield pa.record_batch({NOTE: pa.array(some, pa.string())})


class Feeder(threading.Thread):
    """Writes batches into a worker while its answers are read: one after the other, a pipe would fill up."""

    def __init__(self, pipe, columns: pa.Schema, batches):
        super().__init__(daemon=True)
        self.pipe, self.columns, self.batches = pipe, columns, batches
        self.failure = None

    def run(self):
        try:
            with self.pipe, pa.ipc.new_stream(self.pipe, self.columns) as stream:
                for batch in self.batches:
                    stream.write_batch(batch)
        except BrokenPipeError:
            pass  # The worker ended, and its exit code says why.
        except Exception as failure:
            self.failure = failure


def runs_of_parts(batches, name: str):
    """Slices of batches, each of one part by the column `name`, with the part."""
    for batch in batches:
        parts = batch.column(name).to_pylist()
        start = 0
        for part, run in itertools.groupby(parts):
            length = sum(1 for _ in run)
            yield part, batch.slice(start, length)
            start += length


def map_parts(engine: Engine, part: str, parts: int, arguments, columns: pa.Schema, out: pa.Schema, prepare):
    """What a Spark partition does: a worker for each part in it, by the column `part`, whose rows follow one another."""

    def work(batches):
        for number, slices in itertools.groupby(runs_of_parts(batches, part), key=lambda run: run[0]):
            rows = (prepare(batch).select(columns.names).cast(columns) for _, batch in slices)
            for batch in engine.run([*arguments, "--part", f"{number}/{parts}"], columns, rows):
                yield widened(batch, out)

    return work


def widened(batch: pa.RecordBatch, out: pa.Schema) -> pa.RecordBatch:
    """The same rows with all columns of `out`: those that are missing are null."""
    known = set(batch.schema.names)
    arrays = [
        batch.column(field.name).cast(field.type) if field.name in known else pa.nulls(batch.num_rows, field.type)
        for field in out
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=out)


def in_parts(frame: DataFrame, part: str, parts: int) -> DataFrame:
    """The rows of a part together. Where Spark can, a partition has one part; elsewhere it may have several."""
    if hasattr(frame, "repartitionById"):
        frame = frame.repartitionById(parts, F.col(part))
    else:
        frame = frame.repartition(parts, part)
    return frame.sortWithinPartitions(part)


def key_of(columns):
    """The natural key of a deal as the engine joins it. A key that it reads in another way is refused there."""
    cells = [F.trim(F.coalesce(F.col(f"`{column}`").cast("string"), F.lit(""))) for column in columns]
    if len(cells) == 1:
        return cells[0]
    # A slash within a part is not one between parts.
    cells = [F.replace(cell, F.lit("\\"), F.lit("\\\\")) for cell in cells]
    return F.concat_ws("/", cells[0], *(F.replace(cell, F.lit("/"), F.lit("\\/")) for cell in cells[1:]))


def part_of(key, parts: int):
    """The part of a key: the CRC-32 of its UTF-8 bytes, modulo the number of parts."""
    return F.pmod(F.crc32(F.encode(key, "UTF-8")), F.lit(parts)).cast("int")


def without_markers(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The rows that are credits."""
    return batch.filter(pc.is_valid(batch.column(PLACE)))


def outcome(frame: DataFrame, work, out: pa.Schema) -> Outcome:
    worked = frame.mapInArrow(work, from_arrow_schema(out)).persist(StorageLevel.DISK_ONLY)
    notes = worked.where(F.col(NOTE).isNotNull()).select(NOTE)
    return Outcome(worked.where(F.col(NOTE).isNull()).drop(NOTE), notes)


def credits(deals: DataFrame, engine: Engine, parts: int, id_columns, options=()) -> Outcome:
    """The credits of deals. All rows of a deal have the same `id_columns`."""
    # Spark would replace it, whatever its case.
    if any(name.lower() == DEAL_PART for name in deals.columns):
        raise ValueError(f"the deals have a column `{DEAL_PART}`: rename it")
    columns = to_arrow_schema(deals.schema)
    out = engine.schema_of(options, columns).append(pa.field(NOTE, pa.string()))
    placed = deals.withColumn(DEAL_PART, part_of(key_of(id_columns), parts))
    placed = in_parts(placed, DEAL_PART, parts)
    work = map_parts(engine, DEAL_PART, parts, options, columns, out, lambda batch: batch)
    return outcome(placed, work, out)


def rewards(of_credits: DataFrame, engine: Engine, parts: int, period: str, options=()) -> Outcome:
    """The rewards of a period. The credits begin where the rewards need it: without --period, with the first day."""
    columns = to_arrow_schema(of_credits.schema)
    routing = ["--routes", str(parts), *options]
    routed = engine.schema_of(routing, columns)

    def route(batches):
        first = next(batches, None)
        rows = itertools.chain([] if first is None else [first], batches)
        for batch in engine.run(routing, columns, (batch.cast(columns) for batch in rows)):
            if batch.schema.names != [NOTE]:
                yield batch

    placed = of_credits.mapInArrow(route, from_arrow_schema(routed))
    # People without a credit may have rewards: each part has a row, so that it is worked out.
    markers = of_credits.sparkSession.range(parts).select(F.col("id").cast("int").alias(PART))
    placed = in_parts(placed.unionByName(markers, allowMissingColumns=True), PART, parts)

    arguments = ["--rewards", "--period", period, *options]
    out = engine.schema_of(arguments, routed).append(pa.field(NOTE, pa.string()))
    work = map_parts(engine, PART, parts, arguments, routed, out, without_markers)
    return outcome(placed, work, out)


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--program", default="accredit", help="the program: a path, or a name of spark-submit --files")
    parser.add_argument("--ruleset", required=True, help="a pinned ruleset: a path, or a name of --files")
    parser.add_argument("--deals", required=True, help="Parquet with the deals, every version of each")
    parser.add_argument("--id", required=True, action="append", help="a column of the natural key; again for more")
    parser.add_argument("--period", help="such as 2017-03; without it, credits of every day")
    parser.add_argument("--plan", help="this plan alone")
    parser.add_argument("--as-of", help="the business date")
    parser.add_argument("--memory", default="512MB", help="for the deals of each worker; more go through files")
    parser.add_argument("--parts", type=int, default=0, help="by default two for each core of the cluster")
    parser.add_argument("--credits", required=True, help="where credits are written, as Parquet")
    parser.add_argument("--rewards", help="where the rewards of --period are written; credits are then of every day")
    parser.add_argument("--notes", required=True, help="where notes are written, as lines of JSON")
    asked = parser.parse_args(arguments)
    if asked.rewards and not asked.period:
        parser.error("--rewards needs --period")

    spark = SparkSession.builder.appName("accredit").getOrCreate()
    engine = Engine(asked.program, asked.ruleset)
    parts = asked.parts or 2 * spark.sparkContext.defaultParallelism
    plan = ["--plan", asked.plan] if asked.plan else []
    options = [*plan, *(["--as-of", asked.as_of] if asked.as_of else [])]
    options += ["--period", asked.period] if asked.period and not asked.rewards else []

    options += ["--memory", asked.memory]

    of_deals = credits(spark.read.parquet(asked.deals), engine, parts, asked.id, options)
    of_deals.rows.write.parquet(asked.credits)
    notes = of_deals.notes
    if asked.rewards:
        of_payees = rewards(of_deals.rows, engine, parts, asked.period, plan)
        of_payees.rows.write.parquet(asked.rewards)
        notes = notes.union(of_payees.notes)
    # Several parts may note the same about a plan.
    notes.distinct().write.text(asked.notes)


if __name__ == "__main__":
    main()
