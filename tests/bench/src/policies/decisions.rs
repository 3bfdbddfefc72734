//! The policy as a decision table of GoRules, compiled beforehand, evaluated by its engine.

use serde_json::json;
use zen_engine::Decision;
use zen_engine::model::DecisionContent;
use zen_expression::Variable;

use super::expressions::zen_deal;
use super::{Deal, Part, Policy};

pub struct ZenEngine {
    decision: Decision,
    runtime: tokio::runtime::Runtime,
}

impl ZenEngine {
    pub fn new() -> ZenEngine {
        let content: DecisionContent = serde_json::from_value(graph()).unwrap();
        let graph = content.as_graph().unwrap().clone();
        let mut decision = Decision::from(graph);
        decision.compile();
        ZenEngine { decision, runtime: tokio::runtime::Runtime::new().unwrap() }
    }
}

/// Input, a table whose first row that holds counts, output.
fn graph() -> serde_json::Value {
    let rule = |conditions: [&str; 3], weights: [&str; 2]| {
        json!({
            "quantity": conditions[0], "second": conditions[1], "city": conditions[2],
            "one": "first", "weight": weights[0], "two": "second", "other": weights[1],
        })
    };
    let output = |id: &str| json!({ "id": id, "name": id, "field": id });
    let input = |id: &str| json!({ "id": id, "name": id, "field": id });
    let table = json!({
        "hitPolicy": "first",
        "inputs": [input("quantity"), input("second"), input("city")],
        "outputs": [output("one"), output("weight"), output("two"), output("other")],
        "rules": [
            rule([">= 1000", "", ""], ["null", "null"]),
            rule(["", "''", ""], ["null", "null"]),
            rule([">= 500", "", ""], ["0.6", "0.4"]),
            rule(["", "", "'Berlin'"], ["0.7", "0.3"]),
            rule(["", "", ""], ["0.5", "0.5"]),
        ],
    });
    json!({
        "nodes": [
            { "id": "input", "name": "input", "type": "inputNode", "content": {} },
            { "id": "table", "name": "table", "type": "decisionTableNode", "content": table },
            { "id": "output", "name": "output", "type": "outputNode", "content": {} },
        ],
        "edges": [
            { "id": "a", "sourceId": "input", "targetId": "table" },
            { "id": "b", "sourceId": "table", "targetId": "output" },
        ],
    })
}

impl Policy for ZenEngine {
    type Answer = Vec<Part>;

    fn run(&mut self, deals: &[Deal], take: &mut impl FnMut(Vec<Part>)) {
        let decision = &self.decision;
        self.runtime.block_on(async {
            for deal in deals {
                take(row_parts(decision.evaluate(zen_deal(deal)).await.unwrap().result));
            }
        });
    }

    fn parts(answer: Vec<Part>) -> Vec<Part> {
        answer
    }
}

fn row_parts(answer: Variable) -> Vec<Part> {
    let Variable::Object(row) = answer else { panic!("not a row: {answer:?}") };
    let row = row.borrow();
    let part = |who: &str, weight: &str| {
        let Some(Variable::String(who)) = row.get_str(who) else { panic!("a part without a name") };
        let weight = match row.get_str(weight) {
            Some(Variable::Number(weight)) => Some(*weight),
            _ => None,
        };
        Part { weight, ..Part::alone(who.as_str()) }
    };
    let first = part("one", "weight");
    if first.weight.is_none() {
        return vec![first];
    }
    vec![first, part("two", "other")]
}
