//! `accredit-ballista run`: one plan for the cluster, from deals to files of credits and rewards.
//!
//! Deals go to the executor of their part, which decides them and writes credits. Copies of these
//! go to the parts of those who are paid for them. The client gets a line of counts from each part,
//! and no row.

use std::path::PathBuf;
use std::sync::Arc;

use ballista_core::config::BALLISTA_SCHEDULER_MAX_PARTITIONS_PER_TASK;
use ballista_core::extension::{SessionConfigExt, SessionStateExt};
use datafusion::arrow::array::{ArrayRef, ListArray, RecordBatch, new_empty_array};
use datafusion::arrow::buffer::OffsetBuffer;
use datafusion::arrow::datatypes::{DataType, Field, Fields, Schema, SchemaRef};
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::FunctionRegistry;
use datafusion::execution::session_state::SessionStateBuilder;
use datafusion::functions::core::expr_fn::{get_field, named_struct};
use datafusion::functions_aggregate::expr_fn::array_agg;
use datafusion::logical_expr::LogicalPlanBuilder;
use datafusion::prelude::{
    DataFrame, Expr, ParquetReadOptions, SessionConfig, SessionContext, cast, ident, lit,
};
use datafusion::scalar::ScalarValue;

use crate::folders::BegunFolder;
use crate::functions::{DEAL_PART, PART_CREDITS, PART_REWARDS, all_functions};
use crate::order::{CREDIT_COUNTS, PART, REWARD_COUNTS, WorkOrder, routed_row_fields};
use crate::reports::{RunCounts, check_reports};
use crate::worker::{run_worker, words_of_worker};

/// The column of rows of a part, and of a row.
const ROWS: &str = "rows";

/// Calculates credits and rewards on a cluster.
#[derive(Debug, clap::Args)]
pub(crate) struct RunArguments {
    /// The scheduler, such as df://127.0.0.1:50050.
    #[arg(long, value_name = "URL")]
    scheduler: String,
    /// The accredit of this machine, which is asked which columns credits have; executors have
    /// their own.
    #[arg(long, value_name = "FILE", default_value = "accredit")]
    program: PathBuf,
    /// A pinned ruleset, at this path on every node.
    #[arg(long, value_name = "FILE")]
    ruleset: PathBuf,
    /// Parquet with the deals, every version of each: a file, or a folder of files.
    #[arg(long, value_name = "PATH")]
    deals: PathBuf,
    /// A column of the natural key; again for each of several.
    #[arg(long, value_name = "COLUMN", required = true)]
    id: Vec<String>,
    /// Credits of this period, or rewards of it; without one, credits of every day.
    #[arg(long)]
    period: Option<String>,
    /// This plan alone.
    #[arg(long)]
    plan: Option<String>,
    /// The business date.
    #[arg(long, value_name = "DATE")]
    as_of: Option<String>,
    /// Memory for the deals of each worker; more go through files.
    #[arg(long, value_name = "SIZE", default_value = "512MB")]
    memory: String,
    /// How many parts; two for each core of the executors are right.
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..))]
    parts: u32,
    /// The folder of credits, which must not be there.
    #[arg(long, value_name = "FOLDER")]
    credits: PathBuf,
    /// The folder of the rewards of --period; credits are then of every day.
    #[arg(long, value_name = "FOLDER", requires = "period")]
    rewards: Option<PathBuf>,
    /// The folder of notes, lines of JSON.
    #[arg(long, value_name = "FOLDER")]
    notes: PathBuf,
}

/// Runs the command.
///
/// # Errors
/// What to tell the user.
pub(crate) async fn run(arguments: &RunArguments) -> std::result::Result<(), String> {
    let url = scheduler_url(&arguments.scheduler)?;
    let credits = BegunFolder::begin(&arguments.credits)?;
    let rewards = arguments.rewards.as_deref().map(BegunFolder::begin).transpose()?;
    let notes = BegunFolder::begin(&arguments.notes)?;

    let order = arguments.order(&credits, rewards.as_ref(), &notes)?;
    let counts = arguments.calculate(url, &order).await?;
    credits.finish()?;
    rewards.map_or(Ok(()), BegunFolder::finish)?;
    notes.finish()?;

    let [deals, credits, rewards] = ["deals", "credits", "rewards"].map(|name| counts.total(name));
    eprintln!(
        "{deals} rows of deals, {credits} credits and {rewards} rewards in {} parts",
        order.parts
    );
    Ok(())
}

