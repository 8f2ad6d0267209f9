//! An index: made once of documents or of other indexes, packed into bytes, searched.

use std::collections::HashSet;
use std::fmt;
use std::path::Path;

use serde::{Deserialize, Serialize};
use tantivy::directory::{Directory, OwnedBytes, RamDirectory};
use tantivy::fastfield::{AliveBitSet, Column, write_alive_bitset};
use tantivy::indexer::merge_filtered_segments;
use tantivy::query::{BooleanQuery, EnableScoring, Occur, PhraseQuery, Query as _, TermQuery};
use tantivy::schema::{Field, IndexRecordOption, NumericOptions, Schema, TextFieldIndexing, TextOptions};
use tantivy::store::Compressor;
use tantivy::{BitSet, IndexSettings, SegmentReader, TantivyDocument, Term};

use crate::query::Query;
use crate::terms;
use crate::words::{Phrase, Text};

/// Memory for the making of an index, in bytes; the library wants as much.
const MAKING_BYTES: usize = 16 << 20;

const META: &str = "meta.json";

/// What cannot be done with an index: its bytes are not what was packed.
#[derive(Debug)]
pub struct Failed(String);

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a search index: {}", self.0)
    }
}

impl std::error::Error for Failed {}

impl From<tantivy::TantivyError> for Failed {
    fn from(error: tantivy::TantivyError) -> Self {
        Self(error.to_string())
    }
}

fn damaged(what: impl fmt::Display) -> Failed {
    Failed(what.to_string())
}

/// A message, as it is found.
#[derive(Clone, Debug)]
pub struct Document {
    /// The sides of its conversation, the lower one first.
    pub sides: [u64; 2],
    /// Who wrote it.
    pub author: u64,
    /// Who wrote the content as it is now.
    pub writer: u64,
    /// When it was sent, in seconds.
    pub time: u32,
    /// Its number in its conversation.
    pub position: u64,
    /// What it carries, as bits.
    pub kinds: u16,
    /// When its content was sealed.
    pub sealed_at: u32,
    /// The number of the key of its content: no other content has it.
    pub key: u64,
    /// Its words.
    pub text: Text,
}

/// Where a message was found. The later one is the greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hit {
    /// When it was sent.
    pub time: u32,
    /// Its number in its conversation.
    pub position: u64,
    /// The sides of its conversation.
    pub sides: [u64; 2],
}

impl Document {
    /// Where it is found.
    #[must_use]
    pub const fn hit(&self) -> Hit {
        Hit { time: self.time, position: self.position, sides: self.sides }
    }
}

/// Which messages are gone.
#[derive(Clone, Debug, Default)]
pub struct Gone {
    /// Those that these wrote or sent.
    pub authors: HashSet<u64>,
    /// Those with content of these keys.
    pub keys: HashSet<u64>,
    /// Those that were sealed before this second.
    pub sealed_before: u32,
}

impl Gone {
    /// Whether this message is one of them.
    #[must_use]
    pub fn holds(&self, document: &Document) -> bool {
        self.is([document.author, document.writer], document.key, document.sealed_at)
    }

    fn is(&self, by: [u64; 2], key: u64, sealed_at: u32) -> bool {
        let is_of_them = || by.iter().any(|account| self.authors.contains(account));
        sealed_at < self.sealed_before || is_of_them() || self.keys.contains(&key)
    }
}

/// The fields of an index.
struct Fields {
    schema: Schema,
    words: Field,
    low: Field,
    high: Field,
    author: Field,
    writer: Field,
    kind: Field,
    time: Field,
    position: Field,
    sealed_at: Field,
    key: Field,
}

impl Fields {
    fn new() -> Self {
        let mut builder = Schema::builder();
        let indexing = TextFieldIndexing::default()
            .set_tokenizer(terms::NAME)
            .set_fieldnorms(false)
            .set_index_option(IndexRecordOption::WithFreqsAndPositions);
        let words = builder.add_text_field("words", TextOptions::default().set_indexing_options(indexing));
        let (looked_for, read) =
            (NumericOptions::default().set_indexed(), NumericOptions::default().set_fast());
        let both = looked_for.clone().set_fast();
        let (low, high) =
            (builder.add_u64_field("low", both.clone()), builder.add_u64_field("high", both.clone()));
        let author = builder.add_u64_field("author", both);
        let writer = builder.add_u64_field("writer", read.clone());
        let kind = builder.add_u64_field("kind", looked_for);
        let time = builder.add_u64_field("time", read.clone());
        let position = builder.add_u64_field("position", read.clone());
        let sealed_at = builder.add_u64_field("sealed_at", read.clone());
        let key = builder.add_u64_field("key", read);
        Self {
            schema: builder.build(),
            words,
            low,
            high,
            author,
            writer,
            kind,
            time,
            position,
            sealed_at,
            key,
        }
    }

