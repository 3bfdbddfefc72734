//! `accredit new policy`: a policy of the given kind, and a case file that proves it on the
//! customer's own columns and people.
//!
//! Not a wizard: the text is a beginning to be changed. Called by `new`.

use std::path::{Path, PathBuf};

use accredit_domain::calendar::PeriodKind;
use accredit_domain::money;
use accredit_domain::policy::PolicyKind;
use accredit_domain::transaction::dates::DateFormat;
use accredit_domain::transaction::{ColumnType, Field, NameColumns};
use accredit_workspace::Ruleset;
use clap::Args;
use jiff::civil::{Date, date};
use rust_decimal::Decimal;

use crate::cli::author::scene::ScriptFixture;
use crate::cli::print::output::{EXIT_FAILED, EXIT_NOTHING, EXIT_OK};

/// Options of `new policy`.
#[derive(Debug, Args)]
pub(crate) struct NewPolicyArguments {
    /// The kind: filter, crediting, value, hold, duplication, rollup, reward or intake.
    kind: String,
    /// The policy's name, which becomes the name of its file.
    name: String,
    /// A customer's directory.
    #[arg(long, default_value = ".")]
    dir: PathBuf,
}

/// A day on which nothing of the customer's own is going on.
const EXAMPLE_DAY: Date = date(1999, 1, 15);

/// The plan in the case file of a policy.
const EXAMPLE_PLAN: &str = "example";

/// Runs the verb.
pub(super) fn run(options: &NewPolicyArguments) -> u8 {
    let Some(kind) = PolicyKind::parse(&options.kind) else {
        let known: Vec<&str> = PolicyKind::ALL.into_iter().map(PolicyKind::as_str).collect();
        eprintln!("error: `{}` is not one of {}", options.kind, known.join(", "));
        return EXIT_NOTHING;
    };

    let world = match SampleNames::read_directory(&options.dir, &options.name) {
        Ok(world) => world,
        Err(code) => return code,
    };

    let stem = format!("policies/{}/{}", kind.as_str(), options.name);
    let cases = world.policy_cases(kind, &options.name);
    let policy = policy_template(kind).map_or_else(|| world.intake_policy(), str::to_owned);
    let files = [(format!("{stem}.rhai"), policy), (format!("{stem}.cases.md"), cases)];
    let code = super::write_new_files(&options.dir, &files);

    if code == EXIT_OK {
        eprintln!("{}", world.next_steps(kind, &options.name, &options.dir.display().to_string()));
    }

    code
}

/// A policy of the kind to begin with; an intake policy names the customer's own columns.
fn policy_template(kind: PolicyKind) -> Option<&'static str> {
    Some(match kind {
        PolicyKind::Filter => include_str!("templates/filter.rhai"),
        PolicyKind::Crediting => include_str!("templates/crediting.rhai"),
        PolicyKind::Value => include_str!("templates/value.rhai"),
        PolicyKind::Hold => include_str!("templates/hold.rhai"),
        PolicyKind::Duplication => include_str!("templates/duplication.rhai"),
        PolicyKind::Rollup => include_str!("templates/rollup.rhai"),
        PolicyKind::Reward => include_str!("templates/reward.rhai"),
        PolicyKind::Quota => include_str!("templates/quota.rhai"),
        PolicyKind::Intake => return None,
    })
}

/// Names of the customer's own, for cases.
pub(super) struct SampleNames {
    /// Columns and cells of a row, but for the amount.
    cells: Vec<(String, String)>,
    amount: String,
    /// The position that is credited.
    pub(super) position: String,
    /// Its title; may be blank.
    pub(super) title: String,
    /// Who holds it.
    pub(super) payee: String,
    /// The leaf period of the day; blank where the calendar does not reach that far back.
    pub(super) period: String,
    /// Those above it.
    pub(super) managers: Vec<String>,
    /// The first credit type, where there are several.
    pub(super) credit_type: Option<String>,
    scale: u8,
    /// `accredit.toml` as far as rows need it.
    settings: String,
}

impl SampleNames {
    /// Those of the directory in which a file called `name` is to be made; the exit code where it
    /// cannot be.
    pub(super) fn read_directory(dir: &Path, name: &str) -> Result<SampleNames, u8> {
        let is_letter =
            |letter: char| letter.is_ascii_alphanumeric() || letter == '-' || letter == '_';
        if name.is_empty() || !name.chars().all(is_letter) {
            eprintln!("error: a name may only have letters, digits, `-` and `_`");
            return Err(EXIT_FAILED);
        }

        let scene = ScriptFixture::read_directory(dir, None)?;
        SampleNames::from_ruleset(&scene.ruleset).map_err(|message| {
            eprintln!("error: {message}");
            EXIT_FAILED
        })
    }

