//! Calls that wait for their turn, by endpoint: pure. So many calls of a tenant to one host and port are under way at
//! once, and endpoints take turns, so that one that hangs holds up no other.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    hash::Hash,
};

use wigwag_domain::{EffectId, TenantKey};

use super::{Endpoint, NewCall};

/// Calls of one endpoint that are under way at once.
pub(super) const UNDER_WAY: usize = 64;
/// Calls of one tenant that are under way at once, however many endpoints it has.
const OF_A_TENANT: usize = 256;

/// All calls of the process.
#[derive(Debug, Default)]
pub(super) struct Queue {
    waiting: HashMap<Endpoint, VecDeque<NewCall>>,
    /// Endpoints with calls that wait, each once.
    turns: VecDeque<Endpoint>,
    busy: HashMap<Endpoint, usize>,
    busy_tenants: HashMap<TenantKey, usize>,
    under_way: HashMap<EffectId, Endpoint>,
    /// Calls that wait or are under way.
    known: HashSet<EffectId>,
}

impl Queue {
    /// Adds a call, unless it is here.
    pub(super) fn add(&mut self, call: NewCall) {
        if !self.known.insert(call.id) {
            return;
        }
        let waiting = self.waiting.entry(call.endpoint.clone()).or_default();
        if waiting.is_empty() {
            self.turns.push_back(call.endpoint.clone());
        }
        waiting.push_back(call);
    }

    /// Up to `limit` calls that may go now. They are under way until [`end`](Self::end).
    pub(super) fn pick(&mut self, limit: usize) -> Vec<NewCall> {
        let mut picks = vec![];
        let mut passed = 0;
        while picks.len() < limit && passed < self.turns.len() {
            let Some(endpoint) = self.turns.pop_front() else { break };
            let Some(waiting) = self.waiting.get_mut(&endpoint) else { continue };
            let busy = self.busy.get(&endpoint).is_some_and(|busy| *busy >= UNDER_WAY);
            if busy || self.busy_tenants.get(&endpoint.tenant).is_some_and(|busy| *busy >= OF_A_TENANT) {
                passed += 1;
                self.turns.push_back(endpoint);
                continue;
            }
            passed = 0;
            if let Some(call) = waiting.pop_front() {
                *self.busy.entry(endpoint.clone()).or_default() += 1;
                *self.busy_tenants.entry(endpoint.tenant.clone()).or_default() += 1;
                self.under_way.insert(call.id, endpoint.clone());
                picks.push(call);
            }
            if waiting.is_empty() {
                self.waiting.remove(&endpoint);
            } else {
                self.turns.push_back(endpoint);
            }
        }
        picks
    }

    /// A call is not under way any more.
    pub(super) fn end(&mut self, id: EffectId) {
        self.known.remove(&id);
        let Some(endpoint) = self.under_way.remove(&id) else { return };
        leave(&mut self.busy, &endpoint);
        leave(&mut self.busy_tenants, &endpoint.tenant);
    }

    /// Forgets calls that wait, unless `keep` holds them.
    pub(super) fn retain(&mut self, keep: impl Fn(&NewCall) -> bool) {
        let known = &mut self.known;
        self.waiting.retain(|_, waiting| {
            waiting.retain(|call| keep(call) || !known.remove(&call.id));
            !waiting.is_empty()
        });
        self.turns.retain(|endpoint| self.waiting.contains_key(endpoint));
    }

    /// Whether a call waits or is under way.
    pub(super) fn knows(&self, id: EffectId) -> bool {
        self.known.contains(&id)
    }

    /// The calls that are under way.
    pub(super) fn under_way(&self) -> Vec<EffectId> {
        self.under_way.keys().copied().collect()
    }
}

