//! What people read: a line for each round while it runs, and in the end the medians and their ratios.

use std::time::Duration;

use crate::conversation::Conversations;
use crate::ingest::{Round, Workload};
use crate::latency::Spread;
use crate::operator::Outcome;
use crate::process::Resident;
use crate::tenant::THROUGHPUT;
use crate::timers::Fired;

/// What the data plane should be better by, at the least.
const EXPECTED_RATIO: f64 = 3.0;
/// What an idle data plane should need at the most.
const EXPECTED_MEGABYTES: u64 = 25;

/// What is compared, and how.
#[must_use]
pub fn introduction(workload: &Workload, rounds: usize) -> String {
    let Workload { connections, contacts, span } = workload;
    let contacts = if *contacts == 0 { "a new contact for each".to_owned() } else { format!("{contacts} contacts") };
    format!(
        "\
Webhooks of one message, signed, over {connections} keep-alive connections (closed loop), {contacts}; no Flow matches:
received, stored, routed, no send. {rounds} rounds of {} s, in turn, each on a new database of one PostgreSQL with
fsync and synchronous_commit on. Generator, contestants and PostgreSQL share {} CPUs; HTTP without TLS.

  wigwag   the data plane as it ships, with a log line for each webhook and each job
  plain    the same checks, the same reader and the same rows, one transaction for each request over a pool of 8, without
           a log; it routes inside that transaction, where a worker of its own would need a second one

msg/s counts until the last message is routed. CPU is the contestant's and PostgreSQL's time for a message.
\"others\" is what everybody else had of the machine: above 10 % the round's times say little, its CPU more.
",
        span.as_secs_f64(),
        crate::machine::cpus(),
    )
}

/// Steps of the flow engine.
#[must_use]
pub fn engine(costs: &[crate::engine::Cost]) -> String {
    let mut table = format!(
        "{:<44} {:>5} {:>12} {:>12} {:>12}\n",
        "engine, one thread", "nodes", "µs, fresh", "µs, full", "µs a step"
    );
    for cost in costs {
        let micros = |span: Duration| span.as_secs_f64() * 1e6;
        let step = micros(cost.full) / f64::from(cost.nodes + 1);
        table.push_str(&format!(
            "{:<44} {:>5} {:>12.1} {:>12.1} {:>12.2}\n",
            cost.name,
            cost.nodes,
            micros(cost.fresh),
            micros(cost.full),
            step,
        ));
    }
    table.push_str(
        "A session is read from its JSON, takes a message, comes through so many nodes and is written again; \"full\" with a\n\
         whole history in it, and a step is its event over its nodes, the answer's own among them. Expected: under 20 µs a step.",
    );
    table
}

/// Above the rounds.
#[must_use]
pub fn round_heading() -> String {
    format!(
        "{:>5} {:<7} {:>8} {:>8} {:>8} {:>9} {:>11} {:>9} {:>10} {:>9} {:>7} {:>16}",
        "round",
        "who",
        "msg/s",
        "p50 ms",
        "p99 ms",
        "CPU µs",
        "of it: PG",
        "routed",
        "generator",
        "fdatasync",
        "others",
        "stored/answered"
    )
}

/// A round.
#[must_use]
pub fn round(number: usize, round: &Round) -> String {
    let postgres = round.cost.postgres.as_secs_f64() * 1e6 / round.answered.max(1) as f64;
    let generator = round.generator.as_secs_f64() / round.took.as_secs_f64();
    let mut text = format!(
        "{number:>5} {:<7} {:>8.0} {:>8.2} {:>8.2} {:>9.1} {postgres:>11.1} {:>9} {:>10} {:>9} {:>7} {:>16}",
        round.side.name(),
        round.per_second(),
        millis(round.p50),
        millis(round.p99),
        round.cpu_micros(),
        format!("+{:.0} ms", millis(round.routed_after)),
        format!("{:.0} %", generator * 100.0),
        format!("{:.0} µs", round.fdatasync.as_secs_f64() * 1e6),
        format!("{:.0} %", round.cost.others * 100.0),
        format!("{}/{}", round.stored.inbound, round.stored.answered),
    );
    for (failure, times) in &round.failures {
        text.push_str(&format!("\n      {times} times: {failure}"));
    }
    text.push_str(&warnings(&round.warnings));
    text
}

