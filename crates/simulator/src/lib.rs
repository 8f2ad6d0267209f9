//! The whole server in one deterministic test: every command over simulated stores.

use command::AnyCommand;

/// Every command of the server, in the order of the nouns.
#[must_use]
pub fn commands() -> Vec<Box<dyn AnyCommand>> {
    let nouns = [
        account::commands(),
        app::commands(),
        conversation::commands(),
        group::commands(),
        message::commands(),
        profile::commands(),
        relation::commands(),
        search::commands(),
        session::commands(),
    ];
    nouns.into_iter().flatten().collect()
}
