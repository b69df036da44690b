//! The OpenAPI document as a page: made once, in HTML and CSS alone, so that the strictest policy lets it through.

use std::fmt::{self, Display, Write};

use serde_json::{Map, Value};

/// The page's style sheet.
pub const STYLE: &str = include_str!("page.css");

/// Text in which nothing is markup but `code` between backticks.
struct Text<'a>(&'a str);

impl Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, part) in self.0.split('`').enumerate() {
            if at > 0 {
                f.write_str(if at % 2 == 1 { "<code>" } else { "</code>" })?;
            }
            for character in part.chars() {
                match character {
                    '&' => f.write_str("&amp;")?,
                    '<' => f.write_str("&lt;")?,
                    '>' => f.write_str("&gt;")?,
                    '"' => f.write_str("&quot;")?,
                    other => f.write_char(other)?,
                }
            }
        }
        // One that nobody closed.
        if self.0.matches('`').count() % 2 == 1 { f.write_str("</code>") } else { Ok(()) }
    }
}

fn text<'a>(value: &'a Value, name: &str) -> Text<'a> {
    Text(value[name].as_str().unwrap_or_default())
}

/// Entries of an object, or nothing.
fn entries(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flat_map(Map::iter)
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// Writes the page of a document.
///
/// # Errors
/// None: a string takes whatever is written to it.
pub fn render(document: &Value) -> Result<String, fmt::Error> {
    let mut page = String::with_capacity(256 * 1024);
    let info = &document["info"];
    write!(
        page,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{title} API</title>\n\
         <link rel=\"stylesheet\" href=\"/api/docs.css\">\n</head>\n<body>\n<header>\n<h1>{title} API <small>{version}</small></h1>\n\
         <p>{description}</p>\n<p>The document itself: <a href=\"/api/openapi.json\"><code>/api/openapi.json</code></a> \
         (OpenAPI {openapi}).</p>\n</header>\n<nav aria-label=\"Parts\">\n<ul>\n",
        title = text(info, "title"),
        version = text(info, "version"),
        description = text(info, "description"),
        openapi = text(document, "openapi"),
    )?;
    for tag in list(&document["tags"]) {
        let name = text(tag, "name");
        writeln!(page, "<li><a href=\"#{name}\">{name}</a></li>")?;
    }
    page.push_str("<li><a href=\"#schemas\">schemas</a></li>\n</ul>\n</nav>\n<main>\n");
    for tag in list(&document["tags"]) {
        let name = text(tag, "name");
        writeln!(page, "<section id=\"{name}\">\n<h2>{name}</h2>\n<p>{}</p>", text(tag, "description"))?;
        for (path, item) in entries(&document["paths"]) {
            for (method, operation) in entries(item) {
                if list(&operation["tags"]).any(|of| *of == tag["name"]) {
                    operation_of(&mut page, document, path, method, operation)?;
                }
            }
        }
        page.push_str("</section>\n");
    }
    page.push_str("<section id=\"schemas\">\n<h2>schemas</h2>\n");
    for (name, schema) in entries(&document["components"]["schemas"]) {
        write!(
            page,
            "<details id=\"schema-{0}\">\n<summary><b>{0}</b> {1}</summary>\n",
            Text(name),
            text(schema, "description")
        )?;
        fields(&mut page, schema)?;
        page.push_str("</details>\n");
    }
    page.push_str("</section>\n</main>\n</body>\n</html>\n");
    Ok(page)
}

fn operation_of(
    page: &mut String,
    document: &Value,
    path: &str,
    method: &str,
    operation: &Value,
) -> fmt::Result {
    write!(
        page,
        "<details id=\"{id}\">\n<summary><span class=\"method {method}\">{upper}</span> <b>{path}</b> \
         <span class=\"what\">{summary}</span></summary>\n",
        id = text(operation, "operationId"),
        upper = method.to_uppercase(),
        path = Text(path),
        summary = text(operation, "summary"),
    )?;
    if operation["description"].is_string() {
        writeln!(page, "<p>{}</p>", text(operation, "description"))?;
    }
    let needs = match operation["security"].as_array() {
        None => "For everybody.",
        Some(any) if any.iter().any(|one| one.as_object().is_some_and(Map::is_empty)) => {
            "For everybody; a session makes a difference."
        }
        Some(_) => "Needs a session.",
    };
    writeln!(page, "<p class=\"needs\">{needs}</p>")?;
    if list(&operation["parameters"]).next().is_some() {
        page.push_str("<h3>Parameters</h3>\n<dl>\n");
        for parameter in list(&operation["parameters"]) {
            let required = if parameter["required"] == true { ", required" } else { "" };
            write!(
                page,
                "<dt><code>{}</code> <span class=\"type\">{}{required}, ",
                text(parameter, "name"),
                text(parameter, "in")
            )?;
            type_of(page, &parameter["schema"])?;
            writeln!(page, "</span></dt>\n<dd>{}</dd>", text(parameter, "description"))?;
        }
        page.push_str("</dl>\n");
    }
    for (media, content) in entries(&operation["requestBody"]["content"]) {
        write!(page, "<h3>Body</h3>\n<p><code>{}</code>: ", Text(media))?;
        type_of(page, &content["schema"])?;
        page.push_str("</p>\n");
    }
    page.push_str("<h3>Answers</h3>\n<dl>\n");
    for (status, response) in entries(&operation["responses"]) {
        let shared =
            response["$ref"].as_str().and_then(|path| document.pointer(path.trim_start_matches('#')));
        let response = shared.unwrap_or(response);
        let class = if status.starts_with('2') { "good" } else { "other" };
        write!(page, "<dt><code class=\"{class}\">{}</code> <span class=\"type\">", Text(status))?;
        for (_, content) in entries(&response["content"]) {
            type_of(page, &content["schema"])?;
        }
        writeln!(page, "</span></dt>\n<dd>{}</dd>", text(response, "description"))?;
    }
    page.push_str("</dl>\n</details>\n");
    Ok(())
}

/// The fields of an object, or what else a schema allows.
fn fields(page: &mut String, schema: &Value) -> fmt::Result {
    for part in list(&schema["allOf"]) {
        fields(page, part)?;
    }
    if !schema["properties"].is_object() {
        page.push_str("<p>");
        type_of(page, schema)?;
        page.push_str("</p>\n");
        return Ok(());
    }
    page.push_str("<dl>\n");
    for (name, property) in entries(&schema["properties"]) {
        let optional = !list(&schema["required"]).any(|required| required == name);
        write!(page, "<dt><code>{}</code> <span class=\"type\">", Text(name))?;
        type_of(page, property)?;
        let optional = if optional { ", optional" } else { "" };
        writeln!(page, "{optional}</span></dt>\n<dd>{}</dd>", text(property, "description"))?;
    }
    page.push_str("</dl>\n");
    Ok(())
}

/// A schema in a few words, with its bounds.
fn type_of(page: &mut String, schema: &Value) -> fmt::Result {
    if let Some(name) = schema["$ref"].as_str().and_then(|path| path.rsplit('/').next()) {
        return write!(page, "<a href=\"#schema-{0}\">{0}</a>", Text(name));
    }
    for (at, one) in
        list(&schema["oneOf"]).chain(list(&schema["anyOf"])).chain(list(&schema["allOf"])).enumerate()
    {
        page.push_str(if at > 0 { " or " } else { "" });
        type_of(page, one)?;
    }
    let types: Vec<&str> = match &schema["type"] {
        Value::String(one) => vec![one],
        many => list(many).filter_map(Value::as_str).collect(),
    };
    if schema["items"].is_object() {
        page.push_str("list of ");
        type_of(page, &schema["items"])?;
    } else {
        page.push_str(&types.join(" or "));
    }
    if schema["format"].is_string() {
        write!(page, " ({})", text(schema, "format"))?;
    }
    for (at, value) in list(&schema["enum"]).enumerate() {
        write!(page, "{} <code>{}</code>", if at > 0 { "," } else { ":" }, Text(&value.to_string()))?;
    }
    let bounds = [
        ("minimum", "at least"),
        ("maximum", "at most"),
        ("minLength", "min. length"),
        ("maxLength", "max. length"),
        ("maxItems", "max. items"),
    ];
    for (name, words) in bounds {
        if schema[name].is_number() {
            write!(page, ", {words} {}", schema[name])?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_the_document_is_markup() {
        assert_eq!(
            Text("a <b> & `c < d` \"e\"").to_string(),
            "a &lt;b&gt; &amp; <code>c &lt; d</code> &quot;e&quot;"
        );
        assert_eq!(Text("an `open end").to_string(), "an <code>open end</code>");
    }

    #[test]
    fn every_operation_and_every_schema_is_on_the_page() {
        let document = serde_json::to_value(crate::routes::openapi()).expect("JSON");
        let page = render(&document).expect("a page");
        let mut operations = 0;
        for (_, item) in entries(&document["paths"]) {
            for (_, operation) in entries(item) {
                let id = operation["operationId"].as_str().expect("every operation has an id");
                assert_eq!(page.matches(&format!("<details id=\"{id}\">")).count(), 1, "{id}");
                operations += 1;
            }
        }
        assert!(operations > 30, "{operations}");
        for (name, _) in entries(&document["components"]["schemas"]) {
            assert!(page.contains(&format!("id=\"schema-{name}\"")), "{name}");
        }
        // What is referred to is there.
        for link in page.split("href=\"#").skip(1) {
            let id = link.split('"').next().unwrap_or_default();
            assert!(page.contains(&format!("id=\"{id}\"")), "{id}");
        }
        assert!(page.contains("Asked too often"), "answers that operations share");
        assert!(!page.contains("<script") && !page.contains("style=") && !page.contains("http://"));
    }
}
