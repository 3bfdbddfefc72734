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
use rhai::{AST, ASTNode, Engine, Expr, Stmt};

use super::fault::line_and_column;
use accredit_domain::policy::{Form, Program};

/// What was seen of one program.
#[derive(Debug, Clone)]
pub struct Covered {
    /// The program that was measured.
    pub program: Arc<Program>,
    /// The author's file: the program's own, or one whose functions it shares.
    pub file: String,
    /// The text of each line that has a statement.
    pub texts: BTreeMap<u32, String>,
    /// Statements by line of the author's file; an expression of a plan is one line.
    pub lines: BTreeMap<u32, Line>,
    /// Its branches, by place in the author's file.
    pub branches: BTreeMap<(u32, u32), Branch>,
}

/// A line with a statement.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Line {
    /// How often its first statement ran.
    pub runs: u64,
    /// Nanoseconds spent on it, those of functions that it calls left out.
    pub nanos: u64,
}

/// A place where a run goes one way or the other.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Branch {
    /// Of an `if`: then, else. Of `&&` and `||`: right side asked, right side passed over.
    pub taken: [u64; 2],
}

/// Counts while programs run; one a machine.
#[derive(Debug, Default)]
pub(super) struct Recorder(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    programs: Vec<Seen>,
    /// Which program is running.
    running: Option<usize>,
    /// The line that is running, in the program, and since when.
    clock: Option<(u32, Instant)>,
}

#[derive(Debug)]
struct Seen {
    program: Arc<Program>,
    nodes: HashMap<Node, Meaning>,
    lines: BTreeMap<u32, Line>,
    branches: Vec<Fork>,
}

/// A node of a tree by its address, which stays the same while its program lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Node {
    is_statement: bool,
    address: usize,
}

impl Node {
    fn of_statement(statement: &Stmt) -> Node {
        Node { is_statement: true, address: std::ptr::from_ref(statement).addr() }
    }

    fn of_expression(expression: &Expr) -> Node {
        Node { is_statement: false, address: std::ptr::from_ref(expression).addr() }
    }

    fn of(node: ASTNode<'_>) -> Option<Node> {
        match node {
            ASTNode::Stmt(statement) => Some(Node::of_statement(statement)),
            ASTNode::Expr(expression) => Some(Node::of_expression(expression)),
            _ => None,
        }
    }
}

/// What reaching a node tells.
#[derive(Debug, Default)]
struct Meaning {
    /// The line whose statement it is.
    counts: Option<u32>,
    /// The line that its time belongs to.
    line: Option<u32>,
    /// The fork that it is.
    forks: Option<usize>,
    /// The arms that it begins.
    begins: Vec<(usize, usize)>,
}

/// A branch while it is counted.
#[derive(Debug, Default)]
struct Fork {
    place: (u32, u32),
    taken: [u64; 2],
    /// Whether reaching an arm can be seen; the other way is what is left.
    seen: [bool; 2],
    /// In the present run: how often the fork was reached, and its arms.
    run: (u64, [u64; 2]),
}

impl Recorder {
    fn state(&self) -> MutexGuard<'_, State> {
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
                recorder.state().reached(node);
                Ok(DebuggerCommand::StepInto)
            },
        );
    }

    /// Gets to know a program with its tree, which must not move from now on; programs come in
    /// order of their numbers.
    pub(super) fn add(&self, program: &Arc<Program>, tree: Option<&AST>) {
        let (nodes, lines, branches) = (HashMap::new(), BTreeMap::new(), Vec::new());
        let mut seen = Seen { program: Arc::clone(program), nodes, lines, branches };
        if let Some(tree) = tree {
            seen.index(tree);
        }
        if matches!(program.form, Form::Expression(_)) {
            seen.lines.insert(1, Line::default());
        }
        self.state().programs.push(seen);
    }

    /// The program with this number begins to run.
    pub(super) fn begin(&self, program: usize) {
        let mut state = self.state();
        state.running = Some(program);
        state.clock = None;
        if let Some(seen) = state.programs.get_mut(program)
            && matches!(seen.program.form, Form::Expression(_))
        {
            seen.lines.entry(1).or_default().runs += 1;
            state.clock = Some((1, Instant::now()));
        }
    }

    /// The running program has ended, well or not.
    pub(super) fn end(&self, well: bool) {
        let mut state = self.state();
        state.tick(None);
        let running = state.running.take();
        let seen = running.and_then(|program| state.programs.get_mut(program));
        for fork in seen.into_iter().flat_map(|seen| &mut seen.branches) {
            fork.settle(well);
        }
    }

    /// Everything counted so far, by program.
    pub(super) fn covered(&self) -> Vec<Covered> {
        self.state().programs.iter().flat_map(Seen::covered).collect()
    }
}

