//! Smaller worlds that still fail: one thing dropped at a time until nothing can be.

use super::rewards::{Formula, Worth};
use super::tables::Due;
use super::world::{
    Assign, Calendar, Hold, Keep, Outcome, Plan, Span, Split, Test, Tx, Value, World,
};

/// The smallest world found for which `fails` holds.
pub(crate) fn smallest(world: World, fails: impl Fn(&World) -> bool) -> World {
    let mut world = world;
    while let Some(smaller) = candidates(&world).into_iter().find(|smaller| fails(smaller)) {
        world = smaller;
    }
    world
}

fn candidates(world: &World) -> Vec<World> {
    let mut all = Vec::new();
    let mut drop_each = |count: usize, drop: &dyn Fn(&mut World, usize)| {
        for index in 0..count {
            let mut smaller = world.clone();
            drop(&mut smaller, index);
            all.push(smaller);
        }
    };
    drop_each(world.transactions.len(), &|w, n| drop(w.transactions.remove(n)));
    if world.plans.len() > 1 {
        drop_each(world.plans.len(), &drop_plan);
    }
    for (p, plan) in world.plans.iter().enumerate() {
        if plan.direct.len() > 1 {
            drop_each(plan.direct.len(), &|w, n| drop(w.plans[p].direct.remove(n)));
        }
        drop_each(plan.indirect.len(), &|w, n| drop(w.plans[p].indirect.remove(n)));
        drop_each(plan.rewards.len(), &|w, n| drop(w.plans[p].rewards.remove(n)));
        drop_each(plan.draws.len(), &|w, n| drop(w.plans[p].draws.remove(n)));
        for (rule, of) in plan.direct.iter().enumerate().filter(|(_, r)| r.results.len() > 1) {
            let count = of.results.len();
            drop_each(count, &|w, n| drop(w.plans[p].direct[rule].results.remove(n)));
        }
        for (rule, of) in plan.indirect.iter().enumerate().filter(|(_, r)| r.results.len() > 1) {
            let count = of.results.len();
            drop_each(count, &|w, n| drop(w.plans[p].indirect[rule].results.remove(n)));
        }
    }
    drop_each(world.seats.len(), &drop_seat);
    drop_each(world.teams.len(), &drop_team);
    drop_each(world.members.len(), &|w, n| drop(w.members.remove(n)));
    drop_each(world.areas.len(), &|w, n| drop(w.areas.remove(n)));
    drop_each(world.edges.len(), &|w, n| drop(w.edges.remove(n)));
    drop_each(world.aliases.len(), &|w, n| drop(w.aliases.remove(n)));
    drop_each(world.quotas.len(), &|w, n| drop(w.quotas.remove(n)));
    drop_each(world.attributes.len(), &|w, n| drop(w.attributes.remove(n)));
    for (table, of) in world.tables.iter().enumerate().filter(|(_, table)| table.rows.len() > 1) {
        drop_each(of.rows.len(), &|w, n| drop(w.tables[table].rows.remove(n)));
    }
    drop_each(world.rates.len(), &|w, n| drop(w.rates.remove(n)));
    drop_each(world.finalized.len(), &|w, n| drop(w.finalized.remove(n)));
    drop_each(world.closed.len(), &|w, n| drop(w.closed.remove(n)));
    if !world.simple {
        drop_each(world.people.len(), &drop_person);
        drop_each(world.sittings.len(), &|w, n| drop(w.sittings.remove(n)));
    }
    all.extend(simpler(world));
    all
}

fn drop_plan(world: &mut World, n: usize) {
    let gone = world.plans.remove(n).id;
    world.quotas.retain(|quota| quota.plan != gone);
    for rule in world.plans.iter_mut().flat_map(|plan| &mut plan.indirect) {
        rule.sources.retain(|source| *source != gone);
    }
}

