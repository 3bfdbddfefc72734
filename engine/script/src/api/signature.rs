//! What a function takes and gives, as data: checks compare it, and messages and the reference show it.
//!
//! Not calling anything. Called by the table of functions, by `check` and by `reference`.
//!
//! **Architecture invariant:** the text of a signature is made here and read nowhere.

use crate::kind::ValueKind;

/// One form of a function or operator.
#[derive(Debug)]
pub struct Signature {
    shape: Shape,
    /// What it takes, the value before the dot first.
    pub parameters: &'static [Parameter],
    /// What it gives; `Any` where that depends on the values.
    pub returns: ValueKind,
}

/// How a form is written.
#[derive(Debug)]
enum Shape {
    /// `name(first, second)`.
    Call,
    /// `first.name(second)`.
    Method,
    /// `first.name`.
    Field,
    /// An operator, which joins values of several kinds: its whole text.
    Operator(&'static str),
}

/// A value that a form takes.
#[derive(Debug)]
pub struct Parameter {
    /// Its name; blank where the kind says everything.
    name: &'static str,
    /// What it must be.
    pub kind: ValueKind,
}

impl Signature {
    /// The form as an author writes it, of the function called `name`.
    pub fn text(&self, name: &str) -> String {
        let mut shown: Vec<String> = self.parameters.iter().map(Parameter::text).collect();

        match self.shape {
            Shape::Operator(text) => text.to_owned(),
            Shape::Call => format!("{name}({})", shown.join(", ")),
            Shape::Method | Shape::Field => {
                let Some(first) = self.parameters.first() else { return name.to_owned() };
                shown.remove(0);

                let first = first.label();
                let is_field = matches!(self.shape, Shape::Field);
                let list = if is_field { String::new() } else { format!("({})", shown.join(", ")) };
                format!("{first}.{name}{list}")
            }
        }
    }

    /// Whether it is written behind a value and a dot.
    pub fn follows_dot(&self) -> bool {
        matches!(self.shape, Shape::Method | Shape::Field)
    }

    /// The parameters as a definition file lists them: no two have one name.
    pub fn unique_parameters(&self) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();

        for (index, parameter) in self.parameters.iter().enumerate() {
            let before_dot = index == 0 && !matches!(self.shape, Shape::Call);
            let text = if before_dot { parameter.label().to_owned() } else { parameter.text() };
            let again = names.contains(&text);
            names.push(if again { format!("{text}_{}", index + 1) } else { text });
        }

        names
    }
}

impl Parameter {
    /// Its name, or else the word of its kind.
    fn label(&self) -> &'static str {
        if self.name.is_empty() { self.kind.word() } else { self.name }
    }

    /// `weight: number`; the name or the kind alone where the other adds nothing.
    fn text(&self) -> String {
        match (self.name, self.kind) {
            ("", kind) => kind.word().to_owned(),
            (name, ValueKind::Any) => name.to_owned(),
            (name, kind) => format!("{name}: {}", kind.word()),
        }
    }
}

/// `name(first, second)`.
pub(super) const fn call(parameters: &'static [Parameter], returns: ValueKind) -> Signature {
    Signature { shape: Shape::Call, parameters, returns }
}

/// `first.name(second)`.
pub(super) const fn method(parameters: &'static [Parameter], returns: ValueKind) -> Signature {
    Signature { shape: Shape::Method, parameters, returns }
}

/// `first.name`.
pub(super) const fn field(parameters: &'static [Parameter], returns: ValueKind) -> Signature {
    Signature { shape: Shape::Field, parameters, returns }
}

/// An operator, whose operands are judged where it is checked.
pub(super) const fn operator(text: &'static str) -> Signature {
    Signature { shape: Shape::Operator(text), parameters: &[], returns: ValueKind::Any }
}

/// A parameter that its kind describes.
pub(super) const fn of(kind: ValueKind) -> Parameter {
    Parameter { name: "", kind }
}

/// A parameter with a name.
pub(super) const fn named(name: &'static str, kind: ValueKind) -> Parameter {
    Parameter { name, kind }
}
