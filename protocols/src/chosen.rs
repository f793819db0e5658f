//! Rules of a protocol as a trait, and the same rules as a table that is filled in at run time.
//!
//! A protocol that is generic in its rules is built once for each set of them. Whoever runs dozens of
//! sets, one mistake each, builds it once for `Chosen` instead, which asks whatever set its thread
//! runs under. Must not know any rule.

/// Declares a trait of rules and `Chosen`, an implementation that is picked while the program runs:
/// `rules! { by default Strict; pub trait Rules: 'static + ... { ... } }`.
macro_rules! rules {
    (
        by default $strict:ident;
        $(#[$about:meta])*
        pub trait $rules:ident: 'static $(+ $bound:ident)+ {
            $(
                $(#[$doc:meta])*
                fn $rule:ident($($given:ident: $kind:ty),* $(,)?) -> $answer:ty $body:block
            )*
        }
    ) => {
        $(#[$about])*
        pub trait $rules: 'static $(+ $bound)+ {
            $(
                $(#[$doc])*
                fn $rule($($given: $kind),*) -> $answer $body
            )*
        }

        #[derive(Clone, Copy)]
        struct Table {
            $($rule: fn($($kind),*) -> $answer),*
        }

        impl Table {
            const fn of<R: $rules>() -> Self {
                Self { $($rule: R::$rule),* }
            }
        }

        thread_local! {
            static IN_FORCE: std::cell::Cell<Table> = const { std::cell::Cell::new(Table::of::<$strict>()) };
        }

        /// Whatever rules its thread runs under: those of [`Chosen::run_under`], or the right ones.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
        pub struct Chosen;

        impl Chosen {
            /// Does `work` on this thread with `R` in force. Threads that `work` starts keep the right rules.
            pub fn run_under<R: $rules, T>(work: impl FnOnce() -> T) -> T {
                let before = IN_FORCE.replace(Table::of::<R>());
                let result = work();
                IN_FORCE.set(before);
                result
            }
        }

        impl $rules for Chosen {
            $(fn $rule($($given: $kind),*) -> $answer {
                (IN_FORCE.get().$rule)($($given),*)
            })*
        }
    };
}

pub(crate) use rules;
