//! What the next generations destroy, noted beside the keys: data that are older than the note do not live again.

use model::{AccountNumber, SdkAppId};
use ports::Fault;
use ports::vault::Note;

use super::ring::{Destroyed, Keyring};

/// What a note begins with.
const CONTENT: u8 = 1;
const AUTHOR: u8 = 2;
const APP: u8 = 3;

/// The note of something; `None` for what a restored store knows by itself: days, and what was sealed before a second.
fn note_of(what: Destroyed) -> Option<Note> {
    let mut note = Note::default();
    match what {
        Destroyed::Content { bucket, index } => {
            note[0] = CONTENT;
            note[1..3].copy_from_slice(&bucket.to_be_bytes());
            note[3..11].copy_from_slice(&index.to_be_bytes());
        }
        Destroyed::Author(app, author) => {
            note[0] = AUTHOR;
            note[1..5].copy_from_slice(&app.0.to_be_bytes());
            note[5..13].copy_from_slice(&author.0.to_be_bytes());
        }
        Destroyed::App(app) => {
            note[0] = APP;
            note[1..5].copy_from_slice(&app.0.to_be_bytes());
        }
        Destroyed::Before(_) | Destroyed::SealedBefore(..) => return None,
    }
    Some(note)
}

fn of_note(note: &Note) -> Option<Destroyed> {
    let [kind, rest @ ..] = note;
    let app = || SdkAppId(u32::from_be_bytes([rest[0], rest[1], rest[2], rest[3]]));
    let number = |from: usize| Some(u64::from_be_bytes(rest.get(from..from + 8)?.try_into().ok()?));
    match *kind {
        CONTENT => {
            Some(Destroyed::Content { bucket: u16::from_be_bytes([rest[0], rest[1]]), index: number(2)? })
        }
        AUTHOR => Some(Destroyed::Author(app(), AccountNumber(number(4)?))),
        APP => Some(Destroyed::App(app())),
        _ => None,
    }
}

impl Keyring {
    /// Notes beside the keys what the next generation is to destroy. It is certain, and must not be taken back.
    ///
    /// # Errors
    /// What the vault says.
    pub async fn doom(&self, what: &[Destroyed]) -> Result<(), Fault> {
        let notes: Vec<Note> = what.iter().filter_map(|what| note_of(*what)).collect();
        if notes.is_empty() {
            return Ok(());
        }
        self.vault().note(notes).await
    }

    /// What was noted and can still be derived.
    ///
    /// # Errors
    /// What the vault says.
    pub async fn doomed(&self) -> Result<Vec<Destroyed>, Fault> {
        let notes = self.vault().notes().await?;
        Ok(notes.iter().filter_map(of_note).filter(|what| self.is_derivable(*what)).collect())
    }

    /// Forgets the notes of what is destroyed.
    pub(super) async fn forget_doomed(&self) -> Result<(), Fault> {
        let is_done = |note: &Note| of_note(note).is_none_or(|what| !self.is_derivable(what));
        let gone: Vec<Note> = self.vault().notes().await?.into_iter().filter(is_done).collect();
        if gone.is_empty() { Ok(()) } else { self.vault().forget_notes(gone).await }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_say_what_they_were_made_of() {
        let (app, author) = (SdkAppId(u32::MAX - 1), AccountNumber(u64::MAX - 2));
        for what in [
            Destroyed::Content { bucket: u16::MAX - 1, index: u64::MAX - 7 },
            Destroyed::Author(app, author),
            Destroyed::App(app),
        ] {
            assert_eq!(note_of(what).as_ref().and_then(of_note), Some(what));
        }
        assert_eq!(note_of(Destroyed::Before(3)), None);
        assert_eq!(of_note(&[9; 16]), None);
    }
}