    fn from_ruleset(ruleset: &Ruleset) -> Result<SampleNames, String> {
        let settings = &ruleset.settings;
        let fields = &settings.fields;
        let mapped = |field| fields.mapped.get(&field).cloned();
        let missing = |key: &str| format!("map `{key}` in [fields] first: the cases need it");

        let owner = fields.names.get(&NameColumns::Owner).and_then(|columns| columns.first());
        let owner = owner.ok_or_else(|| missing("owner"))?;
        let amount = mapped(Field::Amount).ok_or_else(|| missing("amount"))?;
        let day = mapped(Field::Date).ok_or_else(|| missing("date"))?;

        let format = match fields.column_type(&day) {
            ColumnType::Date(formats) => formats.formats().first().cloned(),
            _ => None,
        };

        let format = format.unwrap_or(DateFormat::Iso);
        let text = format.format_day(EXAMPLE_DAY).ok_or("the format of the date writes no day")?;
        let format = format.setting_text();

        let organization = &ruleset.organization;
        let seats = organization.positions().filter_map(|(position, known)| {
            let holder = organization.holder_on(position, EXAMPLE_DAY)?;
            (organization.positions_held_by(holder, EXAMPLE_DAY).len() == 1)
                .then_some((position, known, holder))
        });

        // Most managers, so that a policy for rolling up has a person to roll to.
        let best = seats.max_by_key(|(position, ..)| {
            (organization.ancestors_of(*position, EXAMPLE_DAY).len(), std::cmp::Reverse(*position))
        });
        let (position, known, holder) =
            best.ok_or("no position is held: add an assignment first")?;
        let above = organization.ancestors_of(position, EXAMPLE_DAY).iter();
        let above: Vec<_> = above.map(|(position, _)| *position).collect();
        let title = organization.version_on(position, EXAMPLE_DAY);
        let keys: Vec<String> = fields.id.iter().map(|column| format!("{column:?}")).collect();

        let settings_text = format!(
            "[workspace]\nname = \"Example\"\n\n[fields]\nid = [{}]\ndate = {{ field = {day:?}, format = \
             {format:?} }}\namount = {amount:?}\nowner = [{owner:?}]\n",
            keys.join(", ")
        );

        let ids = fields.id.iter().map(|column| (column.clone(), "D1".to_owned()));
        let mut cells: Vec<(String, String)> = ids.collect();
        cells.push((day, text));
        cells.push((owner.clone(), organization.participant_id(holder).to_string()));

        let period = settings.calendar.period_on(EXAMPLE_DAY, PeriodKind::Leaf);
        let several = settings.credit_types.first().filter(|_| settings.credit_types.len() > 1);

        Ok(SampleNames {
            cells,
            amount,
            position: known.id.to_string(),
            title: title.map(|known| known.title.to_string()).unwrap_or_default(),
            payee: organization.participant_id(holder).to_string(),
            period: period.map(|period| period.id.into()).unwrap_or_default(),
            managers: above.iter().map(|id| organization.position_id(*id).to_string()).collect(),
            credit_type: several.map(ToString::to_string),
            scale: settings.currency.scale,
            settings: settings_text,
        })
    }

    /// What to do next.
    fn next_steps(&self, kind: PolicyKind, name: &str, dir: &str) -> String {
        let use_it = match kind {
            PolicyKind::Intake => {
                format!("`intake = \"policy:{name}\"` below [sources.NAME] in accredit.toml")
            }
            _ => format!("`policies = {{ {} = \"{name}\" }}` in a plan", kind.as_str()),
        };
        let more = if kind == PolicyKind::Crediting {
            ", with `assign = \"policy\"` in its rule"
        } else {
            ""
        };
        format!("change both, run `accredit test {dir}`, and use it with {use_it}{more}")
    }

    /// Columns of a row with the names that a body of JSON may have for them, and cells.
    fn named_columns(&self) -> Vec<(&str, String, &str)> {
        let amount = (self.amount.as_str(), "100");
        let cells = self.cells.iter().map(|(column, cell)| (column.as_str(), cell.as_str()));
        let named = cells.chain([amount]).map(|(column, cell)| {
            let letter = |sign: char| if sign.is_ascii_alphanumeric() { sign } else { '_' };
            (column, column.to_lowercase().chars().map(letter).collect(), cell)
        });
        named.collect()
    }

