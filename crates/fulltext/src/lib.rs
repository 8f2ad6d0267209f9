//! Full text: how a text is split into words, and indexes in which messages are found by them.
//!
//! The indexes are those of the library tantivy, each of one segment, made and read in memory: nothing here touches a disk, a
//! clock or a thread of its own. [`words`] says what a word is; [`Query`] decides the same with an index and without one.

mod index;
mod query;
mod terms;
mod words;

pub use index::{Document, Failed, Gone, Hit, Index};
pub use query::Query;
pub use words::{PHRASE_WORDS_MAX, Phrase, TEXT_BYTES_MAX, Text};
