//! Ways through the organisation: upwards along one parent, or outwards along edges.
//!
//! Not what an edge means: positions and teams are walked alike. Called by `organization` and
//! `teams`. Source: DOMAIN 2.3, section 7 (`anc` and `reach`).
//!
//! **Architecture invariant:** every walk ends (INV-H2): nothing is visited twice.

use std::collections::HashSet;
use std::hash::Hash;

use crate::organization::Edge;

/// The parents of `from`, bottom-up; a cycle ends where it would begin again.
pub(super) fn ancestor_path<T: Copy + Eq + Hash>(
    from: T,
    parent: impl Fn(T) -> Option<T>,
) -> Vec<T> {
    let mut path = Vec::new();
    let mut visited = HashSet::from([from]);
    let mut current = from;
    while let Some(next) = parent(current) {
        if !visited.insert(next) {
            break;
        }
        path.push(next);
        current = next;
    }
    path
}

/// What can be reached from `from` over edges that `open` lets pass, breadth first, with the
/// distance from 1.
pub(super) fn reachable_from<'a, T: Copy + Eq + 'a>(
    from: T,
    edges: impl Fn(T) -> Option<&'a Vec<Edge<T>>>,
    open: impl Fn(&Edge<T>) -> bool,
) -> Vec<(T, u32)> {
    let mut reached: Vec<(T, u32)> = Vec::new();
    let mut front = vec![from];
    let mut distance = 1;

    while !front.is_empty() {
        let mut next = Vec::new();
        for source in front {
            for edge in edges(source).into_iter().flatten() {
                let target = edge.target;
                // Cycles are allowed, so a visited node is not entered again.
                let known = target == from || reached.iter().any(|(known, _)| *known == target);
                if !known && open(edge) {
                    reached.push((target, distance));
                    next.push(target);
                }
            }
        }

        front = next;
        distance += 1;
    }

    reached
}
