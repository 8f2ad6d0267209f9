//! Reactions: short texts, mostly names of pictures, that accounts put under a message.

use model::settings::App;
use model::{AccountNumber, ErrorCode, Result, SdkAppId, UserId};

use super::removal::Removal;
use super::{About, Annotated, Maker, ReactionFact};
use crate::Engine;
use crate::push;
use crate::store::{TRIES_MAX, put};

/// The most different reactions of a message.
pub const REACTIONS_MAX: usize = 10;

/// The most accounts of a reaction.
pub const REACTED_MAX: usize = 100;

/// The longest reaction, in bytes.
pub const REACTION_BYTES_MAX: usize = 64;

/// A reaction and whose it is.
#[derive(Clone, PartialEq, Eq)]
pub struct Reaction {
    /// Its text.
    pub text: String,
    /// Whose, in the order in which they reacted.
    pub by: Vec<AccountNumber>,
}

impl std::fmt::Debug for Reaction {
    // What people wrote never reaches a log.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reaction").field("by", &self.by.len()).finish_non_exhaustive()
    }
}

/// Reactions in the order in which each was made first.
fn gather(made: Vec<(String, AccountNumber)>) -> Vec<Reaction> {
    let mut reactions: Vec<Reaction> = Vec::new();
    for (text, by) in made {
        match reactions.iter_mut().find(|reaction| reaction.text == text) {
            Some(reaction) => reaction.by.push(by),
            None => reactions.push(Reaction { text, by: vec![by] }),
        }
    }
    reactions
}

/// Whether an account may add a reaction to these.
fn check(reactions: &[Reaction], text: &str, by: AccountNumber) -> Result<()> {
    match reactions.iter().find(|reaction| reaction.text == text) {
        Some(reaction) if reaction.by.contains(&by) => Err(ErrorCode::AlreadyReacted.into()),
        Some(reaction) if reaction.by.len() >= REACTED_MAX => Err(ErrorCode::TooManyReacted.into()),
        None if reactions.len() >= REACTIONS_MAX => Err(ErrorCode::TooManyReactions.into()),
        Some(_) | None => Ok(()),
    }
}

impl Engine {
    /// Adds an account's reaction to a message, and tells the sides.
    ///
    /// # Errors
    /// `AlreadyReacted`, `TooManyReactions`, `TooManyReacted`; `KeyMalformed` if the message went meanwhile.
    pub async fn react(&self, app: &App, message: &Annotated, maker: Maker, text: &str) -> Result<()> {
        for _ in 0..TRIES_MAX {
            let (mut numbers, version) = self.numbers(app.id, message.about).await?;
            check(&self.reactions(app.id, message).await?, text, maker.number)?;
            numbers.reaction += 1;
            let (stamp, sealed) =
                self.seal_annotation(app, message, maker.number, text.as_bytes().to_vec())?;
            let fact =
                ReactionFact { about: message.about, by: maker.number, number: numbers.reaction, sealed };
            let writes = vec![put(stamp, &fact)?];
            if self.change_annotations(app, message, maker, (&numbers, version), writes).await? {
                return self.tell_reaction(app.id, message, maker, (text, true)).await;
            }
        }
        Err(ErrorCode::MessageServiceUnavailable.into())
    }

    /// Takes an account's reaction off a message, and tells the sides.
    ///
    /// # Errors
    /// `ReactionMissing`, `NotReacted`; `KeyMalformed` if the message went meanwhile.
    pub async fn take_reaction_back(
        &self,
        app: &App,
        message: &Annotated,
        maker: Maker,
        text: &str,
    ) -> Result<()> {
        for _ in 0..TRIES_MAX {
            let (numbers, version) = self.numbers(app.id, message.about).await?;
            let mut made = self.made(app.id, &message.about).await?;
            made.retain(|(_, reaction)| reaction.as_deref() == Some(text));
            if made.is_empty() {
                return Err(ErrorCode::ReactionMissing.into());
            }
            let own = made.iter().find(|(fact, _)| fact.by == maker.number);
            let (fact, _) = own.ok_or(ErrorCode::NotReacted)?;
            let mut removal = Removal::new(app.id, self.context.clock.now().seconds());
            removal.add(fact)?;
            let (writes, doomed) = removal.into_parts();
            if self.change_annotations(app, message, maker, (&numbers, version), writes).await? {
                self.doom_annotations(doomed);
                return self.tell_reaction(app.id, message, maker, (text, false)).await;
            }
        }
        Err(ErrorCode::MessageServiceUnavailable.into())
    }

