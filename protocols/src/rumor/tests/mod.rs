//! Claims about rumour spreading.