/// The address that Ballista wants.
fn scheduler_url(scheduler: &str) -> std::result::Result<String, String> {
    let address = scheduler.strip_prefix("df://").unwrap_or(scheduler);
    let is_address = address.rsplit_once(':').is_some_and(|(host, port)| {
        !host.is_empty() && !host.contains('/') && port.parse::<u16>().is_ok()
    });
    match is_address {
        true => Ok(format!("http://{address}")),
        false => Err(format!("`{scheduler}` is no scheduler: write df://HOST:PORT")),
    }
}

impl RunArguments {
    fn order(
        &self,
        credits: &BegunFolder,
        rewards: Option<&BegunFolder>,
        notes: &BegunFolder,
    ) -> std::result::Result<WorkOrder, String> {
        let option = |name: &str, value: &Option<String>| {
            let option = value.iter().flat_map(|value| [name.to_owned(), value.clone()]);
            option.collect::<Vec<String>>()
        };
        let plan = option("--plan", &self.plan);
        let period = option("--period", &self.period);
        let mut deal_options = plan.clone();
        deal_options.extend(option("--as-of", &self.as_of));
        deal_options.extend(["--memory".to_owned(), self.memory.clone()]);
        if self.rewards.is_none() {
            deal_options.extend(period.clone());
        }

        let ruleset = std::path::absolute(&self.ruleset).map_err(|error| error.to_string())?;
        Ok(WorkOrder {
            ruleset: ruleset.to_str().ok_or("the path of the ruleset is no UTF-8")?.to_owned(),
            parts: self.parts,
            credits: credits.begun().to_owned(),
            rewards: rewards.map(|folder| folder.begun().to_owned()),
            notes: notes.begun().to_owned(),
            deal_options,
            route_options: plan.clone(),
            reward_options: [plan, period].concat(),
        })
    }

    /// Has the cluster work out all parts.
    async fn calculate(
        &self,
        url: String,
        order: &WorkOrder,
    ) -> std::result::Result<RunCounts, String> {
        let told = |error: DataFusionError| words_of_worker(error.strip_backtrace().trim_end());
        let deals = std::path::absolute(&self.deals).map_err(|error| error.to_string())?;
        let deals = deals.to_str().ok_or("the path of the deals is no UTF-8")?;
        let there_are = count_rows(deals).await.map_err(told)?;
        let context = self.connect(url).map_err(told)?;

        let reports = self.reports(&context, deals, order).await.map_err(told)?;
        check_reports(order, &reports, there_are)
    }

    /// A session whose queries the scheduler runs.
    fn connect(&self, url: String) -> Result<SessionContext> {
        // A part is a task of its own: those of a lost executor go to the others one by one.
        let config = SessionConfig::new_with_ballista()
            .with_target_partitions(self.parts as usize)
            .with_ballista_job_name("accredit")
            // After the loss of an executor, the planner that adapts a plan while it runs may lose
            // a stage that has to be run again. A plan of ours has nothing to adapt.
            .with_ballista_adaptive_query_planner(false)
            .set_str(BALLISTA_SCHEDULER_MAX_PARTITIONS_PER_TASK, "1")
            // It would look for the fields of a row in the list that has not become rows yet.
            .set_bool("datafusion.optimizer.enable_leaf_expression_pushdown", false);
        let state = SessionStateBuilder::new().with_default_features().with_config(config).build();
        let context = SessionContext::new_with_state(state.upgrade_for_ballista(url)?);
        for function in all_functions(&self.program) {
            context.register_udf(function.as_ref().clone());
        }
        Ok(context)
    }

