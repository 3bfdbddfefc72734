//! Smaller worlds that still fail: one thing dropped at a time until nothing can be.

use super::world::{Assign, Hold, Outcome, Span, Split, Test, Value, World};

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
    if world.plan.direct.len() > 1 {
        drop_each(world.plan.direct.len(), &|w, n| drop(w.plan.direct.remove(n)));
    }
    drop_each(world.plan.indirect.len(), &|w, n| drop(w.plan.indirect.remove(n)));
    for (rule, of) in world.plan.direct.iter().enumerate().filter(|(_, r)| r.results.len() > 1) {
        drop_each(of.results.len(), &|w, n| drop(w.plan.direct[rule].results.remove(n)));
    }
    for (rule, of) in world.plan.indirect.iter().enumerate().filter(|(_, r)| r.results.len() > 1) {
        drop_each(of.results.len(), &|w, n| drop(w.plan.indirect[rule].results.remove(n)));
    }
    drop_each(world.seats.len(), &drop_seat);
    drop_each(world.edges.len(), &|w, n| drop(w.edges.remove(n)));
    drop_each(world.aliases.len(), &|w, n| drop(w.aliases.remove(n)));
    if !world.simple {
        drop_each(world.people.len(), &drop_person);
        drop_each(world.sittings.len(), &|w, n| drop(w.sittings.remove(n)));
    }
    all.extend(simpler(world));
    all
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
    if world.simple {
        world.people.retain(|person| person.id != *id);
        world.aliases.retain(|a| a.id != *id);
    }
}

fn drop_person(world: &mut World, n: usize) {
    let gone = world.people.remove(n).id;
    world.sittings.retain(|s| s.person != gone);
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
    change(&|w| w.year_starts = 1);
    change(&|w| w.scale = 2);
    change(&|w| w.plan.span = Span::default());
    change(&|w| w.plan.filter = Test::Always);
    change(&|w| w.plan.split = Split::Equal);
    change(&|w| w.plan.total_one = false);
    change(&|w| w.plan.across_years = true);
    change(&|w| w.plan.targets = vec!["*".to_owned()]);
    for n in 0..world.plan.direct.len() {
        change(&|w| w.plan.direct[n].test = Test::Always);
        change(&|w| w.plan.direct[n].span = Span::default());
        change(&|w| w.plan.direct[n].assign = vec![Assign::Owner]);
        change(&|w| w.plan.direct[n].assign.truncate(1));
        for result in 0..world.plan.direct[n].results.len() {
            plainer(&mut change, &|w| &mut w.plan.direct[n].results[result]);
        }
    }
    for n in 0..world.plan.indirect.len() {
        change(&|w| w.plan.indirect[n].test = Test::Always);
        change(&|w| w.plan.indirect[n].span = Span::default());
        change(&|w| w.plan.indirect[n].receivers = vec!["*".to_owned()]);
        for result in 0..world.plan.indirect[n].results.len() {
            plainer(&mut change, &|w| &mut w.plan.indirect[n].results[result]);
        }
    }
    for n in 0..world.seats.len() {
        change(&|w| w.seats[n].manager = None);
        if !world.simple {
            change(&|w| w.seats[n].span = Span::default());
        }
    }
    for n in 0..world.edges.len() {
        change(&|w| w.edges[n].span = Span::default());
    }
    for n in 0..world.transactions.len() {
        change(&|w| w.transactions[n].owners[1].clear());
        change(&|w| w.transactions[n].desk.clear());
        change(&|w| w.transactions[n].positions.clear());
        change(&|w| w.transactions[n].units.clear());
        change(&|w| w.transactions[n].amount = "100".to_owned());
        for place in 0..4 {
            change(&|w| drop_name(&mut w.transactions[n].owners[0], place));
        }
    }
    all
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
    change(&|w| result(w).hold = Hold::None);
    change(&|w| result(w).value = Value::Default);
    change(&|w| result(w).rollable = false);
    change(&|w| result(w).on_reporting = false);
    change(&|w| result(w).duplicates = true);
    change(&|w| result(w).per_item = false);
}
