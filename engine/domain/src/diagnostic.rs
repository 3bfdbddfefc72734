//! What is wrong with something an author wrote, and where: code, severity, place, message, help.
//!
//! Not an error type of the program: checking never fails, it returns what it could read and a list
//! of these. Called by everything that reads a customer's directory.
//!
//! **Architecture invariant:** every [`Code`] has a page in `scripts/errors/`, and the other
//! way round; a test holds it so.

mod code;
mod lines;
mod origin;

use serde::{Serialize, Serializer};
use utoipa::ToSchema;

use crate::work;
use strsim::osa_distance;

pub use self::code::{CODES, Code};
pub use self::lines::LineIndex;
pub use self::origin::TextOrigin;

/// A place in a customer's file. Lines and columns count from 1, columns in characters; 0 means
/// that the whole file (or no file) is meant, which is written as its beginning.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, ToSchema)]
pub struct Place {
    /// Path inside the customer's directory, with `/` between folders.
    pub file: String,
    /// Line number, counted from 1.
    #[serde(serialize_with = "from_one")]
    pub line: u32,
    /// Column in characters, from 1.
    #[serde(serialize_with = "from_one")]
    pub column: u32,
}

/// Editors and annotations know no line 0.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands out references")]
fn from_one<S: Serializer>(number: &u32, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u32((*number).max(1))
}

impl Place {
    /// The place `line`:`column` of `file`.
    pub fn new(file: impl Into<String>, line: u32, column: u32) -> Self {
        Place { file: file.into(), line, column }
    }

    /// The whole of `file`.
    pub fn whole_file(file: impl Into<String>) -> Self {
        Place::new(file, 0, 0)
    }

    /// The place of the byte `offset` in `text`, which is the content of `file`.
    pub fn of_offset(file: impl Into<String>, text: &str, offset: usize) -> Self {
        let before = text.get(..offset.min(text.len())).unwrap_or(text);
        work::add_steps(before.len());
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
        Place::new(file, u32::try_from(line).unwrap_or(0), u32::try_from(column).unwrap_or(0))
    }

    /// The byte at which this place stands in `text`, or the end of it.
    pub fn byte_offset(&self, text: &str) -> usize {
        let lines = text.split_inclusive('\n').take(self.line.saturating_sub(1) as usize);
        let start: usize = lines.map(str::len).sum();
        let rest = text.get(start..).unwrap_or_default();
        let letters = rest.char_indices().nth(self.column.saturating_sub(1) as usize);
        start + letters.map_or(rest.len(), |(at, _)| at)
    }

    /// This place, counted from `origin`: the position of a word inside an expression, when the
    /// expression itself starts at `origin`.
    #[must_use]
    pub fn from_origin(line: u32, column: u32, origin: &Place) -> Self {
        if line <= 1 {
            let shift = column.saturating_sub(1);
            Place::new(origin.file.clone(), origin.line, origin.column + shift)
        } else {
            Place::new(origin.file.clone(), origin.line + line - 1, column)
        }
    }
}

/// How bad it is: an error stops activation, a warning does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The definition cannot be used until this is fixed.
    Error,
    /// The definition is probably not what its author meant.
    Warning,
    /// The definition could be left out or written more simply.
    Hint,
}

/// One finding of `accredit check` (FORMAT section 6).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
pub struct Diagnostic {
    /// What kind of finding it is, `CRnnn`.
    #[schema(value_type = String)]
    pub code: Code,
    /// Whether the finding prevents activation.
    pub severity: Severity,
    /// The place that the finding points to.
    #[serde(flatten)]
    pub place: Place,
    /// What is wrong: lower case, no final period, the author's words in backticks.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

impl Diagnostic {
    /// An error of kind `code` at `place`.
    pub fn error(code: Code, place: Place, message: impl Into<String>) -> Self {
        Diagnostic { code, severity: Severity::Error, place, message: message.into(), help: None }
    }

    /// A warning of kind `code` at `place`.
    pub fn warning(code: Code, place: Place, message: impl Into<String>) -> Self {
        Diagnostic { severity: Severity::Warning, ..Diagnostic::error(code, place, message) }
    }

    /// A hint of kind `code` at `place`.
    pub fn hint(code: Code, place: Place, message: impl Into<String>) -> Self {
        Diagnostic { severity: Severity::Hint, ..Diagnostic::error(code, place, message) }
    }

    /// Adds advice to the diagnostic.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Whether the finding prevents activation.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

/// `did you mean `x`?`, a sentence of its own, where a candidate is near enough to `word`; else nothing.
pub fn did_you_mean<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<String> {
    // In a short word every other word is near: the distance grows with the length.
    let limit = match word.chars().count() {
        0..=2 => 0,
        3 => 1,
        4..=8 => 2,
        _ => 3,
    };

    let lower = word.to_lowercase();

    candidates
        .into_iter()
        .filter(|candidate| *candidate != word && !work::is_spent())
        .inspect(|candidate| work::add_steps(candidate.len().saturating_mul(lower.len())))
        .map(|candidate| (osa_distance(&lower, &candidate.to_lowercase()), candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min()
        .map(|(_, candidate)| format!("did you mean `{candidate}`?"))
}

/// Whether `word` is `known` with one typo: near enough to be refused even where other names are
/// possible. Names that differ in a digit (`Rep #1`, `Rep #2`) are siblings.
pub fn is_typo(word: &str, known: &str) -> bool {
    let letters = |word: &str| -> String { word.chars().filter(|c| !c.is_ascii_digit()).collect() };
    let long_enough = word.chars().count() >= 4;
    let near = long_enough && osa_distance(&word.to_lowercase(), &known.to_lowercase()) == 1;
    near && letters(word) != letters(known)
}
