//! The binary `accredit`: webhooks, releases and the command line around the engine.
//!
//! Not deciding anything: every rule of crediting is in the engine. Data goes to stdout, talk to
//! stderr.

mod app;
mod bundle;
mod calculations;
mod cli;
mod clock;
mod config;
mod demo;
mod directory;
mod door;
mod error;
mod explain;
mod http;
mod intake;
mod listener;
mod metrics;
mod plugins;
mod preview;
mod replay;
mod rewards;
mod rules;
mod runs;
mod secrets;
mod server;
mod service;
mod shadow;
mod tasks;
mod verify;
mod watch;
mod worker;
mod writer;
mod zone;

fn main() -> std::process::ExitCode {
    cli::run()
}
