//! `wigwag-dataplane flow graph`: a Flow as a Mermaid diagram, to be pasted where people read; with counts, what became of
//! those who came by.
//!
//! | module | what |
//! | --- | --- |
//! | `native`, `editor` | nodes and ways of the two forms of a Flow |
//! | `mermaid` | the diagram's text |
//! | `counts` | what replicas counted |

mod counts;
mod editor;
mod mermaid;
mod native;

use std::{
    io::{self, Write},
    path::PathBuf,
};

use clap::Args;
use url::Url;
use wigwag_crds::text::{Text, Variants};
use wigwag_domain::cut;

use super::{GOOD, UNREADABLE, manifests::Manifests};
use crate::config::manifest::FlowManifest;

/// Letters of a text that a diagram shows.
const FIRST_WORDS: usize = 60;

/// Options of `flow graph`.
#[derive(Clone, Debug, Args)]
pub struct Graph {
    /// Files with Flows, or folders of them.
    #[arg(required = true)]
    pub flows: Vec<PathBuf>,
    /// Add how many entered each node, answered, did not match, timed out: the URL of a replica's metrics
    /// (`http://127.0.0.1:9090/metrics`); several are added up.
    #[arg(long)]
    pub counts: Vec<Url>,
}

/// A Flow as it is drawn.
#[derive(Debug, Default)]
struct Drawing {
    name: String,
    nodes: Vec<Drawn>,
    ways: Vec<Way>,
}

/// A node of a drawing.
#[derive(Debug)]
struct Drawn {
    name: String,
    shape: Shape,
    /// Its kind, its name, and what it is about.
    lines: Vec<String>,
}

/// What a node looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    /// Something begins.
    Begin,
    /// It says something.
    Says,
    /// It says something and waits for the customer.
    Asks,
    /// It chooses a way.
    Decides,
    /// It works without a word.
    Works,
    /// It waits, but not for the customer.
    Waits,
    /// It ends.
    Ends,
}

/// A way between two nodes.
#[derive(Debug)]
struct Way {
    from: String,
    /// The end, where nothing is named.
    to: Option<String>,
    label: String,
    /// Whether it is taken only where something went wrong.
    is_detour: bool,
}

/// Prints the diagram and returns the exit code.
///
/// # Errors
/// When `out` cannot be written.
pub async fn run(args: &Graph, out: &mut impl Write) -> io::Result<u8> {
    let drawings = Manifests::read(&args.flows).and_then(|manifests| {
        if manifests.flows.is_empty() {
            return Err(vec![manifests.no_flow()]);
        }
        manifests.flows.into_iter().map(draw).collect()
    });
    let mut drawings: Vec<(FlowManifest, Drawing)> = match drawings {
        Ok(drawings) => drawings,
        Err(problems) => {
            problems.iter().try_for_each(|problem| writeln!(out, "{problem}"))?;
            return Ok(UNREADABLE);
        }
    };
    let mut counted = counts::Counts::default();
    for url in &args.counts {
        if let Err(why) = counted.add(url).await {
            writeln!(out, "{why}")?;
            return Ok(UNREADABLE);
        }
    }
    for (manifest, drawing) in &mut drawings {
        for node in &mut drawing.nodes {
            node.lines.extend(counted.of(manifest.tenant.as_ref(), &drawing.name, &node.name));
        }
    }
    let drawings: Vec<Drawing> = drawings.into_iter().map(|(_, drawing)| drawing).collect();
    out.write_all(mermaid::text(&drawings).as_bytes())?;
    Ok(GOOD)
}

fn draw(manifest: FlowManifest) -> Result<(FlowManifest, Drawing), Vec<String>> {
    let spec = match &manifest.spec {
        Ok(spec) => spec,
        Err(findings) => {
            return Err(findings.iter().map(|finding| format!("{}: {finding}", manifest.file)).collect());
        }
    };
    let mut drawing = match &spec.definition {
        Some(definition) => editor::draw(&definition.0),
        None => native::draw(spec),
    };
    drawing.begin_policy(spec);
    drawing.name.clone_from(&manifest.name);
    Ok((manifest, drawing))
}

impl Drawing {
    fn node(&mut self, name: &str, shape: Shape, lines: impl IntoIterator<Item = String>) {
        let lines = lines.into_iter().filter(|line| !line.trim().is_empty()).collect();
        self.nodes.push(Drawn { name: name.to_owned(), shape, lines });
    }

    fn way(&mut self, from: &str, to: Option<&str>, label: impl Into<String>) {
        self.ways.push(Way { from: from.to_owned(), to: to.map(str::to_owned), label: label.into(), is_detour: false });
    }

    /// A way that is taken where something went wrong; none where nothing is named.
    fn detour(&mut self, from: &str, to: Option<&str>, label: impl Into<String>) {
        if let Some(to) = to {
            let (from, to) = (from.to_owned(), Some(to.to_owned()));
            self.ways.push(Way { from, to, label: label.into(), is_detour: true });
        }
    }

    /// Where the Flow itself leads: when nobody answers, and when something fails.
    fn begin_policy(&mut self, spec: &wigwag_crds::FlowSpec) {
        let late = format!("no answer in {}", spec.session.timeout);
        for (name, to, label) in
            [(" late", &spec.session.on_timeout, late.as_str()), (" error", &spec.on_error, "any error")]
        {
            if to.is_some() {
                self.node(name, Shape::Begin, [label.to_owned()]);
                self.detour(name, to.as_deref(), "");
            }
        }
    }
}

/// The first words of a text, in the language that is written first.
fn first_words(text: &str) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    cut(&text, FIRST_WORDS).into_owned()
}

fn words(text: &Text) -> String {
    match text.variants() {
        Some(Variants::One(text)) => first_words(text),
        Some(Variants::ByLanguage(texts)) => texts.first().map(|(_, text)| first_words(text)).unwrap_or_default(),
        None => String::new(),
    }
}

/// What a customer chooses.
fn quoted(title: &str) -> String {
    format!("“{title}”")
}
