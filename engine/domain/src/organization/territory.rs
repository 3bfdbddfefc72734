//! Territories: which teams a deal belongs to by what it is about, such as its state or product.
//!
//! A territory is a team with rows in territories.csv. Not what becomes of the team then
//! (`stage::crediting`). Filled by `workspace::organization`, asked by crediting. Source: FORMAT
//! section 1, DOMAIN 2.4, 3.3.
//!
//! **Architecture invariant:** a pure function of the transaction and the rows of its date
//! (INV-C1); a blank value belongs to no territory.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use jiff::civil::Date;

use super::{TeamId, Teams, fold_name};
use crate::calendar::Validity;
use crate::transaction::{Transaction, Value};

/// What a value of a deal must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Extent {
    /// This one value, as the column's type reads it.
    Is(Value),
    /// A value from the first to the last, both included.
    Range(Value, Value),
}

/// One row of territories.csv.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TerritoryRow {
    /// The team whose territory it describes.
    pub team: TeamId,
    /// The column of the transaction.
    pub column: Arc<str>,
    /// The values that the column must have.
    pub extent: Extent,
    /// The days on which the row holds.
    pub validity: Validity,
}

/// All territories, by column and value.
#[derive(Debug, Clone, Default)]
pub struct Territories {
    rows: Vec<TerritoryRow>,
    of: HashMap<TeamId, Vec<usize>>,
    columns: Vec<TerritoryColumn>,
}

#[derive(Debug, Clone)]
struct TerritoryColumn {
    name: Arc<str>,
    exact: HashMap<Value, Vec<usize>>,
    ranges: Vec<usize>,
}

/// How well a territory fits: by how many fields, and by how many of them exactly.
type TerritoryFit = (usize, usize);

/// A value as territories compare it: text trimmed and folded; none when it is blank.
pub fn comparable_value(value: &Value) -> Option<Value> {
    match value {
        Value::Text(text) if text.trim().is_empty() => None,
        Value::Text(text) => Some(Value::Text(Arc::from(fold_name(text)))),
        Value::Number(number) => Some(Value::Number(number.normalize())),
        Value::Blank | Value::Bad(_) => None,
        value => Some(value.clone()),
    }
}

/// Whether `value` lies from `first` to `last`, all three [`comparable_value`].
///
/// Text of digits compares as numbers; other text as text, and what begins like `last` still lies
/// inside.
pub fn is_between(value: &Value, first: &Value, last: &Value) -> bool {
    let (Value::Text(text), Value::Text(from), Value::Text(to)) = (value, first, last) else {
        let alike = |a: &Value, b: &Value| std::mem::discriminant(a) == std::mem::discriminant(b);
        return alike(value, first) && alike(value, last) && first <= value && value <= last;
    };
    if let (Some(text), Some(from), Some(to)) =
        (number_sort_key(text), number_sort_key(from), number_sort_key(to))
    {
        return from <= text && text <= to;
    }
    let cut: String = text.chars().take(to.chars().count()).collect();
    **from <= **text && cut.as_str() <= to.as_ref()
}

/// A text of digits alone as what orders like its number, however long it is.
fn number_sort_key(text: &str) -> Option<(usize, &str)> {
    let significant = text.trim_start_matches('0');
    text.bytes().all(|byte| byte.is_ascii_digit()).then_some((significant.len(), significant))
}

impl Territories {
    /// Adds a row, its values [`comparable_value`].
    pub fn add(&mut self, row: TerritoryRow) {
        let index = self.rows.len();

        // One index a column: a lookup reads the cells of a deal, not the rows of the file.
        self.of.entry(row.team).or_default().push(index);

        let known = self.columns.iter().position(|column| column.name == row.column);
        let place = known.unwrap_or(self.columns.len());
        if known.is_none() {
            let name = Arc::clone(&row.column);
            self.columns.push(TerritoryColumn { name, exact: HashMap::new(), ranges: Vec::new() });
        }

        if let Some(column) = self.columns.get_mut(place) {
            match &row.extent {
                Extent::Is(value) => column.exact.entry(value.clone()).or_default().push(index),
                Extent::Range(..) => column.ranges.push(index),
            }
        }

        self.rows.push(row);
    }

    /// The columns of deals that territories look at.
    pub fn column_names(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(|column| &*column.name)
    }

    /// All rows, in the order of the file.
    pub(super) fn rows(&self) -> &[TerritoryRow] {
        &self.rows
    }

