//! A request in the shape that the settings describe and that the standard policy `generic-deals` reads.

use accredit_seams::connector::{RejectedDelivery, SampleDeal, SampleRequest, SourceSettings};
use serde_json::{Map, Value as Json, json};

use crate::pointer::steps;
use crate::proof::proving_headers;

pub(crate) fn sample_request(
    deal: &SampleDeal<'_>,
    settings: &SourceSettings,
    secret: &str,
) -> Result<SampleRequest, RejectedDelivery> {
    let event_id = format!("evt_{}_{}", deal.id, deal.sent_ms);
    let mut event = json!({ "deal": {
        "id": deal.id,
        "name": deal.name,
        "amount": deal.amount,
        "owner": deal.owner,
        "closed_on": deal.closed_day,
        "status": "won",
    } });
    if let Some(pointer) = settings.text("id_pointer") {
        put_value(&mut event, pointer, Json::String(event_id.clone()))?;
    }

    let body = match settings.text("list_pointer") {
        None => event,
        Some("") => json!([event]),
        Some(pointer) => {
            let mut body = json!({});
            put_value(&mut body, pointer, json!([event]))?;
            body
        }
    };

    let body = body.to_string().into_bytes();
    let mut headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    headers.extend(proving_headers(settings, secret, &body, deal.sent_ms)?);
    headers.extend(settings.text("id_header").map(|name| (name.to_owned(), event_id)));
    Ok(SampleRequest { query: String::new(), headers, body })
}

/// Puts a value where a pointer leads to, unless there is one.
fn put_value(root: &mut Json, pointer: &str, value: Json) -> Result<(), RejectedDelivery> {
    let unusable = RejectedDelivery("a sample cannot have this pointer");
    let steps = steps(pointer).ok_or(unusable)?;
    let Some((last, before)) = steps.split_last() else { return Err(unusable) };

    let mut place = root;
    for key in before {
        let object = place.as_object_mut().ok_or(unusable)?;
        place = object.entry(key).or_insert_with(|| Json::Object(Map::new()));
    }
    place.as_object_mut().ok_or(unusable)?.entry(last).or_insert(value);
    Ok(())
}
