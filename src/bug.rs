//! Panics: a peer's are caught by the engine and told once, with seed, virtual time and peer;
//! any other is a fault of this program. Neither prints what the language prints by itself.
//!
//! Must not know any command.

use std::any::Any;
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Arc, Mutex, PoisonError};

use crate::exit::Exit;
use crate::failure::Failure;

/// The panics of this process, oldest first; the first few are kept.
type Sightings = Arc<Mutex<Vec<String>>>;

/// Panics kept: the first is the cause, what follows are its echoes in other threads.
const SIGHTINGS_MAX: usize = 8;

/// Runs `command`; a panic in it becomes a failure that says where it came from.
pub(crate) fn guarded(command: impl FnOnce() -> Result<Exit, Failure>) -> Result<Exit, Failure> {
    let sightings = keep_quiet();
    match panic::catch_unwind(AssertUnwindSafe(command)) {
        Ok(ended) => ended,
        Err(cause) => {
            let sightings = sightings.lock().unwrap_or_else(PoisonError::into_inner);
            let message = match sightings.is_empty() {
                true => message_of(&*cause).to_owned(),
                false => sightings.join("\n  then: "),
            };
            Err(Failure::bug(message))
        }
    }
}

/// Replaces the printing of panics by remembering them.
fn keep_quiet() -> Sightings {
    let sightings = Sightings::default();
    let keeper = Arc::clone(&sightings);
    panic::set_hook(Box::new(move |panicked| {
        let message = message_of(panicked.payload());
        let place = panicked.location().map(ToString::to_string);
        let place = place.as_deref().unwrap_or("an unknown place");
        let mut kept = keeper.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() < SIGHTINGS_MAX {
            kept.push(format!("{message} (at {place})"));
        }
    }));
    sightings
}

fn message_of(cause: &(dyn Any + Send)) -> &str {
    let text = cause.downcast_ref::<&str>().copied();
    let owned = || cause.downcast_ref::<String>().map(String::as_str);
    text.or_else(owned).unwrap_or("a panic without words")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_of_ours_is_told_with_its_place() {
        // The message must lead to the line that panicked, which is in this file.
        let failure = guarded(|| panic!("BUG: two and two")).unwrap_err();
        let _ = panic::take_hook();
        assert_eq!(failure.exit, Exit::Bug);
        assert!(
            failure
                .message()
                .starts_with("BUG: two and two (at src/bug.rs:")
        );
    }
}
