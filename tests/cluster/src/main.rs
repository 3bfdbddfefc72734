//! Runs a command with a PostgreSQL of its own, whose address is in `ACCREDIT_TEST_STORE`, and ends with its
//! exit code: `postgres-cluster cargo nextest run …`.

use std::process::{Command, ExitCode};

use postgres_cluster::Cluster;

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    let Some(program) = arguments.next() else {
        eprintln!("usage: postgres-cluster COMMAND …");
        return ExitCode::from(2);
    };
    if let Err(missing) = postgres_cluster::find_programs() {
        eprintln!("error: {missing}");
        return ExitCode::FAILURE;
    }

    let cluster = Cluster::start_with(&["max_connections=500"]);
    let address = cluster.address("postgres");
    let ended = Command::new(program).args(arguments).env("ACCREDIT_TEST_STORE", address).status();
    match ended {
        Ok(status) => {
            ExitCode::from(status.code().and_then(|code| code.try_into().ok()).unwrap_or(1))
        }
        Err(error) => {
            eprintln!("error: the command does not run: {error}");
            ExitCode::FAILURE
        }
    }
}
