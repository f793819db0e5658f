//! Which calls an object understands and what it holds at first.
//!
//! Every model is a keyed collection of registers; they differ in the calls
//! they admit. Must not know the search.

use std::fmt;
use std::str::FromStr;

use super::history::{Call, History, OperationId};

/// The sequential specification a history is judged against.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Model {
    /// Reads and writes; holds `nil` at first.
    Register,
    /// Reads, writes and compare-and-swap; holds `nil` at first.
    CasRegister,
    /// Reads, writes, compare-and-swap and append. An absent key and the empty
    /// text are the same, as in the key-value stores of teaching and etcd.
    KeyValue,
}

impl Model {
    /// Every model, the narrowest first.
    pub const ALL: [Model; 3] = [Model::Register, Model::CasRegister, Model::KeyValue];

    /// The name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Model::Register => "register",
            Model::CasRegister => "cas-register",
            Model::KeyValue => "kv",
        }
    }

    /// Whether the object understands the call.
    pub fn admits(self, call: &Call) -> bool {
        match call {
            Call::Read | Call::Write(_) => true,
            Call::CompareAndSwap { .. } => matches!(self, Model::CasRegister | Model::KeyValue),
            Call::Append(_) => matches!(self, Model::KeyValue),
        }
    }

    /// The narrowest model that admits every call of a history.
    pub fn fitting(history: &History) -> Model {
        let admits_all = |model: &Model| model.check(history).is_ok();
        let narrowest = Model::ALL.into_iter().find(admits_all);
        narrowest.unwrap_or(Model::KeyValue)
    }

    /// Checks that the model admits every call of a history.
    ///
    /// # Errors
    /// The first operation it does not admit.
    pub fn check(self, history: &History) -> Result<(), UnfitOperation> {
        let unfit = |call: &Call| !self.admits(call);
        let operations = history.operations();
        match operations.iter().position(|one| unfit(&one.call)) {
            None => Ok(()),
            Some(index) => Err(UnfitOperation {
                operation: OperationId(index),
                call: operations[index].call.name(),
                model: self,
            }),
        }
    }
}

impl fmt::Display for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Model {
    type Err = UnknownModel;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let named = Model::ALL.into_iter().find(|model| model.name() == name);
        named.ok_or_else(|| UnknownModel(name.to_owned()))
    }
}

/// A name that is none of a model.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown model {0:?}: expected register, cas-register or kv")]
pub struct UnknownModel(pub String);

/// An operation the chosen model does not understand.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("operation {}: {call} is no operation of the {model} model", operation.0)]
pub struct UnfitOperation {
    /// The operation.
    pub operation: OperationId,
    /// Name of its call.
    pub call: &'static str,
    /// The model that does not admit it.
    pub model: Model,
}
