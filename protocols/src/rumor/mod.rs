//! Rumour spreading.

pub mod config;
pub mod event;
pub mod message;

pub use config::{Contacts, Loss, Mode, Rounds, RumorConfig, RumorConfigError};
pub use event::{Learned, Refusal, RumorEvent, RumorReply, RumorRequest};
pub use message::{Contact, RumorCopy, RumorId, RumorMessage};
