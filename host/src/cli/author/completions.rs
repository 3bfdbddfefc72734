//! `accredit completions`: what a shell completes behind `accredit`.

use clap::{Args, ValueEnum};
use clap_complete::{Shell, generate};

use crate::cli::print::output::{self, EXIT_OK};

/// Prints the completions for a shell.
#[derive(Debug, Args)]
pub(crate) struct CompletionsArguments {
    /// The shell to print completions for.
    #[arg(value_enum)]
    shell: ShellName,
}

/// Shells that are supported.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum ShellName {
    /// `source <(accredit completions bash)`
    Bash,
    /// `accredit completions zsh > "${fpath[1]}/_accredit"`
    Zsh,
    /// `accredit completions fish > ~/.config/fish/completions/accredit.fish`
    Fish,
    /// `accredit completions powershell | Out-String | Invoke-Expression`
    Powershell,
}

/// Runs the verb on the whole command line.
pub(crate) fn run(arguments: &CompletionsArguments, mut command: clap::Command) -> u8 {
    let shell = match arguments.shell {
        ShellName::Bash => Shell::Bash,
        ShellName::Zsh => Shell::Zsh,
        ShellName::Fish => Shell::Fish,
        ShellName::Powershell => Shell::PowerShell,
    };

    let mut text = Vec::new();
    generate(shell, &mut command, "accredit", &mut text);
    output::print_line(String::from_utf8_lossy(&text).trim_end());
    EXIT_OK
}