    /// The reactions to a message, in the order in which each was made first.
    ///
    /// # Errors
    /// What the store says.
    pub async fn reactions(&self, app: SdkAppId, message: &Annotated) -> Result<Vec<Reaction>> {
        let made = self.made(app, &message.about).await?;
        Ok(gather(made.into_iter().filter_map(|(fact, text)| Some((text?, fact.by))).collect()))
    }

    /// The names of accounts, without those that were erased.
    ///
    /// # Errors
    /// What the store says.
    pub async fn names(&self, app: SdkAppId, numbers: &[AccountNumber]) -> Result<Vec<UserId>> {
        let mut names = Vec::with_capacity(numbers.len());
        for number in numbers {
            let account = self.accounts.with_number(app, *number).await?;
            names.extend(account.map(|account| account.user.clone()));
        }
        Ok(names)
    }

    /// Every reaction to a message, in the order in which they were made; without a text those that cannot be opened.
    async fn made(&self, app: SdkAppId, about: &About) -> Result<Vec<(ReactionFact, Option<String>)>> {
        let facts: Vec<ReactionFact> = self.annotations(app, about).await?;
        let opened = facts.into_iter().map(|fact| {
            let text = self.open_reaction(app, &fact);
            (fact, text)
        });
        Ok(opened.collect())
    }

    /// The text of a reaction.
    pub(crate) fn open_reaction(&self, app: SdkAppId, fact: &ReactionFact) -> Option<String> {
        String::from_utf8(self.open_annotation(app, fact)?).ok()
    }

    /// Tells both sides who reacts so by now, and the other instances of who changed that what it did.
    async fn tell_reaction(
        &self,
        app: SdkAppId,
        message: &Annotated,
        maker: Maker,
        (text, is_added): (&str, bool),
    ) -> Result<()> {
        let reactions = self.reactions(app, message).await?;
        let now = reactions.into_iter().find(|reaction| reaction.text == text);
        let numbers = now.map(|reaction| reaction.by).unwrap_or_default();
        let users = self.names(app, &numbers).await?;
        let frame = push::reacted(message.named(), text, numbers.len(), &users);
        for viewer in &message.viewers {
            // The acting instance too: it learns of its own reaction by this alone.
            self.hub.push(app, *viewer, &frame, None);
        }
        let frame = push::reacted_elsewhere(message.named(), text, is_added);
        self.hub.push(app, maker.number, &frame, maker.origin);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(count: u64, text: impl Fn(u64) -> String) -> Vec<Reaction> {
        gather((0..count).map(|number| (text(number), AccountNumber(number))).collect())
    }

    #[test]
    fn reactions_stand_in_the_order_in_which_each_was_made_first() {
        let (one, two) = (AccountNumber(1), AccountNumber(2));
        let made = [("b", one), ("a", one), ("b", two)].map(|(text, by)| (text.to_owned(), by));
        let found = gather(made.to_vec());
        let found: Vec<_> = found.iter().map(|reaction| (reaction.text.as_str(), &reaction.by[..])).collect();
        assert_eq!(found, [("b", &[one, two][..]), ("a", &[one][..])]);
    }

    #[test]
    fn a_message_has_ten_reactions_of_a_hundred_accounts_each() {
        let stranger = AccountNumber(1000);
        let may =
            |reactions: &[Reaction], text: &str, by| check(reactions, text, by).map_err(|error| error.code);
        let texts = |count| made(count, |number| number.to_string());
        assert_eq!(may(&texts(9), "new", stranger), Ok(()));
        assert_eq!(may(&texts(10), "new", stranger), Err(ErrorCode::TooManyReactions));
        assert_eq!(may(&texts(10), "3", stranger), Ok(()));
        assert_eq!(may(&texts(10), "3", AccountNumber(3)), Err(ErrorCode::AlreadyReacted));
        let accounts = |count| made(count, |_| "x".to_owned());
        assert_eq!(may(&accounts(99), "x", stranger), Ok(()));
        assert_eq!(may(&accounts(100), "x", stranger), Err(ErrorCode::TooManyReacted));
    }
}
