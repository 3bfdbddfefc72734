//! What the sample company's people see: accounts to sign in with, months that are published, questions.
//!
//! Not the deals (`deals`) and not the tour (`tour`). Called by `accredit demo`, after the tour.

use serde_json::{Value as Json, json};

use super::company::Company;
use super::tour::TourServer;
use crate::server::config::DemoSignIn;

/// A position whose holder one can look at the company as, what the person does, and the role.
const SHOWN: [(&str, &str); 2] =
    [("AE-07", "Account Executive: my pay"), ("MGR-WEST", "Sales Manager: my team")];

/// Staff of the sample company: name, what the person does, role.
const STAFF: [(&str, &str, &str); 3] = [
    ("Mira Admin", "Administrator: periods, releases, alerts", "admin"),
    ("Cora Consultant", "Consultant: policies and plans", "author"),
    ("Arno Auditor", "Auditor: reads everything", "auditor"),
];

/// Plans, and the months that each publishes with confirmed rewards; of the month after, credits alone.
const PLANS: [&str; 2] = ["account-executives", "calibration"];
const CONFIRMED_MONTHS: u8 = 10;

/// The people whom one can look at the company as, with the password of this run.
pub(crate) fn sign_ins(company: &Company, password: &str) -> Vec<DemoSignIn> {
    let sign_in = |name: &str, title, role, participant| DemoSignIn {
        name: name.to_owned(),
        title,
        role,
        email: format!("{}@example.com", name.to_lowercase().replace(' ', ".")),
        password: password.to_owned(),
        participant,
    };
    let payees = SHOWN.iter().filter_map(|(position, title)| {
        let person = company.holder_of(position)?;
        Some(sign_in(&person.name, *title, "payee", Some(person.id.clone())))
    });
    let staff = STAFF.iter().map(|(name, title, role)| sign_in(name, *title, *role, None));
    payees.chain(staff).collect()
}

/// Makes an account for each of the people, with their password.
///
/// # Errors
/// The first request that failed.
pub(crate) fn add_people(server: &impl TourServer, people: &[DemoSignIn]) -> Result<(), String> {
    for person in people {
        let added = server.post(
            "/v1/people",
            &json!({
                "name": person.name, "email": person.email, "role": person.role,
                "participant": person.participant,
            }),
        )?;
        let invitation = added.get("invitation").and_then(Json::as_str).unwrap_or_default();
        let password = json!({ "password": person.password });
        server.post(&format!("/v1/invitations/{invitation}"), &password)?;
    }
    Ok(())
}

/// Publishes the year so far: ten months with their rewards, and the credits of the one that goes on.
///
/// # Errors
/// The first request that failed.
pub(crate) fn publish_months(server: &impl TourServer) -> Result<(), String> {
    for plan in PLANS {
        for month in 1..=CONFIRMED_MONTHS + 1 {
            let what = if month <= CONFIRMED_MONTHS { "rewards" } else { "credits" };
            let path = format!("/v1/calculations/{plan}/2026-{month:02}/release");
            let asked = json!({ "what": what, "force": true, "reason": "Month of the sample" });
            server.post(&path, &asked)?;
        }
    }
    Ok(())
}

/// What people ask about their credits.
///
/// # Errors
/// The first request that failed.
pub(crate) fn ask_questions(server: &impl TourServer, company: &Company) -> Result<(), String> {
    let questions = [
        ("AE-07", "D-00042", "I closed this deal with my colleague; where is my share?"),
        ("AE-12", "D-00101", "The customer signed in October. Why is the credit in November?"),
    ];
    for (position, transaction, text) in questions {
        let Some(person) = company.holder_of(position) else { continue };
        let path = format!("/v1/payees/{}/enquiries", person.id);
        let asked = json!({ "kind": "missing", "transaction": transaction, "text": text });
        server.post(&path, &asked)?;
    }
    Ok(())
}
