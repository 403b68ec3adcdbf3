//! `wigwag-dataplane flow simulate`: a conversation in the terminal, or one that a script plays.

use std::{
    fs,
    io::{self, BufRead, IsTerminal, Write},
    path::{Path, PathBuf},
};

use clap::Args;
use jiff::{Timestamp, civil::DateTime, tz::TimeZone};
use serde_json::{Value, json};
use wigwag_domain::{Body, CallResult, HttpCall};

use super::{
    DIFFERENT, GOOD, UNREADABLE,
    conversation::{Beginning, Conversation, Outside},
    manifests::{Manifests, Setting},
    play,
    prompt::{self, HELP, Line},
    record::Record,
    screen,
    script::Script,
};

/// Options of `flow simulate`.
#[derive(Clone, Debug, Args)]
pub struct Simulate {
    /// Files with Flows of one tenant, or folders of them. The tenant's own manifest, if it is among them, gives its time
    /// zone, languages, variables and escape words.
    #[arg(required = true)]
    pub flows: Vec<PathBuf>,
    /// Play this script; ends with 1 where the conversation goes otherwise.
    #[arg(long, conflicts_with = "record")]
    pub script: Option<PathBuf>,
    /// Write the conversation into this file, as a script.
    #[arg(long)]
    pub record: Option<PathBuf>,
    /// The time at the beginning, in the tenant's zone (`2026-01-05T09:00`) or in UTC (`2026-01-05T09:00Z`).
    #[arg(long)]
    pub now: Option<String>,
}

/// A place to talk: lines in, lines out.
pub struct Terminal<'t> {
    /// What people write.
    pub input: Box<dyn BufRead + 't>,
    /// What they see.
    pub out: Box<dyn Write + 't>,
    /// Whether people write here: then they are asked, and told how.
    pub has_prompt: bool,
    /// Whether the customer's side is told apart by colour.
    pub has_colour: bool,
}

impl Terminal<'_> {
    /// That of this process; a pipe does as well.
    #[must_use]
    pub fn standard() -> Self {
        let (input, out) = (io::stdin(), io::stdout());
        let is_watched = out.is_terminal();
        Self {
            has_prompt: is_watched && input.is_terminal(),
            has_colour: is_watched && std::env::var_os("NO_COLOR").is_none(),
            input: Box::new(input.lock()),
            out: Box::new(out),
        }
    }
}

/// Talks at a terminal.
struct Talk<'a, 't> {
    terminal: &'a mut Terminal<'t>,
    record: Option<Record>,
    /// Why the terminal can be used no more.
    broken: Option<io::Error>,
}

/// Simulates a conversation and returns the exit code.
///
/// # Errors
/// When the terminal cannot be written.
pub fn run(args: &Simulate, terminal: &mut Terminal<'_>) -> io::Result<u8> {
    let setting = match Manifests::read(&args.flows).and_then(|manifests| manifests.setting()) {
        Ok(setting) => setting,
        Err(problems) => {
            problems.iter().try_for_each(|problem| writeln!(terminal.out, "{problem}"))?;
            return Ok(UNREADABLE);
        }
    };
    match &args.script {
        Some(script) => run_script(script, args.now.as_deref(), setting, &mut terminal.out),
        None => {
            let now = match args.now.as_deref().map(|now| time(now, &setting.zone)).transpose() {
                Ok(now) => now,
                Err(why) => {
                    writeln!(terminal.out, "--now: {why}")?;
                    return Ok(UNREADABLE);
                }
            };
            let mut conversation = Conversation::new(setting, Beginning { now, ..Beginning::default() });
            let record = args.record.clone().map(|path| Record::begin(path, &conversation)).transpose();
            match record {
                Ok(record) => Talk { terminal, record, broken: None }.run(&mut conversation),
                Err(why) => {
                    writeln!(terminal.out, "{why}")?;
                    Ok(UNREADABLE)
                }
            }
        }
    }
}

fn run_script(path: &Path, now: Option<&str>, setting: Setting, out: &mut impl Write) -> io::Result<u8> {
    let file = path.display();
    let script = fs::read_to_string(path).map_err(|error| format!("cannot be read: {error}"));
    let script = script.and_then(|text| Script::parse(&text)).and_then(|script| {
        let now = now.or(script.given.now.as_deref()).map(|now| time(now, &setting.zone)).transpose()?;
        Ok((script, now))
    });
    let (mut script, now) = match script {
        Ok(script) => script,
        Err(why) => {
            writeln!(out, "{file}: {why}")?;
            return Ok(UNREADABLE);
        }
    };
    let given = std::mem::take(&mut script.given);
    let beginning = Beginning {
        name: given.contact.name,
        phone: given.contact.phone,
        attributes: given.contact.attributes,
        variables: given.variables,
        now,
    };
    match play::play(&script, &mut Conversation::new(setting, beginning)) {
        Ok(said) => {
            writeln!(out, "{file}: {said} messages of the bot, all as written")?;
            Ok(GOOD)
        }
        Err(difference) => {
            writeln!(out, "{file}:{difference}")?;
            Ok(DIFFERENT)
        }
    }
}

