//! Requests that a replica knows of and has not executed: one a client. Must not know views.

use std::collections::{BTreeMap, VecDeque};

use crate::peer::PeerId;
use crate::signed::Signed;

use super::message::Request;
use super::numbers::Timestamp;
use super::roster::Roster;

/// What a replica does about a request that it holds.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Entry {
    request: Signed<Request>,
    arrival: u64,
    /// Whether a batch of this view holds it.
    proposed: bool,
}

/// The waiting requests in the order of their arrival.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Waiting {
    by_client: BTreeMap<PeerId, Entry>,
    by_arrival: BTreeMap<u64, PeerId>,
    arrivals: u64,
    /// What a primary has yet to propose, oldest first; may name requests that are gone.
    queue: VecDeque<(PeerId, Timestamp)>,
}

impl Waiting {
    /// Keeps a request, in place of an older one of its client; false if it brings nothing new.
    pub(super) fn insert(&mut self, request: &Signed<Request>) -> bool {
        if !self.hold(request, false) {
            return false;
        }
        self.queue.push_back((request.client, request.timestamp));
        true
    }

    /// Keeps a request that a batch of this view holds.
    pub(super) fn insert_proposed(&mut self, request: &Signed<Request>) {
        if !self.hold(request, true)
            && let Some(entry) = self.by_client.get_mut(&request.client)
            && entry.request.timestamp == request.timestamp
        {
            entry.proposed = true;
        }
    }

    fn hold(&mut self, request: &Signed<Request>, proposed: bool) -> bool {
        if let Some(entry) = self.by_client.get(&request.client) {
            if entry.request.timestamp >= request.timestamp {
                return false;
            }
            self.by_arrival.remove(&entry.arrival);
        }
        self.arrivals += 1;
        self.by_arrival.insert(self.arrivals, request.client);
        let entry = Entry {
            request: request.clone(),
            arrival: self.arrivals,
            proposed,
        };
        self.by_client.insert(request.client, entry);
        self.trim_queue();
        true
    }

    /// Keeps the queue within twice the clients, whatever clients replace.
    fn trim_queue(&mut self) {
        if self.queue.len() > 2 * self.by_client.len() + 16 {
            let by_client = &self.by_client;
            self.queue.retain(|(client, timestamp)| {
                by_client
                    .get(client)
                    .is_some_and(|entry| entry.request.timestamp == *timestamp && !entry.proposed)
            });
        }
    }

    /// Forgets the client's requests up to this one.
    pub(super) fn remove_up_to(&mut self, client: PeerId, timestamp: Timestamp) {
        if let Some(entry) = self.by_client.get(&client)
            && entry.request.timestamp <= timestamp
        {
            self.by_arrival.remove(&entry.arrival);
            self.by_client.remove(&client);
        }
    }

    /// Forgets what was signed by other keys than the roster lists.
    pub(super) fn keep_those_of(&mut self, roster: &Roster) {
        self.by_client
            .retain(|client, entry| roster.clients.get(client) == Some(&entry.request.signer()));
        let by_client = &self.by_client;
        self.by_arrival
            .retain(|_, client| by_client.contains_key(client));
    }

    /// Takes the oldest request that no batch of this view holds, and marks it.
    pub(super) fn next_to_propose(&mut self) -> Option<Signed<Request>> {
        while let Some((client, timestamp)) = self.queue.pop_front() {
            if let Some(entry) = self.by_client.get_mut(&client)
                && entry.request.timestamp == timestamp
                && !entry.proposed
            {
                entry.proposed = true;
                return Some(entry.request.clone());
            }
        }
        None
    }

    /// Begins a view: everything waits to be proposed again, in the order of arrival.
    pub(super) fn restart(&mut self) {
        self.by_client
            .values_mut()
            .for_each(|entry| entry.proposed = false);
        let by_client = &self.by_client;
        let ordered = self.by_arrival.values().filter_map(|client| {
            let entry = by_client.get(client)?;
            Some((*client, entry.request.timestamp))
        });
        self.queue = ordered.collect();
    }

    /// The request that waits longest.
    pub(super) fn oldest(&self) -> Option<(PeerId, Timestamp)> {
        let client = self.by_arrival.values().next()?;
        let entry = self.by_client.get(client)?;
        Some((*client, entry.request.timestamp))
    }

    /// How many requests wait.
    pub(super) fn len(&self) -> usize {
        self.by_client.len()
    }

    /// Whether no request waits.
    pub(super) fn is_empty(&self) -> bool {
        self.by_client.is_empty()
    }
}
