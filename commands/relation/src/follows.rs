//! What the commands on following share.

use std::collections::BTreeMap;
use std::sync::Arc;

use command::Call;
use command::scalar::AnyName;
use engine::facts::AccountFact;
use model::{AccountNumber, Error, ErrorCode, Result};

use crate::wire::{ItemResult, Results};

/// Whether the app lets accounts follow one another.
///
/// # Errors
/// `RelationRefused`.
pub(crate) fn follow_is_on(call: &Call) -> Result<()> {
    if call.app.settings.follow {
        Ok(())
    } else {
        Err(ErrorCode::RelationRefused.because("following is switched off for this app"))
    }
}

/// Names of a batch with their accounts, where there are any.
pub(crate) type Named = Vec<(String, Option<Arc<AccountFact>>)>;

/// Finds the accounts of a batch.
///
/// # Errors
/// `RelationBadParameter` naming the field, if there are none or more than `most`.
pub(crate) async fn accounts_of(call: &Call, field: &str, names: Vec<AnyName>, most: usize) -> Result<Named> {
    if names.is_empty() || names.len() > most {
        return Err(ErrorCode::RelationBadParameter.in_field(field, format!("1 to {most} accounts")));
    }
    let mut found = Vec::with_capacity(names.len());
    for name in names {
        let account = match name.user() {
            Some(user) => call.engine.accounts.find(call.app.id, &user).await?,
            None => None,
        };
        found.push((name.0, account));
    }
    Ok(found)
}

/// The results of a batch of follows, of which those were refused.
pub(crate) fn results_of(named: Named, refused: &BTreeMap<AccountNumber, Error>) -> Results {
    let mut results = Results::default();
    for (name, account) in named {
        let Some(account) = account else {
            let code = ErrorCode::RelationAccountUnknown;
            results.push(ItemResult::failed(name, code, code.sentence()));
            continue;
        };
        results.push(match refused.get(&account.number) {
            Some(error) => ItemResult::failed(name, error.code, &error.info),
            None => ItemResult::done(name),
        });
    }
    results
}