    /// Whether no team has a territory.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The teams to whose territory a deal belongs on `date`, the most specific ones, in file
    /// order; `within` looks only at one team and the teams below it.
    pub fn find_teams(
        &self,
        transaction: &Transaction,
        date: Date,
        within: Option<TeamId>,
        teams: &Teams,
    ) -> Vec<TeamId> {
        let inside = |team: TeamId| {
            teams.version_on(team, date).is_some()
                && within.is_none_or(|top| teams.is_within(team, top, date))
        };

        let matching = self.matching_rows(transaction, date);
        let candidates: BTreeSet<TeamId> = matching.iter().map(|row| row.team).collect();
        let candidates = candidates.into_iter().filter(|team| inside(*team));
        let fits: Vec<(TeamId, TerritoryFit)> = candidates
            .filter_map(|team| Some((team, self.team_fit(team, &matching, date)?)))
            .collect();

        let Some(best) = fits.iter().map(|(_, fit)| *fit).max() else { return Vec::new() };
        let best: Vec<TeamId> =
            fits.into_iter().filter(|(_, fit)| *fit == best).map(|(team, _)| team).collect();

        let below = |team: TeamId, top: TeamId| team != top && teams.is_within(team, top, date);
        // In a cycle of parents, each is below the other, and none beats the other.
        let beaten = |team: TeamId| {
            best.iter().any(|other| *other != team && below(*other, team) && !below(team, *other))
        };

        best.iter().copied().filter(|team| !beaten(*team)).collect()
    }

    /// The rows of the date that the deal's values match.
    fn matching_rows(&self, transaction: &Transaction, date: Date) -> Vec<&TerritoryRow> {
        let mut found = Vec::new();
        for column in &self.columns {
            let Some(value) = comparable_value(&transaction.get(&column.name)) else { continue };
            let exact = column.exact.get(&value).into_iter().flatten();
            let rows = exact.chain(&column.ranges).filter_map(|index| self.rows.get(*index));

            found.extend(rows.filter(|row| {
                row.validity.contains(date)
                    && match &row.extent {
                        Extent::Is(_) => true,
                        Extent::Range(first, last) => is_between(&value, first, last),
                    }
            }));
        }
        found
    }

    /// How well the deal fits a team's territory; none when one of its fields does not match.
    fn team_fit(
        &self,
        team: TeamId,
        matching: &[&TerritoryRow],
        date: Date,
    ) -> Option<TerritoryFit> {
        let own = self.of.get(&team)?.iter().filter_map(|index| self.rows.get(*index));
        let own = own.filter(|row| row.validity.contains(date));
        let fields: BTreeSet<&str> = own.map(|row| row.column.as_ref()).collect();
        let mut exactly = 0;
        for field in &fields {
            let mut of_field =
                matching.iter().filter(|row| row.team == team && *row.column == **field).peekable();
            of_field.peek()?;
            exactly += usize::from(of_field.any(|row| matches!(row.extent, Extent::Is(_))));
        }
        Some((fields.len(), exactly))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transaction::parse_number;

    fn text(text: &str) -> Value {
        comparable_value(&Value::Text(Arc::from(text))).unwrap()
    }

    #[test]
    fn ranges() {
        let check = |value: &str, first: &str, last: &str, inside: bool| {
            let actual = is_between(&text(value), &text(first), &text(last));
            assert_eq!(actual, inside, "{value} in {first}..{last}");
        };
        check("02139", "2000", "2799", true);
        check("10001", "2000", "2799", false);
        check("123456789012345678901234567890", "1", "9999999999999999999999999999999", true);
        // Not all digits: as text, and a longer value is cut to the length of the last one.
        check("SW1A 1AA", "sw1", "sw3", true);
        check("SW3X", "sw1", "sw3", true);
        check("SW4", "sw1", "sw3", false);
        check("Boston", "a", "b", true);
        check("Chicago", "a", "b", false);
        check("7", "a", "b", false);
    }

    #[test]
    fn numbers_compare_by_value_and_never_with_text() {
        let number =
            |text: &str| comparable_value(&Value::Number(parse_number(text).unwrap())).unwrap();
        assert!(is_between(&number("9.50"), &number("1"), &number("10")));
        assert!(!is_between(&number("9"), &number("10"), &number("20")));
        assert!(!is_between(&text("15"), &number("10"), &number("20")));
        assert_eq!(number("1.0"), number("1.00"));
    }

    #[test]
    fn blank_values_are_nobodys() {
        assert_eq!(comparable_value(&Value::Text(Arc::from("  "))), None);
        assert_eq!(comparable_value(&Value::Blank), None);
    }
}
