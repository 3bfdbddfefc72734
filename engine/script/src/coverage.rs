//! Which lines and branches of programs run, how often and how long: Rhai's own debugging callback
//! on a second, traced engine.
//!
//! Not explaining a decision and not rewriting of source. Called by `machine`; read by `cases`.
//!
//! **Architecture invariant:** a traced machine answers and faults like any other; it only counts.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use rhai::debugger::DebuggerCommand;
use rhai::{AST, ASTNode, Engine, Expr, Position, Stmt};

use super::fault::line_and_column;
use super::machine::adapter::switch::switch_bodies;
use accredit_domain::policy::{Program, ProgramForm};

/// What was seen of one program.
#[derive(Debug, Clone)]
pub struct ProgramCoverage {
    /// The program that was measured.
    pub program: Arc<Program>,
    /// The author's file: the program's own, or one whose functions it shares.
    pub file: String,
    /// The text of each line that has a statement.
    pub texts: BTreeMap<u32, String>,
    /// Statements by line of the author's file; an expression of a plan is one line.
    pub lines: BTreeMap<u32, LineCoverage>,
    /// Its branches, by place in the author's file.
    pub branches: BTreeMap<(u32, u32), BranchCoverage>,
}

/// A line with a statement.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LineCoverage {
    /// How often its first statement ran.
    pub runs: u64,
    /// Nanoseconds spent on it, those of functions that it calls left out.
    pub nanos: u64,
}

/// A place where a run goes one way or the other.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BranchCoverage {
    /// Of an `if`: then, else. Of an arm of a `switch`: taken, not taken. Of `&&` and `||`: right side
    /// asked, right side passed over.
    pub taken: [u64; 2],
}

/// Counts while programs run; one a machine.
#[derive(Debug, Default)]
pub(super) struct CoverageRecorder(Mutex<RecorderState>);

#[derive(Debug, Default)]
struct RecorderState {
    programs: Vec<ProgramCounts>,
    /// The index of the running program.
    running: Option<usize>,
    /// The line that is running, in the program, and since when.
    clock: Option<(u32, Instant)>,
}

#[derive(Debug)]
struct ProgramCounts {
    program: Arc<Program>,
    nodes: HashMap<NodeAddress, NodeRole>,
    lines: BTreeMap<u32, LineCoverage>,
    branches: Vec<BranchCounts>,
}

/// A node of a tree by its address, which stays the same while its program lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct NodeAddress {
    is_statement: bool,
    address: usize,
}

impl NodeAddress {
    fn of_statement(statement: &Stmt) -> NodeAddress {
        NodeAddress { is_statement: true, address: std::ptr::from_ref(statement).addr() }
    }

    fn of_expression(expression: &Expr) -> NodeAddress {
        NodeAddress { is_statement: false, address: std::ptr::from_ref(expression).addr() }
    }

    fn of_ast_node(node: ASTNode<'_>) -> Option<NodeAddress> {
        match node {
            ASTNode::Stmt(statement) => Some(NodeAddress::of_statement(statement)),
            ASTNode::Expr(expression) => Some(NodeAddress::of_expression(expression)),
            _ => None,
        }
    }
}

/// What reaching a node tells.
#[derive(Debug, Default)]
struct NodeRole {
    /// The line whose statement it is.
    counts: Option<u32>,
    /// The line that its time belongs to.
    line: Option<u32>,
    /// The forks that it is: one for each arm of a `switch`, else one at most.
    forks: Vec<usize>,
    /// The arms that it begins.
    begins: Vec<(usize, usize)>,
}

/// A branch while it is counted.
#[derive(Debug, Default)]
struct BranchCounts {
    place: (u32, u32),
    taken: [u64; 2],
    /// Whether reaching an arm can be seen; the other way is what is left.
    seen: [bool; 2],
    /// In the present run: how often the fork was reached, and its arms.
    run: (u64, [u64; 2]),
}

