//! Why a command could not do what it was asked, as one message and one exit code.
//!
//! Must not know which command failed.

use std::fmt;

use fedsim_record::{DirectoryError, RecordError};
use fedsim_reports::ReportError;
use fedsim_scenarios::ScenarioErrors;

use crate::exit::Exit;
use crate::terminal;

/// A command that ended early.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    message: String,
}

impl Failure {
    /// What came from outside makes no sense.
    pub(crate) fn bad_input(message: impl fmt::Display) -> Self {
        Self {
            exit: Exit::BadInput,
            message: format!("error: {message}\n"),
        }
    }

    /// The fault is ours; the message begins with `BUG`.
    pub(crate) fn bug(message: impl fmt::Display) -> Self {
        let text = message.to_string();
        let text = text.strip_prefix("BUG: ").unwrap_or(&text);
        Self {
            exit: Exit::Bug,
            message: format!("BUG: {text}\n"),
        }
    }

    /// An error of a library of ours: those that begin with `BUG` are our fault.
    fn by_message(message: impl fmt::Display) -> Self {
        let text = message.to_string();
        match text.starts_with("BUG") {
            true => Self::bug(text),
            false => Self::bad_input(text),
        }
    }

    /// The user stopped the command.
    pub(crate) fn interrupted(message: impl fmt::Display) -> Self {
        Self {
            exit: Exit::Interrupted,
            message: format!("interrupted: {message}\n"),
        }
    }

    /// The message with its line end.
    pub(crate) fn message(&self) -> &str {
        &self.message
    }
}

impl From<ScenarioErrors> for Failure {
    fn from(errors: ScenarioErrors) -> Self {
        Self {
            exit: Exit::BadInput,
            message: errors.render(terminal::error_style()),
        }
    }
}

impl From<DirectoryError> for Failure {
    fn from(error: DirectoryError) -> Self {
        Self::by_message(error)
    }
}

impl From<RecordError> for Failure {
    fn from(error: RecordError) -> Self {
        Self::by_message(error)
    }
}

impl From<ReportError> for Failure {
    fn from(error: ReportError) -> Self {
        Self::by_message(error)
    }
}