    /// An intake policy for the customer's columns.
    fn intake_policy(&self) -> String {
        let cells = self.named_columns().into_iter();
        let cells: String = cells
            .map(|(column, name, _)| format!("            {column:?}: deal[{name:?}],\n"))
            .collect();
        include_str!("templates/intake.rhai").replace("CELLS", &cells)
    }

    /// The case file of an intake policy: a body, and what becomes of it.
    fn intake_cases(&self, name: &str) -> String {
        let body = self.named_columns().into_iter().map(|(column, key, cell)| {
            let cell = if column == self.amount { cell.to_owned() } else { format!("{cell:?}") };
            format!("{key:?}: {cell}")
        });

        let body = body.collect::<Vec<_>>().join(", ");
        let text = include_str!("templates/intake.cases.md").replace("NAME", name);
        let text = text.replace("SETTINGS", &self.settings).replace("PAYEE", &self.payee);
        text.replace("KEY", &self.natural_key()).replace("BODY", &body)
    }

    /// The case file of a policy.
    fn policy_cases(&self, kind: PolicyKind, name: &str) -> String {
        if kind == PolicyKind::Intake {
            return self.intake_cases(name);
        }

        let plan = self.example_plan(kind, name);
        let id = format!("{}/{name}", kind.as_str());

        let mut text = format!(
            "# {id}\n\nA plan of its own, in {}, so that no other plan takes part.\n\n\
             ```toml plans/example.toml\n{plan}```\n",
            EXAMPLE_DAY.year()
        );

        let full = |part: &str| self.with_currency(part);
        match kind {
            PolicyKind::Filter => {
                self.push_example(&mut text, "A deal above 100 is let in", "100.01");
                self.push_credits(&mut text, &[(&self.position, &full("100.01"), "active")]);
                self.push_example(&mut text, "A deal of 100 is not", "100");
                text.push_str("\n| transaction | outcome |\n| --- | --- |\n");
                text.push_str(&format!("| {} | filtered |\n", self.natural_key()));
            }

            PolicyKind::Hold => {
                self.push_example(&mut text, "A deal of 10,000 counts at once", "10000");
                self.push_credits(&mut text, &[(&self.position, &full("10000"), "active")]);
                self.push_example(&mut text, "A larger deal is held", "10000.01");
                self.push_credits(&mut text, &[(&self.position, &full("10000.01"), "held")]);
            }

            PolicyKind::Duplication => {
                self.push_example(&mut text, "Of two equal direct credits the first counts", "100");
                let (first, second) = (full("100"), full("100"));
                let rows =
                    [(&self.position, &first, "active"), (&self.position, &second, "suppressed")];
                self.push_credits(&mut text, &rows.map(|(a, b, c)| (a.as_str(), b.as_str(), c)));
            }

            PolicyKind::Rollup => {
                self.push_example(&mut text, "Everybody above has half", "100");
                let (own, half) = (full("100"), full("50"));
                let mut rows = vec![(self.position.as_str(), own.as_str(), "active")];
                let above = self.managers.iter();
                rows.extend(above.map(|manager| (manager.as_str(), half.as_str(), "active")));
                self.push_credits(&mut text, &rows);
            }

            PolicyKind::Value => {
                self.push_example(&mut text, "Half of the deal counts", "100");
                self.push_credits(&mut text, &[(&self.position, &full("50"), "active")]);
            }

            PolicyKind::Reward => {
                self.push_example(&mut text, "A tenth of what was credited", "100");
                text.push_str("\n| reward | payee | credited | amount |\n");
                text.push_str("| --- | --- | --- | --- |\n");
                let (payee, credited, paid) = (&self.payee, full("100"), full("10"));
                text.push_str(&format!("| Reward | {payee} | {credited} | {paid} |\n"));
            }

            PolicyKind::Quota => {
                self.push_example(&mut text, "A thousand are expected of everybody", "100");
                text.push_str("\n| reward | payee | credited | quota | amount |\n");
                text.push_str("| --- | --- | --- | --- | --- |\n");
                let (payee, credited, quota) = (&self.payee, full("100"), full("1000"));
                let paid = full("10");
                text.push_str(&format!("| Reward | {payee} | {credited} | {quota} | {paid} |\n"));
            }

            PolicyKind::Crediting => {
                self.push_example(&mut text, "The owner has the deal", "100");
                self.push_credits(&mut text, &[(&self.position, &full("100"), "active")]);
            }

            PolicyKind::Intake => (),
        }

        text
    }

