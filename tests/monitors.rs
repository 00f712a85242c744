//! Monitors as their clients see them: where they can be, who is served when, what a session owns,
//! and the one for people.

#[path = "monitors/clients.rs"]
mod clients;
#[path = "monitors/descriptors.rs"]
mod descriptors;
#[path = "monitors/events.rs"]
mod events;
#[path = "monitors/human.rs"]
mod human;
#[path = "monitors/peer.rs"]
mod peer;
#[path = "monitors/places.rs"]
mod places;
