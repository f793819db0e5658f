//! The federation: what lets peers of different organisations act together without blind trust.
//!
//! One folder a layer, each a plain value with typed inputs and outputs that knows neither the
//! others nor who calls it; `stack` composes them on one peer. What layers share (nouns, signed
//! grants, rules) is a module of its own. Must not know any protocol.
//!
//! Start reading at [`rules`]: every gate of every layer is a function there, and [`mutants`] are
//! what is left when one stands open.

pub mod audit;
pub mod authorisation;
pub mod breaker;
pub mod budget;
pub mod canary;
pub mod corpus;
pub mod envelope;
pub mod grant;
pub mod head;
pub mod identity;
pub mod injection;
pub mod kind;
pub mod mutants;
pub mod ownership;
pub mod routing;
pub mod rules;
pub mod sanitise;
pub mod terms;
pub mod transport;
pub mod trust;
pub mod unmask;

#[cfg(test)]
pub(crate) mod testing;