impl CoverageRecorder {
    fn lock_state(&self) -> MutexGuard<'_, RecorderState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets `engine` report every step to this recorder.
    pub(super) fn attach(self: &Arc<Self>, engine: &mut Engine) {
        let recorder = Arc::clone(self);
        #[expect(
            deprecated,
            reason = "Rhai marks the callback as unstable; the version is pinned"
        )]
        engine.register_debugger(
            |_, debugger| debugger,
            move |_, _, node, _, _| {
                recorder.lock_state().count_node(node);
                Ok(DebuggerCommand::StepInto)
            },
        );
    }

    /// Gets to know a program with its tree, which must not move from now on; programs come in
    /// order of their numbers.
    pub(super) fn add_program(&self, program: &Arc<Program>, tree: Option<&AST>) {
        let (nodes, lines, branches) = (HashMap::new(), BTreeMap::new(), Vec::new());
        let mut seen = ProgramCounts { program: Arc::clone(program), nodes, lines, branches };
        if let Some(tree) = tree {
            seen.index_tree(tree);
        }
        if matches!(program.form, ProgramForm::Expression(_)) {
            seen.lines.insert(1, LineCoverage::default());
        }
        self.lock_state().programs.push(seen);
    }

    /// The program with this number begins to run.
    pub(super) fn begin_run(&self, program: usize) {
        let mut state = self.lock_state();
        state.running = Some(program);
        state.clock = None;
        if let Some(seen) = state.programs.get_mut(program)
            && matches!(seen.program.form, ProgramForm::Expression(_))
        {
            seen.lines.entry(1).or_default().runs += 1;
            state.clock = Some((1, Instant::now()));
        }
    }

    /// The running program has ended, well or not.
    pub(super) fn end_run(&self, well: bool) {
        let mut state = self.lock_state();
        state.advance_clock(None);
        let running = state.running.take();
        let seen = running.and_then(|program| state.programs.get_mut(program));
        for fork in seen.into_iter().flat_map(|seen| &mut seen.branches) {
            fork.finish_run(well);
        }
    }

    /// Everything counted so far, by program.
    pub(super) fn collect_coverage(&self) -> Vec<ProgramCoverage> {
        self.lock_state().programs.iter().flat_map(ProgramCounts::coverage_by_file).collect()
    }
}

impl RecorderState {
    fn count_node(&mut self, node: ASTNode<'_>) {
        let Some(node) = NodeAddress::of_ast_node(node) else { return };
        let Some(seen) = self.running.and_then(|program| self.programs.get_mut(program)) else {
            return;
        };
        let Some(meaning) = seen.nodes.get(&node) else { return };

        if let Some(line) = meaning.counts.and_then(|line| seen.lines.get_mut(&line)) {
            line.runs += 1;
        }

        for fork in &meaning.forks {
            if let Some(fork) = seen.branches.get_mut(*fork) {
                fork.run.0 += 1;
            }
        }

        for (fork, arm) in &meaning.begins {
            let arms = seen.branches.get_mut(*fork).map(|fork| &mut fork.run.1);
            if let Some(count) = arms.and_then(|arms| arms.get_mut(*arm)) {
                *count += 1;
            }
        }

        if let Some(line) = meaning.line
            && matches!(seen.program.form, ProgramForm::Policy(_))
        {
            self.advance_clock(Some(line));
        }
    }

    /// Books the time since the last step, and begins with the next line.
    fn advance_clock(&mut self, next: Option<u32>) {
        let now = Instant::now();
        if let Some((line, since)) = self.clock.take()
            && let Some(seen) = self.running.and_then(|program| self.programs.get_mut(program))
            && let Some(line) = seen.lines.get_mut(&line)
        {
            let nanos = now.duration_since(since).as_nanos();
            line.nanos += u64::try_from(nanos).unwrap_or(u64::MAX);
        }
        self.clock = next.map(|line| (line, now));
    }
}

impl BranchCounts {
    fn finish_run(&mut self, well: bool) {
        let (reached, arms) = std::mem::take(&mut self.run);
        let seen: u64 = arms.iter().sum();
        // Where a run broke off, one fork may have been reached without being decided.
        let rest = reached.saturating_sub(seen).saturating_sub(u64::from(!well));
        for ((taken, count), seen) in self.taken.iter_mut().zip(arms).zip(self.seen) {
            *taken += if seen { count } else { rest };
        }
    }
}

impl ProgramCounts {
    fn index_tree(&mut self, tree: &AST) {
        let policy = matches!(self.program.form, ProgramForm::Policy(_));
        // Constants of the top level are computed once, when the policy is compiled.
        let top: Vec<NodeAddress> =
            tree.statements().iter().map(NodeAddress::of_statement).collect();
        tree.walk(&mut |path| {
            let Some(last) = path.last() else { return true };

            let line = path.iter().rev().find_map(|node| match node {
                ASTNode::Stmt(statement) => statement_line(statement),
                _ => None,
            });

            let constant = match path.first() {
                Some(ASTNode::Stmt(statement)) => {
                    top.contains(&NodeAddress::of_statement(statement))
                }
                _ => false,
            };

            if let Some(line) = line.filter(|_| policy && !constant) {
                self.index_line(*last, line);
            }

            self.index_branch(*last);
            true
        });
    }

