//! Sessions as text for people.

use std::fmt::Write;

use serde_json::Value;

/// A table, and how to see the rest.
pub(super) fn list(answer: &Value) -> String {
    let sessions = answer["sessions"].as_array().map(Vec::as_slice).unwrap_or_default();
    if sessions.is_empty() {
        return "no sessions\n".to_owned();
    }
    let head = ["ID", "FLOW", "REVISION", "STATUS", "NODE", "WAITS FOR", "CONTACT", "CHANGED"];
    let mut rows = vec![head.map(str::to_owned)];
    rows.extend(sessions.iter().map(|session| {
        let of = |name: &str| words(&session[name]);
        [
            of("id"),
            of("flow"),
            of("revision"),
            of("status"),
            of("node"),
            of("waitsFor"),
            contact(&session["contact"]),
            of("updatedAt"),
        ]
    }));
    let mut out = table(&rows);
    if let Some(next) = answer["next"].as_str() {
        let _ = writeln!(out, "more: --before {next}");
    }
    out
}

/// One session, part by part.
pub(super) fn show(session: &Value) -> String {
    let of = |name: &str| words(&session[name]);
    let ended = session["context"]["endReason"].as_str().filter(|reason| !reason.is_empty());
    let ended = ended.filter(|_| session["status"] == "Completed");
    let reason = ended.map(|reason| format!(" ({reason})")).unwrap_or_default();
    let mut stands = format!("{}{reason} at {}", of("status"), of("node"));
    if session["nodeFlow"] != session["flow"] && !session["nodeFlow"].is_null() {
        let _ = write!(stands, " of {}", of("nodeFlow"));
    }
    if !session["waitsFor"].is_null() {
        let _ = write!(stands, ", waits for {}", of("waitsFor"));
    }
    if !session["due"].is_null() {
        let _ = write!(stands, " until {}", of("due"));
    }
    let person = format!("{} ({})", contact(&session["contact"]), words(&session["contact"]["id"]));
    let facts = [
        ("session", of("id")),
        ("flow", format!("{} ({})", of("flow"), of("revision"))),
        ("stands", stands),
        ("contact", person),
        ("began", of("createdAt")),
        ("changed", of("updatedAt")),
    ];
    let mut out = table(&facts.map(|(name, value)| [name.to_owned(), value]));
    let named = |fields: &Value| -> Vec<[String; 2]> {
        let fields = fields.as_object().into_iter().flatten();
        fields.map(|(name, value)| [name.clone(), value.to_string()]).collect()
    };
    part(&mut out, "variables", &named(&session["variables"]));
    part(&mut out, "context", &named(&session["context"]));
    let said: Vec<_> = items(&session["history"])
        .map(|one| {
            let said = words(&one["payload"]["text"]);
            [words(&one["timestamp"]), words(&one["direction"]), words(&one["type"]), said.replace('\n', " ")]
        })
        .collect();
    part(&mut out, "history", &said);
    let events: Vec<_> =
        items(&session["events"]).map(|one| ["number", "at", "kind", "source"].map(|name| words(&one[name]))).collect();
    part(&mut out, "events", &events);
    out
}

fn items(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().into_iter().flatten()
}

fn contact(contact: &Value) -> String {
    let known = [&contact["name"], &contact["phone"]].into_iter().filter_map(Value::as_str);
    let known = known.collect::<Vec<_>>().join(" ");
    if known.is_empty() { words(&contact["id"]) } else { known }
}

fn part<const N: usize>(out: &mut String, name: &str, rows: &[[String; N]]) {
    if rows.is_empty() {
        return;
    }
    let _ = writeln!(out, "{name}");
    for line in table(rows).lines() {
        let _ = writeln!(out, "  {line}");
    }
}

/// Columns two spaces apart, as wide as they must be.
fn table<const N: usize>(rows: &[[String; N]]) -> String {
    let mut widths = [0; N];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut out = String::new();
    for row in rows {
        let cells: Vec<_> = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        out.push_str(cells.join("  ").trim_end());
        out.push('\n');
    }
    out
}

fn words(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn session() -> Value {
        json!({
            "id": "0198-1", "flow": "sizes", "revision": "3f9a1c0b77de", "status": "Paused", "node": "ask",
            "nodeFlow": "sizes", "waitsFor": "answer", "due": "2026-11-22T10:00:00Z",
            "contact": {"id": "c-1", "phone": "+34600111222", "name": "Ana"},
            "createdAt": "2026-11-21T10:00:00Z", "updatedAt": "2026-11-21T10:00:01Z",
            "variables": {"cart": []}, "context": {"input": "hola"},
            "history": [{"direction": "in", "type": "text", "timestamp": "2026-11-21T10:00:00.000Z", "payload": {"text": "hola"}}],
            "events": [{"number": 1, "at": "2026-11-21T10:00:00Z", "kind": "message", "source": "m-1"}],
        })
    }

    #[test]
    fn a_list_is_a_table_that_tells_how_to_see_the_rest() {
        let answer = json!({"sessions": [session()], "next": "0198-1"});
        assert_eq!(
            list(&answer),
            "ID      FLOW   REVISION      STATUS  NODE  WAITS FOR  CONTACT           CHANGED
0198-1  sizes  3f9a1c0b77de  Paused  ask   answer     Ana +34600111222  2026-11-21T10:00:01Z
more: --before 0198-1
"
        );
        assert_eq!(list(&json!({"sessions": [], "next": null})), "no sessions\n");
    }

    #[test]
    fn a_session_that_is_over_tells_why_and_an_open_one_no_reason_of_the_past() {
        let mut over = session();
        over["context"] = json!({"endReason": "bought"});
        assert!(show(&over).contains("\nstands   Paused at ask, "), "{}", show(&over));
        for (field, value) in [("status", json!("Completed")), ("waitsFor", Value::Null), ("due", Value::Null)] {
            over[field] = value;
        }
        assert!(show(&over).contains("\nstands   Completed (bought) at ask\n"), "{}", show(&over));
    }

    #[test]
    fn a_session_is_shown_part_by_part() {
        assert_eq!(
            show(&session()),
            "session  0198-1
flow     sizes (3f9a1c0b77de)
stands   Paused at ask, waits for answer until 2026-11-22T10:00:00Z
contact  Ana +34600111222 (c-1)
began    2026-11-21T10:00:00Z
changed  2026-11-21T10:00:01Z
variables
  cart  []
context
  input  \"hola\"
history
  2026-11-21T10:00:00.000Z  in  text  hola
events
  1  2026-11-21T10:00:00Z  message  m-1
"
        );
    }
}
