//! Escape words: what a customer writes to leave a conversation, whatever it is about.

use wigwag_crds::flow;
use wigwag_domain::{Content, Payload};

use crate::{Program, Tenant, findings::Findings, fold::fold};

/// Words and where they lead.
#[derive(Clone, Debug)]
pub(crate) struct Escape {
    folded: Vec<String>,
    flow: Option<String>,
    opt_out: bool,
}

/// Where an escape word leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Escaped<'a> {
    /// The flow that begins; none where the word is the end.
    pub flow: Option<&'a str>,
    /// Whether nothing is sent any more until the customer writes again.
    pub opt_out: bool,
}

/// Where a message leads that is an escape word: of the flow that it would answer, else of the tenant. The whole
/// message must be the word; case and accents do not count.
#[must_use]
pub fn escaped<'a>(tenant: &'a Tenant, program: Option<&'a Program>, message: &Payload) -> Option<Escaped<'a>> {
    if !matches!(message.content, Content::Text { .. } | Content::Tap(_)) {
        return None;
    }
    let said = fold(message.content.text());
    let of_flow = program.map_or(&[][..], Program::escape);
    let of_tenant = if program.is_some_and(Program::no_tenant_escape) { &[][..] } else { tenant.escape() };
    let found = of_flow.iter().chain(of_tenant).find(|escape| escape.folded.contains(&said))?;
    Some(Escaped { flow: found.flow.as_deref(), opt_out: found.opt_out })
}

/// Compiles escape words.
pub(crate) fn compile(escapes: &[flow::Escape], at: &str, findings: &mut Findings) -> Vec<Escape> {
    let mut compiled = Vec::new();
    for (index, escape) in escapes.iter().enumerate() {
        let field = |name: &str| format!("{at}[{index}]{name}");
        if escape.flow.is_some() == escape.end {
            let message = "an escape leads to a flow or is the end: write flow: NAME or end: true";
            findings.error(None, field(""), message);
        }
        let folded: Vec<String> = escape.words.iter().map(|word| fold(word)).collect();
        if folded.is_empty() || folded.iter().any(String::is_empty) {
            findings.error(None, field(".words"), "a word has no letters: write what the customer writes");
        }
        compiled.push(Escape { folded, flow: escape.flow.clone(), opt_out: escape.opt_out });
    }
    compiled
}