    async fn reports(
        &self,
        context: &SessionContext,
        deals: &str,
        order: &WorkOrder,
    ) -> Result<Vec<RecordBatch>> {
        let call = |name: &str, arguments: Vec<Expr>| {
            Ok::<_, DataFusionError>(context.udf(name)?.call(arguments))
        };
        let told = lit(order.to_json()?);
        let row = routed_row_fields(&self.routed_columns(order)?);
        let placed = self.placed_deals(context, deals).await?;

        let decided = with_rows_together(placed)?
            .select(vec![
                call(PART_CREDITS, vec![told.clone(), ident(PART), ident(ROWS), empty_list(row)?])?
                    .alias(ROWS),
            ])?
            .unnest_columns(&[ROWS])?;
        let field = |name: &str| get_field(ident(ROWS), name).alias(name);

        let reports = if order.rewards.is_some() {
            let routed = decided.select(vec![field(PART), ident(ROWS)])?;
            let rewarded = with_rows_together(routed)?.select(vec![
                ident(PART),
                call(PART_REWARDS, vec![told, ident(PART), ident(ROWS)])?.alias(ROWS),
            ])?;
            let counts = CREDIT_COUNTS.iter().chain(&REWARD_COUNTS).copied().map(field);
            rewarded.select([ident(PART)].into_iter().chain(counts))?
        } else {
            decided.select([PART].iter().chain(&CREDIT_COUNTS).copied().map(field))?
        };
        reports.collect().await
    }

    /// Each deal as a row with its part, and an empty row for each part, which may have no deal.
    async fn placed_deals(&self, context: &SessionContext, deals: &str) -> Result<DataFrame> {
        let deals = context.read_parquet(deals, ParquetReadOptions::default()).await?;
        let schema = deals.schema().clone();
        if let Some(id) = self.id.iter().find(|id| !schema.has_column_with_unqualified_name(id)) {
            return Err(DataFusionError::Execution(format!(
                "the deals have no column `{id}`: see --id"
            )));
        }

        let mut key = vec![lit(self.parts)];
        key.extend(self.id.iter().map(|id| cast(ident(id), DataType::Utf8)));
        let part = context.udf(DEAL_PART)?.call(key).alias(PART);
        let cells =
            schema.fields().iter().flat_map(|field| [lit(field.name()), ident(field.name())]);
        let deals = deals.select(vec![part, named_struct(cells.collect()).alias(ROWS)])?;

        let row = deals.schema().field(1).data_type().clone();
        let nothing = lit(ScalarValue::try_new_null(&row)?);
        let numbers = (0..self.parts).map(|part| vec![lit(i64::from(part))]).collect();
        let numbers = LogicalPlanBuilder::values(numbers)?.build()?;
        let every_part = DataFrame::new(context.state(), numbers)
            .select(vec![ident("column1").alias(PART), nothing.alias(ROWS)])?;
        deals.union(every_part)
    }

    /// The columns of credits with their routes, which workers say without a row.
    fn routed_columns(&self, order: &WorkOrder) -> Result<SchemaRef> {
        let mut ignore = |_| Ok(());
        let nothing = RecordBatch::new_empty(Arc::new(Schema::empty()));
        let deciding = order.arguments(&order.deal_options);
        let credits = run_worker(&self.program, &deciding, &nothing, &mut ignore)?;
        let mut routing = order.arguments(&order.route_options);
        routing.extend(["--routes".to_owned(), order.parts.to_string()]);
        run_worker(&self.program, &routing, &RecordBatch::new_empty(credits), &mut ignore)
    }
}

/// How many rows there are, by the ends of the files. The cluster is not asked.
async fn count_rows(deals: &str) -> Result<i64> {
    let context = SessionContext::new();
    let rows = context.read_parquet(deals, ParquetReadOptions::default()).await?.count().await?;
    Ok(i64::try_from(rows).unwrap_or(i64::MAX))
}

/// A line for each part, with its rows as a list.
fn with_rows_together(placed: DataFrame) -> Result<DataFrame> {
    placed.aggregate(vec![ident(PART)], vec![array_agg(ident(ROWS)).alias(ROWS)])
}

/// A list of no rows, which says what a row is.
fn empty_list(row: Fields) -> Result<Expr> {
    let row = DataType::Struct(row);
    let rows: ArrayRef = new_empty_array(&row);
    let field = Arc::new(Field::new_list_field(row, true));
    let list = ListArray::try_new(field, OffsetBuffer::from_lengths([0]), rows, None)?;
    Ok(lit(ScalarValue::List(Arc::new(list))))
}
