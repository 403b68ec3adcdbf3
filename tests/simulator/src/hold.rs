//! Accepted sends whose answer is held: in the ledger, with a wamid, while the sender still waits. This opens from
//! outside the window between acceptance and stored outcome.

use std::{sync::Arc, time::Duration};

use tokio::sync::oneshot;

use crate::{Platform, Rule, SendFault, Sent, platform::State};

/// A send whose answer is held; dropped by its handler when the sender hangs up.
#[derive(Debug)]
pub(crate) struct Held {
    wamid: String,
    release: oneshot::Sender<()>,
}

/// Holds the answers of accepted sends while it lives; dropped, it releases all and holds no more.
#[derive(Debug)]
pub struct Hold {
    platform: Arc<Platform>,
    rule: u64,
}

impl Platform {
    /// Holds the answer of every send that is accepted from now on.
    pub fn hold_answers(self: &Arc<Self>) -> Hold {
        self.hold(Rule::always(SendFault::HoldAnswer))
    }

    /// Holds the answers of accepted sends to this customer: phone or business-scoped id.
    pub fn hold_answers_to(self: &Arc<Self>, identity: &str) -> Hold {
        self.hold(Rule::always(SendFault::HoldAnswer).customer(identity))
    }

    fn hold(self: &Arc<Self>, rule: Rule<SendFault>) -> Hold {
        let rule = self.change(|s| s.sends.push(rule));
        Hold { platform: self.clone(), rule }
    }

    /// Sends whose answer is held and whose sender still waits for it, oldest first.
    pub fn held(&self) -> Vec<Sent> {
        still_held(&self.state())
    }

    /// Answers the oldest held send, or the one with this wamid. False if there is none whose sender still waits.
    pub fn release(&self, wamid: Option<&str>) -> bool {
        let held = self.change(|s| {
            s.held.retain(|h| !h.release.is_closed());
            let place = s.held.iter().position(|h| wamid.is_none_or(|w| w == h.wamid))?;
            Some(s.held.remove(place))
        });
        held.is_some_and(|h| h.release.send(()).is_ok())
    }

    /// Answers every held send.
    pub fn release_all(&self) {
        while self.release(None) {}
    }

    /// Holds an answer until it is released. The handler of a sender that hangs up is dropped here.
    pub(crate) async fn wait_for_release(&self, wamid: &str) {
        let (release, released) = oneshot::channel();
        self.change(|s| s.held.push(Held { wamid: wamid.to_owned(), release }));
        // A sender that is gone (cannot happen: releases are only taken out to be sent) counts as released.
        let _ = released.await;
    }
}

fn still_held(state: &State) -> Vec<Sent> {
    let waiting = state.held.iter().filter(|h| !h.release.is_closed());
    waiting.filter_map(|h| state.ledger.sent(&h.wamid).cloned()).collect()
}

impl Hold {
    /// See [`Platform::held`].
    pub fn held(&self) -> Vec<Sent> {
        self.platform.held()
    }

    /// Waits until so many answers are held.
    ///
    /// # Errors
    /// After the deadline.
    pub async fn wait_for(&self, held: usize, deadline: Duration) -> anyhow::Result<Vec<Sent>> {
        let what = format!("{held} held answers");
        self.platform.wait(&what, deadline, |state| Some(still_held(state)).filter(|h| h.len() >= held)).await
    }

    /// Answers the oldest held send. False if there is none whose sender still waits.
    pub fn release_one(&self) -> bool {
        self.platform.release(None)
    }

    /// Answers every held send.
    pub fn release_all(&self) {
        self.platform.release_all();
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.platform.change(|s| s.sends.remove(self.rule));
        self.platform.release_all();
    }
}