    /// A plan that uses the policy.
    fn example_plan(&self, kind: PolicyKind, name: &str) -> String {
        let year = EXAMPLE_DAY.year();
        let mut plan = format!("name = \"Example\"\nfrom = {year}-01-01\nto = {year}-12-31\n");
        plan.push_str(&format!("policies = {{ {} = \"{name}\" }}\n", kind.as_str()));

        let rules: &[&str] =
            if kind == PolicyKind::Duplication { &["First", "Second"] } else { &["Deal"] };
        let credit_type = self.credit_type.as_ref();
        let credit_type =
            credit_type.map(|kind| format!("  credit_type = {kind:?}\n")).unwrap_or_default();

        for rule in rules {
            plan.push_str(&format!("\n[[direct]]\nname = \"{rule}\"\n"));

            if kind == PolicyKind::Crediting {
                plan.push_str("assign = \"policy\"\n");
            }

            plan.push_str(&format!(
                "  [[direct.results]]\n  name = \"{rule} credit\"\n{credit_type}"
            ));

            if kind == PolicyKind::Rollup {
                plan.push_str("  rollable = true\n");
            }
        }

        if matches!(kind, PolicyKind::Reward | PolicyKind::Quota) {
            let credit_type = credit_type.trim_start();
            plan.push_str(&format!("\n[[reward]]\nname = \"Reward\"\n{credit_type}"));
        }

        if kind == PolicyKind::Quota {
            plan.push_str("tiers = [{ up_to = \"100%\", rate = \"10%\" }, { rate = \"20%\" }]\n");
        }

        if kind == PolicyKind::Rollup {
            plan.push_str("\n[[indirect]]\nname = \"Up\"\nrelationship = \"Reporting\"\n");
            plan.push_str("  [[indirect.results]]\n  name = \"Up credit\"\n");
        }

        plan
    }

    /// Adds a case of the plan of a policy's cases.
    fn push_example(&self, text: &mut String, heading: &str, amount: &str) {
        self.push_case(text, EXAMPLE_PLAN, heading, amount);
    }

    /// Adds a case of the plan with one deal of the amount; its table is to follow.
    pub(super) fn push_case(&self, text: &mut String, plan: &str, heading: &str, amount: &str) {
        let row = || self.cells.iter().map(|(column, cell)| (column.as_str(), cell.as_str()));
        let row: Vec<(&str, &str)> = row().chain([(self.amount.as_str(), amount)]).collect();

        let line = |cells: Vec<&str>| {
            let mut writer = csv::Writer::from_writer(Vec::new());
            let written = writer.write_record(cells);
            let bytes = written.ok().and_then(|()| writer.into_inner().ok()).unwrap_or_default();
            String::from_utf8_lossy(&bytes).into_owned()
        };

        let header = line(row.iter().map(|(column, _)| *column).collect());
        let cells = line(row.iter().map(|(_, cell)| *cell).collect());
        let period = match self.period.as_str() {
            "" => String::new(),
            period => format!("period: {period}\n"),
        };
        let block = format!(
            "\n## {heading}\n\nplan: {plan}\n{period}\n\
             ```csv transactions\n{header}{cells}```\n"
        );

        text.push_str(&block);
    }

    /// Adds a table of credits: position, amount, status.
    pub(super) fn push_credits(&self, text: &mut String, rows: &[(&str, &str, &str)]) {
        text.push_str(
            "\n| transaction | position | amount | status |\n| --- | --- | --- | --- |\n",
        );
        for (position, amount, status) in rows {
            text.push_str(&format!(
                "| {} | {position} | {amount} | {status} |\n",
                self.natural_key()
            ));
        }
    }

    /// The natural key of the row.
    fn natural_key(&self) -> String {
        let parts = self.cells.iter().filter(|(_, cell)| cell == "D1");
        parts.map(|(_, cell)| cell.as_str()).collect::<Vec<_>>().join("/")
    }

    /// An amount with all its decimals.
    pub(super) fn with_currency(&self, amount: &str) -> String {
        let amount: Decimal = amount.parse().unwrap_or_default();
        money::format_amount(money::round_to_scale(amount, self.scale), self.scale)
    }
}
