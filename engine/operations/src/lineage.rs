//! What feeds what: from the columns of deals over policies, rules and results to rewards.
//!
//! Not what is done with them, and not the page of one plan (`cases::page`). Called by
//! `http::definitions::lineage`. Source: FORMAT section 3.
//!
//! **Architecture invariant:** an edge is drawn where the checker knows that something may be read:
//! nothing that is read is left out. The same rules give the same graph, in the same order.

mod plans;

use std::collections::{BTreeMap, BTreeSet};

use accredit_domain::policy::{Program, ProgramId};
use accredit_domain::transaction::Field;
use accredit_script::check::FieldReads;
use accredit_script::field_reads;
use accredit_workspace::Ruleset;
use serde::Serialize;
use utoipa::ToSchema;

use crate::candidate::known_columns;
use crate::context::Context;
use crate::error::OperationError;

/// What feeds what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct LineageGraph {
    /// Everything that feeds or is fed, by kind and name.
    pub nodes: Vec<LineageNode>,
    /// What feeds what, by both ends.
    pub edges: Vec<LineageEdge>,
}

/// Something that feeds or is fed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
pub struct LineageNode {
    /// Its kind and its name: `rule:sellers/Booking`.
    pub id: String,
    /// `column`, `table`, `attribute`, `aliases`, `quotas`, `query`, `policy`, `source`, `plan`, `rule`,
    /// `result`, `credit_type`, `reward` or `draw`.
    pub kind: &'static str,
    /// Its name for people.
    pub name: String,
    /// The plan that it belongs to; null for what belongs to none.
    pub plan: Option<String>,
    /// The file that it stands in; null for a column.
    pub file: Option<String>,
    /// The line of the file, from 1, where it is known.
    pub line: Option<u32>,
}

/// Something that feeds something else.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
pub struct LineageEdge {
    /// Id of the node that is read.
    pub from: String,
    /// Id of the node that reads it.
    pub to: String,
    /// For what it is read.
    pub why: String,
}

/// What feeds what by the rules in force.
///
/// # Errors
/// When the columns of recorded deals cannot be read.
pub fn lineage_graph(context: &Context) -> Result<LineageGraph, OperationError> {
    let ruleset = context.ruleset.load_full();
    let columns = known_columns(context)?;
    Ok(graph_of(&ruleset, &columns))
}

/// What feeds what in a ruleset; `columns` are those of recorded deals.
fn graph_of(ruleset: &Ruleset, columns: &BTreeSet<String>) -> LineageGraph {
    let mut graph = GraphInMaking::new(ruleset, columns);
    graph.add_settings();
    for plan in ruleset.plans.values() {
        graph.add_plan(plan);
    }

    let edges = graph.edges.into_iter().map(|(from, to, why)| LineageEdge { from, to, why });
    LineageGraph { edges: edges.collect(), nodes: graph.nodes.into_values().collect() }
}

/// A graph in the making.
struct GraphInMaking<'a> {
    ruleset: &'a Ruleset,
    /// Columns that the settings name, and those of recorded deals.
    columns: BTreeSet<&'a str>,
    /// Saved queries by their programs.
    queries: BTreeMap<ProgramId, &'a str>,
    nodes: BTreeMap<String, LineageNode>,
    edges: BTreeSet<(String, String, String)>,
}