    fn document(&self, document: &Document) -> TantivyDocument {
        let mut out = TantivyDocument::new();
        out.add_text(self.words, document.text.written());
        let [low, high] = document.sides;
        out.add_u64(self.low, low);
        out.add_u64(self.high, high);
        out.add_u64(self.author, document.author);
        out.add_u64(self.writer, document.writer);
        for kind in (0..u16::BITS).filter(|kind| document.kinds & (1 << kind) != 0) {
            out.add_u64(self.kind, kind.into());
        }
        out.add_u64(self.time, document.time.into());
        out.add_u64(self.position, document.position);
        out.add_u64(self.sealed_at, document.sealed_at.into());
        out.add_u64(self.key, document.key);
        out
    }

    fn query(&self, query: &Query) -> BooleanQuery {
        let number = |field, number| -> Box<dyn tantivy::query::Query> {
            Box::new(TermQuery::new(Term::from_field_u64(field, number), IndexRecordOption::Basic))
        };
        let mut must: Vec<Box<dyn tantivy::query::Query>> = Vec::new();
        match query.sides() {
            Some([low, high]) => must.extend([number(self.low, low), number(self.high, high)]),
            None => must.push(Box::new(BooleanQuery::union(vec![
                number(self.low, query.viewer),
                number(self.high, query.viewer),
            ]))),
        }
        let phrases = query.phrases.iter().map(|phrase| self.phrase(phrase));
        if query.wants_all {
            must.extend(phrases);
        } else if !query.phrases.is_empty() {
            must.push(Box::new(BooleanQuery::union(phrases.collect())));
        }
        if !query.authors.is_empty() {
            let authors = query.authors.iter().map(|author| number(self.author, *author));
            must.push(Box::new(BooleanQuery::union(authors.collect())));
        }
        if query.kinds != 0 {
            let kinds = (0..u16::BITS).filter(|kind| query.kinds & (1 << kind) != 0);
            let kinds = kinds.map(|kind| number(self.kind, kind.into()));
            must.push(Box::new(BooleanQuery::union(kinds.collect())));
        }
        BooleanQuery::new(must.into_iter().map(|query| (Occur::Must, query)).collect())
    }

    fn phrase(&self, phrase: &Phrase) -> Box<dyn tantivy::query::Query> {
        let term = |text: &str| Term::from_field_text(self.words, text);
        let terms: Vec<_> = phrase.terms().iter().map(|(place, text)| (*place, term(text))).collect();
        match terms.as_slice() {
            [(_, only)] => Box::new(TermQuery::new(only.clone(), IndexRecordOption::Basic)),
            _ => Box::new(PhraseQuery::new_with_offset(terms)),
        }
    }
}

fn settings() -> IndexSettings {
    IndexSettings {
        docstore_compression: Compressor::None,
        docstore_compress_dedicated_thread: false,
        ..IndexSettings::default()
    }
}

/// The files of an index.
#[derive(Serialize, Deserialize)]
struct Packed(Vec<(String, Vec<u8>)>);

/// An index of messages that does not change any more.
pub struct Index {
    index: tantivy::Index,
    reader: SegmentReader,
    fields: Fields,
    bytes: usize,
}