/// The medians, and the ratios of each pair of rounds. `wigwag` and `plain` are in the order of their rounds.
#[must_use]
pub fn comparison(wigwag: &[&Round], plain: &[&Round]) -> String {
    let median =
        |rounds: &[&Round], figure: fn(&Round) -> f64| Spread::of(rounds.iter().map(|round| figure(round))).median;
    let line = |name: &str, figure: fn(&Round) -> f64, ratio: fn(f64, f64) -> f64| {
        let ratios = Spread::of(wigwag.iter().zip(plain).map(|(ours, theirs)| ratio(figure(ours), figure(theirs))));
        let Spread { median: ratio, min, max } = ratios;
        let (ours, theirs) = (median(wigwag, figure), median(plain, figure));
        format!("{name:<28} {ours:>10.1} {theirs:>10.1} {ratio:>8.2}x   {min:.2} to {max:.2}")
    };
    let more = |ours: f64, theirs: f64| ours / theirs;
    let less = |ours: f64, theirs: f64| theirs / ours;
    let lines = [
        format!("{:<28} {:>10} {:>10} {:>9}   {}", "medians", "wigwag", "plain", "better by", "in pairs"),
        line("messages a second", Round::per_second, more) + &format!("   (expected: {EXPECTED_RATIO} or better)"),
        line("p50 of the answers, ms", |round| millis(round.p50), less),
        line("p99 of the answers, ms", |round| millis(round.p99), less),
        line("CPU for a message, µs", Round::cpu_micros, less),
    ];
    lines.join("\n")
}

/// Above the conversations.
#[must_use]
pub fn conversation_heading() -> String {
    format!(
        "\nFrom a webhook to the answer that the provider took, through the quickstart's Flow; CPU with the three receipts.\n\
         The number carries {THROUGHPUT} messages a second, in and out together: {} turns at the most.",
        THROUGHPUT / 2
    )
}

/// Conversations through the quickstart's Flow.
#[must_use]
pub fn conversations(of: &Conversations) -> String {
    format!(
        "{:>3} at once: {:>6.0} turns/s   p50 {:>6.2} ms   p99 {:>6.2} ms   CPU {:>5.0} µs a turn   others {:.0} %   \
         {} sent and read{}{}",
        of.at_once,
        of.turns as f64 / of.took.as_secs_f64(),
        millis(of.p50),
        millis(of.p99),
        of.cost.each(of.turns).as_secs_f64() * 1e6,
        of.cost.others * 100.0,
        of.read,
        timers(of.timers),
        warnings(&of.warnings),
    )
}

fn timers(fired: Option<Fired>) -> String {
    fired.map_or(String::new(), |Fired { sessions, last }| {
        format!("; meanwhile {sessions} timers went off, the last {last:.1} s after the first")
    })
}

/// Memory of the idle data plane.
#[must_use]
pub fn idle(memory: &Resident) -> String {
    format!("{}   (expected: under {EXPECTED_MEGABYTES} MB)", megabytes(memory))
}

/// Memory of the operator.
#[must_use]
pub fn operator(of: &Outcome) -> String {
    format!(
        "The operator without tenants: {}\nThe operator with {} tenants:  {}\n(all reconciled {:.1} s after `kubectl \
         apply` began; their Pods are pending)",
        megabytes(&of.empty),
        of.tenants,
        megabytes(&of.full),
        of.took.as_secs_f64()
    )
}

fn megabytes(memory: &Resident) -> String {
    let (all, anonymous) = (memory.all as f64 / 1e6, memory.anonymous as f64 / 1e6);
    format!("{all:.1} MB resident, {anonymous:.1} MB of it not the program's own text")
}

fn warnings(lines: &[String]) -> String {
    const SHOWN: usize = 3;
    let shown: String = lines.iter().take(SHOWN).map(|line| format!("\n      {line}")).collect();
    match lines.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown}\n      and {more} more warnings"),
    }
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
