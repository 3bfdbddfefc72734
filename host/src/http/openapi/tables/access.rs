//! Operations on keys, people and sessions: who may use the API.

use crate::http::access::keys::{KeyRequest, KeyView, NewKeyView, RotateRequest};
#[cfg(feature = "oidc")]
use crate::http::access::oidc::SignInAnswerParams;
use crate::http::access::people::{
    InvitedView, PasswordRequest, PersonRequest, PersonView, RoleRequest,
};
use crate::http::access::sessions::SignInRequest;
use crate::http::me::profile::CallerView;
use crate::http::openapi::operation::{Content, Operation, delete, get, in_group, post, put};
use crate::http::openapi::schemas::SchemaOf;
use crate::http::welcome::WelcomeView;

pub(super) fn operations() -> Vec<Operation> {
    let keys = vec![
        get("/v1/keys", "listKeys", "Lists keys.").ok_list::<KeyView>(),
        post("/v1/keys", "createKey", "Makes a key.")
            .body::<KeyRequest>()
            .answers(201, "The key, whole.", vec![Content::Json(SchemaOf::new::<NewKeyView>())])
            .four_eyes()
            .refuses(&["bad_access", "name_taken"]),
        delete("/v1/keys/{id}", "revokeKey", "Removes a key.")
            .ok::<KeyView>()
            .refuses(&["not_found"]),
        post("/v1/keys/{id}/rotate", "rotateKey", "Gives a key another secret.")
            .optional_body::<RotateRequest>()
            .ok::<NewKeyView>()
            .four_eyes()
            .refuses(&["not_found", "bad_access", "not_granted"]),
    ];
    let people = vec![
        get("/v1/people", "listPeople", "Lists people.").ok_list::<PersonView>(),
        post("/v1/people", "addPerson", "Makes an account for a person.")
            .body::<PersonRequest>()
            .answers(
                201,
                "The person, with an invitation.",
                vec![Content::Json(SchemaOf::new::<InvitedView>())],
            )
            .four_eyes()
            .refuses(&["bad_access", "name_taken", "email_taken"]),
        delete("/v1/people/{id}", "removePerson", "Removes an account.")
            .ok::<PersonView>()
            .refuses(&["not_found"]),
        post("/v1/people/{id}/invite", "invitePerson", "Makes another invitation.")
            .ok::<InvitedView>()
            .four_eyes()
            .refuses(&["not_found", "not_granted"]),
        put("/v1/people/{id}/role", "changeRole", "Changes the role of a person.")
            .body::<RoleRequest>()
            .ok::<PersonView>()
            .four_eyes()
            .refuses(&["not_found", "bad_access", "not_granted"]),
        post("/v1/people/{id}/disable", "disablePerson", "Keeps a person from signing in.")
            .ok::<PersonView>()
            .refuses(&["not_found", "not_granted"]),
        post("/v1/people/{id}/enable", "enablePerson", "Lets a person sign in again.")
            .ok::<PersonView>()
            .four_eyes()
            .refuses(&["not_found", "not_granted"]),
        post("/v1/invitations/{token}", "acceptInvitation", "Sets the password of a person.")
            .body::<PasswordRequest>()
            .ok::<PersonView>()
            .refuses(&["not_found", "bad_password", "unavailable", "cross_origin"]),
    ];
    let sessions = vec![
        get("/v1/welcome", "getWelcome", "Shows what the server is, and how one signs in.")
            .ok::<WelcomeView>()
            .says_rate(200),
        post("/v1/session", "signIn", "Signs a person in.")
            .body::<SignInRequest>()
            .ok::<CallerView>()
            .with_answer_header(200, "Set-Cookie", "The session.")
            .says_rate(200)
            .refuses(&["sign_in_failed", "too_many_attempts", "unavailable", "cross_origin"]),
        delete("/v1/session", "signOut", "Signs the caller out.")
            .ok::<CallerView>()
            .with_answer_header(200, "Set-Cookie", "The end of the session."),
    ];
    let sessions = sessions.into_iter().chain(provider_operations());
    in_group("Access", keys.into_iter().chain(people).chain(sessions).collect())
}

#[cfg(not(feature = "oidc"))]
fn provider_operations() -> Vec<Operation> {
    Vec::new()
}

#[cfg(feature = "oidc")]
fn provider_operations() -> Vec<Operation> {
    vec![
        get("/v1/session/oidc", "beginSignIn", "Sends a browser to the provider to sign in.")
            .without_answer(303)
            .with_answer_header(303, "Location", "The provider.")
            .with_answer_header(303, "Set-Cookie", "What the sign-in is recognised by.")
            .refuses(&["no_oidc", "provider_failed"]),
        get(
            "/v1/session/oidc/callback",
            "endSignIn",
            "Signs in the person whom the provider knows.",
        )
        .query::<SignInAnswerParams>()
        .without_answer(303)
        .with_answer_header(303, "Location", "Where the browser goes on.")
        .with_answer_header(303, "Set-Cookie", "The session.")
        .refuses(&["no_oidc", "sign_in_over", "sign_in_refused", "provider_failed"]),
    ]
}
