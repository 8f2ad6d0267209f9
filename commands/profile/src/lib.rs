//! Commands on profiles.

pub mod profile_portrait_get;
pub mod profile_portrait_get_all;
pub mod profile_portrait_set;

use command::{AnyCommand, Erased};

/// Every command of this noun.
#[must_use]
pub fn commands() -> Vec<Box<dyn AnyCommand>> {
    vec![
        Erased::<profile_portrait_get::GetProfiles>::boxed(),
        Erased::<profile_portrait_get_all::GetWholeProfiles>::boxed(),
        Erased::<profile_portrait_set::SetProfile>::boxed(),
    ]
}
