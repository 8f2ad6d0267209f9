//! Which keys there are in the bucket, below the prefix.
//!
//! | key | object |
//! |---|---|
//! | `o/APP/NAME` | an object: head (`head`), then the sealed bytes |
//! | `e/END-APP-NAME` | a marker, empty: at this second this object ends |
//!
//! App and end are decimal numbers of ten digits, a name 32 hexadecimal ones: the order of keys is that of what they say, so that
//! a listing is one of names, and what has ended comes first among markers.

use model::{SdkAppId, Seconds};
use ports::BlobName;

/// What the keys of markers begin with.
pub(crate) const MARKERS: &str = "e/";

const NUMBER_DIGITS: usize = 10;
const NAME_DIGITS: usize = 32;

/// That an object ends. Ordered as keys are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Marker {
    pub(crate) end: Seconds,
    pub(crate) app: SdkAppId,
    pub(crate) name: BlobName,
}

impl Marker {
    pub(crate) fn key(&self) -> String {
        format!("{MARKERS}{:010}-{:010}-{}", self.end.0, self.app.0, self.name)
    }
}

/// What lies under a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Known {
    Object(SdkAppId, BlobName),
    Marker(Marker),
}

/// What the keys of an app's objects begin with.
pub(crate) fn objects(app: SdkAppId) -> String {
    format!("o/{:010}/", app.0)
}

/// The key of an object.
pub(crate) fn object(app: SdkAppId, name: BlobName) -> String {
    format!("{}{name}", objects(app))
}

/// What a key says; `None` for one that is not ours.
pub(crate) fn read(key: &str) -> Option<Known> {
    let known = if let Some(rest) = key.strip_prefix("o/") {
        let (app, name) = rest.split_once('/')?;
        Known::Object(SdkAppId(number(app)?), read_name(name)?)
    } else {
        let mut parts = key.strip_prefix(MARKERS)?.splitn(3, '-');
        let (end, app, name) = (parts.next()?, parts.next()?, parts.next()?);
        let (end, app) = (Seconds(number(end)?), SdkAppId(number(app)?));
        Known::Marker(Marker { end, app, name: read_name(name)? })
    };
    // Whatever else means the same is not ours.
    let written = match known {
        Known::Object(app, name) => object(app, name),
        Known::Marker(marker) => marker.key(),
    };
    (written == key).then_some(known)
}

fn number(text: &str) -> Option<u32> {
    if text.len() == NUMBER_DIGITS { text.parse().ok() } else { None }
}

fn read_name(text: &str) -> Option<BlobName> {
    if text.len() == NAME_DIGITS { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_as_it_is_written_and_others_are_not_ours() {
        for (app, name) in [(SdkAppId(0), BlobName(0)), (SdkAppId(u32::MAX), BlobName(u128::MAX))] {
            assert_eq!(read(&object(app, name)), Some(Known::Object(app, name)));
            let marker = Marker { end: Seconds(7), app, name };
            assert_eq!(read(&marker.key()), Some(Known::Marker(marker)));
        }
        let name = BlobName(0xab).to_string();
        for foreign in [
            String::new(),
            "o/".to_owned(),
            "o/0000000001/".to_owned(),
            "o/0000000001/7".to_owned(),
            format!("o/1/{name}"),
            format!("o/+000000001/{name}"),
            format!("o/9999999999/{name}"),
            format!("o/0000000001/{}", name.to_uppercase()),
            format!("o/0000000001/{name}/more"),
            format!("x/0000000001/{name}"),
            format!("e/0000000001-{name}"),
            format!("e/0000000001-0000000001-{name}-1"),
        ] {
            assert_eq!(read(&foreign), None, "{foreign}");
        }
    }

    #[test]
    fn the_order_of_keys_is_that_of_what_they_say() {
        let app = SdkAppId(1_400_000_001);
        let mut names = [BlobName(1 << 100), BlobName(3), BlobName(u128::MAX), BlobName(0xf)];
        names.sort_by_key(|name| object(app, *name));
        assert!(names.is_sorted());
        let marker = |end, name| Marker { end: Seconds(end), app, name: BlobName(name) };
        let mut markers = [marker(1_900_000_000, 1), marker(5, 9), marker(5, 3), marker(u32::MAX, 0)];
        markers.sort_by_key(Marker::key);
        assert!(markers.is_sorted());
    }
}
