//! What a page shows before anyone is signed in.
//!
//! Not who is signed in (`me::profile`). Called by the router.
//!
//! **Architecture invariant:** nothing that a stranger should not read: no names of people but those of a
//! sample company, which are made up.

use std::sync::Arc;

use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::views::{ViewJson, ViewResult};
use crate::server::config::DemoSignIn;
use crate::server::state::Service;

/// What the server is, and how one signs in.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WelcomeView {
    /// Name of the workspace.
    workspace: String,
    /// The version of the program.
    version: &'static str,
    /// Where one signs in with the account of a provider; null where that is not set up.
    sign_in_address: Option<&'static str>,
    /// Whom one can look at the sample company as; null where the server has data of its own.
    demo: Option<Vec<DemoSignIn>>,
}

/// What the server is, and how one signs in.
pub(crate) async fn show_welcome(State(service): State<Arc<Service>>) -> ViewResult<WelcomeView> {
    #[cfg(feature = "oidc")]
    let has_provider = service.oidc.is_some();
    #[cfg(not(feature = "oidc"))]
    let has_provider = false;

    let people = service.config.demo_people.clone();
    Ok(ViewJson(WelcomeView {
        workspace: service.context.ruleset.load().settings.name.to_string(),
        version: env!("CARGO_PKG_VERSION"),
        sign_in_address: has_provider.then_some("/v1/session/oidc"),
        demo: (!people.is_empty()).then_some(people),
    }))
}
