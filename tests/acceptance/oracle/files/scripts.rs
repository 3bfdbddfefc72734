//! Policies as their files.

use std::fmt::Write;

use crate::oracle::scripts::{Body, Expr, Script, Step};
use crate::oracle::world::{Assign, Hold, Keep, Outcome, Test, Value, World};

/// The name of a policy by its place in the world.
pub(super) fn name(place: usize) -> String {
    format!("p{place}")
}

/// The policies that plans, rules and results name.
fn used(world: &World) -> Vec<usize> {
    let mut all: Vec<usize> = Vec::new();
    let mut of = |test: Test, results: &[Outcome]| {
        all.extend(if let Test::Policy(place) = test { Some(place) } else { None });
        for result in results {
            all.extend(if let Value::Policy(place) = result.value { Some(place) } else { None });
            all.extend(if let Hold::Policy(place) = result.hold { Some(place) } else { None });
            all.extend(if let Keep::Policy(place) = result.duplicates {
                Some(place)
            } else {
                None
            });
        }
    };
    for plan in &world.plans {
        of(plan.filter, &[]);
        plan.direct.iter().for_each(|rule| of(rule.test, &rule.results));
        plan.indirect.iter().for_each(|rule| of(rule.test, &rule.results));
    }
    for plan in &world.plans {
        all.extend(&plan.policies);
        for assign in plan.direct.iter().flat_map(|rule| &rule.assign) {
            all.extend(if let Assign::Policy(place) = assign { *place } else { None });
        }
    }
    all
}

/// Path and text of every policy that is used.
pub(super) fn all(world: &World) -> Vec<(String, String)> {
    let file = |(place, script): (usize, &Script)| {
        (format!("policies/{}/{}.rhai", script.kind.name(), name(place)), text(script))
    };
    let used = used(world);
    let all = world.policies.iter().enumerate();
    all.filter(|(place, _)| used.contains(place)).map(file).collect()
}

fn text(script: &Script) -> String {
    let mut text = String::new();
    for (name, value) in &script.constants {
        writeln!(text, "const {name} = {};", expr(value)).unwrap();
    }
    for helper in &script.helpers {
        function(&mut text, (helper.name, helper.parameters), &helper.body);
    }
    function(&mut text, script.kind.entry(), &script.body);
    text
}

/// An expression of a rule or a result.
pub(super) fn inline(world: &World, place: usize) -> String {
    expr(&world.inlines[place])
}

fn function(text: &mut String, (name, parameters): (&str, &[&str]), body: &Body) {
    writeln!(text, "fn {name}({}) {{", parameters.join(", ")).unwrap();
    steps(text, &body.steps, 1);
    writeln!(text, "    {}\n}}", expr(&body.last)).unwrap();
}

fn steps(text: &mut String, all: &[Step], depth: usize) {
    let indent = "    ".repeat(depth);
    for step in all {
        match step {
            Step::Let(name, value) => writeln!(text, "{indent}let {name} = {};", expr(value)),
            Step::Set(name, value) => writeln!(text, "{indent}{name} = {};", expr(value)),
            Step::ReturnIf(test, value) => {
                writeln!(text, "{indent}if {} {{ return {}; }}", expr(test), expr(value))
            }
            Step::ThrowIf(test) => writeln!(text, "{indent}if {} {{ throw \"no\"; }}", expr(test)),
            Step::If(test, inner) => {
                writeln!(text, "{indent}if {} {{", expr(test)).unwrap();
                steps(text, inner, depth + 1);
                writeln!(text, "{indent}}}")
            }
            Step::Each(name, inner) => {
                writeln!(text, "{indent}for {name} in existing {{").unwrap();
                steps(text, inner, depth + 1);
                writeln!(text, "{indent}}}")
            }
        }
        .unwrap();
    }
}

fn list(all: &[Expr]) -> String {
    all.iter().map(expr).collect::<Vec<_>>().join(", ")
}

fn expr(expr_: &Expr) -> String {
    match expr_ {
        Expr::Number(number) if number.is_sign_negative() => format!("({number})"),
        Expr::Number(number) => number.to_string(),
        Expr::Text(text) => format!("{text:?}"),
        Expr::Bool(flag) => flag.to_string(),
        Expr::Nothing => "()".to_owned(),
        Expr::Name(name) => (*name).to_owned(),
        Expr::Field(of, field) => format!("{of}.{field}"),
        Expr::Column(column) => format!("tx[\"{column}\"]"),
        Expr::Has(field) => format!("tx.has(\"{field}\")"),
        Expr::Attribute(of, name) => format!("{}[\"{name}\"]", expr(of)),
        Expr::Dot(of, field) => format!("{}.{field}", expr(of)),
        Expr::Maybe(of, field) => format!("{}?.{field}", expr(of)),
        Expr::Len(of) => format!("{of}.len()"),
        Expr::Op(op, left, right) => {
            let side = |side: &Expr| match side {
                Expr::Op(..) => format!("({})", expr(side)),
                _ => expr(side),
            };
            format!("{} {op} {}", side(left), side(right))
        }
        Expr::If(test, yes, no) => {
            format!("if {} {{ {} }} else {{ {} }}", expr(test), expr(yes), expr(no))
        }
        Expr::Call(name, arguments) => format!("{name}({})", list(arguments)),
        Expr::Array(items) => format!("[{}]", list(items)),
        Expr::Map(entries) => {
            let entry = |(key, value): &(&str, Expr)| format!("{key}: {}", expr(value));
            format!("#{{ {} }}", entries.iter().map(entry).collect::<Vec<_>>().join(", "))
        }
    }
}
