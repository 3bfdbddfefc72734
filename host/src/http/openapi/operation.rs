//! One operation of the API, and how it is written into the document.
//!
//! Not which operations there are (`tables`).

use axum::http::Method;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::guide;
use super::problems;
use super::schemas::{SchemaOf, SchemaUse, Schemas};
use crate::http::definitions::conditions::{ActiveChangeView, WaitingChangeView};
use crate::http::results::approvals::RequestView;
use crate::http::results::exports::{PARQUET, SPREADSHEET};
use crate::http::roles::Access;
use crate::server::state::StartedTaskView;

const JSON: &str = "application/json";

/// What a body holds.
#[derive(Clone)]
pub(super) enum Content {
    /// JSON of a type.
    Json(SchemaOf),
    /// A page of rows of a type.
    Page(SchemaOf),
    /// JSON of this schema.
    Written(Value),
    /// Text of a media type.
    Text(&'static str),
    /// Bytes of a media type.
    Bytes(&'static str),
}

/// An answer that is no problem.
#[derive(Clone)]
struct Answer {
    status: u16,
    about: &'static str,
    content: Vec<Content>,
    headers: Vec<(&'static str, &'static str)>,
}

/// An operation.
pub(super) struct Operation {
    pub(super) method: Method,
    /// The path as the document has it.
    pub(super) path: &'static str,
    pub(super) id: &'static str,
    pub(super) tag: &'static str,
    summary: &'static str,
    query: Option<SchemaOf>,
    written_query: Vec<Value>,
    headers: Vec<(&'static str, &'static str)>,
    /// Names of parts of the path that are whole numbers.
    numbers: Vec<&'static str>,
    body: Vec<Content>,
    body_needed: bool,
    answers: Vec<Answer>,
    problems: Vec<&'static str>,
}

fn operation(
    method: Method,
    path: &'static str,
    id: &'static str,
    summary: &'static str,
) -> Operation {
    Operation {
        method,
        path,
        id,
        tag: "",
        summary,
        query: None,
        written_query: Vec::new(),
        headers: Vec::new(),
        numbers: Vec::new(),
        body: Vec::new(),
        body_needed: false,
        answers: Vec::new(),
        problems: Vec::new(),
    }
}

/// An operation that reads.
pub(super) fn get(path: &'static str, id: &'static str, summary: &'static str) -> Operation {
    operation(Method::GET, path, id, summary)
}

/// An operation that does something.
pub(super) fn post(path: &'static str, id: &'static str, summary: &'static str) -> Operation {
    operation(Method::POST, path, id, summary)
}

/// An operation that writes.
pub(super) fn put(path: &'static str, id: &'static str, summary: &'static str) -> Operation {
    operation(Method::PUT, path, id, summary)
}

/// An operation that removes.
pub(super) fn delete(path: &'static str, id: &'static str, summary: &'static str) -> Operation {
    operation(Method::DELETE, path, id, summary)
}

/// Operations of one group.
pub(super) fn in_group(tag: &'static str, operations: Vec<Operation>) -> Vec<Operation> {
    operations.into_iter().map(|operation| Operation { tag, ..operation }).collect()
}

impl Operation {
    /// With the parameters that a type reads from the query.
    pub(super) fn query<T: ToSchema>(mut self) -> Operation {
        self.query = Some(SchemaOf::new::<T>());
        self.refuses(&["bad_request"])
    }

    /// With a parameter of the query that no type has.
    pub(super) fn query_part(mut self, name: &str, schema: Value, about: &str) -> Operation {
        self.written_query.push(json!({
            "name": name, "in": "query", "required": false, "schema": schema, "description": about,
        }));
        self.refuses(&["bad_request"])
    }

    /// Whether a request may have a query.
    pub(super) fn has_query(&self) -> bool {
        self.query.is_some() || !self.written_query.is_empty()
    }

    /// With a header that the request may have.
    pub(super) fn header(mut self, name: &'static str, about: &'static str) -> Operation {
        self.headers.push((name, about));
        self
    }

    /// With a part of the path that is a whole number.
    pub(super) fn number(mut self, name: &'static str) -> Operation {
        self.numbers.push(name);
        self
    }

    /// With a JSON body.
    pub(super) fn body<T: ToSchema>(self) -> Operation {
        self.content(vec![Content::Json(SchemaOf::new::<T>())], true)
    }

    /// With a JSON body, or none.
    pub(super) fn optional_body<T: ToSchema>(self) -> Operation {
        self.content(vec![Content::Json(SchemaOf::new::<T>())], false)
    }

    /// With a body in one of several forms.
    pub(super) fn content(mut self, body: Vec<Content>, needed: bool) -> Operation {
        self.body = body;
        self.body_needed = needed;
        self.refuses(&["bad_request", "too_large"])
    }

    /// With an answer.
    pub(super) fn answers(
        mut self,
        status: u16,
        about: &'static str,
        content: Vec<Content>,
    ) -> Operation {
        let known = self.answers.iter_mut().find(|known| known.status == status);
        match known {
            Some(known) => known.content.extend(content),
            None => self.answers.push(Answer { status, about, content, headers: Vec::new() }),
        }
        self
    }

    /// Without an answer that was named before.
    pub(super) fn without_answer(mut self, status: u16) -> Operation {
        self.answers.retain(|answer| answer.status != status);
        self
    }

    /// With a header of an answer that was named before.
    pub(super) fn with_answer_header(
        mut self,
        status: u16,
        name: &'static str,
        about: &'static str,
    ) -> Operation {
        let known = self.answers.iter_mut().filter(|known| known.status == status);
        for answer in known {
            if !answer.headers.iter().any(|(known, _)| *known == name) {
                answer.headers.push((name, about));
            }
        }
        self
    }

    /// Answered with JSON of a type.
    pub(super) fn ok<T: ToSchema>(self) -> Operation {
        self.answers(200, "Done.", vec![Content::Json(SchemaOf::new::<T>())])
    }

    /// Answered with text.
    pub(super) fn ok_text(self, media_type: &'static str) -> Operation {
        self.answers(200, "Done.", vec![Content::Text(media_type)])
    }

    /// Answered with a list that is one page.
    pub(super) fn ok_list<T: ToSchema>(self) -> Operation {
        self.answers(200, "The whole list.", vec![Content::Page(SchemaOf::new::<T>())])
    }

    /// Answered with a page of a list.
    pub(super) fn ok_page<T: ToSchema>(self) -> Operation {
        let page = vec![Content::Page(SchemaOf::new::<T>())];
        let answered = self.answers(200, "A page of the list.", page);
        answered.with_answer_header(
            200,
            "Link",
            "The next page, with `rel=\"next\"`; none behind the last.",
        )
    }

    /// Answered with a page, or with every row as a file.
    pub(super) fn ok_export<T: ToSchema>(self) -> Operation {
        self.ok_page::<T>().or_files()
    }

    /// Answered with rows as a file as well.
    pub(super) fn or_files(self) -> Operation {
        let rows = vec![
            Content::Text("text/csv"),
            Content::Text("application/x-ndjson"),
            Content::Bytes(PARQUET),
            Content::Bytes(SPREADSHEET),
        ];
        self.answers(200, "", rows)
    }

    /// Answered with what the reader may have already.
    pub(super) fn cached(self) -> Operation {
        self.header("If-None-Match", "The `ETag` of the version that the reader has.")
            .with_answer_header(200, "ETag", "The version of what is shown.")
            .answers(304, "The reader has this version.", Vec::new())
    }

    /// Under four eyes it is kept until another person approves it.
    pub(super) fn four_eyes(self) -> Operation {
        let about = "It waits for another person, or is not done yet.";
        self.answers(202, about, vec![Content::Json(SchemaOf::new::<RequestView>())])
            .with_answer_header(202, "Location", "Where to ask again.")
    }

    /// Its answer may take longer than a request.
    pub(super) fn may_take_long(self) -> Operation {
        let about = "It waits for another person, or is not done yet.";
        self.header("Prefer", "`wait=5` or `respond-async`: how long the answer may take.")
            .answers(202, about, vec![Content::Json(SchemaOf::new::<StartedTaskView>())])
            .with_answer_header(202, "Location", "Where to ask again.")
            .with_answer_header(202, "Retry-After", "Seconds after which to ask again.")
    }

    /// Answered with what became of a change.
    pub(super) fn changes(self) -> Operation {
        self.ok::<ActiveChangeView<'static>>()
            .answers(
                202,
                "The change is kept: it waits for another person, or is a draft.",
                vec![Content::Json(SchemaOf::new::<WaitingChangeView<'static>>())],
            )
            .refuses(&["bad_request", "base_moved", "other_ruleset", "nothing_changes"])
            .refuses(&["has_credits", "has_rewards", "stop_loss", "check_failed", "not_waiting"])
    }

    /// What a change says is in its headers.
    pub(super) fn told_by_headers(self) -> Operation {
        self.header("X-Comment", "The reason.")
            .header("X-Tags", "Labels to find it by, separated by commas.")
            .header(
                "X-Effective",
                "`now`, `recredit` or `from:2026-01-31`: the effect on existing credits.",
            )
            .header("X-Force", "The reason to remove people who have credits or rewards.")
            .header("If-Match", "The `ETag` of the version that is replaced or removed, or `*`.")
            .header("If-None-Match", "`*`: only if no version exists yet.")
            .refuses(&["precondition_failed", "precondition_required"])
    }

    /// With problems that it may answer, beside those of every operation.
    pub(super) fn refuses(mut self, codes: &[&'static str]) -> Operation {
        self.problems.extend(codes);
        self
    }

    /// The codes of the problems that it may answer.
    #[cfg(test)]
    pub(super) fn codes(&self) -> &[&'static str] {
        &self.problems
    }

    /// Whether requests without a token are counted: all but those of monitoring.
    fn is_counted(&self) -> bool {
        self.path.starts_with("/v1/") || self.path.starts_with("/hooks/") || self.tag == "Documents"
    }

    /// With the limit of rate in an answer that was named before.
    pub(super) fn says_rate(self, status: u16) -> Operation {
        problems::RATE_HEADERS.into_iter().fold(self, |operation, (name, about)| {
            operation.with_answer_header(status, name, about)
        })
    }

    /// The name of its method in the document.
    pub(super) fn key(&self) -> String {
        self.method.as_str().to_ascii_lowercase()
    }

    /// The path of its route: a path within a path is one route with all endings.
    pub(super) fn route(&self) -> String {
        match self.path.strip_prefix("/v1/definitions/{path}") {
            Some(_) => "/v1/definitions/{*path}".to_owned(),
            None => self.path.to_owned(),
        }
    }

    /// As the document has it; a role is asked for where there is one.
    pub(super) fn to_json(&self, access: Option<Access>, schemas: &mut Schemas) -> Value {
        let access = access.filter(|access| *access != Access::Public);
        let section = guide::section_of(&format!("{} {}", self.method, self.path));
        let mut written = json!({
            "operationId": self.id,
            "summary": self.summary,
            "tags": [self.tag],
            "parameters": self.parameters(),
            "responses": self.responses(access.is_some(), schemas),
            "security": access.map_or_else(|| json!([]), |_| json!([{"token": []}, {"session": []}])),
        });

        let Some(fields) = written.as_object_mut() else { return written };
        if let Some(section) = section {
            fields.insert("description".to_owned(), Value::from(section.about.as_str()));
        }
        if let Some(role) = access.map(role_name) {
            fields.insert("x-accredit-role".to_owned(), Value::from(role));
        }
        if !self.body.is_empty() {
            let bodies = section.map(|section| section.bodies.as_slice()).unwrap_or_default();
            fields.insert("requestBody".to_owned(), self.request_body(bodies, schemas));
        }
        written
    }

    fn parameters(&self) -> Vec<Value> {
        let parts =
            self.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
        let parts = parts.map(|name| {
            let schema = match self.numbers.contains(&name) {
                true => json!({"type": "integer", "format": "int64", "minimum": 0}),
                false => json!({"type": "string", "minLength": 1}),
            };
            let about = path_part(self.path, name);
            json!({"name": name, "in": "path", "required": true, "schema": schema, "description": about})
        });

        let (fields, needed) = self.query.map(SchemaOf::fields).unwrap_or_default();
        let query = fields.into_iter().map(|(name, mut schema)| {
            let about = schema.as_object_mut().and_then(|fields| fields.remove("description"));
            not_null(&mut schema);
            if name == "limit" {
                schema = json!({"type": "integer", "minimum": 1, "maximum": 1000, "default": 100});
            }
            let required = needed.contains(&name);
            json!({
                "name": name, "in": "query", "required": required,
                "schema": schema, "description": about.unwrap_or_default(),
            })
        });

        let headers = self.headers.iter().map(|(name, about)| {
            json!({
                "name": name, "in": "header", "required": false,
                "schema": {"type": "string"}, "description": about,
            })
        });
        parts.chain(query).chain(self.written_query.iter().cloned()).chain(headers).collect()
    }

    fn request_body(&self, bodies: &[String], schemas: &mut Schemas) -> Value {
        let mut content = write_content(&self.body, SchemaUse::Request, schemas);
        for (media_type, body) in &mut content {
            let examples = bodies.iter().filter_map(|body| guide::example_value(body, media_type));
            let examples = examples.zip(1_u32..);
            let examples: Map<String, Value> = examples
                .map(|(value, number)| (format!("example{number}"), json!({"value": value})))
                .collect();
            if let Some(fields) = body.as_object_mut().filter(|_| !examples.is_empty()) {
                fields.insert("examples".to_owned(), Value::Object(examples));
            }
        }
        json!({"required": self.body_needed, "content": content})
    }

    fn responses(&self, has_role: bool, schemas: &mut Schemas) -> Value {
        let mut written = Map::new();
        for answer in &self.answers {
            let headers = answer.headers.iter().map(|(name, about)| {
                ((*name).to_owned(), json!({"description": about, "schema": {"type": "string"}}))
            });
            let headers: Map<String, Value> = headers.collect();
            let mut response = json!({"description": answer.about});
            let content = write_content(&answer.content, SchemaUse::Answer, schemas);
            if let Some(fields) = response.as_object_mut() {
                if !content.is_empty() {
                    fields.insert("content".to_owned(), Value::Object(content));
                }
                if !headers.is_empty() {
                    fields.insert("headers".to_owned(), Value::Object(headers));
                }
            }
            written.insert(answer.status.to_string(), response);
        }

        let mut codes = self.problems.clone();
        if has_role {
            codes.extend(["unauthorized", "forbidden", "unavailable"]);
            // A browser is asked by a page of another site: only to change something.
            codes.extend((self.method != Method::GET).then_some("cross_origin"));
        }
        // A part of the path that cannot be read, or a query of an act that takes none.
        let is_act = self.method != Method::GET && self.path.starts_with("/v1/");
        if self.path.contains('{') || (is_act && !self.has_query()) {
            codes.push("bad_request");
        }
        if self.is_counted() {
            codes.push("rate_limited");
        }
        codes.extend(["timeout", "internal", "damaged"]);
        for (status, kinds) in problems::by_status(&codes) {
            written.insert(status.to_string(), problems::problem_response(&kinds));
        }
        Value::Object(written)
    }
}

/// The least role of those who may send a request.
fn role_name(access: Access) -> &'static str {
    match access {
        Access::Everyone => "any",
        access => access.least_role(),
    }
}

/// A schema of a parameter: it is left out, never null.
fn not_null(schema: &mut Value) {
    let Some(fields) = schema.as_object_mut() else { return };
    if let Some(Value::Array(kinds)) = fields.get("type") {
        let kind = kinds.iter().find(|kind| *kind != "null").cloned().unwrap_or_default();
        fields.insert("type".to_owned(), kind);
    }
    if let Some(Value::Array(parts)) = fields.remove("oneOf") {
        let is_null = |part: &Value| part.get("type").is_some_and(|kind| kind == "null");
        let other = parts.into_iter().find(|part| !is_null(part));
        *schema = other.unwrap_or_default();
    }
}

/// The media types of a body with their schemas; several of one type are alternatives.
fn write_content(
    content: &[Content],
    used: SchemaUse,
    schemas: &mut Schemas,
) -> Map<String, Value> {
    let mut written = Map::<String, Value>::new();
    for one in content {
        let (media_type, schema) = match one {
            Content::Json(of) => (JSON, schemas.refer_to(*of, used)),
            Content::Page(of) => {
                let row = schemas.refer_to(*of, used);
                (JSON, schemas.refer_to_page(&row))
            }
            Content::Written(schema) => (JSON, schema.clone()),
            Content::Text(media_type) => (*media_type, json!({"type": "string"})),
            Content::Bytes(media_type) => {
                (*media_type, json!({"type": "string", "format": "binary"}))
            }
        };
        let schema = match written.remove(media_type).and_then(|known| known.get("schema").cloned())
        {
            None => schema,
            Some(Value::Object(mut known)) if known.contains_key("anyOf") => {
                if let Some(parts) = known.get_mut("anyOf").and_then(Value::as_array_mut) {
                    parts.push(schema);
                }
                Value::Object(known)
            }
            Some(known) => json!({"anyOf": [known, schema]}),
        };
        written.insert(media_type.to_owned(), json!({"schema": schema}));
    }
    written
}

/// What a part of a path is.
fn path_part(path: &str, name: &str) -> &'static str {
    match (path.split('/').nth(2).unwrap_or_default(), name) {
        (_, "plan") => "Id of the plan: the stem of its file.",
        (_, "period") => "Id of a period of the calendar.",
        ("transactions", _) => "Natural key of the transaction.",
        ("credits", _) => "The id of the credit, `crd_` and 32 hexadecimal digits.",
        ("me", "id") if path.starts_with("/v1/me/credits") => {
            "The id of the credit, `crd_` and 32 hexadecimal digits."
        }
        ("me", "payee") => "Id of a participant who reports to the caller.",
        ("payees", "id") => "Id of the participant.",
        ("payees", _) => "The number of the enquiry.",
        ("periods", _) => "Id of the period.",
        ("definitions", _) => "The path of the file; its slashes may be written as `%2F`.",
        ("policies", "kind") => "The kind of policy: the folder of its file.",
        ("policies", _) => "The name of the policy: the stem of its file.",
        ("rules", _) => "The name of the rule.",
        ("alerts", _) => "The id of the alert, as the list of alerts has it.",
        ("dead-letters", _) => "The place of the dead letter in the inbox.",
        ("keys" | "people", _) => "The id of it.",
        ("invitations", _) => "The invitation, as the administrator got it.",
        (_, "source") => "The name of the source in `accredit.toml`.",
        (_, "code") => "The code of the problem: the last part of its `type`.",
        _ => "Its number.",
    }
}
