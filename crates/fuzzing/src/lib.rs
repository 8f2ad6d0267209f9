//! Fuzz targets: properties that hold for any input, tried with variations of good ones.
//!
//! A target is a test: a function that gets [`Choices`], makes an input of them, mostly with [`vary()`], panics if
//! something is wrong, and says whether the input was taken or refused. It stands beside what it tests:
//!
//! ```text
//! fn number(choices: &mut fuzzing::Choices<'_>) -> bool {
//!     let bytes = fuzzing::vary(choices, &[write(1), write(70_000)]);
//!     let Some(number) = read(&bytes) else { return false };
//!     assert_eq!(write(number), bytes);
//!     true
//! }
//!
//! #[test]
//! fn numbers() {
//!     fuzzing::target!(2_000, number);
//! }
//! ```
//!
//! `cargo test` tries as many inputs as the target says, the same ones each time. `FUZZ_CASES` tries another number of
//! them and `FUZZ_SEED` others; a failure says how to repeat it. With `cargo-bolero` installed, libFuzzer runs the same
//! target, guided by coverage, until it is ended; without a sanitizer it needs no other toolchain:
//!
//! ```text
//! cargo bolero test --package model --sanitizer NONE usersig::fuzz::signatures
//! ```

#[cfg(not(fuzzing))]
mod runner;
mod vary;

#[cfg(fuzzing)]
#[doc(hidden)]
pub use bolero;
#[cfg(not(fuzzing))]
pub use runner::run;
pub use vary::{Choices, vary};

/// Tries a property with so many inputs: the body of a test.
#[cfg(not(fuzzing))]
#[macro_export]
macro_rules! target {
    ($cases:expr, $property:path) => {
        $crate::run(concat!(module_path!(), "::", stringify!($property)), $cases, $property)
    };
}

/// Tries a property with inputs of the fuzzer's choice, until it ends.
#[cfg(fuzzing)]
#[macro_export]
macro_rules! target {
    ($cases:expr, $property:path) => {
        $crate::bolero::check!().for_each(|bytes: &[u8]| {
            $property(&mut $crate::Choices::new(bytes));
        })
    };
}
