//! What a person sees of conversations: the transcript while it grows, and, on a terminal, a prompt below it.

use std::collections::HashMap;
use std::io::{Write, stdout};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use tokio::sync::broadcast::{self, error::RecvError};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::sleep;
use wigwag_simulator::{Event, Simulator};

use super::manifests::Account;
use super::transcript::Transcript;

/// How often it is looked whether a line has waited long enough.
const TICK: Duration = Duration::from_millis(100);
/// Removes what stands in the terminal's line.
const ERASE_LINE: &str = "\r\x1b[K";
/// Goes up a line first.
const ERASE_LINE_ABOVE: &str = "\x1b[1A\r\x1b[K";

/// Says something between the lines of conversations.
pub(super) type Notes = UnboundedSender<String>;

/// Shows what happens from its making on.
#[derive(Debug)]
pub(super) struct Screen {
    events: broadcast::Receiver<Event>,
    notes: UnboundedReceiver<String>,
    transcript: Transcript,
    /// Who is asked to type.
    prompt: Option<String>,
    /// The prompt stands in the last line.
    is_asking: bool,
}

impl Screen {
    /// A screen for the conversations of `customer`, and others, with the businesses of `accounts`.
    pub(super) fn new(simulator: &Simulator, accounts: &[Account], customer: &str) -> (Self, Notes) {
        let of = |account: &Account| (account.number.phone_number_id.clone(), account.business.clone());
        let names: HashMap<_, _> = accounts.iter().map(of).collect();
        let (notes, receiver) = unbounded_channel();
        let screen = Self {
            events: simulator.events(),
            notes: receiver,
            transcript: Transcript::new(names, customer),
            prompt: None,
            is_asking: false,
        };
        (screen, notes)
    }

    /// Asks `name` to type from now on.
    pub(super) fn ask(&mut self, name: &str) {
        self.prompt = Some(name.to_owned());
    }

    /// Something was typed, and the terminal has shown it and begun a new line: the transcript will show it as it was
    /// understood.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub(super) fn was_answered(&mut self) -> Result<()> {
        if std::mem::take(&mut self.is_asking) {
            write(ERASE_LINE_ABOVE)?;
        }
        Ok(())
    }

    /// Ends the line of the prompt.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub(super) fn close(&mut self) -> Result<()> {
        if std::mem::take(&mut self.is_asking) { write("\n") } else { Ok(()) }
    }

    /// Shows what happens, for ever. It may be dropped and begun again without a loss.
    ///
    /// # Errors
    /// When nobody reads it any more, or the simulator is gone.
    pub(super) async fn show(&mut self) -> Result<()> {
        loop {
            self.refresh()?;
            tokio::select! {
                event = self.events.recv() => match event {
                    Ok(event) => self.transcript.take(event),
                    Err(RecvError::Lagged(missed)) => self.transcript.note(&format!("({missed} events left out)")),
                    Err(RecvError::Closed) => bail!("the simulator has ended"),
                },
                Some(note) = self.notes.recv() => self.transcript.note(&note),
                () = sleep(TICK) => {}
            }
        }
    }

    /// Shows what happens until all that was said is shown, and no receipt is waited for.
    ///
    /// # Errors
    /// As [`Screen::show`].
    pub(super) async fn settle(&mut self) -> Result<()> {
        loop {
            tokio::select! {
                shown = self.show() => return shown,
                () = sleep(TICK * 2) => {}
            }
            if self.transcript.is_settled() && self.events.is_empty() {
                return Ok(());
            }
        }
    }

    fn refresh(&mut self) -> Result<()> {
        let text = self.transcript.flush(Instant::now());
        if !text.is_empty() {
            let erase = if std::mem::take(&mut self.is_asking) { ERASE_LINE } else { "" };
            write(&format!("{erase}{text}"))?;
        }
        if let Some(name) = &self.prompt
            && !self.is_asking
            && self.transcript.is_settled()
        {
            write(&self.transcript.line(name, ""))?;
            self.is_asking = true;
        }
        Ok(())
    }
}

fn write(text: &str) -> Result<()> {
    let mut out = stdout().lock();
    out.write_all(text.as_bytes())?;
    Ok(out.flush()?)
}