impl Index {
    /// Makes an index of messages, and packs it.
    ///
    /// # Errors
    /// What the library says.
    pub fn build<'a>(documents: impl Iterator<Item = &'a Document>) -> Result<Vec<u8>, Failed> {
        let fields = Fields::new();
        let folder = RamDirectory::create();
        let builder = tantivy::Index::builder().schema(fields.schema.clone()).settings(settings());
        let builder = builder.tokenizers(terms::manager());
        let mut writer = builder.single_segment_index_writer(folder.clone(), MAKING_BYTES)?;
        for document in documents {
            writer.add_document(fields.document(document))?;
        }
        pack(&writer.finalize()?, &folder)
    }

    /// Opens an index that was packed.
    ///
    /// # Errors
    /// For bytes that were not packed here.
    pub fn open(packed: &[u8]) -> Result<Self, Failed> {
        let Packed(files) = postcard::from_bytes(packed).map_err(damaged)?;
        let folder = RamDirectory::create();
        for (name, bytes) in &files {
            folder.atomic_write(Path::new(name), bytes).map_err(damaged)?;
        }
        drop(files);
        let index = tantivy::Index::open(folder)?;
        let fields = Fields::new();
        if index.schema() != fields.schema {
            return Err(damaged("made by another version"));
        }
        let segments = index.searchable_segments()?;
        let [segment] = segments.as_slice() else { return Err(damaged("not of one segment")) };
        let reader = SegmentReader::open(segment)?;
        Ok(Self { index, reader, fields, bytes: packed.len() })
    }

    /// How many messages it holds.
    #[must_use]
    pub fn len(&self) -> u32 {
        self.reader.num_docs()
    }

    /// Whether it holds none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How much memory it takes, in bytes.
    #[must_use]
    pub const fn bytes(&self) -> usize {
        self.bytes
    }

    fn column(&self, name: &str) -> Result<Column<u64>, Failed> {
        Ok(self.reader.fast_fields().u64(name)?)
    }

    /// Where wanted messages lie: the latest ones, at most `max`, in no order.
    ///
    /// # Errors
    /// What the library says.
    pub fn search(&self, query: &Query, max: usize) -> Result<Vec<Hit>, Failed> {
        let (low, high) = (self.column("low")?, self.column("high")?);
        let (time, position) = (self.column("time")?, self.column("position")?);
        let value = |column: &Column<u64>, document| column.first(document).unwrap_or_default();
        let mut hits = Vec::new();
        let weight =
            self.fields.query(query).weight(EnableScoring::disabled_from_schema(&self.fields.schema))?;
        weight.for_each_no_score(&self.reader, &mut |documents| {
            for document in documents.iter().copied() {
                let time = u32::try_from(value(&time, document)).unwrap_or(u32::MAX);
                if (query.from..=query.until).contains(&time) {
                    let sides = [value(&low, document), value(&high, document)];
                    hits.push(Hit { time, position: value(&position, document), sides });
                }
            }
            // No more memory than twice what is asked for.
            if hits.len() > max.saturating_mul(2).max(4096) {
                keep_latest(&mut hits, max);
            }
        })?;
        keep_latest(&mut hits, max);
        Ok(hits)
    }

    /// Which messages stay; `None` if none of them is gone.
    fn alive(&self, gone: &Gone) -> Result<Option<AliveBitSet>, Failed> {
        let (author, writer) = (self.column("author")?, self.column("writer")?);
        let (key, sealed_at) = (self.column("key")?, self.column("sealed_at")?);
        let mut alive = BitSet::with_max_value_and_full(self.reader.max_doc());
        for document in 0..self.reader.max_doc() {
            let value = |column: &Column<u64>| column.first(document).unwrap_or_default();
            let sealed_at = u32::try_from(value(&sealed_at)).unwrap_or(u32::MAX);
            if gone.is([value(&author), value(&writer)], value(&key), sealed_at) {
                alive.remove(document);
            }
        }
        if u32::try_from(alive.len()) == Ok(self.reader.max_doc()) {
            return Ok(None);
        }
        let mut bytes = Vec::new();
        write_alive_bitset(&alive, &mut bytes).map_err(damaged)?;
        Ok(Some(AliveBitSet::open(OwnedBytes::new(bytes))))
    }

    /// How many of its messages are gone.
    ///
    /// # Errors
    /// What the library says.
    pub fn count_gone(&self, gone: &Gone) -> Result<u32, Failed> {
        let alive = self.alive(gone)?.map(|alive| alive.num_alive_docs());
        let alive = alive.and_then(|alive| u32::try_from(alive).ok());
        Ok(alive.map_or(0, |alive| self.len().saturating_sub(alive)))
    }

    /// Makes one index of several, without the messages that are gone, and packs it; `None` if nothing is left. And how many
    /// messages it holds.
    ///
    /// # Errors
    /// What the library says.
    pub fn merge(parts: &[&Self], gone: &Gone) -> Result<Option<(Vec<u8>, u32)>, Failed> {
        let (mut segments, mut filters, mut count) = (Vec::new(), Vec::new(), 0);
        for part in parts {
            let alive = part.alive(gone)?;
            let left = alive.as_ref().map(AliveBitSet::num_alive_docs);
            let left = left.map_or(part.len(), |left| u32::try_from(left).unwrap_or(u32::MAX));
            if left > 0 {
                segments.extend(part.index.searchable_segments()?);
                filters.push(alive);
                count += left;
            }
        }
        if segments.is_empty() {
            return Ok(None);
        }
        let folder = RamDirectory::create();
        let merged = merge_filtered_segments(&segments, settings(), filters, folder.clone())?;
        Ok(Some((pack(&merged, &folder)?, count)))
    }
}

fn keep_latest(hits: &mut Vec<Hit>, max: usize) {
    if hits.len() > max {
        hits.select_nth_unstable_by(max, |one, other| other.cmp(one));
        hits.truncate(max);
    }
}

fn pack(index: &tantivy::Index, folder: &RamDirectory) -> Result<Vec<u8>, Failed> {
    let mut names: Vec<_> = index.directory().list_managed_files().into_iter().collect();
    names.retain(|name| name != Path::new(META));
    names.push(META.into());
    names.sort();
    let mut files = Vec::with_capacity(names.len());
    for name in names {
        let bytes = match folder.open_read(&name) {
            Ok(file) => file.read_bytes().map_err(damaged)?.as_slice().to_vec(),
            // One that was needed for the making alone.
            Err(tantivy::directory::error::OpenReadError::FileDoesNotExist(_)) => continue,
            Err(error) => return Err(damaged(error)),
        };
        files.push((name.to_string_lossy().into_owned(), bytes));
    }
    postcard::to_extend(&Packed(files), Vec::new()).map_err(damaged)
}

#[cfg(test)]
#[path = "index_tests.rs"]
mod tests;
