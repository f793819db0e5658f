//! The federation: what lets peers of different organisations act together without blind trust.
//!
//! One folder a layer, each a plain value with typed inputs and outputs that knows neither the
//! others nor who calls it; `stack` composes them on one peer. Must not know any protocol.
