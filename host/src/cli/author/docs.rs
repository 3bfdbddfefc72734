//! `accredit docs`: a page for each plan of a directory, in words that its payees understand.
//!
//! Not what the pages say (`accredit_cases`). Source: FORMAT section 7.

use std::path::PathBuf;

use accredit_cases::{PageInputs, plan_pages};
use accredit_domain::diagnostic::Diagnostic;
use accredit_workspace::Ruleset;

use crate::cli::print::output::{self, EXIT_FAILED, EXIT_NOTHING, EXIT_OK};
use crate::cli::print::report;
use crate::directory::{self, DirectoryError, DirectoryRows};

/// Writes the documentation of the plans of a directory, in Markdown.
#[derive(Debug, clap::Args)]
pub(crate) struct DocsArguments {
    /// A customer's directory.
    dir: PathBuf,
    /// Write a file PLAN.md for each plan into this folder, instead of all pages on standard output.
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
    /// Only the page of this plan, named by the stem of its file.
    #[arg(long)]
    plan: Option<String>,
    /// Rows of a table or a list that a page shows; the number of the others is named.
    #[arg(long, default_value_t = 50, value_name = "COUNT")]
    rows: usize,
}

/// Runs the verb.
pub(crate) fn run(arguments: &DocsArguments) -> u8 {
    let (files, rows, cases) = match read_directory(arguments) {
        Ok(read) => read,
        Err(error) => {
            eprintln!("error: {error}");
            return EXIT_FAILED;
        }
    };

    let (ruleset, found) = Ruleset::read(&files, &rows.columns);
    let Some(ruleset) = ruleset else {
        let errors: Vec<Diagnostic> = found.into_iter().filter(Diagnostic::is_error).collect();
        eprint!("{}", report::render_report(&files, &errors));
        return EXIT_FAILED;
    };

    let cases: Vec<(&str, &str)> =
        cases.iter().map(|(path, text)| (path.as_str(), text.as_ref())).collect();
    let mut pages = plan_pages(PageInputs {
        ruleset: &ruleset,
        records: &rows.records,
        columns: &rows.columns,
        cases: &cases,
        rows_max: arguments.rows,
    });

    if let Some(plan) = &arguments.plan {
        pages.retain(|page| *page.plan == **plan);
    }
    if pages.is_empty() {
        let plan = arguments.plan.as_ref().map(|plan| format!(" `{plan}`")).unwrap_or_default();
        eprintln!("error: there is no plan{plan} in {}", arguments.dir.display());
        return EXIT_NOTHING;
    }

    let Some(folder) = &arguments.out else {
        pages.iter().for_each(|page| output::print_line(page.markdown.trim_end()));
        return EXIT_OK;
    };
    let write = || {
        std::fs::create_dir_all(folder)?;
        for page in &pages {
            std::fs::write(folder.join(format!("{}.md", page.plan)), &page.markdown)?;
        }
        Ok::<_, std::io::Error>(())
    };
    match write() {
        Ok(()) => {
            eprintln!("{} pages in {}", pages.len(), folder.display());
            EXIT_OK
        }
        Err(error) => {
            eprintln!("error: {}: {error}", folder.display());
            EXIT_FAILED
        }
    }
}

/// Definitions, rows, and case files.
type ReadDirectory = (accredit_workspace::Files, DirectoryRows, accredit_workspace::Files);

fn read_directory(arguments: &DocsArguments) -> Result<ReadDirectory, DirectoryError> {
    let dir = &arguments.dir;
    let files = directory::read_definitions(dir)?;

    let own = dir.join("transactions");
    let layout = accredit_workspace::transaction_layout(&files);
    let rows = match own.is_dir() {
        true => directory::read_rows(&own, &layout)?,
        false => DirectoryRows::default(),
    };

    // A case file stands beside a plan or a policy, and is read with the definitions.
    let cases = files.iter().filter(|(path, _)| path.ends_with(".cases.md"));
    let cases = cases.map(|(path, text)| (path.clone(), text.clone())).collect();
    Ok((files, rows, cases))
}