/// One less; nobody is left out of the map.
fn leave<K: Eq + Hash>(busy: &mut HashMap<K, usize>, whose: &K) {
    if let Some(many) = busy.get_mut(whose) {
        *many -= 1;
        if *many == 0 {
            busy.remove(whose);
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;
    use wigwag_domain::{Lane, SessionId};

    use super::*;

    fn call(id: u128, tenant: &str, url: &str) -> NewCall {
        let tenant = TenantKey::new(None, tenant);
        let endpoint = Endpoint::of(&tenant, url);
        let session = SessionId(Uuid::from_u128(id));
        NewCall { id: EffectId(Uuid::from_u128(id)), tenant, lane: Lane(0), session, endpoint }
    }

    fn ids(calls: &[NewCall]) -> Vec<u128> {
        calls.iter().map(|call| call.id.0.as_u128()).collect()
    }

    #[test]
    fn an_endpoint_that_hangs_holds_up_no_other() {
        let mut queue = Queue::default();
        for id in 0..1000 {
            queue.add(call(id, "acme", "https://stuck.example/orders"));
        }
        assert_eq!(queue.pick(1000).len(), UNDER_WAY);
        assert!(queue.pick(1000).is_empty(), "nothing of it ends");
        let others = [
            call(2000, "acme", "https://well.example"),
            call(2001, "acme", "https://stuck.example:8443"),
            call(2002, "beta", "https://stuck.example/orders"),
        ];
        others.into_iter().for_each(|call| queue.add(call));
        let mut picked = ids(&queue.pick(1000));
        picked.sort_unstable();
        assert_eq!(picked, [2000, 2001, 2002], "another host, another port, another tenant");
        queue.end(EffectId(Uuid::from_u128(0)));
        assert_eq!(ids(&queue.pick(1000)), [64], "in order, as one ends");
    }

    #[test]
    fn a_tenant_with_many_endpoints_that_hang_leaves_room_for_the_others() {
        let mut queue = Queue::default();
        for id in 0..1000 {
            queue.add(call(id, "acme", &format!("https://stuck-{id}.example")));
        }
        queue.add(call(2000, "beta", "https://well.example"));
        let picked = ids(&queue.pick(2000));
        assert_eq!((picked.len(), picked.contains(&2000)), (OF_A_TENANT + 1, true));
        assert!(queue.pick(1000).is_empty(), "nothing of it ends");
        queue.end(EffectId(Uuid::from_u128(0)));
        assert_eq!(queue.pick(1000).len(), 1);
    }

    #[test]
    fn endpoints_take_turns() {
        let mut queue = Queue::default();
        for id in 0..10 {
            queue.add(call(id, "acme", "https://a.example"));
        }
        queue.add(call(20, "acme", "https://b.example"));
        assert_eq!(ids(&queue.pick(3)), [0, 20, 1]);
        assert_eq!(ids(&queue.pick(2)), [2, 3]);
    }

    #[test]
    fn a_call_that_waits_or_is_under_way_is_not_taken_twice() {
        let mut queue = Queue::default();
        let one = || call(1, "acme", "https://a.example");
        queue.add(one());
        queue.add(one());
        assert_eq!(queue.pick(10).len(), 1);
        queue.add(one());
        assert!(queue.pick(10).is_empty());
        queue.end(one().id);
        queue.add(one());
        assert_eq!(queue.pick(10).len(), 1, "it was queued again");
    }

    #[test]
    fn what_is_forgotten_may_come_again_and_what_is_under_way_stays() {
        let mut queue = Queue::default();
        queue.add(call(1, "acme", "https://a.example"));
        assert_eq!(queue.pick(10).len(), 1);
        queue.add(call(2, "acme", "https://a.example"));
        queue.retain(|_| false);
        assert!(queue.pick(10).is_empty());
        assert!(!queue.knows(EffectId(Uuid::from_u128(2))));
        assert_eq!(queue.under_way(), [EffectId(Uuid::from_u128(1))]);
        queue.add(call(2, "acme", "https://a.example"));
        assert_eq!(ids(&queue.pick(10)), [2]);
    }
}
