//! Panics: a peer's are caught by the engine and told once, with seed, virtual time and peer;
//! any other is a fault of this program. Neither prints what the language prints by itself.
//!
//! Must not know any command.

use std::any::Any;
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Arc, Mutex, PoisonError};

use crate::exit::Exit;
use crate::failure::Failure;

/// Runs `command`; a panic in it becomes a failure that says where it came from.
pub(crate) fn guarded(command: impl FnOnce() -> Result<Exit, Failure>) -> Result<Exit, Failure> {
    let last_place = keep_quiet();
    match panic::catch_unwind(AssertUnwindSafe(command)) {
        Ok(ended) => ended,
        Err(cause) => {
            let place = last_place.lock().unwrap_or_else(PoisonError::into_inner);
            let message = message_of(&*cause);
            let place = place.as_deref().unwrap_or("an unknown place");
            Err(Failure::bug(format!("{message} (at {place})")))
        }
    }
}

/// Replaces the printing of panics by remembering where the last one was.
fn keep_quiet() -> Arc<Mutex<Option<String>>> {
    let last_place = Arc::new(Mutex::new(None));
    let keeper = Arc::clone(&last_place);
    panic::set_hook(Box::new(move |panicked| {
        let place = panicked.location().map(ToString::to_string);
        *keeper.lock().unwrap_or_else(PoisonError::into_inner) = place;
    }));
    last_place
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
