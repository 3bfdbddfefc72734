//! A function that is being compiled: its variables, and which of them ever change.
//!
//! Not its statements (`statements`) and values (`values`). Called by `lower`.
//!
//! **Architecture invariant:** a variable stands for a cell of the deal only where no statement of
//! the function changes a variable of its name.

use std::collections::BTreeSet;

use rhai::{ASTNode, Expr, Position, Stmt};

use super::chains::is_push;
use super::{Lowered, ProgramLowering, refuse};
use crate::compile::node::HostInput;
use crate::fault::chain_links;

/// A function that is being compiled.
pub(super) struct FunctionLowering<'p, 'a> {
    pub(super) program: &'p mut ProgramLowering<'a>,
    /// Names in scope, inner ones last.
    pub(super) scope: Vec<ScopeName>,
    /// Slots that exist at a time at most.
    pub(super) slots: usize,
    pub(super) weight: u32,
    /// In how many lists of arguments the lowering is.
    pub(super) arguments: u32,
    /// Whether it is the entry point, whose parameters the host fills.
    is_entry: bool,
    /// Names of variables that are assigned to after they began.
    changed: BTreeSet<String>,
}

/// A name in scope.
pub(super) struct ScopeName {
    pub(super) name: String,
    pub(super) constant: bool,
    pub(super) place: NamePlace,
}

/// Where the value of a name is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NamePlace {
    /// In a slot of the function.
    Slot(usize),
    /// In a cell of the deal, for which the name stands.
    Cell(usize),
}

impl<'p, 'a> FunctionLowering<'p, 'a> {
    pub(super) fn new(
        program: &'p mut ProgramLowering<'a>,
        place: usize,
        statements: &[Stmt],
    ) -> Self {
        let is_entry = place == 0 && program.inputs_from_host;
        FunctionLowering {
            program,
            scope: Vec::new(),
            slots: 0,
            weight: 0,
            arguments: 0,
            is_entry,
            changed: changed_names(statements),
        }
    }

    /// A new name with a slot of its own.
    pub(super) fn declare(&mut self, name: &str, constant: bool) -> usize {
        let taken = self.scope.iter().filter(|known| matches!(known.place, NamePlace::Slot(_)));
        let slot = taken.count();
        let place = NamePlace::Slot(slot);
        self.scope.push(ScopeName { name: name.to_owned(), constant, place });
        self.slots = self.slots.max(slot + 1);
        slot
    }

    /// A new name that stands for a cell of the deal.
    pub(super) fn declare_cell(&mut self, name: &str, cell: usize) {
        let place = NamePlace::Cell(cell);
        self.scope.push(ScopeName { name: name.to_owned(), constant: true, place });
    }

    /// The innermost variable with a name.
    pub(super) fn find_name(&self, name: &str) -> Option<&ScopeName> {
        self.scope.iter().rfind(|known| known.name == name)
    }

    /// The slot of a variable that may change.
    pub(super) fn find_changeable(&self, name: &str) -> Option<usize> {
        match self.find_name(name)? {
            ScopeName { constant: false, place: NamePlace::Slot(slot), .. } => Some(*slot),
            _ => None,
        }
    }

    /// Whether a variable with this name keeps the value with which it begins.
    pub(super) fn is_never_changed(&self, name: &str) -> bool {
        !self.changed.contains(name)
    }

    /// What the host gives under a name, if that is what the name means here.
    pub(super) fn find_input(&self, name: &str) -> Option<HostInput> {
        let NamePlace::Slot(slot) = self.find_name(name)?.place else { return None };
        let (input, _) = self.program.inputs.get(slot)?;
        (self.is_entry && self.is_never_changed(name)).then_some(*input)
    }

    /// The slot of an input that is read as a value.
    pub(super) fn need_value(&mut self, slot: usize) {
        if self.is_entry
            && let Some((_, as_value)) = self.program.inputs.get_mut(slot)
        {
            *as_value = true;
        }
    }

    /// The interpreter reads a variable that is the first argument after the other arguments, so a
    /// change among them would be seen there and not here.
    pub(super) fn refuse_among_arguments(&self, at: Position) -> Lowered<()> {
        if self.arguments > 0 {
            return refuse("a change of a variable inside an argument", at);
        }
        Ok(())
    }
}

/// Names of variables that statements change: by an assignment, or by `push`.
fn changed_names(statements: &[Stmt]) -> BTreeSet<String> {
    let mut changed = BTreeSet::new();
    let mut add_root = |expr: &Expr| {
        if let Expr::Variable(name, ..) = chain_links(expr).0 {
            changed.insert(name.1.to_string());
        }
    };

    for statement in statements {
        statement.walk(&mut Vec::new(), &mut |path: &[ASTNode<'_>]| {
            match path.last() {
                Some(ASTNode::Stmt(Stmt::Assignment(assignment))) => add_root(&assignment.1.lhs),
                Some(
                    ASTNode::Stmt(Stmt::FnCall(call, _)) | ASTNode::Expr(Expr::FnCall(call, _)),
                ) if call.name == "push" => call.args.iter().take(1).for_each(&mut add_root),
                Some(ASTNode::Expr(chain @ (Expr::Dot(..) | Expr::Index(..)))) => {
                    let (_, links) = chain_links(chain);
                    if links.iter().any(|link| is_push(link.expr)) {
                        add_root(chain);
                    }
                }
                _ => (),
            }
            true
        });
    }
    changed
}
