//! The table of commands that this binary answers.

use command::Table;

/// Every command.
pub(crate) fn table() -> Table {
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
    Table::new(nouns.into_iter().flatten().collect())
}