impl<'a> GraphInMaking<'a> {
    fn new(ruleset: &'a Ruleset, observed: &'a BTreeSet<String>) -> GraphInMaking<'a> {
        let settings = &ruleset.settings;
        let named = settings.fields.named_columns();
        let queries = settings.queries.iter().map(|(name, id)| (*id, name.as_str()));
        GraphInMaking {
            ruleset,
            columns: named.chain(observed.iter().map(String::as_str)).collect(),
            queries: queries.collect(),
            nodes: BTreeMap::new(),
            edges: BTreeSet::new(),
        }
    }

    /// Columns, tables, attributes, queries, policies and sources, be they read or not.
    fn add_settings(&mut self) {
        let settings = &self.ruleset.settings;

        // What deals and tables bring.
        for column in self.columns.clone() {
            self.add_column(column);
        }
        for table in settings.tables.keys() {
            self.add_node("table", table, Some(&format!("tables/{table}.csv")), None);
        }
        let attributes = self.ruleset.organization.attributes.kinds();
        for (name, _) in attributes {
            self.add_node("attribute", name, Some("organization/attributes.csv"), None);
        }

        // Programs, with what they read.
        for (id, name) in self.queries.clone() {
            let node = self.add_node("query", name, Some("accredit.toml"), None);
            self.add_program(id, &node, "condition", true);
        }
        for id in self.ruleset.policies.values() {
            self.policy_node(*id);
        }

        for (name, source) in &settings.sources {
            let line = source.place.line;
            let node = self.add_node("source", name, Some("accredit.toml"), Some(line));
            if let Some(intake) = source.intake {
                self.add_program(intake, &node, "intake", false);
            }
        }
    }

    /// A node of no plan; its id.
    fn add_node(
        &mut self,
        kind: &'static str,
        name: &str,
        file: Option<&str>,
        line: Option<u32>,
    ) -> String {
        let node = LineageNode {
            id: format!("{kind}:{name}"),
            kind,
            name: name.to_owned(),
            plan: None,
            file: file.map(str::to_owned),
            line,
        };
        self.keep_node(node)
    }

    fn keep_node(&mut self, node: LineageNode) -> String {
        let id = node.id.clone();
        self.nodes.entry(id.clone()).or_insert(node);
        id
    }

    fn add_column(&mut self, column: &str) -> String {
        self.add_node("column", column, None, None)
    }

    fn add_edge(&mut self, from: &str, to: &str, why: &str) {
        self.edges.insert((from.to_owned(), to.to_owned(), why.to_owned()));
    }

    /// Lets columns feed a reader.
    fn add_columns<'c>(
        &mut self,
        columns: impl IntoIterator<Item = &'c String>,
        reader: &str,
        why: &str,
    ) {
        for column in columns {
            let node = self.add_column(column);
            self.add_edge(&node, reader, why);
        }
    }

    /// The node of the policy that a program is, with what it reads; none of an expression.
    fn policy_node(&mut self, id: ProgramId) -> Option<String> {
        let program = self.ruleset.programs.get(id).filter(|program| !program.name.is_empty())?;
        let (file, line) = (program.origin.place.file.to_string(), program.origin.place.line);
        let node = self.add_node("policy", &program.name, Some(&file), Some(line));
        self.add_reads(program, &node, "policy");
        Some(node)
    }

    /// Lets a program feed `reader`: a policy or a saved query by its own node, an expression by what it
    /// reads. `own` is the query's own program.
    fn add_program(&mut self, id: ProgramId, reader: &str, why: &str, own: bool) {
        let query = self.queries.get(&id).filter(|_| !own).map(|name| format!("query:{name}"));
        let feeds = query.or_else(|| self.policy_node(id));
        if let Some(feeds) = feeds {
            self.add_edge(&feeds, reader, why);
        } else if let Some(program) = self.ruleset.programs.get(id) {
            self.add_reads(program, reader, why);
        }
    }

    /// What a program reads, by the checker.
    fn add_reads(&mut self, program: &Program, reader: &str, why: &str) {
        let FieldReads { names, of_deals, any, .. } = field_reads(program);
        let ruleset = self.ruleset;
        let fields = &ruleset.settings.fields;

        for column in self.columns.clone() {
            // Where the name of a column is computed, every one may be meant.
            if of_deals.contains(column) || any {
                let node = self.add_column(column);
                self.add_edge(&node, reader, why);
            }
        }
        for (field, key) in Field::ALL {
            if of_deals.contains(key) {
                self.add_columns(fields.mapped.get(&field), reader, why);
            }
        }
        if of_deals.contains("default_credit") {
            self.add_columns(fields.names.values().flatten(), reader, why);
            self.add_aliases(reader, why);
        }
        if names.contains("who") {
            self.add_aliases(reader, why);
        }

        let tables = ruleset.tables.lookups.keys().filter(|table| names.contains(&***table));
        for table in tables {
            self.add_edge(&format!("table:{table}"), reader, why);
        }
        let attributes = ruleset.organization.attributes.kinds();
        for (attribute, _) in attributes.filter(|(name, _)| names.contains(&***name)) {
            self.add_edge(&format!("attribute:{attribute}"), reader, why);
        }
    }

    /// Lets the aliases feed a reader, which looks people up by their names.
    fn add_aliases(&mut self, reader: &str, why: &str) {
        let file = "organization/aliases.csv";
        let node = self.add_node("aliases", file, Some(file), None);
        self.add_edge(&node, reader, why);
    }
}
