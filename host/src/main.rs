//! host
mod cli;
mod directory;
use clap::Parser;
#[derive(Parser)]
enum Verb {
    Calculate(cli::calculate::Arguments),
    Check(cli::check::Arguments),
    Explain(cli::explain::Arguments),
    Test(cli::test::Arguments),
}
fn main() -> std::process::ExitCode {
    match Verb::parse() {
        Verb::Calculate(a) => cli::calculate::run(&a),
        Verb::Check(a) => cli::check::run(&a),
        Verb::Explain(a) => cli::explain::run(&a),
        Verb::Test(a) => cli::test::run(&a),
    }
    .into()
}
