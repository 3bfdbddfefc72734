"""polars: `decide DIR` answers the benchmark line by line, `write DIR FILE` writes the rows as CSV.

The number of threads is set by the variable POLARS_MAX_THREADS before the start.
"""

import os
import sys

import polars as pl

from credits import PRIME, STEP, serve

HALF_UP = 5


def read_deals(folder):
    columns = {
        "Id": pl.String, "Close": pl.Date, "Amount": pl.Float64, "Rep 1": pl.String, "Rep 2": pl.String,
        "Qty": pl.Int32, "Stage": pl.String, "City": pl.String,
    }
    deals = pl.scan_csv(f"{folder}/transactions/deals.csv", schema=columns)
    return deals.select(
        transaction="Id", n=pl.col("Id").str.slice(1).cast(pl.Int64), date="Close",
        cents=(pl.col("Amount") * 100).round().cast(pl.Int64), first="Rep 1", second="Rep 2",
        quantity="Qty", stage="Stage", city="City",
    )


def read_reach(folder):
    """Every person with itself and all managers above it; `position` is the line in the file."""
    people = pl.read_csv(f"{folder}/organization/participants.csv").with_row_index("position")
    managers = dict(zip(people["id"], people["manager"]))
    rows = []
    for rep in managers:
        level, above = 0, rep
        while above:
            rows.append((rep, level, above))
            level, above = level + 1, managers[above]
    reach = pl.DataFrame(rows, schema={"rep": pl.String, "level": pl.Int8, "id": pl.String}, orient="row")
    places = people.select("id", pl.col("position").cast(pl.Int16))
    return reach.join(places, on="id")


def decide(deals, reach):
    """The credits of all deals, not yet computed."""
    alone = (pl.col("quantity") >= 1000) | pl.col("second").is_null() | (pl.col("first") == pl.col("second"))
    tenths = (
        pl.when(alone).then(10)
        .when(pl.col("quantity") >= 500).then(6)
        .when(pl.col("city") == "Berlin").then(7)
        .otherwise(5).cast(pl.Int64)
    )
    won = deals.filter((pl.col("stage") == "Won") & (pl.col("cents") > 0)).with_columns(tenths=tenths)
    won = won.with_columns(part=(pl.col("cents") * pl.col("tenths") + HALF_UP) // 10)
    kept = ["transaction", "n", "date"]
    first = won.select(*kept, rep="first", whole="part", tenths="tenths")
    second = won.filter(pl.col("tenths") < 10).select(
        *kept, rep="second", whole=pl.col("cents") - pl.col("part"), tenths=10 - pl.col("tenths")
    )
    credits = pl.concat([first, second]).join(reach.lazy(), on="rep")
    credits = credits.filter((pl.col("level") == 0) | (pl.col("whole") < 5_000_000))
    half = pl.when(pl.col("level") < 2).then(pl.col("whole")).otherwise((pl.col("whole") + 1) // 2)
    return credits.with_columns(cents=half, held=pl.col("whole") >= 5_000_000)


class Rival:
    def __init__(self, folder):
        self.deals = read_deals(folder).collect()
        self.reach = read_reach(folder)
        self.credits = None

    def decide(self, _threads):
        credits = decide(self.deals.lazy(), self.reach)
        self.credits = credits.select(
            "n", "position", "cents", kind=(pl.col("level") > 0).cast(pl.Int8),
            status=pl.col("held").cast(pl.Int8), month=pl.col("date").dt.month(),
        ).collect()

    def prove(self):
        hashed = pl.lit(0, pl.Int64)
        for column in ["n", "position", "kind", "cents", "status", "month"]:
            hashed = (hashed + pl.col(column).cast(pl.Int64) + STEP) % PRIME
            hashed = hashed * hashed % PRIME
        sums = self.credits.select(pl.len(), pl.col("cents").sum(), hashed.sum().alias("checksum"))
        return sums.row(0)

    def clear(self):
        self.credits = None


def write(folder, out):
    credits = decide(read_deals(folder), read_reach(folder))
    direct, held = pl.col("level") == 0, pl.col("held")
    blank = pl.lit(None, pl.String)
    until = pl.col("date").dt.offset_by("30d").dt.to_string("%Y-%m-%d")
    rows = credits.select(
        blank.alias("id"), "transaction", incentive_date="date", plan=pl.lit("reps"),
        rule=pl.when(direct).then(pl.lit("Booking")).otherwise(pl.lit("Managers")),
        result=pl.when(direct).then(pl.lit("Booking credit")).otherwise(pl.lit("Managers credit")),
        kind=pl.when(direct).then(pl.lit("direct")).otherwise(pl.lit("indirect")),
        position="id", payee="id", team=blank,
        relationship=pl.when(~direct).then(pl.lit("Reporting")), via=pl.when(~direct).then("rep"),
        level=pl.when(~direct).then("level"), source=blank,
        share=pl.when(direct).then((pl.col("tenths") / 10).cast(pl.String)),
        period=pl.col("date").dt.to_string("%Y-%m"), credit_type=pl.lit("credit"), unit_type=pl.lit("USD"),
        amount=pl.col("cents") / 100,
        status=pl.when(held).then(pl.lit("held")).otherwise(pl.lit("active")),
        release_date=pl.when(held).then(until), reason=pl.when(held).then(pl.lit("until ") + until),
        reason_code=blank, origin=pl.lit("calculated"), reverses=blank, ruleset=blank,
    )
    rows.sink_csv(out, float_precision=2)


if sys.argv[1] == "decide":
    serve(Rival(sys.argv[2]))
else:
    write(*sys.argv[2:4])
# What was allocated need not be freed one by one.
sys.stdout.flush()
os._exit(0)
