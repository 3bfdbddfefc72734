//! The kinds of findings, each with a code that authors look up.
//!
//! **Architecture invariant:** a code is never given to another kind of finding, and every code has a
//! page in `scripts/errors/`.

use std::fmt;

use serde::{Serialize, Serializer};

/// Declares the codes, each with its title.
macro_rules! codes {
    ($($code:ident $title:literal;)*) => {
        /// A kind of finding.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code {
            $(#[doc = $title] $code,)*
        }

        /// Every code with its title, in order.
        pub const CODES: &[(Code, &str)] = &[$((Code::$code, $title),)*];

        impl Code {
            /// The code as it is shown: `CR012`.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Code::$code => stringify!($code),)*
                }
            }
        }
    };
}

codes! {
    CR001 "syntax error in a script";
    CR002 "unknown field";
    CR003 "unknown function";
    CR004 "wrong number or kind of arguments";
    CR005 "missing entry point";
    CR006 "wrong parameters of an entry point";
    CR007 "unknown variable";
    CR008 "word that policies may not use";
    CR009 "script too large";
    CR010 "comparison of different types";
    CR011 "wrong kind of result";
    CR012 "unreachable statement";
    CR013 "person written into a rule";
    CR014 "weights that do not sum to one";
    CR015 "amount rounded to whole units";
    CR016 "constant that is changed";
    CR017 "unused name";
    CR020 "syntax error in a TOML file";
    CR021 "unknown key";
    CR023 "missing key";
    CR024 "value not understood";
    CR025 "reference to something that does not exist";
    CR026 "name used twice";
    CR027 "too long or too many";
    CR028 "plans that take credits from each other";
    CR029 "placeholder that was left";
    CR030 "malformed CSV";
    CR031 "wrong columns in a CSV file";
    CR032 "cell not understood";
    CR033 "cell that names something unknown";
    CR034 "overlapping versions";
    CR035 "cycle in the Reporting relationship";
    CR036 "alias that names several positions";
    CR040 "case that fails";
    CR041 "case file not understood";
    CR050 "unused file";
    CR051 "unused column, table or attribute";
    CR052 "file that cannot be read";
    CR060 "periods that overlap or leave a gap";
    CR061 "fiscal year of a wrong length";
    CR062 "period that cannot be finalized";
    CR063 "calendar setting that its kind does not use";
    CR064 "more than everything that is credited";
    CR065 "tier of less than one unit";
    CR066 "tiers of a quota that is not defined";
    CR067 "manager of two parts of a deal";
    CR068 "policy of a plan that no rule uses";
    CR069 "recipient that does not exist";
    CR070 "clock of a source that cannot be read";
    CR071 "value that differs from a compared text only by case or space";
    CR072 "currency that is unknown or blank";
    CR073 "amounts of several currencies compared with a number";
    CR074 "year of two digits read as four";
    CR075 "amount with more digits than are kept";
    CR077 "rows of one key that contradict each other";
    CR078 "cell with line breaks";
    CR079 "id rounded by a spreadsheet";
    CR080 "row without a natural key";
    CR081 "header that differs in the case of letters";
    CR082 "deals that lose mapped columns";
    CR083 "delimiter that was detected";
    CR084 "manager who has left";
    CR085 "name with invisible characters";
    CR086 "names that look the same";
    CR089 "organisation in which nobody can be credited";
    CR090 "duplicate row";
    CR091 "value that is not used";
    CR092 "check stopped by a limit";
    CR093 "parameter of a policy that is not understood";
    CR094 "rows of a table that are equally specific";
    CR095 "label of a switch that no value has";
    CR096 "label of a switch that is never reached";
    CR097 "quota that differs from the sum of its parts";
    CR098 "part of a span without a quota";
    CR100 "function that is not compiled";
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl PartialEq<str> for Code {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

impl PartialEq<&str> for Code {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}
