//! The register of apps: a table of its own with the numbers of apps and owners, for who backs them up.

use model::{SdkAppId, Seconds};
use ports::records::RawRecord;
use ports::{Fault, Kind};

use crate::rows::Place;
use crate::text::Script;

/// Which records are apps, and how to read them. The table follows these records, in the same transactions.
#[derive(Clone, Copy, Debug)]
pub struct Register {
    /// The kind of these records; only those of the installation count.
    pub kind: Kind,
    /// The app that a record with this key is.
    pub app_of: fn(key: &[u8]) -> Option<SdkAppId>,
    /// What the table says of it.
    pub read: fn(value: &[u8]) -> Option<Registered>,
}

/// What the table says of an app.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Registered {
    /// The number of its owner.
    pub owner: Option<u64>,
    /// When it was created.
    pub created: Seconds,
}

impl Register {
    pub(crate) fn write<'a>(
        &self,
        script: &mut Script,
        puts: impl Iterator<Item = (u32, &'a RawRecord)>,
        gone: &[&Place],
    ) -> Result<(), Fault> {
        let unreadable = || Fault::Corrupt(format!("a {} cannot be read", self.kind.name));
        let is_app = |app: u32, kind: u16| app == SdkAppId::INSTALLATION.0 && kind == self.kind.id;
        for (_, raw) in puts.filter(|(app, raw)| is_app(*app, raw.kind.id)) {
            let app = (self.app_of)(&raw.key).ok_or_else(unreadable)?;
            let Registered { owner, created } = (self.read)(&raw.value).ok_or_else(unreadable)?;
            script.statement(|statement| {
                statement.say("INSERT INTO apps (app, owner, created) VALUES (").number(app.0).say(",");
                statement.number_or_null(owner).say(",").number(created.0);
                statement.say(") ON DUPLICATE KEY UPDATE owner = VALUES(owner), created = VALUES(created)");
            });
        }
        for place in gone.iter().filter(|place| is_app(place.app, place.kind)) {
            let app = (self.app_of)(&place.key).ok_or_else(unreadable)?;
            script.statement(|statement| {
                statement.say("DELETE FROM apps WHERE app=").number(app.0);
            });
        }
        Ok(())
    }
}
