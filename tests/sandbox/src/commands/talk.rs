//! A person plays a customer: what is typed goes to a business as a signed webhook, what comes back is shown.

use std::io::{BufRead, IsTerminal, stdin};
use std::thread;

use anyhow::Result;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use wigwag_simulator::{Choice, Customer, Simulator};

use super::asked_to_stop;
use super::manifests::Account;
use super::screen::{Notes, Screen};

/// The customer.
pub(super) const NAME: &str = "Ana";
/// Her phone.
pub(super) const PHONE: &str = "34600111222";

/// Shows conversations and posts what is typed to the business of `account`, until SIGINT, SIGTERM or the end of the
/// input. Where the input is no terminal, nothing is read from it.
///
/// # Errors
/// When the number is not registered, or nobody reads the output any more.
pub(super) async fn talk(simulator: &Simulator, account: &Account, mut screen: Screen, notes: Notes) -> Result<()> {
    let mut typed = None;
    if stdin().is_terminal() {
        screen.ask(NAME);
        typed = Some(typed_lines());
    }
    let stop = asked_to_stop();
    tokio::pin!(stop);
    loop {
        let line = tokio::select! {
            stopped = &mut stop => {
                stopped?;
                None
            }
            shown = screen.show() => return shown,
            line = next(&mut typed) => line,
        };
        let Some(line) = line else { return screen.close() };
        screen.was_answered()?;
        let line = line.trim().to_owned();
        if line.is_empty() {
            continue;
        }
        let customer = simulator.customer(&account.number.phone_number_id, PHONE, NAME)?;
        let tapped = place_of_option(simulator, &line);
        let notes = notes.clone();
        // Not waited for: a data plane that does not answer must not stop the typing.
        tokio::spawn(async move {
            if let Err(error) = post(&customer, &line, tapped).await {
                // Nobody is there any more to be told.
                let _ = notes.send(format!("{error:#}"));
            }
        });
    }
}

/// A line for a shell that writes to the business of `account` and prints what comes back.
pub(super) fn curl(account: &Account, all: &[Account]) -> String {
    // The only number need not be named.
    let number = match all {
        [_] => String::new(),
        _ => format!("\"number\": \"{}\", ", account.number.phone_number_id),
    };
    let url = format!("http://{}/sim/customers/{PHONE}/messages", account.graph);
    let body = format!("{{{number}\"name\": \"{NAME}\", \"text\": \"hola\", \"wait_ms\": 2000}}");
    format!("curl -s {url} -H 'content-type: application/json' \\\n    -d '{body}'")
}

async fn post(customer: &Customer, line: &str, tapped: Option<usize>) -> Result<()> {
    match tapped {
        Some(place) => customer.tap(Choice::Place(place)).await,
        None => customer.say(line).await,
    }
    .map(drop)
}

/// The place from 1 of what a number taps; `None` for other words, and where there are not so many options.
fn place_of_option(simulator: &Simulator, line: &str) -> Option<usize> {
    let place: usize = line.parse().ok()?;
    let ledger = simulator.ledger();
    let sends = ledger.sends_to(PHONE);
    let offered = sends.iter().rev().map(|sent| sent.options()).find(|options| !options.is_empty())?;
    (1..=offered.len()).contains(&place).then_some(place)
}

async fn next(typed: &mut Option<UnboundedReceiver<String>>) -> Option<String> {
    match typed {
        Some(lines) => lines.recv().await,
        None => std::future::pending().await,
    }
}

/// Lines of the terminal. A thread reads them, because nothing can take it back from there: a task would keep the
/// process until somebody presses Enter.
fn typed_lines() -> UnboundedReceiver<String> {
    let (tell, lines) = unbounded_channel();
    thread::spawn(move || {
        for line in stdin().lock().lines().map_while(Result::ok) {
            if tell.send(line).is_err() {
                return;
            }
        }
    });
    lines
}
