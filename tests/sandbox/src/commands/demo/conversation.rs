//! What a customer does, and what must come of it.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use sqlx::{Connection, PgConnection};
use wigwag_simulator::{Customer, Sent, Simulator};

use super::cluster::NEW_QUESTION;
use crate::commands::manifests::Account;
use crate::commands::screen::Screen;
use crate::commands::steps::{say, step_titled};
use crate::commands::talk::{NAME, PHONE};
use crate::eventually;
use crate::postgres::Database;

/// How long an answer, or a receipt, may take; it takes milliseconds.
const SOON: Duration = Duration::from_secs(15);

/// What a customer does.
#[derive(Debug, Clone, Copy)]
enum Turn {
    Say(&'static str),
    Tap(&'static str),
}

/// What the answer must have.
#[derive(Debug, Clone, Copy)]
enum Answer {
    Words(&'static str),
    Option(&'static str),
}

/// From the first word to an order.
///
/// # Errors
/// When an answer is not as it must be, or not read.
pub(super) async fn first(simulator: &Simulator, account: &Account, screen: &mut Screen) -> Result<()> {
    let script = [
        (Turn::Say("hola"), Answer::Option("Comprar")),
        (Turn::Tap("Comprar"), Answer::Option("Novela")),
        (Turn::Tap("Novela"), Answer::Words("Gracias, Ana.")),
    ];
    play(simulator, account, screen, &script).await
}

/// The same with the Flow as it was edited; the business remembers the first order.
///
/// # Errors
/// When an answer is not as it must be, or not read.
pub(super) async fn second(simulator: &Simulator, account: &Account, screen: &mut Screen) -> Result<()> {
    let script = [
        (Turn::Say("hola"), Answer::Words(NEW_QUESTION)),
        (Turn::Tap("Comprar"), Answer::Option("Poesía")),
        (Turn::Tap("Poesía"), Answer::Words("ya son 2 pedidos")),
    ];
    play(simulator, account, screen, &script).await
}

async fn play(simulator: &Simulator, account: &Account, screen: &mut Screen, script: &[(Turn, Answer)]) -> Result<()> {
    say("")?;
    let customer = simulator.customer(&account.number.phone_number_id, PHONE, NAME)?;
    let turns = async {
        for (turn, answer) in script {
            self::turn(simulator, &customer, *turn, *answer).await.with_context(|| format!("{NAME}: {turn:?}"))?;
        }
        anyhow::Ok(())
    };
    tokio::select! {
        shown = screen.show() => shown?,
        done = turns => done?,
    }
    screen.settle().await?;
    say("")
}

/// A turn, until its answer is read.
async fn turn(simulator: &Simulator, customer: &Customer, turn: Turn, answer: Answer) -> Result<()> {
    match turn {
        Turn::Say(words) => customer.say(words).await?,
        Turn::Tap(option) => customer.tap(option).await?,
    };
    let sent = customer.reply(SOON).await?;
    ensure!(is_as(&sent, answer), "the answer is {:?}, and should have {answer:?}", sent.line());
    let is_read = |sent: &Sent| sent.receipts.iter().any(|receipt| receipt.status == "read" && receipt.acknowledged);
    let what = format!("{:?} read", sent.text());
    simulator.wait_for(&what, SOON, |ledger| ledger.sent(&sent.wamid).filter(|sent| is_read(sent)).map(drop)).await
}

fn is_as(sent: &Sent, answer: Answer) -> bool {
    match answer {
        Answer::Words(words) => sent.text().contains(words),
        Answer::Option(title) => sent.options().iter().any(|option| option.title == title),
    }
}

/// What the tables say of it: every job done, every message read.
///
/// # Errors
/// When it stays otherwise.
pub(super) async fn all_is_read(database: &Database) -> Result<()> {
    let work = async {
        let mut connection = PgConnection::connect(&database.url()).await?;
        let mut seen = (String::new(), String::new());
        let settled = async || {
            seen = (tally(&mut connection, JOBS).await?, tally(&mut connection, OUTBOUND).await?);
            ensure!(
                is_settled(&seen.0, "completed") && is_settled(&seen.1, "read"),
                "jobs: {}; sent: {}",
                seen.0,
                seen.1
            );
            anyhow::Ok(seen.clone())
        };
        eventually::until(SOON, "all jobs completed and all messages read", settled).await
    };
    let title = |(jobs, sent): &(String, String)| format!("In PostgreSQL: jobs: {jobs}; messages sent: {sent}");
    step_titled("In PostgreSQL", work, title).await.map(drop)
}

const JOBS: &str = "SELECT status::text, count(*) FROM jobs GROUP BY 1 ORDER BY 1";
const OUTBOUND: &str = "SELECT status::text, count(*) FROM outbound GROUP BY 1 ORDER BY 1";

/// `3 completed`, or more of the kind, joined by commas.
async fn tally(connection: &mut PgConnection, sql: &'static str) -> Result<String> {
    let rows: Vec<(String, i64)> = sqlx::query_as(sql).fetch_all(connection).await?;
    Ok(rows.iter().map(|(status, count)| format!("{count} {status}")).collect::<Vec<_>>().join(", "))
}

fn is_settled(tally: &str, status: &str) -> bool {
    tally.split_once(' ').is_some_and(|(_, only)| only == status)
}
