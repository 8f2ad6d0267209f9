//! Sealed content, opened for those who may read it.
//!
//! What cannot be opened shows as if it were recalled: its place in the conversation stays, its content is gone.

use model::message::{Content, Sealed};
use model::{ConversationId, Message, Result, SdkAppId};
use ports::records::find;
use ports::timeline::{ConversationView, HistoryPage, StoredMessage};
use ports::{Fault, Generation};
use promise::Stamps;
use promise::keys::{Expected, Keyring, Place};

use crate::Engine;
use crate::context::Context;
use crate::facts::InstallationFact;
use crate::store::{put, write};

const KEYRING_ID: &str = "id of the keyring";
const GENERATION: &str = "generation of keys";
const NEXT_INDEX: &str = "next index of keys";

/// Opens the keyring of these stores; makes it at the very first start and never again.
///
/// # Errors
/// `Unavailable` if there is data and no keyring, that of other data, or one that is older than the data.
pub(crate) async fn keyring(context: &Context) -> Result<Keyring> {
    let id = match known(context, KEYRING_ID).await? {
        Some(id) => u128::from_str_radix(&id, 16).map_err(|_| damaged(KEYRING_ID))?.to_be_bytes(),
        None => {
            if context.vault.load().await?.is_some() {
                return Err(Fault::Unavailable(
                    "these data are new and the keyring is not: it belongs to other data".to_owned(),
                )
                .into());
            }
            // Written down before there is a keyring: a start that is interrupted here finds its own.
            let mut id = [0; 16];
            context.random.fill(&mut id);
            remember(context, KEYRING_ID, crate::apps::hex(&id)).await?;
            id
        }
    };
    let number = |name: &'static str, text: Option<String>| -> Result<Option<u64>> {
        text.map(|text| text.parse().map_err(|_| damaged(name))).transpose()
    };
    let expected = Expected {
        id,
        generation: number(GENERATION, known(context, GENERATION).await?)?.map(Generation),
        next_index: number(NEXT_INDEX, known(context, NEXT_INDEX).await?)?.unwrap_or(0),
    };
    let keyring =
        Keyring::open(std::sync::Arc::clone(&context.vault), context.random.as_ref(), expected).await?;
    remember(context, NEXT_INDEX, keyring.next_index().to_string()).await?;
    remember_generation(context, keyring.generation()).await?;
    Ok(keyring)
}

/// Writes down that a generation is in use: an older one will not be taken any more.
pub(crate) async fn remember_generation(context: &Context, generation: Generation) -> Result<()> {
    remember(context, GENERATION, generation.0.to_string()).await
}

/// What the data knows under a name.
pub(crate) async fn known(context: &Context, name: &str) -> Result<Option<String>> {
    let records = context.records.as_ref();
    let found = find::<InstallationFact>(records, SdkAppId::INSTALLATION, name.as_bytes()).await?;
    Ok(found.map(|(fact, _)| fact.value))
}

/// Makes the data know a value under a name.
pub(crate) async fn remember(context: &Context, name: &str, value: String) -> Result<()> {
    let fact = InstallationFact { name: name.to_owned(), value };
    let writes = vec![put(Stamps::configuration(SdkAppId::INSTALLATION), &fact)?];
    write(context.records.as_ref(), SdkAppId::INSTALLATION, writes).await
}

fn damaged(name: &str) -> model::Error {
    Fault::Corrupt(format!("the installation's {name}")).into()
}

impl Engine {
    /// Opens a stored message.
    #[must_use]
    pub fn open_message(
        &self,
        app: SdkAppId,
        conversation: ConversationId,
        message: &Message<Sealed>,
    ) -> Message<Content> {
        let place = Place::message(app, conversation, message.writer());
        let content = self.keyring.open_content(place, &message.content);
        message.clone_with(content.unwrap_or_default())
    }

    pub(crate) fn open_stored(
        &self,
        app: SdkAppId,
        conversation: ConversationId,
        found: &StoredMessage,
    ) -> StoredMessage<Content> {
        StoredMessage {
            at: found.at,
            message: self.open_message(app, conversation, &found.message),
            expiry: found.expiry,
            revoker: found.revoker.clone(),
            receipt_at: found.receipt_at,
        }
    }

    pub(crate) fn open_page(
        &self,
        app: SdkAppId,
        conversation: ConversationId,
        page: &HistoryPage,
    ) -> HistoryPage<Content> {
        let messages = page.messages.iter().map(|found| self.open_stored(app, conversation, found));
        HistoryPage { messages: messages.collect(), complete: page.complete }
    }

    pub(crate) fn open_view(&self, app: SdkAppId, view: ConversationView) -> ConversationView<Content> {
        ConversationView {
            last: view.last.map(|found| self.open_stored(app, view.conversation, &found)),
            conversation: view.conversation,
            peer: view.peer,
            is_listed: view.is_listed,
            active_at: view.active_at,
            read_to: view.read_to,
            peer_read_to: view.peer_read_to,
        }
    }
}
