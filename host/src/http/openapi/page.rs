//! The document as one page for people: groups, operations, examples and schemas, made on the server.
//!
//! Not the serving (`serve`). The page has no script and loads nothing but its own style, so it works
//! without a network and under a strict policy of contents.

use std::fmt::Write as _;

use serde_json::{Map, Value};

/// The style of the page.
pub(super) const STYLE: &str = include_str!("style.css");

/// The page.
pub(super) fn render_page(document: &Value) -> String {
    let mut html = String::from(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>accredit: the API</title>\n<link rel=\"stylesheet\" href=\"/docs/style.css\">\n\
         </head>\n<body>\n",
    );
    let tags = list(document, "/tags");
    write_contents(&mut html, document, tags);

    html.push_str("<main>\n<h1>The API of accredit</h1>\n");
    let _ = write!(html, "<p>Version {}. ", escape(text(document, "/info/version")));
    html.push_str("The same as <a href=\"/openapi.json\">an OpenAPI document</a>.</p>\n");
    html.push_str(&paragraphs(text(document, "/info/description")));

    for tag in tags {
        let name = text(tag, "/name");
        let _ = writeln!(html, "<h2 id=\"{}\">{}</h2>", anchor(name), escape(name));
        html.push_str(&paragraphs(text(tag, "/description")));
        for (path, method, operation) in operations_of(document, name) {
            write_operation(&mut html, document, (path, method), operation);
        }
    }

    html.push_str("<h2 id=\"schemas\">Schemas</h2>\n");
    for (name, schema) in fields(document, "/components/schemas") {
        write_schema(&mut html, name, schema);
    }
    html.push_str("</main>\n</body>\n</html>\n");
    html
}

/// The list of everything on the page.
fn write_contents(html: &mut String, document: &Value, tags: &[Value]) {
    html.push_str("<nav>\n");
    for tag in tags {
        let name = text(tag, "/name");
        let _ = writeln!(html, "<h2><a href=\"#{}\">{}</a></h2>\n<ul>", anchor(name), escape(name));
        for (_, _, operation) in operations_of(document, name) {
            let id = escape(text(operation, "/operationId"));
            let _ = writeln!(html, "<li><a href=\"#{id}\">{id}</a></li>");
        }
        html.push_str("</ul>\n");
    }
    html.push_str("<h2><a href=\"#schemas\">Schemas</a></h2>\n</nav>\n");
}

/// The operations of a group, in order of their paths.
fn operations_of<'d>(
    document: &'d Value,
    tag: &'d str,
) -> impl Iterator<Item = (&'d str, &'d str, &'d Value)> {
    let all = fields(document, "/paths").flat_map(|(path, methods)| {
        fields(methods, "").map(move |(method, operation)| (path, method, operation))
    });
    all.filter(move |(_, _, operation)| text(operation, "/tags/0") == tag)
}

fn write_operation(
    html: &mut String,
    document: &Value,
    (path, method): (&str, &str),
    operation: &Value,
) {
    let id = escape(text(operation, "/operationId"));
    let method = method.to_ascii_uppercase();
    let _ = writeln!(
        html,
        "<section id=\"{id}\">\n<h3><b>{method}</b> <code>{}</code></h3>",
        escape(path)
    );

    let summary = text(operation, "/summary");
    let about = text(operation, "/description");
    html.push_str(&paragraphs(if about.is_empty() { summary } else { about }));
    let role = match text(operation, "/x-accredit-role") {
        "" => "It needs no token.".to_owned(),
        role => format!("It needs a token with the role <code>{}</code>.", escape(role)),
    };
    let _ = writeln!(html, "<p>{role}</p>");

    write_parameters(html, list(operation, "/parameters"));
    for (media_type, content) in fields(operation, "/requestBody/content") {
        let _ = writeln!(html, "<h4>Body: <code>{}</code></h4>", escape(media_type));
        let _ = writeln!(html, "<p>{}</p>", type_html(content.get("schema")));
        for (_, example) in fields(content, "/examples") {
            let _ = writeln!(html, "<pre>{}</pre>", escape(&example_text(example.get("value"))));
        }
    }

    html.push_str("<h4>Answers</h4>\n<table>\n<tr><th>status</th><th>body</th><th></th></tr>\n");
    for (status, response) in fields(operation, "/responses") {
        let shared = text(response, "/$ref").strip_prefix('#');
        let response = shared.and_then(|place| document.pointer(place)).unwrap_or(response);
        let bodies = fields(response, "/content").map(|(media_type, content)| {
            format!("<code>{}</code>: {}", escape(media_type), type_html(content.get("schema")))
        });
        let bodies = bodies.collect::<Vec<_>>().join("<br>");
        let about = inline(text(response, "/description"));
        let _ = writeln!(html, "<tr><td>{status}</td><td>{bodies}</td><td>{about}</td></tr>");
    }
    html.push_str("</table>\n</section>\n");
}

