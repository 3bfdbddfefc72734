//! Rows that have to be read from the Web API, and payloads that were completed with one.

use accredit_seams::connector::{DecodeError, FetchAuthorization, FetchRequest, SourceSettings};
use accredit_webhook_checks::json::{self, RawMembers, member_text};
use accredit_webhook_checks::settings::api_url;

use crate::context::{KeptContext, payload_text};
use crate::settings::{DEAL_TABLE, FetchMode, fetch_mode};

/// The version of the Web API that rows are read from.
pub(crate) const API_PATH: &str = "/api/data/v9.2/";

/// The message of a row that is gone.
const DELETED: &str = "Delete";

/// How long the groups of a GUID are.
const GUID_GROUPS: [usize; 5] = [8, 4, 4, 4, 12];

/// What has to be read before `payload` says all of its deal.
pub(crate) fn needed_fetch(
    payload: &str,
    settings: &SourceSettings,
) -> Result<Option<FetchRequest>, DecodeError> {
    let context = KeptContext::read(payload)?;
    // A row that is gone cannot be read, and its id is all that there is to say.
    let is_deleted = member_text(&context.members, "MessageName").as_deref() == Some(DELETED);
    if context.is_complete || is_deleted {
        return Ok(None);
    }

    let is_cut = context.is_cut;
    match fetch_mode(settings) {
        FetchMode::WhenCut if !is_cut => return Ok(None),
        FetchMode::Never if !is_cut => return Ok(None),
        FetchMode::Never => {
            return Err(DecodeError(
                "Dataverse cut the context, and `fetch = \"never\"`: set `api_url` and `fetch`"
                    .to_owned(),
            ));
        }
        FetchMode::WhenCut | FetchMode::Always => (),
    }

    let url = row_url(&context.members, settings)?;
    let headers = vec![
        ("accept", "application/json"),
        ("odata-maxversion", "4.0"),
        ("odata-version", "4.0"),
        // Names of owners and of states beside their ids and numbers.
        ("prefer", r#"odata.include-annotations="OData.Community.Display.V1.FormattedValue""#),
    ];
    let authorization = FetchAuthorization::Bearer;
    Ok(Some(FetchRequest { url, authorization, headers, body: None }))
}

/// Where the Web API has the row of a context.
fn row_url(context: &RawMembers<'_>, settings: &SourceSettings) -> Result<String, DecodeError> {
    let wrong = |error: &dyn std::fmt::Display| DecodeError(error.to_string());
    let api = api_url(settings, "api_url").map_err(|error| wrong(&error))?;
    let api = api.ok_or_else(|| wrong(&"the setting `api_url` is missing"))?;

    let id = member_text(context, "PrimaryEntityId").unwrap_or_default();
    if !is_guid(&id) {
        return Err(wrong(&"`PrimaryEntityId` is not the id of a row"));
    }

    let (table, default_set) = DEAL_TABLE;
    let entity_set = match settings.text("entity_set") {
        Some(entity_set) => entity_set,
        None if member_text(context, "PrimaryEntityName").as_deref() == Some(table) => default_set,
        None => {
            return Err(wrong(&"the row is of another table than `opportunity`: set `entity_set`"));
        }
    };
    Ok(format!("{api}{API_PATH}{entity_set}({id})"))
}

/// A GUID that stands for a row: what is put into the path is nothing else.
pub(crate) fn is_guid(text: &str) -> bool {
    let groups: Vec<&str> = text.split('-').collect();
    let is_group = |(group, length): (&&str, &usize)| {
        group.len() == *length && group.bytes().all(|byte| byte.is_ascii_hexdigit())
    };
    let is_none = text.bytes().all(|byte| byte == b'0' || byte == b'-');
    groups.len() == GUID_GROUPS.len() && groups.iter().zip(&GUID_GROUPS).all(is_group) && !is_none
}

/// A payload with the row that was read for it.
pub(crate) fn complete_event(payload: &str, fetched: &str) -> Result<String, DecodeError> {
    let context = KeptContext::read(payload)?;
    let object = json::check_body(fetched.as_bytes())?;
    match json::object_members(object) {
        Some(row) if row.contains_key("error") => {
            Err(DecodeError("the Web API answered with an error".to_owned()))
        }
        Some(row) if !row.is_empty() => Ok(payload_text(context.is_cut, context.written, object)),
        _ => Err(DecodeError("the answer of the Web API is not a row".to_owned())),
    }
}
