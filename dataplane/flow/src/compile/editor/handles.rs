//! The handles of the editor's nodes: edges that no answer takes, and answers that no edge takes on.

use super::{Node, Reader};
use crate::findings::quoted;

impl Reader<'_> {
    /// Warns of edges from handles that the node does not have, and of handles without an edge.
    pub(super) fn handles(&mut self, node: &Node<'_>) {
        let (options, others): (_, &[&str]) = match node.type_ {
            "options" => {
                (node.get("options").and_then(|options| options.as_array()).map_or(0, Vec::len), &["no-match"])
            }
            "condition" => (0, &["true", "false"]),
            // All edges of the others are alike.
            _ => return,
        };
        let handles: Vec<String> = (0..options)
            .map(|option| format!("opt-{option}"))
            .chain(others.iter().map(|&handle| handle.to_owned()))
            .collect();
        let mut taken = Vec::new();
        for (index, edge) in self.edges.iter().enumerate().filter(|(_, edge)| edge.source == node.id) {
            match edge.handle {
                Some(handle) if handles.iter().any(|known| known == handle) => taken.push(handle),
                handle => {
                    let whence = handle.map_or("no handle".to_owned(), |handle| format!("handle {}", quoted(handle)));
                    let message = format!(
                        "it comes from {whence}, and is never taken: write one of {}, or remove the edge",
                        handles.join(", ")
                    );
                    self.builder.warning(&format!("edges[{index}].sourceHandle"), message);
                }
            }
        }
        for handle in handles.iter().filter(|handle| !taken.contains(&handle.as_str())) {
            let when = match handle.as_str() {
                "no-match" => "an answer that is none of the options",
                "true" => "a condition that holds",
                "false" => "a condition that does not hold",
                _ => "an answer by this option",
            };
            let message = format!("{when} ends the conversation: draw an edge; to an end node where that is meant");
            self.builder.warning(handle, message);
        }
    }
}
