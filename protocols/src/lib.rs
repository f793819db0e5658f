//! Sans-IO protocol state machines and the boundary they share.
