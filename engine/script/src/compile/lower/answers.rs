//! What a function ends with: values that leave it without a copy, shares that become the answer.
//!
//! Not the answers of other kinds, which are made of values (`machine::answer`). Called by `lower`
//! when a function is compiled.
//!
//! **Architecture invariant:** only what is computed last is changed, so that nothing reads a
//! variable after its value left it.

use super::super::node::{ArmNode, Node, ShareNode};
use accredit_domain::policy::ReturnType;

/// Looks through a body for its ends: its last node, and every `return`.
pub(super) fn finish_function(body: &mut [Node], answers_host: bool, returns: ReturnType) {
    let shares = answers_host && returns == ReturnType::Recipients;
    finish_block(body, shares);
}

/// A block that is the end of the function.
fn finish_block(body: &mut [Node], shares: bool) {
    let Some((last, before)) = body.split_last_mut() else { return };
    before.iter_mut().for_each(|node| find_returns(node, shares));
    finish(last, shares);
}

/// A node whose value is that of the function.
fn finish(node: &mut Node, shares: bool) {
    match node {
        Node::Block(body) => finish_block(body, shares),
        Node::If(_, then, other) => {
            finish_block(then, shares);
            finish_block(other, shares);
        }
        Node::Switch(switch) => {
            switch.arms.iter_mut().for_each(|ArmNode { body, .. }| finish(body, shares));
        }
        Node::Return(Some(value)) => finish(value, shares),
        Node::Slot(slot) => *node = Node::LastUse(*slot),
        Node::Array(_) | Node::Call(..) if shares => {
            if let Some(answer) = shares_of(node) {
                *node = answer;
            }
        }
        other => find_returns(other, shares),
    }
}

/// A node after which the function goes on, unless there is a `return` in it.
fn find_returns(node: &mut Node, shares: bool) {
    let each = |body: &mut [Node]| body.iter_mut().for_each(|node| find_returns(node, shares));
    match node {
        Node::Return(Some(value)) => finish(value, shares),
        Node::Block(body) | Node::While(_, body, _) | Node::Do(_, _, body, _) => each(body),
        Node::If(_, then, other) => {
            each(then);
            each(other);
        }
        Node::Switch(switch) => {
            switch.arms.iter_mut().for_each(|ArmNode { body, .. }| find_returns(body, shares));
        }
        Node::For(parts) => each(&mut parts.body),
        _ => (),
    }
}

/// An array of shares, or one alone, as an answer.
fn shares_of(node: &mut Node) -> Option<Node> {
    let items = match node {
        Node::Array(items) => &mut **items,
        only => std::slice::from_mut(only),
    };
    let is_share =
        |item: &Node| matches!(item, Node::Call(function, _) if function.name == "share");
    if !items.iter().all(is_share) {
        return None;
    }
    Some(Node::Shares(items.iter_mut().filter_map(take_share).collect()))
}

/// The parts of `share(who, weight)`.
fn take_share(item: &mut Node) -> Option<ShareNode> {
    let Node::Call(_, arguments) = item else { return None };
    let mut parts = std::mem::take(arguments).into_iter();
    Some(ShareNode { who: parts.next()?, weight: parts.next() })
}