fn write_parameters(html: &mut String, parameters: &[Value]) {
    if parameters.is_empty() {
        return;
    }
    html.push_str(
        "<h4>Parameters</h4>\n<table>\n<tr><th>name</th><th>in</th><th>type</th><th></th></tr>\n",
    );
    for one in parameters {
        let (name, place) = (escape(text(one, "/name")), escape(text(one, "/in")));
        let needed = if one.get("required") == Some(&Value::Bool(true)) { ", needed" } else { "" };
        let (kind, about) = (type_html(one.get("schema")), inline(text(one, "/description")));
        let _ = writeln!(
            html,
            "<tr><td><code>{name}</code></td><td>{place}{needed}</td><td>{kind}</td><td>{about}</td></tr>"
        );
    }
    html.push_str("</table>\n");
}

fn write_schema(html: &mut String, name: &str, schema: &Value) {
    let _ = writeln!(html, "<section id=\"schema-{0}\">\n<h3>{0}</h3>", escape(name));
    html.push_str(&paragraphs(text(schema, "/description")));
    let needed = list(schema, "/required");
    let mut rows = fields(schema, "/properties").peekable();
    if rows.peek().is_none() {
        let _ = writeln!(html, "<p>{}</p>\n</section>", type_html(Some(schema)));
        return;
    }

    html.push_str("<table>\n<tr><th>key</th><th>type</th><th></th></tr>\n");
    for (key, field) in rows {
        let may_lack = if needed.iter().any(|one| one == key) { "" } else { ", or left out" };
        let (kind, about) = (type_html(Some(field)), inline(text(field, "/description")));
        let key = escape(key);
        let _ = writeln!(
            html,
            "<tr><td><code>{key}</code></td><td>{kind}{may_lack}</td><td>{about}</td></tr>"
        );
    }
    html.push_str("</table>\n</section>\n");
}

/// A schema in a few words, with links to those that it refers to.
fn type_html(schema: Option<&Value>) -> String {
    let Some(schema) = schema else { return String::new() };
    if let Some(name) = text(schema, "/$ref").strip_prefix("#/components/schemas/") {
        return format!("<a href=\"#schema-{0}\">{0}</a>", escape(name));
    }
    for key in ["/oneOf", "/anyOf"] {
        let parts: Vec<String> =
            list(schema, key).iter().map(|part| type_html(Some(part))).collect();
        if !parts.is_empty() {
            return parts.join(" or ");
        }
    }
    if let Some(Value::Array(words)) = schema.get("enum") {
        let words = words
            .iter()
            .filter_map(Value::as_str)
            .map(|word| format!("<code>{}</code>", escape(word)));
        return words.collect::<Vec<_>>().join(", ");
    }

    let kinds = match schema.get("type") {
        Some(Value::Array(kinds)) => kinds.iter().filter_map(Value::as_str).collect(),
        Some(Value::String(kind)) => vec![kind.as_str()],
        _ => vec!["any JSON"],
    };
    let named = kinds.into_iter().map(|kind| match kind {
        "array" => format!("array of {}", type_html(schema.get("items"))),
        "object" if schema.get("additionalProperties").is_some_and(Value::is_object) => {
            format!("object of {}", type_html(schema.get("additionalProperties")))
        }
        "string" => match text(schema, "/format") {
            "" => "text".to_owned(),
            format => escape(format),
        },
        kind => escape(kind),
    });
    named.collect::<Vec<_>>().join(" or ")
}

fn example_text(example: Option<&Value>) -> String {
    match example {
        Some(Value::String(text)) => text.clone(),
        Some(json) => serde_json::to_string_pretty(json).unwrap_or_default(),
        None => String::new(),
    }
}

/// Text as paragraphs; lines that begin with `- ` are lines of a list.
fn paragraphs(text: &str) -> String {
    let parts = text.split("\n\n").filter(|part| !part.trim().is_empty());
    parts.map(|part| format!("<p>{}</p>\n", inline(part))).collect()
}

/// Text whose parts between backticks are code.
fn inline(text: &str) -> String {
    let escaped = escape(text).replace("\n- ", "<br>");
    let escaped = escaped.strip_prefix("- ").unwrap_or(&escaped);
    let parts = escaped.split('`').enumerate();
    let parts = parts.map(|(number, part)| match number % 2 {
        1 => format!("<code>{part}</code>"),
        _ => part.to_owned(),
    });
    parts.collect()
}

fn escape(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    text.replace('>', "&gt;").replace('"', "&quot;")
}

fn anchor(name: &str) -> String {
    name.to_ascii_lowercase().replace(' ', "-")
}

fn text<'d>(value: &'d Value, place: &str) -> &'d str {
    value.pointer(place).and_then(Value::as_str).unwrap_or_default()
}

fn list<'d>(value: &'d Value, place: &str) -> &'d [Value] {
    value.pointer(place).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

fn fields<'d>(value: &'d Value, place: &str) -> impl Iterator<Item = (&'d str, &'d Value)> {
    let found: Option<&Map<String, Value>> = value.pointer(place).and_then(Value::as_object);
    found.into_iter().flatten().map(|(key, value)| (key.as_str(), value))
}
