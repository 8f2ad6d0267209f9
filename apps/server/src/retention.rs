//! What the operator asks about retention.

use std::fmt::Write as _;

use engine::Engine;
use engine::retention::{ChangeFact, ProposalFact};
use model::SdkAppId;
use model::settings::Retention;

use crate::admin::Request;
use crate::cli::Outcome;

/// Whom the log of changes names for what the command line did.
const BY: &str = "operator";

/// Answers a request about retention.
pub(crate) async fn answer(engine: &Engine, request: &Request) -> Outcome<String> {
    let refused = |error: model::Error| error.info.into_owned();
    match request {
        Request::ShowRetention { app } => {
            let current = crate::admin::find(engine, *app).await?.settings.retention();
            let changes = engine.retention_changes(SdkAppId(*app)).await.map_err(refused)?;
            Ok(shown(current, &changes))
        }
        Request::ProposeRetention { app, message_days, profile_days } => {
            let proposed = engine.propose_retention(SdkAppId(*app), *message_days, *profile_days).await;
            Ok(proposal(&proposed.map_err(refused)?))
        }
        Request::ApplyRetention { app, token } => {
            let change = engine.apply_retention(SdkAppId(*app), token, BY).await.map_err(refused)?;
            Ok(format!("in effect: {}", days(change.to)))
        }
        _ => Err("not a request about retention".to_owned()),
    }
}

fn days(retention: Retention) -> String {
    let text = |days: u32| match days {
        0 => "not stored".to_owned(),
        1 => "1 day".to_owned(),
        days => format!("{days} days"),
    };
    format!("messages {}, profiles {}", text(retention.message_days), text(retention.profile_days))
}

fn shown(current: Retention, changes: &[ChangeFact]) -> String {
    let mut text = days(current);
    for change in changes {
        // Writing to a text does not fail.
        let _ = write!(
            text,
            "\n{}  {}  from {} to {}; deleted {} messages and {} profiles",
            change.at.0,
            change.by,
            days(change.from),
            days(change.to),
            change.deletes.messages,
            change.deletes.profiles
        );
    }
    text
}

fn proposal(proposal: &ProposalFact) -> String {
    format!(
        "from     {}\nto       {}\ndeletes  {} messages and {} profiles at once\n\
         Nothing has changed yet. To apply it within the next hour, run this again with --apply {}",
        days(proposal.from),
        days(proposal.to),
        proposal.deletes.messages,
        proposal.deletes.profiles,
        proposal.token
    )
}
