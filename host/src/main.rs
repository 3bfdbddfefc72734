//! The binary `accredit`: webhooks, releases and the command line around the engine.
//!
//! Not deciding anything: every rule of crediting is in the engine. Data goes to stdout, messages
//! to stderr.

mod address;
mod audit_export;
mod bundle;
mod checkpoint;
mod cli;
#[cfg(feature = "crash-points")]
mod crash_points;
mod demo;
mod directory;
mod http;
mod language_server;
#[cfg(feature = "oidc")]
mod oidc;
mod pinned;
mod plugins;
mod server;
mod tabular;

fn main() -> std::process::ExitCode {
    cli::run()
}
