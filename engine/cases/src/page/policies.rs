//! The policies of a plan in the words of their authors.
//!
//! Not what they do (`scripts` run them). Called by `page`.

use super::lineage;
use super::markdown::Page;
use super::wording::{Wording, policy_name};

/// Every policy that the plan uses, once each, with the first sentence of its comment, what it needs
/// and an example.
pub(super) fn write_policies(page: &mut Page, words: Wording<'_>) {
    let used = lineage::programs_used(words);
    let policies: Vec<_> = used
        .iter()
        .filter_map(|id| words.program(*id))
        .filter(|one| !one.name.is_empty())
        .collect();
    if policies.is_empty() {
        return;
    }

    page.heading(2, "Policies");
    for policy in policies {
        page.text(&format!("**{}**", policy_name(policy)));
        page.list(&words.author_words(policy));
    }
}
