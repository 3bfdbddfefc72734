//! Enquiries from the question to the end of the conversation.

use serde_json::{Value, json};

use super::Host;

fn post(host: &Host, path: &str, body: &Value) -> super::Reply {
    host.api("POST", path, &[], &body.to_string())
}

/// An enquiry was open or answered: nobody could take care of it, ask back, or hear that the answer
/// did not help.
#[test]
fn an_enquiry_is_assigned_talked_about_answered_and_closed() {
    let host = Host::start();
    let asked = json!({ "kind": "missing", "text": "Where is D-1?" });
    assert_eq!(post(&host, "/v1/payees/ann/enquiries", &asked).status, 201);
    let state = |step: &str, body: Value| {
        let reply = post(&host, &format!("/v1/enquiries/1/{step}"), &body);
        assert_eq!(reply.status, 200, "{step}: {}", reply.text);
        reply.json()["state"].as_str().unwrap().to_owned()
    };
    let as_payee =
        |text: &str| post(&host, "/v1/payees/ann/enquiries/1/messages", &json!({ "text": text }));
    assert_eq!(as_payee("please").json()["state"], "open");
    assert_eq!(state("assign", json!({ "to": "ida" })), "in_progress");
    assert_eq!(host.get("/v1/enquiries?assignee=ida")["data"].as_array().unwrap().len(), 1);
    assert_eq!(host.get("/v1/enquiries?assignee=max")["data"], json!([]));
    assert_eq!(state("messages", json!({ "text": "Which month?" })), "in_progress");
    as_payee("January");
    assert_eq!(state("answer", json!({ "state": "rejected", "text": "It is Bob's." })), "rejected");

    // Not content: it goes on, and is answered again.
    assert_eq!(as_payee("It is mine.").json()["state"], "in_progress");
    assert_eq!(state("answer", json!({ "state": "resolved", "text": "It is." })), "resolved");
    assert_eq!(state("close", json!({})), "closed");
    assert_eq!(state("close", json!({})), "closed", "twice is once");
    as_payee("thanks").problem(409, "enquiry_closed");
    post(&host, "/v1/enquiries/1/assign", &json!({ "to": null })).problem(409, "enquiry_closed");
    let again = json!({ "state": "rejected", "text": "no" });
    post(&host, "/v1/enquiries/1/answer", &again).problem(409, "already_answered");

    let shown = host.get("/v1/enquiries/1");
    let said: Vec<(&str, bool)> = shown["messages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["text"].as_str().unwrap(), one["by_payee"].as_bool().unwrap()))
        .collect();
    let expected = [
        ("please", true),
        ("Which month?", false),
        ("January", true),
        ("It is Bob's.", false),
        ("It is mine.", true),
        ("It is.", false),
    ];
    assert_eq!(said, expected);
    assert_eq!((&shown["assignee"], &shown["answer"]["text"]), (&json!("ida"), &json!("It is.")));

    // Of another person, or of nobody, there is none.
    let text = json!({ "text": "mine?" });
    post(&host, "/v1/payees/bob/enquiries/1/messages", &text).problem(404, "not_found");
    post(&host, "/v1/enquiries/9/messages", &text).problem(404, "not_found");
    post(&host, "/v1/enquiries/1/messages", &json!({ "text": " " })).problem(422, "bad_text");
}