/// A time in the tenant's zone, unless it says its own.
fn time(text: &str, zone: &TimeZone) -> Result<Timestamp, String> {
    let wrong = || format!("{text:?} is no time: write it as 2026-01-05T09:00");
    if let Ok(time) = text.parse::<Timestamp>() {
        return Ok(time);
    }
    let local: DateTime = text.parse().map_err(|_| wrong())?;
    zone.to_timestamp(local).map_err(|_| wrong())
}

impl Talk<'_, '_> {
    /// Talks to the end of the input and returns the exit code.
    fn run(mut self, conversation: &mut Conversation) -> io::Result<u8> {
        if self.terminal.has_prompt {
            let who = conversation.contact().name.clone().unwrap_or_default();
            let when = conversation.time().strftime("%a %Y-%m-%d %H:%M %Z").to_string();
            self.dim(&format!("You are {who}, it is {when}. Write; /help shows what else there is."));
        }
        while self.broken.is_none() {
            let Some(line) = self.ask("> ") else { break };
            match prompt::read(&line, |number| conversation.offers(number)) {
                Ok(Line::Act(act)) => match conversation.act(&act, &mut self) {
                    Ok(()) => {
                        if let Some(Err(why)) = self.record.as_mut().map(|record| record.happened(&act)) {
                            self.write(|out| writeln!(out, "{why}"));
                            return self.broken.map_or(Ok(UNREADABLE), Err);
                        }
                    }
                    Err(why) => self.dim(&why),
                },
                Ok(Line::Variables) => self.dim(&variables(conversation)),
                Ok(Line::Help) => self.dim(HELP),
                Ok(Line::Empty) => {}
                Ok(Line::Quit) => break,
                Err(why) => self.dim(&why),
            }
        }
        self.broken.map_or(Ok(GOOD), Err)
    }

    /// The next line; none at the end.
    fn ask(&mut self, prompt: &str) -> Option<String> {
        if self.terminal.has_prompt {
            self.write(|out| write!(out, "{prompt}"));
        }
        let mut line = String::new();
        match self.terminal.input.read_line(&mut line) {
            Ok(0) => None,
            Ok(_) => Some(line),
            Err(error) => {
                self.broken = Some(error);
                None
            }
        }
    }

    /// What the customer does not see.
    fn dim(&mut self, text: &str) {
        let (begin, end) = if self.terminal.has_colour { ("\x1b[2m", "\x1b[0m") } else { ("", "") };
        for line in text.lines() {
            self.write(|out| writeln!(out, "{begin}· {line}{end}"));
        }
    }

    fn write(&mut self, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) {
        let out = &mut self.terminal.out;
        if let Err(error) = write(out).and_then(|()| out.flush()) {
            self.broken.get_or_insert(error);
        }
    }
}

impl Outside for Talk<'_, '_> {
    fn said(&mut self, body: &Body) {
        let line = screen::line(body);
        self.write(|out| writeln!(out, "{line}"));
        if let Some(record) = &mut self.record {
            record.said(line);
        }
    }

    fn note(&mut self, note: &str) {
        self.dim(note);
    }

    fn answer(&mut self, call: &HttpCall) -> Option<CallResult> {
        let body = call.body.as_ref().map(|body| format!(" {}", body.text)).unwrap_or_default();
        self.dim(&format!("http {} {}{body} ?", call.method, call.url));
        loop {
            let line = self.ask("? ")?;
            match prompt::answer(&line) {
                Ok(result) => {
                    if let Some(record) = &mut self.record {
                        record.answered(call, &result);
                    }
                    return Some(result);
                }
                Err(why) => self.dim(&why),
            }
        }
    }
}

/// What the session that changed last keeps, and what is kept of the contact.
fn variables(conversation: &Conversation) -> String {
    let last = conversation.last().map(|(session, _)| session);
    let shown = json!({
        "flow": last.map(|session| session.stands_in()),
        "node": last.map(|session| session.node.as_str()),
        "status": last.map(|session| session.status().as_str()),
        "variables": last.map(|session| &session.variables),
        "contact": conversation.contact().attributes,
    });
    let Value::Object(shown) = shown else { return String::new() };
    shown.iter().map(|(name, value)| format!("{name}: {value}\n")).collect()
}
