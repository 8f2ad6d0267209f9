//! `sns.pendency_get`: applications for friendship that wait for an answer.

use command::{Call, Callers, Command, Family, Spec};
use engine::relations::{RequestFact, Way};
use model::profile::{IMAGE, NICK};
use model::{ErrorCode, Result, Seconds, UserId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The most applications of one page.
pub const PAGE_MAX: usize = 100;

/// Pages the caller's applications, the newest first.
///
/// `LastSequence` is not looked at: every call tells the whole page.
#[derive(Deserialize, JsonSchema)]
pub struct GetPending {
    /// The caller.
    #[serde(rename = "From_Account", default)]
    pub owner: Option<UserId>,
    /// Which ones.
    #[serde(rename = "PendencyType", default)]
    pub kind: PendingKind,
    /// 0 at first, later as returned.
    #[serde(rename = "StartTime", default)]
    pub start: u32,
    /// How many, 1 to 100; 100 if absent.
    #[serde(rename = "MaxLimited", default)]
    pub limit: Option<usize>,
}

/// Which applications.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq)]
pub enum PendingKind {
    /// Those that wait for the caller's answer.
    #[serde(rename = "Pendency_Type_ComeIn")]
    ComeIn,
    /// Those that the caller made.
    #[serde(rename = "Pendency_Type_SendOut")]
    SendOut,
    /// All.
    #[default]
    #[serde(rename = "Pendency_Type_Both")]
    Both,
}

impl PendingKind {
    /// Which way the applications went; `None`: either.
    #[must_use]
    pub const fn way(self) -> Option<Way> {
        match self {
            Self::ComeIn => Some(Way::Received),
            Self::SendOut => Some(Way::Made),
            Self::Both => None,
        }
    }
}

/// A page of applications.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Pending {
    /// The applications, the newest first.
    #[serde(rename = "PendencyItem")]
    pub requests: Vec<PendingItem>,
    /// How many that wait for the caller's answer it has not seen.
    #[serde(rename = "UnreadPendencyCount")]
    pub unread: usize,
    /// Where the next page starts; 0 at the end.
    #[serde(rename = "StartTime")]
    pub next: Seconds,
    /// Changes so far.
    #[serde(rename = "CurrentSequence")]
    pub sequence: u32,
}

/// An application.
#[derive(Debug, Serialize, JsonSchema)]
pub struct PendingItem {
    /// The other side.
    #[serde(rename = "To_Account")]
    pub user: UserId,
    /// Its nickname.
    #[serde(rename = "Nick")]
    pub nick: String,
    /// The address of its avatar.
    #[serde(rename = "Image")]
    pub image: String,
    /// When.
    #[serde(rename = "AddTime")]
    pub at: Seconds,
    /// How the addressee was found.
    #[serde(rename = "AddSource")]
    pub source: String,
    /// What it says.
    #[serde(rename = "AddWording")]
    pub wording: String,
    /// Which way it went.
    #[serde(rename = "PendencyType")]
    pub kind: &'static str,
}

/// The first part of the list from a time on that has `limit` entries, and all of its last second; where the next one starts.
fn page(mut requests: Vec<RequestFact>, start: u32, limit: usize) -> (Vec<RequestFact>, Seconds) {
    requests.retain(|request| start == 0 || request.at.0 <= start);
    let last = requests.get(limit.saturating_sub(1)).map(|request| request.at);
    let end = requests.iter().position(|request| last.is_some_and(|last| request.at < last));
    let next = end.and_then(|end| requests.get(end)).map_or(Seconds(0), |request| request.at);
    requests.truncate(end.unwrap_or(usize::MAX));
    (requests, next)
}

impl Command for GetPending {
    const SPEC: Spec = Spec::new("sns/pendency_get", Family::RELATION)
        .callers(Callers::ACCOUNT)
        .fails_with(&[ErrorCode::RelationAccountUnknown]);

    type Reply = Pending;

    async fn run(self, call: &Call) -> Result<Pending> {
        let owner =
            call.actor("From_Account", self.owner.as_ref(), ErrorCode::RelationAccountUnknown).await?;
        let (engine, app) = (&call.engine, call.app.id);
        let book = engine.relations.of(app, owner.number).await?;
        let mut requests = engine.relations.requests(app, owner.number).await?;
        let is_new =
            |request: &&RequestFact| request.way == Way::Received && request.at > book.requests_read_to;
        let unread = requests.iter().filter(is_new).count();
        requests.retain(|request| self.kind.way().is_none_or(|way| way == request.way));
        let limit = self.limit.unwrap_or(PAGE_MAX).clamp(1, PAGE_MAX);
        let (page, next) = page(requests, self.start, limit);
        let mut items = Vec::with_capacity(page.len());
        for request in page {
            let profile = engine.profiles.of(app, request.other).await?;
            items.push(PendingItem {
                user: request.user,
                nick: profile.text(NICK).to_owned(),
                image: profile.text(IMAGE).to_owned(),
                at: request.at,
                source: request.source,
                wording: request.wording,
                kind: match request.way {
                    Way::Received => "Pendency_Type_ComeIn",
                    Way::Made => "Pendency_Type_SendOut",
                },
            });
        }
        Ok(Pending { requests: items, unread, next, sequence: book.request_sequence })
    }
}
