//! Keywords that an app refuses in what its accounts write, or replaces. Effective at once, on connections that are there too.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use model::keyword::{KEYWORDS_MAX, Keyword, Matcher, Verdict, WordKind};
use model::{DataClass, ErrorCode, Result, SdkAppId, Seconds, Subject};
use ports::records::{Range, Write};
use ports::{Kind, Record, Records};
use promise::Stamps;
use quick_cache::sync::Cache;
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::store::{put, remove, write};
use crate::turns::Turns;

/// Apps whose keywords are kept in memory, ready to be looked for.
const CACHED: usize = 10_000;

/// A keyword of an app.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeywordFact {
    /// It, and what becomes of texts that hold it.
    pub keyword: Keyword,
    /// When it was added or last changed.
    pub since: Seconds,
}

impl Record for KeywordFact {
    const KIND: Kind = Kind { id: 33, name: "local keyword", class: DataClass::Configuration };

    fn key(&self) -> Vec<u8> {
        Keyword::key_of(self.keyword.kind, &self.keyword.text)
    }

    fn subject(&self) -> Subject {
        Subject::Nobody
    }
}

/// Where a text was written. Keywords apply to all scenes alike; refusals have numbers of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scene {
    /// In a text element of a message.
    Message,
    /// As nickname or self signature.
    Profile,
    /// In an application for friendship, or as what a friend is called.
    Relation,
}

impl Scene {
    /// What a refused text is answered with.
    const fn refusal(self) -> ErrorCode {
        match self {
            Self::Message => ErrorCode::TextRefused,
            Self::Profile => ErrorCode::ProfileTextRefused,
            Self::Relation => ErrorCode::RelationRefused,
        }
    }
}

fn admit(matcher: &Matcher, scene: Scene, text: &str) -> Result<Option<String>> {
    match matcher.check(text) {
        Verdict::Pass => Ok(None),
        Verdict::Replaced(text) => Ok(Some(text)),
        Verdict::Refused => Err(scene.refusal().into()),
    }
}

/// The keywords of every app.
pub struct Moderation {
    context: Context,
    matchers: Cache<SdkAppId, Arc<Matcher>>,
    /// Held by who changes an app's keywords or reads them for the cache, so that the cache never holds former ones. By app: to make
    /// ready what one app looks for keeps no other waiting.
    changing: Turns,
}

impl Moderation {
    pub(crate) fn new(context: Context) -> Self {
        Self { context, matchers: Cache::new(CACHED), changing: Turns::default() }
    }

    fn records(&self) -> &dyn Records {
        self.context.records.as_ref()
    }

    /// The keywords of an app, ready to be looked for.
    ///
    /// # Errors
    /// What the store says.
    pub async fn matcher(&self, app: SdkAppId) -> Result<Arc<Matcher>> {
        if let Some(matcher) = self.matchers.get(&app) {
            return Ok(matcher);
        }
        let _turn = self.changing.of(app).await;
        if let Some(matcher) = self.matchers.get(&app) {
            return Ok(matcher);
        }
        let matcher = Arc::new(Matcher::new(self.keywords(app).await?)?);
        self.matchers.insert(app, Arc::clone(&matcher));
        Ok(matcher)
    }

    /// What takes the place of a text that an account of an app wrote; `None` if it stays.
    ///
    /// # Errors
    /// The number of the scene if the text is refused, or what the store says.
    pub async fn check(&self, app: SdkAppId, scene: Scene, text: &str) -> Result<Option<String>> {
        admit(self.matcher(app).await?.as_ref(), scene, text)
    }

    /// The body of a message that an account of an app wrote, as it goes on: with keywords replaced in its text elements.
    ///
    /// # Errors
    /// `TextRefused`, or what the store says.
    pub async fn check_body(&self, app: SdkAppId, body: Bytes) -> Result<Bytes> {
        let matcher = self.matcher(app).await?;
        if matcher.is_empty() {
            return Ok(body);
        }
        let changed = model::element::change_texts(&body, |text| admit(&matcher, Scene::Message, text))?;
        Ok(changed.map_or(body, Bytes::from))
    }

    /// The keywords of an app: words in the order of their letters, then expressions.
    ///
    /// # Errors
    /// What the store says.
    pub async fn keywords(&self, app: SdkAppId) -> Result<Vec<Keyword>> {
        let kind = KeywordFact::KIND;
        let range = Range { kind, index: None, prefix: Vec::new(), after: None, limit: KEYWORDS_MAX };
        let found = self.records().scan(app, range).await?;
        found.iter().map(|record| Ok(record.decode::<KeywordFact>()?.keyword)).collect()
    }

    /// Adds keywords, all or none; one that is there is changed.
    ///
    /// # Errors
    /// `ModerationBadParameter` if one is no good, or if the app would have too many.
    pub async fn add(&self, app: SdkAppId, keywords: Vec<Keyword>) -> Result<()> {
        for keyword in &keywords {
            keyword.check()?;
        }
        self.change(app, keywords, &[]).await
    }

    /// Removes keywords; one that is not there is no mistake.
    ///
    /// # Errors
    /// What the store says.
    pub async fn remove(&self, app: SdkAppId, keywords: &[(WordKind, String)]) -> Result<()> {
        self.change(app, Vec::new(), keywords).await
    }

    async fn change(&self, app: SdkAppId, added: Vec<Keyword>, removed: &[(WordKind, String)]) -> Result<()> {
        let _turn = self.changing.of(app).await;
        let since = self.context.clock.now().seconds();
        let key_of = |keyword: &Keyword| Keyword::key_of(keyword.kind, &keyword.text);
        let former = self.keywords(app).await?;
        let mut keywords: BTreeMap<_, _> =
            former.into_iter().map(|keyword| (key_of(&keyword), keyword)).collect();
        let mut writes: Vec<Write> = Vec::with_capacity(added.len() + removed.len());
        for (kind, text) in removed {
            let key = Keyword::key_of(*kind, text);
            keywords.remove(&key);
            writes.push(remove::<KeywordFact>(key));
        }
        for keyword in added {
            keywords.insert(key_of(&keyword), keyword.clone());
            writes.push(put(Stamps::configuration(app), &KeywordFact { keyword, since })?);
        }
        // Made before anything is written: what cannot be looked for is not kept.
        let matcher = Arc::new(Matcher::new(keywords.into_values().collect())?);
        let written = write(self.records(), app, writes).await;
        // Whether a write that failed was done is not known: the next look reads what is there.
        self.matchers.remove(&app);
        written?;
        self.matchers.insert(app, matcher);
        Ok(())
    }

    /// Forgets what is in memory about an app.
    pub(crate) fn forget(&self, app: SdkAppId) {
        self.matchers.remove(&app);
    }
}
