//! Examples that the policies of the library and the domain give, worked out by hand.

use super::{check, relationship, rows, text, tx, world};
use crate::oracle::naive::Status;
use crate::oracle::scripts::{Body, Expr, Kind, Script, Step};
use crate::oracle::world::{Keep, day};

fn number(text: &str) -> Expr {
    Expr::Number(text.parse().unwrap())
}

fn op(op: &'static str, left: Expr, right: Expr) -> Expr {
    Expr::Op(op, Box::new(left), Box::new(right))
}

fn script(kind: Kind, steps: Vec<Step>, last: Expr) -> Script {
    let constants = vec![("OVERLAY_WEIGHT", number("0.25")), ("LARGE", number("100000"))];
    Script { kind, constants, helpers: Vec::new(), body: Body { steps, last } }
}

/// Overlay: the owner has the whole deal and Olga a quarter on top; a deal without an overlay is
/// the owner's. A plan's crediting policy is its default.
#[test]
fn an_overlay_on_top() {
    let mut world = world(&[("ann", ""), ("olga", "")]);
    let owner = || Expr::Field("tx", "default_credit");
    let alone = op("==", Expr::Column("desk"), Expr::Text(String::new()));
    let shares = vec![
        Expr::Call("share", vec![owner(), number("1")]),
        Expr::Call("share", vec![Expr::Column("desk"), Expr::Name("OVERLAY_WEIGHT")]),
    ];
    let steps = vec![Step::ReturnIf(alone, owner())];
    world.policies = vec![script(Kind::Crediting, steps, Expr::Array(shares))];
    world.plans[0].policies = vec![0];
    world.transactions.push(tx("T1", "2022-01-12", "1000", "Ann"));
    world.transactions.push(tx("T2", "2022-01-12", "1000", "Ann"));
    world.transactions[0].desk = text("Olga");
    check(
        &world,
        &["T1 ann direct 1000.00 USD", "T1 olga direct 250.00 USD", "T2 ann direct 1000.00 USD"],
    );
}

/// Large deals: 100,000.01 of 2022-01-12 is held until 2022-02-11, 100,000 is not held.
#[test]
fn large_deals_wait_for_thirty_days() {
    let mut world = world(&[("ann", "")]);
    let large = op(">", Expr::Field("tx", "amount"), Expr::Name("LARGE"));
    let days = Expr::Call("hold_for", vec![number("30"), Expr::Text(text("days"))]);
    let none = Expr::Call("no_hold", Vec::new());
    let last = Expr::If(Box::new(large), Box::new(days), Box::new(none));
    world.policies = vec![script(Kind::Hold, Vec::new(), last)];
    world.plans[0].policies = vec![0];
    world.transactions.push(tx("T1", "2022-01-12", "100000.01", "ann"));
    world.transactions.push(tx("T2", "2022-01-12", "100000", "ann"));
    let found: Vec<_> = rows(&world).into_iter().map(|row| (row.status, row.release)).collect();
    let until = Some(day("2022-02-11"));
    assert_eq!(found, [(Status::Held, until), (Status::Active, None)]);
}

/// DOMAIN 3.6 d by a policy: of two credits that reach one manager the second is kept while fewer
/// than four credits are there; the word on a result beats the plan's policy.
#[test]
fn the_nearest_word_decides_about_duplicates() {
    let mut world = world(&[("ann", "max"), ("bob", "max"), ("max", "")]);
    let few = op("<", Expr::Len("existing"), number("4"));
    world.policies = vec![script(Kind::Duplication, Vec::new(), few)];
    world.plans[0].policies = vec![0];
    world.plans[0].indirect.push(relationship("Reporting"));
    world.transactions.push(tx("T1", "2022-01-12", "100", "ann;bob"));
    let mut suppressed = |keep| {
        world.plans[0].indirect[0].results[0].duplicates = keep;
        rows(&world).iter().filter(|row| row.status.is_suppressed()).count()
    };
    assert_eq!(suppressed(Keep::No), 0);
    assert_eq!(suppressed(Keep::Never), 1);
    assert_eq!(suppressed(Keep::Yes), 0);
    assert_eq!(suppressed(Keep::Policy(0)), 0);
}
