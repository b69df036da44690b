//! Log lines as JSON: one object each, with the fields of the spans around an event at its top level. What a span says is
//! made into text once, when the span begins, and copied into each of its lines.

use std::cell::RefCell;
use std::fmt::{self, Write as _};

use jiff::Timestamp;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::{LookupSpan, SpanRef};

use super::output::Output;

/// Writes lines to an output.
#[derive(Debug)]
pub(super) struct Lines {
    /// `,"service":"<name>"`
    service: String,
    output: Output,
}

/// The fields of a span, each after a comma.
struct Fields(String);

thread_local! {
    static LINE: RefCell<String> = const { RefCell::new(String::new()) };
}

impl Lines {
    pub(super) fn new(service: &str, output: Output) -> Self {
        let mut text = String::new();
        Json(&mut text).text("service", service);
        Self { service: text, output }
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Lines {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        if let Some(span) = context.span(id) {
            let mut fields = String::with_capacity(320);
            attributes.record(&mut Json(&mut fields));
            span.extensions_mut().insert(Fields(fields));
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        if let Some(span) = context.span(id)
            && let Some(Fields(fields)) = span.extensions_mut().get_mut::<Fields>()
        {
            values.record(&mut Json(fields));
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let metadata = event.metadata();
        LINE.with_borrow_mut(|line| {
            line.clear();
            // Writing to a string cannot fail.
            let _ = write!(line, "{{\"timestamp\":\"{:.6}\"", Timestamp::now());
            let mut json = Json(line);
            json.text("level", metadata.level().as_str());
            json.text("target", metadata.target());
            line.push_str(&self.service);
            if let Some(span) = context.event_span(event) {
                push_fields(line, &span);
            }
            event.record(&mut Json(line));
            line.push_str("}\n");
            self.output.write(line.as_bytes(), *metadata.level() <= Level::WARN);
        });
    }
}

/// Appends the fields of a span, after those of the spans around it.
fn push_fields<S: for<'a> LookupSpan<'a>>(line: &mut String, span: &SpanRef<'_, S>) {
    if let Some(around) = span.parent() {
        push_fields(line, &around);
    }
    if let Some(Fields(fields)) = span.extensions().get::<Fields>() {
        line.push_str(fields);
    }
}

/// Appends fields of JSON.
struct Json<'a>(&'a mut String);

impl Json<'_> {
    fn name(&mut self, name: &str) {
        self.0.push_str(",\"");
        // Names are identifiers of the program's own.
        self.0.push_str(name);
        self.0.push_str("\":");
    }

    fn text(&mut self, name: &str, value: &str) {
        self.name(name);
        self.0.push('"');
        Escaped(self.0).push(value);
        self.0.push('"');
    }

    fn plain(&mut self, field: &Field, value: fmt::Arguments<'_>) {
        if is_of_lines(field) {
            self.name(field.name());
            let _ = self.0.write_fmt(value);
        }
    }
}

/// What the bridge to traces reads alone is no part of lines.
fn is_of_lines(field: &Field) -> bool {
    !field.name().starts_with("otel.")
}

impl Visit for Json<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if is_of_lines(field) {
            self.name(field.name());
            self.0.push('"');
            let _ = write!(Escaped(self.0), "{value:?}");
            self.0.push('"');
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        if is_of_lines(field) {
            self.text(field.name(), value);
        }
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        if value.is_finite() {
            self.plain(field, format_args!("{value}"));
        } else {
            self.record_str(field, &value.to_string());
        }
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.plain(field, format_args!("{value}"));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.plain(field, format_args!("{value}"));
    }

    fn record_i128(&mut self, field: &Field, value: i128) {
        self.plain(field, format_args!("{value}"));
    }

    fn record_u128(&mut self, field: &Field, value: u128) {
        self.plain(field, format_args!("{value}"));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.plain(field, format_args!("{value}"));
    }

    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        if is_of_lines(field) {
            self.name(field.name());
            self.0.push('"');
            let _ = write!(Escaped(self.0), "{value}");
            self.0.push('"');
        }
    }
}

/// Appends text within quotation marks (RFC 8259, 7).
struct Escaped<'a>(&'a mut String);

impl Escaped<'_> {
    fn push(&mut self, text: &str) {
        let special = |byte: u8| byte < 0x20 || matches!(byte, b'"' | b'\\');
        if !text.bytes().any(special) {
            self.0.push_str(text);
            return;
        }
        for character in text.chars() {
            match character {
                '"' => self.0.push_str("\\\""),
                '\\' => self.0.push_str("\\\\"),
                '\n' => self.0.push_str("\\n"),
                control if control < ' ' => {
                    let _ = write!(self.0, "\\u{:04x}", u32::from(control));
                }
                character => self.0.push(character),
            }
        }
    }
}

impl fmt::Write for Escaped<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.push(text);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;
    use std::io;
    use std::sync::{Arc, Mutex};
    use tracing_subscriber::layer::SubscriberExt;

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("no panic").extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_line_is_an_object_with_the_fields_of_its_spans_whatever_is_in_them() {
        let _ = crate::telemetry::metrics_only();
        let kept = Kept::default();
        let output = Output::start(kept.clone(), &crate::telemetry::Losses::of("lines")).expect("a thread");
        let lines = Lines::new("a \"service\"", output.writer());
        let subscriber = tracing_subscriber::registry().with(lines);
        tracing::subscriber::with_default(subscriber, || {
            let hostile = "forged\",\"level\":\"ERROR\"}\n{\u{7}\\ \u{1f980}";
            let span = tracing::info_span!(
                "request",
                otel.name = "no",
                path = hostile,
                status = tracing::field::Empty
            );
            span.record("status", 503_u16);
            let error = std::fmt::Error;
            let error: &(dyn std::error::Error + 'static) = &error;
            tracing::warn!(parent: &span, duration_ms = 1.25, ratio = f64::NAN, ok = true, error, debug = ?hostile, "an {hostile}");
        });
        drop(output);
        let text = String::from_utf8(kept.0.lock().expect("no panic").clone()).expect("UTF-8");
        assert_eq!(text.lines().count(), 1, "{text}");
        let line: Value = serde_json::from_str(&text).expect("JSON");
        let hostile = "forged\",\"level\":\"ERROR\"}\n{\u{7}\\ \u{1f980}";
        assert_eq!(line["level"], "WARN");
        assert_eq!(line["service"], "a \"service\"");
        assert_eq!(line["path"], hostile);
        assert_eq!(line["message"], format!("an {hostile}"));
        assert_eq!(line["debug"], format!("{hostile:?}"));
        assert_eq!(
            (&line["status"], &line["duration_ms"], &line["ok"]),
            (&503.into(), &1.25.into(), &true.into())
        );
        assert_eq!((&line["ratio"], &line["error"]), (&"NaN".into(), &std::fmt::Error.to_string().into()));
        assert!(line["timestamp"].as_str().is_some_and(|at| at.len() == 27 && at.ends_with('Z')), "{line}");
        assert!(line.get("otel.name").is_none(), "{line}");
    }
}
