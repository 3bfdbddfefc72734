//! `accredit-ballista`: accredit on Ballista, the cluster of Apache DataFusion.
//!
//! One program is the scheduler, an executor, or the client of a run. It spreads rows and starts
//! `accredit worker`.
//!
//! **Architecture invariant:** nothing here knows what a credit is worth: the engine decides in a
//! process beside.

mod cluster;
mod folders;
mod functions;
mod order;
mod part;
mod part_file;
mod reports;
mod run;
mod worker;

use std::process::ExitCode;

use clap::Parser;

/// What is logged unless `RUST_LOG` says otherwise. The scheduler cannot draw plans whose stages
/// were changed while they ran, and calls that an error. Why a run failed is told once, at its end.
const LOGGED: &str =
    "warn,ballista_scheduler::display=off,ballista_core::execution_plans::distributed_query=off";

/// accredit on Ballista: a scheduler, executors, and runs on them.
#[derive(Debug, Parser)]
#[command(version)]
enum Command {
    /// Runs the scheduler of a cluster.
    Scheduler(cluster::SchedulerArguments),
    /// Runs an executor, which starts workers.
    Executor(cluster::ExecutorArguments),
    /// Calculates credits and rewards on a cluster: Parquet in, Parquet out.
    Run(run::RunArguments),
}

#[tokio::main]
async fn main() -> ExitCode {
    env_logger::Builder::from_env(env_logger::Env::default().default_filter_or(LOGGED)).init();
    let ended = match Command::parse() {
        Command::Scheduler(arguments) => {
            cluster::run_scheduler(&arguments).await.map_err(|error| error.to_string())
        }
        Command::Executor(arguments) => {
            cluster::run_executor(&arguments).await.map_err(|error| error.to_string())
        }
        Command::Run(arguments) => run::run(&arguments).await,
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}