impl State {
    fn reached(&mut self, node: ASTNode<'_>) {
        let Some(node) = Node::of(node) else { return };
        let Some(seen) = self.running.and_then(|program| self.programs.get_mut(program)) else {
            return;
        };
        let Some(meaning) = seen.nodes.get(&node) else { return };

        if let Some(line) = meaning.counts.and_then(|line| seen.lines.get_mut(&line)) {
            line.runs += 1;
        }

        if let Some(fork) = meaning.forks.and_then(|fork| seen.branches.get_mut(fork)) {
            fork.run.0 += 1;
        }

        for (fork, arm) in &meaning.begins {
            let arms = seen.branches.get_mut(*fork).map(|fork| &mut fork.run.1);
            if let Some(count) = arms.and_then(|arms| arms.get_mut(*arm)) {
                *count += 1;
            }
        }

        if let Some(line) = meaning.line
            && matches!(seen.program.form, Form::Policy(_))
        {
            self.tick(Some(line));
        }
    }

    /// Books the time since the last step, and begins with the next line.
    fn tick(&mut self, next: Option<u32>) {
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

impl Fork {
    fn settle(&mut self, well: bool) {
        let (reached, arms) = std::mem::take(&mut self.run);
        let seen: u64 = arms.iter().sum();
        // Where a run broke off, one fork may have been reached without being decided.
        let rest = reached.saturating_sub(seen).saturating_sub(u64::from(!well));
        for ((taken, count), seen) in self.taken.iter_mut().zip(arms).zip(self.seen) {
            *taken += if seen { count } else { rest };
        }
    }
}

impl Seen {
    fn index(&mut self, tree: &AST) {
        let policy = matches!(self.program.form, Form::Policy(_));
        // Constants of the top level are computed once, when the policy is compiled.
        let top: Vec<Node> = tree.statements().iter().map(Node::of_statement).collect();
        tree.walk(&mut |path| {
            let Some(last) = path.last() else { return true };

            let line = path.iter().rev().find_map(|node| match node {
                ASTNode::Stmt(statement) => statement_line(statement),
                _ => None,
            });

            let constant = match path.first() {
                Some(ASTNode::Stmt(statement)) => top.contains(&Node::of_statement(statement)),
                _ => false,
            };

            if let Some(line) = line.filter(|_| policy && !constant) {
                self.line(*last, line);
            }

            self.fork(*last);
            true
        });
    }

    fn line(&mut self, node: ASTNode<'_>, line: u32) {
        if let Some(at) = Node::of(node) {
            self.nodes.entry(at).or_default().line = Some(line);
        }
        if let ASTNode::Stmt(statement) = node
            && let Some(begin) = begin(statement)
            && statement_line(statement).is_some()
            && !self.lines.contains_key(&line)
        {
            self.lines.insert(line, Line::default());
            self.nodes.entry(begin).or_default().counts = Some(line);
        }
    }

    fn fork(&mut self, node: ASTNode<'_>) {
        let (position, arms) = match node {
            ASTNode::Stmt(Stmt::If(parts, position)) => {
                let [then, other] = [parts.body.statements(), parts.branch.statements()];
                (*position, [then.first().and_then(begin), other.first().and_then(begin)])
            }
            ASTNode::Expr(Expr::And(parts, position) | Expr::Or(parts, position)) => {
                (*position, [parts.get(1).map(Node::of_expression), None])
            }
            _ => return,
        };

        let (Some(place), Some(at)) = (line_and_column(position), Node::of(node)) else { return };
        let seen = arms.map(|arm| arm.is_some());
        // An `if` that does nothing either way decides nothing.
        if seen == [false, false] {
            return;
        }

        let fork = self.branches.len();
        self.branches.push(Fork { place, seen, ..Fork::default() });
        self.nodes.entry(at).or_default().forks = Some(fork);

        for (arm, begin) in arms.into_iter().enumerate() {
            if let Some(begin) = begin {
                self.nodes.entry(begin).or_default().begins.push((fork, arm));
            }
        }
    }

    /// What was seen, by file; the program's own is always there.
    fn covered(&self) -> Vec<Covered> {
        let origin = &self.program.origin;
        let texts: Vec<&str> = self.program.source.lines().collect();

        let empty = |file: &str| Covered {
            program: Arc::clone(&self.program),
            file: file.to_owned(),
            texts: BTreeMap::new(),
            lines: BTreeMap::new(),
            branches: BTreeMap::new(),
        };
        let own = &origin.place.file;
        let mut files = BTreeMap::from([(own.clone(), empty(own))]);

        for (line, seen) in &self.lines {
            let place = origin.at(*line, 1);
            let file = files.entry(place.file.clone()).or_insert_with(|| empty(&place.file));
            let text = texts.get(line.saturating_sub(1) as usize).unwrap_or(&"");
            file.texts.insert(place.line, text.trim().to_owned());
            file.lines.insert(place.line, *seen);
        }

        for fork in &self.branches {
            let place = origin.at(fork.place.0, fork.place.1);
            let file = files.entry(place.file.clone()).or_insert_with(|| empty(&place.file));
            file.branches.insert((place.line, place.column), Branch { taken: fork.taken });
        }

        files.into_values().collect()
    }
}

/// The first node that Rhai reports when it runs a statement: it passes over those that only hold
/// another.
fn begin(statement: &Stmt) -> Option<Node> {
    match statement {
        Stmt::Noop(_) => None,
        Stmt::Expr(expression) => match &**expression {
            Expr::Stmt(block) => block.statements().first().and_then(begin),
            expression => Some(Node::of_expression(expression)),
        },
        statement => Some(Node::of_statement(statement)),
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
