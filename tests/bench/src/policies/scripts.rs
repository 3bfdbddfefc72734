//! The policy in scripting languages: LuaJIT, QuickJS, and Rhai as its book shows it.
//!
//! LuaJIT and QuickJS get four arguments rather than a table, and answer with tenths: they have no
//! decimals. Both are faster so.

use std::sync::Arc;

use rhai::{AST, Array, Dynamic, Engine, ImmutableString, Scope};
use rust_decimal::Decimal;

use super::{Deal, Part, Policy};

const LUA: &str = r#"
return function(first, second, quantity, city)
    if quantity >= 1000 or second == "" then
        return first
    end
    if quantity >= 500 then
        return first, 6, second, 4
    end
    if city == "Berlin" then
        return first, 7, second, 3
    end
    return first, 5, second, 5
end
"#;

/// A name, and for two names the tenths of both.
type TwoParts = (String, Option<i64>, Option<String>, Option<i64>);

pub struct Lua {
    function: mlua::Function,
    _state: mlua::Lua,
}

impl Lua {
    pub fn new() -> Lua {
        let state = mlua::Lua::new();
        let function = state.load(LUA).eval().unwrap();
        Lua { function, _state: state }
    }
}

impl Policy for Lua {
    type Answer = Vec<Part>;

    fn run(&mut self, deals: &[Deal], take: &mut impl FnMut(Vec<Part>)) {
        for deal in deals {
            let arguments = (&*deal.first, &*deal.second, deal.whole_quantity, &*deal.city);
            take(two_parts(self.function.call(arguments).unwrap()));
        }
    }

    fn parts(answer: Vec<Part>) -> Vec<Part> {
        answer
    }
}

fn two_parts((first, tenths, second, other_tenths): TwoParts) -> Vec<Part> {
    match (tenths, second, other_tenths) {
        (Some(tenths), Some(second), Some(other_tenths)) => {
            vec![Part::tenths(first, tenths), Part::tenths(second, other_tenths)]
        }
        _ => vec![Part::alone(first)],
    }
}

const JAVASCRIPT: &str = r#"
(function (first, second, quantity, city) {
    if (quantity >= 1000 || second === "") {
        return [first];
    }
    if (quantity >= 500) {
        return [first, 6, second, 4];
    }
    if (city === "Berlin") {
        return [first, 7, second, 3];
    }
    return [first, 5, second, 5];
})
"#;

pub struct QuickJs {
    /// Dropped before its context, which asks for that.
    function: rquickjs::Persistent<rquickjs::Function<'static>>,
    context: rquickjs::Context,
}

impl QuickJs {
    pub fn new() -> QuickJs {
        let runtime = rquickjs::Runtime::new().unwrap();
        let context = rquickjs::Context::full(&runtime).unwrap();
        let function = context.with(|context| {
            let function: rquickjs::Function<'_> = context.eval(JAVASCRIPT).unwrap();
            rquickjs::Persistent::save(&context, function)
        });
        QuickJs { function, context }
    }
}

impl Policy for QuickJs {
    type Answer = Vec<Part>;

    fn run(&mut self, deals: &[Deal], take: &mut impl FnMut(Vec<Part>)) {
        let saved = self.function.clone();
        self.context.with(|context| {
            let function = saved.restore(&context).unwrap();
            for deal in deals {
                let arguments = (&*deal.first, &*deal.second, deal.whole_quantity, &*deal.city);
                let array: rquickjs::Array<'_> = function.call(arguments).unwrap();
                take(two_parts(match array.len() {
                    1 => (array.get(0).unwrap(), None, None, None),
                    _ => {
                        let (second, other) = (array.get(2).unwrap(), array.get(3).unwrap());
                        (array.get(0).unwrap(), array.get(1).unwrap(), second, other)
                    }
                }));
            }
        });
    }

    fn parts(answer: Vec<Part>) -> Vec<Part> {
        answer
    }
}

/// A recipient of the naive embedding of Rhai.
#[derive(Debug, Clone)]
struct RhaiShare {
    who: ImmutableString,
    weight: Decimal,
}

/// A deal of the naive embedding of Rhai.
#[derive(Debug, Clone)]
struct RhaiDeal {
    first: ImmutableString,
    second: ImmutableString,
    city: ImmutableString,
    quantity: Decimal,
}

pub struct PlainRhai {
    engine: Engine,
    ast: AST,
}

impl PlainRhai {
    /// An engine with a type, a property, an indexer and a function, as its book shows them.
    pub fn new(policy: &str) -> PlainRhai {
        let mut engine = Engine::new();
        engine.register_type::<Arc<RhaiDeal>>();
        engine.register_get("quantity", |deal: &mut Arc<RhaiDeal>| deal.quantity);
        engine.register_indexer_get(|deal: &mut Arc<RhaiDeal>, column: &str| match column {
            "Rep 1" => deal.first.clone(),
            "Rep 2" => deal.second.clone(),
            _ => deal.city.clone(),
        });
        engine.register_fn("share", |who: ImmutableString, weight: Decimal| RhaiShare {
            who,
            weight,
        });
        let ast = engine.compile(policy).unwrap();
        PlainRhai { engine, ast }
    }
}

impl Policy for PlainRhai {
    type Answer = Vec<Part>;

    fn run(&mut self, deals: &[Deal], take: &mut impl FnMut(Vec<Part>)) {
        for deal in deals {
            let text = |text: &str| ImmutableString::from(text);
            let tx = Arc::new(RhaiDeal {
                first: text(&deal.first),
                second: text(&deal.second),
                city: text(&deal.city),
                quantity: deal.quantity,
            });
            let mut scope = Scope::new();
            take(shares(self.engine.call_fn(&mut scope, &self.ast, "credit", (tx,)).unwrap()));
        }
    }

    fn parts(answer: Vec<Part>) -> Vec<Part> {
        answer
    }
}

fn shares(answer: Dynamic) -> Vec<Part> {
    match answer.try_cast_result::<Array>() {
        Ok(shares) => shares
            .into_iter()
            .map(|share| {
                let share = share.cast::<RhaiShare>();
                Part { weight: Some(share.weight), ..Part::alone(&*share.who) }
            })
            .collect(),
        Err(text) => vec![Part::alone(&*text.into_immutable_string().unwrap())],
    }
}
