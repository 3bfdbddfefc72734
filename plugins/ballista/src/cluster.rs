//! `accredit-ballista scheduler` and `accredit-ballista executor`: the processes of a cluster, with the
//! functions that plans call.

use std::io::Write;
use std::net::TcpListener as PortFinder;
use std::path::PathBuf;
use std::sync::Arc;

use ballista_core::config::TaskSchedulingPolicy;
use ballista_core::error::{BallistaError, Result};
use ballista_core::registry::BallistaFunctionRegistry;
use ballista_core::utils::default_session_builder;
use ballista_executor::executor_process::{ExecutorProcessConfig, start_executor_process};
use ballista_scheduler::cluster::BallistaCluster;
use ballista_scheduler::config::SchedulerConfig;
use ballista_scheduler::scheduler_process::{create_scheduler, start_grpc_service_with_listener};
use datafusion::execution::FunctionRegistry;
use datafusion_proto::protobuf::{LogicalPlanNode, PhysicalPlanNode};
use tokio::net::TcpListener;

use crate::functions::all_functions;

/// Executors ask for tasks. When tasks are pushed, the scheduler keeps count of the cores of
/// executors, and loses those of tasks that it took back after another executor was lost: the run
/// stands still.
const SCHEDULING: TaskSchedulingPolicy = TaskSchedulingPolicy::PullStaged;

/// How often the scheduler looks for executors that are lost, in seconds.
const LOOK_SECONDS: u64 = 1;

/// Runs a scheduler until it is ended.
#[derive(Debug, clap::Args)]
pub(crate) struct SchedulerArguments {
    /// The address that clients and executors reach.
    #[arg(long, default_value = "127.0.0.1")]
    host: String,
    /// The port; 0 takes a free one. The line that is printed names it.
    #[arg(long, default_value_t = 50050)]
    port: u16,
    /// After how many seconds without a sign of life an executor is given up, and its tasks go to
    /// others.
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    // A busy executor gives a sign of life every five seconds.
    #[arg(value_parser = clap::value_parser!(u64).range(10..))]
    executor_timeout: u64,
}

/// Runs an executor until it is ended.
#[derive(Debug, clap::Args)]
pub(crate) struct ExecutorArguments {
    /// The scheduler, such as 127.0.0.1:50050.
    #[arg(long, value_name = "HOST:PORT")]
    scheduler: String,
    /// The program that this executor runs as its workers. No client can name another.
    #[arg(long, value_name = "FILE", default_value = "accredit")]
    program: PathBuf,
    /// The address that other executors reach.
    #[arg(long, default_value = "127.0.0.1")]
    host: String,
    /// How many parts are worked on at once; by default as many as there are cores.
    #[arg(long, default_value_t = 0)]
    cores: usize,
    /// The folder of what is on its way between executors.
    #[arg(long, value_name = "FOLDER")]
    work_dir: PathBuf,
}

/// Runs a scheduler.
///
/// # Errors
/// Why it cannot run.
pub(crate) async fn run_scheduler(arguments: &SchedulerArguments) -> Result<()> {
    let listener = TcpListener::bind((arguments.host.as_str(), arguments.port)).await?;
    let address = listener.local_addr()?;
    let config = SchedulerConfig {
        external_host: arguments.host.clone(),
        bind_host: arguments.host.clone(),
        bind_port: address.port(),
        scheduling_policy: SCHEDULING,
        executor_timeout_seconds: arguments.executor_timeout,
        expire_dead_executor_interval_seconds: LOOK_SECONDS,
        no_executors_grace_period_seconds: arguments.executor_timeout,
        override_session_builder: Some(Arc::new(|config| {
            let mut state = default_session_builder(config)?;
            for function in all_functions("".as_ref()) {
                state.register_udf(function)?;
            }
            Ok(state)
        })),
        ..SchedulerConfig::default()
    };
    config.validate()?;

    let cluster = BallistaCluster::new_from_config(&config).await?;
    let scheduler =
        create_scheduler::<LogicalPlanNode, PhysicalPlanNode>(cluster, Arc::new(config));
    let scheduler = scheduler.await?;
    // A program that asked for port 0 learns the port from this line.
    writeln!(std::io::stdout(), "scheduler on df://{address}")?;
    start_grpc_service_with_listener(listener, scheduler).await
}

/// Runs an executor.
///
/// # Errors
/// Why it cannot run, such as that there is no scheduler.
pub(crate) async fn run_executor(arguments: &ExecutorArguments) -> Result<()> {
    let scheduler = arguments.scheduler.trim_start_matches("df://").rsplit_once(':');
    let scheduler = scheduler.and_then(|(host, port)| Some((host.to_owned(), port.parse().ok()?)));
    let (scheduler_host, scheduler_port) = scheduler.ok_or_else(|| {
        BallistaError::Configuration("--scheduler is HOST:PORT, such as 127.0.0.1:50050".to_owned())
    })?;

    let mut registry = BallistaFunctionRegistry::default();
    for function in all_functions(&arguments.program) {
        registry.scalar_functions.insert(function.name().to_owned(), function);
    }
    std::fs::create_dir_all(&arguments.work_dir)?;
    let config = ExecutorProcessConfig {
        bind_host: arguments.host.clone(),
        external_host: Some(arguments.host.clone()),
        port: free_port(&arguments.host)?,
        scheduler_host,
        scheduler_port,
        vcores: arguments.cores,
        work_dir: Some(arguments.work_dir.display().to_string()),
        task_scheduling_policy: SCHEDULING,
        override_function_registry: Some(Arc::new(registry)),
        ..ExecutorProcessConfig::default()
    };
    start_executor_process(Arc::new(config)).await
}

/// A port that nobody has. Ballista tells the scheduler of it before it opens it.
fn free_port(host: &str) -> Result<u16> {
    Ok(PortFinder::bind((host, 0))?.local_addr()?.port())
}