fn drop_team(world: &mut World, n: usize) {
    let gone = world.teams.remove(n).id;
    if world.teams.iter().any(|team| team.id == gone) {
        return;
    }
    world.members.retain(|member| member.team != gone);
    world.areas.retain(|area| area.team != gone);
    world.edges.retain(|e| e.source != gone && e.target != gone);
    world.aliases.retain(|a| a.kind != "team" || a.id != gone);
    for team in &mut world.teams {
        team.parent = team.parent.take().filter(|parent| *parent != gone);
    }
}

fn drop_seat(world: &mut World, n: usize) {
    let gone = world.seats.remove(n);
    if world.simple {
        world.sittings.retain(|s| s.seat != gone.id || s.span != gone.span);
    }
    if world.seats.iter().any(|seat| seat.id == gone.id) {
        return;
    }
    let id = &gone.id;
    world.sittings.retain(|s| s.seat != *id);
    world.edges.retain(|e| e.source != *id && e.target != *id);
    world.aliases.retain(|a| a.kind != "position" || a.id != *id);
    for seat in &mut world.seats {
        seat.manager = seat.manager.take().filter(|manager| manager != id);
    }
    for team in &mut world.teams {
        team.manager = team.manager.take().filter(|manager| manager != id);
    }
    if world.simple {
        world.members.retain(|member| member.person != *id);
        world.people.retain(|person| person.id != *id);
        world.aliases.retain(|a| a.id != *id);
    }
}

fn drop_person(world: &mut World, n: usize) {
    let gone = world.people.remove(n).id;
    world.sittings.retain(|s| s.person != gone);
    world.members.retain(|member| member.person != gone);
    world.aliases.retain(|a| a.kind != "participant" || a.id != gone);
}

/// The same world with one setting back to what it would be if left out.
fn simpler(world: &World) -> Vec<World> {
    let mut all: Vec<World> = Vec::new();
    let mut change = |change: &dyn Fn(&mut World)| {
        let mut changed = world.clone();
        change(&mut changed);
        if format!("{changed:?}") != format!("{world:?}") {
            all.push(changed);
        }
    };
    change(&|w| w.as_of = None);
    change(&|w| w.us_dates = false);
    change(&|w| w.period = None);
    change(&|w| w.calendar = Calendar::Months(1));
    change(&|w| w.scale = 2);
    change(&|w| w.units[0].scale = None);
    for p in 0..world.plans.len() {
        plan(&world.plans[p], &mut change, &|w| &mut w.plans[p]);
    }
    for n in 0..world.people.len() {
        change(&|w| w.people[n].currency = None);
    }
    for n in 0..world.seats.len() {
        change(&|w| w.seats[n].manager = None);
        if !world.simple {
            change(&|w| w.seats[n].span = Span::default());
        }
    }
    for n in 0..world.teams.len() {
        change(&|w| w.teams[n].manager = None);
        change(&|w| w.teams[n].parent = None);
    }
    for n in 0..world.members.len() {
        change(&|w| w.members[n].weight.clear());
        change(&|w| w.members[n].span = Span::default());
    }
    for n in 0..world.edges.len() {
        change(&|w| w.edges[n].span = Span::default());
    }
    for n in 0..world.transactions.len() {
        transaction(&mut change, &|w| &mut w.transactions[n]);
    }
    all
}

