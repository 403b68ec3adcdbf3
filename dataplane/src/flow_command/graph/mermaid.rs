//! The text of a diagram, as Mermaid reads it. Whatever a Flow says stands in quotes, with all that means something to
//! Mermaid written as an entity; ids are our own, so that no name can be a keyword.

use std::fmt::Write;

use super::{Drawing, Drawn, Shape, Way};

/// The diagram of these Flows; several are drawn side by side, each in a frame.
pub(super) fn text(drawings: &[Drawing]) -> String {
    let mut text = "flowchart TD\n".to_owned();
    for (number, drawing) in drawings.iter().enumerate() {
        let is_framed = drawings.len() > 1;
        if is_framed {
            let _ = writeln!(text, "  subgraph f{number}[\"{}\"]", escaped(&drawing.name));
        }
        write(&mut text, number, drawing);
        if is_framed {
            text.push_str("  end\n");
        }
    }
    text
}

fn write(text: &mut String, number: usize, drawing: &Drawing) {
    let id = |place: usize| format!("f{number}n{place}");
    for (place, Drawn { shape, lines, .. }) in drawing.nodes.iter().enumerate() {
        let lines: Vec<_> = lines.iter().map(|line| escaped(line)).collect();
        let (open, close) = match shape {
            Shape::Begin => ("([", "])"),
            Shape::Says => ("[", "]"),
            Shape::Asks => ("[/", "/]"),
            Shape::Decides => ("{", "}"),
            Shape::Works => ("[[", "]]"),
            Shape::Waits => ("(", ")"),
            Shape::Ends => ("((", "))"),
        };
        let _ = writeln!(text, "  {}{open}\"{}\"{close}", id(place), lines.join("<br/>"));
    }
    let place = |name: &str| drawing.nodes.iter().position(|node| node.name == name).map(id);
    let mut ends = false;
    let mut unknown: Vec<&str> = Vec::new();
    for Way { from, to, label, is_detour } in &drawing.ways {
        let Some(from) = place(from) else { continue };
        let to = match to {
            None => {
                ends = true;
                format!("f{number}end")
            }
            Some(name) => place(name).unwrap_or_else(|| {
                let known = unknown.iter().position(|other| other == name).unwrap_or_else(|| {
                    unknown.push(name);
                    unknown.len() - 1
                });
                format!("f{number}x{known}")
            }),
        };
        let line = if *is_detour { "-.->" } else { "-->" };
        let label = if label.is_empty() { String::new() } else { format!("|\"{}\"|", escaped(label)) };
        let _ = writeln!(text, "  {from} {line}{label} {to}");
    }
    if ends {
        let _ = writeln!(text, "  f{number}end(((\" \")))");
    }
    for (place, name) in unknown.iter().enumerate() {
        let _ = writeln!(text, "  f{number}x{place}[\"there is no node {}\"]", escaped(name));
    }
}

/// A text without anything that means something to Mermaid or to HTML.
fn escaped(text: &str) -> String {
    let mut safe = String::new();
    for letter in text.chars() {
        match letter {
            '"' | '#' | '&' | '<' | '>' | '`' | '|' | '%' | '\\' | '*' | '$' => {
                let _ = write!(safe, "#{};", u32::from(letter));
            }
            letter if letter.is_control() => safe.push(' '),
            letter => safe.push(letter),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn awkward_words_stay_in_their_quotes() {
        let awkward = ["end", "a \"b\" ]) | c", "{{ x }} --> y", "😀 <b>ñ</b> #35; & 100 %%", "`x` _y_ $$z$$\n\u{7}"];
        let mut drawing = Drawing { name: "end".to_owned(), ..Drawing::default() };
        for name in awkward {
            drawing.node(name, Shape::Asks, [name.to_owned()]);
            drawing.way(name, None, name);
            drawing.detour(name, Some("nowhere"), name);
        }
        let text = text(&[drawing]);
        for line in text.lines().skip(1) {
            let parts: Vec<&str> = line.split('"').collect();
            assert_eq!(parts.len() % 2, 1, "{line}");
            for (number, part) in parts.iter().enumerate() {
                let meaning = ['<', '`', '$', '|', '%', '&', '\\'];
                let quoted = number % 2 == 1;
                let words = part.replace("<br/>", "");
                assert!(!quoted || !words.contains(meaning), "{line}");
                let ours = |letter: char| letter.is_ascii_alphanumeric() || " ([{/})]|-.>".contains(letter);
                assert!(quoted || part.chars().all(ours), "{line}");
            }
        }
        assert!(text.contains("f0n1[/\"a #34;b#34; ]) #124; c\"/]"), "{text}");
    }

    #[test]
    fn flows_that_are_drawn_together_have_frames_and_ids_of_their_own() {
        let drawing = |name: &str| {
            let mut drawing = Drawing { name: name.to_owned(), ..Drawing::default() };
            drawing.node("a", Shape::Says, ["a".to_owned()]);
            drawing
        };
        let expected = "flowchart TD\n  subgraph f0[\"one\"]\n  f0n0[\"a\"]\n  end\n  subgraph f1[\"two\"]\n  f1n0[\"a\"]\n  end\n";
        assert_eq!(text(&[drawing("one"), drawing("two")]), expected);
    }
}