    fn index_line(&mut self, node: ASTNode<'_>, line: u32) {
        if let Some(at) = NodeAddress::of_ast_node(node) {
            self.nodes.entry(at).or_default().line = Some(line);
        }
        if let ASTNode::Stmt(statement) = node
            && let Some(begin) = first_node(statement)
            && statement_line(statement).is_some()
            && !self.lines.contains_key(&line)
        {
            self.lines.insert(line, LineCoverage::default());
            self.nodes.entry(begin).or_default().counts = Some(line);
        }
    }

    fn index_branch(&mut self, node: ASTNode<'_>) {
        if let (ASTNode::Expr(expression), Some(at)) = (node, NodeAddress::of_ast_node(node)) {
            for body in switch_bodies(expression) {
                let begin = first_node_of_expression(body);
                self.add_fork(at, body.start_position(), [begin, None]);
            }
        }

        let (position, arms) = match node {
            ASTNode::Stmt(Stmt::If(parts, position)) => {
                let [then, other] = [parts.body.statements(), parts.branch.statements()];
                (*position, [then.first().and_then(first_node), other.first().and_then(first_node)])
            }
            ASTNode::Expr(Expr::And(parts, position) | Expr::Or(parts, position)) => {
                (*position, [parts.get(1).map(NodeAddress::of_expression), None])
            }
            _ => return,
        };

        if let Some(at) = NodeAddress::of_ast_node(node) {
            self.add_fork(at, position, arms);
        }
    }

    /// A place where a run that comes to node `at` goes one way or the other.
    fn add_fork(&mut self, at: NodeAddress, position: Position, arms: [Option<NodeAddress>; 2]) {
        let Some(place) = line_and_column(position) else { return };
        let seen = arms.map(|arm| arm.is_some());
        // An `if` that does nothing either way decides nothing.
        if seen == [false, false] {
            return;
        }

        let fork = self.branches.len();
        self.branches.push(BranchCounts { place, seen, ..BranchCounts::default() });
        self.nodes.entry(at).or_default().forks.push(fork);

        for (arm, begin) in arms.into_iter().enumerate() {
            if let Some(begin) = begin {
                self.nodes.entry(begin).or_default().begins.push((fork, arm));
            }
        }
    }

    /// What was seen, by file; the program's own is always there.
    fn coverage_by_file(&self) -> Vec<ProgramCoverage> {
        let origin = &self.program.origin;
        let texts: Vec<&str> = self.program.source.lines().collect();

        let empty = |file: &str| ProgramCoverage {
            program: Arc::clone(&self.program),
            file: file.to_owned(),
            texts: BTreeMap::new(),
            lines: BTreeMap::new(),
            branches: BTreeMap::new(),
        };
        let own = &origin.place.file;
        let mut files = BTreeMap::from([(own.clone(), empty(own))]);

        for (line, seen) in &self.lines {
            let place = origin.place_at(*line, 1);
            let file = files.entry(place.file.clone()).or_insert_with(|| empty(&place.file));
            let text = texts.get(line.saturating_sub(1) as usize).unwrap_or(&"");
            file.texts.insert(place.line, text.trim().to_owned());
            file.lines.insert(place.line, *seen);
        }

        for fork in &self.branches {
            let place = origin.place_at(fork.place.0, fork.place.1);
            let file = files.entry(place.file.clone()).or_insert_with(|| empty(&place.file));
            file.branches.insert((place.line, place.column), BranchCoverage { taken: fork.taken });
        }

        files.into_values().collect()
    }
}

/// The first node that Rhai reports when it runs a statement: it passes over those that only hold
/// another.
fn first_node(statement: &Stmt) -> Option<NodeAddress> {
    match statement {
        Stmt::Noop(_) => None,
        Stmt::Expr(expression) => first_node_of_expression(expression),
        statement => Some(NodeAddress::of_statement(statement)),
    }
}

fn first_node_of_expression(expression: &Expr) -> Option<NodeAddress> {
    match expression {
        Expr::Stmt(block) => block.statements().first().and_then(first_node),
        expression => Some(NodeAddress::of_expression(expression)),
    }
}

/// The line on which a statement begins; a block begins nothing.
fn statement_line(statement: &Stmt) -> Option<u32> {
    let position = match statement {
        Stmt::Noop(_) | Stmt::Block(_) => return None,
        Stmt::Expr(expression) => match &**expression {
            Expr::Stmt(_) => return None,
            expression => expression.start_position(),
        },
        statement => statement.position(),
    };
    line_and_column(position).map(|(line, _)| line)
}