fn plan(plan: &Plan, change: &mut dyn FnMut(Change<'_>), of: &dyn Fn(&mut World) -> &mut Plan) {
    change(&|w| of(w).span = Span::default());
    change(&|w| of(w).filter = Test::Always);
    change(&|w| of(w).split = Split::Equal);
    change(&|w| of(w).total_one = false);
    change(&|w| of(w).quota = None);
    change(&|w| of(w).prorate = false);
    change(&|w| of(w).carry = false);
    change(&|w| of(w).posted = false);
    change(&|w| of(w).across_years = true);
    for n in 0..plan.policies.len() {
        change(&|w| drop_policy(of(w), n));
    }
    change(&|w| of(w).targets = vec!["*".to_owned()]);
    for n in 0..plan.direct.len() {
        change(&|w| of(w).direct[n].test = Test::Always);
        change(&|w| of(w).direct[n].span = Span::default());
        change(&|w| of(w).direct[n].assign.clear());
        change(&|w| of(w).direct[n].assign.truncate(1));
        change(&|w| of(w).direct[n].assign.reverse());
        for result in 0..plan.direct[n].results.len() {
            plainer(change, &|w| &mut of(w).direct[n].results[result]);
        }
    }
    for n in 0..plan.rewards.len() {
        change(&|w| of(w).rewards[n].maximum = None);
        change(&|w| of(w).rewards[n].to = None);
        change(&|w| of(w).rewards[n].to_date = None);
        change(&|w| of(w).rewards[n].everyone = false);
        change(&|w| of(w).rewards[n].targets.clear());
        change(&|w| of(w).rewards[n].span = Span::default());
        change(&|w| of(w).rewards[n].worth = Worth::Value(Formula::Share(1.into())));
    }
    for n in 0..plan.draws.len() {
        change(&|w| of(w).draws[n].targets.clear());
        change(&|w| of(w).draws[n].to = None);
        change(&|w| of(w).draws[n].most = None);
        change(&|w| of(w).draws[n].covers.clear());
        change(&|w| of(w).draws[n].amount = Due::Fixed(100.into()));
    }
    for n in 0..plan.indirect.len() {
        change(&|w| of(w).indirect[n].test = Test::Always);
        change(&|w| of(w).indirect[n].span = Span::default());
        change(&|w| of(w).indirect[n].receivers = vec!["*".to_owned()]);
        change(&|w| of(w).indirect[n].sources.clear());
        for result in 0..plan.indirect[n].results.len() {
            plainer(change, &|w| &mut of(w).indirect[n].results[result]);
        }
    }
}

fn transaction(change: &mut dyn FnMut(Change<'_>), of: &dyn Fn(&mut World) -> &mut Tx) {
    change(&|w| of(w).owners[1].clear());
    change(&|w| of(w).desk.clear());
    change(&|w| of(w).team.clear());
    change(&|w| of(w).positions.clear());
    change(&|w| of(w).related[0].clear());
    change(&|w| of(w).related[1].clear());
    change(&|w| of(w).units.clear());
    change(&|w| of(w).currency.clear());
    change(&|w| of(w).void = false);
    change(&|w| of(w).product.clear());
    change(&|w| of(w).geography.clear());
    change(&|w| of(w).postal.clear());
    change(&|w| of(w).amount = "100".to_owned());
    for place in 0..4 {
        change(&|w| drop_name(&mut of(w).owners[0], place));
        change(&|w| drop_name(&mut of(w).team, place));
    }
}

/// Words that mean the plan's crediting policy go with it.
fn drop_policy(plan: &mut Plan, n: usize) {
    plan.policies.remove(n);
    for rule in &mut plan.direct {
        rule.assign.retain(|assign| *assign != Assign::Policy(None));
    }
}

fn drop_name(text: &mut String, place: usize) {
    let plain = text.replace("||", ";");
    let mut names: Vec<&str> = plain.split(';').collect();
    if place < names.len() {
        names.remove(place);
    }
    *text = names.join(";");
}

/// What is done to a world.
type Change<'a> = &'a dyn Fn(&mut World);

fn plainer(change: &mut dyn FnMut(Change<'_>), result: &dyn Fn(&mut World) -> &mut Outcome) {
    change(&|w| result(w).cap = None);
    change(&|w| result(w).unit = None);
    change(&|w| result(w).hold = Hold::None);
    change(&|w| result(w).value = Value::Default);
    change(&|w| result(w).rollable = false);
    change(&|w| result(w).on_reporting = false);
    change(&|w| result(w).duplicates = Keep::Yes);
    change(&|w| result(w).per_item = false);
}
