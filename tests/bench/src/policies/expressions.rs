//! The policy as one expression: in CEL, which has no decimals and answers with tenths, and in the
//! language of GoRules.

use cel::{Context, Program, Value};
use zen_expression::{Expression, Isolate, Variable, expression::Standard, variable::VariableMap};

use super::{Deal, Part, Policy};

const CEL: &str = r#"
quantity >= 1000 || second == "" ? [first]
    : quantity >= 500 ? [first, 6, second, 4]
    : city == "Berlin" ? [first, 7, second, 3]
    : [first, 5, second, 5]
"#;

pub struct Cel {
    program: Program,
    context: Context<'static, 'static>,
}

impl Cel {
    pub fn new() -> Cel {
        Cel { program: Program::compile(CEL).unwrap(), context: Context::default() }
    }
}

impl Policy for Cel {
    type Answer = Vec<Part>;

    fn run(&mut self, deals: &[Deal], take: &mut impl FnMut(Vec<Part>)) {
        for deal in deals {
            let mut context = self.context.new_inner_scope();
            context.add_variable_from_value("first", &*deal.first);
            context.add_variable_from_value("second", &*deal.second);
            context.add_variable_from_value("city", &*deal.city);
            context.add_variable_from_value("quantity", i64::from(deal.whole_quantity));
            take(cel_parts(self.program.execute(&context).unwrap()));
        }
    }

    fn parts(answer: Vec<Part>) -> Vec<Part> {
        answer
    }
}

fn cel_parts(answer: Value) -> Vec<Part> {
    let Value::List(items) = answer else { panic!("not a list: {answer:?}") };
    match items.as_slice() {
        [Value::String(first)] => vec![Part::alone(first.as_str())],
        [Value::String(first), Value::Int(tenths), Value::String(second), Value::Int(other)] => {
            vec![Part::tenths(first.as_str(), *tenths), Part::tenths(second.as_str(), *other)]
        }
        other => panic!("not recipients: {other:?}"),
    }
}

const ZEN: &str = "quantity >= 1000 or second == '' ? [first] \
     : quantity >= 500 ? [first, 0.6, second, 0.4] \
     : city == 'Berlin' ? [first, 0.7, second, 0.3] \
     : [first, 0.5, second, 0.5]";

pub struct Zen {
    isolate: Isolate,
    expression: Expression<Standard>,
}

impl Zen {
    pub fn new() -> Zen {
        let mut isolate = Isolate::new();
        let expression = isolate.compile_standard(ZEN).unwrap();
        Zen { isolate, expression }
    }
}

/// A deal as GoRules sees it.
pub fn zen_deal(deal: &Deal) -> Variable {
    let mut fields = VariableMap::with_capacity(4);
    fields.insert("first".into(), Variable::String((&*deal.first).into()));
    fields.insert("second".into(), Variable::String((&*deal.second).into()));
    fields.insert("city".into(), Variable::String((&*deal.city).into()));
    fields.insert("quantity".into(), Variable::Number(deal.quantity));
    Variable::from_object(fields)
}

impl Policy for Zen {
    type Answer = Vec<Part>;

    fn run(&mut self, deals: &[Deal], take: &mut impl FnMut(Vec<Part>)) {
        for deal in deals {
            self.isolate.set_environment(zen_deal(deal));
            take(zen_parts(self.isolate.run_compiled(self.expression.bytecode()).unwrap()));
        }
    }

    fn parts(answer: Vec<Part>) -> Vec<Part> {
        answer
    }
}

fn zen_parts(answer: Variable) -> Vec<Part> {
    let Variable::Array(items) = answer else { panic!("not a list: {answer:?}") };
    let items = items.borrow();
    match items.as_slice() {
        [Variable::String(first)] => vec![Part::alone(first.as_str())],
        [
            Variable::String(first),
            Variable::Number(weight),
            Variable::String(second),
            Variable::Number(other),
        ] => vec![
            Part { weight: Some(*weight), ..Part::alone(first.as_str()) },
            Part { weight: Some(*other), ..Part::alone(second.as_str()) },
        ],
        other => panic!("not recipients: {other:?}"),
    }
}
