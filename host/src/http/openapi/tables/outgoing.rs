//! Operations on events for other systems.

use crate::http::openapi::operation::{Content, Operation, get, in_group, post};
use crate::http::openapi::schemas::SchemaOf;
use crate::http::outgoing::destinations::{DestinationTestAnswer, DestinationView};
use crate::http::outgoing::events::{
    EventListParams, EventView, ResendParams, ResentAnswer, SentEventView,
};

pub(super) fn operations() -> Vec<Operation> {
    let resent = || vec![Content::Json(SchemaOf::new::<ResentAnswer>())];
    let tested = vec![Content::Json(SchemaOf::new::<DestinationTestAnswer>())];

    let operations = vec![
        get("/v1/destinations", "listDestinations", "Lists the systems that are told of events.")
            .ok_list::<DestinationView>(),
        post("/v1/destinations/{name}/test", "testDestination", "Sends a test to a destination.")
            .answers(202, "The test is sent.", tested)
            .refuses(&["not_found"]),
        get("/v1/destinations/{name}/events", "listEvents", "Lists the events of a destination.")
            .query::<EventListParams>()
            .ok_page::<EventView>(),
        get("/v1/destinations/{name}/events/{id}", "getEvent", "Shows an event with its body.")
            .ok::<SentEventView>()
            .refuses(&["not_found"]),
        post("/v1/destinations/{name}/events/{id}/resend", "resendEvent", "Sends an event again.")
            .answers(202, "They are sent again.", resent())
            .refuses(&["not_found"]),
        post("/v1/destinations/{name}/resend", "resendEvents", "Sends dead letters again.")
            .query::<ResendParams>()
            .answers(202, "They are sent again.", resent()),
    ];
    in_group("Events", operations)
}
